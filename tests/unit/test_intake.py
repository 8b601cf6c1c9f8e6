"""Received files: content decides, a refusal is a sentence, nothing hostile gets through (SEC-3, ORG-4)."""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Stream, String
from PIL import Image, ImageDraw

from app.errors import DomainError
from app.inspection import bench, intake
from app.inspection.intake import MAX_SIZE, IntakeResult, UploadRefused, read_upload

pytestmark = pytest.mark.slow


def picture(kind: str, size: tuple[int, int] = (320, 200), mode: str = "RGB", **options: object) -> bytes:
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for step in range(0, size[0], 9):
        pen.line((step, 0, size[0] - step, size[1]), fill=(step % 255, 40, 90), width=2)
    output = io.BytesIO()
    if mode == "I;16":
        image = image.convert("I").point(lambda value: value * 257)
    image.convert(mode).save(output, kind, **options)
    return output.getvalue()


def pdf(change: Callable[[pikepdf.Pdf], None] = lambda _: None, pages: int = 1, **options: object) -> bytes:
    document = pikepdf.new()
    for _ in range(pages):
        page = document.add_blank_page(page_size=(595, 842))
        page.Contents = Stream(document, b"0 0 1 RG 50 50 300 300 re S " * 20)
    change(document)
    output = io.BytesIO()
    document.save(output, **options)
    return output.getvalue()


def refused(data: bytes, name: str = "piece.pdf", **options: object) -> UploadRefused:
    with pytest.raises(UploadRefused) as caught:
        read_upload(data, name, **options)
    assert isinstance(caught.value, DomainError)
    assert len(str(caught.value)) > 30
    return caught.value


def outcome(data: bytes) -> IntakeResult | UploadRefused:
    try:
        return read_upload(data, "anything")
    except UploadRefused as error:
        return error


# ---------------------------------------------------------------- what is accepted


@pytest.mark.spec("ORG-4", "SEC-3")
@pytest.mark.parametrize(
    "kind, mode, kept",
    [
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("PNG", "1", "image/png"),
        ("PNG", "LA", "image/png"),
        ("PNG", "I;16", "image/png"),
        ("GIF", "P", "image/png"),
        ("GIF", "1", "image/png"),
    ],
)
def test_every_accepted_picture_is_written_anew(kind: str, mode: str, kept: str) -> None:
    data = picture(kind, mode=mode)
    result = read_upload(data, "scan.bin")
    assert result.media_type == kept
    assert (result.width, result.height, result.pages) == (320, 200, 1)
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert result.size == len(data)
    with Image.open(io.BytesIO(result.data)) as again:
        again.load()
        assert Image.MIME[again.format] == kept
        grey = again.convert("L")
        assert grey.getextrema()[0] < 128 < grey.getextrema()[1]  # still a picture of something


@pytest.mark.spec("ORG-4")
@pytest.mark.parametrize("name", ["extrait.exe", "extrait.png", "", "sans extension"])
def test_the_content_decides_and_not_the_name(name: str) -> None:
    assert read_upload(pdf(), name).media_type == "application/pdf"


@pytest.mark.spec("SEC-3")
def test_a_pdf_is_kept_byte_for_byte_so_that_its_signatures_survive() -> None:
    data = pdf(pages=3)
    result = read_upload(data, "contrat signé.pdf")
    assert result.data == data
    assert (result.pages, result.width, result.height, result.extension) == (3, 595, 842, "pdf")


def test_small_faults_that_every_viewer_forgives_are_forgiven() -> None:
    assert read_upload(b"\xef\xbb\xbf\r\n" + pdf(), "a.pdf").pages == 1
    assert read_upload(pdf() + b"\0" * 5000 + b"\r\n", "a.pdf").pages == 1
    shifted = pdf().replace(b"startxref\n", b"startxref\n9")
    assert "repaired" in read_upload(shifted, "a.pdf").notes


@pytest.mark.spec("ORG-4")
def test_ten_mebibytes_are_accepted_and_one_byte_more_is_not() -> None:
    base = picture("JPEG")
    assert read_upload(base + b"\0" * (MAX_SIZE - len(base)), "a.jpg").media_type == "image/jpeg"
    error = refused(base + b"\0" * (MAX_SIZE - len(base) + 1))
    assert error.code == "too_large"
    assert "10 Mo" in str(error)
    assert "10,1" in str(error)


def test_the_sentence_of_a_large_file_says_how_large() -> None:
    with pytest.raises(UploadRefused, match=r"dépasse 10 Mo \(il en fait 12,4\).*200 dpi"):
        intake.check_size(int(12.35 * 1024 * 1024))
    intake.check_size(MAX_SIZE)


@pytest.mark.spec("SEC-3")
def test_metadata_is_dropped_and_the_picture_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right
    exif[0x010F] = "SecretPhoneMaker"
    data = picture("JPEG", exif=exif, comment=b"SecretComment", icc_profile=b"SecretProfile" * 20)
    assert b"Secret" in data
    result = read_upload(data, "photo.jpg")
    assert (result.width, result.height) == (200, 320)
    assert b"Secret" not in result.data
    with Image.open(io.BytesIO(result.data)) as again:
        assert len(again.getexif()) == 0


@pytest.mark.spec("SEC-3")
def test_what_hides_behind_or_inside_a_picture_is_gone() -> None:
    for kind in ("JPEG", "PNG", "GIF"):
        data = picture(kind) + b"<script>alert(1)</script>%PDF-1.7"
        assert b"script" not in read_upload(data, "a").data


def test_transparency_is_laid_on_white() -> None:
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    output = io.BytesIO()
    image.save(output, "PNG")
    with Image.open(io.BytesIO(read_upload(output.getvalue(), "a.png").data)) as again:
        assert again.mode == "RGB"
        assert again.getpixel((25, 25)) == (255, 255, 255)


def test_an_animated_gif_keeps_its_first_frame_and_says_so() -> None:
    frames = [Image.new("RGB", (40, 40), shade) for shade in ("red", "green", "blue")]
    output = io.BytesIO()
    frames[0].save(output, "GIF", save_all=True, append_images=frames[1:])
    result = read_upload(output.getvalue(), "a.gif")
    assert set(result.notes) == {"first_frame", "converted_to_png"}
    assert result.extension == "png"


def test_a_very_large_scan_is_scaled_down_to_a_readable_size() -> None:
    result = read_upload(picture("PNG", (6000, 1500), mode="1"), "plan.png")
    assert (result.width, result.height) == (4800, 1200)
    assert "scaled_down" in result.notes


def test_a_pdf_that_opens_without_password_is_accepted_and_noted() -> None:
    data = pdf(encryption=pikepdf.Encryption(owner="owner", user=""))
    assert "owner_password" in read_upload(data, "a.pdf").notes


def test_a_pdf_with_links_forms_and_an_opening_view_is_accepted() -> None:
    def add(document: pikepdf.Pdf) -> None:
        page = document.pages[0]
        link = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]),
            A=Dictionary(S=Name.URI, URI=String("https://example.tn")),
        )  # fmt: skip
        page.Annots = Array([document.make_indirect(link)])
        document.Root.OpenAction = Array([page.obj, Name.Fit])
        document.Root.AcroForm = Dictionary(Fields=Array([]))
        page.Resources = Dictionary(Font=Dictionary(AA=Dictionary(Type=Name.Font, Subtype=Name.Type1)))

    assert read_upload(pdf(add), "a.pdf").pages == 1


# ---------------------------------------------------------------- what is refused


def _script_on_open(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def _script_by_name(document: pikepdf.Pdf) -> None:
    document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([])))


def _script_in_stream(document: pikepdf.Pdf) -> None:
    action = Dictionary(S=Name.JavaScript, JS=document.make_stream(b"app.alert(1)"))
    document.pages[0].Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Link, A=action)])


def _script_unreferenced_key(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.PieceInfo = Dictionary(X=Array([Array([Dictionary(JS=String("x"))])]))


def _page_trigger(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.GoTo, D=String("x")))


def _launch(document: pikepdf.Pdf) -> None:
    document.pages[0].Annots = Array([Dictionary(Subtype=Name.Link, A=Dictionary(S=Name.Launch, F=String("x")))])


def _submit(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.SubmitForm, F=String("https://example.tn"))


def _attachment(document: pikepdf.Pdf) -> None:
    document.attachments["virus.exe"] = b"MZ"


def _attachment_as_note(document: pikepdf.Pdf) -> None:
    file = Dictionary(Type=Name.Filespec, F=String("a"), EF=Dictionary(F=document.make_stream(b"MZ")))
    document.pages[0].Annots = Array([Dictionary(Subtype=Name.FileAttachment, FS=file)])


def _portfolio(document: pikepdf.Pdf) -> None:
    document.Root.Collection = Dictionary(View=Name.T)


def _media(document: pikepdf.Pdf) -> None:
    document.pages[0].Annots = Array([Dictionary(Subtype=Name.RichMedia)])


def _xfa(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = Dictionary(XFA=document.make_stream(b"<xdp/>"), Fields=Array([]))


def _huge_page(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.MediaBox = Array([0, 0, 10**9, 10**9])
    document.pages[0].obj.CropBox = Array([0, 0, 10**9, 10**9])


def _huge_unit(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.UserUnit = 75_000


def _flat_page(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.MediaBox = Array([0, 0, 0, 0])


def _no_page(document: pikepdf.Pdf) -> None:
    del document.pages[0]


def _huge_image(document: pikepdf.Pdf) -> None:
    image = document.make_stream(
        zlib.compress(b"\0" * 1000), Type=Name.XObject, Subtype=Name.Image, Width=60_000, Height=60_000,
        BitsPerComponent=8, ColorSpace=Name.DeviceRGB, Filter=Name.FlateDecode,
    )  # fmt: skip
    document.pages[0].Resources = Dictionary(XObject=Dictionary(I=image))


@pytest.mark.spec("SEC-3")
@pytest.mark.parametrize(
    "change, code",
    [
        (_script_on_open, "script"),
        (_script_by_name, "script"),
        (_script_in_stream, "script"),
        (_script_unreferenced_key, "script"),
        (_page_trigger, "active_content"),
        (_launch, "active_content"),
        (_submit, "active_content"),
        (_media, "active_content"),
        (_attachment, "attachment"),
        (_attachment_as_note, "attachment"),
        (_portfolio, "attachment"),
        (_xfa, "dynamic_form"),
        (_huge_page, "page_too_large"),
        (_huge_unit, "page_too_large"),
        (_flat_page, "broken_pdf"),
        (_no_page, "no_page"),
        (_huge_image, "too_many_pixels"),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "object-streams"])
def test_a_pdf_that_does_more_than_show_pages_is_refused(
    change: Callable[[pikepdf.Pdf], None], code: str, packed: bool
) -> None:
    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    assert refused(pdf(change, object_stream_mode=mode)).code == code


@pytest.mark.spec("SEC-3")
def test_a_pdf_with_a_password_is_refused() -> None:
    error = refused(pdf(encryption=pikepdf.Encryption(user="secret", owner="secret")))
    assert error.code == "encrypted"
    assert "mot de passe" in str(error)


def test_too_many_pages_are_refused_with_both_numbers() -> None:
    assert read_upload(pdf(pages=50), "a.pdf").pages == 50
    error = refused(pdf(pages=51))
    assert (error.code, "51" in str(error), "50" in str(error)) == ("too_many_pages", True, True)
    assert refused(pdf(pages=3), max_pages=2).code == "too_many_pages"


def test_an_empty_file_is_refused() -> None:
    assert refused(b"").code == "empty"


@pytest.mark.spec("ORG-4")
@pytest.mark.parametrize(
    "data, code, said",
    [
        (b"MZ\x90\0" + b"\0" * 400, "wrong_kind", "PDF, JPG, PNG, GIF"),
        (b"<html><script>alert(1)</script>", "wrong_kind", "format accepté"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "wrong_kind", "format accepté"),
        (b"plain words %PDF-1.7", "wrong_kind", "format accepté"),
        (b"\xff\xd8", "wrong_kind", "format accepté"),
        (b"PK\x03\x04....word/document.xml", "other_kind", "Word"),
        (b"PK\x03\x04....other", "other_kind", "ZIP"),
        (b"\0\0\0\x18ftypheic....", "other_kind", "HEIC"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "other_kind", "WebP"),
        (b"II*\0....", "other_kind", "TIFF"),
    ],
)
@pytest.mark.parametrize("name", ["extrait.pdf", "photo.jpg"])
def test_a_renamed_file_of_another_kind_is_refused(data: bytes, code: str, said: str, name: str) -> None:
    error = refused(data, name)
    assert error.code == code
    assert said in str(error)


def test_a_kind_that_this_field_does_not_take_is_named() -> None:
    error = refused(picture("PNG"), allowed={"pdf"})
    assert error.code == "other_kind"
    assert "PNG" in str(error)
    assert str(error).rstrip(".").endswith("PDF")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.95])
def test_a_picture_cut_short_is_refused(kind: str, part: float) -> None:
    data = picture(kind)
    assert refused(data[: max(12, int(len(data) * part))]).code == "broken_picture"


@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.97])
def test_a_pdf_cut_short_is_refused(part: float) -> None:
    data = pdf(pages=5)
    assert refused(data[: int(len(data) * part)]).code == "truncated"


def test_a_pdf_of_noise_between_its_marks_is_refused() -> None:
    assert refused(b"%PDF-1.7\n" + os.urandom(3000) + b"\n%%EOF").code == "broken_pdf"
    assert refused(b"%PDF-1.7\n%%EOF").code == "broken_pdf"


# ---------------------------------------------------------------- bombs: bounded time and memory


@pytest.mark.spec("SEC-3")
def test_a_picture_of_billions_of_pixels_is_refused_before_it_is_decoded() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    for side in (10_000, 100_000):
        header = side.to_bytes(4, "big") * 2 + b"\x01\0\0\0\0"
        row = zlib.compress(b"\0" * 5_000_000, 9)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")
        started = time.monotonic()
        assert refused(bomb, "a.png").code == "too_many_pixels"
        assert time.monotonic() - started < 3
    gif = b"GIF89a" + b"\xff\xff\xff\xff" + b"\0\0\0," + b"\0" * 4 + b"\xff\xff\xff\xff\0\x08\x01\0\0;"
    assert refused(gif, "a.gif").code == "too_many_pixels"


@pytest.mark.spec("SEC-3")
def test_a_pdf_whose_content_unpacks_to_gigabytes_is_refused_in_bounded_time() -> None:
    def bomb(document: pikepdf.Pdf) -> None:
        packer = zlib.compressobj(9)
        packed = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(1500)) + packer.flush()
        stream = document.make_stream(packed)
        stream.Filter = Name.FlateDecode
        document.pages[0].Contents = stream

    data = pdf(bomb, compress_streams=False)
    started = time.monotonic()
    assert refused(data).code in {"broken_pdf", "too_complex"}
    assert time.monotonic() - started < bench.TIMEOUT + 5


@pytest.mark.spec("SEC-3")
def test_a_page_that_takes_for_ever_to_draw_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(document: pikepdf.Pdf) -> None:
        """Twenty forms, each drawing the next one twenty times: more paint than the universe has time for."""
        inner = document.make_stream(b"0 0 500 500 re f", Type=Name.XObject, Subtype=Name.Form,
                                     BBox=Array([0, 0, 600, 850]))  # fmt: skip
        for _ in range(20):
            inner = document.make_stream(
                b"/N Do " * 20, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 600, 850]),
                Resources=Dictionary(XObject=Dictionary(N=inner)),
            )  # fmt: skip
        document.pages[0].Resources = Dictionary(XObject=Dictionary(N=inner))
        document.pages[0].Contents = document.make_stream(b"/N Do")

    real = bench.ask
    monkeypatch.setattr(bench, "ask", lambda *a, **k: real(*a, timeout=2.0, **k))
    started = time.monotonic()
    error = refused(pdf(endless))
    assert error.code == "too_complex"
    assert time.monotonic() - started < 6
    assert read_upload(pdf(), "next.pdf").pages == 1  # the bench has a fresh child


@pytest.mark.spec("SEC-3")
def test_a_child_that_dies_costs_one_refusal_and_nothing_else() -> None:
    read_upload(pdf(), "a.pdf")
    for child in list(bench._bench._idle):
        os.kill(child.process.pid, 9)
        child.process.wait()
    assert read_upload(pdf(), "b.pdf").pages == 1


@pytest.mark.spec("SEC-3")
def test_without_a_bench_the_person_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_bench", bench._Bench())
    monkeypatch.setattr(bench.sys, "executable", "/nowhere/python")
    assert refused(pdf()).code == "unavailable"


@pytest.mark.spec("SEC-3")
def test_the_child_knows_no_secret_and_cannot_write_a_file(tmp_path: Path) -> None:
    read_upload(pdf(), "a.pdf")
    (child, *_) = bench._bench._idle
    environment = Path(f"/proc/{child.process.pid}/environ").read_bytes()
    assert b"SECRET" not in environment
    assert b"DATABASE" not in environment
    limits = Path(f"/proc/{child.process.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max file size")]
    assert line.split()[3:5] == ["0", "0"]


def test_a_forked_process_gets_children_of_its_own() -> None:
    script = (
        "import os,sys\n"
        "from tests.unit.test_intake import pdf, read_upload\n"
        "data = pdf(); read_upload(data, 'a.pdf')\n"
        "pid = os.fork()\n"
        "assert read_upload(data, 'b.pdf').pages == 1\n"
        "sys.exit(0) if not pid else sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, timeout=60, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


# ---------------------------------------------------------------- anything at all


def _originals() -> list[bytes]:
    return [
        picture("JPEG", (120, 90)),
        picture("PNG", (120, 90)),
        picture("PNG", (90, 60), mode="P"),
        picture("GIF", (120, 90)),
        pdf(pages=2),
        pdf(_xfa, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        pdf(encryption=pikepdf.Encryption(user="", owner="x")),
    ]


def _mutated(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.choice([1, 3, 12, 60])):
        at = chance.randrange(max(1, len(damaged) - 1))
        match chance.randrange(5):
            case 0:
                damaged[at] = chance.randrange(256)
            case 1:
                del damaged[at : at + chance.randrange(1, 40)]
            case 2:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 40))
            case 3:
                damaged[at:at] = damaged[at : at + chance.randrange(1, 200)]
            case _:
                damaged[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
        if not damaged:
            break
    return bytes(damaged)


@pytest.mark.spec("REL-8", "SEC-3")
def test_500_malformed_uploads_are_kept_clean_or_refused_and_raise_nothing_else() -> None:
    chance = random.Random(20261122)
    originals = _originals()
    refusals = 0
    for turn in range(500):
        data = _mutated(originals[turn % len(originals)], chance)
        result = outcome(data)
        if isinstance(result, UploadRefused):
            assert result.code in intake.REASONS
            assert result.code != "unavailable"
            refusals += 1
        else:
            assert result.media_type in intake.EXTENSIONS
            assert result.data
    assert 150 < refusals < 500  # the mutations neither spare everything nor destroy everything


@pytest.mark.spec("SEC-3")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([b"", b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a"]),
    st.binary(max_size=600),
    st.sampled_from([b"", b"\n%%EOF"]),
)
def test_any_bytes_behind_any_signature_are_refused_with_a_sentence(head: bytes, body: bytes, tail: bytes) -> None:
    result = outcome(head + body + tail)
    if isinstance(result, UploadRefused):
        assert str(result).endswith(".")
    else:
        assert result.pages >= 1


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    "given_name, shown",
    [
        ("C:\\Users\\moi\\extrait RNE.pdf", "extrait RNE.pdf"),
        ("../../etc/passwd", "passwd"),
        ("facture\u202efdp.exe", "facturefdp.exe"),
        ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie: x.pdf"),
        ("سجل المؤسسات.pdf", "سجل المؤسسات.pdf"),
        ("e\u0301te\u0301.png", "été.png"),
        ("", "document"),
        ("...", "document"),
        ("\0\u200b", "document"),
    ],
)
def test_a_name_is_shown_without_folder_or_invisible_characters(given_name: str, shown: str) -> None:
    assert intake.display_name(given_name) == shown


@given(st.text())
def test_any_name_becomes_a_short_printable_one_and_stays_so(name: str) -> None:
    shown = intake.display_name(name)
    assert 1 <= len(shown) <= intake.MAX_NAME
    assert shown.isprintable()
    assert intake.display_name(shown) == shown


def test_a_long_name_keeps_its_extension() -> None:
    shown = intake.display_name("x" * 500 + ".pdf")
    assert shown.endswith("….pdf")
    assert len(shown) == intake.MAX_NAME


def test_every_reason_makes_a_whole_sentence() -> None:
    details = {
        "too_large": {"limit": "10", "found": "12,4"},
        "wrong_kind": {"allowed": "PDF"},
        "other_kind": {"found": "TIFF", "allowed": "PDF"},
        "too_many_pages": {"limit": 50, "found": 51},
        "page_too_large": {"page": 1},
        "too_many_pixels": {"limit": 60},
    }
    for code in intake.REASONS:
        sentence = str(intake.refusal(code, **details.get(code, {})))
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "%" not in sentence
    assert all(str(note).endswith(".") for note in intake.NOTES.values())
