"""« Renvoyer à TTN »: an electronic invoice or credit note that TTN rejected, or that was never sent (INV-3)."""

from __future__ import annotations

from flask_babel import gettext as _

from app.models import ElectronicInvoice
from app.permissions import Actor, Permission
from app.services import settings, transmitting
from app.states import TransmissionState
from app.web import current_actor

RESENDABLE = (TransmissionState.NON_ENVOYEE, TransmissionState.REJETEE)


def may_send_again(actor: Actor, electronic: ElectronicInvoice | None) -> bool:
    """Is there a document to send, a switch that sends, and the right to?"""
    return (
        electronic is not None
        and electronic.state in RESENDABLE
        and actor.can(Permission.SETTLE_PAYMENTS)
        and bool(settings.get("ttn.send"))
    )


def send_again(electronic: ElectronicInvoice) -> str:
    """Queue it, and say so. Raises as ``transmitting.send_again``."""
    transmitting.send_again(electronic.id, actor=current_actor())
    return _("Le document repart vers TTN dans les prochaines minutes.")
