"""What one automatic check says (REV-3): codes and values; words are made when shown, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """The three answers of a check; the same values as ``app.models.CheckResult``."""

    OK = "OK"
    ALERT = "ALERT"
    UNVERIFIABLE = "UNVERIFIABLE"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check said, of what it compared, and where it saw it.

    ``check``: the check's code, at most 40 letters (``tax_id_in_text``). ``declared`` and ``found``: the two values
    compared, as text, empty where there is none. ``evidence``: JSON values only; keys that every check may use:
    ``why`` (a code of the reason, made a sentence by ``app/queries/inspection_words.py``), ``page`` (from 1),
    ``excerpt`` (the text around what was found), ``source`` (pdf or ocr).
    """

    check: str
    result: Outcome
    declared: str = ""
    found: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


def ok(check: str, declared: str = "", found: str = "", **evidence: Any) -> Finding:
    """Nothing to report."""
    return Finding(check, Outcome.OK, declared, found, evidence)


def alert(check: str, declared: str = "", found: str = "", **evidence: Any) -> Finding:
    """Something a person must look at."""
    return Finding(check, Outcome.ALERT, declared, found, evidence)


def unverifiable(check: str, declared: str = "", found: str = "", **evidence: Any) -> Finding:
    """The check could not be made; never to be read as right."""
    return Finding(check, Outcome.UNVERIFIABLE, declared, found, evidence)
