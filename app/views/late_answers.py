"""An answer that comes when TunTrust no longer waits for it: said so, and nothing of what was typed is lost (REV-5)."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _
from wtforms import FileField, HiddenField

from app.forms.base import BaseForm
from app.models import DocumentAskItem
from app.services.supplying import item_label


def late_page(item: DocumentAskItem, form: BaseForm, *, now: tuple[str, str] | None, back: tuple[str, str]) -> str:
    """The page that gives back what was sent. ``now``: where a present ask is answered; each a label, an address."""
    return render_template(
        "views/requests/answer_late.html",
        what=item_label(item),
        why=_why(item.ask.outcome),
        typed=_typed(form),
        file_name=_file_name(form),
        now=now,
        back=back,
    )


def _why(outcome: str | None) -> str:
    return {
        "withdrawn": _("TunTrust n'attend plus les pièces demandées."),
        "rejected": _("TunTrust a rejeté le dossier."),
        "supplied": _("Les corrections ont déjà été annoncées à TunTrust, qui a repris l'examen du dossier."),
    }.get(outcome or "", _("TunTrust n'attend plus cette réponse."))


def _typed(form: BaseForm) -> list[tuple[str, str]]:
    """What was written, field by field."""
    shown = [field for field in form if not isinstance(field, FileField | HiddenField) and field.raw_data]
    return [(str(field.label.text), str(field.raw_data[0])) for field in shown if str(field.raw_data[0]).strip()]


def _file_name(form: BaseForm) -> str:
    return next(
        (
            field.data.filename or ""
            for field in form
            if isinstance(field, FileField) and getattr(field.data, "filename", "")
        ),
        "",
    )
