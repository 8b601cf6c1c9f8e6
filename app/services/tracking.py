"""Following an order without an account: by mail to the address that is already known, never on the page."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select

from app.extensions import db
from app.models import CertificateRequest, Order, User
from app.services import attempts, outbox
from app.services.unit_of_work import use_case


@use_case
def follow(reference: str, email: str, *, ip: str | None, locale: str = "fr") -> None:
    """Mail the state of a request or order when reference and e-mail fit. Raises TooManyAttempts.

    The e-mail must be the applicant's or that of whoever entered the order. It speaks
    that person's language, else ``locale``, the page's.
    """
    attempts.count_attempt(attempts.key_for("follow:address", ip or "?"), limit=20, window=timedelta(hours=1))
    wanted, address = reference.strip().upper(), email.strip().lower()
    creator = select(User.email).where(User.id == Order.created_by_id).scalar_subquery()
    requests = db.session.scalars(
        select(CertificateRequest)
        .join(Order, CertificateRequest.order_id == Order.id)
        .where(
            or_(CertificateRequest.reference == wanted, Order.reference == wanted),
            or_(CertificateRequest.email == address, creator == address),
        )
        .order_by(CertificateRequest.id)
        .limit(500)
    ).all()
    if requests:
        outbox.write(
            "order_followed",
            to=address,
            locale=db.session.scalar(select(User.locale).where(User.email == address)) or locale,
            reference=wanted,
            lines=[(request.reference, request.state) for request in requests],
        )
