"""Settings, logging and secrets: read once at the start, then passed down."""

from cryptotrader.config.logs import configure_logging, get_logger
from cryptotrader.config.secrets import REDACTOR, Redactor

__all__ = ["REDACTOR", "Redactor", "configure_logging", "get_logger"]
