"""The statutory clock runs while TunTrust holds a complete file and never counts the client's time (QUE-1).

``complete_since`` is when it started, moved on by every pause that ended; ``clock_paused_at`` is since when it
stands still. Only ``services/moving.py`` calls this, so that no move can forget it (ADR 72).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import CertificateRequest, Organisation
from app.states import OrganisationState, RequestState

HELD = (RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
"""The states in which a request has a clock at all."""


def keep_request_clock(request: CertificateRequest) -> None:
    """Stop or start the clock of a locked request whose state just changed.

    It stands still while TunTrust waits for the applicant, and while it waits for the organisation's own papers,
    without which nothing of it can be approved.
    """
    waits = request.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS
    if request.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
        waits = _state_of(request.organisation_id) is OrganisationState.PIECES_DEMANDEES
    _keep(request, waits=waits)


def keep_organisation_clock(organisation: Organisation) -> None:
    """The same for a locked organisation, and for all the requests that TunTrust holds of it."""
    asked = organisation.state is OrganisationState.PIECES_DEMANDEES
    was_asked = organisation.clock_paused_at is not None
    _keep(organisation, waits=asked)
    if asked == was_asked:
        return
    requests = db.session.scalars(
        select(CertificateRequest)
        .where(CertificateRequest.organisation_id == organisation.id, CertificateRequest.state.in_(HELD))
        .order_by(CertificateRequest.id)
        .with_for_update(of=CertificateRequest)
        .execution_options(populate_existing=True)
    ).all()
    for request in requests:
        _keep(request, waits=asked or request.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)


def _state_of(organisation_id: int) -> OrganisationState | None:
    """Read afresh: who asks the organisation locks its requests, so either sees the other's change."""
    return db.session.scalar(select(Organisation.state).where(Organisation.id == organisation_id))


def _keep(row: CertificateRequest | Organisation, *, waits: bool) -> None:
    moment = clock.now()
    if waits:
        row.clock_paused_at = row.clock_paused_at or moment
    elif row.clock_paused_at is not None:
        if row.complete_since is not None:
            row.complete_since += max(moment - row.clock_paused_at, timedelta())
        row.clock_paused_at = None
