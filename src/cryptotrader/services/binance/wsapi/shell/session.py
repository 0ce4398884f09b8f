"""Who we are on a connection: the logon, and user data subscriptions, both done again on every successor."""

from __future__ import annotations

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import (
    ConfigError,
    CryptotraderError,
    NotConnected,
    VenueAuthError,
    VenueError,
    VenueRejected,
    VenueTimeout,
)
from cryptotrader.services.binance.errors import TIMESTAMP_REFUSED
from cryptotrader.services.binance.models.session import Subscription
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.wsapi.correlation import Call, Kind
from cryptotrader.services.binance.wsapi.limits import Cost
from cryptotrader.services.binance.wsapi.replies import Reply
from cryptotrader.services.binance.wsapi.shell.feeds import Feed, UserDataSubscription
from cryptotrader.services.binance.wsapi.shell.link import Link
from cryptotrader.services.binance.wsapi.shell.requests import Courier

log = get_logger(__name__)

OWN_COST = Cost(2, is_trading=True)
"""What logon, logout and subscribing cost (``web-socket-api.md``). They may use the reserve: without them no trade."""

ALREADY_ACTIVE = -2035
"""Code of a second subscription to an account on one connection (``errors.md``)."""

LOGON_RETRY_NS = 5 * NS_PER_S
"""Pause before a logon is tried again that was refused for its timestamp twice. Reason: it costs weight."""

TERMINATED = "eventStreamTerminated"

_subscription = msgspec.json.Decoder(Subscription).decode


class Session:
    """Logon and subscriptions of one client.

    Args:
        courier: Sends.
        credentials: Whose client it is.
    """

    def __init__(self, courier: Courier, credentials: Credentials | None) -> None:
        self._courier = courier
        self._credentials = credentials
        self._wants_logon = False
        self._is_logon_stale = False
        """Whether the present connection has to be logged on, though it was made before that was wanted."""
        self._logon_after_ns = 0
        self._feeds: dict[str, Feed] = {}
        self._stale: set[Feed] = set()

    @property
    def is_wanted(self) -> bool:
        """Whether a successor has anything to take over."""
        return self._wants_logon or bool(self._feeds)

    @property
    def is_stale(self) -> bool:
        """Whether anything has to be subscribed anew."""
        return bool(self._stale) or (self._is_logon_stale and self._courier.now_ns() >= self._logon_after_ns)

    # Logon

    async def log_on(self, link: Link) -> None:
        """``session.logon`` on a connection, and on its successors."""
        if self._credentials is None:
            raise VenueAuthError("Invalid API key")
        if self._credentials.signer.kind != "ed25519":
            raise ConfigError("only an Ed25519 key can log on")
        await self._courier.ask(_call("session.logon", auth=(True, True)), link)
        link.logged_on = True
        self._wants_logon = True
        current = self._courier.link
        if current is not None and current is not link and not current.logged_on and link.state != "candidate":
            # It was replaced meanwhile.
            self._is_logon_stale = True

    async def log_out(self, link: Link) -> None:
        """``session.logout``; successors are not logged on."""
        self._wants_logon = self._is_logon_stale = False
        await self._courier.ask(_call("session.logout"), link)
        link.logged_on = False

    # Life of the connections

    async def resume(self, link: Link, others: list[Link]) -> None:
        """Make a fresh connection what the one before was. A refusal is told and does not stop the connection.

        Args:
            link: The fresh connection.
            others: All that are open beside it; one that is nearly over may still bring events.
        """
        if self._wants_logon and self._credentials is not None:
            try:
                await self.log_on(link)
            except (VenueAuthError, VenueRejected) as error:
                self._on_logon_refused(error)
        # One that is being subscribed elsewhere at this moment follows once this link has taken over, see ``adopt``.
        for feed in [feed for feed in self._feeds.values() if feed.is_confirmed]:
            feed.overlap(any(feed in other.feeds.values() for other in others))
            try:
                await self._subscribe(feed, link)
            except (VenueAuthError, VenueRejected) as error:
                log.error(f"user data could not be subscribed anew: {error.message}")
                self._end_feed(feed, error)

    def on_link_end(self, link: Link, others: list[Link]) -> None:
        """A connection is over. Where no other one brings the events, some may be missed."""
        for feed in set(link.feeds.values()):
            # A candidate may have subscribed after something that this one did not bring any more, and nobody looks
            # whether one that is nearly over is still alive.
            carriers = [other for other in others if feed in other.feeds.values() and other.state == "current"]
            if not carriers and feed.is_wanted:
                feed.gap(f"connection lost: {link.end_reason}")
        link.feeds.clear()

    async def catch_up(self, old: Link) -> None:
        """Wait until a connection has brought everything from before this moment: its answer comes after all that.

        Where it does not answer, a gap is told.
        """
        problem = ""
        try:
            await self._courier.ask(_call("time"), old)
        except VenueRejected:
            pass
        except (VenueError, NotConnected) as error:
            problem = type(error).__name__
        if problem and old.is_open:
            for feed in set(old.feeds.values()):
                feed.gap(f"the old connection did not answer: {problem}")

    def adopt(self, link: Link) -> None:
        """A successor has taken over: what was done on its predecessor in the meantime is done anew."""
        if not self._is_logon_stale:
            self._is_logon_stale = self._wants_logon and not link.logged_on
        for feed in self._feeds.values():
            if feed.is_confirmed and feed not in link.feeds.values():
                feed.gap("subscribed on a connection that was just replaced")
                self._stale.add(feed)

    def end_overlap(self, links: list[Link]) -> None:
        """Every copy of what a predecessor brought has come by now; where two still bring events, it goes on."""
        for feed in self._feeds.values():
            if sum(feed in link.feeds.values() for link in links) <= 1:
                feed.overlap(False)

    def end(self) -> None:
        """The client is closed: iterations end."""
        for feed in list(self._feeds.values()):
            feed.end(NotConnected("closed"))
        self._feeds.clear()

    # Events

    def on_event(self, link: Link, reply: Reply, kind: str) -> bool:
        """Route an event by its subscription; False where it belongs to none of ours."""
        feed = self._feed_of(link, reply.subscription_id)
        if feed is None:
            return False
        if kind == TERMINATED:
            self._on_terminated(link, feed, reply.subscription_id)
            return True
        link.offer(feed, bytes(reply.event))
        return True

    def _feed_of(self, link: Link, subscription_id: int | None) -> Feed | None:
        if subscription_id is not None:
            return link.feeds.get(subscription_id)
        # Venues of an older make have one subscription per connection and no ids.
        return next(iter(link.feeds.values())) if len(link.feeds) == 1 else None

    def _on_terminated(self, link: Link, feed: Feed, subscription_id: int | None) -> None:
        for number in [number for number, other in link.feeds.items() if other is feed]:
            del link.feeds[number]
        if feed.is_wanted and link.state == "current":
            feed.gap("the venue ended the subscription")
            self._stale.add(feed)

    # User data

    def user_data(self, *, capacity: int, credentials: Credentials | None) -> UserDataSubscription:
        """An iterator; iterators of one account share one subscription."""
        whose = credentials or self._credentials

        async def open_feed(reader: UserDataSubscription) -> None:
            if whose is None:
                raise VenueAuthError("Invalid API key")
            await self._open(whose, reader)

        async def close_feed(reader: UserDataSubscription) -> None:
            if whose is not None:
                await self._close(whose, reader)

        return UserDataSubscription(open_feed=open_feed, close_feed=close_feed, capacity=capacity)

    async def renew(self, link: Link) -> None:
        """Log on where that was done too late, and subscribe anew what the venue ended by itself."""
        if self._is_logon_stale and self.is_stale and not await self._log_on_late(link):
            return
        while self._stale and link.is_open:
            feed = self._stale.pop()
            if not feed.is_wanted or feed in link.feeds.values():
                continue
            # A predecessor that is not closed yet may bring the same events.
            feed.overlap(True)
            try:
                await self._subscribe(feed, link, is_late=True)
            except (VenueAuthError, VenueRejected) as error:
                if link.replace_because:
                    # The successor subscribes it.
                    self._stale.add(feed)
                    return
                self._end_feed(feed, error)
            except (VenueError, NotConnected):
                self._stale.add(feed)
                return

    def _on_logon_refused(self, error: VenueAuthError | VenueRejected) -> None:
        log.error(f"the new connection could not be logged on: {error.message}")
        if isinstance(error, VenueRejected) and error.venue_code == TIMESTAMP_REFUSED:
            # Clocks can be compared again; any other refusal is for good.
            self._is_logon_stale = True
            self._logon_after_ns = self._courier.now_ns() + LOGON_RETRY_NS

    async def _log_on_late(self, link: Link) -> bool:
        self._is_logon_stale = False
        if not self._wants_logon or link.logged_on:
            return True
        try:
            await self.log_on(link)
        except (VenueAuthError, VenueRejected) as error:
            self._on_logon_refused(error)
        except (VenueError, NotConnected):
            self._is_logon_stale = self._courier.link is link
            return False
        return True

    async def _open(self, whose: Credentials, reader: UserDataSubscription) -> None:
        link = self._courier.link
        if link is None:
            raise NotConnected("not connected")
        feed = self._feeds.get(whose.api_key)
        if feed is not None:
            feed.add(reader)
            return
        feed = self._feeds[whose.api_key] = Feed(whose)
        # Before the subscription: its first event may come with the reply.
        feed.add(reader)
        is_open = False
        try:
            await self._subscribe(feed, link)
            is_open = True
            if link is not self._courier.link:
                # It was replaced meanwhile.
                self._stale.add(feed)
        finally:
            if not is_open:
                self._feeds.pop(whose.api_key, None)
                feed.discard(reader)

    async def _close(self, whose: Credentials, reader: UserDataSubscription) -> None:
        feed = self._feeds.get(whose.api_key)
        if feed is None:
            return
        feed.discard(reader)
        if feed.is_wanted:
            return
        del self._feeds[whose.api_key]
        self._stale.discard(feed)
        link = self._courier.link
        if link is None:
            return
        for number in [number for number, other in link.feeds.items() if other is feed]:
            del link.feeds[number]
            try:
                await self._courier.ask(_call("userDataStream.unsubscribe", {"subscriptionId": number}), link)
            except (VenueError, NotConnected) as error:
                log.info(f"user data could not be given back: {type(error).__name__}")

    async def _subscribe(self, feed: Feed, link: Link, *, is_late: bool = False) -> None:
        if link.logged_on and feed.credentials is self._credentials:
            call = _call("userDataStream.subscribe", auth=(True, False))
        else:
            call = _call("userDataStream.subscribe.signature", auth=(True, True))
            call.credentials = feed.credentials

        def remember(reply: Reply) -> None:
            link.feeds[_subscription(reply.result).subscription_id] = feed
            feed.subscribed(link.number, is_late=is_late)

        call.on_ok = remember
        try:
            await self._courier.ask(call, link)
        except (VenueTimeout, VenueRejected) as error:
            # It may be active under an id that we do not know; only another connection gets rid of it.
            if isinstance(error, VenueTimeout) or error.venue_code == ALREADY_ACTIVE:
                link.replace_because = link.replace_because or "a subscription of unknown fate"
            raise

    def _end_feed(self, feed: Feed, error: CryptotraderError) -> None:
        for key in [key for key, other in self._feeds.items() if other is feed]:
            del self._feeds[key]
        feed.end(error)


def _call(method: str, params: dict[str, object] | None = None, *, auth: tuple[bool, bool] = (False, False)) -> Call:
    needs_key, signed = auth
    return Call(method, params or {}, Kind.STATE, OWN_COST, needs_key, signed)
