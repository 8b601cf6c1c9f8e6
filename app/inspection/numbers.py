"""Tax ids and numbers of identity papers in a document's words, in their many spellings (REV-3). Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from app.identifiers import TAX_LETTERS, tax_id_letter
from app.inspection.text import PageReading
from app.inspection.words import Words

_CONFUSED = str.maketrans({"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "|": "1", "S": "5", "B": "8", "Z": "2"})
_SPACES = r"[\s./\\\-‐‑–—_]{0,3}"
_AFTER = re.compile(rf"(?<![0-9A-Z])([0-9]{{7}}){_SPACES}([A-Z])(?![A-Z])")
_BEFORE = re.compile(rf"(?<![0-9A-Z])([A-Z]){_SPACES}([0-9]{{7}})(?![0-9])")
_SPACED = re.compile(rf"(?<![0-9A-Z])([0-9]{{1,3}}(?:[ .][0-9]{{3}}){{2}}){_SPACES}([A-Z])(?![A-Z])")
_SPLIT = re.compile(rf"(?<![0-9])([0-9]{{7}})(?![0-9]){_SPACES}/{_SPACES}([A-Z])(?![A-Z])")
_MIXED = re.compile(rf"(?<![0-9A-Z])([0-9OQDILSBZ|]{{7}}){_SPACES}([A-Z])(?![A-Z])")
_LABELS = re.compile(
    r"matricule|identifiant|fiscal|\bm\.?f\.?\b|\bi\.?u\.?\b|معرف|فرعم|جبائ", re.IGNORECASE
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number, where it stands; ``fits``: its control letter is right; ``labelled``: its line says what it is."""

    value: str
    page: int
    excerpt: str
    fits: bool
    labelled: bool = False
    sure: bool = True


def ascii_text(text: str) -> str:
    """Digits of any script as 0–9, letters in capitals without accents or invisible marks."""
    spread = unicodedata.normalize("NFKD", text)
    kept = [char for char in spread if unicodedata.category(char) not in ("Mn", "Cf")]
    digits = (str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else char for char in kept)
    return "".join(digits).upper()


def tax_ids(text: str) -> set[str]:
    """The tax ids a short text holds (a code's), with a right or wrong letter."""
    plain = ascii_text(text)
    return {f"{m[1]}{m[2]}" for m in re.finditer(r"(?<![0-9A-Z])([0-9]{7})[\s./-]{0,3}([A-Z])(?![A-Z])", plain)} | {
        f"{m[1]}{m[2]}"
        for m in re.finditer(r"(?<![0-9A-Z])([0-9]{7})([A-Z])(?:[ABDNP][A-Z][0-9]{3})(?![0-9A-Z])", plain)
    }


def find_tax_ids(words: Words) -> list[FoundNumber]:
    """Every tax id of the document: ``1234567R``, ``1234567/R/A/M/000``, Arabic digits, the letter before the digits.

    O for 0, I for 1 and the like are mended only where the control letter then fits.
    """
    found: list[FoundNumber] = []
    for number, (raw, page) in enumerate(words.lines):
        line = ascii_text(raw)
        if sum(map(str.isdigit, line)) < 5:
            continue
        labelled = _LABELS.search(raw) is not None or (number > 0 and _LABELS.search(words.lines[number - 1][0]))
        sure = all(word.sure >= 60 for word in words.of_line.get(number, ()) if any(map(str.isdigit, word.plain)))
        for value in _in_line(line, ocr=page.source == "ocr"):
            fits = tax_id_letter(value[:7]) == value[7]
            found.append(FoundNumber(value, page.number, words.excerpt(number), fits, bool(labelled), sure))
    return found


def _in_line(line: str, *, ocr: bool) -> list[str]:
    values = [f"{m[1]}{m[2]}" for m in _AFTER.finditer(line)]
    values += [f"{m[1]}{m[2]}" for m in _SPLIT.finditer(line)]
    values += [f"{re.sub('[ .]', '', m[1])}{m[2]}" for m in _SPACED.finditer(line)]
    values += [f"{m[2]}{m[1]}" for m in _BEFORE.finditer(line)]
    values += [f"{m[1]}{m[2]}" for m in re.finditer(r"(?<![0-9A-Z])([0-9]{7})([A-Z])[ABDNP][A-Z][0-9]{3}", line)]
    values = [value for value in values if len(value) == 8]
    if ocr or not values:
        for match in _MIXED.finditer(line):
            mended = f"{match[1].translate(_CONFUSED)}{match[2]}"
            if sum(map(str.isdigit, match[1])) >= 4 and tax_id_letter(mended[:7]) == mended[7]:
                values.append(mended)
    return list(dict.fromkeys(value for value in values if value[7] in TAX_LETTERS or not ocr))


def has_digits_of(words: Words, tax_id: str) -> tuple[int, str] | None:
    """Where the seven digits stand without a letter that can be told, cut or spaced as they may be: page, line."""
    for number, (raw, page) in enumerate(words.lines):
        line = re.sub(r"(?<=[0-9])[ .](?=[0-9])", "", ascii_text(raw))
        if re.search(rf"(?<![0-9]){tax_id[:7]}(?![0-9])", line):
            return page.number, words.excerpt(number)
    return None


def find_document_number(words: Words, declared: str) -> FoundNumber | None:
    """The declared number of an identity paper (or register), spaced as it may be, a whole number of the text.

    It may run from one line to the next, as in a narrow column. OCR glues numbers to their neighbours, and its O and
    0 are one.
    """
    plain = re.sub(r"[^0-9A-Z]", "", ascii_text(declared))
    if len(plain) < 4:
        return None
    target = plain.translate(_CONFUSED)
    apart = r"[\s./\\\-‐‑–—_<]{0,3}".join(map(re.escape, plain))
    whole = re.compile(f"{_not_amid(plain[0], '(?<!{})')}{apart}{_not_amid(plain[-1], '(?!{})')}")
    lines = [(ascii_text(raw), page) for raw, page in words.lines]
    for number, (text, page) in enumerate(lines):
        if page.source == "ocr":
            line = re.sub(r"[^0-9A-Z]", "", text)
            there = plain in line or target in line.translate(_CONFUSED)
        else:
            there = whole.search(text) is not None or _runs_on(whole, lines[number : number + 2])
        if there:
            return FoundNumber(declared, page.number, words.excerpt(number), fits=True)
    return None


def _not_amid(end: str, form: str) -> str:
    """Neither figures beside a figure, nor letters beside a letter: « 1234 » is not in « 51234 »."""
    return form.format("[0-9]" if end.isdigit() else "[A-Z]")


def _runs_on(whole: re.Pattern[str], lines: Sequence[tuple[str, PageReading]]) -> bool:
    """Is the number broken off at the end of its line, and goes on at the next one's beginning?"""
    if len(lines) < 2 or lines[0][1] is not lines[1][1]:
        return False
    first = lines[0][0].rstrip()
    found = whole.search(f"{first} {lines[1][0].lstrip()}")
    return found is not None and found.start() < len(first) < found.end()


def other_of_its_shape(words: Words, declared: str) -> FoundNumber | None:
    """A surely read number that begins as the declared one and is written as it is (« CTR-2026-000731 »)."""
    shape = re.sub(r"[0-9]", "[0-9]", re.escape(declared.upper()))
    for word in words.all:
        plain = ascii_text(word.raw).strip(".:,;°")
        if re.fullmatch(shape, plain) and plain != declared.upper() and word.sure >= 88:
            return FoundNumber(plain, word.page, words.excerpt(word.line), fits=True)
    return None


def other_cards(words: Words, declared: str) -> list[FoundNumber]:
    """Eight-digit numbers that are surely read and not the declared one, nor a slip of it."""
    found = []
    for word in words.all:
        plain = ascii_text(word.raw).strip(".:,;°N")
        if re.fullmatch(r"[0-9]{8}", plain) and word.sure >= 88 and _other(plain, declared, word.ocr):
            found.append(FoundNumber(plain, word.page, words.excerpt(word.line), fits=True))
    return found


def _other(plain: str, declared: str, ocr: bool) -> bool:
    """Another number; OCR may slip by a figure."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(plain, declared) >= (2 if ocr else 1)


def other_passports(words: Words, declared: str) -> list[FoundNumber]:
    """Numbers of letters and digits in a passport's shape, surely read, far from the declared one."""
    from rapidfuzz import fuzz

    target = ascii_text(declared).translate(_CONFUSED)
    found = []
    for word in words.all:
        plain = ascii_text(word.raw).strip(".:,;°")
        if not re.fullmatch(r"(?=.*[0-9].*[0-9].*[0-9].*[0-9])[A-Z]{1,3}[0-9A-Z]{5,9}", plain) or word.sure < 88:
            continue
        if not word.ocr or fuzz.ratio(plain.translate(_CONFUSED), target) < 55:
            found.append(FoundNumber(plain, word.page, words.excerpt(word.line), fits=True))
    return found
