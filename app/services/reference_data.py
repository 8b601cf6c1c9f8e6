"""Reference data that ships with the product, loaded once; what an operator changed since is left alone."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select

from app import clock, data
from app.extensions import db
from app.models import (
    BillingRate,
    CannedReply,
    CertificateType,
    CguVersion,
    Governorate,
    Locality,
    PostOffice,
    Reason,
    ReasonKind,
    Tariff,
    UsageDomain,
)
from app.services.unit_of_work import use_case

DOMAINS = [
    ("TUNEPS", "Marchés publics en ligne"),
    ("TTN", "Liasse unique du commerce extérieur, factures électroniques"),
    ("CCPNET", "Centre des chèques postaux"),
    ("E-JEBAYA", "Télédéclaration fiscale"),
    ("CNSS", "Télédéclaration des salaires"),
]


@use_case
def load_reference_data() -> None:
    """Fill empty reference tables; run at every start, changes nothing that is there (REF-1, PRI-1)."""
    if not db.session.scalar(select(func.count()).select_from(Governorate)):
        _load_places()
    if not db.session.scalar(select(func.count()).select_from(CertificateType)):
        _load_catalogue()
    if not db.session.scalar(select(func.count()).select_from(Reason)):
        db.session.add_all(
            Reason(
                kind=ReasonKind(row["kind"]),
                code=row["code"],
                text_fr=row["text_fr"],
                text_ar=row["text_ar"],
                position=position,
            )
            for position, row in enumerate(data.reasons())
        )
    if not db.session.scalar(select(func.count()).select_from(CannedReply)):
        db.session.add_all(
            CannedReply(**row, position=position) for position, row in enumerate(data.canned_replies(), start=1)
        )
    if not db.session.scalar(select(func.count()).select_from(CguVersion)):
        db.session.add(CguVersion(number="1.0", text_fr=data.text("cgu_v1_fr.md"), published_at=clock.now()))


def _load_places() -> None:
    governorates = {
        row["iso_3166_2"]: Governorate(iso_code=row["iso_3166_2"], name_fr=row["name_fr"], name_ar=row["name_ar"])
        for row in data.governorates()
    }
    db.session.add_all(governorates.values())
    db.session.flush()
    db.session.add_all(
        Locality(
            governorate_id=governorates[row["governorate_iso"]].id,
            delegation=row["delegation"],
            name=_named(row),
            postal_code=row["postal_code"],
        )
        for row in data.localities()
    )
    main: dict[tuple[str, str], dict[str, str]] = {}
    for row in data.localities():
        key = (row["postal_code"], row["governorate_iso"])
        if key not in main or (row["post_office"] and not main[key]["post_office"]):
            main[key] = row
    taken: set[str] = set()
    for (postal_code, iso), row in main.items():
        code = f"RP-{postal_code}" if f"RP-{postal_code}" not in taken else f"RP-{postal_code}-{iso[-2:]}"
        taken.add(code)
        db.session.add(
            PostOffice(
                code=code,
                name_fr=row["post_office"] or _named(row),
                governorate_id=governorates[iso].id,
                delegation=row["delegation"],
                postal_code=postal_code,
                address=f"{postal_code} {_named(row)}",
            )
        )


def _named(row: dict[str, str]) -> str:
    """The locality's name; the delegation's for a row of the source that holds a number in its place."""
    return row["locality"] if any(char.isalpha() for char in row["locality"]) else row["delegation"]


def _load_catalogue() -> None:
    id_trust = CertificateType(
        code="ID_TRUST",
        family="Certificats d'authentification et de signature",
        name="Certificat ID-Trust sur token",
        description="Clé de signature électronique qualifiée d'une personne, sur token, valable deux ans.",
    )
    db.session.add(id_trust)
    db.session.flush()
    start = date(2025, 1, 1)
    db.session.add(
        Tariff(
            certificate_type_id=id_trust.id,
            validity_years=2,
            price_ht=350_000,
            vat_rate_bp=1900,
            valid_from=start,
        )
    )
    db.session.add(BillingRate(valid_from=start, stamp_duty=1_000, delivery_ttc=7_000, delivery_vat_bp=0))
    db.session.add_all(
        UsageDomain(code=code, label=code, description=text, position=position)
        for position, (code, text) in enumerate(DOMAINS)
    )
