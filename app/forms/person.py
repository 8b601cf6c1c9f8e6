"""Somebody's identity and contact, the same questions wherever a person is declared (ORG-5, ORG-6, ORD-3).

Validators leave what was typed in ``field.data`` and put the stored form in ``field.stored``, so that a form
with errors shows the person's own words again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from babel import Locale
from flask_babel import get_locale, pgettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, EmailField, SelectField, StringField, TelField
from wtforms.validators import DataRequired, InputRequired, StopValidation

from app import clock, identifiers
from app.forms.base import BaseForm, strip
from app.forms.sentences import sentence

IDENTITY_KINDS = ("CIN", "CARTE_SEJOUR", "PASSEPORT")

NO_COUNTRY = frozenset(
    {"AC", "AQ", "BV", "CP", "CQ", "DG", "EA", "EU", "EZ", "HM", "IC", "QO", "TA", "TF", "UM", "UN", "XA", "XB", "ZZ"}
)
"""What CLDR names beside the countries: groupings, test locales, uninhabited land and parts of other countries."""


class Identifier:
    """A validator made of an ``identifiers.normalise_*`` function: refuses with its sentence, else stores."""

    field_flags = {"required": True}

    def __init__(self, normalise: Callable[[str], str], *, optional: bool = False) -> None:
        self.normalise = normalise
        self.optional = optional
        if optional:
            self.field_flags = {}

    def __call__(self, form: Any, field: Any) -> None:
        """WTForms' protocol."""
        typed = field.data or ""
        if self.optional and not typed.strip():
            field.stored = ""
            return
        try:
            field.stored = self.normalise(typed)
        except identifiers.InvalidIdentifier as wrong:
            raise StopValidation(str(sentence(wrong.code))) from wrong


class Name:
    """A validator made of an ``identifiers.*_name_problem`` function."""

    field_flags = {"required": True}

    def __init__(
        self, problem: Callable[[str], str | None], tidy: Callable[[str], str], prefix: str, *, optional: bool = False
    ) -> None:
        self.problem = problem
        self.tidy = tidy
        self.prefix = prefix
        self.optional = optional
        if optional:
            self.field_flags = {}

    def __call__(self, form: Any, field: Any) -> None:
        """WTForms' protocol."""
        typed = field.data or ""
        field.stored = self.tidy(typed)
        if self.optional and not field.stored:
            return
        code = self.problem(typed)
        if code:
            raise StopValidation(str(sentence(f"{self.prefix}_{code}")))


def latin_name(*, optional: bool = False) -> Name:
    """Nom, Prénom."""
    return Name(identifiers.latin_name_problem, identifiers.tidy_name, "name", optional=optional)


def arabic_name(*, optional: bool = False) -> Name:
    """اللقب, الاسم."""
    return Name(identifiers.arabic_name_problem, identifiers.tidy_arabic_name, "arabic_name", optional=optional)


def organisation_name(*, optional: bool = False) -> Name:
    """Raison sociale, nom commercial."""
    return Name(identifiers.organisation_name_problem, identifiers.tidy_name, "organisation_name", optional=optional)


def mobile(text: str) -> str:
    """A real mobile number, Tunisian unless it says otherwise."""
    return identifiers.normalise_phone(text, kind="mobile")


def fixed_phone(text: str) -> str:
    """A real number that can be a desk's: fixed, or whatever the plan does not call mobile."""
    return identifiers.normalise_phone(text, kind="fixed")


def country_choices() -> list[tuple[str, str]]:
    """Every country, in the person's language, Tunisia first."""
    territories = Locale.parse(str(get_locale() or "fr")).territories
    named = [
        (code, name)
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in NO_COUNTRY
    ]
    rest = sorted((pair for pair in named if pair[0] != "TN"), key=lambda pair: identifiers.fold(pair[1]))
    return [("TN", territories.get("TN", "Tunisie")), *rest]


def nationality_choices() -> list[tuple[str, str]]:
    """The same list, with the manual's word for Tunisians."""
    return [("TN", pgettext("nationality", "Tunisienne")), *country_choices()[1:]]


class PersonForm(BaseForm):
    """The questions; journeys subclass it to add their own."""

    birth_date = DateField(
        _l("Date de naissance"),
        [DataRequired(_l("Écrivez la date de naissance, par exemple 27/11/1980."))],
        format=["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"],
        render_kw={"autocomplete": "off"},
    )
    nationality = SelectField(_l("Nationalité"), [InputRequired(_l("Choisissez la nationalité."))], default="TN")
    identity_kind = SelectField(
        _l("Pièce d'identité"), [InputRequired(_l("Choisissez la pièce d'identité."))], default="CIN"
    )
    identity_number = StringField(_l("Numéro"), filters=[strip], render_kw={"autocomplete": "off", "maxlength": 40})
    last_name = StringField(
        _l("Nom"), [latin_name()], description=_l("En caractères latins"), render_kw={"autocomplete": "off"}
    )
    first_name = StringField(
        _l("Prénom"), [latin_name()], description=_l("En caractères latins"), render_kw={"autocomplete": "off"}
    )
    last_name_ar = StringField(_l("Nom en arabe"), [arabic_name()], render_kw={"autocomplete": "off"})
    first_name_ar = StringField(_l("Prénom en arabe"), [arabic_name()], render_kw={"autocomplete": "off"})
    mobile = TelField(
        _l("Téléphone mobile"),
        [Identifier(mobile)],
        description=_l("Par exemple +216 20 000 000"),
        render_kw={"autocomplete": "off"},
    )
    email = EmailField(_l("Email"), [Identifier(identifiers.normalise_email)], render_kw={"autocomplete": "off"})
    email_confirmation = EmailField(
        _l("Confirmation Email"),
        [DataRequired(_l("Écrivez l'adresse e-mail une seconde fois."))],
        filters=[strip],
        render_kw={"autocomplete": "off"},
    )

    refuses_generic_email = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.nationality.choices = nationality_choices()
        self.identity_kind.choices = [
            ("CIN", _("CIN")),
            ("CARTE_SEJOUR", _("Carte de séjour")),
            ("PASSEPORT", _("Passeport")),
        ]

    def validate_birth_date(self, field: Any) -> None:
        """An adult's, of this or the last century."""
        if field.data is None:
            return
        code = identifiers.birth_date_problem(field.data, clock.today())
        if code:
            raise StopValidation(str(sentence(f"birth_date_{code}")))

    def validate_identity_kind(self, field: Any) -> None:
        """The CIN is compulsory for Tunisians, and theirs alone."""
        code = identifiers.identity_kind_problem(self.nationality.data, field.data)
        if code:
            raise StopValidation(str(sentence(f"identity_kind_{code}")))

    def validate_identity_number(self, field: Any) -> None:
        """The shape depends on the document."""
        rules = {
            "CIN": identifiers.normalise_cin,
            "CARTE_SEJOUR": identifiers.normalise_residence_card,
            "PASSEPORT": identifiers.normalise_passport,
        }
        Identifier(rules.get(self.identity_kind.data, identifiers.normalise_cin))(self, field)

    def validate_first_name(self, field: Any) -> None:
        """The CN must fit into a certificate."""
        if identifiers.common_name_problem(field.data or "", self.last_name.data or ""):
            raise StopValidation(str(sentence("common_name_too_long")))

    def validate_email(self, field: Any) -> None:
        """A representative's or applicant's own address."""
        if self.refuses_generic_email and identifiers.is_generic_email(field.stored):
            raise StopValidation(str(sentence("email_generic")))

    def validate_email_confirmation(self, field: Any) -> None:
        """The same address twice, however it is capitalised."""
        if (field.data or "").strip().lower() != (self.email.data or "").strip().lower():
            raise StopValidation(_("Les deux adresses e-mail diffèrent."))

    def person(self) -> dict[str, Any]:
        """The declared data in stored form: what a ``PersonMixin`` row takes."""
        return {
            "birth_date": self.birth_date.data,
            "nationality": self.nationality.data,
            "identity_kind": self.identity_kind.data,
            **{
                name: getattr(self, name).stored
                for name in (
                    "identity_number",
                    "last_name",
                    "first_name",
                    "last_name_ar",
                    "first_name_ar",
                    "mobile",
                    "email",
                )
            },
        }
