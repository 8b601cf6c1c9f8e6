"""What our one font can show. PDF/A refuses a text with a character of no glyph; a paid invoice must print all the
same, so such characters (an address in another script, an emoji) become a visible mark instead of an error.
"""

import re
import struct
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

FONT: Final = Path(__file__).parent / "fonts" / "IBMPlexSansArabic-Regular.ttf"
MISSING: Final = "?"
BREAK: Final = "\u200b"
"""Zero-width space, which needs no glyph: where a long word may break."""
LONGEST_WORD: Final = 34

_LONG_WORD = re.compile(rf"(?<!\S)(?!https?://)\S{{{LONGEST_WORD + 1},}}")
_BREAKS = re.compile(r"[@._/\\-]|[^@._/\\-]{20}")
_NARROW_SPACE = str.maketrans({"\u202f": "\u00a0"})  # the font has no narrow one


def printable(value: Any) -> Any:
    """The same JSON value with every text in it as the font can show it."""
    if isinstance(value, str):
        return show(value)
    if isinstance(value, Mapping):
        return {key: printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [printable(item) for item in value]
    return value


def show(text: str) -> str:
    """The text with control characters as spaces, without direction overrides, and « ? » where no glyph is.

    Words too long for a column get places to break, web addresses excepted: they are there to be copied.
    """
    if not (text.isascii() and text.isprintable()):
        composed = unicodedata.normalize("NFC", text).translate(_NARROW_SPACE)
        text = "".join(_shown(char) for char in composed)
    return _LONG_WORD.sub(lambda word: _BREAKS.sub(lambda part: part[0] + BREAK, word[0]), text)


def _shown(char: str) -> str:
    kind = unicodedata.category(char)
    if ord(char) in _glyphs() and kind != "Cf":
        return char
    if kind in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if kind in ("Cf", "Mn", "Me"):
        return ""
    plain = unicodedata.normalize("NFKD", char)
    kept = "".join(part for part in plain if ord(part) in _glyphs() and not unicodedata.combining(part))
    return kept or MISSING


@cache
def _glyphs() -> frozenset[int]:
    """The code points of the font, from its cmap (OpenType, table format 4: runs of code points)."""
    font = FONT.read_bytes()
    tables = struct.unpack(">H", font[4:6])[0]
    records = (struct.unpack(">4sIII", font[12 + 16 * i : 28 + 16 * i]) for i in range(tables))
    cmap = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    count = struct.unpack(">H", font[cmap + 2 : cmap + 4])[0]
    found: set[int] = set()
    for place in range(count):
        offset = struct.unpack(">I", font[cmap + 8 + 8 * place : cmap + 12 + 8 * place])[0]
        found |= _format_4(font, cmap + offset)
    return frozenset(found)


def _format_4(font: bytes, start: int) -> set[int]:
    if struct.unpack(">H", font[start : start + 2])[0] != 4:
        return set()
    runs = struct.unpack(">H", font[start + 6 : start + 8])[0] // 2

    def numbers(offset: int) -> tuple[int, ...]:
        return struct.unpack(f">{runs}H", font[start + offset : start + offset + 2 * runs])

    ends, starts = numbers(14), numbers(16 + 2 * runs)
    deltas, offsets = numbers(16 + 4 * runs), numbers(16 + 6 * runs)
    found: set[int] = set()
    for run, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for code in range(first, last + 1):
            glyph = code
            if offsets[run]:
                at = start + 16 + 6 * runs + 2 * run + offsets[run] + 2 * (code - first)
                glyph = struct.unpack(">H", font[at : at + 2])[0]
            if glyph and (glyph + deltas[run]) & 0xFFFF:
                found.add(code)
    return found - {0xFFFF}
