"""One payment from several processes at once (REL-1); the full figure is ``python -m bench money``."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.servers import HttpServer
from tests.support.storms import check_storm, storm, storm_without_the_lock


@pytest.mark.spec("REL-1", "GAT-3", "INV-1")
def test_returns_polls_and_jobs_of_four_processes_confirm_once(gateway: HttpServer, app: Flask) -> None:
    check_storm(*storm(app, gateway, 40))


@pytest.mark.spec("REL-1")
def test_without_the_lock_four_processes_break_it(gateway: HttpServer, app: Flask) -> None:
    """The test above is worth something: reading instead of locking fails it, from two processes up."""
    shop, problems = storm_without_the_lock(app, gateway)
    assert problems != []
    assert "BrokenBarrierError" not in problems
    with pytest.raises(AssertionError):
        check_storm(shop, problems)
