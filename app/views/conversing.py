"""What both sides' pages of a conversation share: attached files as cards, our own addresses as links."""

from __future__ import annotations

import re
from typing import Any

from flask import current_app

from app.models import Document
from app.queries.threads import Conversation
from app.states import Verdict
from app.views.documents import shown_file

_ADDRESS = re.compile(r"https?://[^\s<>\"'«»]+[^\s<>\"'«».,;:!?)\]]")


def shown_papers(talk: Conversation) -> dict[int, list[dict[str, Any]]]:
    """Each message's files as the document card shows them."""
    return {
        each.message.id: [_shown(paper) for paper in each.message.attachments]
        for _day, rows in talk.days
        for each in rows
        if each.message.retracted_at is None
    }


def _shown(paper: Document) -> dict[str, Any]:
    """The card of a file; one that the antivirus refused is only named."""
    if paper.verdict is Verdict.REFUSE:
        return {**shown_file(paper), "url": None, "thumb_url": None, "status": paper.verdict_reason}
    return shown_file(paper)


def links_in(text: str) -> list[tuple[str, bool]]:
    """The text in parts, each with whether it is an address of this portal: no other is made into a link."""
    own = current_app.config["PUBLIC_URL"].rstrip("/") + "/"
    parts: list[tuple[str, bool]] = []
    at = 0
    for match in _ADDRESS.finditer(text):
        if match.group(0).startswith(own):
            parts += [(text[at : match.start()], False), (match.group(0), True)]
            at = match.end()
    return [part for part in [*parts, (text[at:], False)] if part[0]]
