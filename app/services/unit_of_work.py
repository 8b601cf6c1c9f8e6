"""The only commit (STA-2): a use case changes rows, history, journal and outbox together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from app.database import writing
from app.extensions import db

P = ParamSpec("P")
R = TypeVar("R")

_DEPTH = "use_case_depth"
_BEFORE = "before_commit"
_AFTER = "after_commit"
_UNDO = "after_rollback"


def use_case(function: Callable[P, R]) -> Callable[P, R]:
    """Run a service in one transaction. Nested use cases join the outermost, which alone commits.

    The outermost starts from a fresh transaction, so that what it reads and locks is the present and, on
    SQLite, so that it holds the write lock from its first statement. Any exception rolls everything back.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        info: dict[str, Any] = db.session().info
        if info.get(_DEPTH, 0):
            info[_DEPTH] += 1
            try:
                return function(*args, **kwargs)
            finally:
                info[_DEPTH] -= 1
        db.session.rollback()
        token = writing.set(True)
        info.update({_DEPTH: 1, _BEFORE: [], _AFTER: [], _UNDO: []})
        after: list[Callable[[], None]] = []
        try:
            result = function(*args, **kwargs)
            db.session.flush()
            for hook in info[_BEFORE]:
                hook()
            db.session.commit()
            after = info[_AFTER]
        except BaseException:
            db.session.rollback()
            after = info[_UNDO]
            raise
        finally:
            info[_DEPTH] = 0
            writing.reset(token)
            for hook in after:
                hook()
        return result

    return run


def _register(kind: str, hook: Callable[[], None]) -> None:
    info = db.session().info
    if not info.get(_DEPTH):
        raise RuntimeError("outside a use case")
    info[kind].append(hook)


def before_commit(hook: Callable[[], None]) -> None:
    """Run last inside the transaction (the journal takes its chain lock here, held for an instant only)."""
    _register(_BEFORE, hook)


def after_commit(hook: Callable[[], None]) -> None:
    """Run once the transaction is safe, e.g. to delete a replaced file. Must not fail the request."""
    _register(_AFTER, hook)


def after_rollback(hook: Callable[[], None]) -> None:
    """Run when the transaction was given up, e.g. to delete a file it had stored."""
    _register(_UNDO, hook)
