"""Extract the sentences people read to ``app/translations/messages.pot``; keep the catalogues with it.

``messages.py`` extracts, updates and compiles; ``messages.py --check`` changes nothing and fails when a sentence of the
source is missing from the template, or a translation lost or invented a placeholder.
An untranslated plural is marked fuzzy until it is translated: a compiler would otherwise give it the French forms by
the other language's rule, « 1 ans » in Arabic, instead of leaving the whole sentence to French.
The template carries no line numbers and no dates, so that it changes only when a sentence does.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "app" / "translations"
TEMPLATE = TRANSLATIONS / "messages.pot"
KEYWORDS = ("_l", "_n:1,2", "lazy_gettext", "lazy_ngettext:1,2", "lazy_pgettext:1c,2")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")


def pybabel(*arguments: str) -> None:
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


def extract(target: Path) -> None:
    keywords = [part for keyword in KEYWORDS for part in ("-k", keyword)]
    pybabel(
        "extract", "-F", "pyproject.toml", *keywords, "--no-location", "--sort-output", "--omit-header",
        "--no-wrap", "-o", str(target), ".",
    )  # fmt: skip


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def sentences(catalog: Catalog) -> set[str]:
    return {str(message.id) for message in catalog if message.id}


def placeholders(text: str) -> set[str]:
    return {first or second for first, second in PLACEHOLDER.findall(text)}


def wrong_placeholders(path: Path) -> list[str]:
    """Translations whose placeholders are not those of their sentence: they would fail when shown."""
    wrong = []
    for message in read(path):
        ids = message.id if isinstance(message.id, (list, tuple)) else [message.id]
        strings = message.string if isinstance(message.string, (list, tuple)) else [message.string]
        wanted = set().union(*(placeholders(each) for each in ids))
        wrong += [
            f"{path.relative_to(ROOT)}: {each!r}: placeholders are not those of {ids[0]!r}"
            for each in strings
            if message.id and each and not message.fuzzy and not placeholders(each) <= wanted
        ]
    return wrong


def update() -> None:
    TRANSLATIONS.mkdir(parents=True, exist_ok=True)
    extract(TEMPLATE)
    for catalogue in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")):
        locale = catalogue.parent.parent.name
        pybabel(
            "update", "-i", str(TEMPLATE), "-o", str(catalogue), "-l", locale, "--no-wrap",
            "--ignore-pot-creation-date", "--no-fuzzy-matching",
        )  # fmt: skip
        finish(catalogue)


def finish(path: Path) -> None:
    """Mark the plurals that are not translated, and compile what is: nothing is built when the product starts."""
    catalogue = read(path)
    for message in catalogue:
        if message.id and not isinstance(message.id, str):
            (message.flags.discard if any(message.string) else message.flags.add)("fuzzy")
    with path.open("wb") as file:
        write_po(file, catalogue, width=0, sort_output=True, no_location=True)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)


SHOWN = 12


def check() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "messages.pot"
        extract(fresh)
        now = sentences(read(fresh))
    known = sentences(read(TEMPLATE)) if TEMPLATE.exists() else set()
    problems = [f"not in {TEMPLATE.relative_to(ROOT)}: {each}" for each in sorted(now - known)]
    problems += [f"no longer in the source: {each}" for each in sorted(known - now)]
    if problems:
        problems.append("run: make messages")
    for catalogue in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")):
        problems += wrong_placeholders(catalogue)
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, fail when something is behind")
    if not parser.parse_args().check:
        update()
        return 0
    problems = check()
    for problem in problems[:SHOWN]:
        print(problem, file=sys.stderr)
    if len(problems) > SHOWN:
        print(f"… {len(problems) - SHOWN} more", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
