"""ClicToPay (SMT), the payment gateway, as its BPC-style REST interface is (GAT-1, GAT-2).

Amounts are integer millimes, currency is ISO 4217 numeric (788, the dinar). Reads are tried again a
bounded number of times; what moves money is sent once. Credentials are never logged, nor is an answer.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask_babel import lazy_gettext as _l

from app.adapters.outbound import Line, OutboundError
from app.errors import DomainError

logger = logging.getLogger(__name__)

DINAR = "788"
REGISTERED, PREAUTHORISED, PAID, REVERSED, REFUNDED, AT_ISSUER, DECLINED = range(7)
SESSION_EXPIRED = -2007
READ_RETRIES = 2
BACKOFF_SECONDS = 0.2
_SYSTEM_ERROR = "7"


class GatewayUnavailable(DomainError):
    """No answer that can be used: outage, delay, or nonsense. ``sent``: the request may have been obeyed."""

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        super().__init__(_l("Le service de paiement est momentanément indisponible. Réessayez dans quelques minutes."))
        self.reason = reason
        self.sent = sent


class GatewayRefused(DomainError):
    """The gateway answered no: its code, as a string, and its own sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(_l("Le service de paiement a refusé l'opération."))
        self.code = code
        self.gateway_message = message


@dataclass(frozen=True)
class Registration:
    """A payment the gateway is ready to take: its own identifier and the page to send the payer to."""

    order_id: str
    form_url: str


@dataclass(frozen=True)
class OrderStatus:
    """What the gateway says of one order; amounts in millimes, ``status`` one of 0 to 6."""

    order_id: str
    order_number: str
    status: int
    amount: int
    currency: str
    action_code: int | None
    action_code_description: str
    masked_pan: str
    approval_code: str
    payment_state: str
    refunded_amount: int
    raw: Mapping[str, Any] = field(repr=False)

    def proves_payment_of(self, *, order_id: str, order_number: str, amount: int, currency: str = DINAR) -> bool:
        """GAT-2: orderStatus 2 and orderId, orderNumber, amount and currency are those we stored."""
        return self.status == PAID and (self.order_id, self.order_number, self.amount, self.currency) == (
            order_id, order_number, amount, currency,
        )  # fmt: skip


class ClicToPay:
    """The client. ``base_url`` is the gateway's address, with or without its final ``/payment/rest/``."""

    def __init__(
        self, base_url: str, username: str, password: str, timeout: tuple[float, float] = (3.0, 10.0),
        allowed_hosts: Iterable[str] | None = None,
    ) -> None:  # fmt: skip
        base = base_url.rstrip("/")
        if not base.endswith("/rest"):
            base += "/payment/rest"
        self._base = urlsplit(base)
        self._credentials = {"userName": username, "password": password}
        self._read_timeout = timeout[1]
        self._line = Line(base, connect=timeout[0], read=timeout[1])
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts or ())

    def register(
        self, *, order_number: str, amount: int, return_url: str, fail_url: str | None = None,
        description: str | None = None, language: str = "fr", session_timeout_secs: int = 1200,
        json_params: Mapping[str, str] | None = None, client_id: str | None = None,
        currency: str = DINAR,
    ) -> Registration:  # fmt: skip
        """Open a payment of ``amount`` millimes under an ``order_number`` (≤ 32) never used before.

        Sent once. Raises GatewayRefused (code "1": number already used) or GatewayUnavailable, also when
        the page it names is on a host that is neither the gateway's nor in ``allowed_hosts`` (GAT-1).
        """
        params = {
            "orderNumber": order_number,
            "amount": str(amount),
            "currency": currency,
            "returnUrl": return_url,
            "failUrl": fail_url,
            "description": description,
            "language": language,
            "sessionTimeoutSecs": str(session_timeout_secs),
            "jsonParams": json.dumps(dict(json_params), ensure_ascii=False) if json_params else None,
            "clientId": client_id,
        }
        answer = self._call("register", params)
        _refuse_if_told(answer)
        order_id = _text(answer, "orderId")
        return Registration(order_id, self._checked_form_url(_text(answer, "formUrl")))

    def order_status(self, *, order_id: str | None = None, order_number: str | None = None) -> OrderStatus:
        """Ask what became of an order, by the gateway's identifier or else by our number.

        A declined payment is an answer. Tried again twice at most when the gateway fails quickly. Raises
        GatewayRefused (code "6": unknown order) or GatewayUnavailable.
        """
        if not order_id and not order_number:
            raise ValueError("order_status needs an order_id or an order_number")
        asked = {"orderId": order_id, "orderNumber": order_number}
        started = time.monotonic()
        for attempt in range(READ_RETRIES + 1):
            try:
                answer = self._call("getOrderStatusExtended", asked)
                if _code(answer) == _SYSTEM_ERROR:
                    raise GatewayUnavailable("the gateway reports a system error")
                _refuse_if_told(answer)
                return _order_status(answer, order_id or "")
            except GatewayUnavailable:
                spent = time.monotonic() - started
                if attempt == READ_RETRIES or spent >= self._read_timeout / 2:
                    raise
                time.sleep(BACKOFF_SECONDS * 2**attempt)
        raise AssertionError("the loop returns or raises")

    def refund(self, order_id: str, amount: int) -> None:
        """Give ``amount`` millimes back (AVO-4). Sent once.

        Raises GatewayRefused, or GatewayUnavailable whose ``sent`` means: ask before repeating.
        """
        self._order(self._call("refund", {"orderId": order_id, "amount": str(amount)}))

    def reverse(self, order_id: str, language: str = "fr") -> None:
        """Cancel a payment of which nothing was refunded. Sent once, like ``refund``."""
        self._order(self._call("reverse", {"orderId": order_id, "language": language}))

    def _order(self, answer: Mapping[str, Any]) -> None:
        _refuse_if_told(answer)
        if _code(answer) is None:
            raise GatewayUnavailable("unintelligible: no errorCode")

    def _call(self, call: str, params: Mapping[str, str | None]) -> Mapping[str, Any]:
        form = self._credentials | {name: value for name, value in params.items() if value is not None}
        started = time.monotonic()
        try:
            answer = self._line.post(f"/{call}.do", form=form)
        except OutboundError as error:
            logger.warning("clictopay %s: %s after %.1f s", call, error.reason, time.monotonic() - started)
            raise GatewayUnavailable(error.reason, sent=error.sent) from None
        logger.info("clictopay %s: HTTP %s in %.1f s", call, answer.status, time.monotonic() - started)
        if answer.status != 200:
            raise GatewayUnavailable(f"HTTP {answer.status}")
        try:
            decoded = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise GatewayUnavailable("unintelligible: not JSON") from None
        if not isinstance(decoded, dict):
            raise GatewayUnavailable("unintelligible: not an object")
        return decoded

    def _checked_form_url(self, form_url: str) -> str:
        """The address unchanged, if a browser would go to the gateway with it. Raises GatewayUnavailable."""
        try:
            parts = urlsplit(form_url)
            host, netloc = (parts.hostname or "").lower(), _host_and_port(parts)
        except ValueError:
            raise GatewayUnavailable("unintelligible: formUrl") from None
        odd = any(ord(character) <= 32 or character in '\\<>"' for character in form_url)
        schemes = ("https", "http") if self._base.scheme == "http" else ("https",)
        if odd or parts.scheme not in schemes or "@" in parts.netloc:
            raise GatewayUnavailable("unintelligible: formUrl")
        if netloc != _host_and_port(self._base) and not {host, parts.netloc.lower()} & self._allowed_hosts:
            raise GatewayUnavailable("formUrl names another host")
        return form_url


def _host_and_port(parts: SplitResult) -> tuple[str, int]:
    return (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def _code(answer: Mapping[str, Any]) -> str | None:
    code = answer.get("errorCode")
    return str(code) if isinstance(code, str | int) and not isinstance(code, bool) else None


def _refuse_if_told(answer: Mapping[str, Any]) -> None:
    code = _code(answer)
    if code not in (None, "", "0"):
        raise GatewayRefused(str(code), _optional_text(answer, "errorMessage")[:300])


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise GatewayUnavailable(f"unintelligible: {name}")
    return value


def _optional_text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _optional_number(answer: Mapping[str, Any], name: str) -> int | None:
    """An integer sent as a number or as a string; None when absent. Raises GatewayUnavailable otherwise."""
    value = answer.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
        return int(value[:30])
    raise GatewayUnavailable(f"unintelligible: {name}")


def _number(answer: Mapping[str, Any], name: str) -> int:
    value = _optional_number(answer, name)
    if value is None:
        raise GatewayUnavailable(f"unintelligible: {name}")
    return value


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    return value if isinstance(value, dict) else {}


def _order_status(answer: Mapping[str, Any], asked: str) -> OrderStatus:
    status, amount = _number(answer, "orderStatus"), _number(answer, "amount")
    if status not in range(7) or amount < 0:
        raise GatewayUnavailable("unintelligible: orderStatus or amount")
    currency = answer.get("currency")
    card, money = _part(answer, "cardAuthInfo"), _part(answer, "paymentAmountInfo")
    return OrderStatus(
        order_id=_order_id(answer) or asked,
        order_number=_text(answer, "orderNumber"),
        status=status,
        amount=amount,
        currency=DINAR if currency in (None, "") else str(currency),
        action_code=_optional_number(answer, "actionCode"),
        action_code_description=_optional_text(answer, "actionCodeDescription"),
        masked_pan=_optional_text(card, "maskedPan") or _optional_text(card, "pan"),
        approval_code=_optional_text(card, "approvalCode"),
        payment_state=_optional_text(money, "paymentState"),
        refunded_amount=_optional_number(money, "refundedAmount") or 0,
        raw=MappingProxyType(dict(answer)),
    )


def _order_id(answer: Mapping[str, Any]) -> str:
    attributes = answer.get("attributes")
    for attribute in attributes if isinstance(attributes, list) else ():
        if isinstance(attribute, dict) and attribute.get("name") == "mdOrder":
            return _optional_text(attribute, "value")
    return ""


_REASONS = {
    SESSION_EXPIRED: _l("Le délai de paiement est dépassé."),
    101: _l("La date d'expiration est incorrecte ou la carte est expirée."),
    111: _l("Le numéro de la carte n'est pas valide."),
    116: _l("La provision de la carte est insuffisante."),
    121: _l("Le plafond de la carte est dépassé."),
    71015: _l("Le code de sécurité (CVV) ou une autre donnée de la carte est incorrect."),
}
_REASON_UNKNOWN = _l("La banque a refusé le paiement.")


def refusal_reason(action_code: int | None, description: str = "") -> str:
    """Why a payment was declined, as a sentence in the reader's language; the bank's own words if unknown."""
    if action_code in _REASONS:
        return str(_REASONS[action_code])
    told = " ".join(description.split())[:200]
    return f"{_REASON_UNKNOWN} ({told})" if told else str(_REASON_UNKNOWN)
