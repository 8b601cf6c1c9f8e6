"""The engine of every list of the back office (QUE-1, QUE-2, SPD-1).

A list is a ``Source``: what it selects, its tabs, filters, sorts and search. Pages go by key (the sort value
and the id of the last row seen), never by OFFSET; counts stop at ``CAP``; a page takes a fixed number of
statements however many rows it holds. Conditions name only the model's own table, or subqueries, so that the
counts need none of the joins that the rows need.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, select, tuple_

from app import clock
from app.extensions import db
from app.permissions import Actor
from app.queries.searching import Found, words_in

CAP = 1_000
PAGE_SIZE = 50
MAX_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Sort:
    """A column rows can be sorted by; ties are broken by id. Nulls come last in either direction."""

    column: Any
    nullable: bool = False
    join: Callable[[Select[*tuple[Any, ...]]], Select[*tuple[Any, ...]]] | None = None  # to the column's table


@dataclass(frozen=True, slots=True)
class Tab:
    """A named part of the list. ``condition`` of None: all of it."""

    key: str
    label: object
    condition: Callable[[Actor], ColumnElement[bool] | None]
    sort: str
    descending: bool = False
    large: bool = False  # most of the table: under filters it is counted only when it is the tab shown


@dataclass(frozen=True, slots=True)
class Filter:
    """A question of the filter form. ``kind``: choice, day_from, day_to or text.

    ``parse`` turns the address's text into a value, or None when it means nothing: such a filter is dropped.
    """

    key: str
    label: object
    kind: str
    condition: Callable[[Any], ColumnElement[bool]]
    choices: Callable[[], Sequence[tuple[str, str]]] | None = None
    parse: Callable[[str], Any] | None = None

    def value_of(self, text: str) -> Any:
        """The typed value of what the address says, or None."""
        text = text.replace("\x00", "").strip()[:MAX_SEARCH]
        if not text:
            return None
        if self.parse is not None:
            return self.parse(text)
        if self.kind in ("day_from", "day_to"):
            return _day(text)
        if self.choices is not None:
            return text if text in {value for value, _label in self.choices()} else None
        return text


@dataclass(frozen=True, slots=True)
class Source:
    """One list: what it reads and how it may be cut."""

    model: Any
    rows: Callable[[], Select[*tuple[Any, ...]]]
    tabs: tuple[Tab, ...]
    sorts: Mapping[str, Sort]
    filters: tuple[Filter, ...] = ()
    search: Callable[[str], ColumnElement[bool] | Found] | None = None
    scope: Callable[[Actor], ColumnElement[bool] | None] = field(default=lambda _actor: None)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks of a list, checked against its source."""

    tab: Tab
    sort: str
    descending: bool
    search: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    after: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, and the keys of its neighbours ("" when there are none)."""

    rows: list[Row[*tuple[Any, ...]]]
    previous: str
    following: str
    near: bool = False  # a search found only names with a wrong letter


def _day(text: str) -> date | None:
    for shape in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            day = datetime.strptime(text, shape).date()  # noqa: DTZ007 - a calendar day, no moment
        except ValueError:
            continue
        return day if 1900 <= day.year < MAXYEAR else None  # its edges in UTC, and its morrow, must exist
    return None


def start_of(day: date) -> datetime:
    """The first moment of a day in Tunis."""
    return datetime.combine(day, time.min, tzinfo=clock.TUNIS)


def since(column: Any) -> Callable[[date], ColumnElement[bool]]:
    """Condition of a « depuis le » filter on a moment."""
    return lambda day: column >= start_of(day)


def until(column: Any) -> Callable[[date], ColumnElement[bool]]:
    """Condition of a « jusqu'au » filter on a moment: the day itself included."""
    return lambda day: column < start_of(day + timedelta(days=1))


def every_word(column: Any, text: str) -> ColumnElement[bool]:
    """Each word of the search stands somewhere in the folded text."""
    found = [column.contains(word, autoescape=True) for word in words_in(text)]
    return and_(*found) if found else literal(False)  # only punctuation was typed: nothing is found


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What the tabs of a list share: scope, search and filters. A search may ask the database: it is asked once."""

    conditions: list[ColumnElement[bool]]
    near: bool = False  # the search found only names with a wrong letter
    many: bool = False  # the search found more rows than could be listed beforehand


def conditions(
    source: Source, asked: Asked, actor: Actor, shared: Restrictions | None = None
) -> list[ColumnElement[bool]]:
    """Everything that restricts the list: scope, tab, search and filters."""
    tab = asked.tab.condition(actor)
    return [*(shared or restrictions(source, asked, actor)).conditions, *([] if tab is None else [tab])]


def restrictions(source: Source, asked: Asked, actor: Actor) -> Restrictions:
    """Scope, search and filters of an address, for a page and its counts together."""
    found: list[ColumnElement[bool] | None] = [source.scope(actor)]
    near = many = False
    if asked.search and source.search is not None:
        answer = source.search(asked.search)
        if isinstance(answer, Found):
            near, many = answer.near, answer.many
        found.append(answer.condition if isinstance(answer, Found) else answer)
    for each in source.filters:
        value = each.value_of(asked.filters.get(each.key, ""))
        if value is not None:
            found.append(each.condition(value))
    return Restrictions([condition for condition in found if condition is not None], near, many)


def fetch_page(
    source: Source, asked: Asked, actor: Actor, *, size: int = PAGE_SIZE, shared: Restrictions | None = None
) -> Page:
    """The rows after (or before) the key of the address.

    First their ids alone, from the index that holds them in order (a second statement where undated rows follow),
    then what a row shows, for those ids only.
    """
    sort = source.sorts[asked.sort]
    backward = bool(asked.before)
    key = _decode(asked.before or asked.after, sort)
    if key is None:
        backward = False
    statement = _keys_only(source, sort).where(*conditions(source, asked, actor, shared))
    found: list[Row[*tuple[Any, ...]]] = []
    for part in _parts(source, sort, statement, asked.descending, key, backward=backward):
        found += db.session.execute(part.limit(size + 1 - len(found))).all()
        if len(found) > size:
            break
    more = len(found) > size
    rows = _rows_of(source, sort, [row.key_id for row in found[:size]])
    if backward:
        rows.reverse()
    has_previous = more if backward else key is not None
    has_following = True if backward else more
    return Page(
        rows=rows,
        previous=_encode(rows[0]) if rows and has_previous else "",
        following=_encode(rows[-1]) if rows and has_following else "",
        near=shared is not None and shared.near,
    )


def fetch_all(source: Source, asked: Asked, actor: Actor) -> Iterator[Row[*tuple[Any, ...]]]:
    """Every row of the list in its order, from a server-side cursor (EXP-2)."""
    sort = source.sorts[asked.sort]
    statement = _with_keys(source, sort).where(*conditions(source, asked, actor))
    for part in _parts(source, sort, statement, asked.descending, None, backward=False):
        yield from db.session.execute(part.execution_options(yield_per=500))


def next_id(
    source: Source,
    asked: Asked,
    actor: Actor,
    *restrictions: ColumnElement[bool],
    after: int | None = None,
) -> int | None:
    """The first row of the list that also meets ``restrictions``: after the row of that id, then from the top (QUE-3).

    The row of ``after`` itself never comes, and need not be in the list any more.
    """
    sort, identity = source.sorts[asked.sort], source.model.id
    statement = _keys_only(source, sort).where(*conditions(source, asked, actor), *restrictions)
    starts: list[tuple[Any, int] | None] = [None]
    if after is not None:
        statement = statement.where(identity != after)
        place = db.session.execute(_keys_only(source, sort).where(identity == after)).one_or_none()
        if place is not None and (place[0] is not None or sort.nullable):
            starts.insert(0, (place[0], after))
    for key in starts:
        for part in _parts(source, sort, statement, asked.descending, key, backward=False):
            found = db.session.execute(part.limit(1)).one_or_none()
            if found is not None:
                return int(found.key_id)
    return None


def capped_counts(
    source: Source,
    asked: Asked,
    actor: Actor,
    *,
    shared: Restrictions | None = None,
    only: Collection[str] | None = None,
) -> dict[str, int]:
    """How many rows each tab holds under the same search and filters, in one statement; CAP + 1 means « more ».

    ``only``: the keys of the tabs to count. A count that would read most of the table is left out: of large tabs
    under filters, of every other tab under a search that finds very many rows.
    """
    shared = shared or restrictions(source, asked, actor)
    common, filtered = shared.conditions, bool(asked.filters)
    tabs = [
        tab
        for tab in source.tabs
        if (only is None or tab.key in only)
        and (tab.key == asked.tab.key or not (shared.many or (filtered and tab.large)))
    ]
    columns = []
    for tab in tabs:
        own = tab.condition(actor)
        inner = select(literal(1)).select_from(source.model).where(*common).limit(CAP + 1)
        inner = inner if own is None else inner.where(own)
        columns.append(select(func.count()).select_from(inner.subquery()).scalar_subquery().label(f"n_{tab.key}"))
    row = db.session.execute(select(*columns)).one()
    return {tab.key: row[index] for index, tab in enumerate(tabs)}


def _keys_only(source: Source, sort: Sort) -> Select[*tuple[Any, ...]]:
    statement = select(sort.column.label("key_value"), source.model.id.label("key_id"))
    return statement if sort.join is None else sort.join(statement.select_from(source.model))


def _rows_of(source: Source, sort: Sort, ids: list[int]) -> list[Row[*tuple[Any, ...]]]:
    """The rows of these ids, in their order; a row deleted meanwhile is left out."""
    if not ids:
        return []
    wanted = _with_keys(source, sort).where(source.model.id.in_(ids))
    rows = {row.key_id: row for row in db.session.execute(wanted)}
    return [rows[row_id] for row_id in ids if row_id in rows]


def _with_keys(source: Source, sort: Sort) -> Select[*tuple[Any, ...]]:
    return source.rows().add_columns(sort.column.label("key_value"), source.model.id.label("key_id"))


def _parts(
    source: Source,
    sort: Sort,
    statement: Select[*tuple[Any, ...]],
    descending: bool,
    key: tuple[Any, int] | None,
    *,
    backward: bool,
) -> list[Select[*tuple[Any, ...]]]:
    """The statements that give the rows in order: those with a sort value, then those without.

    Two plain ranges instead of one with NULLS LAST, so that each can walk an index.
    """
    identity = source.model.id
    down = descending != backward
    order = (sort.column.desc(), identity.desc()) if down else (sort.column.asc(), identity.asc())
    dated = statement.order_by(*order)
    undated = statement.where(sort.column.is_(None)).order_by(identity.desc() if down else identity.asc())
    if sort.nullable:
        dated = dated.where(sort.column.is_not(None))
    if key is not None:
        value, row_id = key
        if value is None:
            undated = undated.where(identity < row_id if down else identity > row_id)
            return [undated, dated] if backward else [undated]
        bound = tuple_(literal(value, sort.column.type), literal(row_id, identity.type))
        pair = tuple_(sort.column, identity)
        dated = dated.where(pair < bound if down else pair > bound)
        if backward:
            return [dated]
    return [dated, undated] if sort.nullable else [dated]


def _encode(row: Row[*tuple[Any, ...]]) -> str:
    value: Any = row.key_value
    if isinstance(value, datetime):
        value = value.isoformat(timespec="microseconds")
    elif isinstance(value, date):
        value = value.isoformat()
    elif isinstance(value, StrEnum):
        value = value.value
    packed = json.dumps([value, row.key_id], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _decode(token: str, sort: Sort) -> tuple[Any, int] | None:
    """The key in an address; None for none, and for one that nobody was given: the list starts at its top."""
    if not token:
        return None
    try:
        value, row_id = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        # A decorated type (UtcDateTime) does not know its Python type; what it decorates does.
        kind = getattr(sort.column.type, "impl_instance", sort.column.type).python_type
        if value is None:
            return (None, row_id) if sort.nullable and _is_id(row_id) else None
        if kind is datetime:
            value = datetime.fromisoformat(value)
            if value.tzinfo is None:
                return None
        elif kind is date:
            value = date.fromisoformat(value)
        else:
            value = kind(value)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, binascii.Error, UnicodeDecodeError):
        return None  # OverflowError: JSON knows « Infinity », which is no whole number
    if isinstance(value, int) and abs(value) >= 2**63:
        return None
    if isinstance(value, str) and not _is_text(value):
        return None
    return (value, row_id) if _is_id(row_id) else None


def _is_text(value: str) -> bool:
    """Can a database hold it? Neither a NUL nor half a character, which JSON can both write."""
    return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63
