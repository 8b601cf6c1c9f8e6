"""The words of a document as they can be compared: PDF readers and OCR both garble Arabic (REV-3). Pure.

A PDF's Arabic comes with letters of a ligature exchanged, whole words reversed, words of a line in either order.
Such a word keeps its letters: Arabic words are therefore compared by their letters in alphabetical order.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.identifiers import fold
from app.inspection.text import PageReading, Reading

_TURNED = re.compile(r"(?<![\u0620-\u06ff])([وبفك]?ا)([اأإآ])ل")
_ARABIC = re.compile(r"[\u0620-\u06ff]")
_END = re.compile(r"[^\w\s]+$")
MOST_WORDS = 60_000
"""Of a document: fifty pages of close print. What a stranger hides beyond is not compared."""
LONGEST_LINE = 2_000
"""Letters of a line: some checks compare a line's parts with one another, and would take the square of its length."""
SURE = 75
"""OCR's confidence from which a word counts as read."""
LIKE = 78
"""How alike (of 100) a word that OCR read must be to the one looked for."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word: ``plain`` folded, ``key`` what is compared, ``raw`` as it stands; ``line`` counts over the document.

    ``end``: the marks that follow it, glued to it or apart (« Siège : » as « Siège: »).
    """

    plain: str
    key: str
    raw: str
    page: int
    line: int
    sure: int
    ocr: bool
    end: str = ""

    @property
    def arabic(self) -> bool:
        """Is it written in Arabic letters?"""
        return is_arabic(self.plain)


class Words:
    """A document's words in the order they were read, and its lines as they stand."""

    def __init__(self, reading: Reading) -> None:
        self.all: list[Word] = []
        self.lines: list[tuple[str, PageReading]] = []
        for page in reading.pages:
            self._add(page)
        self.of_line: dict[int, list[Word]] = {}
        for word in self.all:
            self.of_line.setdefault(word.line, []).append(word)

    def _add(self, page: PageReading) -> None:
        place = 0
        for text in _lines_of(page.text):
            if max(len(self.all), len(self.lines)) >= MOST_WORDS:
                return
            line = len(self.lines)
            self.lines.append((text, page))
            for raw in text.split():
                sure = page.sure[place] if place < len(page.sure) else 100
                place += 1
                parts = fold(raw).split()
                if not parts and self.all and self.all[-1].line == line:
                    self.all[-1] = replace(self.all[-1], end=self.all[-1].end + raw)
                end = _END.search(raw)
                for number, plain in enumerate(parts, 1):
                    marks = end[0] if end and number == len(parts) else ""
                    self.all.append(
                        Word(plain, key_of(plain), raw, page.number, line, sure, page.source == "ocr", marks)
                    )

    @property
    def ocr(self) -> bool:
        """Was any of it read by OCR?"""
        return any(word.ocr for word in self.all)

    def sure(self, *, arabic: bool | None = None, letters: int = 3) -> int:
        """How many words of that many letters were read for sure, of one script or of both."""
        return sum(
            word.sure >= SURE and len(word.plain) >= letters and (arabic is None or word.arabic is arabic)
            for word in self.all
        )

    def excerpt(self, line: int) -> str:
        """The line as it stands, for the evidence."""
        return " ".join(self.lines[line][0].split())[:200]


def shown(raws: Iterable[str]) -> str:
    """Words as a person reads them: pdfium writes « لا » and « لأ » at a word's beginning the wrong way round."""
    return _TURNED.sub(r"\1ل\2", " ".join(raws))[:200]


def _lines_of(text: str) -> Iterator[str]:
    """The lines as they stand; one longer than any paper's in pieces, cut where it has a space if it has one."""
    for line in text.split("\n"):
        start = 0
        while len(line) - start > LONGEST_LINE:
            end = line.rfind(" ", start, start + LONGEST_LINE) + 1 or start + LONGEST_LINE
            yield line[start:end]
            start = end
        yield line[start:]


def is_arabic(text: str) -> bool:
    """Has it an Arabic letter?"""
    return _ARABIC.search(text) is not None


@functools.lru_cache(maxsize=20_000)
def key_of(plain: str) -> str:
    """What is compared of a folded word: an Arabic one's letters in order, for PDF readers mix them up."""
    return "".join(sorted(plain)) if is_arabic(plain) else plain


def keys_of(text: str) -> list[str]:
    """The keys of a text's words."""
    return list(_keys(text))


@functools.lru_cache(maxsize=4_000)
def _keys(text: str) -> tuple[str, ...]:
    return tuple(key_of(word) for word in fold(text).split())


def like(word: Word, key: str) -> bool:
    """Is this the word looked for? One that OCR read may differ a little, when it is long enough."""
    if word.key == key:
        return True
    if not word.ocr or len(key) < 4 or abs(len(word.key) - len(key)) > 2 or key.isdigit():
        return False
    from rapidfuzz import fuzz

    return fuzz.ratio(word.key, key) >= LIKE


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found: a stretch of words."""

    words: tuple[Word, ...]

    @property
    def raw(self) -> str:
        """As it stands in the document."""
        return shown(dict.fromkeys(word.raw for word in self.words))

    @property
    def page(self) -> int:
        """From 1."""
        return self.words[0].page

    @property
    def line(self) -> int:
        """Of its first word."""
        return self.words[0].line


def find_together(words: Sequence[Word], wanted: Sequence[str], slack: int = 3) -> Place | None:
    """The shortest stretch that holds every wanted key, in any order, with at most ``slack`` other words."""
    if not wanted:
        return None
    needed = len(wanted)
    hits = [(place, [n for n, key in enumerate(wanted) if like(word, key)]) for place, word in enumerate(words)]
    hits = [(place, which) for place, which in hits if which]
    best: tuple[int, int] | None = None
    for start, (first, _which) in enumerate(hits):
        found: set[int] = set()
        for place, which in hits[start:]:
            if place - first >= needed + slack:
                break
            free = [each for each in which if each not in found]
            if free:
                found.add(free[0])
            if len(found) == needed:
                if best is None or place - first < best[1] - best[0]:
                    best = (first, place)
                break
    if best is not None:
        return Place(tuple(words[best[0] : best[1] + 1]))
    return find_joined(words, wanted)


def find_joined(words: Sequence[Word], wanted: Sequence[str]) -> Place | None:
    """The same words cut otherwise: « Ben Salah » as « Bensalah », « E-Mail » as « Email »."""
    arabic = any(is_arabic(key) for key in wanted)
    targets = {"".join(wanted), "".join(reversed(wanted))}
    if arabic:
        targets = {"".join(sorted("".join(wanted)))}
    length = len("".join(wanted))
    if length < 4:
        return None
    for first in range(len(words)):
        joined = ""
        for last in range(first, min(len(words), first + 2 * len(wanted) + 3)):
            joined += words[last].plain
            if len(joined) > length:
                break
            if len(joined) == length and (key_of(joined) if arabic else joined) in targets:
                return Place(tuple(words[first : last + 1]))
    return None


def line_has(line: Iterable[Word], phrase: Sequence[str]) -> list[Word]:
    """The words of a line that make up the phrase, in any order; empty when one is missing."""
    found: list[Word] = []
    for key in phrase:
        hit = next((word for word in line if word not in found and like(word, key)), None)
        if hit is None:
            return []
        found.append(hit)
    return found
