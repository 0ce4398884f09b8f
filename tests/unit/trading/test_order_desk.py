"""An order is named before it is sent, sent once, and never forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from cryptotrader.core.errors import (
    InvalidParams,
    UnknownOutcome,
    VenueRejected,
    VenueTimeout,
    VenueUnreachable,
)
from cryptotrader.trading.orders import OrderDesk
from cryptotrader.trading.request import OrderBody, OrderRequest, order_request
from tests.support.gateway import PLACED, FakeClock, FakeVenue, counting_entropy
from tests.support.waiting import eventually

ABSENT = VenueRejected("Order does not exist.", venue_code=-2013)
SILENCE = VenueTimeout("Binance API not responding")


def report(**changes: object) -> bytes:
    """Answer of ``GET /api/v3/order``."""
    state: dict[str, object] = {
        "symbol": "BTCUSDT",
        "orderId": 7,
        "orderListId": -1,
        "clientOrderId": "mine",
        "price": "44000.00000000",
        "origQty": "0.00100000",
        "executedQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "stopPrice": "0.00000000",
        "time": 1609459200000,
        "updateTime": 1609459200001,
        "isWorking": True,
        "workingTime": 1609459200000,
        "origQuoteOrderQty": "0.00000000",
        "selfTradePreventionMode": "NONE",
    }
    return json.dumps(state | changes).encode()


def an_order(**changes: object) -> OrderRequest:
    body = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "44000.00"} | changes
    return order_request(msgspec.json.decode(json.dumps(body), type=OrderBody), "BTCUSDT")


class Desk:
    """An order desk with its venue and clock."""

    def __init__(self, *, has_predecessor: bool = False) -> None:
        self.venue = FakeVenue()
        self.clock = FakeClock()
        self.desk = OrderDesk(self.venue, self.clock, entropy=counting_entropy(), has_predecessor=has_predecessor)

    @property
    def sent(self) -> int:
        """How often an order was sent."""
        return len(self.venue.calls_of("order.place"))


@pytest.fixture
async def at() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.desk.close()


async def test_every_order_bears_a_name_of_ours_and_asks_for_the_full_answer(at: Desk) -> None:
    """S0-20, S0-23: GTC where the client names nothing."""
    at.venue.says("order.place", PLACED)
    placed = await at.desk.place("env-1", an_order())
    (sent,) = at.venue.calls_of("order.place")
    assert placed.body == PLACED
    assert sent["newClientOrderId"] == placed.client_order_id
    assert sent["newOrderRespType"] == "FULL"
    assert sent["timeInForce"] == "GTC"
    assert (sent["quantity"], sent["price"]) == ("0.001", "44000.00")


async def test_a_refusal_is_passed_on_and_nothing_is_asked(at: Desk) -> None:
    """S0-28."""
    at.venue.says("order.place", VenueRejected("Account has insufficient balance.", venue_code=-2010))
    with pytest.raises(VenueRejected):
        await at.desk.place("env-1", an_order())
    assert [name for name, _ in at.venue.calls] == ["order.place"]


@pytest.mark.parametrize(
    "failure",
    [
        SILENCE,
        VenueRejected("Timeout waiting for response from backend server.", venue_code=-1007, http_status=504),
        VenueRejected("Internal error.", venue_code=0, http_status=503),
    ],
)
async def test_an_order_that_landed_in_silence_is_answered_with_its_true_state(at: Desk, failure: Exception) -> None:
    """S0-55: sent once, asked for by the name it was given."""
    at.venue.says("order.place", failure)
    at.venue.says("order.status", report(status="FILLED", executedQty="0.00100000", cummulativeQuoteQty="44.00000000"))
    fill = {"id": 3, "price": "44000.00", "qty": "0.001", "commission": "0.000001", "commissionAsset": "BTC"}
    at.venue.says("myTrades", json.dumps([fill]).encode())
    placed = await at.desk.place("env-1", an_order())
    answer = json.loads(placed.body)
    assert at.sent == 1
    assert placed.is_resolved
    assert at.venue.calls_of("order.status")[0]["origClientOrderId"] == placed.client_order_id
    assert at.venue.calls_of("myTrades") == [{"symbol": "BTCUSDT", "orderId": 7}]
    assert (answer["status"], answer["orderId"], answer["transactTime"]) == ("FILLED", 7, 1609459200001)
    assert answer["fills"] == [
        {"price": "44000.00", "qty": "0.001", "commission": "0.000001", "commissionAsset": "BTC", "tradeId": 3}
    ]


async def test_an_order_shows_up_late_and_is_found(at: Desk) -> None:
    """S0-55."""
    at.venue.says("order.place", SILENCE)
    at.venue.says("order.status", ABSENT, SILENCE, report())
    assert json.loads((await at.desk.place("env-1", an_order())).body)["status"] == "NEW"
    assert at.sent == 1


async def test_absence_counts_only_after_the_processing_window(at: Desk) -> None:
    """S0-55: an order that never comes to exist ends as a plain timeout."""
    at.venue.says("order.place", SILENCE)
    at.venue.says("order.status", ABSENT)
    before_ns = at.clock.monotonic_ns()
    with pytest.raises(VenueTimeout):
        await at.desk.place("env-1", an_order())
    assert at.clock.monotonic_ns() - before_ns >= 6 * 10**9
    assert at.sent == 1


async def test_the_processing_window_begins_when_the_order_left_not_when_it_was_asked_for(at: Desk) -> None:
    """S0-55: an order that waited nine seconds for its turn may still come to exist after the tenth."""
    left_ns = 0

    def late(_: object) -> VenueTimeout:
        nonlocal left_ns
        at.clock.advance(9)
        left_ns = at.clock.monotonic_ns()
        at.clock.advance(1)
        silence = VenueTimeout("Binance API not responding")
        silence.sent_ns = left_ns
        return silence

    at.venue.says("order.place", late)
    at.venue.says("order.status", ABSENT)
    with pytest.raises(VenueTimeout):
        await at.desk.place("env-1", an_order(), idempotency_key="k1")
    assert at.clock.monotonic_ns() - left_ns >= 6 * 10**9
    assert at.sent == 1


async def test_where_nobody_knows_the_client_gets_the_name_to_ask_for(at: Desk) -> None:
    """S0-55."""
    at.venue.says("order.place", SILENCE)
    at.venue.says("order.status", SILENCE)
    with pytest.raises(UnknownOutcome) as caught:
        await at.desk.place("env-1", an_order())
    assert caught.value.client_order_id == at.venue.calls_of("order.place")[0]["newClientOrderId"]
    assert at.sent == 1


async def test_what_was_certainly_not_sent_is_not_asked_for(at: Desk) -> None:
    at.venue.says("order.place", VenueUnreachable("refused"))
    with pytest.raises(VenueUnreachable):
        await at.desk.place("env-1", an_order())
    assert at.venue.calls_of("order.status") == []


async def test_the_same_key_gives_the_same_orders_answer(at: Desk) -> None:
    at.venue.says("order.status", ABSENT)
    at.venue.says("order.place", PLACED)
    first = await at.desk.place("env-1", an_order(), idempotency_key="k1")
    second = await at.desk.place("env-1", an_order(), idempotency_key="k1")
    assert (first.body, first.is_replay) == (PLACED, False)
    assert (second.body, second.is_replay) == (PLACED, True)
    assert at.sent == 1


async def test_two_requests_with_one_key_at_the_same_time_place_one_order(at: Desk) -> None:
    gate = asyncio.Event()

    async def slowly(_: object) -> bytes:
        await gate.wait()
        return PLACED

    at.venue.says("order.status", ABSENT)
    at.venue.says("order.place", slowly)
    both = [asyncio.ensure_future(at.desk.place("a", an_order(), idempotency_key="k")) for _ in range(2)]
    await eventually(lambda: at.sent)
    gate.set()
    assert {placed.body for placed in await asyncio.gather(*both)} == {PLACED}
    assert at.sent == 1


async def test_a_client_that_hangs_up_does_not_take_the_answer_from_another(at: Desk) -> None:
    gate = asyncio.Event()

    async def slowly(_: object) -> bytes:
        await gate.wait()
        return PLACED

    at.venue.says("order.status", ABSENT)
    at.venue.says("order.place", slowly)
    gone = asyncio.ensure_future(at.desk.place("a", an_order(), idempotency_key="k"))
    await eventually(lambda: at.sent)
    stays = asyncio.ensure_future(at.desk.place("a", an_order(), idempotency_key="k"))
    gone.cancel()
    gate.set()
    assert (await stays).body == PLACED
    assert at.sent == 1


async def test_a_key_with_another_order_is_refused(at: Desk) -> None:
    at.venue.says("order.status", ABSENT)
    at.venue.says("order.place", PLACED)
    await at.desk.place("env-1", an_order(), idempotency_key="k1")
    with pytest.raises(InvalidParams, match="Idempotency-Key"):
        await at.desk.place("env-1", an_order(quantity="0.002"), idempotency_key="k1")
    assert at.sent == 1


async def test_keys_of_different_accounts_never_meet(at: Desk) -> None:
    at.venue.says("order.status", ABSENT)
    at.venue.says("order.place", PLACED)
    one = await at.desk.place("env-1", an_order(), idempotency_key="k1")
    two = await at.desk.place("env-2", an_order(), idempotency_key="k1")
    assert one.client_order_id != two.client_order_id
    assert at.sent == 2


async def test_a_key_survives_a_restart() -> None:
    """The name follows from the key, and the venue is asked before the order is sent."""
    before, after = Desk(), Desk()
    before.venue.says("order.status", ABSENT)
    before.venue.says("order.place", PLACED)
    placed = await before.desk.place("env-1", an_order(), idempotency_key="k1")
    after.venue.says("order.status", report())
    again = await after.desk.place("env-1", an_order(), idempotency_key="k1")
    assert again.client_order_id == placed.client_order_id
    assert again.is_replay
    assert after.sent == 0


@pytest.mark.parametrize("answer", [b"[]", b"[7]", b"null", b"{}", b'{"orderId": "x"}', b"<html>", b"", b"\xff"])
async def test_a_report_that_cannot_be_read_says_nothing_about_the_order(answer: bytes) -> None:
    """It is no fault of ours: the client is told that the venue does not answer, and nothing is sent twice."""
    at = Desk()
    at.venue.says("order.status", answer)
    with pytest.raises(VenueTimeout):
        await at.desk.place("env-1", an_order(), idempotency_key="k1")
    assert at.sent == 0
    at.venue.says("order.place", SILENCE)
    with pytest.raises(UnknownOutcome):
        await at.desk.place("env-1", an_order())
    assert at.sent == 1
    at.venue.says("order.status", answer, report())
    assert json.loads((await at.desk.place("env-1", an_order())).body)["orderId"] == 7
    at.venue.says("order.status", answer)
    with pytest.raises(VenueTimeout):
        await at.desk.state("BTCUSDT", "mine")


@pytest.mark.parametrize("trades", [b"{}", b"null", b"[7]", b'[{"price": "1"}]', b"<html>"])
async def test_fills_that_cannot_be_read_are_left_out(at: Desk, trades: bytes) -> None:
    at.venue.says("order.place", SILENCE)
    at.venue.says("order.status", report(status="FILLED", executedQty="0.00100000"))
    at.venue.says("myTrades", trades)
    placed = await at.desk.place("env-1", an_order())
    assert json.loads(placed.body)["status"] == "FILLED"
    assert "fills" not in json.loads(placed.body)


async def test_a_report_with_a_price_that_is_no_number_is_compared_by_the_rest(at: Desk) -> None:
    at.venue.says("order.status", report(price="none"))
    assert (await at.desk.place("env-1", an_order(), idempotency_key="k1")).is_replay
    assert at.sent == 0


async def test_an_older_order_of_the_clients_own_name_is_not_taken_for_this_one(at: Desk) -> None:
    at.venue.says("order.status", report(status="FILLED"))
    at.venue.says("order.place", PLACED)
    placed = await at.desk.place("env-1", an_order(newClientOrderId="mine"), idempotency_key="k1")
    assert (placed.body, placed.is_replay) == (PLACED, False)
    assert at.venue.calls_of("order.status") == []


async def test_an_unknown_order_is_asked_for_again_when_its_key_comes_back(at: Desk) -> None:
    at.venue.says("order.status", ABSENT, SILENCE)
    at.venue.says("order.place", SILENCE)
    with pytest.raises(UnknownOutcome):
        await at.desk.place("env-1", an_order(), idempotency_key="k1")
    at.venue.says("order.status", report())
    again = await at.desk.place("env-1", an_order(), idempotency_key="k1")
    assert json.loads(again.body)["orderId"] == 7
    assert at.sent == 1


async def test_a_refused_order_may_be_placed_under_the_same_key(at: Desk) -> None:
    at.venue.says("order.status", ABSENT)
    at.venue.says("order.place", VenueRejected("Account has insufficient balance.", venue_code=-2010), PLACED)
    with pytest.raises(VenueRejected):
        await at.desk.place("env-1", an_order(), idempotency_key="k1")
    assert (await at.desk.place("env-1", an_order(), idempotency_key="k1")).body == PLACED


async def test_a_clients_own_name_is_kept_and_guards_against_repeats(at: Desk) -> None:
    at.venue.says("order.place", PLACED)
    first = await at.desk.place("env-1", an_order(newClientOrderId="mine"))
    second = await at.desk.place("env-1", an_order(newClientOrderId="mine"))
    await at.desk.place("env-1", an_order(newClientOrderId="mine", quantity="0.002"))
    assert first.client_order_id == "mine"
    assert second.is_replay
    assert at.sent == 2
    at.clock.advance(601)
    await at.desk.place("env-1", an_order(newClientOrderId="mine"))
    assert at.sent == 3


@pytest.mark.parametrize(
    ("state", "sent"),
    [
        ({"status": "NEW"}, 1),
        ({"status": "PARTIALLY_FILLED", "executedQty": "0.00050000"}, 1),
        ({"status": "FILLED", "executedQty": "0.00100000"}, 1),
        ({"status": "EXPIRED", "executedQty": "0.00050000"}, 1),
        ({"status": "CANCELED"}, 2),
        ({"status": "CANCELED", "executedQty": "0.00050000"}, 2),
        ({"status": "EXPIRED"}, 2),
    ],
)
async def test_a_name_whose_order_is_over_places_a_new_one_instead_of_the_old_answer(
    at: Desk, state: dict[str, str], sent: int
) -> None:
    """S0-20: a bot that cancels ``bid-1`` and bids the same again must get an order, not a memory of one."""
    at.venue.says("order.place", PLACED)
    at.venue.says("order.status", report(**state))
    await at.desk.place("env-1", an_order(newClientOrderId="mine"))
    second = await at.desk.place("env-1", an_order(newClientOrderId="mine"))
    assert (at.sent, second.is_replay) == (sent, sent == 1)


async def test_a_name_that_is_free_again_places_one_order_however_many_ask_at_once(at: Desk) -> None:
    """S0-20."""
    at.venue.says("order.place", PLACED)
    await at.desk.place("env-1", an_order(newClientOrderId="mine"))

    async def state(_: object) -> bytes:
        known = report() if at.sent == 2 else report(status="CANCELED")
        await asyncio.sleep(0)
        return known

    at.venue.says("order.status", state)
    both = [at.desk.place("env-1", an_order(newClientOrderId="mine")) for _ in range(2)]
    await asyncio.gather(*both)
    assert at.sent == 2


async def test_an_older_order_of_the_same_name_is_not_taken_for_one_that_was_never_answered(at: Desk) -> None:
    """S0-55: what the venue still knows under the client's own name may be last hour's order."""
    at.venue.now_ms = 1609459200000 + 3_600_000
    at.venue.says("order.place", SILENCE)
    at.venue.says("order.status", report(status="FILLED", executedQty="0.00100000"))
    with pytest.raises(VenueTimeout):
        await at.desk.place("env-1", an_order(newClientOrderId="mine"))
    at.venue.says("order.status", report(status="FILLED"), report(time=at.venue.now_ms + 5))
    placed = await at.desk.place("env-1", an_order(newClientOrderId="mine"))
    assert json.loads(placed.body)["status"] == "NEW"


async def test_an_order_that_a_killed_gateway_had_just_sent_is_found_before_its_key_sends_again() -> None:
    """S0-55: what the venue does not know yet may still be in its queue."""
    at = Desk(has_predecessor=True)
    at.venue.says("order.status", ABSENT, ABSENT, ABSENT, report())
    placed = await at.desk.place("env-1", an_order(), idempotency_key="k1")
    assert (placed.is_replay, at.sent) == (True, 0)


async def test_after_a_start_a_new_key_is_sent_once_nothing_older_can_come_any_more() -> None:
    """S0-55."""
    at = Desk(has_predecessor=True)
    at.venue.says("order.status", ABSENT)
    at.venue.says("order.place", PLACED)
    started_ns = at.clock.monotonic_ns()
    assert not (await at.desk.place("env-1", an_order(), idempotency_key="k1")).is_replay
    assert at.clock.monotonic_ns() - started_ns >= 6 * 10**9
    asked = len(at.venue.calls_of("order.status"))
    await at.desk.place("env-1", an_order(), idempotency_key="k2")
    assert len(at.venue.calls_of("order.status")) == asked + 1
    assert at.sent == 2


async def test_after_a_start_a_silent_venue_is_sent_nothing() -> None:
    """S0-55."""
    at = Desk(has_predecessor=True)
    at.venue.says("order.status", SILENCE)
    with pytest.raises(VenueTimeout):
        await at.desk.place("env-1", an_order(), idempotency_key="k1")
    assert at.sent == 0


@pytest.mark.parametrize("changes", [{"side": "SELL"}, {"quantity": "0.002"}, {"price": "44000.01"}])
async def test_after_a_restart_a_key_with_another_order_is_refused_as_well(at: Desk, changes: dict[str, str]) -> None:
    """S0-20: nobody is told that their sale went through because of an old purchase."""
    at.venue.says("order.status", report())
    with pytest.raises(InvalidParams, match="Idempotency-Key"):
        await at.desk.place("env-1", an_order(**changes), idempotency_key="k1")
    assert at.sent == 0


async def test_a_cancellation_in_silence_ends_in_the_true_state(at: Desk) -> None:
    """S0-25."""
    at.venue.says("order.cancel", SILENCE)
    at.venue.says("order.status", report(), report(status="CANCELED"))
    answer = json.loads(await at.desk.cancel({"symbol": "BTCUSDT", "orderId": "7"}))
    assert (answer["status"], answer["origClientOrderId"], answer["orderId"]) == ("CANCELED", "mine", 7)
    assert len(at.venue.calls_of("order.cancel")) == 1


@pytest.mark.parametrize(("status", "error"), [("NEW", VenueTimeout), ("FILLED", VenueRejected)])
async def test_a_cancellation_that_did_not_happen_is_no_success(at: Desk, status: str, error: type[Exception]) -> None:
    """S0-25, S0-55."""
    at.venue.says("order.cancel", SILENCE)
    at.venue.says("order.status", report(status=status))
    with pytest.raises(error):
        await at.desk.cancel({"symbol": "BTCUSDT", "orderId": "7"})


async def test_an_order_can_be_checked_without_being_placed(at: Desk) -> None:
    at.venue.says("order.test", b"{}")
    assert await at.desk.test(an_order()) == b"{}"
    assert at.sent == 0
