from __future__ import annotations

import asyncio

import pytest

from cryptotrader.core.errors import UnknownSymbol, VenueUnreachable
from cryptotrader.core.instruments import Instrument
from cryptotrader.feeds import SymbolCatalogue
from cryptotrader.testing import FakeClock, FakeRest

EXCHANGE_INFO = "GET /api/v3/exchangeInfo"


def info(*symbols: tuple[str, str]) -> dict[str, object]:
    rows = [
        {"symbol": base + quote, "status": "TRADING", "baseAsset": base, "quoteAsset": quote} for base, quote in symbols
    ]
    return {"timezone": "UTC", "serverTime": 0, "rateLimits": [], "exchangeFilters": [], "symbols": rows}


def built() -> tuple[SymbolCatalogue, FakeRest, FakeClock]:
    rest, clock = FakeRest(), FakeClock()
    rest.on(EXCHANGE_INFO, lambda params: info(("BTC", "USDT"), ("ETH", "BTC")))
    return SymbolCatalogue(rest, clock), rest, clock


@pytest.mark.parametrize("text", ["BTCUSDT", "btcusdt", "BTC/USDT", "btc-usdt", "Btc_Usdt"])
async def test_any_spelling_is_understood(text: str) -> None:
    """C-12."""
    catalogue, rest, _ = built()
    assert await catalogue.require(text) == "BTCUSDT"
    assert rest.count(EXCHANGE_INFO) == 1


@pytest.mark.parametrize("text", ["INVALID", "", "BTC USDT", "x" * 50, "BTC/USDT/X", "../etc"])
async def test_what_the_venue_does_not_have_is_an_invalid_symbol(text: str) -> None:
    """S0-18."""
    catalogue, _, _ = built()
    with pytest.raises(UnknownSymbol, match=r"^Invalid symbol$"):
        await catalogue.require(text)


async def test_many_askers_at_once_cost_one_request() -> None:
    catalogue, rest, _ = built()
    await asyncio.gather(*(catalogue.require("ETHBTC") for _ in range(50)))
    assert rest.count(EXCHANGE_INFO) == 1


async def test_nonsense_costs_at_most_one_request_a_minute_and_finds_new_listings() -> None:
    catalogue, rest, clock = built()
    for _ in range(20):
        with pytest.raises(UnknownSymbol):
            await catalogue.require("NEWUSDT")
    assert rest.count(EXCHANGE_INFO) == 1
    rest.on(EXCHANGE_INFO, lambda params: info(("NEW", "USDT")))
    await clock.advance(61)
    assert await catalogue.require("newusdt") == "NEWUSDT"


async def test_an_old_list_is_better_than_none() -> None:
    catalogue, rest, clock = built()
    await catalogue.load()
    rest.failure = VenueUnreachable("down")
    await clock.advance(4_000)
    for _ in range(10):
        assert await catalogue.require("BTCUSDT") == "BTCUSDT"
    assert rest.count(EXCHANGE_INFO) == 2


async def test_without_any_list_the_venue_error_is_told() -> None:
    catalogue, rest, _ = built()
    rest.failure = VenueUnreachable("down")
    with pytest.raises(VenueUnreachable):
        await catalogue.require("BTCUSDT")
    rest.failure = None
    assert await catalogue.instrument("btcusdt") == Instrument("BTC", "USDT")
    assert catalogue.trading({"ETH", "BTC"}) == ["ETHBTC"]
    assert catalogue.symbols == ("BTCUSDT", "ETHBTC")
    assert catalogue.known("BTCUSDT") is not None
