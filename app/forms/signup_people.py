"""Steps 2 to 4 of the sign-up: the representative, the administrators, the end (ORG-5 … ORG-7)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, FileField, FormField, RadioField, StringField
from wtforms.validators import InputRequired

from app import identifiers
from app.forms.base import BaseForm, strip
from app.forms.person import PersonForm
from app.forms.signup import NO, YES, yes_no

IDENTITY_FIELDS = ("birth_date", "nationality", "identity_kind", "identity_number", "last_name", "first_name")
"""The tuple that the identity service is asked about, whole (SEC-4)."""


def attestation() -> BooleanField:
    """The manual's sentence; nothing goes on without it."""
    return BooleanField(
        _l(
            "J'atteste que les données sont correctes et j'autorise l'utilisation de ces données pour le traitement "
            "de ma demande de certificat"
        ),
        [InputRequired(_l("Cochez l'attestation pour continuer."))],
    )


def captcha_field() -> StringField:
    """The code to copy."""
    return StringField(
        _l("Saisir le captcha"),
        filters=[strip],
        description=_l("Les 6 chiffres de l'image, ou ceux que vous entendez"),
        render_kw={"autocomplete": "off", "maxlength": 20},
    )


class DeclaredPersonForm(PersonForm):
    """A person of the sign-up: with a copy of the document of a foreigner."""

    identity_copy = FileField(_l("Joindre une copie de la pièce d'identité"))

    class Meta(PersonForm.Meta):
        """The step's form carries the token once."""

        csrf = False

    @property
    def asks_for_copy(self) -> bool:
        """Carte de séjour or passport."""
        return self.identity_kind.data in ("CARTE_SEJOUR", "PASSEPORT")

    def keep_identity_errors_only(self) -> bool:
        """For « Vérification avec le service web »: what else is missing is said later. True when none is left."""
        for field in self:
            if field.short_name not in IDENTITY_FIELDS:
                field.errors = []
        self.form_errors.clear()
        return not self.errors

    def stored(self) -> dict[str, Any]:
        """The declared data as the draft keeps it."""
        return as_json(self.person())


def as_json(person: dict[str, Any]) -> dict[str, Any]:
    """A person's data with its date in ISO 8601."""
    born = person["birth_date"]
    return {**person, "birth_date": born.isoformat() if isinstance(born, date) else born}


class RepresentativeForm(DeclaredPersonForm):
    """« Informations sur le représentant légal »."""

    attestation = attestation()
    captcha = captcha_field()

    refuses_generic_email = True
    page_order = ("attestation",)

    class Meta(DeclaredPersonForm.Meta):
        """A form of its own."""

        csrf = True

    def people(self) -> dict[str, DeclaredPersonForm]:
        """Whom the identity service may be asked about from this page."""
        return {"representative": self}

    def asked_slots(self) -> list[str]:
        """A foreigner's copy."""
        return ["representative_identity"] if self.asks_for_copy else []

    def file_fields(self) -> dict[str, Field]:
        """The upload field by slot of the draft."""
        return {"representative_identity": self.identity_copy}


class AdministratorsForm(BaseForm):
    """« Compte(s) administrateur(s) »: one, who may be the representative, or two."""

    attestation = attestation()
    same_as_representative = RadioField(
        _l("L'administrateur est-il le représentant légal ?"),
        [InputRequired(_l("Répondez Oui ou Non."))],
        choices=yes_no(),
    )
    first = FormField(DeclaredPersonForm)
    second_administrator = RadioField(
        _l("Voulez vous ajouter un deuxième administrateur ?"), choices=yes_no(), default=NO
    )
    second = FormField(DeclaredPersonForm)
    captcha = captcha_field()

    def __init__(self, *args: Any, representative: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.representative = representative

    def people(self) -> dict[str, DeclaredPersonForm]:
        """Whom the identity service may be asked about from this page."""
        return {"first": self.first.form, "second": self.second.form}

    def asked_slots(self) -> list[str]:
        """Foreigners' copies; the representative's own came with step 2."""
        first = bool(self.same_as_representative.data) and not self.same and self.first.form.asks_for_copy
        second = self.two and self.second.form.asks_for_copy
        return [*(["administrator_identity"] if first else []), *(["administrator2_identity"] if second else [])]

    def file_fields(self) -> dict[str, Field]:
        """The upload fields by slot of the draft."""
        return {
            "administrator_identity": self.first.form.identity_copy,
            "administrator2_identity": self.second.form.identity_copy,
        }

    @property
    def same(self) -> bool:
        """Is the first administrator the representative?"""
        return bool(self.same_as_representative.data == YES)

    @property
    def two(self) -> bool:
        """Is there a second administrator?"""
        return bool(self.second_administrator.data == YES)

    def validate(self, extra_validators: Any = None) -> bool:
        """Only the people who are asked for are read."""
        wanted = {"first": not self.same and bool(self.same_as_representative.data), "second": self.two}
        every = dict(self._fields)
        for name, is_wanted in wanted.items():
            if not is_wanted:
                del self._fields[name]
        try:
            valid = super().validate(extra_validators)
        finally:
            self._fields.clear()
            self._fields.update(every)
        return self._differ() and valid if self.two and valid else valid

    def _differ(self) -> bool:
        """The second administrator is somebody else, with another address (ORG-6)."""
        first = self.representative if self.same else self.first.form.stored()
        for name, sentence in same_person(first, self.second.form.stored()).items():
            field = self.second.form[name]
            field.errors = [*field.errors, sentence]
        return not self.second.form.errors

    def stored(self) -> dict[str, Any]:
        """The answers as the draft keeps them; « Oui » copies at the moment of reading, so that it never ages."""
        return {
            "same": self.same,
            "first": None if self.same else self.first.form.stored(),
            "second": self.second.form.stored() if self.two else None,
        }


def same_person(first: dict[str, Any], second: dict[str, Any]) -> dict[str, str]:
    """Field → sentence where the second administrator is the first: identity document, address, or name and birth."""
    found = {}
    if all(first[name] == second[name] for name in ("identity_kind", "identity_number", "nationality")):
        found["identity_number"] = _("Le deuxième administrateur doit être une autre personne que le premier.")
    if first["email"] == second["email"]:
        found["email"] = _("Le deuxième administrateur doit avoir une autre adresse e-mail que le premier.")
    names = [identifiers.fold(f"{each['first_name']} {each['last_name']}") for each in (first, second)]
    if not found and names[0] == names[1] and first["birth_date"] == second["birth_date"]:
        found["last_name"] = _("Le deuxième administrateur doit être une autre personne que le premier.")
    return found


class FinishForm(BaseForm):
    """« Terminer »: the code to copy."""

    captcha = captcha_field()
