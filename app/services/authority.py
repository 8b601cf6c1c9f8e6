"""Rights inside services: permission, tenancy, and whose hands an actor has on an object (PPL-2, STA-1)."""

from __future__ import annotations

from flask_babel import gettext as _

from app.errors import Forbidden, IllegalTransition, NotFound
from app.models import CertificateRequest, Organisation
from app.permissions import Actor, Permission
from app.state_labels import action_label, state_label
from app.states import Move, NoSuchMove, Who, find_move


def require(actor: Actor, permission: Permission) -> None:
    """Raises Forbidden unless one of the actor's roles holds the permission."""
    if not actor.can(permission):
        raise Forbidden(_("Votre rôle ne permet pas cette action."))


def require_organisation(actor: Actor, organisation_id: int, permission: Permission) -> None:
    """The actor must administer this organisation: anything else does not exist for them (404, PPL-2)."""
    if organisation_id not in actor.organisation_ids:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, permission)


def hands_on_request(actor: Actor, request: CertificateRequest) -> frozenset[Who]:
    """In which capacities the actor may touch this request; empty: none, answer 404.

    An officer's own request, or their organisation's, is for a colleague to examine (PPL-3).
    """
    hands = set()
    if request.organisation_id in actor.organisation_ids:
        hands.add(Who.ADMINISTRATOR)
    if actor.user_id is not None and request.applicant_id == actor.user_id:
        hands.add(Who.APPLICANT)
    if actor.can(Permission.REVIEW_FILES) and not hands:
        hands.add(Who.AGENT)
    if actor.is_system:
        hands.add(Who.SYSTEM)
    return frozenset(hands)


def hands_on_organisation(actor: Actor, organisation: Organisation) -> frozenset[Who]:
    """The same for an organisation."""
    hands = set()
    if organisation.id in actor.organisation_ids:
        hands.add(Who.ADMINISTRATOR)
        return frozenset(hands)  # their own organisation is for a colleague to verify (PPL-3)
    if actor.can(Permission.VERIFY_ORGANISATIONS):
        hands.add(Who.AGENT)
    if actor.can(Permission.SUSPEND_ORGANISATIONS):
        hands.add(Who.SUPERVISOR)
    if actor.is_system:
        hands.add(Who.SYSTEM)
    return frozenset(hands)


def require_officer(hands: frozenset[Who]) -> None:
    """Raises Forbidden for a file one has no officer's hand on: above all one's own (PPL-3)."""
    if not hands & {Who.AGENT, Who.SUPERVISOR}:
        raise Forbidden(_("Ce dossier est aussi le vôtre : un collègue doit le traiter."))


def checked_move(moves: tuple[Move, ...], state: object, action: str, hands: frozenset[Who], *, word: str = "") -> Move:
    """The table's move, if it exists and these hands may make it; ``word``: its name on screen, when not the usual.

    Raises NotFound when the actor has no hand on the object, IllegalTransition with a clear sentence (STA-1)
    when the table holds no such move, Forbidden when it is somebody else's to make.
    """
    if not hands:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    try:
        move = find_move(moves, state, action)  # type: ignore[arg-type]  # any of the state enums
    except NoSuchMove:
        raise IllegalTransition(
            _(
                "L'action « %(action)s » n'est pas possible : l'état est maintenant « %(state)s ».",
                action=action_label(word or action),
                state=state_label(state),
            )
        ) from None
    if not hands & frozenset(move.who):
        raise Forbidden(_("Votre rôle ne permet pas cette action."))
    return move
