"""``python -m bench jobs``: the scheduler and the outbox under what happens to them (JOB-1, REL-4).

Four scheduler processes on PostgreSQL, killed by kill -9 and with their clock set under them; a mail server that drops,
delays and answers 451. ``--rounds`` of the first, ``--mails`` of the second. Answers 1 when one of them does not hold.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from bench.money import says
from bench.stage import Stage, stage

JUMPS = ({"days": 3}, {"minutes": -10}, {"hours": 25}, {"minutes": 40}, {"hours": -1}, {"seconds": 30})


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench jobs", description=__doc__)
    parser.add_argument("--only", choices=("scheduler", "mail"))
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--mails", type=int, default=300)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args(arguments)
    held = True
    with stage("postgres") as on:
        if options.only in (None, "scheduler"):
            held &= says("JOB-1", lambda: _scheduler(on, options.rounds, options.seed))
            on.fresh()
        if options.only in (None, "mail"):
            held &= says("REL-4", lambda: _mail(on, options.mails, options.seed))
    return 0 if held else 1


def _scheduler(on: Stage, rounds: int, seed: int) -> str:
    from tests.support.schedulers import Storm

    choice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        storm = Storm(on.app, Path(folder))
        with storm.raging():
            storm.await_ticks(2)
            for number in range(rounds):
                if number % 2:
                    storm.set_the_clock(**choice.choice(JUMPS))
                else:
                    storm.kill_the_leader()
                storm.await_ticks(choice.randrange(1, 4))
            return storm.told()


def _mail(on: Stage, mails: int, seed: int) -> str:
    from tests.support.bad_post import deliver_all

    done = deliver_all(on.app, on.smtp, mails, seed)
    assert done.lost == 0, str(done)
    return str(done)
