"""A paper exchange without limits: ``python -m benchmarks.exchange_server`` prints its port, then serves.

It is the product's own, with every order on disk before it is answered; only the limits on requests and on how many
orders are open are lifted, since a benchmark would run into them, and the account is rich.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import tempfile
from pathlib import Path

import msgspec
import uvloop

from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.accounts import PaperAccount, sample_key
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.spec import open_market
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.runtime.process import calm_collector

BOUNDLESS = 10**9
"""A limit that no benchmark reaches."""

BALANCE = 10**9 * SCALE


def without_counts(rules: SymbolRules) -> SymbolRules:
    """As many open orders as one likes."""
    return msgspec.structs.replace(rules, max_num_orders=0)


async def main(folder: str) -> None:
    """Serve until stdin ends."""
    calm_collector()
    sources = open_market("synthetic?seed=1")
    rules = map(without_counts, rules_for(symbol for source in sources for symbol in source.symbols))
    venue = PaperVenue(
        rules,
        sources,
        clock=SystemClock(),
        accounts=[PaperAccount(balances={"BTC": BALANCE, "USDT": BALANCE})],
        keys=[sample_key()],
        store_path=Path(folder) / "exchange.db",
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
