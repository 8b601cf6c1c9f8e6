"""Scans and photographs of demonstration papers: a little askew, grainy, shaded, stamped and signed."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.demo.papers_typeset import picture_of_mark, seal_svg, signature_svg
from app.inspection import drawing
from app.inspection.opening import PDF

if TYPE_CHECKING:
    from PIL import Image

A4_INCHES = 8.27
Zone = tuple[float, float, float, float]
"""Left, top, right, bottom, as parts of the page."""
_PENS = ("#1c2f86", "#20242c", "#2743a6", "#3a2a6b")


def scanned(pdf_bytes: bytes, page: int = 0, angle: float = 1.3, noise: float = 9.0, dpi: int = 150) -> bytes:
    """Return a JPEG of the page (from 0) as an office scanner would give it.

    ``angle`` in degrees, counter-clockwise; ``noise`` is the grain, in grey levels.
    """
    return _jpeg(_as_scanned(_page(pdf_bytes, page, dpi), angle, noise), dpi)


def signed_contract_scan(
    pdf_bytes: bytes,
    names: Sequence[str],
    *,
    stamp: str = "SOCIETE DEMO",
    zone: Zone = (0.08, 0.78, 0.92, 0.93),
    boxes: Sequence[Zone | None] = (),
    dpi: int = 110,
) -> bytes:
    """Return a PDF of pictures: the contract printed, initialled, signed by each name, stamped, scanned.

    ``zone`` is where the signatures stand on the last page: left, top, right, bottom as parts of it. ``boxes``
    instead give each name a place of its own (see ``signature_boxes``).
    """
    pages = drawing.count_pages(pdf_bytes, PDF)
    sheets = []
    for page in range(pages):
        image = _page(pdf_bytes, page, dpi)
        chance = random.Random(f"{page} {names}")
        if page == pages - 1:
            for name, own in zip(names, boxes, strict=True) if boxes else ():
                if own is not None:
                    _sign(image, [name], stamp if own is boxes[0] else None, own, dpi)
            if not boxes:
                _sign(image, names, stamp, zone, dpi)
        else:
            for index, name in enumerate(names):
                mark = _mark(signature_svg(f"initials {name}", _PENS[index % len(_PENS)]), dpi, 16)
                x = image.width - mark.width - (0.03 + 0.09 * index) * image.width
                image.paste(mark, (round(x), round(image.height * 0.94)), mark)
        sheets.append(_as_scanned(image, chance.uniform(-0.9, 0.9), 7.0))
    output = io.BytesIO()
    sheets[0].save(
        output, "PDF", save_all=True, append_images=sheets[1:], resolution=dpi, quality=72,
        title="Contrat signé (démonstration)",
    )  # fmt: skip
    return output.getvalue()


def signature_boxes(pdf_bytes: bytes, mark: str = "Date et signature") -> list[Zone]:
    """Where one signs on the last page: the room above each ``mark``, in reading order."""
    import pypdfium2

    with pypdfium2.PdfDocument(pdf_bytes) as pdf:
        page = pdf[len(pdf) - 1]
        width, height = page.get_size()
        text = page.get_textpage()
        found = text.search(mark)
        boxes = []
        while (place := found.get_next()) is not None:
            left, _bottom, _right, top = text.get_charbox(place[0])
            boxes.append((left / width, 1 - (top + 44) / height, left / width + 0.38, 1 - top / height))
        found.close()
        text.close()
        page.close()
    return boxes


def photographed(card: Image.Image, seed: str) -> Image.Image:
    """Return the card as photographed on a desk: turned a little, with its shadow, lit from one side."""
    from PIL import Image, ImageDraw, ImageFilter

    chance = random.Random(seed)
    margin = card.width // 7
    size = (card.width + 2 * margin, card.height + 2 * margin)
    desk = Image.new("RGB", size, chance.choice(["#8a6f55", "#6d7278", "#b3a58f", "#54606b"]))
    grain = _grain(size, 22, seed + "desk").resize(size).filter(ImageFilter.BoxBlur(1))
    desk = _add(desk, grain)
    corners = Image.new("L", card.size, 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, card.width - 1, card.height - 1), card.width // 26, fill=255)
    angle = chance.choice([-1, 1]) * chance.uniform(1.2, 3.6)
    turned = card.convert("RGB").rotate(angle, Image.Resampling.BICUBIC, expand=True)
    mask = corners.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    at = ((size[0] - turned.width) // 2, (size[1] - turned.height) // 2)
    shadow = Image.new("L", size, 0)
    shadow.paste(mask.point(lambda value: value * 3 // 5), (at[0] + margin // 12, at[1] + margin // 8))
    desk.paste((18, 16, 14), (0, 0), shadow.filter(ImageFilter.GaussianBlur(margin / 11)))
    desk.paste(turned, at, mask)
    return _add(_lit(desk, chance), _grain(size, 8, seed))


def jpeg_of(image: Image.Image, dpi: int, quality: int = 82) -> bytes:
    """Return the picture as a JPEG."""
    return _jpeg(image, dpi, quality)


def _page(pdf_bytes: bytes, page: int, dpi: int) -> Image.Image:
    from PIL import Image

    png = drawing.draw_page(pdf_bytes, PDF, page, round(A4_INCHES * dpi), lossless=True)
    return Image.open(io.BytesIO(png)).convert("RGB")


def _as_scanned(image: Image.Image, angle: float, noise: float) -> Image.Image:
    """Turn the sheet on the scanner's glass, shade one edge, add the grain of paper and sensor."""
    from PIL import Image

    chance = random.Random(f"{image.size} {angle}")
    paper = Image.new("RGB", image.size, (250, 248, 242))
    paper = Image.blend(image, paper, 0.12)
    # bilinear also blurs a little, as a lens does
    turned = paper.rotate(angle, Image.Resampling.BILINEAR, fillcolor=(226, 226, 224))
    return _add(_lit(turned, chance), _grain(turned.size, noise, f"{angle}"))


def _lit(image: Image.Image, chance: random.Random) -> Image.Image:
    """Darken towards one side by a few percent."""
    from PIL import Image, ImageChops

    ramp = Image.linear_gradient("L").rotate(chance.choice([0, 90, 180, 270]))
    depth = chance.uniform(0.10, 0.2)
    light = ramp.point(lambda value: round(255 * (1 - depth * (value / 255) ** 3))).resize(image.size)
    return ImageChops.multiply(image, Image.merge("RGB", (light, light, light)))


def _grain(size: tuple[int, int], strength: float, seed: str) -> Image.Image:
    """Noise around 128, of that many grey levels, always the same for a seed."""
    from PIL import Image

    noise = Image.frombytes("L", size, random.Random(seed).randbytes(size[0] * size[1]))
    return noise.point(lambda value: round(128 + (value - 128) / 128 * strength))


def _add(image: Image.Image, grain: Image.Image) -> Image.Image:
    from PIL import Image, ImageChops

    return ImageChops.add(image, Image.merge("RGB", (grain, grain, grain)), scale=1, offset=-128)


def _mark(svg: str, dpi: int, millimetres: float) -> Image.Image:
    """The drawing, that wide, with transparency."""
    from PIL import Image

    return Image.open(io.BytesIO(picture_of_mark(svg, dpi * millimetres / 40))).convert("RGBA")


def _sign(image: Image.Image, names: Sequence[str], stamp: str | None, zone: Zone, dpi: int) -> None:
    left, top, right, bottom = (part * side for part, side in zip(zone, (image.width, image.height) * 2, strict=True))
    column = (right - left) / max(1, len(names))
    for index, name in enumerate(names):
        mark = _mark(signature_svg(name, _PENS[index % len(_PENS)]), dpi, 46 if len(names) < 3 else 38)
        x = left + column * index + (column - mark.width) / 2
        y = (top + bottom - mark.height) / 2 + (index % 2) * 6
        image.paste(mark, (round(x), round(y)), mark)
    if stamp is None:
        return
    seal = _mark(seal_svg(f"{stamp.upper()[:26]} ★ DÉMO", "TUNIS", tilt=14), dpi, 34)
    image.paste(seal, (round(left + column * 0.62), round(top - seal.height * 0.12)), seal)


def _jpeg(image: Image.Image, dpi: int, quality: int = 74) -> bytes:
    output = io.BytesIO()
    image.save(output, "JPEG", quality=quality, dpi=(dpi, dpi))
    return output.getvalue()
