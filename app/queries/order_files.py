"""A file of people as its pages show it: counted, sorted into tabs, paged (ORD-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from sqlalchemy import select

from app.extensions import db
from app.identifiers import common_name
from app.models import ImportRowStatus, OrderImport, OrderImportRow

TO_MEND, TO_CONFIRM, TO_LOOK_AT, ALL = "corriger", "confirmer", "regarder", "toutes"
TABS = (TO_MEND, TO_CONFIRM, TO_LOOK_AT, ALL)
PAGE = 50
_STATUS = {ImportRowStatus.A_CORRIGER: TO_MEND, ImportRowStatus.A_CONFIRMER: TO_CONFIRM}


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row with the words that its page shows."""

    number: int
    cells: dict[str, str]
    status: ImportRowStatus
    line: dict[str, object] | None
    problems: list[list[str]]
    remarks: list[list[str]]

    @property
    def name(self) -> str:
        """The CN as it will be issued, of whatever can be read."""
        return common_name(self.cells.get("first_name", ""), self.cells.get("last_name", ""))

    @property
    def arabic(self) -> str:
        """The name in Arabic."""
        return f"{self.cells.get('first_name_ar', '')} {self.cells.get('last_name_ar', '')}".strip()

    @property
    def born(self) -> str:
        """The birth date as people read it."""
        day = (self.line or {}).get("birth_date")
        return date.fromisoformat(str(day)).strftime("%d/%m/%Y") if day else self.cells.get("birth_date", "")

    def said(self, key: str) -> str:
        """What is meant by a cell where it is read, else what stands in it."""
        return str((self.line or {}).get(key) or self.cells.get(key, ""))


class ShownFile:
    """A file and its rows; one statement, at most five hundred rows."""

    def __init__(self, file: OrderImport) -> None:
        self.file = file
        rows = db.session.scalars(
            select(OrderImportRow).where(OrderImportRow.import_id == file.id).order_by(OrderImportRow.number)
        )
        self.rows = [ShownRow(row.number, row.cells, row.status, row.line, row.problems, row.remarks) for row in rows]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many rows are under each tab."""
        return {tab: len(self.under(tab)) for tab in TABS}

    @property
    def unchecked(self) -> int:
        """Rows that a crash left unchecked."""
        return sum(row.status is ImportRowStatus.A_CONTROLER for row in self.rows)

    @property
    def ready(self) -> bool:
        """Can the file be ordered as it stands?"""
        return bool(self.rows) and all(row.status is ImportRowStatus.PRETE for row in self.rows)

    @property
    def first_tab(self) -> str:
        """What is to be done first."""
        return next((tab for tab in (TO_MEND, TO_CONFIRM) if self.counts[tab]), ALL)

    def under(self, tab: str) -> Sequence[ShownRow]:
        """The rows of a tab."""
        if tab == ALL:
            return self.rows
        if tab == TO_LOOK_AT:
            return [row for row in self.rows if row.remarks]
        return [row for row in self.rows if _STATUS.get(row.status) == tab]

    def page(self, tab: str, number: int) -> tuple[Sequence[ShownRow], int, int]:
        """The rows of one page of a tab, the page's number and how many there are."""
        rows = self.under(tab)
        pages = max(1, -(-len(rows) // PAGE))
        number = min(max(1, number), pages)
        return rows[(number - 1) * PAGE : number * PAGE], number, pages

    def row(self, number: int) -> ShownRow | None:
        """One row."""
        return next((row for row in self.rows if row.number == number), None)

    def next_to_mend(self, after: int) -> int | None:
        """The number of the next row to mend, round to the first; None when there is none."""
        numbers = [row.number for row in self.under(TO_MEND)]
        return next((number for number in numbers if number > after), numbers[0] if numbers else None)
