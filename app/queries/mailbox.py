"""The development mailbox: mails kept as files by the mail sandbox, read back for its page (MAI-2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_binary_file, policy
from email.message import EmailMessage, MIMEPart
from pathlib import Path

from app.errors import NotFound

_NAME = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # no page may hold them
SHOWN = 200


@dataclass(frozen=True, slots=True)
class KeptFile:
    """An attachment."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptMail:
    """One mail as the server received it; ``key`` names it in addresses."""

    key: str
    received_at: datetime
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    attachments: tuple[KeptFile, ...]


def kept_mails(directory: Path, recipient: str = "") -> list[KeptMail]:
    """The latest mails, newest first; ``recipient`` narrows to addresses that hold it."""
    wanted = recipient.strip().lower()
    found: list[KeptMail] = []
    for path in sorted(directory.glob("*.eml"), reverse=True):
        if len(found) >= SHOWN:
            break
        if _NAME.fullmatch(path.stem):
            try:
                mail = _read(path)
            except FileNotFoundError:  # deleted meanwhile
                continue
            if wanted in mail.recipient.lower():
                found.append(mail)
    return found


def kept_mail(directory: Path, key: str) -> KeptMail:
    """One mail. Raises NotFound."""
    path = directory / f"{key}.eml"
    if not _NAME.fullmatch(key) or not path.is_file():
        raise NotFound("")
    return _read(path)


def _read(path: Path) -> KeptMail:
    with path.open("rb") as file:
        message = message_from_binary_file(file, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what this policy makes
    stamp = path.stem.partition("-")[0]
    return KeptMail(
        key=path.stem,
        received_at=datetime.strptime(stamp, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC),
        sender=str(message["From"] or ""),
        recipient=", ".join(str(each) for each in message.get_all("X-Envelope-To", [])) or str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        attachments=tuple(
            KeptFile(part.get_filename() or "piece", part.get_content_type(), _bytes(part))
            for part in message.iter_attachments()
        ),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        text = str(part.get_content())
    except (LookupError, ValueError):  # an unknown charset
        text = _bytes(part).decode("utf-8", "replace")
    return _CONTROL.sub("\ufffd", text)


def _bytes(part: MIMEPart) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else part.as_bytes()
