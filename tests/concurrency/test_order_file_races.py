"""The same file, confirmed at the same moment on two connections: one order (ORD-5)."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import DomainError
from app.extensions import db
from app.models import CertificateRequest, CertificateType, Order
from app.services.order_files import confirming, drafting
from tests import factories
from tests.support.order_files import csv_of, row
from tests.support.racing import race


def confirmed(actor: object, organisation_id: int, draft: str) -> int:
    return confirming.confirm(actor, organisation_id, draft, attested=True).id  # type: ignore[arg-type]  # an Actor


@pytest.mark.spec("ORD-5")
def test_a_double_click_and_a_second_administrator_order_a_file_once(app: Flask) -> None:
    organisation = factories.organisation()
    one, other = (factories.actor(factories.administrator(organisation)) for _n in range(2))
    kind = db.session.scalars(select(CertificateType.id)).one()
    data, number = csv_of([row() for _n in range(12)]), organisation.id
    drafts = [drafting.receive(actor, number, kind, data, "equipe.csv") for actor in (one, other)]
    results = race(
        app,
        lambda: confirmed(one, number, drafts[0]),
        lambda: confirmed(one, number, drafts[0]),
        lambda: confirmed(other, number, drafts[1]),
    )
    assert db.session.scalar(select(func.count()).select_from(Order)) == 1
    assert db.session.scalar(select(func.count()).select_from(CertificateRequest)) == 12
    made = db.session.scalars(select(Order.id)).one()
    assert set(results[:2]) == {made} or results[2] == made
    losers = [each for each in results if each != made]
    assert all(isinstance(each, DomainError) for each in losers), losers  # told in words, whoever comes late
