"""Every JSON sample of source 3: the dialect takes it, or makes it from what it describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from cryptotrader.core.scaled import parse_scaled
from cryptotrader.dialects.actions import Send
from cryptotrader.dialects.signals import messages
from cryptotrader.dialects.signals.encode import (
    PriceView,
    SignalView,
    encode_book,
    encode_price,
    encode_signal,
    encode_status,
)
from cryptotrader.dialects.signals.messages import Channel
from cryptotrader.dialects.signals.protocol import LookUp, SignalProtocol, Start

SAMPLES = Path(__file__).parent / "golden" / "signals"

MS = 1700000000000


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return found


def sent(actions: list[Any]) -> list[dict[str, Any]]:
    return [json.loads(action.data) for action in actions if isinstance(action, Send)]


def test_the_documented_subscription_brings_prices_and_signals_but_no_book() -> None:
    """S3-2, C-9."""
    protocol = SignalProtocol(0)
    [look_up] = protocol.receive(json.dumps(sample("subscribe")), now_ns=1, now_ms=MS)
    assert isinstance(look_up, LookUp)
    actions = protocol.found(look_up, {name: name for name in look_up.symbols})
    started = {(action.channel, action.symbol) for action in actions if isinstance(action, Start)}
    assert started == {
        (channel, symbol) for channel in (Channel.PRICE, Channel.SIGNALS) for symbol in ("btc", "eth", "sol")
    }
    protocol.receive(json.dumps(sample("unsubscribe")), now_ns=2, now_ms=MS)
    assert list(protocol.symbols) == ["btc", "eth"]


def test_the_documented_ping_is_answered_as_documented() -> None:
    """S3-3."""
    answer = SignalProtocol(0).receive(json.dumps(sample("ping")), now_ns=1, now_ms=MS)
    assert sent(answer) == [sample("pong")]


def test_the_documented_price_comes_out() -> None:
    """S3-4."""
    made = encode_price(
        PriceView(
            symbol="btc",
            price=parse_scaled("67234.56"),
            change_24h=parse_scaled("2.34"),
            volume_24h=parse_scaled("28500000000"),
            time_ms=MS,
        )
    )
    assert json.loads(made) == sample("price_update")
    msgspec.json.decode(made, type=messages.PriceUpdate, strict=True)


def test_the_documented_book_comes_out() -> None:
    """S3-5."""
    wanted = sample("orderbook_update")
    bids, asks = (
        [(parse_scaled(str(level["price"])), parse_scaled(str(level["quantity"]))) for level in wanted[side]]
        for side in ("bids", "asks")
    )
    made = encode_book("btc", bids, asks, time_ms=MS)
    assert json.loads(made) == wanted
    msgspec.json.decode(made, type=messages.OrderBookUpdate, strict=True)


def test_the_documented_signal_comes_out() -> None:
    """S3-6."""
    made = encode_signal(
        SignalView(symbol="btc", indicator="rsi", signal="buy", value=28.5, confidence=0.85, time_ms=MS)
    )
    assert json.loads(made) == sample("signal_update")
    msgspec.json.decode(made, type=messages.SignalUpdate, strict=True)


def test_the_documented_status_comes_out() -> None:
    """S3-7."""
    status = messages.ServerStatus(connected_peers=5, active_sources=12, symbols_tracked=150, uptime_seconds=86400)
    assert json.loads(encode_status(status)) == sample("server_status")


def test_the_documented_error_comes_out_for_a_symbol_that_nobody_has() -> None:
    """S3-8, S3-9, C-10: the known ones are subscribed to all the same."""
    protocol = SignalProtocol(0)
    [look_up] = protocol.receive('{"type":"subscribe","symbols":["xyz","btc"]}', now_ns=1, now_ms=MS)
    assert isinstance(look_up, LookUp)
    told = sent(protocol.found(look_up, {"btc": "btc"}))
    assert told[-1] == sample("error")
    assert list(protocol.symbols) == ["btc"]
