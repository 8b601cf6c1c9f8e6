"""Who signed a contract, as the automatic checks found it: for the desk's contract tab (CON-1, REV-3).

Read from stored findings (``inspection/signatures.py`` says which); the file itself is never opened here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from app import clock
from app.extensions import db
from app.models import CheckResult, Inspection, InspectionFinding
from app.queries.signature_words import sentence

CHECKS = ("signatures", "signer", "signature_certificate", "signature_integrity", "contract_original")


@dataclass(frozen=True, slots=True)
class ShownSignature:
    """A signature beside the person it was expected of. ``result``: ok, bad or na (cannot be checked).

    ``trusted``: True, False, or None where it cannot be said. ``name`` is empty for a signature of a stranger,
    ``signed_by`` for a missing one. ``signed_at`` is what the signer's clock said, unless ``stamped``.
    """

    result: str
    name: str = ""
    role: str = ""
    signed_by: str = ""
    issuer: str = ""
    serial: str = ""
    signed_at: datetime | None = None
    stamped: bool = False
    trusted: bool | None = None
    remarks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Who was to sign, and as what; of a stranger who signed."""
        if not self.name:
            return _("%(name)s · personne non attendue", name=self.signed_by)
        role = _("représentant légal") if self.role == "representative" else _("administrateur")
        return _("%(name)s · %(role)s", name=self.name, role=role)

    @property
    def proof(self) -> str:
        """By which certificate, when, and what is wrong with it."""
        parts = []
        if self.signed_by:
            if self.signed_at is not None:
                when = clock.local(self.signed_at).strftime("%d/%m/%Y à %H:%M")
                parts.append(_("Signé par « %(name)s » le %(when)s", name=self.signed_by, when=when))
            else:
                parts.append(_("Signé par « %(name)s »", name=self.signed_by))
            if self.stamped:
                parts.append(_("horodaté"))
            parts.append(_("certificat n° %(serial)s émis par « %(issuer)s »", serial=self.serial, issuer=self.issuer))
            if self.trusted:
                parts.append(_("autorité de confiance"))
        return ". ".join(filter(None, (", ".join(parts), " ".join(self.remarks))))


@dataclass(frozen=True, slots=True)
class ContractSignatures:
    """What is known of a signed contract. ``checked_at`` is None until the checks ran.

    ``notes``: (result, sentence) on the whole paper.
    """

    checked_at: datetime | None = None
    signers: tuple[ShownSignature, ...] = ()
    strangers: tuple[ShownSignature, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def electronic(self) -> bool:
        """Were there signatures to look at?"""
        return bool(self.signers or self.strangers)


def contract_signatures(document_id: int | None) -> ContractSignatures:
    """The signatures of a received contract, by its latest checks; one statement."""
    if document_id is None:
        return ContractSignatures()
    latest = (
        select(func.max(Inspection.id))
        .where(Inspection.document_id == document_id, Inspection.done_at.is_not(None))
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(InspectionFinding, Inspection.done_at)
        .join(Inspection, Inspection.id == InspectionFinding.inspection_id)
        .where(InspectionFinding.inspection_id == latest)
        .order_by(InspectionFinding.position)
    ).all()
    if not rows:
        return ContractSignatures()
    found = [finding for finding, _done_at in rows if finding.check in CHECKS]
    signers = [each for each in found if each.check == "signer"]
    return ContractSignatures(
        checked_at=rows[0][1],
        signers=tuple(_signature(each, found) for each in signers if each.evidence.get("why") != "stranger"),
        strangers=tuple(_signature(each, found) for each in signers if each.evidence.get("why") == "stranger"),
        notes=tuple(_notes(found)),
    )


def _reason(finding: InspectionFinding) -> str:
    return sentence(finding.check, str(finding.evidence.get("why", "")))


def _signature(finding: InspectionFinding, every: list[InspectionFinding]) -> ShownSignature:
    """One signer with what the other checks said of the same signature."""
    evidence = finding.evidence
    same = [
        each
        for each in every
        if each.check in ("signature_certificate", "signature_integrity")
        and each.evidence.get("number") == evidence.get("number") is not None
    ]
    certificate = next((each.result for each in same if each.check == "signature_certificate"), None)
    results = {finding.result, *(each.result for each in same)}
    remarks = dict.fromkeys(filter(None, (_reason(each) for each in (finding, *same))))
    return ShownSignature(
        result=_worst(results),
        name=finding.declared,
        role=str(evidence.get("role", "")),
        signed_by=finding.found,
        issuer=str(evidence.get("issuer", "")),
        serial=str(evidence.get("serial", "")),
        signed_at=_moment(evidence.get("signed_at")),
        stamped=bool(evidence.get("stamped")),
        trusted={CheckResult.OK: True, CheckResult.ALERT: False}.get(certificate) if certificate else None,
        remarks=tuple(remarks),
    )


def _notes(found: list[InspectionFinding]) -> list[tuple[str, str]]:
    notes = []
    for each in found:
        if each.check == "signatures" and each.result is not CheckResult.OK:
            notes.append((_worst({each.result}), _reason(each)))
        elif each.check == "contract_original":
            words = _reason(each) or _("C'est bien le contrat établi.")
            page = each.evidence.get("page")
            where = _("%(sentence)s Page %(page)d.", sentence=words, page=page) if page else words
            notes.append((_worst({each.result}), where))
            if each.declared or each.found:
                notes.append(("na", f"« {each.declared or '—'} » → « {each.found or '—'} »"))
    return notes


def _worst(results: set[CheckResult]) -> str:
    if CheckResult.ALERT in results:
        return "bad"
    return "na" if CheckResult.UNVERIFIABLE in results else "ok"


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
