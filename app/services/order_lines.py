"""The people of an order as declared, and what an order checks of them before anything exists (ORD-3, ORD-6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.errors import ValidationFailed
from app.extensions import db
from app.identifiers import common_name, fold
from app.models import CertificateType, IdentityKind, UsageDomain, User
from app.names import latin_matches_arabic
from app.permissions import Actor
from app.queries import reference
from app.queries.duplicates import Duplicate, Identity, duplicates_in

_BATCH = 400
TUNISIA = "TN"


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One person of the list, as declared; identifiers already in their stored form.

    ``duplicate_reason``: why one more certificate for who has one already (ORD-6). ``names_confirmed``: the Latin and
    the Arabic name do not sound alike, and are the person's all the same. ``replaces_id``: the request whose
    certificate this one renews or succeeds (CRT-5).
    """

    certificate_type_id: int
    validity_years: int
    domain_ids: tuple[int, ...]
    for_self: bool
    last_name: str
    first_name: str
    last_name_ar: str
    first_name_ar: str
    birth_date: date
    nationality: str
    identity_kind: IdentityKind
    identity_number: str
    mobile: str
    email: str
    duplicate_reason: str = ""
    names_confirmed: bool = False
    replaces_id: int | None = None

    def to_json(self) -> dict[str, Any]:
        """For the draft's row."""
        return {**asdict(self), "domain_ids": list(self.domain_ids), "birth_date": self.birth_date.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RequestLine:
        """From the draft's row."""
        return cls(
            **{
                **data,
                "domain_ids": tuple(data["domain_ids"]),
                "birth_date": date.fromisoformat(data["birth_date"]),
                "identity_kind": IdentityKind(data["identity_kind"]),
            }
        )

    @property
    def identity(self) -> Identity:
        """What makes two lines the same person."""
        return (self.identity_kind, self.identity_number, self.nationality)

    @property
    def full_name(self) -> str:
        """First name and last name, as a sentence names somebody."""
        return f"{self.first_name} {self.last_name}"


# ----------------------------------------------------------------------------------------------- what is on offer


def check_offer(line: RequestLine) -> None:
    """The product, the validity and the domains are on offer. Raises ValidationFailed."""
    wrong = offer_problems([line])[0]
    if wrong:
        raise ValidationFailed(next(iter(wrong.values())), {name: text for name, text in wrong.items() if name})


def offer_problems(lines: Sequence[RequestLine]) -> list[dict[str, object]]:
    """For each line what is no longer on offer, by field; the reference data is read once for all of them."""
    known = set(db.session.scalars(select(UsageDomain.id).where(UsageDomain.active)))
    on_sale: dict[int, list[int]] = {}
    found: list[dict[str, object]] = []
    for line in lines:
        if line.certificate_type_id not in on_sale:
            product = db.session.get(CertificateType, line.certificate_type_id)
            active = product is not None and product.active
            on_sale[line.certificate_type_id] = reference.validities(line.certificate_type_id) if active else []
        wrong: dict[str, object] = {}
        if line.validity_years not in on_sale[line.certificate_type_id]:
            wrong["validity_years"] = _("Choisissez une durée.")
        if not line.domain_ids or not set(line.domain_ids) <= known:
            wrong["domains"] = _("Choisissez au moins un domaine d'utilisation.")
        found.append(wrong)
    return found


# ------------------------------------------------------------------------------------------------ one e-mail each


def check_person(actor: Actor, line: RequestLine, others: Sequence[RequestLine]) -> None:
    """One e-mail, one person (ORD-3), on the list and among existing accounts. Raises ValidationFailed."""
    errors: dict[str, object] = {}
    for other in others:
        if other.identity == line.identity:
            errors["identity_number"] = _("Cette personne est déjà dans la liste.")
        elif other.email == line.email:
            errors["email"] = _("Une autre personne de la liste a déjà cette adresse e-mail.")
    errors = errors or account_problems(actor, [line])[0]
    if errors:
        raise ValidationFailed(_("Corrigez les points signalés."), errors)


def repeated(lines: Sequence[RequestLine]) -> dict[int, tuple[str, int]]:
    """Lines that name somebody, or somebody's e-mail, a second time: place → (field, place of the first)."""
    people: dict[Identity, int] = {}
    emails: dict[str, int] = {}
    found: dict[int, tuple[str, int]] = {}
    for place, line in enumerate(lines):
        if line.identity in people:
            found[place] = ("identity_number", people[line.identity])
        elif line.email in emails:
            found[place] = ("email", emails[line.email])
        people.setdefault(line.identity, place)
        emails.setdefault(line.email, place)
    return found


def account_problems(actor: Actor, lines: Sequence[RequestLine]) -> list[dict[str, object]]:
    """For each line, why its e-mail cannot be its person's; the accounts are read some hundreds at a time."""
    accounts = accounts_by_email([line.email for line in lines])
    return [_account_problem(actor, line, accounts.get(line.email)) for line in lines]


def accounts_by_email(emails: Sequence[str]) -> dict[str, User]:
    """The accounts of these addresses."""
    wanted = sorted(set(emails))
    return {
        user.email: user
        for start in range(0, len(wanted), _BATCH)
        for user in db.session.scalars(select(User).where(User.email.in_(wanted[start : start + _BATCH])))
    }


def _account_problem(actor: Actor, line: RequestLine, user: User | None) -> dict[str, object]:
    if user is None:
        return {}
    if user.id == actor.user_id and not line.for_self:
        return {"email": _("C'est votre propre adresse : cochez « Je suis le demandeur du certificat ».")}
    known = user.identity_number is not None
    if known and (user.identity_kind, user.identity_number) != (line.identity_kind, line.identity_number):
        if line.for_self:
            return {"identity_number": _("Ce numéro n'est pas celui de votre compte.")}
        return {"email": _("Cette adresse e-mail est déjà celle d'une autre personne : chacun doit avoir la sienne.")}
    if not known and not line.for_self:
        return {"email": _("Cette adresse e-mail ne peut pas être utilisée pour un demandeur.")}
    return {}


# ------------------------------------------------------------------------------------------------------ duplicates


def duplicates_of(organisation_id: int, lines: Sequence[RequestLine]) -> dict[int, list[Duplicate]]:
    """Place of each line whose person has an open request or a valid certificate of its kind → which (ORD-6)."""
    found: dict[int, list[Duplicate]] = {}
    for kind in {line.certificate_type_id for line in lines}:
        people = {line.identity for line in lines if line.certificate_type_id == kind}
        known = duplicates_in(organisation_id, people, kind)
        for place, line in enumerate(lines):
            if line.certificate_type_id == kind and line.identity in known:
                found[place] = known[line.identity]
    return found


def check_confirmations(organisation_id: int, line: RequestLine) -> None:
    """What may be, but only on purpose: one more certificate, two names that do not sound alike (ORD-6).

    Raises ValidationFailed on ``duplicate_reason`` and ``names_confirmed``.
    """
    errors: dict[str, object] = {}
    known = [] if line.duplicate_reason else duplicates_of(organisation_id, [line]).get(0, [])
    if known:
        errors["duplicate_reason"] = reason_wanted(known[0])
    doubt = line_doubt(line)
    if doubt:
        errors["names_confirmed"] = doubt
    if errors:
        raise ValidationFailed(_("Corrigez les points signalés."), errors)


def reason_wanted(known: Duplicate) -> str:
    """What there is already, and what is asked then."""
    return _("%(known)s Pour en commander un autre, écrivez pourquoi : TunTrust le lira.", known=known.sentence)


# ----------------------------------------------------------------------------------------------------- name guard


def name_doubt(
    first_name: str, last_name: str, first_name_ar: str, last_name_ar: str, *, foreign: bool = False
) -> tuple[str, str]:
    """Why the two scripts may name two people (ORD-6): the field to look at and a sentence.

    Two empty texts when they sound alike, or when it cannot be said. ``foreign``: names written by ear (Neumann,
    نويمان) raise a doubt only when neither of the two is alike.
    """
    nothing = ("", "")
    if not (first_name and last_name and first_name_ar and last_name_ar):
        return nothing
    last, first = latin_matches_arabic(last_name, last_name_ar), latin_matches_arabic(first_name, first_name_ar)
    if (last is not False and first is not False) or (foreign and (last is not False or first is not False)):
        return nothing
    if latin_matches_arabic(last_name, first_name_ar) and latin_matches_arabic(first_name, last_name_ar):
        return "last_name_ar", _(
            "Le nom et le prénom semblent intervertis en arabe : اللقب est le nom, الاسم le prénom."
        )
    if latin_matches_arabic(f"{first_name} {last_name}", f"{first_name_ar} {last_name_ar}") is not False:
        return nothing
    if last is False and first is False:
        return "last_name_ar", _(
            "Le nom et le prénom en arabe ne se prononcent pas comme en français : est-ce la même personne ?"
        )
    if last is False:
        return "last_name_ar", _(
            "« %(latin)s » et « %(arabic)s » ne se prononcent pas de même : vérifiez le nom.",
            latin=last_name,
            arabic=last_name_ar,
        )
    return "first_name_ar", _(
        "« %(latin)s » et « %(arabic)s » ne se prononcent pas de même : vérifiez le prénom.",
        latin=first_name,
        arabic=first_name_ar,
    )


def line_doubt(line: RequestLine) -> str:
    """The same of a line, in a sentence, unless it was confirmed."""
    if line.names_confirmed:
        return ""
    return doubt_of(line)[1]


def doubt_of(line: RequestLine) -> tuple[str, str]:
    """``name_doubt`` of a line's person."""
    names = (line.first_name, line.last_name, line.first_name_ar, line.last_name_ar)
    return name_doubt(*names, foreign=line.nationality != TUNISIA)


@dataclass(frozen=True, slots=True)
class NameGuard:
    """How a person's name will stand in the certificate, and why its two scripts may be two people's (ORD-3, ORD-6)."""

    common_name: str
    doubt: str


def guard_names(
    first_name: str, last_name: str, first_name_ar: str, last_name_ar: str, nationality: str = ""
) -> NameGuard:
    """What a form shows while a name is typed; nothing typed, nothing shown. ``nationality``: a code, or in words."""
    foreign = bool(nationality) and nationality != TUNISIA and not fold(nationality).startswith("tunis")
    doubt = name_doubt(first_name, last_name, first_name_ar, last_name_ar, foreign=foreign)[1]
    return NameGuard(common_name(first_name, last_name), doubt)
