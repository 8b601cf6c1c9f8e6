"""The list an agent works from, carried from page to page: « Suivant » and the way back know it (QUE-3).

The list's address travels as one opaque parameter, ``liste``. It is read against the list's own source, so that a
made-up one asks for nothing that the list's page would not show.

On a file's page: ``trail = trail_of("demandes", request.values)``; the button « Suivant » is a form that posts
``trail.fields(reference)`` to the route that calls `open_next`; the way back is ``trail.back_url``.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import url_for

from app.models import CertificateRequest, Organisation
from app.permissions import Actor
from app.queries import desk_organisations, desk_requests
from app.queries.lists import Asked, Source
from app.services import assigning
from app.views.admin import listing

LIST = "liste"
LEFT = "dossier_quitte"
ONCE = "jeton"
LONGEST = 2_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,40}")

SOURCES: dict[str, Source] = {"demandes": desk_requests.SOURCE, "organisations": desk_organisations.SOURCE}


def pack(source: Source, asked: Asked) -> str:
    """The list's address as one word."""
    return base64.urlsafe_b64encode(urlencode(listing.address(source, asked)).encode()).decode().rstrip("=") or "-"


def unpack(source: Source, word: str) -> Asked | None:
    """What the word asks of the list; None for no word. One that nobody packed asks for the list as it opens."""
    if not word or len(word) > LONGEST:
        return None
    try:
        text = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)).decode()
    except (ValueError, binascii.Error):
        text = ""
    return listing.read_address(source, dict(parse_qsl(text)))


@dataclass(frozen=True, slots=True)
class Trail:
    """The list behind a file's page. ``asked`` is None when the page was not reached from a list."""

    slug: str
    word: str
    asked: Asked | None

    @property
    def back_url(self) -> str:
        """The list as it was left."""
        source = SOURCES[self.slug]
        return url_for(f"{self.slug}.index_view", **(listing.address(source, self.asked) if self.asked else {}))

    @property
    def args(self) -> dict[str, str]:
        """What an address of the same file adds to keep the list."""
        return {LIST: self.word} if self.asked is not None else {}

    def fields(self, reference: str) -> dict[str, str]:
        """The hidden fields of « Suivant »; made once a page, so that a double click is known for one press."""
        return {**self.args, LEFT: reference, ONCE: secrets.token_urlsafe(12)}

    def in_words(self) -> str:
        """« À prendre · Gouvernorat : Sfax »: which list « Suivant » goes through; "" when none."""
        return listing.in_words(SOURCES[self.slug], self.asked) if self.asked is not None else ""


def trail_of(slug: str, args: Mapping[str, str]) -> Trail:
    """The list named in an address or a form, for requests (``demandes``) or organisations (``organisations``)."""
    word = args.get(LIST, "")
    asked = unpack(SOURCES[slug], word)
    return Trail(slug, word if asked is not None else "", asked)


def open_next(slug: str, form: Mapping[str, Any], actor: Actor) -> tuple[CertificateRequest | Organisation, Trail]:
    """The file that « Suivant » opens, and the list that goes on with it. Raises DomainError when none is left."""
    trail = trail_of(slug, form)
    once = str(form.get(ONCE, ""))
    take = assigning.take_next_request if slug == "demandes" else assigning.take_next_organisation
    found = take(
        actor=actor,
        asked=trail.asked,
        current=str(form.get(LEFT, ""))[:40],
        once=once if _TOKEN.fullmatch(once) else "",
    )
    return found, trail
