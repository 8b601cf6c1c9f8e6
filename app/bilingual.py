"""What a reader gets in their language: sentences kept in French and Arabic, amounts (REV-2, I18-1)."""

from __future__ import annotations

import re

from flask_babel import get_locale
from flask_babel import gettext as _

from app.money import format_arabic, format_english, format_millimes

_ARABIC = re.compile(r"[\u0620-\u064a]")
_LATIN_WORDS = re.compile(r"[A-Za-zÀ-ÿ’']{2,}(?:[\s,;:]+[A-Za-zÀ-ÿ’']{2,}){2}")


def for_reader(french: str, arabic: str) -> str:
    """The sentence in the reader's language; where it is missing, the other one rather than nothing."""
    wants_arabic = str(get_locale() or "fr").startswith("ar")
    return (arabic or french) if wants_arabic else (french or arabic)


def amount_for_reader(millimes: int | None) -> str:
    """An amount as the reader's language writes it; « la somme » for one in another currency, which has no figures."""
    if millimes is None:
        return _("la somme")
    language = str(get_locale() or "fr")[:2]
    return {"ar": format_arabic, "en": format_english}.get(language, format_millimes)(millimes)


def is_arabic(text: str) -> bool:
    """Does the text hold Arabic words?"""
    return _ARABIC.search(text) is not None


def lacks_arabic(text: str) -> bool:
    """Will an Arabic reader meet a French passage here? Names, codes and abbreviations are none."""
    return bool(text.strip()) and (not is_arabic(text) or _LATIN_WORDS.search(text) is not None)


def joined(french: tuple[str, ...], arabic: tuple[str, ...]) -> tuple[str, str]:
    """A sentence made of parts given in either language: where one lacks a part, it takes the other's.

    Without a word of Arabic the second is empty: readers then get the French sentence as it is.
    """
    pairs = [(one.strip(), other.strip()) for one, other in zip(french, arabic, strict=True)]
    whole = " ".join(one or other for one, other in pairs if one or other)
    in_arabic = " ".join(other or one for one, other in pairs if one or other)
    return whole, in_arabic if any(other for _one, other in pairs) else ""
