"""What the order path needs from a venue's REST client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cryptotrader.services.binance.request import Params, RequestSpec


class RawAnswer(Protocol):
    """A venue's answer as it came."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def body(self) -> bytes:
        """The JSON text, untouched, so that no number is changed on its way (C-14)."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields."""
        ...


class Upstream(Protocol):
    """The venue's REST client."""

    async def raw(self, spec: RequestSpec[Any, Any], params: Params) -> RawAnswer:
        """Send one request, signed where it must be.

        Raises:
            VenueError: Or one of its kinds; anything but a success is raised.
        """
        ...

    def venue_now_ms(self) -> int:
        """The venue's time as far as it is known. Unit: epoch milliseconds."""
        ...
