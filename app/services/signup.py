"""Signing an organisation up: the wizard's steps and the one transaction at its end (ORG-1 … ORG-8, ACT-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.errors import DomainError, ValidationFailed
from app.extensions import db
from app.models import Document, Organisation, RegistrationCountry, SignupDraft, User
from app.permissions import Actor
from app.services import drafts, identity_checks, registering, settings
from app.services.identity_checks import IdentityCheck
from app.services.unit_of_work import use_case

STEPS = ("organisation", "representative", "administrators")
FINISH = "finish"
PEOPLE = ("representative", "first", "second")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the whole cannot be saved yet, and in which step it is mended."""

    step: str
    sentence: str


# ------------------------------------------------------------------------------------------------ the steps


def next_step(draft: SignupDraft | None) -> str:
    """The first step not done: none can be skipped."""
    return next((step for step in STEPS if drafts.stored(draft, step) is None), FINISH)


def reachable(draft: SignupDraft | None, step: str) -> bool:
    """May this step be opened: is everything before it done?"""
    order = (*STEPS, FINISH)
    return order.index(step) <= order.index(next_step(draft))


def required_papers(step: str, answers: Mapping[str, Any]) -> tuple[str, ...]:
    """The upload fields that a step's checked answers ask for (ORG-4, ORG-5)."""
    if step == "organisation":
        if answers["registration_country"] == RegistrationCountry.ETRANGER:
            return ("trade_register",)
        if not answers["has_rne"]:
            return ("tax_card",)
        return ("rne_extract", "tax_card") if answers["rne_in_arabic_only"] else ("rne_extract",)
    if step == "representative":
        return ("representative_identity",) if _is_foreigner(answers) else ()
    wanted = []
    if answers["first"] is not None and _is_foreigner(answers["first"]):
        wanted.append("administrator_identity")
    if answers["second"] is not None and _is_foreigner(answers["second"]):
        wanted.append("administrator2_identity")
    return tuple(wanted)


def _is_foreigner(person: Mapping[str, Any]) -> bool:
    return bool(person["identity_kind"] != "CIN")


def missing_paper(slot: str) -> str:
    """The sentence beside an upload field that waits for its file."""
    return {
        "rne_extract": _("Joignez l'extrait du registre national des entreprises."),
        "tax_card": _("Joignez la carte d'identification fiscale (patente)."),
        "trade_register": _("Joignez l'extrait du registre de commerce."),
    }.get(slot) or _("Joignez une copie de la carte de séjour ou du passeport.")


def complete_step(token: str, step: str, answers: Mapping[str, Any]) -> None:
    """Keep a step's checked answers, once its files are there too. Raises ValidationFailed by upload field."""
    held = drafts.papers(drafts.find(token))
    missing = {slot: missing_paper(slot) for slot in required_papers(step, answers) if slot not in held}
    if missing:
        raise ValidationFailed(_("Il manque des fichiers."), dict(missing))
    drafts.keep_stored(token, step, answers)


def administrators(draft: SignupDraft) -> list[dict[str, Any]]:
    """The one or two administrators as declared; « Oui » is the representative as declared now (ORG-6)."""
    answers = drafts.stored(draft, "administrators")
    if answers is None:
        return []
    first = drafts.stored(draft, "representative") if answers["same"] else answers["first"]
    return [person for person in (first, answers["second"]) if person is not None]


def problems(draft: SignupDraft) -> list[Problem]:
    """What no longer holds although each step was right when it was left: time passes, answers depend on others."""
    found = []
    held = drafts.papers(draft)
    for step in STEPS:
        answers = drafts.stored(draft, step)
        if answers is None:
            return [Problem(step, _("Cette étape n'est pas terminée."))]
        found += [Problem(step, missing_paper(slot)) for slot in required_papers(step, answers) if slot not in held]
    organisation = drafts.stored(draft, "organisation") or {}
    found += [Problem("organisation", sentence) for sentence in _stale_extract(organisation)]
    people = administrators(draft)
    if len(people) == 2 and (
        people[0]["email"] == people[1]["email"]
        or (people[0]["identity_kind"], people[0]["identity_number"], people[0]["nationality"])
        == (people[1]["identity_kind"], people[1]["identity_number"], people[1]["nationality"])
    ):
        found.append(
            Problem(
                "administrators",
                _("Le deuxième administrateur doit être une autre personne que le premier, avec une autre adresse."),
            )
        )
    return found


def _stale_extract(answers: Mapping[str, Any]) -> list[str]:
    today, months = clock.today(), settings.get("extract.months")
    foreign = answers["registration_country"] == RegistrationCountry.ETRANGER
    issued = answers["trade_issued_on"] if foreign else answers["rne_issued_on"] if answers["has_rne"] else None
    found = []
    if issued and clock.months_before(today, months) > date.fromisoformat(issued):
        found.append(_("L'extrait a maintenant plus de %(n)d mois : joignez-en un récent.", n=months))
    until = answers["trade_valid_until"] if foreign else None
    if until and date.fromisoformat(until) < today:
        found.append(_("L'extrait du registre de commerce n'est plus valable : joignez-en un autre."))
    return found


# ------------------------------------------------------------------------------------ the identity service


def person_of(draft: SignupDraft, who: str) -> dict[str, Any] | None:
    """Whom an answer of the identity service may be about: representative, first or second."""
    if who == "representative":
        return drafts.stored(draft, "representative")
    answers = drafts.stored(draft, "administrators") or {}
    return answers.get(who)


def identity_check(draft: SignupDraft | None, who: str) -> IdentityCheck | None:
    """The last answer of the service about that person, whatever was typed since."""
    return IdentityCheck.from_json((draft.data.get("identity") or {}).get(who)) if draft is not None else None


def is_human(draft: SignupDraft | None) -> bool:
    """Was the code copied rightly once? (SEC-4)"""
    return bool(draft is not None and (draft.data.get("human") or {}).get("at"))


@use_case
def _prove_human(token: str, code: str) -> DomainError | None:
    draft = drafts.edited(token)
    if is_human(draft):
        return None
    refusal = drafts.take_captcha(draft, code)
    if refusal is None:
        drafts.rewrite(draft, "human", at=clock.now().isoformat())
    return refusal


def verify_identity(token: str, who: str, person: Mapping[str, Any], *, code: str, actor: Actor) -> IdentityCheck:
    """Ask the service about a declared person, once a code was copied (or the asker is signed in).

    The same tuple is not asked twice while its answer is a clear one. Raises DomainError on ``captcha``,
    TooManyAttempts, DraftGone; an outage is an answer.
    """
    if actor.user_id is None and not is_human(drafts.find(token)):
        if code.strip():
            drafts.count_captcha_try(token, actor.ip)
        refusal = _prove_human(token, code)
        if refusal is not None:
            raise refusal
    held = identity_check(drafts.find(token), who)
    if held is not None and held.about(person) and held.answer is not held.answer.INDISPONIBLE:
        return held
    check = identity_checks.ask(person, limits=(f"draft:{token}", f"address:{actor.ip}"))
    _keep_answer(token, who, check)
    return check


@use_case
def _keep_answer(token: str, who: str, check: IdentityCheck) -> None:
    drafts.rewrite(drafts.edited(token), "identity", **{who: check.to_json()})


def answers_that_hold(draft: SignupDraft) -> dict[str, IdentityCheck]:
    """The service's answers that are about what is declared now; a changed tuple voids its own (ORG-5)."""
    found = {}
    for who in PEOPLE:
        check = identity_check(draft, who)
        if check is not None and check.about(person_of(draft, who)):
            found[who] = check
    return found


# -------------------------------------------------------------------------------------------------- the end


def submit(token: str, code: str, *, actor: Actor) -> str:
    """« Enregistrer »: all or nothing, once; returns the address the page says mail went to (ORG-7, ORG-8).

    A second click, or a second tab, finds it done and gets the same answer. An organisation or address already
    known gives the same answer too, and the mail to the known address tells the truth. Raises DomainError on
    ``captcha`` (the code is used up), TooManyAttempts, DraftGone, or naming the step to mend.
    """
    draft = drafts.find(token)
    if draft is None or draft.submitted_at is None:
        drafts.count_captcha_try(token, actor.ip)
    try:
        outcome = _submit(token, code, actor=actor)
    except IntegrityError:
        # Somebody else registered the same matricule or address at this very moment: now it is known.
        outcome = _submit(token, code, actor=actor)
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


@use_case
def _submit(token: str, code: str, *, actor: Actor) -> str | DomainError:
    draft = drafts.locked(token)
    if draft.submitted_at is not None:
        return draft.outcome_email or ""
    refusal = drafts.take_captcha(draft, code)
    if refusal is not None:
        return refusal
    wrong = problems(draft)
    if wrong:
        return DomainError(wrong[0].sentence)
    people = administrators(draft)
    organisation = drafts.stored(draft, "organisation") or {}
    known = _already_known(organisation, people)
    if known:
        registering.tell_already_registered(known, actor=actor)
        drafts.drop_papers(draft)
    else:
        registering.register(
            organisation,
            drafts.stored(draft, "representative") or {},
            people,
            papers=_wanted_papers(draft),
            answers=answers_that_hold(draft),
            actor=actor,
        )
    draft.submitted_at = clock.now()
    draft.outcome_email = people[0]["email"]
    draft.captcha = None
    draft.data = {}  # nothing personal stays in two places
    return people[0]["email"]


def _wanted_papers(draft: SignupDraft) -> dict[str, Document]:
    """The files the answers ask for; one left from an answer since changed is not handed over."""
    wanted = [slot for step in STEPS for slot in required_papers(step, drafts.stored(draft, step) or {})]
    return {slot: document for slot, document in drafts.papers(draft).items() if slot in wanted}


def _already_known(organisation: Mapping[str, Any], people: list[dict[str, Any]]) -> registering.Known | None:
    if organisation["tax_id"]:
        same = Organisation.tax_id == organisation["tax_id"]
    else:
        same = (Organisation.country == organisation["country"]) & (
            Organisation.register_number == organisation["register_number"]
        )
    existing = db.session.scalar(select(Organisation).where(same).limit(1))
    emails = [person["email"] for person in people]
    users = list(db.session.scalars(select(User).where(User.email.in_(emails)).order_by(User.id)))
    return registering.Known(existing, users) if existing is not None or users else None
