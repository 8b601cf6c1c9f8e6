"""What a cell of an exported list may hold: text, a number, a day, a moment on Tunis's clock, or an amount."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Amount:
    """Money: integer millimes, written as dinars with three decimals."""

    millimes: int


Value = str | int | date | datetime | Amount | None
