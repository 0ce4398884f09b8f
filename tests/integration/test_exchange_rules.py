"""Rules, commission and symbol status as a client over REST meets them."""

from __future__ import annotations

import pytest

from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.engine.rules import AssetLimit
from cryptotrader.exchange.engine.rules.commission import Rates, SymbolFees
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.spec import open_market
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from tests.support.paper import SignedClient, body, paper_venue, rows, running_exchange, units

BNB_PAYER = PaperAccount(balances={"USDT": units("100000"), "BNB": units("1"), "BTC": units("1")}, pays_in_bnb=True)


def whole_market() -> PaperVenue:
    """All sixty symbols, made up."""
    sources = open_market("synthetic")
    rules = rules_for(symbol for source in sources for symbol in source.symbols)
    return PaperVenue(rules, sources, clock=SystemClock(), accounts=(BNB_PAYER,))


async def test_exchange_info_tells_of_sixty_symbols_in_the_full_shape() -> None:
    async with running_exchange(whole_market()) as server, SignedClient(server.url) as client:
        info = body(await client.get("/api/v3/exchangeInfo"))
        assert list(info) == ["timezone", "serverTime", "rateLimits", "exchangeFilters", "symbols", "sors"]
        symbols = info["symbols"]
        assert isinstance(symbols, list)
        assert len(symbols) == 60
        assert all(each["filters"][0]["filterType"] == "PRICE_FILTER" for each in symbols)
        assert all(each["permissionSets"][0][0] == "SPOT" for each in symbols)
        sors = info["sors"]
        assert isinstance(sors, list)
        assert {"baseAsset": "ETH", "symbols": ["ETHUSDT", "ETHUSDC"]} in sors
        prices = {
            str(row["symbol"]): float(str(row["price"])) for row in rows(await client.get("/api/v3/ticker/price"))
        }
        assert len(prices) == 60
        assert prices["BTCUSDC"] == pytest.approx(prices["BTCUSDT"], rel=0.01)


async def test_commission_is_paid_in_bnb_at_its_market_price_and_all_requests_agree_on_it() -> None:
    async with running_exchange(whole_market()) as server, SignedClient(server.url) as client:
        told = body(await client.signed("GET", "/api/v3/account/commission", symbol="ETHUSDT"))
        assert told["standardCommission"] == {
            "maker": "0.00100000",
            "taker": "0.00100000",
            "buyer": "0.00000000",
            "seller": "0.00000000",
        }
        assert told["discount"] == {
            "enabledForAccount": True,
            "enabledForSymbol": True,
            "discountAsset": "BNB",
            "discount": "0.75000000",
        }
        bnb = units(str(body(await client.get("/api/v3/ticker/price", symbol="BNBETH"))["price"]))
        order = {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
        placed = body(await client.signed("POST", "/api/v3/order", **order))
        fills = placed["fills"]
        assert isinstance(fills, list)
        for fill in fills:
            assert fill["commissionAsset"] == "BNB"
            # The market may have moved between the question and the order.
            expected = units(fill["qty"]) * SCALE // bnb * 75 // 100_000
            assert units(fill["commission"]) == pytest.approx(expected, rel=0.005)
        paid = sum(units(fill["commission"]) for fill in fills)
        balances = body(await client.signed("GET", "/api/v3/account"))["balances"]
        assert isinstance(balances, list)
        held = {row["asset"]: units(row["free"]) for row in balances}
        assert held["BNB"] == units("1") - paid
        assert held["ETH"] == units("0.1")


async def test_test_orders_tell_rates_with_the_side_taken_into_account() -> None:
    own = SymbolFees(
        standard=Rates(units("0.0001"), units("0.0002"), units("0.0003"), units("0.0004")),
        special=Rates(taker=units("0.01")),
        tax=Rates(seller=units("0.00116")),
    )
    account = PaperAccount(symbol_fees={"BTCUSDT": own})
    async with running_exchange(paper_venue(accounts=[account])) as server, SignedClient(server.url) as client:
        order = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.001"}
        asked = await client.signed("POST", "/api/v3/order/test", **order, computeCommissionRates="true")
        assert body(asked) == {
            "standardCommissionForOrder": {"maker": "0.00050000", "taker": "0.00060000"},
            "specialCommissionForOrder": {"maker": "0.00000000", "taker": "0.01000000"},
            "taxCommissionForOrder": {"maker": "0.00116000", "taker": "0.00116000"},
            "discount": {
                "enabledForAccount": False,
                "enabledForSymbol": True,
                "discountAsset": "BNB",
                "discount": "0.75000000",
            },
        }


async def test_a_halted_symbol_says_so_everywhere_and_still_lets_orders_be_cancelled() -> None:
    venue = paper_venue()
    async with running_exchange(venue) as server, SignedClient(server.url) as client:
        resting = body(await client.order())
        venue.set_status("BTCUSDT", "HALT")
        refused = await client.order()
        assert refused.status_code == 400
        assert body(refused) == {"code": -1013, "msg": "Market is closed."}
        symbols = body(await client.get("/api/v3/exchangeInfo", symbol="BTCUSDT"))["symbols"]
        assert isinstance(symbols, list)
        assert symbols[0]["status"] == "HALT"
        gone = await client.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=resting["orderId"])
        assert body(gone)["status"] == "CANCELED"
        venue.set_status("BTCUSDT", "TRADING")
        assert (await client.order()).status_code == 200


async def test_filters_of_an_account_are_shown_and_kept() -> None:
    account = PaperAccount(asset_limits=(AssetLimit("BTC", units("0.5")),))
    async with running_exchange(paper_venue(accounts=[account])) as server, SignedClient(server.url) as client:
        shown = body(await client.signed("GET", "/api/v3/myFilters", symbol="BTCUSDT"))
        assert shown["assetFilters"] == [{"filterType": "MAX_ASSET", "asset": "BTC", "limit": "0.50000000"}]
        assert shown["exchangeFilters"] == []
        assert (await client.order(quantity="0.5")).status_code == 200
        assert body(await client.order(quantity="0.50001")) == {"code": -1013, "msg": "Filter failure: MAX_ASSET"}


async def test_an_account_that_is_not_permitted_hears_so() -> None:
    account = PaperAccount(permissions=("TRD_GRP_099",))
    async with running_exchange(paper_venue(accounts=[account])) as server, SignedClient(server.url) as client:
        answer = body(await client.order())
        assert answer == {"code": -2010, "msg": "This symbol is not permitted for this account."}
