"""Signed contracts: who signed, with what, and what was signed (REV-3, CON-1)."""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import pikepdf
import pytest
from PIL import Image

from app import clock
from app.inspection import bench
from app.inspection.findings import Finding, Outcome
from app.inspection.signature_reading import read_signatures
from app.inspection.signatures import Signer, contract_findings, judged
from app.papers import ContractData, ContractOrganisation, ContractPerson, contract_pdf
from tests.support import pki

PDF = "application/pdf"
ALI = Signer("Ali Trabelsi", "representative", "علي الطرابلسي", "01234567")
SONIA = Signer("Sonia Ben Salah", "administrator", "", "07654321")
BOTH = (ALI, SONIA)


@functools.cache
def contract(last_name: str = "Trabelsi", version: int = 1) -> bytes:
    organisation = ContractOrganisation(
        legal_name="Société d'essai", legal_name_ar="شركة التجربة", trade_name="", category="Entreprise privée",
        country="Tunisie", tax_id="1234567R", register_number="", address="1, rue des Essais", postal_code="1002",
        city="Tunis", governorate="Tunis", phone="+21671000000", fax="",
    )  # fmt: skip
    people = [_person("Ali", last_name, "01234567"), _person("Sonia", "Ben Salah", "07654321")]
    return contract_pdf(
        ContractData(
            number="CTR-2026-000001", version=version, issued_at=datetime(2026, 9, 1, tzinfo=UTC),
            issued_on=date(2026, 9, 1), organisation=organisation, representative=people[0],
            administrators=(people[1],), documents=(),
        )
    )  # fmt: skip


def _person(first: str, last: str, number: str) -> ContractPerson:
    return ContractPerson(
        first_name=first, last_name=last, first_name_ar="", last_name_ar="", birth_date=date(1980, 1, 1),
        nationality="Tunisie", document="CIN", document_number=number, mobile="+21620000000", email="x@exemple.tn",
    )  # fmt: skip


@functools.cache
def ali() -> pki.Holder:
    return pki.issue(pki.make_ca(), "Ali TRABELSI", serial_number="IDCTN-01234567")


@functools.cache
def sonia() -> pki.Holder:
    return pki.issue(pki.make_ca(), "BENSALAH Sonia")


@functools.cache
def signed_by_ali() -> bytes:
    return pki.sign_pdf(contract(), ali())


@functools.cache
def signed_by_both() -> bytes:
    return pki.sign_pdf(signed_by_ali(), sonia(), visible=True)


def found(
    pdf: bytes,
    *,
    signers: Sequence[Signer] = BOTH,
    roots: Sequence[pki.Holder] | None = None,
    issued: bytes | None = None,
) -> list[Finding]:
    """What the checks say; read in this process, which is what the bench's child does with it."""
    trusted = [root.pem for root in ([pki.make_ca()] if roots is None else roots)]
    issued = contract() if issued is None else issued
    read = read_signatures(pdf + issued, size=len(pdf), roots=trusted, now=clock.now().isoformat())
    return list(judged(read, signers))


def alerts(findings: Sequence[Finding]) -> set[tuple[str, str]]:
    return {(one.check, one.evidence["why"]) for one in findings if one.result is Outcome.ALERT}


def doubts(findings: Sequence[Finding]) -> set[tuple[str, str]]:
    return {(one.check, one.evidence["why"]) for one in findings if one.result is Outcome.UNVERIFIABLE}


@pytest.mark.spec("REV-3", "CON-1")
def test_a_contract_signed_by_everybody_raises_nothing_and_names_who_signed() -> None:
    findings = found(signed_by_both())
    assert {one.result for one in findings} == {Outcome.OK}
    first, second = (one for one in findings if one.check == "signer")
    assert (first.declared, first.found, first.evidence["role"]) == ("Ali Trabelsi", "Ali TRABELSI", "representative")
    assert first.evidence["signed_at"] == pki.SIGNED_AT.isoformat()
    assert first.evidence["issuer"] == pki.make_ca().name
    assert first.evidence["serial"] == f"{ali().certificate.serial_number:X}"
    assert (second.declared, second.found, second.evidence["number"]) == ("Sonia Ben Salah", "BENSALAH Sonia", 2)


@pytest.mark.spec("REV-3")
def test_the_bench_reads_signatures_in_a_child_process() -> None:
    read_here = found(signed_by_both())
    assert contract_findings(signed_by_both(), PDF, BOTH, [pki.make_ca().pem], contract()) == read_here
    assert bench.ask("count_pages", contract(), media_type=PDF)[0]["pages"] > 1  # the same child still works


@pytest.mark.spec("REV-3")
def test_a_born_digital_contract_without_signature_is_an_alert() -> None:
    assert alerts(found(contract())) == {("signatures", "unsigned")}


@pytest.mark.spec("REV-3")
def test_a_scan_is_left_to_the_eye() -> None:
    assert doubts(found(scan())) == {("signatures", "handwritten")}
    assert alerts(found(scan())) == set()
    assert doubts(contract_findings(b"\xff\xd8\xff", "image/jpeg", BOTH, [])) == {("signatures", "handwritten")}


@pytest.mark.spec("REV-3")
def test_a_missing_signature_is_named() -> None:
    findings = found(signed_by_ali())
    assert alerts(findings) == {("signer", "missing")}
    assert [one.declared for one in findings if one.result is Outcome.ALERT] == ["Sonia Ben Salah"]


@pytest.mark.spec("REV-3")
def test_a_signature_of_nobody_expected_is_an_alert() -> None:
    pdf = pki.sign_pdf(signed_by_ali(), pki.issue(pki.make_ca(), "Mohamed Karoui"))
    findings = found(pdf)
    assert alerts(findings) == {("signer", "missing"), ("signer", "stranger")}
    assert "Mohamed Karoui" in [one.found for one in findings if one.evidence.get("why") == "stranger"]


@pytest.mark.spec("REV-3")
def test_a_namesake_with_another_identity_card_is_another_person() -> None:
    namesake = pki.issue(pki.make_ca(), "Ali Trabelsi", serial_number="IDCTN-09999999")
    assert alerts(found(pki.sign_pdf(contract(), namesake), signers=[ALI])) == {
        ("signer", "missing"),
        ("signer", "stranger"),
    }


@pytest.mark.spec("REV-3")
def test_an_identity_card_tells_who_signed_whatever_the_name_reads() -> None:
    other_spelling = pki.issue(pki.make_ca(), "A. T.", serial_number="01234567")
    assert alerts(found(pki.sign_pdf(contract(), other_spelling), signers=[ALI])) == set()


@pytest.mark.spec("REV-3")
@pytest.mark.parametrize("cn", ["TRABELSI Ali", "Ali Trabelsi (signature)", "علي الطرابلسي", "Aly Trabelssi"])
def test_a_name_is_known_however_it_is_written(cn: str) -> None:
    pdf = pki.sign_pdf(contract(), pki.issue(pki.make_ca(), cn))
    assert alerts(found(pdf, signers=[Signer(ALI.name, name_ar=ALI.name_ar)])) == set()


@pytest.mark.spec("REV-3")
def test_a_representative_who_is_the_administrator_signs_once() -> None:
    same = Signer("TRABELSI Ali", "administrator", number="01234567")
    assert alerts(found(signed_by_ali(), signers=[ALI, same])) == set()


@pytest.mark.spec("REV-3")
def test_pages_altered_after_signing_are_an_alert() -> None:
    findings = found(pki.add_text_afterwards(signed_by_both()))
    assert ("signature_integrity", "altered") in alerts(findings)


@pytest.mark.spec("REV-3")
def test_a_byte_changed_under_the_signature_is_an_alert() -> None:
    findings = found(pki.damage_content(signed_by_both()))
    assert ("signature_integrity", "broken") in alerts(findings)
    assert not [one for one in findings if one.check == "signer" and one.result is Outcome.OK]


@pytest.mark.spec("REV-3")
def test_a_signature_of_nonsense_leaves_the_others_read() -> None:
    findings = found(pki.damage_signature(signed_by_both()))
    assert ("signatures", "nonsense") in alerts(findings)
    assert "BENSALAH Sonia" in [one.found for one in findings]


@pytest.mark.spec("REV-3")
@pytest.mark.parametrize(
    ("why", "signer", "digest"),
    [
        ("untrusted", lambda: pki.issue(pki.make_ca("Autorité inconnue"), "Ali Trabelsi"), "sha256"),
        ("self_signed", lambda: pki.issue(None, "Ali Trabelsi"), "sha256"),
        (
            "expired",
            lambda: pki.issue(pki.make_ca(), "Ali Trabelsi", not_after=datetime(2025, 1, 1, tzinfo=UTC)),
            "sha256",
        ),
        (
            "not_yet_valid",
            lambda: pki.issue(pki.make_ca(), "Ali Trabelsi", not_before=datetime(2026, 11, 1, tzinfo=UTC)),
            "sha256",
        ),
        ("weak", ali, "sha1"),
        ("weak", lambda: pki.issue(pki.make_ca(), "Ali Trabelsi", rsa_bits=1024), "sha256"),
        ("usage", lambda: pki.issue(pki.make_ca(), "Ali Trabelsi", may_sign=False), "sha256"),
    ],
)
def test_a_certificate_that_proves_nothing_is_an_alert_with_its_reason(
    why: str, signer: Callable[[], pki.Holder], digest: str
) -> None:
    findings = found(pki.sign_pdf(contract(), signer(), digest=digest), signers=[ALI])
    assert alerts(findings) == {("signature_certificate", why)}
    assert doubts(findings) == {("signer", why)}  # its name is nobody's word


@pytest.mark.spec("REV-3")
def test_a_certificate_that_ended_since_was_good_when_it_signed() -> None:
    ended = pki.issue(pki.make_ca(), "Ali Trabelsi", not_after=datetime(2026, 10, 15, tzinfo=UTC))
    assert alerts(found(pki.sign_pdf(contract(), ended), signers=[ALI])) == set()


@pytest.mark.spec("REV-3")
def test_a_signature_from_the_future_is_an_alert() -> None:
    pdf = pki.sign_pdf(contract(), ali(), at=datetime(2039, 1, 1, tzinfo=UTC))
    assert ("signature_certificate", "future") in alerts(found(pdf, signers=[ALI]))


@pytest.mark.spec("REV-3")
@pytest.mark.parametrize("with_chain", [True, False])
def test_a_chain_is_followed_as_far_as_the_file_brings_it(with_chain: bool) -> None:
    below = pki.make_ca("Autorité déléguée", above=pki.make_ca())
    pdf = pki.sign_pdf(contract(), pki.issue(below, "Ali Trabelsi"), with_chain=with_chain)
    expected = set() if with_chain else {("signature_certificate", "untrusted")}
    assert alerts(found(pdf, signers=[ALI])) == expected
    assert alerts(found(pdf, signers=[ALI], roots=[below])) == set()


@pytest.mark.spec("REV-3")
def test_without_trusted_authorities_nothing_is_said_of_a_certificate() -> None:
    findings = found(signed_by_both(), roots=[])
    assert alerts(findings) == set()
    assert doubts(findings) == {("signature_certificate", "no_roots")}


@pytest.mark.spec("REV-3", "CON-1")
def test_another_text_than_the_contract_issued_is_shown_where_it_differs() -> None:
    pdf = pki.sign_pdf(pki.sign_pdf(contract("Trabelsy"), ali()), sonia())
    (other,) = (one for one in found(pdf) if one.result is Outcome.ALERT)
    assert (other.check, other.evidence["why"], other.evidence["page"]) == ("contract_original", "text", 1)
    assert "Trabelsi" in other.declared
    assert "Trabelsy" in other.found


@pytest.mark.spec("REV-3", "CON-1")
def test_an_earlier_version_is_not_the_contract_issued() -> None:
    assert ("contract_original", "text") in alerts(found(signed_by_both(), issued=contract(version=2)))


@pytest.mark.spec("REV-3", "CON-1")
def test_a_line_drawn_over_the_contract_before_signing_is_found() -> None:
    pdf = pki.sign_pdf(pki.sign_pdf(pki.add_text_afterwards(contract()), ali()), sonia())
    assert alerts(found(pdf)) == {("contract_original", "text")}


@pytest.mark.spec("REV-3", "CON-1")
def test_a_figure_covered_by_a_drawing_is_found() -> None:
    with pikepdf.open(io.BytesIO(contract())) as pdf:
        pdf.pages[0].contents_add(b"q 0 0 0 rg 80 500 160 60 re f Q")
        covered = io.BytesIO()
        pdf.save(covered)
    findings = found(pki.sign_pdf(pki.sign_pdf(covered.getvalue(), ali()), sonia()))
    assert alerts(findings) == {("contract_original", "drawing")}


@pytest.mark.spec("REV-3", "CON-1")
def test_the_contract_saved_anew_by_another_program_is_still_ours() -> None:
    with pikepdf.open(io.BytesIO(contract())) as pdf:
        saved = io.BytesIO()
        pdf.save(saved, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    findings = found(pki.sign_pdf(pki.sign_pdf(saved.getvalue(), ali()), sonia()))
    assert {one.result for one in findings} == {Outcome.OK}


@pytest.mark.spec("REV-3", "CON-1")
def test_a_page_left_out_is_found() -> None:
    with pikepdf.open(io.BytesIO(contract())) as pdf:
        del pdf.pages[-1]
        shorter = io.BytesIO()
        pdf.save(shorter)
    findings = found(pki.sign_pdf(pki.sign_pdf(shorter.getvalue(), ali()), sonia()))
    assert alerts(findings) == {("contract_original", "pages")}


@pytest.mark.spec("REV-3")
def test_a_scan_signed_electronically_is_validated_and_its_text_left_to_the_eye() -> None:
    findings = found(pki.sign_pdf(pki.sign_pdf(scan(), ali()), sonia()))
    assert alerts(findings) == set()
    assert doubts(findings) == {("contract_original", "scanned")}


@pytest.mark.spec("REV-3")
def test_a_contract_under_a_password_is_not_judged() -> None:
    with pikepdf.open(io.BytesIO(contract())) as pdf:
        locked = io.BytesIO()
        pdf.save(locked, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    assert doubts(found(locked.getvalue())) == {("signatures", "encrypted")}


@pytest.mark.spec("REV-3")
@pytest.mark.parametrize("head", [b"%PDF-1.7\n", b""])
def test_a_megabyte_of_junk_is_not_judged(head: bytes) -> None:
    junk = head + random.Random(4).randbytes(1_000_000)
    assert doubts(found(junk)) == {("signatures", "unreadable")}


@pytest.mark.spec("REV-3")
def test_any_byte_of_a_signed_contract_may_be_wrong_without_the_reading_failing() -> None:
    pdf = bytearray(signed_by_ali())
    chance = random.Random(7)
    for _time in range(12):
        wrong = bytearray(pdf)
        for _place in range(6):
            wrong[chance.randrange(len(wrong))] = chance.randrange(256)
        read = read_signatures(bytes(wrong), size=len(wrong), roots=[pki.make_ca().pem], now=clock.now().isoformat())
        assert isinstance(list(judged(read, BOTH)), list)


@functools.cache
def scan() -> bytes:
    page = Image.effect_noise((600, 850), 60).convert("L")
    output = io.BytesIO()
    page.save(output, "PDF", resolution=72)
    return output.getvalue()
