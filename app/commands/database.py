"""``flask prepare``: bring a database to the present: migrations, reference data, search columns."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from app.services.search_columns import refill


def register(app: Flask) -> None:
    """Attach the commands."""

    @app.cli.command("prepare")
    def prepare() -> None:
        """Run the migrations, load the reference data, fill search columns of old rows; safe to run again."""
        from flask_migrate import upgrade

        from app.services.reference_data import load_reference_data

        upgrade()
        load_reference_data()
        refill()
        click.echo("database ready")

    group = AppGroup("search", help="What the back office's lists search in.")

    @group.command("refill")
    @click.option("--all", "every", is_flag=True, help="Every row, not only those without keys: after a new version.")
    def refill_command(every: bool) -> None:
        """Fill the search columns of requests and organisations, a thousand rows a transaction."""
        click.echo(f"{refill(every=every, say=click.echo)} rows filled")

    app.cli.add_command(group)
