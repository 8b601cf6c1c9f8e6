"""✓ and ✗ on documents and declared fields, saved as they are given (REV-2, REV-7)."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.bilingual import joined
from app.errors import DomainError, IllegalTransition, NotFound, StaleObject
from app.extensions import db
from app.models import CertificateRequest, Document, FieldVerdict, Organisation, User
from app.permissions import Actor, Permission
from app.queries.declared_fields import Declared, declared_of_organisation, declared_of_request, field_name
from app.queries.people import administrators_of
from app.queries.reference import reason_named
from app.services import audit, history
from app.services.announcing import tell_administrators
from app.services.asking import Point, due_date, mail_context
from app.services.authority import hands_on_organisation, hands_on_request, require, require_officer
from app.services.documents import in_quarantine
from app.services.locking import lock
from app.services.moving import REASON_LIMIT, cancel_approval
from app.services.organisations import cancel_approvals
from app.services.unit_of_work import use_case
from app.state_labels import state_label
from app.states import ORDERING_STATES, OrganisationState, RequestState, Verdict

REVIEWED_REQUESTS = (RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
"""A request's own papers and data are judged while TunTrust has it, or waits for its answers."""
REVIEWED_ORGANISATIONS = ORDERING_STATES

Subject = Organisation | CertificateRequest


@use_case
def accept_document(document_id: int, *, actor: Actor, expected_version: int | None = None) -> Document:
    """✓: the paper proves what was declared.

    Raises NotFound, Forbidden, IllegalTransition (the file is closed), StaleObject (another verdict or another
    version meanwhile), DomainError while the antivirus has not read it.
    """
    return _judge(document_id, Verdict.ACCEPTE, ("", ""), actor, expected_version)


@use_case
def refuse_document(
    document_id: int, *, actor: Actor, reason: str, reason_ar: str = "", expected_version: int | None = None
) -> Document:
    """✗ with the sentence the client will read, in French and, if given, in Arabic. Cancels an approval.

    Raises as ``accept_document``, and DomainError on field ``reason_text`` when it is empty or too long.
    """
    return _judge(document_id, Verdict.REFUSE, _checked_reason(reason, reason_ar), actor, expected_version)


def worded(code: str, french: str, arabic: str = "") -> tuple[str, str]:
    """A reason in French and Arabic: the ready-made one of that code, then one's own words in either language.

    Where a part exists in one language only, the other takes it as it is, so that nobody misses it.
    """
    ready = reason_named(code.strip())
    chosen = (ready.text_fr, ready.text_ar) if ready is not None else (code, "")
    return joined((chosen[0], french), (chosen[1], arabic))


def _judge(
    document_id: int, verdict: Verdict, reasons: tuple[str, str], actor: Actor, expected_version: int | None
) -> Document:
    reason, reason_ar = reasons
    found = db.session.get(Document, document_id)
    if found is None or (found.organisation_id is None and found.request_id is None):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    subject = _locked_subject(actor, request_id=found.request_id, organisation_id=found.organisation_id)
    document = lock(Document, document_id)
    if document.superseded_at is not None:
        raise StaleObject(_("Ce document a été remplacé par une nouvelle version. Rechargez la page pour la lire."))
    before = document.verdict
    given = (document.verdict_reason, document.verdict_reason_ar)
    if before is verdict and given == reasons and document.verdict_by_id == actor.user_id:
        return document  # the same click twice
    if expected_version is not None and document.version != expected_version:
        raise _overtaken(document.verdict_by_id, document.verdict_at, state_label(before))
    if verdict is Verdict.ACCEPTE and in_quarantine(document):
        raise DomainError(_("Ce fichier attend le contrôle de l'antivirus : il ne peut pas encore être accepté."))
    document.verdict = verdict
    document.verdict_reason, document.verdict_reason_ar = reasons
    document.verdict_by_id = actor.user_id
    document.verdict_at = clock.now()
    document.version += 1
    history.write(
        actor,
        "document_accepted" if verdict is Verdict.ACCEPTE else "document_refused",
        request_id=subject.id if isinstance(subject, CertificateRequest) else None,
        organisation_id=subject.organisation_id if isinstance(subject, CertificateRequest) else subject.id,
        reason=reason,
        details={"kind": document.kind.value},
    )
    audit.record(
        actor, "judge_document", document, before={"verdict": before}, after={"verdict": verdict, "reason": reason}
    )
    if verdict is Verdict.REFUSE:
        _void_approvals(subject, actor, state_label(document.kind))
        _tell_if_no_ask_will(subject, Point(reason, document.kind, document.id, reason_ar=reason_ar))
    return document


def _tell_if_no_ask_will(subject: Subject, point: Point) -> None:
    """A verified organisation cannot be asked (chapter 1): a ✗ on its data, papers or contract is mailed at once."""
    if not isinstance(subject, Organisation) or subject.state is not OrganisationState.VERIFIEE:
        return
    tell_administrators("organisation_documents_missing", subject, **mail_context(subject, [point], "", due_date()))


@use_case
def give_field_verdict(
    field: str,
    verdict: Verdict,
    *,
    actor: Actor,
    value_seen: str,
    request_id: int | None = None,
    organisation_id: int | None = None,
    reason: str = "",
    reason_ar: str = "",
    seen_at: str | None = None,
) -> FieldVerdict:
    """✓ or ✗ on one declared field of a request or of an organisation, on the value the page showed (REV-2).

    ``seen_at`` is when the verdict shown on the page was given, in ISO form, « » for none, None not to compare.
    A ✗ cancels an approval, and is mailed at once to a verified organisation. Raises NotFound, Forbidden,
    IllegalTransition, StaleObject (another value or another agent's verdict meanwhile), DomainError on ``reason``.
    """
    subject = _locked_subject(actor, request_id=request_id, organisation_id=organisation_id)
    declared = _declared(subject).get(field)
    if declared is None or verdict is Verdict.A_VERIFIER:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    if declared.stored != value_seen:
        raise _another_value(declared)
    reason, reason_ar = _checked_reason(reason, reason_ar) if verdict is Verdict.REFUSE else ("", "")
    row = _row(subject, field)
    if row is not None and row.value_seen == value_seen:
        if (row.verdict, row.reason, row.reason_ar, row.by_id) == (verdict, reason, reason_ar, actor.user_id):
            return row
        if seen_at is not None and row.at.isoformat() != seen_at:
            raise _overtaken(row.by_id, row.at, state_label(row.verdict))
    if row is None:
        row = FieldVerdict(field=field)
        if isinstance(subject, CertificateRequest):
            row.request_id = subject.id
        else:
            row.organisation_id = subject.id
        db.session.add(row)
    row.verdict, row.reason, row.reason_ar, row.value_seen = verdict, reason, reason_ar, value_seen
    row.by_id, row.at = actor.user_id, clock.now()
    audit.record(actor, "judge_field", subject, after={"field": field, "verdict": verdict, "reason": reason})
    if verdict is Verdict.REFUSE:
        _void_approvals(subject, actor, str(field_name(field)))
        _tell_if_no_ask_will(subject, Point(reason, field=field, reason_ar=reason_ar))
    db.session.flush()
    return row


def document_verdict_since(document_id: int, expected_version: int | None) -> StaleObject | None:
    """What somebody said of the document after a page was opened; None when the page showed the latest (REV-7).

    For a ✗ whose reason is still to be written: its form would show the file of now, and the page would no longer be
    stale when it is sent.
    """
    document = db.session.get_one(Document, document_id, populate_existing=True)
    if expected_version is None or document.version == expected_version:
        return None
    return _overtaken(document.verdict_by_id, document.verdict_at, state_label(document.verdict))


def field_verdict_since(
    field: str,
    *,
    value_seen: str,
    seen_at: str | None,
    request_id: int | None = None,
    organisation_id: int | None = None,
) -> StaleObject | None:
    """The same of a declared field: another value than the page showed, or another verdict."""
    subject: Subject | None = (
        db.session.get(CertificateRequest, request_id)
        if request_id is not None
        else db.session.get(Organisation, organisation_id)
    )
    declared = _declared(subject).get(field) if subject is not None else None
    if subject is None or declared is None:
        return None
    if declared.stored != value_seen:
        return _another_value(declared)
    row = _row(subject, field)
    if row is None or row.value_seen != value_seen or seen_at is None or row.at.isoformat() == seen_at:
        return None
    return _overtaken(row.by_id, row.at, state_label(row.verdict))


def _another_value(declared: Declared) -> StaleObject:
    return StaleObject(
        _(
            "« %(field)s » a changé depuis l'ouverture de la page : c'est maintenant « %(value)s ». Relisez.",
            field=str(field_name(declared.name)),
            value=declared.shown,
        )
    )


def _row(subject: Subject, field: str) -> FieldVerdict | None:
    column = FieldVerdict.request_id if isinstance(subject, CertificateRequest) else FieldVerdict.organisation_id
    return db.session.scalar(select(FieldVerdict).where(column == subject.id, FieldVerdict.field == field))


def _declared(subject: Subject) -> dict[str, Declared]:
    found = (
        declared_of_request(subject)
        if isinstance(subject, CertificateRequest)
        else declared_of_organisation(subject, administrators_of(subject.id))
    )
    return {each.name: each for each in found}


def _locked_subject(actor: Actor, *, request_id: int | None, organisation_id: int | None) -> Subject:
    """The request or the organisation judged, locked, if this actor may judge it in its state."""
    if request_id is not None:
        _staff_only(actor, Permission.REVIEW_FILES)
        request = lock(CertificateRequest, request_id)
        require_officer(hands_on_request(actor, request))
        if request.state not in REVIEWED_REQUESTS:
            raise _closed(request.state)
        return request
    _staff_only(actor, Permission.VERIFY_ORGANISATIONS)
    organisation = lock(Organisation, organisation_id or 0)
    require_officer(hands_on_organisation(actor, organisation))
    if organisation.state not in REVIEWED_ORGANISATIONS:
        raise _closed(organisation.state)
    return organisation


def _staff_only(actor: Actor, permission: Permission) -> None:
    if not actor.is_staff:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, permission)


def _closed(state: object) -> IllegalTransition:
    return IllegalTransition(_("Ce dossier ne se vérifie pas : son état est « %(state)s ».", state=state_label(state)))


def _void_approvals(subject: Subject, actor: Actor, what: str) -> None:
    """``what`` was refused: the page says so where an approval fell (REV-2)."""
    why = _("« %(what)s » n'est pas conforme.", what=what)
    if isinstance(subject, CertificateRequest):
        cancel_approval(subject, actor=actor, why=why)
    else:
        cancel_approvals(subject.id, actor=actor, why=why)


def _overtaken(by_id: int | None, at: datetime | None, word: str) -> StaleObject:
    who = db.session.get(User, by_id) if by_id is not None else None
    if who is None or at is None:
        return StaleObject(_("Ce point a changé depuis l'ouverture de la page. Relisez-le avant de continuer."))
    return StaleObject(
        _(
            "%(who)s l'a jugé « %(word)s » le %(when)s, après l'ouverture de votre page. Relisez avant de continuer.",
            who=who.display_name,
            word=word,
            when=clock.local(at).strftime("%d/%m/%Y à %H:%M"),
        )
    )


def _checked_reason(french: str, arabic: str) -> tuple[str, str]:
    """Both texts; the French one is what everybody reads where there is no other, so Arabic may stand in it."""
    reason, reason_ar = (french.strip() or arabic.strip()), arabic.strip()
    if len(reason) < 3:
        raise DomainError(_("Écrivez le motif : le client le lira."), field="reason_text")
    if max(len(reason), len(reason_ar)) > REASON_LIMIT:
        raise DomainError(_("2 000 caractères au plus."), field="reason_text")
    return reason, reason_ar
