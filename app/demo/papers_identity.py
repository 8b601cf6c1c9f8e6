"""Copies of invented identity documents, of an invented design, marked SPECIMEN (ORG-5, OPS-1)."""

from __future__ import annotations

import io
import random
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from app.demo.papers_scans import jpeg_of, photographed
from app.demo.papers_typeset import emblem_svg, picture_of_card

Kind = Literal["CIN", "CARTE_SEJOUR", "PASSEPORT"]

_TITLES = {
    "CIN": ("Carte d’identité (exemple)", "بطاقة تعريف (مثال)"),
    "CARTE_SEJOUR": ("Carte de séjour (exemple)", "بطاقة إقامة (مثال)"),
    "PASSEPORT": ("Passeport (exemple)", "جواز سفر (مثال)"),
}
_COLORS = {
    "CIN": ("#0f6a6f", "#d7eeec"),
    "CARTE_SEJOUR": ("#6b3f86", "#eadff2"),
    "PASSEPORT": ("#7a2433", "#f6e3e0"),
}
_NUMBERS = {"CIN": "cin", "CARTE_SEJOUR": "residence_number", "PASSEPORT": "passport_number"}
_DEFAULTS: dict[str, Any] = {
    "first_name": "Foulan",
    "last_name": "Ben Foulan",
    "first_name_ar": "فلان",
    "last_name_ar": "بن فلان",
    "birth_date": date(1985, 4, 12),
    "birth_place": "Tunis",
    "birth_place_ar": "تونس",
    "nationality": "Tunisienne",
    "number": "00000000",
    "expires_on": None,
}


def identity_copy(person: Mapping[str, Any], kind: Kind = "CIN") -> bytes:
    """Return a JPEG that looks like a photograph of the document on a desk.

    ``person``: first_name, last_name, first_name_ar, last_name_ar, birth_date, birth_place(_ar),
    nationality, number (else cin, residence_number or passport_number by the kind), expires_on. What is missing is
    invented. The same person and kind always give the same bytes.
    """
    from PIL import Image

    p = _DEFAULTS | {key: value for key, value in person.items() if value}
    p["number"] = person.get("number") or person.get(_NUMBERS[kind]) or p["number"]
    seed = f"{kind} {p['last_name']} {p['first_name']} {p['number']}"
    ink, pale = _COLORS[kind]
    title, title_ar = _TITLES[kind]
    rows = [
        ("N°", str(p["number"]), ""),
        ("Nom", str(p["last_name"]).upper(), str(p["last_name_ar"])),
        ("Prénom", str(p["first_name"]), str(p["first_name_ar"])),
        ("Né(e) le", f"{p['birth_date']:%d/%m/%Y}", ""),
        ("À", str(p["birth_place"]), str(p["birth_place_ar"])),
    ]
    if kind != "CIN":
        rows.append(("Nationalité", str(p["nationality"]), ""))
    if p["expires_on"]:
        rows.append(("Expire le", f"{p['expires_on']:%d/%m/%Y}", ""))
    png = picture_of_card(
        {
            "kind": kind,
            "ink": ink,
            "pale": pale,
            "title": title,
            "title_ar": title_ar,
            "rows": [{"label": label, "value": value, "value_ar": arabic} for label, value, arabic in rows],
            "face": _face_svg(seed, ink),
            "emblem": emblem_svg(ink),
            "machine": _machine_lines(p) if kind == "PASSEPORT" else [],
        },
        dpi=180 if kind == "PASSEPORT" else 240,
    )
    with Image.open(io.BytesIO(png)) as card:
        return jpeg_of(photographed(card, seed), 200)


def _face_svg(seed: str, ink: str) -> str:
    """Draw a silhouette without features: nobody's portrait."""
    chance = random.Random(seed)
    skin = chance.choice(["#c99d7c", "#b98563", "#d8b08f", "#a9764f"])
    hair = chance.choice(["#2a211c", "#4a3526", "#1b1b1f", "#6b5b4d"])
    coat = chance.choice(["#33475b", "#5b3b46", "#3f4f3d", "#4a4a55"])
    long_hair = chance.random() < 0.5
    fall = f'<path d="M27 48 Q24 90 33 104 L67 104 Q76 90 73 48Z" fill="{hair}"/>' if long_hair else ""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 125">'
        f'<rect width="100" height="125" fill="#e9edf0" stroke="{ink}" stroke-width="1.5"/>{fall}'
        f'<path d="M8 125 Q10 92 38 86 L62 86 Q90 92 92 125Z" fill="{coat}"/>'
        f'<path d="M41 74 h18 v14 q-9 9 -18 0Z" fill="{skin}"/>'
        f'<ellipse cx="50" cy="54" rx="20" ry="26" fill="{skin}"/>'
        f'<path d="M28 52 Q28 24 50 24 Q72 24 72 52 Q66 36 50 36 Q34 36 28 52Z" fill="{hair}"/></svg>'
    )


def _machine_lines(person: Mapping[str, Any]) -> list[str]:
    """Two lines in the manner of a machine-readable zone, which no machine accepts (no check digits)."""
    names = f"{_plain(person['last_name'])}<<{_plain(person['first_name'])}"
    first = f"SPECIMEN<{names}"
    second = f"{_plain(person['number'])}<DEMONSTRATION<{person['birth_date']:%y%m%d}"
    return [line[:40].ljust(40, "<") for line in (first, second)]


def _plain(value: object) -> str:
    folded = unicodedata.normalize("NFKD", str(value)).encode("ascii", "ignore").decode().upper()
    return "".join(letter if letter.isalnum() else "<" for letter in folded)
