"""What each of the gateway's answers means for an attempt, without a database (GAT-2, GAT-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.adapters.clictopay import OrderStatus
from app.models import Payment
from app.services.payments.settling import Verdict, judge
from app.states import Anomaly, PaymentState

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def payment(age: int = 1, **changed: Any) -> Payment:
    """An attempt registered ``age`` minutes ago, for 20 minutes."""
    return Payment(
        **{
            "reference": "PAY1",
            "gateway_order_id": "order-1",
            "amount": 424_500,
            "currency": "788",
            "state": PaymentState.EN_COURS,
            "created_at": NOW - age * MINUTE,
            "expires_at": NOW + (20 - age) * MINUTE,
            **changed,
        }
    )


def answer(status: int, **changed: Any) -> OrderStatus:
    return OrderStatus(
        **{
            "order_id": "order-1",
            "order_number": "PAY1",
            "status": status,
            "amount": 424_500,
            "currency": "788",
            "action_code": 0,
            "action_code_description": "",
            "masked_pan": "",
            "approval_code": "",
            "payment_state": "",
            "refunded_amount": 0,
            "raw": {},
            **changed,
        }
    )


@pytest.mark.spec("GAT-2", "GAT-3")
@pytest.mark.parametrize(
    ("age", "status", "changed", "verdict", "anomaly"),
    [
        (1, 0, {}, Verdict.PENDING, None),
        (20, 0, {}, Verdict.EXPIRED, None),
        (1, 1, {}, Verdict.PENDING, None),
        (20, 1, {}, Verdict.SET_ASIDE, Anomaly.PREAUTHORISED),
        (1, 2, {}, Verdict.PAID, None),
        (90, 2, {}, Verdict.PAID, None),
        (1, 2, {"amount": 424_499}, Verdict.SET_ASIDE, Anomaly.AMOUNT_DIFFERS),
        (1, 2, {"amount": 424_501}, Verdict.SET_ASIDE, Anomaly.AMOUNT_DIFFERS),
        (1, 2, {"currency": "978"}, Verdict.SET_ASIDE, Anomaly.CURRENCY_DIFFERS),
        (1, 2, {"order_number": "PAY2"}, Verdict.SET_ASIDE, Anomaly.IDENTITY_DIFFERS),
        (1, 2, {"order_id": "order-2"}, Verdict.SET_ASIDE, Anomaly.IDENTITY_DIFFERS),
        (1, 3, {}, Verdict.SET_ASIDE, Anomaly.GIVEN_BACK),
        (1, 4, {}, Verdict.SET_ASIDE, Anomaly.GIVEN_BACK),
        (1, 5, {}, Verdict.PENDING, None),
        (30, 5, {}, Verdict.PENDING, None),
        (35, 5, {}, Verdict.EXPIRED, None),
        (1, 6, {"action_code": 116}, Verdict.REFUSED, None),
        (1, 6, {"action_code": None}, Verdict.REFUSED, None),
        (1, 6, {"action_code": -2007}, Verdict.EXPIRED, None),
        # An answer about another order says nothing of ours.
        (1, 6, {"order_number": "PAY2"}, Verdict.PENDING, None),
        (1, 4, {"order_id": "order-2"}, Verdict.PENDING, None),
        (20, 6, {"order_number": "PAY2"}, Verdict.EXPIRED, None),
    ],
)
def test_each_answer_has_one_meaning(
    age: int, status: int, changed: dict[str, Any], verdict: Verdict, anomaly: Anomaly | None
) -> None:
    assert judge(payment(age), answer(status, **changed), NOW) == (verdict, anomaly)


@pytest.mark.spec("GAT-3")
@pytest.mark.parametrize(
    ("age", "order_id", "verdict"),
    [
        (0, None, Verdict.PENDING),  # may be registering at this very moment
        (1, None, Verdict.UNREGISTERED),
        (1, "order-1", Verdict.PENDING),
        (20, "order-1", Verdict.EXPIRED),
    ],
)
def test_an_order_unknown_at_the_gateway_ends_in_its_time(age: int, order_id: str | None, verdict: Verdict) -> None:
    assert judge(payment(age, gateway_order_id=order_id), None, NOW)[0] is verdict


@pytest.mark.spec("GAT-3")
def test_an_order_whose_page_nobody_got_is_ended() -> None:
    assert judge(payment(1, state=PaymentState.INITIE), answer(0), NOW)[0] is Verdict.UNREGISTERED
    assert judge(payment(0, state=PaymentState.INITIE), answer(0), NOW)[0] is Verdict.PENDING
