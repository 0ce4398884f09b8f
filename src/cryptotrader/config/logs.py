"""Log lines in the form that source 0 documents: ``[INFO] HTTP GET /path - 200 - 12ms`` (S0-63), without secrets."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from cryptotrader.config.secrets import REDACTOR


def _render(_: object, method: str, event: MutableMapping[str, Any]) -> str:
    level = {"warning": "WARN", "exception": "ERROR"}.get(method, method.upper())
    text = str(event.pop("event", ""))
    trace = event.pop("exception", None)
    fields = "".join(f" {name}={value}" for name, value in event.items() if not name.startswith("_"))
    line = REDACTOR.clean(f"[{level}] {text}{fields}")
    return f"{line}\n{REDACTOR.clean(trace)}" if trace else line


class _StreamProxy:
    """Looks up stderr at each write, so that a test's capture or a redirection is honoured."""

    def write(self, text: str) -> int:
        return cast(TextIO, sys.stderr).write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _StdlibToOurs(logging.Handler):
    """What libraries log goes through the same redaction."""

    def emit(self, record: logging.LogRecord) -> None:
        print(REDACTOR.clean(f"[{record.levelname}] {record.getMessage()}"), file=sys.stderr)


def configure_logging(level: str = "INFO") -> None:
    """Set the level (``DEBUG INFO WARNING ERROR``) for the whole process; messages go to stderr."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    _configure_ours(number)
    root = logging.getLogger()
    root.handlers = [_StdlibToOurs()]
    root.setLevel(max(number, logging.WARNING))


def _configure_ours(number: int) -> None:
    structlog.configure(
        processors=[structlog.processors.format_exc_info, _render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _StreamProxy())),
        cache_logger_on_first_use=False,
    )


# A program that uses the library keeps its own logging; only a process of ours takes over what others log.
_configure_ours(logging.INFO)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a module (S4-10)."""
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger(_name=name))
