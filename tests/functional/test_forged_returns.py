"""Returns that are forged or replayed pay nothing (REL-5); a thousand of them: ``python -m bench money``."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.forging import Forger
from tests.support.paying import invoices
from tests.support.servers import HttpServer


@pytest.mark.spec("REL-5", "GAT-2")
def test_forged_and_replayed_returns_pay_nothing(gateway: HttpServer, app: Flask) -> None:
    forger = Forger(app, gateway)
    forger.forge(60)
    forger.check()
    assert len(invoices()) == 1
    assert {200, 404, 405} <= set(forger.answers)
