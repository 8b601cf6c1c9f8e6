"""The columns of a file of people: how they are called, on screen and in files (ORD-5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from app.identifiers import fold


@dataclass(frozen=True, slots=True)
class FileColumn:
    """One column. ``title`` stands in files, always in French; ``others``: what else it may be called, folded."""

    key: str
    label: object
    title: str
    others: tuple[str, ...]
    required: bool = True
    example: str = ""


COLUMNS: tuple[FileColumn, ...] = (
    FileColumn(
        "identity_number", _l("Numéro pièce d'identité"), "Numéro pièce d'identité",
        ("cin", "n cin", "no cin", "num cin", "numero cin", "numero de cin", "numero de la cin", "numero d identite",
         "numero de piece d identite", "numero de la piece d identite", "n piece d identite", "no piece d identite",
         "numero de piece", "numero piece"),
        example="01234567",
    ),
    FileColumn("last_name", _l("Nom"), "Nom", ("nom de famille", "nom latin", "nom en francais"), example="Ben Foulan"),
    FileColumn("first_name", _l("Prénom"), "Prénom", ("prenom latin", "prenom en francais"), example="Foulan"),
    FileColumn(
        "last_name_ar", _l("Nom en arabe"), "Nom en arabe",
        ("nom arabe", "nom ar", "اللقب", "لقب", "nom en arabe اللقب", "اللقب nom en arabe", "nom اللقب"),
        example="بن فلان",
    ),
    FileColumn(
        "first_name_ar", _l("Prénom en arabe"), "Prénom en arabe",
        ("prenom arabe", "prenom ar", "الاسم", "اسم", "prenom en arabe الاسم", "الاسم prenom en arabe",
         "prenom الاسم"),
        example="فلان",
    ),
    FileColumn(
        "birth_date", _l("Date de naissance"), "Date de naissance",
        ("date naissance", "naissance", "ne le", "nee le", "ne e le", "ddn"), example="17/03/1985",
    ),
    FileColumn(
        "mobile", _l("Téléphone mobile"), "Téléphone mobile",
        ("mobile", "gsm", "portable", "telephone", "tel", "tel mobile", "tel portable", "telephone portable",
         "numero de telephone", "numero mobile", "numero de mobile", "numero de portable"),
        example="+216 20 000 000",
    ),
    FileColumn(
        "email", _l("Email"), "Email",
        ("e mail", "mail", "courriel", "adresse email", "adresse e mail", "adresse mail", "adresse electronique",
         "adresse de courriel"),
        example="foulan.benfoulan@exemple.tn",
    ),
    FileColumn(
        "domains", _l("Domaines d'utilisation"), "Domaines d'utilisation",
        ("domaine d utilisation", "domaines", "domaine", "utilisation", "usage", "usages"),
    ),
    FileColumn(
        "validity_years", _l("Validité"), "Validité (ans)",
        ("validite", "duree", "duree de validite", "duree ans", "validite en annees", "validite an s"),
        required=False,
    ),
    FileColumn(
        "nationality", _l("Nationalité"), "Nationalité", ("pays", "pays de nationalite"), required=False,
        example="Tunisienne",
    ),
    FileColumn(
        "identity_kind", _l("Pièce d'identité"), "Pièce d'identité",
        ("type de piece", "type piece", "type de piece d identite", "type piece d identite", "nature de la piece"),
        required=False, example="CIN",
    ),
    FileColumn(
        "duplicate_reason", _l("Raison d'un autre certificat"), "Raison d'un autre certificat",
        ("raison", "motif", "motif du doublon", "justification"), required=False,
    ),
)  # fmt: skip
BY_KEY = {column.key: column for column in COLUMNS}
LINE_TITLE = "Ligne"
"""In a file of rows to mend: which row each of them takes the place of."""
WRONG_TITLE = "Ce qui ne va pas"
EXAMPLE_EMAIL = BY_KEY["email"].example
_NAMED = {fold(name): column.key for column in COLUMNS for name in (column.title, *column.others)}
_NAMED[fold(LINE_TITLE)] = "line"
_NAMED[fold(WRONG_TITLE)] = "wrong"


def column_named(title: str) -> str | None:
    """The key of the column of that title, however it is capitalised and accented."""
    return _NAMED.get(fold(title))


def titles(keys: Iterable[str]) -> str:
    """Columns as a sentence names them."""
    return ", ".join(f"« {BY_KEY[key].title} »" for key in keys)


def label_of(key: str) -> object:
    """A column as the page names it."""
    return BY_KEY[key].label if key in BY_KEY else key
