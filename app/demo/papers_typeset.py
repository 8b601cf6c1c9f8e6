"""Typst for the demonstration papers, and the drawings they share: emblem, seal, signature, QR code."""

from __future__ import annotations

import functools
import io
import json
import math
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from typst import Compiler

SHEETS = Path(__file__).with_name("sheets")
FONTS = Path(__file__).parents[1] / "papers" / "fonts"

Point = tuple[float, float]


def typeset(data: dict[str, Any]) -> bytes:
    """Return the PDF of ``sheets/sheet.typ`` filled with the data, passed as JSON, never as markup."""
    return _compiled("sheet", "pdf", {"data": _json(data)})


def picture_of_card(data: dict[str, Any], dpi: float) -> bytes:
    """Return the PNG of ``sheets/card.typ`` filled with the data."""
    return _compiled("card", "png", {"data": _json(data)}, dpi)


@functools.lru_cache(maxsize=64)
def picture_of_mark(svg: str, dpi: float) -> bytes:
    """Return the drawing, 40 mm wide, as a PNG with transparency."""
    return _compiled("mark", "png", {"svg": svg}, dpi)


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False)


def _compiled(sheet: str, kind: Literal["pdf", "png"], inputs: dict[str, str], dpi: float = 144) -> bytes:
    output = _compiler(sheet).compile(format=kind, ppi=dpi, sys_inputs=inputs)
    if not isinstance(output, bytes):  # a list when a picture has several pages
        raise ValueError(f"{sheet}.typ: expected one {kind}")
    return output


@functools.cache
def _compiler(sheet: str) -> Compiler:
    """Kept for the process: reading the fonts costs more than a page."""
    import typst

    return typst.Compiler(
        str(SHEETS / f"{sheet}.typ"), root=str(SHEETS), font_paths=[str(FONTS)], ignore_system_fonts=True
    )


def qr_svg(text: str) -> str:
    """Return a QR code of the text as SVG."""
    import segno

    output = io.BytesIO()
    segno.make(text, error="m", micro=False).save(output, kind="svg", border=1, xmldecl=False)
    return output.getvalue().decode()


@functools.cache
def emblem_svg(color: str) -> str:
    """Return an invented rosette: nobody's coat of arms."""
    petals = "".join(
        f'<ellipse cx="50" cy="24" rx="7" ry="18" transform="rotate({angle} 50 50)"/>' for angle in range(0, 360, 30)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<g fill="none" stroke="{color}" stroke-width="2">{petals}<circle cx="50" cy="50" r="46"/></g>'
        f'<circle cx="50" cy="50" r="9" fill="{color}"/></svg>'
    )


def seal_svg(around: str, middle: str, color: str = "#2a3f8f", tilt: float = -9) -> str:
    """Return a round rubber stamp: words around, one or two lines in the middle."""
    radius, size = 39.0, 8.6
    words = f"{around} ★ "
    # Letters are laid one by one: no dependency on a renderer's support of text on a path.
    step = min(9.0, 360 / len(words))
    letters = "".join(
        f'<text x="50" y="{50 - radius + size * 0.35:.2f}" transform="rotate({index * step - 180:.2f} 50 50)" '
        f'font-size="{size}">{escape(letter)}</text>'
        for index, letter in enumerate(words)
    )
    lines = middle.split("\n")
    centre = "".join(
        f'<text x="50" y="{53 + 9 * (index - (len(lines) - 1) / 2):.1f}" font-size="8">{escape(line)}</text>'
        for index, line in enumerate(lines)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" opacity="0.78">'
        f'<g transform="rotate({tilt} 50 50)" fill="none" stroke="{color}" stroke-width="1.6">'
        '<circle cx="50" cy="50" r="47"/><circle cx="50" cy="50" r="33" stroke-width="0.9"/></g>'
        f'<g transform="rotate({tilt} 50 50)" fill="{color}" text-anchor="middle" '
        f'font-family="IBM Plex Sans Arabic" font-weight="600">{letters}{centre}</g></svg>'
    )


def signature_svg(name: str, color: str = "#1c2f86") -> str:
    """Return a signature as strokes, always the same for the same name."""
    paths = "".join(
        '<path d="M' + " L".join(f"{x * 200:.1f},{y * 80:.1f}" for x, y in stroke) + '"/>'
        for stroke in signature_strokes(name)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 80">'
        f'<g fill="none" stroke="{color}" stroke-width="2.4" stroke-linecap="round" '
        f'stroke-linejoin="round">{paths}</g></svg>'
    )


def signature_strokes(name: str) -> list[list[Point]]:
    """Invent a handwriting for the name: smooth strokes in a box of 1 by 1."""
    chance = random.Random(f"signature of {name}")
    loops = chance.uniform(4.0, 7.0)
    lean, depth = chance.uniform(0.1, 0.5), chance.uniform(0.16, 0.3)
    phase, swell = chance.uniform(0, 6), chance.uniform(0.8, 1.8)
    main: list[Point] = []
    for step in range(180):
        t = step / 179
        envelope = 0.35 + 0.65 * abs(math.cos(swell * math.pi * t + phase))
        angle = loops * 2 * math.pi * t
        y = 0.5 + depth * envelope * math.sin(angle) + 0.05 * math.sin(3.1 * t + phase)
        x = 0.06 + 0.8 * t + 0.055 * math.cos(angle) - lean * (y - 0.5) * 0.4
        main.append((x, y))
    capital = [
        (0.1 + 0.09 * math.cos(a / 8 + phase), 0.38 + 0.3 * math.sin(a / 8 + phase) * (1 - a / 90)) for a in range(46)
    ]
    tail = chance.uniform(0.68, 0.86)
    flourish = [
        (0.94 - 0.85 * t, tail + 0.1 * math.sin(math.pi * t * chance.choice([1.0, 1.0, 1.02])))
        for t in (step / 60 for step in range(61))
    ]
    return [capital, main, flourish] if chance.random() < 0.75 else [main, flourish]
