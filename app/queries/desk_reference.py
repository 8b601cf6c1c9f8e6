"""Reference data as its operators list it (REF-1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, or_, select

from app.extensions import db
from app.identifiers import fold
from app.models import (
    BillingRate,
    CertificateType,
    CguVersion,
    Governorate,
    PostOffice,
    Reason,
    ReasonKind,
    Tariff,
    UsageDomain,
)
from app.permissions import Actor, Permission
from app.queries.lists import Filter, Sort, Source, Tab
from app.queries.request_filters import whole_number
from app.state_labels import choices_of


def _matching(*columns: Any) -> Any:
    """Each word stands in one of the columns: these tables hold at most some thousand rows."""

    def search(text: str) -> ColumnElement[bool]:
        words = text.split()[:8]
        folded = fold(text).split()[:8]
        plain = [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words]
        bare = [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in folded]
        return or_(and_(*plain), and_(*bare)) if bare else and_(*plain)

    return search


def _scope_of(model: Any, right: Permission) -> Any:
    def scope(actor: Actor) -> ColumnElement[bool] | None:
        return None if actor.can(right) else model.id.is_(None)

    return scope


def _source(
    model: Any,
    rows: Any,
    sorts: Mapping[str, Sort],
    first: str,
    *,
    descending: bool = False,
    filters: tuple[Filter, ...] = (),
    search: Any = None,
    on_offer: bool = True,
    right: Permission = Permission.MANAGE_REFERENCE_DATA,
) -> Source:
    tabs: tuple[Tab, ...] = (Tab("toutes", _l("Tout"), lambda _actor: None, first, descending),)
    if on_offer:
        tabs = (
            Tab("proposes", _l("Proposés"), lambda _actor: model.active, first, descending),
            Tab("desactives", _l("Désactivés"), lambda _actor: ~model.active, first, descending),
            Tab("tous", _l("Tous"), lambda _actor: None, first, descending),
        )
    return Source(
        model=model, rows=rows, tabs=tabs, sorts=sorts, filters=filters, search=search, scope=_scope_of(model, right)
    )


def _governorates() -> Sequence[tuple[str, str]]:
    rows = db.session.execute(select(Governorate.id, Governorate.name_fr).order_by(Governorate.name_fr))
    return [(str(row.id), row.name_fr) for row in rows]


T = CertificateType
TYPES = _source(
    T,
    lambda: select(T.id, T.code, T.family, T.name, T.active, T.position),
    {"ordre": Sort(T.position), "code": Sort(T.code)},
    "ordre",
)
TARIFFS = _source(
    Tariff,
    lambda: select(
        Tariff.id,
        Tariff.certificate_type_id,
        CertificateType.name.label("certificate_type"),
        Tariff.validity_years,
        Tariff.price_ht,
        Tariff.vat_rate_bp,
        Tariff.valid_from,
    ).join(CertificateType, CertificateType.id == Tariff.certificate_type_id),
    {"depuis": Sort(Tariff.valid_from)},
    "depuis",
    descending=True,
    on_offer=False,
)
RATES = _source(
    BillingRate,
    lambda: select(
        BillingRate.id,
        BillingRate.valid_from,
        BillingRate.stamp_duty,
        BillingRate.delivery_ttc,
        BillingRate.delivery_vat_bp,
    ),
    {"depuis": Sort(BillingRate.valid_from)},
    "depuis",
    descending=True,
    on_offer=False,
)
D = UsageDomain
DOMAINS = _source(
    D,
    lambda: select(D.id, D.code, D.label, D.description, D.active, D.position),
    {"ordre": Sort(D.position), "code": Sort(D.code)},
    "ordre",
)
P = PostOffice
POST_OFFICES = _source(
    P,
    lambda: select(
        P.id,
        P.code,
        P.name_fr,
        P.name_ar,
        P.delegation,
        P.postal_code,
        P.active,
        Governorate.name_fr.label("governorate"),
    ).join(Governorate, Governorate.id == P.governorate_id),
    {"nom": Sort(P.name_fr), "code": Sort(P.code), "postal": Sort(P.postal_code)},
    "nom",
    filters=(
        Filter(
            "gouvernorat",
            _l("Gouvernorat"),
            "choice",
            lambda value: P.governorate_id == value,
            choices=_governorates,
            parse=whole_number,
        ),
    ),
    search=_matching(P.code, P.name_fr, P.name_ar, P.delegation, P.postal_code),
)
REASONS = _source(
    Reason,
    lambda: select(Reason.id, Reason.kind, Reason.code, Reason.text_fr, Reason.text_ar, Reason.active, Reason.position),
    {"ordre": Sort(Reason.position), "code": Sort(Reason.code)},
    "ordre",
    filters=(
        Filter(
            "usage",
            _l("Usage"),
            "choice",
            lambda value: Reason.kind == ReasonKind(value),
            choices=lambda: choices_of(ReasonKind),
        ),
    ),
    search=_matching(Reason.code, Reason.text_fr, Reason.text_ar),
    right=Permission.EDIT_REASONS,
)
CGU = _source(
    CguVersion,
    lambda: select(CguVersion.id, CguVersion.number, CguVersion.published_at),
    {"numero": Sort(CguVersion.id)},
    "numero",
    descending=True,
    on_offer=False,
)
