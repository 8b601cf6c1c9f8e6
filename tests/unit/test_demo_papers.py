"""Demonstration papers: they look real, pass our own intake, and can fool nobody (OPS-1, ORG-4)."""

from __future__ import annotations

import io
import unicodedata
from datetime import UTC, date, datetime

import pypdfium2
import pytest
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from app.demo import papers, papers_certificates, papers_identity, papers_scans
from app.inspection.intake import read_upload

pytestmark = pytest.mark.slow

DAY = date(2026, 10, 20)
PERSON = {
    "first_name": "Amel",
    "last_name": "Trabelsi",
    "first_name_ar": "آمال",
    "last_name_ar": "الطرابلسي",
    "cin": "01234567",
    "role": "Gérante",
    "role_ar": "وكيلة",
}
COMPANY = {
    "legal_name": "SOCIETE CARTHAGE LOGICIELS",
    "legal_name_ar": "شركة قرطاج للبرمجيات",
    "trade_name": "Carthage Soft",
    "tax_id": "1234567R",
    "address": "12 rue du Lac Huron",
    "postal_code": "1053",
    "city": "Tunis",
    "representative": PERSON,
}


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def letters(text: str) -> list[str]:
    """Arabic letters in a fixed order: pdfium gives presentation forms, and some runs reversed."""
    return sorted(c for c in unicodedata.normalize("NFKC", text) if "\u0600" <= c <= "\u06ff")


def pixels(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


@pytest.mark.spec("OPS-1", "ORG-4")
@pytest.mark.parametrize("style", [1, 2, 3])
@pytest.mark.parametrize("lang", ["fr", "ar", "both"])
def test_an_extract_holds_the_company_and_passes_intake(lang: papers.Lang, style: int) -> None:
    pdf = papers.rne_extract(COMPANY, DAY, lang, style)
    result = read_upload(pdf, "rne.pdf")
    assert result.pages == (2 if style == 2 else 1)
    text = text_of(pdf)
    # pdfium gives a Latin run of a right-to-left page letter last, letter first
    assert "1234567R" in text or (lang == "ar" and "1234567" in text)
    assert "20/10/2026" in text
    assert "01234567" in text
    assert ("SOCIETE CARTHAGE LOGICIELS" in text) == (lang != "ar")
    assert ("TRABELSI Amel" in text) == (lang != "ar")
    if lang != "fr":
        found = letters(text)
        assert all(found.count(letter) >= 1 for letter in letters(COMPANY["legal_name_ar"]))


@pytest.mark.parametrize(
    "pdf",
    [
        papers.rne_extract(COMPANY, DAY, "both", 2),
        papers.tax_card(COMPANY, DAY),
        papers.trade_register_foreign(COMPANY | {"country": "France", "register_number": "812 345"}, DAY),
    ],
    ids=["extract", "tax card", "foreign"],
)
def test_every_page_says_that_it_is_a_demonstration(pdf: bytes) -> None:
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        assert "DÉMONSTRATION : document inventé, sans valeur" in page.get_textpage().get_text_bounded()
    document.close()


@pytest.mark.spec("OPS-1")
def test_the_tax_card_and_the_foreign_extract_hold_their_own_facts() -> None:
    card = text_of(papers.tax_card(COMPANY, DAY))
    assert "1234567R / A / M / 000" in card
    assert "Retenue à la source" in card
    foreign = text_of(papers.trade_register_foreign(COMPANY | {"country": "Italie", "register_number": "MI-77"}, DAY))
    assert "MI-77" in foreign
    assert "Italie" in foreign
    assert "18/01/2027" in foreign  # valid 90 days


@pytest.mark.spec("OPS-1")
@pytest.mark.parametrize("style", [1, 2, 3])
def test_the_qr_code_is_read_back_even_from_the_scan(style: int) -> None:
    scan = papers_scans.scanned(papers.rne_extract(COMPANY, DAY, "fr", style), page=1 if style == 2 else 0, angle=2.0)
    codes = [found.text for found in zxingcpp.read_barcodes(pixels(scan))]
    assert codes == [papers.extract_qr_text(COMPANY, DAY)]
    assert codes[0].startswith("RNE;IU=1234567R;RS=SOCIETE CARTHAGE LOGICIELS;DATE=2026-10-20;REF=")


@pytest.mark.parametrize(
    "name", ['#panic("x")', "A*B_C $x$", "<script>&amp;", '"quoted\\"', "@ref #", "شركة #let", "é" * 300, "\n"]
)
def test_a_name_is_never_taken_for_markup(name: str) -> None:
    company = COMPANY | {"legal_name": name, "legal_name_ar": name, "address": name}
    assert read_upload(papers.rne_extract(company, DAY), "a.pdf").pages >= 1
    if name == '#panic("x")':
        assert name in text_of(papers.rne_extract(company, DAY, "fr"))


def test_missing_facts_are_invented_the_same_way_each_time() -> None:
    bare = {"legal_name": "ALPHA", "representative": None, "capital": ""}
    assert papers.rne_extract(bare, DAY) == papers.rne_extract(bare, DAY)
    assert papers.tax_card({}, DAY) != papers.tax_card({"legal_name": "BETA"}, DAY)
    assert papers_identity.identity_copy({}) == papers_identity.identity_copy({"cin": None})


@pytest.mark.spec("OPS-1", "ORG-5")
@pytest.mark.parametrize("kind", ["CIN", "CARTE_SEJOUR", "PASSEPORT"])
def test_an_identity_copy_is_a_photograph_of_a_card_that_passes_intake(kind: papers_identity.Kind) -> None:
    jpeg = papers_identity.identity_copy(PERSON | {"residence_number": "R1", "passport_number": "P1"}, kind)
    result = read_upload(jpeg, "copie.jpg")
    assert result.media_type == "image/jpeg"
    assert 900 < result.width < 2500
    image = pixels(jpeg)
    red = sum(count for count, (r, g, b) in image.getcolors(1 << 24) if r > 150 and r - g > 30 and b - g > -15)
    assert red > 0.01 * image.width * image.height  # SPECIMEN across the card


def test_a_scan_is_askew_grainy_and_no_two_pages_alike() -> None:
    pdf = papers.rne_extract(COMPANY, DAY, "fr", 2)
    one, two = (pixels(papers_scans.scanned(pdf, page, angle=1.5)) for page in (0, 1))
    assert one.size == two.size
    assert one.tobytes() != two.tobytes()
    assert one.width == pytest.approx(8.27 * 150, abs=2)
    corner = one.convert("L").crop((500, 20, 700, 60))
    assert len(corner.getcolors()) > 8  # grain where the page is empty
    assert papers_scans.scanned(pdf, 0, angle=1.5) == papers_scans.scanned(pdf, 0, angle=1.5)


@pytest.mark.spec("OPS-1", "CON-1")
def test_a_signed_contract_is_a_scan_with_ink_where_the_signatures_stand() -> None:
    pdf = papers.rne_extract(COMPANY, DAY, "fr", 2)
    names = ["Amel Trabelsi", "Sami Ben Ali", "Leïla Gharbi"]
    signed = papers_scans.signed_contract_scan(pdf, names, stamp="Carthage Logiciels")
    result = read_upload(signed, "contrat.pdf")
    assert result.pages == 2
    assert text_of(signed).strip() == ""  # pictures only
    document = pypdfium2.PdfDocument(signed)
    last = document[1].render(scale=1).to_pil().convert("RGB")
    document.close()
    for column in range(3):
        left = int((0.08 + 0.28 * column) * last.width)
        zone = last.crop((left, int(0.76 * last.height), left + int(0.28 * last.width), int(0.95 * last.height)))
        ink = sum(count for count, (r, _g, b) in zone.getcolors(1 << 20) if r < 130 and b < 220)
        assert ink > 40, column


@pytest.mark.spec("CRT-1")
def test_a_demonstration_certificate_reads_back_and_was_issued_by_the_invented_authority() -> None:
    start, end = datetime(2026, 1, 2, tzinfo=UTC), datetime(2028, 1, 2, tzinfo=UTC)
    pem = papers_certificates.self_signed_certificate(
        "Amel Trabelsi", "01234567", "Société Démo", 77, start, end, email="amel@societe-demo.tn"
    )
    certificate = x509.load_pem_x509_certificate(pem)
    assert certificate.serial_number == 77
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (start, end)
    subject = {name.rfc4514_attribute_name: name.value for name in certificate.subject}
    assert subject["CN"] == "Amel Trabelsi"
    assert subject["O"] == "Société Démo"
    assert "IDCTN-01234567" in subject.values()
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    authority = x509.load_pem_x509_certificate(papers_certificates.demo_authority_certificate(start))
    certificate.verify_directly_issued_by(authority)
    assert "démonstration" in certificate.issuer.rfc4514_string()
    other = papers_certificates.self_signed_certificate("B", "2", "O" * 90, 78, start, end)
    assert x509.load_pem_x509_certificate(other).public_key() != certificate.public_key()
