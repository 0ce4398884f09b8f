"""A connection and its successors: never given up, replaced in time, with session and user data carried over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cryptotrader.core.errors import (
    ConfigError,
    CryptotraderError,
    InvalidParams,
    UnknownOutcome,
    VenueAuthError,
    VenueBanned,
    VenueRejected,
    VenueUnreachable,
)
from cryptotrader.services.binance.request import SecurityType
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.session_requests import log_on, log_out
from cryptotrader.services.binance.websocketAPI.trading_requests import place_new_order
from cryptotrader.services.binance.websocketAPI.user_data_stream_requests import start_user_data_stream
from cryptotrader.services.binance.wsapi.calls import MethodRetired
from cryptotrader.services.binance.wsapi.reconcile import LostRequest
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy
from cryptotrader.services.binance.wsapi.shell.feeds import GAP, UserDataSubscription
from cryptotrader.testing import settle
from tests.support.ws_api_venue import ED25519, Desk, Told, desk

OTHER = Credentials.of("the-api-key-of-another", "the-secret-of-another")
REPORT = {
    "symbol": "BTCUSDT",
    "orderId": 7,
    "clientOrderId": "mine",
    "price": "0",
    "origQty": "1",
    "executedQty": "1",
    "cummulativeQuoteQty": "1",
    "status": "FILLED",
    "timeInForce": "GTC",
    "type": "MARKET",
    "side": "BUY",
    "time": 1,
    "updateTime": 1,
}


def is_up(on: Desk) -> bool:
    """Whether there is a connection just now."""
    return on.client.is_connected


async def next_event(events: UserDataSubscription) -> dict[str, Any]:
    async with asyncio.timeout(2):
        return await anext(events)


# Connecting


async def test_connect_tells_why_the_first_connection_cannot_be_had() -> None:
    made = Desk()
    made.venue.refusal = VenueRejected("no", venue_code=0, http_status=404)
    with pytest.raises(VenueRejected):
        await made.client.connect()
    assert made.venue.attempts == 1
    await made.close()


async def test_connect_tries_for_a_while_and_may_be_called_again() -> None:
    made = Desk()
    made.venue.refusal = VenueUnreachable("no")
    task = asyncio.ensure_future(made.client.connect())
    await made.clock.advance(15.0)
    assert isinstance(task.exception(), VenueUnreachable)
    assert made.venue.attempts > 3
    made.venue.accept()
    again = asyncio.ensure_future(made.client.connect())
    await made.clock.advance(1.0)
    await again
    assert made.client.is_connected
    await made.close()


async def test_s4_13_a_lost_connection_is_replaced_however_long_it_takes() -> None:
    errors: list[CryptotraderError] = []
    reconnects: list[bool] = []

    async def on_error(error: CryptotraderError) -> None:
        errors.append(error)

    async def on_reconnect() -> None:
        reconnects.append(True)

    async with desk(on_error=on_error, on_reconnect=on_reconnect, policy=ConnectionPolicy(tick_s=5.0)) as on:
        on.venue.refuse()
        await on.clock.advance(3_600.0)
        assert not is_up(on)
        assert len(errors) > 100
        on.venue.accept()
        await on.clock.advance(31.0)
        assert is_up(on)
        assert reconnects == [True]
        assert on.client.stats.reconnects == 1


async def test_s4_12_a_ban_told_by_a_handshake_is_waited_for_and_silences_everything() -> None:
    async with desk(policy=ConnectionPolicy(tick_s=5.0)) as on:
        on.venue.refusal = VenueBanned("no", retry_after_s=600.0)
        on.drop()
        await on.clock.advance(590.0)
        attempts = on.venue.attempts
        on.venue.accept()
        with pytest.raises(VenueBanned):
            await on.client.send(method="ping")
        await on.clock.advance(15.0)
        assert (attempts, on.venue.attempts) == (2, 3)


async def test_a_connection_without_a_sign_of_life_is_given_up() -> None:
    async with desk() as on:
        on.venue.frozen = True
        await on.clock.advance(40.0)
        assert on.venue.wires[0].pings == 1
        assert on.venue.wires[0].closed
        on.venue.frozen = False
        await on.clock.advance(40.0)
        assert on.client.is_connected


# Planned replacement


@pytest.mark.parametrize("cause", ["the day", "a notice"])
async def test_s4_13_a_planned_replacement_loses_nothing(cause: str) -> None:
    """The new connection is there before the old one goes, and the old one brings the replies it owes."""
    async with desk(policy=ConnectionPolicy(tick_s=1.0, replace_after_s=60.0, replace_jitter_s=0.0)) as on:
        if cause == "the day":
            await on.clock.advance(58.0)
        told = Told()
        message_id = await place_new_order.SPEC.process_request(
            on.client, {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}, told
        )
        if cause == "a notice":
            on.wire.push({"event": {"e": "serverShutdown", "E": 1}})
        await on.clock.advance(4.0)
        old, new = on.venue.wires
        assert (old.closed, new.closed) == (False, False)
        await on.client.send(method="ping")
        assert new.sent[-1]["method"] == "ping"
        on.venue.answer({"done": True})
        await on.clock.advance(3.0)
        assert [(reply["id"], reply["status"]) for reply in told.replies] == [(message_id, 200)]
        assert old.closed
        assert len(on.venue.sent("order.place")) == 1


async def test_the_old_connection_is_drained_for_a_bounded_time() -> None:
    async with desk() as on:
        told = Told()
        await on.client.send(method="order.cancel", params={"symbol": "A", "orderId": 1}, callback=told)
        on.wire.push({"event": {"e": "serverShutdown", "E": 1}})
        await on.clock.advance(14.0)
        assert on.venue.wires[0].closed
        assert told.statuses == [0]


async def test_an_event_of_nobody_goes_to_on_message() -> None:
    told = Told()
    async with desk(on_message=told) as on:
        on.wire.push({"event": {"e": "serverShutdown", "E": 1}})
        on.wire.push({"subscriptionId": 9, "event": {"e": "balanceUpdate"}})
        await settle()
        assert [event["event"]["e"] for event in told.replies] == ["serverShutdown", "balanceUpdate"]


async def test_events_that_on_message_is_too_slow_for_are_dropped_and_counted() -> None:
    gate = asyncio.Event()

    async def slow(event: dict[str, Any]) -> None:
        await gate.wait()

    async with desk(on_message=slow, policy=ConnectionPolicy(event_capacity=3)) as on:
        for number in range(10):
            on.wire.push({"subscriptionId": 9, "event": {"e": "x", "n": number}})
        await settle()
        assert on.client.dropped_events == 7
        gate.set()


# Session


async def test_a_session_lets_requests_go_unsigned_and_is_done_again_on_every_connection() -> None:
    async with desk(credentials=ED25519) as on:
        await on.client.logon()
        assert on.client.is_logged_on
        for _ in range(2):
            await on.client.send(method="account.status", security_type=SecurityType.USER_DATA)
            assert set(on.wire.sent[-1]["params"]) == {"timestamp"}  # type: ignore[call-overload]
            on.drop()
            await on.clock.advance(1.0)
        assert [len(wire.sent) > 1 and wire.sent[1]["method"] for wire in on.venue.wires[1:]] == ["session.logon"] * 2
        await on.client.logout()
        await on.client.send(method="account.status", security_type=SecurityType.USER_DATA)
        assert "signature" in on.wire.sent[-1]["params"]  # type: ignore[operator]
        on.drop()
        await on.clock.advance(1.0)
        assert "session.logon" not in on.venue.methods(4)


async def test_logging_on_and_off_by_a_plain_request_counts_as_well() -> None:
    async with desk(credentials=ED25519) as on:
        await log_on.SPEC.call(on.client, log_on.LogOnParams())
        assert "signature" in on.wire.sent[-1]["params"]  # type: ignore[operator]
        assert on.client.is_logged_on
        await log_out.SPEC.process_request(on.client, {}, Told())
        await settle()
        await on.client.send(method="account.status", security_type=SecurityType.USER_DATA)
        assert "signature" in on.wire.sent[-1]["params"]  # type: ignore[operator]


async def test_a_session_that_the_venue_revoked_is_not_relied_on() -> None:
    """``web-socket-api.md``, "Authenticate after connection": an error without an id, status 401."""
    async with desk(credentials=ED25519) as on:
        await on.client.logon()
        on.wire.push({"id": None, "status": 401, "error": {"code": -2015, "msg": "no"}})
        await settle()
        assert not on.client.is_logged_on
        await on.client.send(method="account.status", security_type=SecurityType.USER_DATA)
        assert "signature" in on.wire.sent[-1]["params"]  # type: ignore[operator]


async def test_only_an_ed25519_key_can_log_on() -> None:
    async with desk() as on:
        with pytest.raises(ConfigError):
            await on.client.logon()
    async with desk(credentials=None) as on:
        with pytest.raises(VenueAuthError):
            await on.client.logon()


async def test_a_new_connection_that_cannot_be_logged_on_still_works_with_signatures() -> None:
    async with desk(credentials=ED25519) as on:
        await on.client.logon()
        on.venue.refusals["session.logon"] = (401, -2015)
        on.drop()
        await on.clock.advance(1.0)
        await on.client.send(method="account.status", security_type=SecurityType.USER_DATA)
        assert "signature" in on.wire.sent[-1]["params"]  # type: ignore[operator]


# User data


async def test_user_data_comes_as_bare_events_to_everyone_who_asked_over_one_subscription() -> None:
    async with desk() as on, on.client.user_data() as one, on.client.user_data() as two:
        on.venue.event({"e": "balanceUpdate", "a": "BTC"}, 0)
        assert await next_event(one) == await next_event(two) == {"e": "balanceUpdate", "a": "BTC"}
        assert len(on.venue.sent("userDataStream.subscribe.signature")) == 1


async def test_events_of_several_accounts_are_told_apart_by_their_subscriptions() -> None:
    async with desk() as on, on.client.user_data() as mine, on.client.user_data(credentials=OTHER) as other:
        on.venue.event({"e": "x", "whose": "other"}, 1)
        on.venue.event({"e": "x", "whose": "mine"}, 0)
        assert (await next_event(mine))["whose"] == "mine"
        assert (await next_event(other))["whose"] == "other"
        keys = [frame["params"]["apiKey"] for frame in on.venue.sent("userDataStream.subscribe.signature")]
        assert keys[1] == OTHER.api_key != keys[0]


async def test_with_a_session_the_subscription_needs_no_signature() -> None:
    async with desk(credentials=ED25519) as on:
        await on.client.logon()
        async with on.client.user_data():
            assert on.wire.sent[-1]["method"] == "userDataStream.subscribe"
            assert "params" not in on.wire.sent[-1]


async def test_the_last_one_who_leaves_gives_the_subscription_back() -> None:
    async with desk() as on:
        async with on.client.user_data() as one:
            async with on.client.user_data():
                pass
            assert on.venue.sent("userDataStream.unsubscribe") == []
        assert on.venue.sent("userDataStream.unsubscribe")[0]["params"] == {"subscriptionId": 0}
        with pytest.raises(StopAsyncIteration):
            await next_event(one)


async def test_an_event_that_comes_with_the_answer_to_the_subscription_is_not_lost() -> None:
    """Third-party trap 10."""
    async with desk() as on:
        subscribe = on.venue.auto["userDataStream.subscribe.signature"]
        del on.venue.auto["userDataStream.subscribe.signature"]
        task = asyncio.ensure_future(on.client.user_data().__aenter__())
        await settle()
        wire, frame = on.venue.take()
        wire.push({"id": frame["id"], "status": 200, "result": subscribe(wire, {})})
        wire.push({"subscriptionId": 0, "event": {"e": "first"}})
        events = await task
        assert await next_event(events) == {"e": "first"}
        await events.close()


async def test_after_a_loss_user_data_goes_on_and_says_that_events_may_be_missing() -> None:
    async with desk() as on, on.client.user_data() as events:
        on.drop()
        await on.clock.advance(1.0)
        on.venue.event({"e": "x"}, 1)
        gap = await next_event(events)
        assert gap["e"] == GAP
        assert events.gaps == 1
        assert await next_event(events) == {"e": "x"}


async def test_a_planned_replacement_leaves_no_gap_and_no_copies_in_user_data() -> None:
    async with desk() as on, on.client.user_data() as events:
        on.venue.event({"e": "x", "n": 1}, 0)
        on.wire.push({"event": {"e": "serverShutdown", "E": 1}})
        await settle()
        for number in (2, 3):
            on.venue.event({"e": "x", "n": number}, 0)
            on.venue.event({"e": "x", "n": number}, 1)
        await on.clock.advance(2.0)
        on.venue.event({"e": "x", "n": 4}, 1)
        assert [(await next_event(events))["n"] for _ in range(4)] == [1, 2, 3, 4]
        assert (events.gaps, on.client.is_connected) == (0, True)
        assert on.venue.wires[0].closed


async def test_a_subscription_that_the_venue_ends_is_made_again() -> None:
    async with desk() as on, on.client.user_data() as events:
        on.venue.event({"e": "eventStreamTerminated"}, 0)
        await on.clock.advance(1.0)
        on.venue.event({"e": "x"}, 1)
        assert [(await next_event(events))["e"] for _ in range(2)] == [GAP, "x"]


async def test_a_slow_reader_loses_the_oldest_events_and_is_told() -> None:
    async with desk() as on, on.client.user_data(capacity=3) as events:
        for number in range(10):
            on.venue.event({"e": "x", "n": number}, 0)
        await settle()
        seen = [await next_event(events) for _ in range(3)]
        assert [event.get("n", event["e"]) for event in seen] == [GAP, 8, 9]
        assert (events.dropped, events.gaps) == (8, 1)


async def test_a_refused_subscription_is_told() -> None:
    async with desk() as on:
        on.venue.refusals["userDataStream.subscribe.signature"] = (401, -2015)
        with pytest.raises(VenueAuthError):
            await on.client.user_data().start()


async def test_user_data_ends_with_the_client() -> None:
    async with desk() as on:
        events = on.client.user_data()
        await events.start()
    with pytest.raises(StopAsyncIteration):
        await next_event(events)


# Listen keys


@pytest.mark.parametrize(("status", "code"), [(410, 0), (404, -1), (400, -1020)])
async def test_a_method_that_the_venue_retired_names_what_replaced_it(status: int, code: int) -> None:
    async with desk() as on:
        on.venue.refusals["userDataStream.start"] = (status, code)
        with pytest.raises(MethodRetired, match=r"userDataStream\.subscribe\.signature"):
            await start_user_data_stream.SPEC.call(on.client, start_user_data_stream.StartStreamParams())


async def test_binance_itself_is_not_asked_for_what_it_retired() -> None:
    async with desk(url="wss://ws-api.binance.com:443/ws-api/v3") as on:
        with pytest.raises(MethodRetired) as caught:
            await start_user_data_stream.SPEC.process_request(on.client, {}, Told())
        assert caught.value.replacement == "userDataStream.subscribe.signature"
        assert "userDataStream.start" not in on.venue.methods()


async def test_where_a_venue_still_has_listen_keys_they_work() -> None:
    async with desk() as on:
        on.venue.auto["userDataStream.start"] = lambda wire, params: {"listenKey": "abc"}
        answer = await start_user_data_stream.SPEC.call(on.client, start_user_data_stream.StartStreamParams())
        assert answer.listen_key == "abc"


# The truth


def lost_order(on: Desk) -> LostRequest:
    params = {"symbol": "BTCUSDT", "newClientOrderId": "mine"}
    return LostRequest("order.place", params, timestamp_ms=on.venue.now_ms(), recv_window_ms=5_000)


async def test_reconcile_finds_an_order_that_landed() -> None:
    async with desk() as on:
        task = asyncio.ensure_future(on.client.reconcile(lost_order(on)))
        await settle()
        assert on.venue.inbox[0][1]["params"]["origClientOrderId"] == "mine"
        on.venue.answer(REPORT)
        found = await task
        assert found is not None
        assert found.status == "FILLED"


async def test_reconcile_believes_no_such_order_only_when_it_cannot_arrive_any_more() -> None:
    async with desk() as on:
        on.venue.refusals["order.status"] = (400, -2013)
        task = asyncio.ensure_future(on.client.reconcile(lost_order(on)))
        await on.clock.advance(14.9)
        assert not task.done()
        await on.clock.advance(2.5)
        assert await task is None


async def test_reconcile_finds_an_order_that_arrives_late() -> None:
    async with desk() as on:
        on.venue.refusals["order.status"] = (400, -2013)
        task = asyncio.ensure_future(on.client.reconcile(lost_order(on)))
        await on.clock.advance(4.0)
        del on.venue.refusals["order.status"]
        on.venue.auto["order.status"] = lambda wire, params: REPORT
        await on.clock.advance(3.0)
        found = await task
        assert found is not None


async def test_what_became_of_a_cancelled_list_shows_in_its_first_order() -> None:
    async with desk() as on:
        params = {"symbol": "BTCUSDT", "orderListId": 5, "newClientOrderId": "gone"}
        lost = LostRequest("orderList.cancel", params, timestamp_ms=on.venue.now_ms(), recv_window_ms=5_000)
        members = [{"symbol": "BTCUSDT", "orderId": number, "clientOrderId": "m"} for number in (11, 12)]
        on.venue.auto["orderList.status"] = lambda wire, given: {
            "orderListId": 5,
            "contingencyType": "OCO",
            "listOrderStatus": "ALL_DONE",
            "listClientOrderId": "l",
            "symbol": "BTCUSDT",
            "orders": members,
        }
        on.venue.auto["order.status"] = lambda wire, given: {**REPORT, "status": "CANCELED"}
        found = await on.client.reconcile(lost)
        assert found is not None
        assert found.status == "CANCELED"
        assert on.venue.sent("order.status")[0]["params"]["orderId"] == 11


async def test_reconcile_goes_on_over_a_lost_connection_and_gives_up_with_the_same_question() -> None:
    async with desk() as on:
        outcome = lost_order(on)
        on.venue.refuse()
        task = asyncio.ensure_future(on.client.reconcile(outcome, timeout_s=20.0))
        await on.clock.advance(60.0)
        assert task.exception() is outcome
        on.venue.accept()


async def test_reconcile_says_what_to_ask_where_no_order_is_named() -> None:
    async with desk() as on:
        outcome = UnknownOutcome("?", symbol="BTCUSDT", client_order_id="")
        with pytest.raises(InvalidParams):
            await on.client.reconcile(outcome)


async def test_a_closed_client_answers_nothing() -> None:
    async with desk() as on:
        outcome = lost_order(on)
    task = asyncio.ensure_future(on.client.reconcile(outcome, timeout_s=1.0))
    await on.clock.advance(3.0)
    assert task.exception() is outcome
