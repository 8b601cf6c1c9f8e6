"""One module per subject; each has ``register(app)``."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

MODULES = ("database", "tax_id", "audit", "jobs", "sandbox", "demo", "staff", "inspect")


def register(app: Flask) -> None:
    """Attach every command group."""
    for name in MODULES:
        import_module(f"app.commands.{name}").register(app)
