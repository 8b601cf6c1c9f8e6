"""``python -m bench logins``: can login answers of different accounts be told apart by their time? (LOG-2)

Rounds of one refused login each for a known account (wrong password), an unknown one, one never activated and a
disabled one (right password), in random order, through the whole application. For each against the known one: AUC, the
chance that one of its times is the longer; 0.5 tells nothing, LOG-2's issue allows 0.45 to 0.55. Wall time is what a
guesser sees; processor time is what is left of it when the machine's noise is taken away. The same for « Mot de passe
oublié ? ». ``--database postgres|sqlite``, ``--rounds 200``.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bench.stage import stage

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

KNOWN = "known"
LOWEST, HIGHEST = 0.45, 0.55
Ask = Callable[[str, str], "TestResponse"]


def auc(ones: list[float], others: list[float]) -> float:
    """How often a time of the first is longer than one of the second; ties count half."""
    won = sum((one > other) + (one == other) / 2 for one in ones for other in others)
    return won / (len(ones) * len(others))


def main(arguments: list[str]) -> int:
    """Print a line for each account and answer 1 when a wall time tells one apart."""
    parser = argparse.ArgumentParser(prog="bench logins", description=__doc__)
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args(arguments)
    held = True
    with stage(options.database) as on:
        from app import clock
        from tests import factories

        on.fresh()
        on.app.config["WTF_CSRF_ENABLED"] = False
        accounts = {
            KNOWN: (factories.user().email, "pas le bon mot de passe"),
            "unknown": ("personne@exemple.tn", factories.PASSWORD),
            "never activated": (factories.user(activated=False).email, factories.PASSWORD),
            "disabled": (factories.user(disabled_at=clock.now()).email, factories.PASSWORD),
        }
        client, addresses = on.app.test_client(), itertools.count(1)

        def post(path: str, values: dict[str, str]) -> TestResponse:
            number = next(addresses)  # an address of its own each: no limit is met
            origin = {"REMOTE_ADDR": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
            return client.post(path, data=values, environ_overrides=origin)

        def login(email: str, password: str) -> TestResponse:
            return post("/", {"email": email, "password": password})

        def forgotten(email: str, _password: str) -> TestResponse:
            return post("/mot-de-passe-oublie", {"email": email})

        asked: tuple[tuple[str, Ask], ...] = (("login", login), ("forgotten", forgotten))
        for what, ask in asked:
            held &= _told(what, _times(ask, accounts, options.rounds, random.Random(options.seed)))
    return 0 if held else 1


def _times(
    ask: Ask, accounts: dict[str, tuple[str, str]], rounds: int, chance: random.Random
) -> dict[str, list[tuple[float, float]]]:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in accounts}
    order = list(accounts)
    for number in range(rounds + 5):
        chance.shuffle(order)
        for name in order:
            wall, cpu = time.perf_counter(), time.process_time()
            answer = ask(*accounts[name])
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if answer.status_code != 200:
                raise AssertionError(f"{name}: answered {answer.status_code}")
            if number >= 5:
                taken[name].append((wall, cpu))
    return taken


def _told(what: str, taken: dict[str, list[tuple[float, float]]]) -> bool:
    held = True
    for name, times in taken.items():
        walls, cpus = [wall for wall, _cpu in times], [cpu for _wall, cpu in times]
        middle = f"{statistics.median(walls) * 1000:7.1f} ms, {statistics.median(cpus) * 1000:6.1f} ms of processor"
        if name == KNOWN:
            print(f"{what:10}{name:18}{middle}", flush=True)
            continue
        by_wall = auc(walls, [wall for wall, _cpu in taken[KNOWN]])
        by_cpu = auc(cpus, [cpu for _wall, cpu in taken[KNOWN]])
        held &= LOWEST <= by_wall <= HIGHEST
        print(f"{what:10}{name:18}{middle}   AUC {by_wall:.3f} wall, {by_cpu:.3f} processor", flush=True)
    return held
