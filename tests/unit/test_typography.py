"""French spaces never break across lines."""

from __future__ import annotations

import pytest

from app.typography import french_spaces


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Mot de passe oublié ?", "Mot de passe oublié ?"),
        ("« Pièces demandées »", "«\u00a0Pièces demandées\u00a0»"),
        ("État : payé ; facture jointe", "État\u00a0: payé\u00a0; facture jointe"),
        ("(« Rejetée »)", "(«\u00a0Rejetée\u00a0»)"),
        ("à 10:42", "à 10:42"),
        ("http://exemple.tn/?a=b", "http://exemple.tn/?a=b"),
        ("%(name)s : %(why)s", "%(name)s\u00a0: %(why)s"),
    ],
)
def test_only_the_spaces_of_french_punctuation_change(typed: str, shown: str) -> None:
    assert french_spaces(typed) == shown
    assert french_spaces(shown) == shown
