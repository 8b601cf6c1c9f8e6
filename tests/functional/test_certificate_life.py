"""The pages of a certificate's life: revoke, see somebody off, renew, and the desk's second person (CRT-3 … CRT-5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import CertificateRequest, OrderDraftLine, Revocation
from app.permissions import Role
from app.services import ordering
from app.states import CertificateState, RequestState, RevocationState
from tests import factories as f
from tests.pages import CheckingClient
from tests.services.test_renewal import Firm, line_for
from tests.services.test_revoking import sent
from tests.support.statements import counted

LOST = "Token, code PIN ou clé perdu, volé, divulgué, ou soupçonné de l'être"


def state_of(request: CertificateRequest) -> CertificateState:
    db.session.expire_all()
    assert request.certificate is not None
    return request.certificate.state


@pytest.mark.spec("CRT-4")
def test_a_holder_revokes_online_with_the_password_again(client: CheckingClient, app: Flask) -> None:
    request = sent()
    client.login(request.applicant.email, f.PASSWORD)
    page = client.get(f"/demandes/{request.reference}").click("Révoquer le certificat")
    assert "définitive" in page.text
    assert "n'est pas remboursé" in page.text
    empty = page.form("Votre mot de passe").submit("Révoquer définitivement")
    assert {empty.error_for(name) for name in ("reason", "current", "sure")} == {
        "Choisissez un motif.",
        "Écrivez votre mot de passe.",
        "Cochez la case : une révocation ne se reprend pas.",
    }
    filled = empty.form("Votre mot de passe").fill(reason="CLE_COMPROMISE", text="Perdu.", sure=True, current="faux")
    wrong = filled.submit("Révoquer définitivement")
    assert wrong.error_for("current") == "Ce n'est pas votre mot de passe actuel."
    assert wrong.form("Votre mot de passe")["text"] == "Perdu."
    assert state_of(request) is CertificateState.EXPEDIE
    done = wrong.form("Votre mot de passe").fill(sure=True, current=f.PASSWORD).submit("Révoquer définitivement")
    assert "Le certificat est révoqué depuis le" in done.text
    assert "Perdu." in done.text
    assert state_of(request) is CertificateState.REVOQUE
    again = client.get(f"/demandes/{request.reference}/revoquer")
    assert again.flashes == ["Cette demande n'a pas de certificat à révoquer."]


@pytest.mark.spec("CRT-5")
def test_renewing_from_the_page_of_certificates_to_the_order(client: CheckingClient, app: Flask) -> None:
    firm = Firm(20, 40, 300)
    first, second, _later = firm.requests
    client.login(firm.people[0].email, f.PASSWORD)
    page = client.get("/certificats")
    assert "2 certificats arrivent à leur fin" in page.text
    soon = page.click("Choisir lesquels")
    assert [row["Titulaire"] for row in soon.table(0)] != []
    lists = soon.form("Préparer le renouvellement").fill(request=[first.reference]).submit("Préparer le renouvellement")
    assert lists.path == "/commandes/nouvelle/ID_TRUST"
    assert "1 renouvellement est sur votre liste" in " ".join(lists.flashes)
    assert "Remplace un certificat" in lists.text
    assert "Sur la liste des demandes" in client.get("/certificats?onglet=bientot").text
    everything = client.get("/certificats").press("Tout renouveler")
    assert "1 renouvellement" in " ".join(everything.flashes)
    assert {line.data["replaces_id"] for line in db.session.scalars(select(OrderDraftLine))} == {first.id, second.id}
    number = db.session.scalars(select(OrderDraftLine.id).order_by(OrderDraftLine.id)).first()
    mended = client.get(f"/commandes/nouvelle/ID_TRUST/{number}").form("Nom").fill({"Téléphone mobile": "98111222"})
    mended.submit("Enregistrer la correction")
    order = client.get("/commandes/nouvelle/ID_TRUST").form("send-attestation").fill({"send-attestation": True})
    order.submit("Envoyer les demandes")
    made = db.session.scalars(select(CertificateRequest).where(CertificateRequest.replaces_id == first.id)).one()
    assert made.mobile == "+21698111222"
    shown = client.get(f"/demandes/{made.reference}")
    assert first.reference in shown.text
    assert first.certificate is not None
    assert first.certificate.serial_number in shown.text
    assert made.reference in client.get(f"/demandes/{first.reference}").text


@pytest.mark.spec("CRT-5")
@pytest.mark.parametrize("onglet", ["valides", "bientot", "expires", "revoques", "autre"])
def test_every_tab_is_a_sound_page_whatever_the_address_says(client: CheckingClient, app: Flask, onglet: str) -> None:
    firm = Firm(20)
    firm.add(-1)
    firm.add(300, CertificateState.REVOQUE)
    client.login(firm.people[0].email, f.PASSWORD)
    for extra in ("", "&q=zzz&page=99999", "&page=x"):
        assert client.get(f"/certificats?onglet={onglet}{extra}").h1 == "Mes certificats"


@pytest.mark.spec("CRT-5", "SPD-1")
def test_a_page_of_many_certificates_asks_no_more_than_one_of_few(client: CheckingClient, app: Flask) -> None:
    firm = Firm(20)
    client.login(firm.people[0].email, f.PASSWORD)
    asked = []
    for _round in range(2):
        client.get("/certificats?onglet=bientot")
        with counted() as statements:
            client.get("/certificats?onglet=bientot")
        asked.append(len(statements))
        for number in range(6):
            firm.add(10 + number)
    assert asked[0] == asked[1]


@pytest.mark.spec("CRT-5", "CRT-4")
def test_the_departure_guide_revokes_and_orders_in_one_page(client: CheckingClient, app: Flask) -> None:
    firm = Firm(300)
    leaver = firm.requests[0]
    client.login(firm.people[0].email, f.PASSWORD)
    page = client.get(f"/demandes/{leaver.reference}").click("Départ du titulaire")
    assert "soit tout est fait, soit rien ne l'est" in page.text
    form = page.form("Votre mot de passe").fill(sure=True, current=f.PASSWORD)
    missing = form.submit("Confirmer le départ")
    assert missing.error_for("last_name")
    assert missing.error_for("attestation")
    assert state_of(leaver) is CertificateState.RETIRE
    person = line_for(910_001)
    filled = missing.form("Votre mot de passe").fill(
        sure=True, current=f.PASSWORD, attestation=True, identity_number=person.identity_number,
        last_name=person.last_name, first_name=person.first_name, last_name_ar=person.last_name_ar,
        first_name_ar=person.first_name_ar, birth_date=person.birth_date.isoformat(), mobile=person.mobile,
        email=person.email, email_confirmation=person.email,
    )  # fmt: skip
    done = filled.submit("Confirmer le départ")
    assert "est révoqué, et la commande" in " ".join(done.flashes)
    assert state_of(leaver) is CertificateState.REVOQUE
    made = db.session.scalars(select(CertificateRequest).where(CertificateRequest.replaces_id == leaver.id)).one()
    assert made.state is RequestState.NON_FINALISEE
    assert "plus rien à faire" in " ".join(client.get(f"/demandes/{leaver.reference}/depart").flashes)


@pytest.mark.spec("CRT-5")
def test_a_departure_without_successor_asks_for_none(client: CheckingClient, app: Flask) -> None:
    firm = Firm(300)
    leaver = firm.requests[0]
    client.login(firm.people[0].email, f.PASSWORD)
    form = client.get(f"/demandes/{leaver.reference}/depart").form("Votre mot de passe")
    assert len(form.options("succession")) == 2
    done = form.fill(succession="plus-tard", sure=True, current=f.PASSWORD).submit("Confirmer le départ")
    assert "est révoqué." in " ".join(done.flashes)
    assert state_of(leaver) is CertificateState.REVOQUE
    renewed = done.press("Commander un nouveau certificat")
    assert renewed.path == "/commandes/nouvelle/ID_TRUST"
    ordering.send_order(firm.actor, firm.organisation.id, attested=True)


@pytest.mark.spec("CRT-5")
def test_who_is_replaced_already_is_only_revoked(client: CheckingClient, app: Flask) -> None:
    firm = Firm(20)
    leaver = firm.requests[0]
    firm.renew(leaver)
    ordering.send_order(firm.actor, firm.organisation.id, attested=True)
    client.login(firm.people[0].email, f.PASSWORD)
    page = client.get(f"/demandes/{leaver.reference}/depart")
    assert "déjà remplacé" in page.text
    form = page.form("Votre mot de passe")
    assert len(form.options("succession")) == 1
    form.fill(sure=True, current=f.PASSWORD).submit("Confirmer le départ")
    assert state_of(leaver) is CertificateState.REVOQUE


@pytest.mark.spec("CRT-4", "PPL-3")
def test_an_officer_prepares_and_another_approves(
    client: CheckingClient, new_client: Callable[[], CheckingClient], app: Flask
) -> None:
    request = sent()
    client.login(f.staff(Role.AGENT).email, f.PASSWORD)
    page = client.get(f"/admin/dossiers/{request.reference}").click("Révoquer le certificat")
    empty = page.form("Ce qui s'est passé").submit("Préparer la révocation")
    assert empty.error_for("text")
    form = empty.form("Ce qui s'est passé").fill({"Motif": LOST, "Ce qui s'est passé": "Appel du titulaire."})
    prepared = form.submit("Préparer la révocation")
    assert "Rien n'est révoqué" in " ".join(prepared.flashes)
    assert "Une personne qui approuve les révocations" in prepared.text
    assert state_of(request) is CertificateState.EXPEDIE
    row = db.session.scalars(select(Revocation)).one()
    second = new_client()
    second.login(f.staff(Role.SUPERVISEUR).email, f.PASSWORD)
    listed = second.get("/admin/revocations/")
    assert row.reference in listed.text
    shown = listed.click(row.reference)
    refused = shown.form("Raison du refus").submit("Refuser la révocation")
    assert refused.error_for("reason")
    approved = refused.press("Approuver et révoquer")
    assert approved.flashes == ["Le certificat est révoqué. Le titulaire et ses administrateurs sont prévenus."]
    assert state_of(request) is CertificateState.REVOQUE
    db.session.expire_all()
    assert row.state is RevocationState.FAITE


@pytest.mark.spec("CRT-4", "EXP-1")
def test_valid_and_revoked_certificates_are_lists_that_can_be_exported(client: CheckingClient, app: Flask) -> None:
    firm = Firm(300)
    revoked, over = firm.add(300, CertificateState.REVOQUE), firm.add(-1)
    client.login(f.staff(Role.RESPONSABLE).email, f.PASSWORD)
    for tab, held in (("valides", firm.requests[0]), ("revoques", revoked), ("expires", over)):
        csv = client.get(f"/admin/certificats/export/csv?onglet={tab}").data.decode("utf-8-sig")
        assert [held.reference in csv, csv.count("DEM-")] == [True, 1], tab
        book = client.get(f"/admin/certificats/export/xlsx?onglet={tab}").data
        assert book[:2] == b"PK"
    assert client.get("/admin/revocations/export/csv?onglet=toutes").status == 200
