"""An activation racing the purge wins or loses whole (ACT-3): two connections of a real PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.models import Organisation, User
from app.services import accounts, activation, contracts, passwords, purging
from app.states import OrganisationState
from tests import factories

PASSWORD = "une phrase de passe nouvelle"
ROUNDS = 100


def overdue_registration():
    of = factories.organisation(
        OrganisationState.EN_ATTENTE_ACTIVATION, activation_deadline=clock.now(), created_at=clock.now()
    )
    user = factories.administrator(of, activated=False, temporary_password_hash="-")
    return of.id, user.id, factories.actor(user)


def activate(app, user_id, actor, ready=None):
    with app.app_context():
        if ready is not None:
            ready.wait(10)
        try:
            accounts.choose_password(user_id, PASSWORD, actor=actor, keep_token=None)
        except DomainError as refusal:
            return refusal
        return None


def purge(app, organisation_id, ready=None):
    with app.app_context():
        if ready is not None:
            ready.wait(10)
        return purging.purge_organisation(organisation_id)


def outcome(organisation_id, user_id, refusal, purged):
    """What is left, which must fit what each side was told; the name of the winner."""
    db.session.rollback()
    db.session.expire_all()
    of, user = db.session.get(Organisation, organisation_id), db.session.get(User, user_id)
    if purged:
        assert of is None
        assert user is None
        assert isinstance(refusal, activation.RegistrationExpired)
        return "purge"
    assert refusal is None
    assert of.state is OrganisationState.A_VERIFIER
    assert user.activated_at is not None
    assert user.password_hash is not None
    assert [one.id for one in contracts.administrators_of(organisation_id)] == [user_id]
    return "activation"


@pytest.fixture
def quick(monkeypatch):
    """Argon2 takes its time on purpose; here only the race matters."""
    monkeypatch.setattr(passwords, "hash_password", lambda password: f"hash of {len(password)}")
    monkeypatch.setattr(passwords, "verify_password", lambda stored, password: False)


@pytest.mark.spec("ACT-3")
def test_activation_and_purge_at_the_same_instant_never_both(app, quick):
    winners = []
    with ThreadPoolExecutor(2) as threads:
        for place in range(ROUNDS):
            organisation_id, user_id, actor = overdue_registration()
            ready = threading.Barrier(2)
            calls = [
                lambda ready=ready, user_id=user_id, actor=actor: activate(app, user_id, actor, ready),
                lambda ready=ready, organisation_id=organisation_id: purge(app, organisation_id, ready),
            ]
            order = (0, 1) if place % 2 else (1, 0)
            running = {which: threads.submit(calls[which]) for which in order}
            winners.append(outcome(organisation_id, user_id, running[0].result(30), running[1].result(30)))
    assert len(winners) == ROUNDS


@pytest.mark.spec("ACT-3")
def test_the_purge_waits_for_an_activation_under_way_and_then_leaves_it(app, quick, monkeypatch):
    """Fails without the lock of the organisation: the purge would delete what is being activated."""
    organisation_id, user_id, actor = overdue_registration()
    inside, go_on = threading.Event(), threading.Event()

    def pause(_password, about=()):
        inside.set()
        assert go_on.wait(20)

    monkeypatch.setattr(passwords, "check_new_password", pause)
    with ThreadPoolExecutor(2) as threads:
        activating = threads.submit(activate, app, user_id, actor)
        assert inside.wait(10)
        purged = threads.submit(purge, app, organisation_id)
        _never_done(purged)
        go_on.set()
        assert outcome(organisation_id, user_id, activating.result(30), purged.result(30)) == "activation"


@pytest.mark.spec("ACT-3")
def test_an_activation_waits_for_a_purge_under_way_and_is_then_told(app, quick, monkeypatch):
    """Fails without the lock: the activation would find an account that is being deleted."""
    organisation_id, user_id, actor = overdue_registration()
    inside, go_on = threading.Event(), threading.Event()
    farewell = purging._say_farewell

    def pause(people):
        inside.set()
        assert go_on.wait(20)
        farewell(people)

    monkeypatch.setattr(purging, "_say_farewell", pause)
    with ThreadPoolExecutor(2) as threads:
        purged = threads.submit(purge, app, organisation_id)
        assert inside.wait(10)
        activating = threads.submit(activate, app, user_id, actor)
        _never_done(activating)
        go_on.set()
        assert outcome(organisation_id, user_id, activating.result(30), purged.result(30)) == "purge"


def _never_done(future, seconds=0.7):
    """The other side holds the lock: this one must still be waiting."""
    with pytest.raises(TimeoutError):
        future.result(seconds)
