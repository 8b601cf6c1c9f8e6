"""What an administrator does to a request before it is paid: withdraw, correct, reopen (chapter 1, ORD-7)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.errors import DomainError
from app.forms.base import show_refusal
from app.forms.requests import CorrectionForm, EmailForm, ReopenForm, WithdrawForm
from app.identifiers import format_phone
from app.models import CertificateRequest
from app.permissions import Permission
from app.queries.chasing import Stage
from app.services import withdrawing
from app.services.declared import PERSON_FIELDS
from app.services.withdrawing import Correction
from app.states import RequestState, Who
from app.views.guards import requires
from app.views.requests import blueprint
from app.views.requests.showing import wanted
from app.web import current_actor

UNPAID = (RequestState.NON_FINALISEE, RequestState.EN_ATTENTE_DE_PAIEMENT)


def _show(row: CertificateRequest) -> Any:
    return redirect(url_for("requests.show", reference=row.reference))


@blueprint.route("/demandes/<reference>/retirer", methods=["GET", "POST"])
@requires(Permission.WITHDRAW_REQUEST)
def withdraw(reference: str) -> Any:
    """« Retirer la demande », after a page that says what it means."""
    row = wanted(reference, hand=Who.ADMINISTRATOR)
    form = WithdrawForm(data={"version": str(row.version)})
    if row.state not in UNPAID:
        flash(_("Cette demande ne peut plus être retirée."), "info")
        return _show(row)
    if form.validate_on_submit():
        try:
            withdrawing.withdraw(
                current_actor(), row.id, reason=form.reason.data or "", expected_version=form.expected_version
            )
        except DomainError as refusal:
            show_refusal(form, refusal)
            form.renew(row.version)
        else:
            flash(_("La demande %(reference)s est retirée.", reference=row.reference), "success")
            return _show(row)
    return render_template("views/requests/withdraw.html", row=row, form=form)


@blueprint.route("/demandes/<reference>/corriger", methods=["GET", "POST"])
@requires(Permission.ORDER_CERTIFICATES)
def correct(reference: str) -> Any:
    """« Corriger » before the applicant has validated."""
    row = wanted(reference, hand=Who.ADMINISTRATOR)
    if row.state is RequestState.EN_ATTENTE_DE_PAIEMENT:
        return redirect(url_for("requests.reopen", reference=reference))
    if row.state is not RequestState.NON_FINALISEE:
        flash(_("Cette demande ne peut plus être corrigée."), "info")
        return _show(row)
    form = CorrectionForm(fixed_email=_is_active(row), data=_declared(row))
    if form.validate_on_submit():
        try:
            done = withdrawing.correct(current_actor(), row.id, form.person(), expected_version=form.expected_version)
        except DomainError as refusal:
            show_refusal(form, refusal)
            form.renew(row.version)
        else:
            flash(_said(row, done), "success")
            return _show(row)
    return render_template("views/requests/correct.html", row=row, form=form, reopening=False)


@blueprint.route("/demandes/<reference>/adresse", methods=["GET", "POST"])
@requires(Permission.ORDER_CERTIFICATES)
def mend_email(reference: str) -> Any:
    """« Corriger l'adresse » of somebody who has not activated their account (ORD-7)."""
    row = wanted(reference, hand=Who.ADMINISTRATOR)
    if row.state is not RequestState.NON_FINALISEE or _is_active(row):
        flash(_("Le compte est activé, ou la demande n'attend plus le demandeur : l'adresse ne change plus."), "info")
        return _show(row)
    form = EmailForm(data={"version": str(row.version)})
    if form.validate_on_submit():
        try:
            done = withdrawing.correct(
                current_actor(), row.id, {"email": form.address}, expected_version=form.expected_version
            )
        except DomainError as refusal:
            show_refusal(form, refusal)
            form.renew(row.version)
        else:
            flash(_said(row, done), "success" if done.invited else "info")
            return redirect(url_for("chasing.show", etape=Stage.ACTIVATION))
    return render_template("views/requests/mend_email.html", row=row, form=form)


@blueprint.route("/demandes/<reference>/rouvrir", methods=["GET", "POST"])
@requires(Permission.ORDER_CERTIFICATES)
def reopen(reference: str) -> Any:
    """« Rouvrir pour correction » a validated request that is not paid."""
    row = wanted(reference, hand=Who.ADMINISTRATOR)
    if row.state is not RequestState.EN_ATTENTE_DE_PAIEMENT:
        flash(_("Cette demande n'est pas en attente de paiement : elle ne peut pas être rouverte."), "info")
        return _show(row)
    form = ReopenForm(fixed_email=_is_active(row), data=_declared(row))
    if form.validate_on_submit():
        try:
            withdrawing.reopen(
                current_actor(),
                row.id,
                form.person(),
                reason=form.reason.data or "",
                expected_version=form.expected_version,
            )
        except DomainError as refusal:
            show_refusal(form, refusal)
            form.renew(row.version)
        else:
            flash(_("La demande est rouverte : le demandeur doit la valider de nouveau."), "success")
            return _show(row)
    return render_template("views/requests/correct.html", row=row, form=form, reopening=True)


def _is_active(row: CertificateRequest) -> bool:
    return row.applicant.password_hash is not None


def _declared(row: CertificateRequest) -> dict[str, Any]:
    if request.method == "POST":
        return {}
    values = {name: getattr(row, name) for name in PERSON_FIELDS}
    shown = {"mobile": format_phone(row.mobile), "email_confirmation": row.email, "version": str(row.version)}
    return {**values, **shown}


def _said(row: CertificateRequest, done: Correction) -> str:
    if done.invited:
        return _("L'adresse est corrigée et l'invitation envoyée à %(email)s.", email=row.email)
    if done.changed:
        return _("Les données sont corrigées.")
    return _("Rien n'a changé.")
