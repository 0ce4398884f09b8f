"""The REST client: one way out for every request, with limits kept, clocks agreed and orders never repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
import stamina

from cryptotrader.bus import Topic
from cryptotrader.config import REDACTOR, get_logger
from cryptotrader.core.clock import NS_PER_MS, Clock
from cryptotrader.core.errors import (
    CryptotraderError,
    VenueAuthError,
    VenueBanned,
    VenueError,
    VenueRateLimited,
    VenueRejected,
    VenueTimeout,
    VenueUnreachable,
)
from cryptotrader.core.events import SystemEvent
from cryptotrader.net.http import AnswerLost, HttpClient
from cryptotrader.net.supervise import Supervisor
from cryptotrader.services.binance.endpoints import VenueEndpoints
from cryptotrader.services.binance.models.exchange_info import ExchangeInfo
from cryptotrader.services.binance.models.market import ServerTime
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType
from cryptotrader.services.binance.restAPI.clock_offset import ClockOffset
from cryptotrader.services.binance.restAPI.errors import TIMESTAMP_REFUSED, TooManyOrders, error_of
from cryptotrader.services.binance.restAPI.ledger import WeightLedger
from cryptotrader.services.binance.signing import Credentials, encode_query, signing_payload_rest
from cryptotrader.services.binance.websocketAPI.general_requests import server_time
from cryptotrader.services.binance.wsapi.limits import shared_limits
from cryptotrader.telemetry.metrics import UPSTREAM_REQUESTS, USED_WEIGHT

log = get_logger(__name__)

P = TypeVar("P", bound=Params)
R = TypeVar("R")


class RestPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of a client."""

    timeout_s: float = 10.0
    """From the call to the answer, waiting and repetition included. Source: S0-55."""
    tries: int = 2
    """How often a request that only reads is sent where the connection fails."""
    max_reads: int = 30
    """Requests that cannot trade under way at a time; the others wait, as part of ``timeout_s``."""
    max_trades: int = 15
    """The same for those that can trade, so that reads never hold them up; both fit ``net.http``'s pool."""
    max_shared: int = 500
    """Different unsigned requests under way or waiting at a time; one more is refused."""


class RawReply(msgspec.Struct, frozen=True):
    """A good answer as it came. Names of header fields are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    sent_ns: int = 0
    """When the request was signed and handed to the network (our wall clock)."""
    received_ns: int = 0


class _Departure(msgspec.Struct):
    """When a request last left us: it may have waited for a slot, or have been sent again with the right time."""

    sent_ns: int | None = None
    """Unit: monotonic nanoseconds; None until it is handed to the network."""


class BinanceRest:
    """REST client of one venue.

    - Answers to requests that could trade are awaited once: such a request is repeated only where the venue says that
      it refused it for its timestamp (-1021), so that it cannot have been carried out.
    - While the venue wants us to wait (429, 418), and before the weight of a minute runs out, requests are refused
      here, with the time that remains, and not sent.
    - Identical unsigned reads at the same time share one upstream request.

    Args:
        http: The shell that sends.
        endpoints: Where the venue lives.
        credentials: What signs; None means that only public requests work.
        clock: Wall clock.
        policy: Limits of this client.
        ledger: Shared by all clients behind one address, since the venue counts per address; by default with all
            clients of this process to this venue, those of the WebSocket API included.
    """

    def __init__(
        self,
        http: HttpClient,
        endpoints: VenueEndpoints,
        credentials: Credentials | None,
        clock: Clock,
        *,
        policy: RestPolicy | None = None,
        ledger: WeightLedger | None = None,
    ) -> None:
        self.endpoints = endpoints
        self.ledger = ledger or _shared_ledger(endpoints, credentials)
        self.clock_offset = ClockOffset()
        self.reports: Topic[SystemEvent] = Topic("reports of requests")
        """Each time that the venue tells us to wait."""
        self._http = http
        self._credentials = credentials
        self._clock = clock
        self._policy = policy or RestPolicy()
        self._read_slots = asyncio.Semaphore(self._policy.max_reads)
        self._trade_slots = asyncio.Semaphore(self._policy.max_trades)
        self._flights: dict[tuple[str, str], asyncio.Future[RawReply]] = {}
        # A job ends a moment after its flight, so there may be more of them.
        self._supervisor = Supervisor("binance-rest", max_jobs=2 * self._policy.max_shared)
        self._closed = False
        if credentials is not None:
            REDACTOR.learn(credentials.api_key)

    @property
    def has_credentials(self) -> bool:
        """Whether signed requests can be sent at all."""
        return self._credentials is not None

    async def call(self, spec: RequestSpec[P, R], params: P) -> R:
        """Send one request and decode the answer.

        Raises:
            VenueUnreachable: It was certainly not sent.
            VenueTimeout: It may have been carried out; nobody knows.
            VenueRejected: The venue refused it, for a reason of its own.
            VenueRateLimited: The venue, or we on its behalf, want it later (``VenueBanned``: much later).
            VenueAuthError: There are no credentials, or the venue does not accept them.
        """
        reply = await self.raw(spec, params)
        try:
            result: R = _decoder(cast(Any, spec.result)).decode(reply.body)
        except msgspec.DecodeError:
            raise AnswerLost(f"Binance's answer to {spec.name} cannot be read") from None
        if isinstance(result, ExchangeInfo):
            self._learn_limits(result)
        return result

    async def raw(self, spec: RequestSpec[P, R], params: P) -> RawReply:
        """Send one request and return the bytes of a good answer untouched; errors as for ``call``."""
        if not spec.rest:
            raise ValueError(f"{spec.name} has no REST form")
        if spec.needs_key and self._credentials is None:
            log.warning(f"{spec.name} needs exchange credentials; set BINANCE_API_KEY and BINANCE_API_SECRET")
            UPSTREAM_REQUESTS.labels(spec.name, "no_credentials").inc()
            raise VenueAuthError("Invalid API key")
        if self._closed:
            raise VenueUnreachable("the client is closed")
        text = params.text()
        if spec.is_idempotent and not spec.needs_key:
            return await self._shared(spec, text)
        return await self._timed(spec, text)

    def venue_now_ms(self) -> int:
        """The venue's time as far as it is known, for whoever signs outside of this client."""
        return self.clock_offset.timestamp_ms(self._clock.now_ns())

    async def sync_clock(self) -> int:
        """Ask the venue for its time; returns the offset (venue minus us) in milliseconds."""
        reply = await self._once(server_time.SPEC, {}, _Departure())
        server_ms = _decoder(ServerTime).decode(reply.body).server_time
        self.clock_offset.sample(reply.sent_ns, reply.received_ns, server_ms)
        return self.clock_offset.offset_ms

    async def close(self) -> None:
        """Give up what is under way. The ``HttpClient`` is its owner's to close."""
        self._closed = True
        await self._supervisor.close()
        for flight in list(self._flights.values()):
            _fail(flight, VenueUnreachable("the client was closed"))
        self._flights.clear()

    async def _shared(self, spec: RequestSpec[Any, Any], text: dict[str, str]) -> RawReply:
        key = (spec.name, encode_query(text))
        flight = self._flights.get(key)
        if flight is None:
            if len(self._flights) >= self._policy.max_shared:
                raise VenueRateLimited("Too many requests at once", retry_after_s=1.0)
            flight = self._start_flight(key, spec, text)
        return await asyncio.shield(flight)

    def _start_flight(
        self, key: tuple[str, str], spec: RequestSpec[Any, Any], text: dict[str, str]
    ) -> asyncio.Future[RawReply]:
        """A job of its own, so that the first asker may leave without taking the answer from the others."""
        flight: asyncio.Future[RawReply] = asyncio.get_running_loop().create_future()
        # The error is told to whoever waits; where all have left, nobody needs to hear of it.
        flight.add_done_callback(lambda done: done.cancelled() or done.exception())

        async def fly() -> None:
            try:
                reply = await self._timed(spec, text)
                if not flight.done():
                    flight.set_result(reply)
            except CryptotraderError as error:
                _fail(flight, error)
            finally:
                self._flights.pop(key, None)
                _fail(flight, VenueUnreachable("the request was given up"))

        self._supervisor.start(spec.name, fly)
        self._flights[key] = flight
        return flight

    async def _timed(self, spec: RequestSpec[Any, Any], text: dict[str, str]) -> RawReply:
        outcome = "cancelled"
        departure = _Departure()
        try:
            async with asyncio.timeout(self._policy.timeout_s):
                reply = await self._healed(spec, text, departure)
            outcome = "ok"
            return reply
        except TimeoutError:
            outcome = VenueTimeout.code
            silence = VenueTimeout("Binance API not responding")
            silence.sent_ns = departure.sent_ns
            raise silence from None
        except VenueError as error:
            outcome = error.code
            error.sent_ns = departure.sent_ns
            raise
        finally:
            UPSTREAM_REQUESTS.labels(spec.name, outcome).inc()

    async def _healed(self, spec: RequestSpec[Any, Any], text: dict[str, str], departure: _Departure) -> RawReply:
        """Once more with the right time where the venue refused the timestamp, and so did nothing."""
        try:
            return await self._retried(spec, text, departure)
        except VenueRejected as error:
            if error.venue_code != TIMESTAMP_REFUSED or not spec.is_signed:
                raise
        self.clock_offset.forget()
        offset_ms = await self.sync_clock()
        log.warning(f"Binance refused a timestamp; its clock is {offset_ms} ms ahead of ours")
        return await self._retried(spec, text, departure)

    async def _retried(self, spec: RequestSpec[Any, Any], text: dict[str, str], departure: _Departure) -> RawReply:
        if not spec.is_idempotent:
            return await self._once(spec, text, departure)
        attempts = stamina.retry_context(
            on=(VenueUnreachable, AnswerLost),
            attempts=self._policy.tries,
            wait_initial=0.05,
            wait_max=0.5,
            wait_jitter=0.1,
        )
        async for attempt in attempts:
            with attempt:
                return await self._once(spec, text, departure)
        raise AssertionError("the last attempt either returns or raises")

    async def _once(self, spec: RequestSpec[Any, Any], text: dict[str, str], departure: _Departure) -> RawReply:
        weight = spec.weight(text)
        async with self._trade_slots if spec.security is SecurityType.TRADE else self._read_slots:
            now_ns = self._clock.now_ns()
            self._admit(spec, weight, now_ns)
            told: int | None = None
            was_sent = True
            try:
                # Signed at the last moment: waiting for a slot must not make the timestamp old.
                url, headers = self._prepare(spec, text, now_ns)
                departure.sent_ns = self._clock.monotonic_ns()
                reply = await self._http.request(spec.verb, url, headers=headers)
                told = _used_weight(reply.headers)
            except VenueUnreachable:
                was_sent = False
                raise
            finally:
                received_ns = self._clock.now_ns()
                self.ledger.settle(weight, self._venue_ns(received_ns), told=told, was_sent=was_sent)
                USED_WEIGHT.set(self.ledger.used)
        date_ms = _date_ms(reply.headers)
        if date_ms is not None:
            self.clock_offset.date(now_ns, received_ns, date_ms)
        if not 200 <= reply.status < 300:
            venue_ms = self.clock_offset.timestamp_ms(received_ns)
            error = error_of(reply.status, reply.body, reply.headers, now_ms=venue_ms)
            self._heed(error)
            raise error
        if reply.body.lstrip()[:1] not in (b"{", b"["):
            # Something between us and the venue answered in its place.
            raise AnswerLost(f"Binance's answer to {spec.name} is no JSON")
        return RawReply(reply.status, reply.body, reply.headers, sent_ns=now_ns, received_ns=received_ns)

    def _admit(self, spec: RequestSpec[Any, Any], weight: int, now_ns: int) -> None:
        """Refuse what the venue would refuse, without asking it."""
        monotonic_ns = self._clock.monotonic_ns()
        wait_s = self.ledger.wait_s(monotonic_ns, orders=spec.order_count > 0)
        if wait_s > 0:
            kind = VenueBanned if self.ledger.is_banned(monotonic_ns) else VenueRateLimited
            raise kind("Rate limit exceeded", retry_after_s=wait_s)
        wait_s = self.ledger.admit(weight, self._venue_ns(now_ns), trading=spec.security is SecurityType.TRADE)
        if wait_s > 0:
            raise VenueRateLimited("Rate limit exceeded", retry_after_s=wait_s)

    def _venue_ns(self, now_ns: int) -> int:
        return now_ns + self.clock_offset.offset_ms * NS_PER_MS

    def _prepare(self, spec: RequestSpec[Any, Any], text: dict[str, str], now_ns: int) -> tuple[str, dict[str, str]]:
        query = encode_query(text)
        headers: dict[str, str] = {}
        if spec.needs_key and self._credentials is not None:
            headers["X-MBX-APIKEY"] = self._credentials.api_key
            if spec.is_signed:
                stamped = {**text, "timestamp": str(self.clock_offset.timestamp_ms(now_ns))}
                payload = signing_payload_rest(stamped)
                signature = self._credentials.signer.sign(payload)
                query = f"{payload}&{encode_query({'signature': signature})}"
        url = self.endpoints.rest_url + spec.path
        return (f"{url}?{query}" if query else url), headers

    def _heed(self, error: VenueError) -> None:
        """Remember how long to keep quiet, and say so once (S0-57)."""
        if isinstance(error, VenueAuthError):
            log.error(f"Binance does not accept the credentials: {'; '.join(getattr(error, '__notes__', ()))}")
        if not isinstance(error, VenueRateLimited):
            return
        wait_s = error.retry_after_s or 0.0
        banned = isinstance(error, VenueBanned)
        now_ns = self._clock.monotonic_ns()
        self.ledger.refuse_until(now_ns, wait_s, banned=banned, orders_only=isinstance(error, TooManyOrders))
        what = "banned" if banned else "rate limit exceeded"
        log.error(f"Binance API error: {what} - retrying in {wait_s:.0f}s")
        status, now_ms = "banned" if banned else "limited", self._clock.now_ns() // NS_PER_MS
        detail = f"retrying in {wait_s:.0f}s"
        self.reports.publish(SystemEvent(event="rate_limit", status=status, at_ms=now_ms, detail=detail))

    def _learn_limits(self, info: ExchangeInfo) -> None:
        for limit in info.rate_limits:
            if (limit.rate_limit_type, limit.interval, limit.interval_num) == ("REQUEST_WEIGHT", "MINUTE", 1):
                self.ledger.limit = limit.limit


def _shared_ledger(endpoints: VenueEndpoints, credentials: Credentials | None) -> WeightLedger:
    limits = shared_limits(endpoints.rest_url, weight_per_minute=endpoints.weight_per_minute)
    account = credentials.api_key if credentials is not None else ""
    return WeightLedger(limits.weight.limit, limits=limits, account=account)


def _fail(flight: asyncio.Future[RawReply], error: CryptotraderError) -> None:
    if not flight.done():
        flight.set_exception(error)


@lru_cache(maxsize=256)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _used_weight(headers: Mapping[str, str]) -> int | None:
    text = headers.get("x-mbx-used-weight-1m", "")
    return int(text) if text.isdecimal() else None


def _date_ms(headers: Mapping[str, str]) -> int | None:
    try:
        return int(parsedate_to_datetime(headers.get("date", "")).timestamp() * 1000)
    except ValueError:
        return None
