"""Where files are kept: whole or not at all, under keys that cannot leave the root (SEC-3, OPS-2)."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock
from app.adapters import storage
from app.adapters.storage import FileNotStored, InvalidKey, LocalStorage, StorageConfigurationError
from app.errors import ConfigurationError


@pytest.fixture
def disk(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "files")


def test_what_is_put_is_got_back_whole_and_in_chunks(disk: LocalStorage) -> None:
    key = storage.new_key("documents")
    data = os.urandom(3 * storage.CHUNK + 17)
    disk.put(key, data)
    assert disk.get(key) == data
    chunks = list(disk.stream(key))
    assert b"".join(chunks) == data
    assert len(chunks) == 4
    assert disk.exists(key)
    assert disk.size(key) == len(data)


def test_putting_again_replaces_whole(disk: LocalStorage) -> None:
    key = storage.new_key("documents")
    disk.put(key, b"first")
    disk.put(key, b"2")
    assert disk.get(key) == b"2"
    assert [entry.size for entry in disk.keys("documents")] == [1]


@pytest.mark.spec("SEC-3")
def test_new_keys_are_random_and_keep_the_prefix() -> None:
    keys = {storage.new_key("quarantine/2026") for _ in range(200)}
    assert len(keys) == 200
    assert all(key.startswith("quarantine/2026/") for key in keys)


@pytest.mark.spec("SEC-3")
@pytest.mark.parametrize(
    "key",
    ["", "alone", "../x", "a/../b", "/etc/passwd", "a//b", "a/b/", "a\\b/c", "a/b\0c", "a/.hidden/c", "é/a",
     "a/" + "b" * 300, "a/b\n", "A/b", "a/b c", ".", "a/.."],
)  # fmt: skip
def test_a_key_that_could_leave_the_root_is_refused_by_every_operation(disk: LocalStorage, key: str) -> None:
    good = storage.new_key("documents")
    disk.put(good, b"x")
    for action in (
        lambda: disk.put(key, b"x"),
        lambda: disk.get(key),
        lambda: disk.stream(key),
        lambda: disk.delete(key),
        lambda: disk.exists(key),
        lambda: disk.size(key),
        lambda: disk.move(good, key),
        lambda: disk.move(key, good),
    ):
        with pytest.raises(InvalidKey):
            action()


@pytest.mark.parametrize("prefix", ["", "..", "/", "a/../b", "documents/", "Docs"])
def test_a_wrong_prefix_makes_no_key(prefix: str) -> None:
    with pytest.raises(InvalidKey):
        storage.new_key(prefix)


def test_a_missing_file_is_said_at_once(disk: LocalStorage) -> None:
    key = storage.new_key("documents")
    for action in (
        lambda: disk.get(key),
        lambda: disk.stream(key),
        lambda: disk.size(key),
        lambda: disk.move(key, storage.new_key("documents")),
    ):
        with pytest.raises(FileNotStored):
            action()
    assert not disk.exists(key)


def test_deleting_twice_is_no_error(disk: LocalStorage) -> None:
    key = storage.new_key("documents")
    disk.put(key, b"x")
    assert disk.delete(key) is True
    assert disk.delete(key) is False


@pytest.mark.spec("SEC-3")
def test_leaving_quarantine_moves_the_file(disk: LocalStorage) -> None:
    held, kept = storage.new_key(storage.QUARANTINE), storage.new_key("documents")
    disk.put(held, b"checked")
    disk.move(held, kept)
    assert disk.get(kept) == b"checked"
    assert list(disk.keys(storage.QUARANTINE)) == []


def test_a_listing_names_whole_segments_with_size_and_utc_time(disk: LocalStorage) -> None:
    inside, beside = "documents/ab/one", "documents-old/ab/two"
    disk.put(inside, b"123")
    disk.put(beside, b"4")
    (entry,) = disk.keys("documents")
    assert (entry.key, entry.size) == (inside, 3)
    assert entry.modified_at.utcoffset() == timedelta(0)
    assert abs(entry.modified_at - clock.now()) < timedelta(minutes=5)
    assert {found.key for found in disk.keys("")} == {inside, beside}
    assert list(disk.keys("nothing")) == []
    with pytest.raises(InvalidKey):
        list(disk.keys("../.."))


@pytest.mark.spec("SEC-3")
def test_only_the_owner_may_read_the_files(disk: LocalStorage) -> None:
    key = storage.new_key("documents")
    disk.put(key, b"x")
    path = disk.root / key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    disk: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = storage.new_key("documents")
    disk.put(key, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        disk.put(key, b"new")
    assert disk.get(key) == b"old"
    assert [path.name for path in (disk.root / key).parent.iterdir()] == [key.rsplit("/", 1)[1]]


def test_an_interrupted_write_is_invisible_and_swept_when_old(disk: LocalStorage) -> None:
    key = storage.new_key("documents")
    disk.put(key, b"x")
    partial = (disk.root / key).with_name(".partial-0123")
    partial.write_bytes(b"half")
    assert [entry.key for entry in disk.keys("")] == [key]
    assert disk.discard_partial(clock.now() - timedelta(hours=1)) == 0
    assert disk.discard_partial(clock.now() + timedelta(hours=1)) == 1
    assert not partial.exists()
    assert disk.exists(key)


@pytest.mark.spec("OPS-2")
def test_the_address_opens_a_local_storage(tmp_path: Path) -> None:
    opened = storage.open_storage(f"file://{tmp_path}/with%20space")
    opened.put("a/b", b"x")
    assert (tmp_path / "with space" / "a" / "b").read_bytes() == b"x"


@pytest.mark.spec("OPS-2")
@pytest.mark.parametrize(
    "url, said",
    [
        ("s3://bucket", "S3"),
        ("ftp://host/x", "expected file:///"),
        ("", "expected file:///"),
        ("/var/files", "expected file:///"),
        ("file://relative/path", "three slashes"),
        ("file:///", "three slashes"),
        ("file:///dev/null/x", "cannot be used"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_configuration_error(url: str, said: str) -> None:
    with pytest.raises(StorageConfigurationError, match=said) as caught:
        storage.open_storage(url)
    assert isinstance(caught.value, ConfigurationError)
