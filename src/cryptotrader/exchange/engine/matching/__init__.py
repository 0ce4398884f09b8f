"""Books and what trades in them: queues, plans of matches, and the market source's liquidity."""

from cryptotrader.exchange.engine.matching.book import UNKNOWN_QUEUE, BookSide, Resting
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.matching.plan import Match, Plan, plan_by_qty, plan_by_quote

__all__ = ["UNKNOWN_QUEUE", "BookSide", "Match", "Plan", "Resting", "SymbolMarket", "plan_by_qty", "plan_by_quote"]
