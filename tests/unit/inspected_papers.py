"""Papers as the checks read them, without drawing any: words on pages, and what was declared."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.inspection import checks
from app.inspection.case import Case
from app.inspection.declared import Around, Days, Declared, Elsewhere
from app.inspection.findings import Finding
from app.inspection.text import PageReading, Reading

TODAY = date(2026, 11, 20)
ALPHA = Declared(
    tax_id="1234567R",
    legal_name="Alpha Conseil",
    legal_name_ar="شركة ألفا للاستشارات",
    representative="Amira Ben Salah",
    representative_ar="أميرة بن صالح",
    person="Amira Ben Salah",
    person_ar="أميرة بن صالح",
    person_number="01234567",
)
EXTRACT = """République Tunisienne
Registre National des Entreprises
Extrait du registre national des entreprises
Identifiant unique : 1234567R
Raison sociale : SOCIETE ALPHA CONSEIL SARL
Forme juridique : Société à responsabilité limitée
Capital social : 50 000 DT
Date de création : 27/03/2014
Représentant légal
Nom et prénom : BEN SALAH Amira
Qualité : Gérant
Délivré le 02/10/2026
"""


def reading(*texts: str, sure: int | None = None, **page: Any) -> Reading:
    """A document of these pages; ``sure`` makes it a scan, each word read with that confidence."""
    source = "pdf" if sure is None else "ocr"
    looks: dict[str, Any] = {"brightness": 240, "contrast": 35, "ink": 0.08, "sharpness": 200} | page
    size = {"width": 595, "height": 842} if sure is None else {"width": 1240, "height": 1754, "unit": "px"}
    pages = [
        PageReading(number, text, source, [sure] * len(text.split()) if sure is not None else [], **({**size, **looks}))
        for number, text in enumerate(texts, 1)
    ]
    media_type = "application/pdf" if sure is None else "image/jpeg"
    return Reading(media_type, len(pages), pages, source if any(texts) else "none")


def case(
    read: Reading | str = EXTRACT,
    kind: str = "rne",
    *,
    declared: Declared = ALPHA,
    today: date = TODAY,
    asked_on: date | None = None,
    same: tuple[Elsewhere, ...] = (),
) -> Case:
    """The document beside what was declared."""
    whole = reading(read) if isinstance(read, str) else read
    return Case(kind, whole, declared, Around(Days(today, asked_on), same))


def found(one: Case, **options: Any) -> dict[str, Finding]:
    """Every finding by its check."""
    return {finding.check: finding for finding in checks.run(one, **options)}


def said(one: Case, check: str) -> tuple[str, str]:
    """Result and reason of one check; two empty texts when it says nothing."""
    finding = found(one, with_declared=True).get(check)
    return (finding.result.value, str(finding.evidence.get("why", ""))) if finding else ("", "")
