"""Recording a generated certificate: only the right one, only once (CRT-1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, IllegalTransition, StaleObject
from app.extensions import db
from app.inspection.certificates import UnreadableCertificate
from app.models import AuditEntry, Certificate, CertificateRequest, HistoryEntry
from app.services import verdicts
from app.services.certificates import record_certificate
from app.states import CertificateState, RequestState, Verdict
from tests import factories as f
from tests.support import reviewing as r
from tests.unit.test_certificate_reading import PEM, issue


@pytest.mark.spec("CRT-1")
def test_what_the_certificate_says_is_kept(app: Flask) -> None:
    request = r.request_file(approved=True)
    version = request.version
    kept = record_certificate(request.id, r.pem_for(request), actor=r.agent(), expected_version=version)
    assert (kept.state, kept.serial_number) == (CertificateState.GENERE, "1234abcd")
    assert request.common_name in kept.subject
    assert "BEGIN CERTIFICATE" in kept.pem
    fresh = db.session.get_one(CertificateRequest, request.id)
    assert (fresh.version, fresh.state) == (version + 1, RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST)
    line = db.session.scalars(select(HistoryEntry).where(HistoryEntry.action == "record_certificate")).one()
    assert line.request_id == request.id
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "record_certificate")).one()


@pytest.mark.spec("CRT-1")
@pytest.mark.parametrize(
    "cn",
    [
        "HEDI BOUAZIZI",
        "Bouazizi Hédi",
        "hédi  bouazizi",
    ],
)
def test_spelling_and_order_of_the_name_do_not_matter(app: Flask, cn: str) -> None:
    request = r.request_file(approved=True, common_name="Hédi Bouazizi")
    assert record_certificate(request.id, r.pem_for(request, cn=cn), actor=r.agent()).id


@pytest.mark.spec("CRT-1")
def test_every_fault_is_named_at_once(app: Flask) -> None:
    request = r.request_file(approved=True)
    then = clock.now() - timedelta(days=800)
    pem = r.pem_for(request, cn="Autre Personne", cin="99999999", not_before=then, not_after=then + timedelta(days=730))
    with pytest.raises(DomainError) as refusal:
        record_certificate(request.id, pem, actor=r.agent())
    for words in ("a expiré", "Autre Personne", request.common_name, "99999999", request.identity_number):
        assert words in str(refusal.value)
    assert refusal.value.field == "file"
    assert db.session.scalar(select(func.count()).select_from(Certificate)) == 0


@pytest.mark.spec("CRT-1")
def test_a_weak_key_and_a_later_beginning_are_refused(app: Flask) -> None:
    request = r.request_file(approved=True, common_name="Foulan Ben Foulan", identity_number="01234567")
    with pytest.raises(DomainError, match="trop faible"):
        record_certificate(request.id, issue("rsa1024").public_bytes(PEM), actor=r.agent())
    later = clock.now() + timedelta(days=3)
    with pytest.raises(DomainError, match="à partir du"):
        record_certificate(request.id, r.pem_for(request, not_before=later), actor=r.agent())
    with pytest.raises(UnreadableCertificate):
        record_certificate(request.id, b"%PDF", actor=r.agent())


@pytest.mark.spec("CRT-1")
def test_a_known_certificate_and_a_second_one_are_refused(app: Flask) -> None:
    first = r.request_file(approved=True)
    pem = r.pem_for(first)
    record_certificate(first.id, pem, actor=r.agent())
    with pytest.raises(IllegalTransition, match="déjà enregistré"):
        record_certificate(first.id, r.pem_for(first, serial=99), actor=r.agent())
    twin = r.request_file(approved=True, applicant=first.applicant)
    with pytest.raises(DomainError, match=first.reference):
        record_certificate(twin.id, pem, actor=r.agent())


@pytest.mark.spec("CRT-1")
def test_only_an_approved_request_awaits_a_certificate(app: Flask) -> None:
    bare = r.request_file()
    with pytest.raises(IllegalTransition, match="Approuvez"):
        record_certificate(bare.id, r.pem_for(bare), actor=r.agent())
    for state in RequestState:
        if state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
            continue
        other = r.request_file(state, approved=True)
        with pytest.raises(IllegalTransition, match="n'est attendu"):
            record_certificate(other.id, r.pem_for(other), actor=r.agent())


@pytest.mark.spec("CRT-1", "PPL-2", "STA-2")
def test_strangers_and_stale_pages_record_nothing(app: Flask) -> None:
    request = r.request_file(approved=True)
    for actor in r.strangers(request).values():
        with pytest.raises(DomainError):
            record_certificate(request.id, r.pem_for(request), actor=actor)
    with pytest.raises(StaleObject):
        record_certificate(request.id, r.pem_for(request), actor=r.agent(), expected_version=request.version + 5)
    assert db.session.scalar(select(func.count()).select_from(Certificate)) == 0


@pytest.mark.spec("CRT-1", "STA-2")
def test_an_approval_cancelled_meanwhile_says_by_whom(app: Flask) -> None:
    request = r.request_file(approved=True)
    seen = request.version
    verdicts.give_field_verdict(
        "last_name",
        Verdict.REFUSE,
        actor=f.actor(f.staff(first_name="Leïla", last_name="Ferchichi")),
        value_seen=request.last_name,
        request_id=request.id,
        reason="Voir la CIN.",
    )
    with pytest.raises(IllegalTransition, match=r"Approuvez la demande.*Leïla Ferchichi a modifié ce dossier le"):
        record_certificate(request.id, r.pem_for(request), actor=r.agent(), expected_version=seen)


@pytest.mark.spec("CRT-1")
def test_the_database_keeps_a_certificate_from_being_recorded_twice(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = r.request_file(approved=True)
    record_certificate(first.id, r.pem_for(first), actor=r.agent())
    twin = r.request_file(approved=True, applicant=first.applicant)
    monkeypatch.setattr("app.services.certificates._known", lambda _facts: [])  # as if both looked before either wrote
    with pytest.raises(DomainError, match="vient d'être enregistré"):
        record_certificate(twin.id, r.pem_for(first), actor=r.agent())
    assert db.session.scalar(select(func.count()).select_from(Certificate)) == 1
