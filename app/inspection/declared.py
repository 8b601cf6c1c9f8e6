"""What was declared, as far as a received document can confirm or deny it (REV-3). Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from app.identifiers import InvalidIdentifier, normalise_tax_id

TAX_ID = re.compile(r"[0-9]{7}[A-Z]")
_KEYS = {
    "tax_id": ("tax_id", "matricule_fiscal"),
    "register_number": ("register_number",),
    "legal_name": ("legal_name",),
    "legal_name_ar": ("legal_name_ar",),
    "trade_name": ("trade_name",),
    "representative": ("representative",),
    "representative_ar": ("representative_ar",),
    "representative_number": ("representative_number", "representative_cin", "cin"),
    "person": ("person", "applicant", "name", "full_name"),
    "person_ar": ("person_ar", "applicant_ar", "name_ar", "full_name_ar"),
    "person_number": ("person_number", "cin", "passport", "identity_number", "residence_card"),
    "contract_number": ("contract_number",),
}


@dataclass(frozen=True, slots=True)
class Declared:
    """Declared values in stored form; empty where nothing was declared. ``person`` is whose identity copy it is."""

    tax_id: str = ""
    register_number: str = ""
    legal_name: str = ""
    legal_name_ar: str = ""
    trade_name: str = ""
    representative: str = ""
    representative_ar: str = ""
    representative_number: str = ""
    person: str = ""
    person_ar: str = ""
    person_number: str = ""
    issued_on: date | None = None
    contract_number: str = ""
    emails: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()  # who signs the contract besides the representative
    signer_numbers: tuple[str, ...] = ()  # their identity numbers, in the same order; empty where not known

    def fingerprint(self) -> str:
        """Changes when a declared value does: a run made on other values is stale."""
        plain = json.dumps(asdict(self), sort_keys=True, default=str, ensure_ascii=False)
        return hashlib.sha256(plain.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Days:
    """The days an extract's age is counted to: today, and the day of the request where there is one."""

    today: date
    asked_on: date | None = None
    months: int = 3


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another document with the same contents: its kind, and whose it is when not of this file."""

    what: str
    whose: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What is known besides the document: where the same contents were seen."""

    days: Days
    same: tuple[Elsewhere, ...] = field(default=())


def declared_from(values: Mapping[str, Any]) -> Declared:
    """Read the ``declared`` of a case from outside (8-interfaces); unknown keys and odd values are passed over."""
    found: dict[str, Any] = {}
    for name, keys in _KEYS.items():
        found[name] = next((text for key in keys if (text := _text(values.get(key)))), "")
    if not found["person"]:
        found["person"] = " ".join(filter(None, (_text(values.get("first_name")), _text(values.get("last_name")))))
        found["person"] = found["person"] or found["representative"]
    if not found["person_ar"]:
        parts = (_text(values.get("first_name_ar")), _text(values.get("last_name_ar")))
        found["person_ar"] = " ".join(filter(None, parts)) or found["representative_ar"]
    try:
        found["tax_id"] = normalise_tax_id(found["tax_id"])
    except InvalidIdentifier:
        found["tax_id"] = found["tax_id"].strip().upper()
    emails = values.get("emails", values.get("email", ()))
    signers = _signers(values.get("signers") or values.get("administrators") or values.get("administrator") or ())
    return Declared(
        **found,
        issued_on=day_from(values.get("issued_on", values.get("extract_date"))),
        emails=_texts(emails),
        signers=tuple(name for name, _number in signers),
        signer_numbers=tuple(number for _name, number in signers),
    )


def _signers(value: Any) -> list[tuple[str, str]]:
    """Names with identity numbers, of ``"A B"``, ``["A B", …]`` or ``[{"name": "A B", "cin": "…"}, …]``."""
    found = []
    for each in value if isinstance(value, list | tuple) else [value]:
        given = each if isinstance(each, Mapping) else {"name": each}
        parts = (_text(given.get("first_name")), _text(given.get("last_name")))
        name = _text(given.get("name")) or " ".join(filter(None, parts))
        if name:
            found.append((name, _text(given.get("cin")) or _text(given.get("identity_number"))))
    return found


def day_from(value: Any) -> date | None:
    """An ISO day, or None."""
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _texts(value: Any) -> tuple[str, ...]:
    several = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return tuple(filter(None, map(_text, several)))
