"""The lists agents work from: « Suivant », one's own filters, counts that refresh, help when nothing is found."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from flask import g, url_for
from flask_babel import gettext as _

from app.queries import lists
from app.queries.lists import Asked
from app.services.saved_filters import LONGEST_NAME, saved_filters
from app.views.admin import listing, trail
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.list_tools import saved_url
from app.web import current_actor


class QueueAdmin(ReadOnlyAdmin):
    """A list of files: a file opened from it knows the list it belongs to (QUE-3)."""

    list_template = "admin/queue.html"
    next_endpoint: ClassVar[str] = ""
    next_tabs: ClassVar[frozenset[str]] = frozenset({"a-prendre", "les-miennes"})

    def prepare(self, asked: Asked) -> None:
        """The rows' links carry the list."""
        g.trail = {trail.LIST: trail.pack(self.source, asked)}

    def _list_context(self, asked: Asked, page: lists.Page, counts: dict[str, int], *rest: Any) -> dict[str, Any]:
        context = super()._list_context(asked, page, counts, *rest)
        address = listing.address(self.source, asked)
        worked = page.rows and asked.tab.key in self.next_tabs and self.may_write(current_actor())
        return {
            **context,
            "slug": self.slug,
            "near": page.near and bool(page.rows),
            "next_url": url_for(self.next_endpoint) if worked else None,
            "next_fields": trail.trail_of(self.slug, g.trail).fields("") if worked else {},
            "counts_url": url_for("listes.counts", slug=self.slug, **address),
            "refresh_url": self.list_url(**address),
            "saved": [(row, saved_url(row)) for row in saved_filters(current_actor(), self.slug)],
            "here": self.list_url(**address),
            "save_query": urlencode(address),
            "longest_name": LONGEST_NAME,
            "empty_text": self._nothing(asked),
            "elsewhere": self._elsewhere(asked, counts) if not page.rows and (asked.search or asked.filters) else [],
        }

    def _nothing(self, asked: Asked) -> str:
        if not asked.search:
            return str(self.empty_text)
        return _(
            "Rien ne répond à « %(text)s » dans « %(tab)s » : ni identifiant exact, ni nom proche, ni nom à une "
            "lettre près. Vérifiez le numéro, essayez le nom de famille seul, ou l'autre alphabet.",
            text=asked.search,
            tab=asked.tab.label,
        )

    def _elsewhere(self, asked: Asked, counts: dict[str, int]) -> list[tuple[str, str]]:
        """The tabs where the same search finds something, and the search without its filters."""
        found = [
            (
                _("%(tab)s : %(count)s", tab=tab.label, count=listing.tab_text(counts.get(tab.key))),
                self.list_url(**listing.address(self.source, asked, onglet=tab.key, tri=None)),
            )
            for tab in self.source.tabs
            if tab is not asked.tab and counts.get(tab.key)
        ]
        if asked.filters:
            without = listing.address(self.source, asked, **dict.fromkeys(asked.filters))
            found.append((_("Sans les filtres"), self.list_url(**without)))
        return found
