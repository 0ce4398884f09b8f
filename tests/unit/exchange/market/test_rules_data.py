"""Trading rules of the ten symbols."""

from __future__ import annotations

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.market.profiles import PROFILES
from cryptotrader.exchange.market.rules_data import RULES, rules_for


def test_there_are_rules_for_exactly_the_ten_symbols() -> None:
    assert tuple(RULES) == tuple(PROFILES)
    assert len(RULES) == 10
    assert all(rules.base + rules.quote == symbol == rules.symbol for symbol, rules in RULES.items())


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
