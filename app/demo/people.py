"""Invented people: names in both scripts, for the demonstration and for large data sets (OPS-1).

Nobody real: first and last names are common ones, put together by number; numbers of documents and phones are
reckoned from the same number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from app.identifiers import fold
from app.models import IdentityKind

LAST_NAMES = (
    ("Abidi", "العبيدي"), ("Ayari", "العياري"), ("Baccouche", "البكوش"), ("Belhadj", "بلحاج"),
    ("Ben Ammar", "بن عمار"), ("Ben Othman", "بن عثمان"), ("Ben Romdhane", "بن رمضان"), ("Ben Youssef", "بن يوسف"),
    ("Bouzid", "بوزيد"), ("Chaabane", "شعبان"), ("Chebbi", "الشابي"), ("Dridi", "الدريدي"),
    ("Ferchichi", "الفرشيشي"), ("Ghannouchi", "الغنوشي"), ("Guesmi", "القاسمي"), ("Hamdi", "الحمدي"),
    ("Hammami", "الهمامي"), ("Jaziri", "الجزيري"), ("Jebali", "الجبالي"), ("Karoui", "القروي"),
    ("Khelifi", "الخليفي"), ("Laabidi", "العبيدي"), ("Louati", "اللواتي"), ("Mabrouk", "مبروك"),
    ("Mahjoub", "المحجوب"), ("Mansouri", "المنصوري"), ("Mejri", "الماجري"), ("Mnif", "المنيف"),
    ("Nasri", "النصري"), ("Oueslati", "الوسلاتي"), ("Rezgui", "الرزقي"), ("Riahi", "الرياحي"),
    ("Saidi", "السعيدي"), ("Sassi", "الساسي"), ("Sfar", "صفر"), ("Slimani", "السليماني"),
    ("Tlili", "التليلي"), ("Toumi", "التومي"), ("Trabelsi", "الطرابلسي"), ("Zaghdoudi", "الزغدودي"),
    ("Zouari", "الزواري"),
)  # fmt: skip
FIRST_NAMES = (
    ("Ahmed", "أحمد"), ("Aïcha", "عائشة"), ("Amine", "أمين"), ("Anis", "أنيس"), ("Asma", "أسماء"),
    ("Aziz", "عزيز"), ("Chokri", "شكري"), ("Dorra", "درة"), ("Emna", "آمنة"), ("Fathi", "فتحي"),
    ("Fatma", "فاطمة"), ("Habib", "الحبيب"), ("Hajer", "هاجر"), ("Hatem", "حاتم"), ("Hédi", "الهادي"),
    ("Imen", "إيمان"), ("Ines", "إيناس"), ("Khaled", "خالد"), ("Leïla", "ليلى"), ("Lotfi", "لطفي"),
    ("Maher", "ماهر"), ("Mariem", "مريم"), ("Mehdi", "مهدي"), ("Moez", "معز"), ("Monia", "منية"),
    ("Mounir", "منير"), ("Nadia", "نادية"), ("Nejib", "نجيب"), ("Nizar", "نزار"), ("Nour El Houda", "نور الهدى"),
    ("Olfa", "ألفة"), ("Rached", "راشد"), ("Rim", "ريم"), ("Sami", "سامي"), ("Salma", "سلمى"),
    ("Samia", "سامية"), ("Slim", "سليم"), ("Sonia", "سنية"), ("Tarek", "طارق"), ("Wafa", "وفاء"),
    ("Walid", "وليد"), ("Yassine", "ياسين"), ("Youssef", "يوسف"), ("Zied", "زياد"),
)  # fmt: skip
MOBILE_PREFIXES = ("20", "22", "23", "24", "25", "26", "27", "28", "29", "50", "52", "53", "54", "55", "58", "96", "98")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as they would be declared."""

    last_name: str
    first_name: str
    last_name_ar: str
    first_name_ar: str
    birth_date: date
    identity_number: str
    mobile: str
    email: str
    identity_kind: IdentityKind = IdentityKind.CIN
    nationality: str = "TN"

    @property
    def declared(self) -> dict[str, object]:
        """The columns of ``PersonMixin``."""
        return {name: getattr(self, name) for name in PERSON_COLUMNS}


PERSON_COLUMNS = (
    "last_name", "first_name", "last_name_ar", "first_name_ar", "birth_date", "nationality", "identity_kind",
    "identity_number", "mobile", "email",
)  # fmt: skip


def names_of(number: int) -> tuple[str, str, str, str]:
    """Last and first name, then both in Arabic, of the person of that number: 1 804 pairs, then again."""
    last = LAST_NAMES[number % len(LAST_NAMES)]
    first = FIRST_NAMES[5 * number % len(FIRST_NAMES)]
    return last[0], first[0], last[1], first[1]


def cin_of(number: int) -> str:
    """Eight digits, from 00000000 to 14999999, all different for numbers below fifteen millions."""
    return f"{(number * 7_368_787 + 4_000_037) % 15_000_000:08d}"


def mobile_of(number: int) -> str:
    """A Tunisian mobile number, E.164."""
    return f"+216{MOBILE_PREFIXES[number % len(MOBILE_PREFIXES)]}{(number * 391_939 + 104_729) % 1_000_000:06d}"


def birth_date_of(number: int) -> date:
    """Between 1962 and 2001: always an adult."""
    return date(1962, 1, 1) + timedelta(days=number * 1_009 % 14_600)


def invent(number: int, domain: str) -> Person:
    """The person of that number, with an address at ``domain``."""
    last, first, last_ar, first_ar = names_of(number)
    return Person(
        last_name=last,
        first_name=first,
        last_name_ar=last_ar,
        first_name_ar=first_ar,
        birth_date=birth_date_of(number),
        identity_number=cin_of(number),
        mobile=mobile_of(number),
        email=f"{mailbox(first)}.{mailbox(last)}@{domain}",
    )


def colleagues(first_number: int, domain: str) -> Iterator[Person]:
    """People of one organisation, one after another, their addresses all different."""
    taken: set[str] = set()
    number = first_number
    while True:
        somebody = invent(number, domain)
        number += 1
        if somebody.email not in taken:
            taken.add(somebody.email)
            yield somebody


def mailbox(name: str) -> str:
    """A name as people write it in an address."""
    return fold(name).replace(" ", "")
