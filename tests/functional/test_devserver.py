"""``make run``: one process with everything, ready at the address it prints, whatever happened before (OPS-1)."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 120
pytestmark = [pytest.mark.spec("OPS-1"), pytest.mark.slow]


class Server:
    """run.py in a process of its own, everything it keeps under one folder."""

    def __init__(self, var: Path, **environment: str) -> None:
        self.log = var.parent / f"{len(list(var.parent.glob('*.log')))}.log"
        self._file = self.log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "run.py"],
            cwd=ROOT,
            env={**os.environ, "VAR_DIRECTORY": str(var), "PORT": "0", "DEMO_DATA": "no", **environment},
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def address(self) -> str:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = re.search(r"http://127\.0\.0\.1:\d+(?=/\n)", self.said)
            if found and "Ctrl-C" in self.said:
                return found.group()
            assert self.process.poll() is None, self.said
            time.sleep(0.05)
        raise AssertionError(f"not ready in {PATIENCE} s:\n{self.said}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30)
        self._file.close()
        return code


@pytest.fixture
def var(tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    folder.mkdir()
    return folder


@pytest.fixture
def start(var: Path) -> Iterator[Any]:
    started: list[Server] = []

    def begin(**environment: str) -> Server:
        started.append(Server(var, **environment))
        return started[-1]

    yield begin
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that several tests share."""
    folder = tmp_path_factory.mktemp("served") / "var"
    folder.mkdir()
    server = Server(folder)
    yield server.address()
    server.stop()


def _get(address: str, path: str, *, host: str | None = None) -> tuple[int, str, str]:
    """Status, body and Location, with no client's kindness in between."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    body = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, body, answer.getheader("Location") or ""


def test_everything_answers_at_the_address_it_prints_and_again_after_a_stop(start: Any) -> None:
    server = start()
    address = server.address()
    for email in ("admin@societe-demo.tn", "administrateur@demo.tuntrust.tn", "Demo-Ecert-2026"):
        assert email in server.said
    for path in (
        "/",
        "/suivi",
        "/healthz",
        "/readyz",
        "/metrics",
        "/dev/courrier",
        "/dev/passerelle/",
        "/dev/identite/",
    ):
        assert _get(address, path)[0] == 200, path
    assert server.stop() == 0
    assert "Traceback" not in server.said

    again = start()
    assert _get(again.address(), "/")[0] == 200
    assert again.stop(signal.SIGINT) == 0
    assert "Traceback" not in again.said


def test_a_browser_that_says_localhost_is_sent_to_the_one_address(served: str) -> None:
    address = served
    port = urlsplit(address).port
    status, _body, location = _get(address, "/suivi?x=1", host=f"localhost:{port}")
    assert (status, location) == (302, f"{address}/suivi?x=1")
    assert _get(address, "/healthz", host=f"localhost:{port}")[0] == 200
    assert _get(address, "/suivi", host="ailleurs.exemple.tn")[0] != 302


def test_slow_answers_hold_up_nobody(served: str) -> None:
    """Thirty browsers that never finish what they ask, and the portal answers another."""
    address = served
    opened = [socket.create_connection(("127.0.0.1", urlsplit(address).port or 0)) for _ in range(30)]
    for each in opened:
        each.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
    began = time.monotonic()
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(_get(address, "/suivi")[0])) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 10
    assert time.monotonic() - began < 10
    for each in opened:
        each.close()


def test_a_taken_port_is_said_in_one_sentence(start: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        server = start(PORT=str(other.getsockname()[1]))
        assert server.process.wait(PATIENCE) == 1
    assert len(server.said.strip().splitlines()) == 1
    assert "PORT=" in server.said


@pytest.mark.parametrize("port", ["cinq", "70000", "-1"])
def test_a_port_that_is_none_is_said_in_one_sentence(start: Any, port: str) -> None:
    server = start(PORT=port)
    assert server.process.wait(PATIENCE) == 1
    assert len(server.said.strip().splitlines()) == 1


def test_a_database_that_does_not_answer_is_said_in_one_sentence(start: Any) -> None:
    server = start(DATABASE_URL="postgresql://ecert:motdepasse@127.0.0.1:1/ecert")
    assert server.process.wait(PATIENCE) == 1
    assert "the database cannot be used" in server.said
    assert "Traceback" not in server.said
    assert "motdepasse" not in server.said


def test_it_is_for_development_only(start: Any) -> None:
    values = {
        "SECRET_KEY": "x" * 40, "PUBLIC_URL": "https://ecert.exemple.tn", "TRUSTED_HOSTS": "ecert.exemple.tn",
        "DATABASE_URL": "sqlite://", "STORAGE_URL": "file:///tmp/ecert-never", "MAIL_SERVER": "mail.exemple.tn",
        "MAIL_DEFAULT_SENDER": "a@exemple.tn", "CLICTOPAY_BASE_URL": "https://passerelle.exemple.tn/",
        "CLICTOPAY_USERNAME": "u", "CLICTOPAY_PASSWORD": "p", "IDENTITY_SERVICE_URL": "https://identite.exemple.tn/",
        "IDENTITY_SERVICE_TOKEN": "jeton", "WEB_CONCURRENCY": "1",
    }  # fmt: skip
    server = start(ECERT_ENV="production", **values)
    assert server.process.wait(PATIENCE) == 1
    assert "development only" in server.said


def test_killed_at_any_moment_of_its_start_it_starts_again(start: Any, var: Path) -> None:
    for wait in (1.2, 2.4, 3.6):
        server = start()
        time.sleep(wait)
        server.stop(signal.SIGKILL)
    server = start()
    assert _get(server.address(), "/readyz")[0] == 200
    assert server.stop() == 0


@pytest.mark.postgres(only=True)
def test_it_runs_on_postgresql_too(start: Any, database_url: str) -> None:
    """Without the demonstration, which ``test_demo`` seeds on both databases."""
    server = start(DATABASE_URL=database_url.replace("postgresql+psycopg://", "postgresql://"))
    assert _get(server.address(), "/readyz")[1] == '{"ready":true,"reasons":[]}\n'
    assert server.stop() == 0
