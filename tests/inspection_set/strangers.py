"""A third draw: what papers of another hand taught (words in quotes, histories, columns, pages on their side)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from tests.inspection_set import layouts as look
from tests.inspection_set.case import Case, Paper, Printer, declared_of
from tests.inspection_set.clean import _foreign, paper
from tests.inspection_set.faults import TOO_OLD, fault
from tests.inspection_set.layouts import Block, head, para, rows, section
from tests.inspection_set.people import C, Facts, P

KAMEL = "Kamel Zouari"


def attestation(f: Facts) -> list[Block]:
    """A letter whose sentence goes on right after the name."""
    c, p = f.company, f.boss
    return [
        para("REGISTRE NATIONAL DES ENTREPRISES — bureau régional"),
        head("Attestation d'inscription"),
        para(
            f"Le greffier soussigné atteste que la société dénommée « {c.name} », inscrite sous l'identifiant unique "
            f"{c.tax_id[:4]} {c.tax_id[4:7]} {c.tax_id[7]} depuis le 4 mars 2013, est représentée par {p.name}, "
            "nommé par décision de l'assemblée du 15 juin 2022."
        ),
        para(f"Fait à {c.city}, le {look.words_fr(f.issued)}." if f.issued else f"Fait à {c.city}."),
    ]


def history(f: Facts) -> list[Block]:
    """Who led the company before, and what it was called."""
    c, p = f.company, f.boss
    return [
        para(f"RNE - extrait détaillé   Édition du {f.issued:%d/%m/%Y}" if f.issued else "RNE - extrait détaillé"),
        head(c.name),
        para(f"IU : {c.tax_id}"),
        section("Organes de gestion en exercice"),
        rows(("Gérant", p.name)),
        section("Historique des inscriptions"),
        para(f"03/02/2020 : changement de gérant, départ de {KAMEL}"),
        para("19/10/2017 : ancienne dénomination ORIENT NEGOCE"),
        para("08/08/2012 : constitution"),
    ]


def bullets(f: Facts) -> list[Block]:
    """A few Arabic lines, each with its label: so few that a missing name must be told by the label alone."""
    c, p = f.company, f.boss
    return [
        head("السجل الوطني للمؤسسات - مضمون سجل", rtl=True),
        para(f"المعرف الوحيد : {c.tax_id}", rtl=True),
        para(f"تسمية الشركة : «{c.name_ar}»", rtl=True),
        para(f"المسير : {p.name_ar}", rtl=True),
        para("تاريخ الترسيم : 14-07-2009", rtl=True),
        para(f"استخرج هذا المضمون بتاريخ {look.words_ar(f.issued)}" if f.issued else "استخرج من المنصة", rtl=True),
    ]


def births(f: Facts) -> list[Block]:
    """A table whose heading is far from its figures: a day of birth that no word explains."""
    c, p = f.company, f.boss
    return [
        head("EXTRAIT DU REGISTRE NATIONAL DES ENTREPRISES"),
        rows(("Identifiant unique", c.tax_id), ("Dénomination sociale", c.name), ("Forme juridique", c.form)),
        para("Nom et prénom   Qualité   Né(e) le   Durée du mandat"),
        para(f"{p.last.upper()} {p.first}   Gérant   {p.born:%d/%m/%Y}   jusqu'au 30/06/2028"),
        para(f"Extrait édité le {f.issued:%d/%m/%Y} à 09:41" if f.issued else "Extrait édité en ligne"),
    ]


def standing(f: Facts) -> list[Block]:
    c, p = f.company, f.boss
    day = f"{f.issued.day} {look._EN[f.issued.month - 1]} {f.issued.year}" if f.issued else ""
    return [
        head("Certificate of Good Standing"),
        para("Companies Register of the Isle of Wendale"),
        para(f"Company number: {c.tax_id}"),
        para(f"Company name: {c.name} Registered office: 4 Harbour Row"),
        para("Incorporated on 5 May 2009"),
        para(f"Directors: {p.last.upper()}, {p.first} (appointed 1 June 2019)"),
        para(f"This certificate was produced on {day}." if day else "This certificate is produced by the registrar."),
    ]


def narrow(f: Facts) -> list[Block]:
    """A column too narrow for its number, which goes on below."""
    c, p = f.company, f.boss
    first, _space, second = c.tax_id.partition(" ")
    day = f"{f.issued:%d.%m.%Y}" if f.issued else ""
    return [
        para("Handelsregister B des Amtsgerichts Nordhafen"),
        para(f"Abruf vom {day} 08:17" if day else "Abruf"),
        para(f"Nummer der Firma: {first}"),
        para(second),
        para(f"Firma: {c.name} Sitz: Nordhafen"),
        para(f"Geschäftsführer: {p.last}, {p.first}, Nordhafen, *14.02.1971"),
        para("Tag der Eintragung: 03.09.2008"),
    ]


def on_its_side(pdf: bytes, degrees: int) -> bytes:
    """The same pages, shown turned."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            page.rotate(degrees, relative=False)
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
    return out.getvalue()


WENDALE = replace(
    C["thames"], name="WENDALE MARINE SERVICES LIMITED", declared="WENDALE MARINE SERVICES LTD", tax_id="00912744"
)
KRANICH = replace(C["linden"], name="Kranich Hafenlogistik GmbH", declared="KRANICH HAFENLOGISTIK", tax_id="HRB 773188")


def strangers_cases(_printer: Printer | None) -> Iterator[Case]:
    oranger, meditex, sahel = Facts(C["oranger"]), Facts(C["meditex"]), Facts(C["sahel"])
    letter, past, table = Paper(attestation, look="letter"), Paper(history, look="sans"), Paper(births)
    wendale, kranich = Facts(WENDALE), Facts(KRANICH)
    yield paper("stranger-quoted", "rne", letter, oranger)
    yield paper("stranger-quoted-old-pdf", "rne", Paper(attestation, "old"), meditex)
    yield paper("stranger-history", "rne", past, meditex)
    yield paper("stranger-births", "rne", table, sahel)
    yield paper("stranger-bullets", "rne", Paper(bullets), sahel)
    yield fault(
        "stranger-bullets-name", "other_legal_name_ar", Paper(bullets),
        sahel.but(company=replace(C["sahel"], name_ar="شركة البركة للبناء")), sahel,
    )  # fmt: skip
    english, german = _foreign(WENDALE.tax_id, None), _foreign(KRANICH.tax_id, None)
    yield paper("stranger-produced", "trade_register", Paper(standing), wendale, **english)
    yield paper("stranger-narrow", "trade_register", Paper(narrow, look="sans"), kranich, **german)

    gone = {"representative": KAMEL, "representative_ar": "كمال الزواري"}
    yield fault("stranger-former-head", "former_head", past, meditex, **gone)
    yield fault("stranger-former-name", "former_name", past, meditex, legal_name="ORIENT NEGOCE")
    yield fault("stranger-undated-births", "date_missing", table, sahel.but(issued=None), issued_on="2026-10-12")
    yield fault(
        "stranger-produced-long-ago", "extract_too_old", Paper(standing), wendale.but(issued=TOO_OLD),
        kind="trade_register", **english,
    )  # fmt: skip
    longer = kranich.but(company=replace(KRANICH, tax_id="HRB 7731880"))
    yield fault("stranger-longer-number", "other_tax_id", Paper(narrow), longer, kranich, "trade_register", **german)
    yield fault("stranger-quoted-head", "other_representative", letter, oranger.but(person=P["walid"]), oranger)
    for name, sheet, degrees in (("french", letter, 90), ("arabic", Paper(look.rne_arabic_table), 180)):
        yield Case(
            f"fault-stranger-turned-{name}.pdf", "rne", declared_of(oranger),
            lambda sheet=sheet, degrees=degrees: on_its_side(sheet.pdf(oranger), degrees), fault="turned",
        )  # fmt: skip
    yield fault(
        "stranger-recent-decision", "extract_too_old", past, meditex.but(issued=date(2026, 7, 1)),
        issued_on="2026-07-01",
    )  # fmt: skip
