"""The electronic form of an invoice or credit note: TEIF 1.8.8, as TTN publishes it (INV-3, AVO-2).

Element and attribute names, misspelt ones included, are TTN's; codes are those of the implementation guide.
Dates are ddMMyy, amounts dinars with a dot and three decimals. What must hold of a document is written down in
``teif.xsd``; ``check_teif`` says whether one keeps to it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app import money
from app.papers.data import InvoiceData, InvoiceLine, PaperError, Party

if TYPE_CHECKING:
    from lxml import etree

VERSION: Final = "1.8.8"
INVOICE: Final = "I-11"
CREDIT_NOTE: Final = "I-12"
SCHEMA: Final = Path(__file__).parent / "teif.xsd"
DEFAULT_SUFFIX: Final = "AM000"
"""What completes a tax id known by its seven digits and letter: subject to VAT, legal person, head office."""

_FULL_TAX_ID = re.compile(r"\d{7}[A-Z][ABDNP][CMNPE]\d{3}")
_SHORT_TAX_ID = re.compile(r"\d{7}[A-Z]")
_POSTAL_PLACE = re.compile(r"(?:^|.*[,;]\s*)(?P<code>\d{4,10})\s+(?P<city>[^,;]+)")
"""A line that is, or ends with, a postal code and its place: « Route de Raoued, 2083 Ariana »."""
_NAMES = {INVOICE: "Facture", CREDIT_NOTE: "Facture d'avoir"}


@dataclass(frozen=True, slots=True)
class TeifOptions:
    """What the data of an invoice does not say.

    ``refers_to``: the number of the invoice a credit note corrects (I-89); ``ttn_reference``: TTN's own reference of
    that invoice, once it has one (I-88). ``words``: the total in French words,
    worked out when empty. ``tax_id_suffix`` completes eight-character tax ids to the thirteen TTN asks for.
    """

    document_type: str = INVOICE
    refers_to: str = ""
    ttn_reference: str = ""
    words: str = ""
    tax_id_suffix: str = DEFAULT_SUFFIX


def teif_xml(data: InvoiceData, options: TeifOptions | None = None) -> bytes:
    """The TEIF document of an invoice (I-11) or credit note (I-12), unsigned, UTF-8; same data, same bytes.

    Totals are those of the data to the millime; a credit note's amounts are as its data has them (negative).
    Raises PaperError for parts that do not add up or a credit note that names no invoice (INV-3, AVO-2).
    """
    from lxml import etree

    options = options or TeifOptions()
    amounts = data.amounts
    if amounts.total_ht + amounts.total_vat + amounts.delivery_ttc + amounts.stamp_duty != amounts.total_ttc:
        raise PaperError("the parts do not add up to the total")
    if options.document_type == CREDIT_NOTE and not options.refers_to:
        raise PaperError("a credit note names its invoice")
    root = etree.Element("TEIF", version=VERSION, controlingAgency="TTN")
    header = etree.SubElement(root, "InvoiceHeader")
    _identifier(header, "MessageSenderIdentifier", data.seller, options)
    _identifier(header, "MessageRecieverIdentifier", data.client, options)
    body = etree.SubElement(root, "InvoiceBody")
    _bgm(body, data, options)
    _date(etree.SubElement(body, "Dtm"), "I-31", data.issued_on)
    partners = etree.SubElement(body, "PartnerSection")
    _partner(partners, "I-62", data.seller, options)
    _partner(partners, "I-64", data.client, options)
    _payment(body, data)
    _lines(body, data)
    _totals(body, data, options)
    _taxes(body, data)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def check_teif(xml: bytes) -> list[str]:
    """What in the document breaks the schema's rules, one sentence each; empty for a valid one, signed or not."""
    from lxml import etree

    try:
        document = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except etree.XMLSyntaxError as fault:
        return [str(fault)]
    if document.getroottree().docinfo.internalDTD is not None:
        return ["a document type declaration"]
    schema = _schema()
    schema.validate(document)
    return [f"{entry.line}: {entry.message}" for entry in schema.error_log.filter_from_errors()]


@cache
def _schema() -> etree.XMLSchema:
    from lxml import etree

    return etree.XMLSchema(etree.parse(str(SCHEMA)))


def full_tax_id(text: str, suffix: str = DEFAULT_SUFFIX) -> str | None:
    """``1234567AAM000`` from any usual spelling, completed when only the eight first characters are known.

    None when it is no Tunisian tax id.
    """
    tidy = re.sub(r"[\s/-]", "", text).upper()
    if _FULL_TAX_ID.fullmatch(tidy):
        return tidy
    return tidy + suffix if _SHORT_TAX_ID.fullmatch(tidy) else None


def format_amount(millimes: int) -> str:
    """``1271.500``: dinars, a dot, three decimals, a hyphen for minus."""
    dinars, part = divmod(abs(millimes), money.MILLIMES_PER_DINAR)
    return f"{'-' if millimes < 0 else ''}{dinars}.{part:03d}"


def _rate(rate_bp: int) -> str:
    whole, part = divmod(rate_bp, 100)
    return f"{whole}.{part:02d}" if part else str(whole)


def _add(parent: etree._Element, name: str, text: str = "", limit: int = 500, **attributes: str) -> etree._Element:
    """A child element; its text without what XML or TTN would refuse, cut at the guide's length."""
    from lxml import etree

    child = etree.SubElement(parent, name, attrib=attributes)
    if text:
        child.text = _clean(text)[:limit].strip() or "-"
    return child


def _clean(text: str) -> str:
    """One line without control characters and lone surrogates, which XML does not take."""
    kept = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return " ".join("".join(char for char in kept if unicodedata.category(char) not in ("Cs", "Cn", "Co")).split())


def _identifier(parent: etree._Element, name: str, party: Party, options: TeifOptions) -> None:
    known = full_tax_id(party.tax_id, options.tax_id_suffix)
    if known:
        _add(parent, name, known, type="I-01")
    else:  # a foreign client, by the number of its register
        _add(parent, name, party.tax_id or "-", 35, type="I-04")


def _bgm(body: etree._Element, data: InvoiceData, options: TeifOptions) -> None:
    bgm = _add(body, "Bgm")
    _add(bgm, "DocumentIdentifier", data.number, 70)
    _add(bgm, "DocumentType", _NAMES[options.document_type], 35, code=options.document_type)
    if options.refers_to or data.order_reference:
        references = _add(bgm, "DocumentReferences")
        if options.refers_to:
            _add(references, "Reference", options.refers_to, 200, refID="I-89")
            if options.ttn_reference:
                _add(references, "Reference", options.ttn_reference, 200, refID="I-88")
        if data.order_reference:
            _add(references, "Reference", data.order_reference, 200, refID="I-83")


def _date(parent: etree._Element, code: str, day: date) -> None:
    _add(parent, "DateText", day.strftime("%d%m%y"), functionCode=code, format="ddMMyy")


def _partner(section: etree._Element, code: str, party: Party, options: TeifOptions) -> None:
    details = _add(section, "PartnerDetails", functionCode=code)
    nad = _add(details, "Nad")
    _identifier(nad, "PartnerIdentifier", party, options)
    _add(nad, "PartnerName", party.name, 200, nameType="Qualification")
    address = _add(nad, "PartnerAdresses", lang="fr")
    lines = [line for line in party.address if line]
    _add(address, "AdressDescription", ", ".join(lines) or "-")
    place = _POSTAL_PLACE.fullmatch(lines[-1].strip()) if lines else None
    if place:
        _add(address, "CityName", place["city"], 35)
        _add(address, "PostalCode", place["code"], 17)
    if full_tax_id(party.tax_id, options.tax_id_suffix):
        _add(address, "Country", "TN", codeList="ISO_3166-1")
    _contact(details, party)


def _contact(details: etree._Element, party: Party) -> None:
    means = [("I-101", party.phone), ("I-103", party.email)]
    if not any(value for _code, value in means):
        return
    section = _add(details, "CtaSection")
    contact = _add(section, "Contact", functionCode="I-94")
    _add(contact, "ContactIdentifier", "1")
    _add(contact, "ContactName", party.name, 200)
    for code, value in means:
        if value:
            communication = _add(section, "Communication")
            _add(communication, "ComMeansType", code)
            _add(communication, "ComAdress", value)


def _payment(body: etree._Element, data: InvoiceData) -> None:
    words = " ".join(part for part in (data.payment_method, data.payment_reference) if part)
    if words:
        pyt = _add(_add(_add(body, "PytSection"), "PytSectionDetails"), "Pyt")
        _add(pyt, "PaymentTearmsTypeCode", "I-116")
        _add(pyt, "PaymentTearmsDescription", words)


def _lines(body: etree._Element, data: InvoiceData) -> None:
    section = _add(body, "LinSection")
    for number, line in enumerate(data.lines, start=1):
        _line(section, number, line, line.reference or "CERT")
    amounts = data.amounts
    if amounts.delivery_ttc:
        unit, rest = divmod(amounts.delivery_ht, amounts.delivery_quantity or 1)
        quantity = amounts.delivery_quantity if amounts.delivery_quantity and not rest else 1
        delivery = InvoiceLine(
            designation="Livraison RapidPost",
            applicant="",
            applicant_ar="",
            reference="",
            unit_ht=unit if not rest else amounts.delivery_ht,
            vat_rate_bp=amounts.delivery_vat_bp,
            ht=amounts.delivery_ht,
            vat=amounts.delivery_vat,
            quantity=quantity,
        )
        _line(section, len(data.lines) + 1, delivery, "LIVRAISON")


def _line(section: etree._Element, number: int, line: InvoiceLine, code: str) -> None:
    lin = _add(section, "Lin")
    _add(lin, "ItemIdentifier", str(number))
    described = _add(lin, "LinImd", lang="fr")
    _add(described, "ItemCode", code, 35)
    _add(described, "ItemDescription", line.designation)
    _add(_add(lin, "LinQty"), "Quantity", str(line.quantity), measurementUnit="UNIT")
    _vat_of(_add(lin, "LinTax"), line.vat_rate_bp)
    moa = _add(lin, "LinMoa")
    for amount_code, amount in (("I-183", line.unit_ht), ("I-171", line.ht)):
        _moa(_add(moa, "MoaDetails"), amount_code, amount)


def _vat_of(parent: etree._Element, rate_bp: int) -> None:
    _add(parent, "TaxTypeName", "TVA", code="I-1602")
    _add(_add(parent, "TaxDetails"), "TaxRate", _rate(rate_bp))


def _moa(parent: etree._Element, code: str, amount: int) -> etree._Element:
    moa = _add(parent, "Moa", amountTypeCode=code, currencyCodeList="ISO_4217")
    _add(moa, "Amount", format_amount(amount), currencyIdentifier="TND")
    return moa


def _totals(body: etree._Element, data: InvoiceData, options: TeifOptions) -> None:
    amounts = data.amounts
    section = _add(body, "InvoiceMoa")
    ht, vat = amounts.total_ht + amounts.delivery_ht, amounts.total_vat + amounts.delivery_vat
    for code, amount in (("I-176", ht), ("I-182", ht), ("I-181", vat)):
        _moa(_add(section, "AmountDetails"), code, amount)
    total = _moa(_add(section, "AmountDetails"), "I-180", amounts.total_ttc)
    words = options.words or money.amount_in_words(amounts.total_ttc)
    _add(total, "AmountDescription", words.upper(), lang="fr")


def _taxes(body: etree._Element, data: InvoiceData) -> None:
    section = _add(body, "InvoiceTax")
    if data.amounts.stamp_duty:
        details = _add(section, "InvoiceTaxDetails")
        tax = _add(details, "Tax")
        _add(tax, "TaxTypeName", "Droit de timbre", code="I-1601")
        _add(_add(tax, "TaxDetails"), "TaxRate", "0")
        _moa(_add(details, "AmountDetails"), "I-178", data.amounts.stamp_duty)
    for rate_bp, base, vat in vat_details(data):
        details = _add(section, "InvoiceTaxDetails")
        _vat_of(_add(details, "Tax"), rate_bp)
        _moa(_add(details, "AmountDetails"), "I-177", base)
        _moa(_add(details, "AmountDetails"), "I-178", vat)


def vat_details(data: InvoiceData) -> list[tuple[int, int, int]]:
    """(rate in basis points, base, VAT) of every rate, millimes; a delivery without VAT stands at rate 0."""
    rows: list[tuple[int, int, int]] = [(row.rate_bp, row.base, row.vat) for row in data.amounts.vat]
    if data.amounts.delivery_ttc and not data.amounts.delivery_vat_bp:
        rows.append((0, data.amounts.delivery_ht, 0))
    return rows


def read_amounts(xml: bytes) -> dict[str, Any]:
    """What the totals of a document say, in millimes by code, for checks against the books."""
    from lxml import etree

    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    found: dict[str, Any] = {}
    for moa in root.iterfind("InvoiceBody/InvoiceMoa/AmountDetails/Moa"):
        found[str(moa.get("amountTypeCode"))] = _millimes(moa.findtext("Amount") or "")
    stamp = root.xpath("InvoiceBody/InvoiceTax/InvoiceTaxDetails[Tax/TaxTypeName/@code='I-1601']//Amount/text()")
    found["I-1601"] = _millimes(str(stamp[0])) if isinstance(stamp, list) and stamp else 0
    return found


def _millimes(text: str) -> int:
    whole, _dot, part = text.removeprefix("-").partition(".")
    value = int(whole) * money.MILLIMES_PER_DINAR + int(part.ljust(3, "0")[:3] or "0")
    return -value if text.startswith("-") else value
