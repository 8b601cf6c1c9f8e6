"""Four schedulers under kill -9, clocks that are set and days that were missed: each slot once, none lost (JOB-1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.schedulers import Storm

pytestmark = pytest.mark.slow


@pytest.mark.spec("JOB-1")
def test_each_slot_runs_once_and_none_is_lost(app: Any, tmp_path: Path) -> None:
    storm = Storm(app, tmp_path)
    with storm.raging():
        storm.await_ticks()
        storm.kill_the_leader(replace=False)
        storm.set_the_clock(days=3)  # three days missed: made up for once
        storm.kill_the_leader(replace=False)
        storm.set_the_clock(minutes=-10)
        storm.told()
