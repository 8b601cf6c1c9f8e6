"""People with a second factor, for the tests: an app, and what it shows."""

from __future__ import annotations

import pyotp

from app import clock
from app.models import User
from app.services import second_factor
from tests import factories


class App:
    """An authenticator app on the person's phone."""

    def __init__(self, user: User) -> None:
        """Link it to the account; ``codes`` are the recovery codes that were shown."""
        sealed, self.seed = second_factor.open_enrolment(user.id, "")
        self.codes = second_factor.set_up_app(
            user.id, sealed, self.code(), actor=factories.actor(user), keep_token=None
        )  # fmt: skip

    def code(self, steps: int = 0) -> str:
        """What it shows now, or so many half minutes later."""
        return pyotp.TOTP(self.seed).at(int(clock.now().timestamp()) + 30 * steps)
