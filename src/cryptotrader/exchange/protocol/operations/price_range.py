"""Execution rules and reference prices (``faqs/price_range_execution_rules.md``)."""

from __future__ import annotations

from typing import Final

from cryptotrader.core.scaled import format_scaled
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, chosen_symbols, endpoint
from cryptotrader.services.binance.websocketAPI.price_range_requests import (
    execution_rules,
    reference_price,
    reference_price_calculation,
)

NO_REFERENCE_PRICE: Final = (-2043, "This symbol doesn't have a reference price.")


def _execution_rules(call: Call, params: execution_rules.ExecutionRulesParams) -> object:
    names = chosen_symbols(call, symbol=params.symbol, symbols=params.symbols, status=params.symbol_status)
    return {"symbolRules": [{"symbol": name, "rules": _rules(call.venue.rules[name])} for name in names]}


def _rules(rules: SymbolRules) -> list[render.Json]:
    """The one rule that there is, with the bounds that are set."""
    if rules.price_range is None:
        return []
    bounds = {
        "bidLimitMultUp": rules.price_range.bid_up,
        "bidLimitMultDown": rules.price_range.bid_down,
        "askLimitMultUp": rules.price_range.ask_up,
        "askLimitMultDown": rules.price_range.ask_down,
    }
    told: render.Json = {"ruleType": "PRICE_RANGE"}
    return [told | {name: format_scaled(bound) for name, bound in bounds.items() if bound}]


def _reference_price(call: Call, params: reference_price.ReferencePriceParams) -> object:
    """``null`` where nothing traded within the window.

    Raises:
        Refusal: -2043, the symbol has no reference price at all.
    """
    (symbol,) = chosen_symbols(call, symbol=params.symbol, symbols=None, status=None)
    if call.venue.rules[symbol].reference is None:
        raise Refusal(*NO_REFERENCE_PRICE)
    price = call.venue.engine.reference_price(symbol, call.now_ms)
    return {
        "symbol": symbol,
        "referencePrice": None if price is None else format_scaled(price),
        "timestamp": call.now_ms,
    }


def _calculation(call: Call, params: reference_price_calculation.ReferencePriceCalculationParams) -> object:
    (symbol,) = chosen_symbols(call, symbol=params.symbol, symbols=None, status=params.symbol_status)
    rule = call.venue.rules[symbol].reference
    if rule is None:
        raise Refusal(*NO_REFERENCE_PRICE)
    return {
        "symbol": symbol,
        "calculationType": "ARITHMETIC_MEAN",
        "bucketCount": rule.bucket_count,
        "bucketWidthMs": rule.bucket_width_ms,
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(execution_rules.SPEC, _execution_rules),
    endpoint(reference_price.SPEC, _reference_price),
    endpoint(reference_price_calculation.SPEC, _calculation),
)
