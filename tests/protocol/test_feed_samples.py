"""Every JSON sample of source 2: the dialect takes it, or makes it from what it describes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from cryptotrader.core.scaled import parse_scaled
from cryptotrader.dialects.actions import Send
from cryptotrader.dialects.feed import messages
from cryptotrader.dialects.feed.encode import encode_price
from cryptotrader.dialects.feed.protocol import VALIDATION, FeedProtocol, LookUp, error, iso_time

SAMPLES = Path(__file__).parent / "golden" / "feed"

KNOWN = {"BTC/USD": "BTC/USD", "ETH/USD": "ETH/USD"}


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return found


def ms(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1_000)


def sent(actions: list[Any]) -> list[dict[str, Any]]:
    return [json.loads(action.data) for action in actions if isinstance(action, Send)]


def client() -> FeedProtocol:
    return FeedProtocol(0, lambda: True)


def test_the_documented_subscription_is_confirmed_as_documented() -> None:
    """S2-5."""
    protocol, told = client(), sample("subscribed")
    [look_up] = protocol.receive(json.dumps(sample("subscribe")), now_ns=1, now_ms=0)
    assert isinstance(look_up, LookUp)
    assert sent(protocol.found(look_up, KNOWN, now_ms=ms(told["timestamp"]))) == [told]
    gone = sample("unsubscribed")
    answer = protocol.receive(json.dumps(sample("unsubscribe")), now_ns=2, now_ms=ms(gone["timestamp"]))
    assert sent(answer) == [gone]
    assert list(protocol.symbols) == ["ETH/USD"]


def test_unsubscribing_from_everything_lists_what_was_removed() -> None:
    """S2-6, C-12: another spelling of a symbol means the same."""
    protocol = client()
    asked = {"type": "subscribe", "symbols": ["btc-usd", "ETH/USD"]}
    [look_up] = protocol.receive(json.dumps(asked), now_ns=1, now_ms=0)
    assert isinstance(look_up, LookUp)
    protocol.found(look_up, {"btc-usd": "BTC/USD", "ETH/USD": "ETH/USD"}, now_ms=0)
    one = protocol.receive('{"type":"unsubscribe","symbols":["BTCUSD"]}', now_ns=1, now_ms=0)
    assert sent(one)[0]["symbols"] == ["BTC/USD"]
    rest = protocol.receive('{"type":"unsubscribe"}', now_ns=1, now_ms=0)
    assert sent(rest)[0]["symbols"] == ["ETH/USD"]
    assert not protocol.symbols


def test_the_documented_price_comes_out() -> None:
    """S2-7: the price is a JSON number."""
    wanted = sample("price_update")
    made = encode_price(
        "BTC/USD",
        "coinbase",
        price=parse_scaled("45123.5"),
        volume=parse_scaled("1234567.89"),
        time_ms=ms(wanted["timestamp"]),
    )
    assert json.loads(made) == wanted
    msgspec.json.decode(made, type=messages.PriceUpdate, strict=True)
    without = encode_price("BTC/USD", "kraken", price=1, volume=None, time_ms=0)
    assert json.loads(without)["volume"] is None


def test_a_ping_is_answered_and_a_pong_comes_every_half_minute_without_one() -> None:
    """S2-9, C-7."""
    protocol, pong = client(), sample("pong")
    assert sent(protocol.receive(json.dumps(sample("ping")), now_ns=1, now_ms=ms(pong["timestamp"]))) == [pong]
    second = 1_000_000_000
    assert protocol.tick(0, now_ns=30 * second - 1, now_ms=0) == []
    assert sent(protocol.tick(0, now_ns=30 * second, now_ms=ms(pong["timestamp"]))) == [pong]


def test_the_documented_error_comes_out_and_the_connection_stays() -> None:
    """S2-10, S2-11."""
    wanted = sample("error")
    protocol = client()
    answer = protocol.receive("{", now_ns=1, now_ms=ms(wanted["timestamp"]))
    assert sent(answer) == [wanted]
    assert len(answer) == 1
    made = error(VALIDATION, now_ms=0)
    msgspec.json.decode(made, type=messages.ErrorMessage, strict=True)


def test_times_are_iso_in_utc_with_milliseconds() -> None:
    """C-15."""
    assert iso_time(1760106600000) == "2025-10-10T14:30:00.000Z"
    assert iso_time(1760106600007) == "2025-10-10T14:30:00.007Z"
