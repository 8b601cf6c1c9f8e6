"""Mail written in the business transaction and sent after it by a job (MAI-1).

A mail is rendered when it is written, in its recipient's language, from ``templates/emails/<kind>.txt`` and
``.html``. Attachments are named by where their bytes can be read when it is sent.
"""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select

from app import clock
from app.bilingual import amount_for_reader, is_arabic
from app.extensions import db
from app.mail_catalogue import SUBJECTS, group_of
from app.models import OutboxMail, User
from app.services.unit_of_work import use_case
from app.typography import plain_text

_TEXT = re.compile(r">[^<]+")
_REFERENCE = re.compile(r"(?<![\w/-])[A-Z]{2,4}-\d{4}-\d{3,}(?![\w/-])")
LEASE = timedelta(minutes=5)
OUTAGE_PAUSE = timedelta(seconds=10)
RIGHT_TO_LEFT = {"ar"}
RETRY_AFTER = [timedelta(minutes=m) for m in (1, 2, 5, 15, 30, 60, 120, 240, 480, 720)]


def write(
    kind: str,
    *,
    to: str,
    locale: str = "fr",
    attachments: list[dict[str, Any]] | None = None,
    secret: bool = False,
    organisation_id: int | None = None,
    request_id: int | None = None,
    necessary: bool = False,
    **context: Any,
) -> OutboxMail | None:
    """Queue one mail to one recipient; None when they chose to do without this group of mails.

    ``secret``: its body holds a temporary password and is erased once sent. ``necessary``: this one goes whatever
    they chose (a notice that announces a rejection).

    Each attachment is ``{"name", "media_type", "storage_key"}`` or ``{"name", "invoice_id"}``.
    """
    if not necessary and _is_muted(kind, to):
        return None
    subject, text, html = render(kind, to=to, locale=locale, **context)
    host = urlsplit(current_app.config["PUBLIC_URL"]).hostname or "localhost"
    moment = clock.now()
    mail = OutboxMail(
        message_id=f"<{uuid.uuid4().hex}@{host}>",
        kind=kind,
        recipient=to,
        subject=subject,
        text=text,
        html=html,
        locale=locale,
        attachments=attachments or [],
        secret=secret,
        organisation_id=organisation_id,
        request_id=request_id,
        created_at=moment,
        due_at=moment,
    )
    db.session.add(mail)
    return mail


def _is_muted(kind: str, to: str) -> bool:
    group = group_of(kind)
    if group is None:
        return False
    return group in (db.session.scalar(select(User.muted_mails).where(User.email == to)) or ())


def render(kind: str, *, to: str, locale: str = "fr", **context: Any) -> tuple[str, str, str]:
    """Subject, plain text and HTML of a mail as ``write`` would queue it; nothing is written.

    The context holds things, not words: states and roles as their enums, amounts in millimes, moments in UTC. The
    templates say them in the recipient's language, which is not that of whoever acts (I18-1).
    """
    with force_locale(locale):
        subject = subject_of(kind, context)
        return subject, *_bodies(kind, locale, {**context, "subject": subject, "recipient": to})


def subject_of(kind: str, context: dict[str, Any]) -> str:
    """A mail's subject in the language of the moment."""
    subject = str(SUBJECTS[kind])
    if "%(" in subject:
        words = {**context, "amount": amount_for_reader(context["amount"])} if "amount" in context else context
        subject %= words
    return " ".join(subject.split())


def preview(kind: str, *, to: str, locale: str = "fr", **context: Any) -> tuple[str, str]:
    """Subject and plain text of a mail as ``write`` would queue it; nothing is written."""
    return render(kind, to=to, locale=locale, **context)[:2]


def _bodies(kind: str, locale: str, values: dict[str, Any]) -> tuple[str, str]:
    """Both bodies. The environment itself renders: the context of pages needs a request, jobs have none."""
    lang = locale[:2]
    values = {**values, "lang": lang, "dir": "rtl" if lang in RIGHT_TO_LEFT else "ltr"}
    text, html = (current_app.jinja_env.get_template(f"emails/{kind}.{form}") for form in ("txt", "html"))
    with plain_text():
        plain = text.render(values).strip() + "\n"
    if lang in RIGHT_TO_LEFT:
        plain = right_to_left(plain)
    return plain, keep_references_whole(html.render(values))


def keep_references_whole(page: str) -> str:
    """A mail's HTML whose references (DEM-2026-000418) never break over two lines, which in Arabic turns them round."""
    head, body = page.split("<body", 1)
    whole = r'<bdi dir="ltr" class="whole">\g<0></bdi>'
    return head + "<body" + _TEXT.sub(lambda found: _REFERENCE.sub(whole, found[0]), body)


def right_to_left(text: str) -> str:
    """Plain text whose Arabic lines run from the right, whatever they begin with; others are left as they are.

    A mark before a line says its direction: a plain text has no other way. Lines without an Arabic letter (a link,
    a password) get none, as people copy them.
    """
    return "".join(f"\u200f{line}" if is_arabic(line) else line for line in text.splitlines(keepends=True))


def due_mail_ids(limit: int = 50) -> list[int]:
    """Mails to try now, oldest first."""
    statement = (
        select(OutboxMail.id)
        .where(OutboxMail.sent_at.is_(None), OutboxMail.dead_at.is_(None), OutboxMail.due_at <= clock.now())
        .order_by(OutboxMail.due_at, OutboxMail.id)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


@use_case
def claim(mail_id: int) -> OutboxMail | None:
    """Take a due mail for five minutes, so that no other process sends it; None when it is no longer due.

    A crash inside the SMTP conversation lets the lease run out and the mail goes again: the only way to a
    duplicate, and its Message-ID stays the same.
    """
    mail = db.session.execute(
        select(OutboxMail)
        .where(
            OutboxMail.id == mail_id,
            OutboxMail.sent_at.is_(None),
            OutboxMail.dead_at.is_(None),
            OutboxMail.due_at <= clock.now(),
        )
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if mail is not None:
        mail.due_at = clock.now() + LEASE
        mail.attempts += 1
    return mail


@use_case
def postpone(mail_id: int, error: str) -> None:
    """The mail server cannot be used: the mail is not to blame, and is due again soon without having lost a try."""
    mail = db.session.get(OutboxMail, mail_id)
    if mail is not None and mail.sent_at is None:
        mail.last_error = error[:2000]
        mail.attempts = max(0, mail.attempts - 1)
        mail.due_at = clock.now() + OUTAGE_PAUSE


@use_case
def mark_sent(mail_id: int) -> None:
    """The server accepted it. The body of a secret mail is erased."""
    mail = db.session.get(OutboxMail, mail_id)
    if mail is not None:
        mail.sent_at = clock.now()
        mail.dead_at = None
        mail.last_error = ""
        if mail.secret:
            mail.text = mail.html = ""


@use_case
def mark_failed(mail_id: int, error: str, *, permanent: bool) -> None:
    """The server did not accept it: try again later, or give it to the dead-letter list."""
    mail = db.session.get(OutboxMail, mail_id)
    if mail is None or mail.sent_at is not None:  # another process, after our lease had run out
        return
    mail.last_error = error[:2000]
    if permanent or mail.attempts > len(RETRY_AFTER):
        mail.dead_at = clock.now()
    else:
        mail.due_at = clock.now() + RETRY_AFTER[mail.attempts - 1]


@use_case
def send_again(mail_id: int) -> None:
    """« Renvoyer »: a dead mail goes back to the queue."""
    mail = db.session.get(OutboxMail, mail_id)
    if mail is not None and mail.sent_at is None:
        mail.dead_at = None
        mail.attempts = 0
        mail.due_at = clock.now()
