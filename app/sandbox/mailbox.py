"""A mail server that takes every mail and delivers none: each becomes a file, for development (MAI-2)."""

from __future__ import annotations

import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST = 64 * 1024 * 1024


class _Keeper:
    """Writes what it receives, whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one message; the name sorts by arrival."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        name = f"{stamp}-{uuid.uuid4().hex[:8]}.eml"
        headers = "".join(f"X-Envelope-To: {address}\r\n" for address in envelope.rcpt_tos if "\n" not in address)
        partial = self._directory / f".{name}"
        try:
            partial.write_bytes(headers.encode("utf-8") + content)
            partial.replace(self._directory / name)
        except OSError as error:
            partial.unlink(missing_ok=True)
            return f"452 {error.strerror or 'cannot be kept'}"
        return "250 kept"


class _Controller(Controller):
    """Serves on a socket that is bound already, so that a taken port is an OSError at once."""

    def __init__(self, handler: Any, listening: socket.socket) -> None:
        host, port = listening.getsockname()[:2]
        super().__init__(handler, hostname=host, port=port, data_size_limit=LARGEST)
        self._listening = listening

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)


class Mailbox:
    """``start`` raises OSError when the port is taken; port 0 takes a free one, told by ``port``."""

    def __init__(self, directory: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        self.directory = directory
        self.host = host
        self.port = port
        self._controller: _Controller | None = None

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for left in self.directory.glob(".*.eml"):  # of a process that was killed
            left.unlink(missing_ok=True)
        listening = socket.create_server((self.host, self.port), reuse_port=False)
        self.port = int(listening.getsockname()[1])
        self._controller = _Controller(_Keeper(self.directory), listening)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
