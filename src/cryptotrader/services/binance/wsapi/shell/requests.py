"""Requests on their way: limits before they leave, one end for each, repeated only where that does no harm."""

from __future__ import annotations

import asyncio
import functools
from collections import deque

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.core.errors import (
    CryptotraderError,
    NotConnected,
    VenueAuthError,
    VenueRateLimited,
    VenueTimeout,
)
from cryptotrader.services.binance.models.market import ServerTime
from cryptotrader.services.binance.wsapi.correlation import Call, Kind, Pending, Sink
from cryptotrader.services.binance.wsapi.limits import Cost
from cryptotrader.services.binance.wsapi.replies import OK, Reply, is_clock_refusal, parse, reply_error
from cryptotrader.services.binance.wsapi.shell.dispatch import FutureSink
from cryptotrader.services.binance.wsapi.shell.link import Link
from cryptotrader.services.binance.wsapi.shell.outbox import CLOCK_MARGIN_MS, CourierDeps, Outbox

log = get_logger(__name__)

LOGON = {"session.logon": True, "session.logout": False}
"""Methods to whether the connection is logged on afterwards, whoever asked for it."""

SUBSCRIBES = "userDataStream.subscribe"
"""How the methods begin that bring events of an account over one connection."""

TOO_MANY = "Too many requests at once"

_server_time = msgspec.json.Decoder(ServerTime).decode


class Courier(Outbox):
    """Sends requests over whatever connection is current, and brings each to its one end."""

    def __init__(self, deps: CourierDeps) -> None:
        super().__init__(deps)
        self._again: deque[Pending] = deque()
        self._healing: list[Pending] = []
        self._own_links: dict[int, Link] = {}
        """Open connections that had requests of their own, by number."""
        self._is_resending = False

    # Out

    async def submit(self, call: Call, sink: Sink, *, timeout_s: float | None = None, link: Link | None = None) -> str:
        """Send a request, after waiting for the limits, and return its id.

        Args:
            call: The request.
            sink: Where it ends. Exactly one of its methods is called, unless this raises.
            timeout_s: Longest wait for the end.
            link: A certain connection instead of the current one.

        Raises:
            NotConnected: There is no connection, and it was certainly not sent. A read waits for the next connection.
            VenueRateLimited: A limit would hold it up for too long, or too many are under way; it was not sent.
            VenueAuthError: It needs credentials and there are none.
        """
        if link is None:
            entry = self.begin(call, sink, self._now_ns(), timeout_s=timeout_s)
        else:
            entry = self._entry(call, sink, timeout_s, self._now_ns())
            entry.only_link = link.number
            self._own_links[link.number] = link
        if not entry.sends:
            await self.launch(entry, link)
        return entry.message_id

    def begin(self, call: Call, sink: Sink, now_ns: int, *, timeout_s: float | None = None) -> Pending:
        """The same without waiting: where ``sends`` of what is returned is 0, ``launch`` has to follow.

        Nearly every request is on its way after this, and costs no task and no turn of the loop.
        """
        entry = self._entry(call, sink, timeout_s, now_ns)
        link = self.link
        if link is None or link.post is None:
            return entry
        offset = self.offset
        window_ms = now_ns // NS_PER_MS + offset.offset_ms - offset.margin_ms - CLOCK_MARGIN_MS
        if self._limits.take(call.cost, now_ns=now_ns, venue_ms=window_ms) > 0:
            return entry
        entry.has_cost = True
        frame = self._prepare(entry, link, now_ns)
        link.written_bytes += len(frame)
        try:
            link.post(frame)
        except NotConnected as error:
            link.end(error.message)
        if link.state == "ended":
            self.on_link_end(link)
        return entry

    async def launch(self, entry: Pending, link: Link | None = None) -> None:
        """Send what ``begin`` could not send at once; raises as ``submit``."""
        target = link or self.link
        if target is None:
            if entry.call.kind is not Kind.READ:
                raise NotConnected("not connected")
            silence_s = self._limits.silence_s(self._clock.monotonic_ns())
            if silence_s > self._policy.max_wait_s:
                raise self._held_back(silence_s)
            self._queue(entry)
            return
        wait_s = self._take(entry)
        if wait_s > 0:
            await self._turn(entry, wait_s)
            target = link or self.link
            if target is None or not target.is_open:
                self._settle(entry, was_sent=False)
                if entry.call.kind is not Kind.READ:
                    raise NotConnected("not connected")
                self._queue(entry)
                return
        await self._post(entry, target)

    async def ask(self, call: Call, link: Link) -> Reply:
        """A request of the connection's own; the good reply, or the error it stands for."""
        sink = FutureSink(asyncio.get_running_loop().create_future())
        await self.submit(call, sink, link=link)
        reply: Reply = await sink.future
        if not reply.is_ok:
            raise reply_error(reply, now_ms=self.venue_ms())
        return reply

    async def sync_clock(self, link: Link) -> None:
        """Ask for the venue's time."""
        call = Call("time", {}, Kind.STATE, Cost(1, account=self.account, is_trading=True))
        sent_ns = self._clock.monotonic_ns()

        def sample(reply: Reply) -> None:
            now_ns = self._clock.monotonic_ns()
            self.offset.sample(sent_ns, now_ns, _server_time(reply.result).server_time)

        call.on_ok = sample
        await self.ask(call, link)

    def _entry(self, call: Call, sink: Sink, timeout_s: float | None, now_ns: int) -> Pending:
        if not self.is_open:
            raise NotConnected("not connected")
        policy, link = self._policy, self.link
        if len(self.table) + self._turns + len(self._deps.queued) >= policy.max_pending:
            raise VenueRateLimited(TOO_MANY, retry_after_s=1.0)
        limit_bytes = policy.max_outbound_bytes
        if link is not None and link.written_bytes > limit_bytes and link.is_full(limit_bytes):
            raise VenueRateLimited(TOO_MANY, retry_after_s=1.0)
        if call.needs_key and call.credentials is None and self._deps.credentials is None:
            log.warning(f"{call.method} needs credentials")
            raise VenueAuthError("Invalid API key")
        if timeout_s is None:
            timeout_s = policy.read_timeout_s if call.kind is Kind.READ else policy.max_wait_s + policy.reply_timeout_s
        message_id = sink.message_id = self._deps.ids.next()
        final_ns = now_ns + int(timeout_s * NS_PER_S)
        return Pending(call, sink, message_id, message_id, final_ns, final_ns)

    async def _post(self, entry: Pending, link: Link) -> None:
        frame = self._prepare(entry, link, self._now_ns())
        if link.is_open:
            await link.send(frame)
        if not link.is_open:
            # It had ended before; where it ended just now, this finds nothing left to do.
            self.on_link_end(link)

    # In

    def on_message(self, link: Link, data: bytes) -> None:
        """A message of a connection."""
        try:
            reply = parse(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.stats.malformed += 1
            log.warning("a message that is no reply and no event is ignored")
            return
        if reply.event:
            self._deps.on_event(link, reply, data)
            return
        entry = self.table.match(reply.id, link.number)
        if entry is None:
            if not reply.is_ok:
                self._on_stray(link, reply)
            return
        if entry.has_cost:
            self._settle(entry, rows=reply.rate_limits)
        if reply.status != OK:
            self._on_refusal(entry, reply, data)
            return
        call = entry.call
        if call.kind is Kind.STATE and not self._note(call, link, reply):
            entry.sink.failed(VenueTimeout(f"Binance's answer to {call.method} cannot be read"))
            return
        entry.sink.answered(reply, data)

    def _note(self, call: Call, link: Link, reply: Reply) -> bool:
        """What a good reply says about its connection; False where it cannot be read: the reader goes on."""
        if call.method in LOGON:
            link.logged_on = LOGON[call.method]
        elif call.method.startswith(SUBSCRIBES) and call.on_ok is None:
            link.has_plain_subscription = True
        try:
            if call.on_ok is not None:
                call.on_ok(reply)
        except msgspec.DecodeError:
            self.stats.malformed += 1
            return False
        return True

    def _on_stray(self, link: Link, reply: Reply) -> None:
        """An error that belongs to no request still says to wait, or that the session is over ("id": null)."""
        error = reply_error(reply, now_ms=self.venue_ms())
        self._heed(error, "")
        if isinstance(error, VenueAuthError) and reply.id is None:
            link.logged_on = False
        log.warning(f"the venue sent an error without a request: {type(error).__name__}")

    def _on_refusal(self, entry: Pending, reply: Reply, data: bytes) -> None:
        error = reply_error(reply, now_ms=self.venue_ms())
        call = entry.call
        self._heed(error, call.cost.account)
        now_ns = self._clock.monotonic_ns()
        if call.signed and not entry.healed and is_clock_refusal(reply) and now_ns < entry.final_ns:
            entry.healed = True
            entry.refusal = (reply, data)
            self._hold(entry)
            self._healing.append(entry)
            if len(self._healing) == 1:
                self._deps.start("clock", self._heal)
        elif isinstance(error, VenueTimeout) and self._may_repeat(entry, now_ns):
            self._queue(entry)
        elif isinstance(error, VenueTimeout) and call.kind is Kind.TRADE:
            log.error(f"the venue does not know the outcome of {call.method}; ask for it with reconcile()")
            entry.sink.unsure(reply, data, self.lost(entry))
        else:
            log.info(f"{call.method} was refused: {type(error).__name__}: {error.message}")
            entry.sink.answered(reply, data)

    # Again

    def _may_repeat(self, entry: Pending, now_ns: int) -> bool:
        return (
            entry.call.kind is Kind.READ
            and entry.sends <= self._policy.max_repeats
            and now_ns < entry.final_ns
            and self.is_open
        )

    def _hold(self, entry: Pending) -> None:
        """Keep an entry that is on no connection, under an id that no reply can match."""
        entry.link = 0
        entry.deadline_ns = entry.final_ns
        self.table.add(entry)

    def _queue(self, entry: Pending) -> None:
        """Send it as soon as there is a connection and the limits allow it."""
        self._hold(entry)
        self._again.append(entry)
        if entry.sends and not entry.refusal:
            self.stats.repeated += 1
        self.pump()

    def pump(self) -> None:
        """Send what waits."""
        if self._again and self.link is not None and not self._is_resending and self.is_open:
            self._is_resending = True
            self._deps.start("send again", self._resend)

    async def _resend(self) -> None:
        try:
            while self._again and self.link is not None:
                entry = self._again.popleft()
                if self.table.holds(entry):
                    await self._send_again(entry)
        finally:
            self._is_resending = False

    async def _send_again(self, entry: Pending) -> None:
        try:
            wait_s = self._take(entry)
            if wait_s > 0:
                await self._turn(entry, wait_s)
        except (VenueRateLimited, NotConnected) as error:
            if self.table.remove(entry):
                self._finish(entry, error)
            return
        link = self._own_links.get(entry.only_link) if entry.only_link else self.link
        if not self.table.holds(entry) or link is None:
            self._settle(entry, was_sent=False)
            if self.table.holds(entry):
                self._not_now(entry)
            return
        self.table.remove(entry)
        await self._post(entry, link)

    def _not_now(self, entry: Pending) -> None:
        """There is no connection for it: it waits for one, unless it concerned the one that is gone."""
        if not entry.only_link:
            self._again.appendleft(entry)
        elif self.table.remove(entry):
            self._finish(entry, NotConnected("the connection was lost"))

    async def _heal(self) -> None:
        """The venue refused timestamps: learn its time, then sign anew what it certainly did not do."""
        is_known = False
        self.offset.forget()
        link = self.link or self._own_links.get(self._healing[0].only_link)
        try:
            if link is not None:
                await self.sync_clock(link)
                is_known = True
                log.warning("Binance refused a timestamp; the clock was compared anew")
        except (CryptotraderError, msgspec.DecodeError) as error:
            log.warning(f"the venue's time could not be had: {type(error).__name__}")
        finally:
            entries, self._healing = self._healing, []
            for entry in entries:
                if self.table.holds(entry):
                    self._after_heal(entry, is_known=is_known)

    def _after_heal(self, entry: Pending, *, is_known: bool) -> None:
        if is_known:
            self.stats.healed += 1
            if entry.only_link:
                # What concerns a connection must not go to another one, such as its predecessor.
                self._deps.start("send again", functools.partial(self._send_again, entry))
                return
            self._again.append(entry)
            self.pump()
        elif self.table.remove(entry):
            self._finish(entry, NotConnected("not connected"))

    # Ends

    def on_link_end(self, link: Link) -> None:
        """A connection is lost: repeat reads, tell the truth about everything else."""
        now_ns = self._clock.monotonic_ns()
        self._own_links.pop(link.number, None)
        for entry in self.table.on_link(link.number):
            self.table.remove(entry)
            self._settle_lost(entry)
            if self._may_repeat(entry, now_ns):
                self._queue(entry)
            else:
                self._finish(entry, NotConnected("the connection was lost"))

    def sweep(self) -> None:
        """End what has waited too long."""
        now_ns = self._clock.monotonic_ns()
        self._forget_lost(now_ns)
        for entry in self.table.due(now_ns):
            self.table.remove(entry)
            self._settle_lost(entry)
            if entry.link and self._may_repeat(entry, now_ns):
                self._queue(entry)
            elif not entry.link and (silence_s := self._limits.silence_s(now_ns)) > 0:
                self._finish(entry, self._held_back(silence_s))
            else:
                self._finish(entry, VenueTimeout(f"no answer to {entry.call.method} in time"))

    def end_all(self) -> None:
        """The connection was closed for good."""
        self.is_open = False
        self.link = None
        self._again.clear()
        for _, cost in self._lost_costs:
            self._limits.forget_lost(cost)
        self._lost_costs.clear()
        for entry in self.table:
            self.table.remove(entry)
            self._settle(entry)
            self._finish(entry, NotConnected("the connection was closed"))

    def _finish(self, entry: Pending, error: CryptotraderError) -> None:
        """No reply will come. ``entry.link`` tells whether a transmission of unknown fate exists."""
        if entry.refusal is not None and not entry.link:
            # The venue certainly refused it, and it was not sent again.
            entry.sink.answered(*entry.refusal)
        elif entry.call.kind is Kind.TRADE and entry.link:
            lost = self.lost(entry)
            log.error(f"the outcome of {lost.method} is not known; ask for it with reconcile()")
            entry.sink.failed(lost)
        else:
            entry.sink.failed(error)
