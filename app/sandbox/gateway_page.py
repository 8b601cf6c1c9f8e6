"""The hosted payment page: where a person types a card, at the gateway and never at the merchant (GAT-6).

It works without JavaScript. An order is charged once: sending the form twice, going back or opening the
page again leads to what became of the order. « Annuler » goes back to the merchant and changes nothing;
the order then ends with its session.
"""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.sandbox import gateway_rules as rules
from app.sandbox.gateway_control import after_work, before_work
from app.sandbox.gateway_store import Row, Store
from app.sandbox.gateway_texts import TEXTS

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789", " \u00a0\u202f-")


def page_blueprint(store: Store) -> Blueprint:
    """The page in its languages and both views, bound to one store."""
    bp = Blueprint("page", __name__)

    def show(language: str) -> BaseResponse:
        behaviour = store.next_behaviour("page")
        if behaviour is None:
            return _page(store, language)
        return before_work(*behaviour) or after_work(*behaviour, make_response(_page(store, language)))

    for name, endpoint in (("payment", "show"), ("mobile_payment", "show_mobile")):
        bp.add_url_rule(
            f"/payment/merchants/CLICTOPAY/{name}_<any(fr, en, ar):language>.html",
            endpoint=endpoint, view_func=show, methods=["GET", "POST"],
        )  # fmt: skip
    return bp


def _page(store: Store, language: str) -> BaseResponse:
    try:
        order = store.find(md_order=request.args.get("mdOrder", ""))
    except rules.Refusal:
        return _render("gateway/unknown.html", 404, language=language, order=None)
    if request.method == "POST":
        return _submit(store, order, language)
    if order["status"] == rules.REGISTERED:
        return _form(order, language)
    fresh = request.args.get("fin") == "1" and order["status"] == rules.REFUSED
    return _render("gateway/result.html", language=language, order=order, back=back(order, language),
                   reason=_reason(order["action_code"], language), fresh=fresh)  # fmt: skip


def _submit(store: Store, order: Row, language: str) -> BaseResponse:
    if order["status"] == rules.REGISTERED:
        card, errors = read_card(language)
        if errors:
            return _form(order, language, card, errors, 422)
        order = store.pay(
            order["md_order"], pan=card["pan"], expiry=card["year"] + card["month"], cvv=card["cvv"],
            cardholder=card["cardholder"], email=card["email"], ip=request.remote_addr or "",
            payment_way="E_DINAR" if card["means"] == "edinar" else "CARD",
        )  # fmt: skip
    if order["status"] in (rules.PAID, rules.PREAUTHORISED):
        return redirect(back(order, language), 303)
    here = url_for(request.endpoint or abort(404), language=language, mdOrder=order["md_order"], fin="1")
    return redirect(here, 303)


def back(order: Row, language: str) -> str:
    """The merchant's address, failUrl unless money was taken, with orderId and lang after its own query."""
    settled = order["status"] in (rules.PREAUTHORISED, rules.PAID, rules.REVERSED, rules.REFUNDED)
    parts = urlsplit(order["return_url"] if settled else order["fail_url"])
    added = urlencode({"orderId": order["md_order"], "lang": language})
    query = f"{parts.query}&{added}" if parts.query else added
    return str(urlunsplit(parts._replace(query=query)))


def read_card(language: str) -> tuple[dict[str, str], dict[str, str]]:
    """What was typed, cleaned, and the sentence for each field whose shape is wrong."""
    texts = TEXTS[language]
    typed = {name: request.form.get(name, "").strip() for name in ("cardholder", "email", "means")}
    numbers = {name: request.form.get(name, "").translate(_DIGITS) for name in ("pan", "month", "year", "cvv")}
    card = typed | numbers
    card["means"] = "edinar" if card["means"] == "edinar" else "card"
    card["month"] = card["month"].zfill(2)
    if len(card["year"]) == 2:
        card["year"] = "20" + card["year"]
    errors: dict[str, str] = {}
    if not 1 <= len(card["cardholder"]) <= 100 or not card["cardholder"].isprintable():
        errors["cardholder"] = texts["error_cardholder"]
    if len(card["email"]) > 254 or (card["email"] and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", card["email"])):
        errors["email"] = texts["error_email"]
    if not re.fullmatch(r"[0-9]{13,19}", card["pan"]):
        errors["pan"] = texts["error_pan"]
    if not re.fullmatch(r"0[1-9]|1[0-2]", card["month"]) or not re.fullmatch(r"20[0-9]{2}", card["year"]):
        errors["month"] = texts["error_expiry"]
    if not re.fullmatch(r"[0-9]{3,4}", card["cvv"]):
        errors["cvv"] = texts["error_cvv"]
    return card, errors


def _form(
    order: Row, language: str, card: dict[str, str] | None = None, errors: dict[str, str] | None = None,
    status: int = 200,
) -> BaseResponse:  # fmt: skip
    if card is None:
        email = json.loads(order["json_params"] or "{}").get("email", "")
        card = {"email": email if isinstance(email, str) else "", "means": "card"}
    left = max(0, int(order["expires_at"] - time.time()))
    this_year = datetime.now(rules.GATEWAY_TIME).year
    return _render(
        "gateway/pay.html", status, language=language, order=order, card=card, errors=errors or {},
        left=left, countdown=countdown(left), back=back(order, language), cards=rules.TEST_CARDS,
        years=range(min(2026, this_year), this_year + 12),
    )  # fmt: skip


def _render(template: str, status: int = 200, *, language: str, order: Row | None, **values: object) -> Response:
    def translated(other: str) -> str:
        return url_for(request.endpoint or "page.show", language=other, mdOrder=request.args.get("mdOrder"))

    summary = {}
    if order is not None:
        day = datetime.fromtimestamp(order["created_at"], rules.GATEWAY_TIME)
        summary = {"amount": amount_in_words(order["amount"]), "day": day.strftime("%d-%m-%Y")}
    html = render_template(
        template, t=TEXTS[language], language=language, order=order, translated=translated,
        direction="rtl" if language == "ar" else "ltr", **summary, **values,
    )  # fmt: skip
    return make_response(html, status)


def _reason(action_code: int, language: str) -> str:
    return TEXTS[language].get(f"reason_{action_code}", TEXTS[language]["reason_other"])


def amount_in_words(amount: int) -> str:
    """Millimes as the page shows them: ``424.500 TND``."""
    return f"{amount // 1000:,}".replace(",", "\u00a0") + f".{amount % 1000:03d}\u00a0TND"


def countdown(seconds: int) -> str:
    """Days, hours, minutes, seconds in the gateway's own form: ``00:0h:18m:35s``."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days:02d}:{hours}h:{minutes:02d}m:{rest:02d}s"
