"""From what happens in accounts to the connections that listen to them, by listen key or by subscription."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

from cryptotrader.bus import Topic
from cryptotrader.core.clock import Clock, to_ms
from cryptotrader.exchange.engine.events import OrderUpdate, UserEvent
from cryptotrader.exchange.protocol.faults import FaultBook, FaultKind
from cryptotrader.exchange.protocol.faults.model import USER_STREAM
from cryptotrader.exchange.protocol.listen_keys import ListenKeyExpired, ListenKeys
from cryptotrader.exchange.protocol.streams.delays import Delays
from cryptotrader.exchange.protocol.streams.shared import SharedEvent
from cryptotrader.exchange.protocol.user_data import listen_key_expired, render_user_event

Listener = Callable[[SharedEvent], None]
"""Called with each event of an account; short, and does not raise."""


def _no_way(account: str) -> int:
    return 0


class UserHub:
    """All user data streams of the exchange.

    Args:
        user: What happens, as (account, event).
        keys: Listen keys.
        clock: Wall-clock time.
        faults: What befalls events.
        way_ms: How long the events of an account are on their way to its clients. Unit: milliseconds.
    """

    def __init__(
        self,
        user: Topic[tuple[str, UserEvent]],
        keys: ListenKeys,
        clock: Clock,
        faults: FaultBook | None = None,
        *,
        way_ms: Callable[[str], int] = _no_way,
    ) -> None:
        self._keys = keys
        self._faults = faults or FaultBook()
        self._way_ms = way_ms
        self._delays = Delays(clock)
        self._clock = clock
        self._tokens = count()
        self._by_account: dict[str, dict[int, Listener]] = {}
        self._by_key: dict[str, dict[int, Listener]] = {}
        self._subscriptions = (user.subscribe(self._on_event), keys.expired.subscribe(self._on_expired))

    @property
    def listener_count(self) -> int:
        """Listeners now, to accounts and to keys."""
        return sum(map(len, (*self._by_account.values(), *self._by_key.values())))

    def close(self) -> None:
        """Listen to the exchange no more."""
        for subscription in self._subscriptions:
            subscription.close()
        self._delays.close()

    def listen(self, account: str, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` what happens in ``account`` until the returned function is called."""
        return self._add(self._by_account, account, listener)

    def listen_by_key(self, key: str, listener: Listener) -> Callable[[], None] | None:
        """The same by listen key, for as long as the key lives; None where it does not."""
        if self._keys.account_of(key, self._now_ms()) is None:
            return None
        return self._add(self._by_key, key, listener)

    def expire_keys(self) -> None:
        """Look for listen keys that ran out; to be called about once a second."""
        self._keys.expire(self._now_ms())

    def _add(self, where: dict[str, dict[int, Listener]], name: str, listener: Listener) -> Callable[[], None]:
        token = next(self._tokens)
        where.setdefault(name, {})[token] = listener

        def remove() -> None:
            listeners = where.get(name, {})
            listeners.pop(token, None)
            if not listeners:
                where.pop(name, None)

        return remove

    def _on_event(self, told: tuple[str, UserEvent]) -> None:
        account, event = told
        if not self._by_account and not self._by_key and not self._faults.has_streams and self._delays.is_idle:
            return  # Nobody listens.
        now_ms = self._now_ms()
        shared = SharedEvent(partial(_render, event, now_ms))
        way_ms = self._way_ms(account)
        if not way_ms and not self._faults.has_streams and self._delays.is_idle:
            self._deliver(account, shared)
            return
        symbol = event.order.symbol if isinstance(event, OrderUpdate) else ""
        fault = self._faults.take_stream(USER_STREAM, symbol, account=account, now_ms=now_ms)
        kind = fault.kind if fault is not None else None
        if fault is None or kind is FaultKind.STREAM_DELAY:
            late_ms = way_ms + (fault.delay_ms if fault else 0)
            self._delays.send(account, late_ms, partial(self._deliver, account, shared))
        elif kind is FaultKind.STREAM_DUPLICATE:
            for _ in range(1 + fault.copies):
                self._delays.send(account, way_ms, partial(self._deliver, account, shared))

    def _deliver(self, account: str, shared: SharedEvent) -> None:
        for listener in tuple(self._by_account.get(account, {}).values()):
            listener(shared)
        key = self._keys.key_of(account, self._now_ms())
        for listener in tuple(self._by_key.get(key, {}).values()) if key else ():
            listener(shared)

    def _on_expired(self, gone: ListenKeyExpired) -> None:
        shared = SharedEvent(lambda unit: listen_key_expired(gone.key, event_ms=gone.at_ms, unit=unit))
        for listener in self._by_key.pop(gone.key, {}).values():
            listener(shared)

    def _now_ms(self) -> int:
        return to_ms(self._clock.now_ns())


def _render(event: UserEvent, event_ms: int, unit: int) -> bytes:
    return render_user_event(event, event_ms=event_ms, unit=unit)
