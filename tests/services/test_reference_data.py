"""The reference data that ships with the product, once loaded."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.bilingual import is_arabic, lacks_arabic
from app.extensions import db
from app.models import Governorate, Locality, PostOffice, Reason, ReasonKind
from app.queries import reference
from app.services.reference_data import load_reference_data


@pytest.mark.spec("REF-1", "ORG-3")
def test_the_24_governorates_their_localities_and_an_office_a_postal_code_are_there(app: Flask) -> None:
    assert db.session.scalar(select(func.count()).select_from(Governorate)) == 24
    assert db.session.scalar(select(func.count()).select_from(Locality)) > 4_800
    offices = db.session.scalars(select(PostOffice)).all()
    assert {office.postal_code for office in offices} >= {"1000", "3000", "9000"}
    assert all(any(char.isalpha() for char in office.name_fr) for office in offices)


@pytest.mark.spec("PRI-1")
def test_the_tariff_in_force_is_the_manuals(app: Flask) -> None:
    [product] = reference.catalogue()
    tariff, rate = reference.current_tariff(product.id, 2), reference.current_billing_rate()
    assert (tariff.price_ht, tariff.vat_rate_bp) == (350_000, 1900)
    assert (rate.stamp_duty, rate.delivery_ttc, rate.delivery_vat_bp) == (1_000, 7_000, 0)


@pytest.mark.spec("REF-1")
def test_loading_again_leaves_what_the_operator_changed(app: Flask) -> None:
    office = db.session.scalars(select(PostOffice).limit(1)).one()
    office.name_fr = "Bureau renommé"
    db.session.commit()
    load_reference_data()
    assert db.session.get_one(PostOffice, office.id).name_fr == "Bureau renommé"
    assert db.session.scalar(select(func.count()).select_from(Governorate)) == 24


@pytest.mark.spec("REV-2")
def test_the_catalogue_of_reasons_speaks_both_languages(app: Flask) -> None:
    ready = db.session.scalars(select(Reason)).all()
    assert len(ready) >= 30
    assert {each.kind for each in ready} == set(ReasonKind)
    assert all(not is_arabic(each.text_fr) and not lacks_arabic(each.text_ar) for each in ready)


@pytest.mark.spec("REV-2")
@pytest.mark.parametrize(
    ("about", "first"),
    [("RNE_EXTRACT", "extract_too_old"), ("SIGNED_CONTRACT", "contract_unsigned"), ("email", "email_generic"),
     ("APPLICANT_IDENTITY", "expired_identity"), ("last_name_ar", "name_incomplete"), ("OTHER", "extract_too_old")],
)  # fmt: skip
def test_reasons_made_for_a_paper_or_a_field_come_first(app: Flask, about: str, first: str) -> None:
    kind = ReasonKind.DOCUMENT if about.isupper() else ReasonKind.FIELD
    assert reference.sorted_for(reference.reasons(kind), about)[0].code == first
