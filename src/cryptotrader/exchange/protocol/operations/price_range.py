"""Execution rules and reference prices. Trades here keep to no price range, so no symbol has one."""

from __future__ import annotations

from typing import Final, NoReturn

from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, chosen_symbols, endpoint
from cryptotrader.services.binance.websocketAPI.price_range_requests import (
    execution_rules,
    reference_price,
    reference_price_calculation,
)

NO_REFERENCE_PRICE: Final = (-2043, "This symbol doesn't have a reference price.")


def _execution_rules(call: Call, params: execution_rules.ExecutionRulesParams) -> object:
    names = chosen_symbols(call, symbol=params.symbol, symbols=params.symbols, status=params.symbol_status)
    return {"symbolRules": [{"symbol": name, "rules": []} for name in names]}


def _reference_price(call: Call, params: reference_price.ReferencePriceParams) -> NoReturn:
    chosen_symbols(call, symbol=params.symbol, symbols=None, status=None)
    raise Refusal(*NO_REFERENCE_PRICE)


def _calculation(call: Call, params: reference_price_calculation.ReferencePriceCalculationParams) -> NoReturn:
    chosen_symbols(call, symbol=params.symbol, symbols=None, status=params.symbol_status)
    raise Refusal(*NO_REFERENCE_PRICE)


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(execution_rules.SPEC, _execution_rules),
    endpoint(reference_price.SPEC, _reference_price),
    endpoint(reference_price_calculation.SPEC, _calculation),
)
