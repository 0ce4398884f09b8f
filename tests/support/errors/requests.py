"""Refusals of requests as such: limits, keys, sessions, queries."""

from __future__ import annotations

from cryptotrader.exchange.protocol.limits import LimitPolicy
from tests.support.errors import by_hand
from tests.support.errors.model import ORDER_ID, Ask, Caller, Case, Setting
from tests.support.errors.samples import NAMED, SYMBOL, order

ACCOUNT = Ask("account.status")

GENERAL: tuple[Case, ...] = (
    Case(
        -1000,
        "An unknown error occurred while processing the request.",
        "also when the disk is full",
        status=500,
        by_hand=by_hand.fault(-1000),
        by_fault=True,
    ),
    Case(
        -1001,
        "Internal error; unable to process your request. Please try again.",
        "on request only",
        status=500,
        by_hand=by_hand.fault(-1001),
        by_fault=True,
    ),
    Case(
        -1002,
        "You are not authorized to execute this request.",
        "`userDataStream.subscribe` without `session.logon`",
        Ask("userDataStream.subscribe"),
        status=401,
    ),
    Case(
        -1003,
        "Too many requests queued.",
        "more requests on one WebSocket API connection than may wait for their answers",
        status=429,
        by_hand=by_hand.queue_full,
    ),
    Case(
        -1003,
        "Too much request weight used; current limit is %s request weight per %s. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        "more weight in a minute than the address has",
        Ask("exchangeInfo"),
        told="Too much request weight used; current limit is 10 request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        status=429,
        setting=Setting(limits=LimitPolicy(request_weight=10)),
    ),
    Case(
        -1003,
        "Way too much request weight used; IP banned until %s. "
        "Please use WebSocket Streams for live updates to avoid bans.",
        "going on after many answers with 429",
        Ask("exchangeInfo"),
        status=418,
        setting=Setting(limits=LimitPolicy(request_weight=10, ban_after_refusals=0)),
    ),
    Case(
        -1006,
        "An unexpected response was received from the message bus. Execution status unknown.",
        "on request only",
        status=500,
        by_hand=by_hand.fault(-1006),
        by_fault=True,
    ),
    Case(
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
        "with the order landing or not; also a request that takes more than ten seconds",
        status=504,
        by_hand=by_hand.fault(-1007),
        by_fault=True,
    ),
    Case(
        -1008,
        "Server is currently overloaded with other requests. Please try again in a few minutes.",
        "on request only",
        status=503,
        by_hand=by_hand.fault(-1008),
        by_fault=True,
    ),
    Case(
        -1015,
        "Too many new orders; current limit is %s orders per %s.",
        "more unfilled orders in ten seconds than the account may have",
        order(),
        told="Too many new orders; current limit is 0 orders per 10 SECOND.",
        status=429,
        setting=Setting(limits=LimitPolicy(orders_10s=0)),
    ),
    Case(
        -1015,
        "Too many new orders; current limit is %s orders per %s.",
        "more unfilled orders in a day than the account may have",
        order(),
        told="Too many new orders; current limit is 0 orders per 1 DAY.",
        status=429,
        setting=Setting(limits=LimitPolicy(orders_1d=0)),
    ),
    Case(
        -1016,
        "This service is no longer available.",
        "on request only",
        status=503,
        by_hand=by_hand.fault(-1016),
        by_fault=True,
    ),
    Case(
        -1020,
        "This operation is not supported.",
        "a method of the WebSocket API that there is not; a verb that a path does not have (405)",
        by_hand=by_hand.message('{"id":1,"method":"nothing"}'),
    ),
    Case(
        -1020,
        "Path not found.",
        "a path that there is not",
        status=404,
        by_hand=by_hand.http("GET", "/api/v3/nothing"),
        is_extra=True,
    ),
    Case(
        -1021,
        "Timestamp for this request is outside of the recvWindow.",
        "a timestamp that is older than `recvWindow`",
        ACCOUNT,
        caller=Caller(late_ms=6_000),
    ),
    Case(
        -1021,
        "Timestamp for this request was 1000ms ahead of the server's time.",
        "a timestamp that is a second ahead",
        ACCOUNT,
        caller=Caller(late_ms=-6_000),
    ),
    Case(
        -1022,
        "Signature for this request is not valid.",
        "a signature by another secret",
        ACCOUNT,
        caller=Caller(secret="another"),
    ),
    Case(
        -1034,
        "Too many concurrent connections; current limit is '%s'.",
        "a connection to an exchange that is full",
        told="Too many concurrent connections; current limit is '0'.",
        status=503,
        by_hand=by_hand.exchange_full,
    ),
    Case(
        -1034,
        "Too many connection attempts from IP; current limit is %s per '%s'.",
        "more attempts to connect in five minutes than the address has",
        told="Too many connection attempts from IP; current limit is 0 per '5 MINUTE'.",
        status=429,
        by_hand=by_hand.connection_refused,
    ),
)

KEYS: tuple[Case, ...] = (
    Case(
        -1191,
        "Too many subscriptions. Connection may create up to '%s' subscriptions at a time.",
        "a connection that listens to a thousand accounts, and to one more",
        told="Too many subscriptions. Connection may create up to '1000' subscriptions at a time.",
        by_hand=by_hand.too_many_subscriptions,
    ),
    Case(-2013, "Order does not exist.", "", Ask("order.status", SYMBOL | {"orderId": 9})),
    Case(
        -2014,
        "API-key format invalid.",
        "a key with a blank in it",
        ACCOUNT,
        status=401,
        caller=Caller(key="no key"),
    ),
    Case(
        -2015,
        "Invalid API-key, IP, or permissions for action.",
        "a key that there is not; one that may not do this or not from here",
        ACCOUNT,
        status=401,
        caller=Caller(key="unknown"),
    ),
    Case(
        -2016,
        "No trading window could be found for the symbol. Try ticker/24hrs instead.",
        "`ticker` of a symbol that nobody traded",
        Ask("ticker", SYMBOL),
    ),
    Case(
        -2026,
        "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
        "",
        by_hand=by_hand.archived,
    ),
    Case(
        -2035,
        "User Data Stream subscription already active.",
        "a second subscription to the same account",
        by_hand=by_hand.subscribed_twice,
    ),
    Case(
        -2036,
        "User Data Stream subscription not active.",
        "`userDataStream.unsubscribe` without a subscription",
        Ask("userDataStream.unsubscribe"),
    ),
    Case(
        -2039,
        "Client order ID is not correct for this order ID.",
        "a query with the ids of two orders",
        Ask("order.status", SYMBOL | {"orderId": ORDER_ID, "origClientOrderId": "yours"}),
        before=(Ask("order.place", NAMED),),
    ),
    Case(
        -2042,
        "Maximum subscription ID reached for this connection.",
        "65,535 subscriptions on one connection, and one more",
        by_hand=by_hand.subscription_ids_used_up,
    ),
    Case(
        -2043,
        "This symbol doesn't have a reference price.",
        "`referencePrice` of a symbol without the rule; a good answer over the WebSocket API, with this as its result",
        Ask("referencePrice", SYMBOL),
    ),
    Case(
        -4056,
        "HMAC_SHA256 API key is not supported.",
        "`session.logon` with a key that is not Ed25519",
        Ask("session.logon"),
        is_extra=True,
    ),
)
