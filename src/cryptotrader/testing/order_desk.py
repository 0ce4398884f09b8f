"""The paper exchange's matching engine with one account, one symbol and a market that stands still."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cryptotrader.core.events import BookSnapshot
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import Event, OrderUpdate
from cryptotrader.exchange.engine.orders import CancelOrder, NewOrder, Order
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.protocol import render

SYMBOL = "BTCUSDT"
ACCOUNT = "paper"

BID = 99 * SCALE
ASK = 101 * SCALE
"""The market's best prices; there is more of it than any test buys."""

_RULES = SymbolRules(
    symbol=SYMBOL,
    base="BTC",
    quote="USDT",
    tick=SCALE // 100,
    min_price=SCALE // 100,
    max_price=1_000_000 * SCALE,
    step=SCALE // 1_000,
    min_qty=SCALE // 1_000,
    max_qty=9_000 * SCALE,
    max_num_orders=100_000,
)


class OrderDesk:
    """Orders of one account.

    Args:
        tell: Gets everything that happens to orders.
    """

    def __init__(self, tell: Callable[[OrderUpdate], None]) -> None:
        self._tell = tell
        self._engine = Engine([_RULES])
        self._engine.open_account(ACCOUNT, {"BTC": 1_000_000 * SCALE, "USDT": 1_000_000_000 * SCALE})
        much = 100_000 * SCALE
        self._engine.on_snapshot(BookSnapshot(SYMBOL, 1, ((BID, much),), ((ASK, much),)), 1)

    def place(self, params: Mapping[str, str], now_ms: int) -> dict[str, object]:
        """``order.place``.

        Raises:
            Refusal: As the exchange words it.
        """
        new = NewOrder(
            symbol=params["symbol"],
            side=Side(params["side"]),
            type=OrderType(params["type"]),
            time_in_force=TimeInForce(params.get("timeInForce", "GTC")),
            price=parse_scaled(params.get("price", "0")),
            qty=parse_scaled(params.get("quantity", "0")),
            client_order_id=params.get("newClientOrderId", ""),
            strategy_id=int(params["strategyId"]) if "strategyId" in params else None,
        )
        order, events = self._engine.submit(ACCOUNT, new, now_ms)
        self._publish(events)
        return render.order_full(order)

    def cancel(self, params: Mapping[str, str], now_ms: int) -> dict[str, object]:
        """``order.cancel``.

        Raises:
            Refusal: -2011 where there is no such open order.
        """
        number = int(params["orderId"]) if "orderId" in params else None
        which = CancelOrder(
            params["symbol"], number, params.get("origClientOrderId"), params.get("newClientOrderId", "")
        )
        order, events = self._engine.cancel(ACCOUNT, which, now_ms)
        self._publish(events)
        return render.cancelled_order(order)

    def cancel_all(self, params: Mapping[str, str], now_ms: int) -> list[dict[str, object]]:
        """``openOrders.cancelAll``.

        Raises:
            Refusal: -2011 where there is none.
        """
        orders, events = self._engine.cancel_all(ACCOUNT, params["symbol"], now_ms)
        self._publish(events)
        return [render.cancelled_order(order) for order in orders]

    def status(self, params: Mapping[str, str]) -> dict[str, object]:
        """``order.status``.

        Raises:
            Refusal: -2013 where there is none such.
        """
        number = int(params["orderId"]) if "orderId" in params else None
        found = self._engine.order(
            ACCOUNT, params["symbol"], order_id=number, client_order_id=params.get("origClientOrderId")
        )
        return render.order_report(found)

    def open_orders(self) -> list[dict[str, object]]:
        """``openOrders.status``."""
        return [render.order_report(order) for order in self._engine.open_orders(ACCOUNT)]

    def orders(self) -> list[Order]:
        """Every order of the account, oldest first."""
        return self._engine.orders(ACCOUNT, SYMBOL, limit=100_000)

    def find(self, client_order_id: str) -> Order | None:
        """The truth about an order; None where it never landed."""
        try:
            return self._engine.order(ACCOUNT, SYMBOL, client_order_id=client_order_id)
        except Refusal:
            return None

    def balances(self) -> list[dict[str, object]]:
        """``balances`` of ``account.status``."""
        return render.balances(self._engine.balances(ACCOUNT), omit_zero=True)

    def _publish(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, OrderUpdate):
                self._tell(event)
