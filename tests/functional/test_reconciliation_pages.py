"""The reconciliation desk's pages: remedies by two people, statements shown, kept and filed (GAT-4, BIL-1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import StatementImport, StatementLine
from app.permissions import Role
from app.services.payments import query_gateway
from app.services.regularising import closing
from app.states import Anomaly, PaymentState
from tests import factories
from tests.pages import CheckingClient
from tests.services.test_invoices import sell
from tests.support.paying import attempt, behave, misbehave, move
from tests.support.reconciling import forced, paid_twice, told_otherwise, withdrawn
from tests.support.servers import HttpServer

SignIn = Callable[[Role], CheckingClient]


@pytest.fixture
def sign_in(new_client: Callable[[], CheckingClient]) -> SignIn:
    def enter(role: Role) -> CheckingClient:
        client = new_client()
        client.login(factories.staff(role).email, factories.PASSWORD)
        return client

    return enter


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.spec("GAT-4", "PPL-3", "BIL-1")
def test_from_the_home_to_money_given_back(gateway: HttpServer, app: Flask, sign_in: SignIn) -> None:
    _shop, payment_id = paid_twice(gateway)
    reference = attempt(payment_id).reference
    agent, supervisor, manager = (sign_in(role) for role in (Role.AGENT, Role.SUPERVISEUR, Role.RESPONSABLE))
    assert "De l'argent et nos livres diffèrent" not in agent.get("/admin/")
    page = supervisor.get("/admin/").click("1 paiement à régulariser")
    assert page.h1 == "Rapprochement"
    assert [row["Cas"] for row in page.table(0)] == ["Payé deux fois"]
    page = page.click(reference)
    assert "Écart entre la passerelle et nos livres 424,500 DT" in plain(page.text)
    assert "Préparer un règlement" in page
    read = manager.get(f"/admin/rapprochement/{reference}")
    assert "Préparer un règlement" not in read
    page = agent.get(f"/admin/rapprochement/{reference}").form("Raison").fill({"Raison": ""}).submit()
    assert page.error_for("reason")
    page = page.form("Raison").fill({"Raison": "Deux onglets, deux paiements."}).submit()
    assert "une autre personne doit l'approuver" in page.flashes[0]
    assert "Approuver" not in [str(button.text).strip() for button in page.soup.select("main button")]
    page = supervisor.get("/admin/rapprochement/?onglet=a-approuver").click(reference)
    stale = page.form("Raison")
    page = page.press("Approuver")
    assert "il reste à l'exécuter" in page.flashes[0]
    assert "a changé" in stale.fill({"Raison": "Non."}).submit().flashes[0]
    misbehave(gateway, "garbage", "refund")
    page = agent.get(f"/admin/rapprochement/{reference}").press("Rendre par la passerelle")
    assert "reste à rendre" in page.flashes[0]
    behave(gateway)
    page = page.press("L'argent est-il revenu ?")
    assert "La passerelle a rendu 424,500 DT" in plain(page.flashes[0])
    assert "Réglé" in page
    assert agent.get("/admin/rapprochement/?onglet=regles").table(0)[0]["Règlement"] == "Réglé"
    assert agent.get("/admin/rapprochement/export/csv").data.decode("utf-8-sig").count("\n") == 1


@pytest.mark.spec("GAT-4")
def test_each_case_shows_the_remedy_that_suits_it(gateway: HttpServer, app: Flask, sign_in: SignIn) -> None:
    client = sign_in(Role.AGENT)
    _one, late = withdrawn(gateway)
    assert "Une demande annulée ne se paie plus" in client.get(f"/admin/rapprochement/{attempt(late).reference}")
    _two, other = told_otherwise("wrong_currency")(gateway)
    page = client.get(f"/admin/rapprochement/{attempt(other).reference}")
    assert "unités de la devise 978" in page.text
    _three, gone = forced(3)(gateway)
    page = client.get(f"/admin/rapprochement/{attempt(gone).reference}").press("Constater le remboursement")
    assert "constaté" in page.flashes[0]
    page = page.form("Raison").fill({"Raison": "Erreur de lecture."}).submit()
    assert "de nouveau à régulariser" in page.flashes[0]
    _four, invoice = sell(gateway)
    move(gateway, invoice.payment_id, status=4)
    query_gateway(invoice.payment_id, factories.actor(factories.staff()))
    page = client.get(f"/admin/rapprochement/{attempt(invoice.payment_id).reference}")
    assert page.click("Préparer l'avoir").status == 200
    misbehave(gateway, "down")
    assert "ne répond pas" in page.press("Interroger la passerelle").flashes[0]
    client.get("/admin/rapprochement/PAYRIEN", expect=404)


@pytest.mark.spec("GAT-4")
def test_a_transfer_and_a_refusal_through_the_pages(gateway: HttpServer, app: Flask, sign_in: SignIn) -> None:
    _shop, payment_id = paid_twice(gateway)
    address = f"/admin/rapprochement/{attempt(payment_id).reference}"
    agent, supervisor = sign_in(Role.AGENT), sign_in(Role.SUPERVISEUR)
    form = agent.get(address).form("Raison")
    form.fill({"Raison": "La carte est échue.", "Comment le régler": "VIREMENT"}).submit()
    page = supervisor.get(address).form("Raison").fill({"Raison": ""}).submit()
    assert page.error_for("reason")
    page.form("Raison").fill({"Raison": "La passerelle peut encore."}).submit()
    assert "La passerelle peut encore." in agent.get(address)
    form.fill({"Raison": "La banque a fermé le compte.", "Comment le régler": "VIREMENT"}).submit()
    supervisor.get(address).press("Approuver")
    page = agent.get(address).form("Référence du virement").fill({"Référence du virement": "x"}).submit()
    assert page.error_for("bank_reference")
    page = page.form("Référence du virement").fill({"Référence du virement": "VIR 2026 7"}).submit()
    assert "noté" in page.flashes[0]
    assert attempt(payment_id).remedied_at is not None


@pytest.mark.spec("GAT-4")
def test_a_statement_is_shown_then_kept_and_its_differences_filed(
    gateway: HttpServer, app: Flask, sign_in: SignIn
) -> None:
    _shop, invoice = sell(gateway)
    reference = attempt(invoice.payment_id).reference
    client = sign_in(Role.AGENT)
    day = clock.local(clock.now()).strftime("%d/%m/%Y")
    head = "date;numero de commande;montant"

    def sent(data: bytes, **fields: str) -> object:
        form = client.get("/admin/releves/importer").form("Relevé (CSV)")
        return form.fill({"Relevé (CSV)": ("releve.csv", data), **fields}).submit()

    page = sent(b"")
    assert "vide" in page.error_for("file")  # type: ignore[attr-defined]  # a page
    whole = f"{head}\n{day};{reference};424500\n".encode()
    page = sent(whole)
    assert "dinars ou en millimes" in page.error_for("unit")  # type: ignore[attr-defined]  # a page
    page = sent(f"{head}\nhier;{reference};424,500\n{day};{reference};<b>x</b>\n".encode())
    assert page.h1 == "Relevé à corriger"  # type: ignore[attr-defined]  # a page
    assert [(row["Ligne"], row["Colonne"]) for row in page.table(0)] == [  # type: ignore[attr-defined]  # a page
        ("Ligne 2", "date"),
        ("Ligne 3", "montant"),
    ]
    assert db.session.scalar(select(StatementImport.id)) is None
    data = f"{head}\n{day};{reference};424,500\n{day};PAYAILLEURS;10,000\n".encode()
    page = sent(data)
    assert page.h1 == "Relevé à confirmer"  # type: ignore[attr-defined]  # a page
    page = page.press("Importer")  # type: ignore[attr-defined]  # a page
    assert "importé" in page.flashes[0]
    assert {row["Constat"]: row["À traiter"] for row in page.table(0)} == {"Conforme": "0", "Commande inconnue": "1"}
    page = client.get("/admin/releves/?search=payailleurs").click("PAYAILLEURS")
    assert "n'ont pas de commande" in page
    page = page.form("Raison").fill({"Raison": "SMT l'a comptée pour nous par erreur."}).submit()
    assert "classée" in page.flashes[0]
    [row] = client.get("/admin/releves/?onglet=classes").table(0)
    assert (row["Commande"], row["Constat"]) == ("PAYAILLEURS", "Commande inconnue")
    assert "déjà importé" in sent(data).error_for("file")  # type: ignore[attr-defined]  # a page
    assert (
        "comme avant"
        in client.get("/admin/releves/fichiers")
        .click("releve.csv")
        .press("Comparer de nouveau avec nos livres")
        .flashes[0]
    )
    line_id = db.session.scalars(select(StatementLine.id).where(StatementLine.order_number == reference)).one()
    assert "au millime près" in client.get(f"/admin/releves/lignes/{line_id}")
    assert "PAYAILLEURS" in client.get("/admin/releves/export/csv?onglet=toutes").data.decode("utf-8-sig")
    sample = client.get("/admin/releves/modele.csv").data
    assert sample.startswith(b"\xef\xbb\xbfdate;operation;numero_de_commande")


@pytest.mark.spec("GAT-5")
def test_the_payer_reads_that_the_money_came_back(gateway: HttpServer, app: Flask, client: CheckingClient) -> None:
    _shop, payment_id = forced(4)(gateway)
    token = attempt(payment_id).return_token
    assert "TunTrust vérifie ce paiement" in client.get(f"/paiements/retour?t={token}")
    closing.acknowledge(payment_id, actor=factories.actor(factories.staff()))
    page = client.get(f"/paiements/retour?t={token}")
    assert "vous est rendu" in page
    assert (attempt(payment_id).state, attempt(payment_id).anomaly) == (PaymentState.A_REGULARISER, Anomaly.GIVEN_BACK)
