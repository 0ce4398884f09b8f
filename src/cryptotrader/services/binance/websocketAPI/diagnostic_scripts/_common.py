"""What all diagnostic scripts share: coloured results, independent tests, one summary, an exit code.

A test is a method whose name begins with ``test_``; the first line of its docstring is its headline. It passes by
returning what the reader should know, fails by raising, and raises ``NotHere`` where the venue or the key cannot do it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from colorama import Fore, Style

from cryptotrader.config import REDACTOR, configure_logging, get_logger
from cryptotrader.core.errors import ConfigError, CryptotraderError
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._tester import (
    NotHere,
    RequestsTester,
    describe,
    opened,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._venues import (
    Choice,
    Venue,
    open_venue,
    parse_choice,
)

__all__ = [
    "Suite",
    "Test",
    "exit_code_of",
    "parse_choice",
    "print_banner",
    "print_summary",
    "print_test_header",
    "print_test_result",
    "print_test_skipped",
    "run_diagnostics",
    "run_script",
]

logger = get_logger(__name__)

FAILURES = (
    CryptotraderError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ExceptionGroup,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What makes a test fail instead of ending the script: an answer may be wrong in any way. Timeouts are OSErrors."""

TEST_TIMEOUT_S = 40.0
"""Longest one test may take. Unit: seconds. Reason: a few requests, each given up by the connection after ten."""

CLOSE_TIMEOUT_S = 10.0
"""Longest farewell to the venue. Unit: seconds. Reason: the connection itself drops the socket sooner."""

INTERRUPTED = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""Exit codes after a signal, as shells have them: 128 and the signal's number."""

NOT_RUN = "not run"


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one test."""

    name: str
    outcome: str
    """``passed``, ``failed``, ``skipped`` or ``not run``."""
    message: str = ""


class Suite(msgspec.Struct, kw_only=True):
    """What became of one category."""

    name: str
    tests: list[Test]
    requests: list[str] = []
    """Methods that were really sent and answered."""
    latencies: list[object] = []

    @property
    def is_good(self) -> bool:
        """Whether every test ran and none failed."""
        return all(test.outcome in ("passed", "skipped") for test in self.tests)


def print_banner(title: str, project_root: Path) -> None:
    """What is run, when, by which Python, from where."""
    logger.info(f"Added {project_root} to Python path")
    print(f"{Fore.CYAN}=== Binance {title} Diagnostic ==={Style.RESET_ALL}")
    print(f"Current date/time: {datetime.now().astimezone()}")
    print(f"Python version: {sys.version}")
    print(f"Project root: {project_root}")
    print()


def print_test_header(test_name: str) -> None:
    """Print a test header in cyan."""
    print(f"\n{Fore.CYAN}Test: {test_name}{Style.RESET_ALL}")
    logger.info(f"Starting test: {test_name}")


def print_test_result(success: bool, message: str | None = None) -> None:
    """Print a test result in green (success) or red (failure)."""
    if success:
        print(f"{Fore.GREEN}✓ Test passed{Style.RESET_ALL}")
        logger.info(f"Test passed: {message or ''}")
    else:
        print(f"{Fore.RED}✗ Test failed{Style.RESET_ALL}")
        logger.error(f"Test failed: {message or ''}")
    if message:
        print(f"  {message}")


def print_test_skipped(reason: str) -> None:
    """Print in yellow that a test cannot be done here, and why."""
    print(f"{Fore.YELLOW}- Test skipped{Style.RESET_ALL}\n  {reason}")
    logger.info(f"Test skipped: {reason}")


def print_summary(suites: Iterable[Suite]) -> None:
    """Every test in one line, then the counts."""
    tests = [(suite.name, test) for suite in suites for test in suite.tests]
    marks = {
        "passed": f"{Fore.GREEN}✓",
        "failed": f"{Fore.RED}✗",
        "skipped": f"{Fore.YELLOW}-",
        NOT_RUN: f"{Fore.RED}?",
    }
    print(f"\n{Fore.CYAN}=== Summary ==={Style.RESET_ALL}")
    for suite, test in tests:
        tail = f": {test.message}" if test.outcome == "failed" else ""
        print(f"{marks[test.outcome]}{Style.RESET_ALL} {suite}: {test.name}{tail}")
    counts = {outcome: sum(test.outcome == outcome for _, test in tests) for outcome in marks}
    text = ", ".join(
        f"{count} {outcome}" for outcome, count in counts.items() if count or outcome in ("passed", "failed")
    )
    is_good = not counts["failed"] and not counts[NOT_RUN]
    print(f"\n{Fore.GREEN if is_good else Fore.RED}{text}{Style.RESET_ALL}")
    logger.info(f"Summary: {text}")


async def run_diagnostics(testers: Sequence[type[RequestsTester]], choice: Choice) -> list[Suite]:
    """Run the categories one after the other against one venue; the summary comes at the end, whatever happens."""
    suites: list[Suite] = []
    async with open_venue(choice) as venue:
        print(f"Venue: {venue.text}")
        try:
            is_there = True
            for tester in testers:
                suites.append(Suite(name=tester.category, tests=[], requests=[], latencies=[]))
                try:
                    # A venue that one category could not reach will not be there for the next.
                    is_there = is_there and await _run_suite(tester, venue, suites[-1])
                finally:
                    _add_missed(tester, suites[-1])
        finally:
            print_summary(suites)
    return suites


async def _run_suite(kind: type[RequestsTester], venue: Venue, suite: Suite) -> bool:
    """One category over a connection of its own, which is closed in any case; whether there was a connection."""
    try:
        async with opened(venue) as connection:
            tester = kind(venue, connection)
            try:
                for name in kind.test_names():
                    suite.tests.append(await _run_test(headline(getattr(kind, name)), getattr(tester, name)))
            finally:
                suite.requests = sorted(tester.answered)
                suite.latencies = list(tester.latencies)
    except FAILURES as error:
        # Tests do not raise: this is the connection, before the first test or after the last.
        print_test_header(f"Connection to {venue.endpoints.ws_api_url}")
        print_test_result(False, describe(error))
        suite.tests.append(Test(name="Connection", outcome="failed", message=describe(error)))
        return False
    return True


def _add_missed(kind: type[RequestsTester], suite: Suite) -> None:
    """What was not run must not look as if it had passed."""
    done = {test.name for test in suite.tests}
    names = [headline(getattr(kind, name)) for name in kind.test_names()]
    suite.tests.extend(Test(name=name, outcome=NOT_RUN) for name in names if name not in done)


async def _run_test(name: str, test: Callable[[], Awaitable[str]]) -> Test:
    print_test_header(name)
    try:
        async with asyncio.timeout(TEST_TIMEOUT_S):
            message = REDACTOR.clean(await test())
    except NotHere as reason:
        print_test_skipped(str(reason))
        return Test(name=name, outcome="skipped", message=str(reason))
    except FAILURES as error:
        message = describe(error)
        print_test_result(False, message)
        return Test(name=name, outcome="failed", message=message)
    print_test_result(True, message)
    return Test(name=name, outcome="passed", message=message)


def exit_code_of(suites: Iterable[Suite]) -> int:
    """0 where every test that could be done has passed, else 1."""
    return 0 if all(suite.is_good for suite in suites) else 1


def headline(test: object) -> str:
    """The first line of a test's docstring."""
    return (getattr(test, "__doc__", None) or "").strip().partition("\n")[0].rstrip(".")


def run_script(main: Callable[[], Awaitable[int]]) -> int:
    """Run the ``main`` of a script and return the exit code: 0 only where every test that ran has passed.

    SIGINT and SIGTERM end the current test, close the connection, stop the embedded exchange and print the summary.
    """
    configure_logging(os.environ.get("LOG_LEVEL") or "WARNING")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    caught: list[int] = []
    try:
        return asyncio.run(_interruptible(main, caught))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print(f"\n{Fore.YELLOW}Diagnostic interrupted by user{Style.RESET_ALL}")
        return caught[0] if caught else INTERRUPTED[signal.SIGINT]
    except ConfigError as error:
        print(f"\n{Fore.RED}Fatal error in diagnostic: {error.message}{Style.RESET_ALL}")
    except FAILURES as error:
        print(f"\n{Fore.RED}Fatal error in diagnostic: {describe(error)}{Style.RESET_ALL}")
        print(REDACTOR.clean(traceback.format_exc()), file=sys.stderr)
    return 1


async def _interruptible(main: Callable[[], Awaitable[int]], caught: list[int]) -> int:
    task = asyncio.current_task()
    assert task is not None

    def interrupt(code: int) -> None:
        # A second signal must not cut short what the first one has begun to tidy up.
        if not caught:
            caught.append(code)
            task.cancel()

    if sys.platform != "win32":
        for number, code in INTERRUPTED.items():
            asyncio.get_running_loop().add_signal_handler(number, interrupt, code)
    return await main()
