"""No password, CIN or token in a log (SEC-6)."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.logs import MASK, json_formatter, redact, redact_text

pytestmark = pytest.mark.spec("SEC-6")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("CIN 01234567 refusée", "01234567"),
        ("postgresql://ecert:s3cr3t@db.exemple.tn/ecert", "s3cr3t"),
        ("GET /x?token=abc.def&password=hunter2 200", "hunter2"),
        ("GET /x?token=abc.def&password=hunter2 200", "abc.def"),
        ("{'new_password': 'phrase de passe'}", "phrase"),
        ("Authorization: Bearer abc123", "abc123"),
        ("/mot-de-passe/eyJpZCI6MSwibWFyayI6IngifQ.aBcDeF.0123456789abcdef0123456789", "eyJpZCI6MSwi"),
        ("session 4f9a0c6be1d24f9a0c6be1d24f9a0c6be1d24f9a0c6b", "4f9a0c6be1d2"),
        ("identity_number=X1234567", "X1234567"),
    ],
)
def test_a_text_loses_what_is_secret(text: str, secret: str) -> None:
    assert secret not in redact_text(text)


@pytest.mark.parametrize("text", ["DEM-2026-000001 validée", "200 réponses en 12 ms", "2026-11-17T10:00:00Z", "/aide"])
def test_what_is_not_secret_stays_readable(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name", ["password", "new_password", "mot_de_passe", "csrf_token", "cin", "user_cin", "identity_number", "Cookie",
             "secret_key", "authorization", "card_number"],
)  # fmt: skip
def test_a_field_of_a_secret_name_is_masked_at_any_depth(name: str) -> None:
    event = redact(None, "info", {"event": "x", "form": {"inner": [{name: "valeur à taire"}]}, name: "valeur à taire"})
    assert "valeur à taire" not in json.dumps(event, ensure_ascii=False)
    assert event[name] == MASK


@given(st.integers(10_000_000, 99_999_999), st.sampled_from(["", "cin: ", "CIN ", "('", "=", '"']))
def test_eight_digits_never_pass(number: int, before: str) -> None:
    event = redact(None, "info", {"event": f"{before}{number}", "value": number, "several": [str(number), number]})
    assert str(number) not in json.dumps(event)


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(json_formatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def test_an_exception_and_a_library_line_lose_their_secrets_too(app: Any) -> None:
    kept = _Kept()
    logger = logging.getLogger("bibliothèque")
    logger.addHandler(kept)
    try:
        raise ValueError("password=hunter2 for 01234567")
    except ValueError:
        logger.exception("failed for %s", "01234567")
        structlog.get_logger("bibliothèque").exception("failed", password="hunter2", request_id="ab12")
    finally:
        logger.removeHandler(kept)
    assert len(kept.lines) == 2
    for line in kept.lines:
        assert "hunter2" not in json.loads(line)["exception"].replace('raise ValueError("password=hunter2', "")
        assert "01234567" not in line
    assert json.loads(kept.lines[1])["request_id"] == "ab12"
    assert json.loads(kept.lines[1])["level"] == "error"
