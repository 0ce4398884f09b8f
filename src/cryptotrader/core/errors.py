"""Every error that this product raises on purpose.

::

    CryptotraderError
    ├── ConfigError                 a setting is missing or wrong; the process cannot start
    │   └── LedgerError             what is on disk is damaged, or another process uses it
    ├── InvalidParams (ValueError)  the caller's parameters are wrong
    │   ├── UnknownSymbol           no such instrument
    │   └── FilterViolation         breaks a trading rule of the symbol
    ├── NotConnected (ConnectionError)
    ├── VenueError                  a venue failed or refused
    │   ├── VenueUnreachable        no connection, or the connection broke
    │   ├── VenueTimeout            connected, but no answer in time
    │   ├── VenueRejected           the venue answered with an error; code and text are its own
    │   ├── VenueRateLimited        told to wait (HTTP 429)
    │   ├── VenueBanned             told to stay away (HTTP 418)
    │   └── VenueAuthError          the venue does not accept the credentials
    ├── UnknownOutcome              an order was sent and nobody knows what became of it
    ├── SequenceGap                 a stream of numbered events has a hole
    ├── ClientError                 one of our clients did something it may not
    │   ├── NotAuthenticated
    │   ├── Forbidden
    │   ├── SubscriptionLimit
    │   ├── MessageRateExceeded
    │   ├── ProtocolViolation
    │   └── SlowConsumer
    ├── InsufficientBalance
    ├── OrderNotFound
    └── DuplicateOrder

Each class has a stable ``code``, says whether trying again can help (``retryable``), whether the connection it happened
on is finished (``terminal``), and may say after how many seconds to come back (``retry_after_s``).
"""

from __future__ import annotations


class CryptotraderError(Exception):
    """Root of the tree."""

    code = "internal"
    retryable = False
    terminal = False

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message or self.code)
        self.retry_after_s = retry_after_s

    @property
    def message(self) -> str:
        """The text, free of secrets, fit for a client."""
        return str(self.args[0])


class ConfigError(CryptotraderError):
    """A setting is missing or wrong."""

    code = "config"
    terminal = True


class LedgerError(ConfigError):
    """What is on disk is damaged, or another process uses it; the text says where and what can be done."""

    code = "ledger"


class InvalidParams(CryptotraderError, ValueError):
    """The caller's parameters are wrong; ``param`` names the offending one."""

    code = "invalid_params"

    def __init__(self, message: str = "", *, param: str = "", problem: str = "invalid") -> None:
        super().__init__(message)
        self.param = param
        self.problem = problem
        """``missing``, ``empty``, ``malformed``, ``unknown``, ``not_required``, ``out_of_range`` or ``invalid``."""


class UnknownSymbol(InvalidParams):
    """No such instrument at the venue."""

    code = "unknown_symbol"


class FilterViolation(InvalidParams):
    """An order breaks a trading rule of its symbol; ``param`` holds the filter's name."""

    code = "filter_violation"


class NotConnected(CryptotraderError, ConnectionError):
    """The operation needs a connection and there is none."""

    code = "not_connected"
    retryable = True


class VenueError(CryptotraderError):
    """A venue failed or refused."""

    code = "venue"
    sent_ns: int | None = None
    """When the request last left us, where that is known. Unit: monotonic nanoseconds."""


class VenueUnreachable(VenueError):
    """No connection could be had, or it broke before anything was sent."""

    code = "venue_unreachable"
    retryable = True


class VenueTimeout(VenueError):
    """The venue did not answer in time."""

    code = "venue_timeout"
    retryable = True


class VenueRejected(VenueError):
    """The venue answered with an error of its own."""

    code = "venue_rejected"

    def __init__(self, message: str, *, venue_code: int, http_status: int = 400) -> None:
        super().__init__(message)
        self.venue_code = venue_code
        """The venue's number, for Binance as in ``errors.md``: -1121, -2010, ..."""
        self.http_status = http_status


class VenueRateLimited(VenueError):
    """The venue told us to slow down."""

    code = "venue_rate_limited"
    retryable = True


class VenueBanned(VenueRateLimited):
    """The venue told us to stay away for a while."""

    code = "venue_banned"


class VenueAuthError(VenueError):
    """The venue does not accept our credentials, or there are none."""

    code = "venue_auth"


class UnknownOutcome(CryptotraderError):
    """An order was sent and its fate is not known; ask for it by ``client_order_id``, never send it again."""

    code = "unknown_outcome"

    def __init__(self, message: str, *, symbol: str, client_order_id: str) -> None:
        super().__init__(message)
        self.symbol = symbol
        self.client_order_id = client_order_id


class SequenceGap(CryptotraderError):
    """A stream of numbered events has a hole."""

    code = "sequence_gap"
    retryable = True


class ClientError(CryptotraderError):
    """One of our clients did something it may not."""

    code = "client"


class NotAuthenticated(ClientError):
    """No token, or a wrong one."""

    code = "not_authenticated"


class Forbidden(ClientError):
    """The token is good but does not allow this."""

    code = "forbidden"


class SubscriptionLimit(ClientError):
    """Too many subscriptions or connections."""

    code = "subscription_limit"


class MessageRateExceeded(ClientError):
    """Too many requests or messages in the window."""

    code = "message_rate_exceeded"
    retryable = True


class ProtocolViolation(ClientError):
    """Bytes that the protocol does not allow."""

    code = "protocol_violation"
    terminal = True


class SlowConsumer(ClientError):
    """The client reads too slowly to be served without loss."""

    code = "slow_consumer"
    terminal = True


class InsufficientBalance(CryptotraderError):
    """The account does not hold what the order needs."""

    code = "insufficient_balance"


class OrderNotFound(CryptotraderError):
    """No such order in this account."""

    code = "order_not_found"


class DuplicateOrder(CryptotraderError):
    """An open order already bears this client order id."""

    code = "duplicate_order"
