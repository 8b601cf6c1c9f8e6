"""Forms of the certificates' own pages: batches, slips, collection (CRT-1, CRT-2)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired, MultipleFileField
from wtforms import DateField
from wtforms.validators import InputRequired

from app.forms.base import BaseForm
from app.forms.review import DecisionForm

DAY_FORMATS = ["%Y-%m-%d", "%d/%m/%Y"]


class CertificateFilesForm(BaseForm):
    """Several files at once, each with one certificate or hundreds."""

    files = MultipleFileField(
        _l("Fichiers des certificats"),
        description=_l("PEM ou DER, un ou plusieurs certificats par fichier, 500 au plus ; jamais de clé privée."),
        render_kw={"accept": ".pem,.crt,.cer,.der,.bundle,application/x-pem-file,application/pkix-cert"},
    )

    def given(self) -> list[Any]:
        """The files that were chosen."""
        return [each for each in self.files.data or [] if getattr(each, "filename", "")]


class CollectionFileForm(BaseForm):
    """The CSV of parcels handed over."""

    file = FileField(
        _l("Fichier CSV des colis retirés"),
        [FileRequired(_l("Choisissez un fichier."))],
        description=_l("Une colonne « reference » ou « tracking_number », et au besoin « date » ; 500 lignes au plus."),
    )


class CollectedForm(DecisionForm):
    """The day the post office handed the token over; ``version`` is the certificate's."""

    collected_on = DateField(
        _l("Retiré le"),
        [InputRequired(_l("Choisissez un jour."))],
        format=DAY_FORMATS,
        description=_l("Le jour où le bureau de poste a remis le token à son titulaire."),
    )


class DayForm(BaseForm):
    """A day's slips; asked for by GET, so without a token."""

    class Meta(BaseForm.Meta):
        """Nothing changes."""

        csrf = False

    jour = DateField(_l("Jour d'expédition"), [InputRequired(_l("Choisissez un jour."))], format=DAY_FORMATS)

    @property
    def day(self) -> date:
        """The day that was typed, of a form that validated."""
        assert self.jour.data is not None  # noqa: S101 - required
        return self.jour.data
