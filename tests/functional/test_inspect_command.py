"""``flask inspect``: what it does with lists and files that are not right (REV-4)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask

from app.inspection import text
from tests.unit.inspected_papers import EXTRACT, reading

pytestmark = pytest.mark.spec("REV-3", "REV-4")


def run(app: Flask, cases: Path) -> tuple[int, list[dict[str, str]], str]:
    result = app.test_cli_runner().invoke(args=["inspect", "--cases", str(cases)])
    lines = [json.loads(line) for line in result.stdout.splitlines()] if result.exit_code == 0 else []
    return result.exit_code, lines, result.output


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("nope", "not a JSON file"),
        ("{}", "a JSON list"),
        ('[{"kind": "rne"}]', "case 1"),
        ('[{"file": "a.pdf", "kind": "facture"}]', "is none of rne"),
        ('[{"file": "a.pdf", "kind": "rne", "declared": 1}]', "must be an object"),
        ('[{"file": "a.pdf", "kind": "rne", "declared": {"reference_date": "31/12/2026"}}]', "is no date"),
    ],
)
def test_a_bad_list_is_refused_in_a_sentence(app: Flask, tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "cases.json").write_text(written)
    code, _lines, output = run(app, tmp_path / "cases.json")
    assert code == 2
    assert said in output
    assert run(app, tmp_path / "absent.json")[0] == 2


def test_each_file_is_checked_by_itself_and_a_shared_one_is_told(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "read", lambda _data, _kind: reading(EXTRACT))
    for name, data in (("a.pdf", b"one"), ("b.pdf", b"one"), ("c.pdf", b"two")):
        (tmp_path / name).write_bytes(data)
    declared = {"tax_id": "1234567R", "reference_date": "2026-11-20", "odd": [1]}
    cases = [
        {"file": "a.pdf", "kind": "rne", "declared": declared},
        {"file": "b.pdf", "kind": "rne", "declared": declared | {"tax_id": "7654321C"}},
        {"file": "c.pdf", "kind": "rne", "declared": declared | {"reference_date": "2027-06-01"}},
        {"file": "gone.pdf", "kind": "rne", "declared": {}},
    ]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    code, lines, _output = run(app, tmp_path / "cases.json")
    assert code == 0
    assert set(lines[0]) == {"file", "check", "result", "declared", "found", "evidence"}
    found = {(line["file"], line["check"]): line["result"] for line in lines}
    assert [found[name, "same_file"] for name in ("a.pdf", "b.pdf", "c.pdf")] == ["alert", "alert", "ok"]
    assert [found[name, "tax_id_in_text"] for name in ("a.pdf", "b.pdf")] == ["ok", "alert"]
    assert [found[name, "extract_age"] for name in ("a.pdf", "c.pdf")] == ["ok", "alert"]
    assert [line["result"] for line in lines if line["file"] == "gone.pdf"] == ["unverifiable"]
