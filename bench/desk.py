"""``python -m bench desk``: the review desk's server time, with one paper and with ten (REV-1, SPD-1).

On a fresh SQLite file, or with ``--database URL`` on that (empty) database. Every tab of a request's file, its
organisation's papers without and with verdicts, logged in as an agent; then the heartbeat and a picture drawn once.
"""

from __future__ import annotations

import argparse
import io
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.__main__ import ROOT, counted_statements, line, median_ms

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

LIMIT = 150.0
"""Milliseconds of server time the desk may take (issue 3)."""


def main(arguments: list[str]) -> int:
    """Prints one line a page; answers 1 when one takes longer than the limit or costs more with more papers."""
    parser = argparse.ArgumentParser(prog="bench desk", description=__doc__)
    parser.add_argument("--database", help="URL of an empty database; a fresh SQLite file without it")
    parser.add_argument("--times", type=int, default=30)
    options = parser.parse_args(arguments)

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
                "WTF_CSRF_ENABLED": False,  # the bench logs in without reading the form
            },
        )
        with app.app_context():
            logging.disable(logging.INFO)
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
            load_reference_data()
            db.session.commit()
            found = _measure(app, options.times)
            db.engine.dispose()
    return 0 if found else 1


def _measure(app: Flask, times: int) -> bool:
    from app.extensions import db
    from app.models import DocumentKind
    from app.states import OrganisationState, Verdict
    from tests import factories as f
    from tests.support import reviewing

    organisation = reviewing.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    request = reviewing.request_file(of=organisation)
    agent = f.staff()
    db.session.commit()
    client = app.test_client()
    client.post("/", data={"email": agent.email, "password": f.PASSWORD})
    tabs = ("organisation", "demandeur", "contrat", "messages", "notes", "historique")
    address = f"/admin/dossiers/{request.reference}"
    few = {tab: _page(app, client, f"{address}?onglet={tab}", "one paper", times) for tab in tabs}
    papers = [f.document(DocumentKind.OTHER, organisation_id=organisation.id) for _n in range(9)]
    db.session.commit()
    many = {tab: _page(app, client, f"{address}?onglet={tab}", "ten papers", times) for tab in tabs}
    own = f"/admin/dossiers/organisations/{organisation.reference}"
    slowest = max(many["organisation"][0], _page(app, client, own, "ten papers", times)[0])
    line("heartbeat", median_ms(lambda: client.post(f"{address}/presence", data={"version": "1"}), times))
    _picture(client, papers[0], times)
    print(f"slowest {slowest:.0f} ms of {LIMIT:.0f}")
    grows = [tab for tab in tabs if many[tab][1] > few[tab][1]]
    if grows:
        print(f"statements grow with the papers on: {', '.join(grows)}")
    return slowest < LIMIT and not grows


def _page(app: Flask, client: FlaskClient, address: str, what: str, times: int) -> tuple[float, int]:
    answer = client.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}")
    with counted_statements(app) as statements:
        client.get(address)
    taken = median_ms(lambda: client.get(address), times)
    busy = median_ms(lambda: client.get(address), times // 3, time.process_time)
    told = f"{busy:.1f} ms of processor   {len(statements)} statements"
    line(f"{address.partition('onglet=')[2] or 'organisation file'}, {what}", taken, told)
    return taken, len(statements)


def _picture(client: FlaskClient, paper: object, times: int) -> None:
    from PIL import Image

    from app.extensions import db
    from app.models import Document
    from app.services.files import storage

    assert isinstance(paper, Document)
    out = io.BytesIO()
    Image.new("RGB", (1240, 1754), "white").save(out, "JPEG")
    paper.media_type = "image/jpeg"
    storage().put(paper.storage_key, out.getvalue())
    db.session.commit()
    address = f"/documents/{paper.public_id}/pages/1"
    answer = client.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}")
    line("picture, drawn before", median_ms(lambda: client.get(address), times))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
