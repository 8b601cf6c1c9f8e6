"""Step 1 of the sign-up: the organisation and its papers (ORG-2 … ORG-4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, Field, FileField, FormField, RadioField, SelectField, StringField, TelField
from wtforms.validators import InputRequired, StopValidation

from app import clock, identifiers
from app.forms.base import BaseForm, strip
from app.forms.person import Identifier, country_choices, organisation_name
from app.forms.sentences import sentence

UNKEPT = {"csrf_token", "captcha"}
YES, NO = "oui", "non"
TUNISIA, ABROAD = "TUNISIE", "ETRANGER"
DATE_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"]
LONGEST = 500
"""Characters kept of anything typed; every field's own limit is below it."""


def yes_no() -> list[tuple[str, Any]]:
    """The manual's order: Non, Oui."""
    return [(NO, _l("Non")), (YES, _l("Oui"))]


def typed_values(form: Any) -> dict[str, list[str]]:
    """What was sent in each field but files, as it was typed: what a reload shows again (ORG-1)."""
    values: dict[str, list[str]] = {}
    for field in form:
        if isinstance(field, FormField):
            values.update(typed_values(field.form))
        elif not isinstance(field, FileField) and field.short_name not in UNKEPT and field.raw_data is not None:
            values[field.name] = [_plain(value) for value in field.raw_data if isinstance(value, str)]
    return values


def as_formdata(typed: dict[str, list[str]] | None) -> MultiDict[str, str] | None:
    """The same, for a form to show; None for a step not yet begun."""
    return MultiDict(typed) if typed else None


def _plain(value: str) -> str:
    return "".join(char for char in value if char.isprintable() or char.isspace())[:LONGEST].strip()


class Text:
    """A validator: one line of text between two lengths; the tidy form is stored."""

    field_flags = {"required": True}

    def __init__(self, empty: object, *, longest: int) -> None:
        self.empty = empty
        self.longest = longest

    def __call__(self, form: Any, field: Any) -> None:
        """WTForms' protocol."""
        tidy = "".join(char for char in identifiers.tidy_text(field.data or "") if char.isprintable())
        if not any(char.isalnum() for char in tidy):
            raise StopValidation(str(self.empty))
        if len(tidy) > self.longest:
            raise StopValidation(_("%(n)d caractères au plus.", n=self.longest))
        field.stored = tidy


class Day(DateField):
    """A date that may be left empty; ``data`` is None for an empty or a malformed one."""

    malformed = False

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label, format=DATE_FORMATS, render_kw={"autocomplete": "off"}, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Nothing typed is no error here: whether it is asked, the form knows."""
        self.data = None
        if not any(valuelist):
            return
        try:
            super().process_formdata([str(value).strip() for value in valuelist])
        except ValueError:
            self.malformed = True

    def _value(self) -> str:
        return self.data.isoformat() if self.data is not None else " ".join(self.raw_data or [])

    def pre_validate(self, form: Any) -> None:
        """A date that is none is refused wherever it stands."""
        if self.malformed:
            raise StopValidation(_("Écrivez une date, par exemple 27/11/2026."))


class Confirmation(BooleanField):
    """A box that confirms one value: ticked for another value it counts for nothing."""

    subject = "1"

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Keep which value the box was ticked for."""
        self.confirmed = str(valuelist[0]) if valuelist else ""
        self.data = bool(self.confirmed)

    def _value(self) -> str:
        return self.subject

    def settle(self, subject: str) -> bool:
        """Was it ticked for this very value?"""
        self.subject = subject
        self.data = self.confirmed == subject
        return bool(self.data)

    confirmed = ""


class OrganisationForm(BaseForm):
    """« Informations sur l'organisation »: both countries' questions; only those that apply are read."""

    registration_country = RadioField(
        _l("Pays d'enregistrement"),
        [InputRequired(_l("Choisissez le pays d'enregistrement."))],
        choices=[(TUNISIA, _l("Tunisie")), (ABROAD, _l("Etranger"))],
        default=TUNISIA,
    )
    tax_id = StringField(
        _l("Matricule Fiscal"),
        filters=[strip],
        description=_l("7 chiffres et 1 lettre, par exemple 0000000A"),
        render_kw={"autocomplete": "off", "maxlength": 30, "autocapitalize": "characters", "spellcheck": "false"},
    )
    tax_id_confirmed = Confirmation(
        _l("Je confirme que ce matricule, lettre comprise, est bien celui de l'organisation")
    )
    country = SelectField(_l("Pays"), default="")
    register_number = StringField(
        _l("Numéro d'enregistrement"),
        filters=[strip],
        description=_l("Tel qu'il figure au registre de commerce, ou son équivalent"),
        render_kw={"autocomplete": "off", "maxlength": 60, "spellcheck": "false"},
    )
    category = SelectField(
        _l("Catégorie"),
        [InputRequired(_l("Choisissez la catégorie."))],
        choices=[
            ("", _l("Choisissez…")),
            ("ENTREPRISE_PRIVEE", _l("Entreprise privée")),
            ("ASSOCIATION", _l("Association")),
            ("MINISTERE_ADMINISTRATION", _l("Ministère, Administration")),
            ("ENTITE_PUBLIQUE", _l("Entité publique EPNA, EPIC")),
        ],
        default="",
    )
    legal_name = StringField(
        _l("Raison sociale"),
        [organisation_name()],
        description=_l("Alphanumérique sans caractères spéciaux, comme au registre"),
        render_kw={"autocomplete": "organization", "maxlength": 160},
    )
    trade_name = StringField(
        _l("Nom commercial"),
        [organisation_name(optional=True)],
        description=_l("Alphanumérique sans caractères spéciaux"),
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
        render_kw={"autocomplete": "address-level2", "maxlength": 120, "list": "cities"},
    )
    governorate_id = SelectField(_l("Gouvernorat"), default="")
    phone = TelField(
        _l("Téléphone Fixe"),
        filters=[strip],
        description=_l("Par exemple +216 71 000 000"),
        render_kw={"autocomplete": "tel", "maxlength": 30},
    )
    fax = TelField(_l("Fax"), filters=[strip], render_kw={"autocomplete": "off", "maxlength": 30})
    has_rne = RadioField(_l("L'organisation dispose-t-elle d'un extrait du RNE ?"), choices=yes_no(), default=YES)
    rne_extract = FileField(_l("Joindre l'extrait du registre national des entreprises (RNE)"))
    rne_issued_on = Day(_l("Date de l'extrait RNE"), description=_l("jj/mm/aaaa : la date imprimée sur l'extrait"))
    rne_in_arabic_only = RadioField(
        _l("La raison sociale y figure-t-elle en arabe seulement ?"), choices=yes_no(), default=NO
    )
    legal_name_ar = StringField(
        _l("Raison sociale en arabe"),
        filters=[strip],
        description=_l("Telle qu'elle figure dans l'extrait RNE"),
        render_kw={"autocomplete": "off", "maxlength": 160},
    )
    tax_card = FileField(_l("Joindre carte d'identification fiscale (Patente)"))
    trade_register = FileField(_l("Joindre l'extrait du registre de commerce, ou son équivalent"))
    trade_issued_on = Day(
        _l("Date de l'extrait du registre de commerce"), description=_l("jj/mm/aaaa : la date imprimée sur l'extrait")
    )
    trade_valid_until = Day(
        _l("Valable jusqu'au"), description=_l("Seulement si l'extrait porte une date de fin de validité")
    )

    def __init__(
        self, *args: Any, governorates: Iterable[tuple[str, str]] = (), extract_months: int = 3, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.extract_months = extract_months
        self.country.choices = [("", _("Choisissez…")), *country_choices()[1:]]
        self.governorate_id.choices = [("", _("Choisissez…")), *governorates]
        for field in (self.country, self.governorate_id, self.category):
            # Forged or emptied selects are refused in words, beside the field.
            field.validate_choice = False

    @property
    def tunisian(self) -> bool:
        """Is « Tunisie » chosen?"""
        return bool(self.registration_country.data != ABROAD)

    @property
    def asks_for_tax_card(self) -> bool:
        """No RNE, or one that holds the name in Arabic only (ORG-4)."""
        return self.has_rne.data == NO or self.rne_in_arabic_only.data == YES

    def asked_slots(self) -> list[str]:
        """The files that the answers as they stand ask for."""
        if not self.tunisian:
            return ["trade_register"]
        return [
            *([] if self.has_rne.data == NO else ["rne_extract"]),
            *(["tax_card"] if self.asks_for_tax_card else []),
        ]

    def file_fields(self) -> dict[str, Field]:
        """The upload fields by slot of the draft."""
        return {"rne_extract": self.rne_extract, "tax_card": self.tax_card, "trade_register": self.trade_register}

    # -- each country's own

    def validate_tax_id(self, field: Any) -> None:
        """ORG-2: the shape always; the letter unless it is confirmed."""
        if not self.tunisian:
            return
        Identifier(identifiers.normalise_tax_id)(self, field)
        if identifiers.tax_id_matches(field.stored) or self.tax_id_confirmed.settle(field.stored):
            return
        raise StopValidation(
            _(
                "Vérifiez la lettre : ces chiffres donnent %(letter)s. Corrigez-la, ou confirmez ci-dessous.",
                letter=identifiers.tax_id_letter(field.stored[:7]),
            )
        )

    @property
    def asks_to_confirm_tax_id(self) -> bool:
        """The letter breaks the rule: the box to confirm is shown."""
        stored = _stored(self.tax_id)
        return self.tunisian and bool(stored) and not identifiers.tax_id_matches(stored)

    def prepare_confirmation(self) -> None:
        """On a page shown again from the draft, the box stands as it was ticked."""
        try:
            tax_id = identifiers.normalise_tax_id(self.tax_id.data or "")
        except identifiers.InvalidIdentifier:
            return
        vars(self.tax_id)["stored"] = tax_id
        self.tax_id_confirmed.settle(tax_id)

    def validate_country(self, field: Any) -> None:
        """A country that is not Tunisia."""
        known = {code for code, _name in country_choices()} - {"TN"}
        if not self.tunisian and field.data not in known:
            raise StopValidation(_("Choisissez le pays."))

    def validate_register_number(self, field: Any) -> None:
        """Foreign organisations only."""
        if not self.tunisian:
            Identifier(identifiers.normalise_register_number)(self, field)

    def validate_category(self, field: Any) -> None:
        """One of the four."""
        if field.data not in {value for value, _label in field.choices if value}:
            raise StopValidation(_("Choisissez la catégorie."))

    def validate_postal_code(self, field: Any) -> None:
        """Four digits in Tunisia; elsewhere as the country has it, or none."""
        if self.tunisian:
            Identifier(identifiers.normalise_postal_code)(self, field)
            return
        field.stored = ""
        if field.data:
            try:
                field.stored = identifiers.normalise_foreign_postal_code(field.data)
            except identifiers.InvalidIdentifier as wrong:
                raise StopValidation(str(sentence("foreign_postal_code_shape"))) from wrong

    def validate_governorate_id(self, field: Any) -> None:
        """One of the 24, in Tunisia."""
        if self.tunisian and field.data not in {value for value, _label in field.choices if value}:
            raise StopValidation(_("Choisissez le gouvernorat."))

    def validate_phone(self, field: Any) -> None:
        """A desk's telephone, read as one of the organisation's country."""
        Identifier(self._phone)(self, field)

    def validate_fax(self, field: Any) -> None:
        """The same, or none."""
        Identifier(self._phone, optional=True)(self, field)

    def _phone(self, text: str) -> str:
        region = "TN" if self.tunisian else self.country.data or "TN"
        return identifiers.normalise_phone(text, region, kind="fixed")

    # -- papers

    def validate_legal_name_ar(self, field: Any) -> None:
        """Asked when the extract holds the name in Arabic only."""
        field.stored = ""
        if not self.tunisian or self.has_rne.data == NO or self.rne_in_arabic_only.data != YES:
            return
        problem = identifiers.arabic_organisation_name_problem(field.data or "")
        if problem:
            code = "arabic_name_empty" if problem == "empty" else f"organisation_name_{problem}"
            raise StopValidation(str(sentence("arabic_name_script" if problem == "script" else code)))
        field.stored = identifiers.tidy_arabic_name(field.data)

    def validate_rne_issued_on(self, field: Any) -> None:
        """At most three months old on the day."""
        if self.tunisian and self.has_rne.data != NO:
            self._recent(
                field, _("Cet extrait est daté du %(day)s : il a plus de %(n)d mois. Demandez-en un récent au RNE.")
            )

    def validate_trade_issued_on(self, field: Any) -> None:
        """Recent, for a foreign register too."""
        if not self.tunisian:
            self._recent(field, _("Cet extrait est daté du %(day)s : il a plus de %(n)d mois. Demandez-en un récent."))

    def validate_trade_valid_until(self, field: Any) -> None:
        """Valid on the day."""
        if not self.tunisian and field.data is not None and field.data < clock.today():
            raise StopValidation(
                _("Cet extrait n'est plus valable depuis le %(day)s.", day=field.data.strftime("%d/%m/%Y"))
            )

    def _recent(self, field: Any, too_old: str) -> None:
        if field.data is None:
            raise StopValidation(_("Écrivez la date que porte l'extrait."))
        if field.data > clock.today():
            raise StopValidation(_("Cette date est dans l'avenir."))
        if field.data < clock.months_before(clock.today(), self.extract_months):
            raise StopValidation(too_old % {"day": field.data.strftime("%d/%m/%Y"), "n": self.extract_months})

    def stored(self) -> dict[str, Any]:
        """The checked answers in stored form, as the draft keeps them."""
        tunisian = self.tunisian
        return {
            "registration_country": TUNISIA if tunisian else ABROAD,
            "tax_id": _stored(self.tax_id) if tunisian else None,
            "tax_id_confirmed": tunisian and not identifiers.tax_id_matches(_stored(self.tax_id)),
            "country": "TN" if tunisian else self.country.data,
            "register_number": None if tunisian else _stored(self.register_number),
            "category": self.category.data,
            "governorate_id": int(self.governorate_id.data) if tunisian else None,
            "has_rne": tunisian and self.has_rne.data != NO,
            "rne_in_arabic_only": bool(_stored(self.legal_name_ar)),
            "rne_issued_on": _iso(self.rne_issued_on.data),
            "trade_issued_on": _iso(self.trade_issued_on.data),
            "trade_valid_until": _iso(self.trade_valid_until.data),
            **{
                name: getattr(self, name).stored
                for name in (
                    "legal_name",
                    "legal_name_ar",
                    "trade_name",
                    "address",
                    "postal_code",
                    "city",
                    "phone",
                    "fax",
                )
            },
        }


def _stored(field: Any) -> str:
    return str(getattr(field, "stored", ""))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
