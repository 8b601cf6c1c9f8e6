"""The list of requests that TunTrust's people work from (QUE-1, QUE-2)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from app import clock
from app.extensions import db
from app.models import (
    Certificate,
    CertificateRequest,
    CertificateType,
    Contract,
    CreditNote,
    CreditProposalLine,
    Document,
    DocumentAsk,
    DocumentAskItem,
    Invoice,
    Order,
    Organisation,
    Payment,
    PaymentLine,
    PostOffice,
    User,
)
from app.permissions import Actor, Permission
from app.queries.exact import Kind, identifiers_in
from app.queries.lists import Sort, Source, Tab
from app.queries.request_filters import FILTERS, decidable
from app.queries.searching import Found, by_identifiers, by_words
from app.queries.uncollected import left_uncollected, revoked_uncredited
from app.states import CertificateState, OrganisationState, RequestState, Verdict

R = CertificateRequest
_WITH_TUNTRUST = (RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
SOON = 2
"""Days before the end of the delay from which the wait is shown as « bientôt en retard »."""


def _not_generated() -> ColumnElement[bool]:
    """A value to look up, row by row: as « not exists » PostgreSQL would read every certificate there ever was."""
    made = select(Certificate.id).where(Certificate.request_id == R.id).correlate(R).scalar_subquery()
    return made.is_(None)


def _to_take(_actor: Actor) -> ColumnElement[bool]:
    """Not those whose organisation was asked for papers: nobody can go on with them meanwhile (ADR 108)."""
    return and_(
        R.state == RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST,
        R.assigned_to_id.is_(None),
        R.approved_at.is_(None),
        R.clock_paused_at.is_(None),
    )


def _mine(actor: Actor) -> ColumnElement[bool]:
    return and_(R.state.in_(_WITH_TUNTRUST), R.assigned_to_id == actor.user_id)


def _at_the_client(_actor: Actor) -> ColumnElement[bool]:
    """TunTrust asked for something: of the request itself, or of its organisation (its clock stands)."""
    asked = or_(R.state == RequestState.EN_ATTENTE_DE_JUSTIFICATIFS, R.clock_paused_at.is_not(None))
    return and_(R.state.in_(_WITH_TUNTRUST), asked)


def _ready(_actor: Actor) -> ColumnElement[bool]:
    return and_(R.state == RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, R.approved_at.is_not(None), _not_generated())


def _to_dispatch(_actor: Actor) -> ColumnElement[bool]:
    """A revoked certificate is not sent, and one that is sent has left this state."""
    made = select(Certificate.request_id).where(Certificate.state == CertificateState.GENERE)
    return and_(R.state == RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, R.approved_at.is_not(None), R.id.in_(made))


def _uncollected(_actor: Actor) -> ColumnElement[bool]:
    """Generated ninety calendar days ago or more: not collected, or revoked by the clock and not credited (CRT-3)."""
    return R.id.in_(left_uncollected().union(revoked_uncredited()))


def _done(_actor: Actor) -> ColumnElement[bool]:
    return R.state.in_((RequestState.EXPEDIEE, RequestState.ANNULEE))


def under_review() -> ColumnElement[bool]:
    """With TunTrust, and not decided yet."""
    return and_(R.state == RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, R.approved_at.is_(None))


def foreign_to(actor: Actor) -> ColumnElement[bool]:
    """Neither the actor's own request nor their organisation's: nobody reviews those (PPL-3)."""
    stranger = or_(R.applicant_id.is_(None), R.applicant_id != actor.user_id)
    return and_(R.organisation_id.not_in(actor.organisation_ids), stranger)


def next_to_take(actor: Actor) -> int | None:
    """The request « Suivant » opens: the oldest free one that can be decided, else the oldest free one (QUE-3).

    Never the actor's own request or their organisation's (PPL-3).
    """
    free = select(R.id).where(_to_take(actor), foreign_to(actor))
    oldest = free.order_by(R.complete_since, R.id).limit(1)
    return db.session.scalar(oldest.where(decidable())) or db.session.scalar(oldest)


TABS = (
    Tab("a-prendre", _l("À prendre"), _to_take, "attente"),
    Tab("les-miennes", _l("Les miennes"), _mine, "attente"),
    Tab("en-attente-du-client", _l("En attente du client"), _at_the_client, "attente"),
    Tab("pretes", _l("Prêtes"), _ready, "attente"),
    Tab("a-expedier", _l("À expédier"), _to_dispatch, "attente"),
    Tab("90-jours", _l("90 jours"), _uncollected, "generation"),
    Tab("terminees", _l("Terminées"), _done, "etat_depuis", descending=True, large=True),
    Tab("toutes", _l("Toutes"), lambda _actor: None, "creation", descending=True, large=True),
)


class Stage(StrEnum):
    """Where a file stands within its state, as the list says it."""

    AT_THE_CLIENT = "AT_THE_CLIENT"
    ANSWERED_IN_PART = "ANSWERED_IN_PART"
    GENERATED = "GENERATED"
    APPROVED = "APPROVED"
    ORGANISATION_ASKED = "ORGANISATION_ASKED"
    ORGANISATION_NOT_VERIFIED = "ORGANISATION_NOT_VERIFIED"
    CONTRACT_NOT_SIGNED = "CONTRACT_NOT_SIGNED"
    CONTRACT_TO_VERIFY = "CONTRACT_TO_VERIFY"
    ANSWER_RECEIVED = "ANSWER_RECEIVED"
    COMPLETE = "COMPLETE"


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    """One statement for all that a row shows: joins, and a few look-ups by index."""
    agent = aliased(User)
    open_ask = and_(DocumentAsk.request_id == R.id, DocumentAsk.closed_at.is_(None))
    asked = select(func.count(DocumentAskItem.id)).join(DocumentAskItem.ask).where(open_ask)
    signed_verdict = (
        select(Document.verdict)
        .join(Contract, Contract.signed_document_id == Document.id)
        .where(Contract.organisation_id == R.organisation_id, Contract.superseded_at.is_(None))
        .order_by(Contract.version_number.desc())
        .limit(1)
    )
    answered_ask = exists(
        select(DocumentAsk.id).where(DocumentAsk.request_id == R.id, DocumentAsk.outcome == "supplied")
    )
    return (
        select(
            R.id,
            R.reference,
            R.common_name,
            (R.first_name_ar + " " + R.last_name_ar).label("name_ar"),
            R.last_name,
            R.first_name,
            R.last_name_ar,
            R.first_name_ar,
            R.identity_kind,
            R.identity_number,
            R.birth_date,
            R.email,
            R.mobile,
            R.state,
            R.state_changed_at,
            R.created_at,
            R.paid_at,
            R.complete_since,
            R.clock_paused_at,
            R.approved_at,
            R.version,
            R.validity_years,
            R.price_ht,
            R.assigned_to_id,
            func.trim(agent.first_name + " " + agent.last_name).label("agent"),
            Organisation.legal_name.label("organisation"),
            Organisation.reference.label("organisation_reference"),
            Organisation.tax_id,
            Organisation.state.label("organisation_state"),
            Order.reference.label("order_reference"),
            CertificateType.name.label("certificate_type"),
            PostOffice.name_fr.label("post_office"),
            Certificate.serial_number,
            Certificate.tracking_number,
            Certificate.recorded_at.label("generated_at"),
            signed_verdict.correlate(R).scalar_subquery().label("signed_verdict"),
            asked.correlate(R).scalar_subquery().label("points_asked"),
            asked.where(DocumentAskItem.answered_at.is_not(None))
            .correlate(R)
            .scalar_subquery()
            .label("points_answered"),
            answered_ask.correlate(R).label("answered"),
        )
        .join(Organisation, Organisation.id == R.organisation_id)
        .join(Order, Order.id == R.order_id)
        .join(CertificateType, CertificateType.id == R.certificate_type_id)
        .outerjoin(agent, agent.id == R.assigned_to_id)
        .outerjoin(PostOffice, PostOffice.id == R.post_office_id)
        .outerjoin(Certificate, Certificate.request_id == R.id)
    )


def stage_of(row: Any) -> Stage | None:
    """What stands in the file's way, from a row of the list; None outside TunTrust's hands."""
    if row.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        return Stage.ANSWERED_IN_PART if row.points_answered else Stage.AT_THE_CLIENT
    if row.state is not RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
        return None
    if row.approved_at is not None:
        return Stage.GENERATED if row.serial_number else Stage.APPROVED
    if row.organisation_state is OrganisationState.PIECES_DEMANDEES:
        return Stage.ORGANISATION_ASKED
    if row.signed_verdict is None:
        return Stage.CONTRACT_NOT_SIGNED
    if row.organisation_state is not OrganisationState.VERIFIEE:
        return Stage.ORGANISATION_NOT_VERIFIED
    if row.signed_verdict is not Verdict.ACCEPTE:
        return Stage.CONTRACT_TO_VERIFY
    return Stage.ANSWER_RECEIVED if row.answered else Stage.COMPLETE


def waiting_days(since_moment: datetime | None, today: date) -> int | None:
    """Whole days on Tunis's calendar since the file was complete."""
    return None if since_moment is None else max(0, (today - clock.local(since_moment).date()).days)


def wait_tone(days: int, limit: int) -> str:
    """The colour of a wait against the statutory delay (setting ``review.days``)."""
    if days > limit:
        return "late"
    return "soon" if days >= limit - SOON else ""


def search(text: str) -> Found:
    """Exact identifiers by their own index; anything else by words and names."""
    found = [_exact(kind, value) for kind, value in identifiers_in(text).items()]
    exact = [condition for condition in found if condition is not None]
    return by_identifiers(R, exact) or by_words(R, text)


def _exact(kind: Kind, value: str) -> ColumnElement[bool] | None:
    match kind:
        case Kind.REFERENCE:
            return _by_reference(value)
        case Kind.PAYMENT:
            return R.id.in_(
                select(PaymentLine.request_id)
                .join(Payment, Payment.id == PaymentLine.payment_id)
                .where(Payment.reference == value)
            )
        case Kind.CIN | Kind.IDENTITY:
            return R.identity_number == value
        case Kind.EMAIL:
            return R.email == value
        case Kind.TAX_ID:
            return R.organisation_id.in_(select(Organisation.id).where(Organisation.tax_id == value))
        case Kind.SERIAL:
            printed = (value, value.lstrip("0"))  # tools print a leading zero that is not kept
            return R.id.in_(select(Certificate.request_id).where(Certificate.serial_number.in_(printed)))
        case Kind.TRACKING:
            return R.id.in_(select(Certificate.request_id).where(Certificate.tracking_number == value))
        case Kind.PHONE:
            return R.mobile == value


def _by_reference(value: str) -> ColumnElement[bool] | None:
    prefix = value[:3]
    if prefix == "DEM":
        return R.reference == value
    if prefix == "CMD":
        return R.order_id.in_(select(Order.id).where(Order.reference == value))
    if prefix == "ORG":
        return R.organisation_id.in_(select(Organisation.id).where(Organisation.reference == value))
    if prefix == "CTR":
        return R.organisation_id.in_(select(Contract.organisation_id).where(Contract.number == value))
    if prefix == "AV-":
        lines = select(PaymentLine.request_id).join(
            CreditProposalLine, CreditProposalLine.payment_line_id == PaymentLine.id
        )
        noted = lines.join(CreditNote, CreditNote.proposal_id == CreditProposalLine.proposal_id)
        return R.id.in_(noted.where(CreditNote.number == value))
    return R.id.in_(
        select(PaymentLine.request_id)
        .join(Invoice, Invoice.payment_id == PaymentLine.payment_id)
        .where(Invoice.number == value)
    )


SOURCE = Source(
    model=R,
    rows=_rows,
    tabs=TABS,
    filters=FILTERS,
    sorts={
        "attente": Sort(R.complete_since, nullable=True),
        "creation": Sort(R.created_at),
        "etat_depuis": Sort(R.state_changed_at),
        "reference": Sort(R.reference),
        "generation": Sort(
            Certificate.recorded_at,
            nullable=True,
            join=lambda statement: statement.outerjoin(Certificate, Certificate.request_id == R.id),
        ),
    },
    search=search,
    scope=lambda actor: None if actor.can(Permission.READ_REQUESTS) else R.id.is_(None),
)
