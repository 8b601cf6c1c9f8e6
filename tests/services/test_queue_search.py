"""Searching the queues: names in either script, spelled otherwise or with one wrong letter (QUE-2)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.extensions import db
from app.models import CertificateRequest
from app.permissions import Role
from app.queries import desk_organisations, desk_requests, lists
from app.queries.lists import Asked
from app.services import search_columns
from app.states import RequestState
from tests import factories

PEOPLE = {
    "mohamed": ("Mohamed", "Trabelsi", "محمد", "الطرابلسي", "Société du Jasmin"),
    "hedi": ("Hédi", "Bouazizi", "الهادي", "البوعزيزي", "Textiles de Sfax SARL"),
    "salah": ("Amine", "Ben Salah", "أمين", "بن صالح", "Société du Jasmin"),
    "jean": ("Jean-Pierre", "Dupont", "", "", "Étude Chaïeb"),
    "chaieb": ("Leïla", "Chaïeb", "ليلى", "الشايب", "Étude Chaïeb"),
    "gharbi": ("Youssef", "El Gharbi", "يوسف", "الغربي", "Huileries du Sahel"),
    "abdel": ("Abderrahmane", "Ferchichi", "عبد الرحمان", "الفرشيشي", "Huileries du Sahel"),
    "noura": ("Noura", "Mzoughi", "نورة", "المزوغي", "Textiles de Sfax SARL"),
}
FOUND = [
    ("mohamed", text)
    for text in (
        "Mohamed Trabelsi", "Mohammed Trabelsi", "Mouhamed Trabelssi", "TRABELSI mohamed", "trabelsi", "Trabelssi",
        "محمد الطرابلسي", "الطرابلسي", "طرابلسي", "محمد طرابلسي", "mohamed tra", "Med Trabelsi", "Trabelci Mohamed",
        "jasmin trabelsi",
    )
] + [
    ("hedi", text)
    for text in ("Hédi Bouazizi", "Hedi Bouazizi", "bouazizi hédi", "Bou Azizi", "البوعزيزي", "الهادي البوعزيزي",
                 "Bouazzizi", "Hedi Bouazisi")
] + [
    ("salah", text)
    for text in ("Ben Salah", "Bensalah", "BENSALAH Amine", "بن صالح", "بنصالح", "Ben Salah Amine", "Ben Sallah")
] + [
    ("jean", text)
    for text in ("Jean-Pierre Dupont", "Jean Pierre Dupont", "Jeanpierre Dupont", "Dupond Jean-Pierre", "dupont")
] + [
    ("chaieb", text) for text in ("Chaieb Leila", "Chaïeb", "الشايب", "Leïla Chayeb")
] + [
    ("gharbi", text) for text in ("Elgharbi", "El Gharbi Youssef", "Gharbi", "Yousef Gharbi", "الغربي", "غربي يوسف")
] + [
    ("abdel", text) for text in ("Abderrahman Ferchichi", "Abdel Rahmane Ferchichi", "عبد الرحمان", "Ferchichy")
] + [
    ("noura", text) for text in ("Noura Mzoughi", "Nora Mzoughi", "المزوغي", "Mzougi Noura")
]  # fmt: skip
MISSED = [
    ("mohamed", text)
    for text in ("Mounir Trabelsi", "Mohamed Gharbi", "Tounsi", "Mohamed Trabelsi Sfax", "منير", "%", "_", "';--")
] + [
    ("hedi", text) for text in ("Bouzid", "Hédi Ferchichi", "Nadia Bouazizi", "Azaiez")
] + [
    ("salah", text) for text in ("Ben Ali", "Salwa", "Amina Trabelsi", "بن علي")
] + [
    ("chaieb", text) for text in ("Chebbi", "Leïla Trabelsi", "Chokri")
] + [
    ("gharbi", text) for text in ("Ghali", "Youssef Mzoughi")
] + [
    ("noura", text) for text in ("Nabil Mzoughi", "Mahjoub")
]  # fmt: skip


@pytest.fixture
def agent(app: Flask) -> Any:
    return factories.actor(factories.staff(Role.AGENT))


@pytest.fixture
def people(app: Flask) -> dict[str, str]:
    """Who is who, by reference."""
    firms = {name: factories.organisation(legal_name=name) for name in {row[4] for row in PEOPLE.values()}}
    found = {}
    for key, (first, last, first_ar, last_ar, firm) in PEOPLE.items():
        who = factories.applicant(
            email=f"personne.{key}@exemple.tn",
            first_name=first,
            last_name=last,
            first_name_ar=first_ar,
            last_name_ar=last_ar,
        )
        row = factories.certificate_request(firms[firm], RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, applicant=who)
        search_columns.fill_request(row, firms[firm])
        found[key] = row.reference
    for firm in firms.values():
        search_columns.fill_organisation(firm)
    db.session.commit()
    return found


def found_by(text: str, actor: Any, source: Any = desk_requests.SOURCE) -> list[str]:
    tab = source.tabs[-1]
    wanted = Asked(tab, tab.sort, tab.descending, text)
    return [row.reference for row in lists.fetch_page(source, wanted, actor).rows]


@pytest.mark.spec("QUE-2")
def test_a_name_is_found_however_it_is_written_and_another_is_not(people: dict[str, str], agent: Any) -> None:
    assert len(FOUND) >= 40
    assert len(MISSED) >= 20
    missing = [(who, text) for who, text in FOUND if people[who] not in found_by(text, agent)]
    wrong = [(who, text) for who, text in MISSED if people[who] in found_by(text, agent)]
    assert missing == []
    assert wrong == []


@pytest.mark.spec("QUE-2")
def test_a_name_with_a_wrong_letter_is_told_to_be_near(people: dict[str, str], agent: Any) -> None:
    tab = desk_requests.SOURCE.tabs[-1]
    exactly = lists.restrictions(desk_requests.SOURCE, Asked(tab, tab.sort, True, "Trabelsi"), agent)
    nearly = lists.restrictions(desk_requests.SOURCE, Asked(tab, tab.sort, True, "Trabepsi Mohamed"), agent)
    assert (exactly.near, nearly.near) == (False, True)


@pytest.mark.spec("QUE-2")
@pytest.mark.parametrize("text", ["Société du Jasmin", "ste jasmin", "jasmine", "Huilerie Sahel", "textile sfax"])
def test_organisations_are_found_by_name_too(people: dict[str, str], agent: Any, text: str) -> None:
    assert len(found_by(text, agent, desk_organisations.SOURCE)) == 1


@pytest.mark.spec("QUE-2")
def test_a_renamed_organisation_takes_its_requests_along_and_old_rows_are_filled(
    people: dict[str, str], agent: Any
) -> None:
    row = db.session.query(CertificateRequest).filter_by(reference=people["noura"]).one()
    row.organisation.legal_name = "Laiterie Zarzis"
    search_columns.refill_organisation(row.organisation)
    search_columns.refill_requests_of(row.organisation)
    db.session.commit()
    assert people["noura"] in found_by("laiterie zarsis", agent)
    row.search_keys = row.search_text = ""
    db.session.commit()
    assert people["noura"] not in found_by("Mzoughi", agent)
    assert search_columns.refill() == 1
    assert people["noura"] in found_by("Mzoughi", agent)
