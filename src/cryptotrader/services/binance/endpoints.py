"""Where each venue of Binance's kind lives.

Sources, July 2026: ``rest-api.md``, ``web-socket-streams.md``, ``web-socket-api.md`` ("General API Information") and
``testnet/general-info.md``. Binance.US is a venue of its own with the same protocol.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from cryptotrader.core.errors import ConfigError

PAPER_PORT = 3100
"""Port of the paper exchange where nothing else is said."""

DEFAULT_WEIGHT_PER_MINUTE = 6_000
"""Request weight that one address may use. Unit: weight per minute. Source: ``exchangeInfo``, ``REQUEST_WEIGHT``."""


class VenueEndpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of one venue, without a slash at the end."""

    name: str
    rest_url: str
    """In front of ``/api/v3/...``."""
    stream_url: str
    """In front of ``/ws/<stream>`` and ``/stream?streams=``."""
    ws_api_url: str
    """The whole address of the WebSocket API."""
    weight_per_minute: int = DEFAULT_WEIGHT_PER_MINUTE
    """Until ``exchangeInfo`` says otherwise."""
    is_paper: bool = False
    """Whether nothing real can be lost there."""


def paper(host: str = "127.0.0.1", port: int = PAPER_PORT) -> VenueEndpoints:
    """The paper exchange."""
    return VenueEndpoints(
        name="paper",
        rest_url=f"http://{host}:{port}",
        stream_url=f"ws://{host}:{port}",
        ws_api_url=f"ws://{host}:{port}/ws-api/v3",
        is_paper=True,
    )


VENUES: dict[str, VenueEndpoints] = {
    "paper": paper(),
    "binance": VenueEndpoints(
        name="binance",
        rest_url="https://api.binance.com",
        stream_url="wss://stream.binance.com:9443",
        ws_api_url="wss://ws-api.binance.com:443/ws-api/v3",
    ),
    "binance-testnet": VenueEndpoints(
        name="binance-testnet",
        rest_url="https://testnet.binance.vision",
        stream_url="wss://stream.testnet.binance.vision",
        ws_api_url="wss://ws-api.testnet.binance.vision/ws-api/v3",
        is_paper=True,
    ),
    "binance-us": VenueEndpoints(
        name="binance-us",
        rest_url="https://api.binance.us",
        stream_url="wss://stream.binance.us:9443",
        ws_api_url="wss://ws-api.binance.us:443/ws-api/v3",
        weight_per_minute=1_200,
    ),
}
"""By the names that ``--venue`` takes."""


def endpoints_of(
    venue: str, *, rest_url: str | None = None, stream_url: str | None = None, ws_api_url: str | None = None
) -> VenueEndpoints:
    """The addresses of a venue, some or all of them replaced.

    Raises:
        ConfigError: There is no such venue, or an address is none.
    """
    known = VENUES.get(venue)
    if known is None:
        raise ConfigError(f"unknown venue {venue!r}; known are {', '.join(VENUES)}")
    return msgspec.structs.replace(
        known,
        rest_url=_checked(rest_url, known.rest_url, "http"),
        stream_url=_checked(stream_url, known.stream_url, "ws"),
        ws_api_url=_checked(ws_api_url, known.ws_api_url, "ws"),
    )


def _checked(url: str | None, default: str, scheme: str) -> str:
    if not url:
        return default
    parts = urlsplit(url)
    if parts.scheme not in (scheme, scheme + "s") or not parts.hostname:
        raise ConfigError(f"an address must begin with {scheme}:// or {scheme}s:// and name a host")
    return url.rstrip("/")
