"""Paying at the gateway's hosted page, and coming back (PAY-3, GAT-2, GAT-5)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request

from app.errors import DomainError, Forbidden, NotFound
from app.forms.payment import PaymentForm
from app.models import Payment, PaymentMethod
from app.permissions import Permission
from app.queries import billing
from app.services import payments
from app.views.basket import refused, ticked
from app.views.guards import own_organisation_id, requires
from app.web import current_actor

blueprint = Blueprint("payments", __name__)


@blueprint.post("/panier/payer")
@requires(Permission.PAY)
def start() -> Any:
    """« Payer »: freeze the basket and go to the hosted page, at the address the gateway gave."""
    form = PaymentForm()
    if not form.validate():
        errors = [*form.general_errors, *(str(each) for messages in form.errors.values() for each in messages)]
        return refused(DomainError(errors[0]))
    shown = [row.id for row in billing.requests_named(own_organisation_id(), ticked())]
    try:
        opening = payments.start_payment(
            current_actor(),
            own_organisation_id(),
            shown,
            PaymentMethod(form.method.data),
            int(form.total.data),
            credit=int(form.credit.data),
        )
    except (NotFound, Forbidden):
        raise
    except DomainError as refusal:
        return refused(refusal, form.method.data)
    return redirect(opening.form_url, 303)


@blueprint.get("/paiements/retour")
def return_() -> Any:
    """Back from the gateway, with or without a session: the page asks the gateway itself (GAT-2).

    What the address holds only says which attempt to ask about, so a forged return pays nothing.
    """
    found = billing.payment_of_return(token=request.args.get("t"), order_id=request.args.get("orderId"))
    if found is None:
        return render_template("views/payments/unknown.html"), 404
    payment, heard = payments.settle_for_return(found.id)
    return render_template("views/payments/result.html", payment=payment, heard=heard, **_details(payment))


def _details(payment: Payment) -> dict[str, Any]:
    """The requests and the invoice: for the organisation's administrators only (GAT-5)."""
    reason, given_back = payments.refusal_sentence(payment), billing.was_given_back(payment)
    if payment.organisation_id not in current_actor().organisation_ids:
        return {"own": False, "requests": [], "invoice": None, "reason": reason, "given_back": given_back}
    return {
        "own": True,
        "requests": billing.requests_of_payment(payment.id),
        "invoice": billing.invoice_of_payment(payment.id),
        "reason": reason,
        "given_back": given_back,
    }
