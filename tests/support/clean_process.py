"""Imported once by the server that ``processes.spawn`` forks from: everything an application needs is loaded there.

Nothing may print a paper here, nor open a connection.
"""

from __future__ import annotations

import tempfile

import lxml.etree
import pikepdf
import segno
import typst

from app import create_app
from tests.support import killing

__all__ = ["killing", "lxml", "pikepdf", "segno", "typst"]

with tempfile.TemporaryDirectory() as _folder:
    create_app(
        "testing",
        {"SQLALCHEMY_DATABASE_URI": "sqlite://", "VAR_DIRECTORY": _folder, "STORAGE_URL": f"file://{_folder}"},
    )
