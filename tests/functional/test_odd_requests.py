"""What no browser sends is answered all the same, and never by a crash (REL-7, SEC-2)."""

from __future__ import annotations

import base64

import pytest
from flask import Flask

from app.permissions import Role
from app.states import RequestState
from tests import factories
from tests.pages import CheckingClient

pytestmark = [pytest.mark.spec("REL-7"), pytest.mark.slow]
TOO_LARGE = 2**63


def enter(client: CheckingClient, role: Role) -> None:
    client.login(factories.staff(role).email, factories.PASSWORD)


@pytest.mark.parametrize("body", ['{"email": "\\ud800", "password": ["x"]}', '{"email": 7}', "[1, 2]", "{"])
def test_a_form_takes_no_json(client: CheckingClient, body: str) -> None:
    token = client.get("/").form()["csrf_token"]
    client.open(
        "POST", "/", data=body, headers={"Content-Type": "application/json", "X-CSRFToken": token}, expect=(400, 415)
    )


@pytest.mark.postgres
@pytest.mark.parametrize("number", [TOO_LARGE, 10**40])
def test_a_number_no_key_can_hold_is_an_address_we_do_not_have(client: CheckingClient, number: int) -> None:
    enter(client, Role.SUPERVISEUR)
    client.post(f"/admin/equipe/roles/{number}", {"decision": "approuver"}, csrf=True, expect=404)


@pytest.mark.postgres
@pytest.mark.parametrize(
    "address",
    ["/verification/%00", "/paiements/retour?t=%00", "/paiements/retour?orderId=a%00b", "/?next=%00", "/aide?x%00=1"],
)
def test_a_nul_in_an_address_names_nothing(client: CheckingClient, address: str) -> None:
    client.get(address, expect=404)


@pytest.mark.postgres
def test_a_nul_among_the_ticked_requests_is_dropped(client: CheckingClient) -> None:
    of = factories.organisation()
    client.login(factories.administrator(of).email, factories.PASSWORD)
    client.post("/panier/ajouter", {"request": "\x00"}, csrf=True, expect=404)
    client.get("/panier")
    client.post("/panier/retirer", {"request": "\x00"}, csrf=True, expect=404)
    client.get("/panier")
    row = factories.certificate_request(of, state=RequestState.EN_ATTENTE_DE_PAIEMENT)
    client.post("/panier/ajouter", {"request": f"\x00{row.reference}"}, csrf=True)
    assert row.reference in client.get("/panier")


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.spec("QUE-2")
@pytest.mark.postgres
def test_a_key_no_row_has_opens_the_list_at_its_top(client: CheckingClient) -> None:
    enter(client, Role.SUPERVISEUR)
    for key in ("[Infinity,1]", "[1e400,1]", '["\\ud800",1]', '["\\u0000",1]', f"[{10**40},1]"):
        for address, title in (("/admin/motifs/", "Motifs"), ("/admin/equipe/", "Équipe")):
            assert title in client.get(f"{address}?apres={packed(key)}").h1


@pytest.mark.spec("QUE-2")
@pytest.mark.postgres
def test_an_id_longer_than_a_key_is_no_filter(client: CheckingClient) -> None:
    enter(client, Role.AGENT)
    number = "0" * 19 + "1" + "9" * 30
    for question in ("agent", "gouvernorat", "type", "domaine"):
        assert client.get(f"/admin/demandes/?{question}={number}").h1 == "Demandes"


@pytest.mark.spec("QUE-3")
@pytest.mark.postgres
def test_a_nul_in_what_next_carries_names_no_file(client: CheckingClient) -> None:
    enter(client, Role.AGENT)
    sent = {"dossier_quitte": "\x00", "jeton": "\x00" * 9, "liste": packed("agent=%00&nationalite=%00")}
    assert client.post("/admin/dossiers/suivant", sent, csrf=True).errors == []


@pytest.mark.parametrize("day", ["9999-12-31", "31/12/9999", "0001-01-01", "01/01/0001", "2026-02-30"])
@pytest.mark.parametrize("question", ["depuis", "jusqu"])
def test_a_day_at_the_edge_of_time_is_no_filter(client: CheckingClient, question: str, day: str) -> None:
    enter(client, Role.RESPONSABLE)
    assert client.get(f"/admin/paiements/?{question}={day}").h1 == "Paiements"


@pytest.mark.spec("SEC-5")
@pytest.mark.parametrize("host", ["evil.example", "portail.exemple.tn.evil.example", "portail.exemple.tn@evil.example"])
@pytest.mark.parametrize("path", ["/", "/admin/", "/mot-de-passe-oublie", "/nulle-part"])
def test_a_host_that_is_not_ours_gets_no_page(app: Flask, host: str, path: str) -> None:
    app.config["TRUSTED_HOSTS"] = ["portail.exemple.tn"]
    answer = app.test_client().get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert answer.mimetype == "text/plain"
    assert host not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.postgres
def test_a_nul_in_a_setting_is_dropped(client: CheckingClient) -> None:
    enter(client, Role.ADMINISTRATEUR)
    client.post("/admin/reglages/seller.name", {"value": "Tun\x00Trust"}, csrf=True)
    assert "TunTrust" in client.get("/admin/reglages/")


def test_a_number_too_long_to_be_read_is_no_number(client: CheckingClient) -> None:
    enter(client, Role.ADMINISTRATEUR)
    for rate in ("1e999999", "9" * 5000):
        page = (
            client.get("/admin/frais/nouveau")
            .form("stamp_duty")
            .fill(delivery_vat_bp=rate, stamp_duty="9" * 5000)
            .submit()
        )
        assert "taux" in page.error_for("delivery_vat_bp")
        assert page.error_for("stamp_duty") == "Écrivez un montant en dinars, par exemple 350,000."


def test_a_version_too_long_to_be_read_is_stale(client: CheckingClient) -> None:
    of = factories.organisation()
    client.login(factories.administrator(of).email, factories.PASSWORD)
    page = client.get("/organisation/modifier").form().force(version="1" * 5000).submit()
    assert page.path == "/organisation/modifier"


@pytest.mark.postgres
def test_a_nul_in_whatever_field_of_a_form_is_dropped(client: CheckingClient) -> None:
    enter(client, Role.ADMINISTRATEUR)
    page = client.get("/admin/motifs/nouveau").form("text_fr")
    page.force(kind="DOCUMENT", code="NUL\x00", text_fr="Il\x00lisible", text_ar="\x00").submit()
    assert "Illisible" in client.get("/admin/motifs/?search=NUL")


@pytest.mark.spec("MSG-1")
@pytest.mark.postgres
@pytest.mark.parametrize("seen", [str(10**31), str(-(10**31)), "9" * 5000])
def test_a_message_from_a_page_that_no_message_closed_is_sent_or_refused(client: CheckingClient, seen: str) -> None:
    of = factories.organisation()
    client.login(factories.administrator(of).email, factories.PASSWORD)
    form = client.get(f"/messages/{of.reference}").form("text")
    form.fill(text="Bonjour").force(seen=seen).submit()
    assert client.get(f"/messages/{of.reference}").status == 200
