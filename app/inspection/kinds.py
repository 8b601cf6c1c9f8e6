"""What a document is, by words that only such a document has (REV-3: the file is what it says). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from app.inspection.words import Word, Words, keys_of, line_has

STRONG = 3
"""A score at which a document certainly is of a kind."""

_PHRASES: dict[str, dict[str, int]] = {
    "rne": {
        "registre national entreprises": 3, "extrait registre": 3, "السجل الوطني للمؤسسات": 3, "مضمون": 3,
        "rne": 2, "identifiant unique": 2, "المعرف الوحيد": 2, "registre commerce": 2, "السجل التجاري": 3,
        "centre national registre": 3, "extrait rne": 3, "forme juridique": 1, "raison sociale": 1,
        "denomination sociale": 1, "الشكل القانوني": 1, "التسمية الاجتماعية": 1, "immatriculation": 1,
        "capital social": 1,
    },
    "tax_card": {
        "carte identification fiscale": 3, "carte fiscale": 3, "patente": 3, "declaration existence": 3,
        "بطاقة التعريف الجبائية": 3, "التعريف الجبائي": 3, "المعرف الجبائي": 2, "direction generale impots": 3,
        "الإدارة العامة للأداءات": 3, "باتيندة": 3, "الباتيندة": 3, "carte d identification": 2,
        "matricule fiscal": 2, "bureau controle impots": 2, "مكتب مراقبة الأداءات": 2, "ministere finances": 1,
        "وزارة المالية": 1, "contribuable": 2, "المطالب بالأداء": 2,
    },
    "trade_register": {
        "registre commerce": 3, "registre national": 3, "extrait registre": 3, "kbis": 3, "handelsregister": 3,
        "companies house": 3, "certificate incorporation": 3, "commercial register": 3, "trade register": 3,
        "registro imprese": 3, "registro mercantil": 3, "immatriculation": 1, "greffe": 2, "company number": 2,
        "السجل التجاري": 3, "registered office": 2, "amtsgericht": 2, "register court": 2, "register companies": 3,
    },
    "identity": {
        "carte identite": 3, "carte nationale": 3, "passeport": 3, "passport": 3, "carte sejour": 3, "reisepass": 3,
        "titre sejour": 3, "residence permit": 3, "identity card": 3, "بطاقة التعريف": 3, "بطاقة تعريف": 3,
        "جواز سفر": 3, "بطاقة إقامة": 3, "personalausweis": 3, "date naissance": 1, "nationalite": 1,
        "تاريخ الولادة": 2, "اللقب": 1, "prenom": 1, "nom": 1, "surname": 2, "given names": 2, "الاسم": 1,
    },
    "contract": {
        "contrat": 3, "convention": 3, "عقد": 3, "conditions generales": 2, "abonnement": 2, "parties": 1,
        "certification electronique": 2, "signature electronique": 1, "tuntrust": 1, "contract": 3, "agreement": 3,
        "article 1": 1,
    },
    "invoice": {
        "facture": 3, "invoice": 3, "فاتورة": 3, "devis": 3, "bon commande": 3, "bon livraison": 3, "total ttc": 2,
        "montant ttc": 2, "net a payer": 2, "quantite prix": 1,
    },
    "bank": {"releve compte": 3, "releve bancaire": 3, "releve identite bancaire": 3, "rib": 2, "solde": 1, "iban": 2},
    "letter": {
        "curriculum vitae": 3, "lettre motivation": 3, "bulletin paie": 3, "fiche paie": 3, "menu": 2, "recette": 3,
        "diplome": 3, "attestation travail": 3, "ordonnance": 2, "quittance": 3, "proces verbal": 3,
        "billet": 2, "reservation": 2, "programme": 1,
    },
}  # fmt: skip
_SAME = {"rne": {"trade_register"}, "trade_register": {"rne"}}
_LONG_TAX_ID = re.compile(r"[0-9]{7}\W?[A-Z]\W{0,3}[ABDNP][\W1IL]{0,3}[MCPNE]\W{0,3}[0-9]{3}(?![0-9])")
"""``1234567R/A/M/000``: the form of tax cards."""
_MACHINE_ZONE = re.compile(r"[A-Z]<[A-Z]{3}[A-Z]{2,}<|[A-Z]{3,}<<[A-Z]|<<<<")


def scores(words: Words) -> dict[str, int]:
    """How much speaks for each kind; 3 and more is certain. A phrase's words stand on one line, in any order."""
    found = dict.fromkeys(_PHRASES, 0)
    lines = list(words.of_line.values())
    for kind, phrases in _PHRASES.items():
        for phrase, weight in phrases.items():
            keys = keys_of(phrase)
            if any(line_has(line, keys) for line in lines) or (len(keys) > 2 and _across(lines, keys)):
                found[kind] += weight
    if any(_MACHINE_ZONE.search(text) for text, _page in words.lines):
        found["identity"] += STRONG
    if any(_LONG_TAX_ID.search(text) for text, _page in words.lines):
        found["tax_card"] += 2
    return found


def _across(lines: Sequence[Sequence[Word]], keys: Sequence[str]) -> bool:
    """Does the phrase run from the end of one line to the next, as in a paragraph?"""
    reach = len(keys)
    return any(line_has([*one[-reach:], *other[:reach]], keys) for one, other in pairwise(lines))


def title_kinds(words: Words, lines: int = 10) -> set[str]:
    """The kinds that the document's first lines name outright."""
    first = [words.of_line[number] for number in sorted(words.of_line)[:lines]]
    return {
        kind
        for kind, phrases in _PHRASES.items()
        for phrase, weight in phrases.items()
        if weight >= STRONG and any(line_has(line, keys_of(phrase)) for line in first)
    }


def better_kind(found: dict[str, int], kind: str) -> str:
    """The kind that much more speaks for; empty when there is none."""
    others = {other: score for other, score in found.items() if other != kind and other not in _SAME.get(kind, ())}
    best = max(others, key=lambda other: others[other])
    return best if others[best] >= STRONG and others[best] > found[kind] else ""
