"""Where a request stands, in words: who must do what next (« À vous de jouer » / « Nous attendons … »)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app import clock
from app.bilingual import for_reader
from app.models import Certificate, CertificateRequest, DocumentAsk
from app.permissions import Actor
from app.queries.asks import may_answer
from app.queries.desk_revocations import done_of
from app.queries.replacements import replacement_of
from app.state_labels import state_label
from app.states import CertificateState, OrganisationState, RequestState, Who

YOURS = "wait"
OTHERS = "calm"


@dataclass(frozen=True, slots=True)
class Standing:
    """The first thing on the page. ``kind`` is the note's tone; ``action`` a label and an address, to be followed."""

    kind: str
    title: str
    text: str
    quote: str = ""
    action: tuple[str, str] | None = None
    sent: dict[str, str] | None = None
    """What the action posts; None: its address is only followed."""
    confirm: str = ""


def standing(
    request: CertificateRequest, actor: Actor, hands: frozenset[Who], *, held: bool, ask: DocumentAsk | None
) -> Standing:
    """The words for this person, from the state and their hands."""
    if request.state is RequestState.NON_FINALISEE:
        return _unfinished(request, hands)
    if request.state is RequestState.EN_ATTENTE_DE_PAIEMENT:
        return _to_pay(request, hands, held=held)
    if request.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        return _to_answer(request, actor, ask)
    if request.certificate is not None and request.certificate.state in (
        CertificateState.REVOQUE,
        CertificateState.EXPIRE,
    ):
        return _ended(request, request.certificate, hands)
    if request.state is RequestState.ANNULEE:
        return Standing("bad", _("Cette demande est annulée"), _("Il n'y a plus rien à faire."), request.closing_reason)
    if request.state is RequestState.EXPEDIEE:
        return _dispatched(request, hands)
    return _with_tuntrust(request, hands)


def _mine() -> str:
    return _("À vous de jouer")


def _unfinished(request: CertificateRequest, hands: frozenset[Who]) -> Standing:
    name = f"{request.first_name} {request.last_name}"
    if request.correction_asked_at is not None:
        if Who.ADMINISTRATOR in hands:
            text = _("%(name)s signale une erreur dans les données déclarées. Corrigez-les.", name=name)
            link = (_("Corriger"), url_for("requests.correct", reference=request.reference))
            return Standing(YOURS, _mine(), text, request.applicant_remark, link)
        return Standing(
            OTHERS,
            _("Nous attendons la correction de votre administrateur"),
            _("Vous serez prévenu par courriel dès que vos données seront corrigées."),
            request.applicant_remark,
            (_("Revoir ma demande"), url_for("requests.validate", reference=request.reference)),
        )
    if Who.APPLICANT in hands:
        return Standing(
            YOURS,
            _mine(),
            _("Vérifiez vos données, choisissez votre bureau de poste et acceptez les conditions générales."),
            action=(_("Valider la demande"), url_for("requests.validate", reference=request.reference)),
        )
    return Standing(OTHERS, _("Nous attendons %(name)s", name=name), _chase(request))


def _chase(request: CertificateRequest) -> str:
    """What an administrator may know of a person who has not validated (ORD-7)."""
    person = request.applicant
    if person.password_hash is not None:
        return _("Le compte est activé ; la demande n'est pas encore validée.")
    expires = person.temporary_password_expires_at
    if expires is None:
        return _("Le compte n'est pas encore activé.")
    day = clock.local(expires).strftime("%d/%m/%Y")
    if expires <= clock.now():
        return _("Le compte n'est pas activé et l'invitation a expiré le %(day)s : renvoyez-la.", day=day)
    return _("Le compte n'est pas encore activé ; l'invitation est valable jusqu'au %(day)s.", day=day)


def _to_pay(request: CertificateRequest, hands: frozenset[Who], *, held: bool) -> Standing:
    if held:
        return Standing(
            OTHERS,
            _("Un paiement est en cours"),
            _("Son résultat s'affichera ici. Tant qu'il n'est pas connu, la demande ne peut pas changer."),
        )
    if Who.ADMINISTRATOR not in hands:
        return Standing(
            OTHERS,
            _("Nous attendons le paiement de votre organisation"),
            _("Votre demande est validée. Vous n'avez rien à faire pour le moment."),
        )
    if request.basket_added_at is not None:
        link = (_("Voir le panier"), url_for("basket.show"))
        return Standing(YOURS, _mine(), _("La demande est dans votre panier : réglez-la."), action=link)
    text = _("La demande est validée : ajoutez-la au panier et réglez-la.")
    return Standing(
        YOURS,
        _mine(),
        text,
        action=(_("Ajouter au panier"), url_for("basket.add")),
        sent={"request": request.reference},
    )


def _to_answer(request: CertificateRequest, actor: Actor, ask: DocumentAsk | None) -> Standing:
    points = [item for item in ask.items if item.answered_at is None] if ask is not None else []
    own = [item for item in (ask.items if ask is not None else []) if may_answer(actor, request, item)]
    if not own:
        return Standing(
            OTHERS,
            _("Nous attendons votre administrateur"),
            _("TunTrust a demandé des pièces à votre organisation."),
        )
    text = ngettext(
        "TunTrust attend encore une réponse de votre part.",
        "TunTrust attend encore %(num)d réponses de votre part.",
        len(points),
    )
    if not points:
        text = _("Tout est prêt : dites à TunTrust que vous avez apporté les corrections demandées.")
    if ask is not None and ask.due_on is not None and ask.due_on < clock.today():
        text += " " + _("La date du %(day)s est passée.", day=ask.due_on.strftime("%d/%m/%Y"))
    elif ask is not None and ask.due_on is not None:
        text += " " + _("Répondez avant le %(day)s.", day=ask.due_on.strftime("%d/%m/%Y"))
    link = (_("Répondre à TunTrust"), url_for("requests.answer", reference=request.reference))
    return Standing("bad", _mine(), text, ask.message if ask is not None else "", link)


def _with_tuntrust(request: CertificateRequest, hands: frozenset[Who]) -> Standing:
    if request.certificate is not None:
        text = _("Votre certificat est généré ; il part bientôt vers le bureau de poste.")
    elif request.approved_at is not None:
        text = _("La demande est approuvée ; le certificat va être généré.")
    elif request.organisation.state is OrganisationState.PIECES_DEMANDEES:
        return _organisation_asked(hands)
    else:
        text = _("TunTrust examine la demande et ses pièces. Vous n'avez rien à faire pour le moment.")
    return Standing("info", _("La demande est chez TunTrust"), text)


def _organisation_asked(hands: frozenset[Who]) -> Standing:
    """Asked once of the organisation, waited for by all of its requests (REV-5)."""
    if Who.ADMINISTRATOR in hands:
        text = _("TunTrust demande des pièces à votre organisation : toutes ses demandes les attendent.")
        link = (_("Voir ce qui est attendu"), url_for("organisation.show", _anchor="corrections"))
        return Standing(YOURS, _mine(), text, action=link)
    return Standing(
        OTHERS,
        _("Nous attendons votre organisation"),
        _("TunTrust lui a demandé des pièces. Votre demande reprendra d'elle-même ; vous n'avez rien à faire."),
    )


def _ended(request: CertificateRequest, certificate: Certificate, hands: frozenset[Who]) -> Standing:
    """Revoked or expired: why, and what an administrator may do about it (CRT-4, CRT-5)."""
    revoked = certificate.state is CertificateState.REVOQUE
    found = done_of(certificate.id) if revoked else None
    text = _("Il ne peut plus signer. Ce qui a été signé avant reste signé.")
    quote = f"{state_label(found.reason)}. {found.reason_text}".strip() if found is not None else ""
    title = _("Le certificat est révoqué") if revoked else _("Le certificat a expiré")
    if revoked and found is not None and found.decided_at is not None:
        title = _("Le certificat est révoqué depuis le %(day)s", day=clock.local(found.decided_at).strftime("%d/%m/%Y"))
    successor = replacement_of(request.id)
    if successor is not None:
        text += " " + _("La demande %(reference)s le remplace.", reference=successor.reference)
        link = (_("Voir la nouvelle demande"), url_for("requests.show", reference=successor.reference))
        mine = successor.applicant_id == request.applicant_id or Who.ADMINISTRATOR in hands
        return Standing("bad" if revoked else "calm", title, text, quote, link if mine else None)
    return Standing("bad" if revoked else "calm", title, text, quote)


def _dispatched(request: CertificateRequest, hands: frozenset[Who]) -> Standing:
    certificate, office = request.certificate, request.post_office
    if certificate is None or office is None:
        return Standing("ok", _("Le certificat est expédié"), "")
    if certificate.state is CertificateState.RETIRE:
        until = clock.local(certificate.not_after).strftime("%d/%m/%Y")
        return Standing(
            "ok",
            _("Le certificat est retiré"),
            _("Il est valable jusqu'au %(day)s. Il n'y a plus rien à faire.", day=until),
        )
    where = for_reader(office.name_fr, office.name_ar)
    if Who.APPLICANT not in hands:
        name = f"{request.first_name} {request.last_name}"
        text = _("%(name)s le retire au bureau de poste de %(office)s.", name=name, office=where)
        return Standing(OTHERS, _("Nous attendons %(name)s", name=name), text)
    return Standing(
        YOURS,
        _mine(),
        _(
            "Votre certificat vous attend, ou arrive bientôt, au bureau de poste de %(office)s. Retirez-le avec votre "
            "pièce d'identité, puis confirmez-le ici.",
            office=where,
        ),
        action=(_("J'ai retiré mon certificat"), url_for("requests.collect", reference=request.reference)),
        sent={"version": str(certificate.version)},
        confirm=_("Confirmez seulement quand vous avez le token en main : nous cesserons de vous le rappeler."),
    )
