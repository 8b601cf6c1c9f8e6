"""What draws the blocks of a paper: Typst, HTML for a browser to print, a PDF written by hand, a pencil of pixels.

Each knows nothing of the others, so that the text inside the files is laid, cut and encoded in different ways.
"""

from __future__ import annotations

import functools
import html
import io
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.inspection_set.layouts import Block

HERE = Path(__file__).parent
FONTS = HERE.parents[1] / "app" / "papers" / "fonts"
ARABIC_FONT = FONTS / "IBMPlexSansArabic-Regular.ttf"

_LOOK: dict[str, Any] = {
    "width": 210, "height": 297, "margin": 22, "paper": "#ffffff", "ink": "#1d3557", "watermark": "", "footer": "",
    "fonts": ["Libertinus Serif", "IBM Plex Sans Arabic"], "size": 11, "lang": "fr", "justify": False, "columns": 1,
}  # fmt: skip

LOOKS: dict[str, dict[str, Any]] = {
    "serif": {},
    "sans": {"fonts": ["IBM Plex Sans Arabic"], "ink": "#006d5b", "size": 10},
    "justified": {"justify": True, "size": 12, "margin": 30},
    "newspaper": {"columns": 2, "fonts": ["New Computer Modern", "IBM Plex Sans Arabic"], "size": 10},
    "tiny": {"size": 5, "margin": 40, "fonts": ["New Computer Modern", "IBM Plex Sans Arabic"]},
    "watermarked": {"watermark": "COPIE CONFORME", "paper": "#fbf8ee", "ink": "#6d1a36"},
    "mono": {"fonts": ["DejaVu Sans Mono", "IBM Plex Sans Arabic"], "size": 9},
    "letter": {"width": 216, "height": 279, "footer": "www.registre.example — page 1/1 — imprimé par guichet 7"},
    "card": {"width": 86, "height": 62, "margin": 4, "size": 7, "fonts": ["IBM Plex Sans Arabic"], "paper": "#eef3f0"},
    "passport": {"width": 125, "height": 88, "margin": 7, "size": 7, "fonts": ["IBM Plex Sans Arabic"]},
}


def qr_svg(text: str) -> str:
    import segno

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=4, xmldecl=False, light="white")
    return out.getvalue().decode()


# --- Typst ----------------------------------------------------------------------------------------


@functools.cache
def _typst() -> Any:
    import typst

    return typst.Compiler(str(HERE / "sheet.typ"), root=str(HERE), font_paths=[str(FONTS)], ignore_system_fonts=True)


def typst_pdf(blocks: list[Block], look: str = "serif") -> bytes:
    """The paper as Typst sets it: shaped Arabic, ligatures, subset fonts."""
    ready = [
        {"kind": "qr", "svg": qr_svg(block["text"]), "mm": block["mm"]} if block["kind"] == "qr" else block
        for block in blocks
    ]
    data = json.dumps(_LOOK | LOOKS[look] | {"blocks": ready}, ensure_ascii=False)
    return bytes(_typst().compile(format="pdf", sys_inputs={"data": data}))


# --- HTML, for Chromium to print ------------------------------------------------------------------


def page_html(blocks: list[Block]) -> str:
    """The paper as a page with real tables, to be printed to PDF by a browser."""
    return (
        '<!doctype html><meta charset="utf-8"><style>body{font:13px sans-serif}table{border-collapse:collapse}'
        "td{border:1px solid #999;padding:4px 8px}.b{display:flex;gap:2em}</style>" + "".join(map(_html, blocks))
    )


def _html(block: Block) -> str:
    turned = ' dir="rtl" lang="ar"' if block.get("rtl") else ""
    match block["kind"]:
        case "head":
            return f"<h2{turned}>{html.escape(block['text'])}</h2>"
        case "section" | "para" | "mono":
            return f"<p{turned}>{html.escape(block['text'])}</p>"
        case "rows" | "table":
            return f"<table{turned}>{''.join(map(_row, block['rows']))}</table>"
        case "four":
            lines = ([a, b, f"\u2067{c}\u2069", d] for a, b, c, d in block["rows"])
            return f"<table>{''.join(map(_row, lines))}</table>"
        case "beside":
            sides = ("".join(map(_html, side)) for side in block["sides"])
            return f"<div class=b>{''.join(f'<div>{side}</div>' for side in sides)}</div>"
        case "qr":
            return f"<p>{qr_svg(block['text'])}</p>".replace('width="', 'data-w="').replace(
                'height="', 'style="width:90px" data-h="'
            )
        case _:
            return ""


def _row(cells: list[str]) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


# --- a PDF written by hand ------------------------------------------------------------------------


def lines_of(block: Block) -> Iterator[tuple[str, bool]]:
    """The block's lines of text, each with whether it is read from right to left."""
    rtl = bool(block.get("rtl"))
    match block["kind"]:
        case "rows":
            yield from ((f"{label} : {value}", rtl) for label, value in block["rows"])
        case "table":
            yield from (("   ".join(row), rtl) for row in block["rows"])
        case "four":
            for latin, value, arabic, label in block["rows"]:
                yield f"{latin} : {value}", False
                yield f"{label} : {arabic}", True
        case "beside":
            for side in block["sides"]:
                for inner in side:
                    yield from lines_of(inner)
        case "logo":
            yield f"{block['text']} {block['side']}", False
        case kind if "text" in block and kind != "qr":
            yield block["text"], rtl


def old_pdf(blocks: list[Block], *, scattered: bool = False) -> bytes:
    """A PDF of twenty years ago: Helvetica that is not embedded, accents of Windows; Latin text only.

    ``scattered``: each word is placed by itself, and the lines are written from the bottom of the page upwards.
    """
    import pikepdf

    pieces, y = [], 800.0
    for block in blocks:
        for line, _rtl in lines_of(block):
            for part in _wrapped(line, 88):
                pieces.append((60.0, y, part))
                y -= 16
        y -= 8
    if scattered:
        pieces = [piece for x, y, line in reversed(pieces) for piece in _words(x, y, line)]
    stream = b"BT /F1 11 Tf "
    for x, y, part in pieces:
        stream += b"1 0 0 1 %.1f %.1f Tm (%s) Tj " % (x, y, _escaped(part))
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(595, 842))
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica,
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )  # fmt: skip
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=pdf.make_indirect(font)))
    page.Contents = pdf.make_stream(stream + b"ET")
    return saved(pdf)


def _wrapped(line: str, width: int) -> Iterator[str]:
    while len(line) > width:
        cut = line.rfind(" ", 0, width)
        yield line[:cut]
        line = line[cut + 1 :]
    yield line


def _words(x: float, y: float, line: str) -> Iterator[tuple[float, float, str]]:
    for word in line.split():
        yield x, y, word
        x += _width(word + " ")


def _width(text: str) -> float:
    """About what Helvetica takes, in points at 11."""
    return 11 * sum(0.71 if c.isupper() else 0.29 if c in " .,:;'ijl/" else 0.56 for c in text)


def _escaped(text: str) -> bytes:
    raw = text.encode("cp1252", "replace")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def saved(pdf: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    pdf.save(out, **({"deterministic_id": True} | options))
    return out.getvalue()


# --- Arabic as old programs write it --------------------------------------------------------------


def visual(text: str) -> str:
    """The line in presentation forms and in the order it is seen, left to right, as old report writers put it."""
    shaped = _shaped(text)
    runs: list[str] = []
    for char in shaped:
        weak = char.isdigit() or (char.isascii() and (char.isalnum() or char in "/-.:"))
        if weak and runs and (runs[-1][-1].isdigit() or (runs[-1][-1].isascii() and runs[-1][-1] != " ")):
            runs[-1] += char  # numbers and Latin words keep their own order
        else:
            runs.append(char)
    return "".join(reversed(runs))


@functools.cache
def _forms() -> dict[tuple[str, str], str]:
    """(letter, initial | medial | final | isolated) → the old code point of that shape."""
    table = {}
    for code in range(0xFE80, 0xFEFD):
        kind, *letters = unicodedata.decomposition(chr(code)).split()
        if len(letters) == 1:
            table[chr(int(letters[0], 16)), kind.strip("<>")] = chr(code)
    return table


def _shaped(text: str) -> str:
    forms = _forms()
    joins_on = {letter for letter, kind in forms if kind == "initial"}
    known = {letter for letter, _kind in forms}
    out = []
    for place, char in enumerate(text):
        before = place > 0 and text[place - 1] in joins_on
        after = char in joins_on and place + 1 < len(text) and text[place + 1] in known - {"ء"}
        kind = {(0, 0): "isolated", (0, 1): "initial", (1, 0): "final", (1, 1): "medial"}[before, after]
        out.append(forms.get((char, kind), char))
    return "".join(out)


def visual_blocks(blocks: list[Block]) -> list[Block]:
    """Every Arabic line of the blocks as an old program writes it, forced left to right."""
    out = []
    for block in blocks:
        for line, rtl in lines_of(block):
            if rtl:  # cut into lines first, turned round afterwards
                parts = _wrapped(line, 60)
                out += [{"kind": "para", "text": "\u202d" + visual(part) + "\u202c"} for part in parts]
            else:
                out.append({"kind": "para", "text": line})
    return out


# --- a pencil of pixels ---------------------------------------------------------------------------


def drawn(blocks: list[Block], *, width: int = 1240, size: int = 30, paper: str = "white", ink: str = "#222") -> Any:
    """A picture of the paper, drawn line by line; about 150 dpi for an A4 page."""
    from PIL import Image, ImageDraw, ImageFont

    height = round(width * 1.414)
    image = Image.new("RGB", (width, height), paper)
    pencil = ImageDraw.Draw(image)
    y = size * 3
    for block in blocks:
        if block["kind"] == "qr":
            image.paste(qr_picture(block["text"], 6), (width - 320, height - 340))
            continue
        big = size * 1.5 if block["kind"] == "head" else size
        font = ImageFont.truetype(str(ARABIC_FONT), round(big))
        for line, rtl in lines_of(block):
            for part in _wrapped(line, round(width / size * 1.7)):
                length = font.getlength(part, direction="rtl" if rtl else "ltr")
                x = width - 90 - length if rtl else 90
                pencil.text((x, y), part, font=font, fill=ink, direction="rtl" if rtl else "ltr")
                y += round(big * 1.75)
        y += size // 2
    return image


def qr_picture(text: str, scale: int) -> Any:
    import segno
    from PIL import Image

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="png", scale=scale, border=4)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")
