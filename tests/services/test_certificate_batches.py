"""Batches of generated certificates: each matched to the one request it is for, or refused in a sentence (CRT-1)."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.demo.papers_certificates import demo_authority_certificate
from app.errors import DomainError, Forbidden, NotFound
from app.extensions import db
from app.models import BulkOutcome, BulkRow, BulkRun, Certificate, CertificateBatch, CertificateRequest, Setting
from app.permissions import Actor, Role
from app.services import bulk
from app.services.bulk_preview import Plan, forecast
from app.services.certificate_batches import File, forget_old_batches, plan_of, prepare_batch
from app.services.certificates import record_certificate
from app.states import RequestState
from tests import factories as f
from tests.support import reviewing as r
from tests.support.pki import make_ca
from tests.unit.test_certificate_reading import PEM, issue

pytestmark = pytest.mark.spec("CRT-1")


def awaiting(**values: Any) -> CertificateRequest:
    return r.request_file(approved=True, **values)


def fates(files: list[File], agent: Actor) -> list[tuple[str, str]]:
    """What the page of confirmation says of each certificate: (reference, refusal or doubt)."""
    plan = plan_of(prepare_batch(files, actor=agent), agent)
    shown = forecast(plan, agent).rows
    return [
        ("" if each.refused else each.reference, each.refused or str(line.data.get("doubt") or ""))
        for each, line in zip(shown, plan.lines, strict=True)
    ]


def confirmed(files: list[File], agent: Actor) -> list[BulkRow]:
    plan: Plan = plan_of(prepare_batch(files, actor=agent), agent)
    token = bulk.start_run(plan.action, plan.lines, token=plan.token, actor=agent, data={})
    bulk.work_run(token)
    run = db.session.scalars(select(BulkRun).where(BulkRun.public_id == token)).one()
    return list(run.rows)


def recorded() -> int:
    return db.session.scalar(select(func.count(Certificate.id))) or 0


@pytest.mark.spec("QUE-4")
def test_a_bundle_and_single_files_are_recorded_each_for_its_request(app: Flask) -> None:
    requests = [awaiting() for _n in range(3)]
    authority = demo_authority_certificate(clock.now())
    pems = [r.pem_for(each, serial=100 + n, org=each.organisation.legal_name) for n, each in enumerate(requests)]
    der = base64.b64decode(b"".join(pems[2].splitlines()[1:-1]))
    agent = r.agent()
    rows = confirmed([File("lot.pem", pems[0] + authority + pems[1]), File("C:\\dossier\\un.der", der)], agent)
    assert [row.outcome for row in rows] == [BulkOutcome.FAIT] * 3
    assert [row.data["file"] for row in rows] == ["lot.pem", "lot.pem", "un.der"]
    assert not any("pem" in row.data for row in rows)
    for n, each in enumerate(requests):
        found = db.session.scalars(select(Certificate).where(Certificate.request_id == each.id)).one()
        assert found.serial_number == f"{100 + n:x}"


def test_each_wrong_file_gets_its_sentence_and_stops_no_other(app: Flask) -> None:
    agent, good, unapproved = r.agent(), awaiting(), r.request_file()
    known = awaiting()
    record_certificate(known.id, r.pem_for(known, serial=7), actor=agent)
    elsewhere = r.request_file(RequestState.EXPEDIEE, approved=True)
    weak = issue("rsa1024", cn=good.common_name).public_bytes(PEM)
    cases: list[tuple[bytes, str]] = [
        (b"", "vide"),
        (b"%PDF-1.4", "n'est pas un certificat"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "clé privée"),
        (demo_authority_certificate(clock.now()), "autorité"),
        (weak, "trop faible"),
        (r.pem_for(good, cn="Quelqu'un d'Autre", serial=8), f"n'est pas pour {good.reference}"),
        (r.pem_for(good, cin="99999999", serial=9), f"autre personne que {good.reference}"),
        (r.pem_for(good, cin="99999999", cn="Inconnu Total", serial=10), "Aucune demande approuvée"),
        (r.pem_for(known, serial=7), f"déjà enregistré pour {known.reference}"),
        (r.pem_for(known, serial=11), f"{known.reference} a déjà son certificat"),
        (r.pem_for(unapproved, serial=12), f"Approuvez d'abord {unapproved.reference}"),
        (r.pem_for(elsewhere, serial=13), "n'attend pas de certificat"),
        (r.pem_for(good, serial=14, org=good.organisation.legal_name), ""),
    ]
    found = fates([File(f"{n}.pem", data) for n, (data, _why) in enumerate(cases)], agent)
    for (_data, wanted), (reference, said) in zip(cases, found, strict=True):
        assert wanted in said
        assert bool(reference) is (wanted == "")
    before = recorded()
    rows = confirmed([File(f"{n}.pem", data) for n, (data, _why) in enumerate(cases)], agent)
    assert sorted(row.outcome for row in rows) == [BulkOutcome.FAIT] + [BulkOutcome.REFUSE] * 12
    assert recorded() == before + 1


def test_an_expired_one_is_refused(app: Flask) -> None:
    then = clock.now() - timedelta(days=800)
    request = awaiting()
    pem = r.pem_for(request, not_before=then, not_after=then + timedelta(days=730))
    ((_reference, said),) = fates([File("x.pem", pem)], r.agent())
    assert "a expiré le" in said


def test_a_damaged_block_is_refused_in_its_place(app: Flask) -> None:
    one, other = awaiting(), awaiting()
    pem = r.pem_for(one, serial=1)
    damaged = pem.replace(pem[100:140], b"A" * 40)
    cut = r.pem_for(other, serial=3)[:300]
    found = fates([File("lot.pem", damaged + r.pem_for(other, serial=2) + cut)], r.agent())
    assert [bool(reference) for reference, _said in found] == [False, True, False]
    assert "abîmé" in found[0][1]
    assert "abîmé" in found[2][1]


def test_several_candidates_are_settled_by_the_organisation_or_refused(app: Flask) -> None:
    person = f.applicant()
    one, other = awaiting(applicant=person), awaiting(applicant=person)
    ((_none, said),) = fates([File("x.pem", r.pem_for(one, serial=1, org="Exemple"))], r.agent())
    assert "Plusieurs demandes" in said
    assert one.reference in said
    assert other.reference in said
    named = r.pem_for(one, serial=1, org=other.organisation.legal_name)
    assert fates([File("x.pem", named)], r.agent()) == [(other.reference, "")]


def test_without_a_number_the_name_alone_is_a_match_to_be_read_again(app: Flask) -> None:
    request = awaiting(common_name="Hédi Bouazizi")
    bare = issue(cn="BOUAZIZI HEDI", SERIAL_NUMBER="").public_bytes(PEM)
    ((reference, doubt),) = fates([File("x.pem", bare)], r.agent())
    assert reference == request.reference
    assert "par son nom seulement" in doubt
    awaiting(common_name="Hédi Bouazizi")
    ((reference, said),) = fates([File("x.pem", bare)], r.agent())
    assert reference == ""
    assert "Plusieurs demandes" in said


def test_the_same_one_twice_and_two_for_one_request_are_refused(app: Flask) -> None:
    one, other = awaiting(), awaiting()
    twice = r.pem_for(one, serial=1)
    files = [File("a.pem", twice), File("b.pem", twice)]
    files += [File("c.pem", r.pem_for(other, serial=2)), File("d.pem", r.pem_for(other, serial=3))]
    found = fates(files, r.agent())
    assert [reference for reference, _said in found] == [one.reference, "", "", ""]
    assert "déjà dans « a.pem »" in found[1][1]
    assert all("ne gardez que le bon" in said for _reference, said in found[2:])


def test_another_issuer_than_those_of_the_settings_is_refused(app: Flask) -> None:
    request = awaiting()
    pem = r.pem_for(request, org=request.organisation.legal_name)
    setting = Setting(key="certificates.issuers", value=make_ca().pem, updated_at=clock.now())
    db.session.add(setting)
    db.session.commit()
    ((_reference, said),) = fates([File("x.pem", pem)], r.agent())
    assert "n'est pas une des autorités réglées : Autorité d'essai" in said
    with pytest.raises(DomainError, match="autorités réglées"):
        record_certificate(request.id, pem, actor=r.agent())
    setting.value = make_ca().pem + demo_authority_certificate(clock.now()).decode()
    db.session.commit()
    assert fates([File("x.pem", pem)], r.agent()) == [(request.reference, "")]


def test_what_looks_odd_is_said_before_confirming(app: Flask) -> None:
    request = awaiting()
    pem = r.pem_for(request, org="Tout Autre Chose", not_after=clock.now() + timedelta(days=365))
    ((reference, doubt),) = fates([File("x.pem", pem)], r.agent())
    assert reference == request.reference
    assert "Son organisation est « Tout Autre Chose »" in doubt
    assert "la demande est de 2 ans" in doubt


@pytest.mark.spec("STA-2")
def test_a_request_changed_after_the_page_is_refused_alone(app: Flask) -> None:
    one, other = awaiting(), awaiting()
    agent = r.agent()
    files = [File("a.pem", r.pem_for(one, serial=1)), File("b.pem", r.pem_for(other, serial=2))]
    plan = plan_of(prepare_batch(files, actor=agent), agent)
    record_certificate(one.id, r.pem_for(one, serial=5), actor=r.agent())
    token = bulk.start_run(plan.action, plan.lines, token=plan.token, actor=agent, data={})
    bulk.work_run(token)
    rows = db.session.scalars(select(BulkRow).order_by(BulkRow.position)).all()
    assert [row.outcome for row in rows] == [BulkOutcome.REFUSE, BulkOutcome.FAIT]
    assert recorded() == 2


@pytest.mark.spec("PPL-2")
def test_a_batch_is_its_readers_alone_for_a_day(app: Flask, travel: Any) -> None:
    agent = r.agent()
    batch = prepare_batch([File("x.pem", r.pem_for(awaiting()))], actor=agent)
    for actor in (r.agent(), r.agent(Role.RESPONSABLE)):
        with pytest.raises(NotFound):
            plan_of(batch, actor)
    with pytest.raises(Forbidden):
        prepare_batch([File("x.pem", b"x")], actor=r.agent(Role.RESPONSABLE))
    with pytest.raises(DomainError, match="Choisissez"):
        prepare_batch([], actor=agent)
    travel(hours=25)
    with pytest.raises(NotFound):
        plan_of(batch, agent)
    assert forget_old_batches() == 1
    assert db.session.scalar(select(func.count(CertificateBatch.id))) == 0


def test_more_than_five_hundred_are_too_many(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.certificate_batches.LIMIT", 1)
    request = awaiting()
    both = r.pem_for(request, serial=1) + r.pem_for(request, serial=2)
    with pytest.raises(DomainError, match="2 certificats : 1 au plus"):
        prepare_batch([File("x.pem", both)], actor=r.agent())
