"""Real servers on loopback for the tests: HTTP threads, a mail server, and the ports they keep.

A ``Port`` is taken once for a whole session, so that the application can be configured with it before
anything listens there. Until its server starts, connections are refused: a service nobody asked for is down.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

HOST = "127.0.0.1"


class Port:
    """A loopback port held for the session; ``listen()`` gives a socket listening on it."""

    def __init__(self) -> None:
        self._held = self._bind(0)
        self.number: int = self._held.getsockname()[1]

    @staticmethod
    def _bind(number: int) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, number))
        return bound

    def listen(self) -> socket.socket:
        self._held.close()
        listening = self._bind(self.number)
        listening.listen(128)
        return listening

    def hold(self) -> None:
        """After the listening socket was closed: keep the number, refuse connections."""
        self._held = self._bind(self.number)

    def close(self) -> None:
        self._held.close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's own name
        """Requests are watched by the tests, not printed."""


class HttpServer:
    """A WSGI application served for real by threads. Replace ``wsgi`` to change what answers."""

    def __init__(self, port: Port) -> None:
        self.port = port
        self.url = f"http://{HOST}:{port.number}"
        self.wsgi: Callable[..., Iterable[bytes]] | None = None
        self.requests: list[tuple[str, str]] = []
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        assert self.wsgi is not None, "the server was started without an application"
        return self.wsgi(environ, start_response)

    @property
    def running(self) -> bool:
        return self._server is not None

    def start(self, wsgi: Callable[..., Iterable[bytes]] | None = None) -> None:
        """Serve ``wsgi`` (or what was served before ``stop``)."""
        self.wsgi = wsgi or self.wsgi
        if self._server is not None:
            return
        listening = self.port.listen()
        self._server = make_server(
            HOST, self.port.number, self._answer, threaded=True, request_handler=_Quiet, fd=listening.fileno()
        )
        listening.close()  # the server works on its own copy of it
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """From now on connections are refused, as by a service that is down."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None
        self.port.hold()

    def answer(self, body: bytes | str, *, status: int = 200, content_type: str = "application/json") -> None:
        """From now on answer every request with just this, right or nonsense."""
        data = body.encode() if isinstance(body, str) else body

        def fixed(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            start_response(f"{status} Told so", [("Content-Type", content_type), ("Content-Length", str(len(data)))])
            return [data]

        self.wsgi = fixed

    def delay(self, seconds: float) -> threading.Event:
        """From now on answer only after ``seconds``, or as soon as the returned event is set."""
        inner, hurry = self.wsgi, threading.Event()

        def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            hurry.wait(seconds)
            assert inner is not None
            return inner(environ, start_response)

        self.wsgi = slow
        return hurry


@dataclass
class Mail:
    """One message as the mail server received it."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    @property
    def subject(self) -> str:
        """Unfolded: Python's parser keeps the space of a header folded right after its name."""
        return str(self.message["Subject"]).strip()

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return part.get_content() if part else ""

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        return part.get_content() if part else ""

    @property
    def attachments(self) -> dict[str, bytes]:
        return {
            part.get_filename() or "": part.get_payload(decode=True) or b"" for part in self.message.iter_attachments()
        }


@dataclass
class _Handler:
    mails: list[Mail] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    answer: str | None = None
    drop: str | None = None
    mood: Callable[[], str] | None = None

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.mood is not None:
            return await self._in_a_mood(self.mood(), server, envelope)
        if self.drop is not None and server.transport is not None:
            server.transport.abort()
            if self.drop == "before accepting":
                return "451 never read"
        if self.answer:
            return self.answer
        return self._keep(envelope)

    async def _in_a_mood(self, mood: str, server: SMTP, envelope: Envelope) -> str:
        """« drop », « drop accepted », « delay <seconds> », an answer of its own, or nothing: the mail is taken."""
        if mood.startswith("delay"):
            await asyncio.sleep(float(mood.split()[1]))
        elif mood.startswith("drop"):
            if mood == "drop accepted":
                self._keep(envelope)
            if server.transport is not None:
                server.transport.abort()
            return "451 never read"
        elif mood:
            return mood
        return self._keep(envelope)

    def _keep(self, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(Mail(envelope.mail_from or "", list(envelope.rcpt_tos), message))
        return "250 OK"


class _Controller(Controller):
    def __init__(self, handler: _Handler, port: Port) -> None:
        super().__init__(handler, hostname=HOST, port=port.number, data_size_limit=64 * 1024 * 1024)
        self._listening = port.listen()

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)


class MailServer:
    """A real SMTP server that keeps what it receives.

    ``refuse("a@b.tn", "550 no such user")`` refuses a recipient, ``answer("451 later")`` refuses every
    message, ``drop()`` hangs up in the middle of one, ``behave()`` ends all that; ``stop()`` and ``start()``
    are an outage.
    """

    def __init__(self, port: Port) -> None:
        self.port = port
        self._handler = _Handler()
        self._controller: _Controller | None = None

    def start(self) -> None:
        if self._controller is None:
            self._controller = _Controller(self._handler, self.port)
            self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
            self.port.hold()

    @property
    def mails(self) -> list[Mail]:
        return self._handler.mails

    def to(self, address: str) -> list[Mail]:
        """What this address received, oldest first."""
        return [mail for mail in self.mails if address in mail.recipients]

    def only(self, address: str | None = None, subject: str | None = None) -> Mail:
        """The one mail to that address and with that subject; anything but one fails."""
        found = [
            mail
            for mail in self.mails
            if (address is None or address in mail.recipients) and (subject is None or mail.subject == subject)
        ]
        seen = [(mail.recipients, mail.subject) for mail in self.mails]
        assert len(found) == 1, f"{len(found)} mails to {address} with subject {subject}; received: {seen}"
        return found[0]

    def clear(self) -> None:
        self.mails.clear()

    def refuse(self, address: str, reply: str = "550 5.1.1 no such user") -> None:
        self._handler.refusals[address] = reply

    def answer(self, reply: str) -> None:
        self._handler.answer = reply

    def drop(self, *, accepted: bool = False) -> None:
        """Hang up instead of answering a message, which was taken (``accepted``) or was not."""
        self._handler.drop = "after accepting" if accepted else "before accepting"

    def moods(self, choose: Callable[[], str]) -> None:
        """Ask ``choose`` about each message: « drop », « drop accepted », « delay 2 », « 451 later », or ""."""
        self._handler.mood = choose

    def behave(self) -> None:
        self._handler.refusals.clear()
        self._handler.mood = None
        self._handler.answer = self._handler.drop = None
