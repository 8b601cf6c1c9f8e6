"""The review desk through its pages: look, judge, ask, approve, record, dispatch."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import event, select

from app import clock
from app.extensions import db
from app.models import CertificateRequest, Document, DocumentAsk, DocumentKind, FieldVerdict, OutboxMail
from app.permissions import Role
from app.services import assigning, supplying, verdicts
from app.services.files import storage
from app.states import CertificateState, OrganisationState, RequestState, Verdict
from tests import factories as f
from tests.pages import CheckingClient, Page
from tests.support.reviewing import pem_for

pytestmark = pytest.mark.slow


def put_picture(paper: Document) -> Document:
    """Give a document's row real bytes to draw."""
    out = io.BytesIO()
    Image.new("RGB", (620, 877), "white").save(out, "JPEG")
    paper.media_type, paper.original_name = "image/jpeg", "extrait.jpg"
    storage().put(paper.storage_key, out.getvalue())
    db.session.commit()
    return paper


def a_file(
    state: RequestState = RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST,
    organisation_state: OrganisationState = OrganisationState.VERIFIEE,
    verdict: Verdict = Verdict.ACCEPTE,
) -> CertificateRequest:
    """A paid request with its organisation's papers, all of that verdict."""
    organisation = f.organisation(organisation_state)
    f.administrator(organisation)
    put_picture(f.document(organisation_id=organisation.id, verdict=verdict))
    f.contract(organisation, signed=verdict)
    return f.certificate_request(organisation, state)


@pytest.fixture
def agent(client: CheckingClient) -> CheckingClient:
    client.login(f.staff(Role.AGENT).email, f.PASSWORD)
    return client


def url_of(request: CertificateRequest, rest: str = "") -> str:
    return f"/admin/dossiers/{request.reference}{rest}"


def judge(page: Page, field: str, verdict: str) -> Page:
    """Press ✓ (ok) or ✗ (bad) beside a declared field, or on the paper (« document »)."""
    for form in page.forms:
        if form.values.get("field") == field and "verdict" in (form.tag.get("class") or []):
            return form.submit(verdict)
    raise AssertionError(f"nothing to judge as {field!r} on {page!r}")


def decide(page: Page, action: str) -> Page:
    """Press the bar's button of that move."""
    return next(form for form in page.forms if f"/decision/{action}" in form.action).submit()


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements executed meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.spec("REV-1")
def test_a_file_shows_declared_values_the_paper_and_the_checks(agent: CheckingClient) -> None:
    request = a_file(organisation_state=OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    page = agent.get(url_of(request))
    assert request.reference in page.h1
    assert request.organisation.legal_name in page
    picture = page.select(".sheet img")[0]["src"]
    answer = agent.open("GET", str(picture), fragment=True)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert "Lettre du matricule exacte" in page
    assert "Date de l'extrait" in page
    for tab in ("Demandeur", "Contrat", "Paiement", "Historique"):
        assert page.click(tab).status == 200


@pytest.mark.spec("REV-2")
def test_a_tick_is_saved_at_once_and_a_cross_asks_for_its_reason(agent: CheckingClient) -> None:
    request = a_file(organisation_state=OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    page = judge(agent.get(url_of(request)), "legal_name", "ok")
    row = db.session.scalars(select(FieldVerdict)).one()
    assert (row.field, row.verdict) == ("legal_name", Verdict.ACCEPTE)
    assert page.select("#decl-legal_name .yes")[0]["aria-pressed"] == "true"
    page = judge(page, "document", "bad")
    assert not db.session.scalars(select(Document).where(Document.verdict == Verdict.REFUSE)).all()
    form = page.form("why-form-document")
    page = form.submit("Enregistrer le motif")
    assert page.form("why-form-document")  # nothing written: asked again
    assert "Écrivez le motif" in page
    page = page.form("why-form-document").fill({"Précision pour le client": "Page 2 absente."}).submit()
    paper = db.session.scalars(select(Document).where(Document.kind == DocumentKind.RNE_EXTRACT)).one()
    assert (paper.verdict, paper.verdict_reason) == (Verdict.REFUSE, "Page 2 absente.")
    assert "Ce que le client recevra" in page
    assert "Page 2 absente." in agent.get(url_of(request)).text


@pytest.mark.spec("REV-7", "STA-2")
def test_a_stale_cross_overwrites_nothing_and_keeps_what_was_typed(agent: CheckingClient) -> None:
    request = a_file(organisation_state=OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    form = judge(agent.get(url_of(request)), "document", "bad").form("why-form-document")
    paper = db.session.scalars(select(Document).where(Document.kind == DocumentKind.RNE_EXTRACT)).one()
    colleague = f.staff(first_name="Leïla", last_name="Ferchichi")
    verdicts.accept_document(paper.id, actor=f.actor(colleague))
    page = form.fill({"Précision pour le client": "Illisible à gauche."}).submit()
    assert "Leïla Ferchichi" in page
    assert page.form("why-form-document")["reason_text"] == "Illisible à gauche."
    assert db.session.get_one(Document, paper.id).verdict is Verdict.ACCEPTE


@pytest.mark.spec("REV-7")
@pytest.mark.parametrize("point", ["document", "legal_name"])
def test_a_cross_given_on_a_stale_page_says_what_a_colleague_gave_before_its_reason_is_written(
    agent: CheckingClient, point: str
) -> None:
    request = a_file(organisation_state=OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    stale = agent.get(url_of(request))
    colleague = f.actor(f.staff(first_name="Leïla", last_name="Ferchichi"))
    if point == "document":
        paper = db.session.scalars(select(Document).where(Document.kind == DocumentKind.RNE_EXTRACT)).one()
        verdicts.accept_document(paper.id, actor=colleague)
    else:
        declared = {"organisation_id": request.organisation_id, "value_seen": request.organisation.legal_name}
        verdicts.give_field_verdict(point, Verdict.ACCEPTE, actor=colleague, **declared)
    page = judge(stale, point, "bad")
    assert "Leïla Ferchichi l'a jugé « Accepté »" in page.error_for("reason_text")
    page = page.form(f"why-form-{point}").fill({"Précision pour le client": "Relu : non."}).submit()
    assert "Relu : non." in page  # read, then overruled knowingly
    assert "Ferchichi l'a jugé" not in page
    assert "Ferchichi" not in judge(page, point, "bad").text


@pytest.mark.spec("REV-2", "REV-5")
def test_each_cross_is_one_line_of_the_mail_read_before_it_goes(agent: CheckingClient) -> None:
    request = a_file()
    page = judge(agent.get(url_of(request, "?onglet=demandeur")), "last_name", "bad")
    page = page.form("why-form-last_name").fill({"Précision pour le client": "Voir la CIN."}).submit()
    page = page.click("Demander des pièces (1)")
    form = page.form("Relire le courriel")
    form.fill({"free-0-kind": "Autre document"}, **{"free-0-reason": "Joindre le mandat."})
    page = form.submit("Relire le courriel")
    assert "Pièces manquantes" in page
    assert "Voir la CIN." in page
    assert "Joindre le mandat." in page
    assert not db.session.scalars(select(DocumentAsk)).all()
    page = page.press("Modifier")
    assert page.form("Relire le courriel")["free-0-reason"] == "Joindre le mandat."
    page = page.form("Relire le courriel").submit("Relire le courriel").press("Envoyer la demande")
    assert db.session.get_one(CertificateRequest, request.id).state == "EN_ATTENTE_DE_JUSTIFICATIFS"
    ask = db.session.scalars(select(DocumentAsk)).one()
    assert [(i.field, i.document_kind) for i in ask.items] == [("last_name", None), (None, DocumentKind.OTHER)]
    mails = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "documents_missing")).all()
    assert {mail.subject for mail in mails} == {"Pièces manquantes"}
    assert all("Joindre le mandat." in mail.text for mail in mails)


@pytest.mark.spec("REV-5")
def test_nothing_chosen_is_no_ask(agent: CheckingClient) -> None:
    page = agent.get(url_of(a_file(), "/decision/ask_for_documents"))
    page = page.form("Relire le courriel").submit("Relire le courriel")
    assert "Choisissez au moins un point à demander." in page.summary


@pytest.mark.spec("STA-1", "CRT-1", "CRT-2", "CON-1")
def test_from_the_organisation_to_the_parcel(agent: CheckingClient) -> None:
    request = a_file(organisation_state=OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    page = agent.get(f"/admin/dossiers/organisations/{request.organisation.reference}")
    page = decide(page, "verify")
    assert "document à vérifier" in page.text
    page = agent.get(f"/admin/dossiers/organisations/{request.organisation.reference}")
    page = decide(judge(page, "document", "ok"), "verify")
    assert "L'organisation est vérifiée" in page
    page = decide(agent.get(url_of(request)), "approve")
    assert "le contrat signé n'est pas vérifié" in page.text
    page = judge(agent.get(url_of(request, "?onglet=contrat")), "document", "ok")
    page = decide(page, "approve")
    assert "La demande est approuvée" in page
    page = page.click("Enregistrer le certificat").form("Certificat")
    page = page.fill(file=("cert.pem", pem_for(request))).submit("Enregistrer le certificat")
    assert "Le certificat est enregistré" in page
    page = page.click("Expédier").form("Numéro de suivi").fill(tracking_number="ee 123 456 789 tn").submit("Expédier")
    sent = db.session.get_one(CertificateRequest, request.id)
    assert sent.state is RequestState.EXPEDIEE
    assert sent.certificate is not None
    assert (sent.certificate.state, sent.certificate.tracking_number) == (CertificateState.EXPEDIE, "EE123456789TN")
    mail = db.session.scalars(
        select(OutboxMail).where(OutboxMail.kind == "certificate_dispatched", OutboxMail.recipient == request.email)
    ).one()
    assert "EE123456789TN" in mail.text
    assert request.post_office.name_fr in mail.text


@pytest.mark.spec("CRT-1")
def test_a_certificate_of_somebody_else_is_refused_on_the_page(agent: CheckingClient) -> None:
    request = a_file()
    request.approved_at = clock.now()
    db.session.commit()
    form = agent.get(url_of(request, "/certificat")).form("Certificat")
    page = form.fill(file=("cert.pem", pem_for(request, cn="Autre Personne", cin="99999999"))).submit()
    assert "Autre Personne" in page.error_for("file")
    assert "99999999" in page.error_for("file")


@pytest.mark.spec("CRT-2")
def test_a_number_already_used_asks_to_confirm_it(agent: CheckingClient) -> None:
    requests = [a_file(), a_file()]
    for n, request in enumerate(requests):
        request.approved_at = clock.now()
        db.session.commit()
        page = agent.get(url_of(request, "/certificat")).form("Certificat")
        page.fill(file=("c.pem", pem_for(request, serial=1000 + n))).submit()
    first, second = (agent.get(url_of(request, "/decision/dispatch")).form("Numéro de suivi") for request in requests)
    first.fill(tracking_number="EE123456789TN").submit()
    page = second.fill(tracking_number="EE123456789TN").submit()
    assert requests[0].reference in page.error_for("tracking_number")
    page = page.form("Numéro de suivi").fill(same_parcel=True).submit()
    assert db.session.get_one(CertificateRequest, requests[1].id).state is RequestState.EXPEDIEE


@pytest.mark.spec("STA-1")
def test_a_rejection_needs_a_reason_and_mails_it(agent: CheckingClient) -> None:
    request = a_file()
    page = agent.get(url_of(request)).click("Rejeter").form("Précision").submit("Rejeter")
    assert "Écrivez la raison" in page.error_for("reason")
    page = page.form("Précision").fill({"Précision": "Pièce falsifiée."}).submit("Rejeter")
    assert db.session.get_one(CertificateRequest, request.id).state is RequestState.ANNULEE
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "request_rejected")).first()
    assert mail is not None
    assert "Pièce falsifiée." in mail.text


@pytest.mark.spec("PPL-2", "SEC-1")
@pytest.mark.parametrize("role", [Role.RESPONSABLE])
def test_a_manager_reads_the_file_and_changes_nothing(client: CheckingClient, role: Role) -> None:
    client.login(f.staff(role).email, f.PASSWORD)
    request = a_file(verdict=Verdict.A_VERIFIER)
    page: Page = client.get(url_of(request))
    assert not page.select("main .verdict")
    assert not page.select(".decide")
    for rest in ("/decision/approve", "/decision/ask_for_documents", "/certificat"):
        client.get(url_of(request, rest), expect=403)
    for rest in ("/prendre", "/rendre", "/champs", "/decision/approve", "/decision/reject", "/certificat"):
        client.get(url_of(request))
        client.post(url_of(request, rest), {"version": "1"}, csrf=True, expect=403)


@pytest.mark.spec("PPL-2")
def test_technical_administrators_and_clients_do_not_enter(new_client: Any) -> None:
    request = a_file()
    owner = f.administrator(request.organisation)
    for person in (f.staff(Role.ADMINISTRATEUR), owner, request.applicant):
        browser = new_client()
        browser.login(person.email, f.PASSWORD)
        browser.get(url_of(request), expect=403)
        browser.get("/aide")
        browser.post(url_of(request, "/decision/approve"), {}, csrf=True, expect=403)


@pytest.mark.spec("SEC-1")
def test_an_unknown_file_paper_or_action_answers_404(agent: CheckingClient) -> None:
    request, other = a_file(), a_file()
    agent.get("/admin/dossiers/DEM-2026-999999", expect=404)
    agent.get("/admin/dossiers/DEM-2026%00", expect=404)
    agent.get("/admin/dossiers/organisations/ORG-2026-999999", expect=404)
    agent.get(f"/admin/dossiers/organisations/{request.reference}", expect=404)
    agent.get(url_of(request, "/decision/pay"), expect=404)
    agent.get(f"/admin/dossiers/{request.organisation.reference}/certificat", expect=404)
    foreign = db.session.scalars(select(Document).where(Document.organisation_id == other.organisation_id)).first()
    assert foreign is not None
    agent.get(url_of(request))
    agent.post(url_of(request, f"/pieces/{foreign.public_id}"), {"verdict": "ok"}, csrf=True, expect=404)


@pytest.mark.spec("SPD-1")
def test_the_number_of_statements_does_not_grow_with_the_papers(agent: CheckingClient) -> None:
    request = a_file()
    with counted() as few:
        agent.get(url_of(request, "?onglet=organisation"))
    for _n in range(12):
        f.document(DocumentKind.OTHER, organisation_id=request.organisation_id, verdict=Verdict.REFUSE)
    with counted() as many:
        agent.get(url_of(request, "?onglet=organisation"))
    assert len(many) == len(few), (len(few), len(many))
    assert len(few) < 40


@pytest.mark.spec("REV-5")
def test_the_client_s_answer_stands_beside_what_it_replaces(agent: CheckingClient) -> None:
    request = a_file()
    refused = put_picture(f.document(DocumentKind.APPLICANT_IDENTITY, request_id=request.id))
    judge(agent.get(url_of(request, "?onglet=demandeur")), "document", "bad").form("why-form-document").fill(
        {"Précision pour le client": "Verso absent."}
    ).submit()
    page = agent.get(url_of(request, "/decision/ask_for_documents")).form("Relire le courriel").submit("Relire")
    page.press("Envoyer la demande")
    item = db.session.scalars(select(DocumentAsk)).one().items[0]
    out = io.BytesIO()
    Image.new("RGB", (800, 500), "beige").save(out, "PNG")
    owner = f.actor(request.applicant)
    supplying.answer_with_document(owner, request.id, item.id, out.getvalue(), "cin.png")
    supplying.supply(owner, request.id)
    page = agent.get(url_of(request, "?onglet=demandeur"))
    assert "Dernières réponses du client" in page
    assert "Remplace le document du" in page
    assert "« Verso absent. »" in page
    assert page.select(".paper .verdict .yes")[0]["aria-pressed"] == "false"
    assert db.session.get_one(Document, refused.id).superseded_at is not None


@pytest.mark.spec("REV-7")
def test_what_is_no_verdict_writes_nothing(agent: CheckingClient) -> None:
    request = a_file()
    for values in ({}, {"verdict": "zzz"}, {"verdict": "ok", "field": "nom", "about": "demande"}):
        agent.get(url_of(request))
        agent.post(url_of(request, "/champs"), values, csrf=True, expect=(400, 404))
    assert not db.session.scalars(select(FieldVerdict)).all()


@pytest.mark.spec("REV-7")
def test_a_stale_decision_keeps_what_was_typed_and_may_be_sent_again(agent: CheckingClient) -> None:
    request = a_file()
    form = agent.get(url_of(request, "/decision/reject")).form("Précision")
    assigning.take_request(request.id, actor=f.actor(f.staff(first_name="Leïla", last_name="Ferchichi")))
    db.session.get_one(CertificateRequest, request.id).version += 1
    page = form.fill({"Précision": "Identité usurpée."}).submit("Rejeter")
    assert "Leïla Ferchichi" in page
    assert page.form("Précision")["reason"] == "Identité usurpée."
    page.form("Précision").submit("Rejeter")
    assert db.session.get_one(CertificateRequest, request.id).state is RequestState.ANNULEE


@pytest.mark.spec("QUE-3", "REV-6")
def test_the_next_file_is_taken_and_opened_the_decidable_before_the_older(agent: CheckingClient) -> None:
    blocked = a_file(organisation_state=OrganisationState.A_VERIFIER)
    blocked.complete_since = clock.now() - timedelta(days=30)
    ready = a_file()
    ready.complete_since = clock.now()
    current = a_file(RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
    db.session.commit()
    page = agent.get(url_of(current)).form("Dossier suivant").submit("Dossier suivant")
    assert page.path == url_of(ready)
    assert "Ce dossier est à vous" in page
    page = page.form("Dossier suivant").submit("Dossier suivant")
    assert page.path == url_of(blocked)
    page = page.form("Dossier suivant").submit("Dossier suivant")
    assert page.path == "/admin/demandes/"
    assert "Il ne reste aucune demande à prendre." in page


@pytest.mark.spec("QUE-2")
def test_the_list_tells_files_that_can_be_decided_from_those_that_wait_for_their_organisation(
    agent: CheckingClient,
) -> None:
    ready, blocked = a_file(), a_file(organisation_state=OrganisationState.A_VERIFIER)
    page = agent.get("/admin/demandes/?dossier=libre")
    assert ready.reference in page
    assert blocked.reference not in page
    page = agent.get("/admin/demandes/?dossier=organisation")
    assert blocked.reference in page
    assert ready.reference not in page


@pytest.mark.spec("REV-7")
def test_deciding_on_a_colleagues_file_is_confirmed_with_their_name(agent: CheckingClient) -> None:
    request = a_file()
    assigning.take_request(request.id, actor=f.actor(f.staff(first_name="Leïla", last_name="Ferchichi")))
    form = agent.get(url_of(request)).form("Approuver")
    assert "Leïla Ferchichi a pris ce dossier." in form.tag["data-confirm"]


@pytest.mark.spec("REV-2", "REV-5")
def test_a_cross_on_a_verified_organisation_is_shown_as_told(agent: CheckingClient) -> None:
    request = a_file()
    page = agent.get(url_of(request, "?onglet=organisation"))
    assert "chaque ✗ lui est signalé" in page
    page = judge(page, "legal_name", "bad").form("Enregistrer le motif").fill({"Précision": "Voir le RNE."}).submit()
    assert "Signalé au client" in page
    assert "Ce que le client recevra" not in page


@pytest.mark.spec("REV-1")
def test_an_organisations_requests_open_in_the_list(agent: CheckingClient) -> None:
    request, other = a_file(), a_file()
    page = agent.get(f"/admin/dossiers/organisations/{request.organisation.reference}?onglet=demandes")
    page = page.click("Toutes ses demandes")
    assert request.reference in page
    assert other.reference not in page


@pytest.mark.spec("REV-2")
def test_no_reason_is_chosen_before_the_agent_chooses_it(agent: CheckingClient) -> None:
    request = a_file()
    page = judge(agent.get(url_of(request)), "last_name", "bad")
    assert page.form("Enregistrer le motif")["reason"] == ""
    assert "Écrivez le motif" in page.form("Enregistrer le motif").submit("Enregistrer le motif")


@pytest.mark.spec("STA-1", "STA-2")
@pytest.mark.parametrize("action", ["reject", "ask_for_documents", "dispatch"])
def test_a_page_for_a_move_that_is_gone_leads_back_to_the_file(agent: CheckingClient, action: str) -> None:
    request = a_file(RequestState.ANNULEE)
    page = agent.get(url_of(request, f"/decision/{action}"))
    assert page.path == url_of(request)
    assert "n'est pas possible : l'état est maintenant « Annulée »" in page


@pytest.mark.spec("STA-1")
def test_a_supervisors_page_is_not_shown_to_an_agent(agent: CheckingClient) -> None:
    request = a_file()
    agent.get(f"/admin/dossiers/{request.organisation.reference}/decision/suspend", expect=403)


@pytest.mark.spec("REV-1")
def test_the_organisations_tab_is_ticked_once_it_is_verified(agent: CheckingClient) -> None:
    for state, mark in ((OrganisationState.VERIFIEE, "Organisation ✓"), (OrganisationState.A_VERIFIER, "Organisation")):
        request = a_file(organisation_state=state)
        assert " ".join(agent.get(url_of(request)).select("#desk-tabs a")[0].get_text(" ").split()) == mark
