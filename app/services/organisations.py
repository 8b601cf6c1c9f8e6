"""What an administrator changes in their organisation: its data, documents, signed contract, answers (CON-1, CON-2)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound, StaleObject
from app.extensions import db
from app.models import (
    CertificateRequest,
    Contract,
    Document,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    Organisation,
)
from app.permissions import Actor, Permission
from app.queries.asks import left_of, stamp
from app.services import audit, contracts, documents, history, settings
from app.services.authority import require_organisation
from app.services.documents import Examined
from app.services.inspecting import ask_file_inspection
from app.services.locking import check_version, lock
from app.services.moving import cancel_approval, move_organisation
from app.services.search_columns import refill_organisation, refill_requests_of
from app.services.supplying import item_label, overtaken
from app.services.unit_of_work import use_case
from app.states import ORDERING_STATES, OrganisationState, Verdict

NAMES = frozenset({"legal_name", "legal_name_ar", "trade_name"})
CHANGEABLE = (
    "legal_name",
    "legal_name_ar",
    "trade_name",
    "address",
    "postal_code",
    "city",
    "governorate_id",
    "phone",
    "fax",
)
EXTRACTS = frozenset({DocumentKind.RNE_EXTRACT, DocumentKind.TRADE_REGISTER})
ANSWER_LIMIT = 2000


def lock_own_organisation(actor: Actor, organisation_id: int) -> Organisation:
    """The actor's own organisation, locked, in a state that lets its people work on it.

    Raises NotFound for another's, IllegalTransition when it is rejected or suspended.
    """
    require_organisation(actor, organisation_id, Permission.MANAGE_OWN_ORGANISATION)
    organisation = lock(Organisation, organisation_id)
    if organisation.state not in ORDERING_STATES:
        raise IllegalTransition(
            _(
                "L'état de votre organisation ne permet pas de modification. Contactez TunTrust : %(email)s.",
                email=settings.get("seller.email"),
            )
        )
    return organisation


@use_case
def change_data(
    organisation_id: int, values: Mapping[str, Any], *, actor: Actor, expected_version: int | None = None
) -> list[str]:
    """Change names, address or contact; returns the names of what changed, empty when nothing did.

    Everything here is printed in the contract: a change issues its next version, sends a verified organisation
    back to A_VERIFIER and cancels the approvals of its requests (CON-1). Raises NotFound, IllegalTransition,
    StaleObject.
    """
    organisation = lock_own_organisation(actor, organisation_id)
    check_version(organisation, expected_version)
    before = {name: getattr(organisation, name) for name in CHANGEABLE if name in values}
    changed = [name for name in before if before[name] != values[name]]
    if not changed:
        return []
    for name in changed:
        setattr(organisation, name, values[name])
    refill_organisation(organisation)
    if NAMES & set(changed):
        refill_requests_of(organisation)
    after = {name: values[name] for name in changed}
    audit.record(actor, "change_data", organisation, {name: before[name] for name in changed}, after)
    note_change(organisation, actor=actor, details={"fields": changed})
    return changed


def note_change(
    organisation: Organisation,
    *,
    actor: Actor,
    details: dict[str, Any],
    action: str = "data_changed",
    new_contract: bool = True,
) -> None:
    """What follows a change of a file: history, verification anew, approvals void, the contract's next version.

    Called inside a use case that holds the organisation's lock.
    """
    if organisation.state is OrganisationState.VERIFIEE:
        move_organisation(organisation.id, "change_data", actor=actor, details=details)
        organisation.verified_at = None
        organisation.verified_by_id = None
        organisation.complete_since = clock.now()
        if action != "data_changed":
            history.write(actor, action, organisation_id=organisation.id, details=details)
    else:
        organisation.version += 1
        history.write(actor, action, organisation_id=organisation.id, details=details)
    cancel_approvals(organisation.id, actor=actor)
    if new_contract:
        ask_file_inspection(organisation_id=organisation.id, actor=actor)
        contract = contracts.issue_contract(organisation, actor=actor)
        history.write(
            actor, "contract_issued", organisation_id=organisation.id, details={"version": contract.version_number}
        )


def cancel_approvals(organisation_id: int, *, actor: Actor, why: str = "") -> None:
    """The organisation's file changed: what was approved on it is to be looked at again (chapter 1).

    ``why`` is the sentence that the desk shows; the file's change in general without it.
    """
    ids = db.session.scalars(
        select(CertificateRequest.id)
        .where(CertificateRequest.organisation_id == organisation_id, CertificateRequest.approved_at.is_not(None))
        .order_by(CertificateRequest.id)
    ).all()
    for request_id in ids:
        request = lock(CertificateRequest, request_id)
        cancel_approval(request, actor=actor, why=why or _("Le dossier de l'organisation a été modifié."))


# ----------------------------------------------------------------------------------------------- documents


def check_extract_date(kind: DocumentKind, issued_on: date | None) -> None:
    """An extract bears a date, not in the future and not older than ``extract.months`` (ORG-4). Raises DomainError."""
    if kind not in EXTRACTS:
        return
    if issued_on is None:
        raise DomainError(_("Écrivez la date qui figure sur l'extrait."), field="issued_on")
    if issued_on > clock.today():
        raise DomainError(_("Cette date est dans l'avenir."), field="issued_on")
    if fresh_until(issued_on) < clock.today():
        months = settings.get("extract.months")
        raise DomainError(
            ngettext(
                "Cet extrait a plus de %(num)d mois. Demandez-en un récent.",
                "Cet extrait a plus de %(num)d mois. Demandez-en un récent.",
                months,
            ),
            field="issued_on",
        )


def fresh_until(issued_on: date) -> date:
    """The last day on which an extract of that date is recent enough (ORG-4)."""
    months = issued_on.month - 1 + settings.get("extract.months")
    year, month = issued_on.year + months // 12, months % 12 + 1
    return date(year, month, min(issued_on.day, monthrange(year, month)[1]))


@use_case
def replace_document(document_id: int, examined: Examined, *, actor: Actor, issued_on: date | None = None) -> Document:
    """A newer version of one of the organisation's papers; its verdict starts again (CON-2).

    Raises NotFound, IllegalTransition, StaleObject (replaced meanwhile), DomainError (the extract's date).
    """
    found = db.session.get(Document, document_id)
    if found is None or found.organisation_id is None or found.request_id is not None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    organisation = lock_own_organisation(actor, found.organisation_id)
    if found.kind is DocumentKind.SIGNED_CONTRACT:
        raise DomainError(_("Déposez la copie signée sous « Contrat »."))
    check_extract_date(found.kind, issued_on)
    received = documents.keep(
        examined,
        kind=found.kind,
        actor=actor,
        organisation_id=organisation.id,
        user_id=found.user_id,
        issued_on=issued_on,
        replaces=found,
    )
    _answer_points(organisation.id, received, replaced_id=found.id)
    note_change(
        organisation,
        actor=actor,
        action="document_received",
        details={"kind": received.kind},
        new_contract=False,
    )
    return received


@use_case
def upload_signed_contract(contract_id: int, examined: Examined, *, actor: Actor) -> Document:
    """The copy signed by the representative and every administrator (CON-1); an agent gives the verdict.

    Raises NotFound, StaleObject when a newer version of the contract exists, DomainError when a copy of this
    version is already accepted.
    """
    contract = db.session.get(Contract, contract_id)
    if contract is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    organisation = lock_own_organisation(actor, contract.organisation_id)
    contract = lock(Contract, contract_id)
    if contract.superseded_at is not None:
        raise StaleObject(_("Une nouvelle version du contrat a été établie : téléchargez-la et faites-la signer."))
    earlier = contract.signed_document
    if earlier is not None and earlier.verdict is Verdict.ACCEPTE:
        raise DomainError(_("La copie signée de cette version est déjà acceptée."))
    received = documents.keep(
        examined,
        kind=DocumentKind.SIGNED_CONTRACT,
        actor=actor,
        organisation_id=organisation.id,
        contract_id=contract.id,
        replaces=earlier,
    )
    contract.signed_document_id = received.id
    organisation.version += 1
    _answer_points(organisation.id, received, replaced_id=earlier.id if earlier is not None else None)
    history.write(
        actor, "contract_signed", organisation_id=organisation.id, details={"version": contract.version_number}
    )
    return received


# ------------------------------------------------------------------------------------------- asked documents


def open_ask(organisation_id: int) -> DocumentAsk | None:
    """What TunTrust asked for and still waits for (REV-5)."""
    return db.session.scalar(
        select(DocumentAsk).where(DocumentAsk.organisation_id == organisation_id, DocumentAsk.closed_at.is_(None))
    )


@use_case
def answer_point(
    item_id: int,
    *,
    actor: Actor,
    examined: Examined | None = None,
    text: str = "",
    issued_on: date | None = None,
    seen: str | None = None,
) -> None:
    """Answer one point: a document asked for is brought again, a field is corrected or explained in words.

    May be repeated until « J'ai apporté les corrections demandées ». ``seen`` is the ``stamp`` of the answer the
    page showed, None not to compare. Raises NotFound, StaleObject (the ask is over, the other administrator
    answered meanwhile), DomainError.
    """
    item = db.session.get(DocumentAskItem, item_id)
    if item is None or item.ask.organisation_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    organisation = lock_own_organisation(actor, item.ask.organisation_id)
    item = lock(DocumentAskItem, item_id)
    if item.ask.closed_at is not None:
        raise StaleObject(_("TunTrust n'attend plus cette réponse. Rechargez la page."))
    text = text.strip()
    if seen is not None and seen != stamp(item) and item.answer_text != text and examined is None:
        raise overtaken(item)
    if len(text) > ANSWER_LIMIT:
        raise DomainError(_("2 000 caractères au plus."), field="text")
    if item.document_kind is DocumentKind.SIGNED_CONTRACT:
        raise DomainError(_("Déposez la copie signée sous « Contrat »."))
    if item.document_kind is not None:
        _bring(item, item.document_kind, organisation, actor, examined, issued_on)
    elif len(text) < 3:
        raise DomainError(_("Écrivez votre réponse."), field="text")
    item.answer_text = text
    item.answered_at = clock.now()
    organisation.version += 1
    history.write(
        actor,
        "answer_item",
        organisation_id=organisation.id,
        details={"item": item.id, "kind": item.document_kind, "field": item.field},
    )
    audit.record(actor, "answer_item", item, after={"kind": item.document_kind, "field": item.field})


def _bring(
    item: DocumentAskItem,
    kind: DocumentKind,
    organisation: Organisation,
    actor: Actor,
    examined: Examined | None,
    issued_on: date | None,
) -> None:
    if examined is None:
        if item.answer_document_id is not None:
            return  # the file stays, the words changed
        raise DomainError(_("Choisissez un fichier."), field="file")
    check_extract_date(kind, issued_on)
    earlier = _live_document(organisation.id, kind, item.answer_document_id or item.document_id)
    received = documents.keep(
        examined,
        kind=kind,
        actor=actor,
        organisation_id=organisation.id,
        user_id=earlier.user_id if earlier is not None else None,
        issued_on=issued_on,
        replaces=earlier,
    )
    item.answer_document_id = received.id


def _live_document(organisation_id: int, kind: DocumentKind, wanted_id: int | None) -> Document | None:
    """The version to replace: the one the point names while it holds, else the latest of its kind."""
    live = select(Document).where(
        Document.organisation_id == organisation_id,
        Document.request_id.is_(None),
        Document.kind == kind,
        Document.superseded_at.is_(None),
    )
    if wanted_id is not None:
        named = db.session.scalar(live.where(Document.id == wanted_id))
        if named is not None:
            return named
    return db.session.scalar(live.order_by(Document.id.desc()).limit(1))


def _answer_points(organisation_id: int, received: Document, *, replaced_id: int | None) -> None:
    """A paper brought elsewhere on the page answers the open point that asked for it."""
    ask = open_ask(organisation_id)
    for item in ask.items if ask is not None else ():
        same = item.document_id is None or item.document_id == replaced_id or item.answer_document_id == replaced_id
        if item.document_kind is received.kind and same:
            item.answer_document_id = received.id
            item.answered_at = clock.now()


@use_case
def supply_organisation(organisation_id: int, *, actor: Actor, expected_version: int | None = None) -> None:
    """« J'ai apporté les corrections demandées »: only when every point is answered.

    Raises NotFound, IllegalTransition, StaleObject, DomainError naming how many points are left.
    """
    organisation = lock_own_organisation(actor, organisation_id)
    ask = open_ask(organisation.id)
    left = left_of(ask) if ask is not None else []
    if left:
        raise DomainError(
            ngettext(
                "Il reste %(num)d point sans réponse : %(what)s.",
                "Il reste %(num)d points sans réponse : %(what)s.",
                len(left),
                what=", ".join(item_label(item) for item in left),
            )
        )
    move_organisation(organisation.id, "supply", actor=actor, expected_version=expected_version)
    if ask is not None:
        ask.closed_at = clock.now()
        ask.outcome = "supplied"
