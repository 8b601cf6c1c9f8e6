"""What agents decide: every state, every action, every role; obstacles, stale pages, approvals that fall."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition, NotFound, StaleObject
from app.extensions import db
from app.models import (
    CertificateRequest,
    Document,
    DocumentAsk,
    DocumentKind,
    FieldVerdict,
    HistoryEntry,
    IdentityKind,
    Organisation,
    OutboxMail,
    User,
)
from app.permissions import Actor, Role
from app.queries.declared_fields import declared_of_organisation, declared_of_request
from app.queries.own_organisation import Waiting, overview
from app.services import asking, assigning, deciding, documents, organisations, supplying, verdicts, verifying
from app.services.asking import Point
from app.services.organisations import change_data
from app.states import (
    ORGANISATION_MOVES,
    REQUEST_MOVES,
    OrganisationState,
    RequestState,
    Verdict,
    Who,
)
from tests import factories as f
from tests.support import reviewing as r

POINTS = [Point("Joignez le mandat.", DocumentKind.OTHER)]
Act = Callable[[int, Actor], object]

REQUEST_ACTS: dict[str, Act] = {
    "ask_for_documents": lambda row, actor: asking.ask_for_documents(row, POINTS, actor=actor),
    "withdraw_the_ask": lambda row, actor: asking.withdraw_the_ask(row, actor=actor),
    "reject": lambda row, actor: deciding.reject(row, actor=actor, reason="Dossier incomplet."),
    "approve": lambda row, actor: deciding.approve(row, actor=actor),
    "dispatch": lambda row, actor: deciding.dispatch(row, "EE123456789TN", actor=actor),
}
ORGANISATION_ACTS: dict[str, Act] = {
    "verify": lambda row, actor: verifying.verify_organisation(row, actor=actor),
    "ask_for_documents": lambda row, actor: asking.ask_organisation_for_documents(row, POINTS, actor=actor),
    "withdraw_the_ask": lambda row, actor: asking.withdraw_the_organisation_ask(row, actor=actor),
    "reject": lambda row, actor: verifying.reject_organisation(row, actor=actor, reason="Introuvable au registre."),
    "suspend": lambda row, actor: verifying.suspend_organisation(row, actor=actor, reason="Fraude soupçonnée."),
    "restore": lambda row, actor: verifying.restore_organisation(row, actor=actor, reason="Erreur de notre part."),
}


def test_every_move_of_an_agent_has_its_service() -> None:
    staff = {Who.AGENT, Who.SUPERVISOR}
    assert set(REQUEST_ACTS) == {m.action for m in REQUEST_MOVES if staff & set(m.who)}
    assert set(ORGANISATION_ACTS) == {m.action for m in ORGANISATION_MOVES if staff & set(m.who)}


@pytest.mark.spec("STA-1", "STA-2", "PPL-2")
@pytest.mark.parametrize("action", REQUEST_ACTS)
@pytest.mark.parametrize("state", RequestState)
def test_a_request_moves_as_the_table_says_and_by_the_right_hands(app: Flask, state: RequestState, action: str) -> None:
    move = next((m for m in REQUEST_MOVES if m.action == action and state in m.sources), None)
    request = r.request_file(state, generated=action == "dispatch")
    act, before = REQUEST_ACTS[action], None
    for who, actor in r.strangers(request).items():
        before = r.traces(request)
        with pytest.raises(DomainError) as refusal:
            act(request.id, actor)
        assert str(refusal.value), who
        assert r.traces(request) == before, who
    agent = r.agent()
    before = r.traces(request)
    if move is None:
        with pytest.raises(IllegalTransition, match="n'est pas possible"):
            act(request.id, agent)
        assert r.traces(request) == before
        return
    act(request.id, agent)
    after = r.traces(request)
    assert after[0] == (move.target or state)
    lines = db.session.scalars(select(HistoryEntry).where(HistoryEntry.request_id == request.id)).all()
    assert [(e.action, e.from_state, e.to_state) for e in lines if e.action == action] == [(action, state, after[0])]
    assert after[3] > before[3], "its people are told"


@pytest.mark.spec("STA-1", "STA-2", "PPL-2")
@pytest.mark.parametrize("action", ORGANISATION_ACTS)
@pytest.mark.parametrize("state", OrganisationState)
def test_an_organisation_moves_as_the_table_says_and_by_the_right_hands(
    app: Flask, state: OrganisationState, action: str
) -> None:
    move = next((m for m in ORGANISATION_MOVES if m.action == action and state in m.sources), None)
    organisation = r.organisation_file(state)
    act = ORGANISATION_ACTS[action]
    refused = r.strangers(organisation)
    if action in ("suspend", "restore"):
        refused["agent"] = r.agent()
    for who, actor in refused.items():
        before = r.traces(organisation)
        with pytest.raises(DomainError) as refusal:
            act(organisation.id, actor)
        assert str(refusal.value), who
        assert r.traces(organisation) == before, who
    hand = r.agent(Role.SUPERVISEUR if action in ("suspend", "restore") else Role.AGENT)
    before = r.traces(organisation)
    if move is None:
        with pytest.raises(IllegalTransition, match="n'est pas possible"):
            act(organisation.id, hand)
        assert r.traces(organisation) == before
        return
    act(organisation.id, hand)
    after = r.traces(organisation)
    assert after[0] == move.target
    assert after[2] == before[2] + 1, "one history line"
    assert after[3] == before[3] + 2, "its two administrators are told"


@pytest.mark.spec("STA-2", "REV-7")
@pytest.mark.parametrize("action", REQUEST_ACTS)
def test_a_stale_page_overwrites_nothing_and_says_who(app: Flask, action: str) -> None:
    state = (
        RequestState.EN_ATTENTE_DE_JUSTIFICATIFS
        if action == "withdraw_the_ask"
        else RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST
    )
    request = r.request_file(state, generated=action == "dispatch")
    colleague = f.staff(first_name="Leïla", last_name="Ferchichi")
    assigning.take_request(request.id, actor=f.actor(colleague))
    stale: dict[str, Any] = {"actor": r.agent(), "expected_version": request.version - 1}
    calls: dict[str, Callable[[], object]] = {
        "ask_for_documents": lambda: asking.ask_for_documents(request.id, POINTS, **stale),
        "withdraw_the_ask": lambda: asking.withdraw_the_ask(request.id, **stale),
        "reject": lambda: deciding.reject(request.id, reason="Trop tard.", **stale),
        "approve": lambda: deciding.approve(request.id, **stale),
        "dispatch": lambda: deciding.dispatch(request.id, "EE123456789TN", **stale),
    }
    before = r.traces(request)
    with pytest.raises(StaleObject, match="Leïla Ferchichi"):
        calls[action]()
    assert r.traces(request) == before


@pytest.mark.spec("STA-2", "REV-7")
def test_a_move_gone_meanwhile_says_who_changed_the_file_and_when(app: Flask) -> None:
    request = r.request_file()
    seen = request.version
    colleague = f.staff(first_name="Leïla", last_name="Ferchichi")
    deciding.reject(request.id, reason="Identité usurpée.", actor=f.actor(colleague))
    with pytest.raises(
        IllegalTransition, match=r"n'est pas possible.*Annulée.*Leïla Ferchichi .* le \d\d/\d\d/\d{4} à"
    ):
        deciding.approve(request.id, actor=r.agent(), expected_version=seen)


@pytest.mark.spec("STA-2", "REV-7")
def test_a_stale_organisation_names_who_changed_it_not_who_worked_on_its_requests(app: Flask) -> None:
    organisation = r.organisation_file(OrganisationState.A_VERIFIER)
    first, second = (f.staff(first_name=name, last_name="Ferchichi") for name in ("Leïla", "Zied"))
    request = r.request_file(of=organisation)
    assigning.take_organisation(organisation.id, actor=f.actor(first))
    assigning.take_request(request.id, actor=f.actor(second))
    with pytest.raises(StaleObject, match="Leïla Ferchichi"):
        verifying.verify_organisation(organisation.id, actor=r.agent(), expected_version=organisation.version - 1)


@pytest.mark.spec("STA-2", "ORD-8")
def test_clients_read_tuntrust_where_an_officer_changed_the_file(app: Flask) -> None:
    request = r.request_file(RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
    seen = request.version
    asking.withdraw_the_ask(request.id, actor=f.actor(f.staff(first_name="Leïla", last_name="Ferchichi")))
    applicant = f.actor(db.session.get_one(User, request.applicant_id))
    with pytest.raises(IllegalTransition, match="TunTrust a modifié ce dossier") as refusal:
        supplying.supply(applicant, request.id, expected_version=seen)
    assert "Ferchichi" not in str(refusal.value)


@pytest.mark.spec("CON-1", "STA-1")
def test_an_approval_names_every_obstacle(app: Flask) -> None:
    organisation = r.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    request = r.request_file(of=organisation, identity_kind=IdentityKind.PASSEPORT, identity_number="X1234567")
    agent = r.agent()
    verdicts.give_field_verdict(
        "first_name",
        Verdict.REFUSE,
        actor=agent,
        value_seen=request.first_name,
        reason="À corriger.",
        request_id=request.id,
    )
    with pytest.raises(DomainError) as refusal:
        deciding.approve(request.id, actor=agent)
    for words in (
        "l'organisation n'est pas vérifiée",
        "le contrat signé n'est pas vérifié",
        "document à vérifier : Extrait du registre national",
        "il manque : Pièce d'identité du demandeur",
        "donnée non conforme : Prénom",
    ):
        assert words in str(refusal.value)
    assert db.session.get_one(CertificateRequest, request.id).approved_at is None


@pytest.mark.spec("CON-1")
@pytest.mark.parametrize(("signed", "words"), [(None, "n'est pas reçu"), (Verdict.REFUSE, "est refusé")])
def test_no_approval_without_a_verified_contract(app: Flask, signed: Verdict | None, words: str) -> None:
    organisation = f.organisation()
    f.document(organisation_id=organisation.id, verdict=Verdict.ACCEPTE)
    f.contract(organisation, signed=signed)
    request = r.request_file(of=organisation)
    with pytest.raises(DomainError, match=words):
        deciding.approve(request.id, actor=r.agent())


@pytest.mark.spec("CON-1")
def test_a_verification_waits_for_papers_not_for_the_contract(app: Flask) -> None:
    organisation = f.organisation(OrganisationState.A_VERIFIER)
    with pytest.raises(DomainError, match="il manque : Extrait du registre national"):
        verifying.verify_organisation(organisation.id, actor=r.agent())
    paper = f.document(organisation_id=organisation.id)
    with pytest.raises(DomainError, match="document à vérifier"):
        verifying.verify_organisation(organisation.id, actor=r.agent())
    verdicts.accept_document(paper.id, actor=r.agent())
    verified = verifying.verify_organisation(organisation.id, actor=r.agent())
    assert (verified.state, verified.verified_at is not None) == (OrganisationState.VERIFIEE, True)


@pytest.mark.spec("STA-1")
@pytest.mark.parametrize("change", ["document", "field", "organisation document", "organisation suspended"])
def test_a_later_change_of_the_file_cancels_the_approval(app: Flask, change: str) -> None:
    request = r.request_file()
    agent = r.agent()
    deciding.approve(request.id, actor=agent)
    version = db.session.get_one(CertificateRequest, request.id).version
    organisation = request.organisation
    if change == "document":
        paper = f.document(DocumentKind.OTHER, request_id=request.id, verdict=Verdict.ACCEPTE)
        verdicts.refuse_document(paper.id, actor=agent, reason="Illisible.")
    elif change == "field":
        verdicts.give_field_verdict(
            "email", Verdict.REFUSE, actor=agent, value_seen=request.email, reason="Erreur.", request_id=request.id
        )
    elif change == "organisation document":
        own = db.session.scalars(select(Document).where(Document.organisation_id == organisation.id)).first()
        assert own is not None
        verdicts.refuse_document(own.id, actor=agent, reason="Faux.")
    else:
        verifying.suspend_organisation(organisation.id, actor=r.agent(Role.SUPERVISEUR), reason="Fraude.")
    fresh = db.session.get_one(CertificateRequest, request.id)
    assert fresh.approved_at is None
    assert fresh.version == version + 1
    with pytest.raises(DomainError):
        deciding.dispatch(request.id, "EE123456789TN", actor=agent)


@pytest.mark.spec("REV-2")
def test_a_verdict_is_void_once_its_value_changes(app: Flask) -> None:
    request = r.request_file()
    agent = r.agent()
    verdicts.give_field_verdict(
        "last_name", Verdict.REFUSE, actor=agent, value_seen=request.last_name, reason="Faute.", request_id=request.id
    )
    with pytest.raises(DomainError, match="donnée non conforme : Nom"):
        deciding.approve(request.id, actor=agent)
    fresh = db.session.get_one(CertificateRequest, request.id)
    seen, fresh.last_name = fresh.last_name, "Corrigé"
    db.session.commit()
    with pytest.raises(StaleObject, match="Corrigé"):
        verdicts.give_field_verdict("last_name", Verdict.ACCEPTE, actor=agent, value_seen=seen, request_id=request.id)
    deciding.approve(request.id, actor=agent)


@pytest.mark.spec("REV-2", "REV-7")
def test_two_agents_do_not_overwrite_each_other_s_verdict(app: Flask) -> None:
    organisation = r.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    first, second = f.staff(first_name="Leïla", last_name="Ferchichi"), f.staff()
    given: dict[str, Any] = {"value_seen": organisation.legal_name, "organisation_id": organisation.id, "seen_at": ""}
    verdicts.give_field_verdict("legal_name", Verdict.ACCEPTE, actor=f.actor(first), **given)
    verdicts.give_field_verdict("legal_name", Verdict.ACCEPTE, actor=f.actor(first), **given)  # a double click
    with pytest.raises(StaleObject, match="Leïla Ferchichi"):
        verdicts.give_field_verdict("legal_name", Verdict.REFUSE, actor=f.actor(second), reason="Faux.", **given)
    paper = db.session.scalars(select(Document).where(Document.kind == DocumentKind.RNE_EXTRACT)).one()
    seen = paper.version
    verdicts.accept_document(paper.id, actor=f.actor(first), expected_version=seen)
    verdicts.accept_document(paper.id, actor=f.actor(first), expected_version=seen)
    with pytest.raises(StaleObject, match="Leïla Ferchichi"):
        verdicts.refuse_document(paper.id, actor=f.actor(second), reason="Faux.", expected_version=seen)
    assert db.session.scalar(select(func.count()).select_from(FieldVerdict)) == 1
    lines = db.session.scalars(select(HistoryEntry.action).where(HistoryEntry.action == "document_accepted")).all()
    assert len(lines) == 1


@pytest.mark.spec("REV-2", "PPL-2")
def test_only_those_who_review_judge_and_only_an_open_file(app: Flask) -> None:
    organisation = r.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    paper = db.session.scalars(select(Document).where(Document.kind == DocumentKind.RNE_EXTRACT)).one()
    for actor in r.strangers(organisation).values():
        with pytest.raises((NotFound, Forbidden)):
            verdicts.accept_document(paper.id, actor=actor)
        with pytest.raises((NotFound, Forbidden)):
            verdicts.give_field_verdict(
                "legal_name", Verdict.ACCEPTE, actor=actor, value_seen="x", organisation_id=organisation.id
            )
    agent = r.agent()
    with pytest.raises(DomainError, match="motif"):
        verdicts.refuse_document(paper.id, actor=agent, reason="  ")
    for unknown in ("password_hash", ""):
        with pytest.raises(NotFound):
            verdicts.give_field_verdict(
                unknown, Verdict.ACCEPTE, actor=agent, value_seen="", organisation_id=organisation.id
            )
    verifying.reject_organisation(organisation.id, actor=agent, reason="Introuvable.")
    with pytest.raises(IllegalTransition, match="Rejetée"):
        verdicts.accept_document(paper.id, actor=agent)
    finished = r.request_file(RequestState.EXPEDIEE)
    with pytest.raises(IllegalTransition, match="Certificat expédié"):
        verdicts.give_field_verdict(
            "email", Verdict.ACCEPTE, actor=agent, value_seen=finished.email, request_id=finished.id
        )


def test_a_replaced_or_quarantined_paper_is_not_accepted(app: Flask) -> None:
    organisation = f.organisation(OrganisationState.A_VERIFIER)
    waiting = f.document(organisation_id=organisation.id, storage_key="quarantine/abc")
    with pytest.raises(DomainError, match="antivirus"):
        verdicts.accept_document(waiting.id, actor=r.agent())
    old = f.document(organisation_id=organisation.id, superseded_at=organisation.created_at)
    with pytest.raises(StaleObject, match="remplacé"):
        verdicts.accept_document(old.id, actor=r.agent())


@pytest.mark.spec("CON-1", "MAI-1")
def test_a_verified_organisation_learns_at_once_of_a_refused_contract(app: Flask) -> None:
    organisation = r.organisation_file(verdict=Verdict.A_VERIFIER)
    copy = db.session.scalars(select(Document).where(Document.kind == DocumentKind.SIGNED_CONTRACT)).one()
    verdicts.refuse_document(copy.id, actor=r.agent(), reason="Une signature manque.")
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.organisation_id == organisation.id)).one()
    assert (mail.kind, mail.subject) == ("organisation_documents_missing", "Pièces manquantes")
    assert "1. Contrat signé : Une signature manque." in mail.text


@pytest.mark.spec("REV-2", "MAI-1", "CON-2")
def test_a_verified_organisation_learns_at_once_of_a_refused_field_and_reads_it_until_corrected(app: Flask) -> None:
    organisation = r.organisation_file()
    administrator = f.administrator(organisation)
    for field, value in (("legal_name", organisation.legal_name), ("tax_id", organisation.tax_id or "")):
        verdicts.give_field_verdict(
            field,
            Verdict.REFUSE,
            actor=r.agent(),
            value_seen=value,
            organisation_id=organisation.id,
            reason="Le registre dit autre chose.",
        )
    mails = db.session.scalars(select(OutboxMail).where(OutboxMail.recipient == administrator.email)).all()
    assert [mail.kind for mail in mails] == ["organisation_documents_missing"] * 2
    assert "1. Raison sociale : Le registre dit autre chose." in mails[0].text

    def waiting() -> list[Waiting]:
        return [each for each in overview(f.actor(administrator), organisation.id).waiting if each.why]

    seen = waiting()
    assert [each.anchor for each in seen] == ["donnees", "donnees"]
    assert "modifiez vos données" in seen[0].text
    assert "écrivez à TunTrust" in seen[1].text
    change_data(organisation.id, {"legal_name": "AUTRE NOM"}, actor=f.actor(administrator))
    assert db.session.get_one(Organisation, organisation.id).state is OrganisationState.A_VERIFIER
    assert not waiting(), "to be verified anew: the agent asks"


@pytest.mark.spec("REV-5", "MAI-1")
def test_an_organisation_to_verify_hears_of_a_refused_field_from_the_ask_only(app: Flask) -> None:
    organisation = r.organisation_file(OrganisationState.A_VERIFIER)
    administrator = f.administrator(organisation)
    verdicts.give_field_verdict(
        "legal_name",
        Verdict.REFUSE,
        actor=r.agent(),
        value_seen=organisation.legal_name,
        organisation_id=organisation.id,
        reason="Le registre dit autre chose.",
    )
    assert not db.session.scalars(select(OutboxMail).where(OutboxMail.recipient == administrator.email)).all()
    assert not [each for each in overview(f.actor(administrator), organisation.id).waiting if each.why]


@pytest.mark.spec("REV-5", "MAI-1")
def test_an_ask_holds_its_points_and_each_is_one_line_of_the_mail(app: Flask) -> None:
    request = r.request_file()
    paper = f.document(DocumentKind.APPLICANT_IDENTITY, request_id=request.id)
    points = [
        Point("Verso absent.", DocumentKind.APPLICANT_IDENTITY, paper.id),
        Point("Voir la CIN.", field="last_name"),
        Point("Joignez le mandat.", DocumentKind.OTHER),
    ]
    ask = asking.ask_for_documents(request.id, points, actor=r.agent(), message="Merci d'avance.")
    assert [(i.position, i.document_id, i.field, i.reason) for i in ask.items] == [
        (1, paper.id, None, "Verso absent."),
        (2, None, "last_name", "Voir la CIN."),
        (3, None, None, "Joignez le mandat."),
    ]
    assert ask.due_on == asking.due_date()
    mails = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "documents_missing")).all()
    people = {request.applicant.email, *(u.email for u in r_administrators(request))}
    assert {mail.recipient for mail in mails} == people
    assert len(mails) == len(people)
    for mail in mails:
        assert mail.subject == "Pièces manquantes"
        for line in ("1. Pièce d'identité du demandeur : Verso absent.", "2. Nom : Voir la CIN.", "3. Autre document"):
            assert line in mail.text
        assert "Verso absent." in mail.html


def r_administrators(request: CertificateRequest) -> list[Any]:
    from app.queries.people import administrators_of

    return administrators_of(request.organisation_id)


@pytest.mark.spec("REV-5")
def test_an_ask_of_another_file_s_paper_or_of_nothing_is_refused(app: Flask) -> None:
    request, other = r.request_file(), r.request_file()
    foreign = f.document(DocumentKind.APPLICANT_IDENTITY, request_id=other.id)
    refused: list[tuple[list[Point], type[DomainError]]] = [
        ([], DomainError),
        ([Point("", DocumentKind.OTHER)], DomainError),
        ([Point("Voir.", DocumentKind.APPLICANT_IDENTITY, foreign.id)], NotFound),
        ([Point("Voir.", field="password_hash")], NotFound),
        ([Point("Voir.", DocumentKind.OTHER)] * 41, DomainError),
    ]
    before = r.traces(request)
    for points, error in refused:
        with pytest.raises(error):
            asking.ask_for_documents(request.id, points, actor=r.agent())
    with pytest.raises(DomainError, match="date à venir"):
        asking.ask_for_documents(request.id, POINTS, actor=r.agent(), due_on=request.created_at.date())
    assert r.traces(request) == before


@pytest.mark.spec("REV-5")
@pytest.mark.parametrize(("action", "outcome"), [("withdraw_the_ask", "withdrawn"), ("reject", "rejected")])
def test_leaving_the_wait_closes_the_ask(app: Flask, action: str, outcome: str) -> None:
    request = r.request_file(RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
    REQUEST_ACTS[action](request.id, r.agent())
    ask = db.session.scalars(select(DocumentAsk)).one()
    assert (ask.outcome, ask.closed_at is not None) == (outcome, True)


@pytest.mark.spec("STA-1")
def test_a_rejection_keeps_its_reason_and_promises_no_money(app: Flask) -> None:
    request = r.request_file(approved=True)
    with pytest.raises(DomainError) as refusal:
        deciding.reject(request.id, actor=r.agent(), reason="  ")
    assert refusal.value.field == "reason"
    deciding.reject(request.id, actor=r.agent(), reason="Identité usurpée.")
    fresh = db.session.get_one(CertificateRequest, request.id)
    assert (fresh.closing_reason, fresh.approved_at) == ("Identité usurpée.", None)
    mails = {
        m.recipient: m for m in db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "request_rejected"))
    }
    assert all("Identité usurpée." in mail.text for mail in mails.values())
    administrator = r_administrators(request)[0]
    assert "vous contactera au sujet du remboursement ou de l'avoir" in mails[administrator.email].text


@pytest.mark.spec("CRT-2")
def test_a_dispatch_needs_an_approval_a_certificate_and_an_office(app: Flask) -> None:
    bare = r.request_file(post_office_id=None)
    with pytest.raises(DomainError) as refusal:
        deciding.dispatch(bare.id, "EE123456789TN", actor=r.agent())
    for words in ("n'est pas approuvée", "n'est pas enregistré", "aucun bureau de poste"):
        assert words in str(refusal.value)


@pytest.mark.spec("CRT-2")
@pytest.mark.parametrize("number", ["", "123", "EE 12", "ABCDEFGHIJ", "1234567;DROP", "9" * 31])
def test_a_tracking_number_that_is_none_is_refused(app: Flask, number: str) -> None:
    with pytest.raises(DomainError) as refusal:
        deciding.normalise_tracking_number(number)
    assert refusal.value.field == "tracking_number"


@pytest.mark.spec("CRT-2")
def test_a_number_of_another_parcel_is_confirmed_first(app: Flask) -> None:
    first, second = r.request_file(generated=True), r.request_file(generated=True)
    deciding.dispatch(first.id, "ee 123 456 789 tn", actor=r.agent())
    with pytest.raises(deciding.AlreadyTracked, match=first.reference):
        deciding.dispatch(second.id, "EE123456789TN", actor=r.agent())
    assert deciding.dispatch(second.id, "EE123456789TN", actor=r.agent(), number_confirmed=True).state == "EXPEDIEE"


def test_a_file_is_taken_once_and_a_supervisor_may_take_it_over(app: Flask) -> None:
    request = r.request_file()
    holder = f.staff(first_name="Leïla", last_name="Ferchichi")
    assigning.take_request(request.id, actor=f.actor(holder))
    with pytest.raises(DomainError, match="Leïla Ferchichi"):
        assigning.take_request(request.id, actor=r.agent())
    with pytest.raises(Forbidden):
        assigning.release_request(request.id, actor=r.agent())
    supervisor = r.agent(Role.SUPERVISEUR)
    assert assigning.take_request(request.id, actor=supervisor).assigned_to_id == supervisor.user_id
    assert assigning.release_request(request.id, actor=supervisor).assigned_to_id is None
    for actor in r.strangers(request).values():
        with pytest.raises((NotFound, Forbidden)):
            assigning.take_request(request.id, actor=actor)


@pytest.mark.spec("REV-2")
def test_every_declared_field_can_be_judged_and_named(app: Flask) -> None:
    organisation = db.session.get_one(Organisation, r.organisation_file().id)
    request = r.request_file(of=organisation)
    agent = r.agent()
    people = r_administrators(request)
    for each in declared_of_organisation(organisation, people):
        verdicts.give_field_verdict(
            each.name, Verdict.ACCEPTE, actor=agent, value_seen=each.stored, organisation_id=organisation.id
        )
    for each in declared_of_request(request):
        verdicts.give_field_verdict(
            each.name, Verdict.ACCEPTE, actor=agent, value_seen=each.stored, request_id=request.id
        )
    given = db.session.scalars(select(FieldVerdict)).all()
    assert len(given) == len(declared_of_organisation(organisation, people)) + len(declared_of_request(request))
    assert all(len(verdict.field) <= 40 for verdict in given)
    deciding.approve(request.id, actor=agent)


@pytest.mark.spec("REV-2", "REV-5")
def test_a_ready_made_reason_reaches_each_reader_in_their_language(app: Flask) -> None:
    arabic, french = f.applicant(locale="ar"), r.organisation_file()
    request = r.request_file(of=french, applicant=arabic)
    agent = r.agent()
    paper = f.document(DocumentKind.APPLICANT_IDENTITY, request_id=request.id)
    why, why_ar = verdicts.worded("identity_one_side", "Voir page 2.")
    verdicts.refuse_document(paper.id, actor=agent, reason=why, reason_ar=why_ar)
    assert "recto et le verso. Voir page 2." in paper.verdict_reason
    point = asking.Point(paper.verdict_reason, paper.kind, paper.id, reason_ar=paper.verdict_reason_ar)
    ask = asking.ask_for_documents(request.id, [point], actor=agent)
    assert (ask.items[0].reason, ask.items[0].reason_ar) == (why, why_ar)
    sent = {mail.locale: mail for mail in db.session.scalars(select(OutboxMail).filter_by(kind="documents_missing"))}
    assert sent["fr"].subject == "Pièces manquantes"
    assert why in sent["fr"].text
    assert why_ar not in sent["fr"].text
    assert sent["ar"].subject == "وثائق ناقصة"
    assert "وثيقة هوية صاحب الطلب" in sent["ar"].text
    assert why_ar in sent["ar"].text
    assert "\u200f1. " in sent["ar"].text
    assert 'lang="ar" dir="rtl"' in sent["ar"].html
    assert why_ar in sent["ar"].html


@pytest.mark.spec("REV-5")
def test_a_request_is_not_asked_for_its_organisations_papers(app: Flask) -> None:
    request = r.request_file()
    point = asking.Point("Trop ancien.", DocumentKind.RNE_EXTRACT)
    with pytest.raises(DomainError, match="une fois, dans son dossier") as refusal:
        asking.ask_for_documents(request.id, [point], actor=r.agent())
    assert refusal.value.field == "points"
    assert request.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST


def _changed(change: str, request: CertificateRequest) -> None:
    """Something the approval rested on changes, by whose hands it may."""
    organisation = request.organisation
    owner, agent = f.actor(f.administrator(organisation)), r.agent()
    own = db.session.scalars(select(Document).filter_by(organisation_id=organisation.id).order_by(Document.id)).all()
    if change == "organisation data":
        organisations.change_data(organisation.id, {"city": "Sfax"}, actor=owner)
    elif change == "organisation paper":
        out = io.BytesIO()
        Image.new("RGB", (300, 300), "white").save(out, "PNG")
        paper = documents.examine(out.getvalue(), "extrait.png")
        organisations.replace_document(own[0].id, paper, actor=owner, issued_on=clock.today())
    elif change == "contract refused":
        verdicts.refuse_document(own[-1].id, actor=agent, reason="Une signature manque.")
    elif change == "organisation field":
        verdicts.give_field_verdict(
            "legal_name",
            Verdict.REFUSE,
            actor=agent,
            value_seen=organisation.legal_name,
            reason="Diffère du registre.",
            organisation_id=organisation.id,
        )
    else:
        point = asking.Point("À joindre.", DocumentKind.OTHER)
        asking.ask_for_documents(request.id, [point], actor=agent)
        asking.withdraw_the_ask(request.id, actor=agent)


@pytest.mark.spec("STA-1", "REV-2")
@pytest.mark.parametrize(
    "change", ["organisation data", "organisation paper", "contract refused", "organisation field", "asked again"]
)
def test_an_approval_falls_with_anything_it_covered(app: Flask, change: str) -> None:
    request = r.request_file()
    deciding.approve(request.id, actor=r.agent())
    _changed(change, request)
    fresh = db.session.get_one(CertificateRequest, request.id)
    assert (fresh.approved_at, fresh.approved_by_id) == (None, None)
    said = set(db.session.scalars(select(HistoryEntry.action).where(HistoryEntry.request_id == request.id)))
    assert said & {"approval_cancelled", "ask_for_documents"}
