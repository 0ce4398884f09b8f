"""An exchange whose markets stand still, with one rich account that pays commission of every kind: for exact sums."""

from __future__ import annotations

import msgspec

from cryptotrader.core.events import BookSnapshot
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.accounts import ApiKey, PaperAccount, sample_key
from cryptotrader.exchange.engine.rules import AssetLimit, ExchangeRules
from cryptotrader.exchange.engine.rules.commission import Rates
from cryptotrader.exchange.engine.rules.execution_rules import PriceRange, ReferenceRule
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from tests.support.paper import ASKS, BIDS, BTC, QuietSource, units

RULES = msgspec.structs.replace(
    BTC,
    exchange=ExchangeRules(max_num_orders=1_000, max_num_algo_orders=200, max_num_order_lists=100),
    price_range=PriceRange(bid_up=2 * SCALE, bid_down=SCALE // 2, ask_up=2 * SCALE),
    reference=ReferenceRule(),
)
OTHER = msgspec.structs.replace(RULES, symbol="BTCUSDC", quote="USDC")
FEES = msgspec.structs.replace(BTC, symbol="BNBUSDT", base="BNB")

RICH = PaperAccount(
    balances={"BTC": 1_000 * SCALE, "USDT": 10_000_000 * SCALE, "BNB": SCALE // 1_000_000},
    special=Rates(taker=SCALE // 10_000),
    tax=Rates(seller=SCALE // 100_000),
    pays_in_bnb=True,
    asset_limits=(AssetLimit("BTC", 100 * SCALE),),
    trade_group=5,
)
"""Pays commission of every kind, in BNB while there is some."""


class StillMarkets(QuietSource):
    """Three that stand still between 45000 and 45001; ``BTCUSDC`` is ten cheaper."""

    def __init__(self) -> None:
        super().__init__()
        self.symbols = ("BTCUSDT", "BTCUSDC", "BNBUSDT")

    def snapshot(self, symbol: str) -> BookSnapshot:
        lower = units("10") if symbol == "BTCUSDC" else 0
        sides = (tuple((price - lower, qty) for price, qty in side) for side in (BIDS, ASKS))
        return BookSnapshot(symbol, 1_000, *sides)


def still_venue(*keys: ApiKey) -> PaperVenue:
    """A venue of these markets with this account, opened by the sample key and by others."""
    return PaperVenue(
        [RULES, OTHER, FEES],
        [StillMarkets()],
        clock=SystemClock(),
        accounts=(RICH,),
        keys=[sample_key(), *keys],
    )
