"""Who has a file open, and the services of a clean file, on both databases (QUE-3, REV-6)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import DomainError, Forbidden, StaleObject
from app.extensions import db
from app.models import CertificateRequest, FieldVerdict, FilePresence, Organisation
from app.queries.presence import others_on
from app.services import clearing, presence
from app.services.clearing import SeenField
from app.states import OrganisationState, Verdict
from tests import factories as f
from tests.support import reviewing as r


@pytest.mark.spec("QUE-3")
def test_a_colleague_is_seen_while_their_page_says_so(app: Flask, travel: Any) -> None:
    request = r.request_file()
    leila, sonia = f.actor(f.staff(first_name="Leïla", last_name="Trabelsi")), r.agent()
    presence.note_presence(request, actor=leila)
    opened = others_on(request, sonia)[0].since
    travel(seconds=30)
    presence.note_presence(request, actor=leila)
    assert [(each.name, each.since, each.elsewhere) for each in others_on(request, sonia)] == [
        ("Leïla Trabelsi", opened, False)
    ]
    assert others_on(request, leila) == []
    travel(seconds=80)
    assert others_on(request, sonia) == []
    presence.note_presence(request, actor=leila)
    assert others_on(request, sonia)[0].since > opened  # opened anew after a silence
    presence.note_presence(request, actor=leila, leaving=True)
    travel(seconds=120)
    assert others_on(request, sonia) == []
    assert db.session.scalar(select(func.count(FilePresence.id))) == 1


@pytest.mark.spec("QUE-3")
def test_who_looks_at_the_organisation_is_seen_from_its_requests(app: Flask) -> None:
    request = r.request_file()
    presence.note_presence(request.organisation, actor=r.agent())
    assert [each.elsewhere for each in others_on(request, r.agent())] == [True]
    assert [each.elsewhere for each in others_on(request.organisation, r.agent())] == [False]
    with pytest.raises(Forbidden):
        presence.note_presence(request, actor=f.actor(request.applicant))


@pytest.mark.spec("QUE-3")
def test_yesterdays_presences_are_forgotten(app: Flask, travel: Any) -> None:
    request = r.request_file()
    presence.note_presence(request, actor=r.agent())
    assert presence.forget_presences() == 0
    travel(hours=25)
    assert presence.forget_presences() == 1


@pytest.mark.spec("REV-6", "REV-2")
def test_everything_conforming_is_all_or_nothing(app: Flask) -> None:
    request = r.request_file()
    good = [SeenField("last_name", request.last_name)]
    stale = SeenField("first_name", "Un autre")
    with pytest.raises(StaleObject):
        clearing.accept_all([*good, stale], None, actor=r.agent(), request_id=request.id)
    assert not db.session.scalars(select(FieldVerdict)).all()
    assert clearing.accept_all(good, None, actor=r.agent(), request_id=request.id) == 1


@pytest.mark.spec("REV-6", "STA-2")
def test_verifying_and_approving_go_together_or_not_at_all(app: Flask) -> None:
    organisation = r.organisation_file(OrganisationState.A_VERIFIER)
    request, agent = r.request_file(of=organisation), r.agent()
    organisation.contracts[-1].signed_document.verdict = Verdict.A_VERIFIER
    db.session.commit()
    seen = organisation.version
    with pytest.raises(DomainError, match="contrat"):
        clearing.approve_with_organisation(request.id, actor=agent, organisation_version=seen)
    assert db.session.get_one(Organisation, organisation.id).state is OrganisationState.A_VERIFIER
    organisation.contracts[-1].signed_document.verdict = Verdict.ACCEPTE
    db.session.commit()
    clearing.approve_with_organisation(request.id, actor=agent, organisation_version=seen)
    assert db.session.get_one(Organisation, organisation.id).state is OrganisationState.VERIFIEE
    assert db.session.get_one(CertificateRequest, request.id).approved_by_id == agent.user_id
