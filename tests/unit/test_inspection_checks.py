"""Each automatic check, both ways: silent on what is right, alert on what is wrong (REV-3, REV-4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.inspection import bench, checks, text
from app.inspection.checks_days import age_finding, fresh_until
from app.inspection.declared import Days, Elsewhere, declared_from
from app.inspection.findings import Outcome
from app.inspection.people_checks import cin_names, identity_answer
from app.inspection.text import PageReading, Reading
from tests.unit.inspected_papers import ALPHA, EXTRACT, case, found, reading, said

pytestmark = pytest.mark.spec("REV-3", "REV-4")

CARD = "Carte d'identité\nN° 01234567\nNom BEN SALAH\nPrénom Amira\nNé le 12/04/1985\nExpire le 01/01/2030\n"


def alerts(one: object) -> set[str]:
    return {check for check, finding in found(one).items() if finding.result is Outcome.ALERT}  # type: ignore[arg-type]  # a Case


def test_a_clean_extract_raises_nothing() -> None:
    assert alerts(case(declared=replace(ALPHA, issued_on=date(2026, 10, 2)))) == set()
    assert found(case())["tax_id_in_text"].result is Outcome.OK


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "Raison sociale : SOCIETE ALPHA CONSEIL SARL",
            "atteste que la société dénommée « ALPHA CONSEIL », inscrite au registre depuis 2014",
        ),
        ("SOCIETE ALPHA CONSEIL SARL", "Alpha Conseil Sitz: Nordhafen"),
        ("SOCIETE ALPHA CONSEIL SARL", "Alpha Conseil Lieu d'exploitation : Nabeul"),
        ("Qualité : Gérant", "Qualité : Gérant\n03/02/2020 départ de Kamel Zouari\nancienne dénomination : ORIENT"),
        ("BEN SALAH Amira", "BEN SALAH Amira (ancien gérant : Kamel Zouari)"),
    ],
)
def test_a_sentence_that_goes_on_after_the_name_is_no_other_name(before: str, after: str) -> None:
    assert alerts(case(reading(EXTRACT.replace(before, after)))) == set()


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"representative": "Kamel Zouari", "representative_ar": ""}, "representative_in_text"),
        ({"representative": "Salwa Mejri", "representative_ar": ""}, "representative_in_text"),
        ({"legal_name": "Orient Négoce", "legal_name_ar": ""}, "legal_name_in_text"),
    ],
)
def test_a_name_that_stands_there_as_a_former_one_only_is_told(changes: dict[str, str], check: str) -> None:
    past = "03/02/2020 départ de Kamel Zouari\nMEJRI Salwa, démissionnaire\nancienne dénomination : ORIENT NEGOCE\n"
    one = case(reading(EXTRACT + past), declared=replace(ALPHA, **changes))
    assert said(one, check) == ("ALERT", "former")
    again = case(reading(f"{EXTRACT}{past}Gérants : Kamel Zouari, Salwa Mejri\nORIENT NEGOCE"), declared=one.declared)
    assert said(again, check)[1] != "former"


def test_a_birthday_is_not_the_day_of_an_undated_extract() -> None:
    undated = EXTRACT.replace("Délivré le 02/10/2026", "JAZIRI Karim   Associé   12/09/1974")
    assert said(case(reading(undated)), "extract_date") == ("ALERT", "no_date")
    assert said(case(reading(undated.replace("12/09/1974", "12/09/2026"))), "extract_date")[0] == "OK"


def test_a_head_in_a_scanned_table_stops_at_his_title() -> None:
    table = EXTRACT.replace(
        "Nom et prénom : BEN SALAH Amira\nQualité : Gérant",
        "Nom et prénom   Qualité   Né(e) le\nJAZIRI Walid   Gérant   12/09/1974",
    )
    assert said(case(reading(table, sure=93)), "representative_in_text") == ("ALERT", "other_person")


def test_a_clean_scan_raises_nothing() -> None:
    assert alerts(case(reading(EXTRACT, sure=92))) == set()


@pytest.mark.parametrize(
    ("before", "after", "check", "why"),
    [
        ("1234567R", "7654321C", "tax_id_in_text", "other_id"),
        ("1234567R", "1234567Q", "tax_id_in_text", "other_letter"),
        ("1234567R", "", "tax_id_in_text", "absent"),
        ("ALPHA CONSEIL", "BETA TRAVAUX", "legal_name_in_text", "other_name"),
        ("ALPHA CONSEIL", "ALPHA CONSEIL EXPORT", "legal_name_in_text", "longer"),
        ("BEN SALAH Amira", "JAZIRI Karim", "representative_in_text", "other_person"),
        ("Délivré le 02/10/2026", "Délivré le 19/08/2026", "extract_age", "old"),
        ("Délivré le 02/10/2026", "Délivré le 21/11/2026", "extract_date", "future"),
        ("Délivré le 02/10/2026", "", "extract_date", "no_date"),
    ],
)
@pytest.mark.parametrize("sure", [None, 93])
def test_a_planted_fault_is_found(before: str, after: str, check: str, why: str, sure: int | None) -> None:
    if sure is not None and why in ("absent", "other_letter", "no_date"):
        sure = None  # what OCR does not show is not held against the paper
    read = reading(EXTRACT.replace(before, after), sure=sure)
    assert said(case(read), check) == ("ALERT", why)


def test_what_a_poor_scan_does_not_show_is_unverifiable_never_good() -> None:
    read = reading("Registre national des entreprises extrait identifiant unique\n" + "x1 y2 " * 8, sure=60)
    assert said(case(read), "tax_id_in_text") == ("UNVERIFIABLE", "not_found")
    assert said(case(read), "representative_in_text") == ("UNVERIFIABLE", "not_found")


def test_a_name_in_the_other_script_only_is_unverifiable() -> None:
    assert said(case(), "legal_name_ar_in_text") == ("UNVERIFIABLE", "other_script")


def test_a_declared_date_that_is_not_the_printed_one_is_told() -> None:
    one = case(declared=replace(ALPHA, issued_on=date(2026, 10, 5)))
    assert said(one, "extract_date") == ("ALERT", "other_date")


def test_three_months_to_the_day_is_recent_and_one_day_more_is_not() -> None:
    assert fresh_until(date(2026, 8, 20)) == date(2026, 11, 20)
    assert fresh_until(date(2025, 11, 30)) == date(2026, 2, 28)
    days = Days(date(2026, 11, 20))
    assert age_finding(date(2026, 8, 20), days).result is Outcome.OK
    assert age_finding(date(2026, 8, 19), days).result is Outcome.ALERT
    asked = Days(date(2026, 11, 20), date(2026, 11, 1))
    assert age_finding(date(2026, 8, 19), asked).evidence["why"] == "at_request"


@pytest.mark.parametrize(
    ("text_of_code", "expected"),
    [
        ("RNE;IU=1234567R;RS=ALPHA CONSEIL;DATE=2026-10-02", ("OK", "")),
        ("https://exemple.tn/v?id=7654321C", ("ALERT", "code_other_id")),
        ('{"iu": "7654321C"}', ("ALERT", "code_other_id")),
        ("RS=BETA TRAVAUX", ("ALERT", "code_other_name")),
        ("IU=1234567R;DATE=2026-09-01", ("ALERT", "code_other_day")),
        ("https://exemple.tn/v/a8f3", ("UNVERIFIABLE", "nothing_to_compare")),
    ],
)
def test_a_code_is_read_and_compared(text_of_code: str, expected: tuple[str, str]) -> None:
    read = reading(EXTRACT, codes=[{"format": "QR", "text": text_of_code}])
    assert said(case(read), "code") == expected


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("FACTURE N° 12\nClient : Alpha\nTotal TTC 1 200,000\nNet à payer 1 200,000\n" * 3, "rne"),
        (EXTRACT, "identity"),
        ("Carte d'identification fiscale\nDirection générale des impôts\nMatricule fiscal 1234567R\n" * 3, "rne"),
        ("Il était une fois un marchand de tapis qui voyageait loin\n" * 4, "tax_card"),
    ],
)
def test_a_paper_of_another_kind_is_told(words: str, kind: str) -> None:
    assert said(case(words, kind), "kind")[0] == "ALERT"


def test_a_sharp_picture_without_words_is_told() -> None:
    read = reading("", sure=0)
    read.source = "ocr"
    assert said(case(read), "kind") == ("ALERT", "no_words")


@pytest.mark.parametrize(
    ("looks", "check", "why"),
    [
        ({"ink": 0.0001}, "blank", "all"),
        ({"brightness": 30}, "readable", "dark"),
        ({"contrast": 4}, "readable", "pale"),
        ({"sharpness": 20}, "readable", "blurred"),
    ],
)
def test_a_page_that_nobody_can_read_is_told(looks: dict[str, float], check: str, why: str) -> None:
    read = reading("", sure=0, **looks)
    read.source = "ocr"
    assert said(case(read), check) == ("ALERT", why)


def test_tiny_huge_and_turned_pages_are_told() -> None:
    read = reading(EXTRACT, sure=90)
    read.pages[0].width, read.pages[0].height = 248, 350
    assert said(case(read), "size") == ("ALERT", "tiny")
    read.pages[0].width, read.pages[0].height = 13_000, 18_000
    assert said(case(read), "size") == ("ALERT", "huge")
    read.pages[0].turned = 90
    assert said(case(read), "upright") == ("ALERT", "turned")


@pytest.mark.parametrize("problem", ["encrypted", "script", "attachment", "truncated"])
def test_an_unsafe_file_is_told_and_nothing_else_is_claimed_of_it(problem: str) -> None:
    one = case(Reading("application/pdf", problem=problem))
    assert said(one, "file_opens") == ("ALERT", problem)
    assert said(one, "tax_id_in_text")[0] == "UNVERIFIABLE"


def test_the_same_file_for_another_organisation_is_told() -> None:
    assert said(case(same=(Elsewhere("RNE_EXTRACT", "ORG-2026-000002"),)), "same_file")[0] == "ALERT"
    assert said(case(), "same_file")[0] == "OK"


def test_an_identity_copy_is_compared_with_its_person() -> None:
    assert alerts(case(CARD, "identity")) == set()
    assert said(case(CARD.replace("01234567", "09876543"), "identity"), "identity_number") == ("ALERT", "other_number")
    other = CARD.replace("BEN SALAH", "JAZIRI").replace("Amira", "Karim")
    assert said(case(other, "identity"), "identity_name") == ("ALERT", "other_person")
    assert said(case(CARD.replace("2030", "2026"), "identity"), "identity_expiry") == ("ALERT", "expired")


def test_what_was_declared_is_checked_by_itself() -> None:
    declared = replace(ALPHA, tax_id="1234567A", representative_ar="كريم الجزيري", emails=("contact@alpha.tn",))
    one = case(declared=declared)
    assert said(one, "tax_id_letter") == ("ALERT", "letter")
    assert said(one, "latin_arabic") == ("ALERT", "two_names")
    assert said(one, "generic_email") == ("ALERT", "generic")
    assert said(case(), "tax_id_letter")[0] == said(case(), "latin_arabic")[0] == "OK"


def test_a_card_number_under_two_names_is_told_and_a_spelling_is_not() -> None:
    told = cin_names("01234567", "Mohamed Ben Salah", ["Mohammed Bensalah"])
    assert told is not None
    assert told.result is Outcome.OK
    told = cin_names("01234567", "Mohamed Ben Salah", ["Karim Jaziri"])
    assert told is not None
    assert (told.result, told.found) == (Outcome.ALERT, "Karim Jaziri")


def test_the_identity_services_answer_is_passed_on() -> None:
    day = date(2026, 1, 2)
    results = [identity_answer("applicant", each, day).result for each in ("CONCORDANT", "NON_CONCORDANT", "", "X")]
    assert results == [Outcome.OK, Outcome.ALERT, Outcome.UNVERIFIABLE, Outcome.UNVERIFIABLE]


def test_a_check_that_fails_leaves_the_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_case: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setitem(checks.REGISTRY, "rne", (broken, *checks.REGISTRY["rne"]))
    answers = found(case())
    assert (answers["broken"].result, answers["broken"].evidence["why"]) == (Outcome.UNVERIFIABLE, "failed")
    assert answers["tax_id_in_text"].result is Outcome.OK


def test_without_tesseract_a_scan_is_unverifiable_never_good(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {"pages": 1, "look": [{"number": 1, "ink": 0.1, "brightness": 200, "contrast": 30, "sharpness": 200}]}

    def answer(job: str, _data: bytes, **_options: object) -> tuple[dict[str, object], bytes]:
        answers: dict[str, dict[str, object]] = {
            "open_picture": {"notes": [], "pages": 1},
            "look": {"seen": seen},
            "ocr": {"read": {"missing": True}},
        }
        return answers[job], b""

    monkeypatch.setattr(bench, "ask", answer)
    read = text.read(b"\xff\xd8\xff...")
    assert read.source == "missing"
    answers = {finding.check: finding for finding in checks.run(case(read))}
    for check in ("tax_id_in_text", "legal_name_in_text", "representative_in_text", "kind", "readable"):
        assert (answers[check].result, answers[check].evidence["why"]) == (Outcome.UNVERIFIABLE, "no_ocr")


def test_a_file_that_kills_its_reader_is_unverifiable(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_args: object, **_options: object) -> None:
        raise bench.JobRefused("too_complex")

    monkeypatch.setattr(bench, "ask", killed)
    one = case(text.read(b"%PDF-1.7 ..."))
    assert said(one, "file_opens") == ("UNVERIFIABLE", "too_complex")
    assert said(one, "tax_id_in_text") == ("UNVERIFIABLE", "too_complex")


def test_what_was_read_survives_its_keeping() -> None:
    read = reading(EXTRACT, "", sure=90)
    again = Reading.from_json(read.to_json())
    assert again == read
    assert Reading.from_json({"1": "an older row"}) is None
    kept = read.to_json()
    kept["about"]["reader"] -= 1
    assert Reading.from_json(kept) is None  # read by an earlier reader: the file is read anew


def test_declared_values_from_outside_are_taken_as_they_come() -> None:
    known = declared_from({"tax_id": "1234567/r/a/m/000", "cin": 1234567, "representative": " Amira ", "odd": [1]})
    assert (known.tax_id, known.representative, known.person) == ("1234567R", "Amira", "Amira")
    assert declared_from({"tax_id": "nonsense"}).tax_id == "NONSENSE"


def test_pages_are_numbered_for_the_evidence() -> None:
    finding = found(case(reading("Première page\n" * 10, EXTRACT)))["tax_id_in_text"]
    assert finding.evidence["page"] == 2
    assert "1234567R" in finding.evidence["excerpt"]
    assert isinstance(case().reading.pages[0], PageReading)
