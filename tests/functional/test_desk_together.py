"""A clean file in few actions, two agents on one file, papers side by side: the desk through its pages."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from app.extensions import db
from app.inspection import pictures
from app.models import (
    AuditEntry,
    CertificateRequest,
    DocumentKind,
    FieldVerdict,
    FilePresence,
    PostOffice,
)
from app.permissions import Role
from app.services import assigning, deciding, presence, verdicts
from app.states import OrganisationState, RequestState, Verdict
from tests import factories as f
from tests.functional.test_review_desk import a_file, counted, put_picture, url_of
from tests.pages import CheckingClient, Page
from tests.support import reviewing as r

pytestmark = pytest.mark.slow


@pytest.fixture
def agent(client: CheckingClient) -> CheckingClient:
    client.login(f.staff(Role.AGENT, first_name="Sonia", last_name="Ferjani").email, f.PASSWORD)
    return client


@pytest.fixture
def colleague(new_client: Any) -> CheckingClient:
    browser: CheckingClient = new_client()
    browser.login(f.staff(Role.AGENT, first_name="Leïla", last_name="Trabelsi").email, f.PASSWORD)
    return browser


def all_good(page: Page) -> Page:
    """Press « Tout conforme »."""
    return next(form for form in page.forms if "/conforme" in form.action).submit()


def and_next(page: Page) -> dict[str, str]:
    """What « … et suivant » sends."""
    return next(form for form in page.forms if form.action.split("?")[0].endswith("/decision/suivant")).values


def beat(browser: CheckingClient, request: CertificateRequest, **more: str) -> str:
    """What an open page says every few seconds, and what it is answered."""
    last = browser.page
    assert last is not None
    values = {"version": str(request.version), "csrf_token": str(last.csrf_token), **more}
    answer = browser.open("POST", url_of(request, "/presence"), data=values, fragment=True, expect=(200, 204))
    browser.page = last
    return answer.text


@pytest.mark.spec("REV-6", "REV-2")
def test_a_clean_new_file_takes_five_presses_from_the_queue_to_the_next(agent: CheckingClient) -> None:
    clean = a_file(organisation_state=OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    following = a_file()
    page = agent.get(url_of(following)).form("Dossier suivant").submit()  # 1: the only free one that is decidable
    page = agent.get(url_of(clean))
    page = all_good(page)  # 2: the organisation
    assert page.select("#desk-tabs [aria-current]")[0].get_text().strip().startswith("Demandeur")
    page = all_good(page)  # 3: the applicant
    assert page.select("#desk-tabs [aria-current]")[0].get_text().strip().startswith("Contrat")
    page = all_good(page)  # 4: the signed contract
    page = page.press("Vérifier, approuver et suivant")  # 5
    assert "c'est fait" in page.text
    row = db.session.get_one(CertificateRequest, clean.id)
    assert row.approved_at is not None
    assert row.organisation.state is OrganisationState.VERIFIEE
    given = db.session.scalars(select(FieldVerdict)).all()
    assert len(given) >= 20
    assert all(each.verdict is Verdict.ACCEPTE and each.by_id is not None for each in given)
    assert db.session.scalar(select(func.count()).where(AuditEntry.action == "judge_field")) == len(given)


@pytest.mark.spec("REV-6", "REV-7", "QUE-3")
def test_the_same_press_twice_approves_one_and_takes_one(agent: CheckingClient) -> None:
    current, following, other = a_file(), a_file(), a_file()
    values = and_next(agent.get(url_of(current)))
    first = agent.post(url_of(current, "/decision/suivant"), dict(values))
    second = agent.post(url_of(current, "/decision/suivant"), dict(values))
    assert first.path == second.path == url_of(following)
    taken = select(CertificateRequest.id).where(CertificateRequest.assigned_to_id.is_not(None))
    assert db.session.scalars(taken).all() == [following.id]
    approved = select(CertificateRequest.id).where(CertificateRequest.approved_at.is_not(None))
    assert db.session.scalars(approved).all() == [current.id]
    assert db.session.get_one(CertificateRequest, other.id).assigned_to_id is None


@pytest.mark.spec("REV-6")
def test_the_last_file_leads_back_to_the_list(agent: CheckingClient) -> None:
    request = a_file()
    page = agent.get(url_of(request)).press("Approuver et suivant")
    assert page.path == "/admin/demandes/"
    assert "c'est fait" in page.text
    assert "Il ne reste aucune demande" in page.text


@pytest.mark.spec("REV-6", "REV-7")
def test_everything_conforming_gives_nothing_when_one_point_changed(agent: CheckingClient) -> None:
    request = a_file()
    page = agent.get(url_of(request, "?onglet=demandeur"))
    someone = f.actor(f.staff(first_name="Leïla", last_name="Trabelsi"))
    verdicts.give_field_verdict(
        "last_name", Verdict.REFUSE, actor=someone, value_seen=request.last_name, request_id=request.id, reason="Voir"
    )
    page = all_good(page)
    assert "Leïla Trabelsi" in page.text
    assert [each.field for each in db.session.scalars(select(FieldVerdict))] == ["last_name"]
    page = all_good(page)
    refused = db.session.scalars(select(FieldVerdict).where(FieldVerdict.verdict == Verdict.REFUSE)).one()
    assert refused.field == "last_name"  # a ✗ already given is not part of it


@pytest.mark.spec("REV-6")
def test_a_file_with_an_obstacle_is_not_offered_to_approve_and_go_on(agent: CheckingClient) -> None:
    request = a_file(verdict=Verdict.A_VERIFIER)
    page = agent.get(url_of(request))
    assert "Approuver et suivant" not in page.text
    page = agent.post(url_of(request, "/decision/suivant"), {"version": str(request.version)}, csrf=True)
    assert "ne peut pas encore être approuvée" in page.text
    assert db.session.get_one(CertificateRequest, request.id).approved_at is None


@pytest.mark.spec("QUE-3", "REV-7")
def test_two_agents_on_one_file_see_each_other(agent: CheckingClient, colleague: CheckingClient, travel: Any) -> None:
    request = a_file()
    agent.get(url_of(request))
    assert "regarde ce dossier" not in beat(agent, request)
    page = colleague.get(url_of(request))
    assert "Sonia Ferjani regarde ce dossier depuis" in page.text
    assert db.session.scalar(select(func.count(FilePresence.id))) == 1  # a GET writes none
    assert "Sonia Ferjani regarde ce dossier." in decide_button(page)
    assert "Sonia Ferjani" in beat(colleague, request)
    assert "Leïla Trabelsi regarde ce dossier depuis" in beat(agent, request)
    beat(colleague, request, parti="1")
    travel(seconds=10)
    assert "Leïla Trabelsi" not in beat(agent, request)
    travel(seconds=45)
    assert "regarde ce dossier" not in colleague.get(url_of(request)).text


def decide_button(page: Page) -> str:
    return str(next(form for form in page.forms if "/decision/approve" in form.action).tag["data-confirm"])


@pytest.mark.spec("QUE-3", "REV-7")
def test_who_took_the_file_and_who_changed_it_is_said_on_an_open_page(
    agent: CheckingClient, colleague: CheckingClient
) -> None:
    request = a_file()
    shown = str(request.version)
    agent.get(url_of(request))
    colleague.get(url_of(request)).form("Prendre").submit()
    page = colleague.get(url_of(request, "/decision/reject")).form("Précision").fill({"Précision": "Faux."}).submit()
    assert page.status == 200
    said = beat(agent, request, version=shown)
    assert "Leïla Trabelsi a pris ce dossier." in said
    assert "Leïla Trabelsi a modifié ce dossier" in said


@pytest.mark.spec("QUE-3")
def test_presence_is_one_statement_each_way(agent: CheckingClient) -> None:
    request, actor = a_file(), f.actor(f.staff())
    with counted() as said:
        presence.note_presence(request, actor=actor)
    assert len([each for each in said if "file_presences" in each]) == 1
    presence.note_presence(request, actor=actor)
    assert db.session.scalar(select(func.count(FilePresence.id))) == 1


@pytest.mark.spec("REV-2")
def test_an_approval_that_fell_says_who_changed_what(agent: CheckingClient) -> None:
    request = a_file()
    deciding.approve(request.id, actor=f.actor(f.staff(first_name="Sami", last_name="Ayadi")))
    assert "L'approbation est tombée" not in agent.get(url_of(request)).text
    someone = f.actor(f.staff(first_name="Leïla", last_name="Trabelsi"))
    verdicts.give_field_verdict(
        "last_name", Verdict.REFUSE, actor=someone, value_seen=request.last_name, request_id=request.id, reason="Voir"
    )
    text = agent.get(url_of(request)).text
    assert "L'approbation est tombée" in text
    assert "Sami Ayadi l'avait approuvé" in text
    assert "Leïla Trabelsi" in text
    assert "« Nom » n'est pas conforme" in text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.spec("QUE-3", "REV-7")
def test_a_file_is_handed_over_from_its_page_and_a_stale_page_keeps_the_note(agent: CheckingClient) -> None:
    request, to = a_file(), f.staff(first_name="Nadia", last_name="Mzali")
    page = agent.get(url_of(request)).form("Prendre").submit()
    form = page.click("Confier…").form("Note pour votre collègue")
    form.fill({"Collègue": "Nadia Mzali", "Note pour votre collègue": "Je pars à midi."})
    row = db.session.get_one(CertificateRequest, request.id)
    row.version += 1
    db.session.commit()
    page = form.submit()
    assert page.form("Note pour votre collègue")["note"] == "Je pars à midi."
    assert db.session.get_one(CertificateRequest, request.id).assigned_to_id != to.id
    page = page.form("Note pour votre collègue").submit()
    assert db.session.get_one(CertificateRequest, request.id).assigned_to_id == to.id
    assert "confié à votre collègue" in page.text


@pytest.mark.spec("REV-7", "STA-2")
def test_stale_parcels_and_asks_keep_what_was_typed_and_say_who(agent: CheckingClient) -> None:
    request = r.request_file(generated=True)
    parcel = (
        agent.get(url_of(request, "/decision/dispatch")).form("Numéro de suivi").fill(tracking_number="EE123456789TN")
    )
    someone = f.actor(f.staff(first_name="Leïla", last_name="Trabelsi"))
    assigning.take_request(request.id, actor=someone)
    db.session.get_one(CertificateRequest, request.id).version += 1
    page = parcel.submit()
    assert "Leïla Trabelsi" in page.text
    assert page.form("Numéro de suivi")["tracking_number"] == "EE123456789TN"
    assert db.session.get_one(CertificateRequest, request.id).state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST
    other = a_file()
    ask = agent.get(url_of(other, "/decision/ask_for_documents")).form("Relire le courriel")
    ask.fill({"free-0-kind": "Autre document"}, **{"free-0-reason": "Joindre le mandat."})
    assigning.take_request(other.id, actor=someone)
    db.session.get_one(CertificateRequest, other.id).version += 1
    page = ask.submit("Relire le courriel").press("Envoyer la demande")
    assert "Leïla Trabelsi" in page.text
    assert page.form("Relire le courriel")["free-0-reason"] == "Joindre le mandat."


@pytest.mark.spec("CRT-2")
def test_another_post_office_may_be_chosen_at_dispatch(agent: CheckingClient) -> None:
    request = r.request_file(generated=True)
    others = select(PostOffice).where(PostOffice.id != request.post_office_id, PostOffice.active)
    other = db.session.scalars(others.limit(1)).one()
    form = agent.get(url_of(request, "/decision/dispatch")).form("Numéro de suivi")
    form.fill(tracking_number="EE123456789TN", post_office_id=str(other.id)).submit("Expédier")
    sent = db.session.get_one(CertificateRequest, request.id)
    assert (sent.state, sent.post_office_id) == (RequestState.EXPEDIEE, other.id)


@pytest.mark.spec("REV-1", "SEC-3")
def test_a_second_paper_stands_beside_the_first_each_drawn_once(
    agent: CheckingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = a_file(verdict=Verdict.A_VERIFIER)
    identity = put_picture(f.document(DocumentKind.REPRESENTATIVE_IDENTITY, organisation_id=request.organisation_id))
    page = agent.get(url_of(request, "?onglet=organisation"))
    choices = [str(link["href"]) for link in page.select(".side-choices a")]
    page = agent.get(next(each for each in choices if f"cote={identity.public_id}" in each))
    sources = [str(image["src"]) for image in page.select(".sheet img")]
    assert len(sources) == 2
    drawn: list[str] = []
    real = pictures.render_page

    def draw(*given: Any, **more: Any) -> bytes:
        drawn.append(more.get("watermark") or "")
        return real(*given, **more)

    monkeypatch.setattr(pictures, "render_page", draw)
    for source in [*sources, *sources]:
        answer = agent.open("GET", source, fragment=True)
        assert answer.headers["Content-Type"] == "image/jpeg"
    assert len([each for each in drawn if not each]) == 2  # each paper drawn once
    assert all("Sonia Ferjani" in each for each in drawn if each)
    looks = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "view_identity_paper")).all()
    assert {each.subject_id for each in looks} == {str(identity.id)}
    assert "no-store" in agent.open("GET", sources[1], fragment=True).headers["Cache-Control"]
    first = agent.open("GET", sources[0], fragment=True)
    assert (first.headers["Cache-Control"], bool(first.headers["ETag"])) == ("private, no-cache", True)


@pytest.mark.spec("REV-1", "SPD-1")
def test_ten_papers_cost_no_statement_more_than_one(agent: CheckingClient) -> None:
    request = a_file()
    with counted() as one:
        agent.get(url_of(request, "?onglet=organisation"))
    for _n in range(9):
        f.document(DocumentKind.OTHER, organisation_id=request.organisation_id, verdict=Verdict.ACCEPTE)
    with counted() as ten:
        agent.get(url_of(request, "?onglet=organisation"))
    assert len(ten) == len(one), "\n".join(ten)
    assert len(ten) <= 40
