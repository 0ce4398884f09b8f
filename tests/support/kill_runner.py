"""A process that starts the paper exchange again and again, each time as a child that is meant to be killed.

``python -m tests.support.kill_runner``: everything is imported once; a line ``FOLDER LIFE FOLD_S`` on standard input
forks a child that serves the exchange in that folder. The answers are lines of JSON: ``{"pid": n}`` at once,
``{"last": n, "hash": h, "cut": n, "entries": n}`` when the state is back and before the market moves, ``{"port": n}``
when it serves, ``{"gone": n}`` when the child has ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import uvloop

from cryptotrader.exchange import keeper
from cryptotrader.exchange.accounts import ApiKey, KeyKind, PaperAccount
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.ledger.files import SUFFIX, Journal
from cryptotrader.net import Supervisor, SystemClock
from tests.support.kill_fold import RULES
from tests.support.paper import QuietSource

ACCOUNTS = ("one", "two")
SECRET = "secret of {}"
SEGMENT_BYTES = 64 * 1024
"""Small, so that segments begin and go within each life."""
BOUNDLESS = 10**9
STORE = "exchange.db"
ARCHIVE = "archive"


def say(**what: object) -> None:
    """One line, in one write: a child that is killed leaves no half of it."""
    os.write(1, msgspec.json.encode(what) + b"\n")


class ArchivedJournal(Journal):
    """Keeps a second name for each segment, so that the check can read all that was ever written."""

    life = 0

    def __init__(self, folder: Path, *, applied: int = 0, keeps_all: bool = False) -> None:
        super().__init__(folder, applied=applied, segment_bytes=SEGMENT_BYTES, keeps_all=keeps_all)

    def _begin(self, first: int) -> None:
        super()._begin(first)
        name = self.folder.parent / ARCHIVE / f"{first:020d}.{self.life:04d}{SUFFIX}"
        name.parent.mkdir(exist_ok=True)
        name.unlink(missing_ok=True)
        os.link(self.path(first), name)


class WatchedVenue(PaperVenue):
    """Says what came back."""

    def _start_market(self, checkpoints: Mapping[str, bytes]) -> None:
        found = self._keeper.recovery
        say(
            last=self._keeper.journal.last,
            hash=self.engine.state_hash(),
            cut=found.cut_bytes,
            entries=found.entries,
            seconds=found.seconds,
        )
        super()._start_market(checkpoints)


def serve(folder: Path, life: int, fold_s: float) -> None:
    """One life; ends by being killed."""
    ArchivedJournal.life = life
    vars(keeper)["Journal"] = ArchivedJournal
    vars(keeper)["FOLD_S"] = fold_s
    venue = WatchedVenue(
        RULES,
        [QuietSource()],
        clock=SystemClock(),
        accounts=[PaperAccount(id=name, uid=number) for number, name in enumerate(ACCOUNTS, 1)],
        keys=[ApiKey(id=name, account=name, kind=KeyKind.HMAC, secret=SECRET.format(name)) for name in ACCOUNTS],
        store_path=folder / STORE,
    )
    server = ExchangeServer(venue, port=0, limits=LimitPolicy(BOUNDLESS, BOUNDLESS, BOUNDLESS, BOUNDLESS))
    uvloop.run(_serve(server))


async def _serve(server: ExchangeServer) -> None:
    async with Supervisor("life") as jobs:
        serving = jobs.start("exchange", server.serve)
        await server.wait_started()
        say(port=server.port)
        await serving


def main() -> None:
    """Until standard input ends."""
    for line in sys.stdin:
        folder, life, fold_s = line.rsplit(maxsplit=2)
        child = os.fork()
        if not child:
            os.close(0)
            try:
                serve(Path(folder), int(life), float(fold_s))
            finally:
                os._exit(1)
        say(pid=child)
        _, status = os.waitpid(child, 0)
        say(gone=child, killed=os.WIFSIGNALED(status))


if __name__ == "__main__":
    main()
