"""The factories make what the tables accept, on both databases."""

from __future__ import annotations

import pytest
from flask import Flask

from app.states import OrganisationState, RequestState
from tests import factories


@pytest.mark.parametrize("state", list(RequestState))
def test_a_request_can_be_made_in_every_state(app: Flask, state: RequestState) -> None:
    request = factories.certificate_request(state=state)
    assert request.state is state
    assert len(request.domains) == 2


@pytest.mark.parametrize("state", list(OrganisationState))
def test_an_organisation_can_be_made_in_every_state(app: Flask, state: OrganisationState) -> None:
    organisation = factories.organisation(state)
    factories.contract(organisation)
    assert factories.actor(factories.administrator(organisation)).organisation_ids == {organisation.id}
