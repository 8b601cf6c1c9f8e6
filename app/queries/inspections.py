"""The automatic checks as the desk shows them: the latest answers about a whole file, in one statement (REV-3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from app import clock
from app.extensions import db
from app.inspection.checks_days import age_finding
from app.inspection.declared import Days, day_from
from app.inspection.findings import Finding, Outcome
from app.inspection.version import VERSION
from app.models import Document, DocumentKind, Inspection, InspectionFinding
from app.queries.inspected import (
    declared_of_document,
    findings_on_organisation,
    findings_on_request,
    person_hash,
)
from app.queries.inspection_words import proof_of, title_of
from app.queries.review import OrganisationFile, RequestFile
from app.queries.standing_checks import standing_of_organisation, standing_of_request
from app.services import settings
from app.state_labels import state_label

_SHOWN = {Outcome.OK: "ok", Outcome.ALERT: "bad", Outcome.UNVERIFIABLE: "na"}
_ORDER = {"bad": 0, "wait": 1, "na": 2, "ok": 3}
_QUIET = frozenset({"size", "blank", "upright", "readable", "same_file"})
"""Checks whose good answer is not worth a line: « the paper is not blank »."""


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """One line of « Contrôles automatiques », in the reader's language.

    ``result``: ok, bad (look at it), wait (not made yet, or to look at), na (cannot be checked). ``about``: the
    desk's tab it belongs to (organisation, contrat, demandeur). ``document`` is the public id of the paper that
    proves it and ``page`` its page, from 1; None when the proof is no paper. ``at`` and ``version``: when and by
    which checks it was made. ``stale``: what was declared has changed since, or the checks have.
    """

    result: str
    title: str
    proof: str = ""
    about: str = "organisation"
    code: str = ""
    document: str | None = None
    page: int | None = None
    at: datetime | None = None
    version: str = ""
    stale: bool = False


@dataclass(slots=True)
class _Runs:
    """The latest finished run of a subject with its findings, and whether a newer one is awaited."""

    done: Inspection | None = None
    findings: list[InspectionFinding] = field(default_factory=list)
    awaited: bool = False


_Subject = tuple[str, int]


def findings_of_file(file: OrganisationFile) -> list[ShownCheck]:
    """Every check of an organisation's file, or of a request's with its organisation's (a ``RequestFile``).

    In the order to read them: alerts first, then by paper. Two statements (one for the setting of an extract's
    age), whatever the number of papers.
    """
    request = file.request if isinstance(file, RequestFile) else None
    runs, days = _latest(file), _days(file)
    found = list(_of_organisation(file, runs.get(("organisation", file.organisation.id), _Runs())))
    for paper in file.papers:
        found += _of_paper(file, paper, runs.get(("document", paper.id), _Runs()), days)
    if isinstance(file, RequestFile) and request is not None:
        found += _of_request(file, runs.get(("request", request.id), _Runs()))
    return sorted(found, key=_rank)


# -------------------------------------------------------------------------------------------------- one subject


def _of_organisation(file: OrganisationFile, runs: _Runs) -> Iterator[ShownCheck]:
    """Declared data is checked afresh: it costs nothing and is never stale. What took a search is stored."""
    organisation = file.organisation
    fresh = [_shown(each, "organisation") for each in findings_on_organisation(organisation)]
    stored = _stored(runs, {"cin_names"}, "organisation", person_hash(organisation.representative))
    standing = [ShownCheck(*each, code="missing") for each in standing_of_organisation(file)]
    return iter([*fresh, *stored, *standing])


def _of_request(file: RequestFile, runs: _Runs) -> list[ShownCheck]:
    fresh = [_shown(each, "demandeur") for each in findings_on_request(file.request)]
    stored = _stored(runs, {"cin_names"}, "demandeur", person_hash(file.request))
    standing = [ShownCheck(*each, about="demandeur", code="standing") for each in standing_of_request(file)]
    return [*fresh, *stored, *standing]


def _of_paper(file: OrganisationFile, paper: Document, runs: _Runs, days: Days) -> list[ShownCheck]:
    about = _tab_of(paper)
    if runs.done is None:
        text = _("contrôle en cours") if runs.awaited else _("pas encore contrôlé")
        shown = [ShownCheck("wait", state_label(paper.kind), text, about, "pending", paper.public_id)]
        if paper.issued_on is not None:  # what was declared can be judged at once
            shown.append(_shown(age_finding(paper.issued_on, days), about, paper=paper))
        return shown
    request = file.request if isinstance(file, RequestFile) else None
    contract = file.contract if paper.kind is DocumentKind.SIGNED_CONTRACT else None
    declared = declared_of_document(paper, file.organisation, request, file.administrators, contract)
    return _stored(runs, None, about, declared.fingerprint(), paper=paper, days=days)


def _stored(
    runs: _Runs,
    only: set[str] | None,
    about: str,
    declared_hash: str,
    *,
    paper: Document | None = None,
    days: Days | None = None,
) -> list[ShownCheck]:
    run = runs.done
    if run is None:
        return []
    stale = run.version != VERSION or run.declared_hash != declared_hash
    shown = []
    for row in runs.findings:
        if only is not None and row.check not in only:
            continue
        finding = Finding(row.check, Outcome(row.result.value), row.declared, row.found, row.evidence)
        if days is not None and row.check == "extract_age":
            finding = _aged(finding, days)
        if finding.result is Outcome.OK and row.check in _QUIET:
            continue
        shown.append(_shown(finding, about, paper=paper, run=run, stale=stale))
    return shown


def _aged(finding: Finding, days: Days) -> Finding:
    """An extract grows old after its check: its age is counted anew, to today and to the request's day."""
    day = day_from(finding.found)
    if day is None:
        return finding
    kept: dict[str, Any] = {key: finding.evidence[key] for key in ("page", "excerpt", "by") if key in finding.evidence}
    return age_finding(day, days, **kept)


def _shown(
    finding: Finding,
    about: str,
    *,
    paper: Document | None = None,
    run: Inspection | None = None,
    stale: bool = False,
) -> ShownCheck:
    page = finding.evidence.get("page")
    return ShownCheck(
        _SHOWN[finding.result],
        title_of(finding.check, finding.declared, finding.result),
        proof_of(finding.check, finding.result, finding.declared, finding.found, finding.evidence),
        about,
        finding.check,
        paper.public_id if paper is not None else None,
        page if isinstance(page, int) else 1 if paper is not None else None,
        run.done_at if run is not None else None,
        run.version if run is not None else "",
        stale,
    )


def _tab_of(paper: Document) -> str:
    if paper.kind is DocumentKind.SIGNED_CONTRACT:
        return "contrat"
    return "demandeur" if paper.request_id is not None else "organisation"


def _rank(check: ShownCheck) -> int:
    return _ORDER[check.result]


def _days(file: OrganisationFile) -> Days:
    asked = clock.local(file.request.created_at).date() if isinstance(file, RequestFile) else None
    return Days(clock.today(), asked, settings.get("extract.months"))


# ------------------------------------------------------------------------------------------------- the statement


def _latest(file: OrganisationFile) -> dict[_Subject, _Runs]:
    """The latest finished run of every subject with its findings, and the runs awaited: one statement."""
    about = [Inspection.organisation_id == file.organisation.id]
    if file.papers:
        about.append(Inspection.document_id.in_([paper.id for paper in file.papers]))
    if isinstance(file, RequestFile):
        about.append(Inspection.request_id == file.request.id)
    subjects = or_(*about)
    latest = (
        select(func.max(Inspection.id))
        .where(subjects, Inspection.done_at.is_not(None))
        .group_by(Inspection.document_id, Inspection.request_id, Inspection.organisation_id)
    )
    rows = db.session.execute(
        select(Inspection, InspectionFinding)
        .outerjoin(InspectionFinding, InspectionFinding.inspection_id == Inspection.id)
        .where(or_(Inspection.id.in_(latest), subjects & Inspection.done_at.is_(None)))
        .order_by(Inspection.id, InspectionFinding.position)
    )
    found: dict[_Subject, _Runs] = {}
    for row in rows:
        run, finding = row[0], _maybe(row[1])
        runs = found.setdefault(_subject(run), _Runs())
        if run.done_at is None:
            runs.awaited = True
            continue
        if runs.done is not run:
            runs.done, runs.findings = run, []
        if finding is not None:
            runs.findings.append(finding)
    return found


def _maybe(finding: InspectionFinding | None) -> InspectionFinding | None:
    """An outer join's other side may be nothing."""
    return finding


def _subject(run: Inspection) -> _Subject:
    if run.document_id is not None:
        return "document", run.document_id
    if run.request_id is not None:
        return "request", run.request_id
    return "organisation", run.organisation_id or 0
