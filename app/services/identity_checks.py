"""« Vérification avec le service web » (ORG-5): the whole tuple is asked, one of three answers comes back (SEC-4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app

from app import clock
from app.adapters.identity import IdentityService, IdentityTuple
from app.models import IdentityAnswer
from app.services import attempts

PER_HOUR = 5
TUPLE = ("birth_date", "nationality", "identity_kind", "identity_number", "last_name", "first_name")


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """An answer and what it was about: another tuple's hash, and it holds no more."""

    answer: IdentityAnswer
    at: datetime
    tuple_hash: str

    def to_json(self) -> dict[str, str]:
        """For a draft."""
        return {"answer": self.answer.value, "at": self.at.isoformat(), "tuple_hash": self.tuple_hash}

    @classmethod
    def from_json(cls, data: Mapping[str, str] | None) -> IdentityCheck | None:
        """From a draft."""
        if not data:
            return None
        return cls(IdentityAnswer(data["answer"]), datetime.fromisoformat(data["at"]), data["tuple_hash"])

    def about(self, person: Mapping[str, Any] | None) -> bool:
        """Does it still hold for this declared person?"""
        return person is not None and self.tuple_hash == tuple_hash(person)


def tuple_hash(person: Mapping[str, Any]) -> str:
    """Hash of the declared tuple: what is stored beside an answer instead of the data."""
    declared = {name: _plain(person[name]) for name in TUPLE}
    return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()


def ask(person: Mapping[str, Any], *, limits: Iterable[str]) -> IdentityCheck:
    """Ask the service about a declared person in stored form. Call it outside a transaction: it may take seconds.

    ``limits`` names who asks (the draft or account, the address): five an hour each. Raises TooManyAttempts;
    an outage is an answer, INDISPONIBLE, and blocks nothing.
    """
    for who in limits:
        attempts.count_attempt(attempts.key_for("identity", who), limit=PER_HOUR, window=timedelta(hours=1))
    born = person["birth_date"]
    answer = _service().check(
        IdentityTuple(
            document_kind=str(_plain(person["identity_kind"])),
            document_number=person["identity_number"],
            birth_date=date.fromisoformat(born) if isinstance(born, str) else born,
            nationality=person["nationality"],
            last_name=person["last_name"],
            first_name=person["first_name"],
        )
    )
    return IdentityCheck(IdentityAnswer(answer.value), clock.now(), tuple_hash(person))


def _service() -> IdentityService:
    config = current_app.config
    kept: tuple[str, IdentityService] | None = current_app.extensions.get("ecert_identity")
    url = str(config["IDENTITY_SERVICE_URL"])
    if kept is None or kept[0] != url:
        kept = current_app.extensions["ecert_identity"] = (
            url,
            IdentityService(url, str(config["IDENTITY_SERVICE_TOKEN"])),
        )
    return kept[1]


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return str(getattr(value, "value", value))
