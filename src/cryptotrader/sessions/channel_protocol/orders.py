"""The channel ``orders`` of one account: every change of every order, once and in order (S1-12, S1-13)."""

from __future__ import annotations

from collections import deque
from typing import Any

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, to_ms
from cryptotrader.core.errors import NotConnected, UnknownSymbol, VenueError
from cryptotrader.core.scaled import div_scaled, parse_scaled
from cryptotrader.dialects.channels.encode import OrderView, encode_order
from cryptotrader.feeds.user import UserEvent
from cryptotrader.net import Supervisor
from cryptotrader.services.binance.models.commission import Commission
from cryptotrader.sessions.channel_protocol.rates import RETRY_S, RateBook, rate_of
from cryptotrader.sessions.channel_protocol.topics import EVERY, ChannelTopic, Outlet, SourceKey
from cryptotrader.sessions.exchanges import AccountFeeds
from cryptotrader.sessions.ports import Catalogue, Lease
from cryptotrader.transport.frames import Frame

log = get_logger(__name__)

MAX_WAITING = 10_000
"""Events that wait while a rate is asked for. Unit: events. Overflow: all are told at once, without that rate."""

REPORT = "executionReport"


def view_of(exchange: str, report: dict[str, Any], *, quote: str, commission: Commission | None) -> OrderView:
    """An ``executionReport`` (``user-data-stream.md``, "Order Update") as this protocol shows orders.

    Raises:
        KeyError: A documented field is missing.
        ValueError: A number is none.
    """
    price, filled = parse_scaled(report["p"]), parse_scaled(report["z"])
    if not price and filled:
        price = div_scaled(parse_scaled(report["Z"]), filled)
    is_maker, is_buyer = _is_maker(report), report["S"] == "BUY"
    rate = 0
    if commission is not None:
        rate = rate_of(commission, is_maker=is_maker, is_buyer=is_buyer, paid_in=report.get("N"))
    return OrderView(
        exchange=exchange,
        symbol=report["s"],
        quote=quote,
        order_id=str(report["i"]),
        event_ms=report["E"],
        type=report["o"],
        is_buy=is_buyer,
        # An order for an amount of the quote asset has no quantity before it is filled.
        amount=max(parse_scaled(report["q"]), filled),
        price=price,
        filled=filled,
        status=report["X"],
        rate=rate,
    )


def _is_maker(report: dict[str, Any]) -> bool:
    """Which rate applies: that of the last fill; without one, that of an order that rests where it can rest."""
    if report["x"] == "TRADE":
        return bool(report["m"])
    return report["o"] in ("LIMIT", "LIMIT_MAKER") and report.get("f") == "GTC"


class OrderSource:
    """Orders of one account at one exchange.

    An order is told with its account's rate of commission. Where that is not known yet, orders wait for it, in order.

    Args:
        key: Exchange and account.
        account: Its events, and who knows its rates.
        catalogue: Knows each symbol's quote asset.
        outlet: Where messages go.
        jobs: Runs the questions about rates.
    """

    def __init__(
        self, key: SourceKey, account: AccountFeeds, *, catalogue: Catalogue, outlet: Outlet, jobs: Supervisor
    ) -> None:
        self._key = key
        self._catalogue = catalogue
        self._outlet = outlet
        self._jobs = jobs
        self._rates = RateBook(account.commission, outlet.clock)
        self._waiting: deque[dict[str, Any]] = deque()
        self._is_asking = False
        self._is_closed = False
        self._learn_from_ns = 0
        """Before this, no order waits for the list of symbols, which could not be had."""
        self._every = ChannelTopic(key, EVERY).name
        self._lease: Lease = account.user.lease()
        self._subscription = account.user.topic.subscribe(self._on_event)

    def first(self, topic: ChannelTopic, now_ms: int) -> list[Frame]:
        """Nothing: an order that rests has been told. The rate is asked for, so that it is known when it is needed."""
        if topic.detail != EVERY:
            self._keep_fresh(topic.detail)
        return []

    def close(self) -> None:
        """Nobody wants it any more."""
        self._is_closed = True
        self._waiting.clear()
        self._subscription.close()
        self._lease.close()

    def _on_event(self, event: UserEvent) -> None:
        if event.kind != REPORT:
            return
        symbol = str(event.data.get("s", ""))
        if not self._waiting and not self._is_asking and not self._must_wait(symbol):
            self._tell(event.data)
            self._keep_fresh(symbol)
            return
        self._waiting.append(event.data)
        if len(self._waiting) > MAX_WAITING:
            log.error(f"orders of {self._key.subject} are told without their rate of commission")
            self._tell_waiting()
        elif not self._is_asking:
            self._is_asking = True
            self._jobs.start(f"commission for {self._key.subject}", self._ask)

    def _must_wait(self, symbol: str) -> bool:
        """Whether something is not known that can be asked for. Rates that are merely old will do."""
        if self._rates.will_be_known(symbol):
            return True
        return self._catalogue.known(symbol) is None and self._outlet.clock.monotonic_ns() >= self._learn_from_ns

    def _keep_fresh(self, symbol: str) -> None:
        if self._rates.begin(symbol):
            self._jobs.start(f"commission {symbol}", lambda: self._rates.fetch(symbol))

    async def _ask(self) -> None:
        """Ask for what is missing of what waits, and tell it, oldest first."""
        try:
            while self._waiting and not self._is_closed:
                report = self._waiting[0]
                symbol = str(report.get("s", ""))
                if self._must_wait(symbol):
                    await self._rates.settle(symbol)
                    await self._learn(symbol)
                if self._waiting and self._waiting[0] is report:
                    self._waiting.popleft()
                    self._tell(report)
        finally:
            self._is_asking = False

    async def _learn(self, symbol: str) -> None:
        try:
            await self._catalogue.require(symbol)
        except (UnknownSymbol, VenueError, NotConnected) as error:
            log.warning(f"{symbol} of an order is not known: {type(error).__name__}")
            self._learn_from_ns = self._outlet.clock.monotonic_ns() + int(RETRY_S * NS_PER_S)

    def _tell_waiting(self) -> None:
        while self._waiting:
            self._tell(self._waiting.popleft())

    def _tell(self, report: dict[str, Any]) -> None:
        symbol = str(report.get("s", ""))
        own = ChannelTopic(self._key, symbol).name
        if not (self._outlet.wants(own) or self._outlet.wants(self._every)):
            return
        info = self._catalogue.known(symbol)
        quote = info.quote_asset if info is not None else ""
        try:
            order = view_of(self._key.exchange, report, quote=quote, commission=self._rates.known(symbol))
        except (KeyError, ValueError, TypeError) as error:
            log.error(f"an order's report cannot be told: {type(error).__name__}")
            return
        frame = Frame.text(encode_order(order, now_ms=to_ms(self._outlet.clock.now_ns())))
        self._outlet.publish(own, frame)
        self._outlet.publish(self._every, frame)
