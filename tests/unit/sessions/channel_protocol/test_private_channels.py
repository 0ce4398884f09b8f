"""Orders, positions and system events: whose they are, and what they say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from cryptotrader.core.errors import VenueTimeout
from cryptotrader.core.events import LinkChange, LinkState, SystemEvent
from cryptotrader.feeds.user import UserEvent
from tests.support.channels import BoundedConnection, ChannelStage, FakeAccount, position, settle
from tests.support.streams import Who

BTC = ["BTCUSDT"]


@pytest.fixture
async def stage() -> AsyncIterator[ChannelStage]:
    stage = ChannelStage(Who("alice"), Who("bob", account="bobs"))
    stage.accounts["bobs"] = FakeAccount("bobs")
    yield stage
    await stage.close()


async def test_an_order_is_told_with_the_arithmetic_of_the_sample(stage: ChannelStage) -> None:
    """S1-12, S1-13: cost of the whole order, fee of the filled part at the account's own rate."""
    alice = await stage.client("alice")
    alice.subscribe("orders", symbols=BTC)
    await settle()
    stage.accounts["default"].report()
    await settle()
    [row] = alice.hear()
    assert list(row) == ["channel", "exchange", "symbol", "event", "data", "timestamp"]
    assert (row["channel"], row["exchange"], row["symbol"], row["event"]) == ("orders", "binance", "BTCUSDT", "update")
    assert row["data"] == {
        "id": "123456789", "symbol": "BTCUSDT", "exchange": "binance", "timestamp": 1647356789123, "type": "limit",
        "side": "buy", "amount": 0.1, "price": 42500.0, "cost": 4250.0, "filled": 0.05, "remaining": 0.05,
        "status": "partially_filled", "fee": {"cost": 2.125, "currency": "USDT", "rate": 0.001},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"m": False}, {"rate": 0.002}),
        ({"N": "BNB"}, {"rate": 0.00075}),
        ({"x": "NEW", "X": "NEW", "z": "0.00000000", "Z": "0.00000000"}, {"rate": 0.001, "cost": 0.0}),
        ({"x": "NEW", "X": "NEW", "o": "MARKET", "p": "0.00000000", "z": "0", "Z": "0"}, {"rate": 0.002, "cost": 0.0}),
    ],
)
async def test_the_rate_is_that_of_the_fill(stage: ChannelStage, changes: dict[str, object], wanted: object) -> None:
    """S1-12: maker or taker, with the discount where the commission was paid in the discount's asset."""
    alice = await stage.client("alice")
    alice.subscribe("orders", symbols=BTC)
    await settle()
    stage.accounts["default"].report(**changes)
    await settle()
    fee = alice.hear()[0]["data"]["fee"]
    assert isinstance(wanted, dict)
    assert wanted.items() <= fee.items()


async def test_a_market_order_has_its_average_price_and_one_for_an_amount_of_money_its_filled_quantity(
    stage: ChannelStage,
) -> None:
    """S1-12, S1-13."""
    alice = await stage.client("alice")
    alice.subscribe("orders")
    await settle()
    market = {"o": "MARKET", "p": "0.00000000", "X": "FILLED", "m": False, "z": "0.10000000", "Z": "4251.00000000"}
    stage.accounts["default"].report(**market)
    stage.accounts["default"].report(**market, q="0.00000000", S="SELL")
    await settle()
    first, second = (row["data"] for row in alice.hear())
    assert (first["type"], first["price"], first["cost"], first["remaining"]) == ("market", 42510.0, 4251.0, 0.0)
    assert (second["side"], second["amount"], second["filled"], second["status"]) == ("sell", 0.1, 0.1, "filled")


@pytest.mark.parametrize("symbols", [None, BTC])
async def test_orders_wait_in_order_for_a_rate_that_is_being_asked_for(
    stage: ChannelStage, symbols: list[str] | None
) -> None:
    """S1-13: the account's rate is asked for once, by the subscription or by the first order."""
    account = stage.accounts["default"]
    account.may_answer.clear()
    alice = await stage.client("alice")
    alice.subscribe("orders", symbols=symbols)
    await settle()
    for number in range(3):
        account.report(i=number)
    await settle()
    assert alice.hear() == []
    account.may_answer.set()
    await settle()
    account.report(i=3)
    await settle()
    rows = [row for row in alice.connection.messages() if row.get("channel") == "orders"]
    assert [(row["data"]["id"], row["data"]["fee"]["rate"]) for row in rows] == [(str(n), 0.001) for n in range(4)]
    assert account.asked == ["BTCUSDT"]


async def test_rates_are_asked_for_again_after_an_hour_and_orders_do_not_wait_for_that(stage: ChannelStage) -> None:
    account = stage.accounts["default"]
    alice = await stage.client("alice")
    alice.subscribe("orders", symbols=BTC)
    await settle()
    stage.clock.advance(3_601)
    account.may_answer.clear()
    account.report()
    await settle()
    assert alice.hear()[-1]["data"]["fee"]["rate"] == 0.001
    assert account.asked == ["BTCUSDT"] * 2
    account.may_answer.set()


async def test_an_order_is_told_even_where_nobody_knows_the_rate(stage: ChannelStage) -> None:
    account = stage.accounts["default"]
    account.error = VenueTimeout("Binance API not responding")
    alice = await stage.client("alice")
    alice.subscribe("orders", symbols=BTC)
    account.report()
    account.report(i=2)
    await settle()
    rows = alice.connection.messages()[2:]
    assert [(row["data"]["id"], row["data"]["fee"]["rate"]) for row in rows] == [("123456789", 0.0), ("2", 0.0)]


async def test_a_list_of_symbols_that_cannot_be_had_holds_up_one_order_and_no_others(stage: ChannelStage) -> None:
    """S1-12: then nobody knows the asset of the fee, but the order is told."""
    stage.catalogue.is_loaded = False
    stage.catalogue.error = VenueTimeout("Binance API not responding")
    alice = await stage.client("alice")
    alice.subscribe("orders")
    for number in range(3):
        stage.accounts["default"].report(i=number)
        await settle()
    rows = alice.hear()
    assert [(row["data"]["id"], row["data"]["fee"]["currency"]) for row in rows] == [("0", ""), ("1", ""), ("2", "")]


async def test_other_events_of_the_account_and_broken_ones_are_no_orders(stage: ChannelStage) -> None:
    alice = await stage.client("alice")
    alice.subscribe("orders")
    user = stage.accounts["default"].user
    user.topic.publish(UserEvent("outboundAccountPosition", b"{}", {"e": "outboundAccountPosition"}))
    user.topic.publish(UserEvent("executionReport", b"{}", {"e": "executionReport", "s": "BTCUSDT"}))
    await settle()
    assert [row["event"] for row in alice.hear()] == []


async def test_nobody_sees_the_orders_or_positions_of_another_account(stage: ChannelStage) -> None:
    """S1-12, S1-14: whatever the other one subscribes to."""
    alice, bob = await stage.client("alice"), await stage.client("bob")
    for peer in (alice, bob):
        peer.subscribe("orders", "positions", "system_events")
        peer.subscribe("orders", "positions", symbols=BTC)
    await settle()
    stage.accounts["bobs"].report(i=7)
    stage.accounts["bobs"].positions.topic.publish(position())
    event = SystemEvent(event="protection_triggered", status="fired", at_ms=5, symbol="BTCUSDT", account="bobs")
    stage.reports.publish(event)
    stage.links.publish(LinkChange("paper", "user:bobs", LinkState.CONNECTED, 5))
    await settle()
    assert alice.hear() == []
    told = sorted(row["channel"] for row in bob.hear())
    assert told == ["orders", "positions", "system_events", "system_events"]


async def test_all_symbols_and_one_of_them_tell_each_thing_once(stage: ChannelStage) -> None:
    """S1-8: a subscription without symbols is one to all of the account's."""
    alice = await stage.client("alice")
    alice.subscribe("orders", symbols=BTC)
    alice.subscribe("orders")
    await settle()
    stage.accounts["default"].report()
    await settle()
    assert len(alice.hear()) == 1
    alice.unsubscribe("orders")
    stage.accounts["default"].report()
    await settle()
    assert [row["event"] for row in alice.hear()] == []


async def test_an_accounts_feed_is_open_while_somebody_listens(stage: ChannelStage) -> None:
    alice = await stage.client("alice")
    alice.subscribe("orders")
    user = stage.accounts["default"].user
    assert user.open_leases == ["user"]
    alice.unsubscribe("orders")
    stage.pass_time(5.5)
    assert user.open_leases == []


async def test_positions_are_told_at_once_and_with_every_change(stage: ChannelStage) -> None:
    """S1-14: every number of the sample."""
    account = stage.accounts["default"]
    account.positions.held = [position("BTCUSDT"), position("ETHUSDT")]
    alice, other = await stage.client("alice"), await stage.client("alice")
    told = alice.subscribe("positions", symbols=BTC)
    assert [row.get("symbol") for row in told] == [None, "BTCUSDT"]
    assert [row.get("symbol") for row in other.subscribe("positions")] == [None, "BTCUSDT", "ETHUSDT"]
    assert list(told[1]) == ["channel", "exchange", "symbol", "event", "data", "timestamp"]
    assert told[1]["data"] == {
        "symbol": "BTCUSDT", "exchange": "binance", "timestamp": 1647356789123, "type": "spot", "side": "long",
        "amount": 0.5, "cost": 21325.0, "average_price": 42650.0, "unrealized_pnl": 125.0,
        "unrealized_pnl_percentage": 0.58, "liquidation_price": None, "stop_loss": None, "take_profit": None,
        "trailing_stop": None,
    }  # fmt: skip
    account.positions.topic.publish(position("ETHUSDT"))
    account.positions.topic.publish(position("BTCUSDT", pnl=0))
    await settle()
    assert [row["data"]["unrealized_pnl"] for row in alice.hear()] == [0.0]
    assert [row["symbol"] for row in other.hear()] == ["ETHUSDT", "BTCUSDT"]


async def test_marks_are_followed_while_somebody_watches(stage: ChannelStage) -> None:
    positions = stage.accounts["default"].positions
    alice = await stage.client("alice")
    alice.subscribe("positions", symbols=BTC)
    alice.subscribe("positions", symbols=["ETHUSDT"])
    assert positions.watched == ["BTCUSDT", "ETHUSDT"]
    alice.unsubscribe("positions", symbols=["ETHUSDT"])
    positions.topic.publish(position())
    assert positions.watched == ["BTCUSDT"]
    alice.unsubscribe("positions")
    stage.pass_time(5.5)
    assert positions.watched == []


async def test_a_slow_client_gets_the_newest_of_each_position(stage: ChannelStage) -> None:
    """DESIGN 4.5: of each symbol, also where all are subscribed to at once."""
    alice = await stage.client("alice", BoundedConnection())
    alice.subscribe("positions")
    alice.connection.fall_behind()
    positions = stage.accounts["default"].positions
    for number in range(5):
        positions.topic.publish(position("BTCUSDT", pnl=number * 10**8))
        positions.topic.publish(position("ETHUSDT", pnl=number * 10**8))
        await settle()
    alice.connection.catch_up()
    assert [(row["symbol"], row["data"]["unrealized_pnl"]) for row in alice.hear()] == [
        ("BTCUSDT", 4.0),
        ("ETHUSDT", 4.0),
    ]


async def test_system_events_tell_how_connections_are_and_every_change(stage: ChannelStage) -> None:
    """S1-15: subscribed to without params; S1-20: each names its exchange."""
    stage.links.publish(LinkChange("paper", "market-1", LinkState.CONNECTING, 1))
    stage.links.publish(LinkChange("paper", "market-1", LinkState.CONNECTED, 2))
    alice = await stage.client("alice")
    echo, now = alice.say({"action": "subscribe", "channels": ["system_events"]})
    assert (echo["event"], echo["params"]) == ("subscribed", {})
    assert set(now) == {"event", "data", "timestamp", "channel"}
    assert (now["event"], now["channel"]) == ("exchange_connection_status", "system_events")
    assert now["data"] == {"exchange": "binance", "status": "connected", "timestamp": 2, "detail": "market-1"}
    stage.links.publish(LinkChange("paper", "market-1", LinkState.DISCONNECTED, 3, "the peer hung up"))
    stage.links.publish(LinkChange("paper", "user", LinkState.CONNECTED, 4))
    stage.reports.publish(SystemEvent(event="rate_limit", status="banned", at_ms=5, detail="retrying in 60s"))
    await settle()
    rows = alice.hear()
    assert [(row["event"], row["data"]["status"], row["data"]["detail"]) for row in rows] == [
        ("exchange_connection_status", "disconnected", "market-1: the peer hung up"),
        ("exchange_connection_status", "connected", "user"),
        ("rate_limit", "banned", "retrying in 60s"),
    ]
    alice.say({"action": "unsubscribe", "channels": ["system_events"]})
    stage.links.publish(LinkChange("paper", "market-1", LinkState.CONNECTED, 6))
    await settle()
    assert [row["event"] for row in alice.hear()] == []


async def test_all_times_are_milliseconds_and_the_outer_one_is_that_of_sending(stage: ChannelStage) -> None:
    """S1-19."""
    stage.accounts["default"].positions.held = [position()]
    alice = await stage.client("alice")
    alice.subscribe("positions", "orders", symbols=BTC)
    await settle()
    stage.clock.advance(2)
    stage.accounts["default"].report()
    await settle()
    now_ms = stage.clock.now_ns() // 1_000_000
    row = alice.hear()[-1]
    assert (row["timestamp"], row["data"]["timestamp"]) == (now_ms, 1647356789123)
    assert all(isinstance(row["timestamp"], int) for row in alice.connection.messages())


def test_the_samples_of_the_document_say_what_these_tests_expect() -> None:
    """S1-13, S1-14: the arithmetic in exact decimals."""
    folder = Path(__file__).resolve().parents[3] / "protocol" / "golden" / "channels"
    assert folder.is_dir()
    texts = [path.read_text("utf-8") for path in folder.rglob("*.json")]
    data = [json.loads(text, parse_float=Decimal).get("data", {}) for text in texts]
    [order] = [row for row in data if "fee" in row]
    assert order["cost"] == order["amount"] * order["price"]
    assert order["remaining"] == order["amount"] - order["filled"]
    assert order["fee"]["cost"] == order["filled"] * order["price"] * order["fee"]["rate"]
    [held] = [row for row in data if "average_price" in row]
    assert held["cost"] == held["amount"] * held["average_price"]
    percent = held["unrealized_pnl"] * 100 / held["cost"]
    assert held["unrealized_pnl_percentage"] == percent.quantize(Decimal("0.01"), "ROUND_DOWN")
