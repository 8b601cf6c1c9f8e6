"""What the gateway's protocol allows: parameters, error codes, test cards. Pure, nothing stored here (GAT-6).

Error codes travel as strings. Choices the public documents leave open, made here once:
wrong user or password is "5" (access denied) on every call, "4" when either is missing; a refund or a
deposit above what is left is "7"; an order number that was ever registered stays taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

OK = "0"
NUMBER_TAKEN = "1"
DECLINED = "2"
UNKNOWN_CURRENCY = "3"
MISSING = "4"
WRONG_VALUE = "5"
UNKNOWN_ORDER = "6"
WRONG_STATE = "7"

REGISTERED, PREAUTHORISED, PAID, REVERSED, REFUNDED, AT_ACS, REFUSED = range(7)
PAYMENT_STATES = {
    REGISTERED: "CREATED",
    PREAUTHORISED: "APPROVED",
    PAID: "DEPOSITED",
    REVERSED: "REVERSED",
    REFUNDED: "REFUNDED",
    AT_ACS: "CREATED",
    REFUSED: "DECLINED",
}

SESSION_EXPIRED = -2007
NOT_TRIED = -100
CARD_EXPIRED = 101
CARD_INVALID = 111
NO_FUNDS = 116
CEILING = 121
WRONG_CVV = 71015

DINAR = "788"
LANGUAGES = ("fr", "en", "ar")
GATEWAY_TIME = timezone(timedelta(hours=1), "Africa/Tunis")
CARD_EXPIRY = "202612"

Params = Mapping[str, str]


class Refusal(Exception):
    """A business error: HTTP 200 with this code and sentence."""

    def __init__(self, code: str, fr: str, en: str) -> None:
        super().__init__(code, en)
        self.code = code
        self._fr = fr
        self._en = en

    def message(self, language: str) -> str:
        """The sentence in French when the call asked for French, in English otherwise."""
        return self._fr if language == "fr" else self._en


def missing(name: str) -> Refusal:
    return Refusal(MISSING, f"Le paramètre [{name}] est obligatoire", f"Parameter [{name}] is missing")


def wrong(name: str) -> Refusal:
    return Refusal(WRONG_VALUE, f"Valeur incorrecte du paramètre [{name}]", f"Wrong value of [{name}]")


def access_denied() -> Refusal:
    return Refusal(WRONG_VALUE, "Accès refusé", "Access denied")


def unknown_order() -> Refusal:
    return Refusal(UNKNOWN_ORDER, "Numéro de commande inconnu", "Unknown order")


def wrong_state() -> Refusal:
    return Refusal(
        WRONG_STATE,
        "L'opération est impossible dans l'état actuel du paiement",
        "The payment is not in a state that allows this operation",
    )


def number_taken() -> Refusal:
    return Refusal(
        NUMBER_TAKEN,
        "Une commande portant ce numéro a déjà été traitée",
        "An order with this number has already been processed",
    )


def too_much() -> Refusal:
    return Refusal(
        WRONG_STATE,
        "Le montant dépasse le montant disponible",
        "The amount exceeds the amount available",
    )


@dataclass(frozen=True)
class NewOrder:
    """A registration whose every parameter has been checked; amount in millimes."""

    order_number: str
    amount: int
    currency: str
    return_url: str
    fail_url: str
    description: str
    language: str
    mobile: bool
    client_id: str
    json_params: str
    expires_at: float
    two_phase: bool


def compulsory(params: Params, name: str) -> str:
    value = params.get(name, "")
    if not value.strip():
        raise missing(name)
    return value


def number(params: Params, name: str, digits: int = 12) -> int:
    """A compulsory amount: 1 to ``digits`` ASCII digits, more than zero."""
    value = compulsory(params, name)
    if not re.fullmatch(rf"[0-9]{{1,{digits}}}", value) or int(value) == 0:
        raise wrong(name)
    return int(value)


def _text(params: Params, name: str, longest: int) -> str:
    value = params.get(name, "")
    if len(value) > longest:
        raise wrong(name)
    return value


def _address(value: str, name: str) -> str:
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        raise wrong(name) from None
    odd = any(ord(c) <= 32 or c in '<>"\\' for c in value)
    if len(value) > 512 or odd or parts.scheme not in ("http", "https") or not host:
        raise wrong(name)
    return value


def language_of(params: Params) -> str:
    """The language a call asks for, French when absent or unknown: used for sentences, never fails."""
    value = params.get("language", "").lower()
    return value if value in LANGUAGES else "fr"


def _expiry(params: Params, now: float) -> float:
    """expirationDate (gateway time, UTC+1) wins over sessionTimeoutSecs; 20 minutes without either."""
    moment = params.get("expirationDate", "")
    seconds = params.get("sessionTimeoutSecs", "")
    if seconds and (not re.fullmatch(r"[0-9]{1,9}", seconds) or int(seconds) == 0):
        raise wrong("sessionTimeoutSecs")
    if moment:
        try:
            return datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=GATEWAY_TIME).timestamp()
        except ValueError:
            raise wrong("expirationDate") from None
    return now + int(seconds or 1200)


def new_order(params: Params, now: float, *, two_phase: bool) -> NewOrder:
    """Check the parameters of register.do and registerPreAuth.do. Raises Refusal 3, 4 or 5."""
    order_number = compulsory(params, "orderNumber")
    if len(order_number) > 32 or not order_number.isprintable():
        raise wrong("orderNumber")
    amount = number(params, "amount")
    currency = params.get("currency", "") or DINAR
    if currency != DINAR:
        raise Refusal(UNKNOWN_CURRENCY, "Devise inconnue", "Unknown currency")
    return_url = _address(compulsory(params, "returnUrl"), "returnUrl")
    fail_url = params.get("failUrl", "")
    if fail_url:
        _address(fail_url, "failUrl")
    language = (params.get("language", "") or "fr").lower()
    if language not in LANGUAGES:
        raise wrong("language")
    view = (params.get("pageView", "") or "DESKTOP").upper()
    if view not in ("DESKTOP", "MOBILE"):
        raise wrong("pageView")
    json_params = params.get("jsonParams", "")
    if json_params:
        try:
            if not isinstance(json.loads(json_params), dict):
                raise wrong("jsonParams")
        except (ValueError, RecursionError):
            raise wrong("jsonParams") from None
    return NewOrder(
        order_number=order_number,
        amount=amount,
        currency=currency,
        return_url=return_url,
        fail_url=fail_url or return_url,
        description=_text(params, "description", 512),
        language=language,
        mobile=view == "MOBILE",
        client_id=_text(params, "clientId", 255),
        json_params=json_params,
        expires_at=_expiry(params, now),
        two_phase=two_phase,
    )


@dataclass(frozen=True)
class GridCard:
    """A line of SMT's acceptance grid: what the card answers when expiry and CVV are typed right."""

    pan: str
    cvv: str
    action_code: int


# SMT's acceptance grid. Every card is typed with 12/26 as its expiry, whatever today's date is.
TEST_CARDS = (
    GridCard("4509211111111119", "748", 0),
    GridCard("5440212711111110", "665", 0),
    GridCard("4568941111111119", "257", CEILING),
    GridCard("5104051111111115", "186", NO_FUNDS),
    GridCard("4557691111111119", "", CARD_INVALID),
)


def judge_card(pan: str, expiry: str, cvv: str) -> int:
    """The issuer's answer: 0 accepts, all else is the refusal's actionCode. ``expiry`` is yyyyMM."""
    card = next((card for card in TEST_CARDS if card.pan == pan), None)
    if card is None or card.action_code == CARD_INVALID:
        return CARD_INVALID
    if expiry != CARD_EXPIRY:
        return CARD_EXPIRED
    if cvv != card.cvv:
        return WRONG_CVV
    return card.action_code


def mask(pan: str) -> str:
    """``440921**1119``: six digits, two stars, four digits, as the gateway shows it."""
    return f"{pan[:6]}**{pan[-4:]}"
