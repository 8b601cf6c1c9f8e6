"""Clean papers: nothing in them may raise an alert, however odd they look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from tests.inspection_set import layouts as look
from tests.inspection_set import scans
from tests.inspection_set.case import Case, Paper, Printer, declared_of
from tests.inspection_set.engines import typst_pdf
from tests.inspection_set.people import TODAY, C, Facts

Effect = Callable[[bytes, Facts], bytes]


def clean_cases(printer: Printer | None) -> Iterator[Case]:
    yield from _born_digital()
    yield from _tricky()
    yield from _cards()
    yield from _scanned()
    if printer:
        yield from _printed(printer)


def paper(name: str, kind: str, sheet: Paper, facts: Facts, **changes: Any) -> Case:
    return Case(f"clean-{name}.pdf", kind, declared_of(facts, **changes), lambda: sheet.pdf(facts))


def _born_digital() -> Iterator[Case]:
    oranger, meditex, tell = Facts(C["oranger"]), Facts(C["meditex"]), Facts(C["tell"])
    yield paper("letter", "rne", Paper(look.rne_letter, look="letter"), oranger)
    yield paper("letter-justified", "rne", Paper(look.rne_letter, look="justified"), tell.but(issued=date(2026, 9, 1)))
    yield paper("table", "rne", Paper(look.rne_table, look="sans"), meditex)
    yield paper("table-watermark", "rne", Paper(look.rne_table, look="watermarked"), Facts(C["jasmin"]))
    yield paper("columns", "rne", Paper(look.rne_columns, look="newspaper"), Facts(C["carthage"]))
    yield paper("tiny-journal", "rne", Paper(look.rne_tiny, look="tiny"), oranger)
    yield paper("machine-print", "rne", Paper(look.rne_iso, look="mono"), meditex)
    yield paper("old-pdf", "rne", Paper(look.rne_table, "old"), meditex)
    yield paper("old-pdf-letter", "rne", Paper(look.rne_letter, "old"), oranger)
    yield paper("old-pdf-scattered", "rne", Paper(look.rne_table, "old", options={"scattered": True}), oranger)
    yield paper("side-by-side", "rne", Paper(look.rne_side_by_side, look="sans"), oranger)
    yield paper("side-by-side-watermark", "rne", Paper(look.rne_side_by_side, look="watermarked"), Facts(C["sahel"]))
    yield paper("above-and-below", "rne", Paper(look.rne_one_above_the_other), Facts(C["numid"]))
    yield paper("arabic-table", "rne", Paper(look.rne_arabic_table, look="sans"), meditex)
    yield paper("arabic-letter", "rne", Paper(look.rne_arabic_letter), tell)
    yield paper("arabic-eastern-digits", "rne", Paper(look.rne_arabic_eastern, look="letter"), Facts(C["sahel"]))
    yield paper("arabic-visual-order", "rne", Paper(look.rne_arabic_table, "visual", "mono"), meditex)
    yield paper("arabic-visual-letter", "rne", Paper(look.rne_arabic_letter, "visual", "mono"), Facts(C["carthage"]))
    yield paper("tax-card", "tax_card", Paper(look.tax_card_fr), meditex.but(issued=date(2019, 5, 2)), issued_on=None)
    yield paper(
        "tax-card-both", "tax_card", Paper(look.tax_card_both), oranger.but(issued=date(2022, 1, 31)), issued_on=None
    )
    yield paper(
        "tax-card-arabic", "tax_card", Paper(look.tax_card_ar), tell.but(issued=date(2015, 8, 4)), issued_on=None
    )
    yield paper(
        "tax-card-old-pdf", "tax_card", Paper(look.tax_card_fr, "old"), Facts(C["jasmin"], issued=None), issued_on=None
    )
    thames, linden, bellandi = Facts(C["thames"]), Facts(C["linden"]), Facts(C["bellandi"])
    yield paper("register-english", "trade_register", Paper(look.register_en), thames, **_foreign("07142283", None))
    yield paper(
        "register-german", "trade_register", Paper(look.register_de, "old"), linden, **_foreign("HRB 48213", None)
    )
    yield paper(
        "register-italian",
        "trade_register",
        Paper(look.register_it, look="sans"),
        bellandi,
        **_foreign("MI-2048715", None),
    )
    yield paper(
        "register-german-typst",
        "trade_register",
        Paper(look.register_de),
        linden,
        tax_id="HRB48213",
        legal_name="LINDENBAUM WERKZEUGBAU GMBH",
        legal_name_ar=None,
    )


def _foreign(number: str, tax_id: str | None) -> dict[str, Any]:
    return {"register_number": number, "tax_id": tax_id, "legal_name_ar": None, "representative_ar": None}


def _tricky() -> Iterator[Case]:
    """Right, but easily taken for wrong."""
    revolution, haddad, numid = C["revolution"], C["haddad"], C["numid"]
    holding = C["holding"]
    shares = ((holding.name, holding.tax_id), ("SICAR DU LAC", C["atlas"].tax_id))
    yield paper("name-holds-a-date", "rne", Paper(look.rne_letter), Facts(revolution))
    yield paper("name-holds-a-date-table", "rne", Paper(look.rne_table), Facts(revolution, issued=date(2026, 8, 25)))
    yield paper("company-named-after-its-head", "rne", Paper(look.rne_table), Facts(haddad))
    yield paper("shareholders-with-tax-ids", "rne", Paper(look.rne_table), Facts(C["meditex"], shareholders=shares))
    yield paper("shareholders-in-a-letter", "rne", Paper(look.rne_letter), Facts(C["oranger"], shareholders=shares))
    yield paper("exactly-three-months", "rne", Paper(look.rne_letter), Facts(numid, issued=date(2026, 8, 20)))
    yield paper("of-today", "rne", Paper(look.rne_table), Facts(C["carthage"], issued=TODAY))
    yield paper("digits-in-the-name", "rne", Paper(look.rne_iso, look="mono"), Facts(C["atlas"]))
    yield paper(
        "tax-id-typed-with-spaces",
        "rne",
        Paper(look.rne_letter),
        Facts(C["oranger"]),
        tax_id=_spaced(C["oranger"].tax_id),
    )
    yield paper(
        "names-reordered", "rne", Paper(look.rne_table), Facts(C["oranger"]), representative="Ben Salah Mohamed Amine"
    )
    yield paper(
        "names-hyphenated", "rne", Paper(look.rne_letter), Facts(C["jasmin"]), representative="Nour-El-Houda Khelifi"
    )
    yield paper(
        "names-spelled-otherwise",
        "rne",
        Paper(look.rne_columns, look="newspaper"),
        Facts(C["oranger"]),
        representative="Mohammed Amine Bensalah",
    )
    yield paper(
        "legal-form-spelled-out",
        "rne",
        Paper(look.rne_letter),
        Facts(replace(C["carthage"], name="Carthage Logistique")),
        legal_name="SOCIETE CARTHAGE LOGISTIQUE SARL",
    )
    yield paper(
        "no-accents-declared", "rne", Paper(look.rne_iso, look="mono"), Facts(C["tell"]), representative="HEDI MZOUGHI"
    )
    yield paper(
        "married-name-shorter",
        "rne",
        Paper(look.rne_side_by_side),
        Facts(haddad),
        representative="Leila Haddad Ben Youssef",
    )
    yield paper(
        "arabic-hamza",
        "rne",
        Paper(look.rne_arabic_table),
        Facts(C["oranger"]),
        representative_ar="محمد امين بن صالح",
        legal_name_ar="شركه البرتقاله الزرقاء",
    )
    yield paper(
        "only-latin-declared",
        "rne",
        Paper(look.rne_table),
        Facts(C["meditex"]),
        legal_name_ar=None,
        representative_ar=None,
    )
    yield paper(
        "arabic-paper-latin-declared",
        "rne",
        Paper(look.rne_arabic_table),
        Facts(C["sahel"]),
        legal_name_ar=None,
        representative_ar=None,
    )
    for name, text in (
        ("url", "https://rne-verification.example/extrait?id=1403627D&ref=E-2026-48120"),
        ("url-opaque", "https://rne-verification.example/v/9f3ac21e77b0"),
        ("json", json.dumps({"iu": "1403627D", "rs": "SOCIETE L'ORANGER BLEU", "date": "2026-10-12"})),
        ("text", "Identifiant unique: 1403627D\nRaison sociale: SOCIETE L'ORANGER BLEU\nDate: 12/10/2026"),
        ("telephone", "BEGIN:VCARD\nVERSION:3.0\nN:Accueil;Guichet\nTEL:+21671000123\nEND:VCARD"),
    ):
        yield paper(
            f"qr-{name}",
            "rne",
            Paper(look.rne_letter if name != "json" else look.rne_table),
            Facts(C["oranger"], qr=text),
        )


def _spaced(text: str) -> str:
    return f"{text[:4]} {text[4:7]} {text[7].lower()}"


def identity(facts: Facts, number: str, **changes: Any) -> dict[str, Any]:
    """What is declared of a person whose identity copy it is."""
    person = facts.boss
    key = "cin" if number.isdigit() else "passport"
    values = {"representative": person.name, "representative_ar": person.name_ar, key: number} | changes
    return {name: value for name, value in values.items() if value}


def _cards() -> Iterator[Case]:
    card, book = Paper(look.cin_card, look="card"), Paper(look.passport, look="passport")
    amine, salma = Facts(C["oranger"]), Facts(C["numid"])
    yield Case("clean-cin.pdf", "identity", identity(amine, "04512873"), lambda: card.pdf(amine))
    yield Case(
        "clean-cin-both-sides.pdf",
        "identity",
        identity(salma, "09157302"),
        lambda: Paper(look.cin_both_sides).pdf(salma),
    )
    for name, facts in passports().items():
        yield Case(
            f"clean-passport-{name}.pdf",
            "identity",
            identity(facts, facts.extra["number"]),
            lambda f=facts: book.pdf(f),
        )
    stay = Facts(C["bellandi"], extra={"number": "S408812", "expires": date(2028, 2, 29)})
    yield Case(
        "clean-residence-card.pdf",
        "identity",
        identity(stay, "S408812", representative_ar=""),
        lambda: Paper(look.residence_card, look="passport").pdf(stay),
    )


def passports() -> dict[str, Facts]:
    return {
        "tunisian": Facts(C["sahel"], extra={"number": "Z174402", "expires": date(2029, 7, 14)}),
        "german": Facts(C["linden"], extra={"number": "C01X7KM42", "expires": date(2031, 3, 3), "country": "D"}),
    }


def scan(
    name: str,
    kind: str,
    sheet: Paper,
    facts: Facts,
    effect: Callable[[Any], bytes],
    *,
    dpi: int = 200,
    sample: bool = False,
    **changes: Any,
) -> Case:
    stem, _dot, ending = name.partition(".")
    return Case(
        f"clean-scan-{stem}.{ending or 'pdf'}", kind, declared_of(facts, **changes),
        lambda: effect(scans.raster(sheet.pdf(facts), dpi)), needs="ocr", sample=sample,
    )  # fmt: skip


def _scanned() -> Iterator[Case]:
    oranger, meditex, tell, sahel = Facts(C["oranger"]), Facts(C["meditex"]), Facts(C["tell"]), Facts(C["sahel"])
    letter, table, arabic = (
        Paper(look.rne_letter, look="justified"),
        Paper(look.rne_table, look="sans"),
        Paper(look.rne_arabic_table, look="sans"),
    )
    sides = Paper(look.rne_side_by_side, look="sans")
    yield scan("letter", "rne", letter, oranger, lambda i: scans.scan_pdf(scans.noisy(i, 1)))
    yield scan("table-150.jpg", "rne", table, meditex, lambda i: scans.jpeg(scans.noisy(i, 2), 55, 150), dpi=150)
    yield scan(
        "table-300-bw.png", "rne", table, Facts(C["jasmin"]), lambda i: scans.png(scans.black_and_white(i)), dpi=300
    )
    yield scan("skewed", "rne", letter, tell, lambda i: scans.scan_pdf(scans.skewed(scans.noisy(i, 3), 1.4)))
    yield scan("shadow.jpg", "rne", table, Facts(C["carthage"]), lambda i: scans.jpeg(scans.shaded(i)))
    yield scan("on-a-table.jpg", "rne", letter, meditex, lambda i: scans.jpeg(scans.on_a_table(i, 4)))
    # lying in the file, upright to whoever opens it
    yield scan("upright-by-exif.jpg", "rne", table, oranger, scans.lying_jpeg)
    yield scan("upright-by-page", "rne", letter, sahel, lambda i: scans.scan_pdf(i.rotate(90, expand=True), turn=90))
    yield scan("arabic", "rne", arabic, meditex, lambda i: scans.scan_pdf(scans.noisy(i, 5)), sample=True)
    yield scan("arabic-letter.png", "rne", Paper(look.rne_arabic_letter), tell, scans.png)
    yield scan("arabic-300", "rne", arabic, sahel, lambda i: scans.scan_pdf(i, 300), dpi=300)
    yield scan("side-by-side", "rne", sides, oranger, lambda i: scans.scan_pdf(scans.noisy(i, 6)))
    yield scan(
        "two-up",
        "rne",
        table,
        Facts(C["atlas"]),
        lambda i: scans.scan_pdf(scans.two_up(i, scans.raster(typst_pdf(look.menu(oranger)), 200))),
    )
    yield scan("machine-print.gif", "rne", Paper(look.rne_iso, look="mono"), meditex, scans.gif)
    yield scan(
        "tax-card.jpg",
        "tax_card",
        Paper(look.tax_card_fr),
        oranger,
        lambda i: scans.jpeg(scans.noisy(i, 7)),
        issued_on=None,
    )
    yield scan(
        "tax-card-arabic", "tax_card", Paper(look.tax_card_ar), meditex, lambda i: scans.scan_pdf(i), issued_on=None
    )
    yield scan(
        "register-english",
        "trade_register",
        Paper(look.register_en),
        Facts(C["thames"]),
        lambda i: scans.scan_pdf(scans.skewed(i, -0.8)),
        **_foreign("07142283", None),
    )
    drawn = Paper(look.rne_table, options={"paper": "#f7f3e3", "ink": "#2b2b55"})
    yield Case(
        "clean-scan-drawn.jpg", "rne", declared_of(oranger), lambda: scans.jpeg(drawn.picture(oranger), 80), needs="ocr"
    )
    both = Paper(look.rne_arabic_table)
    yield Case(
        "clean-scan-drawn-arabic.png", "rne", declared_of(sahel), lambda: scans.png(both.picture(sahel)), needs="ocr"
    )
    card, book = Paper(look.cin_card, look="card"), Paper(look.passport, look="passport")
    yield Case(
        "clean-scan-cin.jpg",
        "identity",
        identity(oranger, "04512873"),
        lambda: scans.jpeg(scans.on_a_table(scans.raster(card.pdf(oranger), 300), 8), 80),
        needs="ocr",
    )
    pass_ = passports()["tunisian"]
    yield Case(
        "clean-scan-passport.png",
        "identity",
        identity(pass_, "Z174402"),
        lambda: scans.png(scans.raster(book.pdf(pass_), 250)),
        needs="ocr",
    )


def _printed(printer: Printer) -> Iterator[Case]:
    """Printed by a browser from pages with real tables."""
    for name, kind, layout, facts in (
        ("table", "rne", look.rne_table, Facts(C["meditex"])),
        ("side-by-side", "rne", look.rne_side_by_side, Facts(C["oranger"])),
        ("arabic-table", "rne", look.rne_arabic_table, Facts(C["sahel"])),
        ("arabic-letter", "rne", look.rne_arabic_letter, Facts(C["tell"])),
        ("letter", "rne", look.rne_letter, Facts(C["carthage"])),
        ("above-and-below", "rne", look.rne_one_above_the_other, Facts(C["jasmin"])),
    ):
        sheet = Paper(layout, "browser")
        yield Case(f"clean-printed-{name}.pdf", kind, declared_of(facts), lambda s=sheet, f=facts: s.pdf(f, printer))
    card = Facts(C["numid"], issued=date(2020, 2, 2))
    yield Case(
        "clean-printed-tax-card.pdf",
        "tax_card",
        declared_of(card, issued_on=None),
        lambda: Paper(look.tax_card_both, "browser").pdf(card, printer),
    )
