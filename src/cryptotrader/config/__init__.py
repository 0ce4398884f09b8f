"""Settings, logging and secrets: read once at the start, then passed down."""

from cryptotrader.config.logs import configure_logging, get_logger
from cryptotrader.config.secrets import REDACTOR, Redactor
from cryptotrader.config.settings import Settings, load_settings

__all__ = ["REDACTOR", "Redactor", "Settings", "configure_logging", "get_logger", "load_settings"]
