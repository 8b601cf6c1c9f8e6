"""The registry: which checks a document of each kind undergoes, and running them (REV-3).

A check is a function of the ``Case``; it answers one finding, several, or none where it does not apply. Nothing here
decides anything: findings are advice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from app.identifiers import is_generic_email
from app.inspection import checks_codes, checks_days, checks_file, checks_names
from app.inspection.case import Case, Check
from app.inspection.findings import Finding, alert, ok, unverifiable
from app.inspection.opening import JPEG, PNG

log = logging.getLogger(__name__)


def generic_email(emails: Iterable[str]) -> Finding | None:
    """An address of a function (contact@…) cannot be a person's (ORG-5)."""
    given = [email for email in emails if email]
    if not given:
        return None
    generic = [email for email in given if is_generic_email(email)]
    if generic:
        return alert("generic_email", ", ".join(given), ", ".join(generic), why="generic")
    return ok("generic_email", ", ".join(given))


def signatures(case: Case) -> Iterable[Finding]:
    """A signed contract: which signatures it carries and whose certificates made them (CON-1)."""
    if case.reading.media_type in (JPEG, PNG):
        return [unverifiable("signatures", why="handwritten")]
    if not case.data:
        return []
    from app.inspection.signatures import signature_findings

    return signature_findings(case.data, case.declared, case.roots, case.issued)


_FILE: tuple[Check, ...] = (
    checks_file.opens,
    checks_file.dimensions,
    checks_file.blank,
    checks_file.upright,
    checks_file.readable,
    checks_file.kind,
    checks_file.same_file,
)
_COMPANY: tuple[Check, ...] = (
    checks_names.tax_id_in_text,
    checks_names.register_number,
    checks_names.legal_names,
    checks_names.representatives,
)
REGISTRY: dict[str, tuple[Check, ...]] = {
    "rne": (*_FILE, *_COMPANY, checks_days.extract_date, checks_days.extract_age, checks_codes.codes),
    "trade_register": (*_FILE, *_COMPANY, checks_days.extract_date, checks_days.extract_age, checks_codes.codes),
    "tax_card": (*_FILE, *_COMPANY, checks_codes.codes),
    "identity": (
        *_FILE,
        checks_names.identity_number,
        checks_names.identity_names,
        checks_days.identity_expiry,
    ),
    "contract": (*_FILE, *_COMPANY, checks_names.contract_number, signatures),
    "other": (checks_file.opens, checks_file.dimensions, checks_file.blank, checks_file.same_file),
}
DECLARED: tuple[Check, ...] = (
    checks_names.tax_id_letter_right,
    checks_names.declared_names,
    lambda case: generic_email(case.declared.emails),
)
"""Checks of what was declared, whatever the document; the product makes them once for the whole file."""


def run(case: Case, *, with_declared: bool = False) -> list[Finding]:
    """Every check of the case's kind. One that fails says « unverifiable » and leaves the others their turn."""
    found: list[Finding] = []
    for check in (*REGISTRY[case.kind], *(DECLARED if with_declared else ())):
        try:
            answer = check(case)
            found += [answer] if isinstance(answer, Finding) else list(answer or ())
        except Exception:
            name = getattr(check, "__name__", "check")
            log.exception("check failed: %s", name)
            found.append(unverifiable(name[:40], why="failed"))
    return found
