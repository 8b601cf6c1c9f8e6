"""Reference data as it holds today."""

from __future__ import annotations

from datetime import date

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.models import (
    BillingRate,
    CertificateType,
    CguVersion,
    Governorate,
    Locality,
    PostOffice,
    Reason,
    ReasonKind,
    Tariff,
    UsageDomain,
)


def current_cgu() -> CguVersion:
    """The published version in force."""
    return db.session.scalars(
        select(CguVersion)
        .where(CguVersion.published_at.is_not(None), CguVersion.published_at <= clock.now())
        .order_by(CguVersion.published_at.desc(), CguVersion.id.desc())
        .limit(1)
    ).one()


def current_tariff(certificate_type_id: int, validity_years: int, on: date | None = None) -> Tariff:
    """The tariff in force on a day (PRI-1). Raises DomainError when the operator defined none."""
    tariff = db.session.scalar(
        select(Tariff)
        .where(
            Tariff.certificate_type_id == certificate_type_id,
            Tariff.validity_years == validity_years,
            Tariff.valid_from <= (on or clock.today()),
        )
        .order_by(Tariff.valid_from.desc(), Tariff.id.desc())
        .limit(1)
    )
    if tariff is None:
        raise DomainError(_("Aucun tarif n'est en vigueur pour ce certificat."))
    return tariff


def current_billing_rate(on: date | None = None) -> BillingRate:
    """Stamp duty and delivery in force on a day (PRI-1). Raises DomainError when the operator defined none."""
    rate = db.session.scalar(
        select(BillingRate)
        .where(BillingRate.valid_from <= (on or clock.today()))
        .order_by(BillingRate.valid_from.desc())
        .limit(1)
    )
    if rate is None:
        raise DomainError(_("Aucun tarif de livraison et de timbre n'est en vigueur."))
    return rate


def validities(certificate_type_id: int) -> list[int]:
    """Validities on sale today, in years."""
    return sorted(
        set(
            db.session.scalars(
                select(Tariff.validity_years).where(
                    Tariff.certificate_type_id == certificate_type_id, Tariff.valid_from <= clock.today()
                )
            )
        )
    )


def catalogue() -> list[CertificateType]:
    """What can be ordered, in the operator's order (ORD-2)."""
    return list(
        db.session.scalars(
            select(CertificateType)
            .where(CertificateType.active)
            .order_by(CertificateType.family, CertificateType.position, CertificateType.id)
        )
    )


def usage_domains() -> list[UsageDomain]:
    """Domains of use on offer."""
    return list(db.session.scalars(select(UsageDomain).where(UsageDomain.active).order_by(UsageDomain.position)))


def governorates() -> list[Governorate]:
    """The 24, in ISO order."""
    return list(db.session.scalars(select(Governorate).order_by(Governorate.iso_code)))


def localities_of(postal_code: str) -> list[Locality]:
    """Localities of a postal code, with their governorate (ORG-3)."""
    return list(db.session.scalars(select(Locality).where(Locality.postal_code == postal_code).order_by(Locality.name)))


def post_offices(
    *,
    governorate_id: int | None = None,
    delegation: str | None = None,
    postal_code: str | None = None,
    limit: int = 200,
) -> list[PostOffice]:
    """Active offices by gouvernorat, delegation or the beginning of a postal code (APP-2)."""
    statement = select(PostOffice).where(PostOffice.active)
    if governorate_id is not None:
        statement = statement.where(PostOffice.governorate_id == governorate_id)
    if delegation:
        statement = statement.where(PostOffice.delegation == delegation)
    if postal_code:
        statement = statement.where(PostOffice.postal_code.startswith(postal_code, autoescape=True))
    return list(db.session.scalars(statement.order_by(PostOffice.name_fr, PostOffice.id).limit(limit)))


def reasons(kind: ReasonKind) -> list[Reason]:
    """Ready-made reasons of a kind."""
    return list(
        db.session.scalars(
            select(Reason).where(Reason.kind == kind, Reason.active).order_by(Reason.position, Reason.id)
        )
    )


ABOUT: dict[str, str] = {
    "RNE_EXTRACT": "extract_",
    "TRADE_REGISTER": "extract_",
    "TAX_CARD": "tax_card_",
    "SIGNED_CONTRACT": "contract_",
    "last_name": "name_",
    "first_name": "name_",
    "last_name_ar": "name_",
    "first_name_ar": "name_",
    "representative_name": "name_",
    "representative_name_ar": "name_",
}
"""Where a kind of paper or a field is not itself the beginning of the codes of its reasons."""


def sorted_for(ready: list[Reason], about: str) -> list[Reason]:
    """The reasons made for that kind of paper or field first, by the beginning of their codes."""
    prefix = ABOUT.get(about) or ("identity_" if "_IDENTITY" in about else about.removeprefix("representative_"))
    own = [each for each in ready if prefix and (each.code.startswith(prefix) or each.code == f"expired_{prefix[:-1]}")]
    return [*own, *(each for each in ready if each not in own)]


def reason_named(code: str) -> Reason | None:
    """A ready-made reason by its code; by its French words too, as older pages send it."""
    if not code:
        return None
    return db.session.scalar(
        select(Reason).where((Reason.code == code) | (Reason.text_fr == code)).order_by(Reason.id).limit(1)
    )


def reason_for_reader(text: str) -> str:
    """A reason as it was given, in the reader's language where we have it: our own sentences, the ready-made ones.

    An agent's own words stay as they were written.
    """
    own = _(text) if text else ""
    if own != text or not str(get_locale() or "fr").startswith("ar"):
        return own
    ready = reason_named(text)
    return ready.text_ar or text if ready is not None else text


def all_rows(model: type) -> list[object]:
    """Every row of a small reference table, for a form's choices."""
    return list(db.session.scalars(select(model).order_by(*model.__mapper__.primary_key)))  # type: ignore[attr-defined]  # mapped
