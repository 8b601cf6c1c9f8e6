"""The papers: what must be printed is printed, whatever people typed, and the same data give the same bytes."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from app import data, money, papers
from app.papers.characters import show
from app.papers.text import blocks

SELLER = papers.Party(
    name="Agence Nationale de Certification Electronique",
    address=("Technopark El Ghazala", "2083 Ariana"),
    tax_id="0000000A",
    phone="+21671000000",
)
CLIENT = papers.Party(
    name="Société Foulan 2000",
    name_ar="شركة فولان",
    address=("12 rue de la Liberté", "1002 Tunis"),
    tax_id="1234567R",
    email="foulan@mail.com",
)
URL = "https://ecert.example.tn/verification/7Q2M-K8RT-V5NX"
MOMENT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def an_invoice(count: int = 1, client: papers.Party = CLIENT) -> papers.InvoiceData:
    quote = money.quote([money.UnitPrice(350_000, 1_900, 7_000)] * count, 1_000)
    lines = tuple(
        papers.InvoiceLine(
            designation="Certificat ID-Trust sur token, 2 ans",
            applicant="Fatma Exemple",
            applicant_ar="فاطمة مثال",
            reference=f"DEM-2026-{place:06d}",
            unit_ht=line.ht,
            vat_rate_bp=line.vat_rate_bp,
            ht=line.ht,
            vat=line.vat,
        )
        for place, line in enumerate(quote.lines, 1)
    )
    return papers.InvoiceData(
        number="FAC-2026-000001",
        issued_at=MOMENT,
        issued_on=date(2026, 11, 22),
        seller=SELLER,
        client=client,
        lines=lines,
        amounts=papers.InvoiceAmounts.of(quote),
        payment_method="Carte bancaire",
        payment_reference="PAY20261122A1",
        paid_on=date(2026, 11, 22),
        verification_url=URL,
        order_reference="CMD-2026-000001",
    )


def a_contract(administrators: int = 2, version: int = 1) -> papers.ContractData:
    foulan = papers.ContractPerson(
        first_name="Foulan",
        last_name="Ben Foulan",
        first_name_ar="فولان",
        last_name_ar="بن فولان",
        birth_date=date(1980, 2, 29),
        nationality="Tunisienne",
        document="CIN",
        document_number="00000001",
        mobile="+21698123456",
        email="foulan@mail.com",
    )
    fatma = replace(foulan, first_name="Fatma", last_name="Exemple", document_number="00000002", email="f@mail.com")
    organisation = papers.ContractOrganisation(
        legal_name="Société Foulan 2000",
        legal_name_ar="شركة فولان",
        category="Entreprise privée",
        country="Tunisie",
        address="12 rue de la Liberté",
        postal_code="1002",
        city="Tunis",
        governorate="Tunis",
        phone="+21671000000",
        tax_id="1234567R",
    )
    return papers.ContractData(
        number="CTR-2026-000001",
        version=version,
        issued_at=MOMENT,
        issued_on=date(2026, 11, 22),
        organisation=organisation,
        representative=foulan,
        administrators=(foulan, fatma)[:administrators],
        documents=(papers.ContractDocument("Extrait RNE", "extrait.pdf", date(2026, 11, 22), date(2026, 10, 3)),),
    )


def pages(pdf: bytes) -> list[str]:
    """The text of each page, with ordinary spaces and without the places to break a word."""
    with pypdfium2.PdfDocument(pdf) as document:
        texts = [page.get_textpage().get_text_range() for page in document]
    return [" ".join(text.replace("\u200b", "").split()) for text in texts]


def fonts_of(pdf: bytes) -> set[str]:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        fonts = [font for page in document.pages for font in page.Resources.Font.values()]
        return {str(font.BaseFont).partition("+")[2] for font in fonts}


# --- invoice --------------------------------------------------------------------------------------


@pytest.mark.spec("INV-1", "INV-2")
def test_an_invoice_of_one_line_fits_a_page_and_says_all() -> None:
    (text,) = pages(papers.invoice_pdf(an_invoice()))
    for said in (
        "FAC-2026-000001",
        "22/11/2026",
        "CMD-2026-000001",
        "Matricule fiscal : 0000000A",
        "Société Foulan 2000",
        "12 rue de la Liberté",
        "Matricule fiscal : 1234567R",
        "Certificat ID-Trust sur token, 2 ans",
        "Fatma Exemple",
        "DEM-2026-000001",
        "19 % 350,000 66,500",
        "Total HT 350,000 DT",
        "TVA 66,500 DT",
        "Frais de livraison (1 × 7,000) 7,000 DT",
        "Droit de timbre 1,000 DT",
        "Total TTC 424,500 DT",
        "quatre cent vingt-quatre dinars et cinq cents millimes",
        "Carte bancaire, le 22/11/2026",
        "PAY20261122A1",
        URL,
        "page 1 / 1",
    ):
        assert said in text


@pytest.mark.spec("INV-2")
@pytest.mark.parametrize("count, total", [(3, "1 271,500 DT"), (40, "16 941,000 DT"), (500, "211 751,000 DT")])
def test_an_invoice_of_many_lines_is_paged_with_its_head_repeated(count: int, total: str) -> None:
    texts = pages(papers.invoice_pdf(an_invoice(count)))
    everything = " ".join(texts)
    assert f"Total TTC {total}" in texts[-1]
    for place, text in enumerate(texts, 1):
        assert f"page {place} / {len(texts)}" in text
        assert "Facture FAC-2026-000001" in text
    assert all("Prix unitaire HT (DT)" in text for text in texts if "DEM-" in text)
    assert all(f"DEM-2026-{place:06d}" in everything for place in range(1, count + 1))


@pytest.mark.spec("INV-2")
def test_arabic_names_are_set_in_the_papers_own_font() -> None:
    pdf = papers.invoice_pdf(an_invoice())
    assert {name.partition("-")[0] for name in fonts_of(pdf)} == {"IBMPlexSansArabic"}
    letters = set("".join(pages(pdf)))
    assert set("شركةفولاطمثن") - {" "} <= letters


@pytest.mark.spec("INV-2")
def test_the_same_invoice_is_the_same_file() -> None:
    first = papers.invoice_pdf(an_invoice(3))
    papers.invoice_pdf(an_invoice(2))
    assert papers.invoice_pdf(an_invoice(3)) == first
    assert papers.invoice_pdf(replace(an_invoice(3), payment_reference="PAY2")) != first


@pytest.mark.spec("INV-2")
def test_several_threads_print_each_their_own_invoice() -> None:
    invoices = [replace(an_invoice(), number=f"FAC-2026-{place:06d}") for place in range(1, 13)]
    with ThreadPoolExecutor(4) as pool:
        printed = list(pool.map(papers.invoice_pdf, invoices))
    for invoice, pdf in zip(invoices, printed, strict=True):
        assert invoice.number in pages(pdf)[0]


@pytest.mark.spec("INV-2")
def test_the_qr_code_leads_to_the_verification_page() -> None:
    with pypdfium2.PdfDocument(papers.invoice_pdf(an_invoice())) as document:
        picture = document[0].render(scale=2).to_pil()
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [URL]


@pytest.mark.spec("INV-2")
def test_an_archived_snapshot_prints_the_same_file() -> None:
    invoice = an_invoice(2)
    kept = json.loads(json.dumps(papers.snapshot(invoice)))
    again = papers.InvoiceData.from_snapshot({**kept, "added_later": 1})
    assert again == invoice
    assert papers.invoice_pdf(again) == papers.invoice_pdf(invoice)


@pytest.mark.spec("INV-2", "INV-3")
def test_an_invoice_is_a_pdf_a3_that_carries_its_electronic_form() -> None:
    teif = papers.Attachment("FAC-2026-000001.xml", "<TEIF>é</TEIF>".encode())
    with pikepdf.open(io.BytesIO(papers.invoice_pdf(an_invoice(), [teif]))) as document:
        assert document.open_metadata().pdfa_status == "3B"
        assert str(document.Root.Lang).startswith("fr")
        assert str(document.docinfo["/Title"]) == "Facture FAC-2026-000001"
        assert str(document.docinfo["/CreationDate"]) == "D:20261122093000Z"
        assert document.attachments["FAC-2026-000001.xml"].get_file().read_bytes() == teif.data


@pytest.mark.parametrize("name", ["", "../evil.xml", "a\\b.xml"])
def test_an_attachment_needs_a_plain_name(name: str) -> None:
    with pytest.raises(papers.PaperError, match="file name"):
        papers.invoice_pdf(an_invoice(), [papers.Attachment(name, b"x")])


@pytest.mark.spec("INV-1")
@pytest.mark.parametrize("field", ["total_ht", "total_vat", "delivery_ht", "stamp_duty", "total_ttc"])
def test_an_invoice_whose_figures_do_not_add_up_is_not_printed(field: str) -> None:
    invoice = an_invoice(2)
    wrong = replace(invoice.amounts, **{field: getattr(invoice.amounts, field) + 1})
    with pytest.raises(papers.PaperError, match="add up"):
        papers.invoice_pdf(replace(invoice, amounts=wrong))


@pytest.mark.spec("INV-1")
def test_an_invoice_without_lines_or_with_a_wrong_line_is_not_printed() -> None:
    invoice = an_invoice()
    with pytest.raises(papers.PaperError, match="has a line"):
        papers.invoice_pdf(replace(invoice, lines=()))
    with pytest.raises(papers.PaperError, match="unit price"):
        papers.invoice_pdf(replace(invoice, lines=(replace(invoice.lines[0], quantity=2),)))
    with pytest.raises(papers.PaperError, match="VAT by rate"):
        papers.invoice_pdf(replace(invoice, amounts=replace(invoice.amounts, vat=())))


@pytest.mark.spec("INV-2")
@pytest.mark.parametrize(
    "typed, shown",
    [
        ('#import "look.typ"', '#import "look.typ"'),
        ("*gras* _it_ $x^2$ <lbl> @ref \\ #panic()", "*gras* _it_ $x^2$ <lbl> @ref \\ #panic()"),
        ("Rue 漢字 😀", "Rue ?? ?"),
        ("Москва", "??????"),
        ("a\x00b\x07c", "a b c"),
        ("1\u202e234", "1234"),
        ("W" * 200, "W" * 200),
    ],
)
def test_whatever_was_typed_is_printed_as_text(typed: str, shown: str) -> None:
    client = replace(CLIENT, name=typed, address=(typed,), email=typed)
    assert shown in " ".join(pages(papers.invoice_pdf(an_invoice(client=client)))).replace("W W", "WW")


@given(st.text(max_size=60))
def test_every_text_becomes_one_the_font_can_show(text: str) -> None:
    shown = show(text)
    assert show(shown).replace("\u200b", "") == shown.replace("\u200b", "")
    assert not set(shown) & set("\x00\x07\n\u202e\u2066\u200f")


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80))
def test_no_text_keeps_an_invoice_from_being_printed(text: str) -> None:
    client = replace(CLIENT, name=text, name_ar=text, address=(text,), email=text)
    assert "Total TTC 424,500 DT" in " ".join(pages(papers.invoice_pdf(an_invoice(client=client))))


def test_every_weight_shows_every_character_of_the_font() -> None:
    everything = " ".join(chr(code) for code in range(32, 0x10000) if show(chr(code)) == chr(code))
    assert len(everything) > 1_500
    client = replace(CLIENT, name=everything, name_ar=everything, address=(everything,))
    assert len(pages(papers.invoice_pdf(an_invoice(client=client)))) >= 1


def test_a_long_word_may_break_but_a_web_address_stays_whole() -> None:
    assert show(URL) == URL
    assert show("x" * 34) == "x" * 34
    assert "\u200b" in show("x" * 35)


# --- contract -------------------------------------------------------------------------------------


@pytest.mark.spec("ACT-1", "CON-1")
def test_a_contract_repeats_all_that_was_entered() -> None:
    text = " ".join(pages(papers.contract_pdf(a_contract())))
    for said in (
        "CTR-2026-000001",
        "Version 1",
        "Société Foulan 2000",
        "Entreprise privée",
        "1234567R",
        "12 rue de la Liberté",
        "1002 Tunis",
        "+216 71 000 000",
        "Représentant légal",
        "Administrateur 1",
        "Administrateur 2",
        "Ben Foulan",
        "Fatma",
        "29/02/1980",
        "Tunisienne",
        "CIN 00000001",
        "CIN 00000002",
        "+216 98 123 456",
        "foulan@mail.com",
        "Extrait RNE",
        "extrait.pdf",
        "03/10/2026",
        "Article 1",
        "2004-63",
        "Signatures",
    ):
        assert said in text
    assert set("شركةفولابن") <= set(text)


@pytest.mark.spec("CON-1")
@pytest.mark.parametrize("administrators", [1, 2])
def test_a_contract_has_a_signature_box_for_each_signer(administrators: int) -> None:
    text = " ".join(pages(papers.contract_pdf(a_contract(administrators))))
    assert text.count("Date et signature") == 1 + administrators


@pytest.mark.spec("CON-1")
def test_each_page_of_a_contract_bears_its_number_version_and_place() -> None:
    texts = pages(papers.contract_pdf(a_contract(version=2)))
    for place, text in enumerate(texts, 1):
        assert f"Contrat CTR-2026-000001 · version 2 · 22/11/2026 page {place} / {len(texts)}" in text
    assert "Cette version annule et remplace la version 1." in texts[0]
    assert "annule et remplace" not in " ".join(pages(papers.contract_pdf(a_contract())))


@pytest.mark.spec("CON-1")
def test_the_same_contract_is_the_same_file_from_its_snapshot_too() -> None:
    contract = a_contract()
    again = papers.ContractData.from_snapshot(json.loads(json.dumps(papers.snapshot(contract))))
    assert again == contract
    assert papers.contract_pdf(again) == papers.contract_pdf(contract)


@pytest.mark.spec("ORG-2", "CON-1")
def test_a_foreign_organisation_shows_its_country_and_register_number() -> None:
    contract = a_contract()
    foreign = replace(
        contract.organisation, tax_id="", register_number="HRB 12345", country="Allemagne", governorate=""
    )
    text = " ".join(pages(papers.contract_pdf(replace(contract, organisation=foreign, documents=()))))
    assert "HRB 12345" in text
    assert "Allemagne" in text
    assert "Matricule fiscal" not in text
    assert "Aucune pièce" in text


def test_published_terms_replace_the_shipped_ones() -> None:
    text = " ".join(
        pages(papers.contract_pdf(replace(a_contract(), terms="## Article unique\n\n#panic() <b>rien</b>")))
    )
    assert "Article unique" in text
    assert "#panic() <b>rien</b>" in text
    assert "Article 9" not in text


def test_a_contract_without_administrator_is_not_printed() -> None:
    with pytest.raises(papers.PaperError, match="administrator"):
        papers.contract_pdf(a_contract(0))


# --- texts and reference data ---------------------------------------------------------------------


def test_a_text_is_taken_apart_into_titles_headings_paragraphs_and_items() -> None:
    text = "# Titre\n\n## 1- Objet\nUn paragraphe\nsur deux lignes.\n\na) premier ;\nb) second\n\n<b>brut</b>\n- puce"
    assert [tuple(block) for block in blocks(text)] == [
        ("title", "Titre"),
        ("heading", "1- Objet"),
        ("paragraph", "Un paragraphe sur deux lignes."),
        ("item", "a) premier ;"),
        ("item", "b) second"),
        ("paragraph", "<b>brut</b>"),
        ("item", "- puce"),
    ]


@given(st.text())
def test_no_word_of_a_text_is_lost(text: str) -> None:
    def words(text: str) -> list[str]:
        return [word for word in text.split() if not set(word) <= {"#"}]

    assert words(text) == words(" ".join(block.text for block in blocks(text)))


@pytest.mark.spec("APP-2")
def test_the_shipped_cgu_hold_the_manuals_grounds_of_revocation() -> None:
    found = blocks(data.text("cgu_v1_fr.md"))
    headings = [block.text for block in found if block.kind == "heading"]
    assert [heading.partition("-")[0] for heading in headings] == [str(place) for place in range(1, 13)]
    assert "6- Exclusion de garantie" in headings
    items = [block.text for block in found if block.kind == "item"]
    for letter, ground in (
        ("m", "clé privée de l'autorité de certification subordonnée"),
        ("n", "exigée par la PC/DPC"),
        ("o", "risque inacceptable"),
        ("p", "90 jours calendaires"),
    ):
        assert any(item.startswith(f"{letter})") and ground in item for item in items)
    assert any("facture d'avoir" in item for item in items)


def test_the_reference_data_are_whole_and_agree() -> None:
    governorates = {row["iso_3166_2"] for row in data.governorates()}
    assert len(governorates) == 24
    assert {row["governorate_iso"] for row in data.delegations()} == governorates
    codes = {row["postal_code"] for row in data.postal_codes()}
    localities = list(data.localities())
    assert len(localities) == 4_822
    assert {row["postal_code"] for row in localities} == codes
    assert all(len(code) == 4 and code.isdigit() for code in codes)
    assert {"I-11", "I-12", "I-89"} <= {row["code"] for row in data.teif_codes()}
