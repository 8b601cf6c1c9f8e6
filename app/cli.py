"""The flask commands operators call (``8-interfaces.md``)."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the command groups."""
    from app import commands

    commands.register(app)
