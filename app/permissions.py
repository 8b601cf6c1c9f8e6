"""Who may do what: roles, permissions, and the actor that every service takes. Pure.

Nothing is allowed unless a permission says so (PPL-2). Permissions say *what*; the scope (*whose*) is the
business of the queries and services, which compare ``organisation_ids`` and ``user_id``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """Role codes as the manual and the screens show them."""

    ADMIN_ORGANISATION = "ADMIN_ORGANISATION"
    DEMANDEUR = "DEMANDEUR"
    AGENT = "AGENT"
    SUPERVISEUR = "SUPERVISEUR"
    RESPONSABLE = "RESPONSABLE"
    ADMINISTRATEUR = "ADMINISTRATEUR"


STAFF_ROLES = frozenset({Role.AGENT, Role.SUPERVISEUR, Role.RESPONSABLE, Role.ADMINISTRATEUR})


class Permission(StrEnum):
    """One right each; English verbs, grouped by who usually holds them."""

    # Organisation's side
    ORDER_CERTIFICATES = "order_certificates"
    SEE_OWN_ORGANISATION = "see_own_organisation"
    MANAGE_OWN_ORGANISATION = "manage_own_organisation"
    PAY = "pay"
    WITHDRAW_REQUEST = "withdraw_request"
    REVOKE_CERTIFICATES = "revoke_certificates"
    # Applicant's side
    VALIDATE_OWN_REQUEST = "validate_own_request"
    SEE_OWN_REQUESTS = "see_own_requests"
    SUPPLY_DOCUMENTS = "supply_documents"
    WRITE_MESSAGES = "write_messages"
    # TunTrust's side
    ENTER_BACK_OFFICE = "enter_back_office"
    READ_REQUESTS = "read_requests"
    READ_ORGANISATIONS = "read_organisations"
    READ_BILLING = "read_billing"
    READ_CERTIFICATES = "read_certificates"
    READ_DOCUMENTS = "read_documents"
    REVIEW_FILES = "review_files"
    VERIFY_ORGANISATIONS = "verify_organisations"
    SUSPEND_ORGANISATIONS = "suspend_organisations"
    RECORD_CERTIFICATES = "record_certificates"
    SETTLE_PAYMENTS = "settle_payments"
    PREPARE_CREDIT_NOTES = "prepare_credit_notes"
    APPROVE_CREDIT_NOTES = "approve_credit_notes"
    PREPARE_REVOCATIONS = "prepare_revocations"
    APPROVE_REVOCATIONS = "approve_revocations"
    WRITE_NOTES = "write_notes"
    ANSWER_MESSAGES = "answer_messages"
    EDIT_REASONS = "edit_reasons"
    REASSIGN_FILES = "reassign_files"
    EXPORT_LISTS = "export_lists"
    READ_DASHBOARD = "read_dashboard"
    MANAGE_STAFF = "manage_staff"
    APPROVE_STAFF_CHANGES = "approve_staff_changes"
    MANAGE_REFERENCE_DATA = "manage_reference_data"
    MANAGE_SETTINGS = "manage_settings"
    READ_JOURNAL = "read_journal"
    RUN_JOBS = "run_jobs"
    MANAGE_MAIL = "manage_mail"


_P = Permission
_READER = frozenset(
    {
        _P.ENTER_BACK_OFFICE,
        _P.READ_REQUESTS,
        _P.READ_ORGANISATIONS,
        _P.READ_BILLING,
        _P.READ_CERTIFICATES,
        _P.EXPORT_LISTS,
    }
)
_AGENT = _READER | {
    _P.READ_DOCUMENTS,
    _P.REVIEW_FILES,
    _P.VERIFY_ORGANISATIONS,
    _P.RECORD_CERTIFICATES,
    _P.SETTLE_PAYMENTS,
    _P.PREPARE_CREDIT_NOTES,
    _P.PREPARE_REVOCATIONS,
    _P.WRITE_NOTES,
    _P.ANSWER_MESSAGES,
    _P.EDIT_REASONS,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN_ORGANISATION: frozenset(
        {
            _P.ORDER_CERTIFICATES,
            _P.SEE_OWN_ORGANISATION,
            _P.MANAGE_OWN_ORGANISATION,
            _P.PAY,
            _P.WITHDRAW_REQUEST,
            _P.REVOKE_CERTIFICATES,
            _P.SUPPLY_DOCUMENTS,
            _P.WRITE_MESSAGES,
        }
    ),
    Role.DEMANDEUR: frozenset(
        {
            _P.VALIDATE_OWN_REQUEST,
            _P.SEE_OWN_REQUESTS,
            _P.REVOKE_CERTIFICATES,
            _P.SUPPLY_DOCUMENTS,
            _P.WRITE_MESSAGES,
        }
    ),
    Role.AGENT: _AGENT,
    Role.SUPERVISEUR: _AGENT
    | {
        _P.APPROVE_CREDIT_NOTES,
        _P.APPROVE_REVOCATIONS,
        _P.REASSIGN_FILES,
        _P.SUSPEND_ORGANISATIONS,
        _P.READ_DASHBOARD,
        _P.APPROVE_STAFF_CHANGES,
    },
    Role.RESPONSABLE: _READER | {_P.READ_DOCUMENTS, _P.READ_DASHBOARD, _P.READ_JOURNAL},
    Role.ADMINISTRATEUR: frozenset(
        {
            _P.ENTER_BACK_OFFICE,
            _P.MANAGE_STAFF,
            _P.APPROVE_STAFF_CHANGES,
            _P.MANAGE_REFERENCE_DATA,
            _P.EDIT_REASONS,
            _P.MANAGE_SETTINGS,
            _P.READ_JOURNAL,
            _P.RUN_JOBS,
            _P.MANAGE_MAIL,
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as read from the database for this very request: detached, so that it cannot go stale mid-way.

    ``organisation_ids`` are the organisations the person administers. ``user_id`` is None for a visitor and
    for the system itself (jobs, the gateway's answer).
    """

    user_id: int | None
    label: str
    roles: frozenset[Role] = field(default_factory=frozenset)
    organisation_ids: frozenset[int] = field(default_factory=frozenset)
    ip: str | None = None
    locale: str = "fr"

    @property
    def is_staff(self) -> bool:
        """Does the person work for TunTrust?"""
        return bool(self.roles & STAFF_ROLES)

    @property
    def is_system(self) -> bool:
        """Is it the product itself acting (a job, the gateway's answer)?"""
        return self.user_id is None and self.label == "système"

    def can(self, permission: Permission | str) -> bool:
        """Does any of the actor's roles hold the permission?"""
        wanted = Permission(permission)
        return any(wanted in ROLE_PERMISSIONS[role] for role in self.roles)


SYSTEM = Actor(user_id=None, label="système")


VISITOR_LABEL = "visiteur"


def visitor(ip: str | None, locale: str = "fr") -> Actor:
    """Somebody not logged in."""
    return Actor(user_id=None, label=VISITOR_LABEL, ip=ip, locale=locale)
