"""The stages of a request from its order to its token: what is done, what is awaited, of whom and by when (CRT-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _

from app import clock
from app.models import Certificate, CertificateRequest, DocumentAsk
from app.queries.uncollected import last_day
from app.services import settings
from app.states import CertificateState, OrganisationState, RequestState, Who

DONE, NOW, NEXT, ENDED = "done", "now", "next", "ended"


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of the page. ``state``: done, now, next, or ended (the request stopped there)."""

    label: str
    state: str
    on: datetime | None = None
    awaited: str = ""
    """Of whom and by when, in words: of the present stage only."""


def stages_of(request: CertificateRequest, hands: frozenset[Who], ask: DocumentAsk | None) -> list[Stage]:
    """The whole way, in order; the present stage says who must act and by when."""
    certificate = request.certificate
    moments: list[tuple[str, datetime | None]] = [
        (_("Demande créée"), request.created_at),
        (_("Validée par le demandeur"), request.validated_at),
        (_("Payée par l'organisation"), request.paid_at),
        (_("Approuvée par TunTrust"), request.approved_at),
        (_("Certificat généré"), certificate.recorded_at if certificate is not None else None),
        (_("Expédié au bureau de poste"), certificate.dispatched_at if certificate is not None else None),
        (_("Retiré par le titulaire"), certificate.collected_at if certificate is not None else None),
    ]
    present = _present(request, [moment for _label, moment in moments])
    found = []
    for place, (label, moment) in enumerate(moments):
        if place < present:
            found.append(Stage(label, DONE, moment))
        elif place == present:
            found.append(Stage(label, NOW, awaited=awaited(request, hands, ask)))
        else:
            found.append(Stage(label, NEXT))
    ending = _ending(request)
    if ending is not None:
        return [*(each for each in found if each.state == DONE), ending]
    return found


def _present(request: CertificateRequest, moments: list[datetime | None]) -> int:
    """The first stage that is not done. A request reopened for a correction is before its validation again."""
    if request.state is RequestState.NON_FINALISEE:
        return 1
    return next((place for place, moment in enumerate(moments) if moment is None), len(moments))


def _ending(request: CertificateRequest) -> Stage | None:
    certificate = request.certificate
    if certificate is not None and certificate.state is CertificateState.REVOQUE:
        return Stage(_("Certificat révoqué"), ENDED)
    if request.state is RequestState.ANNULEE:
        return Stage(_("Demande annulée"), ENDED, request.state_changed_at)
    if certificate is not None and certificate.state is CertificateState.EXPIRE:
        return Stage(_("Certificat expiré"), ENDED, certificate.not_after)
    return None


def awaited(request: CertificateRequest, hands: frozenset[Who], ask: DocumentAsk | None) -> str:
    """Of whom something is awaited now and by when; « » when nobody has anything to do."""
    if request.state is RequestState.NON_FINALISEE:
        return _validation(request, hands)
    if request.state is RequestState.EN_ATTENTE_DE_PAIEMENT:
        return _of_you(Who.ADMINISTRATOR in hands, _("votre organisation, qui règle le panier"), None)
    if request.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        return _of_client(request, hands, ask)
    if request.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
        return _of_tuntrust(request)
    if request.certificate is not None and request.certificate.state is CertificateState.EXPEDIE:
        name = f"{request.first_name} {request.last_name}"
        return _of_you(Who.APPLICANT in hands, name, collect_before(request.certificate))
    return ""


def collect_before(certificate: Certificate) -> date:
    """Until when the token waits: afterwards TunTrust may revoke its certificate (CRT-3)."""
    return last_day(certificate)


def _validation(request: CertificateRequest, hands: frozenset[Who]) -> str:
    if request.correction_asked_at is not None:
        return _of_you(Who.ADMINISTRATOR in hands, _("votre administrateur, pour une correction"), None)
    expires = request.applicant.temporary_password_expires_at if request.applicant.password_hash is None else None
    until = clock.local(expires).date() if expires is not None and expires > clock.now() else None
    return _of_you(Who.APPLICANT in hands, f"{request.first_name} {request.last_name}", until)


def _of_client(request: CertificateRequest, hands: frozenset[Who], ask: DocumentAsk | None) -> str:
    mine = bool(hands & {Who.APPLICANT, Who.ADMINISTRATOR})
    name = f"{request.first_name} {request.last_name}"
    return _of_you(mine, name, ask.due_on if ask is not None else None)


def _of_tuntrust(request: CertificateRequest) -> str:
    """The statutory delay is TunTrust's word to the client; it stands still while the client is awaited (QUE-1)."""
    if request.organisation.state is OrganisationState.PIECES_DEMANDEES:
        return _("Attendu de votre organisation : des pièces que TunTrust lui a demandées.")
    if request.approved_at is not None or request.complete_since is None:
        return _("Attendu de TunTrust.")
    due = clock.local(request.complete_since).date() + timedelta(days=int(settings.get("review.days")))
    if due < clock.today():
        return _("Attendu de TunTrust, qui devait répondre le %(day)s : ce délai est dépassé.", day=_day(due))
    return _("Attendu de TunTrust, au plus tard le %(day)s.", day=_day(due))


def _of_you(mine: bool, other: str, until: date | None) -> str:
    who = _("vous") if mine else other
    if until is None:
        return _("Attendu de %(who)s.", who=who)
    if until < clock.today():
        return _("Attendu de %(who)s ; la date du %(day)s est passée.", who=who, day=_day(until))
    return _("Attendu de %(who)s, avant le %(day)s.", who=who, day=_day(until))


def _day(day: date) -> str:
    return day.strftime("%d/%m/%Y")
