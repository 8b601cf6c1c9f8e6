"""Reference data, changed by its operators (REF-1): one service for every generated form.

Each kind of row says which fields may be set and what its rule is. A save locks the row, refuses a page older
than it, checks the rule, and writes before and after in the journal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, exists, inspect, or_, select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.bilingual import is_arabic
from app.errors import DomainError, StaleObject
from app.extensions import db
from app.models import (
    BillingRate,
    CannedReply,
    CertificateRequest,
    CertificateType,
    CguVersion,
    Document,
    DocumentAskItem,
    FieldVerdict,
    Payment,
    PaymentLine,
    PostOffice,
    Reason,
    Tariff,
    UsageDomain,
    request_domains,
)
from app.permissions import Actor, Permission
from app.queries.lists import start_of
from app.services import audit, canned
from app.services.authority import require
from app.services.locking import lock
from app.services.moving import REASON_LIMIT
from app.services.unit_of_work import use_case


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one kind of row. ``fixed`` fields are set at creation only; ``right`` is to add and change:
    deleting is always the technical administrator's."""

    fields: tuple[str, ...]
    unique: str  # the field a duplicate is told beside
    fixed: tuple[str, ...] = ()
    right: Permission = Permission.MANAGE_REFERENCE_DATA
    before_change: Callable[[Any], None] = lambda _row: None
    after_change: Callable[[Any, bool], None] = lambda _row, _new: None


def fingerprint(row: Any) -> str:
    """Changes with any of the row's editable values: what a form carries, so that a stale page overwrites nothing."""
    values = {name: _plain(getattr(row, name)) for name in rule_of(type(row)).fields}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:24]


def rule_of(model: type) -> Rule:
    """The rule of a model. KeyError for one that has no generated form."""
    return RULES[model]


@use_case
def save_row(
    model: type, row_id: int | None, values: Mapping[str, Any], *, actor: Actor, seen: str | None = None
) -> int:
    """Create a row (``row_id`` None) or change one; returns its id.

    Raises Forbidden, NotFound, StaleObject (the row is no longer what ``seen`` says), DomainError (the rule, a
    duplicate).
    """
    rule = rule_of(model)
    require(actor, rule.right)
    row: Any
    if row_id is None:
        row, before = model(), {}
        allowed = rule.fields
    else:
        row = lock(model, row_id)
        if seen is not None and seen != fingerprint(row):
            raise StaleObject(
                _("Quelqu'un a modifié cette fiche depuis l'ouverture de votre page. Relisez-la avant de recommencer.")
            )
        rule.before_change(row)
        before = _values(row, rule)
        allowed = tuple(name for name in rule.fields if name not in rule.fixed)
    for name in allowed:
        if name in values:
            setattr(row, name, values[name])
    with db.session.no_autoflush:
        rule.after_change(row, row_id is None)
    if row_id is None:
        db.session.add(row)
    _flush(rule)
    after = _values(row, rule)
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    if changed:
        audit.record(
            actor,
            "create_row" if row_id is None else "edit_row",
            row,
            before={name: before[name] for name in changed if name in before},
            after=changed,
        )
    saved: int = row.id
    return saved


@use_case
def delete_row(model: type, row_id: int, *, actor: Actor, seen: str | None = None) -> None:
    """Delete a row nothing refers to. Raises Forbidden, NotFound, StaleObject, DomainError (used, published)."""
    require(actor, Permission.MANAGE_REFERENCE_DATA)
    rule = rule_of(model)
    row: Any = lock(model, row_id)
    if seen is not None and seen != fingerprint(row):
        raise StaleObject(_("Quelqu'un a modifié cette fiche depuis l'ouverture de votre page."))
    rule.before_change(row)
    if _is_used(row):
        raise DomainError(_("Cette fiche sert déjà : elle ne se supprime pas. Désactivez-la pour ne plus la proposer."))
    audit.record(actor, "delete_row", row, before=_values(row, rule))
    db.session.delete(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise DomainError(_("Cette fiche sert déjà : elle ne se supprime pas.")) from None


@use_case
def publish_cgu(version_id: int, *, actor: Actor) -> str:
    """Put a version of the conditions in force now; returns its number. Raises DomainError when it already is."""
    require(actor, Permission.MANAGE_REFERENCE_DATA)
    version = lock(CguVersion, version_id)
    if version.published_at is not None:
        raise DomainError(_("Cette version est déjà publiée."))
    version.published_at = clock.now()
    audit.record(actor, "publish_cgu", version, after={"number": version.number})
    return version.number


def _flush(rule: Rule) -> None:
    try:
        db.session.flush()
    except IntegrityError:
        raise DomainError(_("Une autre fiche porte déjà cette valeur."), field=rule.unique) from None


def _values(row: Any, rule: Rule) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in rule.fields}


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date | datetime) else value


# ------------------------------------------------------------------------------------------------- the rules


def _is_used(row: Any) -> bool:
    """Does anything a client did refer to this row?"""
    request = CertificateRequest
    if isinstance(row, CertificateType):
        tariffs = exists(select(Tariff.id).where(Tariff.certificate_type_id == row.id))
        return _any(or_(exists(select(request.id).where(request.certificate_type_id == row.id)), tariffs))
    if isinstance(row, UsageDomain):
        return _any(exists(select(request_domains.c.request_id).where(request_domains.c.domain_id == row.id)))
    if isinstance(row, PostOffice):
        return _any(exists(select(request.id).where(request.post_office_id == row.id)))
    if isinstance(row, Reason):
        return _any(
            or_(*(exists(select(1).where(column.startswith(row.text_fr, autoescape=True))) for column in GIVEN))
        )
    if isinstance(row, CguVersion):
        return _any(exists(select(request.id).where(request.cgu_version_id == row.id)))
    return False


def _any(condition: ColumnElement[bool]) -> bool:
    return bool(db.session.scalar(select(condition)))


def tariff_used(tariff: Tariff) -> bool:
    """Was the tariff shown or charged: an order or a payment of its type and validity since it came into force?"""
    if tariff.valid_from > clock.today():
        return False
    start = start_of(tariff.valid_from)
    request = CertificateRequest
    ordered = select(request.id).where(
        request.certificate_type_id == tariff.certificate_type_id,
        request.validity_years == tariff.validity_years,
        request.created_at >= start,
    )
    paid = (
        select(PaymentLine.id)
        .join(request, request.id == PaymentLine.request_id)
        .join(Payment, Payment.id == PaymentLine.payment_id)
        .where(
            request.certificate_type_id == tariff.certificate_type_id,
            request.validity_years == tariff.validity_years,
            Payment.created_at >= start,
        )
    )
    return _any(or_(exists(ordered), exists(paid)))


def rate_used(rate: BillingRate) -> bool:
    """Was anything charged since the rate came into force?"""
    if rate.valid_from > clock.today():
        return False
    return bool(
        db.session.scalar(select(exists(select(Payment.id).where(Payment.created_at >= start_of(rate.valid_from)))))
    )


def _unused_tariff(tariff: Tariff) -> None:
    if tariff_used(tariff):
        raise DomainError(
            _("Ce tarif a déjà servi : il ne change plus. Ajoutez-en un nouveau, valable à partir d'une date.")
        )


def _unused_rate(rate: BillingRate) -> None:
    if rate_used(rate):
        raise DomainError(
            _("Ces montants ont déjà servi : ils ne changent plus. Ajoutez-en de nouveaux, valables d'une date.")
        )


def _from_today_on(row: Any, new: bool) -> None:
    """A price never reaches back: what people saw on a day stays true."""
    moved = new or inspect(row).attrs.valid_from.history.has_changes()
    if moved and row.valid_from < clock.today():
        raise DomainError(_("Choisissez aujourd'hui ou un jour à venir."), field="valid_from")


def _rates_make_sense(rate: BillingRate, new: bool) -> None:
    _from_today_on(rate, new)
    if rate.delivery_vat_bp > 10_000:
        raise DomainError(_("Un taux dépasse rarement 100 %."), field="delivery_vat_bp")


def _tariff_makes_sense(tariff: Tariff, new: bool) -> None:
    _from_today_on(tariff, new)
    if not 1 <= tariff.validity_years <= 10:
        raise DomainError(_("Choisissez une validité de 1 à 10 ans."), field="validity_years")
    if tariff.vat_rate_bp > 10_000:
        raise DomainError(_("Un taux dépasse rarement 100 %."), field="vat_rate_bp")


def _unpublished(version: CguVersion) -> None:
    if version.published_at is not None:
        raise DomainError(_("Cette version est publiée : elle ne change plus. Ajoutez une nouvelle version."))


GIVEN = (Document.verdict_reason, FieldVerdict.reason, DocumentAskItem.reason, CertificateRequest.closing_reason)
"""Where a ready-made reason lives on as words; one's own are added after it."""


def _reason_can_be_read(reason: Reason, _new: bool) -> None:
    """Clients read it: French words in one box, Arabic words in the other (REV-2)."""
    french, arabic = reason.text_fr or "", reason.text_ar or ""
    for name, text in (("text_fr", french), ("text_ar", arabic)):
        if len(text) > REASON_LIMIT:
            raise DomainError(_("2 000 caractères au plus."), field=name)
    if len(french.strip()) < 3:
        raise DomainError(_("Écrivez le motif : le client le lira."), field="text_fr")
    if is_arabic(french):
        raise DomainError(_("Écrivez ici le texte français ; le texte arabe a son propre champ."), field="text_fr")
    if arabic.strip() and not is_arabic(arabic):
        raise DomainError(_("Écrivez ici le texte arabe, ou laissez vide."), field="text_ar")


def _reply_can_be_filled(reply: CannedReply, _new: bool) -> None:
    """Every placeholder has a value somewhere, and the words their right box (REV-8)."""
    for name, text in (("text_fr", reply.text_fr), ("text_ar", reply.text_ar)):
        if len(text) > canned.TEXT_LIMIT:
            raise DomainError(_("5 000 caractères au plus."), field=name)
        canned.check_text(text, name)
    if not reply.title.strip():
        raise DomainError(_("Écrivez le titre."), field="title")
    if len(reply.text_fr.strip()) < 3:
        raise DomainError(_("Écrivez la réponse : le client la lira."), field="text_fr")
    if is_arabic(reply.text_fr):
        raise DomainError(_("Écrivez ici le texte français ; le texte arabe a son propre champ."), field="text_fr")
    if reply.text_ar.strip() and not is_arabic(reply.text_ar):
        raise DomainError(_("Écrivez ici le texte arabe, ou laissez vide."), field="text_ar")


RULES: dict[type, Rule] = {
    CertificateType: Rule(
        ("code", "family", "name", "description", "active", "position"), unique="code", fixed=("code",)
    ),
    Tariff: Rule(
        ("certificate_type_id", "validity_years", "price_ht", "vat_rate_bp", "valid_from"),
        unique="valid_from",
        before_change=_unused_tariff,
        after_change=_tariff_makes_sense,
    ),
    BillingRate: Rule(
        ("valid_from", "stamp_duty", "delivery_ttc", "delivery_vat_bp"),
        unique="valid_from",
        before_change=_unused_rate,
        after_change=_rates_make_sense,
    ),
    UsageDomain: Rule(("code", "label", "description", "active", "position"), unique="code", fixed=("code",)),
    PostOffice: Rule(
        ("code", "name_fr", "name_ar", "governorate_id", "delegation", "postal_code", "address", "active"),
        unique="code",
        fixed=("code",),
    ),
    Reason: Rule(
        ("kind", "code", "text_fr", "text_ar", "active", "position"),
        unique="code",
        fixed=("code",),
        right=Permission.EDIT_REASONS,
        after_change=_reason_can_be_read,
    ),
    CannedReply: Rule(
        ("code", "title", "text_fr", "text_ar", "active", "position"),
        unique="code",
        fixed=("code",),
        right=Permission.EDIT_REASONS,
        after_change=_reply_can_be_filled,
    ),
    CguVersion: Rule(("number", "text_fr", "text_ar"), unique="number", before_change=_unpublished),
}
