"""The exchange's back door: accounts, keys, paper money, the market, faults on demand."""

from cryptotrader.exchange.protocol.admin.guard import Guard, is_local
from cryptotrader.exchange.protocol.admin.routes import Admin

__all__ = ["Admin", "Guard", "is_local"]
