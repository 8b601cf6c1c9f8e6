"""An order with its requests, accounts and invitations, made together (ORD-4, ORD-5, APP-1).

The same for three people and for five hundred: what can be written at once is, so that the locks are held shortly.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import selectinload

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.identifiers import common_name
from app.models import CertificateRequest, Order, Organisation, User
from app.permissions import Actor, Role
from app.queries import reference
from app.queries.people import administers_something
from app.services import audit, history, numbering, outbox, search_columns, settings
from app.services.accounts import grant_role
from app.services.activation import give_temporary_password
from app.services.declared import PERSON_FIELDS
from app.services.inspecting import ask_inspection
from app.services.links import public_url
from app.services.order_lines import RequestLine
from app.services.replacing import replaced_reference
from app.states import RequestState

_BATCH = 200


def create_order(actor: Actor, organisation: Organisation, lines: Sequence[RequestLine]) -> Order:
    """One order of NON_FINALISEE requests from lines that were checked. Inside a use case, the organisation locked.

    Each applicant is invited; who has no account gets one with a temporary password (APP-1).
    """
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
    references = numbering.next_references("DEM", len(lines))
    applicants = applicant_accounts(actor, lines)
    requests = _requests(actor, order, organisation, lines, references, applicants)
    for request, line in zip(requests, lines, strict=True):
        applicant, temporary = applicants[line.email]
        history.write(
            actor,
            "create",
            request_id=request.id,
            organisation_id=organisation.id,
            to_state=RequestState.NON_FINALISEE,
            reason=line.duplicate_reason,
            details={"order": order.reference, **replaced_reference(line)},
        )
        audit.record(actor, "create_request", request, after={"reference": request.reference})
        ask_inspection(request_id=request.id, actor=actor, new=True)
        write_invitation(request, organisation, applicant, temporary)
    audit.record(actor, "send_order", order, after={"reference": order.reference, "requests": len(lines)})
    return order


def _requests(
    actor: Actor,
    order: Order,
    organisation: Organisation,
    lines: Sequence[RequestLine],
    references: Sequence[str],
    applicants: dict[str, tuple[User, str | None]],
) -> list[CertificateRequest]:
    domains = {domain.id: domain for domain in reference.usage_domains()}
    kinds = {(line.certificate_type_id, line.validity_years) for line in lines}
    prices = {kind: reference.current_tariff(*kind).price_ht for kind in kinds}
    requests = []
    for reference_, line in zip(references, lines, strict=True):
        request = CertificateRequest(
            reference=reference_,
            order_id=order.id,
            organisation_id=organisation.id,
            applicant_id=applicants[line.email][0].id,
            certificate_type_id=line.certificate_type_id,
            validity_years=line.validity_years,
            common_name=common_name(line.first_name, line.last_name),
            state=RequestState.NON_FINALISEE,
            state_changed_at=order.created_at,
            created_at=order.created_at,
            created_by_id=actor.user_id,
            price_ht=prices[line.certificate_type_id, line.validity_years],
            duplicate_reason=line.duplicate_reason,
            replaces_id=line.replaces_id,
            **person_of(line),
        )
        request.domains = [domains[domain_id] for domain_id in line.domain_ids]
        search_columns.fill_request(request, organisation)
        requests.append(request)
    db.session.add_all(requests)
    db.session.flush()
    return requests


def person_of(line: RequestLine) -> dict[str, Any]:
    """What a ``PersonMixin`` row takes of a line."""
    return {name: getattr(line, name) for name in PERSON_FIELDS}


def applicant_account(actor: Actor, line: RequestLine) -> tuple[User, str | None]:
    """The person's account, made when there is none; with a temporary password when they need one (APP-1)."""
    return applicant_accounts(actor, [line])[line.email]


def applicant_accounts(actor: Actor, lines: Sequence[RequestLine]) -> dict[str, tuple[User, str | None]]:
    """The same for many people, by their e-mails, each of them locked.

    In the order of their e-mails: two orders at once lock them in the same order. Raises DomainError when an address
    became somebody else's meanwhile.
    """
    moment = clock.now()
    life = timedelta(days=settings.get("invitation.days"))
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    found: dict[str, tuple[User, str | None]] = {}
    ordered = sorted(lines, key=lambda line: line.email)
    for start in range(0, len(ordered), _BATCH):
        batch = ordered[start : start + _BATCH]
        rows = [{**person_of(line), "locale": "fr", "created_at": moment, "version": 1} for line in batch]
        db.session.execute(insert(User).values(rows).on_conflict_do_nothing(index_elements=["email"]))
        users = db.session.scalars(
            select(User)
            .where(User.email.in_([line.email for line in batch]))
            .order_by(User.email)
            .options(selectinload(User.grants))
            .with_for_update(of=User)
            .execution_options(populate_existing=True)
        )
        people = {line.email: line for line in batch}
        for user in users:
            _same_person(user, people[user.email])
            grant_role(user, Role.DEMANDEUR, organisation_id=None, by=actor)
            found[user.email] = user, temporary_for(user, life=life)
    return found


def _same_person(user: User, line: RequestLine) -> None:
    """Between the check and the lock somebody may have given the address to another person (ORD-3)."""
    known = (user.identity_kind, user.identity_number)
    if user.identity_number is not None and known != (line.identity_kind, line.identity_number):
        raise DomainError(
            _(
                "%(name)s : cette adresse e-mail est déjà celle d'une autre personne : chacun doit avoir la sienne.",
                name=line.full_name,
            )
        )


def temporary_for(user: User, *, life: timedelta | None = None) -> str | None:
    """A fresh temporary password for an applicant who has not activated (APP-1).

    None for somebody with an account, and for an awaited administrator, whose own invitation holds.
    """
    if user.password_hash is not None or administers_something(user):
        return None
    life = life or timedelta(days=settings.get("invitation.days"))
    user.invited_at = clock.now()
    return give_temporary_password(user, until=user.invited_at + life)


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
