"""One request, as its applicant and its organisation's administrators see and move it (ORD-8, APP-2, REV-5)."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("requests", __name__)

from app.views.requests import answering, collecting, managing, revoking, showing, validating  # noqa: E402, F401  # they add routes
