"""A paper exchange without sockets and threads: requests, WebSocket API and streams as plain awaits, on any event loop.

On the loop of ``run_simulated`` time is virtual, so that a scenario of hours takes moments and is the same every time.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from cryptotrader.core.scaled import parse_scaled
from cryptotrader.exchange.accounts import KeyKind, PaperAccount
from cryptotrader.exchange.accounts.office import BackOffice, make_material
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.registry import by_method, by_route
from cryptotrader.services.binance.signing import encode_query, signing_payload_ws
from cryptotrader.testing.paper.exchange import ExchangeOptions, PaperAccess
from cryptotrader.testing.paper.socket import ClosedByExchange, InProcessSocket
from cryptotrader.testing.simulation import SimulatedClock, SimulatedLoop, run_simulated
from cryptotrader.transport.types import Refuse, UpgradeRequest

ADDRESS = "127.0.0.1"
"""Where requests seem to come from."""

T = TypeVar("T")


@dataclass(frozen=True)
class InProcessReply:
    """Answer of a REST request.

    Attributes:
        status: HTTP status.
        data: The JSON.
        headers: Names in lower case.
    """

    status: int
    data: Any
    headers: Mapping[str, str]


class InProcessExchange:
    """A paper exchange to be called directly; open it with ``async with``.

    Args:
        options: How it is set up.
        clock: Its time; None is the running loop's: virtual under ``run_simulated``, else real.
    """

    def __init__(self, options: ExchangeOptions | None = None, *, clock: WaitingClock | None = None) -> None:
        self._options = options or ExchangeOptions()
        self._clock = clock
        self._ids = itertools.count(1)
        self.default = PaperAccess()

    async def __aenter__(self) -> InProcessExchange:
        if self._clock is None:
            is_virtual = isinstance(asyncio.get_running_loop(), SimulatedLoop)
            self._clock = SimulatedClock() if is_virtual else SystemClock()
        self.clock = self._clock
        self.server = self._options.build(self._clock)
        self.venue = self.server.venue
        self._jobs = await Supervisor("in-process exchange").__aenter__()
        self.server.start_market(self._jobs)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._jobs.close()
        await self.server.close()

    def now_ms(self) -> int:
        """The exchange's time. Unit: epoch milliseconds."""
        return self.venue.now_ms()

    async def advance(self, seconds: float) -> None:
        """Let time pass; at once on virtual time."""
        await self.clock.sleep(seconds)

    def open_account(self, name: str, *, balances: Mapping[str, str], **terms: Any) -> PaperAccess:
        """Open an account with an HMAC key; ``terms`` are attributes of ``exchange.accounts.PaperAccount``."""
        office = BackOffice(self.venue)
        held = {asset: parse_scaled(amount) for asset, amount in balances.items()}
        office.open(PaperAccount(id=name, balances=held, **terms))
        material = make_material(KeyKind.HMAC)
        key = office.add_key(name, material)
        return PaperAccess(account=name, api_key=key.id, secret=material.checking)

    # REST

    async def request(
        self, verb: str, path: str, params: Mapping[str, object] | None = None, *, access: PaperAccess | None = None
    ) -> InProcessReply:
        """Send a request, signed where its kind asks for it.

        Args:
            verb: ``GET``, ``POST``, ``PUT`` or ``DELETE``.
            path: ``/api/v3/order``.
            params: All parameters but timestamp and signature.
            access: Whose request it is; the default account's where None.
        """
        spec, who = by_route(verb, path), access or self.default
        sent = {name: str(value) for name, value in (params or {}).items()}
        headers: list[tuple[bytes, bytes]] = []
        if spec is not None and spec.needs_key:
            headers.append((b"x-mbx-apikey", who.api_key.encode()))
        query = encode_query(sent)
        if spec is not None and spec.is_signed:
            query = encode_query(sent | {"timestamp": str(self.now_ms())})
            query += f"&{encode_query({'signature': who.credentials.signer.sign(query)})}"
        return await self._ask(verb, path, query, headers=headers)

    async def get(self, path: str, *, access: PaperAccess | None = None, **params: object) -> InProcessReply:
        """``GET`` with the parameters given by name."""
        return await self.request("GET", path, params, access=access)

    async def post(self, path: str, *, access: PaperAccess | None = None, **params: object) -> InProcessReply:
        """``POST`` with the parameters given by name."""
        return await self.request("POST", path, params, access=access)

    async def delete(self, path: str, *, access: PaperAccess | None = None, **params: object) -> InProcessReply:
        """``DELETE`` with the parameters given by name."""
        return await self.request("DELETE", path, params, access=access)

    async def admin(self, verb: str, path: str, body: object = None) -> Any:
        """Ask the back door; the answer's JSON."""
        content = b"" if body is None else msgspec.json.encode(body)
        headers = [(b"content-type", b"application/json")]
        return (await self._ask(verb, f"/admin{path}", "", headers=headers, body=content)).data

    async def _ask(
        self, verb: str, path: str, query: str, *, headers: list[tuple[bytes, bytes]], body: bytes = b""
    ) -> InProcessReply:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": verb,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": headers,
            "client": (ADDRESS, 1),
            "server": (ADDRESS, 0),
        }
        incoming = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return incoming.pop() if incoming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.server.app(scope, receive, send)
        if not sent:
            raise ClosedByExchange("no answer")
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent[0].get("headers", ())}
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return InProcessReply(sent[0]["status"], msgspec.json.decode(content) if content else None, told)

    # WebSockets

    async def connect(self, path: str) -> InProcessSocket:
        """Open ``/ws/btcusdt@trade``, ``/stream?streams=...`` or ``/ws-api/v3``.

        Raises:
            ClosedByExchange: The exchange refuses.
        """
        place, _, query = path.partition("?")
        decision = await self.server.websockets(UpgradeRequest(place, query, {}, ADDRESS))
        if isinstance(decision, Refuse):
            raise ClosedByExchange(f"refused with {decision.status}")
        return InProcessSocket(decision.handler, f"in-process-{next(self._ids)}")

    async def call(
        self,
        socket: InProcessSocket,
        method: str,
        params: Mapping[str, object] | None = None,
        *,
        access: PaperAccess | None = None,
    ) -> Any:
        """Ask over a connection to ``/ws-api/v3``; the whole answer. Events that come before it are lost."""
        spec, who, number = by_method(method), access or self.default, next(self._ids)
        sent = {name: str(value) for name, value in (params or {}).items()}
        if spec is not None and spec.needs_key:
            sent["apiKey"] = who.api_key
        if spec is not None and spec.is_signed:
            sent["timestamp"] = str(self.now_ms())
            sent["signature"] = who.credentials.signer.sign(signing_payload_ws(sent))
        socket.send({"id": number, "method": method, "params": sent})
        while (answer := await socket.receive()).get("id") != number:
            pass
        return answer


def simulate(
    scenario: Callable[[InProcessExchange], Coroutine[Any, Any, T]], options: ExchangeOptions | None = None
) -> T:
    """Run a scenario against an exchange on virtual time, from beginning to end.

    Raises:
        SimulationStuckError: The scenario waits for something that can never happen.
    """

    async def main() -> T:
        async with InProcessExchange(options) as exchange:
            return await scenario(exchange)

    return run_simulated(main)
