"""Forms of « Mon organisation » (CON-1, CON-2): data, papers, signed contract, answers, second administrator."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, FileField, HiddenField, SelectField, StringField, TelField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from app import identifiers
from app.forms.base import BaseForm, strip
from app.forms.person import Identifier, Name, PersonForm, fixed_phone, organisation_name
from app.forms.signup import Text

DATE_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"]


def chosen(field: Any) -> bool:
    """Was a file chosen at all? An empty one was: the intake says so in its own words."""
    return bool(getattr(field.data, "filename", ""))


def sent_file(field: Any) -> tuple[bytes, str]:
    """The bytes and the name of what a file field was sent; nothing and no name when nothing was chosen."""
    if not chosen(field):
        return b"", ""
    field.data.stream.seek(0)
    return field.data.read(), field.data.filename


class OrganisationDataForm(BaseForm):
    """Names, address and contact; identifiers and category are TunTrust's to change."""

    version = HiddenField()
    legal_name = StringField(
        _l("Raison sociale"),
        [organisation_name()],
        description=_l("Alphanumérique sans caractères spéciaux, comme au registre"),
        render_kw={"autocomplete": "organization", "maxlength": 160},
    )
    legal_name_ar = StringField(
        _l("Raison sociale en arabe"),
        [
            Name(
                identifiers.arabic_organisation_name_problem,
                identifiers.tidy_arabic_name,
                "arabic_name",
                optional=True,
            )
        ],
        render_kw={"autocomplete": "off", "maxlength": 160},
    )
    trade_name = StringField(
        _l("Nom commercial"),
        [organisation_name(optional=True)],
        render_kw={"autocomplete": "off", "maxlength": 160},
    )
    address = StringField(
        _l("Adresse"),
        [Text(_l("Écrivez l'adresse : numéro et rue."), longest=255)],
        render_kw={"autocomplete": "street-address", "maxlength": 255},
    )
    postal_code = StringField(
        _l("Code Postal"), filters=[strip], render_kw={"autocomplete": "postal-code", "maxlength": 16}
    )
    city = StringField(
        _l("Ville"),
        [Text(_l("Écrivez la ville."), longest=120)],
        render_kw={"autocomplete": "address-level2", "maxlength": 120},
    )
    governorate_id = SelectField(_l("Gouvernorat"), default="")
    phone = TelField(
        _l("Téléphone Fixe"),
        [Identifier(fixed_phone)],
        description=_l("Par exemple +216 71 000 000"),
        render_kw={"autocomplete": "tel", "maxlength": 30},
    )
    fax = TelField(
        _l("Fax"), [Identifier(fixed_phone, optional=True)], render_kw={"autocomplete": "off", "maxlength": 30}
    )

    def __init__(self, *args: Any, tunisian: bool, governorates: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tunisian = tunisian
        self.governorate_id.choices = [("", _("Choisissez…")), *governorates]
        self.governorate_id.validate_choice = False

    def validate_postal_code(self, field: Any) -> None:
        """Four digits in Tunisia, whatever the address holds abroad."""
        if self.tunisian:
            Identifier(identifiers.normalise_postal_code)(self, field)
        elif field.data:
            Identifier(identifiers.normalise_foreign_postal_code)(self, field)
        else:
            field.stored = ""

    def validate_governorate_id(self, field: Any) -> None:
        """One of the 24, in Tunisia."""
        known = {value for value, _label in field.choices if value}
        if self.tunisian and field.data not in known:
            raise StopValidation(_("Choisissez le gouvernorat."))

    def values(self) -> dict[str, Any]:
        """What the organisation's row takes."""
        names = ("legal_name", "legal_name_ar", "trade_name", "address", "postal_code", "city", "phone", "fax")
        values: dict[str, Any] = {name: getattr(self, name).stored for name in names}
        values["governorate_id"] = int(self.governorate_id.data) if self.tunisian else None
        return values


class PaperForm(BaseForm):
    """A newer version of a paper; an extract bears a date."""

    file = FileField(_l("Nouveau fichier"))
    issued_on = DateField(
        _l("Date de l'extrait"),
        format=DATE_FORMATS,
        render_kw={"autocomplete": "off"},
    )

    def __init__(self, *args: Any, dated: bool, required: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.required = required
        if not dated:
            del self.issued_on
        elif required:
            self.issued_on.validators = [InputRequired(_("Écrivez la date qui figure sur l'extrait."))]
        else:
            self.issued_on.validators = [Optional()]

    def validate_file(self, field: Any) -> None:
        """Something was chosen."""
        if self.required and not chosen(field):
            raise StopValidation(_("Choisissez un fichier."))


class SignedCopyForm(PaperForm):
    """The contract with everybody's signature."""

    file = FileField(_l("Copie signée"))


class AnswerForm(PaperForm):
    """The answer to one point that TunTrust asked: a paper, or words. ``seen``: the answer the page showed."""

    seen = HiddenField()
    text = TextAreaField(
        _l("Votre réponse"),
        [Length(max=2000, message=_l("2 000 caractères au plus."))],
        render_kw={"rows": 4, "maxlength": 2000},
    )

    def __init__(self, *args: Any, asks_paper: bool, dated: bool, answered: bool, **kwargs: Any) -> None:
        super().__init__(*args, dated=dated, required=asks_paper and not answered, **kwargs)
        self.asks_paper = asks_paper
        if not asks_paper:
            del self.file

    def validate_text(self, field: Any) -> None:
        """Words are the answer where no paper is asked."""
        if not self.asks_paper and len((field.data or "").strip()) < 3:
            raise StopValidation(_("Écrivez votre réponse."))


class AdministratorForm(PersonForm):
    """A second administrator: the sign-up's questions, with a copy of a foreigner's document."""

    identity_copy = FileField(_l("Copie de la pièce d'identité"))

    def validate_identity_copy(self, field: Any) -> None:
        """Compulsory for a residence card or a passport; a CIN is a number only (ORG-5)."""
        if self.identity_kind.data in ("CARTE_SEJOUR", "PASSEPORT") and not chosen(field):
            raise StopValidation(_("Joignez la copie de la pièce d'identité."))
