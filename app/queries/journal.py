"""The journal, read (AUD-1): who did what to which object, when, from where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, or_, select

from app.extensions import db
from app.journal_words import JOURNAL_WORDS
from app.models import (
    AuditEntry,
    Certificate,
    CertificateRequest,
    Invoice,
    Order,
    Organisation,
    Payment,
    User,
)
from app.permissions import Actor, Permission
from app.queries.exact import Kind, identifiers_in
from app.queries.lists import Filter, Sort, Source, Tab, since, until
from app.queries.request_filters import whole_number

E = AuditEntry
SUBJECTS: dict[str, object] = {
    "certificate_requests": _l("Demande"),
    "organisations": _l("Organisation"),
    "orders": _l("Commande"),
    "payments": _l("Paiement"),
    "invoices": _l("Facture"),
    "certificates": _l("Certificat"),
    "documents": _l("Document"),
    "contracts": _l("Contrat"),
    "users": _l("Compte"),
    "staff_role_changes": _l("Changement de rôle"),
    "lists": _l("Liste exportée"),
    "settings": _l("Réglage"),
    "certificate_types": _l("Type de certificat"),
    "tariffs": _l("Tarif"),
    "billing_rates": _l("Timbre et livraison"),
    "usage_domains": _l("Domaine d'utilisation"),
    "post_offices": _l("Bureau de poste"),
    "reasons": _l("Motif"),
    "cgu_versions": _l("Conditions générales"),
    "outbox_mails": _l("Courriel"),
    "jobs": _l("Tâche"),
}


def _rows() -> Select[*tuple[Any, ...]]:
    return select(E.id, E.at, E.actor_id, E.actor_label, E.ip, E.action, E.subject_type, E.subject_id, E.after)


# What people call an object by: the journal keeps its table and id.
_NAMED: dict[str, tuple[str, Any]] = {
    "DEM": ("certificate_requests", (CertificateRequest.id, CertificateRequest.reference)),
    "ORG": ("organisations", (Organisation.id, Organisation.reference)),
    "CMD": ("orders", (Order.id, Order.reference)),
    "FAC": ("invoices", (Invoice.id, Invoice.number)),
    "PAY": ("payments", (Payment.id, Payment.reference)),
}


def _search(text: str) -> ColumnElement[bool]:
    """An object by its reference, number or address; a person by their e-mail; else the actor's name or the action."""
    known = identifiers_in(text)
    reference = known.get(Kind.REFERENCE) or known.get(Kind.PAYMENT)
    if reference is not None and reference[:3] in _NAMED:
        table, (identity, name) = _NAMED[reference[:3]]
        found = db.session.scalar(select(identity).where(name == reference))
        return and_(E.subject_type == table, E.subject_id == str(found or 0))
    if Kind.SERIAL in known:
        serials = db.session.scalars(
            select(Certificate.id).where(Certificate.serial_number == known[Kind.SERIAL]).limit(10)
        ).all()
        return and_(E.subject_type == "certificates", E.subject_id.in_([str(each) for each in serials]))
    if Kind.EMAIL in known:
        user_id = db.session.scalar(select(User.id).where(User.email == known[Kind.EMAIL])) or 0
        return or_(E.actor_id == user_id, and_(E.subject_type == "users", E.subject_id == str(user_id)))
    return or_(E.actor_label.icontains(text, autoescape=True), E.action == text)


def _actions() -> Sequence[tuple[str, str]]:
    return sorted(((code, str(words)) for code, words in JOURNAL_WORDS.items()), key=lambda pair: pair[1])


def _subject_kinds() -> Sequence[tuple[str, str]]:
    return sorted(((code, str(label)) for code, label in SUBJECTS.items()), key=lambda pair: pair[1])


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.READ_JOURNAL) else E.id.is_(None)


SOURCE = Source(
    model=E,
    rows=_rows,
    tabs=(Tab("tout", _l("Tout"), lambda _actor: None, "date", descending=True),),
    filters=(
        Filter(
            "objet",
            _l("Type d'objet"),
            "choice",
            lambda value: E.subject_type == value,
            choices=_subject_kinds,
        ),
        Filter("numero", _l("Numéro interne de l'objet"), "text", lambda value: E.subject_id == value),
        Filter("personne", _l("Numéro du compte"), "text", lambda value: E.actor_id == value, parse=whole_number),
        Filter("action", _l("Action (code)"), "text", lambda value: E.action == value),
        Filter("depuis", _l("Depuis le"), "day_from", since(E.at)),
        Filter("jusqu", _l("Jusqu'au"), "day_to", until(E.at)),
    ),
    sorts={"date": Sort(E.at)},
    search=_search,
    scope=_scope,
)


def subject_name(entry: Any) -> str:
    """What people call the entry's object: its reference, number or address; "" when it is gone or has none."""
    named = {
        **dict(_NAMED.values()),
        "users": (User.id, User.email),
        "certificates": (Certificate.id, Certificate.serial_number),
    }
    row_id = whole_number(entry.subject_id)
    if entry.subject_type not in named or row_id is None:
        return ""
    identity, name = named[entry.subject_type]
    return db.session.scalar(select(name).where(identity == row_id)) or ""
