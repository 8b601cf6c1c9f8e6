"""Files of people, good and bad: each kind of wrong file has its sentence, and nothing in one is run (ORD-5)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask

from app.models import IdentityKind
from app.services.order_files.reading import FileRefused, Table, read_file
from app.services.order_files.values import Offer, Own, RowRead, read_row

TITLES = "CIN;Nom;Prénom;Nom en arabe;Prénom en arabe;Date de naissance;Téléphone mobile;Email;Domaines d'utilisation"
PERSON = "01234567;Gharbi;Sonia;الغربي;سنية;17/03/1985;20 123 456;s.gharbi@exemple.tn;TUNEPS / TTN"
FILE = f"{TITLES}\r\n{PERSON}\r\n"
OFFER = Offer(1, {"tuneps": 1, "ttn": 2, "ejebaya": 3}, ["TUNEPS", "TTN", "E-JEBAYA"], [2])
OWN = Own("admin@exemple.tn", (IdentityKind.CIN, "00000001"))
CELLS = dict(
    zip(
        ("identity_number", "last_name", "first_name", "last_name_ar", "first_name_ar", "birth_date", "mobile", "email",
         "domains"),
        PERSON.split(";"),
        strict=True,
    )
)  # fmt: skip


def read(app: Flask, data: bytes | str) -> Table:
    with app.test_request_context():
        return read_file(data.encode() if isinstance(data, str) else data)


def refused(app: Flask, data: bytes | str) -> str:
    with pytest.raises(FileRefused) as refusal:
        read(app, data)
    return " ".join(refusal.value.sentences)


@pytest.mark.spec("ORD-5")
@pytest.mark.parametrize(
    "data",
    [
        FILE.encode(),
        FILE.encode("utf-8-sig"),
        FILE.replace(";", ",").encode(),
        FILE.replace(";", "\t").encode(),
        FILE.replace("\r\n", "\r").encode(),
        f"Équipe de l'automne\r\n\r\n{FILE}".encode(),
        f'{TITLES}\r\n="01234567"{PERSON.removeprefix("01234567")}'.encode(),
        "\r\n".join(";".join(reversed(line.split(";"))) for line in FILE.split("\r\n")[:2]).encode(),
        TITLES.upper().replace(";NOM EN ARABE", ";اللقب").encode() + b"\n" + PERSON.encode(),
    ],
    ids=["utf-8", "mark", "comma", "tab", "old mac", "lines before", "text formula", "other order", "other titles"],
)
def test_the_same_person_however_the_file_was_saved(app: Flask, data: bytes) -> None:
    table = read(app, data)
    assert [row.cells for row in table.rows] == [CELLS]


@pytest.mark.spec("ORD-5")
def test_windows_1252_keeps_its_accents(app: Flask) -> None:
    data = FILE.replace("Sonia", "Hédi").replace("الغربي", "?????").replace("سنية", "????").encode("cp1252")
    [row] = read(app, data).rows
    assert row.cells["first_name"] == "Hédi"
    assert "arabes ont été perdues" in problems(app, **row.cells)["last_name_ar"]


def archive(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name.replace("_", "/", 1) if name.startswith("xl") else name, data)
    return target.getvalue()


def book(fill: Callable[..., object]) -> bytes:
    import xlsxwriter

    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as made:
        sheet = made.add_worksheet()
        for line, text in enumerate((TITLES, PERSON)):
            for place, cell in enumerate(text.split(";")):
                sheet.write_string(line, place, cell)
        fill(made, sheet)
    return target.getvalue()


def bomb() -> bytes:
    return archive(**{"[Content_Types].xml": b"x", "xl_workbook.xml": bytes(70 << 20)})


def entities() -> bytes:
    parts = {"[Content_Types].xml": b"x", "xl_workbook.xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>'}
    return archive(**parts)


@pytest.mark.spec("ORD-5")
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xef\xbb\xbf\r\n", "est vide"),
        (TITLES, "ne contient personne"),
        ("a;b;c\n1;2;3", "doit nommer les colonnes"),
        (FILE.replace("Email", "Adresse postale"), "Il manque des colonnes : « Email »"),
        (FILE.replace("CIN", "Nom"), "« Nom » y est deux fois"),
        (FILE + PERSON.replace(";", ","), "séparateurs se mêlent"),
        (FILE.replace("TUNEPS", "TUNEPS;TTN"), "Plus de cases que de titres"),
        (FILE.replace("Gharbi", '"Gharbi'), "guillemet"),
        ("Nom;" * 1_000_000, "La ligne 1 a plus de 200 cases"),
        (TITLES + "\n" + "1;" * 201, "La ligne 2 a plus de 200 cases"),
        (";" * 4_000_000 + "\n", "est vide"),
        (FILE.encode() + b"1;Mel\xe9;", "La ligne 3 contient un caractère qui n'est pas de l'UTF-8"),
        (FILE.replace("é", "e").encode("cp1256"), "ni UTF-8 ni Windows-1252"),
        (FILE.encode("utf-16"), "UTF-16"),
        (TITLES + "\n" + f"{PERSON}\n" * 501, "501 lignes : 500 au plus"),
        (b"x" * (10 << 20), "trop grand : 5 Mo"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "ancien (.xls) ou protégé"),
        (archive(readme=b"hello"), "archive ZIP"),
        (archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "n'est pas au format XLSX"),
        (bomb, "démesuré"),
        (entities, "démesuré une fois"),
        (book(lambda made, sheet: None)[:-400], "abîmé"),
        (book(lambda made, sheet: sheet.write(1_048_575, 16_383, "x")), "trop lourd"),
        (book(lambda made, sheet: sheet.merge_range(2, 0, 3, 1, "x")), "fusionnées, par exemple en A3"),
    ],
    ids=[f"wrong {n}" for n in range(24)],
)
def test_a_file_that_cannot_be_read_says_why(
    app: Flask, data: bytes | str | Callable[[], bytes], sentence: str
) -> None:
    assert sentence in refused(app, data() if callable(data) else data)


@pytest.mark.spec("ORD-5")
def test_numbers_and_days_of_a_workbook_are_read_as_people_see_them(app: Flask) -> None:
    def fill(made: object, sheet: object) -> None:
        sheet.write_number(1, 0, 1234567)
        sheet.write_datetime(1, 5, date(1985, 3, 17), made.add_format({"num_format": "mmm yyyy"}))
        sheet.write_number(1, 6, 20123456)
        sheet.write_formula(1, 7, '=LOWER("S.GHARBI@EXEMPLE.TN")', None, "s.gharbi@exemple.tn")

    [row] = read(app, book(fill)).rows
    assert row.cells == {**CELLS, "identity_number": "1234567", "mobile": "20123456"}


def of(app: Flask, **cells: str) -> RowRead:
    with app.test_request_context():
        return read_row({**CELLS, **cells}, OFFER, OWN)


def problems(app: Flask, **cells: str) -> dict[str, str]:
    return dict(map(tuple, of(app, **cells).problems))


@pytest.mark.spec("ORD-5")
@pytest.mark.parametrize(
    ("column", "text", "sentence"),
    [
        ("identity_number", "1234567A", "ne compte que des chiffres"),
        ("identity_number", "1,23457E+07", "Le tableur a abrégé ce numéro"),
        ("identity_number", "=A1+1", "comme une formule"),
        ("last_name", "=HYPERLINK(x)", "comme une formule"),
        ("last_name", "-Gharbi", "comme une formule"),
        ("email", "@SUM(A1)", "comme une formule"),
        ("mobile", "=1+1", "comme une formule"),
        ("last_name", "#REF!", "erreur du tableur"),
        ("first_name_ar", "Sonia", "caractères arabes"),
        ("last_name", "G" * 61, "trop long"),
        ("birth_date", "17/03/85", "quatre chiffres"),
        ("birth_date", "03/17/1985", "n'existe pas"),
        ("birth_date", "17/03/2020", "18 ans"),
        ("birth_date", "", "Écrivez la date de naissance"),
        ("mobile", "71 000 000", "mobile"),
        ("email", "s.gharbi", "adresse e-mail complète"),
        ("domains", "TUNEPS / DOUANE", "« DOUANE » n'est pas un domaine"),
        ("domains", "", "TUNEPS, TTN, E-JEBAYA"),
        ("validity_years", "7", "en années : 2"),
        ("nationality", "Syldave", "nom du pays"),
        ("nationality", "Française", "sa carte de séjour"),
        ("identity_kind", "Permis", "CIN, Carte de séjour ou Passeport"),
        ("identity_kind", "Passeport", "obligatoire pour les personnes de nationalité tunisienne"),
    ],
)
def test_a_wrong_cell_says_what_is_wrong(app: Flask, column: str, text: str, sentence: str) -> None:
    found = problems(app, **{column: text})
    assert sentence in " ".join(found.values())
    assert of(app, **{column: text}).line is None


@pytest.mark.spec("ORD-5", "ORD-6")
@pytest.mark.parametrize(
    ("column", "text", "stored", "said"),
    [
        ("identity_number", "1234567", "01234567", "Zéros rétablis"),
        ("mobile", "21620123456", "+21620123456", "« + » rétabli"),
        ("birth_date", "31123", date(1985, 3, 17), "Date gardée en nombre"),
        ("birth_date", "1985-03-17", date(1985, 3, 17), ""),
        ("birth_date", "١٧/٠٣/١٩٨٥", date(1985, 3, 17), ""),
        ("first_name_ar", "منية", "منية", "ne se prononcent pas de même : vérifiez le prénom"),
        ("last_name_ar", "سنية", "سنية", "vérifiez le nom"),
        ("duplicate_reason", "=second poste", "=second poste", ""),
        ("validity_years", "2 ans", 2, ""),
        ("domains", "e-jebaya ; TTN", (3, 2), ""),
    ],
)
def test_what_has_one_reading_is_read_and_said(app: Flask, column: str, text: str, stored: object, said: str) -> None:
    found = of(app, **{column: text})
    assert found.line is not None
    assert getattr(found.line, {"domains": "domain_ids"}.get(column, column)) == stored
    assert said in " ".join(sentence for _key, sentence in found.remarks)
    assert bool(found.remarks) == bool(said)


@pytest.mark.spec("ORD-6")
def test_names_in_the_wrong_arabic_columns_are_seen(app: Flask) -> None:
    [[_column, sentence]] = of(app, last_name_ar="سنية", first_name_ar="الغربي").remarks
    assert "intervertis" in sentence


@pytest.mark.spec("ORD-5")
def test_a_foreigner_gives_a_passport(app: Flask) -> None:
    cells = {"nationality": "Française", "identity_kind": "passeport", "identity_number": "12 ab 34567"}
    found = of(app, **cells).line
    assert found is not None
    assert (found.nationality, found.identity_kind, found.identity_number) == ("FR", "PASSEPORT", "12AB34567")
