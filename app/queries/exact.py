"""Telling an exact identifier in a search box from a name (QUE-2): each kind then goes to its own index."""

from __future__ import annotations

import re
from contextlib import suppress
from enum import StrEnum

from app.identifiers import InvalidIdentifier, normalise_email, normalise_phone, normalise_tax_id, tidy_text

_REFERENCE = re.compile(r"(DEM|CMD|ORG|FAC|CTR|AV|PAV)[\s-]?(\d{4})[\s-]?(\d{1,6})", re.IGNORECASE)
_PAYMENT = re.compile(r"PAY[0-9A-Z]{4,29}", re.IGNORECASE)
_EIGHT_DIGITS = re.compile(r"\d{8}")
_TAX_ID = re.compile(r"\d{7}\s?[/-]?\s?[A-Z](\s?[/-]?\s?[A-Z]\s?[/-]?\s?[A-Z]\s?[/-]?\s?\d{3})?", re.IGNORECASE)
_SERIAL = re.compile(r"(0x)?[0-9a-f]([:\s]?[0-9a-f]){10,}", re.IGNORECASE)
_TRACKING = re.compile(r"[A-Z]{2}\s?\d{9}\s?[A-Z]{2}", re.IGNORECASE)
_DOCUMENT_NUMBER = re.compile(r"[A-Z]{1,3}\d{5,12}", re.IGNORECASE)


class Kind(StrEnum):
    """What an identifier names."""

    REFERENCE = "REFERENCE"
    PAYMENT = "PAYMENT"
    CIN = "CIN"
    IDENTITY = "IDENTITY"
    TAX_ID = "TAX_ID"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    SERIAL = "SERIAL"
    TRACKING = "TRACKING"


def identifiers_in(text: str) -> dict[Kind, str]:
    """What the text can be, as stored; empty for a name. Eight digits can be a CIN, a phone or a serial."""
    text = tidy_text(text)
    found: dict[Kind, str] = {}
    reference = _REFERENCE.fullmatch(text)
    if reference:
        prefix, year, number = reference.groups()
        return {Kind.REFERENCE: f"{prefix.upper()}-{year}-{int(number):06d}"}
    if _PAYMENT.fullmatch(text):
        found[Kind.PAYMENT] = text.upper()
    if "@" in text and " " not in text:
        try:
            return {Kind.EMAIL: normalise_email(text)}
        except InvalidIdentifier:
            return {}
    if _EIGHT_DIGITS.fullmatch(text):
        found[Kind.CIN] = text
    elif _DOCUMENT_NUMBER.fullmatch(text):
        found[Kind.IDENTITY] = text.upper()
    if _TAX_ID.fullmatch(text):
        with suppress(InvalidIdentifier):
            found[Kind.TAX_ID] = normalise_tax_id(text)
    if _TRACKING.fullmatch(text):
        found[Kind.TRACKING] = text.replace(" ", "").upper()
    if _SERIAL.fullmatch(text):
        found[Kind.SERIAL] = re.sub(r"^0x|[:\s]", "", text.lower())
    if not any(char.isalpha() for char in text):
        with suppress(InvalidIdentifier):
            found[Kind.PHONE] = normalise_phone(text)
    return found
