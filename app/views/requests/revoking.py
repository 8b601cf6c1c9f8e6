"""« Révoquer » and « Départ du titulaire », online (CRT-4, CRT-5)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app.errors import DomainError
from app.forms.base import show_refusal
from app.forms.revoking import DepartureForm, RevokeForm
from app.models import CertificateRequest, RevocationReason
from app.permissions import Permission
from app.queries import reference as reference_data
from app.queries.replacements import replacement_of
from app.services import departing, revoking
from app.services.departing import Departure
from app.state_labels import state_label
from app.states import VALID_CERTIFICATE_STATES, Who
from app.views.guards import requires
from app.views.ordering import fill_own_data, line_of, own_data
from app.views.requests import blueprint
from app.views.requests.showing import client_hands, wanted
from app.web import current_actor


def _show(row: CertificateRequest) -> Any:
    return redirect(url_for("requests.show", reference=row.reference))


def _version(row: CertificateRequest) -> str:
    return str(row.certificate.version) if row.certificate is not None else ""


@blueprint.route("/demandes/<reference>/revoquer", methods=["GET", "POST"])
@requires(Permission.REVOKE_CERTIFICATES)
def revoke(reference: str) -> Any:
    """« Révoquer le certificat », after a page that says what is lost."""
    row = wanted(reference)
    if row.certificate is None or row.certificate.state not in VALID_CERTIFICATE_STATES:
        flash(_("Cette demande n'a pas de certificat à révoquer."), "info")
        return _show(row)
    form = RevokeForm(data={"version": _version(row)})
    form.reason.choices = [(each.value, state_label(each)) for each in revoking.reasons_for(client_hands(row))]
    if form.validate_on_submit():
        try:
            revoking.revoke_own(
                row.id,
                reason=RevocationReason(form.reason.data),
                text=form.text.data or "",
                password=form.current.data or "",
                actor=current_actor(),
                expected_version=form.expected_version,
            )
        except DomainError as refusal:
            show_refusal(form, refusal)
            form.version.data = _version(row)
        else:
            flash(_("Le certificat est révoqué. Les personnes concernées sont prévenues par courriel."), "success")
            return _show(row)
    own = Who.APPLICANT in client_hands(row)
    return render_template("views/requests/revoke.html", row=row, certificate=row.certificate, form=form, own=own)


@blueprint.route("/demandes/<reference>/depart", methods=["GET", "POST"])
@requires(Permission.ORDER_CERTIFICATES)
def departure(reference: str) -> Any:
    """« Départ du titulaire »: revoke, and order for the successor, in one guide."""
    row = wanted(reference, hand=Who.ADMINISTRATOR)
    successor = replacement_of(row.id)
    valid = row.certificate is not None and row.certificate.state in VALID_CERTIFICATE_STATES
    if row.certificate is None or (successor is not None and not valid):
        flash(_("Il n'y a plus rien à faire pour ce certificat."), "info")
        return _show(row)
    form = _departure_form(row, replaced=successor is not None)
    if form.is_submitted():
        fill_own_data(form)
    if form.validate_on_submit():
        try:
            done = _depart(row, form)
        except DomainError as refusal:
            show_refusal(form, refusal)
            form.version.data = _version(row)
        else:
            flash(_said(row, done), "success")
            return _show(row)
    return render_template(
        "views/requests/departure.html",
        row=row,
        certificate=row.certificate,
        form=form,
        valid=valid,
        successor=successor,
        own=own_data(),
    )


def _departure_form(row: CertificateRequest, *, replaced: bool) -> DepartureForm:
    years = reference_data.validities(row.certificate_type_id)
    data = {
        "version": _version(row),
        "succession": "plus-tard" if replaced else "maintenant",
        "validity_years": row.validity_years,
        "domains": [domain.id for domain in row.domains],
        "nationality": "TN",
        "identity_kind": "CIN",
    }
    form = DepartureForm(
        validities=[(each, ngettext("%(num)d an", "%(num)d ans", each)) for each in years],
        domains=[(domain.id, domain.label) for domain in reference_data.usage_domains()],
        data=data,
    )
    if replaced:  # somebody has its place already: only the revocation is left
        form.succession.choices = [form.LATER]
    return form


def _depart(row: CertificateRequest, form: DepartureForm) -> Departure:
    return departing.say_goodbye(
        row.id,
        successor=line_of(form, row.certificate_type) if form.has_successor else None,
        text=form.text.data or "",
        password=form.current.data or "",
        actor=current_actor(),
        expected_version=form.expected_version,
    )


def _said(row: CertificateRequest, done: Departure) -> str:
    if done.order is None:
        return _("Le certificat de %(name)s est révoqué.", name=row.common_name)
    if not done.revoked:
        return _("La commande %(order)s est envoyée pour le successeur.", order=done.order.reference)
    return _(
        "Le certificat de %(name)s est révoqué, et la commande %(order)s envoyée pour son successeur.",
        name=row.common_name,
        order=done.order.reference,
    )
