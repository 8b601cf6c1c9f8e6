"""Received papers: kept whole or not at all, and seen by those who may (SEC-3, PPL-2)."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from app import clock
from app.adapters import antivirus
from app.errors import DomainError, NotFound, StaleObject
from app.extensions import db
from app.models import AuditEntry, Document, DocumentKind
from app.permissions import Actor, Role, visitor
from app.queries.documents import document_for
from app.services import documents, drafts, files
from app.services.unit_of_work import use_case
from app.states import Verdict
from tests import factories
from tests.support.signup import finished_draft, jpeg, pdf

VISITOR = visitor("127.0.0.1")


def receive(**values: object) -> Document:
    given = {"kind": DocumentKind.RNE_EXTRACT, "actor": VISITOR, **values}
    return documents.receive(pdf("x"), "extrait.pdf", **given)  # type: ignore[arg-type]  # a test's own shorthand


def stored() -> list[str]:
    return [each.key for each in files.storage().keys("")]


@pytest.mark.spec("SEC-3")
def test_a_file_is_kept_under_a_random_key_with_its_facts(app: Flask) -> None:
    document = receive(organisation_id=factories.organisation().id)
    assert documents.content(document) == pdf("x")
    assert (document.media_type, document.pages, document.size) == ("application/pdf", 1, len(pdf("x")))
    assert "extrait" not in document.storage_key
    assert document.verdict is Verdict.A_VERIFIER


@pytest.mark.spec("SEC-3")
def test_a_refused_file_leaves_nothing(app: Flask) -> None:
    for data in (b"", b"MZ", pdf("x")[:100]):
        with pytest.raises(DomainError):
            documents.receive(data, "x.pdf", kind=DocumentKind.OTHER, actor=VISITOR)
    assert stored() == []
    assert db.session.scalar(select(func.count()).select_from(Document)) == 0


@pytest.mark.spec("SEC-3")
def test_stored_bytes_go_when_the_transaction_is_given_up(app: Flask) -> None:
    @use_case
    def fails() -> None:
        receive()
        assert stored()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert stored() == []


@pytest.mark.spec("REV-5")
def test_a_new_version_supersedes_and_a_double_click_makes_one(app: Flask) -> None:
    first = receive(organisation_id=factories.organisation().id)
    new = documents.receive(jpeg(), "photo.jpg", kind=first.kind, actor=VISITOR, replaces=first)
    assert new.replaces_id == first.id
    assert first.superseded_at is not None
    again = documents.receive(jpeg(), "photo.jpg", kind=first.kind, actor=VISITOR, replaces=first)
    assert again.id == new.id
    with pytest.raises(StaleObject):
        documents.receive(pdf("other"), "autre.pdf", kind=first.kind, actor=VISITOR, replaces=first)
    assert len(stored()) == 2


@pytest.mark.spec("SEC-3")
def test_the_antivirus_refuses_quarantines_and_releases(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.config["CLAMAV_SOCKET"] = "/run/clamav.ctl"
    answers: list[antivirus.Verdict] = [antivirus.Infected("Eicar"), antivirus.Unavailable("down")]
    monkeypatch.setattr(antivirus, "scan", lambda data, socket: answers.pop(0))
    with pytest.raises(DomainError, match="antivirus"):
        receive()
    assert stored() == []
    document = receive()
    assert documents.in_quarantine(document)
    with pytest.raises(DomainError, match="antivirus"):
        documents.picture(document)
    answers += [antivirus.Unavailable("still down")]
    assert documents.scan_quarantined() == 0
    answers += [antivirus.Clean()]
    assert documents.scan_quarantined() == 1
    db.session.refresh(document)
    assert documents.content(document) == pdf("x")
    assert document.scanned_at is not None
    assert len(stored()) == 1


@pytest.mark.spec("SEC-3")
def test_what_quarantine_finds_infected_is_refused_and_deleted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.config["CLAMAV_SOCKET"] = "/run/clamav.ctl"
    answers: list[antivirus.Verdict] = [antivirus.Unavailable("down"), antivirus.Infected("Eicar")]
    monkeypatch.setattr(antivirus, "scan", lambda data, socket: answers.pop(0))
    document = receive()
    assert documents.scan_quarantined() == 1
    db.session.refresh(document)
    assert document.verdict is Verdict.REFUSE
    assert stored() == []


@pytest.mark.spec("SEC-3", "REV-1")
def test_pages_are_pictures_made_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    document = receive()
    first = documents.picture(document, 0, 500)
    assert Image.open(io.BytesIO(first)).size[0] == 960
    monkeypatch.setattr(documents, "_draw", None)
    assert documents.picture(document, 0, 700) == first
    with pytest.raises(NotFound):
        documents.picture(document, 1)


@pytest.mark.spec("SEC-3")
def test_identity_papers_are_watermarked_for_staff_and_each_look_is_in_the_journal(app: Flask) -> None:
    agent = factories.actor(factories.staff())
    document = documents.receive(
        jpeg(), "cin.jpg", kind=DocumentKind.APPLICANT_IDENTITY, actor=VISITOR,
        organisation_id=factories.organisation().id,
    )  # fmt: skip
    assert documents.needs_watermark(document, agent)
    assert not documents.needs_watermark(document, VISITOR)
    watermark = documents.note_view(document.id, actor=agent, what="page 1")
    assert agent.label in watermark
    assert f"{clock.local(clock.now()):%d/%m/%Y}" in watermark
    assert documents.picture(document, watermark=watermark) != documents.picture(document)
    assert documents.watermarked_copy(document, watermark).startswith(b"%PDF")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "view_identity_paper")).one()
    assert (entry.actor_id, entry.subject_id) == (agent.user_id, str(document.id))


def test_a_download_is_named_as_what_it_really_is(app: Flask) -> None:
    document = documents.receive(pdf("x"), "scan.JPG", kind=DocumentKind.OTHER, actor=VISITOR)
    assert documents.download_name(document) == "scan.pdf"
    document.original_name = "Extrait n.2026"
    assert documents.download_name(document) == "Extrait n.pdf"
    document.original_name = "extrait.PDF"
    assert documents.download_name(document) == "extrait.PDF"


@pytest.mark.spec("PPL-2")
def test_a_document_exists_only_for_those_who_may_see_it(app: Flask) -> None:
    ours, theirs = factories.organisation(), factories.organisation()
    request = factories.certificate_request(ours)
    document = factories.document(organisation_id=ours.id)
    identity = factories.document(DocumentKind.APPLICANT_IDENTITY, request_id=request.id)
    applicant = factories.actor(request.applicant)
    ours_admin = factories.actor(factories.administrator(ours))
    theirs_admin = factories.actor(factories.administrator(theirs))
    may = {
        document.public_id: [ours_admin, factories.actor(factories.staff(Role.AGENT))],
        identity.public_id: [ours_admin, applicant, factories.actor(factories.staff(Role.RESPONSABLE))],
    }
    may_not: dict[str, list[Actor]] = {
        document.public_id: [theirs_admin, applicant, VISITOR, factories.actor(factories.staff(Role.ADMINISTRATEUR))],
        identity.public_id: [theirs_admin, VISITOR, factories.actor(factories.applicant())],
    }
    for public_id, actors in may.items():
        for actor in actors:
            assert document_for(actor, public_id).public_id == public_id
    for public_id, actors in may_not.items():
        for actor in actors:
            with pytest.raises(NotFound):
                document_for(actor, public_id)


@pytest.mark.spec("JOB-1")
def test_orphan_files_go_after_a_day_and_named_ones_stay(app: Flask) -> None:
    kept = receive(organisation_id=factories.organisation().id)
    documents.picture(kept)
    storage = files.storage()
    storage.put("documents/aa/orphan", b"x")
    storage.put("pictures/aa/00000000/0-960-0.jpg", b"x")
    assert drafts.purge_orphan_files() == 0
    clock.shift(timedelta(hours=25))
    try:
        assert drafts.purge_orphan_files() == 2
        assert drafts.purge_orphan_files() == 0
    finally:
        clock.reset()
    assert documents.content(kept) == pdf("x")
    assert len(stored()) == 2


@pytest.mark.spec("ORG-1")
def test_a_replaced_file_of_a_draft_is_deleted(app: Flask) -> None:
    token = finished_draft()
    drafts.keep_file(token, "rne_extract", pdf("new"), "nouveau.pdf", actor=VISITOR)
    [key] = stored()
    assert files.storage().get(key) == pdf("new")
