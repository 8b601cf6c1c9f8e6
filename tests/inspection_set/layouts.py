"""How papers are laid out: facts in, blocks out. Each function is one look that some office might have.

The words, the order, the form of dates and numbers differ from one to the next on purpose; what draws the blocks
(Typst, a browser, a pencil of pixels) is chosen elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from tests.inspection_set.people import Facts

Block = dict[str, Any]
Layout = Callable[[Facts], list[Block]]

_FR = [
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
]  # fmt: skip
_AR = ["جانفي", "فيفري", "مارس", "أفريل", "ماي", "جوان", "جويلية", "أوت", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"]
_EN = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip
_DE = [
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
]  # fmt: skip
_IT = [
    "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
    "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
]  # fmt: skip


SHORT_EN = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def words_fr(day: date) -> str:
    return f"{'1er' if day.day == 1 else day.day} {_FR[day.month - 1]} {day.year}"


def words_ar(day: date) -> str:
    return f"{day.day} {_AR[day.month - 1]} {day.year}"


def eastern(text: str) -> str:
    """Arabic-Indic digits."""
    return text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))


def head(text: str, size: float = 15, **more: Any) -> Block:
    return {"kind": "head", "text": text, "size": size, **more}


def para(text: str, **more: Any) -> Block:
    return {"kind": "para", "text": text, **more}


def rows(*pairs: tuple[str, str], look: str = "lines", **more: Any) -> Block:
    return {"kind": "rows", "rows": [list(pair) for pair in pairs if pair[1]], "look": look, **more}


def section(text: str, **more: Any) -> Block:
    return {"kind": "section", "text": text, **more}


def _tail(f: Facts) -> list[Block]:
    return [{"kind": "qr", "text": f.qr, "mm": 28}] if f.qr else []


def _on(f: Facts, sentence: str, form: Callable[[date], str]) -> str:
    return sentence.format(form(f.issued)) if f.issued else ""


# --- Tunisian register extracts, in French --------------------------------------------------------


def rne_letter(f: Facts) -> list[Block]:
    c = f.company
    others = "".join(f" ; {name}, identifiant {number}" for name, number in f.shareholders)
    return [
        {"kind": "logo", "text": "R·N·E", "side": "Guichet d'Ariana — service des extraits"},
        head("Extrait du registre national des entreprises"),
        para(f"Référence : {f.reference}"),
        para(
            f"Il est certifié que la société dénommée « {c.name} », {c.form.lower()} au capital de {c.capital}, "
            f"est immatriculée sous l'identifiant unique {c.tax_id} depuis le {words_fr(c.founded)}. "
            f"Son siège est établi au {c.street}, {c.city}. Elle a pour objet : {c.activity.lower()}."
        ),
        para(f"Elle est représentée par {f.boss.name}, en qualité de gérant."),
        para(f"Associés : {f.boss.name}{others}.") if others else para("Aucune inscription modificative."),
        para(_on(f, "Fait à Tunis, le {}.", words_fr)),
        {"kind": "stamp", "text": "REGISTRE NATIONAL ARIANA"},
        *_tail(f),
    ]


def rne_table(f: Facts) -> list[Block]:
    c = f.company
    return [
        head("REGISTRE NATIONAL DES ENTREPRISES", 12),
        head("EXTRAIT D'IMMATRICULATION", 17),
        rows(
            ("N° de l'extrait", f.reference),
            ("Date d'édition", f"{f.issued:%d-%m-%Y}" if f.issued else ""),
            ("Identifiant unique", c.tax_id),
            ("Dénomination", c.name),
            ("Forme juridique", c.form),
            ("Capital", c.capital),
            ("Siège social", f"{c.street} - {c.city}"),
            ("Date de constitution", f"{c.founded:%d-%m-%Y}"),
            ("Gérant", f"{f.boss.last.upper()} {f.boss.first}"),
            ("CIN du gérant", f.boss.cin),
            look="box",
        ),
        *(
            [{"kind": "table", "rows": [["Associé", "Identifiant"], *map(list, f.shareholders)]}]
            if f.shareholders
            else []
        ),
        *_tail(f),
    ]


def rne_columns(f: Facts) -> list[Block]:
    """Two newspaper columns; the tax id is cut by spaces, as 1403627 / R."""
    c = f.company
    return [
        section("Identité de l'entreprise"),
        rows(
            ("Raison sociale", c.name),
            ("Id. unique", f"{c.tax_id[:7]} / {c.tax_id[7:]}"),
            ("Forme", c.form),
            ("Immatriculée le", f"{c.founded:%d.%m.%Y}"),
            look="under",
        ),
        section("Dirigeants"),
        rows(("Représentant légal", f"M(me) {f.boss.first.upper()} {f.boss.last.upper()}"), look="under"),
        section("Activité et siège"),
        para(f"{c.activity}. {c.street}, {c.city}."),
        section("Délivrance"),
        para(_on(f, "Le présent extrait, n° " + f.reference + ", a été délivré le {}.", lambda d: f"{d:%d.%m.%Y}")),
        para("Toute falsification expose son auteur aux poursuites prévues par la loi."),
        *_tail(f),
    ]


def rne_tiny(f: Facts) -> list[Block]:
    """A dense journal in very small print, with many other dates before and after the one that counts."""
    c = f.company
    return [
        head("Extrait du RNE", 9),
        rows(
            ("Identifiant unique", c.tax_id),
            ("Raison sociale", c.name),
            ("Nom, prénom du dirigeant", f"{f.boss.last}, {f.boss.first}"),
            look="dots",
        ),
        section("Historique des inscriptions"),
        para(
            f"{c.founded:%d/%m/%Y} constitution ; 17/06/2014 transfert du siège ; 02/05/2018 augmentation du capital "
            "porté à 30 000 DT ; 30/09/2021 dépôt des états financiers de l'exercice clos le 31/12/2020 ; "
            "28/09/2022 idem pour 2021 ; 29/09/2025 idem pour 2024."
        ),
        para("Durée de la société : 99 ans, soit jusqu'au 07/03/2110. Prochain dépôt attendu avant le 31/07/2027."),
        para(_on(f, "Date de délivrance du présent extrait : {}", lambda d: f"{d:%d/%m/%Y}")),
        *_tail(f),
    ]


def rne_iso(f: Facts) -> list[Block]:
    """Printed by a machine, all in fixed width, dates as 2026-10-12."""
    c = f.company
    lines = [
        "=" * 60,
        "  RNE / EXTRAIT ELECTRONIQUE",
        "=" * 60,
        f"IDENTIFIANT UNIQUE ....: {c.tax_id}",
        f"RAISON SOCIALE ........: {c.name}",
        f"REPRESENTANT LEGAL ....: {f.boss.last.upper()}, {f.boss.first.upper()}",
        f"ADRESSE ...............: {c.street.upper()}",
        f"CREATION ..............: {c.founded.isoformat()}",
        f"EDITE LE ..............: {f.issued.isoformat()} A 09:41:07" if f.issued else "",
        f"REFERENCE .............: {f.reference}",
    ]
    return [{"kind": "mono", "size": 9, "text": line} for line in lines if line] + _tail(f)


# --- in both languages ----------------------------------------------------------------------------


def rne_side_by_side(f: Facts) -> list[Block]:
    c = f.company
    day = f"{f.issued:%Y/%m/%d}" if f.issued else ""
    return [
        {"kind": "logo", "text": "RNE", "side": "السجل الوطني للمؤسسات"},
        {
            "kind": "four",
            "rows": [
                ["Identifiant unique", c.tax_id, c.tax_id, "المعرف الوحيد"],
                ["Raison sociale", c.name, c.name_ar, "التسمية الاجتماعية"],
                ["Forme juridique", c.form, c.form_ar, "الشكل القانوني"],
                ["Dirigeant", f.boss.name, f.boss.name_ar, "المسير"],
                ["Siège", f"{c.street}, {c.city}", f"{c.street_ar}، {c.city_ar}", "المقر الاجتماعي"],
                *([["Délivré le", day, day, "سلم في"]] if day else []),
            ],
        },
        para(f"Extrait n° {f.reference}"),
        {"kind": "stamp", "text": "السجل الوطني RNE"},
        *_tail(f),
    ]


def rne_one_above_the_other(f: Facts) -> list[Block]:
    c = f.company
    return [
        head("مضمون من السجل الوطني للمؤسسات", 16, rtl=True),
        rows(
            ("المعرف الوحيد", c.tax_id),
            ("الاسم الاجتماعي", c.name_ar),
            ("الممثل القانوني", f.boss.name_ar),
            look="stripes",
            rtl=True,
        ),
        head("Extrait du Registre National des Entreprises", 13),
        rows(
            ("Identifiant unique", c.tax_id),
            ("Nom de la société", c.name),
            ("Représentée par", f.boss.name),
            ("Date du jour", f"{f.issued:%d/%m/%Y}" if f.issued else ""),
            look="stripes",
        ),
        *_tail(f),
    ]


# --- in Arabic alone ------------------------------------------------------------------------------


def rne_arabic_table(f: Facts) -> list[Block]:
    c = f.company
    return [
        head("الجمهورية التونسية", 11, rtl=True),
        head("مضمون من السجل الوطني للمؤسسات", 16, rtl=True),
        rows(
            ("عدد المضمون", f.reference),
            ("المعرف الوحيد", c.tax_id),
            ("التسمية الاجتماعية", c.name_ar),
            ("الشكل القانوني", c.form_ar),
            ("المقر الاجتماعي", f"{c.street_ar} {c.city_ar}"),
            ("النشاط", c.activity_ar),
            ("الوكيل", f.boss.name_ar),
            ("تاريخ التسليم", f"{f.issued:%d/%m/%Y}" if f.issued else ""),
            look="box",
            rtl=True,
        ),
        *_tail(f),
    ]


def rne_arabic_letter(f: Facts) -> list[Block]:
    c = f.company
    return [
        head("شهادة ترسيم", 18, rtl=True),
        para(
            f"يشهد حافظ السجل الوطني للمؤسسات أن {c.name_ar} وهي {c.form_ar} مرسمة تحت المعرف الوحيد "
            f"{c.tax_id} ومقرها {c.street_ar} {c.city_ar}، ويمثلها قانونا السيد(ة) {f.boss.name_ar}.",
            rtl=True,
        ),
        para(_on(f, "حرر بتونس في {}", words_ar), rtl=True),
        {"kind": "stamp", "text": "السجل الوطني للمؤسسات"},
        *_tail(f),
    ]


def rne_arabic_eastern(f: Facts) -> list[Block]:
    """Digits of the East in the dates."""
    c = f.company
    return [
        head("مضمون السجل", 14, rtl=True),
        rows(
            ("المعرف الوحيد", c.tax_id),
            ("اسم الشركة", c.name_ar),
            ("اسم ولقب الوكيل", f.boss.name_ar),
            look="colon",
            rtl=True,
        ),
        para(_on(f, "تاريخ الإصدار: {}", lambda d: eastern(f"{d:%Y/%m/%d}")), rtl=True),
        *_tail(f),
    ]


# --- tax cards ------------------------------------------------------------------------------------


def tax_card_fr(f: Facts) -> list[Block]:
    c = f.company
    return [
        head("RÉPUBLIQUE TUNISIENNE — MINISTÈRE DES FINANCES", 9),
        head("CARTE D'IDENTIFICATION FISCALE", 16),
        rows(
            ("Matricule fiscal", f"{c.tax_id[:7]}{c.tax_id[7:]}/A/M/000"),
            ("Nom et prénom ou raison sociale", c.name),
            ("Activité principale", c.activity),
            ("Adresse", f"{c.street}, {c.city}"),
            ("Date de début d'activité", f"{c.founded:%d/%m/%Y}"),
            ("Délivrée le", f"{f.issued:%d/%m/%Y}" if f.issued else ""),
            look="dots",
        ),
        para("Cette carte doit être affichée au lieu d'exercice de l'activité (patente)."),
        *_tail(f),
    ]


def tax_card_both(f: Facts) -> list[Block]:
    c = f.company
    return [
        {
            "kind": "beside",
            "sides": [
                [
                    head("Carte d'identification fiscale", 12),
                    rows(("Matricule", f"{c.tax_id} A M 000"), ("Raison sociale", c.name), look="under"),
                ],
                [
                    head("بطاقة التعريف الجبائية", 12, rtl=True),
                    rows(("المعرف الجبائي", f"{c.tax_id} A M 000"), ("الاسم", c.name_ar), look="under", rtl=True),
                ],
            ],
        },
        para(_on(f, "Fait à Tunis le {}", lambda d: f"{d:%d/%m/%Y}")),
        {"kind": "stamp", "text": "BUREAU DE CONTRÔLE DES IMPÔTS"},
    ]


def tax_card_ar(f: Facts) -> list[Block]:
    c = f.company
    return [
        head("وزارة المالية - الإدارة العامة للأداءات", 10, rtl=True),
        head("بطاقة تعريف جبائية", 16, rtl=True),
        rows(
            ("المعرف الجبائي", f"{c.tax_id}/A/M/000"),
            ("الاسم أو التسمية", c.name_ar),
            ("النشاط", c.activity_ar),
            ("العنوان", f"{c.street_ar} {c.city_ar}"),
            look="lines",
            rtl=True,
        ),
        para(_on(f, "سلمت بتاريخ {}", lambda d: f"{d:%d/%m/%Y}"), rtl=True),
    ]


# --- registers of elsewhere -----------------------------------------------------------------------


def register_en(f: Facts) -> list[Block]:
    c = f.company
    when = f"{f.issued.day} {_EN[f.issued.month - 1]} {f.issued.year}" if f.issued else ""
    return [
        head("COMPANY REGISTER EXTRACT", 15),
        rows(
            ("Company name", c.name),
            ("Company number", c.tax_id),
            ("Type", c.form),
            ("Registered office", f"{c.street}, {c.city}, {c.country}"),
            ("Incorporated on", f"{c.founded.day} {_EN[c.founded.month - 1]} {c.founded.year}"),
            ("Director", f"{f.boss.last.upper()}, {f.boss.first}"),
            ("Share capital", c.capital),
            look="lines",
        ),
        para(f"This extract was issued on {when} and reflects the register on that day." if when else "Extract."),
        *_tail(f),
    ]


def register_de(f: Facts) -> list[Block]:
    c = f.company
    when = f"{f.issued.day}. {_DE[f.issued.month - 1]} {f.issued.year}" if f.issued else ""
    return [
        head("Handelsregister B — Aktueller Ausdruck", 14),
        rows(
            ("Nummer der Firma", c.tax_id),
            ("Firma", c.name),
            ("Sitz, Anschrift", f"{c.city}, {c.street}"),
            ("Gegenstand", c.activity),
            ("Stammkapital", c.capital),
            ("Geschäftsführer", f"{f.boss.last}, {f.boss.first}, *02.06.1968"),
            ("Rechtsform", f"{c.form}; Gesellschaftsvertrag vom {c.founded:%d.%m.%Y}"),
            look="under",
        ),
        para(f"Abruf vom {when}, Ausdruck gilt ohne Unterschrift." if when else "Ausdruck gilt ohne Unterschrift."),
        *_tail(f),
    ]


def register_it(f: Facts) -> list[Block]:
    c = f.company
    when = f"{f.issued.day} {_IT[f.issued.month - 1]} {f.issued.year}" if f.issued else ""
    return [
        head("VISURA ORDINARIA SOCIETÀ DI CAPITALE", 14),
        para(f"Registro Imprese — Documento n. {f.reference} estratto dal Registro Imprese in data {when}"),
        rows(
            ("Denominazione", c.name),
            ("Numero REA", c.tax_id),
            ("Forma giuridica", c.form),
            ("Sede legale", f"{c.city}, {c.street}"),
            ("Amministratore unico", f"{f.boss.first} {f.boss.last}"),
            ("Data atto di costituzione", f"{c.founded:%d/%m/%Y}"),
            look="stripes",
        ),
        *_tail(f),
    ]


# --- identity papers ------------------------------------------------------------------------------


def cin_card(f: Facts) -> list[Block]:
    """As the national card: Arabic alone, the number large."""
    p = f.boss
    return [
        head("الجمهورية التونسية", 10, rtl=True),
        head("بطاقة التعريف الوطنية", 12, rtl=True),
        head(p.cin, 18),
        rows(
            ("اللقب", p.last_ar),
            ("الاسم", p.first_ar),
            ("تاريخ الولادة", words_ar(p.born)),
            ("مكانها", "تونس"),
            look="colon",
            rtl=True,
        ),
    ]


def cin_both_sides(f: Facts) -> list[Block]:
    p = f.boss
    return [
        *cin_card(f),
        {"kind": "space", "mm": 20},
        para("العنوان : 14 نهج البرتقال أريانة", rtl=True),
        para(f"تونس في {words_ar(date(2017, 3, 2))}", rtl=True),
        {"kind": "mono", "size": 8, "text": f"TN{p.cin}0317"},
    ]


def passport(f: Facts) -> list[Block]:
    p = f.boss
    number = f.extra["number"]
    expires: date = f.extra["expires"]
    country = f.extra.get("country", "TUN")
    family, given = p.last.upper().replace(" ", "<"), _mrz(p.first)
    first = f"P<{country}{family}<<{given}".ljust(44, "<")[:44]
    second = (
        _checked(number.ljust(9, "<")) + country + _checked(f"{p.born:%y%m%d}") + "M" + _checked(f"{expires:%y%m%d}")
    )
    second = second.ljust(43, "<") + "0"
    return [
        head("REPUBLIQUE TUNISIENNE  /  PASSEPORT  PASSPORT" if country == "TUN" else "PASSPORT", 11),
        rows(
            ("N° du passeport / Passport No", number),
            ("Nom / Surname", p.last.upper()),
            ("Prénoms / Given names", p.first.upper()),
            ("Date de naissance / Date of birth", f"{p.born:%d %m %Y}"),
            ("Date de délivrance / Date of issue", f"{date(expires.year - 5, expires.month, 9):%d/%m/%Y}"),
            ("Date d'expiration / Date of expiry", f"{expires:%d/%m/%Y}"),
            look="under",
        ),
        {"kind": "mono", "size": 8.5, "text": first},
        {"kind": "mono", "size": 8.5, "text": second},
    ]


def _mrz(text: str) -> str:
    plain = text.upper().translate(str.maketrans("ÏÉÈËÔ", "IEEEO"))
    return "".join(char if char.isascii() and char.isalpha() else "<" for char in plain)


def _checked(text: str) -> str:
    """The field and its check digit (weights 7, 3, 1)."""
    values = [int(c) if c.isdigit() else 0 if c == "<" else ord(c) - 55 for c in text]
    return text + str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


def residence_card(f: Facts) -> list[Block]:
    p = f.boss
    expires: date = f.extra["expires"]
    return [
        head("CARTE DE SÉJOUR", 13),
        head("بطاقة إقامة", 12, rtl=True),
        rows(
            ("Numéro", f.extra["number"]),
            ("Nom", p.last.upper()),
            ("Prénom", p.first),
            ("Né(e) le", f"{p.born:%d/%m/%Y}"),
            ("Valable jusqu'au", f"{expires:%d/%m/%Y}"),
            look="colon",
        ),
    ]


# --- other papers ---------------------------------------------------------------------------------


def invoice(f: Facts) -> list[Block]:
    """What is sent by mistake."""
    return [
        head("FACTURE N° 2026/0448", 16),
        rows(("Client", "Café du Port"), ("Date", "03/11/2026"), look="colon"),
        {
            "kind": "table",
            "rows": [["Désignation", "Quantité", "Prix"], ["Rame A4", "12", "14,500"], ["Toner", "2", "189,000"]],
        },
        para("Total à payer : 552,000 DT. Merci de votre confiance."),
    ]


def menu(f: Facts) -> list[Block]:
    return [
        head("Menu du jour", 18),
        para("Salade méchouia, couscous au poisson, fruits de saison, thé aux pignons."),
        para("Le chef vous souhaite un bon appétit."),
    ]


def poem(f: Facts) -> list[Block]:
    return [
        head("L'automne", 16),
        para("Les feuilles s'en vont une à une, le vent les emmène au jardin, et la lune se lève sur le chemin."),
        para("Nous marchions sans rien dire, les mains dans les poches, en comptant les cloches au loin sur la mer."),
    ]


def minutes(f: Facts) -> list[Block]:
    """The minutes of a meeting: a company's name, people, a date, and none of what is asked for."""
    return [
        head("Compte rendu de la réunion du 9 octobre 2026", 14),
        para(f"Présents : {f.boss.name}, Mme Sonia Baccouche, M. Tarek Lahmar. Excusé : le trésorier."),
        para("1. Le local sera repeint en janvier. 2. La fête de fin d'année aura lieu au restaurant du port."),
        para("3. Deux imprimantes sont à remplacer ; trois offres seront demandées avant la fin du mois."),
    ]


def lesson(f: Facts) -> list[Block]:
    return [
        head("الدرس الثالث : دورة الماء في الطبيعة", 15, rtl=True),
        para("تتبخر مياه البحار والأنهار بفعل حرارة الشمس ثم تتكاثف في الجو فتكون سحبا تحملها الرياح.", rtl=True),
        para("وعندما تبرد السحب تنزل الأمطار والثلوج فتعود المياه إلى الأرض ومنها إلى البحر من جديد.", rtl=True),
    ]


def contract(f: Facts) -> list[Block]:
    """A contract that somebody else's word processor set: number, parties, clauses."""
    c = f.company
    clauses = (
        "Objet. Le présent contrat règle la fourniture de certificats électroniques au client.",
        "Durée. Il est conclu pour deux ans et se renouvelle par tacite reconduction.",
        "Prix. Les tarifs sont ceux en vigueur au jour de la commande.",
        "Résiliation. Chaque partie peut y mettre fin par lettre recommandée, avec un préavis d'un mois.",
        "Litiges. Les tribunaux de Tunis sont seuls compétents.",
    )
    return [
        head("CONTRAT D'ABONNEMENT", 17),
        para(f"Numéro : {f.reference}"),
        para(
            f"Entre le prestataire, d'une part, et {c.name}, matricule fiscal {c.tax_id}, sise {c.street}, {c.city}, "
            f"représentée par {f.boss.name}, d'autre part, il a été convenu ce qui suit :"
        ),
        *(para(f"Article {number}. {clause}") for number, clause in enumerate(clauses, 1)),
        para(_on(f, "Fait à Tunis, le {}, en deux exemplaires.", words_fr)),
        {"kind": "beside", "sides": [[para("Pour le prestataire")], [para(f"Pour le client : {f.boss.name}")]]},
    ]
