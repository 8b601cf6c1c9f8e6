"""``flask sandbox gateway|identity|ttn|mail``: the stand-ins of the outside, each alone on a port (GAT-6, MAI-2)."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app

from app.config import ROOT


def register(app: Flask) -> None:
    """Attach the commands."""

    @app.cli.group("sandbox")
    def sandbox_group() -> None:
        """Stand-ins of the outside, for development and rehearsals; refused in production."""
        if current_app.config["ENVIRONMENT"] == "production":
            raise click.ClickException("sandboxes do not run in production")

    host = click.option("--host", default="127.0.0.1", show_default=True, help="the address to listen on")

    @sandbox_group.command("gateway")
    @click.option("--port", type=click.IntRange(0, 65535), default=5001, show_default=True)
    @host
    @click.option("--database", type=click.Path(path_type=Path), default=None, help="its SQLite file")
    def gateway(port: int, host: str, database: Path | None) -> None:
        """The payment gateway (user sandbox, password sandbox)."""
        from app.sandbox.gateway import create_gateway

        _serve("gateway", create_gateway(database=database or _directory() / "passerelle.sqlite"), host, port)

    @sandbox_group.command("identity")
    @click.option("--port", type=click.IntRange(0, 65535), default=5002, show_default=True)
    @host
    def identity(port: int, host: str) -> None:
        """The identity service (token sandbox)."""
        from app.sandbox.identity import create_identity

        _serve("identity", create_identity(), host, port)

    @sandbox_group.command("ttn")
    @click.option("--port", type=click.IntRange(0, 65535), default=5003, show_default=True)
    @host
    def ttn(port: int, host: str) -> None:
        """El Fatoora (TTN_URL=http://…/ElfatouraServices/EfactService, login and password sandbox)."""
        from app.sandbox.ttn import create_ttn

        _serve("ttn", create_ttn(), host, port)

    @sandbox_group.command("mail")
    @click.option("--port", type=click.IntRange(0, 65535), default=1025, show_default=True)
    @host
    @click.option("--directory", type=click.Path(path_type=Path), default=None, help="where the mails are kept")
    def mail(port: int, host: str, directory: Path | None) -> None:
        """The mailbox: takes every mail, delivers none; /dev/courrier shows them."""
        from app.sandbox.mailbox import Mailbox

        mailbox = Mailbox(directory or _directory() / "courrier", host, port)
        try:
            mailbox.start()
        except OSError as error:
            raise click.ClickException(f"mail sandbox: {host}:{port} cannot be listened on ({error}).") from error
        click.echo(f"mail sandbox on {host}:{mailbox.port}, keeping mails in {mailbox.directory}")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        stop.wait()
        mailbox.stop()


def _directory() -> Path:
    directory = Path(current_app.config.get("VAR_DIRECTORY") or ROOT / "var")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _serve(name: str, wsgi: Any, host: str, port: int) -> None:
    from app.devserver import PortTaken, listen, serve_until_told

    try:
        listening = listen(host, port)
    except PortTaken as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} sandbox on http://{host}:{listening.getsockname()[1]}/")
    serve_until_told(wsgi, listening)
