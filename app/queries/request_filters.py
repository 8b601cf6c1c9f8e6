"""The questions of the requests' filter form (QUE-2). They add up; each stands in the address under its key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache

from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from app import clock
from app.extensions import db
from app.identifiers import fold
from app.models import (
    CertificateRequest,
    CertificateType,
    CheckResult,
    Contract,
    Document,
    FileNote,
    Governorate,
    Inspection,
    InspectionFinding,
    MessageThread,
    Organisation,
    Payment,
    PaymentLine,
    PaymentMethod,
    RoleGrant,
    UsageDomain,
    User,
    request_domains,
)
from app.permissions import Role
from app.queries.lists import Filter, since, until
from app.state_labels import choices_of
from app.states import OrganisationState, PaymentState, RequestState, Verdict

R = CertificateRequest
Choices = Sequence[tuple[str, str]]
FOREIGN = "!TN"


def decidable() -> ColumnElement[bool]:
    """Nothing of its organisation stands in the way: verified, and its contract in force too (« approve »)."""
    return R.organisation_id.in_(
        select(Organisation.id)
        .join(Contract, and_(Contract.organisation_id == Organisation.id, Contract.superseded_at.is_(None)))
        .join(Document, Document.id == Contract.signed_document_id)
        .where(Organisation.state == OrganisationState.VERIFIEE, Document.verdict == Verdict.ACCEPTE)
    )


def agents() -> Choices:
    """Who files can be with, for the filter."""
    officers = select(RoleGrant.user_id).where(
        RoleGrant.role.in_((Role.AGENT, Role.SUPERVISEUR)), RoleGrant.revoked_at.is_(None)
    )
    rows = db.session.execute(
        select(User.id, User.first_name, User.last_name)
        .where(User.id.in_(officers))
        .order_by(User.last_name, User.first_name, User.id)
    )
    return [(str(row.id), f"{row.first_name} {row.last_name}".strip()) for row in rows] + [("aucun", _("Personne"))]


def whole_number(text: str) -> int | None:
    """An id in an address, or None."""
    number = int(text) if text.isascii() and text.isdigit() else 0  # of MAX_SEARCH figures at most
    return number if 0 < number < 2**63 else None


def governorates() -> Choices:
    """Every gouvernorat, by name."""
    rows = db.session.execute(select(Governorate.id, Governorate.name_fr).order_by(Governorate.name_fr))
    return [(str(row.id), row.name_fr) for row in rows]


def _types() -> Choices:
    rows = db.session.execute(select(CertificateType.id, CertificateType.name).order_by(CertificateType.name))
    return [(str(row.id), row.name) for row in rows]


def _domains() -> Choices:
    rows = db.session.execute(select(UsageDomain.id, UsageDomain.label).order_by(UsageDomain.position, UsageDomain.id))
    return [(str(row.id), row.label) for row in rows]


def _agent(text: str) -> int | None:
    return 0 if text == "aucun" else whole_number(text)


def _with_agent(user_id: int) -> ColumnElement[bool]:
    return R.assigned_to_id == user_id if user_id else R.assigned_to_id.is_(None)


def _alerts(wanted: str) -> ColumnElement[bool]:
    """The latest checks of the request, or of one of its papers, raised something (REV-3)."""
    later = aliased(Inspection)
    overtaken = exists(
        select(later.id).where(
            later.id > Inspection.id,
            later.done_at.is_not(None),
            or_(later.document_id == Inspection.document_id, later.request_id == Inspection.request_id),
        )
    )
    raised = (
        select(Inspection.document_id, Inspection.request_id)
        .join(InspectionFinding, InspectionFinding.inspection_id == Inspection.id)
        .where(InspectionFinding.result == CheckResult.ALERT, Inspection.done_at.is_not(None), ~overtaken)
        .subquery()
    )
    of_papers = select(Document.request_id).where(
        Document.id.in_(select(raised.c.document_id)), Document.request_id.is_not(None)
    )
    of_requests = select(raised.c.request_id).where(raised.c.request_id.is_not(None))
    found = R.id.in_(of_papers.union_all(of_requests))
    return found if wanted == "avec" else ~found


def _awaits(wanted: str) -> ColumnElement[bool]:
    threads = select(MessageThread.request_id).where(MessageThread.request_id.is_not(None))
    return R.id.in_(threads.where(MessageThread.awaits_staff if wanted == "tuntrust" else ~MessageThread.awaits_staff))


def _follow_up(wanted: str) -> ColumnElement[bool]:
    today = clock.today()
    notes = select(FileNote.request_id).where(FileNote.request_id.is_not(None), FileNote.done_at.is_(None))
    last = {"echue": today, "semaine": today + timedelta(days=7)}.get(wanted)
    return R.id.in_(notes.where(FileNote.follow_up_on.is_not(None) if last is None else FileNote.follow_up_on <= last))


def _paid_by(wanted: str) -> ColumnElement[bool]:
    return R.id.in_(
        select(PaymentLine.request_id)
        .join(Payment, Payment.id == PaymentLine.payment_id)
        .where(Payment.state == PaymentState.PAYE, Payment.method == PaymentMethod(wanted))
    )


def _in_domain(domain_id: int) -> ColumnElement[bool]:
    return R.id.in_(select(request_domains.c.request_id).where(request_domains.c.domain_id == domain_id))


def _price(text: str) -> int | None:
    """Dinars as typed, in millimes: « 423,500 »."""
    whole, _dot, part = text.replace(" ", "").replace("\u202f", "").replace(",", ".").partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 9 and len(part) <= 3):
        return None
    if part and not (part.isascii() and part.isdigit()):
        return None
    return int(whole) * 1000 + int((part + "000")[:3])


def _country(text: str) -> str | None:
    """The ISO code of a country named in French, Arabic or English, or by its code."""
    name = fold(text)
    if name in ("etrangere", "etranger", "autre"):
        return FOREIGN
    if name in ("tunisienne", "tunisien"):
        return "TN"
    return _country_names().get(name)


@cache
def _country_names() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in ("en", "ar", "fr"):
        territories = Locale.parse(language).territories
        found |= {fold(name): code for code, name in territories.items() if len(code) == 2 and code.isalpha()}
    return found | {code.lower(): code for code in found.values()}


def _choice(*pairs: tuple[str, object]) -> Choices:
    return [(key, str(label)) for key, label in pairs]


FILTERS = (
    Filter(
        "dossier",
        _l("Dossier"),
        "choice",
        lambda value: decidable() if value == "libre" else ~decidable(),
        choices=lambda: _choice(
            ("libre", _l("Décision possible")), ("organisation", _l("Organisation ou contrat à vérifier d'abord"))
        ),
    ),
    Filter(
        "etat",
        _l("État"),
        "choice",
        lambda value: R.state == RequestState(value),
        choices=lambda: choices_of(RequestState),
    ),
    Filter("agent", _l("Agent"), "choice", _with_agent, choices=agents, parse=_agent),
    Filter(
        "gouvernorat",
        _l("Gouvernorat de l'organisation"),
        "choice",
        lambda value: R.organisation_id.in_(select(Organisation.id).where(Organisation.governorate_id == value)),
        choices=governorates,
        parse=whole_number,
    ),
    Filter(
        "type",
        _l("Type de certificat"),
        "choice",
        lambda value: R.certificate_type_id == value,
        choices=_types,
        parse=whole_number,
    ),
    Filter("domaine", _l("Domaine d'utilisation"), "choice", _in_domain, choices=_domains, parse=whole_number),
    Filter(
        "nationalite",
        _l("Nationalité (pays, ou « étrangère »)"),
        "text",
        lambda value: R.nationality != "TN" if value == FOREIGN else R.nationality == value,
        parse=_country,
    ),
    Filter(
        "controles",
        _l("Contrôles automatiques"),
        "choice",
        _alerts,
        choices=lambda: _choice(("avec", _l("Avec une alerte")), ("sans", _l("Sans alerte"))),
    ),
    Filter(
        "messages",
        _l("Messages"),
        "choice",
        _awaits,
        choices=lambda: _choice(("tuntrust", _l("Attend notre réponse")), ("client", _l("Attend le client"))),
    ),
    Filter(
        "suivi",
        _l("Note à suivre"),
        "choice",
        _follow_up,
        choices=lambda: _choice(
            ("echue", _l("À revoir aujourd'hui ou avant")),
            ("semaine", _l("Dans les 7 jours")),
            ("toutes", _l("Toutes")),
        ),
    ),
    Filter("reglement", _l("Payée par"), "choice", _paid_by, choices=lambda: choices_of(PaymentMethod)),
    Filter("prix-min", _l("Prix HT à partir de (DT)"), "text", lambda value: R.price_ht >= value, parse=_price),
    Filter("prix-max", _l("Prix HT jusqu'à (DT)"), "text", lambda value: R.price_ht <= value, parse=_price),
    Filter("depuis", _l("Complète depuis le"), "day_from", since(R.complete_since)),
    Filter("jusqu", _l("Complète jusqu'au"), "day_to", until(R.complete_since)),
    Filter("creee-depuis", _l("Créée depuis le"), "day_from", since(R.created_at)),
    Filter("creee-jusqu", _l("Créée jusqu'au"), "day_to", until(R.created_at)),
    Filter("payee-depuis", _l("Payée depuis le"), "day_from", since(R.paid_at)),
    Filter("payee-jusqu", _l("Payée jusqu'au"), "day_to", until(R.paid_at)),
)
