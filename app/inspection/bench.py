"""The bench on which strangers' files are opened: child processes that may die, the product may not.

Decoders of PDF and pictures are large C and C++ libraries; a hostile file can crash them, take
gigabytes or never end. Each job therefore runs in a child with bounded memory and is ended when its
time is over (SEC-3, REL-8). Children are kept between jobs, at most ``CHILDREN`` for each process.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

CHILDREN = 2
JOBS_PER_CHILD = 500
TIMEOUT = 20.0  # seconds for one job, the child's start included

_SCRIPT = Path(__file__).with_name("bench_child.py")
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TESSDATA_PREFIX")

log = logging.getLogger(__name__)


class JobRefused(Exception):
    """The child judged the file: a code and the figures of its sentence."""

    def __init__(self, code: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.details = details or {}


class BenchUnavailable(Exception):
    """No child process could be started; nothing is known of the file."""


class _Child:
    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            self.process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own script
                [sys.executable, "-I", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment | {"LC_ALL": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise BenchUnavailable(str(error)) from error
        self.jobs = 0

    def ask(self, header: dict[str, Any], payload: bytes, timeout: float) -> tuple[dict[str, Any], bytes]:
        """Exchange one job; raise JobRefused("too_complex") when the child dies or is too slow."""
        self.jobs += 1
        stdin, stdout = self.process.stdin, self.process.stdout
        if stdin is None or stdout is None:
            raise BenchUnavailable("no pipes")
        timer = threading.Timer(timeout, self.kill)
        timer.start()
        try:
            stdin.write(json.dumps(header | {"bytes": len(payload)}).encode() + b"\n")
            stdin.write(payload)
            stdin.flush()
            line = stdout.readline()
            answer = json.loads(line) if line else {}
            data = stdout.read(answer.pop("bytes", 0))
        except (OSError, ValueError) as error:
            raise JobRefused("too_complex") from error
        finally:
            timer.cancel()
        if not line:
            raise JobRefused("too_complex")
        return answer, data

    @property
    def usable(self) -> bool:
        return self.jobs < JOBS_PER_CHILD and self.process.poll() is None

    def kill(self) -> None:
        """End the child with all that it started (tesseract): it leads a process group of its own."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()

    def close(self) -> None:
        self.kill()
        self.hang_up()
        self.process.wait()

    def hang_up(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class _Bench:
    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(CHILDREN)
        self._idle: list[_Child] = []

    def ask(self, header: dict[str, Any], payload: bytes, timeout: float) -> tuple[dict[str, Any], bytes]:
        with self._places:
            child = self._take()
            try:
                answer = child.ask(header, payload, timeout)
            except BaseException:
                child.close()
                raise
            if child.usable:
                self._idle.append(child)
            else:
                child.close()
            return answer

    def _take(self) -> _Child:
        while self._idle:
            child = self._idle.pop()
            if child.usable:
                return child
            child.close()
        return _Child()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def forget(self) -> None:
        """Let go of children that belong to another process."""
        for child in self._idle:
            child.hang_up()
            child.process.returncode = 0  # not ours to wait for


_bench = _Bench()


def _close() -> None:
    _bench.close()


def _start_over() -> None:
    """After a fork the children stay the parent's, and a lock held at that moment is never released."""
    global _bench
    inherited, _bench = _bench, _Bench()
    inherited.forget()


atexit.register(_close)
os.register_at_fork(after_in_child=_start_over)


def ask(job: str, payload: bytes, *, timeout: float = TIMEOUT, **options: Any) -> tuple[dict[str, Any], bytes]:
    """Have a child do the job of that name; return its answer and the bytes that came with it.

    Raises JobRefused (the child's verdict; ``too_complex`` when it died, ran out of memory or of
    ``timeout`` seconds; ``broken`` when the decoder failed) and BenchUnavailable.
    """
    answer, data = _bench.ask({"job": job} | options, payload, timeout)
    if "refused" in answer:
        raise JobRefused(answer["refused"], answer.get("details"))
    if "failed" in answer:
        log.warning("bench job %s failed: %s", job, answer["failed"])
        raise JobRefused("broken")
    return answer, data
