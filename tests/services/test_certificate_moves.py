"""The life of a certificate is one table (CRT-1, STA-1): every state and action, and whose hands each needs."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import DomainError, Forbidden, IllegalTransition, NotFound, StaleObject
from app.extensions import db
from app.models import Certificate, CertificateRequest, HistoryEntry
from app.permissions import SYSTEM, Actor, Role
from app.services.moving import lock_certificate, move_certificate
from app.services.unit_of_work import use_case
from app.states import CERTIFICATE_MOVES, CertificateState, NoSuchMove, RequestState, Who, find_move
from tests import factories as f
from tests.support import reviewing as r

pytestmark = pytest.mark.spec("CRT-1", "STA-1", "STA-2")
ACTIONS = sorted({move.action for move in CERTIFICATE_MOVES})


def _certificate(state: CertificateState) -> tuple[Certificate, CertificateRequest]:
    generated = state is CertificateState.GENERE
    request = r.request_file(
        RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST if generated else RequestState.EXPEDIEE, approved=True
    )
    return r.certificate(request, state=state), request


@use_case
def _move(request_id: int, action: str, *, actor: Actor, reason: str = "", version: int | None = None) -> None:
    certificate, request = lock_certificate(request_id)
    move_certificate(certificate, request, action, actor=actor, reason=reason, expected_version=version)


def _hand(who: tuple[Who, ...], request: CertificateRequest) -> Actor:
    if Who.AGENT in who:
        return r.agent()
    return SYSTEM if Who.SYSTEM in who else f.actor(request.applicant)


@pytest.mark.parametrize("state", CertificateState)
def test_only_the_tables_moves_are_made_from_each_state(app: Flask, state: CertificateState) -> None:
    for action in ACTIONS:
        certificate, request = _certificate(state)
        who = next(move.who for move in CERTIFICATE_MOVES if move.action == action)
        try:
            wanted = find_move(CERTIFICATE_MOVES, state, action).target
        except NoSuchMove:
            before = r.traces(request)
            with pytest.raises(IllegalTransition, match="n'est pas possible"):
                _move(request.id, action, actor=_hand(who, request), reason="Clé perdue.")
            assert r.traces(request) == before
            continue
        _move(request.id, action, actor=_hand(who, request), reason="Clé perdue.")
        fresh = db.session.get_one(Certificate, certificate.id, populate_existing=True)
        assert (fresh.state, fresh.version) == (wanted, 2)
        line = db.session.scalars(
            select(HistoryEntry).where(
                HistoryEntry.request_id == request.id, HistoryEntry.action == f"certificate_{action}"
            )
        ).one()
        assert (line.from_state, line.to_state, line.reason) == (state, wanted, "Clé perdue.")


def test_other_hands_move_nothing(app: Flask) -> None:
    _row, request = _certificate(CertificateState.EXPEDIE)
    own_administrator = f.actor(f.administrator(request.organisation))
    before = r.traces(request)
    with pytest.raises(Forbidden):
        _move(request.id, "collect", actor=own_administrator)
    with pytest.raises(NotFound):
        _move(request.id, "collect", actor=f.actor(f.applicant()))
    with pytest.raises(NotFound):
        _move(request.id, "collect", actor=r.agent(Role.RESPONSABLE))
    with pytest.raises(DomainError, match="raison"):
        _move(request.id, "revoke", actor=r.agent())
    assert r.traces(request) == before


def test_a_page_older_than_the_certificate_says_who_moved_it(app: Flask) -> None:
    _row, request = _certificate(CertificateState.EXPEDIE)
    colleague = f.staff(first_name="Leïla", last_name="Ferchichi")
    _move(request.id, "collect", actor=f.actor(colleague), version=1)
    with pytest.raises(IllegalTransition, match="Leïla Ferchichi a modifié ce dossier"):
        _move(request.id, "collect", actor=r.agent(), version=1)
    with pytest.raises(IllegalTransition, match="TunTrust a modifié ce dossier"):
        _move(request.id, "collect", actor=f.actor(request.applicant), version=1)
    with pytest.raises(StaleObject, match="Leïla Ferchichi"):
        _move(request.id, "revoke", actor=r.agent(), reason="Clé perdue.", version=1)


def test_a_request_without_a_certificate_has_none_to_move(app: Flask) -> None:
    with pytest.raises(NotFound):
        _move(r.request_file(approved=True).id, "revoke", actor=r.agent(), reason="Clé perdue.")
