"""``make bench``: how long the portal takes, on this machine, on a fresh SQLite database.

Each line is the median of many runs in one process. ``--database URL`` takes another database (emptied of
nothing: it is migrated, and reference data is loaded, when it has none). ``lists``: see
``bench/lists.py``. Figures are for comparing two commits
on one machine, not for quoting.

``python -m bench inspection`` weighs the automatic checks instead (bench/inspection.py), ``money`` races, kills and
forges payments (bench/money.py), ``logins`` times refusals (bench/logins.py), ``invoices`` counts invoices a minute
(bench/invoices.py), ``jobs`` kills schedulers and sends mail through a bad server (bench/jobs.py),
``orders`` times a bulk order of 500 people (bench/order_files.py).
"""

from __future__ import annotations

import argparse
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).resolve().parent.parent
# Pages anyone may ask for; the others need a person logged in and are measured by the tests' statement counts.
PUBLIC_PAGES = ("/", "/inscription", "/suivi", "/healthz")


@contextmanager
def counted_statements(app: Flask | None = None) -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    from sqlalchemy import event

    from app.extensions import db

    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def median_ms(work: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Milliseconds of the middle run, after a few that warm the caches.

    ``clock=time.process_time``: of this process's processor alone, which a busy machine does not lengthen so much.
    """
    taken = []
    for run in range(times + 3):
        begun = clock()
        work()
        if run >= 3:
            taken.append((clock() - begun) * 1000)
    return statistics.median(taken)


def line(what: str, milliseconds: float, note: str = "") -> None:
    print(f"{what:44}{milliseconds:10.1f} ms   {note}".rstrip())


def bench_start() -> None:
    """Import and build, in processes of their own: what a restart costs."""
    for what, code in (
        ("import app", "import app"),
        ("create_app", "from app import create_app; create_app('testing')"),
    ):
        line(what, median_ms(lambda code=code: subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True), 5))


def bench_pages(app: Flask, times: int) -> None:
    client = app.test_client()
    for path in PUBLIC_PAGES:
        status = client.get(path).status_code
        if status != 200:
            line(path, 0, f"answered {status}")
            continue
        with app.app_context(), counted_statements(app) as statements:
            client.get(path)
        line(f"GET {path}", median_ms(lambda path=path: client.get(path), times), f"{len(statements)} statements")


def main() -> int:
    if sys.argv[1:2] == ["inspection"]:
        from bench import inspection

        return inspection.main(sys.argv[2:])
    if sys.argv[1:2] == ["orders"]:
        from bench import order_files

        return order_files.main(sys.argv[2:])
    if sys.argv[1:2] == ["desk"]:
        from bench import desk

        return desk.main(sys.argv[2:])
    if sys.argv[1:2] == ["money"]:
        from bench import money

        return money.main(sys.argv[2:])
    if sys.argv[1:2] == ["logins"]:
        from bench import logins

        return logins.main(sys.argv[2:])
    if sys.argv[1:2] == ["invoices"]:
        from bench import invoices

        return invoices.main(sys.argv[2:])
    if sys.argv[1:2] == ["jobs"]:
        from bench import jobs

        return jobs.main(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("pages", "lists"), default="pages")
    parser.add_argument("--why", action="store_true", help="lists: the slowest statements of each page")
    parser.add_argument("--database", help="URL; a fresh SQLite file without it")
    parser.add_argument("--times", type=int, default=0, help="60 for pages, 30 for lists")
    options = parser.parse_args()

    import flask_migrate

    from app import create_app
    from app.extensions import db
    from app.services.reference_data import load_reference_data

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(
            "testing",
            {
                "SQLALCHEMY_DATABASE_URI": options.database or f"sqlite:///{folder}/bench.sqlite",
                "STORAGE_URL": Path(folder).as_uri(),
                "VAR_DIRECTORY": folder,
                "WTF_CSRF_ENABLED": options.what != "lists",  # the bench logs in without reading the form
            },
        )
        if options.what == "lists":
            from bench.lists import bench_lists

            if not options.database:
                parser.error("lists: --database names a loaded database")
            logging.disable(logging.INFO)
            bench_lists(app, options.times or 30, why=options.why)
            return 0
        with app.app_context():
            begun = time.perf_counter()
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
            logging.disable(logging.INFO)
            line("migrations", (time.perf_counter() - begun) * 1000)
            begun = time.perf_counter()
            load_reference_data()
            db.session.commit()
            line("reference data", (time.perf_counter() - begun) * 1000)
        bench_start()
        bench_pages(app, options.times or 60)
        with app.app_context():
            db.engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
