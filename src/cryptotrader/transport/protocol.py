"""The WebSocket server: a protocol class for uvicorn's ``ws=`` setting.

uvicorn parses the HTTP head. Where it asks for an upgrade, uvicorn builds this class, calls ``connection_made``,
replays the head into ``data_received`` and hands over the transport (uvicorn 0.54,
``httptools_impl.handle_websocket_upgrade``). From then on websockets' Sans-I/O protocol parses what arrives, a router
decides about the handshake, and ``ServerConnection`` writes. No ASGI is involved.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import SEND_EOF, State

from cryptotrader.config import get_logger
from cryptotrader.transport.connection import CLOSE_ABNORMAL, CLOSE_GOING_AWAY, CLOSE_INTERNAL, ServerConnection
from cryptotrader.transport.handshake import (
    RETRY_AFTER_S,
    Handshake,
    add_missing,
    error_refusal,
    refusal_response,
    takes_shared_deflate,
    upgrade_request,
)
from cryptotrader.transport.hub import Hub
from cryptotrader.transport.inbound import MessageAssembler
from cryptotrader.transport.policy import TransportPolicy
from cryptotrader.transport.supervise import guarded, start_tracked
from cryptotrader.transport.types import Accept, Refuse, UpgradeRouter

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

log = get_logger(__name__)

MAX_UNREAD_FACTOR = 4
"""High-water marks of unsent bytes beyond which a client that does not read is not listened to either. Reason: its
pings are answered, so it could pile up pongs without end."""

SHUTTING_DOWN = "server is shutting down"


class WebSocketProtocol(asyncio.Protocol):
    """One client. Subclassed by ``websocket_protocol`` with the router and the hub of one server."""

    router: UpgradeRouter
    hub: Hub

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._server_state = server_state
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._ws = Handshake(self._dress, compress=self.hub.policy.compress)
        self._connection: ServerConnection | None = None
        self._assembler = MessageAssembler()
        self._started_s = time.monotonic()
        self._deciding: asyncio.Task[Accept | Refuse] | None = None
        self._on_pong: Callable[[], None] | None = None
        self._is_lost = False
        self._reading = True

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """uvicorn hands over the transport."""
        self._transport = cast(asyncio.Transport, transport)
        policy = self.hub.policy
        self._transport.set_write_buffer_limits(high=policy.high_water_bytes, low=policy.low_water_bytes)
        if (sock := transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, policy.send_buffer_bytes)
        self._server_state.connections.add(cast(Any, self))

    def data_received(self, data: bytes) -> None:
        """Bytes from the client; the first ones are the head, replayed by uvicorn."""
        self._ws.receive_data(data)
        for event in self._ws.events_received():
            match event:
                case Request():
                    self._consider(event)
                case Frame():
                    self._take(event)
                case Response():
                    pass
        self._write_answers()

    def eof_received(self) -> None:
        """The client will send no more; the transport closes itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._is_lost = True
        self._server_state.connections.discard(cast(Any, self))
        if self._connection is not None:
            self._connection.lost(*self._close_reason())

    def pause_writing(self) -> None:
        """The kernel does not take what we write fast enough."""
        if self._connection is not None:
            self._connection.fall_behind()

    def resume_writing(self) -> None:
        """It has taken enough."""
        if not self._reading and not self._is_lost:
            self._reading = True
            self._transport.resume_reading()
        if self._connection is not None:
            self._connection.catch_up()

    def shutdown(self) -> None:
        """uvicorn stops: say so and let the client answer."""
        if self._connection is not None:
            self._connection.close(CLOSE_GOING_AWAY, SHUTTING_DOWN)
            self.hub.after(self.hub.policy.shutdown_close_s, self._abort_if_open)
        elif self._deciding is None:
            self._transport.close()

    # Handshake

    def _consider(self, request: Request) -> None:
        response = self._ws.accept(request)
        if response.status_code != 101:
            self._ws.send_response(response)
            return
        # A client must wait for the answer; what it sends too early stays in the kernel.
        self._transport.pause_reading()
        peer = self._transport.get_extra_info("peername")
        client = str(peer[0]) if isinstance(peer, tuple) else ""
        self._deciding = start_tracked(
            self._decide(request, client),
            cast("set[Any]", self._server_state.tasks),
            done=lambda task: self._decided(response, task),
        )

    async def _decide(self, request: Request, client: str) -> Accept | Refuse:
        try:
            async with asyncio.timeout(self.hub.policy.handshake_timeout_s):
                return await type(self).router(upgrade_request(request, client))
        except TimeoutError:
            return error_refusal(503, "Handshake timed out", headers=(("Retry-After", str(RETRY_AFTER_S)),))

    def _decided(self, response: Response, task: asyncio.Task[Accept | Refuse]) -> None:
        self._deciding = None
        decision: Accept | Refuse
        if task.cancelled():
            decision = error_refusal(503, SHUTTING_DOWN, headers=(("Retry-After", str(RETRY_AFTER_S)),))
        elif (error := task.exception()) is not None:
            log.error("deciding about a WebSocket failed", exc_info=error)
            decision = error_refusal(500, "Internal server error")
        else:
            decision = task.result()
        match decision:
            case Refuse():
                self.hub.stats.refused += 1
                if not self._is_lost:
                    self._ws.send_response(refusal_response(decision))
                    self._transport.resume_reading()
                    self._write_answers()
            case Accept():
                self._open(response, decision)

    def _open(self, response: Response, accept: Accept) -> None:
        """Also for a client that has left meanwhile: who accepted gets its ``on_open`` and ``on_close``."""
        if accept.subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = accept.subprotocol
        for name, value in accept.headers:
            response.headers[name] = value
        self._ws.max_message_size = accept.max_message_bytes
        self._ws.send_response(response)
        if not self._is_lost:
            self._write_answers()
            self._transport.resume_reading()
        connection = ServerConnection(
            self._transport, self._ws, accept.handler, self.hub, deflates=takes_shared_deflate(self._ws)
        )
        self._connection = connection
        self._on_pong = accept.on_pong
        connection.start()
        accept.handler.on_open(connection)
        if self._is_lost:
            connection.lost(CLOSE_ABNORMAL, "")

    def _dress(self, response: Response) -> None:
        if self.hub.policy.answer_headers is not None:
            add_missing(response.headers, self.hub.policy.answer_headers(time.monotonic() - self._started_s))

    # Messages

    def _take(self, frame: Frame) -> None:
        connection = self._connection
        if connection is None:
            return
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY | Opcode.CONT:
                self._take_data(connection, frame)
            case Opcode.PING:
                connection.handler.on_ping(bytes(frame.data))
            case Opcode.PONG:
                connection.note_pong(bytes(frame.data))
                if self._on_pong is not None:
                    self._on_pong()
            case Opcode.CLOSE:
                connection.begin_close()

    def _take_data(self, connection: ServerConnection, frame: Frame) -> None:
        if connection.is_closing:
            return
        try:
            message = self._assembler.feed(frame)
        except UnicodeDecodeError:
            connection.begin_close()
            self._ws.fail(1007, "text is not UTF-8")
            return
        match message:
            case str():
                guarded(connection.handler.on_text, message, failed=self._on_fault)
            case bytes():
                guarded(connection.handler.on_binary, message, failed=self._on_fault)
            case None:
                pass

    def _on_fault(self) -> None:
        """A fault of ours while a message was handled: the client hears that it was not its own (S1-18)."""
        if self._connection is not None:
            self._connection.close(CLOSE_INTERNAL, "internal error")

    def _write_answers(self) -> None:
        """Pongs, close frames and the end of the stream, as websockets' protocol wants them."""
        if self._is_lost:
            return
        if self._connection is not None and self._ws.close_sent is not None:
            self._connection.begin_close()
        ends = False
        data = bytearray()
        for chunk in self._ws.data_to_send():
            data += chunk
            ends = ends or chunk == SEND_EOF
        if data:
            self._transport.write(bytes(data))
        if ends:
            self._end()
        elif self._reading and self._is_flooding():
            self._reading = False
            self._transport.pause_reading()

    def _is_flooding(self) -> bool:
        limit = MAX_UNREAD_FACTOR * self.hub.policy.high_water_bytes
        return (
            self._connection is not None
            and self._connection.is_behind
            and self._transport.get_write_buffer_size() > limit
        )

    def _end(self) -> None:
        """Say that nothing more comes, and give the client a moment to read it.

        Closing at once while the client still sends would reset the connection and destroy what it has not read yet.
        For the application the connection is gone already.
        """
        if self._connection is not None:
            self._connection.lost(*self._close_reason())
        if self._transport.can_write_eof():
            self._transport.write_eof()
            self.hub.after(self.hub.policy.close_timeout_s, self._abort_if_open)
        else:
            self._transport.close()

    def _abort_if_open(self, _: float) -> None:
        if not self._is_lost:
            self._transport.abort()

    def _close_reason(self) -> tuple[int, str]:
        """Ours where the server closed and the peer agreed, the peer's where it began, else 1006."""
        received, sent = self._ws.close_rcvd, self._ws.close_sent
        if received is None:
            # The parser gave up (too large, not UTF-8, broken frames): the code that we sent says why.
            if sent is not None and self._ws.eof_sent and self._ws.state is not State.OPEN:
                return int(sent.code), sent.reason
            return CLOSE_ABNORMAL, ""
        if self._ws.close_rcvd_then_sent or sent is None:
            return int(received.code), received.reason
        return int(sent.code), sent.reason


def websocket_protocol(router: UpgradeRouter, policy: TransportPolicy | None = None) -> type[WebSocketProtocol]:
    """A class for ``uvicorn.Config(ws=...)``: one per server, since it carries the server's router and timer."""
    chosen = policy or TransportPolicy()
    return type("ServerWebSocketProtocol", (WebSocketProtocol,), {"router": staticmethod(router), "hub": Hub(chosen)})
