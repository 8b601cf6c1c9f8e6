"""Reference data and settings."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import (
    BigId,
    Day,
    Id,
    JsonType,
    LongText,
    Millimes,
    Moment,
    Str16,
    Str40,
    Str120,
    Str255,
    enum_column,
)
from app.entities.base import Model


class Governorate(Model):
    """One of the 24."""

    __tablename__ = "governorates"

    id: Mapped[Id]
    iso_code: Mapped[Str16] = mapped_column(unique=True)
    name_fr: Mapped[Str120]
    name_ar: Mapped[Str120]


class Locality(Model):
    """A locality with its delegation and postal code (ORG-3)."""

    __tablename__ = "localities"
    __table_args__ = (Index("ix_localities_postal_code", "postal_code"),)

    id: Mapped[Id]
    governorate_id: Mapped[int] = mapped_column(BigId, ForeignKey("governorates.id"), index=True)
    delegation: Mapped[Str120]
    name: Mapped[Str120]
    postal_code: Mapped[Str16]

    governorate: Mapped[Governorate] = relationship()


class PostOffice(Model):
    """Where RapidPost hands a token over; named after its main locality until the official list is imported."""

    __tablename__ = "post_offices"
    __table_args__ = (Index("ix_post_offices_governorate", "governorate_id", "name_fr"),)

    id: Mapped[Id]
    code: Mapped[Str40] = mapped_column(unique=True)
    name_fr: Mapped[Str120]
    name_ar: Mapped[Str120] = mapped_column(default="")
    governorate_id: Mapped[int] = mapped_column(BigId, ForeignKey("governorates.id"))
    delegation: Mapped[Str120] = mapped_column(default="")
    postal_code: Mapped[Str16] = mapped_column(index=True)
    address: Mapped[Str255] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)

    governorate: Mapped[Governorate] = relationship()


class CertificateType(Model):
    """A product of the catalogue (ORD-2): data, so that a new one needs no code."""

    __tablename__ = "certificate_types"

    id: Mapped[Id]
    code: Mapped[Str40] = mapped_column(unique=True)  # ID_TRUST
    family: Mapped[Str120]  # « Certificats d'authentification et de signature »
    name: Mapped[Str120]
    description: Mapped[LongText] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)


class Tariff(Model):
    """Price before tax of a type for a validity, from a day on (PRI-1). Used tariffs are never changed."""

    __tablename__ = "tariffs"
    __table_args__ = (
        UniqueConstraint("certificate_type_id", "validity_years", "valid_from"),
        CheckConstraint("price_ht >= 0 AND vat_rate_bp >= 0 AND validity_years > 0", name="sensible"),
    )

    id: Mapped[Id]
    certificate_type_id: Mapped[int] = mapped_column(BigId, ForeignKey("certificate_types.id"), index=True)
    validity_years: Mapped[int]
    price_ht: Mapped[Millimes]
    vat_rate_bp: Mapped[int]
    valid_from: Mapped[Day]

    certificate_type: Mapped[CertificateType] = relationship()


class BillingRate(Model):
    """What an invoice adds to its certificates, from a day on: stamp per invoice, delivery per certificate."""

    __tablename__ = "billing_rates"
    __table_args__ = (
        CheckConstraint("stamp_duty >= 0 AND delivery_ttc >= 0 AND delivery_vat_bp >= 0", name="sensible"),
    )

    id: Mapped[Id]
    valid_from: Mapped[Day] = mapped_column(unique=True)
    stamp_duty: Mapped[Millimes]
    delivery_ttc: Mapped[Millimes]
    delivery_vat_bp: Mapped[int] = mapped_column(default=0)  # the part of delivery that is VAT, default none


class UsageDomain(Model):
    """A domain of use (ORD-3): TUNEPS, TTN, CCPNET, E-JEBAYA, CNSS."""

    __tablename__ = "usage_domains"

    id: Mapped[Id]
    code: Mapped[Str40] = mapped_column(unique=True)
    label: Mapped[Str120]
    description: Mapped[LongText] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)


class ReasonKind(StrEnum):
    """Where a ready-made reason is offered."""

    DOCUMENT = "DOCUMENT"
    FIELD = "FIELD"
    REJECTION = "REJECTION"


class Reason(Model):
    """A ready-made reason in French and Arabic (REF-1)."""

    __tablename__ = "reasons"

    id: Mapped[Id]
    kind: Mapped[ReasonKind] = mapped_column(enum_column(ReasonKind, "kind"))
    code: Mapped[Str40] = mapped_column(unique=True)
    text_fr: Mapped[LongText]
    text_ar: Mapped[LongText] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)


class CguVersion(Model):
    """A version of the general conditions (APP-2); published ones are never edited."""

    __tablename__ = "cgu_versions"

    id: Mapped[Id]
    number: Mapped[Str40] = mapped_column(unique=True)
    text_fr: Mapped[LongText]
    text_ar: Mapped[LongText] = mapped_column(default="")
    published_at: Mapped[Moment | None]


class Setting(Model):
    """An operator's value over a default of ``services/settings.py``."""

    __tablename__ = "settings"

    key: Mapped[Str120] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JsonType)
    updated_at: Mapped[Moment]
    updated_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
