"""The journal tells when somebody rewrote it (AUD-1)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import AuditEntry
from app.permissions import SYSTEM
from app.services import anchoring, audit, drafts, files
from app.services.unit_of_work import use_case

pytestmark = pytest.mark.spec("AUD-1")


@use_case
def write(number: int) -> None:
    audit.record(SYSTEM, "touch", ("things", number), before={"n": number}, after={"n": number + 1})


@pytest.fixture
def written(app: Flask) -> list[int]:
    """Five entries, each written by a use case of its own."""
    for number in range(5):
        write(number)
    return list(db.session.scalars(db.select(AuditEntry.id).order_by(AuditEntry.id)))


@pytest.fixture
def ids(written: list[int]) -> list[int]:
    """The same, the database's own guard taken off."""
    unlock()
    return written


def unlock() -> None:
    """What whoever holds the database's own password can do; the chain is against them."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        return
    for verb in ("update", "delete"):
        db.session.execute(text(f"DROP TRIGGER audit_entries_no_{verb}"))


def verify(app: Flask) -> Any:
    db.session.commit()
    return app.test_cli_runner().invoke(args=["audit", "verify"])


@pytest.mark.parametrize(
    "change", ["UPDATE audit_entries SET action = 'autre'", "DELETE FROM audit_entries WHERE action = 'touch'"]
)
def test_the_database_itself_refuses_a_change(written: list[int], change: str) -> None:
    with pytest.raises(IntegrityError, match="immutable"):
        db.session.execute(text(change))
    db.session.rollback()


def test_an_untouched_journal_is_whole(app: Flask, ids: list[int]) -> None:
    result = verify(app)
    assert (result.exit_code, result.output.strip()) == (0, "whole")


@pytest.mark.parametrize(
    "values",
    [
        {"actor_label": "autrui"},
        {"actor_id": None, "ip": "10.0.0.1"},
        {"action": "autre"},
        {"subject_id": "99"},
        {"after": {"n": 7}},
        {"before": None},
        {"hash": "0" * 64},
        {"previous_hash": "0" * 64},
    ],
)
def test_a_rewritten_entry_is_named(app: Flask, ids: list[int], values: dict[str, Any]) -> None:
    db.session.execute(update(AuditEntry).where(AuditEntry.id == ids[2]).values(**values))
    result = verify(app)
    assert result.exit_code == 1
    assert f"broken at entry {ids[2]} " in result.output


def test_a_moved_moment_is_named(app: Flask, ids: list[int]) -> None:
    entry = db.session.get_one(AuditEntry, ids[1])
    db.session.execute(
        update(AuditEntry).where(AuditEntry.id == ids[1]).values(at=entry.at.replace(year=entry.at.year - 1))
    )
    assert f"broken at entry {ids[1]} " in verify(app).output


def test_a_removed_entry_breaks_the_next_one(app: Flask, ids: list[int]) -> None:
    db.session.execute(delete(AuditEntry).where(AuditEntry.id == ids[2]))
    assert f"broken at entry {ids[3]} " in verify(app).output


def test_the_first_entry_cannot_go_either(app: Flask, ids: list[int]) -> None:
    db.session.execute(delete(AuditEntry).where(AuditEntry.id == ids[0]))
    assert f"broken at entry {ids[1]} " in verify(app).output


def test_two_entries_that_changed_places_are_found(app: Flask, ids: list[int]) -> None:
    for before, after in ((ids[1], -1), (ids[2], ids[1]), (-1, ids[2])):
        db.session.execute(
            text("UPDATE audit_entries SET id = :after WHERE id = :before"), {"before": before, "after": after}
        )
    assert verify(app).exit_code == 1


# --------------------------------------------------------------------------------------------- the anchor


def test_an_end_cut_off_is_told_by_the_anchor(app: Flask, ids: list[int]) -> None:
    assert anchoring.anchor_head() == f"entry {ids[-1]}"
    assert verify(app).exit_code == 0
    db.session.execute(delete(AuditEntry).where(AuditEntry.id >= ids[3]))
    result = verify(app)
    assert result.exit_code == 2
    assert f"entry {ids[-1]} is gone" in result.output


def test_an_end_written_anew_is_told_too(app: Flask, ids: list[int]) -> None:
    anchoring.anchor_head()
    db.session.execute(delete(AuditEntry).where(AuditEntry.id == ids[4]))
    db.session.commit()
    write(99)
    db.session.execute(update(AuditEntry).where(AuditEntry.id > ids[3]).values(id=ids[4]))
    assert verify(app).exit_code == 2


def test_the_proof_of_a_cut_is_never_written_over(app: Flask, ids: list[int]) -> None:
    anchoring.anchor_head()
    db.session.execute(delete(AuditEntry).where(AuditEntry.id == ids[4]))
    db.session.commit()
    assert "no longer holds its anchor" in anchoring.anchor_head()
    assert verify(app).exit_code == 2


def test_a_journal_that_grows_stays_whole(app: Flask, written: list[int]) -> None:
    anchoring.anchor_head()
    write(7)
    assert verify(app).exit_code == 0
    anchoring.anchor_head()
    assert verify(app).exit_code == 0


def test_the_purge_of_orphan_files_leaves_the_anchor(app: Flask, written: list[int], travel: Any) -> None:
    anchoring.anchor_head()
    travel(hours=49)
    drafts.purge_orphan_files()
    assert files.storage().exists(anchoring.KEY)
