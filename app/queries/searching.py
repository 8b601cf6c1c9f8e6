"""Finding rows by names and words (QUE-2): small differences of spelling, then one wrong letter.

A search is tried in this order; what finds something ends it.

1. exact identifiers, each by its own index (``app/queries/exact.py``);
2. rows where every word begins a word of the row, or where every name sounds like one of the row's: words and
   keys of sounds are tokens of one index on PostgreSQL;
3. every word somewhere within the row's text (an end of a number);
4. one letter wrong: by trigrams on PostgreSQL with pg_trgm; without, among the rows that have all the other words,
   or whose word begins alike.

Few rows found become a list of ids, so that the page and the counts of its tabs cost the same as one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from rapidfuzz.distance import OSA
from sqlalchemy import ColumnElement, and_, func, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import TSQUERY

from app.extensions import db
from app.identifiers import fold
from app.names import latin_matches_arabic, same_name, sound_keys

MAX_WORDS = 8
FEW = 300
"""Rows up to which a search is turned into a list of ids."""
CANDIDATES = 2_000
"""Rows looked at, at most, for a wrong letter without trigrams."""
_LONG_FORM = {"ste": "societe", "soc": "societe", "ets": "etablissements"}


@dataclass(frozen=True, slots=True)
class Found:
    """``condition`` names the rows; ``near`` tells that only names with a wrong letter were found, ``many`` that the
    rows are too many to be listed beforehand."""

    condition: ColumnElement[bool]
    near: bool = False
    many: bool = False


def words_in(text: str) -> list[str]:
    """The folded words of a search."""
    return [_LONG_FORM.get(word, word) for word in fold(text).split()[:MAX_WORDS]]


def by_identifiers(model: Any, exact: list[ColumnElement[bool]]) -> Found | None:
    """The rows that one of the conditions names, each by its own index; None when there is none."""
    if not exact:
        return None
    asked = [select(model.id).where(condition).limit(FEW + 1) for condition in exact]
    ids = list(dict.fromkeys(row_id for one in asked for row_id in db.session.scalars(one)))
    if not ids:
        return None
    return Found(model.id.in_(ids) if len(ids) <= FEW else or_(*exact))


def by_words(model: Any, text: str) -> Found:
    """The rows whose names and words are those of the text. Two statements at most when something is found."""
    words = words_in(text)
    if not words:  # only punctuation was typed: nothing is found
        return Found(literal(False))
    tokens = _tokens(model, words, _keys(words))
    few = _few(model, tokens, keep=_comparer(words))
    if few is None:
        return Found(tokens, many=True)
    if few:
        return Found(model.id.in_(few))
    within = and_(*(model.search_text.contains(word, autoescape=True) for word in words))
    few = _few(model, within)
    if few is None:
        return Found(within, many=True)
    if few:
        return Found(model.id.in_(few))
    near = _near(model, words)
    return Found(model.id.in_(near), near=True) if near else Found(literal(False))


def _keys(words: list[str]) -> list[list[str]]:
    """The names' keys, of each way to write them."""
    found: list[list[str]] = []
    for each in (words, *_joined(words)):
        keys = sound_keys(" ".join(each))[:MAX_WORDS]
        if keys and keys not in found:
            found.append(keys)
    return found


def _on_postgres() -> bool:
    return db.session.get_bind().dialect.name == "postgresql"


def _tokens(model: Any, words: list[str], keys: list[list[str]]) -> ColumnElement[bool]:
    """Every word begins a word of the row's text, or every key of one of the spellings is the row's."""
    if not _on_postgres():
        begun = and_(*(_spaced(model.search_text).contains(f" {word}", autoescape=True) for word in words))
        heard = [
            and_(*(_spaced(model.search_keys).contains(f" {key} ", autoescape=True) for key in each)) for each in keys
        ]
        return or_(begun, *heard)
    parts = [" & ".join(f"'{word}':*" for word in words)]
    parts += [" & ".join(f"'{key}'" for key in each) for each in keys]
    # Folded words and keys hold letters and digits only (``fold``): nothing in them can end a quoted token.
    query = " | ".join(f"({part})" for part in parts)
    return _vector(model).op("@@")(literal(query).cast(TSQUERY))


def _spaced(column: Any) -> ColumnElement[str]:
    return literal(" ") + column + literal(" ")


def _vector(model: Any) -> ColumnElement[Any]:
    """The indexed expression of migration 0006, word for word."""
    table = model.__tablename__
    return literal_column(
        f"array_to_tsvector(array_remove(string_to_array({table}.search_text || ' ' || {table}.search_keys, ' '), ''))"
    )


def _few(model: Any, condition: ColumnElement[bool], keep: Callable[[str], bool] | None = None) -> list[int] | None:
    """The ids that meet the condition, or None when they are many. ``keep`` looks at each row's text once more."""
    columns = (model.id, model.search_text) if keep is not None else (model.id,)
    rows = db.session.execute(select(*columns).where(condition).limit(FEW + 1)).all()
    if len(rows) > FEW:
        return None
    return [row[0] for row in rows if keep is None or keep(row[1])]


def _comparer(words: list[str]) -> Callable[[str], bool]:
    """A second look at rows found by their consonants: « Mahmoud » is no « Mohamed », « Chebbi » no « Chaïeb »."""
    spellings = [words, *_joined(words)]

    def alike(text: str) -> bool:
        there = text.split()
        units = [*there, *("".join(pair) for pair in pairwise(there))]
        return any(all(any(_same(word, other) for other in units) for word in each) for each in spellings)

    return alike


def _joined(words: list[str]) -> list[list[str]]:
    """The words again, two neighbours written as one (Jean Pierre, Jeanpierre)."""
    if not 1 < len(words) <= 4:
        return []
    return [[*words[:place], "".join(pair), *words[place + 2 :]] for place, pair in enumerate(pairwise(words))]


@lru_cache(maxsize=16_384)
def _same(word: str, other: str) -> bool:
    """The beginning of the other word, or one name, in one script or across both."""
    if other.startswith(word):
        return True
    if word.isascii() == other.isascii():
        return same_name(word, other)
    latin, arabic = (word, other) if word.isascii() else (other, word)
    return sound_keys(word) == sound_keys(other) and latin_matches_arabic(latin, arabic) is not False


def _near(model: Any, words: list[str]) -> list[int]:
    """The rows where each word has one wrong, missing, doubled or swapped letter at most, but one in short words."""
    if not any(_may_err(word) for word in words):
        return []
    rows = _by_trigrams(model, words) if _on_postgres() and _has_trigrams() else _by_other_words(model, words)
    return [row[0] for row in rows if _reads_like(words, row[1].split())][:FEW]


def _may_err(word: str) -> bool:
    return len(word) >= 4 and word.isalpha()


def _reads_like(words: list[str], there: list[str]) -> bool:
    return all(
        any(
            other.startswith(word) or (_may_err(word) and OSA.distance(word, other, score_cutoff=1) <= 1)
            for other in there
        )
        for word in words
    )


def _has_trigrams() -> bool:
    return bool(db.session.scalar(select(literal_column("to_regproc('word_similarity') IS NOT NULL"))))


def _by_trigrams(model: Any, words: list[str]) -> Any:
    db.session.execute(select(func.set_config("pg_trgm.word_similarity_threshold", "0.4", True)))
    erring = [model.search_text.op("%>")(word) for word in words if _may_err(word)]
    sure = [model.search_text.contains(word, autoescape=True) for word in words if not _may_err(word)]
    return db.session.execute(select(model.id, model.search_text).where(*erring, *sure).limit(CANDIDATES)).all()


def _by_other_words(model: Any, words: list[str]) -> Any:
    """Rows with all words but one; for a word alone, those with a word that begins or ends alike."""
    text = _spaced(model.search_text)
    options: list[ColumnElement[bool]] = []
    for place, word in enumerate(words):
        others = [text.contains(f" {each}", autoescape=True) for n, each in enumerate(words) if n != place]
        if _may_err(word):
            begins = text.contains(f" {word[:2]}", autoescape=True)
            ends = text.contains(f"{word[-2:]} ", autoescape=True)
            options.append(and_(*others, or_(begins, ends)))
    return db.session.execute(select(model.id, model.search_text).where(or_(*options)).limit(CANDIDATES)).all()
