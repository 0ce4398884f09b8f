"""What a fault is. Pure: one model for the admin API and for rules files.

A fault is one flat object. ``kind`` says what happens; the rest says to whom, when and how often::

    {"kind": "error", "operation": "order.place", "code": -1013, "probability": 0.1, "account": "default"}
    {"kind": "rate_limit", "operation": "*", "retry_after_s": 2, "after_s": 30, "for_s": 10}
    {"kind": "land_and_error", "operation": "order.place", "count": 3}
    {"kind": "stream_drop", "stream": "depth", "symbol": "BTCUSDT", "count": 2, "gap": false}
    {"kind": "stream_delay", "stream": "*", "delay_ms": 800, "probability": 0.05, "for_s": 60}
    {"kind": "half_open", "connections": "streams", "count": 1}
    {"kind": "cut", "connections": "*", "every_s": 60, "probability": 0.5}
    {"kind": "clock_skew", "skew_ms": -7000, "for_s": 30}

Requests are named as in the WebSocket API (``order.place``, ``depth``, ...), whichever way they come; ``*`` means any.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from cryptotrader.exchange.protocol.stream_names import StreamKind

MAX_DELAY_MS = 60_000
"""Longest delay. Unit: milliseconds. Reason: six times the ten seconds after which any client gives up."""

MAX_SKEW_MS = 86_400_000
"""Largest clock skew. Unit: milliseconds. Reason: a day; what is off by more is a mistake in the date."""

MAX_WINDOW_S = 604_800
"""Latest beginning and longest window. Unit: seconds. Reason: a week is longer than any test."""

MAX_COPIES = 100
"""Most copies of a message. Reason: a hundred show everything that a thousand would."""

Target = Literal["streams", "ws-api", "*"]
"""Which WebSocket connections: those at ``/ws`` and ``/stream``, those at ``/ws-api/v3``, or both."""

USER_STREAM: Final = "user"
"""``stream`` of account events, whichever way they are subscribed to."""

STREAM_KINDS: Final = frozenset({"*", USER_STREAM, *(kind.value for kind in StreamKind)})


class FaultKind(StrEnum):
    """What happens."""

    LAND_AND_SILENCE = "land_and_silence"
    """The request does its work and is never answered."""
    DROP_AND_SILENCE = "drop_and_silence"
    """The request does nothing and is never answered."""
    LAND_AND_CLOSE = "land_and_close"
    """The request does its work and the connection breaks without an answer."""
    DROP_AND_CLOSE = "drop_and_close"
    """The request does nothing and the connection breaks without an answer."""
    LAND_AND_ERROR = "land_and_error"
    """The request does its work and is answered with an error, by default -1007 (outcome unknown)."""
    ERROR = "error"
    """The request does nothing and is answered with an error."""
    DELAY = "delay"
    """The request is processed at once and answered late."""
    RATE_LIMIT = "rate_limit"
    """429 with Retry-After."""
    BAN = "ban"
    """418 with Retry-After."""
    REFUSE_CONNECTION = "refuse_connection"
    """A WebSocket handshake is answered with an HTTP error."""
    HALF_OPEN = "half_open"
    """A new WebSocket connection is accepted and then silent for ever: no answer, no event, no pong, no end."""
    FREEZE = "freeze"
    """Open WebSocket connections fall silent in the same way."""
    CUT = "cut"
    """Open WebSocket connections break without a close frame."""
    SHUTDOWN_NOTICE = "shutdown_notice"
    """Open WebSocket connections are told ``serverShutdown``."""
    STREAM_DROP = "stream_drop"
    """A message of a stream is never sent."""
    STREAM_DUPLICATE = "stream_duplicate"
    """A message of a stream is sent more than once."""
    STREAM_DELAY = "stream_delay"
    """A message of a stream is sent late; what follows on that stream waits behind it."""
    CLOCK_SKEW = "clock_skew"
    """The time that the exchange tells and checks timestamps against is off."""

    @property
    def lands(self) -> bool:
        """Whether the request does its work."""
        return self in (
            FaultKind.LAND_AND_SILENCE,
            FaultKind.LAND_AND_CLOSE,
            FaultKind.LAND_AND_ERROR,
            FaultKind.DELAY,
        )

    @property
    def is_silent(self) -> bool:
        """Whether no answer ever comes while the connection stays open."""
        return self in (FaultKind.LAND_AND_SILENCE, FaultKind.DROP_AND_SILENCE)

    @property
    def closes(self) -> bool:
        """Whether the connection breaks."""
        return self in (FaultKind.LAND_AND_CLOSE, FaultKind.DROP_AND_CLOSE)


AT_OPENING: Final = frozenset({FaultKind.REFUSE_CONNECTION, FaultKind.HALF_OPEN})
"""Befall connections that are being opened."""

ACTIONS: Final = frozenset({FaultKind.FREEZE, FaultKind.CUT, FaultKind.SHUTDOWN_NOTICE})
"""Befall all connections that are open at a moment."""

ON_STREAMS: Final = frozenset({FaultKind.STREAM_DROP, FaultKind.STREAM_DUPLICATE, FaultKind.STREAM_DELAY})
"""Befall messages of streams."""

ON_REQUESTS: Final = frozenset(FaultKind) - AT_OPENING - ACTIONS - ON_STREAMS - {FaultKind.CLOCK_SKEW}
"""Befall requests."""

Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_WINDOW_S)]


class FaultSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Body of ``POST /admin/faults``, and one ``[[fault]]`` of a rules file."""

    kind: FaultKind

    operation: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    """Which requests: a method of the WebSocket API, or ``*``. Only for faults of requests, and needed there."""
    stream: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    """Which streams: a kind such as ``trade`` or ``depth``, ``user``, or ``*``. Only for ``stream_*``, needed there."""
    symbol: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None
    """Of which symbol. Only for ``stream_*``; without it of any."""
    connections: Target | None = None
    """Which connections. Only for faults of connections; without it all."""
    account: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    """Whose requests, or whose account events. Without it anybody's."""

    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """How often it happens. Without it once; with ``for_s``, ``every_s`` or (of requests, messages and connections that
    are being opened) a ``probability`` below 1 any number of times. Every stream's own messages are counted."""
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """How likely each request, message or connection is hit that it could befall."""
    after_s: Seconds = 0.0
    """When it begins, in seconds from when it was set."""
    for_s: Annotated[float, msgspec.Meta(gt=0, le=MAX_WINDOW_S)] | None = None
    """How long it lasts from then on, in seconds. Without it until ``count`` is used up."""
    every_s: Annotated[float, msgspec.Meta(gt=0, le=MAX_WINDOW_S)] | None = None
    """Repeat after so many seconds, a second or more. Only for ``cut``, ``freeze`` and ``shutdown_notice``."""
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    """For ``probability``. Without it that of all faults."""

    code: Annotated[int, msgspec.Meta(ge=-9_999, le=-1)] | None = None
    """Error code."""
    msg: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    """Error text."""
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    """HTTP status of the error."""
    retry_after_s: Annotated[int, msgspec.Meta(ge=0, le=259_200)] = 1
    """``Retry-After``, for ``rate_limit``, ``ban``, ``refuse_connection``, and errors with status 429 or 418."""
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_DELAY_MS)] = 0
    """How late the answer or the message is, for ``delay`` and ``stream_delay``."""
    copies: Annotated[int, msgspec.Meta(ge=1, le=MAX_COPIES)] = 1
    """How many more times a message is sent, for ``stream_duplicate``."""
    gap: bool = True
    """For ``stream_drop`` of ``depth``: false joins the ids of what follows to what came before, so that the loss does
    not show in them."""
    skew_ms: Annotated[int, msgspec.Meta(ge=-MAX_SKEW_MS, le=MAX_SKEW_MS)] = 0
    """How much later (or earlier) it is than it should be, for ``clock_skew``."""

    @property
    def times(self) -> int | None:
        """How often it happens; None for any number of times."""
        if self.count is not None:
            return self.count
        goes_on = self.for_s is not None or self.every_s is not None or self.kind is FaultKind.CLOCK_SKEW
        return None if goes_on or (self.probability < 1 and self.kind not in ACTIONS) else 1


_ONLY: Final[dict[str, frozenset[FaultKind]]] = {
    "operation": ON_REQUESTS,
    "stream": ON_STREAMS,
    "symbol": ON_STREAMS,
    "connections": AT_OPENING | ACTIONS,
    "account": ON_REQUESTS | ON_STREAMS,
    "every_s": ACTIONS,
    "code": frozenset({FaultKind.ERROR, FaultKind.LAND_AND_ERROR, FaultKind.RATE_LIMIT, FaultKind.BAN})
    | {FaultKind.REFUSE_CONNECTION},
    "delay_ms": frozenset({FaultKind.DELAY, FaultKind.STREAM_DELAY}),
    "copies": frozenset({FaultKind.STREAM_DUPLICATE}),
    "gap": frozenset({FaultKind.STREAM_DROP}),
    "skew_ms": frozenset({FaultKind.CLOCK_SKEW}),
}
"""Which fields belong to which kinds only."""

_NEEDED: Final[dict[str, frozenset[FaultKind]]] = {
    "operation": ON_REQUESTS,
    "stream": ON_STREAMS,
    "delay_ms": frozenset({FaultKind.STREAM_DELAY}),
    "skew_ms": frozenset({FaultKind.CLOCK_SKEW}),
}


def problem_of(spec: FaultSpec) -> str | None:
    """What is wrong with a fault whose fields are right one by one: ``field: what``; None where nothing is."""
    defaults = {field.encode_name: field.default for field in msgspec.structs.fields(FaultSpec)}
    for name, kinds in _ONLY.items():
        if getattr(spec, name) != defaults[name] and spec.kind not in kinds:
            return f"{name}: does not belong to {spec.kind.value}"
    for name, kinds in _NEEDED.items():
        if getattr(spec, name) == defaults[name] and spec.kind in kinds:
            return f"{name}: {spec.kind.value} needs it"
    if spec.stream is not None and spec.stream not in STREAM_KINDS:
        return f"stream: no such kind; there are {', '.join(sorted(STREAM_KINDS))}"
    if not spec.gap and spec.stream != StreamKind.DEPTH.value:
        return "gap: only the ids of depth can be joined"
    if spec.account is not None and spec.kind in ON_STREAMS and spec.stream != USER_STREAM:
        return "account: only the stream user belongs to accounts"
    if spec.kind is FaultKind.CLOCK_SKEW and spec.probability < 1:
        return "probability: a clock is off or it is not"
    return None
