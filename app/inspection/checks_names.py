"""Tax id, names and numbers of the document against what was declared (REV-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rapidfuzz import fuzz

from app.identifiers import tax_id_letter, tax_id_matches
from app.inspection import naming, numbers
from app.inspection.case import Case
from app.inspection.findings import Finding, alert, ok, unverifiable
from app.inspection.naming import Labelled
from app.inspection.words import Place, Words, is_arabic, keys_of, like
from app.names import latin_matches_arabic

_OF_TODAY = ("rne", "trade_register")
"""Kinds that tell a company's history: a name may stand there and be over."""
ALIKE = 62
"""Two names less alike than this (of 100) are two names, whatever OCR did to one of them."""


def tax_id_in_text(case: Case) -> Finding | None:
    """The declared tax id stands in the document, and not another company's."""
    check, wanted = "tax_id_in_text", case.declared.tax_id
    if not wanted:
        return None
    if not case.readable:
        return unverifiable(check, wanted, why=case.why_not)
    ids = case.tax_ids
    same = next((each for each in ids if each.value == wanted), None)
    if same is not None:
        return ok(check, wanted, wanted, page=same.page, excerpt=same.excerpt)
    near = next((each for each in ids if each.value[:7] == wanted[:7]), None)
    if near is not None and (not case.ocr or near.sure):
        return alert(check, wanted, near.value, why="other_letter", page=near.page, excerpt=near.excerpt)
    digits = numbers.has_digits_of(case.words, wanted)
    if digits is not None:
        return ok(check, wanted, wanted[:7], why="digits_only", page=digits[0], excerpt=digits[1])
    others = [each for each in ids if each.fits or (each.labelled and not case.ocr)]
    if case.ocr:
        others = [each for each in others if _far(each.value, wanted)]
    others.sort(key=lambda each: (each.labelled, each.fits), reverse=True)
    if others:
        first = others[0]
        return alert(check, wanted, first.value, why="other_id", page=first.page, excerpt=first.excerpt)
    if case.kind in ("rne", "tax_card") and not case.ocr and case.well_read:
        return alert(check, wanted, why="absent")
    return unverifiable(check, wanted, why="not_found")


def _far(one: str, other: str) -> bool:
    """More than a slip of OCR; one slip breaks the control letter anyway."""
    return sum(a != b for a, b in zip(one, other, strict=True)) >= 2


def tax_id_letter_right(case: Case) -> Finding | None:
    """The declared tax id has the letter its digits call for (ORG-2)."""
    return tax_id_letter_finding(case.declared.tax_id)


def tax_id_letter_finding(tax_id: str) -> Finding | None:
    """The same, without a document."""
    if not tax_id:
        return None
    if tax_id_matches(tax_id):
        return ok("tax_id_letter", tax_id, tax_id[7])
    digits = tax_id[:7]
    expected = tax_id_letter(digits) if len(digits) == 7 and digits.isascii() and digits.isdigit() else ""
    return alert("tax_id_letter", tax_id, expected, why="letter" if expected else "shape")


def register_number(case: Case) -> Finding | None:
    """A foreign register's number stands in the extract."""
    wanted = case.declared.register_number
    if not wanted or case.kind != "trade_register":
        return None
    if not case.readable:
        return unverifiable("register_number", wanted, why=case.why_not)
    found = numbers.find_document_number(case.words, wanted)
    if found is not None:
        return ok("register_number", wanted, wanted, page=found.page, excerpt=found.excerpt)
    if case.ocr or not case.well_read:
        return unverifiable("register_number", wanted, why="not_found")
    return alert("register_number", wanted, why="absent")


def contract_number(case: Case) -> Finding | None:
    """The contract that came back is the one that was sent: its number stands in it (CON-1)."""
    check, wanted = "contract_number", case.declared.contract_number
    if case.kind != "contract" or not wanted:
        return None
    if not case.readable:
        return unverifiable(check, wanted, why=case.why_not)
    found = numbers.find_document_number(case.words, wanted)
    if found is not None:
        return ok(check, wanted, wanted, page=found.page, excerpt=found.excerpt)
    other = numbers.other_of_its_shape(case.words, wanted)
    if other is not None:
        return alert(check, wanted, other.value, why="other_number", page=other.page, excerpt=other.excerpt)
    return unverifiable(check, wanted, why="not_found")


def legal_names(case: Case) -> Iterator[Finding]:
    """The organisation's name in both scripts, as far as each stands in the document."""
    french, arabic = case.declared.legal_name, case.declared.legal_name_ar
    found_french = naming.find_legal_name(case.words, french) if french else None
    if french:
        yield _legal_name(case, "legal_name_in_text", french, found_french, other_found=False)
    if arabic:
        found = naming.find_legal_name(case.words, arabic)
        yield _legal_name(case, "legal_name_ar_in_text", arabic, found, other_found=found_french is not None)


def _legal_name(case: Case, check: str, name: str, place: Place | None, *, other_found: bool) -> Finding:
    if not case.readable:
        return unverifiable(check, name, why=case.why_not)
    if place is not None:
        if case.kind in _OF_TODAY and naming.only_formerly(
            case.words, place, lambda words: naming.find_legal_name(words, name)
        ):
            return alert(check, name, place.raw, why="former", **_where(case.words, place.line, place.page))
        also = (case.declared.trade_name, case.declared.legal_name, case.declared.legal_name_ar)
        longer = naming.longer_name(case.words, name, also) if check == "legal_name_in_text" else None
        if longer is not None:
            line = longer.words[0].line
            return alert(check, name, longer.raw, why="longer", **_where(case.words, line, longer.words[0].page))
        after = naming.followed_name(case.words, name, place) if case.ocr else None
        if after is not None:
            raw = f"{place.raw} {after.raw}"
            return alert(check, name, raw, why="longer", **_where(case.words, place.line, place.page))
        return ok(check, name, place.raw, **_where(case.words, place.line, place.page))
    value = _different(naming.other_legal_names(case.words, name), name, case, lambda each: _similarity(name, each))
    if value is not None:
        line = value.words[0].line
        return alert(check, name, value.raw, why="other_name", **_where(case.words, line, value.words[0].page))
    arabic = check.endswith("_ar_in_text")
    enough = case.words.sure(arabic=arabic) >= (25 if case.ocr else 15)
    latin_paper = case.words.sure(arabic=True) <= case.words.sure(arabic=False)
    is_expected = case.kind in ("rne", "tax_card", "trade_register") and not other_found and latin_paper is not arabic
    if is_expected and enough and case.well_read and not case.ocr:
        return alert(check, name, why="absent")
    return unverifiable(check, name, why="not_found" if enough else "other_script")


def _different(
    values: list[Labelled], name: str, case: Case, similarity: Callable[[Labelled], float]
) -> Labelled | None:
    """A labelled name that surely is another one; None where OCR may be to blame."""
    if not case.ocr:
        return next((value for value in values if value.beside), values[0] if values else None)
    kept = [value for value in values if value.sure and value.beside and _plausible(value)]
    return next((value for value in kept if similarity(value) < ALIKE + 20), None) if kept else None


def _plausible(value: Labelled) -> bool:
    """Words as a name has them: OCR makes « lp 8 » of a seal."""
    return sum(len(word.plain) >= 3 for word in value.words) >= 1 and sum(len(word.plain) for word in value.words) >= 5


def _similarity(name: str, value: Labelled) -> float:
    return fuzz.token_set_ratio(" ".join(naming.content_of(name)), " ".join(word.key for word in value.words))


def representatives(case: Case) -> Iterator[Finding]:
    """The representative is named in the extract, in each script it holds."""
    if case.kind not in ("rne", "trade_register", "tax_card", "contract"):
        return
    strict = case.kind in _OF_TODAY
    found = [
        _person(case, check, name, strict=strict)
        for check, name in (
            ("representative_in_text", case.declared.representative),
            ("representative_ar_in_text", case.declared.representative_ar),
        )
        if name
    ]
    nowhere = all(each.evidence.get("why") == "not_found" for each in found)
    for each in found:
        if nowhere and strict and not case.ocr and case.well_read and _names_a_head(case, each.declared):
            yield alert(each.check, each.declared, why="absent")
        else:
            yield each


def _names_a_head(case: Case, name: str) -> bool:
    """Does the document, in the script of the name, say who leads the company?"""
    arabic = is_arabic(name)
    other = case.words.sure(arabic=not arabic)
    return naming.says_who_leads(case.words, arabic=arabic) and case.words.sure(arabic=arabic) >= max(15, other)


def _person(case: Case, check: str, name: str, *, strict: bool) -> Finding:
    if not case.readable:
        return unverifiable(check, name, why=case.why_not)
    place = naming.find_person(case.words, name)
    if place is not None:
        if strict and naming.only_formerly(case.words, place, lambda words: naming.find_person(words, name)):
            return alert(check, name, place.raw, why="former", **_where(case.words, place.line, place.page))
        return ok(check, name, place.raw, **_where(case.words, place.line, place.page))
    if strict:
        values = naming.other_persons(case.words, name)
        value = _different(values, name, case, lambda each: _person_similarity(name, each))
        if value is None and case.ocr and case.well_read and naming.nowhere(case.words, name):
            value = next(iter(naming.persons_near(case.words, name)), None)
        if value is not None:
            line = value.words[0].line
            return alert(check, name, value.raw, why="other_person", **_where(case.words, line, value.words[0].page))
    return unverifiable(check, name, why="not_found")


def _person_similarity(name: str, value: Labelled) -> float:
    return fuzz.token_set_ratio(" ".join(keys_of(name)), " ".join(word.key for word in value.words))


def identity_number(case: Case) -> Finding | None:
    """The number of the identity paper is the declared one."""
    check, wanted = "identity_number", case.declared.person_number
    if case.kind != "identity" or not wanted:
        return None
    if not case.readable:
        return unverifiable(check, wanted, why=case.why_not)
    found = numbers.find_document_number(case.words, wanted)
    if found is not None:
        return ok(check, wanted, wanted, page=found.page, excerpt=found.excerpt)
    cin = len(wanted) == 8 and wanted.isdigit()
    others = numbers.other_cards(case.words, wanted) if cin else numbers.other_passports(case.words, wanted)
    if others:
        return alert(check, wanted, others[0].value, why="other_number", page=others[0].page, excerpt=others[0].excerpt)
    return unverifiable(check, wanted, why="not_found")


def identity_names(case: Case) -> Iterator[Finding]:
    """The person named on the identity paper is the declared one, in each script it holds."""
    if case.kind != "identity":
        return
    declared = case.declared
    names = (("identity_name", declared.person), ("identity_name_ar", declared.person_ar))
    for check, name in names:
        if not name:
            continue
        if not case.readable:
            yield unverifiable(check, name, why=case.why_not)
            continue
        place = naming.find_person(case.words, name) or _scattered(case.words, name)
        if place is not None:
            yield ok(check, name, place.raw, **_where(case.words, place.line, place.page))
            continue
        other = naming.other_identity_name(case.words, name)
        if other is not None:
            line = other.words[0].line
            yield alert(check, name, other.raw, why="other_person", **_where(case.words, line, other.words[0].page))
        else:
            yield unverifiable(check, name, why="not_found")


def _scattered(words: Words, name: str) -> Place | None:
    """Name and first name each on a line of its own, as cards have them: every word of it, anywhere."""
    found = []
    for key in keys_of(name):
        hit = next((word for word in words.all if like(word, key)), None)
        if hit is None and len(key) > 2:
            hit = next((word for word in words.all if len(key) > 3 and key in word.plain.lower()), None)
        if hit is None:
            return None
        found.append(hit)
    return Place(tuple(found)) if found else None


def latin_and_arabic(latin: str, arabic: str, *, foreign: bool = False) -> Finding | None:
    """The same person's name in two scripts: two people's when they do not sound alike.

    ``foreign``: a name that is Arabic in neither script is written by ear (Neumann, نويمان): no alert of it.
    """
    if not latin or not arabic:
        return None
    matches = latin_matches_arabic(latin, arabic)
    if matches is None or (foreign and not matches):
        return unverifiable("latin_arabic", latin, arabic, why="unknown_spelling")
    return ok("latin_arabic", latin, arabic) if matches else alert("latin_arabic", latin, arabic, why="two_names")


def declared_names(case: Case) -> Finding | None:
    """Latin against Arabic name of whoever the document is about."""
    if case.kind == "identity":
        number = case.declared.person_number
        foreign = bool(number) and not (len(number) == 8 and number.isdigit())
        return latin_and_arabic(case.declared.person, case.declared.person_ar, foreign=foreign)
    return latin_and_arabic(case.declared.representative, case.declared.representative_ar)


def _where(words: Words, line: int, page: int) -> dict[str, object]:
    return {"page": page, "excerpt": words.excerpt(line)}
