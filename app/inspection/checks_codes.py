"""QR and bar codes, compared with what was declared and what is printed (REV-3)."""

from __future__ import annotations

import json
import re
from datetime import date
from urllib.parse import unquote

from rapidfuzz import fuzz

from app.inspection import naming, numbers
from app.inspection.case import Case
from app.inspection.checks_days import DATED
from app.inspection.days import Role
from app.inspection.declared import day_from
from app.inspection.findings import Finding, alert, ok, unverifiable
from app.inspection.words import is_arabic

_NAME_KEYS = re.compile(
    r"(?:^|[;&?|,{\n])\W*(?:RS|RAISON(?:[_ ]SOCIALE)?|DENOMINATION|NOM|NAME|LEGAL_NAME)\W*[=:]\W*([^;&|\n\"}]+)", re.I
)
_DATE_KEYS = re.compile(
    r"(?:DATE\w*|D|ISSUED\w*|EDITE\w*)\W{1,4}([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}/[0-9]{2}/[0-9]{4})", re.I
)


def codes(case: Case) -> Finding | None:
    """A code that names another company, or another day, than the paper and the declaration."""
    read = [(page.number, code["text"]) for page in case.reading.pages for code in page.codes]
    if case.kind in ("identity", "contract", "other") or not case.reading.pages:
        return None
    if not read:
        return unverifiable("code", why="no_code") if case.kind == "rne" else None
    compared = False
    for page, raw in read:
        text = _plain(raw)
        for check in (_tax_id, _name, _day):
            verdict = check(case, text)
            if isinstance(verdict, str):
                why, found = verdict.split("|", 1)
                return alert("code", _declared(case, why), found, why=why, page=page, excerpt=raw[:200])
            compared = compared or verdict
    if compared:
        return ok("code", case.declared.tax_id or case.declared.legal_name, read[0][1][:200], page=read[0][0])
    return unverifiable("code", found=read[0][1][:200], why="nothing_to_compare", page=read[0][0])


def _plain(raw: str) -> str:
    text = unquote(raw.replace("+", " ")) if "://" in raw or "%" in raw else raw
    try:
        held = json.loads(text)
    except ValueError:
        return text
    return ";".join(f"{key}={value}" for key, value in held.items()) if isinstance(held, dict) else text


def _declared(case: Case, why: str) -> str:
    if why == "code_other_id":
        return case.declared.tax_id
    return case.declared.legal_name if why == "code_other_name" else ""


def _tax_id(case: Case, text: str) -> bool | str:
    """True: the same. False: none there. Else why and what was found."""
    ids = numbers.tax_ids(text)
    printed = {each.value for each in case.tax_ids if each.fits}
    wanted = case.declared.tax_id
    if not ids or not (wanted or printed):
        return False
    if wanted in ids or (not wanted and ids & printed):
        return True
    return f"code_other_id|{min(ids)}"


def _name(case: Case, text: str) -> bool | str:
    match = _NAME_KEYS.search(text)
    wanted = case.declared.legal_name
    if match is None or not wanted:
        return False
    found = match[1].strip()
    names = [wanted, case.declared.legal_name_ar, case.declared.trade_name]
    best = max(fuzz.token_sort_ratio(_content(found), _content(name)) for name in names if name)
    if best >= 88:
        return True
    same_script = is_arabic(found) == is_arabic(wanted) or bool(case.declared.legal_name_ar)
    return f"code_other_name|{found}" if same_script else False


def _content(name: str) -> str:
    return " ".join(naming.content_of(name))


def _day(case: Case, text: str) -> bool | str:
    match = _DATE_KEYS.search(text)
    if match is None or case.kind not in DATED:
        return False
    day = _read_day(match[1])
    printed = {each.day for each in case.days if each.role >= Role.WEAK and (each.sure or not case.ocr)}
    if day is None or not printed or case.ocr:
        return day in printed
    return True if day in {each.day for each in case.days} else f"code_other_day|{day.isoformat()}"


def _read_day(text: str) -> date | None:
    if "/" in text:
        day, month, year = text.split("/")
        return day_from(f"{year}-{month}-{day}")
    return day_from(text)
