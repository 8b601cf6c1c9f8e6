"""Opening a stranger's file for real, to learn whether it is safe and whole (SEC-3, ORG-4).

Runs on the bench (see ``bench``): in a process of its own, with limits of memory and time. It
therefore imports nothing of app but its siblings, and a refusal is a code with figures, not a sentence.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pikepdf
    from PIL import Image

PDF = "application/pdf"
JPEG = "image/jpeg"
PNG = "image/png"
GIF = "image/gif"

MAX_PIXELS = 60_000_000
MAX_SIDE = 4_800  # an A4 page at 400 dpi; anything larger is scaled down to it
MAX_PDF_PAGES = 50
MAX_PDF_SIDE = 14_400.0  # points: the 200 inches of the PDF standard
MAX_PDF_IMAGE_PIXELS = 120_000_000
MAX_PDF_OBJECTS = 200_000  # about three seconds of reading; fifty pages hold some thousands
MAX_OPENING_ACTIONS = 50
MAX_DECODED = 128 * 1024 * 1024  # bytes of one decoded stream
JPEG_QUALITY = 90

_PILLOW_FORMATS = {JPEG: "JPEG", PNG: "PNG", GIF: "GIF"}
_ACTIVE_ACTIONS = {"/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/Rendition", "/Movie", "/Sound"}
_ACTIVE_ACTIONS |= {"/RichMediaExecute", "/GoTo3DView"}
_QUIET_ACTIONS = {"/GoTo", "/Named"}
"""What may happen by itself when a paper is opened: going to a page. Not calling an address, or a file server."""
_MEDIA_ANNOTATIONS = {"/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"}
_TRIGGERS = {
    *("/E", "/X", "/D", "/U", "/Fo", "/Bl", "/PO", "/PC", "/PV", "/PI"),  # of an annotation
    *("/O", "/C", "/K", "/F", "/V", "/WC", "/WS", "/DS", "/WP", "/DP"),  # of a page, field, document
}


class Refusal(Exception):
    """The file is refused: a code of ``intake.REASONS`` and the figures its sentence needs."""

    def __init__(self, code: str, **details: int | float | str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass(slots=True)
class Opened:
    """What the file turned out to be. Sizes are pixels for a picture, points of page 1 for a PDF."""

    media_type: str
    data: bytes
    pages: int
    width: int
    height: int
    notes: list[str] = field(default_factory=list)


def open_picture(data: bytes, media_type: str) -> Opened:
    """Decode the picture and write it anew: upright, without metadata, first frame only.

    JPEG stays JPEG; PNG and GIF become PNG. Transparency is laid on white. Raises Refusal.
    """
    from PIL import Image

    kind = _PILLOW_FORMATS[media_type]
    notes: list[str] = []
    try:
        if kind == "PNG":  # checks every checksum, which decoding alone does not
            with Image.open(io.BytesIO(data), formats=[kind]) as checked:
                _refuse_bomb(checked)
                checked.verify()
        with Image.open(io.BytesIO(data), formats=[kind]) as image:
            _refuse_bomb(image)
            if getattr(image, "is_animated", False) and image.format != "MPO":
                notes.append("first_frame")
            clean = _normalised(image, notes)
    except Refusal:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refusal("too_many_pixels", limit=MAX_PIXELS // 1_000_000) from error
    except Exception as error:  # decoders raise anything on hostile bytes
        raise Refusal("broken_picture") from error
    output = io.BytesIO()
    if media_type == JPEG:
        clean.save(output, "JPEG", quality=JPEG_QUALITY)
    else:
        clean.save(output, "PNG", compress_level=6)
        if media_type == GIF:
            notes.append("converted_to_png")
    kept = JPEG if media_type == JPEG else PNG
    return Opened(kept, output.getvalue(), 1, clean.width, clean.height, notes)


def _refuse_bomb(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Refusal(
            "too_many_pixels",
            limit=MAX_PIXELS // 1_000_000,
            found=-(-width * height // 1_000_000),
        )


def _normalised(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return the upright picture as bilevel, grey or RGB, carrying no metadata."""
    from PIL import Image, ImageOps

    large = max(image.size) > MAX_SIDE
    if large:
        scale = MAX_SIDE / max(image.size)
        target = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image.draft(None, target)  # a JPEG is then decoded at a half, a quarter…
        notes.append("scaled_down")
    image.load()
    with contextlib.suppress(Exception):  # a broken orientation tag is no reason to refuse
        image = ImageOps.exif_transpose(image)
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    elif image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    if large:
        if image.mode == "1":
            image = image.convert("L")
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    return clean


def open_pdf(data: bytes, max_pages: int = MAX_PDF_PAGES) -> Opened:
    """Check a PDF, which is kept byte for byte so that its signatures survive. Raises Refusal.

    Refused: passwords, scripts and automatic actions, attached files and media, dynamic forms (XFA),
    too many or too large pages, files that are cut short or that neither qpdf nor pdfium can read.
    """
    import pikepdf

    if b"%%EOF" not in data.rstrip(b"\0\r\n\t ")[-2048:]:
        raise Refusal("truncated")
    notes: list[str] = []
    try:
        with _read_structure(data, notes) as pdf:
            if pdf.is_encrypted:
                notes.append("owner_password")
            pages = len(pdf.pages)
            if pages == 0:
                raise Refusal("no_page")
            if pages > max_pages:
                raise Refusal("too_many_pages", limit=max_pages, found=pages)
            _check_root(pdf)
            _check_objects(pdf)
            width, height = _check_pages(pdf)
    except Refusal:
        raise
    except pikepdf.PasswordError as error:
        raise Refusal("encrypted") from error
    except MemoryError as error:
        raise Refusal("too_complex") from error
    except Exception as error:  # qpdf raises anything on hostile bytes
        raise Refusal("no_page" if "no pages found" in str(error) else "broken_pdf") from error
    _try_drawing(data, pages)
    return Opened(PDF, data, pages, width, height, notes)


def limit_qpdf() -> None:
    """Set qpdf's process-wide limits against compressed bombs; for the bench's own process only."""
    from pikepdf import settings

    settings.set_qpdf_limits(
        doc_max_warnings=500,
        parser_max_container_size=500_000,
        flate_max_memory=MAX_DECODED,
        png_max_memory=MAX_DECODED,
        run_length_max_memory=MAX_DECODED,
        tiff_max_memory=MAX_DECODED,
        dct_max_memory=MAX_DECODED,
        dct_max_progressive_scans=100,
    )


def _read_structure(data: bytes, notes: list[str]) -> pikepdf.Pdf:
    """Open strictly; else let qpdf rebuild a bad cross-reference table, as every viewer does."""
    import pikepdf

    try:
        return pikepdf.open(io.BytesIO(data), attempt_recovery=False)
    except pikepdf.PasswordError:
        raise
    except pikepdf.PdfError:
        notes.append("repaired")
        return pikepdf.open(io.BytesIO(data))


def _check_root(pdf: pikepdf.Pdf) -> None:
    """Refuse what hangs on the catalogue: name trees of scripts and files, XFA, portfolios."""
    import pikepdf

    names = pdf.Root.get("/Names")
    if isinstance(names, pikepdf.Dictionary):
        if "/JavaScript" in names:
            raise Refusal("script")
        if "/EmbeddedFiles" in names:
            raise Refusal("attachment")
    if "/Collection" in pdf.Root:
        raise Refusal("attachment")
    _check_opening_action(pdf.Root.get("/OpenAction"))
    form = pdf.Root.get("/AcroForm")
    if isinstance(form, pikepdf.Dictionary) and "/XFA" in form:
        raise Refusal("dynamic_form")


def _check_opening_action(action: Any) -> None:
    """Refuse what would call out as soon as an agent opens the paper, at any link of its chain."""
    import pikepdf

    waiting, followed = [action], 0
    while waiting:
        item = waiting.pop()
        followed += 1
        if followed > MAX_OPENING_ACTIONS:
            raise Refusal("too_complex")
        if isinstance(item, pikepdf.Dictionary):
            if str(item.get("/S", "/GoTo")) not in _QUIET_ACTIONS:
                raise Refusal("active_content" if str(item.get("/S")) != "/JavaScript" else "script")
            following = item.get("/Next")
            waiting.extend(following if isinstance(following, pikepdf.Array) else [following])


def _check_objects(pdf: pikepdf.Pdf) -> None:
    """Walk every object, referenced or not, in search of active content."""
    import pikepdf

    count = 0
    for top in pdf.objects:
        stack: list[Any] = [top]
        while stack:
            item = stack.pop()
            count += 1
            if count > MAX_PDF_OBJECTS:
                raise Refusal("too_complex")
            if isinstance(item, pikepdf.Stream):
                _check_stream(item)
                item = item.stream_dict
            children: list[Any]
            if isinstance(item, pikepdf.Dictionary):
                _check_dictionary(item)
                children = [value for _key, value in item.items()]
            elif isinstance(item, pikepdf.Array):
                children = list(item)
            else:
                continue
            # what is indirect comes by itself in pdf.objects; scalars hold nothing
            stack.extend(c for c in children if isinstance(c, pikepdf.Object) and not c.is_indirect)


def _check_dictionary(item: pikepdf.Dictionary) -> None:
    import pikepdf

    action = str(item.get("/S", ""))
    if action == "/JavaScript" or isinstance(item.get("/JS"), pikepdf.String):
        raise Refusal("script")
    if action in _ACTIVE_ACTIONS:
        raise Refusal("active_content")
    trigger = item.get("/AA")
    if isinstance(trigger, pikepdf.Dictionary) and set(trigger.keys()) <= _TRIGGERS:
        raise Refusal("active_content")
    subtype = str(item.get("/Subtype", ""))
    if subtype in _MEDIA_ANNOTATIONS:
        raise Refusal("active_content")
    if (
        subtype == "/FileAttachment"
        or isinstance(item.get("/EF"), pikepdf.Dictionary)
        or str(item.get("/Type", "")) == "/EmbeddedFile"
    ):
        raise Refusal("attachment")


def _check_stream(item: pikepdf.Stream) -> None:
    """Refuse embedded pictures so large that drawing the page would exhaust memory."""
    if str(item.get("/Subtype", "")) == "/Image":
        pixels = int(item.get("/Width", 0)) * int(item.get("/Height", 0))
        if pixels > MAX_PDF_IMAGE_PIXELS:
            raise Refusal(
                "too_many_pixels",
                limit=MAX_PDF_IMAGE_PIXELS // 1_000_000,
                found=-(-pixels // 1_000_000),
            )


def _check_pages(pdf: pikepdf.Pdf) -> tuple[int, int]:
    """Refuse pages of absurd size or whose content cannot be decoded; return page 1 in points."""
    import pikepdf

    first = (0, 0)
    for index, page in enumerate(pdf.pages):
        left, bottom, right, top = (float(edge) for edge in page.cropbox)
        unit = float(page.obj.get("/UserUnit", 1))
        width, height = abs(right - left) * unit, abs(top - bottom) * unit
        if not (width <= MAX_PDF_SIDE and height <= MAX_PDF_SIDE):  # written so that NaN is refused
            raise Refusal("page_too_large", page=index + 1)
        if width < 1 or height < 1:
            raise Refusal("broken_pdf")
        content = page.obj.get("/Contents")
        parts = list(content) if isinstance(content, pikepdf.Array) else [content]
        for part in parts:
            if isinstance(part, pikepdf.Stream):
                part.read_bytes()
        if index == 0:
            first = (round(width), round(height))
    return first


def _try_drawing(data: bytes, pages: int) -> None:
    """Let the other reader, which makes the pictures agents look at, open the file and draw page 1."""
    from app.inspection import drawing

    try:
        if drawing.count_pages(data, PDF) != pages:
            raise Refusal("broken_pdf")
        drawing.draw_page(data, PDF, 0, 120)
    except Refusal:
        raise
    except MemoryError as error:
        raise Refusal("too_complex") from error
    except Exception as error:  # pdfium's refusal has no type of its own
        raise Refusal("broken_pdf") from error
