"""Topics and bounded mailboxes: how events move inside the process."""

from cryptotrader.bus.mailbox import Mailbox, Overflow
from cryptotrader.bus.topic import Subscription, Topic

__all__ = ["Mailbox", "Overflow", "Subscription", "Topic"]
