"""How old an extract is, and whether an identity paper still holds (ORG-4, REV-3)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from app.inspection.case import Case
from app.inspection.days import FoundDay, Role
from app.inspection.declared import Days
from app.inspection.findings import Finding, alert, ok, unverifiable

DATED = ("rne", "trade_register")
"""Kinds that must be recent."""
OLDEST_BARE = timedelta(days=2 * 366)


def fresh_until(issued_on: date, months: int = 3) -> date:
    """The last day on which an extract of that day is recent enough (ORG-4)."""
    years, month = divmod(issued_on.month - 1 + months, 12)
    year, month = issued_on.year + years, month + 1
    return date(year, month, min(issued_on.day, monthrange(year, month)[1]))


def extract_date(case: Case) -> Finding | None:
    """The day the extract bears, against the declared one."""
    if case.kind not in DATED:
        return None
    declared = case.declared.issued_on
    said = declared.isoformat() if declared else ""
    if not case.readable:
        return unverifiable("extract_date", said, why=case.why_not)
    printed = issue_day(case)
    if printed is None:
        if missing(case):
            return alert("extract_date", said, why="no_date")
        return unverifiable("extract_date", said, why="no_date")
    found = printed.day.isoformat()
    where: dict[str, Any] = {"page": printed.page, "excerpt": printed.excerpt}
    if printed.day > case.around.days.today:
        return alert("extract_date", said, found, why="future", **where)
    if declared is not None and declared != printed.day and (not case.ocr or printed.sure):
        return alert("extract_date", said, found, why="other_date", **where)
    return ok("extract_date", said, found, **where)


def extract_age(case: Case) -> Finding | None:
    """Three months at most, today and on the day of the request: by the printed date, else the declared one."""
    if case.kind not in DATED:
        return None
    printed = issue_day(case) if case.readable else None
    day = printed.day if printed else case.declared.issued_on
    where: dict[str, Any] = {"page": printed.page, "excerpt": printed.excerpt} if printed else {}
    return age_finding(day, case.around.days, by="printed" if printed else "declared", **where)


def age_finding(day: date | None, days: Days, **evidence: Any) -> Finding:
    """Judge an extract's day against today and the request's day; also made again when an older answer is shown."""
    if day is None:
        return unverifiable("extract_age", why="no_date", **evidence)
    until = fresh_until(day, days.months)
    evidence["until"] = until.isoformat()
    asked = days.asked_on
    if day > days.today:
        return alert("extract_age", days.today.isoformat(), day.isoformat(), why="future", **evidence)
    if until >= days.today:
        return ok("extract_age", days.today.isoformat(), day.isoformat(), **evidence)
    if asked is not None and until >= asked:
        return ok("extract_age", asked.isoformat(), day.isoformat(), why="at_request", **evidence)
    return alert("extract_age", days.today.isoformat(), day.isoformat(), why="old", **evidence)


def issue_day(case: Case) -> FoundDay | None:
    """The day of issue: by the words beside it; of several the declared one, else the latest that has come."""
    today = case.around.days.today
    usable = [each for each in case.days if each.role is not Role.OTHER and (each.sure or not case.ocr)]
    for role in (Role.ISSUE, Role.WEAK):
        these = [each for each in usable if each.role is role]
        if not these:
            continue
        same = next((each for each in these if each.day == case.declared.issued_on), None)
        past = [each for each in these if each.day <= today]
        return same or (max(past, key=lambda each: each.day) if past else these[0])
    bare = [each for each in usable if each.role is Role.BARE and _could_be_issue(each.day, today)]
    same = next((each for each in bare if each.day == case.declared.issued_on), None)
    if same is not None:
        return same
    fresh = [each for each in bare if fresh_until(each.day, case.around.days.months) >= today]
    for these in (fresh, bare):  # a paper is not older than the last day it tells of
        if len({each.day for each in these}) == 1:
            return these[0]
    return None


def _could_be_issue(day: date, today: date) -> bool:
    """A date that no word explains: one to come, or of years ago, is a birthday or the register's history."""
    return today - OLDEST_BARE <= day <= today


def missing(case: Case) -> bool:
    """Is there surely no date of issue? OCR may have lost one."""
    days = case.around.days
    candidates = [each for each in case.days if each.role is not Role.OTHER]
    if not case.ocr and all(each.role is Role.BARE for each in candidates):
        # entries of the register's history, each too old to be the extract's own day
        candidates = [each for each in candidates if fresh_until(each.day, days.months) >= days.today]
    if candidates:
        return False
    return case.well_read if not case.ocr else case.words.sure() >= 60 and len(case.days) > 0


def identity_expiry(case: Case) -> Finding | None:
    """An identity paper whose last day has passed."""
    if case.kind != "identity" or not case.readable:
        return None
    ends = [each for each in case.days if each.expires and (each.sure or not case.ocr)]
    if not ends:
        return None
    last = max(ends, key=lambda each: each.day)
    where: dict[str, Any] = {"page": last.page, "excerpt": last.excerpt}
    if last.day < case.around.days.today:
        return alert("identity_expiry", found=last.day.isoformat(), why="expired", **where)
    return ok("identity_expiry", found=last.day.isoformat(), **where)
