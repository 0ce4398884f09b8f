"""Addresses of the venues."""

from __future__ import annotations

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.services.binance.endpoints import VENUES, endpoints_of, paper


def test_every_venue_of_the_command_line_has_addresses() -> None:
    assert set(VENUES) == {"paper", "binance", "binance-testnet", "binance-us"}
    assert all(venue.rest_url.startswith("https://") != venue.name.startswith("paper") for venue in VENUES.values())
    assert VENUES["binance-testnet"].ws_api_url == "wss://ws-api.testnet.binance.vision/ws-api/v3"
    assert paper(port=4000).rest_url == "http://127.0.0.1:4000"


def test_any_address_can_be_replaced() -> None:
    mine = endpoints_of("binance", rest_url="http://127.0.0.1:9/", ws_api_url="ws://localhost:9/ws-api/v3")
    assert mine.rest_url == "http://127.0.0.1:9"
    assert mine.stream_url == VENUES["binance"].stream_url


@pytest.mark.parametrize("url", ["127.0.0.1:3", "ftp://x", "http://", "ws://x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        endpoints_of("paper", rest_url=url)
    with pytest.raises(ConfigError):
        endpoints_of("mtgox")
