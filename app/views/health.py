"""``/healthz``, ``/readyz``, ``/metrics``: for load balancers and monitoring, not for people (OPS-2)."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request

from app import clock
from app.jobs import SCHEDULE
from app.queries.jobs import last_successes, outbox_backlog
from app.services.health import reasons_not_ready

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def ready() -> Any:
    """It can serve; else 503 and what is missing, by name."""
    reasons = reasons_not_ready()
    return jsonify(ready=not reasons, reasons=list(reasons)), 503 if reasons else 200


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus's text; for this machine, or with METRICS_TOKEN (docs/adr/0020)."""
    if not (_asked_from_this_machine() or _has_token()):
        abort(404)
    return Response("\n".join(_lines()) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _asked_from_this_machine() -> bool:
    """Directly: a proxy on this machine asks for somebody else, and says so."""
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")):
        return False
    peer = request.environ.get("werkzeug.proxy_fix.orig", {}).get("REMOTE_ADDR") or request.environ.get("REMOTE_ADDR")
    try:
        return ip_address(peer or "").is_loopback
    except ValueError:  # a Unix socket: only a proxy speaks through it
        return False


def _has_token() -> bool:
    token = current_app.config.get("METRICS_TOKEN") or ""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def _lines() -> list[str]:
    present, backlog, successes = clock.now(), outbox_backlog(), last_successes()
    oldest = (present - backlog.oldest).total_seconds() if backlog.oldest else 0.0
    lines = [
        *_gauge("ecert_info", "The environment this process runs in.", {f'environment="{_environment()}"': 1}),
        *_gauge("ecert_outbox_waiting", "Mails not sent yet.", {"": backlog.waiting}),
        *_gauge("ecert_outbox_oldest_seconds", "Age of the oldest mail not sent yet.", {"": round(oldest, 1)}),
        *_gauge("ecert_outbox_dead", "Mails given up: a person must look at them.", {"": backlog.dead}),
    ]
    last = {f'job="{job.name}"': successes[job.name] for job in SCHEDULE if job.name in successes}
    lag = {
        f'job="{job.name}"': round(max(0.0, (job.when.latest(present) - successes[job.name]).total_seconds()), 1)
        for job in SCHEDULE
        if job.name in successes
    }
    lines += _gauge(
        "ecert_job_last_success_timestamp_seconds",
        "When the job last ended well.",
        {name: moment.timestamp() for name, moment in last.items()},
    )
    lines += _gauge("ecert_job_lag_seconds", "How long before its latest slot the job last ended well.", lag)
    return lines


def _environment() -> str:
    return str(current_app.config["ENVIRONMENT"])


def _gauge(name: str, meaning: str, values: dict[str, float]) -> list[str]:
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
    return lines + [f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in values.items()]
