"""REV-4: of the planted faults 95 % are found, and no clean paper raises an alert (tests/inspection_set).

Here: papers whose words are in their file, two of each fault, and a few of pictures when tesseract is there.
All of them, with what Chromium prints: ``python -m bench inspection``.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.inspection import bench
from tests.inspection_set import Case, build
from tests.inspection_set.judging import judge

pytestmark = pytest.mark.slow

Inspect = Callable[[Path], list[dict[str, Any]]]

HAS_OCR = shutil.which("tesseract") is not None
OF_WORDS = ("tax_id_in_text", "legal_name", "representative", "extract_date", "identity_n", "kind")
"""Checks that compare words: their codes begin so."""


@pytest.fixture
def inspect(app: Flask) -> Inspect:
    def run(folder: Path) -> list[dict[str, Any]]:
        arguments = ["inspect", "--cases", str(folder / "cases.json")]
        result = app.test_cli_runner().invoke(args=arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return run


@pytest.fixture
def without_tesseract(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The bench's children look for the program where there is none."""
    bench._close()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    yield
    bench._close()


def test_the_set_is_as_large_and_as_varied_as_the_issue_asks(tmp_path: Path) -> None:
    seen: list[Case] = []
    build(tmp_path, keep=lambda case: bool(seen.append(case)))
    faults = [case for case in seen if case.fault]
    assert len(faults) >= 60
    assert len({case.fault for case in faults}) >= 20
    assert len(seen) - len(faults) >= 40
    assert {case.kind for case in seen} == {"rne", "tax_card", "trade_register", "identity", "contract"}


def some_of_each() -> Callable[[Case], bool]:
    """Keeps two papers of each fault and three clean ones of five."""
    met: Counter[str | None] = Counter()

    def keep(case: Case) -> bool:
        if case.needs != "text":
            return False
        met[case.fault] += 1
        together = case.fault in ("number_of_two_names", "file_of_two_organisations")
        return together or (met[case.fault] <= 2 if case.fault else met[None] % 5 < 3)

    return keep


@pytest.mark.spec("REV-4")
def test_planted_faults_are_found_and_clean_papers_raise_no_alert(tmp_path: Path, inspect: Inspect) -> None:
    cases = build(tmp_path, keep=some_of_each())
    score = judge(cases, inspect(tmp_path))
    assert score.planted.total() >= 60
    assert len(score.planted) >= 20
    assert score.clean >= 40
    assert score.false_alarms == []
    assert score.share >= 0.95, score.table()


@pytest.mark.spec("REV-4")
@pytest.mark.skipif(not HAS_OCR, reason="tesseract reads the pictures")
def test_pictures_are_read_by_ocr_with_the_same_result(tmp_path: Path, inspect: Inspect) -> None:
    cases = build(tmp_path, keep=lambda case: case.needs == "ocr" and case.sample)
    assert 0 < len(cases) <= 4
    score = judge(cases, inspect(tmp_path))
    assert (score.missed, score.false_alarms) == ([], [])


@pytest.mark.spec("REV-3")
@pytest.mark.usefixtures("without_tesseract")
def test_without_ocr_the_words_of_a_picture_are_neither_right_nor_wrong(tmp_path: Path, inspect: Inspect) -> None:
    cases = build(tmp_path, keep=lambda case: case.needs == "ocr" and case.sample)
    answers = inspect(tmp_path)
    of_words = [answer for answer in answers if answer["check"].startswith(OF_WORDS)]
    assert {answer["file"] for answer in of_words} == {case.file for case in cases}
    assert {answer["result"] for answer in of_words} == {"unverifiable"}
    assert [answer for answer in answers if answer["result"] == "alert"] == []
