"""The actions many files can go through at once (QUE-4): each row by the same service as one file alone.

The moves are those that ``states`` marks ``bulk``; handing files around and sending a mail again are no moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.errors import DomainError, NotFound, StaleObject
from app.extensions import db
from app.models import BulkRow, BulkRun, CertificateRequest, DocumentKind, Organisation, User
from app.permissions import Actor, Permission
from app.services import asking, assigning, certificates, collecting, deciding, resending
from app.services.deciding import AlreadyTracked
from app.services.locking import lock, overtaken_by
from app.state_labels import action_label

File = CertificateRequest | Organisation
NOBODY = 0
"""In a row's ``holder``: the list showed the file with nobody."""


@dataclass(frozen=True, slots=True)
class BulkAction:
    """``perform`` calls the service of one row and says what was done. ``assigns``: it is about who has the file.

    ``tells``: what mails go, in a sentence for the page of confirmation. ``needs``: what is asked besides the rows.
    """

    code: str
    perform: Callable[[BulkRun, BulkRow, Actor], str]
    tells: object
    needs: str = ""
    assigns: bool = False
    right: Permission = Permission.REVIEW_FILES

    @property
    def label(self) -> str:
        """The word on its button."""
        return action_label(self.code)


def _take(_run: BulkRun, row: BulkRow, actor: Actor) -> str:
    assigning.take_request(_request(row), actor=actor)
    return _("Pris.")


def _release(_run: BulkRun, row: BulkRow, actor: Actor) -> str:
    if row.request_id is None:
        assigning.release_organisation(_organisation(row), actor=actor)
    else:
        assigning.release_request(row.request_id, actor=actor)
    return _("Rendu à la file.")


def _hand_over(run: BulkRun, row: BulkRow, actor: Actor) -> str:
    to = int(row.data.get("to") or run.data.get("to") or 0)
    note = str(run.data.get("note") or "")
    if row.request_id is None:
        assigning.hand_over_organisation(_organisation(row), to, actor=actor, note=note, notify=False)
    else:
        assigning.hand_over_request(row.request_id, to, actor=actor, note=note, notify=False)
    colleague = db.session.get_one(User, to)
    return _("Confié à %(who)s.", who=colleague.display_name)


def _ask(run: BulkRun, row: BulkRow, actor: Actor) -> str:
    request_id = _request(row)
    point = asking.Point(
        str(run.data["reason"]),
        document_kind=DocumentKind(run.data["kind"]),
        reason_ar=str(run.data.get("reason_ar") or ""),
    )
    asking.ask_for_documents(request_id, [point], actor=actor, expected_version=row.expected_version)
    return _("Pièce demandée.")


def _approve(_run: BulkRun, row: BulkRow, actor: Actor) -> str:
    deciding.approve(_request(row), actor=actor, expected_version=row.expected_version)
    return _("Approuvée.")


def _dispatch(_run: BulkRun, row: BulkRow, actor: Actor) -> str:
    number = str(row.data.get("tracking_number") or "")
    deciding.dispatch(_request(row), number, actor=actor, expected_version=row.expected_version)
    return _("Expédiée sous le n° %(number)s.", number=deciding.normalise_tracking_number(number))


def _record(_run: BulkRun, row: BulkRow, actor: Actor) -> str:
    data = str(row.data.get("pem") or "").encode()
    kept = certificates.record_certificate(_request(row), data, actor=actor, expected_version=row.expected_version)
    row.data = {key: value for key, value in row.data.items() if key != "pem"}  # it is with the certificate now
    return _("Enregistré : n° de série %(serial)s.", serial=kept.serial_number)


def _collect(_run: BulkRun, row: BulkRow, actor: Actor) -> str:
    kept = collecting.confirm_collection(_request(row), actor=actor, collected_on=day_of(row.data))
    assert kept.collected_at is not None  # noqa: S101 - what the service writes
    return _("Retrait noté le %(day)s.", day=clock.local(kept.collected_at).strftime("%d/%m/%Y"))


def day_of(data: Mapping[str, Any]) -> date | None:
    """The day a row's own values name, None for none."""
    return date.fromisoformat(str(data["day"])) if data.get("day") else None


def _resend(_run: BulkRun, row: BulkRow, actor: Actor) -> str:
    return resending.resend_last_mail(_request(row), actor=actor, expected_version=row.expected_version)


ACTIONS: dict[str, BulkAction] = {
    each.code: each
    for each in (
        BulkAction("take", _take, _l("Aucun courriel ne part."), assigns=True),
        BulkAction("release", _release, _l("Aucun courriel ne part."), assigns=True),
        BulkAction(
            "hand_over",
            _hand_over,
            _l("Un seul courriel par collègue, avec les références seulement."),
            needs="colleague",
            assigns=True,
        ),
        BulkAction(
            "ask_for_documents",
            _ask,
            _l("« Pièces manquantes » au demandeur et aux administrateurs de chaque demande."),
            needs="point",
        ),
        BulkAction(
            "approve",
            _approve,
            _l("« Votre demande de certificat est acceptée » au demandeur et aux administrateurs de chaque demande."),
        ),
        BulkAction(
            "dispatch",
            _dispatch,
            _l("« Votre certificat est expédié » au demandeur et aux administrateurs de chaque demande."),
            needs="file",
        ),
        BulkAction(
            "record_certificate",
            _record,
            _l("Aucun courriel ne part."),
            needs="file",
            right=Permission.RECORD_CERTIFICATES,
        ),
        BulkAction(
            "collect",
            _collect,
            _l("« Le retrait de votre certificat est noté » au titulaire de chaque certificat."),
            needs="file",
        ),
        BulkAction(
            "resend",
            _resend,
            _l("L'invitation ou le rappel des pièces manquantes, à chaque personne une fois par heure au plus."),
        ),
    )
}
"""By code, in the order of the bar."""


def perform(run: BulkRun, row: BulkRow, actor: Actor) -> str:
    """Do one row, inside the use case that keeps its outcome; what was done, in a sentence. Raises DomainError."""
    if row.data.get("refused"):
        raise DomainError(str(row.data["refused"]))
    action = ACTIONS[run.action]
    if action.assigns:
        _check_holder(row)
    return action.perform(run, row, actor)


def refusal_sentence(row: BulkRow, refusal: DomainError) -> str:
    """A refusal as the result page says it: of a stale row, who changed the file and when."""
    if isinstance(refusal, StaleObject) and row.request_id is not None:
        request = db.session.get(CertificateRequest, row.request_id)
        why = overtaken_by(request, row.expected_version, for_staff=True) if request is not None else ""
        if why:
            return _("%(why)s Relisez-le avant de recommencer.", why=why)
    return said_in_bulk(str(refusal)) if isinstance(refusal, AlreadyTracked) else str(refusal)


def said_in_bulk(already: str) -> str:
    """A number that only the request's own page can confirm."""
    return f"{already} {_('Cela se fait depuis la page de la demande.')}"


def _check_holder(row: BulkRow) -> None:
    """The file is still with whom the list showed. Raises StaleObject saying who moved it, and when."""
    if "holder" not in row.data:
        return
    file: File = (
        lock(CertificateRequest, row.request_id)
        if row.request_id is not None
        else lock(Organisation, _organisation(row))
    )
    if (file.assigned_to_id or NOBODY) != (row.data["holder"] or NOBODY):
        raise StaleObject(
            overtaken_by(file, -1, for_staff=True) or _("Ce dossier a changé de mains depuis l'affichage de la liste.")
        )


def _request(row: BulkRow) -> int:
    if row.request_id is None:
        raise NotFound(_("Cette demande n'existe pas ou n'existe plus."))
    return row.request_id


def _organisation(row: BulkRow) -> int:
    if not row.data.get("organisation_id"):
        raise NotFound(_("Cette demande n'existe pas ou n'existe plus."))
    return int(row.data["organisation_id"])
