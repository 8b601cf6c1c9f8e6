"""Beside the rows of the agents' lists: filters saved by name, counts that refresh (QUE-1, QUE-2)."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import DomainError, Forbidden, NotFound
from app.models import SavedFilter
from app.permissions import Permission
from app.queries import lists
from app.queries.lists import Source
from app.services import saved_filters
from app.views.admin import listing
from app.views.admin.gate import Gate
from app.views.admin.trail import SOURCES
from app.web import current_actor

READERS = {"demandes": Permission.READ_REQUESTS, "organisations": Permission.READ_ORGANISATIONS}


def saved_url(row: SavedFilter) -> str:
    """The list as it was saved: what no longer means anything is left out."""
    source = SOURCES[row.list_name]
    asked = listing.read_address(source, dict(parse_qsl(row.query)))
    return url_for(f"{row.list_name}.index_view", **listing.address(source, asked))


def _source(slug: str) -> Source:
    """The list of that name, for who may read it; else 404."""
    if slug not in SOURCES or not current_actor().can(READERS[slug]):
        abort(404)
    return SOURCES[slug]


class ListTools(Gate):
    """One's own filters: whoever enters the back office. The list's own right is asked by each route."""

    read: ClassVar = (Permission.READ_REQUESTS, Permission.READ_ORGANISATIONS)
    write: ClassVar = (Permission.READ_REQUESTS, Permission.READ_ORGANISATIONS)

    def __init__(self) -> None:
        super().__init__(name=_l("Filtres"), endpoint="listes", url="/admin/listes")

    @expose("/")
    def index(self) -> Any:
        """There is no page of filters: each list shows its own."""
        return redirect(url_for("admin.index"))

    @expose("/<slug>/comptes")
    def counts(self, slug: str) -> dict[str, list[str]]:
        """The tabs' counts under the address's search and filters, as the list writes them, in its order."""
        source = _source(slug)
        found = lists.capped_counts(source, listing.read_address(source, request.args), current_actor())
        return {"tabs": [listing.tab_text(found.get(tab.key)) for tab in source.tabs]}

    @expose("/<slug>/filtres", methods=("POST",))
    def save(self, slug: str) -> Any:
        """« Enregistrer ce filtre »."""
        source = _source(slug)
        typed = request.form.get("query", "")[: saved_filters.LONGEST_QUERY]
        asked = listing.read_address(source, dict(parse_qsl(typed)))
        query = urlencode(listing.address(source, asked))
        back = url_for(f"{slug}.index_view", **listing.address(source, asked))
        return self._said(
            lambda: saved_filters.save_filter(slug, request.form.get("name", ""), query, actor=current_actor()),
            back,
            _("Le filtre est enregistré."),
        )

    @expose("/filtres/<int:row_id>/renommer", methods=("POST",))
    def rename(self, row_id: int) -> Any:
        """Another name."""
        return self._said(
            lambda: saved_filters.rename_filter(row_id, request.form.get("name", ""), actor=current_actor()),
            self._back(),
            _("Le filtre est renommé."),
        )

    @expose("/filtres/<int:row_id>/supprimer", methods=("POST",))
    def delete(self, row_id: int) -> Any:
        """The list goes on without it."""
        return self._said(
            lambda: saved_filters.delete_filter(row_id, actor=current_actor()),
            self._back(),
            _("Le filtre est supprimé."),
        )

    def _back(self) -> str:
        slug = request.form.get("list", "")
        return url_for(f"{slug}.index_view" if slug in SOURCES else "admin.index")

    def _said(self, act: Any, back: str, done: str) -> Any:
        try:
            act()
        except (NotFound, Forbidden):
            raise
        except DomainError as refusal:
            flash(str(refusal), "error")
        else:
            flash(done, "success")
        return redirect(back)


VIEWS = (ListTools,)
