"""Books and what trades in them: queues, plans of matches, and the market source's liquidity."""

from cryptotrader.exchange.engine.matching.book import UNKNOWN_QUEUE, BookSide, Resting
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.matching.plan import Cut, Match, Plan, Prevention
from cryptotrader.exchange.engine.matching.taker import Taker

__all__ = ["UNKNOWN_QUEUE", "BookSide", "Cut", "Match", "Plan", "Prevention", "Resting", "SymbolMarket", "Taker"]
