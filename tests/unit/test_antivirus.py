"""ClamAV's INSTREAM, spoken over real sockets with a small clamd of our own (SEC-3)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.antivirus import Clean, Infected, Unavailable, scan

MARK = b"not-a-virus-but-named-one"


class FakeClamd:
    """Reads INSTREAM as clamd does: NUL-ended command, chunks with a big-endian length, a zero length."""

    def __init__(self, listener: socket.socket, *, limit: int = 1 << 25, mute: bool = False) -> None:
        self.listener, self.limit, self.mute = listener, limit, mute
        self.received = b""
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, connection.makefile("rb") as stream:
                    self._answer(connection, stream)

    def _answer(self, connection, stream) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += stream.read(1)
        if command != b"zINSTREAM\0":
            connection.sendall(b"UNKNOWN COMMAND\0")
            return
        self.received = b""
        while length := struct.unpack(">I", stream.read(4))[0]:
            if len(self.received) + length > self.limit:
                connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
            self.received += stream.read(length)
        if self.mute:
            time.sleep(2)
        elif MARK in self.received:
            connection.sendall(b"stream: Win.Test.Named-1 FOUND\0")
        else:
            connection.sendall(b"stream: OK\0")


@pytest.fixture
def unix_listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "clamd.ctl"))
        listener.listen()
        yield listener


@pytest.fixture
def tcp_listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.spec("SEC-3")
@pytest.mark.parametrize("written", ["{}", "unix:{}", "unix://{}"])
def test_a_clean_file_is_read_whole_over_a_unix_socket(unix_listener: socket.socket, written: str) -> None:
    clamd = FakeClamd(unix_listener)
    data = bytes(range(256)) * 4000
    assert scan(data, written.format(unix_listener.getsockname())) == Clean()
    assert clamd.received == data


@pytest.mark.spec("SEC-3")
@pytest.mark.parametrize("written", ["127.0.0.1:{}", "tcp://127.0.0.1:{}"])
def test_an_infected_file_is_named_over_tcp(tcp_listener: socket.socket, written: str) -> None:
    FakeClamd(tcp_listener)
    address = written.format(tcp_listener.getsockname()[1])
    assert scan(b"x" * 600_000 + MARK, address) == Infected("Win.Test.Named-1")
    assert scan(b"", address) == Clean()


@pytest.mark.spec("SEC-3")
def test_a_file_over_clamd_s_limit_counts_as_unread(tcp_listener: socket.socket) -> None:
    FakeClamd(tcp_listener, limit=300_000)
    verdict = scan(b"x" * 9_000_000, f"127.0.0.1:{tcp_listener.getsockname()[1]}")
    assert isinstance(verdict, Unavailable)


@pytest.mark.spec("SEC-3")
def test_a_mute_clamd_is_unavailable_when_the_time_is_over(tcp_listener: socket.socket) -> None:
    FakeClamd(tcp_listener, mute=True)
    started = time.monotonic()
    verdict = scan(b"x", f"127.0.0.1:{tcp_listener.getsockname()[1]}", timeout=0.3)
    assert isinstance(verdict, Unavailable)
    assert "timed out" in verdict.reason
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("address", ["/nowhere/clamd.ctl", "127.0.0.1:1", "", "nonsense", "host:port", ":3310"])
def test_no_clamd_is_unavailable_and_never_an_exception(address: str) -> None:
    assert isinstance(scan(b"x", address, timeout=2), Unavailable)


def test_an_answer_that_is_nonsense_is_not_clean(tcp_listener: socket.socket) -> None:
    def serve() -> None:
        connection, _ = tcp_listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nOK\0")

    threading.Thread(target=serve, daemon=True).start()
    assert isinstance(scan(b"x", f"127.0.0.1:{tcp_listener.getsockname()[1]}"), Unavailable)
