"""Every JSON sample of source 1: the dialect takes it, or makes it from the events that it describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cryptotrader.core.events import LinkState, Trade
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.dialects.actions import Send
from cryptotrader.dialects.channels import messages
from cryptotrader.dialects.channels.encode import (
    OrderView,
    PositionView,
    encode_book,
    encode_link,
    encode_order,
    encode_position,
    encode_ticker,
    encode_trade,
)
from cryptotrader.dialects.channels.protocol import ChannelProtocol, LookUp, Verify
from cryptotrader.portfolio.positions import FillRow, Position, fold
from tests.support.streams import ticker

SAMPLES = Path(__file__).parent / "golden" / "channels"

MS = 1647356789123


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return found


def ready() -> ChannelProtocol:
    protocol = ChannelProtocol(0, ["binance"])
    protocol.accepted(now_ms=MS)
    return protocol


def sent(actions: list[Any]) -> list[dict[str, Any]]:
    return [json.loads(action.data) for action in actions if isinstance(action, Send)]


def text(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text("utf-8")


def test_the_documented_login_is_taken_and_answered_as_documented() -> None:
    """S1-2, S1-3, S1-4."""
    protocol = ChannelProtocol(0, ["binance"])
    [verify] = protocol.receive(text("authenticate"), now_ns=1, now_ms=MS)
    assert isinstance(verify, Verify)
    assert (verify.message.api_key, verify.message.timestamp) == ("your_api_key", MS)
    assert sent(protocol.rejected(now_ms=sample("authentication_failed")["timestamp"])) == [
        sample("authentication_failed")
    ]
    assert sent(protocol.accepted(now_ms=sample("authenticated")["timestamp"])) == [sample("authenticated")]


@pytest.mark.parametrize(
    "name",
    [
        "subscribe",
        "subscribe_market_data",
        "subscribe_orderbook",
        "subscribe_trades",
        "subscribe_orders",
        "subscribe_positions",
        "subscribe_system_events",
    ],
)
def test_every_documented_subscription_is_taken_and_echoed_verbatim(name: str) -> None:
    """S1-6, S1-8, S1-15."""
    protocol = ready()
    [look_up] = protocol.receive(text(name), now_ns=1, now_ms=MS)
    assert isinstance(look_up, LookUp)
    [echo] = sent(protocol.found(look_up.request, look_up.request.symbols, now_ms=MS))
    asked = sample(name)
    assert echo == {
        "event": "subscribed",
        "channels": asked["channels"],
        "params": asked.get("params", {}),
        "timestamp": MS,
    }


def test_numbers_may_be_written_as_text() -> None:
    """C-14."""
    protocol = ChannelProtocol(0, ["binance"])
    login = '{"action":"authenticate","api_key":"k","timestamp":"1647356789123","signature":"s"}'
    [verify] = protocol.receive(login, now_ns=1, now_ms=MS)
    assert isinstance(verify, Verify)
    assert verify.message.timestamp == MS
    protocol.accepted(now_ms=MS)
    params = '{"exchange":"binance","symbols":["BTCUSDT"],"depth":"%s"}'
    book = f'{{"action":"subscribe","channels":["orderbook"],"params":{params}}}'
    [look_up] = protocol.receive(book % 20, now_ns=2, now_ms=MS)
    assert isinstance(look_up, LookUp)
    assert look_up.request.depth == 20
    for number, depth in enumerate(("101", "0", "1.5", "ten", "")):
        [error] = sent(protocol.receive(book % depth, now_ns=3 + number, now_ms=MS))
        assert error["code"] == 400


def test_the_documented_echoes_come_out() -> None:
    """S1-6, S1-7: the other channels and symbols go on."""
    protocol = ready()
    [look_up] = protocol.receive(text("subscribe"), now_ns=1, now_ms=MS)
    assert isinstance(look_up, LookUp)
    told = sample("subscribed")
    assert sent(protocol.found(look_up.request, look_up.request.symbols, now_ms=told["timestamp"])) == [told]
    before = set(protocol.pairs)
    gone = sample("unsubscribed")
    assert sent(protocol.receive(text("unsubscribe"), now_ns=2, now_ms=gone["timestamp"])) == [gone]
    assert {(pair.channel.value, pair.symbol) for pair in before - set(protocol.pairs)} == {("positions", "BTCUSDT")}
    assert len(protocol.pairs) == 5


def test_the_documented_ticker_comes_out() -> None:
    """S1-9, S1-19."""
    wanted = sample("market_data")
    event = msgspec.structs.replace(
        ticker(),
        last_price="42650.50000000",
        volume="2541.34000000",
        bid_price="42650.00000000",
        ask_price="42651.00000000",
        high_price="43100.00000000",
        low_price="42500.00000000",
        event_ms=MS,
    )
    made = encode_ticker("binance", event, now_ms=MS)
    assert json.loads(made) == wanted
    msgspec.json.decode(made, type=messages.TickerMessage, strict=True)


def test_the_documented_book_comes_out() -> None:
    """S1-10."""
    wanted = sample("orderbook")
    bids, asks = (
        [(parse_scaled(str(price)), parse_scaled(str(qty))) for price, qty in wanted["data"][side]]
        for side in ("bids", "asks")
    )
    made = encode_book("binance", "BTCUSDT", (bids, asks), event_ms=MS, now_ms=MS)
    assert json.loads(made) == wanted
    msgspec.json.decode(made, type=messages.BookMessage, strict=True)


def test_the_documented_trade_comes_out() -> None:
    """S1-11: the side is the aggressor's."""
    trade = Trade("BTCUSDT", 123456789, parse_scaled("42650.5"), parse_scaled("0.1"), MS, False, MS)
    made = encode_trade("binance", trade, now_ms=MS)
    assert json.loads(made) == sample("trades")
    msgspec.json.decode(made, type=messages.TradeMessage, strict=True)


def test_the_documented_order_comes_out() -> None:
    """S1-12, S1-13: the cost is that of the whole order, the fee that of the filled part."""
    order = OrderView(
        exchange="binance",
        symbol="BTCUSDT",
        quote="USDT",
        order_id="123456789",
        event_ms=MS,
        type="LIMIT",
        is_buy=True,
        amount=parse_scaled("0.1"),
        price=parse_scaled("42500"),
        filled=parse_scaled("0.05"),
        status="PARTIALLY_FILLED",
        rate=parse_scaled("0.001"),
    )
    made = encode_order(order, now_ms=MS)
    assert json.loads(made) == sample("orders")
    msgspec.json.decode(made, type=messages.OrderMessage, strict=True)


def test_the_documented_position_comes_out_of_a_fill() -> None:
    """S1-14."""
    bought = FillRow(
        symbol="BTCUSDT",
        trade_id=1,
        order_id=1,
        is_buyer=True,
        price=parse_scaled("42650"),
        qty=SCALE // 2,
        quote_qty=parse_scaled("21325"),
        commission=0,
        commission_asset="USDT",
        time_ms=MS,
    )
    position = fold(Position(symbol="BTCUSDT", base="BTC", quote="USDT"), bought)
    mark = parse_scaled("42900")
    view = PositionView(
        exchange="binance",
        symbol="BTCUSDT",
        event_ms=MS,
        amount=position.amount,
        cost=position.cost,
        average_price=position.average_price,
        unrealised_pnl=position.unrealised_pnl(mark),
        unrealised_percent=position.unrealised_percent(mark),
        stop_loss=parse_scaled("41000"),
        take_profit=parse_scaled("45000"),
        trailing_stop=parse_scaled("2.5"),
    )
    made = encode_position(view, now_ms=MS)
    assert json.loads(made) == sample("positions")
    msgspec.json.decode(made, type=messages.PositionMessage, strict=True)


def test_the_documented_system_event_comes_out() -> None:
    """S1-15."""
    made = encode_link("binance", LinkState.CONNECTED, event_ms=MS, now_ms=MS)
    assert json.loads(made) == sample("system_event")
    msgspec.json.decode(made, type=messages.SystemMessage, strict=True)


def test_the_documented_error_comes_out_for_a_symbol_that_cannot_be_one() -> None:
    """S1-16."""
    wanted = sample("error")
    asked = {"action": "subscribe", "channels": ["trades"], "params": {"exchange": "binance", "symbols": ["BTC USDT!"]}}
    assert sent(ready().receive(json.dumps(asked), now_ns=1, now_ms=wanted["timestamp"])) == [wanted]


def test_a_silent_client_is_pinged_and_its_documented_pong_keeps_it() -> None:
    """S1-17, S1-18."""
    protocol = ready()
    second = 1_000_000_000
    ping, close = sample("ping"), sample("close")
    assert protocol.tick(0, now_ns=30 * second - 1, now_ms=MS) == []
    assert sent(protocol.tick(0, now_ns=30 * second, now_ms=ping["timestamp"])) == [ping]
    assert protocol.receive(text("pong"), now_ns=39 * second, now_ms=MS) == []
    assert protocol.tick(30 * second, now_ns=40 * second, now_ms=MS) == []
    assert sent(protocol.tick(30 * second, now_ns=69 * second, now_ms=MS)) != []
    assert sent(protocol.tick(69 * second, now_ns=79 * second, now_ms=close["timestamp"])) == [close]
