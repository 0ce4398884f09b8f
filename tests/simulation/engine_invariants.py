"""The engine beside its naive twin, long: ``python -m tests.simulation.engine_invariants [--commands N] [--seed N]``.

Generated sessions of two hundred commands and market events each. After every one of them twin and engine must agree on
orders, trades, commissions, books, balances and locks, nothing may be lost, and a refusal may change nothing; every
fifty the state must survive ``restore`` and a replay of the journal. A session that fails is cut down to the commands
that it takes, and they are printed with the seed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.support.twin.session import LENGTH, Failure, Tally, play, shrink

COMMANDS = 200_000
BLOCK = 25
"""Sessions that a process does at a time."""
SEEDS = 1_000_000
"""Seeds of sessions that belong to one seed of a run."""


def run_block(first: int, count: int) -> tuple[Tally, Failure | None]:
    """Some sessions; the first failure, cut down, ends them."""
    tally = Tally()
    for seed in range(first, first + count):
        failure = play(seed, tally=tally)
        if failure is not None:
            return tally, shrink(failure)
    return tally, None


def _blocks(commands: int, seed: int) -> Iterator[tuple[int, int]]:
    sessions = -(-commands // LENGTH)
    for done in range(0, sessions, BLOCK):
        yield seed * SEEDS + done, min(BLOCK, sessions - done)


def run(commands: int, seed: int, jobs: int) -> tuple[Tally, Failure | None]:
    """All sessions, in several processes."""
    total = Tally()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for tally, failure in pool.map(run_block, *zip(*_blocks(commands, seed), strict=True)):
            total.add(tally)
            if failure is not None:
                pool.shutdown(wait=False, cancel_futures=True)
                return total, failure
    return total, None


def main() -> None:
    """Run it and print the figures; ends with 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=COMMANDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--replay", type=int, help="only the session of this seed, as a failure names it")
    chosen = parser.parse_args()
    started = time.monotonic()
    if chosen.replay is not None:
        tally, failure = run_block(chosen.replay, 1)
    else:
        tally, failure = run(chosen.commands, chosen.seed, chosen.jobs)
    seconds = time.monotonic() - started
    if failure is not None:
        print(failure)
        sys.exit(1)
    print(f"seed {chosen.seed}: {tally} in {seconds:.0f} s with {chosen.jobs} processes; twin and engine agreed")


if __name__ == "__main__":
    main()
