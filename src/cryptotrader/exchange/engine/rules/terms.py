"""What an account may do: trade at all, trade this symbol now, and how much of an asset in one order."""

from __future__ import annotations

import msgspec

from cryptotrader.core.scaled import SCALE, format_scaled
from cryptotrader.exchange.engine.errors import (
    INVALID_MESSAGE,
    MARKET_CLOSED_TEXT,
    Refusal,
    filter_failure,
    rejected,
)
from cryptotrader.exchange.engine.orders import NewOrder
from cryptotrader.exchange.engine.rules.exchange import FilterInfo
from cryptotrader.exchange.engine.rules.filters import value_of
from cryptotrader.exchange.engine.rules.symbol import SymbolRules, SymbolStatus

NO_TRADING_TEXT = "This account may not place or cancel orders."
DISABLED_TEXT = "This action is disabled on this account."
NOT_PERMITTED_TEXT = "This symbol is not permitted for this account."
RESTRICTED_TEXT = "This symbol is restricted for this account."

ACCOUNT_TYPE = "SPOT"
"""``accountType`` of every account here."""


_TRADING = SymbolStatus.TRADING.value


class AssetLimit(msgspec.Struct, frozen=True):
    """MAX_ASSET: most of an asset that an account may trade in one order."""

    asset: str
    limit: int
    """Scaled."""

    def describe(self) -> FilterInfo:
        """As ``myFilters`` shows it."""
        return {"filterType": "MAX_ASSET", "asset": self.asset, "limit": format_scaled(self.limit)}


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may do."""

    permissions: tuple[str, ...] = ("SPOT",)
    """``SPOT``, ``TRD_GRP_004`` and so on: an account needs one of each of a symbol's ``permissionSets``."""
    can_trade: bool = True
    """False: it may neither place nor cancel orders."""
    sor_disabled: bool = False
    """``preventSor``: it may not use smart order routing."""
    asset_limits: tuple[AssetLimit, ...] = ()

    def asset_filters(self, rules: SymbolRules) -> list[FilterInfo]:
        """``assetFilters`` of ``myFilters`` for a symbol."""
        return [each.describe() for each in self.asset_limits if each.asset in (rules.base, rules.quote)]


DEFAULT_TERMS = Terms()


def check_terms(rules: SymbolRules, terms: Terms, new: NewOrder) -> None:
    """Whether an account may place any such order on the symbol now.

    Raises:
        Refusal: -1013 "Market is closed." or -2010 with what stands in the way.
    """
    if rules.status != _TRADING:
        # errors.md names no code for this text; reports of the venue's own answers all show this one.
        raise Refusal(INVALID_MESSAGE, MARKET_CLOSED_TEXT)
    if not terms.can_trade:
        raise rejected(NO_TRADING_TEXT)
    if not rules.spot_allowed:
        raise rejected(RESTRICTED_TEXT)
    for needed in rules.permission_sets:
        for permission in terms.permissions:
            if permission in needed:
                break
        else:
            if needed:
                raise rejected(NOT_PERMITTED_TEXT)
    if new.use_sor and terms.sor_disabled:
        raise rejected(DISABLED_TEXT)


def check_asset_limits(rules: SymbolRules, terms: Terms, new: NewOrder, average: int | None) -> None:
    """MAX_ASSET: by quantity where the asset is the symbol's base, by value where it is the quote.

    Raises:
        Refusal: -1013 where it is broken.
    """
    for each in terms.asset_limits:
        if each.asset == rules.base:
            # An amount to be spent says nothing of the quantity before it meets the book.
            is_over = new.qty > each.limit
        elif each.asset == rules.quote:
            is_over = (value_of(new, average) or 0) > each.limit * SCALE
        else:
            continue
        if is_over:
            raise filter_failure("MAX_ASSET")
