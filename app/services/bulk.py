"""Bulk runs (QUE-4): confirmed once, worked off row by row, no row lost and none done twice.

A row is done in one transaction with its outcome: the row is locked first, so a job and a request that meet on it
never do it twice, and a crash leaves it as it was, for the job to take up. A refusal is kept on its row and stops
no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy import func, select, update

from app import clock
from app.errors import DomainError, Forbidden, NotFound
from app.extensions import db
from app.models import BulkOutcome, BulkRow, BulkRun, User
from app.permissions import Actor
from app.services import audit
from app.services.accounts import actor_for
from app.services.assigning import tell_of_files
from app.services.authority import require
from app.services.bulk_actions import ACTIONS, perform, refusal_sentence
from app.services.locking import lock
from app.services.rounds import Round
from app.services.unit_of_work import use_case

log = structlog.get_logger()
LIMIT = 500
AT_ONCE = 20
"""Rows of a run small enough to be done before its page is shown."""
JOB_SECONDS = 15.0
"""A job works this long, then lets the next one go on."""
TRIES = 3
"""Of a row that fails for a technical reason."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row to be: a request, or in ``data`` an organisation; ``refused`` in ``data`` is a refusal known beforehand."""

    reference: str
    request_id: int | None = None
    version: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


@use_case
def start_run(action: str, lines: Iterable[Line], *, token: str, actor: Actor, data: dict[str, Any]) -> str:
    """« Confirmer »: keep the run and its rows, none done yet; returns its public id, which is the token.

    The same token twice (a double click) is the same run. Raises Forbidden, NotFound (somebody else's token),
    DomainError (no row, too many).
    """
    _check_right(action, actor)
    lock(User, actor.user_id or 0)  # a person's two clicks follow each other
    present = db.session.scalar(select(BulkRun).where(BulkRun.public_id == token))
    if present is not None:
        if present.user_id != actor.user_id:
            raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
        return present.public_id
    rows = sorted(lines, key=lambda line: (line.request_id is None, line.request_id or 0))
    if not rows:
        raise DomainError(_("Choisissez au moins une ligne."))
    if len(rows) > LIMIT:
        raise DomainError(_("%(limit)d lignes au plus à la fois.", limit=LIMIT))
    run = BulkRun(public_id=token, user_id=actor.user_id, action=action, data=data, ip=actor.ip, created_at=clock.now())
    run.rows = [
        BulkRow(
            position=position,
            request_id=line.request_id,
            reference=line.reference[:40],
            data=dict(line.data),
            expected_version=line.version,
        )
        for position, line in enumerate(rows, 1)
    ]
    db.session.add(run)
    db.session.flush()
    audit.record(actor, "start_bulk_run", run, after={"action": action, "rows": len(rows)})
    return run.public_id


def was_started(token: str, actor: Actor) -> bool:
    """Has the actor confirmed what this token stands for already?"""
    mine = (BulkRun.public_id == token, BulkRun.user_id == (actor.user_id or 0))
    return db.session.scalar(select(BulkRun.id).where(*mine)) is not None


def _check_right(action: str, actor: Actor) -> None:
    if not actor.is_staff or actor.user_id is None or action not in ACTIONS:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, ACTIONS[action].right)


def work_run(public_id: str, *, rows: int = LIMIT, within: Round | None = None) -> int:
    """Do up to so many of the run's rows that are left, each in its own transaction; returns how many.

    ``within``: the round it is part of. The author's rights are read afresh for each row.
    """
    run_id = db.session.scalar(select(BulkRun.id).where(BulkRun.public_id == public_id))
    if run_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    waiting = list(
        db.session.scalars(
            select(BulkRow.id)
            .where(BulkRow.run_id == run_id, BulkRow.outcome == BulkOutcome.A_FAIRE)
            .order_by(BulkRow.position)
            .limit(rows)
        )
    )
    db.session.rollback()
    done = 0
    for row_id in waiting:
        if within is not None and within.over():
            break
        done += _work_row(row_id)
    _finish(run_id)
    return done


def work_open_runs() -> str:
    """The job: what requests left or never began, the oldest run first; a sentence for the list of jobs."""
    this_round = Round(JOB_SECONDS)
    done = 0
    open_runs = select(BulkRun.public_id).where(BulkRun.finished_at.is_(None)).order_by(BulkRun.id).limit(20)
    for public_id in list(db.session.scalars(open_runs)):
        done += work_run(public_id, within=this_round)
        if this_round.over():
            break
    return ngettext("%(num)d ligne", "%(num)d lignes", done) if done else ""


def _work_row(row_id: int) -> bool:
    """One row to its end; False when somebody else does it, did it, or must try again."""
    try:
        return _perform(row_id)
    except DomainError as refusal:
        return _refuse(row_id, refusal)
    except Exception:
        db.session.rollback()
        log.exception("bulk_row_failed", row=row_id)
        return _failed(row_id)


def _claimed(row_id: int) -> tuple[BulkRun, BulkRow, User] | None:
    """The row, locked, its run and its author as they stand now; None when it is another's or done."""
    row = db.session.execute(
        select(BulkRow)
        .where(BulkRow.id == row_id, BulkRow.outcome == BulkOutcome.A_FAIRE)
        .with_for_update(skip_locked=True, of=BulkRow)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        return None
    run = db.session.get_one(BulkRun, row.run_id)
    return run, row, db.session.get_one(User, run.user_id, populate_existing=True)


@use_case
def _perform(row_id: int) -> bool:
    claimed = _claimed(row_id)
    if claimed is None:
        return False
    run, row, user = claimed
    with force_locale(user.locale):
        row.message = perform(run, row, _author(run, user))
    row.outcome, row.done_at = BulkOutcome.FAIT, clock.now()
    return True


def _author(run: BulkRun, user: User) -> Actor:
    """The author with the rights of this moment. Raises Forbidden when they may no longer do this."""
    if user.disabled_at is not None:
        raise Forbidden(_("Non traité : le compte de %(who)s a été désactivé.", who=user.display_name))
    db.session.refresh(user, ["grants"])
    actor = actor_for(user, ip=run.ip, locale=user.locale)
    if not actor.is_staff or not actor.can(ACTIONS[run.action].right):
        raise Forbidden(_("Non traité : %(who)s n'a plus le droit de faire cette action.", who=user.display_name))
    return actor


@use_case
def _refuse(row_id: int, refusal: DomainError) -> bool:
    claimed = _claimed(row_id)
    if claimed is None:
        return False
    _run, row, user = claimed
    with force_locale(user.locale):
        row.message = refusal_sentence(row, refusal)
    row.outcome, row.done_at = BulkOutcome.REFUSE, clock.now()
    return True


@use_case
def _failed(row_id: int) -> bool:
    """Something technical: the row is tried again later, and refused in the end."""
    claimed = _claimed(row_id)
    if claimed is None:
        return False
    _run, row, user = claimed
    tries = int(row.data.get("tries") or 0) + 1
    row.data = {**row.data, "tries": tries}
    if tries < TRIES:
        return False
    with force_locale(user.locale):
        row.message = _("Une panne a empêché cette ligne : rien n'a changé. Recommencez plus tard.")
    row.outcome, row.done_at = BulkOutcome.REFUSE, clock.now()
    return True


@use_case
def _finish(run_id: int) -> None:
    """Close the run once no row is left; colleagues learn then, in one mail, of all they were handed."""
    left = select(func.count(BulkRow.id)).where(BulkRow.run_id == run_id, BulkRow.outcome == BulkOutcome.A_FAIRE)
    if db.session.scalar(left):
        return
    closed = db.session.execute(
        update(BulkRun)
        .where(BulkRun.id == run_id, BulkRun.finished_at.is_(None))
        .values(finished_at=clock.now())
        .returning(BulkRun.id)
    ).first()
    if closed is None:
        return
    run = db.session.get_one(BulkRun, run_id, populate_existing=True)
    if run.action == "hand_over":
        _tell_colleagues(run)


def _tell_colleagues(run: BulkRun) -> None:
    handed: dict[int, list[str]] = {}
    for row in run.rows:
        if row.outcome is BulkOutcome.FAIT:
            handed.setdefault(int(row.data.get("to") or run.data["to"]), []).append(row.reference)
    author = db.session.get_one(User, run.user_id)
    for user_id, references in sorted(handed.items()):
        colleague = db.session.get(User, user_id)
        if colleague is not None and user_id != run.user_id:
            tell_of_files(colleague, references, actor_label=author.display_name)
