"""Requests over a connection: exactly one end for each, and nothing that could trade is sent twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cryptotrader.core.errors import (
    InvalidParams,
    NotConnected,
    UnknownOutcome,
    VenueAuthError,
    VenueBanned,
    VenueRateLimited,
    VenueRejected,
    VenueTimeout,
)
from cryptotrader.services.binance.request import SecurityType
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.websocketAPI.general_requests import connectivity
from cryptotrader.services.binance.websocketAPI.market_data_requests import order_book, symbol_price_ticker
from cryptotrader.services.binance.websocketAPI.trading_requests import cancel_order, place_new_order
from cryptotrader.services.binance.wsapi.reconcile import LostRequest
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy
from cryptotrader.services.binance.wsapi.replies import CONNECTION_LOST, NO_ANSWER, OUTCOME_UNKNOWN
from cryptotrader.testing import settle
from tests.support.ws_api_venue import HMAC, URL, Desk, Told, desk

ORDER: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
PLACED = {"symbol": "BTCUSDT", "orderId": 7, "clientOrderId": "ct", "transactTime": 1}


def new_order(**more: Any) -> place_new_order.NewOrderParams:
    return place_new_order.NewOrderParams(**{**ORDER, **more})


async def ask_price(on: Desk) -> asyncio.Task[Any]:
    params = symbol_price_ticker.PriceTickerParams(symbol="BTCUSDT")
    task = asyncio.ensure_future(symbol_price_ticker.SPEC.call(on.client, params))
    await settle()
    return task


async def place(on: Desk, **more: Any) -> asyncio.Task[Any]:
    task = asyncio.ensure_future(place_new_order.SPEC.call(on.client, new_order(**more)))
    await settle()
    return task


# What may be asked


async def test_s4_7_without_a_connection_a_request_is_a_connection_error() -> None:
    client = BinanceWebSocketConnection(url=URL, credentials=HMAC)
    with pytest.raises(ConnectionError):
        await order_book.SPEC.process_request(client, {"symbol": "BTCUSDT"}, Told())
    with pytest.raises(NotConnected):
        await client.send(method="ping")
    assert not client.is_connected


async def test_s4_7_after_close_a_request_is_a_connection_error() -> None:
    async with desk() as on:
        pass
    with pytest.raises(ConnectionError):
        await on.client.send(method="ping")
    with pytest.raises(NotConnected):
        await on.client.connect()


async def test_s4_7_a_missing_parameter_is_a_value_error_that_names_it() -> None:
    async with desk() as on:
        with pytest.raises(ValueError, match=r"^Missing required parameter: symbol$"):
            await order_book.SPEC.process_request(on.client, {"limit": 5}, Told())
        with pytest.raises(InvalidParams, match="Missing required parameter: quantity"):
            await place_new_order.SPEC.process_request(
                on.client, {"symbol": "BTCUSDT", "side": "BUY", "type": "STOP_LOSS"}, Told()
            )
        assert on.venue.inbox == []


async def test_typed_parameters_are_checked_as_well() -> None:
    """A struct's constructor checks nothing."""
    async with desk() as on:
        with pytest.raises(InvalidParams, match="limit"):
            await order_book.SPEC.call(on.client, order_book.OrderBookParams(symbol="BTCUSDT", limit=9_999))


async def test_s4_8_send_returns_the_id_that_the_frame_and_the_reply_have() -> None:
    async with desk() as on:
        told = Told()
        message_id = await on.client.send(method="ping", callback=told)
        assert on.wire.sent[-1] == {"id": message_id, "method": "ping"}
        on.venue.answer()
        await settle()
        assert told.replies == [{"id": message_id, "status": 200, "result": {}}]


@pytest.mark.parametrize(
    ("security", "added"),
    [
        (SecurityType.NONE, set()),
        (SecurityType.MARKET_DATA, {"apiKey"}),
        (SecurityType.USER_STREAM, {"apiKey"}),
        (SecurityType.USER_DATA, {"apiKey", "timestamp", "signature"}),
        (SecurityType.TRADE, {"apiKey", "timestamp", "signature"}),
    ],
)
async def test_s4_9_the_security_type_says_what_is_added(security: SecurityType, added: set[str]) -> None:
    async with desk() as on:
        await on.client.send(method="some.method", params={"a": 1}, security_type=security)
        params: dict[str, Any] = on.wire.sent[-1]["params"]  # type: ignore[assignment]
        assert set(params) - {"a"} == added


async def test_s4_9_without_credentials_nothing_is_sent() -> None:
    async with desk(credentials=None) as on:
        with pytest.raises(VenueAuthError):
            await on.client.send(method="account.status", security_type=SecurityType.USER_DATA)
        assert on.venue.inbox == []


async def test_numbers_are_sent_and_signed_as_they_were_given() -> None:
    async with desk() as on:
        given = {**ORDER, "quantity": 100.0, "newClientOrderId": "mine"}
        await place_new_order.SPEC.process_request(on.client, given, Told())
        frame = on.wire.sent[-1]["params"]
        assert isinstance(frame, dict)
        assert frame["quantity"] == 100.0
        stamp = frame["timestamp"]
        text = (
            f"apiKey={HMAC.api_key}&newClientOrderId=mine&quantity=100.0&side=BUY&symbol=BTCUSDT"
            f"&timestamp={stamp}&type=MARKET"
        )
        assert frame["signature"] == HMAC.signer.sign(text)


# Exactly one end


async def test_s4_11_pipelined_replies_in_any_order_reach_their_own_callbacks() -> None:
    async with desk() as on:
        tolds = [Told() for _ in range(50)]
        ids = [await on.client.send(method="ping", callback=told) for told in tolds]
        on.venue.inbox.reverse()
        for wire, frame in on.venue.inbox:
            wire.push({"id": frame["id"], "status": 200, "result": frame["id"]})
        await settle()
        assert [[reply["result"] for reply in told.replies] for told in tolds] == [[number] for number in ids]


async def test_s4_11_a_reply_that_comes_twice_is_told_once() -> None:
    async with desk() as on:
        told = Told()
        message_id = await on.client.send(method="ping", callback=told)
        for _ in range(3):
            on.wire.push({"id": message_id, "status": 200, "result": {}})
        on.wire.push({"id": "nobody", "status": 200, "result": {}})
        on.wire.push(b"\xff no json")
        await settle()
        assert told.statuses == [200]
        assert (on.client.unmatched_replies, on.client.stats.malformed) == (3, 1)


async def test_s4_11_the_callback_is_registered_before_the_frame_is_written() -> None:
    """The reply may be there before ``send`` returns."""
    async with desk() as on:
        told = Told()
        on.venue.auto["ping"] = lambda wire, params: {}
        await on.client.send(method="ping", callback=told)
        await settle()
        assert told.statuses == [200]
        assert on.client.unmatched_replies == 0


async def test_a_callback_that_raises_is_counted_and_the_next_one_runs() -> None:
    async with desk() as on:
        order: list[int] = []

        async def bad(reply: dict[str, Any]) -> None:
            order.append(1)
            raise RuntimeError("a user's mistake")

        async def good(reply: dict[str, Any]) -> None:
            order.append(2)

        for callback in (bad, good, bad, good):
            await on.client.send(method="ping", callback=callback)
        for _ in range(4):
            on.venue.answer()
        await settle()
        assert order == [1, 2, 1, 2]
        assert on.client.callback_failures == 2


async def test_a_slow_callback_does_not_hold_up_the_reader() -> None:
    async with desk() as on:
        gate = asyncio.Event()

        async def slow(reply: dict[str, Any]) -> None:
            await gate.wait()

        await on.client.send(method="ping", callback=slow)
        on.venue.answer()
        task = await ask_price(on)
        on.venue.answer({"symbol": "BTCUSDT", "price": "1"})
        await settle()
        assert task.done()
        gate.set()


async def test_a_callback_that_never_ends_is_cancelled() -> None:
    async with desk() as on:
        told = Told()

        async def stuck(reply: dict[str, Any]) -> None:
            await asyncio.Event().wait()

        for callback in (stuck, told):
            await on.client.send(method="ping", callback=callback)
            on.venue.answer()
        await on.clock.advance(31.0)
        assert told.statuses == [200]
        assert on.client.callback_failures == 1


async def test_a_callback_may_ask_on_the_same_connection() -> None:
    async with desk() as on:
        on.venue.auto["time"] = lambda wire, params: {"serverTime": on.venue.now_ms()}
        seen: list[bool] = []

        async def asks(reply: dict[str, Any]) -> None:
            on.venue.auto["ping"] = lambda wire, params: {}
            await connectivity.SPEC.call(on.client, connectivity.PingParams())
            seen.append(True)

        await on.client.send(method="depth", callback=asks)
        on.venue.answer()
        await settle()
        assert seen == [True]


# Lost and late


async def test_s4_13_a_read_whose_connection_was_lost_is_repeated_on_the_next_one() -> None:
    async with desk() as on:
        task = await ask_price(on)
        on.drop()
        await on.clock.advance(1.0)
        assert [wire.number for wire, _ in on.venue.inbox] == [1, 2]
        on.venue.take()
        on.venue.answer({"symbol": "BTCUSDT", "price": "1.5"})
        assert (await task).price == "1.5"


async def test_s4_13_a_read_is_repeated_only_so_often() -> None:
    async with desk() as on:
        task = await ask_price(on)
        for _ in range(4):
            on.drop()
            await on.clock.advance(5.0)
        assert isinstance(task.exception(), NotConnected)
        assert len(on.venue.sent("ticker.price")) == 3


async def test_s4_13_a_read_asked_for_while_connecting_anew_waits_for_the_connection() -> None:
    async with desk() as on:
        on.venue.refuse()
        await settle()
        told = Told()
        message_id = await on.client.send(method="ping", callback=told)
        on.venue.accept()
        await on.clock.advance(2.0)
        on.venue.answer()
        await settle()
        assert [reply["id"] for reply in told.replies] == [message_id]


async def test_an_order_is_refused_while_connecting_anew() -> None:
    """It was certainly not sent, and the caller may know of another way."""
    async with desk() as on:
        on.venue.refuse()
        await settle()
        with pytest.raises(NotConnected):
            await place_new_order.SPEC.call(on.client, new_order())


async def test_an_order_whose_connection_was_lost_is_unknown_and_never_sent_again() -> None:
    async with desk() as on:
        task = await place(on)
        on.drop()
        await on.clock.advance(30.0)
        lost = task.exception()
        assert isinstance(lost, UnknownOutcome)
        sent = on.venue.sent("order.place")
        assert len(sent) == 1
        assert (lost.symbol, lost.client_order_id) == ("BTCUSDT", sent[0]["params"]["newClientOrderId"])
        assert on.client.stats.lost == 1


async def test_a_callback_of_a_lost_order_gets_the_documented_code_and_the_name() -> None:
    async with desk() as on:
        told = Told()
        given = {**ORDER, "newClientOrderId": "mine"}
        message_id = await place_new_order.SPEC.process_request(on.client, given, told)
        on.drop()
        await settle()
        assert told.replies == [
            {
                "id": message_id,
                "status": 0,
                "error": {
                    "code": OUTCOME_UNKNOWN,
                    "msg": "the outcome of order.place is not known",
                    "data": {"symbol": "BTCUSDT", "clientOrderId": "mine"},
                },
            }
        ]


async def test_an_order_without_an_answer_is_unknown_and_its_late_answer_is_ignored() -> None:
    async with desk() as on:
        task = await place(on)
        await on.clock.advance(10.5)
        assert isinstance(task.exception(), LostRequest)
        on.venue.answer(PLACED)
        await settle()
        assert on.client.unmatched_replies == 1
        assert len(on.venue.sent("order.place")) == 1


async def test_a_cancellation_is_as_honest_as_an_order() -> None:
    async with desk() as on:
        params = cancel_order.CancelOrderParams(symbol="BTCUSDT", order_id=7)
        task = asyncio.ensure_future(cancel_order.SPEC.call(on.client, params))
        await settle()
        on.drop()
        await on.clock.advance(30.0)
        lost = task.exception()
        assert isinstance(lost, LostRequest)
        assert (lost.method, lost.order_id, lost.is_cancel) == ("order.cancel", 7, True)
        assert len(on.venue.sent("order.cancel")) == 1


@pytest.mark.parametrize(("status", "code"), [(400, -1007), (500, -1006), (504, 0)])
async def test_an_order_of_which_the_venue_says_that_it_does_not_know_is_unknown(status: int, code: int) -> None:
    async with desk() as on:
        task = await place(on)
        on.venue.refuse_request(*on.venue.take(), status, code)
        await settle()
        assert isinstance(task.exception(), LostRequest)
        told = Told()
        await place_new_order.SPEC.process_request(on.client, ORDER, told)
        on.venue.refuse_request(*on.venue.take(), status, code)
        await on.clock.advance(30.0)
        assert told.statuses == [status]
        assert len(on.venue.sent("order.place")) == 2


async def test_a_read_that_the_venue_failed_on_is_asked_again() -> None:
    async with desk() as on:
        task = await ask_price(on)
        on.venue.refuse_request(*on.venue.take(), 500, -1000)
        await settle()
        on.venue.answer({"symbol": "BTCUSDT", "price": "2"})
        assert (await task).price == "2"


async def test_a_read_without_an_answer_is_repeated_and_ends_in_a_timeout() -> None:
    async with desk() as on:
        told = Told()
        await on.client.send(method="ping", callback=told)
        await on.clock.advance(32.0)
        assert [reply["error"]["code"] for reply in told.replies] == [NO_ANSWER]
        assert len(on.venue.sent("ping")) == 3
        assert len({frame["id"] for frame in on.venue.sent("ping")}) == 3


async def test_the_callers_own_timeout_counts_for_all_transmissions() -> None:
    async with desk() as on:
        params = symbol_price_ticker.PriceTickerParams(symbol="BTCUSDT")
        task = asyncio.ensure_future(symbol_price_ticker.SPEC.call(on.client, params, timeout_s=2.0))
        await on.clock.advance(2.5)
        assert isinstance(task.exception(), VenueTimeout)
        assert len(on.venue.sent("ticker.price")) == 1


async def test_close_waits_for_the_replies_to_what_was_sent_and_takes_nothing_new() -> None:
    async with desk() as on:
        order = await place(on)
        closing = asyncio.ensure_future(on.client.close())
        await settle()
        assert not closing.done()
        with pytest.raises(NotConnected):
            await on.client.send(method="ping")
        on.venue.answer(PLACED)
        await on.clock.advance(0.1)
        assert (await order).order_id == 7
        assert closing.done()


async def test_what_is_under_way_at_the_end_gets_an_honest_answer() -> None:
    told, other = Told(), Told()
    closed: list[bool] = []

    async def on_close() -> None:
        closed.append(True)

    async with desk(on_close=on_close) as on:
        await on.client.send(method="ping", callback=told)
        await place_new_order.SPEC.process_request(on.client, ORDER, other)
    assert told.replies[0]["error"]["code"] == CONNECTION_LOST
    assert other.replies[0]["error"]["code"] == OUTCOME_UNKNOWN
    assert closed == [True]
    assert on.venue.open_wires == []


async def test_a_caller_that_leaves_leaves_no_trace() -> None:
    async with desk() as on:
        task = await ask_price(on)
        task.cancel()
        await settle()
        on.venue.answer({"symbol": "BTCUSDT", "price": "2"})
        await settle()
        assert on.client.unmatched_replies == 0


# The clock


async def test_a_refused_timestamp_heals_once_by_itself_even_for_an_order() -> None:
    """-1021 says that nothing was done; the second frame is a new one with the right time."""
    async with desk() as on:
        task = await place(on, new_client_order_id="mine")
        on.venue.ahead_ms = 60_000
        on.venue.refuse_request(*on.venue.take(), 400, -1021)
        await settle()
        first, second = on.venue.sent("order.place")
        assert second["params"]["timestamp"] - first["params"]["timestamp"] == 60_000
        assert first["id"] != second["id"]
        assert second["params"]["newClientOrderId"] == "mine"
        on.venue.answer(PLACED)
        assert (await task).order_id == 7
        assert on.client.stats.healed == 1


async def test_a_copy_of_the_refusal_does_not_end_the_healed_request() -> None:
    async with desk() as on:
        told = Told()
        message_id = await place_new_order.SPEC.process_request(on.client, ORDER, told)
        wire, frame = on.venue.take()
        on.venue.refuse_request(wire, frame, 400, -1021)
        await settle()
        on.venue.refuse_request(wire, frame, 400, -1021)
        on.venue.answer(PLACED)
        await settle()
        assert [(reply["id"], reply["status"]) for reply in told.replies] == [(message_id, 200)]


async def test_a_timestamp_refused_twice_is_told() -> None:
    async with desk() as on:
        task = await place(on)
        for _ in range(2):
            on.venue.refuse_request(*on.venue.take(), 400, -1021)
            await settle()
        error = task.exception()
        assert isinstance(error, VenueRejected)
        assert error.venue_code == -1021
        assert len(on.venue.sent("order.place")) == 2


async def test_a_minus_1021_with_a_server_error_is_no_certain_refusal() -> None:
    async with desk() as on:
        task = await place(on)
        on.venue.refuse_request(*on.venue.take(), 500, -1021)
        await settle()
        assert isinstance(task.exception(), UnknownOutcome)
        assert len(on.venue.sent("order.place")) == 1


async def test_an_order_lost_after_it_was_healed_is_unknown() -> None:
    async with desk() as on:
        task = await place(on)
        on.venue.refuse_request(*on.venue.take(), 400, -1021)
        await settle()
        on.drop()
        await on.clock.advance(20.0)
        assert isinstance(task.exception(), UnknownOutcome)
        assert len(on.venue.sent("order.place")) == 2


async def test_an_order_refused_for_its_timestamp_is_refused_where_the_time_cannot_be_had() -> None:
    async with desk() as on:
        on.venue.refusals["time"] = (503, -1008)
        task = await place(on)
        on.venue.refuse_request(*on.venue.take(), 400, -1021)
        await settle()
        error = task.exception()
        assert isinstance(error, VenueRejected)
        assert error.venue_code == -1021


async def test_requests_are_signed_by_the_venues_clock() -> None:
    made = Desk()
    made.venue.ahead_ms = -42_000
    await made.client.connect()
    await place(made)
    assert made.venue.sent("order.place")[0]["params"]["timestamp"] == made.venue.now_ms()
    assert made.client.clock_offset_ms == -42_000
    await made.close()


async def test_the_clock_is_compared_again_and_again() -> None:
    async with desk() as on:
        await on.clock.advance(601.0)
        assert len(on.venue.sent("time")) == 3


# Limits


async def test_s4_12_after_429_requests_wait_exactly_as_told_and_are_signed_afterwards() -> None:
    async with desk() as on:
        first = await ask_price(on)
        now_ms = on.venue.now_ms()
        on.venue.refuse_request(*on.venue.take(), 429, -1003, serverTime=now_ms, retryAfter=now_ms + 4_000)
        await settle()
        error = first.exception()
        assert isinstance(error, VenueRateLimited)
        assert error.retry_after_s == 4.0
        await place(on)
        await on.clock.advance(3.999)
        assert on.venue.sent("order.place") == []
        await on.clock.advance(0.002)
        assert on.venue.sent("order.place")[0]["params"]["timestamp"] >= now_ms + 4_000


async def test_s4_12_a_refusal_of_many_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    async with desk() as on:
        for _ in range(20):
            await on.client.send(method="ping")
        now_ms = on.venue.now_ms()
        for wire, frame in on.venue.inbox:
            on.venue.refuse_request(wire, frame, 429, -1003, serverTime=now_ms, retryAfter=now_ms + 4_000)
        await settle()
    assert capsys.readouterr().err.count("[ERROR] Binance API error: rate limit exceeded - retrying in 4s") == 1


async def test_s4_12_what_would_wait_for_long_is_refused_at_once_and_says_how_long() -> None:
    async with desk() as on:
        task = await ask_price(on)
        now_ms = on.venue.now_ms()
        on.venue.refuse_request(*on.venue.take(), 418, -1003, serverTime=now_ms, retryAfter=now_ms + 120_000)
        await settle()
        assert isinstance(task.exception(), VenueBanned)
        with pytest.raises(VenueBanned) as caught:
            await place_new_order.SPEC.call(on.client, new_order())
        assert caught.value.retry_after_s == 120.0
        assert on.venue.sent("order.place") == []


async def test_s4_12_limits_are_shared_by_the_connections_that_are_given_them() -> None:
    async with desk() as on, desk(limits=on.limits) as other:
        task = await ask_price(on)
        now_ms = on.venue.now_ms()
        on.venue.refuse_request(*on.venue.take(), 418, -1003, serverTime=now_ms, retryAfter=now_ms + 60_000)
        await settle()
        assert task.done()
        with pytest.raises(VenueBanned):
            await other.client.send(method="ping")


async def test_s4_12_the_venues_figures_are_heeded_before_it_refuses() -> None:
    async with desk() as on:
        row = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 1, "count": 1}
        task = await place(on)
        on.venue.answer(PLACED, rateLimits=[row])
        await task
        waiting = await place(on)
        assert len(on.venue.sent("order.place")) == 1
        await on.clock.advance(10.1)
        assert len(on.venue.sent("order.place")) == 2
        on.venue.answer(PLACED)
        assert (await waiting).order_id == 7


async def test_an_error_without_an_id_still_says_to_be_quiet() -> None:
    async with desk() as on:
        now_ms = on.venue.now_ms()
        data = {"serverTime": now_ms, "retryAfter": now_ms + 60_000}
        on.wire.push({"id": None, "status": 418, "error": {"code": -1003, "msg": "banned", "data": data}})
        await settle()
        with pytest.raises(VenueBanned):
            await on.client.send(method="ping")


async def test_where_replies_hide_the_limits_orders_ask_for_them() -> None:
    urls: list[str] = []
    made = Desk(return_rate_limits=False)
    keep = made.venue.connect

    async def connect(url: str) -> Any:
        urls.append(url)
        return await keep(url)

    made.client._keeper._deps.__dict__["connect"] = connect
    await made.client.connect()
    await place(made)
    await made.client.send(method="ping")
    assert urls == [URL + "?returnRateLimits=false"]
    assert made.venue.sent("order.place")[0]["params"]["returnRateLimits"] is True
    assert "params" not in made.venue.sent("ping")[0]
    await made.close()


# Bounds


async def test_too_many_requests_at_once_are_refused_before_they_are_sent() -> None:
    async with desk(policy=ConnectionPolicy(max_pending=3)) as on:
        for _ in range(3):
            await on.client.send(method="ping")
        with pytest.raises(VenueRateLimited, match="Too many requests at once"):
            await on.client.send(method="ping")
        on.venue.answer()
        await settle()
        await on.client.send(method="ping")
        assert len(on.venue.sent("ping")) == 4


async def test_callbacks_that_have_not_run_count_as_pending() -> None:
    async with desk(policy=ConnectionPolicy(max_pending=3)) as on:
        gate = asyncio.Event()

        async def slow(reply: dict[str, Any]) -> None:
            await gate.wait()

        for _ in range(3):
            await on.client.send(method="ping", callback=slow)
            on.venue.answer()
        await settle()
        with pytest.raises(VenueRateLimited):
            await on.client.send(method="ping")
        gate.set()


async def test_bytes_that_the_network_does_not_take_are_bounded() -> None:
    async with desk(policy=ConnectionPolicy(max_outbound_bytes=10)) as on:
        gate = asyncio.Event()
        wire, write = on.wire, on.wire.send

        async def stuck(data: bytes) -> None:
            await gate.wait()
            await write(data)

        wire.send = stuck  # type: ignore[method-assign]
        task = asyncio.ensure_future(on.client.send(method="ping"))
        await settle()
        with pytest.raises(VenueRateLimited):
            await on.client.send(method="ping")
        gate.set()
        await task


async def test_no_secret_shows_in_a_repr_or_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    async with desk() as on:
        task = await place(on)
        assert HMAC.api_key not in repr(on.client)
        on.venue.refuse_request(*on.venue.take(), 401, -2015)
        await settle()
        assert isinstance(task.exception(), VenueAuthError)
        on.drop()
        await on.clock.advance(1.0)
    printed = capsys.readouterr()
    signature = on.venue.sent("order.place")[0]["params"]["signature"]
    for secret in (HMAC.api_key, signature, "a-secret-of-a-test"):
        assert secret not in printed.err + printed.out
