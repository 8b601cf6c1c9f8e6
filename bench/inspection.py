"""``python -m bench inspection``: the whole set of planted faults through ``flask inspect``, pictures read by OCR.

Prints what was found by kind, what was missed, false alarms and seconds (REV-4). Papers printed by Chromium take
part when there is one (``CHROMIUM`` names it). ``--without-ocr`` leaves out what must be read off a picture.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def chromium_printer() -> Iterator[Callable[[str], bytes] | None]:
    """HTML in, PDF out; None where there is no browser."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        print("no Chromium: the papers it prints are left out")
        yield None
        return
    from playwright.sync_api import Page, sync_playwright

    def opened() -> Page:
        playwright = sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-quic"])
        return browser.new_page()

    def printed(page: Page, html: str) -> bytes:
        page.set_content(html)
        return page.pdf(format="A4", print_background=True)

    # Playwright keeps a loop running in its thread, where pyHanko could not run its own
    with ThreadPoolExecutor(max_workers=1) as thread:
        page = thread.submit(opened).result()
        yield lambda html: thread.submit(printed, page, html).result()
        thread.submit(page.context.browser.close).result()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench inspection", description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder for the files and the answers")
    parser.add_argument("--without-ocr", action="store_true")
    options = parser.parse_args(arguments)
    logging.disable(logging.INFO)

    from tests.inspection_set import build
    from tests.inspection_set.judging import judge

    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        begun = time.perf_counter()
        with chromium_printer() as printer:
            cases = build(folder, printer=printer, keep=lambda case: case.needs == "text" or not options.without_ocr)
        print(f"{len(cases)} files drawn in {time.perf_counter() - begun:.1f} s")
        begun = time.perf_counter()
        answers = inspected(folder)
        seconds = time.perf_counter() - begun
    score = judge(cases, answers)
    print(score.table())
    print(f"{seconds:.1f} s, {seconds / len(cases) * 1000:.0f} ms a file")
    return 0 if score.share >= 0.95 and not score.false_alarms else 1


def inspected(folder: Path) -> list[dict[str, object]]:
    """The answers of ``flask inspect --cases`` over the folder; also left beside the cases."""
    from app import create_app

    with tempfile.TemporaryDirectory() as var:
        app = create_app(
            "testing",
            {
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{var}/none.sqlite",
                "STORAGE_URL": Path(var).as_uri(),
                "VAR_DIRECTORY": var,
            },
        )
        result = app.test_cli_runner().invoke(args=["inspect", "--cases", str(folder / "cases.json")])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    (folder / "answers.jsonl").write_text(result.stdout, encoding="utf-8")
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
