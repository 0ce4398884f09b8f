"""One registry and the names of all metrics. Labels never carry what a client chooses freely."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

# The time at which each counter was made doubles the page and tells nobody anything.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves this one function untyped

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

HTTP_REQUESTS = Counter(
    "cryptotrader_http_requests_total", "HTTP requests answered", ["route", "method", "status"], registry=REGISTRY
)
HTTP_DURATION = Histogram(
    "cryptotrader_http_request_duration_seconds",
    "Time to answer an HTTP request",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
RATE_LIMITED = Counter("cryptotrader_rate_limit_rejections_total", "Requests refused with 429", registry=REGISTRY)
WS_OPEN = Gauge("cryptotrader_websocket_connections_active", "WebSocket clients now", ["kind"], registry=REGISTRY)
WS_SENT = Counter("cryptotrader_websocket_messages_sent_total", "Messages to clients", ["kind"], registry=REGISTRY)
WS_CONFLATED = Counter(
    "cryptotrader_websocket_messages_conflated_total", "Messages replaced by a newer one", ["kind"], registry=REGISTRY
)
WS_MERGED = Counter(
    "cryptotrader_websocket_depth_merged_total", "Depth messages merged for slow clients", registry=REGISTRY
)
WS_CLOSED_SLOW = Counter(
    "cryptotrader_websocket_slow_consumers_total", "Clients closed with 1008 for reading too slowly", registry=REGISTRY
)
UPSTREAM_REQUESTS = Counter(
    "cryptotrader_upstream_requests_total", "REST requests to the venue", ["operation", "outcome"], registry=REGISTRY
)
UPSTREAM_MESSAGES = Counter(
    "cryptotrader_upstream_messages_total", "Stream messages from the venue", ["link"], registry=REGISTRY
)
UPSTREAM_RECONNECTS = Counter(
    "cryptotrader_upstream_reconnects_total", "Connections to the venue that were replaced", ["link"], registry=REGISTRY
)
UPSTREAM_LINKS = Gauge("cryptotrader_upstream_links", "Open connections to the venue", registry=REGISTRY)
UPSTREAM_STREAMS = Gauge("cryptotrader_upstream_streams", "Streams subscribed at the venue", registry=REGISTRY)
USED_WEIGHT = Gauge("cryptotrader_upstream_used_weight", "Request weight used in this minute", registry=REGISTRY)
BOOK_RESYNCS = Counter("cryptotrader_book_resyncs_total", "Order books rebuilt", ["reason"], registry=REGISTRY)
ORDERS = Counter("cryptotrader_orders_total", "Orders sent to the venue", ["outcome"], registry=REGISTRY)
REST_SOURCE = Counter(
    "cryptotrader_rest_answers_total", "Where REST market data came from", ["route", "source"], registry=REGISTRY
)
