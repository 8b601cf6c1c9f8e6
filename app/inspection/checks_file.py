"""Is the file whole, safe, readable, and what it says it is? (REV-3)"""

from __future__ import annotations

from collections.abc import Iterator

from app.inspection import kinds
from app.inspection.case import Case
from app.inspection.findings import Finding, alert, ok, unverifiable
from app.inspection.opening import MAX_PIXELS
from app.inspection.text import BLANK_INK, PageReading, letters_in
from app.inspection.words import SURE

UNSAFE = frozenset({"script", "active_content", "attachment", "dynamic_form"})
LOST = frozenset({"encrypted", "truncated", "no_page", "broken_pdf", "broken_picture", "empty", "unknown_kind"})
MIN_LONG_SIDE = {"identity": 300}
LEAST_LONG_SIDE = 560
"""Pixels of a scanned page's long side under which its words are gone: A4 at 50 dots an inch."""
HUGE_SIDE_PT = 1_720.0
"""Points: larger than A2 is no paper of ours."""
HUGE_SIDE_PX = 12_000
NIGHT, DARK, PALE, BLURRED = 45.0, 62.0, 7.0, 45.0
"""Grey levels. Darker than ``NIGHT`` no person reads it, even where OCR does."""
ENOUGH_WORDS = {"identity": 3}
ENOUGH = 12


def opens(case: Case) -> Finding:
    """Neither password, script, attachment nor damage (SEC-3)."""
    problem = case.reading.problem
    if not problem or problem in ("too_many_pixels", "page_too_large", "too_many_pages"):
        return ok("file_opens", found=case.reading.media_type, notes=case.reading.notes)
    if problem in UNSAFE | LOST:
        return alert("file_opens", found=problem, why=problem)
    return unverifiable("file_opens", found=problem, why=problem)


def dimensions(case: Case) -> Iterator[Finding]:
    """Neither too small to be read nor absurdly large."""
    if case.reading.problem in ("too_many_pixels", "page_too_large"):
        yield alert("size", found=case.reading.problem, why="huge")
        return
    if not case.reading.pages:
        return
    least = MIN_LONG_SIDE.get(case.kind, LEAST_LONG_SIDE)
    for page in case.reading.pages:
        long_side = max(page.width, page.height)
        size = f"{round(page.width)} × {round(page.height)} {page.unit}"
        if page.unit == "px" and (long_side > HUGE_SIDE_PX or page.width * page.height > MAX_PIXELS):
            yield alert("size", found=size, why="huge", page=page.number)
            return
        if page.unit == "pt" and long_side > HUGE_SIDE_PT:
            yield alert("size", found=size, why="huge", page=page.number)
            return
        if (page.unit == "px" and long_side < least) or (page.unit == "pt" and long_side < 110):
            yield alert("size", found=size, why="tiny", page=page.number)
            return
    yield ok("size", found=f"{len(case.reading.pages)}")


def upright(case: Case) -> Finding | None:
    """A scan that lies on its side is read all the same, and said so."""
    turned = next((page for page in case.reading.pages if page.turned), None)
    if turned is not None:
        return alert("upright", found=str(turned.turned), why="turned", page=turned.number)
    if case.reading.source in ("pdf", "ocr"):
        return ok("upright")
    return None


def blank(case: Case) -> Finding | None:
    """No page without anything on it."""
    if not case.seen:
        return None
    empty = [page.number for page in case.seen if is_blank(page)]
    if not empty:
        return ok("blank", found=str(len(case.seen)))
    why = "all" if len(empty) == len(case.seen) else "some"
    return alert("blank", found=", ".join(map(str, empty)), why=why, page=empty[0])


def is_blank(page: PageReading) -> bool:
    """Nothing written, nothing drawn."""
    return 0 <= page.ink < BLANK_INK and letters_in(page.text) < 5 and page.brightness > DARK


def readable(case: Case) -> Finding | None:
    """Can a person read it: not dark, faded, blurred or lost in grain."""
    pictures = [page for page in case.seen if page.source != "pdf" and not is_blank(page)]
    if case.reading.source == "pdf" or not pictures:
        return ok("readable", source="pdf") if case.reading.source == "pdf" else None
    page = pictures[0]
    enough = ENOUGH_WORDS.get(case.kind, ENOUGH)
    sure = case.words.sure()
    if 0 <= page.brightness < NIGHT:
        return alert("readable", found=str(round(page.brightness)), why="dark", page=page.number)
    if case.ocr and sure >= enough:
        return ok("readable", found=str(sure), source="ocr")
    why = _fault_of(page)
    if why:
        return alert("readable", found=str(round(page.brightness)), why=why, page=page.number)
    if not case.ocr:
        return unverifiable("readable", why=case.why_not)
    unsure = sum(word.sure < SURE and len(word.plain) >= 2 for word in case.words.all)
    if case.kind != "identity" and (unsure >= 12 or sure < 3):
        return alert("readable", found=str(sure), why="unclear", page=page.number)
    return unverifiable("readable", found=str(sure), why="few_words", page=page.number)


def _fault_of(page: PageReading) -> str:
    if page.brightness < DARK:
        return "dark"
    if page.contrast < PALE:
        return "pale"
    return "blurred" if page.sharpness < BLURRED else ""


def kind(case: Case) -> Finding | None:
    """The file is what it says: it has the words of one (REV-3)."""
    if case.kind == "other" or (case.seen and all(is_blank(page) for page in case.seen)):
        return None
    if not case.readable:
        if case.ocr and case.kind != "identity" and case.seen and not _fault_of(case.seen[0]):
            return alert("kind", declared=case.kind, why="no_words", page=1)  # a sharp picture of something else
        return unverifiable("kind", declared=case.kind, why=case.why_not)
    found = kinds.scores(case.words)
    better = kinds.better_kind(found, case.kind)
    titles = kinds.title_kinds(case.words)
    own = found[case.kind]
    outweighed = better in titles and (found[better] >= 2 * own if case.kind in titles else own <= kinds.STRONG + 1)
    if better and outweighed:
        return alert("kind", declared=case.kind, found=better, why="other_kind", page=1)
    if own >= kinds.STRONG:
        return ok("kind", declared=case.kind, found=case.kind)
    if better and (better in titles or own == 0):
        return alert("kind", declared=case.kind, found=better, why="other_kind", page=1)
    if own == 0 and _much_was_read(case):
        return alert("kind", declared=case.kind, why="no_such_words", page=1)
    if own == 0 and case.ocr and case.kind != "identity" and case.words.sure() < 4 and not _fault_of(case.seen[0]):
        return alert("kind", declared=case.kind, why="no_words", page=1)
    return unverifiable("kind", declared=case.kind, why="few_words")


def _much_was_read(case: Case) -> bool:
    if not case.ocr:
        return letters_in(case.reading.words) >= 60
    words = {word.key for word in case.words.all if word.sure >= SURE and len(word.plain) >= 3}
    return len(words) >= (60 if case.kind == "identity" else 15)


def same_file(case: Case) -> Finding:
    """Not the file of another document, nor of another organisation."""
    if not case.around.same:
        return ok("same_file")
    other = next((each for each in case.around.same if each.whose), case.around.same[0])
    named = ", ".join(dict.fromkeys(each.whose or each.what for each in case.around.same))
    return alert("same_file", found=named[:500], why="other_organisation" if other.whose else "other_document")
