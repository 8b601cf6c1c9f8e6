"""Every mail, in each language, from the gallery's samples: whole, translated, in its direction (MAI-1, I18-1).

A mail you add needs its sample in ``app/mail_samples.py`` and its sentences in ``app/translations/ar`` and ``en``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from babel.support import Translations
from flask_babel import force_locale

from app.bilingual import is_arabic
from app.mail_catalogue import SUBJECTS, security_sentence
from app.mail_samples import LOCALES, RECIPIENT, Sample, samples
from app.models import CreditOutcome, DocumentKind, ReasonKind
from app.permissions import STAFF_ROLES
from app.queries.declared_fields import LABELS
from app.queries.reference import reasons
from app.services import outbox
from app.state_labels import state_label
from app.states import RequestState
from tests.support.html import parse

pytestmark = [pytest.mark.spec("MAI-1"), pytest.mark.spec("I18-1")]

MANUAL = {"request_created": "Création de la demande de certificat", "documents_missing": "Pièces manquantes"}
FRENCH_WORDS = re.compile(r"\b(?:vous|votre|vos|est|une|des|les|pour|avec|sera|été|qui|dans|sur|demande|avant)\b")


def rendered(sample: Sample, locale: str) -> tuple[str, str, str]:
    return outbox.render(sample.kind, to=RECIPIENT, locale=locale, **sample.context)


@pytest.fixture
def untranslated(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The sentences that were asked for and that the catalogue of the moment does not hold."""
    missing: set[str] = set()
    one, many = Translations.ugettext, Translations.ungettext

    def gettext(self: Any, message: str) -> str:
        if message not in self._catalog:
            missing.add(message)
        return str(one(self, message))

    def ngettext(self: Any, singular: str, plural: str, num: int) -> str:
        if (singular, self.plural(num)) not in self._catalog:
            missing.add(singular)
        return str(many(self, singular, plural, num))

    monkeypatch.setattr(Translations, "ugettext", gettext)
    monkeypatch.setattr(Translations, "ungettext", ngettext)
    return missing


def test_every_kind_has_its_templates_and_a_sample() -> None:
    written = {path.stem for path in Path("templates/emails").glob("*.html")} - {"layout", "parts"}
    assert written == set(SUBJECTS)
    assert {sample.kind for sample in samples()} == set(SUBJECTS), "add the missing kinds to app/mail_samples.py"


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_no_sentence_of_a_mail_falls_back_to_french(app: Any, untranslated: set[str], locale: str) -> None:
    faults = {}
    for sample in samples():
        untranslated.clear()
        subject, text, _html = rendered(sample, locale)
        own = {value for value in sample.context.values() if isinstance(value, str)}  # a reason is first looked up
        if untranslated - own:
            faults[f"{sample.kind} {sample.case}"] = sorted(untranslated - own)
        assert is_arabic(subject) is (locale == "ar")
        own_words = {word for value in words_of(sample.context) for word in value.split()}
        left = {word for word in FRENCH_WORDS.findall(text.lower()) if word not in own_words}
        assert not left, f"{sample.kind} {sample.case} in {locale}: {left} in {text}"
    assert not faults, f"translate in app/translations/{locale}: {faults}"


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_every_word_a_mail_may_be_told_is_translated(app: Any, untranslated: set[str], locale: str) -> None:
    words = [*RequestState, *DocumentKind, *CreditOutcome, *STAFF_ROLES]
    with force_locale(locale):
        assert all([*(state_label(word) for word in words), *(str(label) for label in LABELS.values())])
    assert untranslated == set()


def words_of(value: Any) -> list[str]:
    """The words a mail is told, as they stand."""
    if isinstance(value, str):
        return [value.lower()]
    if isinstance(value, dict):
        return [word for each in value.values() for word in words_of(each)]
    if isinstance(value, (list, tuple)):
        return [word for each in value for word in words_of(each)]
    if hasattr(value, "reason"):
        return [value.reason.lower()]
    return []


@pytest.mark.parametrize("locale", LOCALES)
def test_every_mail_is_a_sound_page_in_its_direction_with_its_text_beside_it(app: Any, locale: str) -> None:
    direction = "rtl" if locale == "ar" else "ltr"
    for sample in samples():
        subject, text, html = rendered(sample, locale)
        about = f"{sample.kind} {sample.case} in {locale}"
        assert f'<html lang="{locale}" dir="{direction}">' in html, about
        assert html.count("<h1") == 1, about
        assert not re.search(r"<(?:script|img|link|iframe)|\son\w+=", html), about  # nothing a mail program would block
        assert locale != "ar" or parse(html)[1] == [], about
        for leak in ("None", "{{", "%(", "l'", "<", "RequestState", "_FR", "&#"):
            assert leak not in text or (leak == "l'" and locale == "fr"), f"{about}: {leak!r} in {text}"
        assert "\n\n\n\n" not in text, about
        assert subject == " ".join(subject.split()) != "", about
        shown = {*re.findall(r'href="([^"]+)"', html), sample.context.get("password") or "", RECIPIENT}
        assert {value for value in shown if value not in text or value not in html} == set(), about


def test_a_reference_never_breaks_and_addresses_are_left_alone() -> None:
    page = '<body><p>Votre demande DEM-2026-000418.</p><a href="/d/DEM-2026-000418">https://x.tn/d/DEM-2026-000418</a>'
    whole = '<bdi dir="ltr" class="whole">DEM-2026-000418</bdi>'
    assert outbox.keep_references_whole(page) == page.replace("demande DEM-2026-000418", f"demande {whole}")


@pytest.mark.spec("LOG-4")
def test_the_name_of_a_key_is_text_in_a_mail_whatever_it_holds(app: Any) -> None:
    told = next(sample for sample in samples() if sample.kind == "security_changed")
    sentence = security_sentence("passkey_added", key="<img src=x>")
    html = outbox.render("security_changed", to=RECIPIENT, **{**told.context, "sentence": sentence})[2]
    assert "&lt;img src=x&gt;" in html
    assert "<img" not in html


@pytest.mark.parametrize(("kind", "subject"), MANUAL.items())
def test_the_manuals_subjects_are_exact(app: Any, kind: str, subject: str) -> None:
    assert {rendered(sample, "fr")[0] for sample in samples() if sample.kind == kind} == {subject}


def test_amounts_moments_and_words_follow_the_reader(app: Any) -> None:
    paid = next(sample for sample in samples() if sample.kind == "payment_confirmed")
    said = {locale: rendered(paid, locale)[1].replace("\xa0", " ") for locale in LOCALES}
    assert "1 271,500 DT" in said["fr"].replace("\u202f", " ")
    assert "د.ت" in said["ar"]
    assert "TND 1,271.500" in said["en"]
    invited = next(sample for sample in samples() if sample.kind == "staff_invited")
    assert "Registration officer" in rendered(invited, "en")[1]
    assert "at 10:42" in rendered(invited, "en")[1]
    sent = next(sample for sample in samples() if sample.kind == "certificate_dispatched")
    assert "تونس باب بحر" in rendered(sent, "ar")[1]


def test_a_ready_made_reason_is_read_in_arabic_and_ones_own_words_as_written(app: Any) -> None:
    rejected = next(sample for sample in samples() if sample.kind == "request_rejected")
    ready = next(each for each in reasons(ReasonKind.REJECTION) if each.text_ar)
    for given, read in ((ready.text_fr, ready.text_ar), ("Mots d'un agent.", "Mots d'un agent.")):
        text = outbox.render("request_rejected", to=RECIPIENT, locale="ar", **{**rejected.context, "reason": given})[1]
        assert read in text
