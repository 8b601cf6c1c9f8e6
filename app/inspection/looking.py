"""Looking at a stranger's file: its words, its codes, how its pages look, and OCR (REV-3).

Runs on the bench (see ``bench``), like ``opening``: nothing here imports more of app than its siblings, and every
answer is plain JSON. Page numbers in answers count from 1.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from app.inspection import drawing, lettering, opening
from app.inspection.opening import PDF

if TYPE_CHECKING:
    from PIL import Image

LOOK_WIDTH = 1_000
"""Pixels at which a page's darkness, sharpness and ink are measured."""
CODE_WIDTH = 1_700
MAX_LOOKED_PAGES = 50
MAX_CODE_PAGES = 6
MAX_CODES = 12
MAX_TEXT = 60_000
"""Letters kept of one page."""
OCR_SECONDS = 40.0
"""For one call of tesseract."""
LANGUAGES = ("fra", "ara")
TURNS = (0, 90, 270, 180)
GOOD_WORDS = 12
"""As many surely read words, and the page is the right way up."""


def look(data: bytes, media_type: str) -> dict[str, Any]:
    """The file's pages: words of the PDF, size, ink, brightness, contrast, sharpness, codes.

    ``{"pages": total, "look": [{…}]}``, at most ``MAX_LOOKED_PAGES`` of them. Raises what the decoders raise.
    """
    if media_type != PDF:
        return {"pages": 1, "look": [_look_at_picture(data)]}
    total = drawing.count_pages(data, PDF)
    pages = []
    for number, seen in enumerate(_pdf_texts(data, min(total, MAX_LOOKED_PAGES))):
        seen |= {"number": number + 1, "unit": "pt"}
        if max(seen["width"], seen["height"]) <= opening.MAX_PDF_SIDE:
            with contextlib.suppress(Exception):  # a page that cannot be drawn has its words at least
                image = _drawn(data, media_type, number, CODE_WIDTH if number < MAX_CODE_PAGES else LOOK_WIDTH)
                seen |= _measured(image)
                seen["codes"] = _codes(image) if number < MAX_CODE_PAGES else []
        pages.append(seen)
    return {"pages": total, "look": pages}


def ocr(data: bytes, media_type: str, page: int) -> dict[str, Any]:
    """The words tesseract reads on a page (from 1), whichever way up it lies.

    ``{"text", "sure", "turned"}``: ``sure`` holds a confidence of 0–100 for each word of the text, ``turned`` the
    clockwise degrees by which the page had to be turned; ``{"missing": true}`` without tesseract or its languages.
    """
    engine = tesseract()
    if engine is None:
        return {"missing": True}
    image = _for_reading(data, media_type, page - 1)
    best = _read(image, engine)
    best["turned"] = 0
    turn = _lies(image, engine)
    if turn == 0 and _sure_words(best) < GOOD_WORDS:
        turn = _best_turn(image, engine)
    if turn:
        turned = image.rotate(-turn, expand=True)
        other = _read(turned, engine)
        # a page on its side is read by its upright lines all the same: then its words stand, taller than wide
        enough = _sure_words(best) - 5 if best["standing"] else _sure_words(best) + 3
        if _sure_words(other) >= max(4, enough):
            image, best = turned, other | {"turned": turn}
    if _sure_words(best) < 45:  # a card, a stamp, a table: words that stand alone
        _add(best, _read(image, engine, layout="11"))
    return best


def tesseract() -> tuple[str, str] | None:
    """The program and the languages to ask of it; None where it or all of them are missing."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    try:
        listed = subprocess.run(  # noqa: S603  # a fixed command
            [program, "--list-langs"], capture_output=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    known = set(listed.stdout.decode(errors="replace").split())
    wanted = [language for language in LANGUAGES if language in known]
    return (program, "+".join(wanted)) if wanted else None


# ------------------------------------------------------------------------------------------------------ words


def _pdf_texts(data: bytes, count: int) -> list[dict[str, Any]]:
    """Of each page its own words, its size, and by how many degrees clockwise it must be turned to be read."""
    import pypdfium2

    found = []
    with drawing.pdfium_lock:
        document = pypdfium2.PdfDocument(data)
        try:
            if document.get_formtype():
                document.init_forms()
            for number in range(count):
                sheet = document[number]
                width, height = sheet.get_size()
                words = sheet.get_textpage()
                text = lettering.in_order(words, words.get_text_range()[:MAX_TEXT])
                turned = lettering.turn_of(words, text, sheet.get_rotation())
                found.append({"text": text.replace("\r\n", "\n"), "width": width, "height": height, "turned": turned})
                words.close()
                sheet.close()
        finally:
            document.close()
    return found


def _for_reading(data: bytes, media_type: str, page: int) -> Image.Image:
    """The page in grey, large enough for small print, small enough for the time."""
    from PIL import Image, ImageOps

    image = _drawn(data, media_type, page, 2_100).convert("L")
    long_side = max(image.size)
    if long_side < 1_900:
        factor = min(3.0, 2_200 / max(1, long_side))
        target = (round(image.width * factor), round(image.height * factor))
        image = image.resize(target, Image.Resampling.LANCZOS)
    return ImageOps.autocontrast(image, cutoff=1)


def _read(image: Image.Image, engine: tuple[str, str], layout: str = "3") -> dict[str, Any]:
    """One call of tesseract, through pipes: this process may write no file."""
    program, languages = engine
    packed = io.BytesIO()
    image.save(packed, "PPM")
    command = [program, "stdin", "stdout", "-l", languages, "--dpi", "250", "--psm", layout, "tsv"]
    try:
        return _from_table(_answer(command, packed.getvalue()))
    except subprocess.TimeoutExpired:
        return {"text": "", "sure": [], "standing": False, "slow": True}


def _answer(command: list[str], picture: bytes) -> str:
    """What tesseract prints; it gives way to people's pages. Raises ``subprocess.TimeoutExpired``."""
    with subprocess.Popen(  # noqa: S603  # a fixed command; the picture comes through a pipe
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_THREAD_LIMIT": "1"},
    ) as reader:
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, reader.pid, 10)
        try:
            told, _errors = reader.communicate(picture, timeout=OCR_SECONDS)
        except subprocess.TimeoutExpired:
            reader.kill()
            raise
    return told.decode(errors="replace")


def _lies(image: Image.Image, engine: tuple[str, str]) -> int:
    """By how many degrees tesseract would turn the page clockwise; 0 when it cannot tell (few letters, no ``osd``)."""
    packed = io.BytesIO()
    image.save(packed, "PPM")
    command = [engine[0], "stdin", "stdout", "--dpi", "250", "--psm", "0", "-l", "osd"]
    try:
        answer = _answer(command, packed.getvalue())
    except subprocess.TimeoutExpired:
        return 0
    told = dict(line.split(": ", 1) for line in answer.splitlines() if ": " in line)
    sure = float(told.get("Orientation confidence", 0))
    return int(told.get("Rotate", 0)) % 360 if sure >= 1.5 else 0


def _best_turn(image: Image.Image, engine: tuple[str, str]) -> int:
    """The turn that lets most words be read, tried on a small copy; 0 unless another clearly wins."""
    small = image.copy()
    small.thumbnail((1_500, 1_500))
    counts = {turn: _sure_words(_read(small.rotate(-turn, expand=True), engine)) for turn in TURNS}
    turn = max(TURNS, key=lambda each: counts[each])
    return turn if counts[turn] >= max(4, 2 * counts[0]) else 0


def _from_table(table: str) -> dict[str, Any]:
    """Tesseract's rows as lines of words, with a confidence for each word."""
    lines: dict[tuple[str, ...], list[str]] = {}
    sure: list[int] = []
    tall: list[bool] = []
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) == 12 and cells[0] == "5" and cells[11].strip():
            words = cells[11].split()
            lines.setdefault(tuple(cells[1:5]), []).extend(words)
            sure.extend([max(0, round(float(cells[10])))] * len(words))
            if len(cells[11]) >= 5:
                tall.append(int(cells[9]) > int(cells[8]))
    return {
        "text": "\n".join(" ".join(words) for words in lines.values()),
        "sure": sure,
        "standing": 2 * sum(tall) > len(tall),
    }


def _sure_words(read: dict[str, Any]) -> int:
    words = str(read["text"]).split()
    pairs = zip(words, read["sure"], strict=False)
    return sum(sure >= 70 and sum(letter.isalnum() for letter in word) >= 3 for word, sure in pairs)


def _add(best: dict[str, Any], more: dict[str, Any]) -> None:
    if more["text"]:
        best["text"] = f"{best['text']}\n{more['text']}" if best["text"] else more["text"]
        best["sure"] = [*best["sure"], *more["sure"]]


# ------------------------------------------------------------------------------------------------------ looks


def _drawn(data: bytes, media_type: str, page: int, width: int) -> Image.Image:
    from PIL import Image

    return Image.open(io.BytesIO(drawing.draw_page(data, media_type, page, width, lossless=True)))


def _look_at_picture(data: bytes) -> dict[str, Any]:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "GIF"]) as opened:
        width, height = opened.size
    seen: dict[str, Any] = {"number": 1, "text": "", "width": width, "height": height, "unit": "px"}
    if width * height > opening.MAX_PIXELS:
        return seen
    image = _drawn(data, "image/jpeg", 0, 2_400)
    return seen | _measured(image) | {"codes": _codes(image)}


def _measured(image: Image.Image) -> dict[str, float]:
    """Brightness and contrast in grey levels, ink as a share of the page, sharpness of the sharpest strokes."""
    from PIL import ImageChops, ImageFilter, ImageStat

    grey = image.convert("L")
    grey.thumbnail((LOOK_WIDTH, LOOK_WIDTH * 3))
    edge_x, edge_y = grey.width // 20, grey.height // 20  # a scan's border is no ink
    inner = grey.crop((edge_x, edge_y, grey.width - edge_x, grey.height - edge_y))
    stat = ImageStat.Stat(inner)
    soft = inner.filter(ImageFilter.GaussianBlur(1.2))
    ground = inner.filter(ImageFilter.GaussianBlur(24))
    dark = ImageChops.subtract(ground, soft)
    histogram = dark.histogram()
    total = max(1, sum(histogram))
    strokes = inner.filter(ImageFilter.FIND_EDGES).crop((2, 2, max(3, inner.width - 2), max(3, inner.height - 2)))
    levels, seen, sharp = strokes.histogram(), 0, 0
    for level in range(255, -1, -1):
        seen += levels[level]
        if seen >= 0.005 * max(1, sum(levels)):
            sharp = level
            break
    return {
        "brightness": round(stat.mean[0], 1),
        "contrast": round(stat.stddev[0], 1),
        "ink": round(sum(histogram[14:]) / total, 5),
        "sharpness": sharp,
    }


def _codes(image: Image.Image) -> list[dict[str, str]]:
    """QR and bar codes, as text."""
    import zxingcpp

    try:
        read = zxingcpp.read_barcodes(image.convert("L"))
    except Exception:  # noqa: BLE001  # a code that cannot be read is no code
        return []
    return [
        {"format": str(code.format).rsplit(".", 1)[-1], "text": code.text.strip()[:2_000]}
        for code in read[:MAX_CODES]
        if code.text.strip()
    ]
