"""The paper exchange's matching engine with one account, one symbol and a market that stands still."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cryptotrader.core.events import BookSnapshot
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import Event, OrderUpdate
from cryptotrader.exchange.engine.order_lists import CancelledList, CancelList, ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import AmendOrder, CancelOrder, NewOrder, Order, Stop
from cryptotrader.exchange.engine.rules import SymbolRules
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.operations.refusals import DetailedRefusal

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
        self.list_cancels: set[str] = set()
        """Names of the cancellations of lists that were carried out."""
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

    def replace(self, params: Mapping[str, str], now_ms: int) -> dict[str, object]:
        """``order.cancelReplace``.

        Raises:
            Refusal: -2021 or -2022, with what became of the halves.
        """
        old = {"symbol": params["symbol"], "newClientOrderId": params.get("cancelNewClientOrderId", "")}
        for name in ("orderId", "origClientOrderId"):
            long_name = f"cancel{name[0].upper()}{name[1:]}"
            if long_name in params:
                old[name] = params[long_name]
        halves: dict[str, object] = {"cancelResult": "SUCCESS", "newOrderResult": "NOT_ATTEMPTED"}
        halves |= {"cancelResponse": None, "newOrderResponse": None}
        try:
            halves["cancelResponse"] = self.cancel(old, now_ms)
        except Refusal as refusal:
            halves |= {"cancelResult": "FAILURE", "cancelResponse": {"code": refusal.code, "msg": refusal.message}}
        if halves["cancelResult"] == "SUCCESS" or params["cancelReplaceMode"] == "ALLOW_FAILURE":
            try:
                halves |= {"newOrderResponse": self.place(params, now_ms), "newOrderResult": "SUCCESS"}
            except Refusal as refusal:
                answer = {"code": refusal.code, "msg": refusal.message}
                halves |= {"newOrderResult": "FAILURE", "newOrderResponse": answer}
        results = {halves["cancelResult"], halves["newOrderResult"]}
        if results == {"SUCCESS"}:
            return halves
        if "SUCCESS" in results:
            raise DetailedRefusal(
                -2021, "Order cancel-replace partially failed.", status=409, data=halves, has_effect=True
            )
        raise DetailedRefusal(-2022, "Order cancel-replace failed.", status=400, data=halves, has_effect=False)

    def amend(self, params: Mapping[str, str], now_ms: int) -> dict[str, object]:
        """``order.amend.keepPriority``.

        Raises:
            Refusal: There is no such open order, or it would not become smaller.
        """
        change = AmendOrder(
            symbol=params["symbol"],
            order_id=int(params["orderId"]) if "orderId" in params else None,
            client_order_id=params.get("origClientOrderId"),
            qty=parse_scaled(params["newQty"]),
            new_client_order_id=params.get("newClientOrderId", ""),
        )
        amendment, order, told, events = self._engine.amend(ACCOUNT, change, now_ms)
        self._publish(events)
        return render.amended(amendment, order, told)

    def place_oco(self, params: Mapping[str, str], now_ms: int) -> dict[str, object]:
        """``orderList.place.oco`` of a limit order above and a stop loss below the market.

        Raises:
            Refusal: As the exchange words it.
        """
        legs = tuple(
            NewOrder(
                symbol=params["symbol"],
                side=Side(params["side"]),
                type=OrderType(params[f"{leg}Type"]),
                time_in_force=TimeInForce(params.get(f"{leg}TimeInForce", "GTC")),
                price=parse_scaled(params.get(f"{leg}Price", "0")),
                qty=parse_scaled(params["quantity"]),
                client_order_id=params[f"{leg}ClientOrderId"],
                strategy_id=int(params[f"{leg}StrategyId"]) if f"{leg}StrategyId" in params else None,
                stop=Stop(parse_scaled(params[f"{leg}StopPrice"])) if f"{leg}StopPrice" in params else None,
            )
            for leg in ("above", "below")
        )
        new = NewOrderList(
            symbol=params["symbol"], kind=ListKind.OCO, legs=legs, client_list_id=params["listClientOrderId"]
        )
        told, orders, events = self._engine.submit_list(ACCOUNT, new, now_ms)
        self._publish(events)
        return render.placed_list(told, [render.order_result(order) for order in orders])

    def cancel_list(self, params: Mapping[str, str], now_ms: int) -> dict[str, object]:
        """``orderList.cancel``.

        Raises:
            Refusal: -2011 where there is no such open list.
        """
        number = int(params["orderListId"]) if "orderListId" in params else None
        name = params["newClientOrderId"]
        which = CancelList(
            symbol=params["symbol"],
            list_id=number,
            client_list_id=params.get("listClientOrderId"),
            new_client_order_id=name,
        )
        told, orders, events = self._engine.cancel_list(ACCOUNT, which, now_ms)
        self.list_cancels.add(name)
        self._publish(events)
        return render.cancelled_list(told, orders)

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
        return [
            render.cancelled_list(each.order_list, each.orders)
            if isinstance(each, CancelledList)
            else render.cancelled_order(each)
            for each in orders
        ]

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

    def list_status(self, params: Mapping[str, str]) -> dict[str, object]:
        """``orderList.status``.

        Raises:
            Refusal: -2013 where there is none such.
        """
        number = int(params["orderListId"]) if "orderListId" in params else None
        return render.order_list(
            self._engine.order_list(ACCOUNT, list_id=number, client_list_id=params.get("origClientOrderId"))
        )

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

    def numbered(self, order_id: int) -> Order:
        """An order by the venue's number."""
        return self._engine.order(ACCOUNT, SYMBOL, order_id=order_id)

    def balances(self) -> list[dict[str, object]]:
        """``balances`` of ``account.status``."""
        return render.balances(self._engine.balances(ACCOUNT), omit_zero=True)

    def _publish(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, OrderUpdate):
                self._tell(event)
