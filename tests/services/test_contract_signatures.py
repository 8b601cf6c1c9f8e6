"""A contract sent in is checked in the background, and the desk reads who signed it (CON-1, REV-3)."""

from __future__ import annotations

import hashlib
import io

import pytest
from flask import Flask
from PIL import Image

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.inspection.findings import Outcome
from app.inspection.text import Reading
from app.models import Contract, Document, DocumentKind, DocumentText, Organisation
from app.permissions import SYSTEM, Role
from app.queries.contract_signatures import ContractSignatures, contract_signatures
from app.queries.inspection_words import proof_of, title_of
from app.services import contracts, inspecting, settings
from app.services.files import storage
from app.services.unit_of_work import use_case
from app.states import OrganisationState
from tests import factories as f
from tests.support import pki
from tests.support.statements import counted


@use_case
def issue(organisation: Organisation) -> Contract:
    return contracts.issue_contract(organisation, actor=SYSTEM)


def a_contract() -> tuple[Organisation, Contract, bytes]:
    organisation = f.organisation(OrganisationState.A_VERIFIER)
    organisation.representative.identity_number = "01234567"
    f.administrator(organisation, first_name="Sonia", last_name="Ben Salah")
    contract = issue(organisation)
    return organisation, contract, storage().get(contract.storage_key)


def received(
    organisation: Organisation, contract: Contract, pdf: bytes, media_type: str = "application/pdf"
) -> Document:
    paper = f.document(
        DocumentKind.SIGNED_CONTRACT,
        organisation_id=organisation.id,
        contract_id=contract.id,
        media_type=media_type,
        sha256=hashlib.sha256(pdf).hexdigest(),
    )
    storage().put(paper.storage_key, pdf)
    words = Reading(media_type, total=1, source="pdf", engine="pdfium")  # already read: only signatures are looked at
    db.session.add(
        DocumentText(document_id=paper.id, source="pdf", pages=words.to_json(), engine="pdfium", read_at=clock.now())
    )
    db.session.commit()
    inspecting.ask_inspection(document_id=paper.id)
    assert inspecting.run_due_inspections().done >= 1
    return paper


def head_of(organisation: Organisation) -> pki.Holder:
    head = organisation.representative
    return pki.issue(pki.make_ca(), f"{head.first_name} {head.last_name}", serial_number="IDCTN-01234567")


def trust() -> None:
    settings.change("signatures.roots", pki.make_ca().pem, actor=f.actor(f.staff(Role.ADMINISTRATEUR)))


def read(paper: Document) -> ContractSignatures:
    paper_id = paper.id
    with counted() as statements:
        found = contract_signatures(paper_id)
    assert len(statements) == 1
    return found


@pytest.mark.spec("CON-1", "REV-3")
def test_a_contract_signed_by_everybody_shows_who_signed_with_what(app: Flask) -> None:
    organisation, contract, pdf = a_contract()
    trust()
    sonia = pki.issue(pki.make_ca(), "BENSALAH Sonia")
    found = read(received(organisation, contract, pki.sign_pdf(pki.sign_pdf(pdf, head_of(organisation)), sonia)))
    assert [(each.result, each.trusted, each.role) for each in found.signers] == [
        ("ok", True, "representative"),
        ("ok", True, "administrator"),
    ]
    assert found.signers[1].title == "Sonia Ben Salah · administrateur"
    assert "« BENSALAH Sonia » le 01/10/2026 à 10:30" in found.signers[1].proof
    assert found.notes == (("ok", "C'est bien le contrat établi."),)
    assert found.strangers == ()


@pytest.mark.spec("CON-1", "REV-3")
def test_a_missing_and_a_strange_signature_are_told_apart(app: Flask) -> None:
    organisation, contract, pdf = a_contract()
    stranger = pki.issue(pki.make_ca("Autorité inconnue"), "Mohamed Karoui")
    trust()
    found = read(received(organisation, contract, pki.sign_pdf(pki.sign_pdf(pdf, head_of(organisation)), stranger)))
    assert [each.result for each in found.signers] == ["ok", "bad"]
    assert found.signers[1].proof == "Signature absente."
    assert [(each.result, each.trusted, each.signed_by) for each in found.strangers] == [
        ("bad", False, "Mohamed Karoui")
    ]
    assert "ne vient d'aucune autorité de confiance" in found.strangers[0].proof


@pytest.mark.spec("REV-3")
def test_without_trusted_authorities_a_certificate_is_not_verifiable(app: Flask) -> None:
    organisation, contract, pdf = a_contract()
    found = read(received(organisation, contract, pki.sign_pdf(pdf, head_of(organisation))))
    assert (found.signers[0].result, found.signers[0].trusted) == ("na", None)
    assert "Aucune autorité de confiance n'est configurée" in found.signers[0].proof


@pytest.mark.spec("CON-1")
def test_an_earlier_version_signed_is_not_the_contract_in_force(app: Flask) -> None:
    organisation, _old, old_pdf = a_contract()
    organisation.city = "Bizerte"
    db.session.commit()
    contract = issue(organisation)
    found = read(received(organisation, contract, pki.sign_pdf(old_pdf, head_of(organisation))))
    assert ("bad", "Ce n'est pas le contrat établi : le texte diffère. Page 1.") in found.notes


@pytest.mark.spec("REV-3")
def test_a_photograph_of_a_contract_is_left_to_the_eye(app: Flask) -> None:
    organisation, contract, _pdf = a_contract()
    picture = io.BytesIO()
    Image.new("RGB", (600, 850), "white").save(picture, "JPEG")
    found = read(received(organisation, contract, picture.getvalue(), "image/jpeg"))
    assert not found.electronic
    assert found.notes == (("na", "Document numérisé : signatures manuscrites à comparer."),)


def test_nothing_is_known_before_the_checks_ran(app: Flask) -> None:
    assert contract_signatures(None) == ContractSignatures()
    assert contract_signatures(987_654).checked_at is None


@pytest.mark.spec("REV-3")
def test_the_list_of_checks_words_what_is_wrong(app: Flask) -> None:
    with app.test_request_context():
        assert title_of("signature_certificate", "", Outcome.ALERT) == "Certificat du signataire"
        said = proof_of("signature_certificate", Outcome.ALERT, "", "Ali", {"why": "expired", "number": 1})
        assert said == "« Ali » : Le certificat était expiré à la signature."
        said = proof_of("contract_original", Outcome.ALERT, "à Tunis", "à Sfax", {"why": "text"})
        assert said.endswith("« à Tunis » → « à Sfax »")


@pytest.mark.spec("REF-1", "REV-3")
def test_trusted_authorities_are_kept_once_each_and_named_in_the_journal(app: Flask) -> None:
    actor = f.actor(f.staff(Role.ADMINISTRATEUR))
    first, second = pki.make_ca("Première"), pki.make_ca("Seconde")
    settings.change("signatures.roots", f"un mot\n{first.pem}\n{second.pem}{first.pem}", actor=actor)
    assert [root.name for root in settings.trusted_roots()] == ["Première", "Seconde"]
    settings.change("signatures.roots", "  ", actor=actor)
    assert settings.trusted_roots() == ()


@pytest.mark.spec("REF-1", "REV-3", "SEC-1")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("n'importe quoi", "format PEM"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "clé privée"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "n° 1 est abîmé"),
        ("-----BEGIN CERTIFICATE-----\nAAAA", "format PEM"),
        ("x" * 200_001, "trop long"),
    ],
)
def test_what_is_no_authority_is_refused_with_what_to_paste(app: Flask, text: str, words: str) -> None:
    with pytest.raises(DomainError, match=words) as refusal:
        settings.change("signatures.roots", text, actor=f.actor(f.staff(Role.ADMINISTRATEUR)))
    assert refusal.value.field == "value"
    assert settings.get("signatures.roots") == ""


@pytest.mark.spec("REF-1", "REV-3")
def test_a_persons_certificate_is_not_an_authority(app: Flask) -> None:
    person = pki.issue(pki.make_ca(), "Ali Trabelsi")
    with pytest.raises(DomainError, match=r"n° 2 \(Ali Trabelsi\) n'est pas celui d'une autorité"):
        settings.change("signatures.roots", pki.make_ca().pem + person.pem, actor=f.actor(f.staff(Role.ADMINISTRATEUR)))
