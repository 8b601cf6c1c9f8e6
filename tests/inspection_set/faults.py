"""Papers that look right and are not: what they print is not what was declared, or not what may be accepted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tests.inspection_set import layouts as look
from tests.inspection_set import scans
from tests.inspection_set.case import Case, Paper, Printer, declared_of
from tests.inspection_set.clean import _foreign, identity, passports
from tests.inspection_set.people import C, Facts, P, tax_id, wrong_letter

LETTER, TABLE, COLUMNS = (
    Paper(look.rne_letter),
    Paper(look.rne_table, look="sans"),
    Paper(look.rne_columns, look="newspaper"),
)
TINY, ISO, OLD = Paper(look.rne_tiny), Paper(look.rne_iso, look="mono"), Paper(look.rne_table, "old")
SIDES, ABOVE = Paper(look.rne_side_by_side, look="watermarked"), Paper(look.rne_one_above_the_other)
AR_TABLE, AR_LETTER, AR_EAST = (
    Paper(look.rne_arabic_table),
    Paper(look.rne_arabic_letter, look="letter"),
    Paper(look.rne_arabic_eastern),
)
AR_VISUAL = Paper(look.rne_arabic_table, "visual", "mono")
TAX, TAX_BOTH, TAX_AR = Paper(look.tax_card_fr), Paper(look.tax_card_both), Paper(look.tax_card_ar)
ENGLISH, GERMAN, ITALIAN = Paper(look.register_en), Paper(look.register_de), Paper(look.register_it)
SCATTERED = Paper(look.rne_table, "old", options={"scattered": True})

OLDEST = date(2026, 8, 20)
"""Three months before the day of judgement: still good. The day before is not."""
TOO_OLD = OLDEST - timedelta(days=1)


def faulty_cases(printer: Printer | None) -> Iterator[Case]:
    yield from _numbers()
    yield from _names()
    yield from _people()
    yield from _dates()
    yield from _codes()
    yield from _identities()
    yield from _shared()
    yield from _of_another_kind()
    yield from _scanned()
    yield from _turned()
    if printer:
        yield from _printed(printer)


def fault(
    name: str, what: str, sheet: Paper, shown: Facts, declared: Facts | None = None, kind: str = "rne", **changes: Any
) -> Case:
    """A paper showing some facts, where others (or these with changes) were declared."""
    return Case(
        f"fault-{name}.pdf", kind, declared_of(declared or shown, **changes), lambda: sheet.pdf(shown), fault=what
    )


def _with(facts: Facts, **changes: Any) -> Facts:
    return facts.but(company=replace(facts.company, **changes))


def _numbers() -> Iterator[Case]:
    oranger, meditex, sahel = Facts(C["oranger"]), Facts(C["meditex"]), Facts(C["sahel"])
    for name, sheet, facts, kind in (
        ("letter", LETTER, oranger, "rne"), ("arabic", AR_TABLE, meditex, "rne"), ("tax-card", TAX, sahel, "tax_card"),
    ):  # fmt: skip
        wrong = _with(facts, tax_id=wrong_letter(facts.company.tax_id))
        yield fault(
            f"control-{name}",
            "wrong_control_letter",
            sheet,
            wrong,
            kind=kind,
            issued_on=None if kind == "tax_card" else "2026-10-12",
        )
    other = "other_tax_id"
    yield fault("tax-id-table", other, TABLE, _with(oranger, tax_id=tax_id("1403267")), oranger)
    yield fault("tax-id-letter", other, LETTER, _with(meditex, tax_id=C["atlas"].tax_id), meditex)
    yield fault("tax-id-columns", other, COLUMNS, _with(sahel, tax_id=tax_id("0345191")), sahel)
    yield fault("tax-id-arabic", other, AR_LETTER, _with(meditex, tax_id=C["tell"].tax_id), meditex)
    yield fault("tax-id-scattered", other, SCATTERED, _with(oranger, tax_id=C["numid"].tax_id), oranger)
    yield fault(
        "tax-id-tax-card",
        other,
        TAX_BOTH,
        _with(oranger, tax_id=C["numid"].tax_id),
        oranger,
        "tax_card",
        issued_on=None,
    )
    yield fault(
        "register-number",
        other,
        ENGLISH,
        _with(Facts(C["thames"]), tax_id="07142288"),
        Facts(C["thames"]),
        "trade_register",
        **_foreign("07142283", None),
    )
    yield fault(
        "register-number-german",
        other,
        GERMAN,
        _with(Facts(C["linden"]), tax_id="HRB 11902"),
        Facts(C["linden"]),
        "trade_register",
        **_foreign("HRB 48213", None),
    )
    # ours is there, but only as a shareholder of the company the extract is about
    ours = C["holding"]
    yield fault(
        "tax-id-of-its-subsidiary",
        "other_company",
        TABLE,
        Facts(C["meditex"], shareholders=((ours.name, ours.tax_id),)),
        Facts(ours),
    )


def _names() -> Iterator[Case]:
    what = "other_legal_name"
    oranger, meditex, tell = Facts(C["oranger"]), Facts(C["meditex"]), Facts(C["tell"])
    yield fault("name-table", what, TABLE, _with(oranger, name="SOCIETE LE CITRON VERT", name_ar=""), oranger)
    yield fault("name-letter", what, LETTER, _with(meditex, name="MEDIPHARM DISTRIBUTION"), meditex)
    yield fault("name-one-letter", what, OLD, _with(meditex, name="METIDEX INDUSTRIES"), meditex)
    yield fault("name-one-word-more", what, TABLE, meditex, legal_name="MEDITEX INDUSTRIES MAROC")
    yield fault(
        "name-other-number",
        what,
        ISO,
        _with(Facts(C["atlas"]), name="ATLAS 3D INGENIERIE"),
        legal_name="ATLAS 2D INGENIERIE",
    )
    yield fault(
        "name-both",
        what,
        SIDES,
        _with(tell, name="Coopérative Viticole du Mornag", name_ar="تعاضدية الكروم بمرناق"),
        tell,
    )
    yield fault(
        "name-tax-card", what, TAX, _with(oranger, name="SOCIETE L'OLIVIER ROUGE"), oranger, "tax_card", issued_on=None
    )
    yield fault(
        "name-german",
        what,
        GERMAN,
        _with(Facts(C["linden"]), name="Eichenhof Maschinenbau GmbH"),
        Facts(C["linden"]),
        "trade_register",
        **_foreign("HRB 48213", None),
    )
    what = "other_legal_name_ar"
    yield fault("name-arabic-table", what, AR_TABLE, _with(oranger, name_ar="شركة الليمونة الخضراء"), oranger)
    yield fault("name-arabic-letter", what, AR_LETTER, _with(meditex, name_ar="الشركة العامة للأدوية"), meditex)
    yield fault("name-arabic-visual", what, AR_VISUAL, _with(tell, name_ar="تعاضدية الكروم بمرناق"), tell)
    yield fault(
        "name-arabic-tax-card",
        what,
        TAX_AR,
        _with(tell, name_ar="مجمع الزيتون بصفاقس"),
        tell,
        "tax_card",
        issued_on=None,
    )
    yield fault("name-arabic-half", what, SIDES, _with(Facts(C["sahel"]), name_ar="الجنوب للسياحة"), Facts(C["sahel"]))


def _people() -> Iterator[Case]:
    what = "other_representative"
    oranger, meditex, carthage = Facts(C["oranger"]), Facts(C["meditex"]), Facts(C["carthage"])
    yield fault("head-letter", what, LETTER, oranger.but(person=P["walid"]), oranger)
    yield fault("head-table", what, TABLE, meditex.but(person=P["salma"]), meditex)
    yield fault("head-same-family", what, COLUMNS, carthage.but(person=replace(P["zied"], first="Rania")), carthage)
    yield fault("head-same-first-name", what, ISO, carthage.but(person=replace(P["zied"], last="Ouerghi")), carthage)
    yield fault(
        "head-english",
        what,
        ENGLISH,
        Facts(C["thames"], person=P["greta"]),
        Facts(C["thames"]),
        "trade_register",
        **_foreign("07142283", None),
    )
    yield fault("head-old", what, OLD, oranger.but(person=P["anis"]), oranger)
    what = "other_representative_ar"
    yield fault("head-arabic-table", what, AR_TABLE, oranger.but(person=P["walid"]), oranger)
    yield fault("head-arabic-letter", what, AR_LETTER, meditex.but(person=P["salma"]), meditex)
    yield fault("head-arabic-visual", what, AR_VISUAL, carthage.but(person=P["nour"]), carthage)
    what = "latin_and_arabic_differ"
    yield fault("two-people", what, LETTER, oranger, representative_ar="رضا الماجري")
    yield fault("two-people-arabic-paper", what, AR_LETTER, meditex, representative="Olfa Ben Romdhane")
    yield fault("two-people-same-family", what, SIDES, carthage, representative_ar="سعاد الجزيري")
    yield fault("email-generic", "generic_email", LETTER, oranger, email="contact@oranger.example")
    yield fault("email-generic-own-name", "generic_email", TABLE, meditex, email="direction.meditex@meditex.example")


def _dates() -> Iterator[Case]:
    what = "extract_too_old"
    oranger, meditex, tell = Facts(C["oranger"]), Facts(C["meditex"]), Facts(C["tell"])
    for name, sheet, facts in (
        ("words", LETTER, oranger), ("dashes", TABLE, meditex), ("iso", ISO, meditex), ("among-others", TINY, tell),
        ("arabic-words", AR_LETTER, oranger), ("eastern", AR_EAST, tell), ("both", SIDES, meditex),
        ("visual", AR_VISUAL, oranger),
    ):  # fmt: skip
        yield fault(f"old-{name}", what, sheet, facts.but(issued=TOO_OLD))
    yield fault(
        "old-english",
        what,
        ENGLISH,
        Facts(C["thames"], issued=TOO_OLD),
        kind="trade_register",
        **_foreign("07142283", None),
    )
    yield fault(
        "old-italian",
        what,
        ITALIAN,
        Facts(C["bellandi"], issued=date(2025, 11, 3)),
        kind="trade_register",
        **_foreign("MI-2048715", None),
    )
    yield fault("old-though-declared-fresh", what, TABLE, oranger.but(issued=TOO_OLD), issued_on="2026-10-30")
    yield fault("future-letter", "extract_of_the_future", LETTER, meditex.but(issued=date(2026, 12, 4)))
    yield fault("future-arabic", "extract_of_the_future", AR_TABLE, oranger.but(issued=date(2027, 1, 12)))
    yield fault("undated-letter", "date_missing", LETTER, oranger.but(issued=None), issued_on="2026-10-12")
    yield fault("undated-tiny", "date_missing", TINY, meditex.but(issued=None), issued_on="2026-10-12")
    yield fault("undated-arabic", "date_missing", AR_TABLE, tell.but(issued=None), issued_on="2026-10-12")
    yield fault("other-day", "declared_date_differs", TABLE, meditex, issued_on="2026-11-12")
    yield fault(
        "other-day-words", "declared_date_differs", LETTER, oranger.but(issued=date(2026, 9, 3)), issued_on="2026-11-03"
    )
    yield fault("other-day-arabic", "declared_date_differs", AR_LETTER, meditex, issued_on="2026-11-01")
    yield fault(
        "other-day-is-the-founding",
        "declared_date_differs",
        TABLE,
        _with(oranger, founded=date(2026, 9, 15)),
        issued_on="2026-09-15",
    )


def _codes() -> Iterator[Case]:
    what = "code_contradicts"
    oranger, other = Facts(C["oranger"]), C["atlas"].tax_id
    for name, sheet, text in (
        ("url", LETTER, f"https://rne-verification.example/extrait?id={other}&ref=E-2026-48120"),
        ("json", TABLE, json.dumps({"iu": other, "rs": "ATLAS 3D INGENIERIE", "date": "2026-10-12"})),
        ("text", COLUMNS, f"Identifiant unique: {other}\nRaison sociale: ATLAS 3D INGENIERIE\nDate: 12/10/2026"),
        ("arabic", AR_TABLE, f"RNE|{other}|2026-10-12"),
        ("name-only", LETTER, "Raison sociale: ATLAS 3D INGENIERIE\nDate: 12/10/2026"),
        ("day-only", TABLE, json.dumps({"iu": oranger.company.tax_id, "date": "2025-02-17"})),
    ):
        yield fault(f"qr-{name}", what, sheet, oranger.but(qr=text))


def _identities() -> Iterator[Case]:
    card, book, stay = (
        Paper(look.cin_card, look="card"),
        Paper(look.passport, look="passport"),
        Paper(look.residence_card, look="passport"),
    )
    amine, salma = Facts(C["oranger"]), Facts(C["numid"])
    tunisian, german = passports()["tunisian"], passports()["german"]

    def copy(name: str, what: str, sheet: Paper, facts: Facts, declared: dict[str, Any]) -> Case:
        return Case(f"fault-identity-{name}.pdf", "identity", declared, lambda: sheet.pdf(facts), fault=what)

    yield copy("of-another", "identity_of_another", card, salma, identity(amine, "04512873"))
    yield copy(
        "same-number-other-name",
        "identity_of_another",
        card,
        salma.but(person=replace(P["salma"], cin="04512873")),
        identity(amine, "04512873"),
    )
    yield copy("passport-of-another", "identity_of_another", book, german, identity(tunisian, german.extra["number"]))
    yield copy("other-number", "identity_other_number", Paper(look.cin_both_sides), amine, identity(amine, "04512837"))
    renewed = tunisian.but(extra={"number": "Z174402", "expires": date(2030, 1, 8)})
    yield copy("other-passport-number", "identity_other_number", book, renewed, identity(renewed, "Z174420"))
    past = tunisian.but(extra={"number": "Z174402", "expires": date(2026, 11, 19)})
    yield copy("passport-expired", "identity_expired", book, past, identity(past, "Z174402"))
    ended = Facts(C["bellandi"], extra={"number": "S408812", "expires": date(2026, 5, 31)})
    yield copy("residence-expired", "identity_expired", stay, ended, identity(ended, "S408812", representative_ar=""))
    yield copy("is-an-invoice", "something_else", Paper(look.invoice), amine, identity(amine, "04512873"))


def _shared() -> Iterator[Case]:
    """What only shows when the cases are seen together: one number of two names, one file of two organisations."""
    card = Paper(look.cin_card, look="card")
    kais, walid = Facts(C["revolution"]), Facts(C["sahel"])
    walid_too = walid.but(person=replace(P["walid"], cin=P["kais"].cin))
    for name, facts in (("one", kais), ("other", walid_too)):
        yield Case(
            f"fault-number-of-two-{name}.pdf", "identity", identity(facts, P["kais"].cin),
            lambda f=facts: card.pdf(f), fault="number_of_two_names",
        )  # fmt: skip
    sheet, paper = Paper(look.rne_columns), Facts(C["numid"], issued=date(2026, 11, 2))
    for name, declared in (("one", paper), ("other", Facts(C["tell"], issued=date(2026, 11, 2)))):
        yield Case(
            f"fault-file-of-two-{name}.pdf", "rne", declared_of(declared), lambda: sheet.pdf(paper),
            fault="file_of_two_organisations",
        )  # fmt: skip


def _of_another_kind() -> Iterator[Case]:
    oranger, meditex = Facts(C["oranger"]), Facts(C["meditex"])
    yield fault("tax-card-as-extract", "wrong_kind", TAX, oranger)
    yield fault("tax-card-as-extract-arabic", "wrong_kind", TAX_AR, meditex)
    yield fault("extract-as-tax-card", "wrong_kind", LETTER, oranger, kind="tax_card")
    yield fault("extract-as-tax-card-arabic", "wrong_kind", AR_TABLE, meditex, kind="tax_card")
    yield fault("invoice-as-extract", "something_else", Paper(look.invoice), oranger)
    yield fault("menu-as-extract", "something_else", Paper(look.menu), oranger)
    yield fault("poem-as-extract", "something_else", Paper(look.poem, look="justified"), oranger)
    yield fault("minutes-as-tax-card", "something_else", Paper(look.minutes, "old"), oranger, kind="tax_card")
    yield fault("lesson-as-extract", "something_else", Paper(look.lesson, look="newspaper"), meditex)


def scanned(
    name: str,
    what: str,
    sheet: Paper,
    shown: Facts,
    declared: dict[str, Any],
    effect: Callable[[Any], bytes],
    kind: str = "rne",
    sample: bool = False,
) -> Case:
    stem, _dot, ending = name.partition(".")
    return Case(
        f"fault-scan-{stem}.{ending or 'pdf'}", kind, declared,
        lambda: effect(scans.raster(sheet.pdf(shown), 200)), fault=what, needs="ocr", sample=sample,
    )  # fmt: skip


def _scanned() -> Iterator[Case]:
    """The faults that must be read off a picture."""
    oranger, meditex, tell = Facts(C["oranger"]), Facts(C["meditex"]), Facts(C["tell"])
    turned: Callable[[Any], bytes] = lambda i: scans.scan_pdf(i.rotate(90, expand=True))  # noqa: E731 - named beside its siblings
    yield scanned(
        "tax-id",
        "other_tax_id",
        TABLE,
        _with(oranger, tax_id=C["atlas"].tax_id),
        declared_of(oranger),
        lambda i: scans.scan_pdf(scans.noisy(i, 11)),
        sample=True,
    )
    yield scanned(
        "turned-tax-id", "other_tax_id", TABLE, _with(meditex, tax_id=C["tell"].tax_id), declared_of(meditex), turned
    )
    yield scanned(
        "name.jpg",
        "other_legal_name",
        LETTER,
        _with(meditex, name="MEDIPHARM DISTRIBUTION"),
        declared_of(meditex),
        scans.jpeg,
    )
    yield scanned(
        "turned-name", "other_legal_name", LETTER, _with(oranger, name="LE CITRON VERT"), declared_of(oranger), turned
    )
    yield scanned(
        "name-arabic",
        "other_legal_name_ar",
        AR_TABLE,
        _with(tell, name_ar="مجمع الزيتون بصفاقس"),
        declared_of(tell),
        scans.scan_pdf,
    )
    yield scanned(
        "head",
        "other_representative",
        TABLE,
        meditex.but(person=P["walid"]),
        declared_of(meditex),
        lambda i: scans.scan_pdf(scans.skewed(i, 1.1)),
    )
    yield scanned(
        "old",
        "extract_too_old",
        TABLE,
        meditex.but(issued=TOO_OLD),
        declared_of(meditex.but(issued=TOO_OLD)),
        scans.scan_pdf,
    )
    yield scanned(
        "old-arabic.png",
        "extract_too_old",
        AR_TABLE,
        oranger.but(issued=date(2026, 3, 9)),
        declared_of(oranger),
        scans.png,
    )
    other = f"https://rne-verification.example/extrait?id={C['atlas'].tax_id}"
    yield scanned(
        "qr.jpg",
        "code_contradicts",
        LETTER,
        oranger.but(qr=other),
        declared_of(oranger),
        lambda i: scans.jpeg(scans.on_a_table(i, 12)),
    )
    card = Paper(look.cin_card, look="card")
    yield scanned(
        "cin-of-another.jpg",
        "identity_of_another",
        card,
        Facts(C["numid"]),
        identity(oranger, "04512873"),
        lambda i: scans.jpeg(i.resize((i.width * 2, i.height * 2))),
        "identity",
    )
    yield scanned(
        "cin-other-number.png",
        "identity_other_number",
        card,
        oranger,
        identity(oranger, "04512837"),
        lambda i: scans.png(i.resize((i.width * 2, i.height * 2))),
        "identity",
    )
    yield scanned("tax-card-as-extract.jpg", "wrong_kind", TAX, oranger, declared_of(oranger), scans.jpeg)


def _turned() -> Iterator[Case]:
    """Nothing wrong but that they lie on their side, or stand on their head."""
    oranger, sahel, numid = Facts(C["oranger"]), Facts(C["sahel"]), Facts(C["numid"])
    for name, sheet, facts, angle, sample in (
        ("turned-90", TABLE, oranger, 90, True),
        ("turned-270", LETTER, numid, 270, False),
        ("turned-180.jpg", LETTER, sahel, 180, False),
        ("turned-arabic", AR_TABLE, sahel, 90, False),
    ):
        write = scans.jpeg if name.endswith("jpg") else scans.scan_pdf
        yield scanned(
            name, "turned", sheet, facts, declared_of(facts),
            lambda i, angle=angle, write=write: write(i.rotate(angle, expand=True)), sample=sample,
        )  # fmt: skip


def _printed(printer: Printer) -> Iterator[Case]:
    oranger, sahel = Facts(C["oranger"]), Facts(C["sahel"])
    for name, what, layout, shown, declared in (
        ("tax-id", "other_tax_id", look.rne_table, _with(oranger, tax_id=C["atlas"].tax_id), oranger),
        ("name-arabic", "other_legal_name_ar", look.rne_arabic_table, _with(sahel, name_ar="الجنوب للسياحة"), sahel),
        ("head", "other_representative", look.rne_side_by_side, oranger.but(person=P["walid"]), oranger),
        (
            "old",
            "extract_too_old",
            look.rne_one_above_the_other,
            oranger.but(issued=TOO_OLD),
            oranger.but(issued=TOO_OLD),
        ),
    ):
        sheet = Paper(layout, "browser")
        yield Case(
            f"fault-printed-{name}.pdf",
            "rne",
            declared_of(declared),
            lambda s=sheet, f=shown: s.pdf(f, printer),
            fault=what,
        )
