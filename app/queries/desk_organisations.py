"""The list of organisations that TunTrust's people verify from (QUE-1, QUE-2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import aliased

from app.extensions import db
from app.models import (
    CertificateRequest,
    Contract,
    CreditNote,
    Document,
    Governorate,
    Invoice,
    LegalRepresentative,
    Organisation,
    OrganisationCategory,
    RegistrationCountry,
    RoleGrant,
    User,
)
from app.permissions import Actor, Permission
from app.queries.exact import Kind, identifiers_in
from app.queries.lists import Filter, Sort, Source, Tab, since, until
from app.queries.request_filters import agents, whole_number
from app.queries.searching import Found, by_identifiers, by_words
from app.state_labels import choices_of
from app.states import OrganisationState

O = Organisation  # noqa: E741 - the letter of the table, as R is in desk_requests
_IN_REVIEW = (OrganisationState.A_VERIFIER, OrganisationState.PIECES_DEMANDEES)


def _to_take(_actor: Actor) -> ColumnElement[bool]:
    return and_(O.state == OrganisationState.A_VERIFIER, O.assigned_to_id.is_(None))


def _mine(actor: Actor) -> ColumnElement[bool]:
    return and_(O.state.in_(_IN_REVIEW), O.assigned_to_id == actor.user_id)


def _in(*states: OrganisationState) -> Callable[[Actor], ColumnElement[bool]]:
    return lambda _actor: O.state.in_(states)


TABS = (
    Tab("a-prendre", _l("À prendre"), _to_take, "attente"),
    Tab("les-miennes", _l("Les miennes"), _mine, "attente"),
    Tab("en-attente-du-client", _l("En attente du client"), _in(OrganisationState.PIECES_DEMANDEES), "attente"),
    Tab("a-verifier", _l("Toutes à vérifier"), _in(OrganisationState.A_VERIFIER), "attente"),
    Tab("verifiees", _l("Vérifiées"), _in(OrganisationState.VERIFIEE), "creation", descending=True),
    Tab(
        "en-attente-d-activation",
        _l("En attente d'activation"),
        _in(OrganisationState.EN_ATTENTE_ACTIVATION),
        "creation",
        descending=True,
    ),
    Tab(
        "fermees",
        _l("Rejetées et suspendues"),
        _in(OrganisationState.REJETEE, OrganisationState.SUSPENDUE),
        "creation",
        descending=True,
    ),
    Tab("toutes", _l("Toutes"), lambda _actor: None, "creation", descending=True),
)


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    agent = aliased(User)
    signed_verdict = (
        select(Document.verdict)
        .join(Contract, Contract.signed_document_id == Document.id)
        .where(Contract.organisation_id == O.id, Contract.superseded_at.is_(None))
        .order_by(Contract.version_number.desc())
        .limit(1)
    )
    return (
        select(
            O.id,
            O.reference,
            O.legal_name,
            O.legal_name_ar,
            O.trade_name,
            O.category,
            O.registration_country,
            O.country,
            O.tax_id,
            O.register_number,
            func.coalesce(O.tax_id, O.register_number).label("number"),
            O.address,
            O.postal_code,
            O.city,
            O.phone,
            O.state,
            O.created_at,
            O.activated_at,
            O.complete_since,
            O.clock_paused_at,
            O.verified_at,
            O.assigned_to_id,
            Governorate.name_fr.label("governorate"),
            (LegalRepresentative.first_name + " " + LegalRepresentative.last_name).label("representative"),
            func.trim(agent.first_name + " " + agent.last_name).label("agent"),
            signed_verdict.correlate(O).scalar_subquery().label("signed_verdict"),
        )
        .outerjoin(Governorate, Governorate.id == O.governorate_id)
        .outerjoin(LegalRepresentative, LegalRepresentative.organisation_id == O.id)
        .outerjoin(agent, agent.id == O.assigned_to_id)
    )


def search(text: str) -> Found:
    """Exact identifiers by their own index; anything else by words and names."""
    found = [_exact(kind, value) for kind, value in identifiers_in(text).items()]
    exact = [condition for condition in found if condition is not None]
    return by_identifiers(O, exact) or by_words(O, text)


def _exact(kind: Kind, value: str) -> ColumnElement[bool] | None:
    if kind is Kind.TAX_ID:
        return O.tax_id == value
    if kind is Kind.REFERENCE:
        if value.startswith("CTR"):
            return O.id.in_(select(Contract.organisation_id).where(Contract.number == value))
        if value.startswith("FAC"):
            return O.id.in_(select(Invoice.organisation_id).where(Invoice.number == value))
        if value.startswith("AV-"):
            return O.id.in_(select(CreditNote.organisation_id).where(CreditNote.number == value))
        if value.startswith("DEM"):
            return O.id.in_(select(CertificateRequest.organisation_id).where(CertificateRequest.reference == value))
        return O.reference == value
    if kind is Kind.EMAIL:
        administrators = (
            select(RoleGrant.organisation_id)
            .join(User, User.id == RoleGrant.user_id)
            .where(User.email == value, RoleGrant.organisation_id.is_not(None))
        )
        return O.id.in_(administrators)
    if kind in (Kind.CIN, Kind.IDENTITY):
        return O.id.in_(select(LegalRepresentative.organisation_id).where(LegalRepresentative.identity_number == value))
    if kind is Kind.PHONE:
        return O.phone == value
    return None


def _governorates() -> Sequence[tuple[str, str]]:
    rows = db.session.execute(select(Governorate.id, Governorate.name_fr).order_by(Governorate.name_fr))
    return [(str(row.id), row.name_fr) for row in rows]


FILTERS = (
    Filter(
        "etat",
        _l("État"),
        "choice",
        lambda value: O.state == OrganisationState(value),
        choices=lambda: choices_of(OrganisationState),
    ),
    Filter(
        "categorie",
        _l("Catégorie"),
        "choice",
        lambda value: O.category == OrganisationCategory(value),
        choices=lambda: choices_of(OrganisationCategory),
    ),
    Filter(
        "pays",
        _l("Pays d'enregistrement"),
        "choice",
        lambda value: O.registration_country == RegistrationCountry(value),
        choices=lambda: choices_of(RegistrationCountry),
    ),
    Filter(
        "gouvernorat",
        _l("Gouvernorat"),
        "choice",
        lambda value: O.governorate_id == value,
        choices=_governorates,
        parse=whole_number,
    ),
    Filter(
        "agent",
        _l("Agent"),
        "choice",
        lambda value: O.assigned_to_id == value if value else O.assigned_to_id.is_(None),
        choices=agents,
        parse=lambda text: 0 if text == "aucun" else whole_number(text),
    ),
    Filter("depuis", _l("Inscrite depuis le"), "day_from", since(O.created_at)),
    Filter("jusqu", _l("Inscrite jusqu'au"), "day_to", until(O.created_at)),
)

SOURCE = Source(
    model=O,
    rows=_rows,
    tabs=TABS,
    filters=FILTERS,
    sorts={
        "attente": Sort(O.complete_since, nullable=True),
        "creation": Sort(O.created_at),
        "nom": Sort(O.legal_name),
        "reference": Sort(O.reference),
    },
    search=search,
    scope=lambda actor: None if actor.can(Permission.READ_ORGANISATIONS) else O.id.is_(None),
)
