"""One file of the set: what it is sent as, what was declared, and what the checks ought to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.inspection_set.engines import drawn, old_pdf, page_html, typst_pdf, visual_blocks
from tests.inspection_set.layouts import Block, Layout
from tests.inspection_set.people import TODAY, Facts

Needs = Literal["text", "ocr"]
Printer = Callable[[str], bytes]


@dataclass(frozen=True)
class Case:
    """``fault`` is None for a clean file. ``needs``: its words are in the file, or must be read off a picture.

    ``sample``: among the few pictures that every test run reads. ``make`` writes the file when it is asked for.
    """

    file: str
    kind: str
    declared: dict[str, Any]
    make: Callable[[], bytes]
    fault: str | None = None
    needs: Needs = "text"
    sample: bool = False

    def question(self) -> dict[str, Any]:
        """The case as ``flask inspect --cases`` reads it."""
        declared = {"reference_date": TODAY.isoformat()} | self.declared
        return {"file": self.file, "kind": self.kind, "declared": declared}

    def expectation(self) -> dict[str, Any]:
        """What it ought to answer: no alert at all, or an alert of one of these checks."""
        return {
            "fault": self.fault,
            "alerts": sorted(FOUND_BY.get(self.fault, ())) if self.fault else [],
            "needs": self.needs,
        }


@dataclass(frozen=True)
class Paper:
    """A layout and what draws it, ready to be filled with facts."""

    layout: Layout
    engine: str = "typst"
    look: str = "serif"
    options: dict[str, Any] = field(default_factory=dict)

    def blocks(self, facts: Facts) -> list[Block]:
        return self.layout(facts)

    def pdf(self, facts: Facts, printer: Printer | None = None) -> bytes:
        blocks = self.blocks(facts)
        if self.engine == "browser":
            assert printer is not None
            return printer(page_html(blocks))
        if self.engine == "old":
            return old_pdf(blocks, **self.options)
        if self.engine == "visual":
            return typst_pdf(visual_blocks(blocks), self.look)
        return typst_pdf(blocks, self.look)

    def picture(self, facts: Facts) -> Any:
        return drawn(self.blocks(facts), **self.options)


def declared_of(facts: Facts, **changes: Any) -> dict[str, Any]:
    """What an honest client would have typed for this paper; a change of None leaves a value out."""
    company, person = facts.company, facts.boss
    values: dict[str, Any] = {
        "tax_id": company.tax_id,
        "legal_name": company.declared or company.name,
        "legal_name_ar": company.name_ar,
        "representative": person.name,
        "representative_ar": person.name_ar,
        "issued_on": facts.issued.isoformat() if facts.issued else "2026-10-12",
    }
    return {key: value for key, value in (values | changes).items() if value}


FOUND_BY: dict[str, frozenset[str]] = {
    fault: frozenset(checks.split())
    for fault, checks in {
        "wrong_control_letter": "tax_id_letter",
        "other_tax_id": "tax_id_in_text register_number",
        "other_company": "tax_id_in_text legal_name_in_text representative_in_text",
        "other_legal_name": "legal_name_in_text",
        "other_legal_name_ar": "legal_name_ar_in_text",
        "other_representative": "representative_in_text",
        "other_representative_ar": "representative_ar_in_text",
        "former_head": "representative_in_text representative_ar_in_text",
        "former_name": "legal_name_in_text",
        "latin_and_arabic_differ": "latin_arabic representative_in_text representative_ar_in_text",
        "generic_email": "generic_email",
        "extract_too_old": "extract_age",
        "extract_of_the_future": "extract_date extract_age",
        "date_missing": "extract_date",
        "declared_date_differs": "extract_date",
        "code_contradicts": "code",
        "blank": "blank",
        "turned": "upright",
        "something_else": "kind readable",
        "unreadable": "readable size blank",
        "huge": "size",
        "encrypted": "file_opens",
        "script": "file_opens",
        "attachment": "file_opens",
        "damaged": "file_opens",
        "not_what_it_says": "file_opens",
        "wrong_kind": "kind",
        "identity_of_another": "identity_name identity_name_ar identity_number",
        "identity_other_number": "identity_number",
        "identity_expired": "identity_expiry",
        "number_of_two_names": "cin_names",
        "file_of_two_organisations": "same_file",
        "contract_unsigned": "signatures signer",
        "contract_not_all_signed": "signer",
        "contract_other_signer": "signer",
        "contract_altered": "signature_integrity signatures",
        "contract_expired_certificate": "signature_certificate",
        "contract_self_made_certificate": "signature_certificate",
        "contract_of_another": "contract_number contract_original tax_id_in_text legal_name_in_text",
    }.items()
}
"""Fault → the checks of which an alert counts as having found it. Any other alert does not."""
