"""Trading rules of the symbols that ship with the product."""

from __future__ import annotations

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.engine.rules import ExchangeRules
from cryptotrader.exchange.market.profiles import PROFILES
from cryptotrader.exchange.market.rules_data import RULES, rules_for, sor_groups


def test_there_are_rules_for_exactly_the_sixty_symbols_that_the_market_serves() -> None:
    assert tuple(RULES) == tuple(PROFILES)
    assert len(RULES) == 60
    assert {rules.quote for rules in RULES.values()} == {"USDT", "USDC", "BTC", "ETH", "BNB", "EUR"}
    assert all(rules.base + rules.quote == symbol == rules.symbol for symbol, rules in RULES.items())


def test_every_symbol_tells_of_all_that_it_does_and_lists_the_price_filter_first() -> None:
    """rest-api.md, "Exchange information"; third-party clients take the first filter for the price filter."""
    for rules in RULES.values():
        info = rules.exchange_info()
        assert info["orderTypes"] == [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ]
        allowed = [name for name, value in info.items() if name.endswith(("Allowed", "TrailingStop")) and value is True]
        assert len(allowed) == 10
        assert info["isMarginTradingAllowed"] is False
        assert info["defaultSelfTradePreventionMode"] == "EXPIRE_MAKER"
        assert [each["filterType"] for each in rules.filters()] == [
            "PRICE_FILTER",
            "LOT_SIZE",
            "ICEBERG_PARTS",
            "MARKET_LOT_SIZE",
            "TRAILING_DELTA",
            "PERCENT_PRICE_BY_SIDE",
            "NOTIONAL",
            "MAX_NUM_ORDERS",
            "MAX_NUM_ORDER_LISTS",
            "MAX_NUM_ALGO_ORDERS",
            "MAX_NUM_ORDER_AMENDS",
        ]


def test_a_level_near_the_top_can_be_traded_whole() -> None:
    for rules in RULES.values():
        typical = PROFILES[rules.symbol].typical_qty
        assert typical % rules.step == 0
        assert rules.min_qty <= typical <= rules.max_qty
        assert typical * PROFILES[rules.symbol].price > rules.min_notional * SCALE


def test_orders_are_routed_among_the_dollar_symbols_of_an_asset() -> None:
    """faqs/sor_faq.md: ``sors`` of exchangeInfo."""
    described = [group.describe() for group in sor_groups(RULES)]
    assert described[:2] == [
        {"baseAsset": "BTC", "symbols": ["BTCUSDT", "BTCUSDC"]},
        {"baseAsset": "ETH", "symbols": ["ETHUSDT", "ETHUSDC"]},
    ]
    assert sor_groups(["BTCUSDT", "ETHUSDT"]) == ()


def test_bitcoin_has_the_filters_that_binance_publishes() -> None:
    info = RULES["BTCUSDT"].exchange_info()
    filters = info["filters"]
    assert isinstance(filters, list)
    assert filters[0] == {
        "filterType": "PRICE_FILTER",
        "minPrice": "0.01000000",
        "maxPrice": "1000000.00000000",
        "tickSize": "0.01000000",
    }
    by_type = {row["filterType"]: row for row in filters}
    assert by_type["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert by_type["NOTIONAL"]["minNotional"] == "5.00000000"
    assert by_type["PERCENT_PRICE_BY_SIDE"]["bidMultiplierUp"] == "5"
    assert by_type["PERCENT_PRICE_BY_SIDE"]["askMultiplierDown"] == "0.2"
    assert by_type["ICEBERG_PARTS"]["limit"] == 100


def test_quotes_of_the_market_obey_the_rules() -> None:
    for symbol, rules in RULES.items():
        assert PROFILES[symbol].price % rules.tick == 0
        assert rules.min_price <= PROFILES[symbol].price <= rules.max_price


def test_a_recorded_symbol_of_ones_own_gets_wide_rules() -> None:
    bitcoin, pepe = rules_for(["BTCUSDT", "PEPEUSDC"])
    assert bitcoin is RULES["BTCUSDT"]
    assert (pepe.base, pepe.quote, pepe.tick) == ("PEPE", "USDC", 1)
    with pytest.raises(ConfigError, match="quote asset"):
        rules_for(["NONSENSE"])


def test_an_exchange_may_have_filters_of_its_own() -> None:
    limits = ExchangeRules(max_num_orders=1000)
    assert all(rules.exchange is limits for rules in rules_for(RULES, exchange=limits))
    assert not rules_for(["BTCUSDT"])[0].exchange.filters()
