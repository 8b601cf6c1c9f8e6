"""Files of invented people, as administrators send them (ORD-5)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

import xlsxwriter

from tests import factories

TITLES = {
    "identity_number": "CIN",
    "last_name": "Nom",
    "first_name": "Prénom",
    "last_name_ar": "اللقب",
    "first_name_ar": "الاسم",
    "birth_date": "Date de naissance",
    "mobile": "Téléphone mobile",
    "email": "Email",
    "domains": "Domaines d'utilisation",
}


def row(**values: object) -> dict[str, str]:
    """One person's cells, right unless said otherwise."""
    person = factories.person()
    cells = {key: str(person.get(key, "")) for key in TITLES}
    cells["birth_date"] = person["birth_date"].strftime("%d/%m/%Y")
    cells["domains"] = "TUNEPS / TTN"
    return {**cells, **{key: str(value) for key, value in values.items()}}


def csv_of(rows: Iterable[Mapping[str, str]], *, mark: str = ";", titles: Mapping[str, str] | None = None) -> bytes:
    """The rows as a CSV in UTF-8."""
    named = titles or TITLES
    lines = [list(named.values()), *([each.get(key, "") for key in named] for each in rows)]
    return "\r\n".join(mark.join(f'"{cell}"' for cell in line) for line in lines).encode()


def xlsx_of(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The same as a workbook; numbers and days as spreadsheets hold them when they are given as such."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet("Feuil1")
    for line, cells in enumerate([TITLES, *rows]):
        for place, key in enumerate(TITLES):
            value = cells.get(key, "")
            if hasattr(value, "isoformat"):
                sheet.write_datetime(line, place, value, day)
            else:
                sheet.write(line, place, value)
    book.close()
    return target.getvalue()
