"""A paper exchange without limits: ``python -m benchmarks.exchange_server`` prints its port, then serves.

It is the product's own, with every order on disk before it is answered; only the limits on requests are lifted, since
a comparison of clients would run into them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import tempfile
from pathlib import Path

import uvloop

from cryptotrader.exchange.accounts import sample_key
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.spec import open_market
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor, SystemClock

BOUNDLESS = 10**9
"""A limit that no benchmark reaches."""


async def main(folder: str) -> None:
    """Serve until stdin ends."""
    sources = open_market("synthetic?seed=1")
    rules = rules_for(symbol for source in sources for symbol in source.symbols)
    venue = PaperVenue(
        rules, sources, clock=SystemClock(), keys=[sample_key()], store_path=Path(folder) / "exchange.db"
    )
    # A client that goes by the figures in the answers must find no limit there either.
    limits = dataclasses.replace(
        LimitPolicy.off(),
        request_weight=BOUNDLESS,
        orders_10s=BOUNDLESS,
        orders_1d=BOUNDLESS,
        raw_requests=BOUNDLESS,
        connections=BOUNDLESS,
    )
    server = ExchangeServer(venue, port=0, limits=limits)
    async with Supervisor("benchmark") as jobs:
        serving = jobs.start("exchange", server.serve)
        await server.wait_started()
        print(server.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        server.stop()
        await serving


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(main(folder))
