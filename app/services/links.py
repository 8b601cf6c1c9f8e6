"""Addresses for mails and papers: always on the configured public address, never on a Host header (LOG-3)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app


def public_url(endpoint: str, **values: Any) -> str:
    """The public address of an endpoint."""
    base = current_app.config["PUBLIC_URL"]
    parts = urlsplit(base)
    adapter = current_app.url_map.bind(parts.netloc or "localhost", script_name=parts.path or "/")
    path = adapter.build(endpoint, values, force_external=False)
    return f"{parts.scheme}://{parts.netloc}{path}"
