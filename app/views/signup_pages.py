"""The wizard's first three steps as pages: what is typed is kept first, then looked at (ORG-1)."""

from __future__ import annotations

from typing import Any

from babel import Locale
from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import get_locale, pgettext
from flask_babel import gettext as _
from werkzeug.datastructures import CombinedMultiDict

from app.errors import DomainError, ValidationFailed
from app.forms.base import BaseForm, show_refusal
from app.forms.signup import OrganisationForm, as_formdata, typed_values
from app.forms.signup_people import AdministratorsForm, DeclaredPersonForm, RepresentativeForm
from app.models import IdentityKind, OrganisationCategory, SignupDraft
from app.queries import reference
from app.services import drafts, settings, signup
from app.services.identity_checks import IdentityCheck
from app.state_labels import state_label
from app.views.documents import shown_file
from app.web import current_actor

SLUGS = {"organisation": "organisation", "representant": "representative", "administrateurs": "administrators"}
_ORDER = (*signup.STEPS, signup.FINISH)


def LABELS() -> list[str]:  # noqa: N802 - a constant, but for the language it is asked in
    """The manual's four."""
    return [
        _("Informations sur l'organisation"),
        _("Informations sur le représentant légal"),
        _("Compte(s) administrateur(s)"),
        _("Terminer"),
    ]


def step_urls() -> dict[str, str]:
    """The address of each step."""
    urls = {name: url_for("signup.step", slug=slug) for slug, name in SLUGS.items()}
    return {**urls, signup.FINISH: url_for("signup.finish")}


class StepPage:
    """One step for one draft: ``render`` shows it, ``answer`` takes what was sent."""

    def __init__(self, name: str, token: str | None) -> None:
        self.name = name
        self.token = token or ""
        self.asks_human = False

    @property
    def draft(self) -> SignupDraft | None:
        """The draft as it stands now."""
        return drafts.find(self.token)

    def form(self, formdata: Any) -> Any:
        """The step's form over what was sent, or over what was typed before."""
        if self.name == "organisation":
            name = "name_ar" if str(get_locale()) == "ar" else "name_fr"
            choices = [(str(row.id), getattr(row, name)) for row in reference.governorates()]
            return OrganisationForm(
                formdata=formdata, governorates=choices, extract_months=settings.get("extract.months")
            )
        if self.name == "representative":
            return RepresentativeForm(formdata=formdata)
        return AdministratorsForm(formdata=formdata, representative=drafts.stored(self.draft, "representative") or {})

    def render(self, form: Any = None) -> Any:
        """The page; without a form, as it was typed last."""
        draft = self.draft
        form = form or self.form(as_formdata(drafts.typed(draft, self.name)))
        if isinstance(form, OrganisationForm):
            form.prepare_confirmation()
        if self.asks_human:
            drafts.ensure_captcha(self.token)
        return render_template(
            f"views/signup/{self.name}.html",
            form=form,
            files={slot: shown_file(document) for slot, document in drafts.papers(draft).items()},
            checks=self._checks(draft),
            asks_human=self.asks_human,
            representative=read_person(drafts.stored(draft, "representative")),
            localities=reference.localities_of(form.postal_code.data or "") if "postal_code" in form else [],
            limit=current_app.config["UPLOAD_LIMIT"],
            version=draft.version if draft is not None else 0,
            steps=LABELS(),
            urls=step_urls(),
            started=draft is not None,
        )

    def answer(self) -> Any:
        """Keep what was typed and the files, then do what the pressed button says."""
        form = self.form(CombinedMultiDict([request.files, request.form]))
        drafts.keep_typed(self.token, self.name, typed_values(form))
        refused = self._receive(form)
        go = request.form.get("go", "next")
        if go == "back":
            for sentence in refused.values():
                flash(sentence, "error")
            return redirect(step_urls()[_ORDER[max(0, _ORDER.index(self.name) - 1)]])
        if go == "localities":
            self._fill_town(form)
        elif go == "captcha":
            drafts.renew_captcha(self.token)
            self.asks_human = True
        elif go.startswith("verify-"):
            self._verify(form, go.removeprefix("verify-"))
        elif self._complete(form, refused):
            return redirect(self._after())
        self._show(form, refused)
        return self.render(form)

    def _receive(self, form: Any) -> dict[str, str]:
        """Keep each file that was sent; slot → why not."""
        refused = {}
        for slot, field in form.file_fields().items():
            upload = request.files.get(field.name)
            if upload is None or not upload.filename:
                continue
            try:
                drafts.keep_file(self.token, slot, upload.read(), upload.filename, actor=current_actor())
            except drafts.DraftGone:
                raise
            except DomainError as refusal:
                refused[slot] = str(refusal)
        return refused

    def _complete(self, form: Any, refused: dict[str, str]) -> bool:
        held = drafts.papers(self.draft)
        for slot in form.asked_slots():
            if slot not in held and slot not in refused:
                refused[slot] = signup.missing_paper(slot)
        if not form.validate() or refused:
            return False
        try:
            signup.complete_step(self.token, self.name, form.stored())
        except ValidationFailed as refusal:
            refused.update({slot: str(sentence) for slot, sentence in refusal.errors.items()})
            return False
        return True

    def _after(self) -> str:
        """The next step; back to the end after « Modifier »."""
        if "modifier" in request.args and signup.next_step(self.draft) == signup.FINISH:
            return step_urls()[signup.FINISH]
        return step_urls()[_ORDER[_ORDER.index(self.name) + 1]]

    def _show(self, form: Any, refused: dict[str, str]) -> None:
        fields = form.file_fields()
        for slot, sentence in refused.items():
            fields[slot].errors = [*fields[slot].errors, sentence]

    def _fill_town(self, form: Any) -> None:
        """Without JavaScript: what the postal code tells, where nothing was typed."""
        found = reference.localities_of((form.postal_code.data or "").strip())
        if not found:
            form.postal_code.errors = [_("Aucune localité connue pour ce code : écrivez la ville vous-même.")]
            return
        if not form.city.data:
            towns = {row.delegation for row in found}
            form.city.raw_data = [found[0].name if len(found) == 1 else towns.pop() if len(towns) == 1 else ""]
            form.city.data = form.city.raw_data[0]
        if not form.governorate_id.data and len({row.governorate_id for row in found}) == 1:
            form.governorate_id.data = str(found[0].governorate_id)
        drafts.keep_typed(
            self.token,
            self.name,
            {
                **typed_values(form),
                "city": [form.city.data or ""],
                "governorate_id": [form.governorate_id.data or ""],
            },
        )

    def _verify(self, form: Any, who: str) -> None:
        """« Vérification avec le service web »."""
        person: DeclaredPersonForm | None = form.people().get(who)
        if person is None:
            return
        form.validate()
        for other in {*form.people().values(), form} - {person}:
            _forget_errors(other)
        if not person.keep_identity_errors_only():
            return
        try:
            signup.verify_identity(
                self.token, who, _tuple_of(person), code=form.captcha.data or "", actor=current_actor()
            )
        except drafts.DraftGone:
            raise
        except DomainError as refusal:
            self.asks_human = refusal.field == "captcha"
            if not self.asks_human or "captcha" in request.form:  # the first press only brings the code
                show_refusal(form, refusal)
        form.captcha.raw_data, form.captcha.data = [], ""

    def _checks(self, draft: SignupDraft | None) -> dict[str, IdentityCheck]:
        """The service's answers that are about what stands on the page; another tuple's are void (ORG-5)."""
        if self.name == "organisation" or draft is None:
            return {}
        shadow = self.form(as_formdata(drafts.typed(draft, self.name)))
        shadow.validate()
        found = {}
        for who, person in shadow.people().items():
            check = signup.identity_check(draft, who)
            if check is not None and person.keep_identity_errors_only() and check.about(_tuple_of(person)):
                found[who] = check
        return found


def _forget_errors(form: BaseForm) -> None:
    form.form_errors.clear()
    for field in form:
        if not hasattr(field, "form"):
            field.errors = []


def _tuple_of(person: DeclaredPersonForm) -> dict[str, Any]:
    values = {name: person[name].data for name in ("birth_date", "nationality", "identity_kind")}
    return {**values, **{name: person[name].stored for name in ("identity_number", "last_name", "first_name")}}


# ------------------------------------------------------------------------------------------------ read back


def country_name(code: str | None) -> str:
    """In the page's language."""
    return str(Locale.parse(str(get_locale() or "fr")).territories.get(code or "", code or ""))


def read_person(person: dict[str, Any] | None) -> dict[str, str] | None:
    """A declared person as the read-back shows them."""
    if person is None:
        return None
    year, month, day = person["birth_date"].split("-")
    return {
        **person,
        "name": f"{person['first_name']} {person['last_name']}",
        "name_ar": f"{person['first_name_ar']} {person['last_name_ar']}",
        "born": f"{day}/{month}/{year}",
        "country": pgettext("nationality", "Tunisienne")
        if person["nationality"] == "TN"
        else country_name(person["nationality"]),
        "kind": state_label(IdentityKind(person["identity_kind"])),
    }


def read_back(draft: SignupDraft) -> dict[str, Any]:
    """The three tables of the last step (ORG-7)."""
    organisation = dict(drafts.stored(draft, "organisation") or {})
    governorates = {row.id: row for row in reference.governorates()}
    governorate = governorates.get(organisation["governorate_id"])
    arabic = str(get_locale()) == "ar"
    papers = drafts.papers(draft)
    wanted = {step: signup.required_papers(step, drafts.stored(draft, step) or {}) for step in signup.STEPS}
    return {
        "organisation": {
            **organisation,
            "country_name": country_name(organisation["country"]),
            "category_name": state_label(OrganisationCategory(organisation["category"])),
            "governorate": "" if governorate is None else governorate.name_ar if arabic else governorate.name_fr,
        },
        "representative": read_person(drafts.stored(draft, "representative")),
        "administrators": [read_person(person) for person in signup.administrators(draft)],
        "papers": {
            step: [(slot, shown_file(papers[slot])) for slot in slots if slot in papers]
            for step, slots in wanted.items()
        },
        "answers": signup.answers_that_hold(draft),
    }
