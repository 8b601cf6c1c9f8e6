"""Opening an attempt at the gateway (PAY-3, GAT-1): freeze the basket, register, send the payer there."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.adapters.clictopay import GatewayRefused, GatewayUnavailable, Registration
from app.errors import DomainError
from app.extensions import db
from app.models import CertificateRequest, Organisation, Payment, PaymentLine, PaymentMethod
from app.money import format_millimes
from app.permissions import SYSTEM, Actor, Permission
from app.queries.billing import basket_of, live_payments_of
from app.services import audit, history, settings
from app.services.authority import require_organisation
from app.services.credits import ledger
from app.services.links import public_url
from app.services.locking import lock
from app.services.moving import move_payment
from app.services.payments import gateway
from app.services.payments.gateway import GatewayDown
from app.services.payments.releasing import PaymentInProgress, settle_live
from app.services.payments.settling import abandon, confirm_by_credit
from app.services.pricing import quote_payment, quote_requests
from app.services.unit_of_work import use_case
from app.states import ORDERING_STATES, PaymentState

log = structlog.get_logger()

CARD_METHODS = (PaymentMethod.CARTE, PaymentMethod.EDINAR)
TIME_LEFT = timedelta(minutes=2)
"""An open attempt is offered again only while the payer still has this long to type a card."""
_ALPHABET = "ABCDEFGHJKLMNPQRSTVWXYZ23456789"  # no 0 O 1 I U: people read it aloud


class BasketChanged(DomainError):
    """What is to be paid is no longer what the page showed; ``total`` is the new one, in millimes."""

    def __init__(self, total: int) -> None:
        super().__init__(
            _(
                "Votre panier a changé depuis l'affichage de la page. "
                "Relisez-le : le total est maintenant de %(total)s.",
                total=format_millimes(total),
            )
        )
        self.total = total


@dataclass(frozen=True, slots=True)
class Opening:
    """An attempt ready for the payer: the hosted page's address, as the gateway gave it."""

    payment_id: int
    form_url: str


class CreditChanged(DomainError):
    """The credit the page counted on is not all there any more."""


def start_payment(
    actor: Actor,
    organisation_id: int,
    request_ids: Sequence[int],
    method: PaymentMethod,
    expected_total: int,
    credit: int = 0,
) -> Opening:
    """Open an attempt for the whole basket, as the page showed it, and give the hosted page's address.

    ``credit`` millimes of the organisation's credit are set aside for it, oldest first, and used when it is paid
    (PAY-2, AVO-3). When they cover everything the basket is paid at once, without the gateway, and the address is
    the result page's.

    Earlier attempts for these requests are settled first: an open one for the very same basket is offered again
    (a double click, the back button, a second tab lead to one payment), another is ended. The price is frozen and
    committed before the gateway is called, and no transaction is open meanwhile.

    Raises NotFound, Forbidden, DomainError (organisation, empty basket), BasketChanged, CreditChanged, PaymentDone,
    PaymentInProgress, GatewayDown.
    """
    require_organisation(actor, organisation_id, Permission.PAY)
    if method not in CARD_METHODS:
        raise DomainError(_("Choisissez un moyen de paiement."), field="method")
    asked = _Asked(tuple(request_ids), method, expected_total, credit)
    reopened = _settle_earlier(actor, organisation_id, asked)
    if reopened is not None:
        return reopened
    try:
        payment = _freeze(actor, organisation_id, asked)
    except IntegrityError:  # uq_payment_lines_live_request: two clicks at the same instant
        raise PaymentInProgress from None
    except _AlreadyHeld:
        # The first of two clicks created the attempt between our look and our lock.
        reopened = _settle_earlier(actor, organisation_id, asked)
        if reopened is None:
            raise PaymentInProgress from None
        return reopened
    payment_id = payment.id
    if payment.state is PaymentState.PAYE:
        return Opening(payment_id, public_url("payments.return_", t=payment.return_token))
    registration = _register(payment)
    if not _open(payment_id, registration, actor=actor):
        raise PaymentInProgress
    return Opening(payment_id, registration.form_url)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the page showed and the person pressed « Payer » on."""

    request_ids: tuple[int, ...]
    method: PaymentMethod
    total: int
    credit: int


class _AlreadyHeld(Exception):
    """Another attempt holds a request of the basket."""


def _settle_earlier(actor: Actor, organisation_id: int, asked: _Asked) -> Opening | None:
    """Settle what holds these requests; the attempt to offer again, if one is for this very basket."""
    basket = {row.id for row in basket_of(organisation_id)}
    reopened = None
    for payment in settle_live(sorted(basket | set(asked.request_ids))):
        same = {line.request_id for line in payment.lines} == set(asked.request_ids) == basket
        fresh = payment.expires_at - clock.now() >= TIME_LEFT
        price = (payment.method, payment.amount + payment.credit_used, payment.credit_used)
        if same and fresh and payment.form_url and price == (asked.method, asked.total, asked.credit):
            reopened = Opening(payment.id, payment.form_url)
        else:
            abandon(payment.id, actor=actor, cause="new_attempt")
    return reopened


@use_case
def _freeze(actor: Actor, organisation_id: int, asked: _Asked) -> Payment:
    """Write the attempt and its prices (PRI-2), under the locks of the organisation and of its requests.

    Nothing due means that it is paid in the same transaction (PAY-2).
    """
    organisation = lock(Organisation, organisation_id)
    if organisation.state not in ORDERING_STATES:
        raise DomainError(_("Votre organisation ne peut pas payer de commande pour le moment."))
    rows = _lock_basket(organisation_id)
    if not rows:
        raise DomainError(_("Votre panier est vide."))
    if live_payments_of([row.id for row in rows]):
        raise _AlreadyHeld
    priced = quote_requests(rows)
    if {row.id for row in rows} != set(asked.request_ids) or priced.quote.total != asked.total:
        raise BasketChanged(priced.quote.total)
    shares = _shares(organisation_id, asked)
    due = asked.total - asked.credit
    moment = clock.now()
    payment = Payment(
        reference=_new_reference(),
        return_token=secrets.token_urlsafe(24),
        organisation_id=organisation_id,
        created_by_id=actor.user_id,
        method=asked.method if due else PaymentMethod.CREDIT,
        state=PaymentState.INITIE,
        amount=due,
        credit_used=asked.credit,
        stamp_duty=priced.quote.stamp_duty,
        delivery_vat_bp=priced.quote.delivery_vat_bp,
        created_at=moment,
        expires_at=moment + _session(),
        lines=[
            PaymentLine(
                request_id=row.request.id,
                position=position,
                price_ht=row.line.ht,
                vat_rate_bp=row.line.vat_rate_bp,
                vat=row.line.vat,
                delivery=row.line.delivery_ttc,
                live=True,
            )
            for position, row in enumerate(priced.rows, start=1)
        ],
    )
    db.session.add(payment)
    db.session.flush()
    if quote_payment(payment).total != payment.amount + payment.credit_used:
        raise AssertionError("a frozen price must add up to its amount")
    ledger.set_aside(payment, shares)
    history.write(
        actor, "start_payment", payment_id=payment.id, organisation_id=organisation_id, to_state=payment.state
    )
    facts = {"reference": payment.reference, "amount": payment.amount, "credit": payment.credit_used}
    audit.record(actor, "start_payment", payment, after=facts)
    if not due:
        confirm_by_credit(payment)
    return payment


def _shares(organisation_id: int, asked: _Asked) -> list[ledger.Share]:
    """The credit asked for, to the millime. Raises CreditChanged."""
    shares = ledger.allocate(organisation_id, min(asked.credit, asked.total))
    if asked.credit < 0 or sum(share.amount for share in shares) != asked.credit:
        raise CreditChanged(_("Votre avoir disponible a changé depuis l'affichage de la page. Relisez votre panier."))
    return shares


def _lock_basket(organisation_id: int) -> list[CertificateRequest]:
    """The basket, its rows locked by ascending id, in the order things were put into it."""
    ids = [row.id for row in basket_of(organisation_id)]
    rows = db.session.scalars(
        select(CertificateRequest)
        .where(CertificateRequest.id.in_(ids))
        .order_by(CertificateRequest.id)
        .with_for_update(of=CertificateRequest)
        .execution_options(populate_existing=True)
    ).all()
    db.session.expire_all()  # what is in the basket is decided again, now that nobody can change it
    kept = {row.id for row in rows}
    return [row for row in basket_of(organisation_id) if row.id in kept]


def _register(payment: Payment) -> Registration:
    """Open the payment at the gateway. Raises GatewayDown after ending the attempt: its requests are payable.

    When the answer is lost the order may exist there, but nobody has its page's address; the reconciliation
    asks about it all the same.
    """
    payment_id, reference, token = payment.id, payment.reference, payment.return_token
    amount, count, creator = payment.amount, len(payment.lines), payment.created_by
    email, locale = creator.email, creator.locale
    back = public_url("payments.return_", t=token)
    seconds = int(_session().total_seconds())
    db.session.rollback()
    try:
        return gateway.client().register(
            order_number=reference,
            amount=amount,
            return_url=back,
            fail_url=back,
            description=f"TunTrust ECERT, {count} certificat(s) ID-Trust",
            language=locale if locale in ("fr", "ar", "en") else "fr",
            session_timeout_secs=seconds,
            json_params={"email": email, "certificats": str(count)},
        )
    except (GatewayRefused, GatewayUnavailable) as failure:
        cause = failure.code if isinstance(failure, GatewayRefused) else failure.reason
        log.warning("payment_not_registered", payment=reference, cause=cause)
        abandon(payment_id, actor=SYSTEM, cause="not_registered")
        raise GatewayDown from None
    except BaseException:
        abandon(payment_id, actor=SYSTEM, cause="not_registered")
        raise


@use_case
def _open(payment_id: int, registration: Registration, *, actor: Actor) -> bool:
    """Keep the gateway's identifier and page; the session is counted from now. False: given up meanwhile by a job."""
    organisation_id = db.session.scalar(select(Payment.organisation_id).where(Payment.id == payment_id))
    lock(Organisation, organisation_id or 0)
    payment = lock(Payment, payment_id)
    payment.gateway_order_id = registration.order_id
    payment.form_url = registration.form_url
    if payment.state is not PaymentState.INITIE:
        return False
    payment.expires_at = clock.now() + _session()
    move_payment(payment, "register", actor=actor)
    return True


def _session() -> timedelta:
    return timedelta(minutes=int(settings.get("payment.session_minutes")))


def _new_reference() -> str:
    """``PAY261122K7XQ4M2RDT``: the orderNumber, new at each attempt, alphanumeric, at most 32 characters (GAT-1)."""
    return f"PAY{clock.today():%y%m%d}" + "".join(secrets.choice(_ALPHABET) for _index in range(10))
