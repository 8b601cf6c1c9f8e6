"""Structured logs: one JSON object a line in production, readable lines elsewhere; nothing secret (SEC-6, OPS-2).

Every line of a request carries its ``request_id``. Whatever is logged, by us or by a library, goes through
``redact``: passwords, tokens, cookies, CIN numbers (any run of eight digits) never reach a log.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from flask import Flask, Response, g, request

MASK = "[masqué]"
MAX_DEPTH = 6

_SECRET_NAME = re.compile(
    r"passw|pwd|mot_de_passe|secret|token|cookie|authorization|csrf|otp|totp|nonce|cvc|pan$|card"
    r"|(^|_)cin($|_)|identity_number|api_key|session_id|code$",
    re.IGNORECASE,
)
_SAFE_NAMES = {"status_code", "postal_code", "error_code", "exit_code"}
_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=://)([^:/@\s]+):[^@/\s]+@"), rf"\1:{MASK}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {MASK}"),
    (
        re.compile(
            r"(\w*(?:passw|pwd|mot_de_passe|secret|token|cookie|csrf|identity_number)\w*[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&)}]+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{20,}\b"), MASK),  # signed tokens
    (re.compile(r"\b[A-Za-z0-9_-]{40,}\b"), MASK),  # tokens and their hashes
    (re.compile(r"(?<![\w.-])\d{8}(?![\w-])"), "********"),  # a CIN, or a phone number
)


def redact_text(text: str) -> str:
    """The text without what looks like a secret or a CIN."""
    for pattern, mask in _IN_TEXT:
        text = pattern.sub(mask, text)
    return text


def _redact_value(name: str, value: Any, depth: int) -> Any:
    if _SECRET_NAME.search(name) and name not in _SAFE_NAMES and value not in (None, "", True, False):
        return MASK
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    if depth >= MAX_DEPTH:
        return MASK
    if isinstance(value, dict):
        return {key: _redact_value(str(key), each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redact_value("", each, depth + 1) for each in value]
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return "********" if 10_000_000 <= value <= 99_999_999 else value
    return redact_text(str(value))


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog's processor: mask what must not be written."""
    for name in list(event):
        if not name.startswith("_"):
            event[name] = _redact_value(name, event[name], 0)
    return event


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    redact,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def json_formatter() -> logging.Formatter:
    """One JSON object a line, for our own records and every library's; gunicorn's too (``gunicorn.conf.py``)."""
    return _formatter(structlog.processors.JSONRenderer(ensure_ascii=False))


def init_app(app: Flask) -> None:
    """Set the process's logging up, and log each request in one line."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    if app.config["ENVIRONMENT"] != "testing":
        _write_to_stderr(json_formatter() if app.config["ENVIRONMENT"] == "production" else _console())
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(lambda _error: structlog.contextvars.clear_contextvars())


def _formatter(renderer: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*SHARED],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _console() -> logging.Formatter:
    return _formatter(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24))


def _write_to_stderr(formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name, level in (
        ("apscheduler", logging.ERROR),  # « maximum number of running instances » is how it is meant to be
        ("alembic", logging.WARNING),
        ("werkzeug", logging.WARNING),
        ("httpx", logging.WARNING),  # its lines hold the gateway's addresses, password included
        ("httpcore", logging.WARNING),
        ("mail.log", logging.WARNING),
    ):
        logging.getLogger(name).setLevel(level)


def _begin() -> None:
    g.started_at = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.get("request_id", ""))


def _end(response: Response) -> Response:
    quiet = request.endpoint == "static" or (request.blueprint == "health" and response.status_code < 400)
    if not quiet:
        actor = g.get("actor")
        structlog.get_logger("request").info(
            request.method,
            path=_path(),
            status=response.status_code,
            milliseconds=round((time.monotonic() - g.get("started_at", time.monotonic())) * 1000),
            user=actor.user_id if actor is not None else None,
        )
    return response


def _path() -> str:
    """The address without its query, and without values that open something (tokens, codes)."""
    rule = request.url_rule
    if rule is not None and any(_SECRET_NAME.search(name) for name in request.view_args or {}):
        return rule.rule
    return redact_text(request.path[:200])
