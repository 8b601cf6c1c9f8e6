"""The basket: it belongs to the organisation, whoever of its administrators fills it (PAY-1)."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import CertificateRequest, Organisation
from app.permissions import Actor, Permission
from app.queries import chasing
from app.queries.billing import basket_count, live_payments_of
from app.services import audit
from app.services.authority import require, require_organisation
from app.services.locking import lock
from app.services.payments.releasing import release_requests
from app.services.unit_of_work import use_case
from app.states import ORDERING_STATES, RequestState

BASKET_LIMIT = 500


@use_case
def add_to_basket(actor: Actor, references: Sequence[str]) -> int:
    """Put these requests into their organisation's basket; says how many were not there yet.

    All or nothing. Raises DomainError (nothing chosen, not payable, payment under way, basket full), Forbidden,
    NotFound (a request of another organisation, PPL-2).
    """
    require(actor, Permission.PAY)
    wanted = list(dict.fromkeys(references))
    if not wanted:
        raise DomainError(_("Cochez au moins une demande à régler, puis « Ajouter au panier »."))
    if len(wanted) > BASKET_LIMIT:
        raise DomainError(_("500 demandes au plus dans un panier."))
    rows = _locked(actor, wanted)
    _refuse_unpayable(rows)
    moment = clock.now()
    fresh = [row for row in rows if row.basket_added_at is None]
    for row in fresh:
        row.basket_added_at = moment
        audit.record(actor, "add_to_basket", row)
    return len(fresh)


@use_case
def add_all_ready(actor: Actor, organisation_id: int) -> int:
    """« Tout mettre au panier »: whatever waits for its payment and no payment holds (ORD-7); says how many.

    The basket fills up to its limit, the oldest first. Raises DomainError (nothing is ready, the basket is full,
    the organisation may not pay), Forbidden, NotFound.
    """
    require_organisation(actor, organisation_id, Permission.PAY)
    lock(Organisation, organisation_id)
    room = BASKET_LIMIT - basket_count([organisation_id])
    if room <= 0:
        raise DomainError(_("Votre panier est plein : réglez-le, puis ajoutez les autres demandes."))
    ready = chasing.ready_references(organisation_id, room)
    if not ready:
        raise DomainError(_("Aucune autre demande n'est prête à payer : voyez votre panier."))
    return add_to_basket(actor, ready)


def remove_from_basket(actor: Actor, reference: str) -> CertificateRequest:
    """Take one request out. An attempt that holds it is settled first (GAT-3).

    Raises NotFound, Forbidden, PaymentInProgress, PaymentDone, GatewayDown.
    """
    require(actor, Permission.PAY)
    row = db.session.scalar(
        select(CertificateRequest).where(
            CertificateRequest.reference == reference, CertificateRequest.organisation_id.in_(actor.organisation_ids)
        )
    )
    if row is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    organisation_id, request_id = row.organisation_id, row.id
    release_requests(actor, organisation_id, [request_id])
    return _take_out(actor, organisation_id, request_id)


@use_case
def _take_out(actor: Actor, organisation_id: int, request_id: int) -> CertificateRequest:
    require_organisation(actor, organisation_id, Permission.PAY)
    lock(Organisation, organisation_id)
    row = lock(CertificateRequest, request_id)
    if row.basket_added_at is not None:
        row.basket_added_at = None
        audit.record(actor, "remove_from_basket", row)
    return row


def _locked(actor: Actor, references: Sequence[str]) -> list[CertificateRequest]:
    """The requests, locked in the house's order: organisation, then requests by id."""
    found = db.session.execute(
        select(CertificateRequest.id, CertificateRequest.organisation_id).where(
            CertificateRequest.reference.in_(references),
            CertificateRequest.organisation_id.in_(actor.organisation_ids),
        )
    ).all()
    if len(found) != len(references):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    for organisation_id in sorted({row.organisation_id for row in found}):
        organisation = lock(Organisation, organisation_id)
        if organisation.state not in ORDERING_STATES:
            raise DomainError(_("Votre organisation ne peut pas payer de commande pour le moment."))
    return list(
        db.session.scalars(
            select(CertificateRequest)
            .where(CertificateRequest.id.in_([row.id for row in found]))
            .order_by(CertificateRequest.id)
            .with_for_update(of=CertificateRequest)
            .execution_options(populate_existing=True)
        )
    )


def _refuse_unpayable(rows: Sequence[CertificateRequest]) -> None:
    wrong = [row.reference for row in rows if row.state is not RequestState.EN_ATTENTE_DE_PAIEMENT]
    if wrong:
        raise DomainError(
            ngettext(
                "La demande %(references)s n'est pas en attente de paiement : elle n'a pas été ajoutée.",
                "Les demandes %(references)s ne sont pas en attente de paiement : rien n'a été ajouté.",
                len(wrong),
                references=", ".join(wrong[:10]),
            )
        )
    outside = [row.id for row in rows if row.basket_added_at is None]
    if live_payments_of(outside):
        raise DomainError(_("Un paiement est déjà en cours pour une de ces demandes. Réessayez dans quelques minutes."))
