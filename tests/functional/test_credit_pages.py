"""Credit notes on screen: prepared by one, issued by another, used, given back, revoked with (AVO-1 … AVO-5, BIL-1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import (
    Certificate,
    CreditNote,
    CreditOutcome,
    CreditProposal,
    CreditReason,
    ElectronicInvoice,
    Invoice,
    OrderDraftLine,
    Refund,
)
from app.permissions import Role
from app.queries.history import history_of_organisation
from app.services import settings
from app.services.credits.amounts import Wanted, left_of
from app.services.electronic_invoices import teif_of_credit_note, teif_of_invoice
from app.states import CertificateState, CreditProposalState, RefundState, RequestState, TransmissionState
from tests import factories
from tests.pages import CheckingClient, Page
from tests.services.test_guided_credit import with_certificate
from tests.services.test_invoices import sell
from tests.support.crediting import Desk, assert_books_add_up
from tests.support.paying import attempt, behave, misbehave, move
from tests.support.servers import HttpServer
from tests.support.statements import counted

pytestmark = pytest.mark.slow

both_databases = pytest.mark.postgres()

SignIn = Callable[[Role], CheckingClient]
WORDS = "Le jeton n'a pas été retiré."


@pytest.fixture
def sign_in(new_client: Callable[[], CheckingClient]) -> SignIn:
    def enter(role: Role) -> CheckingClient:
        client = new_client()
        client.login(factories.staff(role, first_name="Nadia", last_name=role.title()).email, factories.PASSWORD)
        return client

    return enter


@pytest.fixture(autouse=True)
def _impatient(app: Flask) -> None:
    app.config["CLICTOPAY_TIMEOUT"] = (1.0, 1.0)


def plain(page: Page) -> str:
    return page.text.replace("\u202f", " ").replace("\xa0", " ").replace("−", "-")


def sheet_of(client: CheckingClient, invoice: Invoice, query: str = "") -> Page:
    return client.get(f"/admin/avoirs/preparer/{invoice.number}{query}")


def prepared(client: CheckingClient, invoice: Invoice) -> Page:
    """The page of a proposal that gives everything back as credit."""
    form = sheet_of(client, invoice).form("Préparer l'avoir")
    return form.fill({"Motif": "Non retiré dans les 90 jours"}, reason_text=WORDS).submit("Préparer l'avoir")


def proposals() -> list[CreditProposal]:
    db.session.rollback()
    return list(db.session.scalars(select(CreditProposal).order_by(CreditProposal.id)))


def line_ids(invoice: Invoice) -> list[int]:
    return [each.line.id for each in left_of(invoice).lines]


@both_databases
@pytest.mark.spec("AVO-1", "AVO-2", "AVO-3", "BIL-1")
def test_an_agent_prepares_a_supervisor_issues_and_everything_leads_to_everything(
    sign_in: SignIn, new_client: Callable[[], CheckingClient], gateway: HttpServer
) -> None:
    shop, invoice = sell(gateway, 2)
    agent, supervisor = sign_in(Role.AGENT), sign_in(Role.SUPERVISEUR)
    page = agent.get("/admin/factures/").click(invoice.number)
    assert shop.references[0] in page
    page = page.click("Préparer un avoir").form("Préparer l'avoir").submit("Préparer l'avoir")
    assert page.error_for("reason") == "Choisissez un motif."
    page = page.form("Préparer l'avoir").fill({"Motif": "Non retiré dans les 90 jours"}).submit("Préparer l'avoir")
    assert page.error_for("reason_text") == "Écrivez la raison : elle est imprimée sur l'avoir."
    page = page.form("Préparer l'avoir").fill(reason_text=WORDS).submit("Préparer l'avoir")
    assert any("est préparé. Une autre personne doit maintenant l'émettre." in each for each in page.flashes)
    reference = proposals()[0].reference
    assert "848,000 DT" in plain(page)
    page = supervisor.get(f"/admin/avoirs/{reference}").press("Émettre")
    note = db.session.scalars(select(CreditNote)).one()
    assert note.number in page.h1
    assert "848,000 DT" in plain(page)
    page = page.click("Compte d'avoirs de l'organisation")
    assert page.table(0)[0]["Reste"].replace("\xa0", " ") == "848,000 DT"
    assert page.table(1)[0]["Solde"].replace("\xa0", " ") == "848,000 DT"
    assert page.click(note.number).click(invoice.number).click(note.number).h1.startswith(note.number)
    assert supervisor.get(f"/avoirs/{note.number}.pdf").data.startswith(b"%PDF")
    assert b"TEIF" in supervisor.get(f"/avoirs/{note.number}.xml").data
    assert "Tout a été rendu" in sheet_of(agent, invoice)
    # The request's own file knows it too.
    assert note.number in agent.get(f"/admin/dossiers/{shop.references[0]}?onglet=paiement")
    assert invoice.number in agent.get(
        f"/admin/dossiers/organisations/{invoice.organisation.reference}?onglet=demandes"
    )
    client = new_client()
    client.login(shop.administrator.email, factories.PASSWORD)
    page = client.get("/factures")
    assert note.number in page
    assert "Disponible pour vos prochaines commandes" in page
    assert client.get(f"/avoirs/{note.number}.pdf").data.startswith(b"%PDF")
    assert_books_add_up(invoice.organisation_id)


@pytest.mark.spec("AVO-1")
def test_wrong_amounts_are_said_beside_their_line_and_kept(sign_in: SignIn, gateway: HttpServer) -> None:
    _shop, invoice = sell(gateway, 2)
    first, second = line_ids(invoice)
    agent = sign_in(Role.AGENT)
    form = sheet_of(agent, invoice).form("Préparer l'avoir")
    form.fill({"Motif": "Erreur de TunTrust"}, reason_text=WORDS, stamp_duty="2")
    form.force(**{f"ht-{first}": "trois cents", f"ht-{second}": "350,001"})
    page = form.submit("Préparer l'avoir")
    assert "Écrivez un montant en dinars" in page
    assert "il reste 350,000 DT à rendre sur cette ligne" in plain(page)
    assert page.form("Préparer l'avoir")[f"ht-{first}"] == "trois cents"
    assert proposals() == []
    form = page.form("Préparer l'avoir").force(**{f"ht-{first}": "-5", f"ht-{second}": "100"})
    page = form.submit("Préparer l'avoir")
    assert "sans signe moins" in page
    form = page.form("Préparer l'avoir").force(**{f"ht-{first}": "100,5", f"line-{second}": None, "stamp_duty": "2"})
    page = form.submit("Préparer l'avoir")
    assert page.error_for("stamp_duty") is not None
    page = page.form("Préparer l'avoir").fill(stamp_duty="0,500").submit("Préparer l'avoir")
    (proposal,) = proposals()
    (line,) = proposal.lines
    assert (line.payment_line_id, line.price_ht, line.vat, proposal.stamp_duty) == (first, 100_500, 19_095, 500)


@pytest.mark.spec("AVO-1")
def test_without_script_the_buttons_tick_count_and_propose(sign_in: SignIn, gateway: HttpServer) -> None:
    _shop, invoice = sell(gateway, 2)
    first, _second = line_ids(invoice)
    agent = sign_in(Role.AGENT)
    page = sheet_of(agent, invoice).form("Préparer l'avoir").submit("Tout décocher")
    assert "0 ligne" in page
    page = page.form("Préparer l'avoir").fill({"Motif": "Erreur de TunTrust"}).submit("Préparer l'avoir")
    assert "Cochez au moins une ligne à rendre." in page
    page = page.form("Préparer l'avoir").submit("Tout cocher")
    page = page.form("Préparer l'avoir").force(**{f"ht-{first}": "100"}).submit("Recalculer les totaux")
    assert "450,000 DT" in plain(page)
    page = page.form("Préparer l'avoir").submit("Proposer les montants")
    assert "848,000 DT" in plain(page)
    assert proposals() == []


@pytest.mark.spec("AVO-2", "STA-2")
def test_a_second_click_prepares_nothing_more_and_a_colleagues_proposal_is_named(
    sign_in: SignIn, gateway: HttpServer
) -> None:
    _shop, invoice = sell(gateway)
    agent, other = sign_in(Role.AGENT), sign_in(Role.SUPERVISEUR)
    form, late = (sheet_of(each, invoice).form("Préparer l'avoir") for each in (agent, other))
    form.fill({"Motif": "Erreur de TunTrust"}, reason_text=WORDS)
    first = form.submit("Préparer l'avoir")
    assert form.submit("Préparer l'avoir").path == first.path
    assert len(proposals()) == 1
    page = late.fill({"Motif": "Demande retirée"}, reason_text="Retirée par le client.").submit("Préparer l'avoir")
    assert proposals()[0].reference in page
    assert any("Nadia Agent" in each for each in page.summary)
    assert page.form("Préparer l'avoir")["reason_text"] == "Retirée par le client."
    page.form("Préparer l'avoir").submit("Préparer l'avoir")
    assert len(proposals()) == 2


@pytest.mark.spec("AVO-2", "PPL-3", "STA-2")
def test_stale_pages_are_refused_with_who_and_when(sign_in: SignIn, gateway: HttpServer) -> None:
    _shop, invoice = sell(gateway)
    agent, supervisor = sign_in(Role.AGENT), sign_in(Role.SUPERVISEUR)
    prepared(agent, invoice)
    reference = proposals()[0].reference
    stale = supervisor.get(f"/admin/avoirs/{reference}")
    form = agent.get(f"/admin/avoirs/{reference}/modifier").form("Enregistrer les changements")
    old = agent.get(f"/admin/avoirs/{reference}/modifier").form("Enregistrer les changements")
    form.fill(reason_text="Autre raison.").submit("Enregistrer les changements")
    page = stale.press("Émettre")
    assert any("Nadia Agent a modifié cet élément le" in each for each in page.flashes)
    assert proposals()[0].state is CreditProposalState.A_APPROUVER
    page = old.fill(reason_text="Encore une.").submit("Enregistrer les changements")
    assert "Nadia Agent a modifié cet élément le" in page
    assert page.form("Enregistrer les changements")["reason_text"] == "Encore une."
    page = page.form("Enregistrer les changements").submit("Enregistrer les changements")
    assert proposals()[0].reason_text == "Encore une."
    ready = supervisor.get(f"/admin/avoirs/{reference}")
    ready.press("Émettre")
    page = ready.press("Émettre")
    assert any("« Émettre l'avoir » n'est pas possible" in each for each in page.flashes)
    assert len(db.session.scalars(select(CreditNote)).all()) == 1


@pytest.mark.spec("AVO-2", "PPL-3")
def test_who_prepared_reads_why_somebody_else_must_issue(sign_in: SignIn, gateway: HttpServer) -> None:
    _shop, invoice = sell(gateway)
    supervisor, reader = sign_in(Role.SUPERVISEUR), sign_in(Role.RESPONSABLE)
    page = prepared(supervisor, invoice)
    assert "Vous avez préparé ou modifié cet avoir : une autre personne doit l'émettre." in page
    reference = proposals()[0].reference
    supervisor.post(f"/admin/avoirs/{reference}/emettre", {}, csrf=True, expect=403)
    page = reader.get(f"/admin/avoirs/{reference}")
    assert "Modifier" not in page.links
    reader.get(f"/admin/avoirs/preparer/{invoice.number}", expect=403)
    reader.get("/admin/avoirs/PAV-2020-000099", expect=404)
    assert db.session.scalars(select(CreditNote)).all() == []


@pytest.mark.spec("AVO-2", "PPL-3")
def test_a_refusal_needs_its_reason_which_clients_never_read(sign_in: SignIn, gateway: HttpServer) -> None:
    _shop, invoice = sell(gateway)
    agent, supervisor = sign_in(Role.AGENT), sign_in(Role.SUPERVISEUR)
    prepared(agent, invoice)
    reference = proposals()[0].reference
    page = supervisor.get(f"/admin/avoirs/{reference}").form("Raison du refus").submit("Refuser l'avoir")
    assert page.error_for("reason") is not None
    page = page.form("Raison du refus").fill(reason="Le client a bien retiré son token.").submit("Refuser l'avoir")
    assert "Le client a bien retiré son token." in page
    assert proposals()[0].state is CreditProposalState.REFUSE
    assert reference in agent.get("/admin/avoirs/?onglet=refuses")
    for for_staff in (True, False):
        days = history_of_organisation(invoice.organisation_id, for_staff=for_staff)
        said = [line.why for _day, lines in days for line in lines]
        assert ("Le client a bien retiré son token." in said) is for_staff
    # What is refused may be prepared anew, and given up.
    page = prepared(agent, invoice).press("Abandonner")
    assert proposals()[1].state is CreditProposalState.RETIRE


@both_databases
@pytest.mark.spec("QUE-2", "EXP-1", "BIL-1")
def test_the_list_finds_a_credit_note_by_each_of_its_numbers(sign_in: SignIn, gateway: HttpServer) -> None:
    shop, invoice = sell(gateway)
    desk = Desk()
    note = desk.issue(invoice, outcome=CreditOutcome.REMBOURSEMENT_MANUEL)
    reference = note.proposal.reference
    _other, second = sell(gateway)
    desk.prepare(second)
    agent = sign_in(Role.AGENT)
    organisation = invoice.organisation.reference
    for text in (note.number, reference, invoice.number, shop.references[0], organisation):
        rows = agent.get(f"/admin/avoirs/?onglet=tous&search={text}").table(0)
        assert [row["Avoir"] for row in rows] == [note.number], text
    tabs = {"": 1, "a-rembourser": 1, "emis": 1, "tous": 2}
    for tab, count in tabs.items():
        assert len(agent.get(f"/admin/avoirs/?onglet={tab}").table(0)) == count
    exported = agent.get("/admin/avoirs/export/csv?onglet=tous", expect=200).data.decode("utf-8-sig")
    assert note.number in exported
    assert "424,500" in exported


@pytest.mark.spec("AVO-4")
def test_a_refund_that_failed_says_so_and_is_tried_again_by_a_person(sign_in: SignIn, gateway: HttpServer) -> None:
    _shop, invoice = sell(gateway)
    note = Desk().issue(invoice, outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE)
    agent = sign_in(Role.AGENT)
    address = f"/admin/avoirs/{note.number}"
    page = agent.get(address)
    assert "Rien n'a encore été demandé à la passerelle." in page
    move(gateway, invoice.payment_id, status=6)
    failed = page.press("Rembourser par la passerelle")
    assert "La dernière tentative n'a pas abouti" in failed
    assert note.proposal.reference in agent.get("/admin/avoirs/?onglet=a-rembourser")
    stale = page.press("Rembourser par la passerelle")
    assert any("a modifié cet élément le" in each for each in stale.flashes)
    misbehave(gateway, "down")
    assert any("La passerelle ne répond pas" in each for each in failed.press("Interroger la passerelle").flashes)
    page = agent.get(address).form("Référence du virement").fill(bank_reference="VIR-1").submit("Virement fait")
    assert "La passerelle ne répond pas" in page
    behave(gateway)
    move(gateway, invoice.payment_id, status=2)
    page = agent.get(address).press("Rembourser par la passerelle")
    assert any("La passerelle a rendu 424,500 DT" in each.replace("\xa0", " ") for each in page.flashes)
    assert attempt(invoice.payment_id).refunded == 424_500


@pytest.mark.spec("AVO-1", "AVO-4")
def test_a_bank_transfer_is_noted_with_its_reference_unless_the_gateway_paid_already(
    sign_in: SignIn, gateway: HttpServer
) -> None:
    _shop, invoice = sell(gateway)
    desk, line = Desk(), line_ids(invoice)[0]
    part = [Wanted(line, 100_000, 0)]
    by_hand = desk.issue(invoice, outcome=CreditOutcome.REMBOURSEMENT_MANUEL, wanted=part, stamp_duty=0)
    lost = desk.issue(invoice, outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE, wanted=part, stamp_duty=0)
    agent = sign_in(Role.AGENT)
    page = agent.get(f"/admin/avoirs/{by_hand.number}").form("Référence du virement").submit("Virement fait")
    assert page.error_for("bank_reference") == "Écrivez la référence du virement."
    page = page.form("Référence du virement").fill(bank_reference="VIR 2026/118").submit("Virement fait")
    assert "VIR 2026/118" in page
    misbehave(gateway, "garbage", "refund")  # obeyed, its answer unreadable
    agent.get(f"/admin/avoirs/{lost.number}").press("Rembourser par la passerelle")
    behave(gateway)
    form = agent.get(f"/admin/avoirs/{lost.number}").form("Référence du virement")
    page = form.fill(bank_reference="VIR 2026/119").submit("Virement fait")
    assert any("La passerelle a rendu" in each for each in page.flashes)
    refunds = db.session.scalars(select(Refund).order_by(Refund.id)).all()
    assert [(one.state, one.bank_reference) for one in refunds] == [
        (RefundState.REMBOURSE, "VIR 2026/118"),
        (RefundState.REMBOURSE, ""),
    ]


@pytest.mark.spec("AVO-5")
def test_a_paid_request_is_rejected_and_credited_in_one_page(sign_in: SignIn, gateway: HttpServer) -> None:
    shop, _invoice = sell(gateway, 2)
    agent = sign_in(Role.AGENT)
    file = agent.get(f"/admin/dossiers/{shop.references[0]}")
    page = file.click("Annuler et préparer l'avoir…")
    assert "423,500 DT" in plain(page)
    page = page.form("Précision").submit("Annuler et préparer l'avoir")
    assert page.error_for("reason") is not None
    page = page.form("Précision").fill(reason="Personne inconnue de l'employeur.").submit("Annuler et préparer l'avoir")
    assert page.h1.startswith("PAV-")
    (proposal,) = proposals()
    assert proposal.reason_text == "Personne inconnue de l'employeur."
    assert shop.requests[0].state is RequestState.ANNULEE
    # The back button: the move is gone, and nothing is prepared twice.
    again = agent.get(f"/admin/dossiers/{shop.references[0]}/annuler-et-avoir")
    assert again.path == f"/admin/dossiers/{shop.references[0]}"
    assert len(proposals()) == 1


@pytest.mark.spec("AVO-5")
def test_a_plain_rejection_of_a_paid_request_leads_to_its_credit_note(sign_in: SignIn, gateway: HttpServer) -> None:
    shop, invoice = sell(gateway, 2)
    agent = sign_in(Role.AGENT)
    page = agent.get(f"/admin/dossiers/{shop.references[1]}/decision/reject")
    page = page.form("Précision").fill(reason="Personne inconnue.").submit("Rejeter")
    assert page.path == f"/admin/avoirs/preparer/{invoice.number}"
    form = page.form("Préparer l'avoir")
    first, second = line_ids(invoice)
    assert (form["reason"], form["reason_text"]) == ("REJET_APRES_PAIEMENT", "Personne inconnue.")
    form.submit("Préparer l'avoir")
    (proposal,) = proposals()
    assert [line.payment_line_id for line in proposal.lines] == [second]
    assert first != second


@pytest.mark.spec("AVO-5", "CRT-3")
def test_a_certificate_left_at_the_post_office_is_revoked_credited_and_ordered_anew(
    sign_in: SignIn, gateway: HttpServer
) -> None:
    shop, _invoice = sell(gateway)
    certificate = with_certificate(shop.requests[0])
    certificate.recorded_at = clock.now() - timedelta(days=91)
    certificate.dispatched_at = clock.now() - timedelta(days=88)
    db.session.commit()
    agent, supervisor = sign_in(Role.AGENT), sign_in(Role.SUPERVISEUR)
    page = agent.get(f"/admin/dossiers/{shop.references[0]}").click("Révoquer, avoir et nouvelle demande…")
    form = page.form("Raison, en toutes lettres")
    assert (form["credit_reason"], form["outcome"]) == (CreditReason.NON_RETRAIT_90_JOURS.value, "CREDIT")
    page = form.submit("Préparer la révocation et l'avoir")
    (proposal,) = proposals()
    assert (proposal.revokes, proposal.reorders) == (True, True)
    assert db.session.get_one(Certificate, certificate.id).state is CertificateState.EXPEDIE
    # A second press finds the first, and prepares nothing.
    page = agent.get(f"/admin/dossiers/{shop.references[0]}/revoquer-et-avoir")
    assert page.path == f"/admin/avoirs/{proposal.reference}"
    form.submit("Préparer la révocation et l'avoir")
    assert len(proposals()) == 1
    page = supervisor.get(f"/admin/avoirs/{proposal.reference}")
    assert "révoque le certificat" in page
    page.press("Émettre")
    db.session.rollback()
    assert db.session.get_one(Certificate, certificate.id, populate_existing=True).state is CertificateState.REVOQUE
    assert db.session.scalars(select(OrderDraftLine)).one().organisation_id == shop.organisation_id


@pytest.mark.spec("AVO-3", "INV-2", "PPL-2")
def test_clients_see_their_own_credit_notes_and_strangers_a_number_a_date_and_a_total(
    new_client: Callable[[], CheckingClient], gateway: HttpServer
) -> None:
    shop, invoice = sell(gateway)
    note = Desk().issue(invoice, outcome=CreditOutcome.REMBOURSEMENT_MANUEL)
    owner, stranger, visitor = new_client(), new_client(), new_client()
    owner.login(shop.administrator.email, factories.PASSWORD)
    stranger.login(factories.administrator(factories.organisation()).email, factories.PASSWORD)
    page = owner.get("/factures")
    assert note.number in page
    assert "Remboursement en cours chez TunTrust" in page
    assert note.number not in stranger.get("/factures")
    for kind in ("pdf", "xml"):
        owner.get(f"/avoirs/{note.number}.{kind}")
        stranger.get(f"/avoirs/{note.number}.{kind}", expect=404)
    page = visitor.get(f"/verification/{note.verification_code.lower()}")
    assert page.h1 == "Vérification d'un avoir"
    assert note.number in page
    assert "-424,500 DT" in plain(page)
    for hidden in (invoice.number, WORDS, invoice.organisation.legal_name):
        assert hidden not in page


@pytest.mark.spec("SPD-1")
def test_the_sheet_the_page_and_the_invoice_take_the_same_statements_for_one_line_and_for_many(
    sign_in: SignIn, gateway: HttpServer
) -> None:
    agent, desk, taken = sign_in(Role.AGENT), Desk(), []
    for count in (1, 6):
        _shop, invoice = sell(gateway, count)
        reference = db.session.get_one(CreditProposal, desk.prepare(invoice)).reference
        for address in (
            f"/admin/avoirs/preparer/{invoice.number}",
            f"/admin/factures/{invoice.number}",
            f"/admin/avoirs/{reference}",
        ):
            agent.get(address)
            with counted() as heard:
                agent.get(address)
            taken.append(len(heard))
    assert taken[:3] == taken[3:]


@pytest.mark.spec("INV-3")
def test_a_document_that_ttn_rejected_is_sent_again_by_a_person(sign_in: SignIn, gateway: HttpServer) -> None:
    _shop, invoice = sell(gateway)
    note = Desk().issue(invoice)
    settings.change("ttn.send", "1", actor=factories.actor(factories.staff(Role.ADMINISTRATEUR)))
    teif_of_invoice(invoice.id)
    teif_of_credit_note(note.id)
    for row in db.session.scalars(select(ElectronicInvoice)):
        row.state, row.last_error = TransmissionState.REJETEE, "Montant incohérent"
    db.session.commit()
    agent = sign_in(Role.AGENT)
    for address in (f"/admin/factures/{invoice.number}", f"/admin/avoirs/{note.number}"):
        assert "Montant incohérent" in agent.get(address)
        assert any("repart vers TTN" in each for each in agent.get(address).press("Renvoyer à TTN").flashes)
    db.session.rollback()
    assert {row.state for row in db.session.scalars(select(ElectronicInvoice))} == {TransmissionState.A_ENVOYER}
