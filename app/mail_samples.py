"""What each mail is told, for the gallery of development and the tests: invented people, real kinds of values (MAI-1).

A mail whose sentences depend on what happened has several samples. A kind without a sample fails a test, so that no
mail is ever written that nobody looked at in the three languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

from app.mail_catalogue import SECURITY_EVENTS, security_sentence

RECIPIENT = "salma.trabelsi@exemple.tn"
LOCALES = ("fr", "ar", "en")
_BASE = "https://ecert.exemple.tn"
_REQUEST = "DEM-2026-000418"
_UNTIL = datetime(2026, 12, 1, 9, 42, tzinfo=UTC)
_DAY = date(2026, 12, 4)
_PERSON = {"name": "Salma Trabelsi"}
_ORGANISATION = {**_PERSON, "organisation": "Société Exemple", "reference": "ORG-2026-000027"}
_OWN = {
    **_PERSON,
    "own": True,
    "applicant": "Salma Trabelsi",
    "organisation": "Société Exemple",
    "reference": _REQUEST,
    "link": f"{_BASE}/demandes/{_REQUEST}",
}
_OTHERS = {**_OWN, "own": False, "name": "Karim Mejri"}
_APPLICANT = {key: _OWN[key] for key in ("name", "organisation", "reference", "link")}
_OFFICE = SimpleNamespace(
    name_fr="Tunis Bab Bhar",
    name_ar="تونس باب بحر",
    address="12 rue de la Poste",
    postal_code="1000",
    delegation="Bab Bhar",
    governorate=SimpleNamespace(name_fr="Tunis", name_ar="تونس"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail as it may be written; ``case`` tells the samples of a kind apart."""

    kind: str
    case: int
    context: dict[str, Any]


@cache
def samples() -> tuple[Sample, ...]:
    """Every kind's samples, in the catalogue's order."""
    from app.mail_catalogue import SUBJECTS

    told = _told()
    return tuple(
        Sample(kind, case, context) for kind in SUBJECTS for case, context in enumerate(told.get(kind, ()), start=1)
    )


def _told() -> dict[str, tuple[dict[str, Any], ...]]:
    return {**_accounts(), **_requests(), **_certificates(), **_organisations(), **_money(), **_staff()}


def _accounts() -> dict[str, tuple[dict[str, Any], ...]]:
    login = f"{_BASE}/connexion"
    invited = {
        **_ORGANISATION,
        "password": "tK7-mP2-vX9",
        "deadline": _UNTIL,
        "hours": 48,
        "link": login,
        "inviter": "Karim Mejri",
    }
    known = {**_PERSON, "organisation": None, "active": True, "link": login, "forgotten_link": f"{_BASE}/oublie"}
    security = {**_PERSON, "link": f"{_BASE}/compte"}
    reset = {**_PERSON, "link": login, "required": True}
    return {
        "security_changed": tuple(
            {**security, "sentence": security_sentence(event, key="Téléphone", left=7)} for event in SECURITY_EVENTS
        ),
        "second_factor_reset": (reset, {**reset, "required": False}),
        "account_created": (invited,),
        "already_registered": (known, {**known, "organisation": "Société Exemple", "active": False}),
        "activation_reminder": (invited,),
        "registration_deleted": ({"link": login},),
        "administrator_invited": (invited, {**invited, "password": None, "deadline": None}),
        "password_reset": ({**_PERSON, "link": f"{_BASE}/mot-de-passe/WzQyLCJhIl0"},),
        "password_changed": (_PERSON,),
    }


def _requests() -> dict[str, tuple[dict[str, Any], ...]]:
    from app.models import DocumentKind, RevocationReason
    from app.services.asking import Point
    from app.states import RequestState

    points = [
        Point(
            "La copie est illisible : envoyez-en une plus nette.",
            document_kind=DocumentKind.APPLICANT_IDENTITY,
            reason_ar="النسخة غير مقروءة: الرجاء إرسال نسخة أوضح.",
        ),
        Point(
            "Le nom n'est pas celui de la pièce d'identité.",
            field="last_name",
            reason_ar="اللقب لا يطابق ما ورد في وثيقة الهوية.",
        ),
    ]
    created = {**_APPLICANT, "login": f"{_BASE}/connexion"}
    asked = {"points": points, "message": "", "due_on": _DAY}
    reminded = {"left": points, "due_on": _DAY, "late": False, "rejected_on": _DAY}
    late = {**reminded, "left": [], "late": True, "rejected_on": None}
    dispatched = {"tracking_number": "RR123456789TN", "office": _OFFICE}
    lost = {"ground": RevocationReason.CLE_COMPROMISE, "reason": "Token perdu.", "serial_number": "4A:07:C1:9E"}
    rejected = {"reason": "Les pièces demandées n'ont pas été apportées dans le délai annoncé.", "paid": True}
    return {
        "request_created": (
            {**created, "temporary_password": "tK7-mP2-vX9", "expires_at": _UNTIL},
            {**created, "temporary_password": None, "expires_at": None},
        ),
        "request_validated": ({**_OTHERS, "price_ht": 350_000},),
        "correction_asked": ({**_OTHERS, "remark": "Mon prénom s'écrit Selma."},),
        "request_reopened": ({**_APPLICANT, "reason": "Date de naissance corrigée."},),
        "request_withdrawn": ({**_APPLICANT, "reason": ""},),
        "documents_missing": ({**_OWN, **asked}, {**_OTHERS, **asked, "message": "Merci de faire vite."}),
        "documents_reminder": ({**_OWN, **reminded}, {**_OTHERS, **late}),
        "documents_no_longer_needed": (
            {**_OTHERS, "message": ""},
            {**_ORGANISATION, "applicant": "", "message": "", "link": f"{_BASE}/organisation"},
        ),
        "request_approved": (_OWN, _OTHERS),
        "request_rejected": ({**_OWN, **rejected}, {**_OTHERS, **rejected}),
        "certificate_dispatched": ({**_OWN, **dispatched}, {**_OTHERS, **dispatched}),
        "certificate_collected": ({**_OWN, "collected_on": _DAY},),
        "certificate_revoked": (
            {**_OWN, **lost},
            *({**_OTHERS, **lost, "ground": ground, "reason": ""} for ground in RevocationReason),
        ),
        "reorder_prepared": (
            {**_PERSON, "applicants": ["Salma Trabelsi", "Karim Mejri"], "link": f"{_BASE}/commander"},
        ),
        "order_followed": (
            {"reference": "CMD-2026-000102", "lines": [(f"DEM-{n:04}", state) for n, state in enumerate(RequestState)]},
        ),
        "message_received": ({"reference": _REQUEST, "link": f"{_BASE}/messages/{_REQUEST}"},),
    }


def _certificates() -> dict[str, tuple[dict[str, Any], ...]]:
    from app.services.expiring import Ending

    endings = [Ending(f"Titulaire {n}", f"4A07C19E{n:02}", f"DEM-2026-{n:06}", _DAY, 7 * n) for n in range(1, 4)]
    listed = {**_ORGANISATION, "endings": endings, "more": 0, "count": 3, "link": f"{_BASE}/certificats"}
    waiting = {
        "generated_on": date(2026, 9, 5),
        "last_day": _DAY,
        "late": False,
        "by_itself": False,
        "office": _OFFICE,
        "tracking_number": "RR123456789TN",
    }
    return {
        "collection_reminder": (
            {**_OWN, **waiting},
            {**_OTHERS, **waiting, "by_itself": True, "office": None},
            {**_OTHERS, **waiting, "late": True},
        ),
        "certificates_expiring": (
            listed,
            {**listed, "endings": endings[:1], "count": 1},
            {**listed, "more": 1, "count": 4},
            {**listed, "more": 20, "count": 23},
        ),
        "certificate_expiring": tuple(
            {**_APPLICANT, "ending": Ending("Salma Trabelsi", "4A07C19E", _REQUEST, _DAY, left)}
            for left in (0, 1, 7, 60)
        ),
    }


def _organisations() -> dict[str, tuple[dict[str, Any], ...]]:
    from app.models import DocumentKind
    from app.services.asking import Point

    own = {**_ORGANISATION, "link": f"{_BASE}/organisation"}
    points = [
        Point(
            "L'extrait a plus de trois mois.",
            document_kind=DocumentKind.RNE_EXTRACT,
            reason_ar="مضى على المضمون أكثر من ثلاثة أشهر.",
        )
    ]
    reminded = {**own, "left": points, "due_on": _DAY, "late": False}
    return {
        "organisation_documents_missing": ({**own, "points": points, "message": "", "due_on": _DAY},),
        "organisation_documents_reminder": (reminded, {**reminded, "left": [], "late": True}),
        "organisation_verified": (own,),
        "organisation_rejected": ({**own, "reason": "Matricule fiscal inconnu."},),
        "organisation_suspended": ({**own, "reason": "Contrat dénoncé."},),
        "organisation_restored": (own,),
        "administrator_replaced": ({**_PERSON, "organisation": "Société Exemple", "by": "Karim Mejri"},),
    }


def _money() -> dict[str, tuple[dict[str, Any], ...]]:
    from app.models import CreditOutcome

    invoices = {**_PERSON, "link": f"{_BASE}/factures"}
    paid = {
        **_PERSON,
        "invoice_number": "FAC-2026-000311",
        "payment_reference": "PAY-2026-000415",
        "amount": 1_271_500,
        "applicants": ["Salma Trabelsi"],
        "history_url": f"{_BASE}/commandes",
        "verification_url": f"{_BASE}/verifier/8F3K-2M7Q",
    }
    credit = {
        **invoices,
        "credit_note_number": "AV-2026-000012",
        "invoice_number": "FAC-2026-000311",
        "amount": 424_500,
        "reason": "Paiement fait deux fois.",
    }
    refund = {
        **invoices,
        "amount": 424_500,
        "credit_note_number": "AV-2026-000012",
        "by_bank": True,
        "bank_reference": "VIR-88213",
    }
    given = {
        **_PERSON,
        "payment_reference": "PAY-2026-000415",
        "amount": 424_500,
        "bank_reference": "VIR-88213",
        "link": f"{_BASE}/commandes",
    }
    return {
        "payment_confirmed": (paid, {**paid, "applicants": [f"Titulaire {n}" for n in range(1, 54)]}),
        "credit_note_issued": tuple({**credit, "outcome": outcome} for outcome in CreditOutcome),
        "refund_done": (refund, {**refund, "by_bank": False}),
        "payment_given_back": tuple({**given, "how": how} for how in ("released", "transfer", "card")),
    }


def _staff() -> dict[str, tuple[dict[str, Any], ...]]:
    from app.permissions import Role
    from app.queries.digests import Digest

    late = [f"DEM-2026-{n:06}" for n in range(401, 421)]
    busy = Digest(12, 2, 23, late, 3, 1, 4, 2, 5)
    calm = Digest(1, 0, 1, late[:1], 0, 0, 0, 0, 0)
    login = f"{_BASE}/connexion"
    files = {**_PERSON, "who": "Karim Mejri", "link": f"{_BASE}/admin/"}
    staff = {**_PERSON, "role": Role.AGENT, "password": "tK7-mP2-vX9", "deadline": _UNTIL, "link": login}
    return {
        "staff_digest": tuple(
            {**_PERSON, "digest": each, "days": 7, "link": f"{_BASE}/admin/"} for each in (busy, calm)
        ),
        "file_handed_over": ({**files, "reference": _REQUEST},),
        "files_handed_over": ({**files, "count": 53, "references": [f"DEM-2026-{n:06}" for n in range(1, 54)]},),
        "staff_invited": (staff, {**staff, "role": Role.SUPERVISEUR, "password": None, "deadline": None}),
    }
