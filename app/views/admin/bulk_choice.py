"""Which rows a bulk action is about: ticked ones, the page, or every row of the list as it is filtered (QUE-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import ColumnElement

from app.permissions import Actor, Permission
from app.queries import desk_requests, lists
from app.queries.lists import Asked, Source
from app.services.bulk import LIMIT
from app.services.bulk_actions import ACTIONS
from app.views.admin import listing

Chosen = tuple[int, int | None, int | None]
"""(id, version, holder or 0) as the list showed them."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The bar under a list: what it can do, and on how many rows."""

    actions: list[tuple[str, str]]
    address: str
    page: str
    on_page: int
    total: int
    capped: bool
    limit: int = LIMIT


def key_of(row: Any) -> str:
    """A row in the form: id, version and holder as shown."""
    return f"{row.id}.{row.version}.{row.assigned_to_id or 0}"


def offer(asked: Asked, rows: Sequence[Any], total: int, actor: Actor) -> Offer | None:
    """The bar for this person, None for those who may not review or when there is no row."""
    if not rows or not actor.can(Permission.REVIEW_FILES):
        return None
    address = listing.address(desk_requests.SOURCE, asked, apres=asked.after or None, avant=asked.before or None)
    return Offer(
        actions=[(each.code, each.label) for each in ACTIONS.values()],
        address=listing_text(address),
        page=",".join(key_of(row) for row in rows),
        on_page=len(rows),
        total=min(total, lists.CAP),
        capped=total > LIMIT,
    )


def listing_text(address: Mapping[str, str]) -> str:
    """The list's arguments as one hidden field."""
    return urlencode(address)


def asked_in(form: Mapping[str, str]) -> Asked:
    """The list the rows were chosen in, checked as any address is."""
    return listing.read_address(desk_requests.SOURCE, dict(parse_qsl(form.get("liste", "")[:4000])))


def back_address(form: Mapping[str, str]) -> dict[str, str]:
    """The arguments that show the same list again."""
    asked = asked_in(form)
    return listing.address(desk_requests.SOURCE, asked, apres=asked.after or None, avant=asked.before or None)


def chosen(form: Any, actor: Actor) -> list[Chosen]:
    """The rows, at most ``LIMIT``: what the form says wrongly is as if it were not there."""
    which = form.get("choix", "")
    if which == "filtre":
        asked = replace(asked_in(form), after="", before="")
        rows = lists.fetch_page(desk_requests.SOURCE, asked, actor, size=LIMIT).rows
        return [(row.id, row.version, row.assigned_to_id) for row in rows]
    keys = form.get("page", "").split(",") if which == "page" else form.getlist("row")
    found = {key[0]: key for key in map(_read, keys[:LIMIT]) if key is not None}
    return list(found.values()) if actor.can(Permission.READ_REQUESTS) else []


def only(ids: Sequence[int]) -> Source:
    """The list, cut to these rows of it."""
    source = desk_requests.SOURCE

    def scope(actor: Actor) -> ColumnElement[bool]:
        wanted: ColumnElement[bool] = source.model.id.in_(ids)
        own = source.scope(actor)
        return wanted if own is None else own & wanted

    return replace(source, scope=scope)


def _read(text: str) -> Chosen | None:
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        return None
    row_id, version, holder = (int(part) for part in parts)
    return (row_id, version, holder) if row_id else None
