"""``flask audit verify``: is the journal's chain whole? (AUD-1)"""

from __future__ import annotations

import click
from flask import Flask


def register(app: Flask) -> None:
    """Attach the commands."""

    @app.cli.group("audit")
    def audit_group() -> None:
        """The journal."""

    @audit_group.command("verify")
    def verify() -> None:
        """Exit 0 when the chain is whole, 1 when it is broken (names the first bad entry), 2 when its end is cut."""
        from app.services.anchoring import missing_anchor
        from app.services.audit import first_broken_entry

        broken = first_broken_entry()
        if broken is not None:
            click.echo(f"broken at entry {broken.id} ({broken.action} on {broken.subject_type} {broken.subject_id})")
            raise SystemExit(1)
        anchored = missing_anchor()
        if anchored is not None:
            click.echo(f"head differs from the anchor: entry {anchored} is gone or another")
            raise SystemExit(2)
        click.echo("whole")
