"""Real SMTP through Flask-Mail, with what it lacks: a timeout, STARTTLS that checks the certificate, an honest end.

What went wrong decides what happens to the mail, so three things are told apart: the server cannot be used at all
(nothing was said about this mail), this mail may pass later, this mail never will.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email import charset
from email.mime.text import MIMEText
from types import TracebackType

from flask import current_app
from flask_mail import BadHeaderError, Connection, Message


class MailRefused(Exception):
    """The server said no to this mail for good (5xx), or it cannot be put together: trying again is useless."""


class MailDelayed(Exception):
    """The conversation about this mail broke off, or it met a temporary refusal (4xx): try it again later."""


class MailServerDown(Exception):
    """No conversation could be opened (address, TLS, login, 421): no mail would pass, and none is to blame."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail."""

    name: str
    media_type: str
    data: bytes


def deliver(
    *,
    message_id: str,
    recipient: str,
    subject: str,
    text: str,
    html: str,
    attachments: list[Attachment],
    written_at: datetime | None = None,
) -> None:
    """Send one mail to one recipient; several would hide a refused one (MAI-1).

    Returns once the server has taken it, and only then. Raises MailRefused, MailDelayed, MailServerDown. Each
    step gives up after MAIL_TIMEOUT seconds.
    """
    message = _Letter(
        subject=subject,
        recipients=[recipient],
        body=text,
        html=html,
        sender=current_app.config["MAIL_DEFAULT_SENDER"],
        date=written_at.timestamp() if written_at else None,
        extra_headers={"Auto-Submitted": "auto-generated"},
    )
    message.msgId = message_id
    for attachment in attachments:
        message.attach(attachment.name, attachment.media_type, attachment.data)
    connection = CheckedConnection(current_app.extensions["mail"])
    try:
        connection.__enter__()
    except (OSError, smtplib.SMTPException) as error:
        raise MailServerDown(_sentence(error)) from error
    try:
        connection.send(message)
    except smtplib.SMTPServerDisconnected as error:
        raise MailDelayed(_sentence(error)) from error
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
        raise _verdict(_code(error))(_sentence(error)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailDelayed(_sentence(error)) from error
    except (
        BadHeaderError,
        ValueError,
        LookupError,
        AssertionError,
    ) as error:  # an address or a header no message can carry
        raise MailRefused(_sentence(error)) from error
    finally:
        connection.__exit__(None, None, None)


class _Letter(Message):
    """Flask-Mail's message, its texts quoted-printable.

    As they came, a line of HTML that names forty certificates is longer than the 998 bytes a mail's line may have
    (RFC 5321, 4.5.3.1.6): servers refuse such a mail for good, and it would be dead at its first try.
    """

    def _mimetext(self, text: str | None, subtype: str = "plain") -> MIMEText:
        encoding = charset.Charset("utf-8")
        encoding.body_encoding = charset.QP
        return MIMEText(text or "", subtype, encoding)  # type: ignore[arg-type]  # takes a Charset, typed as a name


class CheckedConnection(Connection):
    """Flask-Mail's connection, but it gives up in time and its STARTTLS verifies the server."""

    def configure_host(self) -> smtplib.SMTP:
        """Open the conversation as far as EHLO, TLS and login. Raises OSError or SMTPException."""
        host = smtplib.SMTP(self.mail.server, self.mail.port, timeout=current_app.config["MAIL_TIMEOUT"])
        try:
            if self.mail.use_tls:
                host.starttls(context=ssl.create_default_context())
            host.ehlo_or_helo_if_needed()
            if self.mail.username and self.mail.password:
                host.login(self.mail.username, self.mail.password)
        except BaseException:
            host.close()
            raise
        return host

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Say goodbye; a server that is gone by then has still taken the mail."""
        if self.host is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self.host.quit()
            self.host.close()


def _verdict(code: int) -> type[Exception]:
    if code == 421:
        return MailServerDown
    return MailRefused if 500 <= code < 600 else MailDelayed


def _code(error: smtplib.SMTPException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, _answer = next(iter(error.recipients.values()))
        return int(code)
    return int(getattr(error, "smtp_code", 0))


def _sentence(error: Exception) -> str:
    """What the list of dead mails shows: the server's code and words, or what failed on the way."""
    code: int
    answer: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, answer = error.smtp_code, error.smtp_error
    else:
        return f"{type(error).__name__}: {error}"
    words = answer if isinstance(answer, str) else answer.decode("utf-8", "replace")
    return f"{code} {' '.join(words.split())}"
