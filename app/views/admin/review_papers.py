"""The papers of a file: which one is shown, which page, how large, turned how (REV-1)."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from app.models import Document, DocumentKind
from app.permissions import Actor
from app.queries.review import OrganisationFile
from app.state_labels import state_label
from app.states import Verdict
from app.views.admin.review_place import Place, Typed

ZOOMS = (100, 125, 150, 200, 300)
WIDTHS = {100: 960, 125: 1600, 150: 1600, 200: 2400, 300: 2400}

SHORT: dict[DocumentKind, object] = {
    DocumentKind.RNE_EXTRACT: _l("Extrait RNE"),
    DocumentKind.TAX_CARD: _l("Patente"),
    DocumentKind.TRADE_REGISTER: _l("Registre de commerce"),
    DocumentKind.REPRESENTATIVE_IDENTITY: _l("Identité du représentant"),
    DocumentKind.ADMINISTRATOR_IDENTITY: _l("Identité d'un administrateur"),
    DocumentKind.APPLICANT_IDENTITY: _l("Identité du demandeur"),
}
"""Papers' names short enough to choose from."""


class Papers(Place):
    """The paper shown."""

    def __init__(
        self, file: OrganisationFile, actor: Actor, args: MultiDict[str, str], typed: Typed | None = None
    ) -> None:
        super().__init__(file, actor, args, typed)
        self.paper = self._paper()
        self.page = self._number("page", 1, max(self.paper.pages, 1) if self.paper else 1)
        self.zoom = self._zoom()
        self.rotation = self._number("rotation", 0, 270) // 90 * 90
        self.side = self._side()
        self.side_page = self._number("cote_page", 1, max(self.side.pages, 1) if self.side else 1)

    def kept(self, **changes: Any) -> dict[str, Any]:
        """The address's own arguments, changed; those at their default are left out."""
        now = {
            "piece": self.paper.public_id if self.paper else None,
            "page": self.page,
            "zoom": self.zoom,
            "rotation": self.rotation,
            "cote": self.side.public_id if self.side else None,
            "cote_page": self.side_page,
            **changes,
        }
        defaults = {"page": 1, "zoom": 100, "rotation": 0, "cote_page": 1}
        return super().kept(**{name: value for name, value in now.items() if value != defaults.get(name)})

    def _zoom(self) -> int:
        wanted = self.args.get("zoom", 100, type=int)
        return wanted if wanted in ZOOMS else 100

    def _paper(self) -> Document | None:
        """The one asked for, else the first of the tab that nobody judged, else the first."""
        named = next((paper for paper in self.tab.papers if paper.public_id == self.args.get("piece")), None)
        waiting = next((paper for paper in self.tab.papers if paper.verdict is Verdict.A_VERIFIER), None)
        return named or waiting or (self.tab.papers[0] if self.tab.papers else None)

    def paper_links(self) -> list[dict[str, Any]]:
        """The tab's papers, to choose from."""
        marks = {Verdict.ACCEPTE: "✓", Verdict.REFUSE: "✗", Verdict.A_VERIFIER: None}
        return [
            {
                "label": self.short(paper),
                "url": self.url(piece=paper.public_id, page=1, rotation=0) + "#document",
                "current": paper is self.paper,
                "mark": marks[paper.verdict],
            }
            for paper in self.tab.papers
        ]

    def picture_url(self, paper: Document, page: int, rotation: int = 0) -> str:
        """The page's picture, made by the server."""
        args = {"largeur": WIDTHS[self.zoom], "rotation": rotation or None}
        return url_for("documents.picture", public_id=paper.public_id, page=page, **args)

    def _side(self) -> Document | None:
        """The second paper, beside the first: any other of the file."""
        wanted = self.args.get("cote")
        return next((each for each in self.file.papers if each.public_id == wanted and each is not self.paper), None)

    def side_links(self) -> list[dict[str, Any]]:
        """The papers that may stand beside this one."""
        return [
            {
                "label": self.short(paper),
                "url": self.url(cote=paper.public_id, cote_page=1) + "#document",
                "current": paper is self.side,
            }
            for paper in self.file.papers
            if paper is not self.paper
        ]

    def side_page_url(self, step: int) -> str | None:
        """The next page of the second paper; None at the end."""
        wanted = self.side_page + step
        inside = self.side is not None and 1 <= wanted <= self.side.pages
        return self.url(cote_page=wanted) + "#document" if inside else None

    def next_paper_url(self) -> str | None:
        """The tab's next paper, after the last the first; None when there is no other."""
        papers = self.tab.papers
        if self.paper is None or len(papers) < 2:
            return None
        following = papers[(papers.index(self.paper) + 1) % len(papers)]
        return self.url(piece=following.public_id, page=1, rotation=0, cote=None, cote_page=1) + "#document"

    def paper_url(self, public_id: str, page: int | None) -> str | None:
        """A page of a paper of this file, in the tab it belongs to; None for a paper that is not shown any more."""
        for tab in self.tabs:
            if tab.panel is None and any(paper.public_id == public_id for paper in tab.papers):
                there = {"onglet": tab.key, "piece": public_id, "page": page or 1, "rotation": 0}
                return self.url(**there, cote=None, cote_page=1) + "#document"
        return None

    def short(self, paper: Document) -> str:
        """A paper's name short enough to choose from."""
        return str(SHORT.get(paper.kind) or state_label(paper.kind))

    def zoom_url(self, step: int) -> str | None:
        """The next zoom, larger or smaller; None at the end."""
        place = ZOOMS.index(self.zoom) + step
        return self.url(zoom=ZOOMS[place]) + "#document" if 0 <= place < len(ZOOMS) else None

    def page_url(self, step: int) -> str | None:
        """The next page of the paper; None at the end."""
        wanted = self.page + step
        inside = self.paper is not None and 1 <= wanted <= self.paper.pages
        return self.url(page=wanted) + "#document" if inside else None
