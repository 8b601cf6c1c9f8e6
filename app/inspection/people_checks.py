"""Checks of persons as declared, without a document: the identity service's answer, a CIN under two names (REV-3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from app.inspection.findings import Finding, alert, ok, unverifiable
from app.names import same_name


def cin_names(number: str, name: str, others: Iterable[str]) -> Finding | None:
    """The same identity number declared under another name, here or by somebody else."""
    if not number or not name:
        return None
    strange = sorted({other for other in others if other and not same_name(other, name)})
    if strange:
        return alert("cin_names", name, ", ".join(strange)[:500], why="two_names", number=number)
    return ok("cin_names", name, number)


def identity_answer(who: str, answer: str, on: date | None) -> Finding:
    """What the identity service said of a declared person; ``who``: representative or applicant."""
    day = on.isoformat() if on else ""
    if answer == "CONCORDANT":
        return ok("identity_answer", who, answer, on=day)
    if answer == "NON_CONCORDANT":
        return alert("identity_answer", who, answer, why="does_not_match", on=day)
    why = "unavailable" if answer == "INDISPONIBLE" else "not_asked"
    return unverifiable("identity_answer", who, answer, why=why, on=day)
