"""What a bulk action will do, said before it is confirmed (QUE-4): nothing changes here.

A plan travels through the page of confirmation signed, for one person and a few hours: what is confirmed is what
was shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.models import Certificate, CertificateRequest, Organisation, User
from app.permissions import Actor, Permission
from app.queries.absences import OPEN_ORGANISATIONS, OPEN_REQUESTS
from app.queries.readiness import obstacles_to_dispatch
from app.queries.readiness_many import administrators_of_many, approval_obstacles_of_many, requests_whole
from app.services.authority import hands_on_request
from app.services.bulk import LIMIT, Line
from app.services.bulk_actions import ACTIONS, NOBODY, day_of, said_in_bulk
from app.services.certificates import refusal_to_record
from app.services.collecting import refusal_to_collect
from app.services.deciding import already_tracked
from app.services.resending import refusal_to_resend
from app.state_labels import action_label, state_label
from app.states import REQUEST_MOVES, NoSuchMove, RequestState, Who, find_move

PLAN_LIFE = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Plan:
    """An action on chosen rows, not confirmed yet. ``token`` becomes the run's public id."""

    action: str
    lines: tuple[Line, ...]
    data: dict[str, Any] = field(default_factory=dict)
    token: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the page of confirmation. ``refused``: why it will be refused, as things stand, or « »."""

    reference: str
    who: str
    organisation: str
    refused: str
    note: str = ""
    url_reference: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will happen: every row with its fate, and how many mails leave to how many people."""

    rows: list[Shown]
    mails: int
    people: int

    @property
    def refused(self) -> list[Shown]:
        """The rows that will be refused as things stand."""
        return [row for row in self.rows if row.refused]

    @property
    def accepted(self) -> list[Shown]:
        """The others."""
        return [row for row in self.rows if not row.refused]


def new_token() -> str:
    """A run's public id, unguessable."""
    return secrets.token_urlsafe(18)


def seal(plan: Plan, actor: Actor) -> str:
    """The plan as a hidden field."""
    content = {
        "action": plan.action,
        "lines": [asdict(line) for line in plan.lines],
        "data": plan.data,
        "token": plan.token or new_token(),
    }
    return str(_serializer(actor).dumps(content))


def unseal(text: str, actor: Actor) -> Plan:
    """The plan of a hidden field. Raises DomainError when it is somebody else's, too old or no plan."""
    try:
        content = _serializer(actor).loads(text, max_age=int(PLAN_LIFE.total_seconds()))
    except BadData:
        raise DomainError(_("Cette page de confirmation n'est plus valable : recommencez depuis la liste.")) from None
    lines = tuple(Line(**line) for line in content["lines"])
    return Plan(content["action"], lines, content["data"], content["token"])


def _serializer(actor: Actor) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt=f"bulk-plan:{actor.user_id}")


def lines_of(chosen: Sequence[tuple[int, int | None, int | None]]) -> tuple[Line, ...]:
    """Lines from what the list showed, as (id, version, holder). Ids that exist no more are dropped."""
    shown = {each[0]: each for each in chosen[:LIMIT]}
    rows = db.session.execute(
        select(CertificateRequest.id, CertificateRequest.reference)
        .where(CertificateRequest.id.in_(list(shown)))
        .order_by(CertificateRequest.id)
    )
    return tuple(Line(row.reference, row.id, shown[row.id][1], {"holder": shown[row.id][2] or NOBODY}) for row in rows)


def lines_of_files(requests: Sequence[CertificateRequest], organisations: Sequence[Organisation]) -> tuple[Line, ...]:
    """Lines from open files of both kinds, with whom they are now."""
    return (
        *(Line(row.reference, row.id, row.version, {"holder": row.assigned_to_id or NOBODY}) for row in requests),
        *(
            Line(
                row.reference,
                None,
                row.version,
                {"holder": row.assigned_to_id or NOBODY, "organisation_id": row.id},
            )
            for row in organisations
        ),
    )


def forecast(plan: Plan, actor: Actor) -> Forecast:
    """Every row with its fate as things stand, in a number of statements that does not grow with the rows."""
    requests = requests_whole([line.request_id for line in plan.lines if line.request_id is not None])
    organisations = _organisations(plan.lines)
    obstacles = approval_obstacles_of_many(list(requests.values())) if plan.action == "approve" else {}
    taken = _taken_numbers(plan) if plan.action == "dispatch" else {}
    names = _names(plan)
    shown = []
    told: list[CertificateRequest] = []
    for line in plan.lines:
        request = requests.get(line.request_id or 0)
        note = _note(line, names)
        if request is not None:
            refused = (
                line.data.get("refused")
                or _refusal(plan, line, request, actor, obstacles.get(request.id, []))
                or taken.get(line.data.get("tracking_number", ""), "")
            )
            who = f"{request.first_name} {request.last_name}"
            shown.append(Shown(line.reference, who, request.organisation.legal_name, refused, note, request.reference))
            if not refused:
                told.append(request)
            continue
        organisation = organisations.get(int(line.data.get("organisation_id") or 0))
        refused = line.data.get("refused") or _refusal_of_organisation(plan, line, organisation)
        shown.append(
            Shown(
                line.reference,
                "",
                organisation.legal_name if organisation is not None else "",
                refused,
                note,
                line.reference if organisation is not None else "",
            )
        )
    mails, people = _mails(plan, told)
    return Forecast(shown, mails, people)


def _organisations(lines: Sequence[Line]) -> dict[int, Organisation]:
    ids = [int(line.data["organisation_id"]) for line in lines if line.data.get("organisation_id")]
    if not ids:
        return {}
    return {row.id: row for row in db.session.scalars(select(Organisation).where(Organisation.id.in_(ids)))}


def _names(plan: Plan) -> dict[int, str]:
    ids = {int(line.data["to"]) for line in plan.lines if line.data.get("to")}
    if not ids:
        return {}
    return {row.id: row.display_name for row in db.session.scalars(select(User).where(User.id.in_(ids)))}


def _note(line: Line, names: Mapping[int, str]) -> str:
    if line.data.get("tracking_number") or line.data.get("day"):
        day = day_of(line.data)
        words = (str(line.data.get("tracking_number") or ""), day.strftime("%d/%m/%Y") if day is not None else "")
        return " · ".join(word for word in words if word)
    return _("à %(who)s", who=names.get(int(line.data["to"]), "")) if line.data.get("to") else ""


def _refusal(plan: Plan, line: Line, request: CertificateRequest, actor: Actor, obstacles: list[str]) -> str:
    hands = hands_on_request(actor, request)
    if Who.AGENT not in hands and plan.action not in ("release", "hand_over"):
        return _("Ce dossier est aussi le vôtre : un collègue doit le traiter.")
    if line.version is not None and line.version != request.version and not ACTIONS[plan.action].assigns:
        return _("Cette demande a changé depuis l'affichage de la liste.")
    if ACTIONS[plan.action].assigns:
        return _refusal_to_assign(plan, line, request, actor)
    if plan.action == "resend":
        return refusal_to_resend(request)
    if plan.action == "dispatch" and request.state is RequestState.EXPEDIEE:
        return _already_gone(request)
    if plan.action == "record_certificate":
        return refusal_to_record(request)
    if plan.action == "collect":
        return refusal_to_collect(request.certificate, day_of(line.data))
    try:
        find_move(REQUEST_MOVES, request.state, plan.action)
    except NoSuchMove:
        return _(
            "L'action « %(action)s » n'est pas possible : l'état est « %(state)s ».",
            action=action_label(plan.action),
            state=state_label(request.state),
        )
    if plan.action == "approve":
        if request.approved_at is not None:
            return _("Cette demande est déjà approuvée.")
        return _("%(why)s.", why=" ; ".join(obstacles)) if obstacles else ""
    if plan.action == "dispatch":
        return " ; ".join(obstacles_to_dispatch(request))
    if request.certificate is not None:
        return _("Un certificat est déjà enregistré pour cette demande : il est trop tard pour demander des pièces.")
    return ""


def _taken_numbers(plan: Plan) -> dict[str, str]:
    """Of the plan's RapidPost numbers, those that another token travels under already, with the refusal."""
    numbers = {str(line.data["tracking_number"]) for line in plan.lines if line.data.get("tracking_number")}
    if not numbers:
        return {}
    rows = db.session.execute(
        select(Certificate.tracking_number, CertificateRequest.reference)
        .join(CertificateRequest, CertificateRequest.id == Certificate.request_id)
        .where(Certificate.tracking_number.in_(sorted(numbers)))
        .order_by(Certificate.id.desc())
    )
    return {row.tracking_number or "": said_in_bulk(already_tracked(row.reference)) for row in rows}


def _already_gone(request: CertificateRequest) -> str:
    certificate = request.certificate
    if certificate is None or certificate.dispatched_at is None:
        return _("Déjà expédiée.")
    return _(
        "Déjà expédiée le %(day)s sous le n° %(number)s.",
        day=clock.local(certificate.dispatched_at).strftime("%d/%m/%Y"),
        number=certificate.tracking_number,
    )


def _refusal_to_assign(plan: Plan, line: Line, request: CertificateRequest, actor: Actor) -> str:
    holder = request.assigned_to_id
    if "holder" in line.data and (holder or NOBODY) != line.data["holder"]:
        return _("Ce dossier a changé de mains depuis l'affichage de la liste.")
    supervises = actor.can(Permission.REASSIGN_FILES)
    name = request.assigned_to.display_name if request.assigned_to is not None else ""
    if plan.action == "release":
        foreign = holder is not None and holder != actor.user_id and not supervises
        return _("Ce dossier est avec %(who)s.", who=name) if foreign else ""
    if request.state not in OPEN_REQUESTS:
        return _("Ce dossier n'attend personne : l'état est « %(state)s ».", state=state_label(request.state))
    if plan.action == "take":
        taken = holder is not None and holder != actor.user_id and not supervises
        return _("%(who)s a déjà pris ce dossier.", who=name) if taken else ""
    if holder != actor.user_id and not supervises:
        return _("Prenez d'abord ce dossier : on ne confie que les siens.")
    to = int(line.data.get("to") or plan.data.get("to") or 0)
    return _("%(who)s a déjà ce dossier.", who=name) if holder == to else ""


def _refusal_of_organisation(plan: Plan, line: Line, organisation: Organisation | None) -> str:
    if organisation is None:
        return _("Cette demande n'existe pas ou n'existe plus.")
    if (organisation.assigned_to_id or NOBODY) != line.data.get("holder", NOBODY):
        return _("Ce dossier a changé de mains depuis l'affichage de la liste.")
    if plan.action == "hand_over" and organisation.state not in OPEN_ORGANISATIONS:
        return _("Ce dossier n'attend personne : l'état est « %(state)s ».", state=state_label(organisation.state))
    return ""


def _mails(plan: Plan, told: Sequence[CertificateRequest]) -> tuple[int, int]:
    """How many mails leave, and to how many people."""
    if plan.action in ("take", "release", "record_certificate") or not plan.lines:
        return 0, 0
    if plan.action == "collect":
        return len(told), len({request.applicant_id for request in told})
    if plan.action == "hand_over":
        to = {int(line.data.get("to") or plan.data.get("to") or 0) for line in plan.lines}
        return len(to), len(to)
    administrators = administrators_of_many(sorted({request.organisation_id for request in told}))
    mails = 0
    people: set[int] = set()
    for request in told:
        concerned = {request.applicant_id}
        if request.state is not RequestState.NON_FINALISEE:
            concerned |= {
                one.id
                for one in administrators[request.organisation_id]
                if one.password_hash is not None and one.disabled_at is None
            }
        mails += len(concerned) if plan.action != "resend" else len(concerned - people)
        people |= concerned
    return mails, len(people)
