"""Answers of the session and user data stream requests (``web-socket-api.md``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import Wire


class SessionStatus(Wire, frozen=True, kw_only=True):
    """Who a connection is logged on as; ``api_key`` is None where nobody is."""

    api_key: str | None
    authorized_since: int | None
    connected_since: int
    return_rate_limits: bool
    server_time: int
    user_data_stream: bool | None = None


class Subscription(Wire, frozen=True, kw_only=True):
    """``{"subscriptionId":0}``."""

    subscription_id: int


class ListenKey(Wire, frozen=True, kw_only=True):
    """``{"listenKey":"pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"}``."""

    listen_key: str
