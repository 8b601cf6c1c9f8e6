"""« Pièces manquantes »: one ask holds all points, each with its reason (REV-5, chapter 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _

from app import clock
from app.bilingual import for_reader
from app.errors import DomainError, IllegalTransition, NotFound, StaleObject
from app.extensions import db
from app.models import CertificateRequest, Document, DocumentAsk, DocumentAskItem, DocumentKind, Organisation
from app.permissions import Actor
from app.queries.asks import open_ask, open_ask_of_organisation
from app.queries.declared_fields import declared_of_organisation, declared_of_request, field_name
from app.queries.people import administrators_of
from app.services import settings
from app.services.announcing import tell_administrators, tell_people_of_request
from app.services.links import public_url
from app.services.moving import REASON_LIMIT, move_organisation, move_request
from app.services.reminding import reminders_before
from app.services.supplying import close_ask
from app.services.unit_of_work import use_case
from app.state_labels import state_label

POINT_LIMIT = 40
REQUEST_KINDS = (DocumentKind.APPLICANT_IDENTITY, DocumentKind.OTHER)
"""What a request may be asked for; every other paper is its organisation's, asked once for all (REV-5)."""
ORGANISATION_KINDS = (
    DocumentKind.RNE_EXTRACT,
    DocumentKind.TAX_CARD,
    DocumentKind.TRADE_REGISTER,
    DocumentKind.SIGNED_CONTRACT,
    DocumentKind.REPRESENTATIVE_IDENTITY,
    DocumentKind.ADMINISTRATOR_IDENTITY,
    DocumentKind.OTHER,
)


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the ask: a document to bring (again), or a declared field to correct or explain.

    ``reason`` is French, ``reason_ar`` Arabic or empty.
    """

    reason: str
    document_kind: DocumentKind | None = None
    document_id: int | None = None
    field: str | None = None
    reason_ar: str = ""

    @property
    def label(self) -> str:
        """What it is about, in the language of who reads."""
        return state_label(self.document_kind) if self.document_kind is not None else str(field_name(self.field or ""))

    @property
    def why(self) -> str:
        """The reason in the language of who reads, the French one where there is no other."""
        return for_reader(self.reason, self.reason_ar)

    @property
    def why_in_arabic(self) -> str:
        """What an Arabic reader reads."""
        return self.reason_ar or self.reason


def due_date() -> date:
    """Until when the client is asked to answer, counted from today (setting ``documents.days``)."""
    return clock.today() + timedelta(days=settings.get("documents.days"))


@use_case
def ask_for_documents(
    request_id: int,
    points: Sequence[Point],
    *,
    actor: Actor,
    message: str = "",
    due_on: date | None = None,
    expected_version: int | None = None,
) -> DocumentAsk:
    """Ask the applicant and the administrators; the file waits for them until every point is answered.

    Raises NotFound, IllegalTransition, Forbidden, StaleObject; DomainError on ``points``, ``message`` or
    ``due_on``.
    """
    request = move_request(
        request_id, "ask_for_documents", actor=actor, expected_version=expected_version, details={"points": len(points)}
    )
    fields = {each.name for each in declared_of_request(request)}
    ask = _written(points, fields, message, due_on, actor, request_id=request.id)
    if request.certificate is not None:
        raise IllegalTransition(
            _("Un certificat est déjà enregistré pour cette demande : il est trop tard pour demander des pièces.")
        )
    request.approved_at = request.approved_by_id = None
    tell_people_of_request("documents_missing", request, **mail_context(request, points, ask.message, ask.due_on))
    return ask


@use_case
def ask_organisation_for_documents(
    organisation_id: int,
    points: Sequence[Point],
    *,
    actor: Actor,
    message: str = "",
    due_on: date | None = None,
    expected_version: int | None = None,
) -> DocumentAsk:
    """The same for an organisation's own papers, asked once for all of its requests; errors the same."""
    organisation = move_organisation(
        organisation_id,
        "ask_for_documents",
        actor=actor,
        expected_version=expected_version,
        details={"points": len(points)},
    )
    fields = {each.name for each in declared_of_organisation(organisation, administrators_of(organisation.id))}
    ask = _written(points, fields, message, due_on, actor, organisation_id=organisation.id)
    tell_administrators(
        "organisation_documents_missing", organisation, **mail_context(organisation, points, ask.message, ask.due_on)
    )
    return ask


def mail_context(
    subject: CertificateRequest | Organisation, points: Sequence[Point], message: str, due_on: date | None
) -> dict[str, Any]:
    """What the mail's templates take, for the mail and for its preview."""
    link = (
        public_url("requests.show", reference=subject.reference)
        if isinstance(subject, CertificateRequest)
        else public_url("organisation.show")
    )
    return {"points": list(points), "message": message, "due_on": due_on, "link": link}


def check_points(points: Sequence[Point]) -> None:
    """What can be said of the points without the file. Raises DomainError on ``points``."""
    if not points:
        raise DomainError(_("Choisissez au moins un point à demander."), field="points")
    if len(points) > POINT_LIMIT:
        raise DomainError(_("%(limit)d points au plus.", limit=POINT_LIMIT), field="points")
    for point in points:
        if len(point.reason.strip()) < 3:
            raise DomainError(_("Écrivez la raison de « %(what)s ».", what=point.label), field="points")
        if max(len(point.reason), len(point.reason_ar)) > REASON_LIMIT:
            raise DomainError(_("2 000 caractères au plus."), field="points")


def _written(
    points: Sequence[Point],
    fields: set[str],
    message: str,
    due_on: date | None,
    actor: Actor,
    *,
    request_id: int | None = None,
    organisation_id: int | None = None,
) -> DocumentAsk:
    check_points(points)
    message = message.strip()
    if len(message) > REASON_LIMIT:
        raise DomainError(_("2 000 caractères au plus."), field="message")
    due_on = due_on or due_date()
    if due_on <= clock.today():
        raise DomainError(_("Choisissez une date à venir."), field="due_on")
    ask = DocumentAsk(
        request_id=request_id,
        organisation_id=organisation_id,
        message=message,
        asked_by_id=actor.user_id,
        asked_at=clock.now(),
        due_on=due_on,
    )
    for position, point in enumerate(points, 1):
        if point.field is not None and point.field not in fields:
            raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
        if request_id is not None and point.document_kind is not None and point.document_kind not in REQUEST_KINDS:
            raise DomainError(
                _(
                    "« %(what)s » est un document de l'organisation : demandez-le une fois, dans son dossier, "
                    "pour toutes ses demandes.",
                    what=point.label,
                ),
                field="points",
            )
        if point.document_id is not None:
            _check_paper(point, request_id, organisation_id)
        ask.items.append(
            DocumentAskItem(
                position=position,
                document_kind=point.document_kind,
                document_id=point.document_id,
                field=point.field,
                reason=point.reason.strip(),
                reason_ar=point.reason_ar.strip(),
            )
        )
    ask.reminders = reminders_before(ask)
    db.session.add(ask)
    db.session.flush()
    return ask


def _check_paper(point: Point, request_id: int | None, organisation_id: int | None) -> None:
    """The paper named must be this file's own, and the version that holds today."""
    paper = db.session.get(Document, point.document_id)
    own = paper is not None and paper.kind is point.document_kind
    if (
        paper is None
        or not own
        or (paper.request_id, paper.request_id is None and paper.organisation_id)
        != (
            request_id,
            request_id is None and organisation_id,
        )
    ):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    if paper.superseded_at is not None:
        raise StaleObject(_("« %(what)s » a été remplacé entre-temps. Relisez le dossier.", what=point.label))


@use_case
def withdraw_the_ask(
    request_id: int, *, actor: Actor, message: str = "", expected_version: int | None = None
) -> CertificateRequest:
    """The pieces are no longer needed: the ask is closed, the history keeps it and the message.

    Raises NotFound, IllegalTransition, Forbidden, StaleObject, DomainError (message too long).
    """
    request = move_request(
        request_id, "withdraw_the_ask", actor=actor, reason=message, expected_version=expected_version
    )
    ask = open_ask(request.id)
    if ask is not None:
        close_ask(ask, "withdrawn")
    tell_people_of_request(
        "documents_no_longer_needed",
        request,
        message=message.strip(),
        link=public_url("requests.show", reference=request.reference),
    )
    return request


@use_case
def withdraw_the_organisation_ask(
    organisation_id: int, *, actor: Actor, message: str = "", expected_version: int | None = None
) -> Organisation:
    """The same for an organisation."""
    organisation = move_organisation(
        organisation_id, "withdraw_the_ask", actor=actor, reason=message, expected_version=expected_version
    )
    ask = open_ask_of_organisation(organisation.id)
    if ask is not None:
        close_ask(ask, "withdrawn")
    tell_administrators(
        "documents_no_longer_needed",
        organisation,
        message=message.strip(),
        link=public_url("organisation.show"),
        applicant="",
        own=False,
    )
    return organisation
