"""Answering « Pièces manquantes »: two people at once, too late, by halves, in Arabic (REV-2, REV-5)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import CertificateRequest, DocumentAsk, DocumentKind, OutboxMail, User
from app.permissions import Role
from app.services import asking, deciding, verdicts
from app.services.asking import Point
from app.states import OrganisationState, RequestState, Verdict
from tests import factories as f
from tests.pages import CheckingClient
from tests.support import reviewing as r

FIRST, MOBILE = Point("Le prénom diffère.", field="first_name"), Point("Ne répond pas.", field="mobile")


@pytest.fixture
def people(app: Flask) -> tuple[CertificateRequest, User, User]:
    """A request asked for two fields, its applicant and an administrator."""
    organisation = r.organisation_file()
    administrator, applicant = f.administrator(organisation), f.applicant()
    request = r.request_file(of=organisation, applicant=applicant, by=administrator)
    asking.ask_for_documents(request.id, [FIRST, MOBILE], actor=r.agent())
    return request, applicant, administrator


def address(request: CertificateRequest, rest: str = "/pieces") -> str:
    return f"/demandes/{request.reference}{rest}"


def items(request: CertificateRequest) -> list[Any]:
    ask = db.session.scalars(
        select(DocumentAsk).filter_by(request_id=request.id).order_by(DocumentAsk.id.desc())
    ).first()
    assert ask is not None
    return list(ask.items)


@pytest.mark.spec("REV-5", "REV-7")
def test_two_people_at_once_lose_nothing(people: Any, new_client: Any) -> None:
    request, applicant, administrator = people
    item = items(request)[0]
    pages = []
    for person in (applicant, administrator):
        client: CheckingClient = new_client()
        client.login(person.email, f.PASSWORD)
        pages.append(client.get(address(request)))
    one, other = (page.form(f"{address(request)}/{item.id}") for page in pages)
    one.fill({f"point{item.id}-text": "C'est bien mon prénom."}).submit()
    stale = other.fill({f"point{item.id}-text": "Voir l'acte de naissance."}).submit()
    assert f"{applicant.display_name} a répondu à ce point" in (stale.error_for(f"point{item.id}-text") or "")
    assert "C'est bien mon prénom." in stale
    again = stale.form(f"{address(request)}/{item.id}")
    assert again[f"point{item.id}-text"] == "Voir l'acte de naissance."
    assert item.answer_text == "C'est bien mon prénom."
    done = again.submit()
    assert item.answer_text == "Voir l'acte de naissance."
    assert "Répondu : 1 sur 2" in done


@pytest.mark.spec("REV-5")
def test_whatever_was_written_is_kept_whichever_button_is_pressed(people: Any, client: CheckingClient) -> None:
    request, applicant, _administrator = people
    first, mobile = items(request)
    client.login(applicant.email, f.PASSWORD)
    form = client.get(address(request)).form(f"{address(request)}/{first.id}")
    form.fill({f"point{first.id}-text": "C'est bien mon prénom.", f"point{mobile.id}-value": "123"})
    page = form.submit("Enregistrer cette réponse")
    assert first.answer_text == "C'est bien mon prénom."
    assert page.error_for(f"point{mobile.id}-value")
    again = page.form(f"{address(request)}/{first.id}")
    assert again[f"point{mobile.id}-value"] == "123"
    assert again[f"point{first.id}-text"] == ""
    page = again.fill({f"point{mobile.id}-value": "20 123 456"}).submit()
    assert request.mobile == "+21620123456"
    assert "J'ai apporté les corrections demandées" in page


@pytest.mark.spec("REV-5")
def test_a_page_left_open_takes_back_no_correction_of_the_other(people: Any, new_client: Any) -> None:
    request, applicant, administrator = people
    first, mobile = items(request)
    forms = []
    for person in (applicant, administrator):
        client: CheckingClient = new_client()
        client.login(person.email, f.PASSWORD)
        forms.append(client.get(address(request)).form(f"{address(request)}/{first.id}"))
    forms[0].fill({f"point{mobile.id}-value": "20 123 456"}).submit()
    forms[1].fill({f"point{first.id}-text": "Voir l'acte."}).submit()
    assert (request.mobile, first.answer_text) == ("+21620123456", "Voir l'acte.")


@pytest.mark.spec("REV-5")
@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("withdraw", "n'attend plus les pièces"),
        ("reject", "a rejeté le dossier"),
        ("ask anew", "Voir ce que TunTrust demande maintenant"),
    ],
)
def test_an_answer_that_comes_too_late_is_given_back(people: Any, client: CheckingClient, end: str, said: str) -> None:
    request, applicant, _administrator = people
    item = items(request)[0]
    client.login(applicant.email, f.PASSWORD)
    form = client.get(address(request)).form(f"{address(request)}/{item.id}")
    if end == "reject":
        deciding.reject(request.id, actor=r.agent(), reason="Trop tard.")
    else:
        asking.withdraw_the_ask(request.id, actor=r.agent())
    if end == "ask anew":
        asking.ask_for_documents(request.id, [MOBILE], actor=r.agent())
    page = form.fill({f"point{item.id}-text": "Une longue explication."}).submit()
    assert page.h1 == "Votre réponse n'est plus attendue"
    assert "Une longue explication." in page
    assert said in page
    assert item.answered_at is None


@pytest.mark.spec("REV-5", "PPL-2")
def test_another_requests_point_does_not_exist(people: Any, client: CheckingClient) -> None:
    request, applicant, _administrator = people
    other = r.request_file()
    asking.ask_for_documents(other.id, [FIRST], actor=r.agent())
    client.login(applicant.email, f.PASSWORD)
    client.get(address(request))
    client.post(f"{address(request)}/{items(other)[0].id}", {}, expect=404)


@pytest.mark.spec("REV-5")
def test_an_organisations_ask_is_seen_from_its_requests_by_everybody(app: Flask, new_client: Any) -> None:
    organisation = r.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    administrator, applicant = f.administrator(organisation), f.applicant()
    request = r.request_file(of=organisation, applicant=applicant, by=administrator)
    agent = f.staff(Role.AGENT)
    desk: CheckingClient = new_client()
    desk.login(agent.email, f.PASSWORD)
    page = desk.get(f"/admin/dossiers/{request.reference}/decision/ask_for_documents")
    assert "une seule fois" in page
    asking.ask_organisation_for_documents(
        organisation.id, [Point("Trop ancien.", DocumentKind.RNE_EXTRACT)], actor=r.agent()
    )
    page = desk.get(f"/admin/dossiers/{request.reference}/decision/ask_for_documents")
    assert "déjà demandés" in page
    assert "répondu 0 / 1" in page
    mine: CheckingClient = new_client()
    mine.login(applicant.email, f.PASSWORD)
    assert "Nous attendons votre organisation" in mine.get(address(request, ""))
    theirs: CheckingClient = new_client()
    theirs.login(administrator.email, f.PASSWORD)
    page = theirs.get(address(request, "")).click("Voir ce qui est attendu")
    assert "toutes les demandes" in page


@pytest.mark.spec("REV-2", "REV-5", "I18-1")
def test_the_mail_is_previewed_once_a_language_as_it_goes(app: Flask, client: CheckingClient) -> None:
    organisation = r.organisation_file()
    request = r.request_file(of=organisation, applicant=f.applicant(locale="ar"))
    paper = f.document(DocumentKind.APPLICANT_IDENTITY, request_id=request.id)
    agent = f.staff(Role.AGENT)
    why, why_ar = verdicts.worded("unreadable", "")
    verdicts.refuse_document(paper.id, actor=f.actor(agent), reason=why, reason_ar=why_ar)
    verdicts.give_field_verdict(
        "email",
        Verdict.REFUSE,
        actor=f.actor(agent),
        value_seen=request.email,
        reason="À corriger.",
        request_id=request.id,
    )
    client.login(agent.email, f.PASSWORD)
    page = client.get(f"/admin/dossiers/{request.reference}/decision/ask_for_documents").press("Relire le courriel")
    texts = {each["lang"]: each for each in page.soup.select("pre.mail-text")}
    assert set(texts) == {"fr", "ar"}
    assert texts["ar"]["dir"] == "rtl"
    assert why_ar in texts["ar"].text
    assert why in texts["fr"].text
    assert "Sans texte arabe, lu en français" in page
    page.press("Envoyer la demande")
    assert request.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS
    sent = db.session.scalars(select(OutboxMail).filter_by(kind="documents_missing")).all()
    for lang, shown in texts.items():
        assert shown.text.strip() in {mail.text.strip() for mail in sent if mail.locale == lang}


@pytest.mark.spec("REV-5", "I18-1")
def test_the_page_of_an_arabic_reader_gives_reasons_in_arabic(app: Flask, client: CheckingClient) -> None:
    applicant = f.applicant(locale="ar")
    request = r.request_file(applicant=applicant)
    why, why_ar = verdicts.worded("misspelt", "")
    asking.ask_for_documents(request.id, [Point(why, field="first_name", reason_ar=why_ar)], actor=r.agent())
    client.login(applicant.email, f.PASSWORD)
    page = client.get(address(request))
    assert why_ar in page
    assert why not in page
    assert "قدمت التصحيحات" not in page, "only once every point is answered"
