"""Receiving a file: what it is, whether it can be kept, and why not in a sentence (SEC-3, ORG-4).

The content decides, never the name or the type that the browser claims. Everything that parses the
file runs on the ``bench``; here are the sizes, the signatures and the sentences.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from babel.numbers import format_decimal
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from app.errors import DomainError
from app.inspection import bench
from app.inspection.opening import GIF, JPEG, MAX_PDF_PAGES, PDF, PNG

MIB = 1024 * 1024
MAX_SIZE = 10 * MIB  # bytes, inclusive
MAX_NAME = 120

KINDS = {"pdf": PDF, "jpeg": JPEG, "png": PNG, "gif": GIF}
EXTENSIONS = {PDF: "pdf", JPEG: "jpg", PNG: "png"}  # of what is kept; a GIF is kept as PNG
_LABELS = {"pdf": "PDF", "jpeg": "JPG", "png": "PNG", "gif": "GIF"}


class UploadRefused(DomainError):
    """The file is not kept. ``code`` says why for tests and figures, ``message`` for the person."""

    def __init__(self, code: str, message: object, *, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.code = code


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """A file that may be kept.

    ``data`` is what to store: a PDF byte for byte, a picture written anew. ``sha256`` and ``size`` are
    those of what was received, ``width`` and ``height`` pixels of a picture, points of a PDF's first
    page. ``notes`` are codes of ``NOTES``.
    """

    media_type: str
    data: bytes
    pages: int
    width: int
    height: int
    sha256: str
    size: int
    original_name: str
    notes: tuple[str, ...]

    @property
    def extension(self) -> str:
        """The extension of what is kept, without dot."""
        return EXTENSIONS[self.media_type]


NOTES: dict[str, LazyString] = {
    "first_frame": _l("Image animée : seule la première vue est gardée."),
    "converted_to_png": _l("Image GIF gardée au format PNG."),
    "scaled_down": _l("Image très grande, réduite à une taille lisible."),
    "owner_password": _l("PDF protégé contre la modification, lisible sans mot de passe."),
    "repaired": _l("PDF mal construit mais lisible."),
}

REASONS: dict[str, Callable[..., LazyString]] = {
    "empty": lambda: _l("Ce fichier est vide (0 octet). Choisissez-le à nouveau, ou numérisez-le encore une fois."),
    "too_large": lambda limit, found: _l(
        "Ce fichier dépasse %(limit)s Mo (il en fait %(found)s). Réduisez-le ou numérisez-le en 200 dpi.",
        limit=limit,
        found=found,
    ),
    "wrong_kind": lambda allowed: _l(
        "Ce fichier n’est pas d’un format accepté (%(allowed)s), quel que soit son nom. "
        "Enregistrez ou numérisez le document dans l’un de ces formats.",
        allowed=allowed,
    ),
    "other_kind": lambda found, allowed: _l(
        "Ce fichier est au format %(found)s, qui n’est pas accepté. "
        "Enregistrez ou exportez-le dans l’un de ces formats : %(allowed)s.",
        found=found,
        allowed=allowed,
    ),
    "encrypted": lambda: _l(
        "Ce PDF est protégé par un mot de passe. Enregistrez-le sans mot de passe, puis envoyez-le de nouveau."
    ),
    "script": lambda: _l(
        "Ce PDF contient un programme (JavaScript). Imprimez-le au format PDF, puis envoyez la copie obtenue."
    ),
    "active_content": lambda: _l(
        "Ce PDF contient des actions automatiques ou des médias. "
        "Imprimez-le au format PDF, puis envoyez la copie obtenue."
    ),
    "attachment": lambda: _l(
        "Ce PDF contient des fichiers joints. Enregistrez-le sans pièces jointes, "
        "ou imprimez-le au format PDF, puis envoyez la copie obtenue."
    ),
    "dynamic_form": lambda: _l(
        "Ce PDF est un formulaire dynamique (XFA). Imprimez-le au format PDF, puis envoyez la copie obtenue."
    ),
    "too_many_pages": lambda limit, found: _l(
        "Ce PDF compte %(found)s pages, le maximum est de %(limit)s. Envoyez seulement les pages demandées.",
        limit=limit,
        found=found,
    ),
    "no_page": lambda: _l("Ce PDF ne contient aucune page. Exportez ou numérisez de nouveau le document."),
    "page_too_large": lambda page: _l(
        "La page %(page)s de ce PDF est démesurée (plus de 5 mètres). Imprimez-le au format PDF en A4.",
        page=page,
    ),
    "too_many_pixels": lambda limit, found=None: _l(
        "Cette image est trop grande (plus de %(limit)s millions de points). "
        "Réduisez-la ou numérisez le document en 200 dpi.",
        limit=limit,
    ),
    "truncated": lambda: _l(
        "Ce PDF est incomplet : sa fin manque. Téléchargez-le ou exportez-le de nouveau, puis renvoyez-le."
    ),
    "broken_pdf": lambda: _l(
        "Ce PDF est endommagé et ne peut pas être ouvert. Exportez-le ou numérisez-le de nouveau, puis renvoyez-le."
    ),
    "broken_picture": lambda: _l(
        "Cette image est endommagée ou incomplète et ne peut pas être ouverte. "
        "Reprenez la photo ou numérisez de nouveau le document."
    ),
    "too_complex": lambda: _l(
        "Ce fichier demande trop de temps ou de mémoire pour être contrôlé. "
        "Numérisez le document en 200 dpi, puis envoyez la copie obtenue."
    ),
    "unavailable": lambda: _l(
        "Le contrôle des fichiers est momentanément indisponible. Réessayez dans quelques minutes."
    ),
}

# What people send most often by mistake; named so that they know what to do.
_OTHER_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyphei", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypavif", "AVIF"),
    (8, b"WEBP", "WebP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"BM", "BMP"),
    (0, b"\xd0\xcf\x11\xe0", "Word / Excel"),
    (0, b"{\\rtf", "RTF"),
    (0, b"Rar!", "RAR"),
    (0, b"7z\xbc\xaf", "7-Zip"),
)


def read_upload(
    data: bytes,
    filename: str,
    *,
    limit: int = MAX_SIZE,
    allowed: Iterable[str] = tuple(KINDS),
    max_pages: int = MAX_PDF_PAGES,
) -> IntakeResult:
    """Decide what the received bytes are and return what may be kept of them.

    ``limit`` is in bytes, inclusive; ``allowed`` holds keys of ``KINDS``. Raises UploadRefused, and
    nothing else, whatever the bytes are.
    """
    if len(data) == 0:
        raise refusal("empty")
    check_size(len(data), limit)
    media_type = _kind_of(data, set(allowed))
    try:
        if media_type == PDF:
            answer, _nothing = bench.ask("open_pdf", data, max_pages=max_pages)
            kept = data
        else:
            answer, kept = bench.ask("open_picture", data, media_type=media_type)
    except bench.JobRefused as refused:
        code = refused.code
        if code not in REASONS:
            code = "broken_pdf" if media_type == PDF else "broken_picture"
        raise refusal(code, **(refused.details if code == refused.code else {})) from refused
    except bench.BenchUnavailable as error:
        raise refusal("unavailable") from error
    return IntakeResult(
        media_type=answer["media_type"],
        data=kept,
        pages=answer["pages"],
        width=answer["width"],
        height=answer["height"],
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        original_name=display_name(filename),
        notes=tuple(answer["notes"]),
    )


def check_size(size: int, limit: int = MAX_SIZE) -> None:
    """Raise UploadRefused("too_large") over the limit (bytes, inclusive); usable before reading it all."""
    if size > limit:
        found = -(-size * 10 // MIB) / 10  # rounded up: one byte too many never reads « 10 »
        raise refusal("too_large", limit=_Number(limit / MIB), found=_Number(found))


def refusal(code: str, **details: Any) -> UploadRefused:
    """Make the refusal of that code of ``REASONS``, with its sentence."""
    return UploadRefused(code, REASONS[code](**details))


def display_name(filename: str) -> str:
    """Return the name as it may be shown: no folder, no invisible or direction-changing character."""
    name = unicodedata.normalize("NFC", filename.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(" " if c.isspace() else c for c in name if c.isspace() or unicodedata.category(c)[0] != "C")
    name = " ".join(name.split()).strip(". ")
    if len(name) > MAX_NAME:
        stem, dot, extension = name.rpartition(".")
        tail = dot + extension if stem and len(extension) <= 5 else ""
        name = name[: MAX_NAME - 1 - len(tail)].rstrip() + "…" + tail
    return name or "document"


def _kind_of(data: bytes, allowed: set[str]) -> str:
    """Return the media type by our own signatures; raise UploadRefused for any other kind."""
    kind = None
    head = data[:1024]
    if head.startswith(b"\xff\xd8\xff"):
        kind = "jpeg"
    elif head.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = "png"
    elif head.startswith((b"GIF87a", b"GIF89a")):
        kind = "gif"
    elif head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\0\t\n\f\r ").startswith(b"%PDF-"):
        kind = "pdf"
    if kind in allowed:
        return KINDS[kind]
    labels = ", ".join(_LABELS[name] for name in KINDS if name in allowed)
    found = _LABELS[kind] if kind else _other_kind(data)
    if found:
        raise refusal("other_kind", found=found, allowed=labels)
    raise refusal("wrong_kind", allowed=labels)


def _other_kind(data: bytes) -> str | None:
    if data.startswith(b"PK\x03\x04"):
        for folder, label in ((b"word/", "Word"), (b"xl/", "Excel"), (b"ppt/", "PowerPoint")):
            if folder in data[:65536] or folder in data[-65536:]:
                return label
        return "ZIP"
    for offset, signature, label in _OTHER_KINDS:
        if data.startswith(signature, offset):
            return label
    return None


class _Number:
    """A figure of a sentence, written in the reader's language when the sentence is shown."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __str__(self) -> str:
        return format_decimal(self.value, format="#,##0.#", locale=get_locale() or "fr")
