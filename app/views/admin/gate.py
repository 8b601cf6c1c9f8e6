"""Who enters a view of the back office: nobody, unless the class names a permission (PPL-2, SEC-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from flask import abort, request
from flask_admin import Admin, BaseView
from flask_admin.contrib.sqla import ModelView
from flask_login import current_user

from app.permissions import Actor, Permission
from app.views.guards import to_login
from app.web import current_actor

# What Flask-Admin would expose by itself; a view offers of these only what it says.
STOCK_ROUTES = frozenset(name for name in dir(ModelView) if hasattr(getattr(ModelView, name), "_urls"))


class Gate(BaseView):
    """What every view of the back office is.

    ``read`` opens the class, ``write`` its POST routes: each holds one permission, or several of which one is
    enough. Without ``read`` nobody enters; without ``write`` nothing can be sent.
    """

    read: ClassVar[tuple[Permission, ...]] = ()
    write: ClassVar[tuple[Permission, ...]] = ()
    offered: ClassVar[frozenset[str]] = frozenset({"index_view"})

    def create_blueprint(self, admin: Admin) -> Any:
        """Only the routes that the class offers exist: no /action/, no /ajax/update/ left open behind a flag."""
        exposed: list[tuple[str, str, Any]] = vars(type(self))["_urls"]
        self._urls = [each for each in exposed if each[1] not in STOCK_ROUTES or each[1] in self.offered]
        return super().create_blueprint(admin)

    def may_read(self, actor: Actor) -> bool:
        """May the actor see these pages?"""
        return actor.can(Permission.ENTER_BACK_OFFICE) and any(actor.can(right) for right in self.read)

    def may_write(self, actor: Actor) -> bool:
        """May the actor send anything here?"""
        return self.may_read(actor) and any(actor.can(right) for right in self.write)

    def is_accessible(self) -> bool:
        """Flask-Admin's own question, asked before every route."""
        if not current_user.is_authenticated:
            return False
        actor = current_actor()
        return self.may_read(actor) if request.method in ("GET", "HEAD") else self.may_write(actor)

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        """Visitors go to the login page and come back; others are told no."""
        return to_login() if not current_user.is_authenticated else abort(403)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Without Flask-Admin's second try, which hides a TypeError behind another."""
        return fn(self, *args, **kwargs)
