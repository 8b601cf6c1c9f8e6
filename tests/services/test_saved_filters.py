"""Filters saved by name belong to one person (QUE-2); the filters of requests, in words and as one typed them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import SavedFilter
from app.permissions import Role
from app.queries import desk_requests, lists
from app.queries.lists import Asked
from app.services import saved_filters
from app.services.saved_filters import delete_filter, rename_filter, save_filter
from app.states import RequestState
from tests import factories
from tests.pages import CheckingClient


@pytest.fixture
def agent(app: Flask) -> Any:
    return factories.actor(factories.staff(Role.AGENT))


@pytest.mark.spec("QUE-2")
def test_a_filter_is_its_owners_alone_and_names_come_once(
    app: Flask, agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = factories.actor(factories.staff(Role.AGENT))
    row = save_filter("demandes", "  Sfax,  en retard ", "gouvernorat=3", actor=agent)
    assert (row.name, row.query) == ("Sfax, en retard", "gouvernorat=3")
    for name in ("Sfax, en retard", "SFAX en retard", "", " ", "x" * 61):
        with pytest.raises(DomainError):
            save_filter("demandes", name, "agent=aucun", actor=agent)
    save_filter("organisations", "Sfax, en retard", "gouvernorat=3", actor=agent)
    save_filter("demandes", "Sfax, en retard", "", actor=other)
    for act in (lambda: rename_filter(row.id, "À moi", actor=other), lambda: delete_filter(row.id, actor=other)):
        with pytest.raises(NotFound):
            act()
    assert rename_filter(row.id, "Sud", actor=agent).name == "Sud"
    monkeypatch.setattr(saved_filters, "MOST", 1)
    with pytest.raises(DomainError, match="supprimez-en un"):
        save_filter("demandes", "Nord", "", actor=agent)
    delete_filter(row.id, actor=agent)
    assert [each.name for each in saved_filters.saved_filters(agent, "demandes")] == []


@pytest.mark.spec("QUE-2")
def test_each_filter_takes_its_rows_and_what_means_nothing_is_dropped(app: Flask, agent: Any) -> None:
    organisation = factories.organisation()
    state = RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST
    local = factories.certificate_request(organisation, state, price_ht=100_000, nationality="TN")
    foreign = factories.certificate_request(organisation, state, price_ht=423_500, nationality="FR")
    db.session.commit()
    source = desk_requests.SOURCE

    def found(**filters: str) -> set[str]:
        tab = source.tabs[-1]
        wanted = Asked(tab, tab.sort, tab.descending, filters={key.replace("_", "-"): v for key, v in filters.items()})
        return {row.reference for row in lists.fetch_page(source, wanted, agent).rows}

    both = {local.reference, foreign.reference}
    for each in source.filters:  # every question can be asked of either database
        for value, _label in (each.choices() if each.choices else [("2026-01-01", ""), ("1", "")])[:3]:
            assert found(**{each.key: value}) <= both
    assert (
        found(nationalite="étrangère") == found(nationalite="france") == found(nationalite="FR") == {foreign.reference}
    )
    assert found(nationalite="Tunisie") == {local.reference}
    assert found(prix_min="423,500") == {foreign.reference}
    assert found(prix_max="423,499") == {local.reference}
    assert found(prix_min="beaucoup") == found(nationalite="nulle part") == both
    assert found(agent="aucun", nationalite="FR") == {foreign.reference}


@pytest.mark.spec("QUE-1", "QUE-2")
def test_the_list_shows_its_filters_in_words_saves_them_and_refreshes_its_counts(
    app: Flask, client: CheckingClient
) -> None:
    officer = factories.staff(Role.AGENT)
    factories.certificate_request(factories.organisation(), RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST)
    client.login(officer.email, factories.PASSWORD)
    page = client.get("/admin/demandes/?agent=aucun&nationalite=fr")
    assert "Agent : Personne" in page
    assert "Rien ici" in page
    page = page.form("save-name").fill({"Enregistrer cette liste sous le nom": "Sans agent"}).submit("Enregistrer")
    assert "Le filtre est enregistré." in page
    row = db.session.query(SavedFilter).one()
    assert (row.user_id, row.query) == (officer.id, "agent=aucun&nationalite=fr")
    page = client.get("/admin/demandes/").click("Sans agent")
    assert "Agent : Personne" in page
    counts = client.open("GET", "/admin/listes/demandes/comptes", fragment=True).json["tabs"]
    assert counts == ["1", "0", "0", "0", "0", "0", "0", "1"]
    client.get("/admin/listes/paiements/comptes", expect=404)
    stranger = factories.staff(Role.AGENT)
    client.forget_cookies()
    client.login(stranger.email, factories.PASSWORD)
    client.post(f"/admin/listes/filtres/{row.id}/supprimer", {}, csrf=True, expect=404)
    assert "Sans agent" not in client.get("/admin/demandes/")
