"""``flask tax-id``: control letters of tax ids (ORG-2)."""

from __future__ import annotations

import click
from flask import Flask

from app.identifiers import InvalidIdentifier, normalise_tax_id, tax_id_letter


def register(app: Flask) -> None:
    """Attach the commands."""

    @app.cli.command("tax-id")
    @click.argument("numbers", nargs=-1, required=True)
    def tax_id(numbers: tuple[str, ...]) -> None:
        """Print for each number whether its letter fits its digits."""
        for number in numbers:
            try:
                plain = normalise_tax_id(number)
            except InvalidIdentifier:
                click.echo(f"{number} malformed")
                continue
            expected = tax_id_letter(plain[:7])
            click.echo(f"{plain} ok" if expected == plain[7] else f"{plain} expected {expected}")
