"""What a client asks for when it places an order, checked before anything is sent. Pure."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

import msgspec

from cryptotrader.core.errors import InvalidParams
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.services.binance.validate import parse_params
from cryptotrader.services.binance.websocketAPI.trading_requests.place_new_order import SPEC as PLACE_ORDER

CLIENT_ORDER_ID_PATTERN = r"^[a-zA-Z0-9\-_.:]{1,36}$"
"""What Binance accepts as ``newClientOrderId``."""

DECIMAL_PATTERN = r"^[0-9]{1,20}(\.[0-9]{1,20})?$"
"""A plain decimal. Twenty digits each side of the point exceed any real amount."""

MAX_EXPONENT = 20
"""Largest power of ten accepted in a JSON number, either way. Reason: ``1e999999999`` must not become text."""

_DECIMAL = re.compile(DECIMAL_PATTERN, re.ASCII)

RespType = Literal["ACK", "RESULT", "FULL"]
PreventionMode = Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"]

NUMBERS = ("quantity", "quoteOrderQty", "price", "stopPrice", "icebergQty")
"""Fields that are exact numbers; a client may write them as text or as JSON numbers (C-14)."""

RESTING = frozenset({OrderType.LIMIT, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
"""Types whose ``timeInForce`` is GTC where the client names none (S0-23)."""


class OrderBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The JSON body of ``POST /api/v1/order``.

    ::

        {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "44000.00"}
    """

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce | None = None
    quantity: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    quote_order_qty: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    price: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    stop_price: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    iceberg_qty: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    trailing_delta: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    new_client_order_id: Annotated[str, msgspec.Meta(pattern=CLIENT_ORDER_ID_PATTERN)] | None = None
    new_order_resp_type: RespType | None = None
    self_trade_prevention_mode: PreventionMode | None = None
    strategy_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    strategy_type: Annotated[int, msgspec.Meta(ge=1_000_000, le=2**31 - 1)] | None = None
    peg_price_type: Literal["PRIMARY_PEG", "MARKET_PEG"] | None = None
    peg_offset_value: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    peg_offset_type: Literal["PRICE_LEVEL"] | None = None


class OrderRequest(msgspec.Struct, frozen=True):
    """An order that is complete as far as one can tell without the exchange."""

    symbol: str
    fields: tuple[tuple[str, str], ...]
    """Wire name and exact text of each parameter except the client order id."""
    client_order_id: str | None
    """The client's own, if it gave one."""

    @property
    def fingerprint(self) -> bytes:
        """Equal for equal orders."""
        text = msgspec.json.encode((self.fields, self.client_order_id))
        return hashlib.blake2b(text, digest_size=16).digest()


def exact_number(name: str, lexeme: bytes) -> str:
    """A JSON number or string as the exact plain decimal that it stands for: ``1e-05`` becomes ``0.00001``.

    Raises:
        InvalidParams: It is no such number; ``name`` is named.
    """
    text = lexeme.decode("utf-8")
    if text.startswith('"'):
        text = msgspec.json.decode(lexeme, type=str)
    elif re.search(r"[eE]", text):
        text = _without_exponent(text)
    if not _DECIMAL.fullmatch(text):
        raise InvalidParams(f"Invalid {name}: not a plain decimal number", param=name, problem="malformed")
    return text


def _without_exponent(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return ""
    if not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
        return ""
    return format(value, "f")


def order_request(body: OrderBody, symbol: str) -> OrderRequest:
    """Check what can be checked here, and fill in what the product's documents promise.

    Args:
        body: As the client sent it.
        symbol: Its symbol in the venue's spelling.

    Raises:
        InvalidParams: Something is missing or malformed; the text names the parameter.
    """
    fields: dict[str, str] = {"symbol": symbol, "side": body.side.value, "type": body.type.value}
    if body.time_in_force is not None:
        fields["timeInForce"] = body.time_in_force.value
    elif body.type in RESTING:
        fields["timeInForce"] = TimeInForce.GTC.value
    for name, lexeme in zip(
        NUMBERS,
        (body.quantity, body.quote_order_qty, body.price, body.stop_price, body.iceberg_qty),
        strict=True,
    ):
        if raw := bytes(lexeme):
            fields[name] = exact_number(name, raw)
    for name, value in (
        ("trailingDelta", body.trailing_delta),
        ("selfTradePreventionMode", body.self_trade_prevention_mode),
        ("strategyId", body.strategy_id),
        ("strategyType", body.strategy_type),
        ("pegPriceType", body.peg_price_type),
        ("pegOffsetValue", body.peg_offset_value),
        ("pegOffsetType", body.peg_offset_type),
    ):
        if value is not None:
            fields[name] = str(value)
    fields["newOrderRespType"] = body.new_order_resp_type or "FULL"
    parse_params(PLACE_ORDER, fields)
    return OrderRequest(symbol, tuple(fields.items()), body.new_client_order_id)
