"""Two languages in one sentence, and the Arabic catalogue as it is used (REV-2, I18-1)."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from app.bilingual import joined, lacks_arabic
from app.services.outbox import right_to_left

TRANSLATIONS = Path(__file__).parents[2] / "app" / "translations"
words = st.sampled_from(["", "Le document est flou.", "الوثيقة غير واضحة.", "RNE", "  "])


@pytest.mark.spec("I18-1")
@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_compiled_catalogue_is_that_of_the_sentences(language: str) -> None:
    catalogue = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    with catalogue.open("rb") as source, catalogue.with_suffix(".mo").open("rb") as compiled:
        written, used = read_po(source, locale=language), read_mo(compiled)
    texts = [
        {m.id if isinstance(m.id, str) else m.id[0]: list(m.string) for m in each if m.id and any(m.string)}
        for each in (written, used)
    ]
    assert texts[0] == texts[1]
    assert len(texts[0]) > 100


@pytest.mark.spec("REV-2")
@given(st.lists(st.tuples(words, words), min_size=1, max_size=3))
def test_no_part_of_a_reason_is_lost_in_either_language(parts: list[tuple[str, str]]) -> None:
    french, arabic = joined(tuple(one for one, _ in parts), tuple(other for _, other in parts))
    for one, other in parts:
        assert (one.strip() or other.strip()) in french
        assert not arabic or (other.strip() or one.strip()) in arabic
    assert bool(arabic) == any(other.strip() for _, other in parts)


@pytest.mark.spec("REV-2")
@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("الوثيقة غير واضحة.", False),
        ("المضمون RNE قديم: Société Exemple", False),
        ("الوثيقة غير واضحة. Voir la page deux.", True),
        ("Le document est flou.", True),
        ("Illisible", True),
        ("", False),
    ],
)
def test_what_an_arabic_reader_meets_in_french_is_seen(text: str, lacks: bool) -> None:
    assert lacks_arabic(text) is lacks


def test_arabic_lines_run_from_the_right_and_what_is_copied_is_left_alone() -> None:
    text = "مرحبا Amira،\n\nhttps://exemple.tn/a\n1. الوثيقة\nAbC-123\n"
    assert right_to_left(text) == "\u200fمرحبا Amira،\n\nhttps://exemple.tn/a\n\u200f1. الوثيقة\nAbC-123\n"
