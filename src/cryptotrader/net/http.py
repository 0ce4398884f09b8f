"""A thin HTTP client shell: time limits, a bounded connection pool, a bounded answer, and errors of our own tree."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

import httpx2
import msgspec

from cryptotrader.core.errors import VenueTimeout, VenueUnreachable

CONNECT_TIMEOUT_S = 4.0
"""Unit: seconds. Reason: leaves room for a second try within the ten seconds a request may take (S0-55)."""

ANSWER_TIMEOUT_S = 10.0
"""Silence after which an answer is given up. Unit: seconds. Source: S0-55; Binance itself stops working after ten."""

MAX_CONNECTIONS = 50
"""Connections open at a time to all hosts together. Reason: above the most requests that a client has under way."""

IDLE_S = 4.0
"""How long an unused connection is kept. Unit: seconds. Reason: less than the five after which uvicorn, and so the
paper exchange, closes its end; a request that meets a closing connection might be lost."""

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Longest answer accepted. Unit: bytes. Reason: several times the largest known, ``exchangeInfo`` of all symbols."""

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Hosts that no proxy of the environment stands before."""

USER_AGENT = "cryptotrader"


class AnswerLost(VenueTimeout):
    """The request went out, but its answer will never come or is of no use: what it did is not known."""


class HttpReply(msgspec.Struct, frozen=True):
    """An answer, whatever its status. Names of header fields are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class HttpClient:
    """Sends requests; one per process is enough. Proxies of the environment are used, except for loopback addresses.

    Args:
        answer_timeout_s: Longest silence while an answer is awaited.
        max_connections: Size of the pool.
    """

    def __init__(self, *, answer_timeout_s: float = ANSWER_TIMEOUT_S, max_connections: int = MAX_CONNECTIONS) -> None:
        limits = httpx2.Limits(
            max_connections=max_connections, max_keepalive_connections=max_connections, keepalive_expiry=IDLE_S
        )
        direct = httpx2.AsyncHTTPTransport(limits=limits)
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(answer_timeout_s, connect=min(CONNECT_TIMEOUT_S, answer_timeout_s)),
            limits=limits,
            headers={"user-agent": USER_AGENT},
            mounts={f"all://{host}": direct for host in LOOPBACK},
        )

    async def request(
        self, verb: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> HttpReply:
        """Send one request and read the whole answer.

        Raises:
            VenueUnreachable: Nothing was sent: no connection could be had.
            VenueTimeout: It may have been sent, but no answer came in time.
            AnswerLost: It may have been sent, and the connection broke or the answer was too long.
        """
        try:
            async with self._client.stream(verb, url, headers=headers, content=body) as response:
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > MAX_BODY_BYTES:
                        raise AnswerLost(f"answer of more than {MAX_BODY_BYTES} bytes")
                return HttpReply(status=response.status_code, body=bytes(content), headers=dict(response.headers))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError):
            raise VenueUnreachable("no connection") from None
        except httpx2.TimeoutException:
            raise VenueTimeout("no answer in time") from None
        except httpx2.HTTPError:
            # Neither the address nor the cause is shown: both may hold a signature.
            raise AnswerLost("connection broke") from None

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def __aenter__(self) -> HttpClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
