"""Automatic checks of received documents, asked for at once and made in the background (REV-3).

``ask_inspection`` only writes a row, in the transaction of whoever uploaded or changed something. A job claims the
row in a short transaction, reads the document outside any (OCR takes seconds), and writes what it found in another:
no lock is held meanwhile. A claim is a lease: a process that dies lets it run out, and the run is due again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select, update

from app import clock
from app.adapters.storage import QUARANTINE, FileNotStored
from app.extensions import db
from app.inspection import checks, text
from app.inspection.case import Case
from app.inspection.declared import Around, Days, Declared, Elsewhere
from app.inspection.findings import Finding, unverifiable
from app.inspection.people_checks import cin_names
from app.inspection.version import VERSION
from app.models import (
    CertificateRequest,
    CheckResult,
    Contract,
    Document,
    DocumentText,
    IdentityKind,
    Inspection,
    InspectionFinding,
    LegalRepresentative,
    Organisation,
)
from app.permissions import Actor, Permission
from app.queries.inspected import (
    CASE_KINDS,
    declared_of_document,
    findings_on_organisation,
    findings_on_request,
    full_name,
    person_hash,
)
from app.queries.people import administrators_of
from app.services import settings
from app.services.authority import require
from app.services.files import storage
from app.services.rounds import Round
from app.services.unit_of_work import use_case

LEASE = timedelta(minutes=15)
"""Longer than the slowest document takes: four scanned pages, each turned and read again."""
RETRY = timedelta(seconds=30)
MAX_ATTEMPTS = 4
KEPT_RUNS = 5
ROUND_SECONDS = 50.0
QUARANTINE_PAUSE = timedelta(minutes=5)

log = structlog.get_logger()


# ----------------------------------------------------------------------------------------------------- asking


@use_case
def ask_inspection(
    *,
    document_id: int | None = None,
    request_id: int | None = None,
    organisation_id: int | None = None,
    actor: Actor | None = None,
    new: bool = False,
) -> None:
    """Have one subject checked soon; joins the running use case. Asking again before it began changes nothing.

    ``new``: the subject was made just now, so that nobody can have asked before.
    """
    subject = {"document_id": document_id, "request_id": request_id, "organisation_id": organisation_id}
    waiting = (
        None
        if new
        else db.session.scalar(
            select(Inspection.id)
            .where(
                *(getattr(Inspection, name) == value for name, value in subject.items() if value is not None),
                Inspection.done_at.is_(None),
                Inspection.started_at.is_(None),
            )
            .limit(1)
        )
    )
    if waiting is not None:
        return
    moment = clock.now()
    asked_by = actor.user_id if actor is not None else None
    db.session.add(Inspection(**subject, asked_at=moment, due_at=moment, asked_by_id=asked_by))


@use_case
def ask_file_inspection(
    *, organisation_id: int | None = None, request_id: int | None = None, actor: Actor | None = None
) -> int:
    """Have an organisation or a request checked with all its current papers: declared data changed. Returns how many.

    Texts already read are not read again, so that this is cheap.
    """
    ask_inspection(organisation_id=organisation_id, request_id=request_id, actor=actor)
    if request_id is not None:
        about = Document.request_id == request_id
    else:
        about = (Document.organisation_id == organisation_id) & Document.request_id.is_(None)
    papers = db.session.scalars(select(Document.id).where(about, Document.superseded_at.is_(None))).all()
    for paper_id in papers:
        ask_inspection(document_id=paper_id, actor=actor)
    return 1 + len(papers)


@use_case
def inspect_again(*, organisation_id: int | None = None, request_id: int | None = None, actor: Actor) -> int:
    """« Refaire les contrôles »: a person asks for all of a file's checks anew; a request's include its organisation's.

    Returns how many runs are due now. Raises Forbidden for whoever may not read documents.
    """
    require(actor, Permission.READ_DOCUMENTS)
    asked = 0
    if request_id is not None:
        asked += ask_file_inspection(request_id=request_id, actor=actor)
        organisation_id = db.session.scalar(
            select(CertificateRequest.organisation_id).where(CertificateRequest.id == request_id)
        )
    if organisation_id is not None:
        asked += ask_file_inspection(organisation_id=organisation_id, actor=actor)
    return asked


# ----------------------------------------------------------------------------------------------------- running


@dataclass(slots=True)
class InspectionRound:
    """What one round did."""

    done: int = 0
    delayed: int = 0

    def __str__(self) -> str:
        return f"{self.done} contrôle(s), {self.delayed} différé(s)"


@dataclass(slots=True)
class _Subject:
    """What a claimed run is about, copied out of the transaction."""

    declared_hash: str
    findings: list[Finding] = field(default_factory=list)
    document_id: int | None = None
    kind: str = ""
    key: str = ""
    declared: Declared = field(default_factory=Declared)
    around: Around | None = None
    roots: tuple[bytes, ...] = ()
    issued_key: str = ""
    reading: text.Reading | None = None


class _Later(Exception):
    """Not now, and nobody's fault: the file waits for the antivirus."""


def run_due_inspections(limit: int = 40) -> InspectionRound:
    """Make up to ``limit`` checks that are due, for at most a minute. Any number of processes may do it at once."""
    done = InspectionRound()
    this_round = Round(ROUND_SECONDS)
    for _each in range(limit):
        if this_round.over():
            break
        claimed = _claim()
        if claimed is None:
            break
        try:
            _inspect(claimed)
            done.done += 1
        except _Later:
            _postpone(claimed)
            done.delayed += 1
        except Exception as error:  # one document's fault must not hold up the others
            db.session.rollback()
            log.exception("inspection failed", inspection=claimed)
            _give_back(claimed, f"{type(error).__name__}: {error}")
            done.delayed += 1
    db.session.rollback()
    return done


@use_case
def _claim() -> int | None:
    run = db.session.scalar(
        select(Inspection)
        .where(Inspection.done_at.is_(None), Inspection.due_at <= clock.now())
        .order_by(Inspection.due_at, Inspection.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if run is None:
        return None
    run.started_at = clock.now()
    run.due_at = clock.now() + LEASE
    run.attempts += 1
    if run.attempts > MAX_ATTEMPTS:  # whoever had it died each time
        _finish(run, [unverifiable("file_opens", why="failed")], run.declared_hash)
        return _claim()
    return run.id


def _inspect(inspection_id: int) -> None:
    subject = _subject_of(inspection_id)
    db.session.rollback()  # nothing stays open while the document is read
    if subject is None:
        return
    findings = subject.findings
    if subject.document_id is not None:
        reading = subject.reading or _read(subject.key, subject.kind)
        findings = _checked(subject, reading)
        _keep_text(subject.document_id, reading)
    _write(inspection_id, findings, subject.declared_hash)


def _read(key: str, kind: str) -> text.Reading:
    if key.startswith(f"{QUARANTINE}/"):
        raise _Later
    try:
        return text.read(storage().get(key), kind)
    except FileNotStored:
        return text.Reading("", problem="lost")


def _checked(subject: _Subject, reading: text.Reading) -> list[Finding]:
    assert subject.around is not None  # noqa: S101 - documents have one
    case = Case(subject.kind, reading, subject.declared, subject.around, roots=subject.roots)
    if subject.kind == "contract" and reading.media_type == "application/pdf":
        case.data = storage().get(subject.key)
        try:
            case.issued = storage().get(subject.issued_key) if subject.issued_key else b""
        except FileNotStored:
            case.issued = b""
    return checks.run(case)


def _subject_of(inspection_id: int) -> _Subject | None:
    """Everything the checks need of the database, read in one go; None when the subject has gone."""
    run = db.session.get(Inspection, inspection_id, populate_existing=True)
    if run is None or run.done_at is not None:
        return None
    if run.document_id is not None:
        return _document_subject(run.document_id)
    if run.request_id is not None:
        request = db.session.get_one(CertificateRequest, run.request_id)
        found = [*findings_on_request(request), *_same_number(request)]
        return _Subject(person_hash(request), found)
    organisation = db.session.get_one(Organisation, run.organisation_id)
    found = [*findings_on_organisation(organisation), *_same_number(organisation.representative)]
    return _Subject(person_hash(organisation.representative), found)


def _document_subject(document_id: int) -> _Subject:
    document = db.session.get_one(Document, document_id)
    request = document.request
    organisation = document.organisation or (request.organisation if request is not None else None)
    if organisation is None:  # of a sign-up that is not finished: compared with nothing yet
        around = Around(_days())
        return _Subject("", [], document.id, CASE_KINDS[document.kind], document.storage_key, around=around)
    people = administrators_of(organisation.id)
    contract = db.session.get(Contract, document.contract_id) if document.contract_id is not None else None
    declared = declared_of_document(document, organisation, request, people, contract)
    kept = db.session.get(DocumentText, document.id)
    reading = text.Reading.from_json(kept.pages) if kept is not None and kept.source != "missing" else None
    return _Subject(
        declared.fingerprint(),
        document_id=document.id,
        kind=CASE_KINDS[document.kind],
        key=document.storage_key,
        declared=declared,
        around=Around(_days(), tuple(_elsewhere(document, organisation, declared))),
        roots=tuple(root.pem.encode() for root in settings.trusted_roots()),
        issued_key=contract.storage_key if contract is not None else "",
        reading=reading,
    )


def _days() -> Days:
    return Days(clock.today(), None, settings.get("extract.months"))


def _elsewhere(document: Document, organisation: Organisation, declared: Declared) -> Iterable[Elsewhere]:
    """Where the same file was received too: for another organisation, or as another paper of this one.

    The copy of one person's identity paper may serve several of their requests.
    """
    owner = func.coalesce(Document.organisation_id, CertificateRequest.organisation_id)
    rows = db.session.execute(
        select(Document.kind, owner, CertificateRequest.identity_number, Organisation.reference)
        .outerjoin(CertificateRequest, CertificateRequest.id == Document.request_id)
        .join(Organisation, Organisation.id == owner)
        .where(Document.sha256 == document.sha256, Document.id != document.id, Document.superseded_at.is_(None))
        .order_by(Document.id)
        .limit(20)
    )
    identity = CASE_KINDS[document.kind] == "identity"
    for kind, organisation_id, number, reference in rows:
        same_person = identity and CASE_KINDS[kind] == "identity" and number in (None, declared.person_number)
        if same_person or (organisation_id == organisation.id and kind is document.kind and not identity):
            continue
        yield Elsewhere(kind.value, reference if organisation_id != organisation.id else "")


def _same_number(person: LegalRepresentative | CertificateRequest) -> list[Finding]:
    """Everybody else declared under the same identity card number (REV-3)."""
    if person.identity_kind is not IdentityKind.CIN:
        return []
    names: set[str] = set()
    for table in (CertificateRequest, LegalRepresentative):
        rows = db.session.execute(
            select(table.first_name, table.last_name)
            .where(table.identity_number == person.identity_number, table.identity_kind == IdentityKind.CIN)
            .distinct()
            .limit(50)
        )
        names.update(f"{first} {last}" for first, last in rows)
    found = cin_names(person.identity_number, full_name(person), names)
    return [found] if found is not None else []


# ----------------------------------------------------------------------------------------------------- keeping


@use_case
def _keep_text(document_id: int, reading: text.Reading) -> None:
    if db.session.get(Document, document_id) is None or reading.problem == "lost":
        return
    row = db.session.get(DocumentText, document_id, populate_existing=True) or DocumentText(document_id=document_id)
    row.source, row.engine = reading.source, reading.engine
    row.pages = reading.to_json()
    row.read_at = clock.now()
    db.session.add(row)


@use_case
def _write(inspection_id: int, findings: list[Finding], declared_hash: str) -> None:
    run = db.session.get(Inspection, inspection_id, with_for_update=True, populate_existing=True)
    if run is None or run.done_at is not None:  # gone with its subject, or another process was as slow
        return
    _finish(run, findings, declared_hash)


def _finish(run: Inspection, findings: list[Finding], declared_hash: str) -> None:
    run.findings = [
        InspectionFinding(
            position=place,
            check=each.check,
            result=CheckResult(each.result.value),
            declared=_kept(each.declared),
            found=_kept(each.found),
            evidence=_plain(each.evidence),
        )
        for place, each in enumerate(findings)
    ]
    run.done_at = clock.now()
    run.version = VERSION
    run.declared_hash = declared_hash
    run.error = ""
    db.session.flush()
    _forget_old(run)


def _forget_old(run: Inspection) -> None:
    subject = next(
        getattr(Inspection, name) == value
        for name in ("document_id", "request_id", "organisation_id")
        if (value := getattr(run, name)) is not None
    )
    kept = (
        select(Inspection.id)
        .where(subject, Inspection.done_at.is_not(None))
        .order_by(Inspection.id.desc())
        .limit(KEPT_RUNS)
    )
    kept_ids = db.session.scalars(kept).all()
    if len(kept_ids) == KEPT_RUNS:
        old = select(Inspection.id).where(subject, Inspection.done_at.is_not(None), Inspection.id < min(kept_ids))
        db.session.execute(delete(InspectionFinding).where(InspectionFinding.inspection_id.in_(old)))
        db.session.execute(
            delete(Inspection).where(subject, Inspection.done_at.is_not(None), Inspection.id < min(kept_ids))
        )


def _kept(value: str) -> str:
    return value.replace("\0", "")[:2_000]


def _plain(value: Any) -> Any:
    """JSON without what PostgreSQL refuses in text: the null character."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.replace("\0", "") if isinstance(value, str) else value


@use_case
def _postpone(inspection_id: int) -> None:
    db.session.execute(
        update(Inspection)
        .where(Inspection.id == inspection_id, Inspection.done_at.is_(None))
        .values(due_at=clock.now() + QUARANTINE_PAUSE, attempts=0, started_at=None)
    )


@use_case
def _give_back(inspection_id: int, error: str) -> None:
    """Try again later, each time longer; after the last time say that it cannot be checked."""
    run = db.session.get(Inspection, inspection_id, with_for_update=True, populate_existing=True)
    if run is None or run.done_at is not None:
        return
    if run.attempts >= MAX_ATTEMPTS:
        _finish(run, [unverifiable("file_opens", why="failed")], "")
    else:
        run.due_at = clock.now() + RETRY * 4 ** (run.attempts - 1)
        run.started_at = None
    run.error = error[:2_000]
