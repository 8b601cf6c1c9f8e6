"""The applicant's validation on one page (APP-2, APP-3). Works without script: its buttons keep what was typed."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.errors import DomainError
from app.extensions import db
from app.forms.base import show_refusal
from app.forms.requests import RemarkForm, ValidateForm, number, uploaded
from app.identifiers import format_phone
from app.models import CertificateRequest, PostOffice
from app.papers.text import blocks
from app.permissions import Permission
from app.queries import reference as catalogue
from app.queries.documents import identity_copy_of
from app.queries.offices import Offices, offices_near
from app.services import validation
from app.services.declared import needs_identity_copy
from app.services.validation import Choice
from app.states import RequestState, Who
from app.views.guards import requires
from app.views.requests import blueprint
from app.views.requests.showing import wanted
from app.web import current_actor


@blueprint.route("/demandes/<reference>/valider", methods=["GET", "POST"])
@requires(Permission.VALIDATE_OWN_REQUEST)
def validate(reference: str) -> Any:
    """Check, choose an office, accept, « Valider »; « Chercher » and a file alone come back to the page."""
    row = wanted(reference, hand=Who.APPLICANT)
    if row.state is not RequestState.NON_FINALISEE:
        return _over(row)
    form = _form(row)
    if request.method == "POST":
        asked = request.form.get("do") == "validate"
        kept = _keep_copy(row, form, asked=asked)
        if asked and kept and _validate(row, form):
            flash(_("Votre demande est validée. Votre organisation peut maintenant la payer."), "success")
            return redirect(url_for("requests.show", reference=reference))
        form.renew(row.version)
    return _page(row, form, RemarkForm(formdata=None, prefix="remark", data={"version": str(row.version)}))


@blueprint.post("/demandes/<reference>/signaler")
@requires(Permission.VALIDATE_OWN_REQUEST)
def report(reference: str) -> Any:
    """« Signaler une erreur » in identity data."""
    row = wanted(reference, hand=Who.APPLICANT)
    remark = RemarkForm(prefix="remark")
    if remark.validate():
        try:
            validation.report_error(
                current_actor(), row.id, remark.remark.data, expected_version=remark.expected_version
            )
        except DomainError as refusal:
            show_refusal(remark, refusal)
        else:
            flash(_("Votre administrateur est prévenu. Vous recevrez un courriel après la correction."), "success")
            return redirect(url_for("requests.show", reference=reference))
    if row.state is not RequestState.NON_FINALISEE:
        return _over(row)
    remark.renew(row.version)
    return _page(row, _form(row, fresh=True), remark)


@blueprint.post("/demandes/<reference>/signaler/retirer")
@requires(Permission.VALIDATE_OWN_REQUEST)
def take_back(reference: str) -> Any:
    """The data was right after all."""
    row = wanted(reference, hand=Who.APPLICANT)
    try:
        validation.take_back_report(current_actor(), row.id)
    except DomainError as refusal:
        flash(str(refusal), "error")
        return redirect(url_for("requests.show", reference=reference))
    flash(_("Votre signalement est retiré : vous pouvez valider la demande."), "success")
    return redirect(url_for("requests.validate", reference=reference))


@blueprint.get("/demandes/bureaux")
@requires(Permission.VALIDATE_OWN_REQUEST)
def offices() -> Any:
    """The offices of a gouvernorat, for the script that follows what is chosen and typed."""
    form = ValidateForm(formdata=None)
    form.post_office.data = request.args.get("choisi", "")
    found = offices_near(number(request.args.get("gouvernorat")), request.args.get("pres_de", "")[:60])
    hints = _offer(form, found)
    return render_template("views/requests/_offices.html", form=form, found=found, hints=hints)


def _over(row: CertificateRequest) -> Any:
    flash(_("Cette demande n'attend plus votre validation."), "info")
    return redirect(url_for("requests.show", reference=row.reference))


def _form(row: CertificateRequest, *, fresh: bool = False) -> ValidateForm:
    office = row.post_office
    governorate = office.governorate_id if office is not None else row.organisation.governorate_id
    data = {
        "version": str(row.version),
        "cgu_version": str(catalogue.current_cgu().id),
        "mobile": format_phone(row.mobile),
        "governorate": str(governorate or ""),
        "post_office": str(office.id) if office is not None else None,
    }
    form = ValidateForm(data=data, **({"formdata": None} if fresh else {}))
    form.governorate.choices = [("", _("Tous les gouvernorats"))] + [
        (str(each.id), each.name_fr) for each in catalogue.governorates()
    ]
    return form


def _keep_copy(row: CertificateRequest, form: ValidateForm, *, asked: bool) -> bool:
    """Keep the file that came with the form, whatever its button; then check the form when it was sent for good."""
    given, refusal = uploaded(form.identity_copy), None
    if given is not None and needs_identity_copy(row):
        try:
            validation.receive_identity_copy(current_actor(), row.id, *given)
        except DomainError as error:
            refusal = DomainError(error.message, field="identity_copy")
    missing = needs_identity_copy(row) and refusal is None and identity_copy_of(row.id) is None
    form.copy_missing = missing
    valid = form.validate() if asked else True
    if refusal is not None:
        show_refusal(form, refusal)
    return valid and refusal is None


def _validate(row: CertificateRequest, form: ValidateForm) -> bool:
    choice = Choice(
        mobile=form.mobile.stored,  # type: ignore[attr-defined]  # put there by the field's validator
        post_office_id=form.post_office_id,
        cgu_version_id=number(form.cgu_version.data),
        accepted=form.accept.data,
    )
    try:
        validation.validate(current_actor(), row.id, choice, expected_version=form.expected_version)
    except DomainError as refusal:
        show_refusal(form, refusal)
        return False
    return True


def _page(row: CertificateRequest, form: ValidateForm, remark: RemarkForm) -> Any:
    version = catalogue.current_cgu()
    if number(form.cgu_version.data) != version.id:  # a newer text is shown: it is not accepted yet
        form.cgu_version.data = str(version.id)
        form.accept.data = False
    found = offices_near(form.governorate_id, form.near.data or "")
    return render_template(
        "views/requests/validate.html",
        row=row,
        form=form,
        remark=remark,
        found=found,
        hints=_offer(form, found),
        copy=identity_copy_of(row.id) if needs_identity_copy(row) else None,
        needs_copy=needs_identity_copy(row),
        version=version,
        blocks=blocks(version.text_fr),
    )


def _offer(form: ValidateForm, found: Offices) -> dict[str, str]:
    """Put the offices found, and the one already chosen, among the choices; each one's address as its hint."""
    rows = list(found.rows)
    chosen = db.session.get(PostOffice, form.post_office_id) if form.post_office_id is not None else None
    if chosen is not None and chosen.active and chosen not in rows:
        rows.insert(0, chosen)
    form.post_office.choices = [(str(office.id), office.name_fr) for office in rows]
    return {str(office.id): _address(office) for office in rows}


def _address(office: PostOffice) -> str:
    parts = [office.address or office.postal_code, office.delegation, office.governorate.name_fr]
    return " · ".join(dict.fromkeys(part for part in parts if part))
