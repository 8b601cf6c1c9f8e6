"""Calls to outside services: one bounded HTTP POST, the same for every adapter.

Connection, each read and the whole call have an end; answers have a size; redirections are not followed,
since they would carry credentials elsewhere. Nothing sent or received is logged here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

LARGEST_ANSWER = 1024 * 1024


class OutboundError(Exception):
    """No whole answer came. ``sent`` says whether the request may have reached the service."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


@dataclass(frozen=True)
class Answer:
    """What the service answered, read whole."""

    status: int
    body: bytes


class Line:
    """A client for one service, safe for threads, made again after a fork.

    Connections are not kept: a POST on one that the service has just closed would fail in doubt.
    """

    def __init__(self, base_url: str, *, connect: float, read: float) -> None:
        self._base_url = base_url.rstrip("/")
        self._connect = connect
        self._read = read
        self._client: httpx.Client | None = None
        self._process = 0

    def post(
        self, path: str, *, form: Mapping[str, str] | None = None, json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """POST and read the answer whole. Raises OutboundError, after ``connect`` + ``read`` seconds."""
        import httpx

        deadline = time.monotonic() + self._connect + self._read
        body = bytearray()
        try:
            with self._open().stream("POST", self._base_url + path, data=form, json=json, headers=headers) as response:
                for part in response.iter_bytes():
                    body += part
                    if len(body) > LARGEST_ANSWER:
                        raise OutboundError("the answer is too large", sent=True)
                    if time.monotonic() > deadline:
                        raise OutboundError("the answer takes too long", sent=True)
                return Answer(response.status_code, bytes(body))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise OutboundError(type(error).__name__, sent=False) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OutboundError(type(error).__name__, sent=True) from None

    def _open(self) -> httpx.Client:
        import httpx

        if self._client is None or self._process != os.getpid():
            self._process = os.getpid()
            self._client = httpx.Client(
                timeout=httpx.Timeout(self._read, connect=self._connect, pool=self._connect),
                limits=httpx.Limits(max_keepalive_connections=0),
                follow_redirects=False,
                trust_env=not _loopback(self._base_url),
            )
        return self._client


def _loopback(base_url: str) -> bool:
    """A service on this machine is never reached through the operator's proxy."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
