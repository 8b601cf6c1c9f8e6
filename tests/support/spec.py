"""``make spec``: which clauses of the specification a test proves, and which none does.

The clauses are read from ``../shared/spec`` where it stands beside the project, else from
``docs/spec-clauses.txt``, which ``--write`` makes from it. Tests are read as source, not run.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SPECIFICATION = ROOT.parent / "shared" / "spec"
COMMITTED = ROOT / "docs" / "spec-clauses.txt"

# A clause begins a list item, or a sentence inside one (several share an item in chapter 7).
CLAUSE = re.compile(
    r"(?:^- |(?<=[.;] ))(?P<id>(?!UTF-)[A-Z][A-Z0-9]{2}-\d+) "
    r"(?P<text>\S.*?)(?=(?:[.;] [A-Z][A-Z0-9]{2}-\d+ )|$)"
)
WIDTH = 90


def clauses_of_specification(folder: Path = SPECIFICATION) -> dict[str, str]:
    """Clause id → its first words, in the order of the chapters."""
    found: dict[str, str] = {}
    for chapter in sorted(folder.glob("*.md")):
        for line in chapter.read_text(encoding="utf-8").splitlines():
            for match in CLAUSE.finditer(line):
                text = match["text"].strip().replace("**", "")
                found.setdefault(match["id"], text if len(text) <= WIDTH else text[: WIDTH - 1].rstrip() + "…")
    return found


def committed_clauses(path: Path = COMMITTED) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if line and not line.startswith("#"))


def clauses() -> dict[str, str]:
    """What the tests are measured against: the specification where present, else the list."""
    return clauses_of_specification() or committed_clauses()


def _named(call: ast.expr) -> Iterator[str]:
    """The ids of a ``pytest.mark.spec("A-1", "B-2")`` expression, anywhere inside ``call``."""
    for node in ast.walk(call):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "spec":
            yield from (
                each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def _marks(body: list[ast.stmt]) -> list[str]:
    """Ids of a module's or class's ``pytestmark``."""
    return [
        each
        for statement in body
        if isinstance(statement, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in statement.targets)
        for each in _named(statement.value)
    ]


def _walk(body: list[ast.stmt], inherited: list[str], where: str) -> Iterator[tuple[str, str]]:
    inherited = inherited + _marks(body)
    for node in body:
        if isinstance(node, ast.ClassDef):
            own = [each for decorator in node.decorator_list for each in _named(decorator)]
            yield from _walk(node.body, inherited + own, f"{where}::{node.name}")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            own = [each for decorator in node.decorator_list for each in _named(decorator)]
            for clause in dict.fromkeys(inherited + own):
                yield clause, f"{where}::{node.name}"


def proofs(folder: Path = ROOT / "tests") -> dict[str, list[str]]:
    """Clause id → the tests that name it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        where = str(path.relative_to(folder.parent))
        for clause, test in _walk(ast.parse(path.read_text(encoding="utf-8")).body, [], where):
            found[clause].append(test)
    return dict(found)


def write() -> None:
    lines = [
        "# Clauses of the specification: id, tab, first words.",
        "# Made by `python -m tests.support.spec --write`.",
    ]
    lines += [f"{clause}\t{text}" for clause, text in clauses_of_specification().items()]
    COMMITTED.write_text("\n".join(lines) + "\n", encoding="utf-8")


def report(*, verbose: bool = False) -> int:
    known, proved = clauses(), proofs()
    covered = [clause for clause in known if clause in proved]
    missing = [clause for clause in known if clause not in proved]
    unknown = sorted(set(proved) - set(known))
    if verbose:
        for clause in covered:
            print(f"{clause:8}{len(proved[clause]):4} tests  {known[clause]}")
            for test in proved[clause]:
                print(f"            {test}")
    else:
        print("With a test:", ", ".join(f"{clause} ({len(proved[clause])})" for clause in covered) or "none")
    print(f"\nWithout a test ({len(missing)} of {len(known)}):")
    for clause in missing:
        print(f"{clause:8}{known[clause]}")
    for clause in unknown:
        print(f"no such clause: {clause}, named by {', '.join(proved[clause])}")
    print(f"\n{len(covered)} of {len(known)} clauses have a test.")
    return 1 if unknown else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="make docs/spec-clauses.txt from ../shared/spec")
    parser.add_argument("-v", "--verbose", action="store_true", help="name the tests of each clause")
    options = parser.parse_args()
    if options.write:
        write()
        return 0
    return report(verbose=options.verbose)


if __name__ == "__main__":
    sys.exit(main())
