"""Facts in a document's words: numbers, names, days, whatever the spelling (REV-3)."""

from __future__ import annotations

import unicodedata
from datetime import date
from time import process_time

import pytest

from app.inspection.days import Role, find_days
from app.inspection.naming import find_legal_name, find_person
from app.inspection.numbers import find_document_number, find_tax_ids, other_cards
from app.inspection.text import Reading
from app.inspection.words import LONGEST_LINE, MOST_WORDS, Words, key_of
from tests.unit.inspected_papers import reading

pytestmark = pytest.mark.spec("REV-3")


def words(text: str, sure: int | None = None) -> Words:
    return Words(reading(text, sure=sure))


@pytest.mark.parametrize(
    "printed",
    [
        "Matricule fiscal : 1234567R",
        "MF 1234567/R",
        "1234567 R/A/M/000",
        "1234567/R/A/M/000",
        "1234567RAM000",
        "IU: 1234567-R",
        "المعرف الجبائي ١٢٣٤٥٦٧R",
        "المعرف الوحيد R1234567",
        "1 234 567 R",
    ],
)
def test_a_tax_id_is_found_in_each_of_its_spellings(printed: str) -> None:
    assert "1234567R" in {each.value for each in find_tax_ids(words(printed))}


@pytest.mark.parametrize("printed", ["Capital 1000000 Dinars", "Tél 71 234 567 Fax", "RNE261234567", "01234567 CIN"])
def test_other_figures_are_no_tax_id(printed: str) -> None:
    assert not [each for each in find_tax_ids(words(printed)) if each.fits]


def test_what_ocr_confuses_is_mended_only_when_the_letter_then_fits() -> None:
    assert [each.value for each in find_tax_ids(words("IU I2345G7R 12345O7R", sure=90))] == []
    assert "1234567R" in {each.value for each in find_tax_ids(words("Identifiant I23456 7R I234567R", sure=90))}


@pytest.mark.parametrize(
    "printed",
    [
        "Raison sociale SOCIETE DES OLIVIERS DU SAHEL",
        "Les Oliviers du Sahel SARL",
        "STE OLIVIERS SAHEL S.A.R.L",
        "Entreprises oliviers-du-Sahel",
        "SAHEL DU OLIVIERS DES SOCIETE",
    ],
)
def test_a_legal_name_is_found_whatever_its_form_case_and_order(printed: str) -> None:
    assert find_legal_name(words(printed), "Société des Oliviers du Sahel") is not None


def test_arabic_whose_ligatures_a_pdf_reader_turned_round_is_found() -> None:
    assert key_of("رشكه") == key_of("شركه")
    assert find_legal_name(words("التسمية االجتماعية رشكة زياتني الساحل"), "شركة زياتين الساحل") is not None
    assert find_person(words("االسم واللقب أمرية بن صالح"), "أميرة بن صالح") is not None


@pytest.mark.parametrize(
    "printed", ["BEN SALAH Amira", "Amira BENSALAH", "Mme Amira Ben-Salah", "ben salah ep. X amira"]
)
def test_a_person_is_found_in_either_order_and_joined(printed: str) -> None:
    assert find_person(words(printed), "Amira Ben Salah") is not None


def test_a_namesake_is_not_the_person() -> None:
    assert find_person(words("Gérant : BEN SALAH Karim, né à Tunis"), "Amira Ben Salah") is None


def test_a_small_slip_of_ocr_is_forgiven_in_a_long_word_only() -> None:
    assert find_legal_name(words("OLIVIERS DU SAHE1", sure=60), "Oliviers du Sahel") is not None
    assert find_legal_name(words("OLIVIERS DU SAHE1"), "Oliviers du Sahel") is None
    assert find_legal_name(words("OLIVIERS DU SUD", sure=95), "Oliviers du Sahel") is None


@pytest.mark.parametrize(
    ("line", "day", "role"),
    [
        ("Délivré le 12/03/2026", date(2026, 3, 12), Role.ISSUE),
        ("Édité le 12-03-2026 à 10:15", date(2026, 3, 12), Role.ISSUE),
        ("Date d'impression : 12.03.2026", date(2026, 3, 12), Role.ISSUE),
        ("Tunis, le 1er mars 2026", date(2026, 3, 1), Role.WEAK),
        ("سلم بتاريخ 12 مارس 2026", date(2026, 3, 12), Role.ISSUE),
        ("حرر في 5 جانفي 2026", date(2026, 1, 5), Role.ISSUE),
        ("تونس في ١٢/٠٣/٢٠٢٦", date(2026, 3, 12), Role.WEAK),
        ("Date de création : 27/03/2014", date(2014, 3, 27), Role.OTHER),
        ("Né le 12 avril 1985", date(1985, 4, 12), Role.OTHER),
        ("تاريخ التأسيس 27/03/2014", date(2014, 3, 27), Role.OTHER),
        ("Valable jusqu'au 31/12/2030", date(2030, 12, 31), Role.OTHER),
        ("2026-03-12", date(2026, 3, 12), Role.BARE),
        ("This certificate was produced on 12 March 2026", date(2026, 3, 12), Role.ISSUE),
        ("Arrêté au 12/03/2026", date(2026, 3, 12), Role.ISSUE),
        ("Incorporated on 12 March 2009", date(2009, 3, 12), Role.OTHER),
    ],
)
def test_a_date_is_read_with_the_part_it_plays(line: str, day: date, role: Role) -> None:
    (one,) = find_days(words(line))
    assert (one.day, one.role) == (day, role)


def test_an_impossible_date_is_none() -> None:
    assert find_days(words("Délivré le 31/02/2026")) == []


def test_an_identity_number_is_found_spaced_and_with_ocrs_confusions() -> None:
    assert find_document_number(words("N° 01 234 567"), "01234567") is not None
    assert find_document_number(words("N° CO1X00T47", sure=80), "C01X00T47") is not None
    assert find_document_number(words("N° CO1X00T47"), "C01X00T47") is None


@pytest.mark.parametrize(
    ("printed", "there"),
    [
        ("Nummer der Firma: HRB\n7731", True),
        ("HRB-7731 B", True),
        ("(HRB7731)", True),
        ("HRB 77310", False),
        ("HRB 77\n310 et HRB 17731", False),
    ],
)
def test_a_registers_number_is_a_whole_number_of_the_text(printed: str, there: bool) -> None:
    assert (find_document_number(words(printed), "HRB 7731") is not None) is there


def test_a_page_on_its_side_and_arabic_stored_backwards_are_told_by_where_the_letters_stand() -> None:
    from app.inspection.text import read
    from tests.inspection_set import layouts
    from tests.inspection_set.case import Paper
    from tests.inspection_set.people import C, Facts
    from tests.inspection_set.strangers import on_its_side

    pdf = Paper(layouts.rne_arabic_table, "visual", "mono").pdf(Facts(C["sahel"]))
    upright = read(pdf)
    assert upright.pages[0].turned == 0
    assert C["sahel"].name_ar.split()[0] in unicodedata.normalize("NFKC", upright.words)
    assert [read(on_its_side(pdf, degrees)).pages[0].turned for degrees in (90, 180, 270)] == [270, 180, 90]


def test_a_line_longer_than_any_papers_is_read_in_pieces_and_a_document_up_to_its_most_words() -> None:
    read = words("une ligne " * 3_000 + "\n" + "x" * 5_000)
    assert max(len(line) for line, _page in read.lines) <= LONGEST_LINE
    assert {word.plain for word in read.all} >= {"une", "ligne"}  # cut between words
    assert sum(len(word.plain) for word in read.all if word.plain.strip("x") == "") == 5_000  # cut, not lost
    many = Words(Reading("application/pdf", pages=[page for _n in range(30) for page in reading("a " * 9_000).pages]))
    assert MOST_WORDS <= len(many.all) <= MOST_WORDS + LONGEST_LINE


@pytest.mark.parametrize("hostile", ["1.1.2000 " * 6_600, "000-" * 15_000, "12345678/" * 6_600])
def test_a_page_made_to_be_slow_is_checked_in_seconds(hostile: str) -> None:
    started = process_time()
    found = words(hostile)
    find_days(found)
    other_cards(found, "01234567")
    find_tax_ids(found)
    assert process_time() - started < 20  # minutes, when a line's parts were compared two by two
