"""French spaces: the ones before « : ; » and inside guillemets never break across lines. Pure.

Questions keep theirs: labels are the manual's to the character, and people and scripts search for them.

Plain-text mails keep ordinary spaces: people copy passwords and links from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NO_BREAK = "\u00a0"
_BEFORE = re.compile(r"(?<=\S) (?=[:;»](?:\s|$|[).,]))")
_AFTER = re.compile(r"(?<=«) (?=\S)")


_plain: ContextVar[bool] = ContextVar("plain_text", default=False)


@contextmanager
def plain_text() -> Iterator[None]:
    """While a plain-text mail is rendered."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def french_spaces(text: str) -> str:
    """The sentence with no-break spaces where French typography wants them; its words unchanged."""
    if _plain.get():
        return text
    return _AFTER.sub(NO_BREAK, _BEFORE.sub(NO_BREAK, text))
