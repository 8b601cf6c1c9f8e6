"""The set that proves REV-4: papers made elsewhere, clean and faulty, written to a folder on demand (README.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.inspection_set.case import Case
from tests.inspection_set.clean import clean_cases
from tests.inspection_set.contracts import contract_cases
from tests.inspection_set.faults import faulty_cases
from tests.inspection_set.files import file_cases
from tests.inspection_set.strangers import strangers_cases
from tests.inspection_set.unseen import unseen_cases

if TYPE_CHECKING:
    Printer = Callable[[str], bytes]

__all__ = ["Case", "build"]


def build(
    folder: Path, *, printer: Printer | None = None, keep: Callable[[Case], bool] = lambda _case: True
) -> list[Case]:
    """Write the files, ``cases.json`` (as ``flask inspect --cases`` reads it) and ``expectations.json`` to a folder.

    ``printer`` turns HTML into PDF bytes (a browser's print); without one the papers it would print are left out.
    ``keep`` chooses cases before their files are drawn. Returns the cases, in order of their names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cases = sorted(filter(keep, _all(printer)), key=lambda case: case.file)
    names = [case.file for case in cases]
    if len(set(names)) != len(names):
        raise ValueError(f"two cases of one name: {sorted(name for name in names if names.count(name) > 1)}")
    for case in cases:
        (folder / case.file).write_bytes(case.make())
    _write(folder / "cases.json", [case.question() for case in cases])
    _write(folder / "expectations.json", {case.file: case.expectation() for case in cases})
    return cases


def _all(printer: Printer | None) -> Iterator[Case]:
    for part in (clean_cases, faulty_cases, file_cases, unseen_cases, strangers_cases):
        yield from part(printer)
    yield from contract_cases()


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
