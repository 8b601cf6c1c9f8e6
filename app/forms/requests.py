"""Forms of one request: validating, reporting an error, correcting, withdrawing, answering (APP-2, REV-5)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    FileField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, StopValidation

from app import clock, identifiers
from app.forms.base import BaseForm, strip
from app.forms.person import Identifier, Name, PersonForm, arabic_name, latin_name, mobile
from app.forms.sentences import sentence

LONG_TEXT = 2000
CONSENT = _l(
    "J'autorise TunTrust à utiliser mes données pour traiter ma demande de certificat et j'accepte les présentes "
    "conditions générales d'utilisation et m'engage à agir conformément à celles-ci."
)
"""The exact sentence of APP-2."""


class VersionedForm(BaseForm):
    """A form that carries the version of what its page showed (STA-2)."""

    version = HiddenField()

    @property
    def expected_version(self) -> int | None:
        """The version the page showed; a forged one counts as a stale page."""
        typed = self.version.data or ""
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else -1

    def renew(self, version: int) -> None:
        """After a refusal the page shows the present: its form is about the present too."""
        self.version.data = str(version)


def uploaded(field: Any) -> tuple[bytes, str] | None:
    """The file that came in a field, or None when none was chosen."""
    given = field.data
    if given is None or isinstance(given, str) or not given.filename:
        return None
    return given.read(), given.filename


class ValidateForm(VersionedForm):
    """« Valider » (APP-2)."""

    cgu_version = HiddenField()
    mobile = TelField(
        _l("Téléphone mobile"),
        [Identifier(mobile)],
        description=_l("Par exemple +216 20 000 000."),
        render_kw={"autocomplete": "tel"},
    )
    identity_copy = FileField(_l("Copie de la pièce d'identité"))
    governorate = SelectField(_l("Gouvernorat"), coerce=str, validate_choice=False)
    near = StringField(
        _l("Délégation, localité ou code postal"),
        [Length(max=60, message=_l("60 caractères au plus."))],
        filters=[strip],
        render_kw={"autocomplete": "off", "maxlength": 60},
    )
    post_office = RadioField(
        _l("Bureau de poste RapidPost"),
        [InputRequired(_l("Choisissez le bureau de poste où retirer votre certificat."))],
        validate_choice=False,
    )
    accept = BooleanField(
        CONSENT, [InputRequired(_l("Cochez la case pour accepter les conditions générales d'utilisation."))]
    )

    copy_missing = False

    def validate_identity_copy(self, _field: Any) -> None:
        """A foreigner's copy must have come, now or before."""
        if self.copy_missing:
            raise StopValidation(_("Joignez la copie de votre pièce d'identité."))

    @property
    def governorate_id(self) -> int | None:
        """The gouvernorat chosen, if it is one."""
        return number(self.governorate.data)

    @property
    def post_office_id(self) -> int | None:
        """The office chosen, if it is a number."""
        return number(self.post_office.data)


def number(text: object) -> int | None:
    """A row's id as it came back from a page; None for anything else."""
    typed = str(text or "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


class RemarkForm(VersionedForm):
    """« Signaler une erreur »."""

    remark = TextAreaField(
        _l("Ce qui est à corriger"),
        [
            InputRequired(_l("Dites ce qui est à corriger.")),
            Length(max=LONG_TEXT, message=_l("2 000 caractères au plus.")),
        ],
        filters=[strip],
        description=_l("Votre administrateur reçoit ce message, corrige, et vous êtes prévenu."),
        render_kw={"rows": 3, "maxlength": LONG_TEXT},
    )


class WithdrawForm(VersionedForm):
    """« Retirer la demande »."""

    reason = TextAreaField(
        _l("Raison"),
        [Length(max=LONG_TEXT, message=_l("2 000 caractères au plus."))],
        filters=[strip],
        description=_l("Facultative. Le demandeur la lira dans le courriel qui le prévient."),
        render_kw={"rows": 3, "maxlength": LONG_TEXT},
    )


class CorrectionForm(PersonForm, VersionedForm):
    """« Corriger » the applicant's data; the address of an activated account is not asked."""

    def __init__(self, *args: Any, fixed_email: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if fixed_email:
            del self.email
            del self.email_confirmation

    def person(self) -> dict[str, Any]:
        """As ``PersonForm.person``, the address left out where it cannot change."""
        if "email" in self._fields:
            return super().person()
        names = ("identity_number", "last_name", "first_name", "last_name_ar", "first_name_ar", "mobile")
        return {
            "birth_date": self.birth_date.data,
            "nationality": self.nationality.data,
            "identity_kind": self.identity_kind.data,
            **{name: getattr(self, name).stored for name in names},
        }


class EmailForm(VersionedForm):
    """« Corriger l'adresse » of somebody who has not activated their account (ORD-7)."""

    email = EmailField(
        _l("Nouvelle adresse e-mail"),
        [Identifier(identifiers.normalise_email)],
        filters=[strip],
        render_kw={"autocomplete": "off"},
    )
    email_confirmation = EmailField(
        _l("Confirmation d'email"),
        [InputRequired(_l("Écrivez l'adresse e-mail une seconde fois."))],
        filters=[strip],
        render_kw={"autocomplete": "off"},
    )

    @property
    def address(self) -> str:
        """In its stored form."""
        return str(getattr(self.email, "stored", ""))

    def validate_email_confirmation(self, field: Any) -> None:
        """The same address twice, whatever its capitals."""
        if field.data.lower() != (self.email.data or "").lower():
            raise StopValidation(_("Les deux adresses e-mail diffèrent."))


class ReopenForm(CorrectionForm):
    """« Rouvrir pour correction »: the reason and the corrected data together."""

    reason = TextAreaField(
        _l("Raison de la réouverture"),
        [
            InputRequired(_l("Écrivez la raison : elle sera gardée dans l'historique.")),
            Length(max=LONG_TEXT, message=_l("2 000 caractères au plus.")),
        ],
        filters=[strip],
        description=_l("Le demandeur la lira dans le courriel qui lui demande de valider de nouveau."),
        render_kw={"rows": 3, "maxlength": LONG_TEXT},
    )


class DocumentAnswerForm(BaseForm):
    """A document asked for."""

    file = FileField(_l("Votre document"))


class FieldAnswerForm(BaseForm):
    """A declared field: its right value, or words. ``seen``: the answer the page showed; ``was``: the value."""

    seen = HiddenField()
    was = HiddenField()
    text = TextAreaField(
        _l("Votre réponse"),
        [Length(max=LONG_TEXT, message=_l("2 000 caractères au plus."))],
        filters=[strip],
        render_kw={"rows": 2, "maxlength": LONG_TEXT},
    )


class _OwnRules:
    """The rule of an identity number depends on the document declared."""

    def __init__(self, kind: str) -> None:
        self.normalise = {
            "CARTE_SEJOUR": identifiers.normalise_residence_card,
            "PASSEPORT": identifiers.normalise_passport,
        }.get(kind, identifiers.normalise_cin)

    def __call__(self, form: Any, field: Any) -> None:
        Identifier(self.normalise)(form, field)


def _adult(_form: Any, field: Any) -> None:
    if field.data is not None:
        code = identifiers.birth_date_problem(field.data, clock.today())
        if code:
            raise StopValidation(str(sentence(f"birth_date_{code}")))
        field.stored = field.data


def field_answer_form(name: str, identity_kind: str) -> type[FieldAnswerForm]:
    """The form of a point about a declared field: with its value where the value itself may be corrected."""
    label = _l("Valeur corrigée")
    rules: dict[str, Name | Identifier | _OwnRules] = {
        "last_name": latin_name(),
        "first_name": latin_name(),
        "last_name_ar": arabic_name(),
        "first_name_ar": arabic_name(),
        "mobile": Identifier(mobile),
        "identity_number": _OwnRules(identity_kind),
    }
    members: dict[str, Any] = {}
    if name == "birth_date":
        formats = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"]
        members["value"] = DateField(
            label, [InputRequired(_l("Écrivez la date de naissance.")), _adult], format=formats
        )
    elif name in rules:
        members["value"] = StringField(label, [rules[name]], render_kw={"autocomplete": "off"})
    return type("FieldAnswerForm", (FieldAnswerForm,), members)
