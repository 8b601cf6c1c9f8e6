"""Dates in a document's words, and which of them is the day it was issued (REV-3). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from app.identifiers import fold
from app.inspection.numbers import ascii_text
from app.inspection.words import Words, key_of

_LATIN_YEARS = (
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "january february march april may june july august september october november december",
    "januar februar marz april mai juni juli august september oktober november dezember",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "janv fevr mars avr mai juin juil aout sept oct nov dec",
)
_MONTHS_LATIN = {name: n for names in _LATIN_YEARS for n, name in enumerate(names.split(), 1)}
_MONTHS_ARABIC = {
    key_of(fold(name)): n
    for names in (
        "جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر",
        "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    )
    for n, name in enumerate(names.split(), 1)
}

_NUMERIC = re.compile(r"(?<![0-9/.\-])([0-9]{1,2})\s?[/.\-]\s?([0-9]{1,2})\s?[/.\-]\s?([0-9]{4})(?![0-9])")
_SHORT = re.compile(r"(?<![0-9/.\-])([0-9]{2})[/.\-]([0-9]{2})[/.\-]([0-9]{2})(?![0-9/.\-])")
_ISO = re.compile(r"(?<![0-9/.\-])([0-9]{4})\s?[/.\-]\s?([0-9]{1,2})\s?[/.\-]\s?([0-9]{1,2})(?![0-9])")
_NAMED = re.compile(
    r"(?<![0-9])([0-9]{1,4})\s*(?:ER|ST|ND|RD|TH|\.)?[\s\-/]*(?:DE\s+)?"
    # pdfium leaves a space after the alef of « أكتوبر »
    r"([^\W\d_]{3,10}|[\u0620-\u06ff]{1,3} [\u0620-\u06ff]{2,8})\.?,?[\s\-/]*(?:DE\s+)?([0-9]{1,4})(?![0-9])"
)

_ISSUE = (
    "delivre", "edite", "edition", "emis", "emission", "imprime", "impression", "delivrance", "etabli", "genere",
    "extrait du", "date de l extrait", "date du document", "certifie", "a jour au", "consulte", "issued", "printed",
    "situation au", "date d extraction", "fait a", "fait le", "ausgestellt", "abgerufen", "extrait en date",
    "abruf vom", "estratto", "rilasciat", "in data", "expedid", "a fecha", "arrete au", "arretee au", "en date du",
    "telecharge", "remis le", "produced", "generated", "prepared on", "extracted", "downloaded", "retrieved", "dated",
    "as at", "as of", "certified on", "erstellt", "stand vom", "emesso", "emitido", "generado",
)  # fmt: skip
_ISSUE_ARABIC = (
    "سلم",
    "سلمت",
    "حرر",
    "استخرج",
    "طبع",
    "اصدار",
    "الاصدار",
    "استخراج",
    "الاستخراج",
    "الطباعه",
    "التسليم",
    "مستخرج",
    "صدر",
)
_WEAK_ARABIC = ("بتاريخ", "في")
_OTHER = (
    "creation", "naissance", "ne le", "nee le", "ne e le", "debut", "immatricul", "inscri", "constitu", "modifi",
    "expir", "valable", "jusqu", "validite", "depot", "depose", "clotur", "mandat", "nomination", "nomme", "depuis",
    "commence", "enregistr", "fonde", "expiry", "birth", "founded", "since", "duree", "exercice", "statuts", "valid",
    "assemblee", "publi", "jort", "inscription", "gegrundet", "eintrag", "effet", "cree", "activite", "date d activite",
    "incorporat", "appoint", "resign", "registered on", "filed", "adopted", "elected", "geboren", "nato il", "nata il",
    "costitu", "nacid", "fundad", "demission", "deces", "changement", "entree en fonction", "radi",
)  # fmt: skip
_OTHER_ARABIC = (
    "التاسيس", "تاسيس", "الولاده", "ولد", "مولود", "التسجيل", "تسجيل", "مسجل", "مسجله", "صلوحيه", "صالح", "انتهاء",
    "الترسيم", "ترسيم", "مرسمه", "ايداع", "التعيين", "بدايه", "الانتهاء",
    "التحيين", "تحيين", "غايه", "النشاط",
    "احداث", "الاحداث", "منذ",
)  # fmt: skip
_EXPIRES = ("expir", "valable jusqu", "valable au", "fin de validite", "expiry", "date d expiration", "valid until")
_EXPIRES_ARABIC = ("انتهاء", "الانتهاء", "صلوحيه", "الصلوحيه", "صالح")
_CLAUSE = re.compile(r"\s[-–—|·•]\s|[;|·•]")


class Role(IntEnum):
    """What the words around say of a date; the higher, the surer it is the day of issue."""

    OTHER = 0
    BARE = 1
    WEAK = 2
    ISSUE = 3


@dataclass(frozen=True, slots=True)
class FoundDay:
    """A date, what it seems to be, and where it stands."""

    day: date
    role: Role
    expires: bool
    page: int
    excerpt: str
    sure: bool


def find_days(words: Words) -> list[FoundDay]:
    """Every date of the document, in French, Arabic or figures, with its role from the words around it."""
    found: list[FoundDay] = []
    for number, (raw, page) in enumerate(words.lines):
        line = ascii_text(raw)
        days = _days_in(line, ocr=page.source == "ocr")
        if not days:
            continue
        above = fold(words.lines[number - 1][0]) if number and words.lines[number - 1][1] is page else ""
        higher = fold(words.lines[number - 2][0]) if number > 1 and words.lines[number - 2][1] is page else ""
        figures = [w.sure for w in words.of_line.get(number, ()) if any(map(str.isdigit, w.plain))]
        sure, excerpt = min(figures, default=0) >= 70, words.excerpt(number)
        last = 0  # where the date before ends: they come by their beginnings
        for start, end, day in days:
            if start < last:
                continue
            before = fold(_CLAUSE.split(line[last:start])[-1])
            after = fold(_CLAUSE.split(line[end : end + 60])[0])
            last = end
            role, expires = _role(before, after, above, higher)
            found.append(FoundDay(day, role, expires, page.number, excerpt, sure))
    return found


def _days_in(line: str, *, ocr: bool) -> list[tuple[int, int, date]]:
    found: list[tuple[int, int, date]] = []

    def add(match: re.Match[str], year: int, month: int, day: int) -> None:
        if 1900 <= year <= 2100:
            try:
                found.append((match.start(), match.end(), date(year, month, day)))
            except ValueError:
                return

    for match in _NUMERIC.finditer(line):
        add(match, int(match[3]), int(match[2]), int(match[1]))
    for match in _ISO.finditer(line):
        add(match, int(match[1]), int(match[2]), int(match[3]))
    for match in _NAMED.finditer(line):
        month = month_of(match[2], ocr=ocr)
        first, last = int(match[1]), int(match[3])
        if month:
            day, year = (first, last) if last > 31 else (last, first)
            add(match, year, month, day)
    for match in _SHORT.finditer(line):
        add(match, 2000 + int(match[3]), int(match[2]), int(match[1]))
    return sorted(found, key=lambda each: (each[0], -each[1]))


def month_of(name: str, *, ocr: bool = False) -> int | None:
    """1–12 for a month's name in French, English or Arabic as written in Tunisia."""
    plain = fold(name).replace(" ", "")
    found = _MONTHS_LATIN.get(plain) or _MONTHS_ARABIC.get(key_of(plain))
    if found or not ocr or len(plain) < 4:
        return found
    from rapidfuzz import process

    best = process.extractOne(plain, _MONTHS_LATIN.keys(), score_cutoff=82)
    return _MONTHS_LATIN[best[0]] if best else None


def _role(before: str, after: str, above: str, higher: str) -> tuple[Role, bool]:
    """By the nearest telling word: before the date on its line, after it in Arabic lines, else the line above."""
    near = " ".join(before.split()[-7:])
    arabic_line = [*before.split()[-7:], *after.split()[:5]]
    said = _told(near, arabic_line)
    if said is not None and said is not Role.WEAK:
        return said, _expires(near, arabic_line)
    telling = len(re.sub(r"[^a-z\u0620-\u06ff]", "", before)) > 3 and not _arabic_only_fragments(before)
    if said is Role.WEAK and telling:
        upper = _told(" ".join(above.split()[-4:]), above.split()[-4:])
        return (Role.OTHER if upper is Role.OTHER and len(before.split()) < 2 else Role.WEAK), False
    if not telling:
        for text in (above, higher):
            if any(map(str.isdigit, text)) and len(text.split()) > 6:
                # a line of its own, unless it breaks off before our date: « … (né le »
                tail = re.split("[0-9]", text)[-1]
                upper = _told(tail, tail.split()) if text is above and re.search(r"(?:le|the|on|في)$", tail) else None
                if upper is not None:
                    return upper, _expires(tail, tail.split())
                break
            upper = _told(" ".join(text.split()[-7:]), text.split()[-7:])
            if upper is not None:
                return upper, _expires(text, text.split())
    return (said if said is not None else Role.BARE), False


def _arabic_only_fragments(text: str) -> bool:
    return bool(text) and all(len(word) <= 4 for word in text.split()) and not re.search("[a-z]", text)


def _told(text: str, arabic: Sequence[str]) -> Role | None:
    issue = max((text.rfind(word) for word in _ISSUE), default=-1)
    other = max((text.rfind(word) for word in _OTHER), default=-1)
    keys = {key_of(word) for word in arabic}
    issue_arabic = any(key_of(word) in keys for word in _ISSUE_ARABIC)
    other_arabic = any(key_of(word) in keys for word in _OTHER_ARABIC)
    if issue >= 0 or other >= 0:
        return Role.ISSUE if issue > other else Role.OTHER
    if other_arabic:
        return Role.OTHER
    if issue_arabic:
        return Role.ISSUE
    if re.search(r"(?:^|\s)(?:le|au)$", text) or re.search(r"(?:^|\s)date$", text):
        return Role.WEAK
    return Role.WEAK if any(key_of(word) in keys for word in _WEAK_ARABIC) else None


def _expires(text: str, arabic: Sequence[str]) -> bool:
    keys = {key_of(word) for word in arabic}
    return any(word in text for word in _EXPIRES) or any(key_of(word) in keys for word in _EXPIRES_ARABIC)
