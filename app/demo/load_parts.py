"""What the large data set is made of: its vocabulary, weights, prices and the batch under way (OPS-1)."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from app import clock
from app.demo.people import mailbox
from app.identifiers import common_name, fold, tax_id_letter
from app.services.search_columns import keys_of
from app.states import OrganisationState, RequestState

PAID_AFTER = timedelta(hours=26)
REVIEWED_AFTER = timedelta(days=4)
SENT_AFTER = timedelta(days=6)
COLLECTED_AFTER = timedelta(days=10)
ISSUER = "CN=TunTrust Qualified Gov CA (démonstration),O=Agence Nationale de Certification Electronique,C=TN"
CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTVWXYZ23456789"

_R = RequestState
STATES = (
    (_R.EXPEDIEE, 66), (_R.PRISE_EN_CHARGE_PAR_TUNTRUST, 9), (_R.EN_ATTENTE_DE_JUSTIFICATIFS, 3),
    (_R.EN_ATTENTE_DE_PAIEMENT, 8), (_R.NON_FINALISEE, 7), (_R.ANNULEE, 7),
)  # fmt: skip
PAID = frozenset({_R.EXPEDIEE, _R.PRISE_EN_CHARGE_PAR_TUNTRUST, _R.EN_ATTENTE_DE_JUSTIFICATIFS})
LAST_MOVE = {
    _R.EXPEDIEE: "dispatch", _R.PRISE_EN_CHARGE_PAR_TUNTRUST: "pay", _R.EN_ATTENTE_DE_JUSTIFICATIFS:
    "ask_for_documents", _R.EN_ATTENTE_DE_PAIEMENT: "validate", _R.ANNULEE: "withdraw",
}  # fmt: skip
ORGANISATION_STATES = (
    (OrganisationState.VERIFIEE, 84), (OrganisationState.A_VERIFIER, 7), (OrganisationState.PIECES_DEMANDEES, 4),
    (OrganisationState.SUSPENDUE, 3), (OrganisationState.REJETEE, 2),
)  # fmt: skip
CATEGORIES = (
    ("ENTREPRISE_PRIVEE", 86), ("ASSOCIATION", 6), ("MINISTERE_ADMINISTRATION", 3), ("ENTITE_PUBLIQUE", 5),
)  # fmt: skip
TRADES = (
    ("CONSEIL", "للاستشارات"), ("TRANSPORT", "للنقل"), ("BATIMENT", "للبناء"), ("INFORMATIQUE", "للإعلامية"),
    ("AGRICOLE", "الفلاحية"), ("TEXTILE", "للنسيج"), ("IMPORT EXPORT", "للتوريد والتصدير"), ("SANTE", "للصحة"),
    ("ELECTRICITE", "للكهرباء"), ("TOURISME", "للسياحة"), ("FORMATION", "للتكوين"), ("LOGISTIQUE", "للخدمات اللوجستية"),
)  # fmt: skip
PLACES = (
    ("CARTHAGE", "قرطاج"), ("DU SAHEL", "الساحل"), ("DU CAP BON", "الوطن القبلي"), ("ATLAS", "أطلس"),
    ("JASMIN", "الياسمين"), ("EL AMEL", "الأمل"), ("ENNAJAH", "النجاح"), ("ZITOUNA", "الزيتونة"),
    ("MEDITERRANEE", "المتوسط"), ("DU SUD", "الجنوب"), ("EL FATH", "الفتح"), ("HORIZON", "الأفق"),
    ("MEDJERDA", "مجردة"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Price:
    """One certificate's price and the invoice's stamp, in millimes."""

    ht: int
    vat: int
    vat_rate_bp: int
    delivery: int
    delivery_vat_bp: int
    stamp_duty: int

    def total(self, count: int) -> int:
        """Of that many certificates on one invoice (PRI-1)."""
        return count * (self.ht + self.vat + self.delivery) + self.stamp_duty


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Reference data the rows point at."""

    certificate_type_id: int
    designation: str
    price: Price
    domain_ids: tuple[int, ...]
    office_ids: tuple[int, ...]
    localities: tuple[tuple[str, str, int], ...]  # name, postal code, gouvernorat
    cgu_version_id: int
    agent_ids: tuple[int, ...]
    verification_base: str
    seller: dict[str, Any]
    present: datetime


@dataclass(frozen=True, slots=True)
class Firm:
    """What the requests of an organisation repeat of it."""

    id: int
    administrator_id: int
    number: int
    legal_name: str
    legal_name_ar: str
    address: str
    place: str
    phone: str

    @property
    def tax_id(self) -> str:
        """Its seven digits and their letter."""
        return tax_id_of(self.number)


@dataclass
class Batch:
    """Rows by table, and the keys and numbers already given out."""

    keys: dict[str, int]
    numbers: dict[str, int]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: str, **values: Any) -> int:
        """A row with the next key of its table."""
        self.keys[table] += 1
        self.rows[table].append({"id": self.keys[table], **values})
        return self.keys[table]

    def number(self, prefix: str, moment: datetime) -> tuple[int, int]:
        """The year on Tunis's calendar and the next number of its series."""
        year = clock.local(moment).year
        series = f"{prefix}-{year}"
        self.numbers[series] = self.numbers.get(series, 0) + 1
        return year, self.numbers[series]

    def reference(self, prefix: str, moment: datetime) -> str:
        """As ``numbering.next_reference`` makes them."""
        year, number = self.number(prefix, moment)
        return f"{prefix}-{year}-{number:06d}"


def tax_id_of(number: int) -> str:
    """A tax id of that number with the letter it calls for."""
    digits = f"{number:07d}"
    return digits + tax_id_letter(digits)


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """``fold``, remembered for the names that come again and again."""
    return fold(name)


@lru_cache(maxsize=4096)
def _keys(name: str) -> tuple[str, ...]:
    return tuple(keys_of(name).split())


def known_keys(*names: str) -> str:
    """``keys_of``, remembered for the names that come again and again."""
    return " ".join(dict.fromkeys(key for name in names for key in _keys(name)))


@lru_cache(maxsize=4096)
def common_name_of(first: str, last: str) -> str:
    return common_name(first, last)


@lru_cache(maxsize=256)
def mailbox_of(name: str) -> str:
    return mailbox(name)


def pick(chance: random.Random, weighted: tuple[tuple[Any, int], ...]) -> Any:
    """One of these, by weights that sum to 100."""
    point = chance.random() * 100
    for value, weight in weighted:
        point -= weight
        if point < 0:
            return value
    return weighted[0][0]
