"""Papers of invented companies that look like what customers send: extracts, tax cards (OPS-1).

Nothing here imitates a real authority's security: emblem and seal are invented, and each page says
« DÉMONSTRATION ».
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Literal

from app import clock
from app.demo.papers_typeset import emblem_svg, qr_svg, seal_svg, signature_svg, typeset

Lang = Literal["fr", "ar", "both"]

_LOOKS = {
    1: {"ink": "#0b6b4f", "pale": "#e6f2ee", "accent": "#c8a24a"},
    2: {"ink": "#26303a", "pale": "#f1f1f1", "accent": "#26303a"},
    3: {"ink": "#1f3f77", "pale": "#e7edf7", "accent": "#d9a441"},
}
_TAX_LOOK = {"ink": "#7a2433", "pale": "#f8ecee", "accent": "#7a2433"}
_FOREIGN_LOOK = {"ink": "#2b3a67", "pale": "#eceff7", "accent": "#b23a48"}

_COMPANY_DEFAULTS: dict[str, Any] = {
    "legal_name": "SOCIETE DEMO",
    "legal_name_ar": "شركة المثال",
    "trade_name": "",
    "tax_id": "0000000A",
    "legal_form": "Société à responsabilité limitée",
    "legal_form_ar": "شركة ذات مسؤولية محدودة",
    "capital": "50 000 DT",
    "address": "12 rue de l’Exemple",
    "address_ar": "12 نهج المثال",
    "postal_code": "1002",
    "city": "Tunis",
    "city_ar": "تونس",
    "governorate": "Tunis",
    "governorate_ar": "تونس",
    "activity": "Services informatiques et conseil",
    "activity_ar": "خدمات إعلامية واستشارات",
    "country": "France",
    "register_number": "FR-000 000 000",
}
_PERSON_DEFAULTS: dict[str, Any] = {
    "first_name": "Foulan",
    "last_name": "Ben Foulan",
    "first_name_ar": "فلان",
    "last_name_ar": "بن فلان",
    "cin": "00000000",
    "role": "Gérant",
    "role_ar": "وكيل",
}


def rne_extract(company: Mapping[str, Any], issued_on: date, lang: Lang = "both", style: Literal[1, 2, 3] = 1) -> bytes:
    """Return the PDF of a company register extract (ORG-4).

    ``company``: legal_name, legal_name_ar, trade_name, tax_id, legal_form(_ar), capital, address(_ar),
    postal_code, city(_ar), governorate(_ar), activity(_ar), founded_on (a date), representative (a
    mapping: first_name, last_name, first_name_ar, last_name_ar, cin, role, role_ar). What is missing is
    invented. ``lang="ar"`` holds names in Arabic only, the case that also needs the tax card. Style 2
    has two pages.
    """
    c, person = _filled(company)
    reference = _reference("RNE", c, issued_on)
    day = f"{issued_on:%d/%m/%Y}"
    side = {
        "fr": [f"Extrait n° {reference}", f"Délivré le {day}", "Validité : trois mois"],
        "ar": [f"مضمون عدد {reference}", f"سلّم بتاريخ {day}", "صلوحية : ثلاثة أشهر"],
    }
    side["both"] = [f"Extrait n° {reference}", f"Délivré le {day}", f"سلّم بتاريخ {day}"]
    sections = [
        _section(
            ("Identification", "التعريف"),
            _row("Identifiant unique", "المعرف الوحيد", [c["tax_id"]]),
            _row("Raison sociale", "التسمية الاجتماعية", _two(c, "legal_name", lang)),
            _row("Nom commercial", "الاسم التجاري", [c["trade_name"]]),
            _row("Forme juridique", "الشكل القانوني", _two(c, "legal_form", lang)),
            _row("Capital social", "رأس المال", [c["capital"]]),
            _row("Date de création", "تاريخ التأسيس", [f"{c['founded_on']:%d/%m/%Y}"]),
        ),
        _section(
            ("Siège et activité", "المقر والنشاط"),
            _row("Adresse du siège", "عنوان المقر", _addresses(c, lang)),
            _row("Activité principale", "النشاط الرئيسي", _two(c, "activity", lang)),
            _row("État au registre", "الحالة بالسجل", _pick(lang, "En activité", "في حالة نشاط")),
        ),
        _section(
            ("Représentant légal", "الممثل القانوني"),
            _row("Nom et prénom", "الاسم واللقب", _names(person, lang)),
            _row("Qualité", "الصفة", _two(person, "role", lang)),
            _row("N° CIN", "عدد ب.ت.و", [person["cin"]]),
        ),
    ]
    return typeset(
        _LOOKS[style]
        | {
            "style": style,
            "lang": lang,
            "title": "مضمون من السجل الوطني للمؤسسات"
            if lang == "ar"
            else "Extrait du registre national des entreprises",
            "title_ar": "مضمون من السجل الوطني للمؤسسات" if lang == "both" else "",
            "issuer": "Registre national des entreprises (démonstration)",
            "head_fr": ["République Tunisienne", "Registre National des Entreprises", "DÉMONSTRATION"],
            "head_ar": ["الجمهورية التونسية", "السجل الوطني للمؤسسات", "نسخة تجريبية"],
            "reference": reference,
            "side": side[lang],
            "sections": sections,
            "tables": [*_people(person, lang), *_entries(c, lang)] if style == 2 else [],
            "tables_on_new_page": style == 2,
            "closing": "سلّم هذا المضمون لاستعماله عند الاقتضاء."
            if lang == "ar"
            else "Extrait délivré pour servir et valoir ce que de droit. Le code permet d’en lire les données.",
            "signed": f"تونس في {day}" if lang == "ar" else f"Tunis, le {day}",
            "qr": qr_svg(extract_qr_text(company, issued_on)),
            "emblem": emblem_svg(_LOOKS[style]["ink"]),
            "seal": seal_svg("REGISTRE DES ENTREPRISES ★ DÉMONSTRATION", "RNE\nTUNIS"),
            "signature": signature_svg(f"greffier {style}"),
        }
    )


def extract_qr_text(company: Mapping[str, Any], issued_on: date) -> str:
    """Return what the QR code of ``rne_extract`` says: « RNE;IU=…;RS=…;DATE=yyyy-mm-dd;REF=… »."""
    c, _person = _filled(company)
    reference = _reference("RNE", c, issued_on)
    return f"RNE;IU={c['tax_id']};RS={c['legal_name']};DATE={issued_on.isoformat()};REF={reference}"


def tax_card(company: Mapping[str, Any], issued_on: date | None = None) -> bytes:
    """Return the PDF of a tax identification card (patente), bilingual; the day defaults to a year ago."""
    c, person = _filled(company)
    day = issued_on or clock.today() - timedelta(days=365)
    reference = _reference("CIF", c, day)
    tax_id = f"{c['tax_id']} / A / M / 000"
    return typeset(
        _TAX_LOOK
        | {
            "style": 1,
            "lang": "both",
            "title": "Carte d’identification fiscale",
            "title_ar": "بطاقة التعريف الجبائية",
            "issuer": "Direction générale des impôts (démonstration)",
            "head_fr": ["République Tunisienne", "Ministère des Finances", "Direction Générale des Impôts"],
            "head_ar": ["الجمهورية التونسية", "وزارة المالية", "الإدارة العامة للأداءات"],
            "reference": reference,
            "side": [
                f"Matricule fiscal : {c['tax_id']}",
                f"Carte n° {reference}",
                f"Délivrée le {day:%d/%m/%Y}",
            ],
            "sections": [
                _section(
                    ("Contribuable", "المطالب بالأداء"),
                    _row("Matricule fiscal", "المعرف الجبائي", [tax_id]),
                    _row("Raison sociale", "الاسم الاجتماعي", _two(c, "legal_name", "both")),
                    _row("Forme juridique", "الشكل القانوني", _two(c, "legal_form", "both")),
                    _row("Activité", "النشاط", _two(c, "activity", "both")),
                    _row("Adresse", "العنوان", _addresses(c, "both")),
                    _row("Début d’activité", "بداية النشاط", [f"{c['founded_on']:%d/%m/%Y}"]),
                    _row("Responsable", "المسؤول", _names(person, "both")),
                    _row(
                        "Bureau de contrôle",
                        "مكتب مراقبة الأداءات",
                        [f"{c['governorate']} 1", c["governorate_ar"]],
                    ),
                )
            ],
            "tables_on_new_page": False,
            "tables": [
                {
                    "title": "Obligations fiscales",
                    "header": ["Impôt", "Régime", "Périodicité", "Depuis le"],
                    "rows": [
                        ["Impôt sur les sociétés", "Réel", "Annuelle", f"{c['founded_on']:%d/%m/%Y}"],
                        ["TVA", "Assujetti", "Mensuelle", f"{c['founded_on']:%d/%m/%Y}"],
                        ["Retenue à la source", "Réel", "Mensuelle", f"{c['founded_on']:%d/%m/%Y}"],
                    ],
                }
            ],
            "closing": "Cette carte doit être affichée au lieu d’exercice de l’activité.",
            "signed": f"{c['city']}, le {day:%d/%m/%Y}",
            "qr": qr_svg(f"CIF;MF={c['tax_id']};RS={c['legal_name']};DATE={day.isoformat()}"),
            "emblem": emblem_svg(_TAX_LOOK["ink"]),
            "seal": seal_svg("CONTRÔLE DES IMPÔTS ★ DÉMONSTRATION", f"BUREAU\n{c['governorate'].upper()[:12]}"),
            "signature": signature_svg("receveur"),
        }
    )


def trade_register_foreign(company: Mapping[str, Any], issued_on: date, valid_days: int = 90) -> bytes:
    """Return the PDF of a foreign trade register extract (``country``, ``register_number``), in French."""
    c, person = _filled(company)
    until = issued_on + timedelta(days=valid_days)
    reference = _reference("RC", c, issued_on)
    return typeset(
        _FOREIGN_LOOK
        | {
            "style": 3,
            "lang": "fr",
            "title": "Extrait du registre du commerce",
            "title_ar": "",
            "issuer": "Registre du commerce (démonstration)",
            "head_fr": [f"Registre du commerce — {c['country']}", "Greffe central", "DÉMONSTRATION"],
            "head_ar": [],
            "reference": reference,
            "side": [
                f"Extrait n° {reference}",
                f"À jour au {issued_on:%d/%m/%Y}",
                f"Valable jusqu’au {until:%d/%m/%Y}",
            ],
            "sections": [
                _section(
                    ("Personne morale", ""),
                    _row("Numéro d’immatriculation", "", [c["register_number"]]),
                    _row("Dénomination", "", [c["legal_name"]]),
                    _row("Forme juridique", "", [c["legal_form"]]),
                    _row("Capital", "", [c["capital"].replace("DT", "EUR")]),
                    _row("Siège", "", [c["address"], f"{c['postal_code']} {c['city']}", c["country"]]),
                    _row("Immatriculation", "", [f"{c['founded_on']:%d/%m/%Y}"]),
                    _row("Activité", "", [c["activity"]]),
                ),
                _section(
                    ("Direction", ""),
                    _row("Nom et prénom", "", _names(person, "fr")),
                    _row("Fonction", "", [person["role"]]),
                    _row("Pouvoirs", "", ["Engage seul la société"]),
                ),
            ],
            "tables": _entries(c, "fr"),
            "tables_on_new_page": False,
            "closing": "Pour extrait certifié conforme au registre, délivré par voie électronique.",
            "signed": f"Le greffier, le {issued_on:%d/%m/%Y}",
            "qr": qr_svg(f"RC;NO={c['register_number']};RS={c['legal_name']};DATE={issued_on.isoformat()}"),
            "emblem": emblem_svg(_FOREIGN_LOOK["ink"]),
            "seal": seal_svg(f"GREFFE DU COMMERCE ★ {c['country'].upper()[:14]}", "DÉMO", color="#7a2030", tilt=12),
            "signature": signature_svg("greffier étranger"),
        }
    )


def _filled(company: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Complete the company and its representative; the same company always gets the same inventions."""
    given = {key: value for key, value in company.items() if value}
    c = _COMPANY_DEFAULTS | given
    number = int(hashlib.sha256(str(c["legal_name"]).encode()).hexdigest()[:8], 16)
    c.setdefault("founded_on", date(2004 + number % 19, 1 + number % 12, 1 + number % 28))
    person = _PERSON_DEFAULTS | {k: v for k, v in (given.get("representative") or {}).items() if v}
    return c, person


def _reference(kind: str, company: Mapping[str, Any], day: date) -> str:
    digest = hashlib.sha256(f"{kind}{company['legal_name']}{day}".encode()).hexdigest()
    return f"{kind}{day:%y}{int(digest[:8], 16) % 10**7:07d}"


def _section(titles: tuple[str, str], *rows: dict[str, Any]) -> dict[str, Any]:
    return {"title": titles[0], "title_ar": titles[1], "rows": [row for row in rows if row["values"]]}


def _row(label: str, label_ar: str, values: Iterable[Any]) -> dict[str, Any]:
    return {"label": label, "label_ar": label_ar, "values": [str(value) for value in values if value]}


def _pick(lang: Lang, french: str, arabic: str) -> list[str]:
    return {"fr": [french], "ar": [arabic], "both": [french, arabic]}[lang]


def _two(source: Mapping[str, Any], key: str, lang: Lang) -> list[str]:
    return _pick(lang, str(source[key]), str(source.get(f"{key}_ar", "")))


def _names(person: Mapping[str, Any], lang: Lang) -> list[str]:
    return _pick(
        lang,
        f"{str(person['last_name']).upper()} {person['first_name']}",
        f"{person['first_name_ar']} {person['last_name_ar']}",
    )


def _addresses(company: Mapping[str, Any], lang: Lang) -> list[str]:
    places = dict.fromkeys([f"{company['postal_code']} {company['city']}", company["governorate"]])
    if company["city"] == company["governorate"]:
        places.popitem()
    return _pick(
        lang,
        ", ".join([str(company["address"]), *places]),
        f"{company['address_ar']}، {company['postal_code']} {company['city_ar']}",
    )


def _people(person: Mapping[str, Any], lang: Lang) -> list[dict[str, Any]]:
    """Who runs and audits the company, a wide table."""
    auditor = {"fr": "Cabinet Exemple Audit", "ar": "مكتب المثال للتدقيق"}
    arabic, french = lang == "ar", lang == "fr"
    name = _names(person, "ar" if arabic else "fr")[0]
    if arabic:
        return [
            {
                "title": "المسيرون والمراقبون",
                "header": ["الاسم واللقب", "الصفة", "المدة"],
                "rows": [[name, person["role_ar"], "غير محددة"], [auditor["ar"], "مراقب حسابات", "3 سنوات"]],
            }
        ]
    both = [_names(person, "ar")[0], auditor["ar"]] if not french else ["", ""]
    header = ["Nom et prénom", "Qualité", "Durée du mandat"]
    rows = [[name, person["role"], "Indéterminée"], [auditor["fr"], "Commissaire aux comptes", "3 ans"]]
    if not french:
        header.append("الاسم واللقب")
        rows = [[*row, other] for row, other in zip(rows, both, strict=True)]
    return [{"title": "Dirigeants et contrôleurs", "header": header, "rows": rows}]


def _entries(company: Mapping[str, Any], lang: Lang) -> list[dict[str, Any]]:
    """The history of entries, a wide table."""
    founded: date = company["founded_on"]
    days = [founded, founded + timedelta(days=812), founded + timedelta(days=1490)]
    if lang == "ar":
        kinds = ["تسجيل", "تحيين المقر", "إيداع القوائم المالية"]
        return [
            {
                "title": "جدول التسجيلات",
                "header": ["التاريخ", "الموضوع", "العدد"],
                "rows": [
                    [f"{day:%d/%m/%Y}", kind, f"{day:%y}-{1000 + day.day * 37}"]
                    for day, kind in zip(days, kinds, strict=True)
                ],
            }
        ]
    kinds = ["Immatriculation", "Transfert du siège", "Dépôt des états financiers"]
    return [
        {
            "title": "Inscriptions au registre",
            "header": ["Date", "Objet", "Numéro", "Observation"],
            "rows": [
                [f"{day:%d/%m/%Y}", kind, f"{day:%y}-{1000 + day.day * 37}", "Néant"]
                for day, kind in zip(days, kinds, strict=True)
            ],
        }
    ]
