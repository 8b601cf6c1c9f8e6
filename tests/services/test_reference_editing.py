"""Reference data: rules of each table, stale pages, duplicates, the journal, the official list (REF-1, PRI-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, Forbidden, StaleObject
from app.extensions import db
from app.models import (
    AuditEntry,
    BillingRate,
    CertificateType,
    CguVersion,
    PostOffice,
    Reason,
    ReasonKind,
    Tariff,
    UsageDomain,
)
from app.permissions import Actor, Role
from app.services import reference_editing as editing
from app.services.post_office_import import import_post_offices
from app.states import RequestState
from tests import factories


@pytest.fixture
def administrator(app: Flask) -> Actor:
    return factories.actor(factories.staff(Role.ADMINISTRATEUR))


def only(model: Any, **values: Any) -> Any:
    return db.session.scalars(select(model).filter_by(**values)).one()


@pytest.mark.spec("REF-1", "PPL-2")
@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISEUR, Role.RESPONSABLE])
def test_only_the_technical_administrator_changes_reference_data(app: Flask, role: Role) -> None:
    actor = factories.actor(factories.staff(role))
    domain = only(UsageDomain, code="TTN")
    with pytest.raises(Forbidden):
        editing.save_row(UsageDomain, domain.id, {"label": "x"}, actor=actor)
    with pytest.raises(Forbidden):
        editing.delete_row(UsageDomain, domain.id, actor=actor)


@pytest.mark.spec("REF-1", "AUD-1")
def test_a_save_keeps_before_and_after_of_what_changed(administrator: Actor) -> None:
    domain = only(UsageDomain, code="TTN")
    editing.save_row(UsageDomain, domain.id, {"label": "TradeNet", "position": domain.position}, actor=administrator)
    line = only(AuditEntry, action="edit_row")
    assert (line.subject_type, line.before, line.after) == ("usage_domains", {"label": "TTN"}, {"label": "TradeNet"})
    editing.save_row(UsageDomain, domain.id, {"label": "TradeNet"}, actor=administrator)
    assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == 1


@pytest.mark.spec("REF-1")
def test_a_code_is_given_once_and_never_changes(administrator: Actor) -> None:
    domain = only(UsageDomain, code="TTN")
    editing.save_row(UsageDomain, domain.id, {"code": "AUTRE"}, actor=administrator)
    assert db.session.get_one(UsageDomain, domain.id).code == "TTN"
    with pytest.raises(DomainError, match="déjà") as refusal:
        editing.save_row(UsageDomain, None, {"code": "TTN", "label": "Autre"}, actor=administrator)
    assert refusal.value.field == "code"
    assert "INSERT" not in str(refusal.value)


@pytest.mark.spec("REF-1")
def test_a_stale_page_overwrites_nothing(administrator: Actor) -> None:
    domain = only(UsageDomain, code="TTN")
    seen = editing.fingerprint(domain)
    editing.save_row(UsageDomain, domain.id, {"label": "Premier"}, actor=administrator, seen=seen)
    for act in (
        lambda: editing.save_row(UsageDomain, domain.id, {"label": "Second"}, actor=administrator, seen=seen),
        lambda: editing.delete_row(UsageDomain, domain.id, actor=administrator, seen=seen),
    ):
        with pytest.raises(StaleObject):
            act()
    assert db.session.get_one(UsageDomain, domain.id).label == "Premier"


@pytest.mark.spec("REF-1")
def test_what_serves_is_not_deleted(administrator: Actor) -> None:
    request = factories.certificate_request(state=RequestState.EN_ATTENTE_DE_PAIEMENT)
    used = [
        (CertificateType, request.certificate_type_id),
        (UsageDomain, request.domains[0].id),
        (PostOffice, request.post_office_id),
    ]
    for model, row_id in used:
        with pytest.raises(DomainError, match="sert déjà"):
            editing.delete_row(model, row_id, actor=administrator)
        assert db.session.get(model, row_id) is not None
    free = only(UsageDomain, code="CNSS")
    editing.delete_row(UsageDomain, free.id, actor=administrator)
    assert db.session.get(UsageDomain, free.id) is None


@pytest.mark.spec("PRI-1", "REF-1")
def test_a_used_tariff_never_changes_and_a_coming_one_may(administrator: Actor) -> None:
    tariff = db.session.scalars(select(Tariff)).one()
    editing.save_row(Tariff, tariff.id, {"price_ht": 351_000}, actor=administrator)
    factories.certificate_request()
    for act in (
        lambda: editing.save_row(Tariff, tariff.id, {"price_ht": 1}, actor=administrator),
        lambda: editing.delete_row(Tariff, tariff.id, actor=administrator),
    ):
        with pytest.raises(DomainError, match="déjà servi"):
            act()
    values = {
        "certificate_type_id": tariff.certificate_type_id,
        "validity_years": tariff.validity_years,
        "price_ht": 360_000,
        "vat_rate_bp": 1900,
        "valid_from": clock.today() + timedelta(days=30),
    }
    coming = editing.save_row(Tariff, None, values, actor=administrator)
    editing.save_row(Tariff, coming, {"price_ht": 370_000}, actor=administrator)
    editing.delete_row(Tariff, coming, actor=administrator)
    assert db.session.scalars(select(Tariff)).one().price_ht == 351_000


@pytest.mark.spec("PRI-1")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"valid_from": -1}, "valid_from"),
        ({"validity_years": 0}, "validity_years"),
        ({"validity_years": 11}, "validity_years"),
        ({"vat_rate_bp": 10_001}, "vat_rate_bp"),
    ],
)
def test_a_tariff_makes_sense_and_never_reaches_back(administrator: Actor, change: dict[str, int], field: str) -> None:
    tariff = db.session.scalars(select(Tariff)).one()
    values: dict[str, Any] = {
        "certificate_type_id": tariff.certificate_type_id,
        "validity_years": 2,
        "price_ht": 1,
        "vat_rate_bp": 1900,
        "valid_from": 1,
        **change,
    }
    values["valid_from"] = clock.today() + timedelta(days=values["valid_from"])
    with pytest.raises(DomainError) as refusal:
        editing.save_row(Tariff, None, values, actor=administrator)
    assert refusal.value.field == field


@pytest.mark.spec("PRI-1")
def test_two_tariffs_of_one_day_are_refused_in_words(administrator: Actor) -> None:
    rate = {"valid_from": clock.today() + timedelta(days=1), "stamp_duty": 1000, "delivery_ttc": 7000}
    editing.save_row(BillingRate, None, {**rate, "delivery_vat_bp": 0}, actor=administrator)
    with pytest.raises(DomainError, match="déjà cette valeur") as refusal:
        editing.save_row(BillingRate, None, {**rate, "delivery_vat_bp": 0}, actor=administrator)
    assert refusal.value.field == "valid_from"


@pytest.mark.spec("APP-2", "REF-1")
def test_published_conditions_never_change(administrator: Actor) -> None:
    from app.queries.reference import current_cgu

    published = current_cgu()
    for act in (
        lambda: editing.save_row(CguVersion, published.id, {"text_fr": "x"}, actor=administrator),
        lambda: editing.delete_row(CguVersion, published.id, actor=administrator),
        lambda: editing.publish_cgu(published.id, actor=administrator),
    ):
        with pytest.raises(DomainError, match="publiée"):
            act()
    draft = editing.save_row(CguVersion, None, {"number": "2.0", "text_fr": "# Deux"}, actor=administrator)
    assert current_cgu().id == published.id
    editing.save_row(CguVersion, draft, {"text_fr": "# Deux, relu"}, actor=administrator)
    editing.publish_cgu(draft, actor=administrator)
    assert (current_cgu().number, current_cgu().text_fr) == ("2.0", "# Deux, relu")


# ---- the official list of post offices

CSV = (
    "code;nom_fr;nom_ar;gouvernorat;delegation;code_postal;adresse\r\n"
    "RP-1000;Tunis Recette principale;تونس;Tunis;Bab Bhar;1000;Rue Charles de Gaulle\r\n"
    "RP-NEW;Béja Ville;باجة;Beja;Beja Nord;9000;\r\n"
)


@pytest.mark.spec("REF-1")
def test_the_official_list_keeps_offices_by_their_code(administrator: Actor) -> None:
    office = only(PostOffice, code="RP-1000")
    done = import_post_offices(CSV.encode("utf-8-sig"), disable_missing=False, actor=administrator)
    assert (done.added, done.changed, done.disabled) == (1, 1, 0)
    again = only(PostOffice, code="RP-1000")
    assert (again.id, again.name_fr, again.name_ar) == (office.id, "Tunis Recette principale", "تونس")
    assert only(PostOffice, code="RP-NEW").governorate.name_fr == "Béja"
    done = import_post_offices(CSV.encode(), disable_missing=True, actor=administrator)
    assert (done.added, done.changed, done.same) == (0, 0, 2)
    assert done.disabled > 500
    assert {row.code for row in db.session.scalars(select(PostOffice).where(PostOffice.active))} == {
        "RP-1000",
        "RP-NEW",
    }


@pytest.mark.spec("REF-1")
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_spreadsheets_own_ways_of_writing_csv_are_read(administrator: Actor, delimiter: str, encoding: str) -> None:
    text = "code;nom_fr;gouvernorat;code_postal\nRP-B;Béja Ville;Béja;9000\n".replace(";", delimiter)
    import_post_offices(text.encode(encoding), disable_missing=False, actor=administrator)
    assert only(PostOffice, code="RP-B").name_fr == "Béja Ville"


@pytest.mark.spec("REF-1")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "vide"),
        (b"\n\n", "vide"),
        (b"code;nom_fr\nA;B\n", "Il manque des colonnes"),
        (b"code;nom_fr;gouvernorat;code_postal\n", "aucun bureau"),
        (b"code;nom_fr;gouvernorat;code_postal\nRP-9;X;Tunis;12\n", "Ligne 2"),
        (b"code;nom_fr;gouvernorat;code_postal\nRP-9;X;Atlantide;1000\n", "Atlantide"),
        (b"code;nom_fr;gouvernorat;code_postal\nRP-9;;Tunis;1000\n", "colonne vide"),
        (b"code;nom_fr;gouvernorat;code_postal\nRP-9;X;Tunis;1000\nRP-9;Y;Tunis;1000\n", "deux fois"),
        (b"\x00\x01\x02;\xff", "Il manque des colonnes"),
        (b"PK\x03\x04 not a csv", "Il manque des colonnes"),
    ],
)
def test_one_wrong_line_and_nothing_is_imported(administrator: Actor, data: bytes, said: str) -> None:
    before = db.session.scalar(select(func.count()).select_from(PostOffice))
    with pytest.raises(DomainError, match=said):
        import_post_offices(data, disable_missing=True, actor=administrator)
    assert db.session.scalar(select(func.count()).select_from(PostOffice)) == before
    assert db.session.scalar(select(func.count()).select_from(PostOffice).where(~PostOffice.active)) == 0


def test_reasons_keep_their_kind_as_a_member(administrator: Actor) -> None:
    from app.models import ReasonKind

    row_id = editing.save_row(
        Reason, None, {"kind": ReasonKind.FIELD, "code": "new_one", "text_fr": "Texte"}, actor=administrator
    )
    assert db.session.get_one(Reason, row_id).kind is ReasonKind.FIELD


@pytest.mark.spec("REF-1", "REV-2")
def test_agents_add_and_change_reasons_and_delete_none(app: Flask, administrator: Actor) -> None:
    agent = factories.actor(factories.staff(Role.AGENT))
    words = {"kind": ReasonKind.DOCUMENT, "text_fr": "Le cachet manque.", "text_ar": "الختم ناقص.", "active": True}
    added = editing.save_row(Reason, None, {**words, "code": "stamp", "position": 1}, actor=agent)
    editing.save_row(Reason, added, {"active": False}, actor=agent)
    assert db.session.get_one(Reason, added).active is False
    with pytest.raises(Forbidden):
        editing.delete_row(Reason, added, actor=agent)
    factories.document(verdict_reason="Le cachet manque. Voir page 2.", organisation_id=factories.organisation().id)
    with pytest.raises(DomainError, match="Désactivez-la"):
        editing.delete_row(Reason, added, actor=administrator)


@pytest.mark.spec("REV-2")
@pytest.mark.parametrize(
    ("french", "arabic", "field"),
    [("", "الختم ناقص.", "text_fr"), ("الختم ناقص.", "", "text_fr"), ("Le cachet manque.", "Le cachet.", "text_ar")],
)
def test_a_reason_is_french_in_french_and_arabic_in_arabic(app: Flask, french: str, arabic: str, field: str) -> None:
    agent = factories.actor(factories.staff(Role.AGENT))
    values = {"kind": ReasonKind.FIELD, "code": "x", "text_fr": french, "text_ar": arabic}
    with pytest.raises(DomainError) as refusal:
        editing.save_row(Reason, None, {**values, "active": True, "position": 0}, actor=agent)
    assert refusal.value.field == field
