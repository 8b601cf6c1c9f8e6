"""Answers against expectations: what was found, what was missed, and where an alarm was false."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.inspection_set.case import FOUND_BY, Case

Answer = Mapping[str, Any]
"""A line of ``flask inspect``: file, check, result (ok, alert, unverifiable), declared, found, evidence."""


@dataclass
class Score:
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    missed: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the planted faults, how many were found: 0 to 1."""
        return self.found.total() / max(1, self.planted.total())

    def table(self) -> str:
        """The figures by kind of fault, then what went wrong."""
        lines = [f"{kind:28}{self.found[kind]:4} of {number:3}" for kind, number in sorted(self.planted.items())]
        total = f"{self.found.total()} of {self.planted.total()} faults found ({self.share:.1%})"
        lines.append(
            f"{total}, {len(self.planted)} kinds; {len(self.false_alarms)} false alarms on {self.clean} clean files"
        )
        return "\n".join(
            [*lines, *(f"missed: {line}" for line in self.missed), *(f"false: {line}" for line in self.false_alarms)]
        )


def judge(cases: Iterable[Case], answers: Iterable[Answer]) -> Score:
    """Weigh the answers. A fault is found by an alert of one of its own checks; other alerts do not count."""
    by_file: dict[str, list[Answer]] = {}
    for answer in answers:
        by_file.setdefault(str(answer["file"]), []).append(answer)
    score = Score()
    for case in cases:
        given = by_file.get(case.file, [])
        alerts = [answer for answer in given if answer["result"] == "alert"]
        if case.fault is None:
            score.clean += 1
            score.false_alarms += [f"{case.file}: {_told(alert)}" for alert in alerts]
            if not given:
                score.false_alarms.append(f"{case.file}: no answer at all")
            continue
        score.planted[case.fault] += 1
        if any(alert["check"] in FOUND_BY[case.fault] for alert in alerts):
            score.found[case.fault] += 1
        else:
            told = "; ".join(_told(answer) for answer in given if answer["result"] != "ok") or "all ok"
            score.missed.append(f"{case.file} ({case.fault}): {told}")
    return score


def _told(answer: Answer) -> str:
    why = answer.get("evidence", {}).get("why", "")
    return f"{answer['check']} {answer['result']} {why} [{answer['declared']} | {answer['found']}]"
