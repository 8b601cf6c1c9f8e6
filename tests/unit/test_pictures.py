"""Pictures the server makes of documents: right page, right way up, bounded, marked (REV-1, SEC-3)."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image

from app.errors import DomainError, NotFound
from app.inspection import drawing, intake, pictures

PDF = "application/pdf"


def pdf(*sizes: tuple[float, float], content: bytes = b"1 0 0 rg 0 0 20 20 re f") -> bytes:
    """Pages of those sizes, each with a red square at its bottom left."""
    document = pikepdf.new()
    for width, height in sizes:
        page = document.add_blank_page(page_size=(max(3, min(width, 14400)), max(3, min(height, 14400))))
        page.obj.MediaBox = Array([0, 0, width, height])
        page.Contents = Stream(document, content)
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def stored_picture(kind: str = "PNG", size: tuple[int, int] = (400, 300)) -> tuple[bytes, str]:
    image = Image.new("RGB", size, "white")
    image.paste((255, 0, 0), (0, size[1] - 60, 60, size[1]))
    output = io.BytesIO()
    image.save(output, kind)
    result = intake.read_upload(output.getvalue(), "a")
    return result.data, result.media_type


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image.convert("RGB")


def is_red(image: Image.Image, x: float, y: float) -> bool:
    red, green, blue = image.getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))
    return red > 180 and green < 90 and blue < 90


@pytest.mark.spec("REV-1")
@pytest.mark.parametrize(
    "rotate, corner",
    [(0, (0.02, 0.98)), (90, (0.02, 0.02)), (180, (0.98, 0.02)), (270, (0.98, 0.98)), (-90, (0.98, 0.98))],
)
@pytest.mark.parametrize("source", ["pdf", "PNG", "JPEG"])
def test_a_page_is_turned_clockwise(source: str, rotate: int, corner: tuple[float, float]) -> None:
    data, media_type = (pdf((200, 150)), PDF) if source == "pdf" else stored_picture(source)
    image = opened(pictures.render_page(data, media_type, 0, 200, rotate=rotate))
    corners = {(x, y) for x in (0.02, 0.98) for y in (0.02, 0.98) if is_red(image, x, y)}
    assert corners == {corner}
    assert image.width == 200
    assert image.height == (150 if rotate % 180 == 0 else 267)


@pytest.mark.spec("REV-1")
def test_each_page_is_counted_and_drawn_and_no_other_exists() -> None:
    data = pdf((200, 100), (100, 200), (300, 300))
    assert pictures.page_count(data, PDF) == 3
    shapes = [opened(pictures.render_page(data, PDF, page, 100)).size for page in range(3)]
    assert shapes == [(100, 50), (100, 200), (100, 100)]
    for page in (3, -1, 10**9):
        with pytest.raises(NotFound):
            pictures.render_page(data, PDF, page, 100)
    picture, media_type = stored_picture()
    assert pictures.page_count(picture, media_type) == 1
    with pytest.raises(NotFound):
        pictures.render_page(picture, media_type, 1, 100)


@pytest.mark.spec("SEC-3")
@pytest.mark.parametrize(
    "size", [(1e9, 1e9), (3, 14_400), (14_400, 3), (1e7, 1), (1, 1e7), (0.001, 0.001), (-200, 150)]
)
@pytest.mark.parametrize("width", [-5, 0, 1, 240, 10**9])
def test_no_page_box_and_no_width_can_make_a_huge_picture(size: tuple[float, float], width: int) -> None:
    try:
        image = opened(pictures.render_page(pdf(size), PDF, 0, width))
    except pictures.PictureUnavailable:
        return
    assert image.width * image.height <= drawing.MAX_DRAWN_PIXELS * 1.01
    assert image.width <= drawing.MAX_WIDTH
    assert image.height <= drawing.MAX_HEIGHT


@given(
    st.floats(0.1, 1e6), st.floats(0.1, 1e6), st.integers(-10, 10**7)
)  # fmt: skip
def test_a_page_s_size_stays_within_every_limit(page_width: float, page_height: float, width: int) -> None:
    wide, high = drawing.fitted(page_width, page_height, width)
    assert 1 <= wide <= drawing.MAX_WIDTH
    assert 1 <= high <= drawing.MAX_HEIGHT
    assert wide * high <= drawing.MAX_DRAWN_PIXELS * 1.01


@pytest.mark.spec("SEC-3")
@pytest.mark.parametrize("source", ["pdf", "PNG", "JPEG"])
def test_the_watermark_reaches_every_part_of_the_picture(source: str) -> None:
    data, media_type = (pdf((200, 280)), PDF) if source == "pdf" else stored_picture(source, (700, 980))
    words = "vu par agent@demo.tuntrust.tn le 22/11/2026 10:42"
    plain = opened(pictures.render_page(data, media_type, 0, 700))
    marked = opened(pictures.render_page(data, media_type, 0, 700, watermark=words))
    assert plain.size == marked.size == (700, 980)
    for x in range(0, 700, 350):
        for y in range(0, 980, 245):
            part = (x, y, x + 350, y + 245)
            before, after = plain.crop(part).tobytes(), marked.crop(part).tobytes()
            changed = sum(abs(a - b) > 25 for a, b in zip(before, after, strict=True))
            assert 0.003 < changed / len(before) < 0.2, part  # there, and the document still readable


def test_a_thumbnail_is_small_in_both_senses() -> None:
    small = pictures.thumbnail(*stored_picture("JPEG", (3000, 4000)))
    assert opened(small).size == (240, 320)
    assert len(small) < 20_000


def test_a_small_picture_is_not_blown_up() -> None:
    data, media_type = stored_picture("PNG", (120, 80))
    assert opened(pictures.render_page(data, media_type, 0, 2000)).size == (120, 80)


def test_a_lossless_picture_is_asked_for_by_the_readers_of_codes() -> None:
    assert pictures.render_page(pdf((50, 50)), PDF, 0, 100, lossless=True).startswith(b"\x89PNG")
    assert pictures.render_page(pdf((50, 50)), PDF, 0, 100).startswith(b"\xff\xd8\xff")


def test_what_was_typed_into_a_form_is_drawn() -> None:
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(200, 200))
    look = document.make_stream(
        b"1 0 0 rg 0 0 200 200 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 200, 200])
    )
    field = document.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Tx,
            T=pikepdf.String("name"),
            F=4,
            Rect=Array([0, 0, 200, 200]),
            AP=Dictionary(N=look),
            P=page.obj,
        )
    )
    page.Annots = Array([field])
    document.Root.AcroForm = Dictionary(Fields=Array([field]))
    output = io.BytesIO()
    document.save(output)
    assert is_red(opened(pictures.render_page(output.getvalue(), PDF, 0, 100)), 0.5, 0.5)


def test_a_file_that_cannot_be_drawn_is_a_sentence() -> None:
    for data, media_type in ((b"%PDF-1.7 nonsense", PDF), (b"nonsense", "image/png"), (b"", "image/jpeg")):
        with pytest.raises(pictures.PictureUnavailable) as caught:
            pictures.render_page(data, media_type, 0, 100)
        assert isinstance(caught.value, DomainError)
        assert str(caught.value).endswith(".")


def test_an_angle_that_is_no_quarter_turn_is_a_programmer_s_error() -> None:
    with pytest.raises(ValueError, match="multiple of 90"):
        pictures.render_page(pdf((50, 50)), PDF, 0, 100, rotate=45)


@pytest.mark.spec("REV-1")
def test_many_threads_draw_at_once_and_each_gets_its_own_page() -> None:
    data = pdf(*[(100, 100 + 10 * n) for n in range(20)])
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda page: pictures.render_page(data, PDF, page % 20, 100), range(80)))
    assert [opened(one).height for one in drawn] == [100 + 10 * (n % 20) for n in range(80)]


def test_the_drawing_functions_are_themselves_safe_between_threads() -> None:
    data = pdf(*[(100, 100 + 10 * n) for n in range(8)])
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda page: drawing.draw_page(data, PDF, page % 8, 100), range(64)))
    assert [opened(one).height for one in drawn] == [100 + 10 * (n % 8) for n in range(64)]
