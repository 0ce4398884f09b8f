"""The long form of the chaos on the WebSocket API client: ten thousand seeds. Run with ``make simulate``.

``--seed N`` replays one seed and prints what was wrong with it, and with ``--frames`` all that was said.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import sys
import time
from collections import Counter

from cryptotrader.config import configure_logging
from cryptotrader.core.clock import NS_PER_S
from tests.support.ws_api_chaos import EXTRAS, FAMILIES, Chaos
from tests.support.ws_api_run import Verdict, run_seed, run_world, verdict_of
from tests.support.ws_api_world import World

SEEDS = 10_000
LIMIT_S = 1_800.0
"""When the run stops at the latest. Unit: seconds of real time."""

PROGRESS_S = 10.0
CHUNK = 10
MAX_SHOWN = 20


def replay(seed: int, only: tuple[str, ...] | None, *, frames: bool) -> int:
    """One seed, told in detail."""
    configure_logging("DEBUG" if frames else "CRITICAL")
    world = run_world(Chaos(seed, only))
    verdict = verdict_of(world)
    print(f"seed {seed}: {', '.join(verdict.families) or 'nothing goes wrong'}")
    for op in world.ops:
        times = f"{op.started_ns / NS_PER_S:8.3f} .. {op.ended_ns / NS_PER_S:8.3f}"
        print(f"  {times}  {op.kind} {op.number}: {op.way} {op.error or ''} {op.client_order_id} -> {op.truth}")
    if frames:
        _show_frames(world)
    for fault in verdict.faults:
        print(f"  FAULT {fault}")
    return 1 if verdict.faults else 0


def _show_frames(world: World) -> None:
    network, venue = world.network, world.venue
    lines = [(each.at_ns, f"-> {each.wire} {each.data.decode()}") for each in network.sent]
    lines += [(each.at_ns, f"<- {each.wire} {each.data!r}") for each in network.delivered]
    lines += [(at_ns, "   connect") for at_ns in network.attempts]
    lines += [(at_ns, f"   refused {error!r}") for at_ns, error in network.refusals]
    lines += [(each.arrived_ns, f"   venue got {each.id!r} {each.method}") for each in venue.receipts]
    for at_ns, text in sorted(lines):
        print(f"  {at_ns / NS_PER_S:9.4f} {text}")


def sweep(first: int, count: int, only: tuple[str, ...] | None, *, jobs: int, limit_s: float) -> int:
    """Many seeds, on several processors."""
    start_s = shown_s = time.monotonic()
    done: list[Verdict] = []
    bad: list[Verdict] = []
    work = functools.partial(run_seed, only=only)
    with multiprocessing.Pool(jobs, configure_logging, ("CRITICAL",)) as pool:
        for verdict in pool.imap_unordered(work, range(first, first + count), chunksize=CHUNK):
            done.append(verdict)
            if verdict.faults:
                bad.append(verdict)
                if len(bad) <= MAX_SHOWN:
                    print(f"seed {verdict.seed} ({', '.join(verdict.families)})", *verdict.faults[:3], sep="\n  ")
            now_s = time.monotonic()
            if now_s - shown_s >= PROGRESS_S:
                shown_s = now_s
                print(f"{len(done)} of {count} seeds, {len(bad)} bad, {now_s - start_s:.0f} s", flush=True)
            if now_s - start_s > limit_s:
                print(f"stopped after {limit_s:.0f} s")
                break
    return _summary(done, bad, time.monotonic() - start_s)


def _summary(done: list[Verdict], bad: list[Verdict], took_s: float) -> int:
    requests, connections = sum(each.requests for each in done), sum(each.connections for each in done)
    unknown, found = sum(each.unknown for each in done), sum(each.found for each in done)
    print(
        f"{len(done)} seeds in {took_s:.0f} s: {requests} requests over {connections} connections, {unknown} unknown "
        f"outcomes, {found} of them had landed; {len(bad)} bad"
    )
    if bad:
        kinds = Counter(fault.partition(":")[0] for each in bad for fault in each.faults)
        print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
        for verdict in sorted(bad, key=lambda each: each.seed)[:MAX_SHOWN]:
            print(f"  {verdict.replay}")
    return 1 if bad else 0


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="replay one")
    parser.add_argument("--frames", action="store_true", help="with --seed: show every frame")
    parser.add_argument(
        "--family", action="append", choices=FAMILIES + EXTRAS, help="only this kind of trouble; repeatable"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="longest run in seconds")
    args = parser.parse_args()
    only = tuple(args.family) if args.family else None
    if args.seed is not None:
        return replay(args.seed, only, frames=args.frames)
    return sweep(args.first, args.seeds, only, jobs=args.jobs, limit_s=args.limit)


if __name__ == "__main__":
    sys.exit(main())
