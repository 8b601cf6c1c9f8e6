"""``seed()``: the demonstration data and accounts of 8-interfaces.md, all or nothing and once (OPS-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import func, or_, select, update

from app import clock
from app.demo import folder
from app.demo.bulk import a_bulk_run, an_agent_away
from app.demo.client import Client, World
from app.demo.companies import ADMINISTRATOR, COMPANIES
from app.demo.desk import Officer
from app.demo.papers_certificates import demo_authority_certificate
from app.demo.reconciliation import a_statement
from app.demo.stage import Calendar, play
from app.demo.stories import everybody
from app.errors import DomainError
from app.extensions import db
from app.inspection.roots import read_roots
from app.models import (
    Certificate,
    CertificateRequest,
    CguVersion,
    Document,
    Invoice,
    Message,
    Organisation,
    OutboxMail,
    Payment,
    RoleGrant,
    Setting,
    User,
)
from app.permissions import SYSTEM, Role
from app.services import audit, passwords
from app.services.reference_data import load_reference_data
from app.services.unit_of_work import use_case

PASSWORD = "Demo-Ecert-2026"  # noqa: S105 - published in 8-interfaces.md, refused in production
STAFF = {
    "agent": ("Sonia", "Ferjani", Role.AGENT),
    "agent2": ("Nizar", "Hamrouni", Role.AGENT),
    "superviseur": ("Hajer", "Belkhiria", Role.SUPERVISEUR),
    "responsable": ("Mounir", "Sellami", Role.RESPONSABLE),
    "administrateur": ("Rached", "Kallel", Role.ADMINISTRATEUR),
}
ACCOUNTS = {
    "admin@societe-demo.tn": "administrateur d'organisation",
    "demandeur@societe-demo.tn": "demandeur",
    **{f"{name}@demo.tuntrust.tn": role.lower() for name, (_first, _last, role) in STAFF.items()},
}
"""The published accounts and who they are."""
STAFF_SINCE = timedelta(days=120)
RECENT = timedelta(hours=2)
"""Mails younger than this are left to the outbox, so that the mailbox has something to receive."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the database holds of the demonstration; ``created`` is False when it was there already."""

    created: bool
    counts: dict[str, int]


def seed(say: Say = lambda _line: None) -> Summary:
    """Write the demonstration data in one transaction, its papers drawn before; a second run changes nothing.

    A run that is interrupted leaves nothing. The clock is moved along three months while it works, in this
    process only, and put back. Raises DomainError in production, and when the database holds other people's
    data under the same identifiers.
    """
    refuse_in_production()
    load_reference_data()
    if _already_there():
        return Summary(created=False, counts=_counts())
    _refuse_taken_identifiers()
    calendar = Calendar()
    say("drawing papers")
    world = World(
        calendar=calendar,
        papers={
            company.key: folder.sent_at_sign_up(company, calendar.ago(company.registered).date())
            for company in COMPANIES
        },
        copies=folder.applicant_papers(),
        password_hash=passwords.hash_password(PASSWORD),
    )
    say("playing three months of fourteen organisations")
    created = _write(world)
    return Summary(created=created, counts=_counts())


def refuse_in_production() -> None:
    """Raises DomainError where the portal is real (SEC-5)."""
    if current_app.config["ENVIRONMENT"] == "production":
        raise DomainError("Les données de démonstration sont interdites en production.")


@use_case
def _write(world: World) -> bool:
    if _already_there():  # another process was faster
        return False
    _refuse_taken_identifiers()
    present = world.calendar.present
    opening = present - STAFF_SINCE
    # The conditions shipped with the product were in force when the stories begin.
    db.session.execute(update(CguVersion).where(CguVersion.published_at > opening).values(published_at=opening))
    _hire(world, opening)
    _trust_own_authority(opening)
    clients = {company.key: Client(world, company) for company in COMPANIES}
    play(everybody(clients.__getitem__, lambda name: Officer(world.staff[name]), world.calendar), world.calendar)
    db.session.flush()
    db.session.expire_all()
    an_agent_away(world.password_hash, opening)
    a_bulk_run(Officer(world.staff["agent"]))
    a_statement(Officer(world.staff["agent2"]))
    _settle_mails(world)
    audit.record(SYSTEM, "demo_seed", ("demo", "seed"))
    return True


def _already_there() -> bool:
    return db.session.scalar(select(User.id).where(User.email == ADMINISTRATOR.email)) is not None


def _refuse_taken_identifiers() -> None:
    tax_ids = [company.tax_id for company in COMPANIES]
    emails = [*ACCOUNTS, *(person.email for company in COMPANIES for person in company.people())]
    taken = db.session.scalar(select(Organisation.tax_id).where(Organisation.tax_id.in_(tax_ids)).limit(1))
    taken = taken or db.session.scalar(select(User.email).where(User.email.in_(emails)).limit(1))
    if taken is not None:
        raise DomainError(f"« {taken} » existe déjà : semez les données de démonstration dans une autre base.")


def _hire(world: World, since: object) -> None:
    for name, (first, last, role) in STAFF.items():
        user = User(
            email=f"{name}@demo.tuntrust.tn",
            first_name=first,
            last_name=last,
            password_hash=world.password_hash,
            activated_at=since,
            invited_at=since,
            created_at=since,
        )
        user.grants = [RoleGrant(role=role, granted_at=since)]
        db.session.add(user)
        world.staff[name] = user
    db.session.flush()


def _trust_own_authority(since: datetime) -> None:
    """The authority that signed the demonstration's contracts: made now, its key is gone when this process ends."""
    if db.session.get(Setting, "signatures.roots") is not None:  # an operator's choice stays
        return
    pem = demo_authority_certificate(since - timedelta(days=365)).decode()
    roots = "".join(root.pem for root in read_roots(pem))
    db.session.add(Setting(key="signatures.roots", value=roots, updated_at=since))


def _settle_mails(world: World) -> None:
    """What the stories wrote was sent at the time; only the last hours' mails wait in the outbox.

    Whoever's invitation has left holds the demonstration password as a temporary one.
    """
    limit = clock.now() - RECENT
    past = OutboxMail.created_at < limit
    db.session.flush()
    db.session.execute(update(OutboxMail).where(past, OutboxMail.secret).values(text="", html=""))
    told = (Message.by_staff, Message.created_at < limit)
    db.session.execute(update(Message).where(*told).values(notified_at=Message.created_at))
    db.session.execute(update(OutboxMail).where(past).values(sent_at=OutboxMail.created_at, attempts=1))
    _give_some_up(limit)
    db.session.execute(
        update(User)
        .where(
            User.temporary_password_hash.is_not(None),
            or_(User.invited_at.is_(None), User.invited_at < limit),
            User.email.in_([person.email for company in COMPANIES for person in company.people()]),
        )
        .values(temporary_password_hash=world.password_hash)
    )


def _give_some_up(limit: datetime) -> None:
    """The last few notices to one company came back: a full mailbox, an address that is gone."""
    answers = ("552 5.2.2 Mailbox full", "550 5.1.1 No such user here", "451 4.3.0 Try again later")
    mails = db.session.scalars(
        select(OutboxMail)
        .where(OutboxMail.kind == "request_validated", OutboxMail.created_at < limit)
        .order_by(OutboxMail.id.desc())
        .limit(len(answers))
    )
    for mail, answer in zip(mails, answers, strict=False):
        mail.sent_at, mail.dead_at, mail.last_error = None, mail.created_at, answer
        mail.attempts = 11 if answer.startswith("4") else 1


def _counts() -> dict[str, int]:
    tables = (User, Organisation, CertificateRequest, Document, Payment, Invoice, Certificate)
    return {table.__tablename__: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
