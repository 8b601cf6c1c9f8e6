"""Where received and issued files are kept: outside any web root, under names nobody can guess (SEC-3).

A storage is a flat map from keys to bytes. Keys are made here, never from what a person typed:
``documents/ab/ab3f…`` for what is kept, ``quarantine/…`` for what is not checked yet.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from app.errors import ConfigurationError

QUARANTINE = "quarantine"
CHUNK = 64 * 1024
MAX_KEY_LENGTH = 200

_SEGMENT = r"[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9]+)?"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})+")
_PREFIX = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_PARTIAL = ".partial-"


class StorageError(Exception):
    """Something is wrong with the storage itself; never shown as it is to a person."""


class InvalidKey(StorageError, ValueError):
    """The key is not one that ``new_key`` could have made (a traversal, an absolute path…)."""


class FileNotStored(StorageError, LookupError):
    """No file is kept under this key."""


class StorageConfigurationError(ConfigurationError, StorageError):
    """``STORAGE_URL`` cannot be used; the sentence says why, for the operator."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One entry of a listing: its size in bytes, its last change in UTC."""

    key: str
    size: int
    modified_at: datetime


class Storage(Protocol):
    """What the services may ask; ``LocalStorage`` is the first of them."""

    def put(self, key: str, data: bytes) -> None:
        """Keep the bytes under the key, whole or not at all; durable when it returns."""

    def get(self, key: str) -> bytes:
        """Return the bytes; raise FileNotStored."""

    def stream(self, key: str) -> Iterator[bytes]:
        """Return the bytes in chunks; raise FileNotStored at the call, before the first chunk."""

    def delete(self, key: str) -> bool:
        """Forget the file; say whether it was there (deleting twice is no error)."""

    def exists(self, key: str) -> bool:
        """Say whether a file is kept under the key."""

    def size(self, key: str) -> int:
        """Return its size in bytes; raise FileNotStored."""

    def move(self, source: str, destination: str) -> None:
        """Give the file another key (out of quarantine); raise FileNotStored."""

    def keys(self, prefix: str = "") -> Iterator[StoredFile]:
        """List the files whose key starts with these whole segments, in no promised order."""


def new_key(prefix: str) -> str:
    """Make a random key under the prefix: ``documents`` gives ``documents/ab/<32 hex digits>``."""
    if not _PREFIX.fullmatch(prefix):
        raise InvalidKey(f"not a storage prefix: {prefix!r}")
    name = uuid.uuid4().hex
    return check_key(f"{prefix}/{name[-2:]}/{name}")


def check_key(key: str) -> str:
    """Return the key when it is well formed; raise InvalidKey otherwise."""
    if len(key) > MAX_KEY_LENGTH or not _KEY.fullmatch(key):
        raise InvalidKey(f"not a storage key: {key[:80]!r}")
    return key


def open_storage(url: str) -> Storage:
    """Open the storage that ``STORAGE_URL`` names (``file:///var/lib/ecert``).

    Raises StorageConfigurationError, in one sentence for the operator, when it cannot be used (OPS-2).
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        raise StorageConfigurationError(
            "STORAGE_URL: S3 storage is not supported by this version; use file:///absolute/path."
        )
    if parts.scheme != "file":
        raise StorageConfigurationError(f"STORAGE_URL: expected file:///absolute/path, got {url!r}.")
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.path == "/":
        raise StorageConfigurationError(
            f"STORAGE_URL: a local storage needs three slashes and an absolute path, got {url!r}."
        )
    try:
        return LocalStorage(Path(unquote(parts.path)))
    except OSError as error:
        reason = error.strerror or error
        raise StorageConfigurationError(f"STORAGE_URL: {parts.path} cannot be used ({reason}).") from error


class LocalStorage:
    """Files on a disk of this machine, readable by the product's own user only."""

    def __init__(self, root: Path) -> None:
        """Create the root when it is not there; raise OSError when it cannot be written."""
        self.root = root.resolve()
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(13, "not writable", str(self.root))

    def put(self, key: str, data: bytes) -> None:
        """Keep the bytes: a partial file, fsync, rename, fsync of the folder."""
        target = self._path(key)
        self._make_folder(target.parent)
        partial = target.with_name(f"{_PARTIAL}{secrets.token_hex(8)}")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)

    def get(self, key: str) -> bytes:
        """Return the bytes; raise FileNotStored."""
        with self._open(key) as handle:
            return handle.read()

    def stream(self, key: str) -> Iterator[bytes]:
        """Return the bytes in chunks; raise FileNotStored at the call, before the first chunk."""
        return _chunks(self._open(key))

    def delete(self, key: str) -> bool:
        """Forget the file; say whether it was there."""
        target = self._path(key)
        try:
            target.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        _sync_folder(target.parent)
        return True

    def exists(self, key: str) -> bool:
        """Say whether a file is kept under the key."""
        return self._path(key).is_file()

    def size(self, key: str) -> int:
        """Return its size in bytes; raise FileNotStored."""
        target = self._path(key)
        if not target.is_file():
            raise FileNotStored(key)
        return target.stat().st_size

    def move(self, source: str, destination: str) -> None:
        """Rename the file; raise FileNotStored."""
        origin, target = self._path(source), self._path(destination)
        if not origin.is_file():
            raise FileNotStored(source)
        self._make_folder(target.parent)
        try:
            origin.replace(target)
        except FileNotFoundError as error:
            raise FileNotStored(source) from error
        _sync_folder(target.parent)
        _sync_folder(origin.parent)

    def keys(self, prefix: str = "") -> Iterator[StoredFile]:
        """List the files under these whole segments; files that vanish meanwhile are left out."""
        if prefix and not _PREFIX.fullmatch(prefix.rstrip("/")):
            raise InvalidKey(f"not a storage prefix: {prefix!r}")
        start = self.root / prefix.rstrip("/") if prefix else self.root
        for folder, _folders, names in os.walk(start):
            for name in names:
                path = Path(folder, name)
                key = path.relative_to(self.root).as_posix()
                if not _KEY.fullmatch(key):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    status = path.stat()
                    modified_at = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield StoredFile(key, status.st_size, modified_at)

    def discard_partial(self, before: datetime) -> int:
        """Delete what writes that never ended (a crash) left behind; return how many."""
        count = 0
        for path in self.root.rglob(f"{_PARTIAL}*"):
            with contextlib.suppress(FileNotFoundError):
                if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                    path.unlink()
                    count += 1
        return count

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise FileNotStored(key) from error

    def _make_folder(self, folder: Path) -> None:
        """Create the missing folders, each made durable in the one above it."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(folder.parent)


def _chunks(handle: BinaryIO) -> Iterator[bytes]:
    with handle:
        while chunk := handle.read(CHUNK):
            yield chunk


def _sync_folder(folder: Path) -> None:
    """Make a rename or a deletion survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
