"""The decisions that a form or a button of the desk can send: which form, which service, which words (STA-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from app.forms.review import DecisionForm, DispatchForm, MessageForm, ReasonForm
from app.permissions import Actor
from app.services import asking, deciding, verifying


@dataclass(frozen=True, slots=True)
class Decision:
    """``run(row id, form, actor)`` calls the service; ``done`` is said after."""

    form: type[DecisionForm]
    run: Callable[[int, Any, Actor], object]
    title: object
    intro: object
    done: object
    kind: str = ""


REQUEST_DECISIONS: dict[str, Decision] = {
    "approve": Decision(
        DecisionForm,
        lambda row_id, form, actor: deciding.approve(row_id, actor=actor, expected_version=form.expected_version),
        _l("Approuver la demande"),
        _l("Le client est prévenu, et le certificat peut être généré."),
        _l("La demande est approuvée : enregistrez le certificat dès qu'il est généré."),
    ),
    "reject": Decision(
        ReasonForm,
        lambda row_id, form, actor: deciding.reject(
            row_id, actor=actor, reason=form.text, expected_version=form.expected_version
        ),
        _l("Rejeter la demande"),
        _l("La demande est annulée pour de bon. Le demandeur et les administrateurs reçoivent la raison."),
        _l("La demande est rejetée et le client prévenu."),
        "stop",
    ),
    "withdraw_the_ask": Decision(
        MessageForm,
        lambda row_id, form, actor: asking.withdraw_the_ask(
            row_id, actor=actor, message=form.message.data or "", expected_version=form.expected_version
        ),
        _l("Ne plus demander ces pièces"),
        _l("Le dossier revient à TunTrust sans attendre de réponse. Le client en est prévenu."),
        _l("Les pièces ne sont plus demandées et le client est prévenu."),
    ),
    "dispatch": Decision(
        DispatchForm,
        lambda row_id, form, actor: deciding.dispatch(
            row_id,
            form.tracking_number.data or "",
            actor=actor,
            post_office_id=form.office_id,
            number_confirmed=form.same_parcel.data,
            expected_version=form.expected_version,
        ),
        _l("Expédier le certificat"),
        _l("Le demandeur reçoit le numéro de suivi et l'adresse du bureau de poste."),
        _l("Le certificat est expédié et le client prévenu."),
    ),
}

ORGANISATION_DECISIONS: dict[str, Decision] = {
    "verify": Decision(
        DecisionForm,
        lambda row_id, form, actor: verifying.verify_organisation(
            row_id, actor=actor, expected_version=form.expected_version
        ),
        _l("Déclarer l'organisation vérifiée"),
        _l("Les administrateurs sont prévenus."),
        _l("L'organisation est vérifiée et ses administrateurs prévenus."),
    ),
    "reject": Decision(
        ReasonForm,
        lambda row_id, form, actor: verifying.reject_organisation(
            row_id, actor=actor, reason=form.text, expected_version=form.expected_version
        ),
        _l("Rejeter l'organisation"),
        _l("L'organisation ne peut plus commander ni payer. Ses administrateurs reçoivent la raison."),
        _l("L'organisation est rejetée et ses administrateurs prévenus."),
        "stop",
    ),
    "withdraw_the_ask": Decision(
        MessageForm,
        lambda row_id, form, actor: asking.withdraw_the_organisation_ask(
            row_id, actor=actor, message=form.message.data or "", expected_version=form.expected_version
        ),
        _l("Ne plus demander ces pièces"),
        _l("Le dossier revient à TunTrust sans attendre de réponse. Le client en est prévenu."),
        _l("Les pièces ne sont plus demandées et le client est prévenu."),
    ),
    "suspend": Decision(
        ReasonForm,
        lambda row_id, form, actor: verifying.suspend_organisation(
            row_id, actor=actor, reason=form.text, expected_version=form.expected_version
        ),
        _l("Suspendre l'organisation"),
        _l("L'organisation ne peut plus commander ni payer jusqu'à son rétablissement. La raison lui est envoyée."),
        _l("L'organisation est suspendue et ses administrateurs prévenus."),
        "stop",
    ),
    "restore": Decision(
        ReasonForm,
        lambda row_id, form, actor: verifying.restore_organisation(
            row_id, actor=actor, reason=form.text, expected_version=form.expected_version
        ),
        _l("Rétablir l'organisation"),
        _l("L'organisation peut de nouveau commander et payer ; son dossier est à vérifier de nouveau."),
        _l("L'organisation est rétablie et ses administrateurs prévenus."),
    ),
}
