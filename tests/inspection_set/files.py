"""Files that are faulty before anybody reads them: empty, blurred, locked, armed, disguised, cut short."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image

from tests.inspection_set import layouts as look
from tests.inspection_set import scans
from tests.inspection_set.case import Case, Needs, Paper, Printer, declared_of
from tests.inspection_set.engines import page_html, saved, typst_pdf
from tests.inspection_set.people import C, Facts

ORANGER = Facts(C["oranger"])
SHEET = Paper(look.rne_table)


def file_cases(_printer: Printer | None) -> Iterator[Case]:
    yield from _empty()
    yield from _something_else()
    yield from _unreadable()
    yield from _locked_and_armed()
    yield from _disguised()


def _case(name: str, what: str, make: Callable[[], bytes], kind: str = "rne", needs: Needs = "text") -> Case:
    return Case(f"fault-{name}", kind, declared_of(ORANGER), make, fault=what, needs=needs)


def _good() -> bytes:
    return SHEET.pdf(ORANGER)


def _paper_of(shade: int, seed: int, strength: float) -> Any:
    return scans.noisy(Image.new("RGB", (1240, 1754), (shade, shade, shade)), seed, strength)


def _empty() -> Iterator[Case]:
    yield _case("blank.pdf", "blank", lambda: typst_pdf([]))
    yield _case("blank-three-pages.pdf", "blank", lambda: typst_pdf([{"kind": "page"}, {"kind": "page"}]))
    yield _case("blank-scan.pdf", "blank", lambda: scans.scan_pdf(_paper_of(250, 21, 0.03), 150))
    yield _case("blank-scan-grey.jpg", "blank", lambda: scans.jpeg(_paper_of(205, 22, 0.05)))
    yield _case(
        "blank-scan-shadow.png", "blank", lambda: scans.png(scans.shaded(Image.new("RGB", (1240, 1754), "white")))
    )


def _something_else() -> Iterator[Case]:
    what = "something_else"
    yield _case("landscape.jpg", what, lambda: scans.jpeg(scans.landscape()), needs="ocr")
    yield _case("face.jpg", what, lambda: scans.jpeg(scans.face()), needs="ocr")
    yield _case(
        "receipt.jpg", what, lambda: scans.jpeg(scans.noisy(Paper(look.invoice).picture(ORANGER), 23)), needs="ocr"
    )
    yield _case("landscape.pdf", what, lambda: scans.scan_pdf(scans.landscape(9), 150), needs="ocr")


def _unreadable() -> Iterator[Case]:
    what = "unreadable"

    def seen() -> Any:
        return scans.raster(_good(), 150)

    yield _case("blurred.jpg", what, lambda: scans.jpeg(scans.blurred(seen(), 10)))
    yield _case("blurred-scan.pdf", what, lambda: scans.scan_pdf(scans.blurred(scans.noisy(seen(), 24), 12), 150))
    yield _case("black.jpg", what, lambda: scans.jpeg(Image.new("RGB", (1240, 1754), (6, 6, 8))))
    yield _case("black-noise.png", what, lambda: scans.png(scans.noisy(Image.new("RGB", (900, 1200)), 25, 0.04)))
    yield _case(
        "overexposed.jpg", what, lambda: scans.jpeg(Image.blend(seen(), Image.new("RGB", seen().size, "white"), 0.985))
    )
    yield _case("tiny.png", what, lambda: scans.png(seen().resize((60, 80))))
    yield _case("thumbnail.jpg", what, lambda: scans.jpeg(seen().resize((150, 212))))
    yield _case("huge.png", "huge", lambda: scans.png(Image.new("1", (16_000, 12_000), 1)))
    yield _case("huge-page.pdf", "huge", _huge_page)


def _huge_page() -> bytes:
    import pikepdf

    pdf = pikepdf.open(io.BytesIO(_good()))
    pdf.pages[0].MediaBox = pikepdf.Array([0, 0, 40_000, 56_000])
    return saved(pdf)


def _locked_and_armed() -> Iterator[Case]:
    import pikepdf

    def changed(change: Callable[[Any], None], **options: Any) -> bytes:
        pdf = pikepdf.open(io.BytesIO(_good()))
        change(pdf)
        return saved(pdf, **options)

    def locked(revision: int, aes: bool) -> bytes:
        code = pikepdf.Encryption(user="sesame", owner="sesame-2", R=revision, aes=aes, metadata=aes)
        return changed(lambda _pdf: None, encryption=code, deterministic_id=False)

    def script() -> Any:
        return pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert('bonjour');"))

    def at_opening(pdf: Any) -> None:
        pdf.Root.OpenAction = script()

    def by_name(pdf: Any) -> None:
        names = pikepdf.Array([pikepdf.String("debut"), pdf.make_indirect(script())])
        pdf.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=names))

    def on_a_button(pdf: Any) -> None:
        note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 90, 90], A=script())
        pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([note]))

    def with_file(pdf: Any) -> None:
        pdf.attachments["tableau.xlsx"] = b"PK\x03\x04 rien"

    def with_note(pdf: Any) -> None:
        stream = pdf.make_stream(b"echo bonjour", Type=pikepdf.Name.EmbeddedFile)
        spec = pikepdf.Dictionary(
            Type=pikepdf.Name.Filespec, F=pikepdf.String("a.bat"), EF=pikepdf.Dictionary(F=stream)
        )
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FileAttachment, Rect=[0, 0, 20, 20], FS=spec
        )
        pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([note]))

    yield _case("locked-aes.pdf", "encrypted", lambda: locked(6, True))
    yield _case("locked-rc4.pdf", "encrypted", lambda: locked(3, False))
    yield _case("script-opening.pdf", "script", lambda: changed(at_opening))
    yield _case("script-by-name.pdf", "script", lambda: changed(by_name))
    yield _case("script-button.pdf", "script", lambda: changed(on_a_button))
    yield _case("attachment.pdf", "attachment", lambda: changed(with_file))
    yield _case("attachment-note.pdf", "attachment", lambda: changed(with_note))


def _disguised() -> Iterator[Case]:
    what = "not_what_it_says"
    yield _case("zip-as.pdf", what, _zip)
    yield _case("page-as.pdf", what, lambda: page_html(look.rne_table(ORANGER)).encode())
    yield _case("program-as.pdf", what, lambda: b"MZ\x90\0" + bytes(range(256)) * 40)
    yield _case("text-as.jpg", what, lambda: b"Identifiant unique : 1403627D")
    yield _case("cut-short.pdf", "damaged", lambda: _good()[:-900])
    yield _case(
        "half.jpg", "damaged", lambda: (lambda data: data[: len(data) // 2])(scans.jpeg(scans.raster(_good(), 100)))
    )
    yield _case("nothing.pdf", "damaged", lambda: b"")


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("extrait.txt", (2026, 1, 1, 0, 0, 0)), "Identifiant unique : 1403627D")
    return out.getvalue()
