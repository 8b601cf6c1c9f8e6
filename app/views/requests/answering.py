"""Answering « Pièces manquantes »: each point by itself, then « J'ai apporté les corrections demandées » (REV-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app import clock
from app.errors import DomainError, NotFound, StaleObject
from app.forms.base import BaseForm, show_refusal
from app.forms.requests import DocumentAnswerForm, FieldAnswerForm, field_answer_form, number, uploaded
from app.models import CertificateRequest, DocumentAsk, DocumentAskItem
from app.permissions import Permission
from app.queries.asks import item_of_request, last_outcome, left_of, may_answer, open_ask, stamp
from app.services import supplying
from app.services.reminding import rejection_day
from app.services.supplying import FieldAnswer, item_label
from app.states import RequestState
from app.views.guards import requires
from app.views.late_answers import late_page
from app.views.requests import blueprint
from app.views.requests.showing import wanted
from app.web import current_actor


@dataclass(frozen=True, slots=True)
class Point:
    """One point on the page; ``form`` is None when it is somebody else's to answer."""

    item: DocumentAskItem
    label: str
    form: BaseForm | None


@blueprint.get("/demandes/<reference>/pieces")
@requires(Permission.SUPPLY_DOCUMENTS)
def answer(reference: str) -> Any:
    """What TunTrust asked for, point by point."""
    return _page(wanted(reference))


@blueprint.post("/demandes/<reference>/pieces/<int:item_id>")
@requires(Permission.SUPPLY_DOCUMENTS)
def answer_item(reference: str, item_id: int) -> Any:
    """Save the answer to one point, and whatever was written under the others: one form holds them all."""
    row = wanted(reference)
    item = item_of_request(row.id, item_id)
    if not may_answer(current_actor(), row, item):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    if item.ask.closed_at is not None:
        return _late(row, item, _form(row, item))
    given = [each for each in item.ask.items if may_answer(current_actor(), row, each) and _is_given(row, each)]
    refused = {}
    for each in given or [item]:
        form = _form(row, each)
        if _saved(row, each, form):
            flash(_("Votre réponse est enregistrée : %(what)s.", what=item_label(each)), "success")
        elif each.ask.closed_at is not None:  # in the very instant of saving
            return _late(row, each, form)
        else:
            refused[each.id] = form
    return _page(row, refused) if refused else redirect(url_for("requests.answer", reference=reference))


def _is_given(row: CertificateRequest, item: DocumentAskItem) -> bool:
    """Was anything written, corrected or chosen under this point?"""
    form = _form(row, item)
    if isinstance(form, DocumentAnswerForm):
        return bool(getattr(form.file.data, "filename", ""))
    corrected = "value" in form and bool(form["value"].raw_data) and form["value"].raw_data[0] != form["was"].data
    return bool(form["text"].data) or corrected


def _saved(row: CertificateRequest, item: DocumentAskItem, form: BaseForm) -> bool:
    """One point; what stands in the way is said beside its field."""
    if not form.validate_on_submit():
        return False
    try:
        _save(row, item, form)
    except DomainError as refusal:
        if isinstance(refusal, NotFound) and item.ask.closed_at is None:
            raise
        _refused(form, item, refusal)
        return False
    return True


def _refused(form: BaseForm, item: DocumentAskItem, refusal: DomainError) -> None:
    """The sentence beside its field; after somebody else's answer the next try is made knowing it."""
    field = refusal.field or ("file" if item.document_kind is not None else None)
    show_refusal(form, DomainError(refusal.message, field=field))
    if isinstance(refusal, StaleObject) and isinstance(form, FieldAnswerForm):
        form.seen.data = stamp(item)


def _late(row: CertificateRequest, item: DocumentAskItem, form: BaseForm) -> str:
    """TunTrust withdrew the ask, rejected the request, or the other person handed it back meanwhile."""
    open_now = row.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS
    address = url_for("requests.answer", reference=row.reference)
    return late_page(
        item,
        form,
        now=(_("Voir ce que TunTrust demande maintenant"), address) if open_now else None,
        back=(_("Retour à la demande"), url_for("requests.show", reference=row.reference)),
    )


@blueprint.post("/demandes/<reference>/pieces/envoyer")
@requires(Permission.SUPPLY_DOCUMENTS)
def supply(reference: str) -> Any:
    """« J'ai apporté les corrections demandées »."""
    row = wanted(reference)
    if row.state is not RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        return _over(row)
    try:
        supplying.supply(current_actor(), row.id, ask_id=number(request.form.get("ask")) or 0)
    except DomainError as refusal:
        flash(str(refusal), "error")
        return redirect(url_for("requests.answer", reference=reference))
    flash(_("Merci : TunTrust reprend l'examen de la demande."), "success")
    return redirect(url_for("requests.show", reference=reference))


def _over(row: CertificateRequest) -> Any:
    if last_outcome(row.id) == "supplied" and row.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
        flash(_("Les corrections ont déjà été annoncées : TunTrust examine la demande."), "info")
    else:
        flash(_("TunTrust n'attend plus de réponse pour cette demande."), "info")
    return redirect(url_for("requests.show", reference=row.reference))


def _form(row: CertificateRequest, item: DocumentAskItem, *, fresh: bool = False) -> BaseForm:
    """The form of a point, with what was sent unless ``fresh``."""
    options: dict[str, Any] = {"prefix": f"point{item.id}", **({"formdata": None} if fresh else {})}
    if item.field is None:
        return DocumentAnswerForm(**options)
    kind = field_answer_form(item.field, row.identity_kind)
    form = kind(**options, data={"value": getattr(row, item.field, None), "seen": stamp(item)})
    if fresh and "value" in form:
        form["was"].data = form["value"]._value()
    return form


def _save(row: CertificateRequest, item: DocumentAskItem, form: Any) -> None:
    actor = current_actor()
    if item.field is None:
        given = uploaded(form.file)
        if given is None:
            raise DomainError(_("Choisissez un fichier."), field="file")
        supplying.answer_with_document(actor, row.id, item.id, *given)
        return
    value = form.value.stored if "value" in form else None
    supplying.answer_in_words(actor, row.id, item.id, FieldAnswer(form.text.data or "", value), seen=form.seen.data)


def _page(row: CertificateRequest, refused: dict[int, BaseForm] | None = None) -> Any:
    ask = open_ask(row.id)
    if ask is None or row.state is not RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        return _over(row)
    points = [_point(row, item, refused or {}) for item in ask.items]
    forms = [point.form for point in points if point.form is not None]
    return render_template(
        "views/requests/answer.html",
        row=row,
        ask=ask,
        points=points,
        forms=forms,
        late=ask.due_on is not None and ask.due_on < clock.today(),
        rejected_on=rejection_day(ask),
        **_left(ask),
    )


def _point(row: CertificateRequest, item: DocumentAskItem, refused: dict[int, BaseForm]) -> Point:
    if not may_answer(current_actor(), row, item):
        return Point(item, item_label(item), None)
    return Point(item, item_label(item), refused.get(item.id) or _form(row, item, fresh=True))


def _left(ask: DocumentAsk) -> dict[str, Any]:
    missing = [item_label(item) for item in left_of(ask)]
    return {"missing": missing, "answered": len(ask.items) - len(missing)}
