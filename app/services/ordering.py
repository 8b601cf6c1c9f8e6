"""Ordering certificates: the list under way and sending it as one order (ORD-3, ORD-4, APP-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import delete, select

from app import clock
from app.errors import DomainError, NotFound, TooManyAttempts
from app.extensions import db
from app.models import CertificateRequest, Order, OrderDraftLine, Organisation, User
from app.permissions import Actor, Permission
from app.queries import chasing
from app.services import attempts, audit, history
from app.services.authority import require_organisation
from app.services.locking import lock
from app.services.order_creating import applicant_account, create_order, temporary_for, write_invitation
from app.services.order_lines import (
    RequestLine,
    account_problems,
    check_confirmations,
    check_offer,
    check_person,
    duplicates_of,
    offer_problems,
    repeated,
)
from app.services.replacing import check_replacements
from app.services.unit_of_work import use_case
from app.states import ORDERING_STATES, RequestState

__all__ = [  # what other journeys order with
    "LIST_LIMIT",
    "RequestLine",
    "applicant_account",
    "check_person",
    "draft_lines",
    "invite_again",
    "order_directly",
    "recheck",
    "remove_line",
    "resend_invitation",
    "save_line",
    "send_order",
    "write_invitation",
]

LIST_LIMIT = 100
"""People on one list; more go through a file (ORD-5)."""


def draft_lines(actor: Actor, organisation_id: int) -> list[tuple[int, RequestLine]]:
    """The actor's list under way for an organisation, in the order it was entered."""
    rows = db.session.scalars(
        select(OrderDraftLine)
        .where(OrderDraftLine.organisation_id == organisation_id, OrderDraftLine.user_id == actor.user_id)
        .order_by(OrderDraftLine.id)
    )
    return [(row.id, RequestLine.from_json(row.data)) for row in rows]


@use_case
def save_line(actor: Actor, organisation_id: int, line: RequestLine, *, line_id: int | None = None) -> int:
    """« Ajouter à la liste des demandes », or a corrected line; returns its id.

    Raises ValidationFailed beside the fields: e-mail or identity document already on the list or somebody
    else's, product or domain no longer on offer, somebody who has one already without a reason, two names that do
    not sound alike and were not confirmed (ORD-6). DomainError when the organisation may not order.
    """
    organisation = orderable_organisation(actor, organisation_id)
    line = _as_self(actor, line) if line.for_self else line
    check_offer(line)
    others = [(other_id, other) for other_id, other in draft_lines(actor, organisation.id) if other_id != line_id]
    if len(others) >= LIST_LIMIT:
        raise DomainError(_("La liste est limitée à %(n)d personnes : envoyez-la, puis continuez.", n=LIST_LIMIT))
    check_person(actor, line, [other for _id, other in others])
    check_confirmations(organisation.id, line)
    moment = clock.now()
    if line_id is None:
        row = OrderDraftLine(organisation_id=organisation.id, user_id=actor.user_id, created_at=moment)
        db.session.add(row)
    else:
        row = _own_line(actor, organisation.id, line_id)
        line = replace(line, replaces_id=row.data.get("replaces_id"))  # what it replaces does not change with its data
    row.data = line.to_json()
    row.updated_at = moment
    db.session.flush()
    return row.id


@use_case
def remove_line(actor: Actor, organisation_id: int, line_id: int) -> None:
    """Take a person off the list; one already gone is no error (double click)."""
    require_organisation(actor, organisation_id, Permission.ORDER_CERTIFICATES)
    db.session.execute(
        delete(OrderDraftLine).where(
            OrderDraftLine.id == line_id,
            OrderDraftLine.organisation_id == organisation_id,
            OrderDraftLine.user_id == actor.user_id,
        )
    )


def _own_line(actor: Actor, organisation_id: int, line_id: int) -> OrderDraftLine:
    row = db.session.scalar(
        select(OrderDraftLine)
        .where(
            OrderDraftLine.id == line_id,
            OrderDraftLine.organisation_id == organisation_id,
            OrderDraftLine.user_id == actor.user_id,
        )
        .with_for_update()
    )
    if row is None:
        raise NotFound(_("Cette ligne n'est plus dans la liste."))
    return row


@use_case
def send_order(actor: Actor, organisation_id: int, *, attested: bool) -> Order:
    """« Envoyer les demandes »: the whole list becomes one order of NON_FINALISEE requests, or nothing does.

    Each applicant is mailed « Création de la demande de certificat », with a temporary password unless they
    have an account (APP-1). The list is locked: a second click finds it empty. Raises DomainError for an empty
    list, a missing attestation, or a line that is no longer right (it says whose).
    """
    organisation = lock(Organisation, organisation_id)
    orderable_organisation(actor, organisation.id)
    rows = db.session.scalars(
        select(OrderDraftLine)
        .where(OrderDraftLine.organisation_id == organisation.id, OrderDraftLine.user_id == actor.user_id)
        .order_by(OrderDraftLine.id)
        .with_for_update()
    ).all()
    lines = [RequestLine.from_json(row.data) for row in rows]
    if not lines:
        raise DomainError(_("La liste est vide : elle a peut-être déjà été envoyée. Voyez l'historique des commandes."))
    if not attested:
        raise DomainError(_("Cochez l'attestation pour envoyer les demandes."), field="attestation")
    recheck(actor, organisation.id, lines)
    check_replacements(organisation.id, lines)
    order = create_order(actor, organisation, lines)
    for row in rows:
        db.session.delete(row)
    return order


@use_case
def order_directly(actor: Actor, organisation_id: int, line: RequestLine) -> Order:
    """One person ordered at once, beside whatever the list holds: a successor (CRT-5). Raises as ``save_line``."""
    organisation = lock(Organisation, organisation_id)
    orderable_organisation(actor, organisation.id)
    line = _as_self(actor, line) if line.for_self else line
    check_offer(line)
    check_person(actor, line, [])
    check_confirmations(organisation.id, line)
    check_replacements(organisation.id, [line])
    return create_order(actor, organisation, [line])


def recheck(actor: Actor, organisation_id: int, lines: Sequence[RequestLine]) -> None:
    """Every line is still right. Raises DomainError saying whose is not."""
    wrong: list[dict[str, object]] = offer_problems(lines)
    for place, (field, _first) in repeated(lines).items():
        sentence = (
            _("Cette personne est déjà dans la liste.")
            if field == "identity_number"
            else _("Une autre personne de la liste a déjà cette adresse e-mail.")
        )
        wrong[place].setdefault(field, sentence)
    for place, problems in enumerate(account_problems(actor, lines)):
        wrong[place] |= problems
    for place, known in duplicates_of(organisation_id, lines).items():
        if not lines[place].duplicate_reason:
            why = _("%(known)s Modifiez sa ligne pour écrire pourquoi.", known=known[0].sentence)
            wrong[place].setdefault("duplicate_reason", why)
    for line, problems in zip(lines, wrong, strict=True):
        if problems:
            raise DomainError(_("%(name)s : %(why)s", name=line.full_name, why=str(next(iter(problems.values())))))


@use_case
def resend_invitation(actor: Actor, request_id: int) -> None:
    """Mail the applicant again, at most once an hour a person (APP-1, ORD-7). Raises DomainError, TooManyAttempts."""
    request = db.session.get(CertificateRequest, request_id)
    if request is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require_organisation(actor, request.organisation_id, Permission.ORDER_CERTIFICATES)
    invite_again(lock(CertificateRequest, request_id), actor=actor)


def invite_again(request: CertificateRequest, *, actor: Actor) -> bool:
    """The applicant's invitation once more, for a request the caller locked; did a temporary password go with it?

    Inside a use case; raises the same.
    """
    if request.state is not RequestState.NON_FINALISEE:
        raise DomainError(_("Cette demande n'attend plus le demandeur."))
    applicant = lock(User, request.applicant_id)
    try:
        attempts.count_attempt(chasing.invitation_key(applicant.id), limit=1, window=chasing.PAUSE)
    except TooManyAttempts as wait:
        raise TooManyAttempts(_told_within_the_hour(request, wait.retry_after), retry_after=wait.retry_after) from wait
    temporary = temporary_for(applicant)
    write_invitation(request, request.organisation, applicant, temporary)
    history.write(actor, "invitation_resent", request_id=request.id, organisation_id=request.organisation_id)
    audit.record(actor, "resend_invitation", request)
    return temporary is not None


def _told_within_the_hour(request: CertificateRequest, seconds: int) -> str:
    return ngettext(
        "%(name)s a déjà été relancé(e) il y a moins d'une heure : réessayez dans %(num)d minute.",
        "%(name)s a déjà été relancé(e) il y a moins d'une heure : réessayez dans %(num)d minutes.",
        -(-seconds // 60),
        name=f"{request.first_name} {request.last_name}",
    )


def orderable_organisation(actor: Actor, organisation_id: int) -> Organisation:
    """The organisation the actor orders for. Raises NotFound, Forbidden, DomainError when it may not order."""
    require_organisation(actor, organisation_id, Permission.ORDER_CERTIFICATES)
    organisation = db.session.get_one(Organisation, organisation_id)
    if organisation.state not in ORDERING_STATES:
        raise DomainError(_("Votre organisation ne peut pas commander pour le moment. Voyez « Mon organisation »."))
    return organisation


def _as_self(actor: Actor, line: RequestLine) -> RequestLine:
    """« Je suis le demandeur du certificat »: the actor's own account, so no second one is made (ORD-3)."""
    user = db.session.get_one(User, actor.user_id)
    return replace(line, email=user.email)
