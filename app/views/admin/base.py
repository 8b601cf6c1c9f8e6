"""The one base of every admin list (docs/adr on the back office's lists).

Of Flask-Admin it keeps the site, the routes, the permissions' hook and the forms generated from models. Lists are
its own: pages by key, capped counts, one token a page, a lean row template, exports through ``app/exports``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

from flask import Response, abort, flash, redirect, request, send_file, url_for
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, Forbidden, NotFound
from app.extensions import db
from app.forms.base import BaseForm
from app.permissions import Permission
from app.queries import lists
from app.queries.lists import Asked, Source
from app.services.exports import note_export
from app.views.admin import listing
from app.views.admin.columns import Column
from app.views.admin.gate import Gate
from app.web import current_actor

EXPORTS = {"csv": _l("CSV"), "xlsx": _l("Excel (XLSX)")}


class BaseAdmin(Gate, ModelView):
    """A list of one model's rows. Denies everybody, offers no form and no action, until a class says otherwise."""

    source: ClassVar[Source]
    columns: ClassVar[tuple[Column, ...]] = ()
    export_columns: ClassVar[tuple[Column, ...]] = ()  # when files hold more than the screen
    title: ClassVar[Any] = ""
    slug: ClassVar[str] = ""  # endpoint and address: /admin/<slug>/
    search_label: ClassVar[Any] = _l("Rechercher")
    search_hint: ClassVar[Any] = ""
    intro: ClassVar[Any] = ""
    empty_text: ClassVar[Any] = _l("Changez d'onglet, retirez un filtre ou cherchez autre chose.")
    exportable: ClassVar[bool] = False
    act_label: ClassVar[Any] = ""  # the one button of a row, see act_url

    can_create = can_edit = can_delete = can_view_details = can_export = False
    create_modal = edit_modal = details_modal = False
    column_display_actions = False
    column_editable_list = ()
    column_filters = ()
    column_searchable_list = ()
    form_columns: ClassVar[tuple[str, ...]] = ()
    form_base_class = BaseForm
    list_template = "admin/list.html"

    def __init__(self) -> None:
        self.column_list = tuple(column.key for column in self.columns)
        self.column_labels = {column.key: column.label for column in self.columns}
        super().__init__(self.source.model, db, name=self.title, endpoint=self.slug, url=f"/admin/{self.slug}")

    # -- what Flask-Admin would work out by reflection

    def get_list_columns(self) -> list[tuple[str, Any]]:
        """The columns as declared, never the model's."""
        return [(column.key, column.label) for column in self.columns]

    def get_sortable_columns(self) -> dict[Any, Any]:
        """Sorting is the source's."""
        return {}

    def scaffold_form(self) -> type[BaseForm]:
        """No form without ``form_columns``: an empty tuple would mean every column to Flask-Admin."""
        return super().scaffold_form() if self.form_columns else BaseForm

    def _scope(self) -> Any:
        statement = select(self.model)
        condition = self.source.scope(current_actor())
        return statement if condition is None else statement.where(condition)

    def get_query(self) -> Any:
        """Every row the person may see: the one scope."""
        return self._scope()

    def get_count_query(self) -> Any:
        """The same scope, counted."""
        return select(func.count()).select_from(self._scope().subquery())

    def get_one(self, id: Any) -> Any:  # noqa: A002 - Flask-Admin's own name
        """A row of the scope, or 404: an id out of it does not exist."""
        return self.row_or_404(id)

    def row_or_404(self, row_id: Any) -> Any:
        """The row of that id within the scope. An id that is no integer answers 404 too."""
        try:
            number = int(row_id)
        except (TypeError, ValueError):
            abort(404)
        if not 0 < number < 2**63:
            abort(404)
        return db.session.scalars(self._scope().where(self.model.id == number)).one_or_none() or abort(404)

    # -- the list

    @expose("/")
    def index_view(self) -> str:
        """The list (QUE-1)."""
        asked = listing.read_address(self.source, request.args)
        actor = current_actor()
        self.prepare(asked)
        shared = lists.restrictions(self.source, asked, actor)
        page = lists.fetch_page(self.source, asked, actor, shared=shared)
        counts = lists.capped_counts(self.source, asked, actor, shared=shared)
        fields = listing.filter_fields(self.source, asked)
        return str(self.render(self.list_template, **self._list_context(asked, page, counts, fields)))

    def _list_context(
        self, asked: Asked, page: lists.Page, counts: dict[str, int], fields: list[listing.FilterField]
    ) -> dict[str, Any]:
        source = self.source
        total = counts[asked.tab.key]
        actor = current_actor()
        columns = self.columns_of(asked)
        rows = self._rows(page.rows, columns)
        acts = [self.act_url(row) if self.may_write(actor) else None for row, _cells in rows]
        return {
            "asked": asked,
            "head": [self._head(column, asked) for column in columns],
            "rows": rows,
            "acts": acts if any(acts) else [],
            "act_label": str(self.act_label),
            "title": self.title,
            "search_label": self.search_label,
            "search_hint": self.search_hint,
            "intro": self.intro,
            "tabs": [
                {
                    "label": tab.label,
                    "url": self.list_url(
                        **listing.address(source, asked, onglet=None if n == 0 else tab.key, tri=None)
                    ),
                    "current": tab is asked.tab,
                    "count": listing.tab_text(counts.get(tab.key)) or None,
                }
                for n, tab in enumerate(source.tabs)
            ]
            if len(source.tabs) > 1
            else [],
            "fields": fields,
            "kept": {k: v for k, v in listing.address(source, asked).items() if k in ("onglet", "tri")},
            "chips": listing.chips(source, asked, fields, self.list_url),
            "clear_url": self.list_url(**listing.address(source, asked, search=None, **dict.fromkeys(asked.filters))),
            "pager": {
                "text": listing.lines_text(total),
                "prev_url": self._page_url(asked, avant=page.previous),
                "next_url": self._page_url(asked, apres=page.following),
            },
            "exports": self._export_links(asked) if self.exportable and actor.can(Permission.EXPORT_LISTS) else [],
            "may_write": self.may_write(actor),
            "tools": self.tools() if self.may_write(actor) else [],
            "empty_text": self.empty_text,
        }

    def prepare(self, asked: Asked) -> None:
        """Before the rows are drawn: what their cells read once."""

    def list_url(self, **args: Any) -> str:
        """The list's own address."""
        return url_for(f"{self.slug}.index_view", **args)

    def _page_url(self, asked: Asked, **key: str) -> str | None:
        return self.list_url(**listing.address(self.source, asked, **key)) if any(key.values()) else None

    def _head(self, column: Column, asked: Asked) -> dict[str, Any]:
        if not column.sort:
            return {"label": column.label}
        state, following = listing.sort_header(self.source, asked, column.sort)
        return {
            "label": column.label,
            "sort": state or None,
            "sort_url": self.list_url(**listing.address(self.source, asked, tri=following)),
        }

    def columns_of(self, asked: Asked) -> tuple[Column, ...]:
        """The columns to show: a tab may leave out what is the same on every row."""
        return self.columns

    def _rows(self, rows: Iterable[Any], columns: Iterable[Column]) -> list[tuple[Any, list[Any]]]:
        # Each cell carries its column's name, for phones: it is put into the reader's language once, not for every row.
        cells: list[tuple[Column, Callable[[Any], Any]]] = [
            (replace(column, label=str(column.label)), column.cell) for column in columns
        ]
        return [(row, [(column, cell(row)) for column, cell in cells]) for row in rows]

    def act_url(self, row: Any) -> str | None:
        """Where the row's button posts; None: no button."""
        return None

    def tools(self) -> list[tuple[Any, str]]:
        """Buttons beside the title, as (label, address); for those who may write."""
        return []

    # -- exports

    def _export_links(self, asked: Asked) -> list[tuple[Any, str]]:
        args = listing.address(self.source, asked)
        return [(label, url_for(f"{self.slug}.export_rows", kind=kind, **args)) for kind, label in EXPORTS.items()]

    @expose("/export/<kind>")
    def export_rows(self, kind: str) -> Response:
        """The list as it stands in the address, in a file (EXP-1). Other formats answer 404."""
        if not self.exportable or kind not in EXPORTS:
            abort(404)
        if not current_actor().can(Permission.EXPORT_LISTS):
            abort(403)
        asked = listing.read_address(self.source, request.args)
        columns = [column for column in self.export_columns or self.columns if column.export is not None]
        rows = lists.fetch_all(self.source, asked, current_actor())
        values = ([column.export(row) for column in columns] for row in rows)  # type: ignore[misc]  # filtered above
        return self._file(kind, [str(column.label) for column in columns], values, asked)

    def _file(self, kind: str, header: list[str], values: Iterator[list[Any]], asked: Asked) -> Response:
        """Written to a temporary file, so that its rows are counted and noted before a byte leaves."""
        from app.exports import csv_file, xlsx_file

        target = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        if kind == "csv":
            count, media_type = csv_file.write_csv(target, header, values), csv_file.MEDIA_TYPE
        else:
            count, media_type = xlsx_file.write_xlsx(target, str(self.title), header, values), xlsx_file.MEDIA_TYPE
        target.seek(0)
        note_export(self.slug, kind=kind, asked=listing.described(asked), rows=count, actor=current_actor())
        name = f"{self.slug}-{clock.local(clock.now()).strftime('%Y-%m-%d-%Hh%M')}.{kind}"
        return send_file(target, mimetype=media_type, as_attachment=True, download_name=name)

    # -- acts

    def attempt(self, act: Callable[[], str], *, back: str) -> Any:
        """Call a service and say what it did, or its refusal in its own words; then go back to the page."""
        try:
            flash(act(), "success")
        except (NotFound, Forbidden):
            raise
        except DomainError as refusal:
            flash(str(refusal), "error")
        return redirect(back)


class ReadOnlyAdmin(BaseAdmin):
    """Anything that has a state: rows move only through services, by POST buttons read from ``states``."""

    offered = frozenset({"index_view", "export_rows"})
