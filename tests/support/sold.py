"""Many payments under way at once, written in bulk, and the gateway's « paid » for them, without asking it.

For races, kills and figures, where a basket clicked together one request at a time would take all the time.
"""

from __future__ import annotations

import itertools
import secrets
import uuid
from datetime import timedelta

from app import clock
from app.adapters.clictopay import DINAR, PAID, OrderStatus
from app.extensions import db
from app.models import CertificateRequest, Order, Payment, PaymentLine, PaymentMethod, User
from app.services.pricing import quote_requests
from app.states import PaymentState, RequestState
from tests import factories

_serial = itertools.count(1)


def payments_under_way(count: int, *, lines: int = 1, administrator: User | None = None, credit: int = 0) -> list[int]:
    """Ids of ``count`` attempts of one organisation, ``lines`` requests each, all open at the gateway.

    ``credit`` millimes of each are paid by credit, which the caller sets aside.
    """
    person = administrator or factories.administrator(factories.organisation())
    organisation_id = person.grants[0].organisation_id
    assert organisation_id is not None
    model = factories.certificate_request(None, RequestState.EN_ATTENTE_DE_PAIEMENT, by=person)
    copied = {
        column.key: getattr(model, column.key)
        for column in CertificateRequest.__table__.columns
        if column.key not in ("id", "reference", "order_id", "organisation_id", "version")
    }
    moment = clock.now()
    payments = []
    for _index in range(count):
        order = Order(
            reference=f"CMD-2026-{700_000 + next(_serial):06d}",
            organisation_id=organisation_id,
            created_by_id=person.id,
            created_at=moment,
            attested_at=moment,
        )
        db.session.add(order)
        db.session.flush()
        rows = [
            CertificateRequest(
                **{
                    **copied,
                    "reference": f"DEM-2026-{700_000 + next(_serial):06d}",
                    "order_id": order.id,
                    "organisation_id": organisation_id,
                    "basket_added_at": moment,
                }
            )
            for _line in range(lines)
        ]
        db.session.add_all(rows)
        db.session.flush()
        payments.append(_under_way(person, organisation_id, rows, credit))
    db.session.add_all(payments)
    db.session.commit()
    return [payment.id for payment in payments]


def _under_way(person: User, organisation_id: int, rows: list[CertificateRequest], credit: int) -> Payment:
    priced = quote_requests(rows)
    moment = clock.now()
    return Payment(
        reference=f"PAYT{next(_serial):08d}",
        return_token=secrets.token_urlsafe(24),
        organisation_id=organisation_id,
        created_by_id=person.id,
        method=PaymentMethod.CARTE,
        state=PaymentState.EN_COURS,
        amount=priced.quote.total - credit,
        credit_used=credit,
        stamp_duty=priced.quote.stamp_duty,
        delivery_vat_bp=priced.quote.delivery_vat_bp,
        gateway_order_id=str(uuid.uuid4()),
        form_url="http://127.0.0.1/",
        created_at=moment,
        expires_at=moment + timedelta(minutes=20),
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


def paid_answer(payment_id: int) -> OrderStatus:
    """What the gateway says of this attempt once its card was taken."""
    payment = db.session.get_one(Payment, payment_id)
    return OrderStatus(
        order_id=payment.gateway_order_id or "",
        order_number=payment.reference,
        status=PAID,
        amount=payment.amount,
        currency=DINAR,
        action_code=0,
        action_code_description="",
        masked_pan="450921**1119",
        approval_code="123456",
        payment_state="DEPOSITED",
        refunded_amount=0,
        raw={},
    )
