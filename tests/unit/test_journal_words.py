"""Every act that the journal can hold has its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.journal_words import JOURNAL_WORDS
from app.states import CERTIFICATE_MOVES, ORGANISATION_MOVES, PAYMENT_MOVES, REQUEST_MOVES, REVOCATION_MOVES

APP = Path(__file__).resolve().parents[2] / "app"


def recorded() -> Iterator[str]:
    """The literal actions given to ``audit.record`` anywhere in the product."""
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "record"
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "audit"
                and len(node.args) > 1
            ):
                for literal in ast.walk(node.args[1]):
                    if (
                        isinstance(literal, ast.Constant)
                        and isinstance(literal.value, str)
                        and "_" not in literal.value[-1:]
                    ):
                        yield literal.value


@pytest.mark.spec("AUD-1")
def test_every_recorded_act_has_its_words() -> None:
    actions = set(recorded()) - {""}
    assert len(actions) > 30
    assert actions - set(JOURNAL_WORDS) == set()


@pytest.mark.spec("AUD-1", "STA-1")
def test_every_move_has_its_words() -> None:
    moves = {move.action for move in (*REQUEST_MOVES, *ORGANISATION_MOVES)}
    moves |= {f"payment_{move.action}" for move in PAYMENT_MOVES}
    moves |= {f"certificate_{move.action}" for move in CERTIFICATE_MOVES}
    moves |= {f"revocation_{move.action}" for move in REVOCATION_MOVES}
    assert moves - set(JOURNAL_WORDS) == set()
