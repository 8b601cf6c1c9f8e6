"""« Commander des certificats »: the catalogue, the form, the list under way (ORD-2 … ORD-4)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from app.errors import DomainError, NotFound
from app.forms.base import show_refusal
from app.forms.ordering import NamesForm, OrderLineForm, SendOrderForm
from app.models import CertificateType, IdentityKind
from app.permissions import Permission
from app.queries import reference
from app.services import ordering
from app.services.order_lines import NameGuard, RequestLine, guard_names, line_doubt
from app.views.guards import own_organisation_id, requires
from app.web import current_actor

blueprint = Blueprint("ordering", __name__, url_prefix="/commandes/nouvelle")


@blueprint.get("")
@requires(Permission.ORDER_CERTIFICATES)
def catalogue() -> Any:
    """What can be ordered."""
    return render_template("views/ordering/catalogue.html", products=reference.catalogue())


@blueprint.route("/<code>", methods=["GET", "POST"])
@requires(Permission.ORDER_CERTIFICATES)
def form(code: str) -> Any:
    """Add a person to the list."""
    return _line_page(_product(code), line_id=None)


@blueprint.route("/<code>/<int:line_id>", methods=["GET", "POST"])
@requires(Permission.ORDER_CERTIFICATES)
def edit(code: str, line_id: int) -> Any:
    """Correct a person of the list."""
    return _line_page(_product(code), line_id=line_id)


@blueprint.post("/<code>/<int:line_id>/retirer")
@requires(Permission.ORDER_CERTIFICATES)
def remove(code: str, line_id: int) -> Any:
    """Take a person off the list."""
    ordering.remove_line(current_actor(), own_organisation_id(), line_id)
    flash(_("La personne est retirée de la liste."), "success")
    return redirect(url_for("ordering.form", code=code, _anchor="liste"))


@blueprint.post("/<code>/envoyer")
@requires(Permission.ORDER_CERTIFICATES)
def send(code: str) -> Any:
    """« Envoyer les demandes »."""
    sending = SendOrderForm(prefix="send")
    try:
        order = ordering.send_order(
            current_actor(), own_organisation_id(), attested=sending.validate_on_submit() and sending.attestation.data
        )
    except DomainError as refusal:
        if refusal.field == "attestation":
            return _line_page(_product(code), line_id=None, sending=sending)
        flash(str(refusal), "error")
        return redirect(url_for("ordering.form", code=code, _anchor="liste"))
    flash(
        _("La commande %(reference)s est envoyée : chaque demandeur reçoit un courriel.", reference=order.reference),
        "success",
    )
    return redirect(url_for("orders.history"))


def _product(code: str) -> CertificateType:
    for product in reference.catalogue():
        if product.code == code:
            return product
    raise NotFound(_("Ce certificat n'est pas au catalogue."))


def _line_page(product: CertificateType, *, line_id: int | None, sending: SendOrderForm | None = None) -> Any:
    actor, organisation_id = current_actor(), own_organisation_id()
    lines = ordering.draft_lines(actor, organisation_id)
    edited = next((line for number, line in lines if number == line_id), None)
    if line_id is not None and edited is None:
        raise NotFound(_("Cette ligne n'est plus dans la liste."))
    entry = _entry_form(product, edited, fresh=sending is not None)
    if sending is None and request.method == "POST":
        fill_own_data(entry)
        if entry.validate():
            try:
                ordering.save_line(actor, organisation_id, line_of(entry, product), line_id=line_id)
            except DomainError as refusal:
                show_refusal(entry, refusal)
            else:
                flash(_("La personne est dans la liste des demandes."), "success")
                return redirect(url_for("ordering.form", code=product.code, _anchor="liste"))
    tariffs = {years: reference.current_tariff(product.id, years) for years in reference.validities(product.id)}
    return render_template(
        "views/ordering/form.html",
        product=product,
        form=entry,
        sending=sending or SendOrderForm(formdata=None, prefix="send"),
        lines=[(number, line, tariffs.get(line.validity_years)) for number, line in lines],
        line_id=line_id,
        tariffs=tariffs,
        own=own_data(),
        domain_names={domain.id: domain.label for domain in reference.usage_domains()},
        guard=_guard_of(entry),
        line_doubt=line_doubt,
    )


@blueprint.post("/noms")
@requires(Permission.ORDER_CERTIFICATES)
def names() -> Any:
    """The CN as it will be issued and the name guard, while the names are typed (ORD-3, ORD-6): a part of the page."""
    return render_template("views/ordering/_names.html", guard=_guard_of(NamesForm()))


NAME_FIELDS = ("first_name", "last_name", "first_name_ar", "last_name_ar", "nationality")


def _guard_of(form: Any) -> NameGuard:
    typed = (form[name].data for name in NAME_FIELDS)
    return guard_names(*((text or "")[:200] for text in typed))


def _entry_form(product: CertificateType, edited: RequestLine | None, *, fresh: bool) -> OrderLineForm:
    validities = [(years, ngettext("%(num)d an", "%(num)d ans", years)) for years in reference.validities(product.id)]
    domains = [(domain.id, domain.label) for domain in reference.usage_domains()]
    data: dict[str, Any] = {}
    if edited is not None:
        data = {**edited.to_json(), "birth_date": edited.birth_date, "domains": list(edited.domain_ids)}
        data |= {"email_confirmation": edited.email, "attestation": True}
    options = {"formdata": None} if fresh else {}
    return OrderLineForm(validities=validities, domains=domains, data=data, **options)


OWN_FIELDS = (
    "birth_date",
    "nationality",
    "identity_kind",
    "identity_number",
    "last_name",
    "first_name",
    "last_name_ar",
    "first_name_ar",
    "mobile",
    "email",
)


def own_data() -> dict[str, str]:
    """The administrator's own data, for « Je suis le demandeur du certificat »."""
    user = current_user.user
    values = {name: getattr(user, name) for name in OWN_FIELDS}
    values["birth_date"] = user.birth_date.isoformat() if user.birth_date else ""
    values["email_confirmation"] = user.email
    return {name: str(value or "") for name, value in values.items()}


def fill_own_data(entry: OrderLineForm) -> None:
    """Without a script the box is ticked and the fields left empty: the server fills them (ORD-3)."""
    if not entry.for_self.data:
        return
    user = current_user.user
    for name in OWN_FIELDS:
        field = entry[name]
        if not field.data and getattr(user, name):
            field.data = getattr(user, name)
            field.raw_data, field.process_errors = [], []
    entry.email.data = entry.email_confirmation.data = user.email


def line_of(entry: OrderLineForm, product: CertificateType) -> RequestLine:
    """The service's line from a form that validated."""
    person = entry.person()
    return RequestLine(
        certificate_type_id=product.id,
        validity_years=entry.validity_years.data,
        domain_ids=tuple(entry.domains.data),
        for_self=bool(entry.for_self.data),
        duplicate_reason=entry.duplicate_reason.data or "",
        names_confirmed=bool(entry.names_confirmed.data),
        **{**person, "identity_kind": IdentityKind(person["identity_kind"])},
    )
