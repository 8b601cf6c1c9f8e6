"""« Renvoyer »: the last mail of a request's people that still makes sense (QUE-4, ORD-7, REV-5)."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from app import clock
from app.errors import DomainError, NotFound, TooManyAttempts
from app.models import CertificateRequest, User
from app.permissions import Actor, Permission
from app.queries.asks import open_ask
from app.services import attempts, audit, history, outbox
from app.services.announcing import recipients_of_request
from app.services.asking import Point, mail_context
from app.services.authority import hands_on_request, require, require_officer
from app.services.locking import check_version, lock
from app.services.ordering import invite_again
from app.services.unit_of_work import use_case
from app.state_labels import state_label
from app.states import RequestState

PAUSE = timedelta(hours=1)
RESENDABLE = (RequestState.NON_FINALISEE, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
"""Where the request waits for its people, and a mail told them so."""


@use_case
def resend_last_mail(request_id: int, *, actor: Actor, expected_version: int | None = None) -> str:
    """The invitation, or « Pièces manquantes » with what is still unanswered; at most once an hour a person.

    Returns what was sent, in a sentence. Raises NotFound, Forbidden, StaleObject, DomainError (nobody waits, or
    everybody had one within the hour).
    """
    if not actor.is_staff:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, Permission.REVIEW_FILES)
    request = lock(CertificateRequest, request_id)
    require_officer(hands_on_request(actor, request))
    refusal = refusal_to_resend(request)
    if refusal:
        raise DomainError(refusal)
    check_version(request, expected_version, for_staff=True)
    if request.state is RequestState.NON_FINALISEE:
        try:
            invite_again(request, actor=actor)
        except TooManyAttempts:
            raise DomainError(_("L'invitation est déjà partie il y a moins d'une heure.")) from None
        return _("Invitation renvoyée au demandeur.")
    sent = _remind_of_papers(request)
    history.write(actor, "reminder_sent", request_id=request.id, organisation_id=request.organisation_id)
    audit.record(actor, "resend_papers_asked", request, after={"mails": sent})
    return ngettext("Rappel envoyé à %(num)d personne.", "Rappel envoyé à %(num)d personnes.", sent)


def refusal_to_resend(request: CertificateRequest) -> str:
    """Why no mail makes sense in this state, or « »."""
    if request.state in RESENDABLE:
        return ""
    return _("Aucun courriel n'est à renvoyer : l'état est « %(state)s ».", state=state_label(request.state))


def _remind_of_papers(request: CertificateRequest) -> int:
    ask = open_ask(request.id)
    waiting = [item for item in ask.items if item.answered_at is None] if ask is not None else []
    if ask is None or not waiting:
        raise DomainError(_("Tous les points demandés ont leur réponse."))
    people = [one for one in recipients_of_request(request) if _not_within_the_hour(one)]
    if not people:
        raise DomainError(_("Un rappel est déjà parti à ces personnes il y a moins d'une heure."))
    points = [
        Point(item.reason, document_kind=item.document_kind, field=item.field, reason_ar=item.reason_ar)
        for item in waiting
    ]
    due_on = ask.due_on if ask.due_on is not None and ask.due_on >= clock.today() else None
    for one in people:
        outbox.write(
            "documents_missing",
            to=one.email,
            locale=one.locale,
            organisation_id=request.organisation_id,
            request_id=request.id,
            name=one.display_name,
            own=one.id == request.applicant_id,
            applicant=f"{request.first_name} {request.last_name}",
            organisation=request.organisation.legal_name,
            reference=request.reference,
            **mail_context(request, points, ask.message, due_on),
        )
    return len(people)


def _not_within_the_hour(person: User) -> bool:
    try:
        attempts.count_attempt(attempts.key_for("reminder", str(person.id)), limit=1, window=PAUSE)
    except TooManyAttempts:
        return False
    return True
