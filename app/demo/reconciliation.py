"""The demonstration's statement of the gateway, and what its sandbox must know of what was paid before it (GAT-4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from app import clock
from app.demo.desk import Officer
from app.extensions import db
from app.models import Payment, PaymentMethod
from app.money import format_number
from app.queries.lists import start_of
from app.services.statements import importing
from app.states import Anomaly, PaymentState

INVENTED = "00000000-0000-4000-8000-"
"""How the gateway's identifiers of the demonstration begin."""
DAYS = timedelta(days=12)


def a_statement(officer: Officer) -> None:
    """Two weeks of settled operations with three differences: an amount, an order of nobody's, one paid twice."""
    twice = db.session.scalars(
        select(Payment).where(Payment.anomaly == Anomaly.PAID_TWICE).order_by(Payment.id.desc()).limit(1)
    ).one()
    last = clock.local(twice.settled_at or clock.now()).date()
    first = last - DAYS
    paid = db.session.scalars(
        select(Payment)
        .where(
            Payment.settled_at >= start_of(first),
            Payment.settled_at < start_of(last + timedelta(days=1)),
            Payment.method != PaymentMethod.CREDIT,
            or_(Payment.state == PaymentState.PAYE, Payment.id == twice.id),
        )
        .order_by(Payment.settled_at, Payment.id)
    ).all()
    lines = ["date;operation;numero_de_commande;identifiant;montant_dt;devise;autorisation"]
    for number, payment in enumerate(paid):
        amount = payment.amount + (1_000 if number == 0 else 0)
        day = clock.local(payment.settled_at or payment.created_at).strftime("%d/%m/%Y %H:%M")
        written = format_number(amount, plain=True)
        lines.append(f"{day};paiement;{payment.reference};{payment.gateway_order_id};{written};TND;714209")
    lines.append(f"{last:%d/%m/%Y} 16:40;paiement;PAY{last:%y%m%d}AUTREMARCHAND;;424,500;TND;550187")
    importing.keep(
        "\r\n".join(lines).encode(),
        name=f"releve-clictopay-{last:%Y-%m-%d}.csv",
        key="",
        first=first,
        last=last,
        actor=officer.actor,
    )


def settled_orders() -> list[dict[str, Any]]:
    """What the gateway would know of the payments that the stories invented: for its sandbox, as plain values."""
    rows = db.session.scalars(
        select(Payment).where(
            Payment.gateway_order_id.startswith(INVENTED),
            or_(Payment.state == PaymentState.PAYE, Payment.anomaly.is_not(None)),
        )
    )
    found = []
    for row in rows:
        answer = row.gateway_answer or {}
        moment = (row.settled_at or row.created_at).timestamp()
        found.append(
            {
                "md_order": row.gateway_order_id,
                "order_number": row.reference,
                "amount": int(answer.get("amount") or row.amount),
                "refunded": row.refunded,
                "pan": row.masked_pan or "",
                "approval_code": row.approval_code or "",
                "at": moment,
            }
        )
    return found
