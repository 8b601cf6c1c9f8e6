"""« Mon organisation » (CON-1, CON-2): one page that shows all, small pages that change one thing each."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.errors import DomainError, NotFound
from app.forms.base import BaseForm, show_refusal
from app.forms.organisation import (
    AdministratorForm,
    AnswerForm,
    OrganisationDataForm,
    PaperForm,
    SignedCopyForm,
    chosen,
    sent_file,
)
from app.forms.requests import number
from app.identifiers import format_phone
from app.models import DocumentAskItem, IdentityKind, Organisation, RegistrationCountry
from app.permissions import Permission
from app.queries import own_organisation as query
from app.queries import reference
from app.queries.asks import stamp
from app.queries.history import history_of_organisation
from app.services import administrators, documents, organisations, settings
from app.services.contracts import contract_file_name, country_name
from app.services.documents import Examined
from app.services.files import storage
from app.services.organisations import EXTRACTS
from app.views.guards import own_organisation_id, requires
from app.views.late_answers import late_page
from app.web import current_actor

blueprint = Blueprint("organisation", __name__, url_prefix="/organisation")
managing = requires(Permission.MANAGE_OWN_ORGANISATION)


@blueprint.get("")
@requires(Permission.SEE_OWN_ORGANISATION)
def show() -> Any:
    """Everything about the organisation, what TunTrust waits for first."""
    page = query.overview(current_actor(), own_organisation_id())
    return render_template(
        "views/organisation/show.html",
        page=page,
        organisation=page.organisation,
        days=history_of_organisation(page.organisation.id),
        country_name=country_name,
        field_label=query.field_label,
    )


@blueprint.route("/modifier", methods=["GET", "POST"])
@managing
def edit() -> Any:
    """« Modifier »: names, address, contact."""
    organisation = query.own_organisation(current_actor(), own_organisation_id())
    form = _data_form(organisation)
    if form.validate_on_submit():
        try:
            changed = organisations.change_data(
                organisation.id, form.values(), actor=current_actor(), expected_version=_number(form.version.data)
            )
        except DomainError as refusal:
            show_refusal(form, refusal)
            form.version.data = str(organisation.version)  # read again: the next try is made knowingly
        else:
            _tell_changed(changed)
            return redirect(url_for("organisation.show"))
    return render_template(
        "views/organisation/edit.html", form=form, organisation=organisation, contact=settings.get("seller.email")
    )


def _data_form(organisation: Organisation) -> OrganisationDataForm:
    form = OrganisationDataForm(
        obj=organisation,
        tunisian=organisation.registration_country is RegistrationCountry.TUNISIE,
        governorates=[(str(row.id), row.name_fr) for row in reference.governorates()],
    )
    if not form.is_submitted():
        form.phone.data = format_phone(organisation.phone)
        form.fax.data = format_phone(organisation.fax) if organisation.fax else ""
    return form


def _number(text: object) -> int:
    """The version the page was made from; a forged one is simply stale."""
    found = number(text)
    return found if found is not None else -1


def _tell_changed(changed: list[str]) -> None:
    if changed:
        flash(_("Vos données sont enregistrées. Une nouvelle version du contrat est à faire signer."), "success")
    else:
        flash(_("Rien n'a changé."), "info")


# ------------------------------------------------------------------------------------------------ contract


@blueprint.get("/contrat/<int:version>")
@requires(Permission.SEE_OWN_ORGANISATION)
def contract(version: int) -> Response:
    """A version of the contract, as PDF."""
    found = query.own_contract(current_actor(), own_organisation_id(), version)
    return send_file(
        io.BytesIO(storage().get(found.storage_key)),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=contract_file_name(found),
        max_age=0,
    )


@blueprint.route("/contrat/<int:version>/signe", methods=["GET", "POST"])
@managing
def sign(version: int) -> Any:
    """Bring the signed copy."""
    page = query.overview(current_actor(), own_organisation_id())
    if page.contract is None or page.contract.contract.version_number != version:
        raise NotFound("")
    form = SignedCopyForm(dated=False)
    if form.validate_on_submit():
        try:
            organisations.upload_signed_contract(page.contract.contract.id, _examined(form.file), actor=current_actor())
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("Le contrat signé est reçu. TunTrust va le vérifier."), "success")
            return redirect(url_for("organisation.show", _anchor="contrat"))
    return render_template("views/organisation/sign.html", form=form, view=page.contract)


# ----------------------------------------------------------------------------------------------- documents


@blueprint.route("/documents/<public_id>/remplacer", methods=["GET", "POST"])
@managing
def replace(public_id: str) -> Any:
    """A newer version of a paper."""
    document = query.own_document(current_actor(), own_organisation_id(), public_id)
    form = PaperForm(dated=document.kind in EXTRACTS)
    if form.validate_on_submit():
        try:
            organisations.replace_document(
                document.id, _examined(form.file), actor=current_actor(), issued_on=_issued_on(form)
            )
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("Le document est reçu. TunTrust va le vérifier."), "success")
            return redirect(url_for("organisation.show", _anchor="documents"))
    return render_template("views/organisation/replace.html", form=form, document=document)


def _examined(field: Any) -> Examined:
    """The file of a form, opened for real. Raises DomainError beside its field, with what to do."""
    try:
        return documents.examine(*sent_file(field))
    except DomainError as refusal:
        raise DomainError(refusal.message, field=field.name) from refusal


def _issued_on(form: BaseForm) -> Any:
    return form["issued_on"].data if "issued_on" in form else None


# --------------------------------------------------------------------------------------------- corrections


@blueprint.route("/corrections/<int:item_id>", methods=["GET", "POST"])
@managing
def answer(item_id: int) -> Any:
    """Answer one point that TunTrust asked."""
    item = query.own_ask_item(current_actor(), own_organisation_id(), item_id)
    if item.ask.closed_at is not None and request.method == "GET":
        return redirect(url_for("organisation.show"))
    form = AnswerForm(
        asks_paper=item.document_kind is not None,
        dated=item.document_kind in EXTRACTS,
        answered=item.answer_document_id is not None,
        data={"text": item.answer_text, "seen": stamp(item)},
    )
    if item.ask.closed_at is None and form.validate_on_submit():
        try:
            _answer(item, form)
        except DomainError as refusal:
            if isinstance(refusal, NotFound) and item.ask.closed_at is None:
                raise
            show_refusal(form, refusal)
            form.seen.data = stamp(item)
        else:
            flash(_("Votre réponse est enregistrée."), "success")
            return redirect(url_for("organisation.show", _anchor="corrections"))
    if item.ask.closed_at is not None:  # perhaps in the very instant of saving
        back = (_("Retour à mon organisation"), url_for("organisation.show"))
        return late_page(item, form, now=None, back=back)
    return render_template("views/organisation/answer.html", form=form, item=item, field_label=query.field_label)


def _answer(item: DocumentAskItem, form: AnswerForm) -> None:
    examined = _examined(form.file) if form.asks_paper and chosen(form.file) else None
    organisations.answer_point(
        item.id,
        actor=current_actor(),
        examined=examined,
        text=form.text.data or "",
        issued_on=_issued_on(form),
        seen=form.seen.data,
    )


@blueprint.post("/corrections")
@managing
def supply() -> Any:
    """« J'ai apporté les corrections demandées »."""
    try:
        organisations.supply_organisation(
            own_organisation_id(), actor=current_actor(), expected_version=_number(request.form.get("version"))
        )
    except DomainError as refusal:
        flash(str(refusal), "error")
        return redirect(url_for("organisation.show", _anchor="corrections"))
    flash(_("TunTrust a reçu vos corrections et reprend la vérification."), "success")
    return redirect(url_for("organisation.show"))


# ------------------------------------------------------------------------------------------ administrators


@blueprint.route("/administrateurs/nouveau", methods=["GET", "POST"])
@managing
def add_administrator() -> Any:
    """Name a second administrator."""
    return _administrator_page(None)


@blueprint.route("/administrateurs/<int:user_id>/remplacer", methods=["GET", "POST"])
@managing
def replace_administrator(user_id: int) -> Any:
    """Name somebody in place of the other administrator."""
    page = query.overview(current_actor(), own_organisation_id())
    leaving = next((one for one in page.administrators if one.user.id == user_id and not one.is_me), None)
    if leaving is None:
        raise NotFound("")
    return _administrator_page(user_id, leaving.user.display_name)


def _administrator_page(in_place_of: int | None, leaving: str = "") -> Any:
    form = AdministratorForm()
    if form.validate_on_submit():
        try:
            copy = _examined(form.identity_copy) if chosen(form.identity_copy) else None
            person = form.person()
            person["identity_kind"] = IdentityKind(person["identity_kind"])
            administrators.add_administrator(
                own_organisation_id(), person, actor=current_actor(), identity_copy=copy, in_place_of=in_place_of
            )
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("L'invitation est envoyée ; elle dit jusqu'à quand activer le compte."), "success")
            return redirect(url_for("organisation.show", _anchor="administrateurs"))
    return render_template("views/organisation/administrator.html", form=form, leaving=leaving)


@blueprint.post("/administrateurs/<int:user_id>/inviter")
@managing
def invite_again(user_id: int) -> Any:
    """Send the invitation again."""
    try:
        administrators.resend_invitation(own_organisation_id(), user_id, actor=current_actor())
    except NotFound:
        raise
    except DomainError as refusal:
        flash(str(refusal), "error")
    else:
        flash(_("L'invitation est renvoyée, avec un nouveau mot de passe temporaire."), "success")
    return redirect(url_for("organisation.show", _anchor="administrateurs"))
