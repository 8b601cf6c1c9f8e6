"""``python -m bench lists``: what the back office's lists and searches cost on a large database (SPD-1, QUE-2).

Each page is asked for whole, by an agent who is logged in, through the test client: routing, rights, statements,
template. The database is the one given, loaded beforehand (``flask demo load --requests 100000 --organisations
2000 --yes``); the bench adds one agent to it and gives them a few files. ``--why`` prints where the time of each
page goes: its statements, slowest first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bench.__main__ import line, median_ms

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

EMAIL, PASSWORD = "banc.essai@tuntrust-exemple.tn", "Banc-Essai-2026-ecert"


def bench_lists(app: Flask, times: int, *, why: bool) -> None:
    with app.app_context():
        samples = _samples(_agent())
    client = app.test_client()
    answer = client.post("/", data={"email": EMAIL, "password": PASSWORD})
    if answer.status_code != 302:
        raise SystemExit(f"the agent could not log in: {answer.status_code}")
    for what, path in _pages(samples):
        _page(app, client, what, path, times, why=why)


def _page(app: Flask, client: FlaskClient, what: str, path: str, times: int, *, why: bool) -> None:
    status = client.get(path).status_code
    if status != 200:
        line(what, 0, f"answered {status}")
        return
    with app.app_context(), timed_statements() as heard:
        rows = client.get(path).get_data(as_text=True).count('<tr role="row"') - 1
    runs: list[float] = []

    def once() -> None:
        begun = time.perf_counter()
        client.get(path)
        runs.append((time.perf_counter() - begun) * 1000)

    took = median_ms(once, times)
    spent = sum(seconds for seconds, _statement in heard) * 1000
    best = f"best {min(runs):.1f}"  # what the machine's other work adds is in the median, not here
    line(what, took, f"{best}, {len(heard)} statements, {spent:.1f} ms in them, {max(rows, 0)} rows")
    for seconds, statement in sorted(heard, reverse=True)[:6] if why else []:
        print(f"{seconds * 1000:14.1f} ms  {' '.join(statement.split())[:230]}")


@contextmanager
def timed_statements() -> Iterator[list[tuple[float, str]]]:
    """Each statement sent meanwhile, with the seconds until its first rows came."""
    from sqlalchemy import event

    from app.extensions import db

    heard: list[tuple[float, str]] = []
    begun: list[float] = []

    def before(*_args: Any) -> None:
        begun.append(time.perf_counter())

    def after(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        heard.append((time.perf_counter() - begun.pop(), statement))

    event.listen(db.engine, "before_cursor_execute", before)
    event.listen(db.engine, "after_cursor_execute", after)
    yield heard
    event.remove(db.engine, "before_cursor_execute", before)
    event.remove(db.engine, "after_cursor_execute", after)


def _agent() -> int:
    """An agent of the bench's own, holding thirty files."""
    from sqlalchemy import select, update

    from app import clock
    from app.extensions import db
    from app.models import CertificateRequest, RoleGrant, User
    from app.permissions import Role
    from app.services import passwords
    from app.states import RequestState

    user = db.session.scalar(select(User).where(User.email == EMAIL))
    if user is None:
        user = User(email=EMAIL, first_name="Banc", last_name="Essai", created_at=clock.now(), activated_at=clock.now())
        user.password_hash = passwords.hash_password(PASSWORD)
        user.grants = [RoleGrant(role=Role.AGENT, granted_at=clock.now())]
        db.session.add(user)
        db.session.flush()
        free = (
            select(CertificateRequest.id)
            .where(
                CertificateRequest.state == RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST,
                CertificateRequest.assigned_to_id.is_(None),
            )
            .order_by(CertificateRequest.complete_since)
            .limit(30)
        )
        ids = list(db.session.scalars(free))
        db.session.execute(
            update(CertificateRequest).where(CertificateRequest.id.in_(ids)).values(assigned_to_id=user.id)
        )
        db.session.commit()
    # Each run is the agent's first login: a second one would ask for a second factor (LOG-4).
    user.last_seen_at = None
    db.session.commit()
    return user.id


def _samples(_agent_id: int) -> dict[str, Any]:
    """What to search for: a request from the middle of the table, with all that hangs on it."""
    from sqlalchemy import func, select

    from app.extensions import db
    from app.models import Certificate, CertificateRequest, Invoice, Organisation, PaymentLine

    middle = (db.session.scalar(select(func.max(CertificateRequest.id))) or 0) // 2
    row = db.session.execute(
        select(CertificateRequest, Organisation, Certificate, Invoice)
        .join(Organisation, Organisation.id == CertificateRequest.organisation_id)
        .join(Certificate, Certificate.request_id == CertificateRequest.id)
        .join(PaymentLine, PaymentLine.request_id == CertificateRequest.id)
        .join(Invoice, Invoice.payment_id == PaymentLine.payment_id)
        .where(CertificateRequest.id >= middle)
        .order_by(CertificateRequest.id)
        .limit(1)
    ).one()
    return dict(zip(("request", "organisation", "certificate", "invoice"), row, strict=True))


def _pages(samples: dict[str, Any]) -> Iterator[tuple[str, str]]:
    request, organisation = samples["request"], samples["organisation"]
    first, last = request.first_name, request.last_name
    yield "the desk", "/admin/"
    for tab in ("", "les-miennes", "pretes", "a-expedier", "90-jours", "terminees", "toutes"):
        yield f"requests: {tab or 'a-prendre'}", "/admin/demandes/" + (f"?onglet={tab}" if tab else "")
    yield "requests: filter, governorate and agent", "/admin/demandes/?gouvernorat=1&agent=aucun"
    yield "organisations: à vérifier", "/admin/organisations/"
    yield "organisations: toutes", "/admin/organisations/?onglet=toutes"
    for what, text in (
        ("reference", request.reference),
        ("CIN", request.identity_number),
        ("tax id", organisation.tax_id),
        ("e-mail", request.email),
        ("phone", request.mobile),
        ("invoice", samples["invoice"].number),
        ("serial", samples["certificate"].serial_number),
        ("tracking", samples["certificate"].tracking_number),
        ("name", f"{first} {last}"),
        ("last name alone, common", last),
        ("name in Arabic", f"{request.first_name_ar} {request.last_name_ar}"),
        ("spelled otherwise", f"{last} {first}".replace("mm", "m").replace("ou", "u").replace("é", "e")),
        ("a letter wrong", f"{first[:-1]}x {last}"),
        ("organisation's name", organisation.legal_name),
        ("nothing found", "zzyzx qwrtp"),
    ):
        yield f"search: {what}", f"/admin/demandes/?{urlencode({'onglet': 'toutes', 'search': text})}"
    yield "search organisations: name", f"/admin/organisations/?{urlencode({'search': organisation.legal_name})}"
    yield "search organisations: tax id", f"/admin/organisations/?{urlencode({'search': organisation.tax_id})}"
