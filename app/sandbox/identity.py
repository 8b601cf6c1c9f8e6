"""A civil-status service that answers whether a declared identity is the registered one (ORG-5, SEC-4).

``POST /v1/verifications`` with ``Authorization: Bearer <token>`` and JSON ``document_kind`` (CIN,
CARTE_SEJOUR, PASSEPORT), ``document_number``, ``birth_date`` (yyyy-mm-dd), ``nationality`` (ISO 3166
alpha-2) and, if wished, ``last_name``, ``first_name`` (Latin or Arabic). It answers
``{"result": "match"}`` or ``{"result": "mismatch"}``, never which part differs, never a datum.
401 without the token, 422 for a malformed request, 503 during an outage.

Who matches:

- the people of ``identity_people.json``, with their own data (accents, case and hyphens do not count);
- anybody, whatever the data, under a number set aside for trials and carried by no real document:
  a CIN beginning with 9, a carte de séjour or passport number beginning with ``TEST``;
- nobody else: an unknown number is a mismatch, as in a register.

Set aside too: CIN 00000010 answers after 10 seconds, CIN 00000503 answers 503.
"""

from __future__ import annotations

import hmac
import json
import re
import time
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

PEOPLE_FILE = Path(__file__).with_name("identity_people.json")
SLOW_SECONDS = 10.0
_NUMBERS = {
    "CIN": re.compile(r"[0-9]{8}"),
    "CARTE_SEJOUR": re.compile(r"[A-Z0-9]{5,20}"),
    "PASSEPORT": re.compile(r"[A-Z0-9]{5,20}"),
}


def create_identity(
    public_base: str | None = None,
    token: str = "sandbox",  # noqa: S107  # the sandbox's published token (chapter 8)
    slow_seconds: float = SLOW_SECONDS,
) -> Flask:
    """The service as a WSGI application. ``public_base`` is only shown at its root address."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    people = {
        (person["document_kind"], person["document_number"]): person
        for person in json.loads(PEOPLE_FILE.read_text(encoding="utf-8"))["people"]
    }

    @app.get("/")
    def index() -> Response:
        base = public_base or request.url_root
        return jsonify(service="identity sandbox", verifications=base.rstrip("/") + "/v1/verifications")

    @app.post("/v1/verifications")
    def verify() -> Response | tuple[Response, int]:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            return jsonify(error="unauthorised"), 401
        declared = request.get_json(silent=True)
        if not isinstance(declared, dict):
            return jsonify(error="a JSON object is expected"), 422
        fault = _fault(declared)
        if fault:
            return jsonify(error=f"missing or malformed: {fault}"), 422
        kind, number = declared["document_kind"], _number(declared)
        person = people.get((kind, number))
        behaviour = person.get("behaviour") if person else None
        if behaviour == "outage":
            return jsonify(error="unavailable"), 503
        if behaviour == "slow":
            time.sleep(slow_seconds)
        matches = set_aside(kind, number) or (person is not None and _same(person, declared))
        return jsonify(result="match" if matches else "mismatch")

    return app


def set_aside(kind: str, number: str) -> bool:
    """Numbers of the trial range, under which anybody matches."""
    return number.startswith("9" if kind == "CIN" else "TEST")


def _number(declared: dict[str, Any]) -> str:
    return re.sub(r"[\s-]", "", declared["document_number"]).upper()


def _fault(declared: dict[str, Any]) -> str | None:
    """The first field that is absent, not a string or not of its shape; None when all is well."""
    for name in ("document_kind", "document_number", "birth_date", "nationality"):
        if not isinstance(declared.get(name), str):
            return name
    for name in ("last_name", "first_name"):
        if not isinstance(declared.get(name, ""), str | None):
            return name
    kind = declared["document_kind"]
    if kind not in _NUMBERS:
        return "document_kind"
    if not _NUMBERS[kind].fullmatch(_number(declared)):
        return "document_number"
    if not re.fullmatch(r"[A-Za-z]{2}", declared["nationality"]):
        return "nationality"
    try:
        date.fromisoformat(declared["birth_date"])
    except ValueError:
        return "birth_date"
    return None


def _same(person: dict[str, Any], declared: dict[str, Any]) -> bool:
    """Everything declared is what the register holds; names may be given in either script, or not at all."""
    if person["birth_date"] != declared["birth_date"]:
        return False
    if person["nationality"] != declared["nationality"].upper():
        return False
    for name in ("last_name", "first_name"):
        given = _plain(declared.get(name) or "")
        if given and given not in (_plain(person[name]), _plain(person[f"{name}_ar"])):
            return False
    return True


def _plain(name: str) -> str:
    """A name without accents, vowel signs, case, hyphens or doubled spaces."""
    letters = unicodedata.normalize("NFKD", name)
    kept = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(re.sub(r"[-'’]", " ", kept).casefold().split())
