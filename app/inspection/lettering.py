"""How the letters of a PDF's page stand: which way up, and Arabic words that were stored as the eye meets them.

Runs on the bench (see ``bench``), like ``looking``: imports nothing of app.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from typing import Any

_ARABIC_WORD = re.compile(r"[\u0620-\u065f\u066e-\u06d3\ufb50-\ufdff\ufe70-\ufefc]{2,}")
MOST_ARABIC_WORDS = 6_000
SAMPLED = 240
"""Letters of a page whose direction is asked."""
FEW = 40
"""Letters from which a page has a right way up."""


def in_order(page: Any, text: str) -> str:
    """The text with each Arabic word in the order it is read.

    Report writers store Arabic as it looks, its last letter first, and pdfium turns some words of the others round;
    where the letters stand tells which are which: an Arabic word goes to the left.
    """
    if not _ARABIC_WORD.search(text) or page.count_chars() < len(text):
        return text
    letters = list(text)
    for number, word in enumerate(_ARABIC_WORD.finditer(text)):
        if number >= MOST_ARABIC_WORDS:
            break
        first, last = word.start(), word.end() - 1
        if _stands(page, first, text[first]) and _stands(page, last, text[last]) and _goes_right(page, first, last):
            letters[first : last + 1] = reversed(letters[first : last + 1])
    return "".join(letters)


def turn_of(page: Any, text: str, rotation: int) -> int:
    """By how many degrees clockwise (0, 90, 180, 270) the page must be turned for most of its letters to stand.

    ``rotation``: the page's own, already applied when it is shown.
    """
    places = [place for place, letter in enumerate(text) if letter.isalnum()]
    if len(places) < FEW or page.count_chars() < len(text):
        return 0
    from pypdfium2 import raw

    step = max(1, len(places) // SAMPLED)
    sides: Counter[int] = Counter()
    for place in places[::step]:
        angle = raw.FPDFText_GetCharAngle(page, place)
        if angle >= 0:  # clockwise from upright
            sides[round(math.degrees(angle) / 90) % 4 * 90] += 1
    if not sides:
        return 0
    side, count = sides.most_common(1)[0]
    return -(side + rotation) % 360 if count * 4 >= sides.total() * 3 else 0


def _stands(page: Any, place: int, letter: str) -> bool:
    """Is this letter the page's letter of that number? Where pdfium left one out, the numbers differ."""
    from pypdfium2 import raw

    return bool(raw.FPDFText_GetUnicode(page, place) == ord(letter))


def _goes_right(page: Any, first: int, last: int) -> bool:
    """Does the last letter stand to the right of the first, on one line?"""
    from pypdfium2 import raw

    boxes: list[list[float]] = []
    for place in (first, last):
        sides = [ctypes.c_double() for _side in ("left", "right", "bottom", "top")]
        if not raw.FPDFText_GetCharBox(page, place, *sides):
            return False
        boxes.append([float(side.value) for side in sides])
    (left, right, bottom, top), (other_left, other_right, other_bottom, other_top) = boxes
    same_line = bottom < other_top and other_bottom < top
    return same_line and other_left + other_right > left + right
