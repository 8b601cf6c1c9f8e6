"""What TunTrust's officers do with the demonstration's files, through the services, at the clock's moment (OPS-1)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app import clock
from app.demo.papers_certificates import self_signed_certificate
from app.extensions import db
from app.models import CertificateRequest, Document, DocumentKind, Organisation, User
from app.permissions import Actor
from app.queries.declared_fields import Declared, declared_of_organisation, declared_of_request
from app.queries.people import administrators_of
from app.queries.readiness import contract_in_force, current_papers, papers_of
from app.queries.threads import Subject
from app.services import asking, assigning, certificates, collecting, deciding, messaging, noting, verdicts, verifying
from app.services.accounts import actor_for
from app.states import Verdict

File = CertificateRequest | Organisation


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that is wrong: a document of a kind, or a declared field."""

    what: DocumentKind | str
    reason: str


class Officer:
    """One of TunTrust's people."""

    def __init__(self, user: User) -> None:
        self.user = user

    @property
    def actor(self) -> Actor:
        """With the rights of this moment."""
        return actor_for(self.user, ip="203.0.113.200", locale="fr")

    def take(self, *files: File) -> None:
        """The files are theirs."""
        for file in files:
            if isinstance(file, CertificateRequest):
                assigning.take_request(file.id, actor=self.actor)
            else:
                assigning.take_organisation(file.id, actor=self.actor)

    def judge(self, file: File, *wrong: Point) -> None:
        """A verdict on every document and declared field: refused where a point says so, else accepted."""
        reasons = {point.what: point.reason for point in wrong}
        for document in _papers(file):
            if document.kind in reasons:
                why, why_ar = verdicts.worded(reasons[document.kind], "")
                verdicts.refuse_document(document.id, actor=self.actor, reason=why, reason_ar=why_ar)
            else:
                verdicts.accept_document(document.id, actor=self.actor)
        is_request = isinstance(file, CertificateRequest)
        for declared in _declared(file):
            why, why_ar = verdicts.worded(reasons.get(declared.name, ""), "")
            verdicts.give_field_verdict(
                declared.name,
                Verdict.REFUSE if declared.name in reasons else Verdict.ACCEPTE,
                actor=self.actor,
                value_seen=declared.stored,
                reason=why,
                reason_ar=why_ar,
                request_id=file.id if is_request else None,
                organisation_id=None if is_request else file.id,
            )

    def ask(self, file: File, *points: Point, message: str = "") -> None:
        """« Pièces manquantes »: refuse what is wrong and wait for the client."""
        self.judge(file, *points)
        asked = _asked(file, points)
        if isinstance(file, CertificateRequest):
            asking.ask_for_documents(file.id, asked, actor=self.actor, message=message)
        else:
            asking.ask_organisation_for_documents(file.id, asked, actor=self.actor, message=message)

    # ---- messages and notes

    def answer(self, file: File, text: str) -> None:
        """Write to the client."""
        messaging.send_message(self.actor, _subject(file), text, as_staff=True)

    def note(self, file: File, text: str, *, on: date | None = None) -> None:
        """Leave colleagues and oneself a note."""
        noting.write_note(self.actor, _subject(file), text, follow_up_on=on)

    # ---- organisations

    def verify(self, organisation: Organisation) -> None:
        """Everything is in order."""
        self.judge(organisation)
        verifying.verify_organisation(organisation.id, actor=self.actor)

    def reject_organisation(self, organisation: Organisation, *points: Point, reason: str) -> None:
        """The registration is refused."""
        self.judge(organisation, *points)
        verifying.reject_organisation(organisation.id, actor=self.actor, reason=reason)

    def suspend(self, organisation: Organisation, reason: str) -> None:
        """Nothing can be ordered or paid any more."""
        verifying.suspend_organisation(organisation.id, actor=self.actor, reason=reason)

    # ---- requests

    def reject(self, request: CertificateRequest, reason: str) -> None:
        """No certificate will be made."""
        deciding.reject(request.id, actor=self.actor, reason=reason)

    def approve(self, *requests: CertificateRequest) -> None:
        """The certificates may be generated."""
        for request in requests:
            self.judge(request)
            deciding.approve(request.id, actor=self.actor)

    def record_certificate(self, *requests: CertificateRequest, ends: datetime | None = None) -> None:
        """Record the certificate that was generated (CRT-1); one that ``ends`` then began when it had to."""
        for request in requests:
            life = timedelta(days=365 * request.validity_years)
            begins = clock.now() if ends is None else ends - life
            pem = self_signed_certificate(
                request.common_name,
                request.identity_number,
                request.organisation.legal_name,
                secrets.randbits(120) | 1 << 119,
                begins,
                begins + life,
                email=request.email,
            )
            certificates.record_certificate(request.id, pem, actor=self.actor)
            db.session.refresh(request)

    def dispatch(self, *requests: CertificateRequest) -> None:
        """To the post office, with a tracking number of RapidPost's shape (UPU S10)."""
        for request in requests:
            number = 300_000_000 + request.id * 7_919 % 100_000_000
            deciding.dispatch(request.id, f"RP{number:09d}TN", actor=self.actor)

    def note_collection(self, *requests: CertificateRequest) -> None:
        """The post office handed the parcel over."""
        for request in requests:
            collecting.confirm_collection(request.id, actor=self.actor)


def _subject(file: File) -> Subject:
    return Subject(file.organisation, file) if isinstance(file, CertificateRequest) else Subject(file)


def _papers(file: File) -> list[Document]:
    """The versions that hold today; an applicant's copies hang on the request only."""
    if isinstance(file, CertificateRequest):
        return [
            paper
            for paper in papers_of(file.organisation_id, file.id)
            if paper.request_id == file.id and paper.superseded_at is None
        ]
    return current_papers(papers_of(file.id), contract_in_force(file.id), administrators_of(file.id))


def _declared(file: File) -> list[Declared]:
    if isinstance(file, CertificateRequest):
        return declared_of_request(file)
    return declared_of_organisation(file, administrators_of(file.id))


def _asked(file: File, points: Sequence[Point]) -> list[asking.Point]:
    papers = {paper.kind: paper.id for paper in _papers(file)}
    found = []
    for point in points:
        why, why_ar = verdicts.worded(point.reason, "")
        if isinstance(point.what, DocumentKind):
            found.append(asking.Point(why, point.what, papers.get(point.what), reason_ar=why_ar))
        else:
            found.append(asking.Point(why, field=point.what, reason_ar=why_ar))
    return found
