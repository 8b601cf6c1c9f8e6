"""``flask inspect``: the automatic checks on files from outside, one JSON line a finding (REV-3, REV-4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask import Flask

if TYPE_CHECKING:
    from app.inspection.declared import Declared

KINDS = ("rne", "tax_card", "trade_register", "identity", "contract")


@dataclass(frozen=True, slots=True)
class Given:
    """One case of the list; ``data`` is None when its file cannot be read, ``trouble`` says why."""

    file: str
    kind: str
    declared: dict[str, Any]
    data: bytes | None
    trouble: str = ""

    @property
    def whose(self) -> str:
        """What tells its organisation, or its person, from another's."""
        names = ("cin", "passport", "identity_number") if self.kind == "identity" else ("tax_id", "register_number")
        value = next((str(self.declared[name]) for name in names if self.declared.get(name)), "")
        return "".join(filter(str.isalnum, value)).upper()  # typed with spaces or without, it is one number


def register(app: Flask) -> None:
    """Attach the command."""

    @app.cli.command("inspect")
    @click.option("--cases", "cases_file", required=True, type=click.Path(path_type=Path), help="A JSON list of cases.")
    def inspect(cases_file: Path) -> None:
        """Check files from outside against what is declared of them; JSON lines on the standard output."""
        cases = read_cases(cases_file)
        for finding in findings_of(cases):
            click.echo(json.dumps(finding, ensure_ascii=False))


class BadCases(click.ClickException):
    """The list cannot be used: exit 2, as for a wrong option."""

    exit_code = 2


def read_cases(cases_file: Path) -> list[Given]:
    """Read the list; paths in it are relative to it. Raises BadCases (exit 2) with a sentence."""
    try:
        listed = json.loads(cases_file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadCases(f"{cases_file}: cannot be read ({error.strerror or error}).") from error
    except ValueError as error:
        raise BadCases(f"{cases_file}: not a JSON file in UTF-8 ({error}).") from error
    if not isinstance(listed, list):
        raise BadCases(f"{cases_file}: a JSON list of {{file, kind, declared}} is expected.")
    return [_case(each, place, cases_file) for place, each in enumerate(listed, 1)]


def _case(each: Any, place: int, cases_file: Path) -> Given:
    where = f"{cases_file}, case {place}"
    if not isinstance(each, dict) or not isinstance(each.get("file"), str) or not each["file"]:
        raise BadCases(f"{where}: an object with « file », « kind » and « declared » is expected.")
    if each.get("kind") not in KINDS:
        raise BadCases(f"{where}: kind {each.get('kind')!r} is none of {', '.join(KINDS)}.")
    declared = each.get("declared", {})
    if not isinstance(declared, dict):
        raise BadCases(f"{where}: « declared » must be an object.")
    for name in ("reference_date", "issued_on"):
        if declared.get(name) and not _is_day(declared[name]):
            raise BadCases(f"{where}: {name} {declared[name]!r} is no date (yyyy-mm-dd).")
    try:
        data = (cases_file.parent / each["file"]).read_bytes()
    except OSError as error:
        return Given(each["file"], each["kind"], declared, None, error.strerror or str(error))
    except ValueError as error:  # a null character in the name
        return Given(each["file"], each["kind"], declared, None, str(error))
    return Given(each["file"], each["kind"], declared, data)


def _is_day(value: object) -> bool:
    from app.inspection.declared import day_from

    return isinstance(value, str) and day_from(value) is not None


def findings_of(cases: list[Given]) -> Iterator[dict[str, Any]]:
    """Each case's findings, in the order of the list; files are read two at a time."""
    from app.inspection import bench

    roots = _roots()
    owners: dict[str, set[str]] = {}
    people: dict[str, set[str]] = {}
    for case in cases:
        if case.data:
            owners.setdefault(hashlib.sha256(case.data).hexdigest(), set()).add(case.whose)
        _note_person(case, people)
    with ThreadPoolExecutor(max_workers=bench.CHILDREN) as pool:
        for found in pool.map(lambda case: _inspected(case, owners, people, roots), cases):
            yield from found


def _note_person(case: Given, people: dict[str, set[str]]) -> None:
    number, name = str(case.declared.get("cin") or ""), _name_of(case)
    if number and name:
        people.setdefault(number, set()).add(name)


def _name_of(case: Given) -> str:
    from app.inspection.declared import declared_from

    known = declared_from(case.declared)
    return known.person if case.kind == "identity" else known.representative


def _roots() -> tuple[bytes, ...]:
    """The authorities that the settings trust; none where there is no database to ask."""
    from sqlalchemy.exc import SQLAlchemyError

    from app.services.settings import trusted_roots

    try:
        return tuple(root.pem.encode() for root in trusted_roots())
    except SQLAlchemyError:
        return ()


def _inspected(
    case: Given, owners: dict[str, set[str]], people: dict[str, set[str]], roots: tuple[bytes, ...]
) -> list[dict[str, Any]]:
    from app import clock
    from app.inspection import bench, checks, people_checks
    from app.inspection.case import Case
    from app.inspection.declared import Around, Days, Elsewhere, day_from
    from app.inspection.findings import unverifiable
    from app.inspection.text import read

    if case.data is None:
        return [_line(case, unverifiable("file_opens", found=case.trouble, why="no_such_file"))]
    try:
        reading = read(case.data, case.kind)
    except bench.BenchUnavailable as error:
        return [_line(case, unverifiable("file_opens", found=str(error), why="no_bench"))]
    day = day_from(case.declared.get("reference_date"))
    others = owners.get(hashlib.sha256(case.data).hexdigest(), set()) - {case.whose}
    same = tuple(Elsewhere(case.kind, whose) for whose in sorted(others))
    around = Around(Days(day or clock.today(), day), same)
    whole = Case(case.kind, reading, _declared(case), around, data=case.data, roots=roots + _own_roots(case))
    found = checks.run(whole, with_declared=True)
    number = str(case.declared.get("cin") or "")
    shared = people_checks.cin_names(number, _name_of(case), people.get(number, set()))
    return [_line(case, each) for each in [*found, *([shared] if shared else [])]]


def _declared(case: Given) -> Declared:
    """As declared; a foreign company's « tax_id » that is none of ours is its register's number."""
    from app.inspection.declared import TAX_ID, declared_from

    known = declared_from(case.declared)
    if case.kind == "trade_register" and not known.register_number and not TAX_ID.fullmatch(known.tax_id):
        return replace(known, tax_id="", register_number=known.tax_id)
    return known


def _own_roots(case: Given) -> tuple[bytes, ...]:
    """Authorities that the case itself brings (``declared.trusted_roots``: PEM)."""
    from app.inspection.roots import UnreadableRoots, read_roots

    given = case.declared.get("trusted_roots", "")
    try:
        return tuple(root.pem.encode() for root in read_roots(given)) if isinstance(given, str) else ()
    except UnreadableRoots:
        return ()


def _line(case: Given, finding: Any) -> dict[str, Any]:
    return {
        "file": case.file,
        "check": finding.check,
        "result": finding.result.value.lower(),
        "declared": finding.declared,
        "found": finding.found,
        "evidence": finding.evidence,
    }
