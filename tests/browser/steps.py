"""The manual's steps, done at a browser as a person does them: by labels, buttons and links.

Each takes Playwright's page. They hold with JavaScript and without (``scripted=False``), where they differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from app import clock
from app.demo.papers import rne_extract, tax_card, trade_register_foreign
from app.demo.papers_identity import identity_copy
from app.demo.papers_scans import scanned
from app.extensions import db
from app.models import SignupDraft
from app.services import mailing
from tests.browser.settling import settled
from tests.support.servers import Mail, MailServer

NEW_PASSWORD = "une longue phrase à moi, 2026"
SMT_CARD = {"pan": "4509211111111119", "cvv": "748", "month": "12", "year": "2026"}
CONSENT = (
    "J'autorise TunTrust à utiliser mes données pour traiter ma demande de certificat et j'accepte les présentes "
    "conditions générales d'utilisation et m'engage à agir conformément à celles-ci."
)


@dataclass(frozen=True)
class Person:
    """Somebody as the manual's forms ask for them; the identity service knows these people."""

    last_name: str
    first_name: str
    last_name_ar: str
    first_name_ar: str
    birth_date: date
    identity_number: str
    mobile: str
    email: str
    identity_kind: str = "CIN"
    nationality: str = "Tunisienne"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def facts(self) -> dict[str, Any]:
        """What the drawn papers take."""
        return {
            "last_name": self.last_name,
            "first_name": self.first_name,
            "last_name_ar": self.last_name_ar,
            "first_name_ar": self.first_name_ar,
            "birth_date": self.birth_date,
            "number": self.identity_number,
            "cin": self.identity_number,
        }


LEILA = Person(
    "Jaziri", "Leïla", "الجزيري", "ليلى", date(1979, 9, 30), "03456789", "98 456 123", "leila.jaziri@oliviers.tn"
)
SAMI = Person("Mejri", "Sami", "الماجري", "سامي", date(1988, 2, 14), "04567890", "22 741 852", "sami.mejri@oliviers.tn")
RIM = Person("Hammami", "Rim", "الهمامي", "ريم", date(1995, 7, 8), "05678901", "55 963 258", "rim.hammami@exemple.tn")
YASSINE = Person(
    "Ayari", "Yassine", "العياري", "ياسين", date(1999, 10, 3), "10123456", "29 147 369", "yassine.ayari@exemple.tn"
)
KATRIN = Person(
    "Neumann", "Katrin", "نويمان", "كاترين", date(1985, 12, 1), "P1234567", "+49 151 23456789",
    "katrin.neumann@hafenwerk.example", "Passeport", "Allemagne",
)  # fmt: skip


@dataclass(frozen=True)
class Company:
    """An invented organisation and what its papers say."""

    legal_name: str
    trade_name: str
    representative: Person
    tax_id: str = "1827364D"
    address: str = "12 rue des Oliviers"
    postal_code: str = "1002"
    city: str = "Tunis"
    governorate: str = "Tunis"
    phone: str = "71 284 619"
    legal_name_ar: str = "شركة زياتين الشمال"
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def drawn(self) -> dict[str, Any]:
        return {
            "legal_name": self.legal_name, "legal_name_ar": self.legal_name_ar, "trade_name": self.trade_name,
            "tax_id": self.tax_id, "address": self.address, "postal_code": self.postal_code, "city": self.city,
            "representative": self.representative.facts, **self.facts,
        }  # fmt: skip


OLIVIERS = Company("Société des Oliviers du Nord", "OLIVIERS", LEILA)
HAFENWERK = Company(
    "Hafenwerk Maschinen", "HAFENWERK", KATRIN, tax_id="", address="Hafenstrasse 41", postal_code="50667",
    city="Köln", phone="+49 221 123456", facts={"country": "Allemagne", "register_number": "HRB 104412"},
)  # fmt: skip


def papers_of(company: Company, folder: Path) -> dict[str, Path]:
    """The files on that company's desk: PDFs, a scan and a photograph, drawn for the occasion."""
    day = clock.today() - timedelta(days=20)
    drawn = {
        "extract": ("RNE EXTRAIT REGISTRE.pdf", rne_extract(company.drawn, day)),
        "tax_card": ("carte fiscale.jpg", scanned(tax_card(company.drawn), angle=0.8)),
    }
    if company.facts.get("register_number"):
        drawn = {
            "register": ("Handelsregister.pdf", trade_register_foreign(company.drawn, day)),
            "passport": ("passeport.jpg", identity_copy(company.representative.facts, "PASSEPORT")),
        }
    folder.mkdir(parents=True, exist_ok=True)
    kept = {}
    for name, (filename, data) in drawn.items():
        kept[name] = folder / filename
        kept[name].write_bytes(data)
    return kept


# ---- finding things as a person does


def box(where: Page | Locator, label: str) -> Locator:
    """The control under that very label, whatever star or Arabic word stands beside it."""
    return where.get_by_label(
        re.compile(rf"^\s*([\u0600-\u06ff ]+\s+)?{re.escape(label)}(\s*\*)?(\s*\(obligatoire\))?\s*$")
    )


def on(page: Page, title: str) -> None:
    """Wait until the page of that heading is shown."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def press(where: Page | Locator, name: str, **options: Any) -> None:
    """Press a button, and wait for the page it leads to."""
    where.get_by_role("button", name=name, exact=True, **options).click()
    settled(where if isinstance(where, Page) else where.page)


def read_database() -> None:
    """Forget what was read before: the server's threads have written since."""
    db.session.rollback()
    db.session.expire_all()


# ---- chapter I: signing an organisation up


def fill_organisation(page: Page, company: Company, *, scripted: bool = True) -> None:
    """« Informations sur l'organisation », files apart."""
    box(page, "Matricule Fiscal").fill(company.tax_id)
    box(page, "Catégorie").select_option("Entreprise privée")
    box(page, "Raison sociale").fill(company.legal_name)
    box(page, "Nom commercial").fill(company.trade_name)
    box(page, "Adresse").fill(company.address)
    box(page, "Code Postal").fill(company.postal_code)
    if scripted:
        expect(box(page, "Gouvernorat").locator("option:checked")).to_have_text(company.governorate)
    else:
        press(page, "Proposer la ville et le gouvernorat")
        on(page, "Informations sur l'organisation")
    assert box(page, "Gouvernorat").locator("option:checked").inner_text() == company.governorate
    box(page, "Ville").fill(company.city)
    box(page, "Téléphone Fixe").fill(company.phone)


def attach_extract(page: Page, files: dict[str, Path]) -> None:
    """The extract and the date it bears."""
    box(page, "Joindre l'extrait du registre national des entreprises (RNE)").set_input_files(files["extract"])
    box(page, "Date de l'extrait RNE").fill((clock.today() - timedelta(days=20)).isoformat())


def fill_person(where: Page | Locator, person: Person, *, confirm: str = "Confirmation Email") -> None:
    """A person's block, as steps 2 and 3 and the order's form have it."""
    box(where, "Date de naissance").fill(person.birth_date.isoformat())
    box(where, "Nationalité").select_option(person.nationality)
    box(where, "Pièce d'identité").select_option(person.identity_kind)
    numbered = box(where, "Numéro")
    (numbered if numbered.count() else box(where, "Numéro pièce d'identité")).fill(person.identity_number)
    box(where, "Nom").fill(person.last_name)
    box(where, "Prénom").fill(person.first_name)
    box(where, "Nom en arabe").fill(person.last_name_ar)
    box(where, "Prénom en arabe").fill(person.first_name_ar)
    box(where, "Téléphone mobile").fill(person.mobile)
    box(where, "Email").fill(person.email)
    box(where, confirm).fill(person.email)


def attest(where: Page | Locator, start: str = "J'atteste") -> None:
    where.get_by_label(start).check()


def copy_code(page: Page) -> None:
    """What a person reads in the picture, a test reads where the server keeps it."""
    expect(page.locator("img.captcha-image")).to_be_visible()
    read_database()
    code = db.session.scalar(select(SignupDraft.captcha).order_by(SignupDraft.id.desc()).limit(1))
    db.session.rollback()
    assert code is not None
    page.locator("#captcha").fill(code)


# ---- mails, accounts


def deliver(smtp: MailServer) -> MailServer:
    """Run the mails' job, as the scheduler does each half minute."""
    db.session.rollback()
    mailing.send_due_mails()
    db.session.rollback()
    return smtp


def temporary_password(mail: Mail) -> str:
    found = re.search(r"mot de passe temporaire : (\S+)", mail.text, re.IGNORECASE)
    assert found, mail.text
    return found.group(1)


def log_in(page: Page, email: str, password: str) -> None:
    page.goto("/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Mot de passe").first.fill(password)
    press(page, "S'identifier")


def activate(page: Page, mail: Mail, email: str, check: Callable[[str], None] | None = None) -> None:
    """The first login with the mail's password, and the forced change."""
    log_in(page, email, temporary_password(mail))
    on(page, "Choisissez votre mot de passe")
    if check:
        check("choisir-mot-de-passe")
    page.get_by_label("Nouveau mot de passe").fill(NEW_PASSWORD)
    page.get_by_label("Confirmation du mot de passe").fill(NEW_PASSWORD)
    press(page, "Activer mon compte")
    expect(page.get_by_text("Votre mot de passe est enregistré")).to_be_visible()


# ---- chapter II: ordering, validating, paying


def order_for(
    page: Page, person: Person | None, *, domains: tuple[str, ...] = ("TUNEPS",), scripted: bool = True
) -> None:
    """One person added to the list; None: « Je suis le demandeur du certificat »."""
    attest(page, "J'atteste que ces coordonnées")
    for domain in domains:
        page.get_by_label(domain, exact=True).check()
    if person is None:
        page.get_by_label("Je suis le demandeur du certificat").check()
        if scripted:
            expect(box(page, "Nom")).not_to_have_value("")
    else:
        fill_person(page, person, confirm="Confirmation d'email")
    press(page, "Ajouter à la liste des demandes")
    expect(page.get_by_text("La personne est dans la liste des demandes.")).to_be_visible()


def choose_office(page: Page, near: str, *, scripted: bool = True) -> None:
    """The first post office near there."""
    box(page, "Gouvernorat").select_option("Tous les gouvernorats")
    box(page, "Délégation, localité ou code postal").fill(near)
    if scripted:
        expect(page.locator("[data-offices-list] label").first).to_contain_text(near)
        expect(page.locator("[data-offices-list] label").last).to_contain_text(near)
    else:
        press(page, "Chercher les bureaux")
        on(page, "Valider ma demande")
    page.locator("[data-offices-list]").get_by_role("radio").first.check()


def accept_conditions(page: Page, *, scripted: bool = True) -> None:
    """Read the conditions to their end, then tick the exact sentence."""
    consent = page.get_by_label(CONSENT)
    if scripted:
        expect(consent).to_be_disabled()
        page.locator("[data-read-text]").evaluate("text => text.scrollTo(0, text.scrollHeight)")
        expect(page.get_by_text("Texte lu jusqu’à la fin.")).to_be_visible()
    consent.check()


def pay_by_card(page: Page) -> None:
    """At the hosted page, with SMT's card."""
    page.locator("#cardholder").fill("Leila Jaziri")
    page.locator("#pan").fill(SMT_CARD["pan"])
    page.locator("#month").select_option(SMT_CARD["month"])
    page.locator("#year").select_option(SMT_CARD["year"])
    page.locator("#cvv").fill(SMT_CARD["cvv"])
    page.locator("#payment button[type=submit]").click()


@contextmanager
def downloaded(page: Page) -> Iterator[list[bytes]]:
    """What the browser saves while the block runs, read: ``with downloaded(page) as files: click``."""
    files: list[bytes] = []
    with page.expect_download() as waiting:
        yield files
    files.append(Path(waiting.value.path()).read_bytes())


def path_of(page: Page) -> str:
    return urlsplit(page.url).path
