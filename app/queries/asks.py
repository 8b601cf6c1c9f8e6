"""What TunTrust asked for and what waits for somebody, each in the scope of who asks (REV-5, PPL-2)."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import joinedload, selectinload

from app.errors import NotFound
from app.extensions import db
from app.models import (
    Certificate,
    CertificateRequest,
    Contract,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    HistoryEntry,
    Organisation,
)
from app.permissions import Actor
from app.states import CertificateState, RequestState

LIMIT = 100


def open_ask(request_id: int) -> DocumentAsk | None:
    """The ask of a request that is still open, with its points and their answers."""
    return db.session.scalar(
        select(DocumentAsk)
        .where(DocumentAsk.request_id == request_id, DocumentAsk.closed_at.is_(None))
        .options(selectinload(DocumentAsk.items).joinedload(DocumentAskItem.answer_document))
    )


def open_ask_of_organisation(organisation_id: int) -> DocumentAsk | None:
    """The same for an organisation."""
    return db.session.scalar(
        select(DocumentAsk)
        .where(DocumentAsk.organisation_id == organisation_id, DocumentAsk.closed_at.is_(None))
        .options(selectinload(DocumentAsk.items).joinedload(DocumentAskItem.answer_document))
    )


def item_of(ask: DocumentAsk | None, item_id: int) -> DocumentAskItem:
    """A point of this ask. Raises NotFound for any other."""
    for item in ask.items if ask is not None else ():
        if item.id == item_id:
            return item
    raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))


def item_of_request(request_id: int, item_id: int) -> DocumentAskItem:
    """A point of any ask of this request, closed ones too: what an old page answers. Raises NotFound."""
    return _item(item_id, DocumentAsk.request_id == request_id)


def item_of_organisation(organisation_id: int, item_id: int) -> DocumentAskItem:
    """The same for an organisation."""
    return _item(item_id, DocumentAsk.organisation_id == organisation_id)


def _item(item_id: int, of: ColumnElement[bool]) -> DocumentAskItem:
    found = db.session.scalar(
        select(DocumentAskItem)
        .join(DocumentAskItem.ask)
        .where(DocumentAskItem.id == item_id, of)
        .options(joinedload(DocumentAskItem.ask))
    )
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return found


def last_outcome(request_id: int) -> str | None:
    """How the latest closed ask of a request ended: ``supplied``, ``withdrawn`` or ``rejected``."""
    return db.session.scalar(
        select(DocumentAsk.outcome)
        .where(DocumentAsk.request_id == request_id, DocumentAsk.closed_at.is_not(None))
        .order_by(DocumentAsk.closed_at.desc(), DocumentAsk.id.desc())
        .limit(1)
    )


def stamp(item: DocumentAskItem) -> str:
    """When the point was last answered, as a page carries it; « » for never."""
    return item.answered_at.isoformat() if item.answered_at is not None else ""


def left_of(ask: DocumentAsk) -> list[DocumentAskItem]:
    """The points of an ask that wait for an answer."""
    return [item for item in ask.items if item.answered_at is None]


def answered_by(item: DocumentAskItem) -> str:
    """Who last answered the point, as the history names them; « » when nobody did."""
    ask = item.ask
    of = (
        HistoryEntry.request_id == ask.request_id
        if ask.request_id
        else HistoryEntry.organisation_id == ask.organisation_id
    )
    entries = db.session.scalars(
        select(HistoryEntry)
        .where(of, HistoryEntry.action == "answer_item", HistoryEntry.at >= ask.asked_at)
        .order_by(HistoryEntry.id.desc())
        .limit(LIMIT)
    )
    return next((entry.actor_label for entry in entries if (entry.details or {}).get("item") == item.id), "")


def may_answer(actor: Actor, request: CertificateRequest, item: DocumentAskItem) -> bool:
    """An administrator answers everything; the applicant their own identity document and data (chapter 1)."""
    if request.organisation_id in actor.organisation_ids:
        return True
    own = item.field is not None or item.document_kind is DocumentKind.APPLICANT_IDENTITY
    return own and actor.user_id is not None and request.applicant_id == actor.user_id


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person, oldest first in each list; an empty one is false."""

    to_validate: list[CertificateRequest]
    to_correct: list[CertificateRequest]
    to_answer: list[tuple[CertificateRequest, DocumentAsk]]
    organisations_to_answer: list[Organisation]
    to_collect: list[CertificateRequest]

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def count(self) -> int:
        """How many things wait."""
        lists = (self.to_validate, self.to_correct, self.to_answer, self.organisations_to_answer, self.to_collect)
        return sum(len(each) for each in lists)


def waiting_for(actor: Actor, *, own_only: bool = False) -> Waiting:
    """« À vous de jouer » over all requests: five statements, whatever their number.

    ``own_only`` leaves out what waits for the person as an administrator.
    """
    administered = () if own_only else tuple(actor.organisation_ids)
    unfinished = CertificateRequest.state == RequestState.NON_FINALISEE
    to_validate = select(CertificateRequest).where(
        unfinished,
        CertificateRequest.applicant_id == actor.user_id,
        CertificateRequest.correction_asked_at.is_(None),
    )
    to_correct = select(CertificateRequest).where(
        unfinished,
        CertificateRequest.organisation_id.in_(administered),
        CertificateRequest.correction_asked_at.is_not(None),
    )
    return Waiting(
        to_validate=_requests(to_validate),
        to_correct=_requests(to_correct) if administered else [],
        to_answer=_asks(actor, administered),
        organisations_to_answer=_organisations(administered) if administered else [],
        to_collect=_parcels_of(actor),
    )


@dataclass(frozen=True, slots=True)
class AtHome:
    """What waits for an administrator beside the counters of « Historique des commandes » (ORD-1)."""

    to_validate: list[CertificateRequest]
    to_correct: list[CertificateRequest]
    contract_to_sign: bool
    to_collect: list[CertificateRequest]


def waiting_at_home(actor: Actor, organisation_id: int) -> AtHome:
    """Their own requests and parcel, what applicants report, the contract without its signed copy: three statements."""
    own = (CertificateRequest.applicant_id == actor.user_id) & CertificateRequest.correction_asked_at.is_(None)
    reported = CertificateRequest.correction_asked_at.is_not(None)
    rows = _requests(
        select(CertificateRequest).where(
            CertificateRequest.state == RequestState.NON_FINALISEE,
            CertificateRequest.organisation_id == organisation_id,
            own | reported,
        )
    )
    unsigned = select(Contract.id).where(
        Contract.organisation_id == organisation_id,
        Contract.superseded_at.is_(None),
        Contract.signed_document_id.is_(None),
    )
    return AtHome(
        to_validate=[row for row in rows if row.correction_asked_at is None],
        to_correct=[row for row in rows if row.correction_asked_at is not None],
        contract_to_sign=db.session.scalar(unsigned.limit(1)) is not None,
        to_collect=_parcels_of(actor),
    )


def _parcels_of(actor: Actor) -> list[CertificateRequest]:
    """The person's own certificates that lie at a post office, or are on their way there (CRT-2)."""
    return _requests(
        select(CertificateRequest)
        .join(Certificate, Certificate.request_id == CertificateRequest.id)
        .where(
            CertificateRequest.applicant_id == actor.user_id,
            CertificateRequest.state == RequestState.EXPEDIEE,
            Certificate.state == CertificateState.EXPEDIE,
        )
        .options(joinedload(CertificateRequest.post_office))
    )


def _requests(statement: Select[CertificateRequest]) -> list[CertificateRequest]:
    return list(
        db.session.scalars(
            statement.options(joinedload(CertificateRequest.organisation)).order_by(CertificateRequest.id).limit(LIMIT)
        )
    )


def _asks(actor: Actor, administered: tuple[int, ...]) -> list[tuple[CertificateRequest, DocumentAsk]]:
    mine = CertificateRequest.applicant_id == actor.user_id
    scope = mine | CertificateRequest.organisation_id.in_(administered) if administered else mine
    rows = db.session.execute(
        select(CertificateRequest, DocumentAsk)
        .join(DocumentAsk, DocumentAsk.request_id == CertificateRequest.id)
        .where(
            DocumentAsk.closed_at.is_(None),
            CertificateRequest.state == RequestState.EN_ATTENTE_DE_JUSTIFICATIFS,
            scope,
        )
        .options(joinedload(CertificateRequest.organisation), selectinload(DocumentAsk.items))
        .order_by(DocumentAsk.id)
        .limit(LIMIT)
    )
    return [(row[0], row[1]) for row in rows]


def _organisations(administered: tuple[int, ...]) -> list[Organisation]:
    return list(
        db.session.scalars(
            select(Organisation)
            .join(DocumentAsk, DocumentAsk.organisation_id == Organisation.id)
            .where(DocumentAsk.closed_at.is_(None), Organisation.id.in_(administered))
            .order_by(Organisation.id)
        )
    )
