"""Orders by smart order routing (``rest-api.md``, "SOR"; ``faqs/sor_faq.md``)."""

from __future__ import annotations

from cryptotrader.core.orders import OrderType, TimeInForce
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.protocol.operations.call import Call, Endpoint, endpoint, known_symbol
from cryptotrader.exchange.protocol.operations.new_orders import (
    amount,
    commission_for_order,
    counted,
    placed,
    stp_mode,
)
from cryptotrader.services.binance.websocketAPI.sor_requests import place_sor_order, test_sor_order


def _new_order(call: Call, params: place_sor_order.SorOrderParams) -> NewOrder:
    rules = call.venue.rules[known_symbol(call, params.symbol)]
    return NewOrder(
        symbol=params.symbol,
        side=params.side,
        type=OrderType(params.type),
        time_in_force=params.time_in_force or TimeInForce.GTC,
        price=amount("price", params.price),
        qty=amount("quantity", params.quantity),
        client_order_id=params.new_client_order_id or "",
        self_trade_prevention_mode=stp_mode(rules, params.self_trade_prevention_mode),
        strategy_id=params.strategy_id,
        strategy_type=params.strategy_type,
        iceberg_qty=amount("icebergQty", params.iceberg_qty),
        use_sor=True,
    )


def _place(call: Call, params: place_sor_order.SorOrderParams) -> object:
    new = _new_order(call, params)
    with counted(call):
        order = call.venue.submit(call.account, new)
    return placed(order, params.new_order_resp_type)


def _test(call: Call, params: test_sor_order.SorOrderTestParams) -> object:
    new = _new_order(call, params)
    call.venue.check(call.account, new)
    return commission_for_order(call, new) if params.compute_commission_rates else {}


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(place_sor_order.SPEC, _place),
    endpoint(test_sor_order.SPEC, _test),
)
