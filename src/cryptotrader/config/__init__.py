"""Logging and secrets, which every module uses; ``config.settings`` is read once at the start and passed down.

The settings are not imported here: a program that uses only the client library must not pay for them.
"""

from cryptotrader.config.logs import configure_logging, get_logger
from cryptotrader.config.secrets import REDACTOR, Redactor

__all__ = ["REDACTOR", "Redactor", "configure_logging", "get_logger"]
