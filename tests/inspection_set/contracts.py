"""Signed contracts: who signed, with what, and what became of the file afterwards.

Keys are made anew at each run (tests/support/pki.py), so these files are not the same byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from tests.inspection_set import layouts as look
from tests.inspection_set import scans
from tests.inspection_set.case import Case, Paper, declared_of
from tests.inspection_set.people import C, Facts, P, Person
from tests.support import pki

NUMBER = "CTR-2026-000731"
DEAL = Facts(C["oranger"], issued=date(2026, 9, 28), reference=NUMBER)
HEAD, SECOND, STRANGER = C["oranger"].person, P["salma"], P["walid"]
TYPST, OLD = Paper(look.contract, look="justified"), Paper(look.contract, "old")


def root() -> pki.Holder:
    """The authority that each case asks to trust."""
    return pki.make_ca("Autorité du bout du monde")


def _holder(person: Person, **options: Any) -> pki.Holder:
    return pki.issue(root(), person.name, serial_number=f"IDCTN-{person.cin}", **options)


def _declared(*signers: Person, **changes: Any) -> dict[str, Any]:
    names = [person.name for person in signers]
    values = declared_of(DEAL, issued_on=None, contract_number=NUMBER) | {
        "signers": names,
        "cin": HEAD.cin,
        "trusted_roots": root().pem,
    }
    return values | changes


def contract_cases() -> Iterator[Case]:
    def signed(*people: Person, sheet: Paper = TYPST, facts: Facts = DEAL, **options: Any) -> bytes:
        pdf = sheet.pdf(facts)
        for person in people:
            pdf = pki.sign_pdf(pdf, _holder(person), **options)
        return pdf

    def clean(name: str, make: Callable[[], bytes], *signers: Person) -> Case:
        return Case(f"clean-contract-{name}.pdf", "contract", _declared(*signers), make)

    def fault(name: str, what: str, make: Callable[[], bytes], *signers: Person) -> Case:
        return Case(f"fault-contract-{name}.pdf", "contract", _declared(*signers), make, fault=what)

    yield clean("one", lambda: signed(HEAD), HEAD)
    yield clean("two", lambda: signed(HEAD, SECOND), HEAD, SECOND)
    yield clean("two-visible", lambda: signed(SECOND, HEAD, visible=True), HEAD, SECOND)
    yield clean("old-pdf", lambda: signed(HEAD, sheet=OLD), HEAD)
    capitals = pki.issue(root(), "BEN SALAH MOHAMED AMINE", serial_number=f"IDCTN-{HEAD.cin}")
    yield clean("capitals", lambda: pki.sign_pdf(OLD.pdf(DEAL), capitals, visible=True), HEAD)

    yield fault("unsigned", "contract_unsigned", lambda: TYPST.pdf(DEAL), HEAD)
    yield fault("unsigned-old", "contract_unsigned", lambda: OLD.pdf(DEAL), HEAD, SECOND)
    yield fault("one-of-two", "contract_not_all_signed", lambda: signed(HEAD), HEAD, SECOND)
    yield fault("other-of-two", "contract_not_all_signed", lambda: signed(SECOND, visible=True), HEAD, SECOND)
    yield fault("by-another", "contract_other_signer", lambda: signed(STRANGER), HEAD)
    yield fault("by-another-and-one", "contract_other_signer", lambda: signed(STRANGER, SECOND), HEAD, SECOND)
    yield fault("altered", "contract_altered", lambda: pki.add_text_afterwards(signed(HEAD)), HEAD)
    yield fault("altered-within", "contract_altered", lambda: pki.damage_content(signed(HEAD, sheet=OLD)), HEAD)
    yield fault("broken", "contract_altered", lambda: pki.damage_signature(signed(HEAD)), HEAD)
    past = {"not_before": datetime(2022, 1, 1, tzinfo=UTC), "not_after": datetime(2024, 1, 1, tzinfo=UTC)}
    yield fault(
        "expired", "contract_expired_certificate", lambda: pki.sign_pdf(TYPST.pdf(DEAL), _holder(HEAD, **past)), HEAD
    )
    self_made = pki.issue(None, HEAD.name, serial_number=f"IDCTN-{HEAD.cin}")
    yield fault("self-made", "contract_self_made_certificate", lambda: pki.sign_pdf(TYPST.pdf(DEAL), self_made), HEAD)
    elsewhere = DEAL.but(reference="CTR-2025-000118", company=C["meditex"], person=HEAD)
    yield fault("of-another", "contract_of_another", lambda: signed(HEAD, facts=elsewhere), HEAD)
    yield fault(
        "of-another-number",
        "contract_of_another",
        lambda: signed(HEAD, facts=DEAL.but(reference="CTR-2026-000713")),
        HEAD,
    )
    yield fault("blank", "blank", lambda: scans.scan_pdf(scans.Image.new("RGB", (1240, 1754), "white"), 150), HEAD)
