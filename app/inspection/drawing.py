"""Drawing one page of a document as a picture, at a size that cannot blow up (REV-1, SEC-3).

Runs on the bench (see ``bench``), like ``opening``. pdfium is not thread-safe: one lock guards it,
so that the functions are also right when called directly.
"""

from __future__ import annotations

import io
import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from app.inspection.opening import PDF

if TYPE_CHECKING:
    from PIL import Image

MIN_WIDTH, MAX_WIDTH = 16, 3_000
MAX_HEIGHT = 8_000
MAX_DRAWN_PIXELS = 12_000_000
QUALITY = 85

_FONT = Path(__file__).parents[1] / "papers" / "fonts" / "IBMPlexSansArabic-Medium.ttf"
pdfium_lock = threading.Lock()


class NoSuchPage(Exception):
    """The document has fewer pages than that."""


def count_pages(data: bytes, media_type: str) -> int:
    """Return the number of pages: 1 for a picture."""
    if media_type != PDF:
        return 1
    import pypdfium2

    with pdfium_lock:
        document = pypdfium2.PdfDocument(data)
        try:
            return len(document)
        finally:
            document.close()


def draw_page(
    data: bytes,
    media_type: str,
    page: int,
    width: int,
    *,
    rotate: int = 0,
    watermark: str | None = None,
    lossless: bool = False,
) -> bytes:
    """Return the page (counted from 0) as a JPEG, or PNG when lossless, about ``width`` pixels wide.

    The picture is made smaller when the page's shape would make it too high. ``rotate`` is clockwise,
    in degrees, a multiple of 90; ``width`` is that of the turned picture. Raises NoSuchPage.
    """
    turn = rotate % 360
    if turn % 90:
        raise ValueError("rotate must be a multiple of 90")
    if media_type == PDF:
        image = _draw_pdf(data, page, width, turn)
    else:
        image = _draw_picture(data, page, width, turn)
    if watermark:
        image = _marked(image, watermark)
    output = io.BytesIO()
    if lossless:
        image.save(output, "PNG", compress_level=1)
    else:
        image.save(output, "JPEG", quality=QUALITY, subsampling=1)
    return output.getvalue()


def fitted(page_width: float, page_height: float, width: int) -> tuple[int, int]:
    """Return the size in pixels to draw at: the width asked for, within every limit, the same shape."""
    wanted = min(max(width, MIN_WIDTH), MAX_WIDTH)
    ratio = page_height / page_width
    wanted_width = float(wanted)
    if wanted_width * ratio > MAX_HEIGHT:
        wanted_width = MAX_HEIGHT / ratio
    if wanted_width * wanted_width * ratio > MAX_DRAWN_PIXELS:
        wanted_width = math.sqrt(MAX_DRAWN_PIXELS / ratio)
    return max(1, round(wanted_width)), max(1, round(wanted_width * ratio))


def _draw_pdf(data: bytes, page: int, width: int, turn: int) -> Image.Image:
    import pypdfium2

    with pdfium_lock:
        document = pypdfium2.PdfDocument(data)
        try:
            if not 0 <= page < len(document):
                raise NoSuchPage(page)
            if document.get_formtype():
                document.init_forms()  # without it, what was typed into form fields is not drawn
            sheet = document[page]
            page_width, page_height = sheet.get_size()
            if turn in (90, 270):
                page_width, page_height = page_height, page_width
            page_width, page_height = max(page_width, 0.1), max(page_height, 0.1)
            target = fitted(page_width, page_height, width)
            scale = min(target[0] / page_width, target[1] / page_height)
            bitmap = sheet.render(scale=scale, rotation=turn)
            drawn: Image.Image = bitmap.to_pil().convert("RGB")
            return drawn
        finally:
            document.close()


def _draw_picture(data: bytes, page: int, width: int, turn: int) -> Image.Image:
    from PIL import Image, ImageOps

    if page != 0:
        raise NoSuchPage(page)
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
        shape = image.size if turn in (0, 180) else image.size[::-1]
        target = fitted(*shape, width)
        unturned = target if turn in (0, 180) else target[::-1]
        image.draft(None, unturned)
        plain = ImageOps.exif_transpose(image).convert("RGB")
    if plain.width > unturned[0] or plain.height > unturned[1]:
        plain = plain.resize(unturned, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return plain.rotate(-turn, expand=True) if turn else plain


def _marked(image: Image.Image, text: str) -> Image.Image:
    """Lay the text over the whole picture, slanted and see-through, so that no crop leaves it out."""
    from PIL import Image, ImageDraw, ImageFont

    size = max(11, min(image.width, image.height) // 34)
    font = ImageFont.truetype(str(_FONT), size)
    side = math.ceil(math.hypot(*image.size))
    mask = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(mask)
    step = round(font.getlength(text)) + 3 * size
    for row, y in enumerate(range(0, side, size * 6)):
        for x in range(-step + (row % 2) * step // 2, side, step):
            pen.text((x, y), text, fill=255, font=font)
    mask = mask.rotate(28, resample=Image.Resampling.BILINEAR)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    mask = mask.crop((left, top, left + image.width, top + image.height))
    # a pale shadow keeps the letters readable on dark photographs, the dark letters on white paper
    image.paste((255, 255, 255), (1, 1), mask.point(lambda value: value // 3))
    image.paste((120, 24, 40), (0, 0), mask.point(lambda value: value * 2 // 5))
    return image
