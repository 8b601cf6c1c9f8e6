"""A second draw, made after the checks had been mended by the first: how they do on papers they had not met."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from tests.inspection_set import layouts as look
from tests.inspection_set.case import Case, Paper, Printer
from tests.inspection_set.clean import _foreign, identity, paper, passports
from tests.inspection_set.faults import TOO_OLD, fault
from tests.inspection_set.layouts import Block, head, para, rows
from tests.inspection_set.people import C, Facts, P, Person, tax_id


def certificate(f: Facts) -> list[Block]:
    """Several heads, born on several days, an office with a number of its own, the hour beside the day."""
    c, p = f.company, f.boss
    when = f"{f.issued.day}-{look.SHORT_EN[f.issued.month - 1]}-{f.issued.year} 14:32" if f.issued else ""
    return [
        head("ATTESTATION D'IMMATRICULATION AU R.N.E.", 14),
        para("Centre de services de Ben Arous, 3 avenue de la Gare, téléphone 71 000 456, code 2013"),
        rows(
            ("Entreprise", c.name),
            ("Numéro unique", f"{c.tax_id[:7]}-{c.tax_id[7]}"),
            (
                "Co-gérants",
                f"Mme Rim Souissi (née le 17/02/1969), M. {p.first} {p.last.upper()} (né le {p.born:%d/%m/%Y})",
            ),
            ("Commissaire aux comptes", "Cabinet Audit du Golfe"),
            ("Capital libéré", c.capital),
            look="stripes",
        ),
        para(f"Imprimé le {when}" if when else "Imprimé par le guichet"),
    ]


def arabic_lines(f: Facts) -> list[Block]:
    """Labels after their colon on lines of their own, the name in both scripts, digits of the East for the day."""
    c, p = f.company, f.boss
    day = look.eastern(f"{f.issued:%d-%m-%Y}") if f.issued else ""
    return [
        head("السجل الوطني للمؤسسات", 15, rtl=True),
        para("مستخرج من السجل", rtl=True),
        rows(
            ("رقم التعريف الموحد", c.tax_id),
            ("تسمية المؤسسة", f"{c.name_ar} ({c.name})"),
            ("رأس المال", "30000 دينار"),
            ("المتصرف", f"السيد {p.last_ar} {p.first_ar}"),
            look="under",
            rtl=True,
        ),
        para(f"استخرج يوم {day} من الموقع" if day else "استخرج من الموقع", rtl=True),
        para("تاريخ بداية النشاط 08/03/2011 - تاريخ آخر إيداع 30/06/2026", rtl=True),
    ]


def kbis(f: Facts) -> list[Block]:
    c = f.company
    day = look.words_fr(f.issued) if f.issued else ""
    return [
        para("Greffe du tribunal de commerce de Valmont"),
        head("Extrait Kbis", 18),
        para(f"à jour au {day}" if day else "Code de vérification : 7Hq2"),
        rows(
            ("Immatriculation au RCS, numéro", f"{c.tax_id[:3]} {c.tax_id[3:6]} {c.tax_id[6:]} R.C.S. Valmont"),
            ("Date d'immatriculation", f"{c.founded:%d/%m/%Y}"),
            ("Dénomination ou raison sociale", c.name),
            ("Forme juridique", c.form),
            ("Adresse du siège", f"{c.street} {c.city}"),
            look="colon",
        ),
        para("GESTION, DIRECTION, ADMINISTRATION, CONTROLE"),
        rows(("Président : Nom, prénoms", f"{f.boss.last.upper()} {f.boss.first}"), look="colon"),
    ]


def licence(f: Facts) -> list[Block]:
    """English and Arabic side by side, from a free zone."""
    c = f.company
    day = f"{f.issued:%d/%m/%Y}" if f.issued else ""
    return [
        head("TRADE LICENCE   رخصة تجارية", 15),
        {
            "kind": "four",
            "rows": [
                ["Licence No.", c.tax_id, c.tax_id, "رقم الرخصة"],
                ["Trade name", c.name, "لنمارك للتجارة", "الاسم التجاري"],
                ["Manager", f.boss.name, f.boss.name_ar, "المدير"],
                ["Issue date", day, day, "تاريخ الإصدار"],
                ["First issued", "04/09/2015", "04/09/2015", "أول إصدار"],
            ],
        },
        para("Commercial register of the Free Zone — this extract is valid on the day it is printed."),
    ]


VALMONT = replace(
    C["oranger"], name="VALMONT ÉNERGIE SAS", name_ar="", tax_id="552100554", declared="VALMONT ENERGIE",
    person=Person("Éloïse", "de La Tour", "", "", ""), form="Société par actions simplifiée", country="France",
)  # fmt: skip
LANMARK = replace(
    C["oranger"], name="LANMARK GENERAL TRADING FZE", name_ar="", tax_id="FZ-88231-L",
    declared="LANMARK GENERAL TRADING FZE",
    person=Person("Omar", "Al Suwaidi", "عمر", "السويدي", ""), country="UAE",
)  # fmt: skip


def unseen_cases(_printer: Printer | None) -> Iterator[Case]:
    yield from _clean()
    yield from _faulty()


def _clean() -> Iterator[Case]:
    one, two = Paper(certificate, look="sans"), Paper(arabic_lines, look="serif")
    old, visual = Paper(certificate, "old"), Paper(arabic_lines, "visual", "mono")
    yield paper("unseen-heads", "rne", one, Facts(C["carthage"]))
    yield paper("unseen-heads-old-pdf", "rne", old, Facts(C["jasmin"], issued=date(2026, 9, 30)))
    yield paper("unseen-heads-typed-long", "rne", one, Facts(C["sahel"]), tax_id=f"{C['sahel'].tax_id.lower()}/a/m/000")
    yield paper("unseen-arabic-lines", "rne", two, Facts(C["meditex"]))
    yield paper("unseen-arabic-visual", "rne", visual, Facts(C["tell"]))
    yield paper("unseen-arabic-latin-name", "rne", two, Facts(C["numid"]), legal_name_ar=None)
    yield paper("unseen-kbis", "trade_register", Paper(kbis), Facts(VALMONT), **_foreign("552100554", None))
    yield paper(
        "unseen-kbis-spaced", "trade_register", Paper(kbis, "old"), Facts(VALMONT), **_foreign("552 100 554", None)
    )
    yield paper(
        "unseen-licence",
        "trade_register",
        Paper(licence, look="sans"),
        Facts(LANMARK),
        register_number="FZ-88231-L",
        tax_id=None,
        legal_name_ar=None,
    )
    short = Facts(C["oranger"], qr=json.dumps({"ref": "E-2026-48120", "hash": "9f2b77c01d"}))
    yield paper("unseen-qr-of-a-hash", "rne", Paper(look.rne_side_by_side), short)
    yield paper("unseen-first-of-month", "rne", Paper(look.rne_letter), Facts(C["meditex"], issued=date(2026, 11, 1)))
    yield paper(
        "unseen-last-good-day", "rne", Paper(look.rne_arabic_letter), Facts(C["sahel"], issued=date(2026, 8, 20))
    )
    yield paper(
        "unseen-transliterated", "rne", Paper(look.rne_table), Facts(C["revolution"]), representative="Kais Bou Azizi"
    )
    yield paper("unseen-email", "rne", Paper(look.rne_table), Facts(C["atlas"]), email="a.sghaier@atlas3d.example")
    twin = Facts(
        C["holding"], shareholders=(("MEDITEX INDUSTRIES", C["meditex"].tax_id), ("HAUT TELL", C["tell"].tax_id))
    )
    yield paper("unseen-holding", "rne", Paper(look.rne_columns, look="newspaper"), twin)


def _faulty() -> Iterator[Case]:
    one, two = Paper(certificate, look="sans"), Paper(arabic_lines)
    old, visual = Paper(certificate, "old"), Paper(arabic_lines, "visual", "mono")
    carthage, meditex, tell = Facts(C["carthage"]), Facts(C["meditex"]), Facts(C["tell"])

    def other(facts: Facts, **changes: object) -> Facts:
        return facts.but(company=replace(facts.company, **changes))

    yield fault("unseen-tax-id", "other_tax_id", one, other(carthage, tax_id=tax_id("0771926")), carthage)
    yield fault("unseen-tax-id-arabic", "other_tax_id", visual, other(meditex, tax_id=C["sahel"].tax_id), meditex)
    yield fault(
        "unseen-name", "other_legal_name", one, other(carthage, name="STE CARTHAGE INFORMATIQUE SARL"), carthage
    )
    yield fault(
        "unseen-name-arabic",
        "other_legal_name_ar",
        two,
        other(tell, name_ar="شركة الواحة للتمور", name="OASIS DATTES"),
        tell,
    )
    yield fault("unseen-head", "other_representative", old, carthage.but(person=P["hedi"]), carthage)
    yield fault("unseen-head-arabic", "other_representative_ar", two, meditex.but(person=P["anis"]), meditex)
    yield fault("unseen-old", "extract_too_old", one, meditex.but(issued=TOO_OLD))
    yield fault("unseen-old-arabic", "extract_too_old", two, tell.but(issued=TOO_OLD))
    yield fault("unseen-old-visual", "extract_too_old", visual, tell.but(issued=TOO_OLD))
    yield fault("unseen-undated", "date_missing", one, carthage.but(issued=None), issued_on="2026-10-12")
    yield fault("unseen-undated-arabic", "date_missing", two, meditex.but(issued=None), issued_on="2026-10-12")
    swapped = carthage.but(issued=date(2026, 11, 10))
    yield fault("unseen-day-and-month", "declared_date_differs", Paper(look.rne_table), swapped, issued_on="2026-10-11")
    yield fault(
        "unseen-tomorrow", "extract_of_the_future", Paper(look.rne_letter), meditex.but(issued=date(2026, 11, 21))
    )
    kbis_facts, zone = Facts(VALMONT), Facts(LANMARK)
    yield fault(
        "unseen-kbis-number",
        "other_tax_id",
        Paper(kbis),
        other(kbis_facts, tax_id="552100545"),
        kbis_facts,
        "trade_register",
        **_foreign("552100554", None),
    )
    yield fault(
        "unseen-kbis-old",
        "extract_too_old",
        Paper(kbis),
        kbis_facts.but(issued=TOO_OLD),
        kind="trade_register",
        **_foreign("552100554", None),
    )
    yield fault(
        "unseen-kbis-head",
        "other_representative",
        Paper(kbis),
        kbis_facts.but(person=P["walid"]),
        kbis_facts,
        "trade_register",
        **_foreign("552100554", None),
    )
    yield fault(
        "unseen-licence-old",
        "extract_too_old",
        Paper(licence),
        zone.but(issued=date(2026, 1, 8)),
        kind="trade_register",
        **_foreign("FZ-88231-L", None),
    )
    yield fault(
        "unseen-licence-name",
        "other_legal_name",
        Paper(licence),
        other(zone, name="DESERT ROSE MARINE FZE"),
        zone,
        "trade_register",
        **_foreign("FZ-88231-L", None),
    )
    qr = f"MF={C['tell'].tax_id};RS=HAUT TELL"
    yield fault("unseen-qr", "code_contradicts", Paper(look.rne_side_by_side), carthage.but(qr=qr))
    tunisian = passports()["tunisian"]
    sister = tunisian.but(person=replace(P["walid"], first="Meriem"))
    yield Case(
        "fault-unseen-sister.pdf",
        "identity",
        identity(tunisian, "Z174402"),
        lambda: Paper(look.passport, look="passport").pdf(sister),
        fault="identity_of_another",
    )
    yield fault("unseen-email", "generic_email", Paper(look.rne_table), meditex, email="info@meditex.example")
    yield fault(
        "unseen-two-people", "latin_and_arabic_differ", Paper(look.rne_table), tell, representative_ar="كمال العيادي"
    )
