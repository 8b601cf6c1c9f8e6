"""What a received document says and looks like, read once: the PDF's own words, else OCR (REV-3)."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

from app.identifiers import fold
from app.inspection import bench
from app.inspection.opening import GIF, JPEG, MAX_PIXELS, PDF, PNG

READER = 2
"""Raised when the same file would be read otherwise: what an earlier reader kept is then read anew."""
LOOK_SECONDS = 45.0
OCR_SECONDS = 150.0
"""For one page, turned and read again where it must be."""
OCR_PAGES = {"contract": 1, "identity": 2, "other": 0}
MOST_OCR_PAGES = 4
"""A scan's further pages are looked at, not read: what is compared stands on the first ones, a contract's on one."""
FEW_LETTERS = 40
"""A page of fewer letters is a picture with a caption: it is read by OCR too."""


@dataclass(slots=True)
class PageReading:
    """One page, numbered from 1. Sizes are pixels of a picture (``unit`` px) or points of a PDF page (pt).

    ``sure``: OCR's confidence (0–100) for each word of the text, as ``text.split()`` gives them; empty for a PDF's
    own words. ``ink``: the share of the page that is written or drawn on; -1 where it was not measured.
    """

    number: int
    text: str = ""
    source: str = "none"
    sure: list[int] = field(default_factory=list)
    turned: int = 0
    width: float = 0
    height: float = 0
    unit: str = "pt"
    brightness: float = -1
    contrast: float = -1
    ink: float = -1
    sharpness: float = -1
    codes: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Reading:
    """A whole document. ``problem``: why it is no safe and whole file, a code of ``opening`` (encrypted, script…).

    ``source``: pdf, ocr, none (nothing could be read), missing (it needs OCR, and there is none here).
    """

    media_type: str
    total: int = 0
    pages: list[PageReading] = field(default_factory=list)
    source: str = "none"
    engine: str = ""
    problem: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    reader: int = READER

    @property
    def words(self) -> str:
        """All that was read."""
        return "\n".join(page.text for page in self.pages)

    def content_hash(self) -> str:
        """Of the document's own words: the same paper saved anew keeps it. Empty when there are too few of them."""
        if self.source != "pdf":
            return ""
        plain = fold(self.words).replace(" ", "")
        return hashlib.sha256(plain.encode()).hexdigest() if len(plain) >= 200 else ""

    def to_json(self) -> dict[str, Any]:
        """For ``DocumentText.pages``: the words by page, the rest under ``about``."""
        kept = {str(page.number): page.text for page in self.pages}
        about = asdict(self)
        for page in about["pages"]:
            del page["text"]
        return kept | {"about": about}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Reading | None:
        """What ``to_json`` wrote; None for a row written before it, or by an earlier reader."""
        about = kept.get("about")
        if not isinstance(about, dict) or about.get("reader") != READER:
            return None
        values = dict(about)
        values["pages"] = [PageReading(**page, text=str(kept.get(str(page["number"]), ""))) for page in about["pages"]]
        return cls(**values)


def media_type_of(data: bytes) -> str:
    """What a file is by its first bytes; empty for anything we do not take."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    return PDF if b"%PDF-" in data[:1024] else ""


def read(data: bytes, kind: str = "") -> Reading:
    """Read a document as it was received, on the bench; never raises for what the file holds.

    ``kind`` (see ``case.KINDS``) says how many pages of a scan OCR reads. A file that kills its child, or takes too
    long, has the problem ``too_complex``. Raises ``bench.BenchUnavailable`` when nothing could be
    tried: try again later.
    """
    reading = Reading(media_type_of(data))
    if not data or not reading.media_type:
        reading.problem = "empty" if not data else "unknown_kind"
        return reading
    _open(data, reading)
    if reading.problem in ("encrypted", "no_page", "truncated", "unknown_kind"):
        return reading
    if reading.media_type == GIF:
        return reading
    try:
        seen = bench.ask("look", data, media_type=reading.media_type, timeout=LOOK_SECONDS)[0]["seen"]
    except bench.JobRefused as refused:
        reading.problem = reading.problem or refused.code
        return reading
    reading.total = seen["pages"]
    reading.pages = [PageReading(**each) for each in seen["look"]]
    for page in reading.pages:
        page.source = "pdf" if letters_in(page.text) >= FEW_LETTERS else "none"
    _read_pictures(data, reading, OCR_PAGES.get(kind, MOST_OCR_PAGES))
    sources = {page.source for page in reading.pages}
    reading.source = next((each for each in ("pdf", "ocr", "missing") if each in sources), "none")
    reading.engine = {"pdf": "pdfium", "ocr": "tesseract"}.get(reading.source, "")
    return reading


def letters_in(text: str) -> int:
    """How many letters and digits."""
    return sum(map(str.isalnum, text))


def _open(data: bytes, reading: Reading) -> None:
    """Is it safe and whole? Its problem is kept; most still let the pages be read."""
    try:
        if reading.media_type == PDF:
            answer, _same = bench.ask("open_pdf", data, timeout=LOOK_SECONDS)
        else:
            answer, _clean = bench.ask("open_picture", data, media_type=reading.media_type, timeout=LOOK_SECONDS)
    except bench.JobRefused as refused:
        reading.problem, reading.details = refused.code, refused.details
        return
    reading.notes = list(answer["notes"])
    reading.total = answer["pages"]


def _read_pictures(data: bytes, reading: Reading, left: int) -> None:
    """OCR of the first ``left`` pages that have no words of their own."""
    for page in reading.pages:
        large = page.unit == "px" and page.width * page.height > MAX_PIXELS
        blank = 0 <= page.ink < BLANK_INK
        if page.source == "pdf" or left == 0 or large or blank or page.ink < 0:
            continue
        left -= 1
        try:
            answer, _nothing = bench.ask(
                "ocr", data, media_type=reading.media_type, page=page.number, timeout=OCR_SECONDS
            )
        except bench.JobRefused:
            continue  # nothing read, hence unverifiable
        found = answer["read"]
        if found.get("missing"):
            page.source = "missing"
            continue
        page.source, page.turned = "ocr", found.get("turned", 0)
        own = page.text.split()
        page.text = f"{page.text}\n{found['text']}" if own else found["text"]
        page.sure = [100] * len(own) + found["sure"]


BLANK_INK = 0.0006
"""A page with less ink than a short word is blank, whatever its grain and shade."""
