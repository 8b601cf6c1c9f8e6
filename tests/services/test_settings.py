"""Settings: each value is checked for what it is used for (REF-1)."""

from __future__ import annotations

import pytest
from flask import Flask

from app.errors import DomainError
from app.permissions import Role
from app.services import settings
from tests import factories as f


@pytest.mark.spec("REF-1")
@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("seller.name", "  ", "À remplir"),
        ("seller.email", "", "À remplir"),
        ("seller.email", "pas une adresse", "adresse e-mail"),
        ("seller.phone", "12", "numéro de téléphone"),
        ("review.days", "sept", "nombre entier"),
        ("review.days", "91", "entre 1 et 90"),
        ("activation.reminder_hours", "48", "doit précéder"),
        ("activation.hours", "24", "doit précéder"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write(app: Flask, key: str, text: str, said: str) -> None:
    before = settings.get(key)
    with pytest.raises(DomainError, match=said) as refusal:
        settings.change(key, text, actor=f.actor(f.staff(Role.ADMINISTRATEUR)))
    assert refusal.value.field == "value"
    assert settings.get(key) == before


@pytest.mark.spec("REF-1")
@pytest.mark.parametrize(
    ("key", "text", "kept"),
    [
        ("seller.email", " Aide@Exemple.TN ", "aide@exemple.tn"),
        ("seller.phone", "70834600", "+216 70 834 600"),
        ("seller.bank_account", "", ""),
        ("activation.reminder_hours", "47", 47),
    ],
)
def test_a_right_value_is_kept_in_one_form(app: Flask, key: str, text: str, kept: object) -> None:
    settings.change(key, text, actor=f.actor(f.staff(Role.ADMINISTRATEUR)))
    assert settings.get(key) == kept
