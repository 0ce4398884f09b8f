"""Matches that self-trade prevention did not let happen (``myPreventedMatches``)."""

from __future__ import annotations

from cryptotrader.services.binance.models.account import PreventedMatch
from cryptotrader.services.binance.request import (
    Limit,
    Long,
    OrderId,
    RequestSpec,
    SecurityType,
    SignedParams,
    Symbol,
    weight_if,
)
from cryptotrader.services.binance.rules import any_of, at_most_one_of, needs


class PreventedMatchesParams(SignedParams, frozen=True, kw_only=True):
    """Parameters of ``myPreventedMatches``: by the match, or by the order and then from a match on."""

    symbol: Symbol
    prevented_match_id: Long | None = None
    order_id: OrderId | None = None
    from_prevented_match_id: Long | None = None
    limit: Limit | None = None


SPEC = RequestSpec(
    method="myPreventedMatches",
    rest="GET /api/v3/myPreventedMatches",
    security=SecurityType.USER_DATA,
    weight=weight_if("orderId", present=20, absent=2),
    params=PreventedMatchesParams,
    result=list[PreventedMatch],
    rules=(
        any_of("preventedMatchId", "orderId"),
        at_most_one_of("preventedMatchId", "orderId"),
        needs("fromPreventedMatchId", "orderId"),
    ),
)
process_request = SPEC.process_request
