"""What a bulk action asks besides its rows, and how it is said back (QUE-4)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.errors import DomainError
from app.extensions import db
from app.forms.base import BaseForm
from app.forms.bulk import ColleagueForm, SamePointForm
from app.models import DocumentKind, ReasonKind, User
from app.permissions import Actor, Permission
from app.queries import reference as reference_data
from app.queries.absences import Colleague, colleagues
from app.services.bulk_preview import Plan
from app.state_labels import state_label

ASKABLE = (DocumentKind.APPLICANT_IDENTITY, DocumentKind.RNE_EXTRACT, DocumentKind.TAX_CARD, DocumentKind.OTHER)
"""What can be asked of every request alike; an organisation's own papers are asked on its own file."""


def colleague_choices(found: list[Colleague]) -> list[tuple[str, str]]:
    """Colleagues for a select; who is absent is said so."""
    return [
        (
            str(each.id),
            each.name
            if each.absent_until is None
            else _("%(name)s (absent jusqu'au %(day)s)", name=each.name, day=each.absent_until.strftime("%d/%m/%Y")),
        )
        for each in found
    ]


def form_of(action: str, actor: Actor) -> BaseForm | None:
    """The form of what else the action needs, None for those that need nothing."""
    if action == "hand_over":
        form = ColleagueForm()
        found = colleagues(except_ids=() if actor.can(Permission.REASSIGN_FILES) else (actor.user_id,))
        form.to_user_id.choices = [("", _("Choisissez")), *colleague_choices(found)]
        return form
    if action == "ask_for_documents":
        asked = SamePointForm()
        asked.kind.choices = [("", _("Choisissez")), *((kind.value, state_label(kind)) for kind in ASKABLE)]
        ready = reference_data.reasons(ReasonKind.DOCUMENT)
        asked.ready.choices = [("", _("Aucun : je l'écris")), *((str(each.id), each.text_fr) for each in ready)]
        return asked
    return None


def data_of(action: str, form: Any) -> dict[str, Any]:
    """What a valid form says, as the run keeps it. Raises DomainError beside its field."""
    if action == "hand_over":
        return {"to": int(form.to_user_id.data), "note": " ".join((form.note.data or "").split())}
    reason, reason_ar = form.reason.data or "", form.reason_ar.data or ""
    for each in reference_data.reasons(ReasonKind.DOCUMENT):
        if str(each.id) == form.ready.data:
            reason = " ".join(part for part in (each.text_fr, reason) if part)
            reason_ar = " ".join(part for part in (each.text_ar, reason_ar) if part)
    if len(reason.strip()) < 3:
        raise DomainError(_("Choisissez un motif ou écrivez-le : le client le lira."), field="reason")
    return {"kind": form.kind.data, "reason": reason, "reason_ar": reason_ar}


def said(plan: Plan) -> list[tuple[str, str]]:
    """What was asked besides the rows, in words, as (label, value)."""
    found = []
    if plan.data.get("to"):
        colleague = db.session.scalar(select(User).where(User.id == int(plan.data["to"])))
        found.append((_("Collègue"), colleague.display_name if colleague is not None else ""))
    if plan.data.get("note"):
        found.append((_("Note"), str(plan.data["note"])))
    if plan.data.get("from"):
        found.append((_("Dossiers de"), str(plan.data["from"])))
    if plan.data.get("kind"):
        found.append((_("Document"), state_label(DocumentKind(plan.data["kind"]))))
        found.append((_("Motif"), str(plan.data["reason"])))
        if plan.data.get("reason_ar"):
            found.append((_("Motif en arabe"), str(plan.data["reason_ar"])))
    return found
