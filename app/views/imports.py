"""« Commander un certificat à partir d'un fichier CSV »: the file, its rows, one confirmation (ORD-5, ORD-6)."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app.errors import DomainError, NotFound
from app.exports import csv_file, xlsx_file
from app.forms.base import BaseForm, show_refusal
from app.forms.order_files import FileRowForm, MendingFileForm, OrderFileForm
from app.forms.ordering import SendOrderForm
from app.models import CertificateType, ImportRowStatus, OrderImport
from app.permissions import Permission
from app.queries import reference
from app.queries.order_files import ALL, TABS, TO_CONFIRM, TO_LOOK_AT, TO_MEND, ShownFile
from app.services.order_files import confirming, drafting, templates
from app.services.order_files.columns import label_of
from app.services.order_files.reading import MAX_BYTES, MAX_ROWS, FileRefused
from app.services.order_lines import guard_names
from app.views.guards import own_organisation_id, requires
from app.views.ordering import NAME_FIELDS
from app.web import current_actor

blueprint = Blueprint("imports", __name__, url_prefix="/commandes/import")
MEDIA_TYPES = {"csv": csv_file.MEDIA_TYPE, "xlsx": xlsx_file.MEDIA_TYPE}


@blueprint.route("", methods=["GET", "POST"])
@requires(Permission.ORDER_CERTIFICATES)
def start() -> Any:
    """A file to send, or the one under way."""
    products = reference.catalogue() or abort(404)
    form = OrderFileForm(product=request.args.get("certificat", ""))
    form.product.choices = [(product.code, product.name) for product in products]
    if form.validate_on_submit():
        product = next(each for each in products if each.code == form.product.data)
        try:
            return redirect(url_for("imports.show", public_id=_receive(form, product)))
        except DomainError as refusal:
            _show_file_refusal(form, refusal)
    form.key.data = drafting.new_public_id()
    actor = current_actor()
    return render_template(
        "views/imports/start.html",
        form=form,
        product=next((each for each in products if each.code == form.product.data), products[0]),
        drafts=drafting.drafts_of(actor, own_organisation_id()),
        most=MAX_ROWS,
        max_bytes=MAX_BYTES,
    )


def _receive(form: OrderFileForm, product: CertificateType) -> str:
    sent = form.file.data
    data, name = sent.read(MAX_BYTES + 1), sent.filename or ""
    key = form.key.data or ""
    return drafting.receive(current_actor(), own_organisation_id(), product.id, data, name, public_id=key)


def _show_file_refusal(form: BaseForm, refusal: DomainError) -> None:
    if isinstance(refusal, FileRefused):
        form["file"].errors = [*form["file"].errors, *refusal.sentences]
    else:
        show_refusal(form, refusal)


@blueprint.get("/modele.<any(csv, xlsx):kind>")
@requires(Permission.ORDER_CERTIFICATES)
def template(kind: str) -> Any:
    """The file to fill in."""
    wanted = request.args.get("certificat")
    products = reference.catalogue() or abort(404)
    product = next((each for each in products if each.code == wanted), products[0])
    return _attachment(templates.template(kind, product.id), kind, f"modele-commande.{kind}")


def _attachment(data: bytes, kind: str, name: str) -> Any:
    return send_file(io.BytesIO(data), mimetype=MEDIA_TYPES[kind], as_attachment=True, download_name=name)


# --------------------------------------------------------------------------------------------------- the file


@blueprint.get("/<public_id>")
@requires(Permission.ORDER_CERTIFICATES)
def show(public_id: str) -> Any:
    """What is to mend, to confirm, to look at; all of it; and the confirmation when nothing waits."""
    return _page(public_id)


def _file(public_id: str) -> OrderImport:
    return drafting.find(current_actor(), own_organisation_id(), public_id)


def _page(public_id: str, *, sending: SendOrderForm | None = None, mending: MendingFileForm | None = None) -> Any:
    file = _file(public_id)
    if file.order is not None:
        return render_template("views/imports/ordered.html", file=file, product=file.certificate_type)
    shown = ShownFile(file)
    wanted = request.args.get("onglet", "")
    tab = wanted if wanted in TABS else shown.first_tab
    rows, number, pages = shown.page(tab, request.args.get("page", 1, int))
    years = {int(str(row.line["validity_years"])) for row in shown.rows if row.line}
    prices = {year: reference.current_tariff(file.certificate_type_id, year).price_ht for year in years}
    return render_template(
        "views/imports/show.html",
        file=file,
        product=file.certificate_type,
        shown=shown,
        tab=tab,
        rows=rows,
        tabs=_tabs(file, shown, tab),
        page=_pages(file, tab, number, pages),
        subtotal=sum(prices[int(str(row.line["validity_years"]))] for row in shown.rows if row.line),
        sending=sending or SendOrderForm(formdata=None, prefix="send"),
        mending=mending or MendingFileForm(formdata=None),
        domain_names={domain.id: domain.label for domain in reference.usage_domains()},
        label_of=label_of,
        max_bytes=MAX_BYTES,
    )


def _tabs(file: OrderImport, shown: ShownFile, current: str) -> list[dict[str, Any]]:
    labels = {
        TO_MEND: _("À corriger"),
        TO_CONFIRM: _("À confirmer"),
        TO_LOOK_AT: _("À regarder"),
        ALL: _("Toutes les lignes"),
    }
    return [
        {
            "label": labels[tab],
            "count": shown.counts[tab],
            "current": tab == current,
            "url": url_for("imports.show", public_id=file.public_id, onglet=tab),
        }
        for tab in TABS
        if shown.counts[tab] or tab in (current, ALL)
    ]


def _pages(file: OrderImport, tab: str, number: int, pages: int) -> dict[str, Any]:
    def url(wanted: int) -> str | None:
        fits = 1 <= wanted <= pages
        return url_for("imports.show", public_id=file.public_id, onglet=tab, page=wanted) if fits else None

    text = _("Page %(number)d sur %(pages)d", number=number, pages=pages)
    return {"text": text, "pages": pages, "prev_url": url(number - 1), "next_url": url(number + 1)}


@blueprint.get("/<public_id>/progression")
@requires(Permission.ORDER_CERTIFICATES)
def progress(public_id: str) -> Any:
    """How many rows are checked, while the file is: a script asks. A file not there yet has none."""
    try:
        done, total = drafting.progress(current_actor(), own_organisation_id(), public_id)
    except NotFound:
        done = total = 0
    return jsonify(done=done, total=total)


@blueprint.post("/<public_id>/verifier")
@requires(Permission.ORDER_CERTIFICATES)
def check_again(public_id: str) -> Any:
    """« Vérifier de nouveau »."""
    drafting.check_again(current_actor(), own_organisation_id(), public_id)
    return redirect(url_for("imports.show", public_id=public_id))


@blueprint.post("/<public_id>/fichier")
@requires(Permission.ORDER_CERTIFICATES)
def mend_by_file(public_id: str) -> Any:
    """A corrected file."""
    form = MendingFileForm()
    if form.validate():
        try:
            said = drafting.add_file(
                current_actor(), own_organisation_id(), public_id, form.file.data.read(MAX_BYTES + 1)
            )
        except NotFound:
            raise
        except DomainError as refusal:
            _show_file_refusal(form, refusal)
        else:
            flash(" ".join(said), "success")
            return redirect(url_for("imports.show", public_id=public_id))
    return _page(public_id, mending=form)


@blueprint.get("/<public_id>/a-corriger.<any(csv, xlsx):kind>")
@requires(Permission.ORDER_CERTIFICATES)
def to_mend(public_id: str, kind: str) -> Any:
    """The rows to mend, to be sent back mended."""
    file = _file(public_id)
    data = templates.rows_to_mend(kind, file.certificate_type_id, drafting.rows_of(file))
    return _attachment(data, kind, f"lignes-a-corriger.{kind}")


@blueprint.post("/<public_id>/raisons")
@requires(Permission.ORDER_CERTIFICATES)
def reasons(public_id: str) -> Any:
    """Why people are ordered for again, row by row; one reason for all where a row has none of its own."""
    shared = request.form.get("toutes", "")
    given = {
        int(name[7:]): text or shared
        for name, text in request.form.items()
        if name.startswith("raison-") and name[7:].isdecimal() and len(name) < 16
    }
    left = drafting.give_reasons(current_actor(), own_organisation_id(), public_id, given)
    if left:
        text = ngettext("%(num)d ligne attend encore sa raison.", "%(num)d lignes attendent encore leur raison.", left)
        flash(text, "error")
    else:
        flash(_("Les raisons sont enregistrées : TunTrust les lira."), "success")
    return redirect(url_for("imports.show", public_id=public_id))


# ---------------------------------------------------------------------------------------------------- one row


@blueprint.route("/<public_id>/lignes/<int:number>", methods=["GET", "POST"])
@requires(Permission.ORDER_CERTIFICATES)
def row(public_id: str, number: int) -> Any:
    """A row's cells, with what is wrong beside each; what is typed is kept, right or wrong."""
    file = _file(public_id)
    if file.order_id is not None:
        return redirect(url_for("imports.show", public_id=public_id))
    form = FileRowForm()
    if form.validate_on_submit():
        typed = {field.name: field.data for field in form if field.name != "csrf_token"}
        status = drafting.mend_row(current_actor(), own_organisation_id(), public_id, number, typed)
        if status is not ImportRowStatus.A_CORRIGER:
            flash(_("La ligne %(number)d est juste.", number=number), "success")
            following = ShownFile(_file(public_id)).next_to_mend(number)
            if following is not None:
                return redirect(url_for("imports.row", public_id=public_id, number=following))
            return redirect(url_for("imports.show", public_id=public_id))
        return redirect(url_for("imports.row", public_id=public_id, number=number))
    shown = ShownFile(file).row(number) or abort(404)
    form = FileRowForm(formdata=None, data=shown.cells)
    for key, sentence in shown.problems:
        form[key].errors = [*form[key].errors, sentence]
    guard = guard_names(*(shown.cells.get(name, "") for name in NAME_FIELDS))
    return render_template("views/imports/row.html", file=file, form=form, row=shown, guard=guard, label_of=label_of)


@blueprint.post("/<public_id>/lignes/<int:number>/retirer")
@requires(Permission.ORDER_CERTIFICATES)
def remove(public_id: str, number: int) -> Any:
    """Take a row off."""
    drafting.remove_row(current_actor(), own_organisation_id(), public_id, number)
    flash(_("La ligne %(number)d est retirée.", number=number), "success")
    return redirect(url_for("imports.show", public_id=public_id))


# ------------------------------------------------------------------------------------------------------ the end


@blueprint.post("/<public_id>/envoyer")
@requires(Permission.ORDER_CERTIFICATES)
def send(public_id: str) -> Any:
    """« Envoyer les demandes »: all of them, once."""
    sending = SendOrderForm(prefix="send")
    attested = bool(sending.validate_on_submit() and sending.attestation.data)
    try:
        order = confirming.confirm(current_actor(), own_organisation_id(), public_id, attested=attested)
    except NotFound:
        raise
    except DomainError as refusal:
        if refusal.field == "attestation":
            return _page(public_id, sending=sending)
        flash(str(refusal), "error")
        return redirect(url_for("imports.show", public_id=public_id))
    flash(
        _("La commande %(reference)s est envoyée : chaque demandeur reçoit un courriel.", reference=order.reference),
        "success",
    )
    return redirect(url_for("orders.history"))


@blueprint.post("/<public_id>/abandonner")
@requires(Permission.ORDER_CERTIFICATES)
def abandon(public_id: str) -> Any:
    """« Abandonner ce fichier »."""
    drafting.abandon(current_actor(), own_organisation_id(), public_id)
    flash(_("Le fichier est abandonné : rien n'a été commandé."), "success")
    return redirect(url_for("imports.start"))
