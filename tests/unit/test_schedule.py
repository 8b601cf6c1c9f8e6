"""When jobs are due, on a clock in Tunis (JOB-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs import SCHEDULE, Daily, Every

pytestmark = pytest.mark.spec("JOB-1")
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
RULES = st.one_of(
    st.builds(Every, st.sampled_from([5, 120, 600, 3600])),
    st.builds(Daily, st.integers(0, 23), st.integers(0, 59), st.booleans()),
)


@given(RULES, MOMENTS)
def test_the_slots_follow_one_another_without_gap(rule: Every | Daily, moment: datetime) -> None:
    last, following = rule.latest(moment), rule.following(moment)
    assert last <= moment < following
    assert rule.latest(following) == following
    assert rule.latest(following - timedelta(seconds=1)) == last
    assert rule.following(last) == following


def test_a_working_days_job_rests_from_friday_to_monday() -> None:
    nine = Daily(9, 0, weekdays=True)
    friday = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)  # 9:00 in Tunis
    assert nine.latest(friday) == friday
    assert nine.following(friday) == friday + timedelta(days=3)
    assert nine.latest(friday + timedelta(days=2)) == friday


def test_names_are_unique_and_fit_their_column() -> None:
    names = [job.name for job in SCHEDULE]
    assert len(names) == len(set(names))
    assert all(len(name) <= 40 and str(job.description) for name, job in zip(names, SCHEDULE, strict=True))
