"""One document beside what was declared of it: what every check is given (REV-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from app.inspection.days import FoundDay, find_days
from app.inspection.declared import Around, Declared
from app.inspection.findings import Finding
from app.inspection.numbers import FoundNumber, find_tax_ids
from app.inspection.text import PageReading, Reading, letters_in
from app.inspection.words import Words

KINDS = ("rne", "tax_card", "trade_register", "identity", "contract", "other")


@dataclass
class Case:
    """``kind`` is one of ``KINDS``. Facts are looked for when first asked for, once."""

    kind: str
    reading: Reading
    declared: Declared
    around: Around
    data: bytes = field(default=b"", repr=False)
    roots: tuple[bytes, ...] = ()
    issued: bytes = field(default=b"", repr=False)  # the contract as we issued it, when it is known

    @cached_property
    def words(self) -> Words:
        """The document's words."""
        return Words(self.reading)

    @cached_property
    def tax_ids(self) -> list[FoundNumber]:
        """Every tax id it holds."""
        return find_tax_ids(self.words)

    @cached_property
    def days(self) -> list[FoundDay]:
        """Every date it holds."""
        return find_days(self.words)

    @property
    def ocr(self) -> bool:
        """Was it read by OCR?"""
        return self.reading.source == "ocr"

    @property
    def readable(self) -> bool:
        """Are there words to compare with?"""
        return self.reading.source in ("pdf", "ocr") and letters_in(self.reading.words) >= 12

    @property
    def well_read(self) -> bool:
        """May the absence of something be held against the paper? A PDF's own words, or OCR that went well."""
        if self.reading.source == "pdf":
            return letters_in(self.reading.words) >= 100
        return self.words.sure() >= 40 and 2 * self.words.sure(letters=1) >= len(self.words.all)

    @property
    def why_not(self) -> str:
        """Why there are no words to compare with."""
        if self.reading.problem in ("encrypted", "too_complex", "broken_pdf", "broken_picture"):
            return self.reading.problem
        return {"missing": "no_ocr"}.get(self.reading.source, "no_words")

    @property
    def seen(self) -> list[PageReading]:
        """The pages that were measured."""
        return [page for page in self.reading.pages if page.ink >= 0]


Check = Callable[[Case], Finding | Iterable[Finding] | None]
