"""Protections through price paths, deaths at any await, lost replies and more. Run with ``make simulate-protections``.

``--seed N`` replays one seed and tells what happened.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter

from cryptotrader.config import configure_logging
from tests.support.protection.run import Verdict, run_seed

RUNS = 5_000
LIMIT_S = 1_200.0
"""When it stops at the latest. Unit: seconds of real time."""

PROGRESS_S = 10.0
MAX_SHOWN = 20


def replay(seed: int) -> int:
    """One seed, told in detail."""
    configure_logging("INFO")
    verdict = run_seed(seed, shows=True)
    print(f"seed {seed} ({', '.join(verdict.families) or 'nothing goes wrong'}): {verdict.phase}")
    for fault in verdict.faults:
        print(f"  FAULT {fault}")
    return 1 if verdict.faults else 0


def sweep(first: int, count: int, *, jobs: int, limit_s: float) -> int:
    """Many seeds, on several processors."""
    start_s = shown_s = time.monotonic()
    done: list[Verdict] = []
    with multiprocessing.Pool(jobs, configure_logging, ("CRITICAL",)) as pool:
        for verdict in pool.imap_unordered(run_seed, range(first, first + count), chunksize=10):
            done.append(verdict)
            now_s = time.monotonic()
            if now_s - shown_s >= PROGRESS_S:
                shown_s = now_s
                bad = sum(bool(each.faults) for each in done)
                print(f"{len(done)} of {count} runs, {bad} bad, {now_s - start_s:.0f} s", flush=True)
            if now_s - start_s > limit_s:
                print(f"stopped after {limit_s:.0f} s")
                break
    return _summary(done, time.monotonic() - start_s, count)


def _summary(done: list[Verdict], took_s: float, count: int) -> int:
    phases = Counter(each.phase for each in done)
    bad = sorted((each for each in done if each.faults), key=lambda each: each.seed)
    fired = sum(each.fired for each in done)
    late = sum(each.is_late for each in done)
    deaths, requests = sum(each.deaths for each in done), sum(each.requests for each in done)
    print(
        f"{len(done)} runs in {took_s:.0f} s: {fired} fired ({late} late), {deaths} deaths, {requests} requests; "
        + ", ".join(f"{phase} {number}" for phase, number in phases.most_common())
        + f"; {len(bad)} bad"
    )
    if bad:
        kinds = Counter(fault.partition(":")[0] for each in bad for fault in each.faults)
        print(", ".join(f"{kind} {number}" for kind, number in kinds.most_common()))
    for verdict in bad[:MAX_SHOWN]:
        print(f"seed {verdict.seed} ({', '.join(verdict.families)}): {verdict.phase}", *verdict.faults[:3], sep="\n  ")
    return 1 if bad or len(done) < count else 0


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="replay one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="longest run in seconds")
    args = parser.parse_args()
    if args.seed is not None:
        return replay(args.seed)
    return sweep(args.first, args.runs, jobs=args.jobs, limit_s=args.limit)


if __name__ == "__main__":
    sys.exit(main())
