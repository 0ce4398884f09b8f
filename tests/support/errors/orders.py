"""Refusals of orders: the texts of the matching engine, and the filters."""

from __future__ import annotations

from cryptotrader.core.orders import OrderType
from cryptotrader.exchange.engine.rules import AssetLimit, ExchangeRules
from tests.support.errors.model import PLAIN, Ask, Case, Setting
from tests.support.errors.samples import NAMED, OCO, OPO, RESTING, SYMBOL, order
from tests.support.paper import units

MINE = SYMBOL | {"origClientOrderId": "mine"}
PLACED = (Ask("order.place", NAMED),)
STOP_LIMIT = {"type": "STOP_LOSS_LIMIT", "stopPrice": "46000"}
STOP = {"type": "STOP_LOSS", "timeInForce": None, "price": None, "stopPrice": "46000"}
PROFIT = {"type": "TAKE_PROFIT", "timeInForce": None, "price": None, "stopPrice": "44000"}
MARKET = {"type": "MARKET", "timeInForce": None, "price": None}
SPEND = MARKET | {"quantity": None, "quoteOrderQty": "1000"}
ICEBERG = {"icebergQty": "0.0005"}
PEGGED = {"price": None, "pegPriceType": "PRIMARY_PEG"}
LIMITS_ONLY = (OrderType.LIMIT, OrderType.LIMIT_MAKER)

REPLACE = RESTING | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": "mine"}

FAILURE = "Filter failure: "


def amend(qty: str, **named: object) -> Ask:
    """The order "mine" is to be smaller."""
    return Ask("order.amend.keepPriority", MINE | {"newQty": qty} | named)


def unsupported(text: str, **changes: object) -> Case:
    """An order of a type that the symbol does not have."""
    return Case(-2010, text, f"`{changes['type']}`", order(**changes), setting=Setting({"order_types": LIMITS_ONLY}))


def filtered(name: str, how: str, ask: Ask, *, before: tuple[Ask, ...] = (), **rules: object) -> Case:
    """An order that breaks a filter."""
    return Case(-1013, FAILURE + name, how, ask, before=before, setting=Setting(rules) if rules else PLAIN)


ENGINE: tuple[Case, ...] = (
    Case(-1013, "Market is closed.", "a symbol that is halted", order(), setting=Setting(status="HALT")),
    Case(
        -1013,
        "Market is closed.",
        "amending on a symbol that is halted",
        amend("0.0005"),
        before=PLACED,
        setting=Setting(status="HALT"),
    ),
    Case(
        -1013,
        "This symbol does not allow the specified self-trade prevention mode.",
        "a mode that the symbol does not have",
        order(selfTradePreventionMode="DECREMENT"),
        setting=Setting({"allowed_stp_modes": ("NONE", "EXPIRE_MAKER")}),
        is_extra=True,
    ),
    Case(-2011, "Unknown order sent.", "cancelling", Ask("order.cancel", SYMBOL | {"orderId": 9})),
    Case(-2011, "Unknown order sent.", "cancelling all where there is none", Ask("openOrders.cancelAll", SYMBOL)),
    Case(-2038, "Unknown order sent.", "amending", amend("0.0005")),
    Case(
        -2010, "Duplicate order sent.", "the client order id of an open order", Ask("order.place", NAMED), before=PLACED
    ),
    Case(
        -2010,
        "Account has insufficient balance for requested action.",
        "more than the account has",
        order(quantity="10"),
    ),
    unsupported("Market orders are not supported for this symbol.", **MARKET),
    unsupported("Stop loss orders are not supported for this symbol.", **STOP),
    unsupported("Stop loss limit orders are not supported for this symbol.", **STOP_LIMIT),
    unsupported("Take profit orders are not supported for this symbol.", **PROFIT),
    unsupported(
        "Take profit limit orders are not supported for this symbol.",
        **(STOP_LIMIT | {"type": "TAKE_PROFIT_LIMIT", "stopPrice": "44500"}),
    ),
    Case(
        -2010,
        "Iceberg orders are not supported for this symbol.",
        "",
        order(**ICEBERG),
        setting=Setting({"iceberg_allowed": False}),
    ),
    Case(
        -2038,
        "Order amend is not supported for this symbol.",
        "",
        amend("0.0005"),
        before=PLACED,
        setting=Setting({"amend_allowed": False}),
    ),
    Case(
        -2010,
        "Price * QTY is zero or less.",
        "",
        order(price="0.01", quantity="0.00000001"),
        setting=Setting({"min_qty": 1, "step": 1, "min_notional": 0, "bid_multiplier_up": 0}),
    ),
    Case(-2010, "IcebergQty exceeds QTY.", "", order(icebergQty="0.002")),
    Case(
        -2010,
        "This action is disabled on this account.",
        "smart order routing where the account may not",
        Ask("sor.order.place", RESTING),
        setting=Setting(account={"sor_disabled": True}),
    ),
    Case(
        -2010,
        "This account may not place or cancel orders.",
        "placing",
        order(),
        setting=Setting(account={"can_trade": False}),
    ),
    Case(
        -2011,
        "This account may not place or cancel orders.",
        "cancelling",
        Ask("openOrders.cancelAll", SYMBOL),
        setting=Setting(account={"can_trade": False}),
    ),
    Case(-2010, "Unsupported order combination", "an iceberg that is IOC", order(timeInForce="IOC", **ICEBERG)),
    Case(-2010, "Order would trigger immediately.", "", order(**(STOP_LIMIT | {"stopPrice": "43000"}))),
    Case(
        -2010, "Order would immediately match and take.", "", order(type="LIMIT_MAKER", timeInForce=None, price="45001")
    ),
    Case(
        -2010,
        "The relationship of the prices for the orders is not correct.",
        "an OCO whose limit is below the market",
        Ask("orderList.place.oco", OCO | {"abovePrice": "44500.00"}),
    ),
    Case(
        -2010,
        "OCO orders are not supported for this symbol",
        "",
        Ask("orderList.place.oco", OCO),
        setting=Setting({"oco_allowed": False}),
    ),
    Case(
        -2010,
        "OTO orders are not supported for this symbol.",
        "",
        Ask("orderList.place.oto", OPO | {"pendingQuantity": "0.001"}),
        setting=Setting({"oto_allowed": False}),
        is_extra=True,
    ),
    Case(
        -2010,
        "OPO orders are not supported for this symbol.",
        "",
        Ask("orderList.place.opo", OPO),
        setting=Setting({"opo_allowed": False}),
    ),
    Case(
        -2010,
        "Quote order qty market orders are not support for this symbol.",
        "",
        order(**SPEND),
        setting=Setting({"quote_order_qty_allowed": False}),
    ),
    Case(
        -2010,
        "Trailing stop orders are not supported for this symbol.",
        "",
        order(**(STOP | {"stopPrice": None, "trailingDelta": 100})),
        setting=Setting({"trailing_allowed": False}),
    ),
    Case(
        -2010,
        "Order cancel-replace is not supported for this symbol.",
        "",
        Ask("order.cancelReplace", REPLACE),
        before=PLACED,
        setting=Setting({"cancel_replace_allowed": False}),
    ),
    Case(
        -2010,
        "This symbol is not permitted for this account.",
        "an account without the symbol's permission",
        order(),
        setting=Setting(account={"permissions": ("TRD_GRP_099",)}),
    ),
    Case(
        -2010,
        "This symbol is restricted for this account.",
        "a symbol without spot trading",
        order(),
        setting=Setting({"spot_allowed": False}),
    ),
    Case(
        -2011,
        "Order was not canceled due to cancel restrictions.",
        "`ONLY_PARTIALLY_FILLED` of an order without a fill",
        Ask("order.cancel", MINE | {"cancelRestrictions": "ONLY_PARTIALLY_FILLED"}),
        before=PLACED,
    ),
    Case(
        -2010,
        "Order book liquidity is less than `LOT_SIZE` filter minimum quantity.",
        "an amount that finds too little",
        order(**(SPEND | {"quoteOrderQty": "1000000"})),
        setting=Setting({"min_qty": units("20")}),
    ),
    Case(
        -2010,
        "Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity.",
        "an amount that finds too little",
        order(**(SPEND | {"quoteOrderQty": "1000000"})),
        setting=Setting({"market_min_qty": units("20")}),
    ),
    Case(
        -2010,
        "Order book liquidity is less than symbol minimum quantity.",
        "an amount that finds an empty book",
        order(**SPEND),
        setting=Setting(asks=()),
    ),
    Case(-2038, "Order amend (quantity increase) is not supported.", "", amend("0.002"), before=PLACED),
    Case(-2038, "The requested action would change no state; rejecting", "", amend("0.001"), before=PLACED),
    Case(
        -2038,
        "Order amend (pending OPO order) is not supported.",
        "",
        amend("0.0005"),
        before=(Ask("orderList.place.opo", OPO | {"pendingClientOrderId": "mine"}),),
    ),
    Case(
        -2038,
        "Duplicate order sent.",
        "the new client order id is that of another open order",
        amend("0.0005", newClientOrderId="yours"),
        before=(*PLACED, Ask("order.place", RESTING | {"newClientOrderId": "yours"})),
    ),
    Case(
        -2010,
        "Pegged orders are not supported for this symbol.",
        "",
        order(**PEGGED),
        setting=Setting({"peg_allowed": False}),
    ),
    Case(-2010, "This order type may not use pegged price.", "", order(**MARKET, pegPriceType="MARKET_PEG")),
    Case(
        -2010,
        "This price peg cannot be used with this order type.",
        "a `LIMIT_MAKER` at the other side's price",
        order(type="LIMIT_MAKER", timeInForce=None, price=None, pegPriceType="MARKET_PEG"),
    ),
    Case(
        -2010,
        "Order book liquidity is too low for this pegged order.",
        "a level that the book does not have",
        order(**PEGGED, pegOffsetType="PRICE_LEVEL", pegOffsetValue=50),
    ),
    Case(
        -2010,
        "SOR is not supported for this symbol.",
        "a symbol that shares its book with no other",
        Ask("sor.order.place", RESTING),
        is_extra=True,
    ),
    Case(
        -2021,
        "Order cancel-replace partially failed.",
        "the old order is gone, the new one refused",
        Ask("order.cancelReplace", REPLACE | {"quantity": "10"}),
        status=409,
        before=PLACED,
    ),
    Case(
        -2022,
        "Order cancel-replace failed.",
        "there is no such order, and so none is placed",
        Ask("order.cancelReplace", REPLACE),
    ),
)

FILTERS: tuple[Case, ...] = (
    filtered("PRICE_FILTER", "a price between two ticks", order(price="44000.001")),
    filtered(
        "PERCENT_PRICE",
        "a price far from the average",
        order(price="30000"),
        multiplier_up=units("1.1"),
        multiplier_down=units("0.9"),
    ),
    filtered("PERCENT_PRICE_BY_SIDE", "a price to buy at that is far too low", order(price="1000", quantity="0.1")),
    filtered("LOT_SIZE", "less than the least quantity", order(quantity="0.000001")),
    filtered(
        "MIN_NOTIONAL",
        "an order of small value",
        order(quantity="0.0001"),
        plain_min_notional=units("10"),
        min_notional=0,
        max_notional=0,
    ),
    filtered("NOTIONAL", "an order of small value", order(quantity="0.00001")),
    filtered("ICEBERG_PARTS", "more parts than allowed", order(icebergQty="0.00001", quantity="0.5")),
    filtered("MARKET_LOT_SIZE", "a market order that is too large", order(**MARKET | {"quantity": "201"})),
    filtered("MAX_NUM_ORDERS", "one open order more than allowed", order(), before=PLACED, max_num_orders=1),
    filtered(
        "MAX_NUM_ALGO_ORDERS",
        "one waiting order more than allowed",
        order(**STOP_LIMIT),
        before=(order(**STOP_LIMIT),),
        max_num_algo_orders=1,
    ),
    filtered(
        "MAX_NUM_ICEBERG_ORDERS",
        "one iceberg more than allowed",
        order(**ICEBERG),
        before=(order(**ICEBERG),),
        max_num_iceberg_orders=1,
    ),
    Case(
        -2038,
        FAILURE + "MAX_NUM_ORDER_AMENDS",
        "one amendment more than allowed",
        amend("0.0004", origClientOrderId="again"),
        before=(*PLACED, amend("0.0005", newClientOrderId="again")),
        setting=Setting({"max_num_order_amends": 1}),
    ),
    filtered(
        "MAX_NUM_ORDER_LISTS",
        "one list more than allowed",
        Ask("orderList.place.oco", OCO),
        before=(Ask("orderList.place.oco", OCO),),
        max_num_order_lists=1,
    ),
    filtered("MAX_POSITION", "more than the account may come to hold", order(), max_position=units("10.0009")),
    filtered(
        "TRAILING_DELTA",
        "a distance that is too large",
        order(**(STOP | {"stopPrice": None, "trailingDelta": 2001})),
    ),
    filtered(
        "EXCHANGE_MAX_NUM_ORDERS",
        "one open order more than allowed",
        order(),
        before=PLACED,
        exchange=ExchangeRules(max_num_orders=1),
    ),
    filtered(
        "EXCHANGE_MAX_NUM_ALGO_ORDERS",
        "one waiting order more than allowed",
        order(**STOP_LIMIT),
        before=(order(**STOP_LIMIT),),
        exchange=ExchangeRules(max_num_algo_orders=1),
    ),
    filtered(
        "EXCHANGE_MAX_NUM_ICEBERG_ORDERS",
        "one iceberg more than allowed",
        order(**ICEBERG),
        before=(order(**ICEBERG),),
        exchange=ExchangeRules(max_num_iceberg_orders=1),
    ),
    filtered(
        "EXCHANGE_MAX_NUM_ORDER_LISTS",
        "one list more than allowed",
        Ask("orderList.place.oco", OCO),
        before=(Ask("orderList.place.oco", OCO),),
        exchange=ExchangeRules(max_num_order_lists=1),
    ),
    Case(
        -1013,
        FAILURE + "MAX_ASSET",
        "more of an asset in one order than the account may",
        order(quantity="0.6"),
        setting=Setting(account={"asset_limits": (AssetLimit("BTC", units("0.5")),)}),
    ),
)
