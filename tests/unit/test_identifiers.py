"""Identifiers and names: one stored form each, and a code for every refusal."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import identifiers as ids


def refusal(normalise: Callable[[str], str], text: str) -> str:
    with pytest.raises(ids.InvalidIdentifier) as caught:
        normalise(text)
    return caught.value.code


# --- tax id ---------------------------------------------------------------------------------------


@pytest.mark.spec("ORG-2")
@pytest.mark.parametrize(
    "typed, stored",
    [
        ("0000000A", "0000000A"),
        (" 1234567r ", "1234567R"),
        ("123 4567 r", "1234567R"),
        ("1234567/R", "1234567R"),
        ("1.234.567-R", "1234567R"),
        ("١٢٣٤٥٦٧R", "1234567R"),
        ("\u200f1234567R", "1234567R"),
        ("1234567R/A/M/000", "1234567R"),
        ("1234567RAM000", "1234567R"),
    ],
)
def test_a_tax_id_is_stored_as_seven_digits_and_a_letter(typed: str, stored: str) -> None:
    assert ids.normalise_tax_id(typed) == stored


@pytest.mark.spec("ORG-2")
@pytest.mark.parametrize(
    "typed, code",
    [
        ("", "tax_id_empty"),
        (" - ", "tax_id_empty"),
        ("1234567", "tax_id_shape"),
        ("123456R", "tax_id_shape"),
        ("12345678", "tax_id_shape"),
        ("R1234567", "tax_id_shape"),
        ("1234567RR", "tax_id_shape"),
        ("1234567É", "tax_id_shape"),
        ("1234567R'", "tax_id_shape"),
    ],
)
def test_a_text_of_another_shape_is_no_tax_id(typed: str, code: str) -> None:
    assert refusal(ids.normalise_tax_id, typed) == code


@pytest.mark.spec("ORG-2")
@pytest.mark.parametrize("digits, letter", [("0000000", "A"), ("1234567", "R"), ("0000001", "B"), ("9999999", "Z")])
def test_the_control_letter_follows_the_weights(digits: str, letter: str) -> None:
    weighted = sum(weight * int(digit) for weight, digit in zip((7, 6, 5, 4, 3, 2, 1), digits, strict=True))
    assert "ABCDEFGHJKLMNPQRSTVWXYZ"[weighted % 23] == letter
    assert ids.tax_id_letter(digits) == letter
    assert ids.tax_id_matches(digits + letter)


@pytest.mark.spec("ORG-2")
def test_a_wrong_letter_is_told_not_refused() -> None:
    assert ids.normalise_tax_id("1234567A") == "1234567A"
    assert not ids.tax_id_matches("1234567A")


@pytest.mark.spec("ORG-2")
@given(st.from_regex(r"[0-9]{7}", fullmatch=True).filter(str.isascii), st.integers(0, 6))
def test_one_wrong_digit_is_always_seen(digits: str, place: int) -> None:
    tax_id = digits + ids.tax_id_letter(digits)
    other = str((int(digits[place]) + 1) % 10)
    assert ids.tax_id_matches(tax_id)
    assert not ids.tax_id_matches(digits[:place] + other + tax_id[place + 1 :])


@pytest.mark.spec("ORG-2")
def test_a_foreign_register_number_is_free_but_not_empty() -> None:
    assert ids.normalise_register_number(" hrb  12345 b ") == "HRB 12345 B"
    assert refusal(ids.normalise_register_number, " ") == "register_number_empty"
    assert refusal(ids.normalise_register_number, "1") == "register_number_length"
    assert refusal(ids.normalise_register_number, "1" * 41) == "register_number_length"
    assert refusal(ids.normalise_register_number, "---") == "register_number_shape"
    assert refusal(ids.normalise_register_number, "12\x0034") == "register_number_shape"


# --- identity documents ---------------------------------------------------------------------------


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize("typed", ["00000001", " 0000 0001", "00-00-00-01", "٠٠٠٠٠٠٠١", "۰۰۰۰۰۰۰۱"])
def test_a_cin_keeps_its_eight_digits(typed: str) -> None:
    assert ids.normalise_cin(typed) == "00000001"


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize(
    "typed, code",
    [
        ("", "cin_empty"),
        ("1", "cin_length"),
        ("123456789", "cin_length"),
        ("0000000A", "cin_characters"),
        ("²0000001", "cin_characters"),
    ],
)
def test_a_cin_is_a_number_of_eight_digits_only(typed: str, code: str) -> None:
    assert refusal(ids.normalise_cin, typed) == code


@pytest.mark.spec("ORG-5")
def test_foreign_documents_are_letters_and_digits() -> None:
    assert ids.normalise_passport(" x 123-456 ") == "X123456"
    assert ids.normalise_residence_card("tn0012345") == "TN0012345"
    assert refusal(ids.normalise_passport, "") == "passport_empty"
    assert refusal(ids.normalise_passport, "ABCDEF") == "passport_shape"
    assert refusal(ids.normalise_passport, "A1") == "passport_shape"
    assert refusal(ids.normalise_residence_card, "12345<67") == "residence_card_shape"


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize(
    "birth, today, problem",
    [
        (date(2008, 5, 2), date(2026, 5, 1), "minor"),
        (date(2008, 5, 1), date(2026, 5, 1), None),
        (date(2008, 2, 29), date(2026, 2, 28), "minor"),
        (date(2008, 2, 29), date(2026, 3, 1), None),
        (date(2026, 5, 2), date(2026, 5, 1), "future"),
        (date(1899, 12, 31), date(2026, 5, 1), "too_old"),
        (date(1900, 1, 1), date(2026, 5, 1), None),
    ],
)
def test_only_an_adult_can_stand_for_an_organisation(birth: date, today: date, problem: str | None) -> None:
    assert ids.birth_date_problem(birth, today) == problem
    if problem in (None, "minor"):
        assert ids.is_adult(birth, today) is (problem is None)


# --- addresses, phones, e-mails -------------------------------------------------------------------


@pytest.mark.spec("ORG-3")
def test_a_postal_code_has_four_digits() -> None:
    assert ids.normalise_postal_code(" 1002 ") == "1002"
    assert ids.normalise_postal_code("١٠٠٢") == "1002"
    assert refusal(ids.normalise_postal_code, "216") == "postal_code_shape"
    assert refusal(ids.normalise_postal_code, "") == "postal_code_empty"
    assert ids.normalise_foreign_postal_code("sw1a 1aa") == "SW1A 1AA"
    assert refusal(ids.normalise_foreign_postal_code, "?") == "postal_code_shape"


@pytest.mark.spec("ORG-3")
@pytest.mark.parametrize(
    "typed, stored, shown",
    [
        ("71 000 000", "+21671000000", "+216 71 000 000"),
        ("+216 71 000 000", "+21671000000", "+216 71 000 000"),
        ("00216 71-000-000", "+21671000000", "+216 71 000 000"),
        ("(+216) 98.123.456", "+21698123456", "+216 98 123 456"),
        ("٩٨١٢٣٤٥٦", "+21698123456", "+216 98 123 456"),
        ("+33 6 12 34 56 78", "+33612345678", "+33 6 12 34 56 78"),
    ],
)
def test_a_real_phone_is_stored_e164_and_shown_in_groups(typed: str, stored: str, shown: str) -> None:
    assert ids.normalise_phone(typed) == stored
    assert ids.format_phone(stored) == shown


@pytest.mark.spec("ORG-3")
@pytest.mark.parametrize(
    "typed, code",
    [
        ("", "phone_empty"),
        ("00 000 000", "phone_not_real"),
        ("123", "phone_not_real"),
        ("71 000 000 000", "phone_not_real"),
        ("71 00O OOO", "phone_shape"),
        ("71 000 000 poste 12", "phone_shape"),
        ("+", "phone_shape"),
    ],
)
def test_a_phone_that_cannot_exist_is_refused(typed: str, code: str) -> None:
    assert refusal(ids.normalise_phone, typed) == code


@pytest.mark.spec("ORG-5")
def test_a_mobile_is_told_from_a_fixed_line() -> None:
    assert refusal(lambda text: ids.normalise_phone(text, kind="mobile"), "71 000 000") == "phone_not_mobile"
    assert refusal(lambda text: ids.normalise_phone(text, kind="fixed"), "98 123 456") == "phone_not_fixed"
    assert ids.is_mobile("+21698123456")
    assert not ids.is_mobile("+21671000000")
    assert not ids.is_mobile("demain")
    assert ids.format_phone("demain") == "demain"


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize("typed", ["Foulan@Mail.COM", " foulan@mail.com ", "\u200efoulan@mail.com"])
def test_an_email_has_one_form(typed: str) -> None:
    assert ids.normalise_email(typed) == "foulan@mail.com"


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize(
    "typed, code",
    [
        ("", "email_empty"),
        ("foulan", "email_shape"),
        ("foulan@mail", "email_shape"),
        ("foulan@@mail.com", "email_shape"),
        ("foulan@mail.com, autre@mail.com", "email_shape"),
        ("foulan@mail.com\nBcc: x@mail.com", "email_shape"),
        ("é@mail.com", "email_shape"),
        ("a" * 250 + "@mail.com", "email_length"),
    ],
)
def test_what_cannot_receive_mail_is_refused(typed: str, code: str) -> None:
    assert refusal(ids.normalise_email, typed) == code


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize(
    "local",
    [
        "contact",
        "info",
        "direction",
        "admin",
        "rh",
        "commercial",
        "secretariat",
        "noreply",
        "no-reply",
        "ne-pas-repondre",
        "contact.tn",
        "info2",
        "service-client",
        "serviceclient",
        "infotn",
        "societe",
        "contact.societe",
        "ressources.humaines",
        "direction_generale",
        "contact+x",
        "Contact",
        "CONTACT01",
        "dg",
        "drh",
    ],
)
def test_an_address_of_a_function_is_generic(local: str) -> None:
    assert ids.is_generic_email(f"{local}@societe.com.tn")


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize(
    "local",
    [
        "contactini",
        "infante",
        "foulan",
        "foulan.benfoulan",
        "a.foulan",
        "foulan+info",
        "rh.foulan",
        "marin",
        "infofoulan",
        "adminfoulan",
        "directo",
        "12345",
    ],
)
def test_an_address_of_a_person_is_not_generic(local: str) -> None:
    assert not ids.is_generic_email(f"{local}@societe.com.tn")


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize(
    "typed, problem",
    [
        ("FOULAN", None),
        ("Ben Foulan", None),
        ("Béchir-Œdipe", None),
        ("Be\u0301chir", None),
        ("Ben – Foulan", None),
        ("", "empty"),
        ("   ", "empty"),
        ("Foulan2", "digit"),
        ("Foulan٢", "digit"),
        ("N'Foulan", "apostrophe"),
        ("N\u2019Foulan", "apostrophe"),
        ("Foulan/", "symbol"),
        ("«Foulan»", "symbol"),
        ("Foulan.", "symbol"),
        ("Foulan😀", "symbol"),
        ("فولان", "script"),
        ("Fоulan", "script"),  # a Cyrillic о
        ("-Foulan", "hyphen"),
        ("Fou--lan", "hyphen"),
        ("F" * 61, "too_long"),
    ],
)
def test_a_latin_name_has_letters_spaces_and_hyphens(typed: str, problem: str | None) -> None:
    assert ids.latin_name_problem(typed) == problem


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize(
    "typed, problem",
    [
        ("فولان", None),
        ("بن فولان", None),
        ("ڤاطمة گريڥ پاشا", None),
        ("فـــولان", None),
        ("مُحَمَّد", None),
        ("ﻓﻮﻻﻥ", None),
        ("", "empty"),
        ("ـــ", "empty"),
        ("فولان1", "digit"),
        ("فولان٣", "digit"),
        ("Foulan", "script"),
        ("فولان،", "symbol"),
        ("بن-فولان", "symbol"),
        ("ف" * 61, "too_long"),
    ],
)
def test_an_arabic_name_has_arabic_letters_and_spaces(typed: str, problem: str | None) -> None:
    assert ids.arabic_name_problem(typed) == problem


@pytest.mark.spec("ORG-5")
def test_an_arabic_name_is_kept_in_ordinary_letters() -> None:
    assert ids.tidy_arabic_name("  فـــولان   بن\u00a0مُحَمَّد ") == "فولان بن محمد"
    assert ids.tidy_arabic_name("ﻓﻮﻻﻥ") == "فولان"
    assert ids.tidy_arabic_name("أحمد آية") == "أحمد آية"


@pytest.mark.spec("ORG-3")
@pytest.mark.parametrize(
    "typed, problem",
    [
        ("STE", None),
        ("Société Générale 2000", None),
        ("360", None),
        ("", "empty"),
        ("Foulan & Fils", "ampersand"),
        ("L'Étoile", "apostrophe"),
        ("S.A.R.L", "dot"),
        ("Foulan-Fils", "hyphen"),
        ("Foulan @ Fils", "symbol"),
        ("شركة", "script"),
        ("A" * 121, "too_long"),
    ],
)
def test_a_raison_sociale_has_letters_digits_and_spaces(typed: str, problem: str | None) -> None:
    assert ids.organisation_name_problem(typed) == problem


@pytest.mark.spec("ORG-3")
def test_an_arabic_raison_sociale_follows_the_same_rule() -> None:
    assert ids.arabic_organisation_name_problem("شركة فولان 2000") is None
    assert ids.arabic_organisation_name_problem("STE") == "script"
    assert ids.arabic_organisation_name_problem("شركة & فولان") == "ampersand"


@pytest.mark.spec("ORD-3")
@pytest.mark.parametrize(
    "first, last, expected",
    [
        ("foulan", "foulan", "Foulan Foulan"),
        ("FOULAN", "BEN  FOULAN", "Foulan Ben Foulan"),
        ("béchir-amine", "DE LA TOUR", "Béchir-Amine De La Tour"),
        ("Ann", "McLean", "Ann McLean"),
        ("É", "ÉLIE", "É Élie"),
    ],
)
def test_the_cn_is_first_name_then_last_name(first: str, last: str, expected: str) -> None:
    assert ids.common_name(first, last) == expected


@pytest.mark.spec("ORD-3")
def test_a_cn_longer_than_a_certificate_holds_is_told() -> None:
    assert ids.common_name_problem("F" * 32, "O" * 31) is None
    assert ids.common_name_problem("F" * 32, "O" * 32) == "too_long"


# --- search ---------------------------------------------------------------------------------------


@pytest.mark.spec("QUE-2")
@pytest.mark.parametrize(
    "one, other",
    [
        ("Société L'Étoile", "societe l etoile"),
        ("BÉCHIR", "bechir"),
        ("Œdipe", "OEDIPE"),
        ("Straße", "strasse"),
        ("أحمد", "احمد"),
        ("إبراهيم", "ابراهيم"),
        ("آية", "ايه"),
        ("فاطمة", "فاطمه"),
        ("رضى", "رضي"),
        ("مُؤْمِن", "مومن"),
        ("فـــولان", "فولان"),
        ("ﻓﻮﻻﻥ", "فولان"),
        ("١٢٣", "123"),
        ("Ben-Foulan", "ben  foulan"),
    ],
)
def test_spellings_people_take_for_the_same_fold_alike(one: str, other: str) -> None:
    assert ids.fold(one) == ids.fold(other) != ""


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    folded = ids.fold(text)
    assert ids.fold(folded) == folded
    assert folded == " ".join(folded.split())


@given(st.text())
def test_every_text_is_a_stored_form_or_a_refusal(text: str) -> None:
    normalisers = (
        ids.normalise_tax_id,
        ids.normalise_cin,
        ids.normalise_passport,
        ids.normalise_residence_card,
        ids.normalise_postal_code,
        ids.normalise_foreign_postal_code,
        ids.normalise_register_number,
        ids.normalise_phone,
        ids.normalise_email,
    )
    for normalise in normalisers:
        stored = None
        with suppress(ids.InvalidIdentifier):
            stored = normalise(text)
        assert stored is None or normalise(stored) == stored


@given(st.text())
def test_a_tidy_name_stays_tidy_and_keeps_its_verdict(text: str) -> None:
    assert ids.tidy_name(ids.tidy_name(text)) == ids.tidy_name(text)
    assert ids.tidy_arabic_name(ids.tidy_arabic_name(text)) == ids.tidy_arabic_name(text)
    assert ids.latin_name_problem(ids.tidy_name(text)) == ids.latin_name_problem(text)
