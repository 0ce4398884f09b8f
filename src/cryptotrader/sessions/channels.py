"""Opens a stream's channel with its first client and closes it a while after its last one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from cryptotrader.config import get_logger
from cryptotrader.core.errors import CryptotraderError
from cryptotrader.net import Supervisor
from cryptotrader.sessions.client import Channel, StreamClient

log = get_logger(__name__)

T = TypeVar("T")

CLOSE_TRY_AGAIN_LATER = 1013


class LingeringChannel(Generic[T]):
    """A channel that exists only while somebody wants it, and for ``linger_s`` seconds more.

    In that time a client that lost its connection finds what it missed (S0-44).

    Args:
        name: Shown in logs.
        build: Makes the channel; called when the first client comes.
        linger_s: How long it outlives its last client, in seconds.
        jobs: Runs the wait.
    """

    def __init__(self, name: str, build: Callable[[], Channel[T]], *, linger_s: float, jobs: Supervisor) -> None:
        self.name = name
        self._build = build
        self._linger_s = linger_s
        self._jobs = jobs
        self._inner: Channel[T] | None = None
        self._clients = 0
        self._leavings = 0
        self._is_lingering = False

    @property
    def is_open(self) -> bool:
        """Whether the channel exists now."""
        return self._inner is not None

    def enter(self, client: StreamClient[T]) -> None:
        """Open the channel if need be, and serve a client."""
        self._clients += 1
        if self._inner is None:
            try:
                self._inner = self._build()
            except CryptotraderError as error:
                log.error(f"cannot open {self.name}: {error.message}")
                client.close(CLOSE_TRY_AGAIN_LATER, "try again later")
                return
        self._inner.enter(client)

    def leave(self, client: StreamClient[T]) -> None:
        """A client is gone; the last one starts the wait."""
        self._clients -= 1
        self._leavings += 1
        if self._inner is not None:
            self._inner.leave(client)
        if self._clients == 0 and not self._is_lingering:
            self._is_lingering = True
            self._jobs.start(f"linger {self.name}", self._linger)

    def catch_up(self, client: StreamClient[T]) -> None:
        """A client that was behind reads again."""
        if self._inner is not None:
            self._inner.catch_up(client)

    def close(self) -> None:
        """Let go of everything now."""
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.close()

    async def _linger(self) -> None:
        """Close once nobody has come or gone for a whole linger time."""
        try:
            seen = -1
            while self._clients == 0 and seen != self._leavings:
                seen = self._leavings
                await asyncio.sleep(self._linger_s)
            if self._clients == 0:
                self.close()
        finally:
            self._is_lingering = False
