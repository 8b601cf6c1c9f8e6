"""« Mon organisation » as its administrators see it: data, papers, people, contract, what is waited for (CON-2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app import clock
from app.bilingual import for_reader
from app.errors import NotFound
from app.extensions import db
from app.identifiers import format_phone
from app.models import (
    Contract,
    Document,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    Organisation,
    User,
)
from app.permissions import Actor
from app.queries.asks import item_of_organisation, left_of
from app.queries.declared_fields import declared_of_organisation, field_name
from app.queries.documents import live_documents
from app.queries.people import administrators_of
from app.queries.readiness import holding, verdicts_of
from app.services import settings
from app.services.contracts import changes_between
from app.services.organisations import CHANGEABLE, EXTRACTS, fresh_until
from app.state_labels import state_label
from app.states import ORDERING_STATES, OrganisationState, Verdict

SOON = 30
"""Days before an extract's end from which the page warns."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long an extract is still recent enough, in a sentence; ``tone`` as badges'."""

    text: str
    tone: str
    days_left: int


@dataclass(frozen=True, slots=True)
class Paper:
    """One document that holds today. ``owner``: whose identity paper it is."""

    document: Document
    freshness: Freshness | None
    owner: str


@dataclass(frozen=True, slots=True)
class Administrator:
    """One of the people who administer the organisation."""

    user: User
    is_me: bool

    @property
    def activated(self) -> bool:
        """Have they chosen their own password?"""
        return self.user.password_hash is not None


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the difference between two versions of the contract."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """One version and what it changed: against the version before it, or the one last signed."""

    contract: Contract
    compared_to: Contract | None
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class ContractView:
    """The version in force, who must sign it, where its signed copy stands, the versions before it.

    What it changes is told against the last version that was signed: what a signatory has not seen yet.
    """

    contract: Contract
    signatories: list[str]
    earlier: list[ContractVersion]
    compared_to: Contract | None
    changes: list[Change]

    @property
    def since_signed(self) -> bool:
        """Is what changes told against a version that was signed?"""
        return self.compared_to is not None and _was_signed(self.compared_to)

    @property
    def signed(self) -> Document | None:
        """The signed copy received, if any."""
        return self.contract.signed_document

    @property
    def accepts_copy(self) -> bool:
        """Can a signed copy (or another one) still be brought?"""
        return self.signed is None or self.signed.verdict is not Verdict.ACCEPTE


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing TunTrust waits for; ``anchor`` says where on the page it is done."""

    text: str
    anchor: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page."""

    organisation: Organisation
    administrators: list[Administrator]
    papers: list[Paper]
    contract: ContractView | None
    ask: DocumentAsk | None
    open: bool
    waiting: list[Waiting] = field(default_factory=list)

    @property
    def unanswered(self) -> int:
        """Points of the open ask that wait for an answer."""
        return sum(item.answered_at is None for item in self.ask.items) if self.ask is not None else 0

    @property
    def left(self) -> list[str]:
        """What those points are about."""
        items = left_of(self.ask) if self.ask is not None else []
        return [state_label(item.document_kind) if item.document_kind else field_label(item.field) for item in items]

    @property
    def late(self) -> bool:
        """Has the day passed until which the organisation was to answer?"""
        return self.ask is not None and self.ask.due_on is not None and self.ask.due_on < clock.today()


def overview(actor: Actor, organisation_id: int) -> Overview:
    """Everything about the actor's own organisation. Raises NotFound for another's (PPL-2)."""
    organisation = own_organisation(actor, organisation_id)
    people = administrators_of(organisation_id)
    names = {user.id: user.display_name for user in people}
    page = Overview(
        organisation=organisation,
        administrators=[Administrator(user, user.id == actor.user_id) for user in people],
        papers=[
            Paper(document, freshness(document), names.get(document.user_id or 0, ""))
            for document in live_documents(organisation_id)
            if document.kind is not DocumentKind.SIGNED_CONTRACT
        ],
        contract=_contract_view(organisation_id),
        ask=_open_ask(organisation_id),
        open=organisation.state in ORDERING_STATES,
    )
    if page.open:
        page.waiting.extend(_waited_for(page))
    return page


def own_organisation(actor: Actor, organisation_id: int) -> Organisation:
    """The organisation, if the actor administers it. Raises NotFound."""
    found = None
    if organisation_id in actor.organisation_ids:
        found = db.session.scalar(
            select(Organisation)
            .where(Organisation.id == organisation_id)
            .options(joinedload(Organisation.representative), joinedload(Organisation.governorate))
        )
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return found


def own_contract(actor: Actor, organisation_id: int, version: int) -> Contract:
    """A version of the actor's organisation's contract. Raises NotFound."""
    own_organisation(actor, organisation_id)
    contract = db.session.scalar(
        select(Contract).where(Contract.organisation_id == organisation_id, Contract.version_number == version)
    )
    if contract is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return contract


def own_ask_item(actor: Actor, organisation_id: int, item_id: int) -> DocumentAskItem:
    """A point that the organisation was asked, in an ask that is over too. Raises NotFound."""
    own_organisation(actor, organisation_id)
    return item_of_organisation(organisation_id, item_id)


def own_document(actor: Actor, organisation_id: int, public_id: str) -> Document:
    """One of the organisation's own papers that hold today. Raises NotFound."""
    own_organisation(actor, organisation_id)
    for document in live_documents(organisation_id):
        if document.public_id == public_id:
            return document
    raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))


def freshness(document: Document) -> Freshness | None:
    """« Votre RNE expire dans 9 jours »: how much longer an extract is recent enough; None for other papers."""
    if document.kind not in EXTRACTS or document.issued_on is None:
        return None
    last = fresh_until(document.issued_on)
    left = (last - clock.today()).days
    what = _("Votre RNE") if document.kind is DocumentKind.RNE_EXTRACT else _("Votre extrait du registre de commerce")
    if left < 0:
        return Freshness(_("%(what)s a expiré le %(day)s.", what=what, day=_day(last)), "bad", left)
    if left == 0:
        return Freshness(_("%(what)s expire aujourd'hui.", what=what), "wait", left)
    if left <= SOON:
        sentence = ngettext(
            "%(what)s expire dans %(num)d jour.", "%(what)s expire dans %(num)d jours.", left, what=what
        )
        return Freshness(sentence, "wait", left)
    return Freshness(_("%(what)s est valable jusqu'au %(day)s.", what=what, day=_day(last)), "calm", left)


def _day(value: date) -> str:
    return value.strftime("%d/%m/%Y")


def _open_ask(organisation_id: int) -> DocumentAsk | None:
    return db.session.scalar(
        select(DocumentAsk)
        .where(DocumentAsk.organisation_id == organisation_id, DocumentAsk.closed_at.is_(None))
        .options(selectinload(DocumentAsk.items).joinedload(DocumentAskItem.answer_document))
    )


# ------------------------------------------------------------------------------------- what is waited for


def _waited_for(page: Overview) -> list[Waiting]:
    """What TunTrust waits for from the administrators, the most pressing first."""
    return [*_asked(page), *_about_contract(page), *_about_papers(page), *_about_data(page), *_about_people(page)]


def _asked(page: Overview) -> list[Waiting]:
    if page.organisation.state is not OrganisationState.PIECES_DEMANDEES or page.ask is None:
        return []
    if page.unanswered:
        text = ngettext(
            "TunTrust attend votre réponse sur %(num)d point.",
            "TunTrust attend votre réponse sur %(num)d points.",
            page.unanswered,
        )
    else:
        text = _("Tout est répondu : confirmez par « J'ai apporté les corrections demandées ».")
    return [Waiting(text, "corrections")]


def _about_contract(page: Overview) -> list[Waiting]:
    if page.contract is None:
        return []
    signed = page.contract.signed
    if signed is None:
        text = _(
            "Déposez le contrat signé par %(people)s.",
            people=_listed(page.contract.signatories),
        )
        return [Waiting(text, "contrat")]
    if signed.verdict is Verdict.REFUSE:
        why = for_reader(signed.verdict_reason, signed.verdict_reason_ar)
        return [Waiting(_("Le contrat signé est refusé : déposez une autre copie."), "contrat", why)]
    return []


def _about_papers(page: Overview) -> list[Waiting]:
    asked = {item.document_id for item in page.ask.items} if page.ask is not None else set()
    found = []
    for paper in page.papers:
        document = paper.document
        if document.verdict is Verdict.REFUSE and document.id not in asked:
            text = _("« %(kind)s » est refusé : remplacez-le.", kind=state_label(document.kind))
            why = for_reader(document.verdict_reason, document.verdict_reason_ar)
            found.append(Waiting(text, "documents", why))
        elif paper.freshness is not None and paper.freshness.days_left < 0 and document.verdict is Verdict.A_VERIFIER:
            found.append(Waiting(_("%(sentence)s Déposez-en un récent.", sentence=paper.freshness.text), "documents"))
    return found


def _about_data(page: Overview) -> list[Waiting]:
    """✗ on the data of a verified organisation, whom no ask can reach; otherwise the ask's points say them."""
    if page.organisation.state is not OrganisationState.VERIFIEE:
        return []
    declared = declared_of_organisation(page.organisation, [one.user for one in page.administrators])
    given = holding(verdicts_of(organisation_id=page.organisation.id), declared)
    return [
        _to_correct(name, for_reader(one.reason, one.reason_ar))
        for name, one in given.items()
        if one.verdict is Verdict.REFUSE
    ]


def _to_correct(name: str, why: str) -> Waiting:
    what = str(field_name(name))
    if name in CHANGEABLE:
        return Waiting(_("« %(what)s » est à corriger : modifiez vos données.", what=what), "donnees", why)
    anchor = "administrateurs" if name.startswith("administrator_") else "donnees"
    anchor = "representant" if name.startswith("representative_") else anchor
    email = settings.get("seller.email")
    return Waiting(
        _("« %(what)s » est à corriger : écrivez à TunTrust, %(email)s.", what=what, email=email), anchor, why
    )


def _about_people(page: Overview) -> list[Waiting]:
    return [
        Waiting(_("%(name)s n'a pas encore activé son compte.", name=one.user.display_name), "administrateurs")
        for one in page.administrators
        if not one.activated
    ]


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return _("%(first)s et %(last)s", first=", ".join(names[:-1]), last=names[-1])


# ------------------------------------------------------------------------------------------------ contract


def _contract_view(organisation_id: int) -> ContractView | None:
    versions = list(
        db.session.scalars(
            select(Contract)
            .where(Contract.organisation_id == organisation_id)
            .options(joinedload(Contract.signed_document))
            .order_by(Contract.version_number.desc())
        )
    )
    if not versions:
        return None
    current, *earlier = versions
    told = [
        ContractVersion(one, before, _changes(before, one))
        for one, before in zip(earlier, [*earlier[1:], None], strict=False)  # the first has none before it
    ]
    base = next(filter(_was_signed, earlier), earlier[0] if earlier else None)
    return ContractView(current, _signatories(current.data), told, base, _changes(base, current))


def _was_signed(contract: Contract) -> bool:
    """A signed copy was received and not refused."""
    copy = contract.signed_document
    return copy is not None and copy.verdict is not Verdict.REFUSE


def _changes(before: Contract | None, after: Contract) -> list[Change]:
    if before is None:
        return []
    return [
        Change(_path_label(path), _shown(path, old), _shown(path, new))
        for path, old, new in changes_between(before.data, after.data)
    ]


def _shown(path: str, value: str) -> str:
    """Numbers and days as people read them."""
    name = path.rsplit(".", 1)[-1]
    if name in ("phone", "fax", "mobile") and value:
        return format_phone(value)
    if name in ("birth_date", "received_on", "dated_on") and value:
        return _day(date.fromisoformat(value))
    return value


def _signatories(data: dict[str, Any]) -> list[str]:
    """The representative and every administrator, each once: they may be the same person."""
    seen: dict[tuple[str, str], str] = {}
    for person in [data.get("representative") or {}, *(data.get("administrators") or [])]:
        name = f"{person.get('first_name', '')} {person.get('last_name', '')}".strip()
        if name:
            seen.setdefault((person.get("document", ""), person.get("document_number", "")), name)
    return list(seen.values())


PARTS: dict[str, object] = {
    "organisation": _l("Organisation"),
    "representative": _l("Représentant légal"),
    "administrators": _l("Administrateur"),
    "documents": _l("Document"),
}
FIELDS: dict[str, object] = {
    "legal_name": _l("Raison sociale"),
    "legal_name_ar": _l("Raison sociale en arabe"),
    "trade_name": _l("Nom commercial"),
    "category": _l("Catégorie"),
    "country": _l("Pays d'enregistrement"),
    "tax_id": _l("Matricule fiscal"),
    "register_number": _l("Numéro de registre"),
    "address": _l("Adresse"),
    "postal_code": _l("Code postal"),
    "city": _l("Ville"),
    "governorate": _l("Gouvernorat"),
    "phone": _l("Téléphone fixe"),
    "fax": _l("Fax"),
    "governorate_id": _l("Gouvernorat"),
    "last_name": _l("Nom"),
    "first_name": _l("Prénom"),
    "last_name_ar": _l("Nom en arabe"),
    "first_name_ar": _l("Prénom en arabe"),
    "birth_date": _l("Date de naissance"),
    "nationality": _l("Nationalité"),
    "document": _l("Pièce d'identité"),
    "document_number": _l("Numéro"),
    "identity_kind": _l("Pièce d'identité"),
    "identity_number": _l("Numéro de la pièce d'identité"),
    "mobile": _l("Téléphone mobile"),
    "email": _l("E-mail"),
    "label": _l("Nature"),
    "file_name": _l("Fichier"),
    "received_on": _l("Reçu le"),
    "dated_on": _l("Daté du"),
}


def field_label(name: str | None) -> str:
    """What a declared field is called on the page; « representative.last_name » says whose it is."""
    if name and "." in name:
        return _path_label(name)
    return str(FIELDS.get(name or "") or field_name(name or ""))


def _path_label(path: str) -> str:
    """« Administrateur 2 : Nom » for « administrators.1.last_name »."""
    part, *middle, name = path.split(".")
    title = str(PARTS.get(part, part))
    if middle:
        title = f"{title} {int(middle[0]) + 1}" if middle[0].isdigit() else title
    return _("%(part)s : %(field)s", part=title, field=str(FIELDS.get(name, name)))
