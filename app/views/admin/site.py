"""The one Flask-Admin site, at /admin. Each module of ``MODULES`` offers ``VIEWS``: classes made without arguments."""

from __future__ import annotations

from importlib import import_module

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from app.web import csp_nonce

MODULES: tuple[str, ...] = (
    "requests",
    "organisations",
    "list_tools",
    "billing",
    "credits",
    "accounting",
    "reconciliation",
    "statements",
    "certificates",
    "certificate_batches",
    "slips",
    "revocations",
    "dossiers",
    "lots",
    "absences",
    "conversations",
    "reference",
    "replies",
    "settings",
    "staff",
    "journal",
    "mail",
    "jobs",
)


def init_app(app: Flask) -> None:
    """Attach the site and its views to an application: views belong to one application each."""
    from app.views.admin.home import Home

    site = Admin(
        app,
        name="ECERT",
        index_view=Home(),
        theme=Bootstrap4Theme(base_template="admin/base.html"),
        csp_nonce_generator=csp_nonce,
    )
    for name in MODULES:
        for view in import_module(f"app.views.admin.{name}").VIEWS:
            site.add_view(view())
