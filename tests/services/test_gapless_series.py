"""Numbers without a gap over writers that give up or die, on both databases (REL-2)."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.series import write_credit_notes, write_invoices


@pytest.mark.slow
@pytest.mark.spec("REL-2", "INV-1")
def test_invoices_have_no_gap_and_no_double_over_sixteen_writers(app: Flask) -> None:
    write_invoices(app, 3).check()


@pytest.mark.slow
@pytest.mark.spec("REL-2", "AVO-2")
def test_credit_notes_have_no_gap_and_no_double_over_sixteen_writers(app: Flask) -> None:
    write_credit_notes(app, 2).check()
