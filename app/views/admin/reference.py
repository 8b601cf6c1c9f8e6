"""« Référentiel »: the tables operators keep, each a generated CRUD (REF-1)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import DomainError
from app.forms.amounts import DinarField, PercentField
from app.forms.base import show_refusal
from app.forms.reference import PostOfficeImportForm
from app.permissions import Permission
from app.queries import desk_reference as lists
from app.services.post_office_import import COLUMNS, import_post_offices
from app.services.reference_editing import publish_cgu, rate_used, tariff_used
from app.views.admin import columns as c
from app.views.admin.columns import Cell, Column
from app.views.admin.crud import ReferenceAdmin
from app.web import current_actor

OFFERED = (_l("Proposé"), _l("Désactivé"))


def _percent(key: str, label: Any) -> Column:
    def text(row: Any) -> str:
        whole, part = divmod(getattr(row, key), 100)
        return (f"{whole},{part:02d}".rstrip("0") if part else str(whole)) + " %"

    return Column(key, label, lambda row: Cell("code", text(row)), text)


def _number(key: str, label: Any, *, sort: str = "") -> Column:
    return Column(key, label, lambda row: Cell("code", str(getattr(row, key))), lambda row: getattr(row, key), sort)


class CertificateTypes(ReferenceAdmin):
    """The catalogue: a new product needs no code (ORD-2)."""

    source = lists.TYPES
    title = _l("Types de certificat")
    slug = "types"
    new_label = _l("Ajouter un type de certificat")
    columns = (
        c.code("code", _l("Code"), url=lambda row: url_for("types.edit_view", row_id=row.id), sort="code", lead=True),
        c.text("name", _l("Nom")),
        c.text("family", _l("Famille")),
        _number("position", _l("Ordre"), sort="ordre"),
        c.yes_no("active", _l("État"), OFFERED),
    )
    form_columns = ("code", "family", "name", "description", "active", "position")
    form_labels = {"description": _l("Description"), "active": _l("Proposé à la commande")}
    hints = {
        "code": _l("Lettres, chiffres et traits : ID_TRUST. Il ne changera plus."),
        "position": _l("Les plus petits d'abord."),
    }
    widths = {"code": "m", "position": "xs"}

    def row_name(self, row: Any) -> str:
        """Its name."""
        return str(row.name)


class Tariffs(ReferenceAdmin):
    """Dated prices; the used are never changed (PRI-1)."""

    source = lists.TARIFFS
    title = _l("Tarifs")
    slug = "tarifs"
    new_label = _l("Ajouter un tarif")
    intro = _l("Le tarif en vigueur est le plus récent dont la date est passée. Un tarif qui a servi ne change plus.")
    columns = (
        Column(
            "certificate_type",
            _l("Type de certificat"),
            lambda row: Cell("text", str(row.certificate_type), url=url_for("tarifs.edit_view", row_id=row.id)),
            lead=True,
        ),
        _number("validity_years", _l("Validité (années)")),
        c.amount("price_ht", _l("Prix HT")),
        _percent("vat_rate_bp", _l("TVA")),
        c.day("valid_from", _l("Valable à partir du"), sort="depuis"),
    )
    form_columns = ("certificate_type", "validity_years", "price_ht", "vat_rate_bp", "valid_from")
    form_overrides = {"price_ht": DinarField, "vat_rate_bp": PercentField}
    form_args = {"certificate_type": {"get_label": "name"}}
    units = {"price_ht": "DT", "vat_rate_bp": "%", "validity_years": _l("ans")}
    widths = {"price_ht": "s", "vat_rate_bp": "s", "validity_years": "s", "valid_from": "s"}

    def row_name(self, row: Any) -> str:
        """What it prices, and from when."""
        return _(
            "%(name)s, %(years)d ans, à partir du %(day)s",
            name=row.certificate_type.name,
            years=row.validity_years,
            day=row.valid_from.strftime("%d/%m/%Y"),
        )

    def locked_reason(self, row: Any) -> str:
        """Used tariffs stand."""
        return _("Ce tarif a déjà servi : il ne change plus. Ajoutez-en un nouveau.") if tariff_used(row) else ""


class BillingRates(ReferenceAdmin):
    """Stamp duty and delivery, dated (PRI-1)."""

    source = lists.RATES
    title = _l("Timbre et livraison")
    slug = "frais"
    new_label = _l("Ajouter des montants")
    columns = (
        Column(
            "valid_from",
            _l("Valable à partir du"),
            lambda row: Cell(
                "code", row.valid_from.strftime("%d/%m/%Y"), url=url_for("frais.edit_view", row_id=row.id)
            ),
            sort="depuis",
            lead=True,
        ),
        c.amount("stamp_duty", _l("Timbre fiscal par facture")),
        c.amount("delivery_ttc", _l("Livraison par certificat, TTC")),
        _percent("delivery_vat_bp", _l("TVA comprise dans la livraison")),
    )
    form_columns = ("valid_from", "stamp_duty", "delivery_ttc", "delivery_vat_bp")
    form_overrides = {"stamp_duty": DinarField, "delivery_ttc": DinarField, "delivery_vat_bp": PercentField}
    units = {"stamp_duty": "DT", "delivery_ttc": "DT", "delivery_vat_bp": "%"}
    widths = {"stamp_duty": "s", "delivery_ttc": "s", "delivery_vat_bp": "s", "valid_from": "s"}

    def row_name(self, row: Any) -> str:
        """From when."""
        return _("Montants à partir du %(day)s", day=row.valid_from.strftime("%d/%m/%Y"))

    def locked_reason(self, row: Any) -> str:
        """Used amounts stand."""
        return (
            _("Ces montants ont déjà servi : ils ne changent plus. Ajoutez-en de nouveaux.") if rate_used(row) else ""
        )


class UsageDomains(ReferenceAdmin):
    """Where certificates are used (ORD-3)."""

    source = lists.DOMAINS
    title = _l("Domaines d'utilisation")
    slug = "domaines"
    new_label = _l("Ajouter un domaine")
    columns = (
        c.code(
            "code", _l("Code"), url=lambda row: url_for("domaines.edit_view", row_id=row.id), sort="code", lead=True
        ),
        c.text("label", _l("Libellé")),
        c.text("description", _l("Description"), muted=True),
        _number("position", _l("Ordre"), sort="ordre"),
        c.yes_no("active", _l("État"), OFFERED),
    )
    form_columns = ("code", "label", "description", "active", "position")
    form_labels = {"active": _l("Proposé à la commande")}
    hints = {"code": _l("Il ne changera plus."), "position": _l("Les plus petits d'abord.")}
    widths = {"code": "m", "position": "xs"}

    def row_name(self, row: Any) -> str:
        """Its code."""
        return str(row.code)


class PostOffices(ReferenceAdmin):
    """Where RapidPost hands tokens over (APP-2)."""

    source = lists.POST_OFFICES
    title = _l("Bureaux de poste")
    slug = "postes"
    new_label = _l("Ajouter un bureau de poste")
    search_hint = _l("Nom, الاسم, code, code postal, délégation…")
    columns = (
        c.code("code", _l("Code"), url=lambda row: url_for("postes.edit_view", row_id=row.id), sort="code", lead=True),
        Column("name_fr", _l("Nom"), lambda row: Cell("names", row.name_fr, row.name_ar), sort="nom"),
        c.text("governorate", _l("Gouvernorat")),
        c.text("delegation", _l("Délégation")),
        c.code("postal_code", _l("Code postal"), sort="postal"),
        c.yes_no("active", _l("État"), OFFERED),
    )
    form_columns = ("code", "name_fr", "name_ar", "governorate", "delegation", "postal_code", "address", "active")
    form_labels = {
        "name_ar": _l("Nom en arabe"),
        "address": _l("Adresse"),
        "active": _l("Proposé aux demandeurs"),
    }
    form_args = {"governorate": {"get_label": "name_fr"}}
    hints = {"code": _l("Celui de la liste officielle. Il ne changera plus.")}
    widths = {"code": "m", "postal_code": "s"}

    def row_name(self, row: Any) -> str:
        """Its name and postal code."""
        return f"{row.name_fr} ({row.postal_code})"

    def tools(self) -> list[tuple[Any, str]]:
        """Also the import."""
        return [*super().tools(), (_("Importer un fichier CSV"), url_for("postes.import_file"))]

    @expose("/import", methods=("GET", "POST"))
    def import_file(self) -> Any:
        """The official list, all of it or nothing."""
        form = PostOfficeImportForm()
        if form.validate_on_submit():
            try:
                done = import_post_offices(
                    form.file.data.read(), disable_missing=form.disable_missing.data, actor=current_actor()
                )
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                flash(
                    _(
                        "Import terminé : %(added)d ajoutés, %(changed)d modifiés, %(same)d inchangés, "
                        "%(disabled)d désactivés.",
                        added=done.added,
                        changed=done.changed,
                        same=done.same,
                        disabled=done.disabled,
                    ),
                    "success",
                )
                return redirect(self.list_url())
        return self.render("admin/post_office_import.html", form=form, title=self.title, columns=COLUMNS)


class Reasons(ReferenceAdmin):
    """Ready-made reasons in French and Arabic (REV-2)."""

    read = write = (Permission.EDIT_REASONS,)
    source = lists.REASONS
    title = _l("Motifs")
    intro = _l("Un motif qui ne sert plus se désactive : les dossiers jugés gardent ses mots.")
    slug = "motifs"
    new_label = _l("Ajouter un motif")
    columns = (
        c.code("code", _l("Code"), url=lambda row: url_for("motifs.edit_view", row_id=row.id), sort="code", lead=True),
        c.word("kind", _l("Usage")),
        c.text("text_fr", _l("En français")),
        c.text("text_ar", _l("En arabe")),
        _number("position", _l("Ordre"), sort="ordre"),
        c.yes_no("active", _l("État"), OFFERED),
    )
    form_columns = ("kind", "code", "text_fr", "text_ar", "active", "position")
    form_labels = {"active": _l("Proposé aux agents")}
    hints = {
        "code": _l(
            "Il ne changera plus. Commencé par extract_, tax_card_, contract_, identity_, name_, birth_date_, email_, "
            "mobile_ ou address_, le motif est proposé d'abord pour ces pièces ou ces données."
        ),
        "text_fr": _l("Tel que le client le lira."),
        "text_ar": _l("Tel que le lira le client qui a choisi l'arabe ; vide, il lira le texte français."),
        "position": _l("Les plus petits d'abord."),
    }
    widths = {"code": "m", "position": "xs", "kind": "m"}

    def row_name(self, row: Any) -> str:
        """Its code."""
        return str(row.code)


def _published(row: Any) -> Cell:
    if row.published_at is None:
        return Cell("badge", _("Brouillon"), "wait")
    return Cell("text", _("Publiée le %(when)s", when=c.local_text(row.published_at)))


class CguVersions(ReferenceAdmin):
    """Versions of the general conditions: a draft is edited, a published one never (APP-2)."""

    source = lists.CGU
    title = _l("Conditions générales")
    slug = "conditions"
    new_label = _l("Ajouter une version")
    intro = _l("La version en vigueur est la dernière publiée. Chaque demandeur accepte une version précise.")
    area_rows = 20
    form_template = "admin/cgu_form.html"
    columns = (
        c.code(
            "number",
            _l("Version"),
            url=lambda row: url_for("conditions.edit_view", row_id=row.id),
            sort="numero",
            lead=True,
        ),
        Column("published_at", _l("État"), _published),
    )
    form_columns = ("number", "text_fr", "text_ar")
    form_labels = {"text_fr": _l("Texte français"), "text_ar": _l("Texte arabe")}
    hints = {"text_fr": _l("# titre, ## article, paragraphes séparés d'une ligne vide, a) b) pour une liste.")}
    widths = {"number": "s"}

    def row_name(self, row: Any) -> str:
        """Its number."""
        return _("Version %(number)s", number=row.number)

    def locked_reason(self, row: Any) -> str:
        """Published versions stand."""
        return _("Cette version est publiée : elle ne change plus.") if row.published_at is not None else ""

    @expose("/<int:row_id>/publier", methods=("POST",))
    def publish(self, row_id: int) -> Any:
        """Put a draft in force."""

        def act() -> str:
            number = publish_cgu(self.row_or_404(row_id).id, actor=current_actor())
            return _("La version %(number)s est en vigueur.", number=number)

        return self.attempt(act, back=self.list_url())


VIEWS = (CertificateTypes, Tariffs, BillingRates, UsageDomains, PostOffices, Reasons, CguVersions)
