"""What the layouts' menus show: data for the templates, so that a layout holds no rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, has_request_context, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.permissions import Actor, Permission
from app.queries import desk_credits, desk_organisations, desk_requests, desk_revocations, reconciliation
from app.queries.billing import basket_count
from app.queries.lists import Asked, Source, capped_counts
from app.queries.notes import calling
from app.queries.threads import unread_count
from app.views.admin.listing import tab_text
from app.web import current_actor


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of a menu."""

    label: str
    url: str
    current: bool = False
    count: int | str | None = None
    primary: bool = False
    unread: bool = False  # its count calls for the person, on a folded menu too (MSG-1)


@dataclass(frozen=True, slots=True)
class NavGroup:
    """A titled group of entries of the back office's menu."""

    label: str | None
    items: tuple[NavItem, ...]


@dataclass(frozen=True, slots=True)
class DeskEntry:
    """A room of the back office."""

    endpoint: str
    label: str
    rights: tuple[Permission, ...]


def init_app(app: Flask) -> None:
    """Make ``nav`` known to the templates."""
    app.context_processor(_menus)


def home_of(actor: Actor) -> str:
    """Where a person lands after login (PPL-1)."""
    if actor.can(Permission.ENTER_BACK_OFFICE) and "admin.index" in current_app.view_functions:
        return url_for("admin.index")
    if actor.can(Permission.SEE_OWN_ORGANISATION) and "orders.history" in current_app.view_functions:
        return url_for("orders.history")
    if "requests.mine" in current_app.view_functions:
        return url_for("requests.mine")
    return url_for("pages.help")


def _menus() -> dict[str, Any]:
    if not has_request_context():  # a job renders a mail
        return {}
    if not current_user or not current_user.is_authenticated:
        return {"nav": [], "desk_nav": [], "home_url": url_for("auth.login")}
    actor = current_actor()
    return {"nav": _client_menu(actor), "desk_nav": _desk_menu(actor), "home_url": home_of(actor)}


def desk_entries() -> tuple[tuple[str | None, tuple[DeskEntry, ...]], ...]:
    """The back office's rooms, by group, in chapter 5's order."""
    p = Permission
    return (
        (
            None,
            (
                DeskEntry("admin.index", _("Bureau"), (p.ENTER_BACK_OFFICE,)),
                DeskEntry(
                    "demandes.index_view",
                    _("Demandes"),
                    (p.READ_REQUESTS,),
                ),
                DeskEntry("organisations.index_view", _("Organisations"), (p.READ_ORGANISATIONS,)),
                DeskEntry("certificats.index_view", _("Certificats"), (p.READ_CERTIFICATES,)),
                DeskEntry("revocations.index_view", _("Révocations"), (p.READ_CERTIFICATES,)),
                DeskEntry("lots.index_view", _("Actions en masse"), (p.REVIEW_FILES,)),
                DeskEntry("conversations.index_view", _("Messages"), (p.READ_REQUESTS,)),
                DeskEntry("suivi.index_view", _("À suivre"), (p.READ_REQUESTS,)),
            ),
        ),
        (
            _("Argent"),
            (
                DeskEntry("paiements.index_view", _("Paiements"), (p.READ_BILLING,)),
                DeskEntry("factures.index_view", _("Factures"), (p.READ_BILLING,)),
                DeskEntry("avoirs.index_view", _("Avoirs"), (p.READ_BILLING,)),
                DeskEntry("rapprochement.index_view", _("Rapprochement"), (p.READ_BILLING,)),
                DeskEntry("releves.index_view", _("Relevés"), (p.READ_BILLING,)),
                DeskEntry("comptabilite.index", _("Comptabilité"), (p.READ_BILLING,)),
            ),
        ),
        (
            _("Référentiel"),
            (
                DeskEntry("types.index_view", _("Types de certificat"), (p.MANAGE_REFERENCE_DATA,)),
                DeskEntry("tarifs.index_view", _("Tarifs"), (p.MANAGE_REFERENCE_DATA,)),
                DeskEntry("frais.index_view", _("Timbre et livraison"), (p.MANAGE_REFERENCE_DATA,)),
                DeskEntry("domaines.index_view", _("Domaines d'utilisation"), (p.MANAGE_REFERENCE_DATA,)),
                DeskEntry("postes.index_view", _("Bureaux de poste"), (p.MANAGE_REFERENCE_DATA,)),
                DeskEntry("motifs.index_view", _("Motifs"), (p.EDIT_REASONS,)),
                DeskEntry("reponses.index_view", _("Réponses toutes prêtes"), (p.EDIT_REASONS,)),
                DeskEntry("conditions.index_view", _("Conditions générales"), (p.MANAGE_REFERENCE_DATA,)),
                DeskEntry("reglages.index_view", _("Réglages"), (p.MANAGE_SETTINGS,)),
            ),
        ),
        (
            _("Gestion"),
            (
                DeskEntry("equipe.index_view", _("Équipe"), (p.MANAGE_STAFF, p.APPROVE_STAFF_CHANGES)),
                DeskEntry("absences.index_view", _("Absences"), (p.REVIEW_FILES,)),
                DeskEntry("journal.index_view", _("Journal"), (p.READ_JOURNAL,)),
                DeskEntry("courriels.index_view", _("Courriels"), (p.MANAGE_MAIL,)),
                DeskEntry("taches.index_view", _("Tâches"), (p.RUN_JOBS,)),
            ),
        ),
    )


_ANNEXES = {"certificats_lots": "certificats", "bordereaux": "certificats"}
"""Pages of a room that have addresses of their own."""


def _room() -> str:
    """Which room a page of the back office belongs to: a file's desk belongs to the list it comes from."""
    blueprint = (request.endpoint or "").split(".")[0]
    if blueprint != "dossiers":
        return _ANNEXES.get(blueprint, blueprint)
    reference = str((request.view_args or {}).get("reference", ""))
    return "organisations" if reference.upper().startswith("ORG-") else "demandes"


def _desk_menu(actor: Actor) -> list[tuple[str | None, list[NavItem]]]:
    """The rooms the actor's role opens, for the desk's layout."""
    if not actor.can(Permission.ENTER_BACK_OFFICE):
        return []
    room, counts = _room(), _desk_counts(actor)
    menu = []
    for label, entries in desk_entries():
        items = [
            NavItem(
                label=entry.label,
                url=url_for(entry.endpoint),
                current=room == entry.endpoint.split(".")[0],
                count=counts.get(entry.endpoint),
            )
            for entry in entries
            if entry.endpoint in current_app.view_functions and any(actor.can(right) for right in entry.rights)
        ]
        if items:
            menu.append((label, items))
    return menu


def _desk_counts(actor: Actor) -> dict[str, int | str | None]:
    """What calls for the person, beside its room; nothing for who only reads."""
    counts: dict[str, int | str | None] = {}
    if actor.can(Permission.REVIEW_FILES):
        counts["demandes.index_view"] = _to_take(desk_requests.SOURCE, actor)
    if actor.can(Permission.VERIFY_ORGANISATIONS):
        counts["organisations.index_view"] = _to_take(desk_organisations.SOURCE, actor)
    if actor.can(Permission.SETTLE_PAYMENTS):
        counts["avoirs.index_view"] = _credits_waiting(actor)
        found = reconciliation.waiting()
        counts["rapprochement.index_view"] = tab_text(found.everything) if found.everything else None
        counts["releves.index_view"] = tab_text(found.differences) if found.differences else None
    if actor.can(Permission.APPROVE_REVOCATIONS):
        waiting = desk_revocations.waiting()
        counts["revocations.index_view"] = tab_text(waiting) if waiting else None
    if actor.can(Permission.ANSWER_MESSAGES):
        calls = calling(actor)
        counts |= {"conversations.index_view": calls.messages or None, "suivi.index_view": calls.notes or None}
    return counts


def _credits_waiting(actor: Actor) -> str | None:
    """Credit notes to issue, for those who do, and refunds to make."""
    found = desk_credits.waiting()
    total = found.to_refund + (found.to_issue if actor.can(Permission.APPROVE_CREDIT_NOTES) else 0)
    return tab_text(total) if total else None


def _to_take(source: Source, actor: Actor) -> str | None:
    """How many files nobody has: counted from the tab's own index, and no further than the lists count."""
    first = source.tabs[0]
    found = capped_counts(source, Asked(first, first.sort, first.descending), actor, only={first.key})[first.key]
    return tab_text(found) if found else None


def _count(endpoint: str, actor: Actor) -> int | None:
    """The number beside an entry, none when there is nothing to count."""
    if endpoint == "basket.show":
        return basket_count(actor.organisation_ids) or None
    if endpoint == "messages.inbox":
        return unread_count(actor) or None
    return None


def _client_menu(actor: Actor) -> list[NavItem]:
    entries: list[tuple[str, str, Permission, bool]] = [
        ("orders.history", _("Mes commandes"), Permission.SEE_OWN_ORGANISATION, False),
        ("certificates.mine", _("Mes certificats"), Permission.SEE_OWN_ORGANISATION, False),
        ("requests.mine", _("Mes demandes"), Permission.SEE_OWN_REQUESTS, False),
        ("messages.inbox", _("Mes messages"), Permission.WRITE_MESSAGES, False),
        ("organisation.show", _("Mon organisation"), Permission.SEE_OWN_ORGANISATION, False),
        ("invoices.index", _("Mes factures"), Permission.PAY, False),
        ("basket.show", _("Panier"), Permission.PAY, False),
        ("ordering.catalogue", _("Commander des certificats"), Permission.ORDER_CERTIFICATES, True),
    ]
    known = current_app.view_functions
    blueprint = (request.endpoint or "").split(".")[0]
    return [
        NavItem(
            label=label,
            url=url_for(endpoint),
            current=blueprint == endpoint.split(".")[0],
            count=_count(endpoint, actor),
            primary=primary,
            unread=endpoint == "messages.inbox",
        )
        for endpoint, label, permission, primary in entries
        if endpoint in known and actor.can(permission)
    ]
