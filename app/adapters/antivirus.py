"""ClamAV, asked over its own socket with the INSTREAM command (SEC-3)."""

from __future__ import annotations

import contextlib
import socket as sockets
import struct
import time
from dataclasses import dataclass

CHUNK = 256 * 1024
TIMEOUT = 30.0
_LONGEST_ANSWER = 4096


@dataclass(frozen=True, slots=True)
class Clean:
    """The antivirus read everything and found nothing."""


@dataclass(frozen=True, slots=True)
class Infected:
    """The antivirus knows this malware by that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nobody read the file: it stays in quarantine and is asked again; the reason is for the log."""

    reason: str


Verdict = Clean | Infected | Unavailable


def scan(data: bytes, socket: str, *, timeout: float = TIMEOUT) -> Verdict:
    """Send the bytes to clamd and return its verdict; never raises.

    ``socket`` is ``CLAMAV_SOCKET``: a path (``/run/clamav/clamd.ctl``, ``unix:/…``) or ``host:port``.
    ``timeout`` is in seconds, for the whole conversation.
    """
    deadline = time.monotonic() + timeout
    try:
        connection = _connect(socket, timeout)
    except (OSError, ValueError) as error:
        return Unavailable(f"{socket}: {error}")
    with connection:
        try:
            answer = _converse(connection, data, deadline)
        except OSError as error:
            return Unavailable(f"{socket}: {error}")
    return _verdict(answer)


def _connect(address: str, timeout: float) -> sockets.socket:
    path = address.removeprefix("unix://").removeprefix("unix:")
    if path.startswith("/"):
        connection = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            connection.connect(path)
        except BaseException:
            connection.close()
            raise
        return connection
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("expected a socket path or host:port")
    return sockets.create_connection((host.strip("[]"), int(port)), timeout)


def _converse(connection: sockets.socket, data: bytes, deadline: float) -> str:
    """Send one INSTREAM command; return clamd's answer (without its final NUL)."""
    # clamd answers and hangs up in the middle when the stream is longer than its limit: the
    # write then fails, and the reason is still there to be read.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        _send(connection, b"zINSTREAM\0", deadline)
        view = memoryview(data)
        for start in range(0, len(view), CHUNK):
            chunk = view[start : start + CHUNK]
            _send(connection, struct.pack(">I", len(chunk)) + chunk, deadline)
        _send(connection, struct.pack(">I", 0), deadline)
    answer = b""
    while b"\0" not in answer and len(answer) < _LONGEST_ANSWER:
        connection.settimeout(_left(deadline))
        received = connection.recv(1024)
        if not received:
            break
        answer += received
    return answer.split(b"\0")[0].decode("utf-8", "replace").strip()


def _send(connection: sockets.socket, payload: bytes, deadline: float) -> None:
    connection.settimeout(_left(deadline))
    connection.sendall(payload)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _verdict(answer: str) -> Verdict:
    if answer == "stream: OK":
        return Clean()
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return Infected(answer.removeprefix("stream: ").removesuffix(" FOUND"))
    return Unavailable(answer or "clamd closed the connection without an answer")
