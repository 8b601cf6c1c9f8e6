"""The reference data that ships with the product, as rows; README.md beside says where each file comes from.

Pure reading: csv → dictionaries of texts, so that leading zeros of codes stay. Importing into the database is
the services' business.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
Row = dict[str, str]


def rows(name: str) -> Iterator[Row]:
    """The rows of one of the product's CSV files, by its name without ending (``tn_localities``)."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def governorates() -> list[Row]:
    """The 24: iso_3166_2, name_fr, name_ar, postal_codes, two_digit_prefixes."""
    return list(rows("tn_governorates"))


def delegations() -> list[Row]:
    """governorate_iso, governorate, delegation."""
    return list(rows("tn_delegations"))


def localities() -> Iterator[Row]:
    """governorate_iso, governorate, delegation, locality, postal_code, post_office, sources_agreeing."""
    return rows("tn_localities")


def postal_codes() -> list[Row]:
    """postal_code, governorate_iso, governorate, delegations, localities, sources_agreeing."""
    return list(rows("tn_postal_codes"))


def teif_codes() -> list[Row]:
    """referentiel, code, libelle."""
    return list(rows("teif_codes"))


def reasons() -> list[Row]:
    """Ready-made reasons: kind, code, text_fr, text_ar."""
    return list(rows("reasons"))


def canned_replies() -> list[Row]:
    """Ready-made replies: code, title, text_fr, text_ar."""
    return list(rows("canned_replies"))


def text(name: str) -> str:
    """A text shipped with the product, by its file name (``cgu_v1_fr.md``)."""
    return (FOLDER / name).read_text(encoding="utf-8")
