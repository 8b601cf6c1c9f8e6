"""The decision bar: which moves these hands may make from here, and how (STA-1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app.permissions import Permission
from app.queries.review import RequestFile
from app.services.authority import hands_on_organisation, hands_on_request
from app.services.credits.guided import may_revoke_and_credit
from app.state_labels import action_label
from app.states import (
    CERTIFICATE_MOVES,
    ORGANISATION_MOVES,
    REQUEST_MOVES,
    VALID_CERTIFICATE_STATES,
    CertificateState,
    Move,
    RequestState,
    Who,
    moves_from,
)
from app.views.admin.review_points import Points

DIRECT = frozenset({"approve", "verify"})
"""Actions that need nothing typed: their button posts at once; the others open their page first."""
KEYS = {"ask_for_documents": "m", "withdraw_the_ask": "w", "dispatch": "e"}


@dataclass(frozen=True, slots=True)
class Button:
    """One action of the decision bar: ``direct`` posts, else the link opens its page."""

    label: str
    url: str
    kind: str
    direct: bool
    confirm: str | None = None
    hidden: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    """The key that presses it (REV-6)."""


class Bar(Points):
    """The buttons."""

    def buttons(self) -> list[Button]:
        """The bar, read from ``states``: the moves these hands may make from here (STA-1)."""
        if self.request is not None:
            hands = hands_on_request(self.actor, self.request)
            moves = moves_from(REQUEST_MOVES, self.request.state, hands & {Who.AGENT})
            moves = [move for move in moves if self._timely(move)]
        else:
            hands = hands_on_organisation(self.actor, self.organisation)
            moves = moves_from(ORGANISATION_MOVES, self.organisation.state, hands & {Who.AGENT, Who.SUPERVISOR})
        found = [self._button(move) for move in moves]
        if self.request is not None and Who.AGENT in hands:
            found += self._credit_buttons({move.action for move in moves})
            found += self._parcel_buttons()
            found += self._revocation_button()
        if self._awaits_certificate():
            url = url_for("dossiers.certificate", reference=self.reference)
            found.insert(0, Button(_("Enregistrer le certificat"), url, "", direct=False, key="e"))
        onwards = self._and_next(moves)
        if onwards is not None:
            found = [onwards, *(replace(each, kind=each.kind or "second") for each in found)]
        return sorted(found, key=lambda button: ("", "second", "danger").index(button.kind))

    def _credit_buttons(self, actions: set[str]) -> list[Button]:
        """The guided steps of a paid request: reject it, or revoke its certificate, with the credit note (AVO-5)."""
        assert self.request is not None  # noqa: S101 - called for requests only
        if self.request.paid_at is None or not self.actor.can(Permission.PREPARE_CREDIT_NOTES):
            return []
        found = []
        if "reject" in actions:
            url = url_for("dossiers.reject_and_credit", reference=self.reference)
            found.append(Button(_("Annuler et préparer l'avoir"), url, "danger", direct=False))
        if may_revoke_and_credit(self.request):
            url = url_for("dossiers.revoke_and_credit", reference=self.reference)
            found.append(Button(_("Révoquer, avoir et nouvelle demande"), url, "danger", direct=False))
        return found

    def _parcel_buttons(self) -> list[Button]:
        """Of a parcel on its way: that it was handed over, and its slip (CRT-2)."""
        assert self.request is not None  # noqa: S101 - called for requests only
        certificate, found = self.request.certificate, []
        if certificate is None:
            return []
        for move in moves_from(CERTIFICATE_MOVES, certificate.state, {Who.AGENT}):
            if move.action == "collect":
                url = url_for("dossiers.collect", reference=self.reference)
                found.append(Button(action_label(move.action), url, "", direct=False, key="e"))
        if certificate.tracking_number:
            url = url_for("bordereaux.parcel", reference=self.reference)
            found.append(Button(_("Bordereau (PDF)"), url, "second", direct=False))
        return found

    def _revocation_button(self) -> list[Button]:
        """« Révoquer le certificat », without money: for a second person (CRT-4)."""
        assert self.request is not None  # noqa: S101 - called for requests only
        certificate = self.request.certificate
        if certificate is None or certificate.state not in VALID_CERTIFICATE_STATES:
            return []
        if not self.actor.can(Permission.PREPARE_REVOCATIONS):
            return []
        url = url_for("dossiers.revoke", reference=self.reference)
        return [Button(_("Révoquer le certificat"), url, "danger", direct=False)]

    def _and_next(self, moves: list[Move]) -> Button | None:
        """« Approuver et suivant »: the decision of a clean file, and the next file in the same action (REV-6)."""
        actions = {move.action for move in moves}
        hidden: dict[str, Any] = {"version": self.row.version, **self.next_fields()}
        if self.request is None:
            if "verify" not in actions or self.file.verification_obstacles:
                return None
            label, action = _("Déclarer vérifiée et suivant"), "verify"
        else:
            verifies = self.may_verify_too()
            if "approve" not in actions or (self.approval_obstacles() and not verifies):
                return None
            label = _("Vérifier, approuver et suivant") if verifies else _("Approuver et suivant")
            action = "approve"
            if verifies:
                hidden["organisation_version"] = self.organisation.version
        url = url_for("dossiers.decide_and_next", reference=self.reference, **self.kept())
        return Button(label, url, "", True, self._doubts(action), hidden, "a")

    def approval_obstacles(self) -> list[str]:
        """What stands in the way of approving."""
        return self.file.approval_obstacles if isinstance(self.file, RequestFile) else []

    def may_verify_too(self) -> bool:
        """Is the organisation's verification all that is left, and this person's to make? Both go together then."""
        hands = hands_on_organisation(self.actor, self.organisation) & {Who.AGENT}
        moves = moves_from(ORGANISATION_MOVES, self.organisation.state, hands)
        possible = any(move.action == "verify" for move in moves) and not self.file.verification_obstacles
        return possible and len(self.approval_obstacles()) == 1

    def _doubts(self, action: str) -> str | None:
        """What a decision that leads on asks first: nothing of a clean file that is one's own."""
        found = self._colleagues()
        if alerts := self.alerts():
            found.append(
                ngettext(
                    "Un contrôle automatique signale une anomalie.",
                    "%(num)d contrôles automatiques signalent une anomalie.",
                    alerts,
                )
            )
        return " ".join(found) or None

    def _colleagues(self) -> list[str]:
        """That somebody else has the file, or looks at it: said before one acts (REV-7)."""
        holder, mine = self.holder()
        found = [_("%(who)s a pris ce dossier.", who=holder)] if holder and not mine else []
        return found + [
            _("%(who)s regarde ce dossier.", who=each.name)
            for each in self.others
            if each.user_id != self.row.assigned_to_id and not each.elsewhere
        ]

    def _timely(self, move: Move) -> bool:
        """Of what the table allows, what makes sense now: one approves once, dispatches what was generated."""
        assert self.request is not None  # noqa: S101 - called for requests only
        certificate = self.request.certificate
        if move.action == "approve":
            return self.request.approved_at is None
        if move.action == "dispatch":
            ready = certificate is not None and certificate.state is CertificateState.GENERE
            return ready and self.request.approved_at is not None
        return certificate is None

    def _awaits_certificate(self) -> bool:
        request = self.request
        return (
            request is not None
            and request.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST
            and request.approved_at is not None
            and request.certificate is None
            and self.actor.can(Permission.RECORD_CERTIFICATES)
        )

    def _button(self, move: Move) -> Button:
        kind = {"primary": "", "danger": "danger"}.get(move.tone, "second")
        if move.action in DIRECT and self.obstacles():
            kind = "second"
        label, points = action_label(move.action), self._points_to_ask() if move.action == "ask_for_documents" else 0
        if points:
            label, kind = f"{label} ({points})", ""
        url = url_for("dossiers.decide", reference=self.reference, action=move.action)
        question = self._question(move, self.row.assigned_to_id)
        hidden = {"version": self.row.version}
        return Button(label, url, kind, move.action in DIRECT, question, hidden, KEYS.get(move.action))

    def _question(self, move: Move, holder_id: int | None) -> str | None:
        """What a button that posts at once has to confirm; first of all that a colleague has the file (REV-7)."""
        words = {
            "approve": _("Le client est prévenu, et le certificat peut être généré."),
            "verify": _("Les administrateurs sont prévenus."),
        }.get(move.action)
        if words is None:
            return None
        if holder_id != self.row.assigned_to_id:  # its organisation's button, on a request's page
            taken = holder_id not in (None, self.actor.user_id)
            return " ".join([_("%(who)s a pris ce dossier.", who=self.by_whom(holder_id)), words]) if taken else words
        return " ".join([*self._colleagues(), words])

    def verify_button(self) -> Button | None:
        """On a request's page, what its organisation waits for, one click away."""
        if self.request is None or self.tab.key != "organisation":
            return None
        hands = hands_on_organisation(self.actor, self.organisation)
        for move in moves_from(ORGANISATION_MOVES, self.organisation.state, hands & {Who.AGENT}):
            if move.action == "verify" and not self.file.verification_obstacles:
                url = url_for(
                    "dossiers.decide", reference=self.organisation.reference, action="verify", retour=self.reference
                )
                question = self._question(move, self.organisation.assigned_to_id)
                hidden = {"version": self.organisation.version}
                return Button(action_label(move.action), url, "", True, question, hidden)
        return None

    def may_take(self) -> bool:
        """« Prendre »: free, or a colleague's that a supervisor may take over."""
        right = Permission.REVIEW_FILES if self.request is not None else Permission.VERIFY_ORGANISATIONS
        if not self.actor.can(right) or self.row.assigned_to_id == self.actor.user_id or not self.is_open:
            return False
        return self.row.assigned_to_id is None or self.actor.can(Permission.REASSIGN_FILES)

    @property
    def may_go_on(self) -> bool:
        """« Suivant »: for those who take such files."""
        right = Permission.REVIEW_FILES if self.request is not None else Permission.VERIFY_ORGANISATIONS
        return self.actor.can(right)

    @property
    def may_hand_over(self) -> bool:
        """« Confier »: for the file's holder, and for supervisors (QUE-3)."""
        mine = self.row.assigned_to_id == self.actor.user_id
        return self.is_open and self.may_go_on and (mine or self.actor.can(Permission.REASSIGN_FILES))
