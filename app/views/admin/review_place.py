"""Where one stands in a file: its address, its tabs, who has it (REV-1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app import clock
from app.models import Document, DocumentAsk, DocumentAskItem, FieldVerdict
from app.permissions import Actor
from app.queries.approvals import FallenApproval, fallen_approval
from app.queries.declared_fields import field_name
from app.queries.presence import Looker, others_on
from app.queries.review import OrganisationFile, RequestFile
from app.services import settings
from app.services.locking import overtaken_by
from app.services.verdicts import REVIEWED_ORGANISATIONS, REVIEWED_REQUESTS
from app.state_labels import state_label, state_tone
from app.states import OrganisationState, RequestState, Verdict
from app.views.admin import review_panels
from app.views.admin.trail import LIST, trail_of
from app.views.navigation import NavItem

KEPT = ("onglet", "piece", "page", "zoom", "rotation", "cote", "cote_page", LIST)
"""Arguments of the address that a form's answer comes back with."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A verdict that was sent and not taken: its form is shown again with what it held."""

    field: str
    reason: str = ""
    text: str = ""
    problem: str | None = None
    text_ar: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab with the papers it is about; ``panel``: what another room of the desk shows there."""

    key: str
    label: str
    papers: tuple[Document, ...] = ()
    verdicts: tuple[FieldVerdict, ...] = ()
    panel: review_panels.Panel | None = None


class Place:
    """A file seen by somebody at an address."""

    def __init__(
        self, file: OrganisationFile, actor: Actor, args: MultiDict[str, str], typed: Typed | None = None
    ) -> None:
        self.file = file
        self.actor = actor
        self.request = file.request if isinstance(file, RequestFile) else None
        self.organisation = file.organisation
        self.row = self.request or file.organisation
        self.reference = self.row.reference
        self.args = args
        self.trail = trail_of("demandes" if self.request is not None else "organisations", args)
        self.tabs = self._tabs()
        self.tab = next((tab for tab in self.tabs if tab.key == args.get("onglet")), None) or self._first_tab()
        self.typed = typed or (Typed(args["motif"]) if "motif" in args else None)

    # -- the address

    def _number(self, name: str, low: int, high: int) -> int:
        value = self.args.get(name, low, type=int)
        return min(max(value, low), high)

    def kept(self, **changes: Any) -> dict[str, Any]:
        """The address's own arguments, changed; None is left out."""
        now = {"onglet": self.tab.key, **self.trail.args, **changes}
        return {name: value for name, value in now.items() if value is not None}

    def url(self, **changes: Any) -> str:
        """This page, elsewhere."""
        endpoint = "dossiers.show" if self.request is not None else "dossiers.organisation"
        return url_for(endpoint, reference=self.reference, **self.kept(**changes))

    def post_url(self, endpoint: str, **values: Any) -> str:
        """Where a form of this page is sent; the page comes back as it was."""
        return url_for(f"dossiers.{endpoint}", reference=self.reference, **values, **self.kept())

    # -- tabs

    def _tabs(self) -> list[Tab]:
        file = self.file
        signed = (file.signed_contract,) if file.signed_contract is not None else ()
        organisation = Tab("organisation", _("Organisation"), tuple(file.own_papers), tuple(file.verdicts.values()))
        contract = Tab("contrat", _("Contrat"), signed)
        if isinstance(file, RequestFile):
            people = Tab("demandeur", _("Demandeur"), tuple(file.request_papers), tuple(file.request_verdicts.values()))
            tabs = [organisation, people, contract, Tab("paiement", _("Paiement"))]
        else:
            tabs = [organisation, contract, Tab("demandes", _("Demandes"))]
        others = [
            Tab(panel.key, str(panel.label), tuple(file.papers), panel=panel)
            for panel in review_panels.PANELS
            if panel.shown(self.actor)
        ]
        return [*tabs, *others, Tab("historique", _("Historique"))]

    def _first_tab(self) -> Tab:
        """Where something is left to look at."""
        by_key = {tab.key: tab for tab in self.tabs}
        if self.request is None or self.organisation.state is not OrganisationState.VERIFIEE:
            return by_key["organisation"]
        signed = self.file.signed_contract
        if signed is not None and signed.verdict is Verdict.A_VERIFIER:
            return by_key["contrat"]
        return by_key["demandeur"]

    def tab_links(self) -> list[dict[str, Any]]:
        """The tabs with how many ✗, or ✓ when everything in them is accepted."""
        links = []
        for tab in self.tabs:
            given = [*(paper.verdict for paper in tab.papers), *(each.verdict for each in tab.verdicts)]
            refused = given.count(Verdict.REFUSE)
            done = tab.papers and all(paper.verdict is Verdict.ACCEPTE for paper in tab.papers)
            if self.request is not None and tab.key == "organisation":
                done = done and self.organisation.state is OrganisationState.VERIFIEE
            mark = f"{refused} ✗" if refused else "✓" if done else None
            if tab.panel is not None:
                mark = tab.panel.mark(self)
            url = self.url(onglet=tab.key, piece=None, page=1, zoom=100, rotation=0)
            links.append({"label": tab.label, "url": url, "current": tab is self.tab, "mark": mark})
        return links

    def panel(self) -> Any:
        """What the tab's panel loads for its template."""
        return self.tab.panel.load(self) if self.tab.panel is not None else None

    # -- the head

    @cached_property
    def others(self) -> list[Looker]:
        """The colleagues who have the file open right now (QUE-3)."""
        return others_on(self.row, self.actor)

    def meanwhile(self) -> str:
        """Who changed the file since the page whose version the address of a form carries; « » when nobody."""
        return overtaken_by(self.row, self.args.get("version", type=int), for_staff=True)

    def fallen(self) -> FallenApproval | None:
        """An approval that a change has cancelled, as long as nobody decides anew (REV-2)."""
        request = self.request
        if request is None or request.approved_at or request.state is not RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
            return None
        return fallen_approval(request.id)

    def next_fields(self) -> dict[str, str]:
        """What the form of « Suivant » carries."""
        return self.trail.fields(self.reference)

    def by_whom(self, user_id: int | None) -> str:
        """A colleague's name."""
        return self.file.names.get(user_id or 0, "")

    def holder(self) -> tuple[str, bool]:
        """Who has the file, and whether it is this person."""
        return self.by_whom(self.row.assigned_to_id), self.row.assigned_to_id == self.actor.user_id

    @property
    def is_open(self) -> bool:
        """Is there anything left to do on it?"""
        return self.row.state in (*REVIEWED_REQUESTS, *REVIEWED_ORGANISATIONS)

    def waiting(self) -> tuple[str, str | None] | None:
        """« 4 jours sur 7 » and its colour, while TunTrust holds the file; the client's days do not count (QUE-1)."""
        row = self.row
        held = (RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, OrganisationState.A_VERIFIER)
        if row.complete_since is None or row.state not in held:
            return None
        until = clock.local(row.clock_paused_at or clock.now()).date()
        days, limit = (until - clock.local(row.complete_since).date()).days, settings.get("review.days")
        if row.clock_paused_at is not None:
            return _("%(days)d jours sur %(limit)d, horloge arrêtée", days=days, limit=limit), None
        tone = "late" if days > limit else "soon" if days >= limit - 2 else None
        return _("%(days)d jours sur %(limit)d", days=days, limit=limit), tone

    def back(self) -> NavItem:
        """The list it came from."""
        words = self.trail.in_words() or (_("Demandes") if self.request is not None else _("Organisations"))
        return NavItem(words, self.trail.back_url)

    def tone(self) -> str:
        """The colour of its state."""
        return state_tone(self.row.state)

    def item_label(self, item: DocumentAskItem) -> str:
        """What a point is about."""
        return state_label(item.document_kind) if item.document_kind else str(field_name(item.field or ""))

    def is_late(self, ask: DocumentAsk) -> bool:
        """Has the day passed until which the client was to answer?"""
        return ask.due_on is not None and ask.due_on < clock.today()

    def latest_answers(self) -> list[DocumentAskItem]:
        """What the client answered last, once the file came back."""
        last = self.file.asks[0] if self.file.asks else None
        return list(last.items) if last is not None and last.outcome == "supplied" else []
