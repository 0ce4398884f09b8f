"""Refusals of parameters: -11xx and -12xx."""

from __future__ import annotations

import json

from tests.support.errors import by_hand
from tests.support.errors.model import Ask, Case
from tests.support.errors.samples import OCO, OPO, SYMBOL, order, pair

PARAMETERS: tuple[Case, ...] = (
    Case(
        -1100,
        "Illegal characters found in a parameter.",
        "an id of a WebSocket API request that is no integer, text or null",
        by_hand=by_hand.message('{"id":{},"method":"ping"}'),
    ),
    Case(
        -1100,
        "Illegal characters found in parameter '%s'; legal range is '%s'.",
        "a symbol with a blank in it",
        Ask("depth", {"symbol": "btc usdt"}),
        told="Illegal characters found in parameter 'symbol'; legal range is '^[\\w\\-._&&[^a-z]]{1,50}$'.",
    ),
    Case(
        -1100,
        "Illegal characters found in parameter '%s'; legal range is '%s'.",
        "a list of symbols without its end",
        Ask("ticker.price", {"symbols": '["BTCUSDT"'}),
        told="Illegal characters found in parameter 'symbols'; "
        'legal range is \'^\\[("[\\w\\-._&&[^a-z]]{1,50}"(,"[\\w\\-._&&[^a-z]]{1,50}"){0,}){0,1}\\]$\'.',
    ),
    Case(
        -1101,
        "Too many parameters sent for this endpoint.",
        "more parameters than any request knows",
        by_hand=by_hand.http("GET", "/api/v3/depth?" + "&".join(f"p{number}=1" for number in range(100))),
    ),
    Case(
        -1101,
        "Too many parameters; expected '%s' and received '%s'.",
        "more parameters than the request knows",
        Ask("avgPrice", SYMBOL | {"other": 1}),
        told="Too many parameters; expected '1' and received '2'.",
    ),
    Case(
        -1101,
        "Too many values sent for parameter '%s', maximum allowed up to %s.",
        "a list of 101 symbols; the text is that of `CHANGELOG.md`",
        Ask("ticker", {"symbols": json.dumps([f"A{number}" for number in range(101)])}),
        told="Too many values sent for parameter 'symbols', maximum allowed up to 100.",
        is_extra=True,
    ),
    Case(
        -1101,
        "Duplicate values for a parameter detected.",
        "the same parameter twice",
        by_hand=by_hand.http("GET", "/api/v3/depth?symbol=BTCUSDT&symbol=BTCUSDT"),
    ),
    Case(
        -1102,
        "Mandatory parameter '%s' was not sent, was empty/null, or malformed.",
        "`depth` without a symbol",
        Ask("depth"),
        told="Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
    ),
    Case(
        -1102,
        "Param '%s' or '%s' must be sent, but both were empty/null!",
        "a cancellation without an id",
        Ask("order.cancel", SYMBOL),
        told="Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
    ),
    Case(
        -1102,
        "'%s' contains unexpected value. Cannot be greater than %s.",
        "`recvWindow` of more than a minute",
        Ask("account.status", {"recvWindow": 60_001}),
        told="'recvWindow' contains unexpected value. Cannot be greater than 60000.",
    ),
    Case(
        -1104,
        "Not all sent parameters were read; read '%s' parameter(s) but was sent '%s'.",
        "an order with a parameter that orders don't have",
        order(other=1),
        told="Not all sent parameters were read; read '8' parameter(s) but was sent '9'.",
    ),
    Case(
        -1105,
        "Parameter '%s' was empty.",
        "an empty symbol",
        Ask("depth", {"symbol": ""}),
        told="Parameter 'symbol' was empty.",
    ),
    Case(
        -1106,
        "Parameter '%s' sent when not required.",
        "a limit order by amount",
        order(quoteOrderQty="5"),
        told="Parameter 'quoteOrderQty' sent when not required.",
    ),
    Case(
        -1108,
        "Parameter '%s' overflowed.",
        "an order id of more than 64 bits",
        Ask("order.status", SYMBOL | {"orderId": 2**63}),
        told="Parameter 'orderId' overflowed.",
    ),
    Case(
        -1111,
        "Parameter '%s' has too much precision.",
        "a quantity with nine places",
        order(quantity="0.123456789"),
        told="Parameter 'quantity' has too much precision.",
    ),
    Case(-1115, "Invalid timeInForce.", "`timeInForce=NOW`", order(timeInForce="NOW")),
    Case(-1116, "Invalid orderType.", "`type=WISH`", order(type="WISH")),
    Case(-1117, "Invalid side.", "`side=HOLD`", order(side="HOLD")),
    Case(-1120, "Invalid interval.", "`interval=1H`", Ask("klines", SYMBOL | {"interval": "1H"})),
    Case(-1121, "Invalid symbol.", "a symbol that there is not", Ask("depth", {"symbol": "NOPE"})),
    Case(
        -1122,
        "Invalid symbolStatus.",
        "`symbolStatus=SHUT`",
        Ask("ticker.price", SYMBOL | {"symbolStatus": "SHUT"}),
    ),
    Case(
        -1125,
        "This listenKey does not exist.",
        "a listen key that nobody made",
        Ask("userDataStream.ping", {"listenKey": "n" * 64}),
    ),
    Case(
        -1127,
        "More than %s hours between startTime and endTime.",
        "orders of more than a day",
        Ask("allOrders", SYMBOL | {"startTime": 1, "endTime": 86_400_002}),
        told="More than 24 hours between startTime and endTime.",
    ),
    Case(
        -1128,
        "Combination of optional parameters invalid.",
        "trades by id and time at once",
        Ask("myTrades", SYMBOL | {"fromId": 1, "startTime": 1}),
    ),
    Case(
        -1128,
        "Combination of optional parameters invalid. Recommendation: '%s' should also be sent.",
        "the OCO of old with a limit for its stop and no time in force; the text is that of `CHANGELOG.md`",
        Ask(
            "orderList.place",
            SYMBOL
            | {"side": "SELL", "quantity": "0.001", "price": "46000", "stopPrice": "44000", "stopLimitPrice": "43990"},
        ),
        told="Combination of optional parameters invalid. Recommendation: 'stopLimitTimeInForce' should also be sent.",
        is_extra=True,
    ),
    Case(
        -1130,
        "Data sent for parameter '%s' is not valid.",
        "`limit=0`",
        Ask("depth", SYMBOL | {"limit": 0}),
        told="Data sent for parameter 'limit' is not valid.",
    ),
    Case(-1134, "`strategyType` was less than 1000000.", "`strategyType=5`", order(strategyType=5)),
    Case(-1135, "Invalid JSON Request", "half a JSON object", by_hand=by_hand.message("{")),
    Case(-1139, "Invalid ticker type.", "`type=HUGE`", Ask("ticker.24hr", SYMBOL | {"type": "HUGE"})),
    Case(
        -1145,
        "Invalid cancelRestrictions",
        "`cancelRestrictions=NEVER`; the text is that of `rest-api.md`",
        Ask("order.cancel", SYMBOL | {"orderId": 1, "cancelRestrictions": "NEVER"}),
        is_extra=True,
    ),
    Case(
        -1151,
        "Symbol is present multiple times in the list.",
        "the same symbol twice",
        Ask("ticker.price", {"symbols": '["BTCUSDT","BTCUSDT"]'}),
    ),
    Case(
        -1152,
        "Invalid `X-MBX-SBE` header; expected `<SCHEMA_ID>:<VERSION>`.",
        "`X-MBX-SBE: three`",
        by_hand=by_hand.http("GET", "/api/v3/time", X_MBX_SBE="three"),
    ),
    Case(
        -1155, "SBE is not enabled.", "`X-MBX-SBE: 3:1`", by_hand=by_hand.http("GET", "/api/v3/time", X_MBX_SBE="3:1")
    ),
    Case(
        -1158,
        "Order type not supported in OCO.",
        "an OCO with a market order",
        Ask("orderList.place.oco", OCO | {"aboveType": "MARKET"}),
    ),
    Case(
        -1160,
        "Parameter '%s' is not supported if `aboveTimeInForce`/`belowTimeInForce` is not GTC.",
        "an iceberg stop that is IOC; the wire names the one of the two that is meant",
        Ask(
            "orderList.place.oco",
            OCO
            | {
                "belowType": "STOP_LOSS_LIMIT",
                "belowPrice": "43990.00",
                "belowTimeInForce": "IOC",
                "belowIcebergQty": "0.0005",
            },
        ),
        told="Parameter 'belowIcebergQty' is not supported if `belowTimeInForce` is not GTC.",
    ),
    Case(-1165, "A limit order in a buy OCO must be below.", "", pair("BUY", "LIMIT_MAKER", "TAKE_PROFIT")),
    Case(-1166, "A limit order in a sell OCO must be above.", "", pair("SELL", "TAKE_PROFIT", "LIMIT_MAKER")),
    Case(-1168, "At least one OCO order must be contingent.", "", pair("BUY", "LIMIT_MAKER", "LIMIT_MAKER")),
    Case(
        -1194,
        "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.",
        "`X-MBX-TIME-UNIT: NANOSECOND`",
        by_hand=by_hand.http("GET", "/api/v3/time", X_MBX_TIME_UNIT="NANOSECOND"),
    ),
    Case(-1196, "A stop loss order in a buy OCO must be above.", "", pair("BUY", "STOP_LOSS", "STOP_LOSS")),
    Case(-1197, "A stop loss order in a sell OCO must be below.", "", pair("SELL", "STOP_LOSS", "STOP_LOSS")),
    Case(-1198, "A take profit order in a buy OCO must be below.", "", pair("BUY", "TAKE_PROFIT", "TAKE_PROFIT")),
    Case(-1199, "A take profit order in a sell OCO must be above.", "", pair("SELL", "TAKE_PROFIT", "TAKE_PROFIT")),
    Case(-1210, "Invalid pegPriceType.", "`pegPriceType=MID_PEG`", order(pegPriceType="MID_PEG")),
    Case(
        -1211,
        "Invalid pegOffsetType.",
        "`pegOffsetType=TICKS`",
        order(pegPriceType="PRIMARY_PEG", pegOffsetType="TICKS", pegOffsetValue=1),
    ),
    Case(
        -1220,
        "The symbol's status does not match the requested symbolStatus.",
        "`symbolStatus=HALT` of a symbol that trades",
        Ask("ticker.price", SYMBOL | {"symbolStatus": "HALT"}),
    ),
    Case(
        -1222,
        "Working order in an OPO list must be a bid.",
        "",
        Ask("orderList.place.opo", OPO | {"workingSide": "SELL"}),
    ),
    Case(
        -1223,
        "Pending orders in an OPO list must be asks.",
        "",
        Ask("orderList.place.opo", OPO | {"pendingSide": "BUY"}),
    ),
)
