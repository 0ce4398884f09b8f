"""The REST client against a real server that misbehaves on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import (
    VenueAuthError,
    VenueBanned,
    VenueRateLimited,
    VenueRejected,
    VenueTimeout,
    VenueUnreachable,
)
from cryptotrader.core.events import SystemEvent
from cryptotrader.core.orders import OrderType, Side
from cryptotrader.net.http import AnswerLost, HttpClient
from cryptotrader.services.binance.endpoints import VenueEndpoints, endpoints_of
from cryptotrader.services.binance.models import ServerTime
from cryptotrader.services.binance.restAPI import BinanceRest, RestPolicy, TooManyOrders
from cryptotrader.services.binance.signing import Credentials, verify
from cryptotrader.services.binance.websocketAPI.account_requests import get_user_acct_info
from cryptotrader.services.binance.websocketAPI.general_requests import exchange_information, server_time
from cryptotrader.services.binance.websocketAPI.market_data_requests import (
    order_book,
    symbol_price_ticker,
)
from cryptotrader.services.binance.websocketAPI.session_requests import session_status
from cryptotrader.services.binance.websocketAPI.trading_requests import place_new_order, query_order
from cryptotrader.services.binance.websocketAPI.user_data_stream_requests import ping_user_data_stream
from tests.support.venue_stub import Answer, VenueStub, venue_stub
from tests.support.waiting import eventually

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"

BOOK = b'{"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"]],"asks":[["4.00000200","12.00000000"]]}'
DEPTH = "/api/v3/depth"
ORDER = "/api/v3/order"
TIME = "/api/v3/time"
ACCOUNT = "/api/v3/account"
PLACED = b'{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"mine","transactTime":1507725176595}'
STALE = Answer(b'{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}', 400)
TOO_MUCH = Answer(b'{"code":-1003,"msg":"Too much request weight used."}', 429, {"Retry-After": "60"})

BOOK_OF = order_book.OrderBookParams
BUY = place_new_order.NewOrderParams(
    symbol="１２３４５６", side=Side.BUY, type=OrderType.MARKET, quantity="1.50", new_client_order_id="mine"
)


class ManualClock:
    """Turned by the test."""

    def __init__(self) -> None:
        self.ns = 1_700_000_000 * NS_PER_S

    def now_ns(self) -> int:
        return self.ns

    def monotonic_ns(self) -> int:
        return self.ns


@pytest.fixture
async def stub() -> AsyncIterator[VenueStub]:
    async with venue_stub() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client


def venue_at(url: str) -> VenueEndpoints:
    return endpoints_of("paper", rest_url=url)


@pytest.fixture
async def rest(stub: VenueStub, http: HttpClient, clock: ManualClock) -> AsyncIterator[BinanceRest]:
    client = BinanceRest(http, venue_at(stub.url), Credentials.of(KEY, SECRET), clock)
    yield client
    await client.close()


@pytest.fixture
async def hasty(stub: VenueStub, http: HttpClient, clock: ManualClock) -> AsyncIterator[BinanceRest]:
    """One that gives up after a moment instead of ten seconds."""
    policy = RestPolicy(timeout_s=0.3)
    client = BinanceRest(http, venue_at(stub.url), Credentials.of(KEY, SECRET), clock, policy=policy)
    yield client
    await client.close()


async def test_answers_are_decoded_or_passed_on_untouched(stub: VenueStub, rest: BinanceRest) -> None:
    """C-14: the bytes of numbers stay as the venue wrote them."""
    stub.plan(DEPTH, Answer(BOOK, headers={"X-MBX-USED-WEIGHT-1M": "17"}))
    book = await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT", limit=10))
    assert (book.last_update_id, book.bids[0][0]) == (1027024, "4.00000000")
    reply = await rest.raw(order_book.SPEC, BOOK_OF(symbol="BTCUSDT", limit=10))
    assert (reply.status, reply.body, reply.headers["x-mbx-used-weight-1m"]) == (200, BOOK, "17")
    assert stub.seen[0].query == "symbol=BTCUSDT&limit=10"
    assert "x-mbx-apikey" not in stub.seen[0].headers
    assert rest.ledger.used == 17


async def test_a_signed_request_arrives_with_a_signature_over_exactly_what_was_sent(
    stub: VenueStub, rest: BinanceRest, clock: ManualClock
) -> None:
    stub.plan(ORDER, Answer(PLACED))
    assert (await rest.call(place_new_order.SPEC, BUY)).order_id == 28
    seen = stub.seen[0]
    payload, _, signature = seen.query.partition("&signature=")
    assert verify("hmac", SECRET, payload, signature=signature)
    assert payload.startswith("symbol=%EF%BC%91%EF%BC%92")
    assert payload.endswith(f"quantity=1.50&newClientOrderId=mine&timestamp={clock.ns // NS_PER_MS}")
    assert seen.headers["x-mbx-apikey"] == KEY
    assert seen.verb == "POST"


async def test_a_listen_key_goes_with_the_key_alone(stub: VenueStub, rest: BinanceRest) -> None:
    """C-24."""
    await rest.call(ping_user_data_stream.SPEC, ping_user_data_stream.PingStreamParams(listen_key="abc"))
    assert stub.seen[0].query == "listenKey=abc"
    assert (stub.seen[0].verb, stub.seen[0].headers["x-mbx-apikey"]) == ("PUT", KEY)


async def test_c_25_without_credentials_nothing_is_sent(stub: VenueStub, http: HttpClient, clock: ManualClock) -> None:
    rest = BinanceRest(http, venue_at(stub.url), None, clock)
    with pytest.raises(VenueAuthError, match=r"^Invalid API key$"):
        await rest.call(get_user_acct_info.SPEC, get_user_acct_info.AccountParams())
    assert stub.seen == []
    assert not rest.has_credentials


async def test_s0_54_refused_credentials_say_so_and_the_log_says_why(
    stub: VenueStub, rest: BinanceRest, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.plan(ACCOUNT, Answer(b'{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}', 401))
    with pytest.raises(VenueAuthError) as caught:
        await rest.call(get_user_acct_info.SPEC, get_user_acct_info.AccountParams())
    assert caught.value.message == "Invalid API key"
    assert "code -2015, Invalid API-key, IP, or permissions" in capsys.readouterr().err


async def test_a_request_without_a_rest_form_is_a_mistake(rest: BinanceRest) -> None:
    with pytest.raises(ValueError, match="no REST form"):
        await rest.call(session_status.SPEC, session_status.SessionStatusParams())


async def test_the_venues_refusal_keeps_its_code(stub: VenueStub, rest: BinanceRest) -> None:
    stub.plan(DEPTH, Answer(b'{"code":-1121,"msg":"Invalid symbol."}', 400))
    with pytest.raises(VenueRejected) as caught:
        await rest.call(order_book.SPEC, BOOK_OF(symbol="NOPE"))
    assert (caught.value.venue_code, caught.value.message) == (-1121, "Invalid symbol.")
    assert stub.count(DEPTH) == 1


async def test_s0_57_told_to_wait_it_says_so_and_sends_nothing_until_then(
    stub: VenueStub, rest: BinanceRest, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.plan(DEPTH, TOO_MUCH, Answer(BOOK))
    with pytest.raises(VenueRateLimited) as caught:
        await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))
    assert caught.value.retry_after_s == 60
    assert "[ERROR] Binance API error: rate limit exceeded - retrying in 60s" in capsys.readouterr().err
    clock.ns += 20 * NS_PER_S
    with pytest.raises(VenueRateLimited) as caught:
        await rest.call(place_new_order.SPEC, BUY)
    assert caught.value.retry_after_s == 40
    assert len(stub.seen) == 1
    clock.ns += 40 * NS_PER_S
    await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))
    assert len(stub.seen) == 2


async def test_a_ban_is_respected(stub: VenueStub, rest: BinanceRest, clock: ManualClock) -> None:
    """S1-15: and it is reported, once."""
    told: list[SystemEvent] = []
    rest.reports.subscribe(told.append)
    stub.plan(DEPTH, Answer(b"", 418, {"Retry-After": "120"}))
    for _ in range(2):
        with pytest.raises(VenueBanned):
            await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))
    assert stub.count(DEPTH) == 1
    assert [(event.event, event.status, event.detail) for event in told] == [
        ("rate_limit", "banned", "retrying in 120s")
    ]


async def test_too_many_orders_stop_new_orders_only(stub: VenueStub, rest: BinanceRest) -> None:
    stub.plan(ORDER, Answer(b'{"code":-1015,"msg":"Too many new orders."}', 429, {"Retry-After": "10"}))
    stub.plan(DEPTH, Answer(BOOK))
    with pytest.raises(TooManyOrders):
        await rest.call(place_new_order.SPEC, BUY)
    with pytest.raises(VenueRateLimited):
        await rest.call(place_new_order.SPEC, BUY)
    assert stub.count(ORDER) == 1
    await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))


async def test_the_weight_of_a_minute_is_never_exceeded(stub: VenueStub, rest: BinanceRest, clock: ManualClock) -> None:
    stub.plan(DEPTH, Answer(BOOK, headers={"X-MBX-USED-WEIGHT-1M": "5890"}))
    await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))
    with pytest.raises(VenueRateLimited) as caught:
        await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT", limit=5000))
    assert 0 < (caught.value.retry_after_s or 0) <= 60
    assert stub.count(DEPTH) == 1


async def test_the_limit_is_learnt_from_exchange_info(stub: VenueStub, rest: BinanceRest) -> None:
    limit = b'{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1200}'
    stub.plan("/api/v3/exchangeInfo", Answer(b'{"rateLimits":[' + limit + b"]}"))
    await rest.call(exchange_information.SPEC, exchange_information.ExchangeInfoParams())
    assert rest.ledger.limit == 1200


async def test_reads_that_hang_do_not_hold_up_an_order(stub: VenueStub, rest: BinanceRest) -> None:
    stub.plan(DEPTH, Answer(BOOK, silent=True))
    stub.plan(ORDER, Answer(PLACED))
    async with asyncio.TaskGroup() as group:
        for limit in range(1, 2 * RestPolicy().max_reads):
            group.create_task(rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT", limit=limit)))
        await eventually(lambda: stub.count(DEPTH) == RestPolicy().max_reads)
        assert (await rest.call(place_new_order.SPEC, BUY)).order_id == 28
        assert stub.count(DEPTH) == RestPolicy().max_reads
        stub.release.set()


async def test_s0_55_silence_ends_in_a_timeout(stub: VenueStub, hasty: BinanceRest) -> None:
    stub.plan(DEPTH, Answer(silent=True))
    with pytest.raises(VenueTimeout, match="not responding"):
        await hasty.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))
    assert RestPolicy().timeout_s == 10


async def test_an_order_met_by_silence_is_never_repeated(stub: VenueStub, hasty: BinanceRest) -> None:
    stub.plan(ORDER, Answer(silent=True))
    with pytest.raises(VenueTimeout):
        await hasty.call(place_new_order.SPEC, BUY)
    assert stub.count(ORDER) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(cut=True),
        Answer(b'{"code":-1007,"msg":"Timeout waiting for response from backend server."}', 503),
        Answer(b"<html>bad gateway</html>", 502),
        Answer(b"not json"),
    ],
)
async def test_an_order_whose_answer_is_lost_may_have_landed_and_is_never_repeated(
    stub: VenueStub, rest: BinanceRest, answer: Answer
) -> None:
    stub.plan(ORDER, answer, Answer(PLACED))
    with pytest.raises(VenueTimeout):
        await rest.call(place_new_order.SPEC, BUY)
    assert stub.count(ORDER) == 1


@pytest.mark.parametrize("body", [b"", b"<html>log in to this network</html>", b'"ok"'])
async def test_an_answer_that_is_no_json_is_never_passed_on_as_the_venues(
    stub: VenueStub, rest: BinanceRest, body: bytes
) -> None:
    """S0-56: what became of an order that a stranger answered for is not known."""
    stub.plan(ORDER, Answer(body))
    with pytest.raises(AnswerLost):
        await rest.raw(place_new_order.SPEC, BUY)
    assert stub.count(ORDER) == 1


async def test_an_error_tells_when_the_order_left_after_it_waited_for_its_turn(
    stub: VenueStub, http: HttpClient, clock: ManualClock
) -> None:
    """S0-55: an order is searched for from when it left, not from when it was asked for."""
    client = BinanceRest(http, venue_at(stub.url), Credentials.of(KEY, SECRET), clock, policy=RestPolicy(max_trades=1))
    stub.plan(ORDER, Answer(PLACED, silent=True), Answer(cut=True))
    first = asyncio.ensure_future(client.raw(place_new_order.SPEC, BUY))
    await eventually(lambda: stub.count(ORDER) == 1)
    second = asyncio.ensure_future(client.raw(place_new_order.SPEC, BUY))
    await asyncio.sleep(0)
    clock.ns += 9 * NS_PER_S
    stub.release.set()
    await first
    with pytest.raises(VenueTimeout) as caught:
        await second
    assert caught.value.sent_ns == clock.ns


async def test_a_read_whose_connection_breaks_is_repeated_once(stub: VenueStub, rest: BinanceRest) -> None:
    stub.plan(DEPTH, Answer(cut=True), Answer(BOOK))
    assert (await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))).last_update_id == 1027024
    stub.plan(ORDER, Answer(cut=True))
    with pytest.raises(AnswerLost):
        await rest.call(query_order.SPEC, query_order.QueryOrderParams(symbol="A", order_id=1))
    assert stub.count(ORDER) == 2


async def test_idle_connections_that_the_venue_closed_cost_no_order(stub: VenueStub, rest: BinanceRest) -> None:
    stub.plan(DEPTH, Answer(BOOK))
    stub.plan(ORDER, Answer(PLACED))
    for _ in range(10):
        await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))
        stub.hang_up()
        await asyncio.sleep(0)
        assert (await rest.call(place_new_order.SPEC, BUY)).order_id == 28
    assert stub.count(ORDER) == 10


async def test_an_answer_without_end_is_given_up(
    stub: VenueStub, rest: BinanceRest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cryptotrader.net.http.MAX_BODY_BYTES", 1_000)
    stub.plan(ORDER, Answer(b" " * 2_000))
    with pytest.raises(AnswerLost):
        await rest.call(place_new_order.SPEC, BUY)


async def test_clients_behind_one_address_share_a_ledger(
    stub: VenueStub, http: HttpClient, rest: BinanceRest, clock: ManualClock
) -> None:
    stub.plan(DEPTH, TOO_MUCH)
    other = BinanceRest(http, venue_at(stub.url), None, clock, ledger=rest.ledger)
    for client in (rest, other):
        with pytest.raises(VenueRateLimited):
            await client.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))
    assert stub.count(DEPTH) == 1
    await other.close()


async def test_where_nobody_listens_nothing_was_sent(http: HttpClient, clock: ManualClock) -> None:
    async with venue_stub() as gone:
        url = gone.url
    rest = BinanceRest(http, venue_at(url), Credentials.of(KEY, SECRET), clock)
    with pytest.raises(VenueUnreachable):
        await rest.call(place_new_order.SPEC, BUY)
    with pytest.raises(VenueUnreachable):
        await rest.call(order_book.SPEC, BOOK_OF(symbol="BTCUSDT"))
    assert rest.ledger.used == 0
    await rest.close()


async def test_a_refused_timestamp_is_healed_once_even_for_an_order(
    stub: VenueStub, rest: BinanceRest, clock: ManualClock
) -> None:
    """The venue refused it, so it was not carried out; the second one bears the venue's time."""
    venue_ms = clock.ns // NS_PER_MS + 86_400_000
    stub.plan(ORDER, STALE, Answer(PLACED))
    stub.plan(TIME, Answer(b'{"serverTime":%d}' % venue_ms))
    assert (await rest.call(place_new_order.SPEC, BUY)).order_id == 28
    assert stub.count(ORDER) == 2
    last = [seen for seen in stub.seen if seen.path == ORDER][-1]
    assert f"timestamp={venue_ms}" in last.query
    assert rest.venue_now_ms() == venue_ms


async def test_a_timestamp_refused_twice_is_the_callers_to_know(stub: VenueStub, rest: BinanceRest) -> None:
    stub.plan(ACCOUNT, STALE)
    stub.plan(TIME, Answer(b'{"serverTime":1}'))
    with pytest.raises(VenueRejected):
        await rest.call(get_user_acct_info.SPEC, get_user_acct_info.AccountParams())
    assert (stub.count(ACCOUNT), stub.count(TIME)) == (2, 1)


async def test_identical_reads_at_the_same_time_share_one_request(stub: VenueStub, rest: BinanceRest) -> None:
    stub.plan(TIME, Answer(b'{"serverTime":1499827319559}', silent=True))
    async with asyncio.TaskGroup() as group:
        asks = [group.create_task(rest.call(server_time.SPEC, server_time.ServerTimeParams())) for _ in range(20)]
        leaver = group.create_task(rest.call(server_time.SPEC, server_time.ServerTimeParams()))
        await eventually(lambda: stub.count(TIME))
        asks[0].cancel()
        leaver.cancel()
        stub.release.set()
    assert [task.result() for task in asks[1:]] == [ServerTime(server_time=1499827319559)] * 19
    assert stub.count(TIME) == 1
    await rest.call(server_time.SPEC, server_time.ServerTimeParams())
    assert stub.count(TIME) == 2


async def test_different_reads_do_not_share(stub: VenueStub, rest: BinanceRest) -> None:
    stub.plan("/api/v3/ticker/price", Answer(b'{"symbol":"A","price":"1"}'))
    params = symbol_price_ticker.PriceTickerParams
    async with asyncio.TaskGroup() as group:
        for symbol in ("A", "B", "C"):
            group.create_task(rest.call(symbol_price_ticker.SPEC, params(symbol=symbol)))
    assert len({seen.query for seen in stub.seen}) == 3


async def test_closing_lets_everyone_go(stub: VenueStub, rest: BinanceRest) -> None:
    stub.plan(TIME, Answer(silent=True))

    async def ask() -> None:
        with pytest.raises(VenueUnreachable):
            await rest.call(server_time.SPEC, server_time.ServerTimeParams())

    async with asyncio.TaskGroup() as group:
        group.create_task(ask())
        await eventually(lambda: stub.count(TIME))
        await rest.close()
    await ask()
    assert stub.count(TIME) == 1


async def test_secrets_stay_out_of_logs_and_errors(
    stub: VenueStub, rest: BinanceRest, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.plan(ORDER, Answer(cut=True), TOO_MUCH)
    for _ in range(2):
        with pytest.raises((VenueTimeout, VenueRateLimited)) as caught:
            await rest.call(place_new_order.SPEC, BUY)
        assert KEY not in repr(caught.value)
        assert "signature" not in repr(caught.value)
    captured = capsys.readouterr()
    assert KEY not in captured.err + captured.out
    assert SECRET not in captured.err + captured.out
