"""Cancel-and-replace: whatever is asked, the account afterwards is what the answer says, no more and no less."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.operations import DetailedRefusal, Operations
from cryptotrader.exchange.server import make_operations
from cryptotrader.services.binance.websocketAPI.trading_requests import place_new_order, replace_order
from tests.support.paper import TestClock, paper_venue

RESTING = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}
PRICES = st.sampled_from(["30000.00", "44000.00", "45001.00", "46000.00", "46000.001", "1.00", "900000.00"])
REQUESTS = st.fixed_dictionaries(
    {
        "cancelReplaceMode": st.sampled_from(["STOP_ON_FAILURE", "ALLOW_FAILURE"]),
        "side": st.sampled_from(["BUY", "SELL"]),
        "quantity": st.sampled_from(["0.001", "0.5", "9000", "0.000001"]),
        "price": PRICES,
        "kind": st.sampled_from(["LIMIT", "LIMIT_MAKER"]),
        "old": st.sampled_from(["1", "2", "99"]),
    },
    optional={
        "cancelOrigClientOrderId": st.sampled_from(["first", "second", "nobody"]),
        "cancelRestrictions": st.sampled_from(["ONLY_NEW", "ONLY_PARTIALLY_FILLED"]),
        "newClientOrderId": st.sampled_from(["first", "second", "third"]),
        "newOrderRespType": st.sampled_from(["ACK", "RESULT", "FULL"]),
    },
)


def told_by(refusal: Refusal) -> dict[str, Any] | None:
    """What a refusal says of both halves."""
    if not isinstance(refusal, DetailedRefusal):
        return None
    assert refusal.has_effect == (refusal.status == 409) == (refusal.code == -2021)
    return refusal.data


async def run(operations: Operations, asked: dict[str, str]) -> dict[str, Any] | None:
    """What the answer says of both halves; None where neither was tried."""
    for name, price in (("first", "44000.00"), ("second", "30000.00")):
        await operations.call(place_new_order.SPEC, RESTING | {"newClientOrderId": name, "price": price}, "default")
    params = {"symbol": "BTCUSDT", **asked, "type": asked["kind"], "cancelOrderId": asked["old"]}
    if asked["kind"] == "LIMIT":
        params["timeInForce"] = "GTC"
    del params["kind"], params["old"]
    try:
        answer = await operations.call(replace_order.SPEC, params, "default")
    except Refusal as refusal:
        return told_by(refusal)
    assert isinstance(answer, dict)
    return answer


@settings(max_examples=300, deadline=None)
@given(REQUESTS)
def test_the_account_is_what_the_answer_says(asked: dict[str, str]) -> None:
    operations = make_operations(paper_venue(clock=TestClock()))
    told = asyncio.run(run(operations, asked))
    venue = operations.desk.venue
    orders = {order.order_id: order for order in venue.orders("default", "BTCUSDT")}
    before = {1, 2}
    if told is None:
        assert set(orders) == before
        assert all(order.is_open for order in orders.values())
        return
    cancelled = told["cancelResult"] == "SUCCESS"
    gone = {order_id for order_id in before if not orders[order_id].is_open}
    assert gone == ({told["cancelResponse"]["orderId"]} if cancelled else set())
    if told["newOrderResult"] == "SUCCESS":
        assert set(orders) - before == {told["newOrderResponse"]["orderId"]}
    else:
        assert set(orders) == before
    assert (told["newOrderResult"] == "NOT_ATTEMPTED") == (told["newOrderResponse"] is None)
    if not cancelled and asked["cancelReplaceMode"] == "STOP_ON_FAILURE":
        assert told["newOrderResult"] == "NOT_ATTEMPTED"
    locked = {asset: amount for asset, _, amount in venue.balances("default") if amount}
    needed = {"USDT": 0, "BTC": 0}
    for order in orders.values():
        if order.is_open:
            asset = "USDT" if order.side == "BUY" else "BTC"
            needed[asset] += order.price * order.remaining // 10**8 if asset == "USDT" else order.remaining
    assert locked == {asset: amount for asset, amount in needed.items() if amount}
