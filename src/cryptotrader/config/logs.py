"""Log lines in the form that source 0 documents: ``[INFO] HTTP GET /path - 200 - 12ms`` (S0-63), without secrets."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, TextIO, cast

from cryptotrader.config.secrets import REDACTOR

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


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
    global _is_configured
    # Loaded with the first line that is logged: a program must not wait for it that only imports the client library.
    import structlog

    structlog.configure(
        processors=[structlog.processors.format_exc_info, _render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _StreamProxy())),
        cache_logger_on_first_use=False,
    )
    _is_configured = True


_is_configured = False


class _Logger:
    """The logger of a module, which looks for structlog only when it is used."""

    __slots__ = ("_logger", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        self._logger: FilteringBoundLogger | None = None

    def __getattr__(self, method: str) -> Any:
        if self._logger is None:
            import structlog

            if not _is_configured:
                # A program that uses the library keeps its own logging; only a process of ours takes over what others
                # log.
                _configure_ours(logging.INFO)
            self._logger = cast("FilteringBoundLogger", structlog.get_logger(_name=self._name))
        return getattr(self._logger, method)


def get_logger(name: str) -> FilteringBoundLogger:
    """The logger of a module (S4-10)."""
    return cast("FilteringBoundLogger", _Logger(name))
