"""An invitation that ran out: whoever shows its temporary password is sent a new one (APP-1)."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from app.errors import DomainError, TooManyAttempts
from app.extensions import db
from app.models import CertificateRequest, User
from app.services import accounts, ordering
from app.services.locking import lock
from app.services.unit_of_work import use_case
from app.states import RequestState


def renew_expired(late: accounts.InvitationExpired, *, ip: str | None) -> str:
    """What the login page says to the holder of an expired temporary password, and what was done about it.

    The mail goes to the account's own address, at most once an hour; the request never goes with its invitation.
    An administrator's registration is deleted at its end (ACT-3): for them there is only the sentence.
    """
    try:
        told = _invite_anew(late.user_id, ip)
    except TooManyAttempts:
        return _(
            "Ce mot de passe temporaire a expiré. Un nouveau est parti à votre adresse il y a moins d'une heure : "
            "utilisez celui du dernier courriel."
        )
    if told:
        return _(
            "Ce mot de passe temporaire a expiré. Un nouveau vient de partir à votre adresse e-mail : ouvrez le "
            "dernier courriel de TunTrust et recommencez."
        )
    return _(
        "Ce mot de passe temporaire a expiré. Demandez une nouvelle invitation à l'administrateur de votre "
        "organisation ; si vous inscriviez votre organisation, recommencez l'inscription."
    )


@use_case
def _invite_anew(user_id: int, ip: str | None) -> bool:
    user = db.session.get(User, user_id)
    waiting = db.session.scalar(
        select(CertificateRequest.id)
        .where(CertificateRequest.applicant_id == user_id, CertificateRequest.state == RequestState.NON_FINALISEE)
        .order_by(CertificateRequest.id)
        .limit(1)
    )
    if user is None or waiting is None or user.password_hash is not None:
        return False
    actor = accounts.actor_for(user, ip=ip, locale=user.locale)
    request = lock(CertificateRequest, waiting)
    try:
        return ordering.invite_again(request, actor=actor)
    except TooManyAttempts:
        raise
    except DomainError:  # withdrawn in this very instant
        return False
