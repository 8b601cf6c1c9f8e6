"""The papers of a period in one ZIP: each PDF with its electronic form beside it (issue of accounting exports)."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from typing import BinaryIO

import structlog

from app.services.credit_note_archives import credit_note_pdf_bytes
from app.services.electronic_invoices import NOT_MADE, teif_of_credit_note, teif_of_invoice
from app.services.invoice_archives import invoice_pdf_bytes

log = structlog.get_logger()


def write_bundle(target: BinaryIO, papers: Sequence[tuple[str, int]]) -> tuple[int, list[str]]:
    """Write the papers, as (« invoice » or « credit_note », id), into a ZIP; how many files, and what is missing.

    A document that is damaged or cannot be made leaves a line in MANQUANTS.txt inside, and holds up no other.
    """
    missing: list[str] = []
    count = 0
    makers = {
        "invoice": (invoice_pdf_bytes, teif_of_invoice),
        "credit_note": (credit_note_pdf_bytes, teif_of_credit_note),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # PDFs are compressed already
        for kind, paper_id in papers:
            for make, folder in zip(makers[kind], ("pdf", "xml"), strict=True):
                try:
                    name, data = make(paper_id)
                except NOT_MADE as fault:
                    log.exception("paper_missing_from_bundle", kind=kind, id=paper_id)
                    missing.append(f"{kind} {paper_id} {folder}: {fault}")
                    continue
                archive.writestr(f"{folder}/{name}", data)
                count += 1
        if missing:
            archive.writestr("MANQUANTS.txt", "\n".join(missing) + "\n")
    return count, missing
