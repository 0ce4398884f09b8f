"""Refusals with Binance's own numbers and words (``errors.md``)."""

from __future__ import annotations


class Refusal(Exception):
    """The exchange does not do what was asked. Nothing has changed.

    ``code`` and ``message`` go on the wire as they are: ``{"code": -2010, "msg": "Duplicate order sent."}``.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


INVALID_MESSAGE = -1013
INVALID_SYMBOL = -1121
ORDER_REJECTED = -2010
CANCEL_REJECTED = -2011
NO_SUCH_ORDER = -2013
AMEND_REJECTED = -2038

INSUFFICIENT_BALANCE_TEXT = "Account has insufficient balance for requested action."
WOULD_TAKE_TEXT = "Order would immediately match and take."
DUPLICATE_TEXT = "Duplicate order sent."
UNKNOWN_ORDER_TEXT = "Unknown order sent."
MARKET_CLOSED_TEXT = "Market is closed."
ZERO_TEXT = "Price * QTY is zero or less."
NO_QUOTE_MARKET_TEXT = "Quote order qty market orders are not support for this symbol."
UNSUPPORTED_COMBINATION_TEXT = "Unsupported order combination"
THIN_LOT_TEXT = "Order book liquidity is less than `LOT_SIZE` filter minimum quantity."
THIN_MARKET_LOT_TEXT = "Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity."
WOULD_TRIGGER_TEXT = "Order would trigger immediately."
BAD_PRICES_TEXT = "The relationship of the prices for the orders is not correct."
EMPTY_BOOK_TEXT = "Order book liquidity is less than symbol minimum quantity."


def filter_failure(name: str) -> Refusal:
    """``Filter failure: LOT_SIZE`` and its kind (``errors.md``, "Filter failures")."""
    return Refusal(INVALID_MESSAGE, f"Filter failure: {name}")


def rejected(message: str) -> Refusal:
    """The matching engine turns a new order down."""
    return Refusal(ORDER_REJECTED, message)


def invalid_symbol() -> Refusal:
    """There is no such symbol."""
    return Refusal(INVALID_SYMBOL, "Invalid symbol.")


def no_such_order() -> Refusal:
    """A query names an order that the account does not have."""
    return Refusal(NO_SUCH_ORDER, "Order does not exist.")


def unknown_order() -> Refusal:
    """A cancel names an order that is not open."""
    return Refusal(CANCEL_REJECTED, UNKNOWN_ORDER_TEXT)
