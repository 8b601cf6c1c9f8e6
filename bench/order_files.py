"""``python -m bench orders``: a bulk order of 500 people, from the file to the mails (ORD-5).

Seconds by the clock and of the processor, the middle of five runs in one process, on a fresh SQLite database or on
``--database URL`` (migrated, with its reference data loaded).
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEOPLE = 500


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench orders", description=__doc__)
    parser.add_argument("--database", help="URL; a fresh SQLite file without it")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args(arguments)

    import flask_migrate

    from app import create_app
    from app.extensions import db
    from app.services.reference_data import load_reference_data

    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "SQLALCHEMY_DATABASE_URI": options.database or f"sqlite:///{folder}/bench.sqlite",
            "STORAGE_URL": Path(folder).as_uri(),
            "VAR_DIRECTORY": folder,
        }
        app = create_app("testing", settings)
        with app.app_context():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
            logging.disable(logging.INFO)
            load_reference_data()
            db.session.commit()
            taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
            for form in ("CSV", "XLSX") * options.times:
                for what, seconds in one_order(form).items():
                    taken[what].append(seconds)
            for what, seconds in taken.items():
                clock, processor = (statistics.median(each) for each in zip(*seconds, strict=True))
                print(f"{what:48}{clock:8.2f} s   {processor:.2f} s of processor")
            db.engine.dispose()
    return 0


def one_order(form: str) -> dict[str, tuple[float, float]]:
    """Send, look at and confirm a file of invented people; seconds by the clock and of the processor of each."""
    from sqlalchemy import select

    from app.extensions import db
    from app.models import CertificateType
    from app.queries.order_files import ShownFile
    from app.services.order_files import confirming, drafting
    from tests import factories
    from tests.support.order_files import csv_of, row, xlsx_of

    actor = factories.actor(factories.administrator(factories.organisation()))
    organisation_id = min(actor.organisation_ids)
    kind = db.session.scalars(select(CertificateType.id)).first() or 0
    people = [row() for _n in range(PEOPLE)]
    data = csv_of(people) if form == "CSV" else xlsx_of(people)
    begun = now()
    draft = drafting.receive(actor, organisation_id, kind, data, f"equipe.{form.lower()}")
    checked = now()
    shown = ShownFile(drafting.find(actor, organisation_id, draft))
    looked = now()
    if not shown.ready:
        raise RuntimeError("the people are not right")
    confirming.confirm(actor, organisation_id, draft, attested=True)
    ended = now()
    return {
        f"{PEOPLE} rows of {form} read and checked": between(begun, checked),
        "their page's rows": between(checked, looked),
        f"{PEOPLE} requests, accounts and mails created": between(looked, ended),
    }


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def between(begun: tuple[float, float], ended: tuple[float, float]) -> tuple[float, float]:
    return ended[0] - begun[0], ended[1] - begun[1]
