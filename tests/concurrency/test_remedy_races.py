"""Two presses at the same instant give money back once (GAT-4)."""

from __future__ import annotations

import pytest
from flask import Flask

from app.errors import IllegalTransition
from app.models import RemedyKind
from app.services.regularising import carrying
from app.states import RemedyState
from tests.services.test_regularising import operations
from tests.support.crediting import Desk
from tests.support.racing import errors_of, race
from tests.support.reconciling import DUE, paid_twice, prepared, remedy, to_carry_out
from tests.support.servers import HttpServer


@pytest.mark.spec("GAT-4")
def test_presses_at_the_same_instant_give_back_once(gateway: HttpServer, app: Flask) -> None:
    _shop, payment_id = paid_twice(gateway)
    desk = Desk()
    remedy_id = to_carry_out(desk, payment_id)
    results = race(app, *[lambda: carrying.carry_out(remedy_id, actor=desk.agent).state] * 4)
    assert results.count(RemedyState.FAIT) == 1
    assert all(isinstance(error, IllegalTransition) for error in errors_of(results))
    assert remedy(remedy_id).attempts == 1
    assert operations(gateway, payment_id) == [("refund", DUE)]


@pytest.mark.spec("GAT-4")
def test_one_remedy_is_prepared_however_many_press(gateway: HttpServer, app: Flask) -> None:
    _shop, payment_id = paid_twice(gateway)
    desk = Desk()
    results = race(app, *[lambda: prepared(payment_id, RemedyKind.PASSERELLE, desk.agent)] * 4)
    assert len(errors_of(results)) == 3
    assert all(isinstance(error, IllegalTransition) for error in errors_of(results))
