"""A list's address, read and written: tab, search, filters, sort and key, all kept in it and shown in words (QUE-2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.money import THOUSANDS
from app.queries.lists import CAP, MAX_SEARCH, Asked, Source


@dataclass(frozen=True, slots=True)
class FilterField:
    """A question of the filter form as it stands."""

    key: str
    label: str
    kind: str
    value: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in words, and the address without it."""

    label: str
    remove_url: str


def read_address(source: Source, args: Mapping[str, str]) -> Asked:
    """What the address asks; what it says wrongly is as if it were not there."""
    tabs = {tab.key: tab for tab in source.tabs}
    tab = tabs.get(args.get("onglet", ""), source.tabs[0])
    sort, descending = tab.sort, tab.descending
    wanted = args.get("tri", "")
    if wanted.lstrip("-") in source.sorts:
        sort, descending = wanted.lstrip("-"), wanted.startswith("-")
    filters = {
        each.key: args[each.key].strip()
        for each in source.filters
        if args.get(each.key) and each.value_of(args[each.key]) is not None
    }
    return Asked(
        tab=tab,
        sort=sort,
        descending=descending,
        search=_clean(args.get("search", "")),
        filters=filters,
        after=args.get("apres", "")[:400],
        before=args.get("avant", "")[:400],
    )


def _clean(text: str) -> str:
    return " ".join(text.replace("\x00", " ").split())[:MAX_SEARCH]


def address(source: Source, asked: Asked, **changes: str | None) -> dict[str, str]:
    """The address's arguments, with changes; pages start again unless ``apres`` or ``avant`` is given."""
    values: dict[str, str] = {}
    if asked.tab is not source.tabs[0]:
        values["onglet"] = asked.tab.key
    if asked.search:
        values["search"] = asked.search
    values.update(asked.filters)
    if (asked.sort, asked.descending) != (asked.tab.sort, asked.tab.descending):
        values["tri"] = f"{'-' if asked.descending else ''}{asked.sort}"
    for key, value in changes.items():
        if value:
            values[key] = value
        else:
            values.pop(key, None)
    return values


def filter_fields(source: Source, asked: Asked) -> list[FilterField]:
    """The filter form."""
    return [
        FilterField(
            key=each.key,
            label=str(each.label),
            kind=each.kind,
            value=asked.filters.get(each.key, ""),
            choices=tuple(each.choices()) if each.choices is not None else (),
        )
        for each in source.filters
    ]


def chips(source: Source, asked: Asked, fields: list[FilterField], url: Callable[..., str]) -> list[Chip]:
    """The filters in force, in words, each with the address that takes it away."""
    found = []
    if asked.search:
        found.append(Chip(_("Recherche : « %(text)s »", text=asked.search), url(**address(source, asked, search=None))))
    for each in fields:
        if each.value:
            shown = dict(each.choices).get(each.value, each.value)
            if each.kind in ("day_from", "day_to") and "-" in shown:
                shown = "/".join(reversed(shown.split("-")))
            found.append(
                Chip(
                    _("%(label)s : %(value)s", label=each.label, value=shown),
                    url(**address(source, asked, **{each.key: None})),
                )
            )
    return found


def in_words(source: Source, asked: Asked) -> str:
    """The tab and the filters in one line."""
    said = (
        chips(source, asked, filter_fields(source, asked), lambda **_args: "") if asked.search or asked.filters else []
    )
    return " · ".join([str(asked.tab.label), *(chip.label for chip in said)])


def count_text(number: int) -> str:
    """« 1 234 », or « plus de 10 000 »."""
    if number > CAP:
        return _("plus de %(cap)s", cap=f"{CAP:,}".replace(",", THOUSANDS))
    return f"{number:,}".replace(",", THOUSANDS)


def tab_text(number: int | None) -> str:
    """The short count of a tab; "" for one that was not counted."""
    if number is None:
        return ""
    return f"{CAP:,}+".replace(",", THOUSANDS) if number > CAP else f"{number:,}".replace(",", THOUSANDS)


def lines_text(number: int) -> str:
    """How many lines the list holds."""
    if number > CAP:
        return _("%(count)s lignes", count=count_text(number))
    return ngettext("%(num)d ligne", "%(num)d lignes", number)


def sort_header(source: Source, asked: Asked, key: str) -> tuple[str, str]:
    """(aria-sort, the ``tri`` that a click asks for) of a sortable column."""
    if asked.sort != key:
        return "", key
    return ("descending", key) if asked.descending else ("ascending", f"-{key}")


def described(asked: Asked) -> dict[str, Any]:
    """What the journal keeps of a list's address."""
    return {
        "tab": asked.tab.key,
        "sort": f"{'-' if asked.descending else ''}{asked.sort}",
        **({"search": asked.search} if asked.search else {}),
        **asked.filters,
    }
