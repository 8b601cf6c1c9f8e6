"""Ordering certificates: the list under way and sending it as one order (ORD-3, ORD-4, APP-1)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from app import clock
from app.errors import DomainError, NotFound, TooManyAttempts, ValidationFailed
from app.extensions import db
from app.identifiers import common_name
from app.models import (
    CertificateRequest,
    CertificateType,
    IdentityKind,
    Order,
    OrderDraftLine,
    Organisation,
    UsageDomain,
    User,
)
from app.permissions import Actor, Permission, Role
from app.queries import chasing, reference
from app.queries.people import administers_something
from app.services import attempts, audit, history, numbering, outbox, search_columns, settings
from app.services.accounts import grant_role
from app.services.activation import give_temporary_password
from app.services.authority import require_organisation
from app.services.inspecting import ask_inspection
from app.services.links import public_url
from app.services.locking import lock
from app.services.unit_of_work import use_case
from app.states import ORDERING_STATES, RequestState

LIST_LIMIT = 100
"""People on one list; more go through a file (ORD-5)."""


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One person of the list, as declared; identifiers already in their stored form."""

    certificate_type_id: int
    validity_years: int
    domain_ids: tuple[int, ...]
    for_self: bool
    last_name: str
    first_name: str
    last_name_ar: str
    first_name_ar: str
    birth_date: date
    nationality: str
    identity_kind: IdentityKind
    identity_number: str
    mobile: str
    email: str

    def to_json(self) -> dict[str, Any]:
        """For the draft's row."""
        return {**asdict(self), "domain_ids": list(self.domain_ids), "birth_date": self.birth_date.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RequestLine:
        """From the draft's row."""
        return cls(
            **{
                **data,
                "domain_ids": tuple(data["domain_ids"]),
                "birth_date": date.fromisoformat(data["birth_date"]),
                "identity_kind": IdentityKind(data["identity_kind"]),
            }
        )

    @property
    def identity(self) -> tuple[IdentityKind, str, str]:
        """What makes two lines the same person."""
        return (self.identity_kind, self.identity_number, self.nationality)


def draft_lines(actor: Actor, organisation_id: int) -> list[tuple[int, RequestLine]]:
    """The actor's list under way for an organisation, in the order it was entered."""
    rows = db.session.scalars(
        select(OrderDraftLine)
        .where(OrderDraftLine.organisation_id == organisation_id, OrderDraftLine.user_id == actor.user_id)
        .order_by(OrderDraftLine.id)
    )
    return [(row.id, RequestLine.from_json(row.data)) for row in rows]


@use_case
def save_line(actor: Actor, organisation_id: int, line: RequestLine, *, line_id: int | None = None) -> int:
    """« Ajouter à la liste des demandes », or a corrected line; returns its id.

    Raises ValidationFailed beside the fields: e-mail or identity document already on the list or somebody
    else's, product or domain no longer on offer. DomainError when the organisation may not order.
    """
    organisation = _orderable(actor, organisation_id)
    line = _as_self(actor, line) if line.for_self else line
    _check_offer(line)
    others = [(other_id, other) for other_id, other in draft_lines(actor, organisation.id) if other_id != line_id]
    if len(others) >= LIST_LIMIT:
        raise DomainError(_("La liste est limitée à %(n)d personnes : envoyez-la, puis continuez.", n=LIST_LIMIT))
    check_person(actor, line, [other for _id, other in others])
    moment = clock.now()
    if line_id is None:
        row = OrderDraftLine(organisation_id=organisation.id, user_id=actor.user_id, created_at=moment)
        db.session.add(row)
    else:
        row = _own_line(actor, organisation.id, line_id)
    row.data = line.to_json()
    row.updated_at = moment
    db.session.flush()
    return row.id


@use_case
def remove_line(actor: Actor, organisation_id: int, line_id: int) -> None:
    """Take a person off the list; one already gone is no error (double click)."""
    require_organisation(actor, organisation_id, Permission.ORDER_CERTIFICATES)
    db.session.execute(
        delete(OrderDraftLine).where(
            OrderDraftLine.id == line_id,
            OrderDraftLine.organisation_id == organisation_id,
            OrderDraftLine.user_id == actor.user_id,
        )
    )


def _own_line(actor: Actor, organisation_id: int, line_id: int) -> OrderDraftLine:
    row = db.session.scalar(
        select(OrderDraftLine)
        .where(
            OrderDraftLine.id == line_id,
            OrderDraftLine.organisation_id == organisation_id,
            OrderDraftLine.user_id == actor.user_id,
        )
        .with_for_update()
    )
    if row is None:
        raise NotFound(_("Cette ligne n'est plus dans la liste."))
    return row


@use_case
def send_order(actor: Actor, organisation_id: int, *, attested: bool) -> Order:
    """« Envoyer les demandes »: the whole list becomes one order of NON_FINALISEE requests, or nothing does.

    Each applicant is mailed « Création de la demande de certificat », with a temporary password unless they
    have an account (APP-1). The list is locked: a second click finds it empty. Raises DomainError for an empty
    list, a missing attestation, or a line that is no longer right (it says whose).
    """
    organisation = lock(Organisation, organisation_id)
    _orderable(actor, organisation.id)
    rows = db.session.scalars(
        select(OrderDraftLine)
        .where(OrderDraftLine.organisation_id == organisation.id, OrderDraftLine.user_id == actor.user_id)
        .order_by(OrderDraftLine.id)
        .with_for_update()
    ).all()
    lines = [RequestLine.from_json(row.data) for row in rows]
    if not lines:
        raise DomainError(_("La liste est vide : elle a peut-être déjà été envoyée. Voyez l'historique des commandes."))
    if not attested:
        raise DomainError(_("Cochez l'attestation pour envoyer les demandes."), field="attestation")
    for line in lines:
        _recheck(actor, line, lines)
    order = _create_order(actor, organisation, lines)
    for row in rows:
        db.session.delete(row)
    return order


def _recheck(actor: Actor, line: RequestLine, lines: list[RequestLine]) -> None:
    try:
        _check_offer(line)
        check_person(actor, line, [other for other in lines if other is not line])
    except ValidationFailed as failed:
        sentence = next(iter(failed.errors.values()))
        raise DomainError(
            _("%(name)s : %(why)s", name=f"{line.first_name} {line.last_name}", why=str(sentence))
        ) from failed


def _create_order(actor: Actor, organisation: Organisation, lines: list[RequestLine]) -> Order:
    moment = clock.now()
    order = Order(
        reference=numbering.next_reference("CMD"),
        organisation_id=organisation.id,
        created_by_id=actor.user_id,
        created_at=moment,
        attested_at=moment,
    )
    db.session.add(order)
    db.session.flush()
    domains = {domain.id: domain for domain in reference.usage_domains()}
    references = numbering.next_references("DEM", len(lines))
    # People in the order of their e-mails: two orders at once lock them in the same order.
    applicants = {line.email: applicant_account(actor, line) for line in sorted(lines, key=lambda line: line.email)}
    for reference_, line in zip(references, lines, strict=True):
        applicant, temporary = applicants[line.email]
        request = CertificateRequest(
            reference=reference_,
            order_id=order.id,
            organisation_id=organisation.id,
            applicant_id=applicant.id,
            certificate_type_id=line.certificate_type_id,
            validity_years=line.validity_years,
            common_name=common_name(line.first_name, line.last_name),
            state=RequestState.NON_FINALISEE,
            state_changed_at=moment,
            created_at=moment,
            created_by_id=actor.user_id,
            price_ht=reference.current_tariff(line.certificate_type_id, line.validity_years).price_ht,
            **_person(line),
        )
        request.domains = [domains[domain_id] for domain_id in line.domain_ids]
        search_columns.fill_request(request, organisation)
        db.session.add(request)
        db.session.flush()
        history.write(
            actor,
            "create",
            request_id=request.id,
            organisation_id=organisation.id,
            to_state=RequestState.NON_FINALISEE,
            details={"order": order.reference},
        )
        audit.record(actor, "create_request", request, after={"reference": request.reference})
        ask_inspection(request_id=request.id, actor=actor, new=True)
        write_invitation(request, organisation, applicant, temporary)
    audit.record(actor, "send_order", order, after={"reference": order.reference, "requests": len(lines)})
    return order


def _person(line: RequestLine) -> dict[str, Any]:
    return {
        name: getattr(line, name)
        for name in (
            "last_name",
            "first_name",
            "last_name_ar",
            "first_name_ar",
            "birth_date",
            "nationality",
            "identity_kind",
            "identity_number",
            "mobile",
            "email",
        )
    }


def applicant_account(actor: Actor, line: RequestLine) -> tuple[User, str | None]:
    """The person's account, made when there is none; with a temporary password when they need one (APP-1)."""
    moment = clock.now()
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.session.execute(
        insert(User)
        .values(**_person(line), locale="fr", created_at=moment, version=1)
        .on_conflict_do_nothing(index_elements=["email"])
    )
    user = db.session.scalars(
        select(User).where(User.email == line.email).with_for_update().execution_options(populate_existing=True)
    ).one()
    grant_role(user, Role.DEMANDEUR, organisation_id=None, by=actor)
    return user, _temporary_for(user)


def _temporary_for(user: User) -> str | None:
    """A fresh temporary password for an applicant who has not activated (APP-1).

    None for somebody with an account, and for an awaited administrator, whose own invitation holds.
    """
    if user.password_hash is not None or administers_something(user):
        return None
    user.invited_at = clock.now()
    return give_temporary_password(user, until=user.invited_at + timedelta(days=settings.get("invitation.days")))


def write_invitation(
    request: CertificateRequest, organisation: Organisation, applicant: User, temporary: str | None
) -> None:
    """« Création de la demande de certificat », with the temporary password if there is one (APP-1). In a use case."""
    outbox.write(
        "request_created",
        to=applicant.email,
        locale=applicant.locale,
        secret=temporary is not None,
        organisation_id=organisation.id,
        request_id=request.id,
        name=f"{request.first_name} {request.last_name}",
        organisation=organisation.legal_name,
        reference=request.reference,
        temporary_password=temporary,
        expires_at=applicant.temporary_password_expires_at if temporary else None,
        link=public_url("requests.show", reference=request.reference),
        login=public_url("auth.login"),
    )


@use_case
def resend_invitation(actor: Actor, request_id: int) -> None:
    """Mail the applicant again, at most once an hour a person (APP-1, ORD-7). Raises DomainError, TooManyAttempts."""
    request = db.session.get(CertificateRequest, request_id)
    if request is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require_organisation(actor, request.organisation_id, Permission.ORDER_CERTIFICATES)
    invite_again(lock(CertificateRequest, request_id), actor=actor)


def invite_again(request: CertificateRequest, *, actor: Actor) -> bool:
    """The applicant's invitation once more, for a request the caller locked; did a temporary password go with it?

    Inside a use case; raises the same.
    """
    if request.state is not RequestState.NON_FINALISEE:
        raise DomainError(_("Cette demande n'attend plus le demandeur."))
    applicant = lock(User, request.applicant_id)
    try:
        attempts.count_attempt(chasing.invitation_key(applicant.id), limit=1, window=chasing.PAUSE)
    except TooManyAttempts as wait:
        raise TooManyAttempts(_told_within_the_hour(request, wait.retry_after), retry_after=wait.retry_after) from wait
    temporary = _temporary_for(applicant)
    write_invitation(request, request.organisation, applicant, temporary)
    history.write(actor, "invitation_resent", request_id=request.id, organisation_id=request.organisation_id)
    audit.record(actor, "resend_invitation", request)
    return temporary is not None


def _told_within_the_hour(request: CertificateRequest, seconds: int) -> str:
    return ngettext(
        "%(name)s a déjà été relancé(e) il y a moins d'une heure : réessayez dans %(num)d minute.",
        "%(name)s a déjà été relancé(e) il y a moins d'une heure : réessayez dans %(num)d minutes.",
        -(-seconds // 60),
        name=f"{request.first_name} {request.last_name}",
    )


def _orderable(actor: Actor, organisation_id: int) -> Organisation:
    require_organisation(actor, organisation_id, Permission.ORDER_CERTIFICATES)
    organisation = db.session.get_one(Organisation, organisation_id)
    if organisation.state not in ORDERING_STATES:
        raise DomainError(_("Votre organisation ne peut pas commander pour le moment. Voyez « Mon organisation »."))
    return organisation


def _as_self(actor: Actor, line: RequestLine) -> RequestLine:
    """« Je suis le demandeur du certificat »: the actor's own account, so no second one is made (ORD-3)."""
    user = db.session.get_one(User, actor.user_id)
    return replace(line, email=user.email)


def _check_offer(line: RequestLine) -> None:
    product = db.session.get(CertificateType, line.certificate_type_id)
    if product is None or not product.active or line.validity_years not in reference.validities(product.id):
        raise ValidationFailed(_("Ce certificat n'est plus proposé."), {"validity_years": _("Choisissez une durée.")})
    known = set(db.session.scalars(select(UsageDomain.id).where(UsageDomain.active)))
    if not line.domain_ids or not set(line.domain_ids) <= known:
        raise ValidationFailed(
            _("Domaine d'utilisation à choisir."), {"domains": _("Choisissez au moins un domaine d'utilisation.")}
        )


def check_person(actor: Actor, line: RequestLine, others: list[RequestLine]) -> None:
    """One e-mail, one person (ORD-3), on the list and among existing accounts."""
    errors: dict[str, object] = {}
    for other in others:
        if other.identity == line.identity:
            errors["identity_number"] = _("Cette personne est déjà dans la liste.")
        elif other.email == line.email:
            errors["email"] = _("Une autre personne de la liste a déjà cette adresse e-mail.")
    user = db.session.scalar(select(User).where(User.email == line.email))
    if user is not None and not errors:
        if user.id == actor.user_id and not line.for_self:
            errors["email"] = _("C'est votre propre adresse : cochez « Je suis le demandeur du certificat ».")
        elif user.identity_number is not None and (user.identity_kind, user.identity_number) != (
            line.identity_kind,
            line.identity_number,
        ):
            field = "identity_number" if line.for_self else "email"
            errors[field] = (
                _("Ce numéro n'est pas celui de votre compte.")
                if line.for_self
                else _("Cette adresse e-mail est déjà celle d'une autre personne : chacun doit avoir la sienne.")
            )
        elif user.identity_number is None and not line.for_self:
            errors["email"] = _("Cette adresse e-mail ne peut pas être utilisée pour un demandeur.")
    if errors:
        raise ValidationFailed(_("Corrigez les points signalés."), errors)
