"""The one confirmation: every row of a file becomes a request, or none does (ORD-5)."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.models import ImportRowStatus, Order, OrderImport, OrderImportRow, Organisation
from app.permissions import Actor
from app.services import audit
from app.services.locking import lock
from app.services.order_creating import create_order
from app.services.order_files.checking import compare_rows
from app.services.order_files.drafting import check_again, edited, find, refuse_ordered, rows_of
from app.services.ordering import orderable_organisation
from app.services.unit_of_work import use_case


class RowsChanged(DomainError):
    """A row that was right is so no longer: an address taken, a request opened meanwhile."""


def confirm(actor: Actor, organisation_id: int, public_id: str, *, attested: bool) -> Order:
    """« Envoyer les demandes »: one order for the whole file. Pressed twice, it answers with the same order.

    Raises NotFound, DomainError for rows still to mend, a missing attestation, a file ordered already; RowsChanged
    when something changed since the check, whose new results are then in the rows.
    """
    try:
        return _confirm(actor, organisation_id, public_id, attested=attested)
    except RowsChanged:
        check_again(actor, organisation_id, public_id)
        raise
    except IntegrityError:  # the same file on another connection, in the same instant
        file = find(actor, organisation_id, public_id)
        refuse_ordered_now(file)
        raise


@use_case
def refuse_ordered_now(file: OrderImport) -> None:
    """The sentence that the file's trace asks for. Raises FileRefused."""
    refuse_ordered(file.organisation_id, file.fingerprint)


@use_case
def _confirm(actor: Actor, organisation_id: int, public_id: str, *, attested: bool) -> Order:
    organisation = lock(Organisation, organisation_id)
    orderable_organisation(actor, organisation.id)
    ordered = find(actor, organisation_id, public_id).order
    if ordered is not None:
        return ordered
    file = edited(actor, organisation_id, public_id)
    if file.order is not None:
        return file.order
    rows = rows_of(file)
    if not rows:
        raise DomainError(_("Ce fichier n'a plus aucune ligne."))
    if any(row.status is not ImportRowStatus.PRETE for row in rows):
        raise DomainError(_("Des lignes attendent encore : rien n'est envoyé avant que toutes soient justes."))
    if not attested:
        raise DomainError(_("Cochez l'attestation pour envoyer les demandes."), field="attestation")
    lines = compare_rows(actor, file, rows)
    if any(row.status is not ImportRowStatus.PRETE for row in rows):
        raise RowsChanged(_("Une ligne n'est plus juste depuis la vérification : rien n'a été envoyé. Voyez laquelle."))
    refuse_ordered(organisation.id, file.fingerprint)
    order = create_order(actor, organisation, lines)
    file.order_id, file.trace, file.expires_at = order.id, file.fingerprint, clock.now()
    db.session.execute(delete(OrderImportRow).where(OrderImportRow.import_id == file.id))
    audit.record(actor, "order_file", order, after={"file": file.original_name, "rows": len(lines)})
    return order
