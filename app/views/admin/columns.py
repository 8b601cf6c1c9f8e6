"""Columns of a list: what a cell shows, and what an export writes. A row comes as the query selected it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from app import clock
from app.exports.values import Amount
from app.identifiers import format_phone
from app.money import format_millimes
from app.state_labels import state_label, state_tone


class Cell(NamedTuple):
    """What the row template draws: ``kind`` picks how (text, code, names, badge, age, note, amount)."""

    kind: str
    text: str
    extra: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``export``: the typed value of files; a column without it is shown only."""

    key: str
    label: object
    cell: Callable[[Any], Cell]
    export: Callable[[Any], Any] | None = None
    sort: str = ""
    lead: bool = False


def text(key: str, label: object, *, sort: str = "", muted: bool = False, lead: bool = False) -> Column:
    """Plain words."""
    kind = "note" if muted else "text"
    return Column(key, label, lambda row: Cell(kind, _words(getattr(row, key))), _raw(key), sort, lead)


def code(
    key: str,
    label: object,
    *,
    url: Callable[[Any], str] | None = None,
    sort: str = "",
    lead: bool = False,
) -> Column:
    """A reference, number or code, perhaps a link: left to right, never broken."""

    def cell(row: Any) -> Cell:
        return Cell("code", _words(getattr(row, key)), url=url(row) if url is not None else "")

    return Column(key, label, cell, _raw(key), sort, lead)


def phone(key: str, label: object) -> Column:
    """A phone as people read it, which spreadsheets leave alone."""
    return Column(key, label, lambda row: Cell("code", format_phone(getattr(row, key) or "")), _phone(key))


def badge(key: str, label: object) -> Column:
    """A state with its tone; files get the word."""

    def cell(row: Any) -> Cell:
        state = getattr(row, key)
        return Cell("badge", state_label(state), state_tone(state))

    return Column(key, label, cell, lambda row: state_label(getattr(row, key)))


def word(key: str, label: object) -> Column:
    """The word of a kind, role or category."""
    return Column(
        key, label, lambda row: Cell("text", state_label(getattr(row, key))), lambda row: state_label(getattr(row, key))
    )


def amount(key: str, label: object, *, sort: str = "") -> Column:
    """Millimes; files get the amount in dinars, typed."""

    def cell(row: Any) -> Cell:
        value = getattr(row, key)
        return Cell("amount", "" if value is None else format_millimes(value))

    return Column(key, label, cell, lambda row: _dinars(getattr(row, key)), sort)


def moment(key: str, label: object, *, sort: str = "") -> Column:
    """A moment on Tunis's clock."""

    def cell(row: Any) -> Cell:
        return Cell("code", local_text(getattr(row, key)))

    return Column(key, label, cell, _local(key), sort)


def day(key: str, label: object, *, sort: str = "") -> Column:
    """A calendar day, of a date or of a moment."""

    def cell(row: Any) -> Cell:
        value = getattr(row, key)
        if isinstance(value, datetime):
            value = clock.local(value)
        return Cell("code", "" if value is None else value.strftime("%d/%m/%Y"))

    return Column(key, label, cell, _local(key), sort)


def yes_no(key: str, label: object, words: tuple[object, object]) -> Column:
    """A boolean in words, with a badge."""

    def cell(row: Any) -> Cell:
        value = bool(getattr(row, key))
        return Cell("badge", str(words[0] if value else words[1]), "ok" if value else "calm")

    return Column(key, label, cell, lambda row: str(words[0] if getattr(row, key) else words[1]))


def _dinars(value: int | None) -> Amount | None:
    return None if value is None else Amount(value)


def local_text(value: datetime | None) -> str:
    """17/11/2026 10:42, on Tunis's clock."""
    return "" if value is None else clock.local(value).strftime("%d/%m/%Y %H:%M")


def _words(value: Any) -> str:
    if value is None:
        return ""
    return state_label(value) if isinstance(value, StrEnum) else str(value)


def _raw(key: str) -> Callable[[Any], Any]:
    return lambda row: _words(getattr(row, key))


def _phone(key: str) -> Callable[[Any], Any]:
    return lambda row: format_phone(getattr(row, key) or "")


def _local(key: str) -> Callable[[Any], datetime | date | None]:
    def value(row: Any) -> datetime | date | None:
        found: datetime | date | None = getattr(row, key)
        return clock.local(found) if isinstance(found, datetime) else found

    return value
