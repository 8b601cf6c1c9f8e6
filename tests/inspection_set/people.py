"""Invented companies and persons, and what a paper may say of them. Nothing here is taken from the product."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

TODAY = date(2026, 11, 20)
"""The day at which every case is judged: the set is the same whenever it is made."""

_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ"


def tax_id(digits: str) -> str:
    """Seven digits with their control letter, by the rule of ORG-2 written out again."""
    return digits + _LETTERS[sum((7 - place) * int(digit) for place, digit in enumerate(digits)) % 23]


def wrong_letter(right: str) -> str:
    """The same digits with the letter that follows the right one."""
    return right[:7] + _LETTERS[(_LETTERS.index(right[7]) + 5) % 23]


@dataclass(frozen=True)
class Person:
    first: str
    last: str
    first_ar: str
    last_ar: str
    cin: str
    born: date = date(1978, 4, 9)

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def name_ar(self) -> str:
        return f"{self.first_ar} {self.last_ar}"


@dataclass(frozen=True)
class Company:
    """``name`` as its papers print it; ``declared`` as the form lets it be typed (letters, digits, spaces)."""

    name: str
    name_ar: str
    tax_id: str
    person: Person
    declared: str = ""
    form: str = "Société à responsabilité limitée"
    form_ar: str = "شركة ذات مسؤولية محدودة"
    street: str = "14, rue des Orangers"
    street_ar: str = "14 نهج البرتقال"
    city: str = "Ariana"
    city_ar: str = "أريانة"
    activity: str = "Commerce de gros"
    activity_ar: str = "تجارة بالجملة"
    founded: date = date(2011, 3, 8)
    capital: str = "30 000 DT"
    country: str = "Tunisie"


@dataclass(frozen=True)
class Facts:
    """What a paper prints. A fault is a paper whose facts are not those declared."""

    company: Company
    issued: date | None = date(2026, 10, 12)
    person: Person | None = None  # who is printed as representative: the company's without one
    reference: str = "E-2026-48120"
    qr: str = ""
    shareholders: tuple[tuple[str, str], ...] = ()  # name, tax id
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def boss(self) -> Person:
        return self.person or self.company.person

    def but(self, **changes: Any) -> Facts:
        return replace(self, **changes)


P = {
    "amine": Person("Mohamed Amine", "Ben Salah", "محمد أمين", "بن صالح", "04512873"),
    "ines": Person("Inès", "Gharbi", "إيناس", "الغربي", "07730915", date(1985, 12, 1)),
    "hedi": Person("Hédi", "Mzoughi", "الهادي", "المزوغي", "01284460", date(1961, 7, 30)),
    "salma": Person("Salma", "Trabelsi", "سلمى", "الطرابلسي", "09157302", date(1990, 2, 17)),
    "kais": Person("Kaïs", "Bouazizi", "قيس", "البوعزيزي", "05841127"),
    "leila": Person("Leïla", "Haddad Ben Youssef", "ليلى", "حداد بن يوسف", "08063491", date(1972, 9, 5)),
    "zied": Person("Zied", "Jaziri", "زياد", "الجزيري", "06692048"),
    "nour": Person("Nour El Houda", "Khelifi", "نور الهدى", "الخليفي", "11370256", date(1994, 5, 23)),
    "walid": Person("Walid", "Marzouki", "وليد", "المرزوقي", "03925518"),
    "anis": Person("Anis", "Sghaier", "أنيس", "الصغير", "02418837"),
    "james": Person("James", "Whitcombe", "جيمس", "ويتكومب", "", date(1970, 1, 14)),
    "greta": Person("Greta", "Lindenbaum", "غريتا", "ليندنباوم", "", date(1968, 6, 2)),
    "marco": Person("Marco", "Bellandi", "ماركو", "بيلاندي", "", date(1981, 10, 19)),
}

C = {
    "oranger": Company(
        "SOCIETE L'ORANGER BLEU", "شركة البرتقالة الزرقاء", tax_id("1403627"), P["amine"], "SOCIETE L ORANGER BLEU"
    ),
    "meditex": Company(
        "MEDITEX INDUSTRIES", "مديتكس للصناعات", tax_id("0918254"), P["ines"],
        form="Société anonyme", form_ar="شركة خفية الاسم", capital="1 200 000 DT", city="Sousse", city_ar="سوسة",
    ),
    "tell": Company(
        "Coopérative Agricole du Haut-Tell", "التعاضدية الفلاحية بالتل الأعلى", tax_id("0230711"), P["hedi"],
        "COOPERATIVE AGRICOLE DU HAUT TELL", city="Siliana", city_ar="سليانة",
        activity="Collecte de céréales", activity_ar="تجميع الحبوب",
    ),
    "numid": Company(
        "NUMIDIA CONSEIL & FORMATION", "نوميديا للاستشارة والتكوين", tax_id("1577340"), P["salma"],
        "NUMIDIA CONSEIL ET FORMATION SUARL",
        form="Société unipersonnelle à responsabilité limitée", form_ar="شركة الشخص الواحد ذات المسؤولية المحدودة",
    ),
    "revolution": Company(
        "IMPRIMERIE DU 14 JANVIER 2011", "مطبعة 14 جانفي 2011", tax_id("1230498"), P["kais"],
        city="Sfax", city_ar="صفاقس", founded=date(2011, 1, 14), activity="Imprimerie", activity_ar="طباعة",
    ),
    "haddad": Company(
        "LEILA HADDAD BEN YOUSSEF DESIGN", "ليلى حداد بن يوسف للتصميم", tax_id("1688125"), P["leila"],
        activity="Décoration intérieure", activity_ar="تصميم داخلي",
    ),
    "carthage": Company(
        "STE CARTHAGE LOGISTIQUE SARL", "شركة قرطاج للوجستية", tax_id("0771962"), P["zied"],
        "CARTHAGE LOGISTIQUE", city="Radès", city_ar="رادس", activity="Transport", activity_ar="نقل",
    ),
    "jasmin": Company(
        "Jasmin d'Été Cosmétiques", "ياسمين الصيف لمواد التجميل", tax_id("1309876"), P["nour"],
        "JASMIN D ETE COSMETIQUES", city="Nabeul", city_ar="نابل",
    ),
    "sahel": Company(
        "SAHEL PÊCHE", "الساحل للصيد البحري", tax_id("0345190"), P["walid"], "SAHEL PECHE",
        city="Mahdia", city_ar="المهدية", activity="Pêche côtière", activity_ar="صيد ساحلي",
    ),
    "atlas": Company(
        "ATLAS 3D INGENIERIE", "أطلس 3د للهندسة", tax_id("1745026"), P["anis"],
        activity="Études techniques", activity_ar="دراسات فنية",
    ),
    "holding": Company(
        "GROUPE EL BARAKA HOLDING", "مجمع البركة القابضة", tax_id("0602381"), P["hedi"],
        form="Société anonyme", form_ar="شركة خفية الاسم", capital="9 000 000 DT",
    ),
    "thames": Company(
        "THAMES & LOWLAND TRADING LTD", "", "07142283", P["james"], "THAMES LOWLAND TRADING LTD",
        form="Private limited company", street="9 Mill Lane", city="Bristol", country="United Kingdom",
        activity="Wholesale of machinery", capital="GBP 1,000",
    ),
    "linden": Company(
        "Lindenbaum Werkzeugbau GmbH", "", "HRB 48213", P["greta"], "Lindenbaum Werkzeugbau GmbH",
        form="Gesellschaft mit beschränkter Haftung", street="Hafenstraße 3", city="Lübeck", country="Deutschland",
        activity="Herstellung von Werkzeugen", capital="25.000 EUR",
    ),
    "bellandi": Company(
        "OFFICINE BELLANDI S.R.L.", "", "MI-2048715", P["marco"], "OFFICINE BELLANDI SRL",
        form="Società a responsabilità limitata", street="Via dei Mulini 21", city="Brescia", country="Italia",
        activity="Lavorazioni meccaniche", capital="10.000,00 EUR",
    ),
}  # fmt: skip
