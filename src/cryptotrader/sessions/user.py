"""``/ws/user``: the account's own events, each exactly once, never conflated (S0-45 to S0-48)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptotrader.feeds.user import UserEvent
from cryptotrader.sessions.client import StreamClient
from cryptotrader.sessions.ports import Lease, UserFeed
from cryptotrader.transport.fanout import Broadcaster, Published
from cryptotrader.transport.frames import Frame


class UserChannel:
    """Forwards one account's events to everyone who listens to them; holds its feed open while somebody does.

    Args:
        topic: Of this account alone: the broadcaster is shared with those of other accounts.
        feed: The account's events.
        lease: Keeps them coming.
        broadcaster: Sends.
    """

    def __init__(self, topic: str, feed: UserFeed, lease: Lease, *, broadcaster: Broadcaster[UserEvent]) -> None:
        self._topic = topic
        self._lease = lease
        self._broadcaster = broadcaster
        self._subscription = feed.topic.subscribe(self._on_event)

    def enter(self, client: StreamClient[UserEvent]) -> None:
        """Send everything from now on."""
        self._broadcaster.join(client, (self._topic,))

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
        self._broadcaster.publish(self._topic, Frame.text(event.payload), event)


class UserClient(StreamClient[UserEvent]):
    """A client of the account's events."""

    def on_missed(self, batch: Sequence[Published[UserEvent]]) -> None:
        """Keep everything, in order; the outbox closes the connection with 1008 when it is full."""
        for published in batch:
            self.connection.send(published.frame)
        self.count_sent(len(batch))
