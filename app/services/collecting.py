"""The post office handed the token over: the holder says so, or an agent who knows it (CRT-2)."""

from __future__ import annotations

from datetime import date, datetime, time

from flask_babel import gettext as _

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound
from app.models import Certificate
from app.permissions import Actor
from app.services import outbox
from app.services.announcing import letters_of_request
from app.services.authority import hands_on_request
from app.services.links import public_url
from app.services.moving import lock_certificate, move_certificate
from app.services.unit_of_work import use_case
from app.state_labels import action_label, state_label
from app.states import CERTIFICATE_MOVES, CertificateState, NoSuchMove, find_move

MIDDAY = time(12)
"""Of a day that is known without its hour."""


@use_case
def confirm_collection(
    request_id: int, *, actor: Actor, collected_on: date | None = None, expected_version: int | None = None
) -> Certificate:
    """EXPEDIE → RETIRE, today or on the day a person or a file says; the certificate's version may be compared.

    The holder is told by mail when TunTrust says it: whoever took the token in their name is found out.
    Raises NotFound, IllegalTransition (not dispatched, collected already), Forbidden, StaleObject, DomainError on
    ``collected_on`` (in the future, before the dispatch).
    """
    certificate, request = lock_certificate(request_id)
    if not hands_on_request(actor, request):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    refused = refusal_to_collect(certificate, None)
    if certificate.state is CertificateState.RETIRE and refused:
        raise IllegalTransition(refused)
    move_certificate(certificate, request, "collect", actor=actor, expected_version=expected_version)
    refused = _wrong_day(certificate, collected_on)
    if refused:
        raise DomainError(refused, field="collected_on")
    certificate.collected_at = _moment(collected_on, certificate)
    if actor.user_id != request.applicant_id:
        holder = letters_of_request(request)[0]
        outbox.write(
            "certificate_collected",
            to=holder.to,
            locale=holder.locale,
            organisation_id=request.organisation_id,
            request_id=request.id,
            **holder.names,
            collected_on=clock.local(certificate.collected_at).date(),
            link=public_url("requests.show", reference=request.reference),
        )
    return certificate


def refusal_to_collect(certificate: Certificate | None, collected_on: date | None) -> str:
    """Why a collection cannot be recorded as things stand; « » when it can."""
    if certificate is None:
        return _("Aucun certificat n'est encore généré pour cette demande.")
    if certificate.state is CertificateState.RETIRE:
        return _("Le retrait de ce certificat est déjà noté, le %(day)s.", day=_day(certificate.collected_at))
    if certificate.state is CertificateState.GENERE:
        return _("Ce certificat n'est pas encore expédié.")
    try:
        find_move(CERTIFICATE_MOVES, certificate.state, "collect")
    except NoSuchMove:
        return _(
            "L'action « %(action)s » n'est pas possible : l'état est maintenant « %(state)s ».",
            action=action_label("collect"),
            state=state_label(certificate.state),
        )
    return _wrong_day(certificate, collected_on)


def _wrong_day(certificate: Certificate, collected_on: date | None) -> str:
    if collected_on is None:
        return ""
    if collected_on > clock.today():
        return _("Ce jour n'est pas encore venu.")
    sent = certificate.dispatched_at
    if sent is not None and collected_on < clock.local(sent).date():
        return _("Le colis n'a été expédié que le %(day)s.", day=_day(sent))
    return ""


def _moment(collected_on: date | None, certificate: Certificate) -> datetime:
    """Now, or midday of an earlier day; never before the parcel left."""
    if collected_on is None or collected_on == clock.today():
        return clock.now()
    moment = datetime.combine(collected_on, MIDDAY, tzinfo=clock.TUNIS)
    return max(moment, certificate.dispatched_at or moment)


def _day(moment: datetime | None) -> str:
    return clock.local(moment).strftime("%d/%m/%Y") if moment is not None else "—"
