"""People: accounts, roles, sessions, organisations and their representatives."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import (
    BigId,
    Day,
    Id,
    Json,
    JsonType,
    LongText,
    Moment,
    Str16,
    Str40,
    Str120,
    Str255,
    enum_column,
)
from app.entities.base import Model
from app.permissions import Role
from app.states import OrganisationState

if TYPE_CHECKING:
    from app.entities.documents import Contract
    from app.entities.reference import Governorate


class IdentityKind(StrEnum):
    """Identity documents (ORG-5)."""

    CIN = "CIN"
    CARTE_SEJOUR = "CARTE_SEJOUR"
    PASSEPORT = "PASSEPORT"


class IdentityAnswer(StrEnum):
    """The identity service's only answers (ORG-5, SEC-4)."""

    CONCORDANT = "CONCORDANT"
    NON_CONCORDANT = "NON_CONCORDANT"
    INDISPONIBLE = "INDISPONIBLE"


class OrganisationCategory(StrEnum):
    """ORG-3."""

    ENTREPRISE_PRIVEE = "ENTREPRISE_PRIVEE"
    ASSOCIATION = "ASSOCIATION"
    MINISTERE_ADMINISTRATION = "MINISTERE_ADMINISTRATION"
    ENTITE_PUBLIQUE = "ENTITE_PUBLIQUE"


class RegistrationCountry(StrEnum):
    """Pays d'enregistrement (ORG-2)."""

    TUNISIE = "TUNISIE"
    ETRANGER = "ETRANGER"


class PersonMixin:
    """Who somebody is, as declared: names in two scripts, birth date, identity document, contact."""

    last_name: Mapped[Str120]
    first_name: Mapped[Str120]
    last_name_ar: Mapped[Str120] = mapped_column(default="")
    first_name_ar: Mapped[Str120] = mapped_column(default="")
    birth_date: Mapped[Day]
    nationality: Mapped[Str16]  # ISO 3166-1 alpha-2
    identity_kind: Mapped[IdentityKind] = mapped_column(enum_column(IdentityKind, "identity_kind"))
    identity_number: Mapped[Str40] = mapped_column(index=True)
    mobile: Mapped[Str40]  # E.164
    email: Mapped[Str255]


class User(Model):
    """One person, one account, several roles (PPL-1). Identity data may be unknown (staff)."""

    __tablename__ = "users"
    __table_args__ = {"sqlite_autoincrement": True}  # the journal names ids: none is ever given twice

    id: Mapped[Id]
    email: Mapped[Str255] = mapped_column(unique=True)  # normalised, lower case
    last_name: Mapped[Str120] = mapped_column(default="")
    first_name: Mapped[Str120] = mapped_column(default="")
    last_name_ar: Mapped[Str120] = mapped_column(default="")
    first_name_ar: Mapped[Str120] = mapped_column(default="")
    birth_date: Mapped[Day | None]
    nationality: Mapped[Str16 | None]
    identity_kind: Mapped[IdentityKind | None] = mapped_column(enum_column(IdentityKind, "user_identity_kind"))
    identity_number: Mapped[Str40 | None]
    mobile: Mapped[Str40 | None]
    locale: Mapped[Str16] = mapped_column(default="fr")
    password_hash: Mapped[Str255 | None]  # Argon2id
    temporary_password_hash: Mapped[Str255 | None]
    temporary_password_expires_at: Mapped[Moment | None]
    activated_at: Mapped[Moment | None]
    disabled_at: Mapped[Moment | None]
    last_seen_at: Mapped[Moment | None]
    invited_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    totp_secret: Mapped[LongText | None]  # encrypted (docs/adr/0099); None: no authenticator app
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)  # a code serves once
    second_factor_since: Mapped[Moment | None]  # set while an app or a passkey is there (LOG-4)
    muted_mails: Mapped[list[str]] = mapped_column(JsonType, default=list)  # groups of optional mails not wanted
    version: Mapped[int] = mapped_column(default=1)

    grants: Mapped[list[RoleGrant]] = relationship(
        back_populates="user", cascade="all, delete-orphan", foreign_keys="RoleGrant.user_id"
    )

    @property
    def display_name(self) -> str:
        """What to call the person on screen."""
        return f"{self.first_name} {self.last_name}".strip() or self.email


class RoleGrant(Model):
    """A role held by a person; ADMIN_ORGANISATION for one organisation, DEMANDEUR and staff roles for none."""

    __tablename__ = "role_grants"
    __table_args__ = (
        Index("ix_role_grants_user", "user_id"),
        Index("ix_role_grants_role", "role", "user_id"),
        Index(
            "uq_role_grants_live",
            "user_id",
            "role",
            text("coalesce(organisation_id, 0)"),
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
            sqlite_where=text("revoked_at IS NULL"),
        ),
        CheckConstraint(
            "(role = 'ADMIN_ORGANISATION') = (organisation_id IS NOT NULL)",
            name="organisation_of_administrators",
        ),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"))
    organisation_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("organisations.id", ondelete="CASCADE"), index=True
    )
    granted_at: Mapped[Moment]
    granted_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    revoked_at: Mapped[Moment | None]

    user: Mapped[User] = relationship(back_populates="grants", foreign_keys=[user_id])
    organisation: Mapped[Organisation | None] = relationship(back_populates="grants")


class StaffRoleChange(Model):
    """A change of a staff member's role, waiting for its second person (PPL-3, TEA-1)."""

    __tablename__ = "staff_role_changes"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    role: Mapped[Role] = mapped_column(enum_column(Role, "staff_role"))
    prepared_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    prepared_at: Mapped[Moment]
    decided_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    decided_at: Mapped[Moment | None]
    approved: Mapped[bool | None]

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    prepared_by: Mapped[User] = relationship(foreign_keys=[prepared_by_id])


class UserSession(Model):
    """A login, kept on the server (SEC-2): the cookie holds only the token, this row its hash.

    While ``factor_due``, the password was right and the second factor is still to come: the row opens nothing.
    """

    __tablename__ = "user_sessions"

    id: Mapped[Id]
    token_hash: Mapped[Str120] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]
    ip: Mapped[Str40 | None]
    user_agent: Mapped[Str255 | None]
    factor_due: Mapped[bool] = mapped_column(default=False)
    first_login: Mapped[bool] = mapped_column(default=False)  # the person's first: no second factor asked yet (LOG-4)
    challenge: Mapped[Str120 | None]  # what a passkey must sign, once, within minutes
    challenge_at: Mapped[Moment | None]

    user: Mapped[User] = relationship()


class Passkey(Model):
    """A key of WebAuthn: a device's or a security key's public half (LOG-4)."""

    __tablename__ = "passkeys"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)  # base64url
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[Str120] = mapped_column(default="")
    name: Mapped[Str120]
    created_at: Mapped[Moment]
    last_used_at: Mapped[Moment | None]


class RecoveryCode(Model):
    """One of the codes that replace a lost phone, once each; only hashes stay here (LOG-4)."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[Str120]
    used_at: Mapped[Moment | None]


class Attempt(Model):
    """Counted tries (logins, identity look-ups, captchas) over all processes (LOG-2, SEC-4)."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_key_at", "key", "at"),)

    id: Mapped[Id]
    key: Mapped[Str120]  # e.g. login:account:<hash>, identity:address:<ip>
    at: Mapped[Moment]


class Organisation(Model):
    """A client of TunTrust."""

    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint(
            "(registration_country = 'TUNISIE') = (tax_id IS NOT NULL)",
            name="tax_id_of_tunisian_organisations",
        ),
        Index("ix_organisations_state_created", "state", "created_at", "id"),
        Index("ix_organisations_state_since", "state", "complete_since", "id"),
        Index("ix_organisations_created", "created_at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    reference: Mapped[Str40] = mapped_column(unique=True)  # ORG-2026-000001
    registration_country: Mapped[RegistrationCountry] = mapped_column(
        enum_column(RegistrationCountry, "registration_country")
    )
    tax_id: Mapped[Str16 | None] = mapped_column(unique=True)
    tax_id_confirmed: Mapped[bool] = mapped_column(default=False)  # the letter breaks the rule, confirmed (ORG-2)
    country: Mapped[Str16]  # ISO 3166-1 alpha-2
    register_number: Mapped[Str40 | None]
    category: Mapped[OrganisationCategory] = mapped_column(enum_column(OrganisationCategory, "category"))
    legal_name: Mapped[Str255]
    legal_name_ar: Mapped[Str255] = mapped_column(default="")
    trade_name: Mapped[Str255] = mapped_column(default="")
    address: Mapped[Str255]
    postal_code: Mapped[Str16]
    city: Mapped[Str120]
    governorate_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("governorates.id"))
    phone: Mapped[Str40]
    fax: Mapped[Str40] = mapped_column(default="")
    has_rne: Mapped[bool] = mapped_column(default=True)
    rne_in_arabic_only: Mapped[bool] = mapped_column(default=False)
    state: Mapped[OrganisationState] = mapped_column(
        enum_column(OrganisationState, "state"), default=OrganisationState.EN_ATTENTE_ACTIVATION
    )
    created_at: Mapped[Moment]
    activation_deadline: Mapped[Moment]
    activation_reminded_at: Mapped[Moment | None]
    activated_at: Mapped[Moment | None]
    complete_since: Mapped[Moment | None]  # when the statutory clock started, moved on by every pause (QUE-1)
    clock_paused_at: Mapped[Moment | None]
    verified_at: Mapped[Moment | None]
    verified_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    assigned_to_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), index=True)
    search_text: Mapped[LongText] = mapped_column(default="")  # folded names and identifiers (QUE-2)
    search_keys: Mapped[LongText] = mapped_column(default="")  # names as they sound
    version: Mapped[int] = mapped_column(default=1)

    governorate: Mapped[Governorate | None] = relationship()
    representative: Mapped[LegalRepresentative] = relationship(
        back_populates="organisation", uselist=False, cascade="all, delete-orphan"
    )
    grants: Mapped[list[RoleGrant]] = relationship(back_populates="organisation", cascade="all, delete-orphan")
    assigned_to: Mapped[User | None] = relationship(foreign_keys=[assigned_to_id])
    contracts: Mapped[list[Contract]] = relationship(
        back_populates="organisation", cascade="all, delete-orphan", order_by="Contract.version_number"
    )


class LegalRepresentative(PersonMixin, Model):
    """The person who binds the organisation, as the register names them (ORG-5)."""

    __tablename__ = "legal_representatives"

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"), unique=True)
    identity_answer: Mapped[IdentityAnswer | None] = mapped_column(enum_column(IdentityAnswer, "representative_answer"))
    identity_checked_at: Mapped[Moment | None]

    organisation: Mapped[Organisation] = relationship(back_populates="representative")


class SignupDraft(Model):
    """A sign-up under way (ORG-1): 24 h on the server; the cookie holds only a token."""

    __tablename__ = "signup_drafts"

    id: Mapped[Id]
    token_hash: Mapped[Str120] = mapped_column(unique=True)
    data: Mapped[Json]
    captcha: Mapped[Str40 | None]
    captcha_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    submitted_at: Mapped[Moment | None]
    outcome_email: Mapped[Str255 | None]  # where the confirmation page says the mail went
    version: Mapped[int] = mapped_column(default=1)


class DestructionRecord(Model):
    """A line of the destruction register: what was deleted and why, without personal data (ACT-3)."""

    __tablename__ = "destruction_records"

    id: Mapped[Id]
    at: Mapped[Moment]
    what: Mapped[Str120]
    reason: Mapped[Str255]
    counts: Mapped[Json]
