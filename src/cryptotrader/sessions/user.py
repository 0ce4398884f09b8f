"""``/ws/user``: the account's own events, each exactly once, never conflated (S0-45 to S0-48)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptotrader.feeds.user import UserEvent
from cryptotrader.sessions.client import StreamClient
from cryptotrader.sessions.ports import Lease, UserFeed
from cryptotrader.transport.fanout import Broadcaster, Published
from cryptotrader.transport.frames import Frame

TOPIC = "user"


class UserChannel:
    """Forwards the user feed to everyone who listens; holds the feed open while somebody does."""

    def __init__(self, feed: UserFeed, lease: Lease, *, broadcaster: Broadcaster[UserEvent]) -> None:
        self._lease = lease
        self._broadcaster = broadcaster
        self._subscription = feed.topic.subscribe(self._on_event)

    def enter(self, client: StreamClient[UserEvent]) -> None:
        """Send everything from now on."""
        self._broadcaster.join(client, (TOPIC,))

    def leave(self, client: StreamClient[UserEvent]) -> None:
        """A client is gone."""
        self._broadcaster.leave(client)

    def catch_up(self, client: StreamClient[UserEvent]) -> None:
        """The outbox kept everything and has been sent already."""

    def close(self) -> None:
        """Nobody listens any more."""
        self._subscription.close()
        self._lease.close()

    def _on_event(self, event: UserEvent) -> None:
        self._broadcaster.publish(TOPIC, Frame.text(event.payload), event)


class UserClient(StreamClient[UserEvent]):
    """A client of the account's events."""

    def on_missed(self, batch: Sequence[Published[UserEvent]]) -> None:
        """Keep everything, in order; the outbox closes the connection with 1008 when it is full."""
        for published in batch:
            self.connection.send(published.frame)
        self.count_sent(len(batch))
