"""The storage of received and issued files that this application was configured with (SEC-3)."""

from __future__ import annotations

from flask import current_app

from app.adapters.storage import Storage, open_storage

_KEPT = "ecert_storage"


def storage() -> Storage:
    """Open the storage of ``STORAGE_URL``, once an application.

    Raises StorageConfigurationError when it cannot be used (OPS-2).
    """
    url = current_app.config["STORAGE_URL"]
    kept: tuple[str, Storage] | None = current_app.extensions.get(_KEPT)
    if kept is None or kept[0] != url:
        kept = current_app.extensions[_KEPT] = (url, open_storage(url))
    return kept[1]
