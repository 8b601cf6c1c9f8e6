"""Pictures of received documents, made by the server for people to look at (REV-1, SEC-3).

The original is never opened inside our origin: what a page shows is drawn here, on the ``bench``.
"""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.errors import DomainError, NotFound
from app.inspection import bench

MEDIA_TYPE = "image/jpeg"
LOSSLESS_MEDIA_TYPE = "image/png"
THUMBNAIL_WIDTH = 240


class PictureUnavailable(DomainError):
    """The page cannot be drawn; the person can still download the file."""


def render_page(
    data: bytes,
    media_type: str,
    page: int,
    width: int,
    *,
    rotate: int = 0,
    watermark: str | None = None,
    lossless: bool = False,
) -> bytes:
    """Return a JPEG (``MEDIA_TYPE``) of the page, or a PNG when ``lossless`` (for reading codes).

    ``page`` counts from 0. ``width`` in pixels is kept between 16 and 3000, and lowered when the page's
    shape would make more than 12 million pixels. ``rotate``: clockwise degrees, a multiple of 90.
    ``watermark`` is laid over the whole picture: who looked and when, for identity copies.
    Raises NotFound for a page that is not there, PictureUnavailable when drawing fails.
    """
    if rotate % 90:
        raise ValueError("rotate must be a multiple of 90")
    _answer, picture = _ask(
        "draw_page",
        data,
        media_type=media_type,
        page=page,
        width=width,
        rotate=rotate,
        watermark=watermark,
        lossless=lossless,
    )
    return picture


def thumbnail(data: bytes, media_type: str, width: int = THUMBNAIL_WIDTH) -> bytes:
    """Return a small JPEG of the first page."""
    return render_page(data, media_type, 0, width)


def page_count(data: bytes, media_type: str) -> int:
    """Return the number of pages, 1 for a picture. Raises PictureUnavailable."""
    answer, _nothing = _ask("count_pages", data, media_type=media_type)
    pages: int = answer["pages"]
    return pages


def _ask(job: str, data: bytes, **options: Any) -> tuple[dict[str, Any], bytes]:
    try:
        return bench.ask(job, data, **options)
    except bench.JobRefused as refused:
        if refused.code == "no_such_page":
            raise NotFound(_l("Cette page n’existe pas dans le document.")) from refused
        raise PictureUnavailable(
            _l("Cette page ne peut pas être affichée. Téléchargez le fichier pour le lire.")
        ) from refused
    except bench.BenchUnavailable as error:
        raise PictureUnavailable(
            _l("L’affichage des documents est momentanément indisponible. Réessayez dans quelques minutes.")
        ) from error
