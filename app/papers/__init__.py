"""The papers we issue, as PDF: the contract, the invoice and credit note, dispatch slips. Pure: data in, bytes out."""

from app.papers.contract import contract_pdf, default_terms
from app.papers.data import (
    Attachment,
    ContractData,
    ContractDocument,
    ContractOrganisation,
    ContractPerson,
    CreditNoteData,
    InvoiceAmounts,
    InvoiceData,
    InvoiceLine,
    PaperError,
    Party,
    snapshot,
)
from app.papers.invoice import check_amounts, credit_note_pdf, invoice_pdf
from app.papers.slip import Parcel, day_slip_pdf, parcel_slip_pdf
from app.papers.teif import TeifOptions, check_teif, teif_xml

__all__ = [
    "Attachment",
    "ContractData",
    "ContractDocument",
    "ContractOrganisation",
    "ContractPerson",
    "CreditNoteData",
    "InvoiceAmounts",
    "InvoiceData",
    "InvoiceLine",
    "PaperError",
    "Parcel",
    "Party",
    "TeifOptions",
    "check_amounts",
    "check_teif",
    "contract_pdf",
    "credit_note_pdf",
    "day_slip_pdf",
    "default_terms",
    "invoice_pdf",
    "parcel_slip_pdf",
    "snapshot",
    "teif_xml",
]
