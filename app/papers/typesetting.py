"""Typst: data in as JSON texts, never as markup; a PDF/A-3 out, the same bytes for the same data."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from app.papers.characters import printable
from app.papers.data import Attachment, PaperError

if TYPE_CHECKING:
    import typst

FOLDER: Final = Path(__file__).parent
FONTS: Final = FOLDER / "fonts"
STANDARD: Final = "a-3b"

_one_at_a_time = Lock()


@cache
def _compiler() -> "typst.Compiler":
    """One compiler a process: it keeps the fonts and what it has read; imported here since it is heavy."""
    import typst

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(root=str(FOLDER), font_paths=fonts, ignore_system_fonts=True)


def typeset(
    template: str, data: Mapping[str, Any], *, created: datetime, attachments: Sequence[Attachment] = (), qr: str = ""
) -> bytes:
    """Print `data` (JSON values) with ``<template>.typ`` as PDF/A-3b; `created` (aware) dates the file.

    `qr` is an SVG of our own making. Nothing of the machine goes in: no system font, no clock. Raises
    `PaperError` for an attachment without a plain file name.
    """
    inputs = {"data": json.dumps(printable(data), ensure_ascii=False), "files": _files(attachments), "qr": qr}
    with _one_at_a_time:
        pdf = _compiler().compile(
            input=str(FOLDER / f"{template}.typ"),
            format="pdf",
            sys_inputs=inputs,
            pdf_standards=STANDARD,
            timestamp=int(created.timestamp()),
        )
    if not isinstance(pdf, bytes):
        raise PaperError("typst gave no single file")
    return pdf


def _files(attachments: Sequence[Attachment]) -> str:
    files = []
    for file in attachments:
        if not file.name or "/" in file.name or "\\" in file.name:
            raise PaperError("an attachment needs a plain file name")
        files.append(
            {
                "name": file.name,
                "mime": file.mime,
                "description": file.description or file.name,
                "bytes": list(file.data),
            }
        )
    return json.dumps(files, ensure_ascii=False)


def day(value: date | None) -> str:
    """``22/11/2026``, or nothing."""
    return value.strftime("%d/%m/%Y") if value else ""
