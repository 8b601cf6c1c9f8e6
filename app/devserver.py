"""``make run``: everything of OPS-1 in one process, for development and demonstration only.

The portal, the payment gateway's and the identity service's sandboxes, the mailbox and the scheduler. Everything is
kept under ``var/`` (or in DATABASE_URL); starting again, even after a kill, goes on from there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from app.config import ROOT

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

GATEWAY, IDENTITY = "/dev/passerelle", "/dev/identite"
GATEWAY_FILE = "passerelle.sqlite"
PROBES = ("/healthz", "/readyz", "/metrics")
WILDCARDS = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not listened on
PASSWORD = "Demo-Ecert-2026"  # noqa: S105 - published: development only
ACCOUNTS = (
    ("admin@societe-demo.tn", "administrateur d'organisation", "organisation administrator"),
    ("demandeur@societe-demo.tn", "demandeur", "certificate applicant"),
    ("agent@demo.tuntrust.tn", "agent TunTrust", "TunTrust agent"),
    ("agent2@demo.tuntrust.tn", "agent TunTrust", "TunTrust agent"),
    ("superviseur@demo.tuntrust.tn", "superviseur", "supervisor"),
    ("responsable@demo.tuntrust.tn", "responsable (lecture)", "manager (reads)"),
    ("administrateur@demo.tuntrust.tn", "administrateur technique", "technical administrator"),
)


class PortTaken(Exception):
    """Another program listens there; one sentence for the person who starts us."""


class _Handler(WSGIRequestHandler):
    """Silent: the application logs its requests itself, without tokens."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Nothing."""


def serve(app: Flask) -> None:
    """Prepare what is missing, then serve until Ctrl-C or SIGTERM. Exits with one sentence when it cannot."""
    if app.config["ENVIRONMENT"] == "production":
        raise SystemExit("run.py serves development only; in production run: gunicorn run:app")
    try:
        listening = listen(os.environ.get("HOST") or "127.0.0.1", _wanted_port())
        click.echo("ECERT : préparation des données… / preparing the data…")
        _prepare(app, listening)
    except (PortTaken, ValueError) as error:
        raise SystemExit(f"ECERT: {error}") from None
    except OperationalError as error:
        raise SystemExit(f"ECERT: the database cannot be used: {str(error.orig).strip()}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    mailbox = _mailbox(app)
    stop = threading.Event()
    from app import scheduler

    jobs = scheduler.start_in_thread(app, stop)
    try:
        serve_until_told(_mounted(app), listening, stop=stop, when_ready=lambda: _announce(app))
    finally:
        stop.set()
        jobs.join()
        if mailbox is not None:
            mailbox.stop()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PortTaken."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PortTaken(
            f"port {port} of {host} cannot be listened on ({reason}): stop what uses it, or choose another, "
            f"for instance PORT={port + 1 if port < 65535 else 5000}."
        ) from error


def serve_until_told(
    wsgi: Wsgi,
    listening: socket.socket,
    *,
    stop: threading.Event | None = None,
    when_ready: Callable[[], None] | None = None,
) -> None:
    """Serve by one thread a connection until SIGTERM or Ctrl-C (or ``stop``); call it from the main thread.

    No number of slow answers, nor calls of the application to the sandboxes mounted beside it, holds up others.
    """
    told = stop or threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    host, port = listening.getsockname()[:2]
    server: BaseWSGIServer = make_server(
        host, port, wsgi, threaded=True, request_handler=_Handler, fd=listening.fileno()
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="server")
    thread.start()
    try:
        if when_ready is not None:
            when_ready()
        told.wait()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        listening.close()


def _wanted_port() -> int:
    text = os.environ.get("PORT") or "5000"
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"PORT is {text!r}: a number up to 65535 is expected.")
    return int(text)


def _prepare(app: Flask, listening: socket.socket) -> None:
    """Addresses that follow the port; then migrations, reference data, demonstration data, each only if missing."""
    host, port = listening.getsockname()[:2]
    here = f"http://{_reachable(host)}:{port}"
    public = (os.environ.get("PUBLIC_URL") or here).rstrip("/")
    for name, value in (
        ("PUBLIC_URL", public),
        ("CLICTOPAY_BASE_URL", f"{public}{GATEWAY}/payment/rest/"),  # its pages must be where browsers come from
        ("IDENTITY_SERVICE_URL", f"{here}{IDENTITY}/"),
    ):
        if not os.environ.get(name):
            app.config[name] = value
    from flask_migrate import upgrade

    from app.services.reference_data import load_reference_data

    with _alone(_directory(app) / "start.lock"), app.app_context():
        upgrade()
        load_reference_data()
        if os.environ.get("DEMO_DATA", "yes").lower() not in {"0", "no", "off", "false"}:
            from app.demo.reconciliation import settled_orders
            from app.demo.seed import seed
            from app.sandbox.gateway_store import Store

            seed()
            Store(_directory(app) / GATEWAY_FILE).remember(settled_orders())


def _reachable(host: str) -> str:
    if host in WILDCARDS:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _directory(app: Flask) -> Path:
    directory = Path(app.config.get("VAR_DIRECTORY") or ROOT / "var")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two starts at once prepare one after the other."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _mailbox(app: Flask) -> Any:
    """The mailbox, on a free port, unless a mail server was named."""
    if os.environ.get("MAIL_SERVER") or os.environ.get("MAIL_PORT"):
        return None
    from app.extensions import mail
    from app.sandbox.mailbox import Mailbox

    mailbox = Mailbox(_directory(app) / "courrier")
    mailbox.start()
    app.config.update(MAIL_SERVER=mailbox.host, MAIL_PORT=mailbox.port)
    mail.init_app(app)
    return mailbox


def _mounted(app: Flask) -> Wsgi:
    from app.sandbox.gateway import create_gateway
    from app.sandbox.identity import create_identity

    public = app.config["PUBLIC_URL"]
    gateway = create_gateway(database=_directory(app) / GATEWAY_FILE, public_base=f"{public}{GATEWAY}")
    identity = create_identity(public_base=f"{public}{IDENTITY}")
    return _one_address(DispatcherMiddleware(app, {GATEWAY: gateway, IDENTITY: identity}), public)


def _one_address(inner: Wsgi, public: str) -> Wsgi:
    """Send a browser that says localhost to the public address: its cookies would not come back from the gateway."""
    wanted = public.split("://", 1)[1]
    others = {f"{name}:{wanted.rpartition(':')[2]}" for name in ("localhost", "127.0.0.1", "[::1]")} - {wanted}

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = Request(environ)
        if asked.method == "GET" and asked.host in others and asked.path not in PROBES:
            moved = Response(status=302, headers={"Location": f"{public}{asked.full_path.rstrip('?')}"})
            return moved(environ, start_response)
        return inner(environ, start_response)

    return answer


def _announce(app: Flask) -> None:
    public = app.config["PUBLIC_URL"]
    places = (
        ("Portail / Portal", public + "/"),
        ("Messagerie / Mailbox", public + "/dev/courrier"),
        ("Passerelle de paiement / Payment gateway", f"{public}{GATEWAY}/"),
    )
    lines = ["", "  ECERT"]
    lines += [f"    {label:<42} {address}" for label, address in places]
    lines += ["", f"  Comptes de démonstration / Demonstration accounts (mot de passe / password: {PASSWORD})"]
    lines += [f"    {email:<34} {french} / {english}" for email, french, english in ACCOUNTS]
    lines += ["", "  Ctrl-C : arrêter / to stop", ""]
    click.echo("\n".join(lines))
