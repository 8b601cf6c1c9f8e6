"""The views: one file per journey, each with its ``blueprint``."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

JOURNEYS = (
    "signup",
    "organisation",
    "ordering",
    "imports",
    "orders",
    "chasing",
    "requests",
    "certificates",
    "messages",
    "documents",
    "auth",
    "second_step",
    "account",
    "preferences",
    "pages",
    "tracking",
    "health",
    "basket",
    "payments",
    "invoices",
    "credits",
)


def init_app(app: Flask) -> None:
    """Register every journey's blueprint, the navigation and the guard of first things first."""
    from app.views import first_login, navigation
    from app.views.admin import site

    for name in (*JOURNEYS, "dev") if app.config["DEV_PAGES"] else JOURNEYS:
        app.register_blueprint(import_module(f"app.views.{name}").blueprint)
    site.init_app(app)
    first_login.init_app(app)
    navigation.init_app(app)
