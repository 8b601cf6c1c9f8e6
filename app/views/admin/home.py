"""« Bureau »: what waits in each queue, what is mine, each figure a link (QUE-1)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_admin import AdminIndexView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.permissions import Actor, Permission
from app.queries import desk_credits, desk_organisations, desk_requests, jobs, lists, reconciliation
from app.queries.absences import Away, away_with_files
from app.queries.desk_staff import pending_changes_count
from app.queries.lists import Asked, Source
from app.queries.notes import calling
from app.views.admin.gate import Gate
from app.views.admin.listing import count_text
from app.web import current_actor


@dataclass(frozen=True, slots=True)
class Figure:
    """A count and the list behind it."""

    count: str
    label: str
    url: str
    tone: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """A titled row of figures."""

    title: str
    figures: list[Figure]


class Home(Gate, AdminIndexView):
    """Everybody of TunTrust's lands here; each sees the queues of their role."""

    read = (Permission.ENTER_BACK_OFFICE,)
    offered = frozenset({"index"})

    def __init__(self) -> None:
        super().__init__(name=_l("Bureau"))
        self.static_folder = None  # nothing of Flask-Admin's own scripts and sheets is served

    @expose()
    def index(self) -> str:
        """The desk."""
        actor = current_actor()
        money = reconciliation.waiting() if actor.can(Permission.SETTLE_PAYMENTS) else None
        return str(
            self.render(
                "admin/home.html",
                queues=_queues(actor, money),
                away=_away(actor),
                money=money if actor.can(Permission.APPROVE_CREDIT_NOTES) else None,
            )
        )


def _away(actor: Actor) -> list[Away]:
    """Whose files wait for somebody absent: for supervisors, who can share them out (QUE-3)."""
    return away_with_files() if actor.can(Permission.REASSIGN_FILES) else []


def _queues(actor: Actor, money: reconciliation.Waiting | None) -> list[Queue]:
    queues = []
    if actor.can(Permission.READ_REQUESTS):
        queues.append(_queue(_("Demandes"), desk_requests.SOURCE, "demandes", actor, mine=Permission.REVIEW_FILES))
    if actor.can(Permission.READ_ORGANISATIONS):
        queues.append(
            _queue(
                _("Organisations"),
                desk_organisations.SOURCE,
                "organisations",
                actor,
                mine=Permission.VERIFY_ORGANISATIONS,
            )
        )
    if actor.can(Permission.SETTLE_PAYMENTS):
        queues.append(_credits())
    if money is not None:
        queues.append(_reconciliation(money))
    if actor.can(Permission.ANSWER_MESSAGES):
        queues.append(_calling(actor))
    if actor.can(Permission.MANAGE_MAIL):
        queues.append(_machine_room(actor))
    return queues


def _queue(title: str, source: Source, slug: str, actor: Actor, *, mine: Permission) -> Queue:
    """The tabs that hold work, with live counts in one statement."""
    first = source.tabs[0]
    counts = lists.capped_counts(source, Asked(tab=first, sort=first.sort, descending=False), actor)
    figures = []
    for n, tab in enumerate(source.tabs):
        if tab.key in ("toutes", "terminees", "verifiees", "fermees"):
            continue
        if tab.key == "les-miennes" and not actor.can(mine):
            continue
        url = url_for(f"{slug}.index_view", **({"onglet": tab.key} if n else {}))
        busy = n == 0 or tab.key == "les-miennes"
        figures.append(
            Figure(count_text(counts[tab.key]), str(tab.label), url, "wait" if busy and counts[tab.key] else None)
        )
    return Queue(title, figures)


def _credits() -> Queue:
    """Credit notes that wait for a second person, and money to give back."""
    found = desk_credits.waiting()
    figures = [
        (found.to_issue, _("Avoirs à approuver"), url_for("avoirs.index_view")),
        (found.to_refund, _("Avoirs à rembourser"), url_for("avoirs.index_view", onglet="a-rembourser")),
    ]
    return Queue(
        _("Avoirs"), [Figure(count_text(count), label, url, "wait" if count else None) for count, label, url in figures]
    )


def _reconciliation(found: reconciliation.Waiting) -> Queue:
    """Money and books that differ (GAT-4)."""
    figures = [
        (found.attempts, _("Paiements à régulariser"), url_for("rapprochement.index_view"), "bad"),
        (
            found.to_approve,
            _("Règlements à approuver"),
            url_for("rapprochement.index_view", onglet="a-approuver"),
            "wait",
        ),
        (found.endless, _("Paiements sans fin"), url_for("rapprochement.index_view", onglet="sans-fin"), "wait"),
        (found.differences, _("Écarts de relevé"), url_for("releves.index_view"), "bad"),
    ]
    return Queue(
        _("Rapprochement"),
        [Figure(count_text(count), label, url, tone if count else None) for count, label, url, tone in figures],
    )


def _calling(actor: Actor) -> Queue:
    """Clients without an answer, and one's own follow-ups of today."""
    found = calling(actor)
    return Queue(
        _("Messages et notes"),
        [
            Figure(
                count_text(found.messages),
                _("Attendent une réponse"),
                url_for("conversations.index_view"),
                "wait" if found.messages else None,
            ),
            Figure(
                count_text(found.notes),
                _("À suivre aujourd'hui"),
                url_for("suivi.index_view"),
                "wait" if found.notes else None,
            ),
        ],
    )


def _machine_room(actor: Actor) -> Queue:
    backlog = jobs.outbox_backlog()
    figures = [
        Figure(count_text(backlog.waiting), _("Courriels en attente"), url_for("courriels.index_view")),
        Figure(
            count_text(backlog.dead),
            _("Courriels non remis"),
            url_for("courriels.index_view", onglet="non-remis"),
            "bad" if backlog.dead else None,
        ),
    ]
    if actor.can(Permission.APPROVE_STAFF_CHANGES):
        pending = pending_changes_count()
        figures.append(
            Figure(
                count_text(pending), _("Rôles à approuver"), url_for("equipe.index_view"), "wait" if pending else None
            )
        )
    return Queue(_("Exploitation"), figures)
