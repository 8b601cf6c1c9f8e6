"""Who works on a file: « Prendre », hand over to a colleague, and back to the queue (QUE-3)."""

from __future__ import annotations

from typing import TypeVar

from flask_babel import gettext as _

from app.errors import DomainError, Forbidden, NotFound
from app.extensions import db
from app.models import CertificateRequest, Organisation, User
from app.permissions import Actor, Permission
from app.queries import next_file
from app.queries.absences import OPEN_ORGANISATIONS, OPEN_REQUESTS, REVIEWERS, absence_on
from app.queries.lists import Asked
from app.services import audit, history, outbox
from app.services.authority import hands_on_organisation, hands_on_request, require, require_officer
from app.services.links import public_url
from app.services.locking import check_version, lock
from app.services.unit_of_work import use_case
from app.state_labels import state_label

NOTE_LIMIT = 500
File = CertificateRequest | Organisation
F = TypeVar("F", CertificateRequest, Organisation)


@use_case
def take_request(request_id: int, *, actor: Actor, expected_version: int | None = None) -> CertificateRequest:
    """The file is mine. Raises DomainError when a colleague has it (a supervisor may take it over) or it is closed,
    Forbidden for one's own (PPL-3), StaleObject."""
    _require(actor, Permission.REVIEW_FILES)
    request = lock(CertificateRequest, request_id)
    check_version(request, expected_version, for_staff=True)
    _take(request, actor)
    return request


@use_case
def take_next_request(
    *, actor: Actor, asked: Asked | None = None, current: str = "", once: str = ""
) -> CertificateRequest:
    """« Suivant » (QUE-3): the next file of the list ``asked`` is opened, and is mine where the tab is « À prendre ».

    ``current``: the reference of the file left. ``once``: a token of the page's form: sent twice (a double click),
    it answers the file it took and takes no other. Raises DomainError when none is left.
    """
    _require(actor, Permission.REVIEW_FILES)
    return _take_next(CertificateRequest, actor, asked, current, once, _("Il ne reste aucune demande à prendre."))


@use_case
def take_next_organisation(
    *, actor: Actor, asked: Asked | None = None, current: str = "", once: str = ""
) -> Organisation:
    """The same for an organisation."""
    _require(actor, Permission.VERIFY_ORGANISATIONS)
    return _take_next(Organisation, actor, asked, current, once, _("Il ne reste aucune organisation à prendre."))


@use_case
def take_organisation(organisation_id: int, *, actor: Actor) -> Organisation:
    """The same for an organisation."""
    _require(actor, Permission.VERIFY_ORGANISATIONS)
    organisation = lock(Organisation, organisation_id)
    _take(organisation, actor)
    return organisation


@use_case
def release_request(request_id: int, *, actor: Actor, expected_version: int | None = None) -> CertificateRequest:
    """The file goes back to the queue. Raises Forbidden when a colleague has it (a supervisor may release it)."""
    _require(actor, Permission.REVIEW_FILES)
    request = lock(CertificateRequest, request_id)
    check_version(request, expected_version, for_staff=True)
    _release(request, actor)
    return request


@use_case
def release_organisation(organisation_id: int, *, actor: Actor) -> Organisation:
    """The same for an organisation."""
    _require(actor, Permission.VERIFY_ORGANISATIONS)
    organisation = lock(Organisation, organisation_id)
    _release(organisation, actor)
    return organisation


@use_case
def hand_over_request(
    request_id: int,
    to_user_id: int,
    *,
    actor: Actor,
    note: str = "",
    expected_version: int | None = None,
    notify: bool = True,
) -> CertificateRequest:
    """The file is a colleague's, who is told by mail; the note stays between officers, in the history.

    Only its holder, or a supervisor, hands a file over. Raises NotFound, Forbidden, StaleObject; DomainError on
    ``to_user_id`` (cannot review, disabled, absent today unless a supervisor decides, concerned by the file) or
    ``note``. ``notify=False``: the caller tells of many files in one mail.
    """
    _require(actor, Permission.REVIEW_FILES)
    request = lock(CertificateRequest, request_id)
    check_version(request, expected_version, for_staff=True)
    _hand_over(request, to_user_id, actor, note, notify=notify)
    return request


@use_case
def hand_over_organisation(
    organisation_id: int,
    to_user_id: int,
    *,
    actor: Actor,
    note: str = "",
    expected_version: int | None = None,
    notify: bool = True,
) -> Organisation:
    """The same for an organisation."""
    _require(actor, Permission.VERIFY_ORGANISATIONS)
    organisation = lock(Organisation, organisation_id)
    check_version(organisation, expected_version, for_staff=True)
    _hand_over(organisation, to_user_id, actor, note, notify=notify)
    return organisation


def tell_of_files(to: User, references: list[str], *, actor_label: str) -> None:
    """One mail for the files somebody was handed: references only, no identity data. Inside a use case."""
    one = len(references) == 1
    outbox.write(
        "file_handed_over" if one else "files_handed_over",
        to=to.email,
        locale=to.locale,
        name=to.display_name,
        who=actor_label,
        reference=references[0],
        count=len(references),
        references=references,
        link=public_url("dossiers.show", reference=references[0])
        if one
        else public_url("demandes.index_view", onglet="les-miennes"),
    )


def _hand_over(file: File, to_user_id: int, actor: Actor, note: str, *, notify: bool) -> None:
    supervises = actor.can(Permission.REASSIGN_FILES)
    if not supervises and file.assigned_to_id != actor.user_id:
        if file.assigned_to_id is None:
            raise Forbidden(_("Prenez d'abord ce dossier : on ne confie que les siens."))
        raise Forbidden(_("Seul l'agent qui a ce dossier, ou un superviseur, peut le confier."))
    _check_open(file)
    note = " ".join(note.split())
    if len(note) > NOTE_LIMIT:
        raise DomainError(_("%(limit)d caractères au plus.", limit=NOTE_LIMIT), field="note")
    if file.assigned_to_id == to_user_id:
        holder = db.session.get(User, to_user_id)
        name = holder.display_name if holder is not None else ""
        raise DomainError(_("%(who)s a déjà ce dossier.", who=name), field="to_user_id")
    colleague = _receiver(file, to_user_id, supervises=supervises)
    _assign(file, colleague.id, "hand_over", actor, {"to": colleague.display_name, "note": note})
    if notify and colleague.id != actor.user_id:
        tell_of_files(colleague, [file.reference], actor_label=actor.label)


def _receiver(file: File, user_id: int, *, supervises: bool) -> User:
    """The colleague, able to receive this very file. Raises DomainError on ``to_user_id``."""
    user = db.session.get(User, user_id, populate_existing=True)
    roles = {grant.role for grant in user.grants if grant.revoked_at is None} if user is not None else set()
    if user is None or not roles & set(REVIEWERS) or user.disabled_at is not None or user.activated_at is None:
        raise DomainError(_("Choisissez un agent ou un superviseur dont le compte est actif."), field="to_user_id")
    away = absence_on(user.id)
    if away is not None and not supervises:
        raise DomainError(
            _(
                "%(who)s est absent jusqu'au %(day)s : choisissez un autre collègue.",
                who=user.display_name,
                day=away.until_on.strftime("%d/%m/%Y"),
            ),
            field="to_user_id",
        )
    organisation_id = file.organisation_id if isinstance(file, CertificateRequest) else file.id
    applicant = isinstance(file, CertificateRequest) and file.applicant_id == user.id
    if applicant or any(g.organisation_id == organisation_id and g.revoked_at is None for g in user.grants):
        raise DomainError(
            _("Ce dossier est aussi celui de %(who)s : choisissez un autre collègue.", who=user.display_name),
            field="to_user_id",
        )
    return user


def _check_open(file: File) -> None:
    """Only files that still need somebody are given. Raises DomainError."""
    if file.state not in (OPEN_REQUESTS if isinstance(file, CertificateRequest) else OPEN_ORGANISATIONS):
        raise DomainError(_("Ce dossier n'attend personne : l'état est « %(state)s ».", state=state_label(file.state)))


def _require(actor: Actor, permission: Permission) -> None:
    if not actor.is_staff:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, permission)


def _take_next(model: type[F], actor: Actor, asked: Asked | None, current: str, once: str, none_left: str) -> F:
    left = next_file.id_of(model, current)
    if asked is not None and asked.tab.key != next_file.TO_TAKE:
        found = next_file.next_listed(model, actor, asked, left)
        if found is None:
            raise DomainError(_("Cette liste n'a pas d'autre dossier."))
        return db.session.get_one(model, found)
    _refuse_the_absent(actor)
    for _attempt in range(5):  # a colleague may take it between the look and the lock
        taken = next_file.taken_once(model, actor, once)
        if taken is not None:
            return db.session.get_one(model, taken)
        file_id = next_file.next_to_take(model, actor, asked, left)
        if file_id is None:
            break
        file = lock(model, file_id)
        if next_file.free_to_take(file):
            _take(file, actor, once)
            return file
    raise DomainError(none_left)


def _refuse_the_absent(actor: Actor) -> None:
    """« Suivant » gives nothing to somebody noted absent (QUE-3). Raises DomainError."""
    away = absence_on(actor.user_id) if actor.user_id is not None else None
    if away is not None:
        raise DomainError(
            _(
                "Vous êtes noté absent jusqu'au %(day)s : mettez fin à votre absence pour recevoir des dossiers.",
                day=away.until_on.strftime("%d/%m/%Y"),
            )
        )


def _take(file: File, actor: Actor, once: str = "") -> None:
    if file.assigned_to_id == actor.user_id:
        return
    if isinstance(file, CertificateRequest):
        require_officer(hands_on_request(actor, file))
        _check_open(file)
    else:
        require_officer(hands_on_organisation(actor, file))
    if file.assigned_to_id is not None and not actor.can(Permission.REASSIGN_FILES):
        holder = db.session.get(User, file.assigned_to_id)
        raise DomainError(
            _("%(who)s a déjà pris ce dossier.", who=holder.display_name if holder is not None else _("Un collègue"))
        )
    _assign(file, actor.user_id, "take", actor, {"once": once} if once else None)


def _release(file: File, actor: Actor) -> None:
    if file.assigned_to_id is None:
        return
    if file.assigned_to_id != actor.user_id and not actor.can(Permission.REASSIGN_FILES):
        raise Forbidden(_("Votre rôle ne permet pas cette action."))
    _assign(file, None, "release", actor)


def _assign(file: File, user_id: int | None, action: str, actor: Actor, details: dict[str, str] | None = None) -> None:
    before = file.assigned_to_id
    file.assigned_to_id = user_id
    own = isinstance(file, CertificateRequest)
    history.write(
        actor,
        action,
        request_id=file.id if own else None,
        organisation_id=file.organisation_id if isinstance(file, CertificateRequest) else file.id,
        details=details,
    )
    audit.record(actor, action, file, before={"assigned_to": before}, after={"assigned_to": user_id})
