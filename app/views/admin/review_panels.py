"""Tabs of a file that other rooms of the desk fill: messages, notes. Each adds its ``Panel`` to ``PANELS``.

A panel's template is included in the file's page, beside the paper one was reading, with ``desk`` and ``panel``
(what ``load`` gave). Its forms post to its own routes and come back to ``desk.url()``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.permissions import Actor

if TYPE_CHECKING:
    from app.views.admin.review_place import Place


def _nothing(_place: Place) -> None:
    return None


def _everybody(_actor: Actor) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Panel:
    """``key`` is the tab's word in the address (``onglet``); ``mark`` what stands beside its name (« 2 »).

    ``load`` runs only when the tab is open, ``mark`` on every page of the file: it costs one statement at most.
    """

    key: str
    label: object
    template: str
    load: Callable[[Place], Any] = _nothing
    mark: Callable[[Place], str | None] = _nothing
    shown: Callable[[Actor], bool] = _everybody


PANELS: list[Panel] = []
