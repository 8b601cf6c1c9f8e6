"""The outbox's other end: mails that are due go to the mail server, one by one (MAI-1).

A mail is claimed in a short transaction, delivered outside any, and marked in another: nothing is locked while a
server takes its time. A mail that cannot be sent never holds up the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from app.adapters import mailer
from app.adapters.storage import FileNotStored, InvalidKey
from app.errors import DomainError
from app.extensions import db
from app.services import outbox
from app.services.rounds import Round

log = structlog.get_logger()

ROUND_SECONDS = 60.0
"""A round ends after this, whatever is left: the job's next run goes on."""


@dataclass(slots=True)
class MailRound:
    """What one round did."""

    sent: int = 0
    delayed: int = 0
    refused: int = 0
    server_down: bool = False

    def __str__(self) -> str:
        words = [f"{self.sent} envoyé(s)", f"{self.delayed} différé(s)", f"{self.refused} refusé(s)"]
        return ", ".join(words) + (" ; serveur de messagerie injoignable" if self.server_down else "")


@dataclass(frozen=True, slots=True)
class _Letter:
    """A claimed mail, read before the transaction ended."""

    id: int
    message_id: str
    kind: str
    recipient: str
    subject: str
    text: str
    html: str
    attachments: list[dict[str, Any]]
    written_at: datetime


class _AttachmentLost(Exception):
    """What the mail should carry does not exist any more: a person must look at it."""


def send_due_mails(limit: int = 50) -> MailRound:
    """Send up to ``limit`` mails that are due, oldest first. Any number of processes may do it at once.

    A server that cannot be used at all ends the round and costs the mail no try: an outage, however long, makes
    no dead letter.
    """
    done = MailRound()
    this_round = Round(ROUND_SECONDS)
    for mail_id in outbox.due_mail_ids(limit):
        if this_round.over():
            break
        letter = _claimed(mail_id)
        if letter is None:
            continue
        try:
            _deliver(letter)
        except mailer.MailServerDown as error:
            log.warning("mail_server_down", error=str(error))
            outbox.postpone(letter.id, str(error))
            done.server_down = True
            break
        except (mailer.MailRefused, _AttachmentLost) as error:
            log.warning("mail_refused", mail=letter.id, kind=letter.kind, error=str(error))
            outbox.mark_failed(letter.id, str(error), permanent=True)
            done.refused += 1
        except Exception as error:  # one mail's fault must not hold up the others
            log.warning("mail_delayed", mail=letter.id, kind=letter.kind, error=str(error), exc_info=_unknown(error))
            outbox.mark_failed(letter.id, f"{error}" or type(error).__name__, permanent=False)
            done.delayed += 1
        else:
            outbox.mark_sent(letter.id)
            done.sent += 1
    db.session.rollback()
    return done


def _claimed(mail_id: int) -> _Letter | None:
    mail = outbox.claim(mail_id)
    if mail is None:
        return None
    return _Letter(
        id=mail.id,
        message_id=mail.message_id,
        kind=mail.kind,
        recipient=mail.recipient,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        attachments=list(mail.attachments or []),
        written_at=mail.created_at,
    )


def _deliver(letter: _Letter) -> None:
    attachments = [_attachment(each) for each in letter.attachments]
    db.session.rollback()  # no transaction stays open during the conversation
    mailer.deliver(
        message_id=letter.message_id,
        recipient=letter.recipient,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        attachments=attachments,
        written_at=letter.written_at,
    )


def _attachment(named: dict[str, Any]) -> mailer.Attachment:
    """The bytes of ``{"storage_key"}``, ``{"invoice_id"}`` or ``{"credit_note_id"}``; _AttachmentLost for none."""
    try:
        if "invoice_id" in named:
            from app.services.invoicing import invoice_pdf_bytes

            name, data = invoice_pdf_bytes(int(named["invoice_id"]))
            return mailer.Attachment(named.get("name") or name, "application/pdf", data)
        if "credit_note_id" in named:
            from app.services.credit_note_archives import credit_note_pdf_bytes

            name, data = credit_note_pdf_bytes(int(named["credit_note_id"]))
            return mailer.Attachment(named.get("name") or name, "application/pdf", data)
        from app.services.files import storage

        data = storage().get(named["storage_key"])
        return mailer.Attachment(named["name"], named.get("media_type") or "application/octet-stream", data)
    except (FileNotStored, InvalidKey, KeyError, DomainError) as error:
        raise _AttachmentLost(f"Pièce jointe introuvable : {named.get('name', '?')}") from error


def _unknown(error: Exception) -> bool:
    return not isinstance(error, mailer.MailDelayed)
