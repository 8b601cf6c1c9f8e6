"""From the history to the invoice: basket, hosted page, result, « Mes factures », the public check."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import CertificateRequest, Payment
from app.permissions import Role
from app.services import settings
from app.services.payments import settle
from app.states import PaymentState, RequestState
from tests import factories
from tests.pages import CheckingClient
from tests.support.paying import (
    NO_FUNDS,
    Shop,
    assert_paid_once,
    assert_unpaid,
    attempt,
    behave,
    count_payments,
    invoices,
    misbehave,
    move,
    pay,
)
from tests.support.servers import HttpServer
from tests.support.statements import counted

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _impatient(app: Flask) -> None:
    app.config["CLICTOPAY_TIMEOUT"] = (1.0, 1.0)


def enter(client: CheckingClient, shop: Shop) -> None:
    client.login(shop.administrator.email, factories.PASSWORD)


def plain(text: str) -> str:
    """Without the no-break spaces of amounts."""
    return text.replace("\u202f", " ").replace("\xa0", " ")


def last_payment() -> Payment:
    db.session.rollback()
    return db.session.scalars(select(Payment).order_by(Payment.id.desc()).limit(1)).one()


def press_payer(client: CheckingClient) -> Any:
    """« Payer » on the basket's page as it is."""
    return client.get("/panier").form("Payer").submit("Payer")


@pytest.mark.spec("PAY-1", "PRI-1", "PRI-2")
def test_boxes_ticked_in_the_history_fill_the_basket(client: CheckingClient, gateway: HttpServer) -> None:
    shop = Shop(3)
    for row in shop.requests:
        row.basket_added_at = None
    db.session.commit()
    enter(client, shop)
    assert "Votre panier est vide" in client.get("/panier")
    page = client.get("/commandes")
    page = page.form("Ajouter au panier").fill(request=shop.references[:1]).submit("Ajouter au panier")
    assert page.h1 == "Récapitulatif de mon panier"
    assert "424,500 DT" in plain(page.text)
    page = client.get("/commandes")
    page = page.form("Ajouter au panier").fill(request=shop.references).submit("Ajouter au panier")
    said = plain(page.text)
    assert "1 271,500 DT" in said
    assert "Les frais de livraison (7dt par certificat), font partie du prix TTC" in said
    for row in shop.requests:
        assert row.email in said
        assert row.common_name in said
    for amount in ("350,000 DT", "66,500 DT", "416,500 DT", "21,000 DT", "1,000 DT", "1 050,000 DT", "199,500 DT"):
        assert amount in said


@pytest.mark.spec("PAY-1")
def test_ticking_nothing_says_what_to_do(client: CheckingClient) -> None:
    shop = Shop()
    shop.requests[0].basket_added_at = None
    db.session.commit()
    enter(client, shop)
    page = client.get("/commandes").form("Ajouter au panier").submit("Ajouter au panier")
    assert page.path == "/commandes"
    assert any("Cochez au moins une demande" in each for each in page.flashes)


@pytest.mark.spec("PAY-1")
def test_one_request_can_be_taken_out(client: CheckingClient, gateway: HttpServer) -> None:
    shop = Shop(2)
    enter(client, shop)
    page = client.get("/panier")
    gone = shop.references[0]
    page = client.post("/panier/retirer", {"request": gone}, csrf=True)
    assert any(gone in each for each in page.flashes)
    assert "424,500 DT" in plain(page.text)


@pytest.mark.spec("PAY-3", "GAT-5", "INV-1", "INV-2")
@pytest.mark.parametrize("means", ["Carte bancaire", "E-dinar"])
def test_paying_leads_to_the_hosted_page_and_back_to_the_invoice(
    client: CheckingClient, gateway: HttpServer, means: str
) -> None:
    shop = Shop(3)
    enter(client, shop)
    page = client.get("/panier").form("Payer").fill({"Moyen de paiement": means}).submit("Payer")
    payment = last_payment()
    assert page.location == payment.form_url
    # The payer types the card at the gateway itself, which sends the browser back.
    hosted = httpx.get(page.location)
    assert "ANCE" in hosted.text
    assert "1\xa0271.500" in hosted.text
    back = _pay_by_hand(page.location)
    assert back.startswith("http://localhost/paiements/retour?t=")
    assert f"orderId={payment.gateway_order_id}" in back
    page = client.get(back.removeprefix("http://localhost"))
    assert page.h1 == "Paiement confirmé"
    said = plain(page.text)
    assert "Payé" in said
    assert "1 271,500 DT" in said
    for reference in shop.references:
        assert reference in said
    assert_paid_once(shop)
    number = invoices()[0].number
    pdf = page.click(f"{number} (PDF)")
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert number in pdf.headers["Content-Disposition"]
    page = client.get("/factures")
    assert page.table(0)[0]["Numéro"] == number
    assert client.get(f"/factures/{number}.pdf").data == pdf.data
    page = client.get(back.removeprefix("http://localhost")).click("Finir la commande")
    assert page.path == "/commandes"
    assert "Votre panier est vide" in client.get("/panier")


def _pay_by_hand(form_url: str) -> str:
    answer = httpx.post(
        form_url,
        data={
            "means": "card",
            "cardholder": "Rim Trabelsi",
            "email": "",
            "pan": "4509 2111 1111 1119",
            "month": "12",
            "year": "2026",
            "cvv": "748",
        },
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


@pytest.mark.spec("GAT-2", "GAT-5")
def test_the_return_page_works_without_a_session_and_tells_little(
    client: CheckingClient, new_client: Callable[..., CheckingClient], gateway: HttpServer
) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    payment = attempt(opening.payment_id)
    address = f"/paiements/retour?t={payment.return_token}&orderId={payment.gateway_order_id}&lang=fr"
    page = client.get(address)
    assert page.h1 == "Paiement confirmé"
    assert "424,500 DT" in plain(page.text)
    assert payment.reference in page.text
    assert shop.references[0] not in page.text
    assert shop.requests[0].common_name not in page.text
    assert "FAC-" not in page.text
    assert_paid_once(shop)
    stranger = new_client()
    enter(stranger, Shop())
    assert shop.references[0] not in stranger.get(address).text


@pytest.mark.spec("GAT-2")
def test_a_forged_return_pays_nothing(client: CheckingClient, gateway: HttpServer) -> None:
    shop = Shop()
    opening = shop.start()
    payment = attempt(opening.payment_id)
    token, order_id = payment.return_token, payment.gateway_order_id
    for address in (
        f"/paiements/retour?t={token}&orderId={order_id}&orderStatus=2&errorCode=0",
        f"/paiements/retour?orderId={order_id}&status=PAYE",
    ):
        page = client.get(address)
        assert page.h1 == "Paiement en cours de vérification"
    client.get("/paiements/retour?orderId=%00", expect=404)
    for query in ("", "?t=x", "?orderId=%27--", f"?orderId={payment.reference}"):
        assert client.get(f"/paiements/retour{query}", expect=404).h1 == "Paiement introuvable"
    client.open("POST", f"/paiements/retour?t={token}", expect=(400, 405))
    assert_unpaid(shop)


@pytest.mark.spec("GAT-2", "GAT-5")
def test_returning_with_somebody_elses_paid_order_confirms_only_theirs(
    client: CheckingClient, gateway: HttpServer
) -> None:
    payer, cheat = Shop(), Shop()
    paid, unpaid = payer.start(), cheat.start()
    pay(gateway, paid.payment_id)
    token, order_id = attempt(unpaid.payment_id).return_token, attempt(paid.payment_id).gateway_order_id
    assert client.get(f"/paiements/retour?t={token}&orderId={order_id}").h1 == "Paiement en cours de vérification"
    db.session.rollback()
    assert cheat.states == {RequestState.EN_ATTENTE_DE_PAIEMENT}


@pytest.mark.spec("GAT-5")
def test_a_refusal_is_told_with_its_reason_and_leads_back_to_the_basket(
    client: CheckingClient, gateway: HttpServer
) -> None:
    shop = Shop()
    enter(client, shop)
    press_payer(client)
    payment = last_payment()
    pay(gateway, payment.id, **NO_FUNDS)
    page = client.get(f"/paiements/retour?t={payment.return_token}")
    assert page.h1 == "Paiement refusé"
    assert "La provision de la carte est insuffisante." in page
    page = page.click("Retour au panier")
    assert page.h1 == "Récapitulatif de mon panier"
    assert press_payer(client).location != payment.form_url
    assert_unpaid(shop)


@pytest.mark.spec("GAT-5", "GAT-3")
def test_an_expired_session_is_told_and_the_basket_payable_again(client: CheckingClient, gateway: HttpServer) -> None:
    shop = Shop()
    enter(client, shop)
    press_payer(client)
    payment = last_payment()
    move(gateway, payment.id, expires_in=0)
    assert client.get(f"/paiements/retour?t={payment.return_token}").h1 == "Paiement expiré"
    press_payer(client)
    assert last_payment().id != payment.id


@pytest.mark.spec("GAT-2", "GAT-5")
@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("down", "indisponible"),
        ("slow", "indisponible"),
        ("garbage", "indisponible"),
        ("wrong_amount", "TunTrust vérifie ce paiement"),
    ],
)
def test_a_gateway_out_of_order_is_said_in_words(
    client: CheckingClient, gateway: HttpServer, mode: str, sentence: str
) -> None:
    shop = Shop()
    enter(client, shop)
    press_payer(client)
    payment = last_payment()
    token = payment.return_token
    pay(gateway, payment.id)
    misbehave(gateway, mode, **({"seconds": 3} if mode == "slow" else {}))
    page = client.get(f"/paiements/retour?t={token}")
    assert page.h1 == "Paiement en cours de vérification"
    assert sentence in page
    assert_unpaid(shop)
    behave(gateway)
    assert client.get(f"/paiements/retour?t={token}").h1 == "Paiement confirmé"
    assert_paid_once(shop)


@pytest.mark.spec("GAT-1")
def test_a_gateway_down_at_payer_leaves_the_basket_as_it_was(client: CheckingClient) -> None:
    shop = Shop()
    enter(client, shop)
    page = press_payer(client)
    assert page.path == "/panier"
    assert any("indisponible" in each for each in page.flashes)
    assert "424,500 DT" in plain(page.text)
    assert_unpaid(shop)


@pytest.mark.spec("GAT-3", "PAY-3")
def test_the_back_button_and_a_second_tab_lead_to_the_same_hosted_page(
    client: CheckingClient, gateway: HttpServer
) -> None:
    shop = Shop()
    enter(client, shop)
    basket = client.get("/panier")
    first = basket.form("Payer").submit("Payer").location
    assert basket.form("Payer").submit("Payer").location == first
    assert "Un paiement est ouvert" in client.get("/panier")
    assert count_payments() == 1
    # Paid in the first tab: the second finds it out instead of paying again.
    pay(gateway, last_payment().id)
    page = basket.form("Payer").submit("Payer")
    assert page.h1 == "Paiement confirmé"
    assert_paid_once(shop)


@pytest.mark.spec("PAY-1")
def test_a_basket_changed_in_another_tab_is_shown_with_its_new_total(
    client: CheckingClient, gateway: HttpServer
) -> None:
    shop = Shop()
    enter(client, shop)
    basket = client.get("/panier")
    shop.request_ids.append(shop.add())
    page = basket.form("Payer").submit("Payer")
    assert page.path == "/panier"
    assert any("848,000" in plain(each) for each in page.flashes)
    assert count_payments() == 0


@pytest.mark.spec("PAY-1", "PPL-2")
@pytest.mark.parametrize(
    "forged",
    [
        {"total": "1"},
        {"total": "-5"},
        {"total": "x"},
        {"total": ""},
        {"method": "CREDIT"},
        {"method": "x"},
        {"request": "DEM-0"},
        {"request": None},
    ],
)
def test_a_forged_payer_changes_nothing(client: CheckingClient, gateway: HttpServer, forged: dict[str, Any]) -> None:
    shop = Shop()
    enter(client, shop)
    page = client.get("/panier").form("Payer").force(**forged).submit()
    assert page.path == "/panier"
    assert page.flashes
    assert count_payments() == 0
    assert gateway.requests == []


@pytest.mark.spec("PPL-2")
def test_strangers_and_applicants_reach_nothing(
    client: CheckingClient, new_client: Callable[..., CheckingClient], gateway: HttpServer
) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    number = invoices()[0].number
    other = Shop()
    enter(client, other)
    client.get(f"/factures/{number}.pdf", expect=404)
    client.get("/factures/FAC-2026-999999.pdf", expect=404)
    client.get("/panier")
    client.post("/panier/ajouter", {"request": shop.references[0]}, csrf=True, expect=404)
    client.get("/panier")
    client.post("/panier/retirer", {"request": shop.references[0]}, csrf=True, expect=404)
    assert "Aucune facture" in client.get("/factures")
    applicant = new_client()
    applicant.login(factories.applicant().email, factories.PASSWORD)
    for address in ("/panier", "/factures", f"/factures/{number}.pdf"):
        applicant.get(address, expect=403)
    visitor = new_client()
    for address in ("/panier", "/factures"):
        page = visitor.get(address)
        assert (page.path, page.redirects) == ("/", [address])


@pytest.mark.spec("INV-2")
def test_the_qr_code_confirms_number_date_and_total_only(client: CheckingClient, gateway: HttpServer) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    invoice = invoices()[0]
    address = str(invoice.snapshot["verification_url"])
    assert address == f"http://localhost/verification/{invoice.verification_code}"
    page = client.get(address.removeprefix("http://localhost"))
    said = plain(page.text)
    assert invoice.number in said
    assert "424,500 DT" in said
    assert re.search(r"\d\d/\d\d/20\d\d", said)
    for secret in (shop.requests[0].common_name, shop.references[0], shop.emails[0], "Société Exemple"):
        assert secret not in said
    page = client.get("/verification/AAAAABBBBBCCCCCDDDDD", expect=404)
    assert page.h1 == "Vérification d'une facture"
    assert "Code inconnu" in page


@pytest.mark.spec("INV-3")
def test_an_electronic_form_that_cannot_be_signed_is_told_in_words(client: CheckingClient, gateway: HttpServer) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    settings.change("teif.sign", "oui", actor=factories.actor(factories.staff(Role.ADMINISTRATEUR)))
    enter(client, shop)
    page = client.get(f"/factures/{invoices()[0].number}.xml", expect=503)
    assert page.h1 == "Ce document n’est pas disponible pour le moment"


@pytest.mark.spec("GAT-3")
def test_fifty_reloads_of_the_return_page_confirm_once(client: CheckingClient, gateway: HttpServer) -> None:
    shop = Shop()
    opening = shop.start()
    token = attempt(opening.payment_id).return_token
    for _index in range(35):  # beyond thirty a minute the gateway is left in peace, the page still answers
        assert client.get(f"/paiements/retour?t={token}").h1 == "Paiement en cours de vérification"
    asked = [path for _method, path in gateway.requests if path.endswith("getOrderStatusExtended.do")]
    assert len(asked) == 30
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    for _index in range(50):
        assert client.get(f"/paiements/retour?t={token}").h1 == "Paiement confirmé"
    assert_paid_once(shop)


@pytest.mark.spec("PAY-1")
def test_the_menu_counts_the_basket(client: CheckingClient) -> None:
    shop = Shop(2)
    enter(client, shop)
    page = client.get("/factures")
    assert re.search(r'Panier <span class="count">2</span>', page.data.decode())
    assert db.session.scalars(select(CertificateRequest.id)).all() == shop.request_ids
    assert count_payments(PaymentState.PAYE) == 0


@pytest.mark.spec("PAY-1", "INV-2")
@pytest.mark.parametrize("address", ["/panier", "/factures"])
def test_a_longer_list_takes_no_more_statements(client: CheckingClient, gateway: HttpServer, address: str) -> None:
    shop = Shop()
    enter(client, shop)

    client.get(address)
    with counted() as few:
        client.get(address)
    for _index in range(6):
        shop.add()
    if address == "/factures":
        client.get("/panier")
        opening = shop.start()
        pay(gateway, opening.payment_id)
        settle(opening.payment_id)
    with counted() as many:
        client.get(address)
    assert len(many) <= len(few), "\n".join(many)
    assert len(few) < 20
