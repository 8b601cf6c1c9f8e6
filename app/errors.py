"""Errors of the domain: sentences a person can act on. Imports nothing of app, knows nothing of Flask.

A refusal is always one of these, never a ``None`` or a silent return. ``message`` may be a lazy
translation: it is turned into text only where it is shown, in the reader's language.
"""

from __future__ import annotations


class DomainError(Exception):
    """A rule said no. ``field`` names the form field beside which the sentence belongs, when there is one."""

    def __init__(self, message: object, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class NotFound(DomainError):
    """The object does not exist, or belongs to somebody else: the two must look the same (PPL-2)."""


class Forbidden(DomainError):
    """The actor holds no permission for the action (PPL-2)."""


class IllegalTransition(DomainError):
    """``states`` holds no such move from where the object stands (STA-1)."""


class StaleObject(DomainError):
    """Somebody changed the object since the actor's page was made (STA-2); says who and when."""


class ValidationFailed(DomainError):
    """Several fields are wrong at once: ``errors`` maps a field name to its sentence."""

    def __init__(self, message: object, errors: dict[str, object]) -> None:
        super().__init__(message)
        self.errors = errors


class TooManyAttempts(DomainError):
    """A limit of tries was reached; ``retry_after`` says in how many seconds one may try again."""

    def __init__(self, message: object, *, retry_after: int, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after


class ConfigurationError(Exception):
    """The process must not start with these settings (SEC-5). One sentence, for the operator."""
