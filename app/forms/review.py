"""Forms of the review desk: every one carries the version of the file that its page showed (STA-2, REV-7)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import AnyOf, InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from app.forms.base import BaseForm, strip

LONG = Length(max=2000, message=_l("2 000 caractères au plus."))
IN_ARABIC = {"rows": 2, "lang": "ar", "dir": "rtl"}


class DecisionForm(BaseForm):
    """Nothing but the version: approve, verify."""

    version = IntegerField(widget=HiddenInput(), validators=[Optional()])

    @property
    def expected_version(self) -> int | None:
        """The version of the file the page showed."""
        return self.version.data


class MessageForm(DecisionForm):
    """An optional word to the client."""

    message = TextAreaField(_l("Message au client"), [LONG], filters=[strip], render_kw={"rows": 4})


class ReasonForm(DecisionForm):
    """Why, ready-made or in one's own words; kept and mailed."""

    ready = SelectField(_l("Motif"), [Optional()], choices=[], default="")
    reason = TextAreaField(
        _l("Précision"),
        [LONG],
        filters=[strip],
        description=_l("Le client lira ce texte."),
        render_kw={"rows": 4, "maxlength": 2000},
    )

    def __init__(self, *args: Any, reasons: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ready.choices = [("", _l("Autre motif, à préciser")), *((text, text) for text in reasons or [])]
        if not reasons:
            del self.ready

    @property
    def text(self) -> str:
        """The whole reason: the ready-made one, then one's own words."""
        chosen = self.ready.data if "ready" in self._fields else ""
        return " ".join(part for part in (chosen, self.reason.data) if part)


class VerdictForm(BaseForm):
    """✓ or ✗ on a document or a field, with what the page showed of it."""

    field = HiddenField()
    about = HiddenField()
    verdict = HiddenField(validators=[AnyOf(("ok", "bad"))])
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])
    value_seen = HiddenField()
    seen_at = HiddenField()
    reason = StringField(filters=[strip], validators=[Length(max=2000)])
    reason_text = TextAreaField(filters=[strip], validators=[Length(max=2000)])
    reason_text_ar = TextAreaField(filters=[strip], validators=[Length(max=2000)])

    @property
    def refused(self) -> bool:
        """✗."""
        return bool(self.verdict.data == "bad")

    @property
    def opens(self) -> bool:
        """A ✗ without a place for its reason: the form of the reason is to be shown."""
        return self.refused and not self.reason.raw_data

    @property
    def words(self) -> tuple[str, str, str]:
        """The code of a ready-made reason, one's own words in French, and in Arabic."""
        return self.reason.data or "", self.reason_text.data or "", self.reason_text_ar.data or ""


class CertificateForm(DecisionForm):
    """The file of the generated certificate."""

    file = FileField(
        _l("Certificat"),
        [FileRequired(_l("Choisissez le certificat généré (PEM ou DER)."))],
        description=_l("PEM ou DER, sans la clé privée."),
        render_kw={"accept": ".pem,.crt,.cer,.der,application/x-x509-ca-cert,application/pkix-cert"},
    )


class DispatchForm(DecisionForm):
    """The parcel's number; ``asks_same_parcel`` once it was found to be another token's too."""

    asks_same_parcel = False

    tracking_number = StringField(
        _l("Numéro de suivi RapidPost"),
        [InputRequired(_l("Écrivez le numéro de suivi RapidPost.")), Length(max=60)],
        filters=[strip],
        description=_l("Tel qu'il figure sur le bordereau, par exemple EE123456789TN."),
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"},
    )
    post_office_id = SelectField(
        _l("Bureau de poste"),
        [Optional()],
        choices=[],
        default="",
        validate_choice=False,
        description=_l("Celui du demandeur ; choisissez-en un autre s'il est fermé ou trop loin."),
    )
    same_parcel = BooleanField(_l("Plusieurs jetons voyagent dans ce colis : ce numéro est juste."))

    def offer(self, offices: dict[str, list[tuple[str, str]]]) -> None:
        """The post offices by gouvernorat."""
        self.post_office_id.choices = {"": [("", _l("Celui que le demandeur a choisi"))], **offices}

    @property
    def office_id(self) -> int | None:
        """Another office than the applicant's, when one was chosen."""
        chosen = self.post_office_id.data or ""
        return int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 18 else None


class PointForm(Form):
    """A point that the file proposes to ask for."""

    key = HiddenField()
    chosen = BooleanField(_l("Demander"))
    reason = TextAreaField(_l("Ce que le client doit savoir"), [LONG], filters=[strip], render_kw={"rows": 2})
    reason_ar = TextAreaField(_l("La même chose en arabe"), [LONG], filters=[strip], render_kw=IN_ARABIC)


class FreePointForm(Form):
    """A point of the agent's own."""

    kind = SelectField(_l("Document"), [Optional()], choices=[], default="", validate_choice=False)
    ready = SelectField(_l("Motif"), [Optional()], choices=[], default="", validate_choice=False)
    reason = TextAreaField(_l("Ce que le client doit savoir"), [LONG], filters=[strip], render_kw={"rows": 2})
    reason_ar = TextAreaField(_l("La même chose en arabe"), [LONG], filters=[strip], render_kw=IN_ARABIC)


class AskForm(DecisionForm):
    """« Pièces manquantes »: the points, a word and a date."""

    points = FieldList(FormField(PointForm), max_entries=80)
    free = FieldList(FormField(FreePointForm), max_entries=10)
    message = TextAreaField(
        _l("Message"),
        [LONG],
        filters=[strip],
        description=_l("Facultatif : quelques mots au-dessous des points."),
        render_kw={"rows": 3},
    )
    due_on = DateField(_l("Réponse attendue avant le"), [InputRequired(_l("Choisissez une date."))])

    def offer(self, kinds: list[tuple[str, str]], ready: list[tuple[str, str]]) -> None:
        """The documents that a free point may name, and the ready-made reasons it may give."""
        for entry in self.free:
            entry.form.kind.choices = [("", _l("Choisir un document")), *kinds]
            entry.form.ready.choices = [("", _l("Choisir un motif, ou l'écrire ci-dessous")), *ready]

    @property
    def chosen(self) -> list[tuple[str, str, str]]:
        """(key, reason, reason in Arabic) of the file's own points that are ticked."""
        return [
            (entry.form.key.data or "", entry.form.reason.data or "", entry.form.reason_ar.data or "")
            for entry in self.points
            if entry.form.chosen.data
        ]

    @property
    def added(self) -> list[tuple[str, str, str, str]]:
        """(kind, code of a ready-made reason, reason, reason in Arabic) of the agent's own points."""
        rows = [
            (form.kind.data or "", form.ready.data or "", form.reason.data or "", form.reason_ar.data or "")
            for form in (entry.form for entry in self.free)
        ]
        return [row for row in rows if any(row)]
