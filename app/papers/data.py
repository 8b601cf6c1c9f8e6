"""What the papers print, as frozen data: texts as they were entered, amounts in millimes, dates as dates.

Each class turns into plain JSON (`snapshot`) and back (``from_snapshot``), so that a paper can be archived as
data and printed again byte for byte.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Self

from app.money import Quote, VatRow

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class PaperError(ValueError):
    """Data that no paper may be made of: totals that do not add up, an attachment without a name…"""


def snapshot(data: "DataclassInstance") -> dict[str, Any]:
    """The data as JSON values: tuples as lists, dates and moments in ISO 8601 (moments in UTC)."""
    plain = _plain(asdict(data))
    assert isinstance(plain, dict)  # noqa: S101 - tells mypy what asdict gave
    return plain


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _known(cls: "type[DataclassInstance]", values: Mapping[str, Any]) -> dict[str, Any]:
    """The values the class knows: a snapshot of a newer version may hold more."""
    names = {field.name for field in fields(cls)}
    return {key: value for key, value in values.items() if key in names}


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _day(text: str) -> date:
    return date.fromisoformat(text)


# --- invoice --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Party:
    """Seller or client. `tax_id` is shown under `tax_id_label` (a foreign client has a register number)."""

    name: str
    address: tuple[str, ...]
    tax_id: str
    tax_id_label: str = "Matricule fiscal"
    name_ar: str = ""
    phone: str = ""
    email: str = ""
    bank_account: str = ""

    @classmethod
    def from_snapshot(cls, values: Mapping[str, Any]) -> "Party":
        return cls(**{**_known(cls, values), "address": tuple(values["address"])})


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One certificate sold; `ht` and `vat` are the line's, `unit_ht` of one piece; millimes."""

    designation: str
    applicant: str
    applicant_ar: str
    reference: str
    unit_ht: int
    vat_rate_bp: int
    ht: int
    vat: int
    quantity: int = 1

    @classmethod
    def from_snapshot(cls, values: Mapping[str, Any]) -> "InvoiceLine":
        return cls(**_known(cls, values))


@dataclass(frozen=True, slots=True)
class InvoiceAmounts:
    """Totals of an invoice, in millimes. `total_vat` is the certificates'; delivery stands apart.

    ``total_ht + total_vat + delivery_ht + delivery_vat + stamp_duty = total_ttc``.
    """

    total_ht: int
    total_vat: int
    delivery_quantity: int
    delivery_ht: int
    delivery_vat: int
    delivery_vat_bp: int
    stamp_duty: int
    total_ttc: int
    vat: tuple[VatRow, ...]

    @property
    def delivery_ttc(self) -> int:
        return self.delivery_ht + self.delivery_vat

    @classmethod
    def of(cls, quote: Quote) -> "InvoiceAmounts":
        """The totals of a frozen quote, as the invoice prints them (PRI-2)."""
        return cls(
            total_ht=quote.ht,
            total_vat=quote.vat,
            delivery_quantity=sum(1 for line in quote.lines if line.delivery_ttc),
            delivery_ht=quote.delivery_ht,
            delivery_vat=quote.delivery_vat,
            delivery_vat_bp=quote.delivery_vat_bp,
            stamp_duty=quote.stamp_duty,
            total_ttc=quote.total,
            vat=quote.vat_by_rate,
        )

    @classmethod
    def from_snapshot(cls, values: Mapping[str, Any]) -> "InvoiceAmounts":
        rows = tuple(VatRow(**_known(VatRow, row)) for row in values["vat"])
        return cls(**{**_known(cls, values), "vat": rows})


@dataclass(frozen=True, slots=True)
class InvoiceData:
    """All that an invoice prints (INV-1; VAT code, article 18-II); `issued_at` dates the file only."""

    number: str
    issued_at: datetime
    issued_on: date
    seller: Party
    client: Party
    lines: tuple[InvoiceLine, ...]
    amounts: InvoiceAmounts
    payment_method: str
    payment_reference: str
    paid_on: date | None
    verification_url: str
    order_reference: str = ""
    credit_used: int = 0  # what of the total was paid by credit notes

    @classmethod
    def from_snapshot(cls, values: Mapping[str, Any]) -> Self:
        """The data an archived `snapshot` was made of."""
        return cls(
            **{
                **_known(cls, values),
                "issued_at": datetime.fromisoformat(values["issued_at"]),
                "issued_on": _day(values["issued_on"]),
                "paid_on": _date(values["paid_on"]),
                "seller": Party.from_snapshot(values["seller"]),
                "client": Party.from_snapshot(values["client"]),
                "lines": tuple(InvoiceLine.from_snapshot(line) for line in values["lines"]),
                "amounts": InvoiceAmounts.from_snapshot(values["amounts"]),
            }
        )


@dataclass(frozen=True, slots=True)
class CreditNoteData(InvoiceData):
    """All that a credit note prints (AVO-2): the lines given back with negative amounts, and what it corrects."""

    invoice_number: str = ""
    invoice_issued_on: str = ""  # ISO 8601
    reason_kind: str = ""
    reason: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file embedded in a PDF/A-3, such as the invoice's TEIF."""

    name: str
    data: bytes
    mime: str = "application/xml"
    description: str = ""


# --- contract -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContractPerson:
    """A representative or administrator as entered; `document` is its kind (« CIN », « Passeport »)."""

    first_name: str
    last_name: str
    first_name_ar: str
    last_name_ar: str
    birth_date: date
    nationality: str
    document: str
    document_number: str
    mobile: str
    email: str

    @classmethod
    def from_snapshot(cls, values: Mapping[str, Any]) -> "ContractPerson":
        return cls(**{**_known(cls, values), "birth_date": _day(values["birth_date"])})


@dataclass(frozen=True, slots=True)
class ContractOrganisation:
    """The organisation as entered; `tax_id` for a Tunisian one, `register_number` for a foreign."""

    legal_name: str
    category: str
    country: str
    address: str
    postal_code: str
    city: str
    phone: str
    tax_id: str = ""
    register_number: str = ""
    legal_name_ar: str = ""
    trade_name: str = ""
    governorate: str = ""
    fax: str = ""

    @classmethod
    def from_snapshot(cls, values: Mapping[str, Any]) -> "ContractOrganisation":
        return cls(**_known(cls, values))


@dataclass(frozen=True, slots=True)
class ContractDocument:
    """A document received: what it is, the file as its sender named it, its date, the day it came."""

    label: str
    file_name: str
    received_on: date
    dated_on: date | None = None

    @classmethod
    def from_snapshot(cls, values: Mapping[str, Any]) -> "ContractDocument":
        days = {"received_on": _day(values["received_on"]), "dated_on": _date(values.get("dated_on"))}
        return cls(**{**_known(cls, values), **days})


@dataclass(frozen=True, slots=True)
class ContractData:
    """All that a contract prints (ACT-1, CON-1). `terms` empty takes the shipped articles."""

    number: str
    version: int
    issued_at: datetime
    issued_on: date
    organisation: ContractOrganisation
    representative: ContractPerson
    administrators: tuple[ContractPerson, ...]
    documents: tuple[ContractDocument, ...]
    terms: str = ""

    @classmethod
    def from_snapshot(cls, values: Mapping[str, Any]) -> "ContractData":
        """The data an archived `snapshot` was made of."""
        return cls(
            **{
                **_known(cls, values),
                "issued_at": datetime.fromisoformat(values["issued_at"]),
                "issued_on": _day(values["issued_on"]),
                "organisation": ContractOrganisation.from_snapshot(values["organisation"]),
                "representative": ContractPerson.from_snapshot(values["representative"]),
                "administrators": tuple(ContractPerson.from_snapshot(one) for one in values["administrators"]),
                "documents": tuple(ContractDocument.from_snapshot(one) for one in values["documents"]),
            }
        )
