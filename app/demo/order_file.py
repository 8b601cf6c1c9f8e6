"""A file of people as an administrator's spreadsheet saves it, with what goes wrong in such files (ORD-5, ORD-6)."""

from __future__ import annotations

from collections.abc import Sequence

from app.demo.people import Person
from app.services.order_files.columns import COLUMNS

NAME = "recrutement-automne.csv"


def file_of(people: Sequence[Person], domains: str) -> bytes:
    """The people as CSV: a lost zero, a name of somebody else's, a wrong date and mobile."""
    rows = [[column.title for column in COLUMNS]]
    for number, person in enumerate(people):
        cells = {
            "identity_number": person.identity_number,
            "last_name": person.last_name,
            "first_name": person.first_name,
            "last_name_ar": person.last_name_ar,
            "first_name_ar": person.first_name_ar,
            "birth_date": person.birth_date.strftime("%d/%m/%Y"),
            "mobile": person.mobile,
            "email": person.email,
            "domains": domains,
        }
        if number == 0:
            cells["identity_number"] = person.identity_number.lstrip("0")
        elif number == 1:
            cells["first_name_ar"] = people[2].first_name_ar
        elif number == 2:
            cells |= {"birth_date": "31/02/1988", "mobile": "2345"}
        rows.append([cells.get(column.key, "") for column in COLUMNS])
    return "\r\n".join(";".join(row) for row in rows).encode("utf-8-sig")
