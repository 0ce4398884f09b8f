"""Whatever a client sends to the paper exchange, it gets an answer or a refusal in Binance's words, never a failure."""

from __future__ import annotations

import asyncio

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.operations import http_status
from cryptotrader.exchange.server import make_operations
from cryptotrader.services.binance.registry import SPECS, AnySpec
from cryptotrader.services.binance.websocketAPI.trading_requests import place_new_order
from tests.support.paper import TestClock, paper_venue

KNOWN = make_operations(paper_venue(clock=TestClock()))
VALUES = st.one_of(
    st.sampled_from(
        [
            *("BTCUSDT", '["BTCUSDT"]', "[]", "[", '["BTCUSDT","X"]', "BUY", "SELL", "LIMIT", "MARKET", "LIMIT_MAKER"),
            *("STOP_LOSS_LIMIT", "GTC", "IOC", "FOK", "1h", "1M", "1s", "0", "1", "5", "500", "5000", "true", "false"),
            *("0.001", "44000", "45001", "1e5", "-1", "99999999999999999999", "0.00000001", "MINI", "ACK", "RESULT"),
            *("1700000000000", "9223372036854775808", "8", "-12:00", "3d", "7d", "59m", "١٢", "", " ", "\x00", "NaN"),
            *("STOP_ON_FAILURE", "ALLOW_FAILURE", "CANCEL_ONLY", "DO_NOTHING", "ONLY_NEW", "STOP_LOSS", "TAKE_PROFIT"),
        ]
    ),
    st.text(max_size=30),
)


async def ask(spec: AnySpec, params: dict[str, str]) -> object:
    operations = make_operations(paper_venue(clock=TestClock()))
    operations.charge(spec, params, address="here")
    try:
        return await operations.call(spec, params, "default")
    except Refusal as refusal:
        return refusal


@settings(max_examples=500, deadline=None)
@given(spec=st.sampled_from([spec for spec in SPECS if KNOWN.knows(spec)]), data=st.data())
def test_every_request_is_answered_or_refused(spec: AnySpec, data: st.DataObject) -> None:
    own = sorted(field.encode_name for field in msgspec.structs.fields(spec.params))
    params = data.draw(st.dictionaries(st.sampled_from([*own, "stray"]), VALUES, max_size=8))
    if "symbol" in own and "symbols" not in params:
        params = {"symbol": "BTCUSDT"} | params
    answer = asyncio.run(ask(spec, params))
    if isinstance(answer, Refusal):
        assert -9_999 < answer.code < 0
        assert answer.message
        assert http_status(answer) in (400, 401, 409, 429)
    else:
        assert msgspec.json.encode(answer)


@settings(max_examples=500, deadline=None)
@given(
    st.fixed_dictionaries(
        {"side": st.sampled_from(["BUY", "SELL"]), "type": st.sampled_from(["LIMIT", "MARKET", "LIMIT_MAKER"])},
        optional={
            "timeInForce": st.sampled_from(["GTC", "IOC", "FOK"]),
            "price": st.decimals("0.01", "200000", places=2).map(str) | VALUES,
            "quantity": st.decimals("0.00001", "2", places=5).map(str) | VALUES,
            "quoteOrderQty": st.decimals("0", "100000", places=2).map(str) | VALUES,
            "newOrderRespType": st.sampled_from(["ACK", "RESULT", "FULL"]),
            "newClientOrderId": VALUES,
            "strategyId": VALUES,
        },
    )
)
def test_every_order_is_answered_or_refused(params: dict[str, str]) -> None:
    answer = asyncio.run(ask(place_new_order.SPEC, {"symbol": "BTCUSDT"} | params))
    assert isinstance(answer, Refusal) or msgspec.json.encode(answer)
