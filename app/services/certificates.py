"""The generated certificate, recorded from the file the authority gave (CRT-1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound
from app.extensions import db
from app.identifiers import fold
from app.inspection.certificates import CertificateFacts, is_issued_by, read_certificate
from app.inspection.roots import Root
from app.models import Certificate, CertificateRequest
from app.permissions import Actor, Permission
from app.services import audit, history
from app.services.authority import hands_on_request, require, require_officer
from app.services.locking import check_version, lock, overtaken_by
from app.services.settings import certificate_issuers
from app.services.unit_of_work import use_case
from app.state_labels import state_label
from app.states import CertificateState, RequestState


class Named(Protocol):
    """Whoever has a name and an identity number: a request, or a row of a list of them."""

    @property
    def common_name(self) -> str:
        """The CN as it was to be issued."""

    @property
    def identity_number(self) -> str:
        """CIN, passport or residence card."""


CLOCK_TOLERANCE = timedelta(hours=24)
"""An authority's clock, or a validity that begins at midnight elsewhere, may be that far ahead."""


@use_case
def record_certificate(
    request_id: int, data: bytes, *, actor: Actor, expected_version: int | None = None
) -> Certificate:
    """Keep the certificate generated for an approved request, as read from the file itself.

    Raises NotFound, Forbidden, IllegalTransition (not approved, one recorded already), StaleObject,
    UnreadableCertificate, DomainError on ``file`` naming everything that is wrong.
    """
    request = lock(CertificateRequest, request_id)
    hands = hands_on_request(actor, request)
    if not hands:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, Permission.RECORD_CERTIFICATES)
    require_officer(hands)
    try:
        _check_awaited(request)
    except IllegalTransition as refusal:
        why = overtaken_by(request, expected_version, for_staff=actor.is_staff)
        raise IllegalTransition(f"{refusal} {why}".strip()) from None
    check_version(request, expected_version, for_staff=actor.is_staff)
    facts = read_certificate(data)
    faults = [
        *faults_of(facts),
        *untrusted(facts, certificate_issuers()),
        *disagreements(facts, request),
        *_known(facts),
    ]
    if faults:
        raise DomainError(_("Ce certificat n'est pas enregistré. %(why)s", why=" ".join(faults)), field="file")
    certificate = _kept(facts, request, actor)
    request.version += 1
    history.write(
        actor,
        "record_certificate",
        request_id=request.id,
        organisation_id=request.organisation_id,
        from_state=request.state,
        to_state=request.state,
        details={"serial_number": facts.serial_number},
    )
    audit.record(
        actor,
        "record_certificate",
        certificate,
        after={"serial": facts.serial_number, "issuer": facts.issuer, "fingerprint": facts.fingerprint},
    )
    return certificate


def refusal_to_record(request: CertificateRequest) -> str:
    """Why no certificate can be recorded for this request as things stand; « » when one is awaited."""
    try:
        _check_awaited(request)
    except IllegalTransition as refusal:
        return str(refusal)
    return ""


def _check_awaited(request: CertificateRequest) -> None:
    if request.certificate is not None:
        raise IllegalTransition(
            _("Un certificat est déjà enregistré pour cette demande (n° de série %(serial)s).",
              serial=request.certificate.serial_number)
        )  # fmt: skip
    if request.state is not RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
        raise IllegalTransition(
            _(
                "Aucun certificat n'est attendu : l'état est « %(state)s ».",
                state=state_label(request.state),
            )
        )
    if request.approved_at is None:
        raise IllegalTransition(_("Approuvez la demande avant d'enregistrer son certificat."))


def _kept(facts: CertificateFacts, request: CertificateRequest, actor: Actor) -> Certificate:
    certificate = Certificate(
        request_id=request.id,
        state=CertificateState.GENERE,
        serial_number=facts.serial_number,
        issuer=facts.issuer,
        subject=facts.subject,
        not_before=facts.not_before,
        not_after=facts.not_after,
        key_description=facts.key_description,
        fingerprint=facts.fingerprint,
        pem=facts.pem,
        recorded_at=clock.now(),
        recorded_by_id=actor.user_id,
    )
    db.session.add(certificate)
    try:
        db.session.flush()
    except IntegrityError:  # the same file for two requests in the same instant
        raise DomainError(_("Ce certificat vient d'être enregistré pour une autre demande."), field="file") from None
    return certificate


def faults_of(facts: CertificateFacts) -> list[str]:
    """What is wrong with the certificate whatever the request: its time, its key."""
    found = []
    if facts.not_after <= clock.now():
        found.append(_("Il a expiré le %(day)s.", day=clock.local(facts.not_after).strftime("%d/%m/%Y")))
    elif facts.not_before > clock.now() + CLOCK_TOLERANCE:
        found.append(
            _("Il n'est valable qu'à partir du %(day)s.", day=clock.local(facts.not_before).strftime("%d/%m/%Y"))
        )
    if not facts.key_is_strong:
        found.append(
            _("Sa clé est trop faible (%(key)s) : RSA 2048 bits ou EC 256 bits au moins.", key=facts.key_description)
        )
    return found


def untrusted(facts: CertificateFacts, issuers: Sequence[Root]) -> list[str]:
    """That none of the authorities named in the settings signed it; nothing to say while none is named (CRT-1)."""
    if not issuers or any(is_issued_by(facts.pem, issuer.pem) for issuer in issuers):
        return []
    return [
        _(
            "Son émetteur (%(issuer)s) n'est pas une des autorités réglées : %(names)s.",
            issuer=facts.issuer,
            names=", ".join(issuer.name for issuer in issuers),
        )
    ]


def disagreements(facts: CertificateFacts, request: Named) -> list[str]:
    """Where the certificate names somebody else than the request: CN and identity number, spelling folded."""
    found = []
    if facts.common_name and name_words(facts.common_name) != name_words(request.common_name):
        found.append(
            _(
                "Son CN est « %(found)s », la demande attend « %(wanted)s ».",
                found=facts.common_name,
                wanted=request.common_name,
            )
        )
    number = facts.identity_number
    if number and fold(number) != fold(request.identity_number):
        found.append(
            _(
                "Son numéro d'identité est « %(found)s », celui de la demande « %(wanted)s ».",
                found=number,
                wanted=request.identity_number,
            )
        )
    if not facts.common_name and not number:
        found.append(_("Il ne nomme personne : ni CN ni numéro d'identité."))
    return found


def name_words(name: str) -> list[str]:
    """A name's words, folded and sorted: spelling and order do not matter."""
    return sorted(fold(name).split())


def _known(facts: CertificateFacts) -> list[str]:
    other = db.session.scalar(
        select(CertificateRequest.reference)
        .join(Certificate, Certificate.request_id == CertificateRequest.id)
        .where(Certificate.issuer == facts.issuer, Certificate.serial_number == facts.serial_number)
    )
    return [_("Il est déjà enregistré pour %(reference)s.", reference=other)] if other is not None else []
