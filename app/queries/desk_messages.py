"""The conversations that TunTrust's people answer from, and their ready-made replies (MSG-1, REV-8)."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from app.models import CannedReply, CertificateRequest, Message, MessageThread, Organisation, User
from app.permissions import Actor, Permission
from app.queries.desk_organisations import search as organisations_matching
from app.queries.desk_requests import search as requests_matching
from app.queries.lists import Sort, Source, Tab
from app.queries.threads import EXCERPT, last_message

T, R, O = MessageThread, CertificateRequest, Organisation  # noqa: E741 - letters of tables, as in the other lists


def _mine(actor: Actor) -> ColumnElement[bool]:
    """About a file that is assigned to the person."""
    return or_(
        T.request_id.in_(select(R.id).where(R.assigned_to_id == actor.user_id)),
        and_(T.request_id.is_(None), T.organisation_id.in_(select(O.id).where(O.assigned_to_id == actor.user_id))),
    )


def _search(text: str) -> ColumnElement[bool]:
    return or_(
        T.request_id.in_(select(R.id).where(requests_matching(text).condition)),
        T.organisation_id.in_(select(O.id).where(organisations_matching(text).condition)),
    )


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.READ_REQUESTS) else T.id.is_(None)


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    """One statement: joins, and the last message by its index."""
    agent, keeper = aliased(User), aliased(User)
    return (
        select(
            T.id,
            T.last_message_at,
            T.awaits_staff,
            func.coalesce(R.reference, O.reference).label("reference"),
            R.common_name,
            O.legal_name.label("organisation"),
            func.trim(
                func.coalesce(agent.first_name, keeper.first_name, "")
                + " "
                + func.coalesce(agent.last_name, keeper.last_name, "")
            ).label("agent"),
            last_message(func.substr(Message.text, 1, EXCERPT)).label("excerpt"),
            last_message(Message.author_label).label("author"),
            last_message(Message.by_staff).label("by_staff"),
        )
        .join(O, O.id == T.organisation_id)
        .outerjoin(R, R.id == T.request_id)
        .outerjoin(agent, agent.id == R.assigned_to_id)
        .outerjoin(keeper, and_(T.request_id.is_(None), keeper.id == O.assigned_to_id))
    )


SOURCE = Source(
    model=T,
    rows=_rows,
    tabs=(
        Tab("attendent", _l("Attendent une réponse"), lambda _actor: T.awaits_staff.is_(True), "dernier"),
        Tab("les-miens", _l("Les miens"), _mine, "dernier", descending=True),
        Tab("tous", _l("Tous"), lambda _actor: None, "dernier", descending=True),
    ),
    sorts={"dernier": Sort(T.last_message_at)},
    search=_search,
    scope=_scope,
)

C = CannedReply


def _replies_matching(text: str) -> ColumnElement[bool]:
    words = text.split()[:8]
    return and_(
        *(
            or_(*(each.icontains(word, autoescape=True) for each in (C.code, C.title, C.text_fr, C.text_ar)))
            for word in words
        )
    )


REPLIES = Source(
    model=C,
    rows=lambda: select(C.id, C.code, C.title, C.text_fr, C.text_ar, C.active, C.position),
    tabs=(
        Tab("proposes", _l("Proposées"), lambda _actor: C.active.is_(True), "ordre"),
        Tab("desactives", _l("Désactivées"), lambda _actor: ~C.active, "ordre"),
        Tab("tous", _l("Toutes"), lambda _actor: None, "ordre"),
    ),
    sorts={"ordre": Sort(C.position), "titre": Sort(C.title)},
    search=_replies_matching,
    scope=lambda actor: None if actor.can(Permission.EDIT_REASONS) else C.id.is_(None),
)
