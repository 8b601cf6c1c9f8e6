"""``flask staff``: the first two people of a new installation; the way back in for its last one (TEA-1)."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from app.errors import DomainError
from app.permissions import Role


def register(app: Flask) -> None:
    """Attach the commands."""
    group = AppGroup("staff", help="TunTrust's own accounts.")

    @group.command("found")
    @click.argument("email")
    @click.argument("role", type=click.Choice([Role.ADMINISTRATEUR.value, Role.SUPERVISEUR.value]))
    def found(email: str, role: str) -> None:
        """Open an account for one of the first two people, and print its temporary password once."""
        from app.services.staff import found_team

        try:
            password = found_team(email, Role(role))
        except DomainError as refusal:
            raise click.ClickException(str(refusal)) from refusal
        click.echo(password)

    @group.command("reset-factor")
    @click.argument("email")
    def reset_factor(email: str) -> None:
        """Take away a second factor that was lost, when nobody can do it from the desk."""
        from app.services.second_factor import reset_by_operator

        try:
            reset_by_operator(email)
        except DomainError as refusal:
            raise click.ClickException(str(refusal)) from refusal
        click.echo("done")

    app.cli.add_command(group)
