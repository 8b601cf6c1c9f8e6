"""The ECERT portal and back office: ``create_app`` and nothing else."""

from __future__ import annotations

from typing import Any

from flask import Flask


def create_app(environment: str | None = None, overrides: dict[str, Any] | None = None) -> Flask:
    """Build the application for an environment (ECERT_ENV by default). Raises ConfigurationError (SEC-5)."""
    from app import cli, config, logs, views, web
    from app.database import prepare_engine
    from app.extensions import babel, csrf, db, login, mail, migrate
    from app.services import health

    app = Flask(__name__, template_folder="../templates", static_folder="static")
    app.config.update(config.load(environment, overrides))
    web.prepare_storage(app)
    db.init_app(app)
    with app.app_context():
        for engine in db.engines.values():
            prepare_engine(engine)
    migrate.init_app(app, db, directory=str(config.ROOT / "migrations"), render_as_batch=True)
    mail.init_app(app)
    csrf.init_app(app)
    babel.init_app(
        app,
        locale_selector=web.select_locale,
        default_translation_directories=str(config.ROOT / "app" / "translations"),
    )
    login.init_app(app)
    web.init_app(app)
    logs.init_app(app)
    views.init_app(app)
    cli.init_app(app)
    if app.config["ENVIRONMENT"] == "production":
        with app.app_context():
            health.refuse_sample_accounts()
    return app
