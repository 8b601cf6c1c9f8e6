"""``python -m bench money``: the reliability figures of payments at their full size (REL-1, 2, 3, 5).

Each on a fresh PostgreSQL (REL-2 on SQLite too), in real processes. ``--only storm|series|kills|forgeries`` runs one;
``--scale 0.1`` a tenth of it. Answers 1 when one of them does not hold.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bench.stage import Stage, stage

if TYPE_CHECKING:
    from tests.support.series import Run

RESTARTS = 5
"""Restarts of the whole scheduler, at its own pace, among the kills."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench money", description=__doc__)
    parser.add_argument("--only", choices=("storm", "series", "kills", "forgeries"))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args(arguments)
    scale = options.scale
    held = True

    def wanted(name: str) -> bool:
        return options.only in (None, name)

    with stage("postgres") as on:
        if wanted("storm"):
            held &= says("REL-1", lambda: _storm(on, round(200 * scale)))
            held &= says("REL-1, lock taken out", lambda: _storm_without_the_lock(on))
        if wanted("kills"):
            held &= says("REL-3", lambda: _kills(on, round(100 * scale), options.seed))
            held &= says("REL-3, scheduler", lambda: _scheduler(on, max(1, round(RESTARTS * scale))))
        if wanted("forgeries"):
            held &= says("REL-5", lambda: _forgeries(on, round(1000 * scale), options.seed))
        if wanted("series"):
            held &= _series(on, "PostgreSQL", scale)
    if wanted("series"):
        with stage("sqlite") as on:
            held &= _series(on, "SQLite", scale)
    return 0 if held else 1


def says(what: str, work: Callable[[], str]) -> bool:
    """Print what came of it, or what does not hold; whether it held."""
    begun = time.perf_counter()
    try:
        told = work()
    except AssertionError as failure:
        print(f"{what:24}DOES NOT HOLD: {failure}", flush=True)
        return False
    print(f"{what:24}{told} ({time.perf_counter() - begun:.1f} s)", flush=True)
    return True


def _storm(on: Stage, calls: int) -> str:
    from tests.support.storms import PROCESSES, check_storm, storm

    on.fresh()
    begun = time.perf_counter()
    shop, problems = storm(on.app, on.gateway, calls)
    seconds = time.perf_counter() - begun
    check_storm(shop, problems)
    return f"{calls} calls over {PROCESSES} processes: 1 invoice, {len(shop.emails)} mails, 0 errors in {seconds:.1f} s"


def _storm_without_the_lock(on: Stage) -> str:
    from tests.support.storms import check_storm, storm_without_the_lock

    on.fresh()
    shop, problems = storm_without_the_lock(on.app, on.gateway)
    try:
        check_storm(shop, problems)
    except AssertionError:
        return f"fails as it must: {', '.join(sorted(set(problems)))}"
    raise AssertionError("the same test passes without the lock")


def _series(on: Stage, where: str, scale: float) -> bool:
    from tests.support.series import write_credit_notes, write_invoices

    def run(write: Callable[..., Run], each: int) -> str:
        on.fresh()
        done = write(on.app, each, killed=4)
        done.check()
        return (
            f"16 writers x {each}: {done.committed} numbers, {done.given_up} rolled back, {done.killed} processes"
            " killed, no gap, no duplicate"
        )

    each = max(2, round(200 * scale))
    invoices = says(f"REL-2 FAC, {where}", lambda: run(write_invoices, each))
    return says(f"REL-2 AV, {where}", lambda: run(write_credit_notes, each)) and invoices


def _kills(on: Stage, count: int, seed: int) -> str:
    from tests.support.killing import POINTS, Kills, check_kills, kill_at, random_kills

    on.fresh()
    kills = Kills()
    for point in POINTS:
        kill_at(on.app, on.gateway, point, kills)
    random_kills(on.app, on.gateway, count, kills, seed)
    left_over = check_kills(kills, on.smtp)
    fell = ", ".join(f"{count} {where}" for where, count in sorted(kills.fell.items()))
    assert max(kills.seconds) < 60
    return (
        f"{count} random kills and {len(POINTS)} aimed ones ({fell}): put right by one round of the"
        f" jobs, median {statistics.median(kills.seconds):.2f} s, at most {max(kills.seconds):.2f} s; {left_over} files"
        " left over"
    )


def _scheduler(on: Stage, count: int) -> str:
    """The same with the scheduler itself restarted, its slots as they come: seconds until every mail is sent."""
    from tests.support.killing import Kills, check_kills, lead, paid_and_killed, settled
    from tests.support.processes import spawn

    on.fresh()
    kills = Kills()
    for _index in range(count):
        payment_id = paid_and_killed(on.app, on.gateway, "the gateway answered", kills)
        begun = time.perf_counter()
        child = spawn(on.app, lead)
        child.await_begin()
        while not settled(payment_id):
            assert time.perf_counter() - begun < 60, "not within 60 seconds of the restart"
            time.sleep(0.1)
        kills.seconds.append(time.perf_counter() - begun)
        child.kill()
    check_kills(kills, on.smtp)
    told = ", ".join(f"{seconds:.1f}" for seconds in kills.seconds)
    return f"{count} restarts of the scheduler after a kill: paid, invoiced, queued after {told} s"


def _forgeries(on: Stage, count: int, seed: int) -> str:
    from tests.support.forging import Forger

    on.fresh()
    forger = Forger(on.app, on.gateway, seed)
    forger.forge(count)
    forger.check()
    answers = ", ".join(f"{status}: {times}" for status, times in sorted(forger.answers.items()))
    return f"{sum(forger.answers.values())} forged or replayed returns ({answers}): nothing paid"
