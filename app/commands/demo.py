"""``flask demo seed`` and ``flask demo load``: demonstration data, and a large data set for load tests (OPS-1)."""

from __future__ import annotations

import time
from pathlib import Path

import click
from flask import Flask


def register(app: Flask) -> None:
    """Attach the commands."""

    @app.cli.group("demo")
    def demo_group() -> None:
        """Invented data; refused in production."""

    @demo_group.command("seed")
    def seed_command() -> None:
        """Write the demonstration organisations, requests, papers and accounts; safe to run again."""
        from app.demo.seed import ACCOUNTS, PASSWORD, seed
        from app.errors import DomainError

        started = time.monotonic()
        try:
            summary = seed(say=lambda line: click.echo(f"  {line} …"))
        except DomainError as refusal:
            raise click.ClickException(str(refusal)) from refusal
        counts = ", ".join(f"{count} {table}" for table, count in summary.counts.items())
        if not summary.created:
            click.echo(f"demonstration data is there already: {counts}")
            return
        click.echo(f"demonstration data written in {time.monotonic() - started:.1f} s: {counts}")
        click.echo(f"accounts, password {PASSWORD}:")
        for email, who in ACCOUNTS.items():
            click.echo(f"  {email:<36} {who}")

    @demo_group.command("certificates")
    @click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
    def certificates_command(folder: Path) -> None:
        """Write certificate files for the requests that wait for theirs, to record them from the back office."""
        from app.demo.certificate_files import write_certificate_files
        from app.errors import DomainError

        try:
            for path, what in write_certificate_files(folder):
                click.echo(f"  {path}: {what}")
        except DomainError as refusal:
            raise click.ClickException(str(refusal)) from refusal

    @demo_group.command("load")
    @click.option("--requests", type=click.IntRange(min=1), required=True, help="how many certificate requests")
    @click.option("--organisations", type=click.IntRange(min=1), required=True, help="over how many organisations")
    @click.option("--yes", is_flag=True, help="add to a database that holds organisations already")
    def load_command(requests: int, organisations: int, yes: bool) -> None:
        """Write a large realistic data set through bulk insert, for load tests."""
        from app.demo.load import is_empty, load
        from app.demo.seed import refuse_in_production
        from app.errors import DomainError
        from app.services.reference_data import load_reference_data

        started = time.monotonic()

        def say(line: str) -> None:
            click.echo(f"  {line} after {time.monotonic() - started:.1f} s")

        try:
            refuse_in_production()
            if not yes and not is_empty():
                raise DomainError("La base contient déjà des organisations : ajoutez --yes pour la remplir davantage.")
            load_reference_data()
            loaded = load(requests, organisations, say)
        except DomainError as refusal:
            raise click.ClickException(str(refusal)) from refusal
        rows = ", ".join(f"{count} {table}" for table, count in loaded.rows.items())
        click.echo(f"written in {time.monotonic() - started:.1f} s: {rows}")
