"""What a scanner, a telephone or a bad day does to a paper. Noise is drawn from seeds: twice the same file."""

from __future__ import annotations

import io
import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

Picture = Image.Image


def raster(pdf: bytes, dpi: int, page: int = 0) -> Picture:
    """The page as a scanner of that resolution sees it."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[page].render(scale=dpi / 72).to_pil().convert("RGB")
    finally:
        document.close()


def noisy(image: Picture, seed: int, strength: float = 0.08) -> Picture:
    grain = Image.frombytes("L", image.size, random.Random(seed).randbytes(image.width * image.height))
    return Image.blend(image, grain.convert("RGB"), strength)


def skewed(image: Picture, degrees: float) -> Picture:
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="#f4f2ee")


def shaded(image: Picture) -> Picture:
    """A shadow falls over one side."""
    ramp = Image.linear_gradient("L").rotate(90).resize(image.size).point(lambda v: 110 + v * 145 // 255)
    return ImageChops.multiply(image, ramp.convert("RGB"))


def on_a_table(image: Picture, seed: int) -> Picture:
    """Photographed in grey from above, on a wooden table, slightly askew."""
    table = noisy(Image.new("RGB", (round(image.width * 1.25), round(image.height * 1.2)), "#6b5440"), seed, 0.15)
    sheet = image.convert("RGBA").rotate(2.2, Image.Resampling.BICUBIC, expand=True)
    table.paste(sheet, ((table.width - sheet.width) // 2, (table.height - sheet.height) // 2), sheet)
    return ImageOps.grayscale(table).convert("RGB")


def two_up(left: Picture, right: Picture) -> Picture:
    """Two pages on one sheet."""
    sheet = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), "white")
    sheet.paste(left, (0, 0))
    sheet.paste(right, (left.width, 0))
    return sheet


def black_and_white(image: Picture) -> Picture:
    return ImageOps.grayscale(image).point(lambda value: 255 if value > 150 else 0).convert("1")


def jpeg(image: Picture, quality: int = 70, dpi: int = 200) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality, dpi=(dpi, dpi))
    return out.getvalue()


def png(image: Picture) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def gif(image: Picture) -> bytes:
    out = io.BytesIO()
    ImageOps.grayscale(image).save(out, "GIF")
    return out.getvalue()


def lying_jpeg(image: Picture) -> bytes:
    """As a telephone stores it: lying, with a mark that says how to turn it."""
    out, marks = io.BytesIO(), Image.Exif()
    marks[0x0112] = 6
    image.rotate(90, expand=True).save(out, "JPEG", quality=75, exif=marks)
    return out.getvalue()


def scan_pdf(image: Picture, dpi: int = 200, quality: int = 60, turn: int = 0) -> bytes:
    """The picture as the only thing of a PDF's page, as office scanners write it; shown turned by so many degrees."""
    import pikepdf

    from tests.inspection_set.engines import saved

    width, height = image.width * 72 / dpi, image.height * 72 / dpi
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(width, height))
    picture = pdf.make_stream(
        jpeg(image, quality), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=image.width,
        Height=image.height, ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode,
    )  # fmt: skip
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture))
    page.Contents = pdf.make_stream(b"q %.2f 0 0 %.2f 0 0 cm /Im0 Do Q" % (width, height))
    if turn:
        page.Rotate = turn
    return saved(pdf)


# --- pictures of something else -------------------------------------------------------------------


def landscape(seed: int = 3) -> Picture:
    sky = ImageOps.colorize(Image.linear_gradient("L").resize((1200, 800)), "#2a6fb0", "#f6d9b0")
    pencil, chance = ImageDraw.Draw(sky), random.Random(seed)
    for ridge, colour in enumerate(("#7d8aa5", "#54657f", "#2e4632")):
        points = [
            (x, 430 + ridge * 110 + 60 * math.sin(x / (90 + 40 * ridge)) + chance.uniform(-8, 8))
            for x in range(0, 1220, 20)
        ]
        pencil.polygon([(0, 800), *points, (1200, 800)], fill=colour)
    pencil.ellipse((900, 90, 1000, 190), fill="#fff3c4")
    return noisy(sky, seed, 0.05)


def face(seed: int = 5) -> Picture:
    image = Image.new("RGB", (900, 1200), "#b9c4c9")
    pencil = ImageDraw.Draw(image)
    pencil.ellipse((180, 760, 720, 1500), fill="#31425e")
    pencil.ellipse((270, 250, 630, 760), fill="#d9a583")
    pencil.pieslice((250, 210, 650, 620), 180, 360, fill="#2b1d16")
    for x in (370, 530):
        pencil.ellipse((x - 28, 470, x + 28, 500), fill="white")
        pencil.ellipse((x - 12, 470, x + 12, 500), fill="#3a2a20")
    pencil.arc((380, 560, 520, 660), 20, 160, fill="#8a3d3d", width=8)
    return noisy(image.filter(ImageFilter.GaussianBlur(4)), seed, 0.06)


def blurred(image: Picture, radius: float = 9) -> Picture:
    return image.filter(ImageFilter.GaussianBlur(radius))
