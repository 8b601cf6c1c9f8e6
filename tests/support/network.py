"""Nothing in the tests leaves this machine: a connection or a look-up beyond loopback fails the test."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any


class OutsideNetwork(AssertionError):
    """Product or test code tried to reach another machine."""


# Every attempt, also those whose error the product swallowed as an outage; conftest fails the test for them.
attempts: list[str] = []

_LOCAL_NAMES = {"", "localhost", "localhost.localdomain", "0.0.0.0", "::"}


def is_local(host: object) -> bool:
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name in _LOCAL_NAMES or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(target: object) -> None:
    attempts.append(str(target))
    raise OutsideNetwork(f"a test tried to reach {target}: only loopback is allowed")


def _guarded(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
            _refuse(address)
        return original(self, *arguments)

    return call


def guard() -> None:
    """Put the guard on Python's sockets, for the rest of the process."""
    look_up = socket.getaddrinfo

    def local_look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if not is_local(host):
            _refuse(host)
        return look_up(host, *arguments, **options)

    socket.getaddrinfo = local_look_up
    for name in ("connect", "connect_ex", "sendto"):
        # The address is the last argument of each (sendto takes data and flags before it).
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
