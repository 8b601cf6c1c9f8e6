"""The identity service's sandbox and the product's adapter to it, over real HTTP (ORG-5, SEC-4)."""

from __future__ import annotations

import json
import logging
import time
from datetime import date
from typing import Any

import httpx
import pytest

from app.adapters.identity import IdentityAnswer, IdentityService, IdentityTuple
from app.sandbox.identity import PEOPLE_FILE, create_identity
from tests.support.servers import HttpServer

pytestmark = [pytest.mark.spec("ORG-5", "SEC-4"), pytest.mark.slow]

PEOPLE: list[dict[str, Any]] = json.loads(PEOPLE_FILE.read_text(encoding="utf-8"))["people"]
AMIRA = IdentityTuple("CIN", "01234567", date(1984, 3, 12), "TN", "Ben Salah", "Amira")


def ask(declared: IdentityTuple, url: str, timeout: float = 5.0, token: str = "sandbox") -> IdentityAnswer:
    return IdentityService(url, token, timeout).check(declared)


@pytest.mark.parametrize("script", ["", "_ar"])
@pytest.mark.parametrize("person", [p for p in PEOPLE if "behaviour" not in p], ids=lambda p: p["document_number"])
def test_each_person_of_the_register_is_concordant(identity: HttpServer, person: dict[str, Any], script: str) -> None:
    declared = IdentityTuple(
        person["document_kind"], person["document_number"], date.fromisoformat(person["birth_date"]),
        person["nationality"], person[f"last_name{script}"], person[f"first_name{script}"],
    )  # fmt: skip
    assert ask(declared, identity.url) is IdentityAnswer.CONCORDANT


@pytest.mark.parametrize(
    "changed, answer",
    [
        ({"document_number": "0123 4567"}, IdentityAnswer.CONCORDANT),
        ({"last_name": "BEN-SALAH", "first_name": "  amirà "}, IdentityAnswer.CONCORDANT),
        ({"last_name": "", "first_name": ""}, IdentityAnswer.CONCORDANT),
        ({"last_name": "Trabelsi"}, IdentityAnswer.NON_CONCORDANT),
        ({"first_name": "Karim"}, IdentityAnswer.NON_CONCORDANT),
        ({"birth_date": date(1984, 3, 13)}, IdentityAnswer.NON_CONCORDANT),
        ({"nationality": "FR"}, IdentityAnswer.NON_CONCORDANT),
        ({"document_kind": "PASSEPORT"}, IdentityAnswer.NON_CONCORDANT),
        ({"document_number": "01234568"}, IdentityAnswer.NON_CONCORDANT),
        ({"document_number": "98765432", "last_name": "Nouveau"}, IdentityAnswer.CONCORDANT),
        ({"document_kind": "PASSEPORT", "document_number": "TEST0042"}, IdentityAnswer.CONCORDANT),
        ({"document_number": "123"}, IdentityAnswer.INDISPONIBLE),
        ({"document_kind": "PERMIS"}, IdentityAnswer.INDISPONIBLE),
    ],
)
def test_the_whole_tuple_decides(identity: HttpServer, changed: dict[str, Any], answer: IdentityAnswer) -> None:
    declared = IdentityTuple(**{**AMIRA.__dict__, **changed})
    assert ask(declared, identity.url + "/") is answer


def test_the_answer_discloses_nothing_but_the_result(identity: HttpServer) -> None:
    body = {"document_kind": "CIN", "document_number": "01234567", "birth_date": "1990-01-01",
            "nationality": "TN"}  # fmt: skip
    answer = httpx.post(f"{identity.url}/v1/verifications", json=body,
                        headers={"Authorization": "Bearer sandbox"})  # fmt: skip
    assert answer.json() == {"result": "mismatch"}


@pytest.mark.parametrize("header", [None, "Bearer faux", "Basic sandbox", "sandbox"])
def test_nobody_asks_without_the_token(identity: HttpServer, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    assert httpx.post(f"{identity.url}/v1/verifications", json={}, headers=headers).status_code == 401


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"document_kind": 3}', '{"document_kind": "CIN", "last_name": 1}'])
def test_a_malformed_request_is_told_so(identity: HttpServer, body: str) -> None:
    headers = {"Authorization": "Bearer sandbox", "Content-Type": "application/json"}
    assert httpx.post(f"{identity.url}/v1/verifications", content=body, headers=headers).status_code == 422


def test_an_outage_is_an_answer(identity: HttpServer) -> None:
    outage = IdentityTuple("CIN", "00000503", date(1980, 5, 3), "TN")
    assert ask(outage, identity.url) is IdentityAnswer.INDISPONIBLE
    assert ask(AMIRA, identity.url, token="faux") is IdentityAnswer.INDISPONIBLE
    identity.stop()
    assert ask(AMIRA, identity.url) is IdentityAnswer.INDISPONIBLE


def test_a_slow_service_is_not_waited_for_beyond_the_timeout(identity: HttpServer) -> None:
    identity.wsgi = create_identity(slow_seconds=1.5)
    slow = IdentityTuple("CIN", "00000010", date(1980, 1, 10), "TN", "Lent", "Slim")
    started = time.monotonic()
    assert ask(slow, identity.url, timeout=0.3) is IdentityAnswer.INDISPONIBLE
    assert time.monotonic() - started < 1.2
    assert ask(slow, identity.url, timeout=5) is IdentityAnswer.CONCORDANT


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "{}", '{"result": true}', '{"result": "MATCH"}', "[" * 100000, b"\xff\xfe\x00"]
)
def test_nonsense_is_no_answer(identity: HttpServer, body: bytes | str) -> None:
    identity.answer(body)
    assert ask(AMIRA, identity.url) is IdentityAnswer.INDISPONIBLE


def test_a_redirection_is_not_followed_with_the_token(identity: HttpServer) -> None:
    identity.answer('{"result": "match"}', status=302)
    assert ask(AMIRA, identity.url) is IdentityAnswer.INDISPONIBLE


@pytest.mark.spec("SEC-6")
def test_neither_number_nor_token_is_logged(identity: HttpServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(AMIRA, identity.url)
    identity.stop()
    ask(AMIRA, identity.url)
    assert "identity service" in caplog.text
    assert "01234567" not in caplog.text
    assert "Bearer" not in caplog.text
