"""RapidPost offices near somebody: by gouvernorat, delegation, name or postal code (APP-2)."""

from __future__ import annotations

from dataclasses import dataclass

from app.identifiers import fold
from app.models import PostOffice
from app.queries import reference

ALL = 2000


@dataclass(frozen=True, slots=True)
class Offices:
    """What was found; ``elsewhere``: nothing in the gouvernorat, so the whole country was searched."""

    rows: list[PostOffice]
    elsewhere: bool = False


def offices_near(governorate_id: int | None, text: str) -> Offices:
    """Active offices of a gouvernorat whose name, delegation, gouvernorat or postal code holds the words typed.

    Words that the gouvernorat does not know are looked for in the whole country; without gouvernorat and words
    there is nothing to show yet.
    """
    words = fold(text).split()
    if governorate_id is not None:
        found = _matching(reference.post_offices(governorate_id=governorate_id, limit=ALL), words)
        if found or not words:
            return Offices(found)
    if not words:
        return Offices([])
    found = _matching(reference.post_offices(limit=ALL), words)
    return Offices(found[:100], elsewhere=governorate_id is not None and bool(found))


def _matching(offices: list[PostOffice], words: list[str]) -> list[PostOffice]:
    if not words:
        return offices
    governorates = {each.id: each.name_fr for each in reference.governorates()}
    found = [each for each in offices if all(_holds(each, governorates[each.governorate_id], word) for word in words)]
    typed = " ".join(words)
    return sorted(found, key=lambda each: not fold(each.name_fr).startswith(typed))  # stable: those so named come first


def _holds(office: PostOffice, governorate: str, word: str) -> bool:
    if word.isdigit():
        return office.postal_code.startswith(word)
    return word in fold(f"{office.name_fr} {office.delegation} {office.address} {governorate}")
