"""What the diagnostics' runner makes of tests that pass, fail, raise, hang or cannot be done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from cryptotrader.config import configure_logging
from cryptotrader.core.errors import ConfigError, VenueRejected, VenueUnreachable
from cryptotrader.services.binance.endpoints import VENUES, paper
from cryptotrader.services.binance.registry import SPECS, AnySpec
from cryptotrader.services.binance.request import SecurityType
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts import _common
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._common import Suite, exit_code_of, run_diagnostics
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._tester import (
    HARMLESS,
    NotHere,
    RequestsTester,
    is_unsupported,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._venues import (
    Choice,
    Venue,
    open_venue,
    parse_choice,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts.user_stream_diagnostics.user_data_stream_requests_diagnostic import (  # noqa: E501 - the names are fixed
    UserDataStreamRequestsTester,
)

VENUE = Venue("a venue of the test", paper(), None, may_trade=False)


class FakeConnection:
    """Knows only whether it was closed."""

    closed = 0


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    """A script sets the level of the whole process."""
    configure_logging()
    yield
    configure_logging()


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> FakeConnection:
    fake = FakeConnection()

    @asynccontextmanager
    async def opened(venue: Venue) -> AsyncIterator[FakeConnection]:
        try:
            yield fake
        finally:
            fake.closed += 1

    @asynccontextmanager
    async def opened_venue(choice: Choice) -> AsyncIterator[Venue]:
        yield VENUE

    monkeypatch.setattr(_common, "opened", opened)
    monkeypatch.setattr(_common, "open_venue", opened_venue)
    return fake


class MixedTester(RequestsTester):
    """One test of each fate."""

    category = "Mixed"

    async def test_good(self) -> str:
        """A good one."""
        return "all is well"

    async def test_wrong(self) -> str:
        """One that finds something."""
        raise AssertionError("two is not three")

    async def test_answer(self) -> str:
        """One whose answer has another form."""
        answer: dict[str, str] = {}
        return answer["price"]

    async def test_refused(self) -> str:
        """One that is refused."""
        raise VenueRejected("Invalid symbol.", venue_code=-1121)

    async def test_silent(self) -> str:
        """One that hangs."""
        await asyncio.Event().wait()
        return ""

    async def test_elsewhere(self) -> str:
        """One that cannot be done here."""
        raise NotHere("it needs a key")

    async def test_last(self) -> str:
        """One after all of them."""
        return "still here"


async def test_s4_21_tests_are_independent_and_summed_up(
    connection: FakeConnection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """S4-21: whatever becomes of one test, the next one runs; the summary tells all; the connection is closed."""
    monkeypatch.setattr(_common, "TEST_TIMEOUT_S", 0.05)
    (suite,) = await run_diagnostics([MixedTester], Choice())
    assert [test.outcome for test in suite.tests] == [
        "passed", "failed", "failed", "failed", "failed", "skipped", "passed",
    ]  # fmt: skip
    assert [test.message for test in suite.tests[1:5]] == [
        "AssertionError: two is not three",
        "KeyError: 'price'",
        "Invalid symbol. (code -1121, status 400)",
        "no answer in time",
    ]
    assert connection.closed == 1
    assert exit_code_of([suite]) == 1
    text = capsys.readouterr().out
    assert "\x1b[36mTest: A good one" in text
    assert text.count("\x1b[32m✓ Test passed") == 2
    assert text.count("\x1b[31m✗ Test failed") == 4
    assert "2 passed, 4 failed, 1 skipped" in text.split("=== Summary ===")[1]


async def test_s4_21_an_interrupted_run_closes_and_sums_up(
    connection: FakeConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    """S4-21: what was not run is not told as passed."""
    task = asyncio.ensure_future(run_diagnostics([MixedTester], Choice()))
    while "One that hangs" not in capsys.readouterr().out:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.closed == 1
    assert "1 passed, 3 failed, 3 not run" in capsys.readouterr().out


async def test_s4_21_a_connection_that_cannot_be_had_is_a_failure(
    connection: FakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4-21: the tests are told as not run, and the exit code is 1."""

    @asynccontextmanager
    async def refused(venue: Venue) -> AsyncIterator[FakeConnection]:
        if venue is VENUE:
            raise VenueUnreachable("no connection: ConnectionRefusedError")
        yield connection

    monkeypatch.setattr(_common, "opened", refused)
    first, second = await run_diagnostics([MixedTester, MixedTester], Choice())
    assert [test.outcome for test in first.tests] == ["failed", *["not run"] * 7]
    assert first.tests[0].message == "no connection: ConnectionRefusedError"
    assert {test.outcome for test in second.tests} == {"not run"}
    assert exit_code_of([first, second]) == 1


def test_s4_20_headers_and_results_are_printed_and_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """S4-20: cyan header, green tick, red cross; each stands in the log too."""
    _common.print_test_header("a headline")
    _common.print_test_result(True, "well")
    _common.print_test_result(False, "badly")
    shown = capsys.readouterr()
    assert shown.out == (
        "\n\x1b[36mTest: a headline\x1b[0m\n"
        "\x1b[32m✓ Test passed\x1b[0m\n  well\n"
        "\x1b[31m✗ Test failed\x1b[0m\n  badly\n"
    )
    assert shown.err == ("[INFO] Starting test: a headline\n[INFO] Test passed: well\n[ERROR] Test failed: badly\n")


def test_s4_22_nothing_run_is_nothing_failed() -> None:
    """S4-22: the exit code speaks of tests that failed or did not run."""
    assert exit_code_of([Suite(name="Empty", tests=[])]) == 0


def test_s4_21_a_fatal_error_is_red_with_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """S4-21: the exit code is 1."""

    async def main() -> int:
        raise RuntimeError("the roof is on fire")

    assert _common.run_script(main) == 1
    shown = capsys.readouterr()
    assert "\x1b[31mFatal error in diagnostic: RuntimeError: the roof is on fire" in shown.out
    assert "Traceback" in shown.err


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.security is SecurityType.TRADE], ids=lambda s: s.name)
def test_nothing_that_trades_passes_where_it_may_not(spec: AnySpec) -> None:
    """S4-22: with real money a diagnostic only reads and tests orders."""
    keyed = Venue("real", VENUES["binance"], Credentials.of("key", "secret"), may_trade=False)
    tester = RequestsTester(keyed, cast(BinanceWebSocketConnection, FakeConnection()))
    if spec.method in HARMLESS:
        tester._admit(spec)
        return
    with pytest.raises(NotHere, match="orders"):
        tester._admit(spec)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.needs_key], ids=lambda s: s.name)
def test_without_a_key_nothing_that_needs_one_is_sent(spec: AnySpec) -> None:
    tester = RequestsTester(VENUE, cast(BinanceWebSocketConnection, FakeConnection()))
    with pytest.raises(NotHere, match="BINANCE_API_KEY"):
        tester._admit(spec)


async def test_s4_22_retired_listen_keys_pass_where_the_error_names_what_replaced_them() -> None:
    """S4-22: on Binance itself the three old requests end with a typed error before anything is sent."""
    credentials = Credentials.of("key", "secret")
    venue = Venue("real", VENUES["binance"], credentials, may_trade=False)
    connection = BinanceWebSocketConnection(url=venue.endpoints.ws_api_url, credentials=credentials)
    tester = UserDataStreamRequestsTester(venue, connection)
    text = await tester.test_listen_key()
    await connection.close()
    assert "userDataStream.stop was retired by the venue; use userDataStream.unsubscribe" in text
    assert tester.answered == {"userDataStream.start", "userDataStream.ping", "userDataStream.stop"}


async def test_live_never_trades_and_testnet_does() -> None:
    async with open_venue(Choice(live=True)) as live, open_venue(Choice(testnet=True)) as testnet:
        assert (live.may_trade, live.endpoints.name) == (False, "binance")
        assert (testnet.may_trade, testnet.endpoints.name) == (True, "binance-testnet")


@pytest.mark.parametrize(
    "url",
    ["wss://ws-api.binance.com:443/ws-api/v3", "wss://ws-api.binance.com:9443/ws-api/v3", "wss://ws-api.binance.us/"],
)
async def test_orders_are_refused_at_addresses_of_real_venues(url: str) -> None:
    with pytest.raises(ConfigError, match="real money"):
        async with open_venue(Choice(url=url, orders=True)):
            pass
    async with open_venue(Choice(url=url)) as venue:
        assert not venue.may_trade
        assert venue.endpoints.rest_url.startswith("https://api.binance.")


async def test_another_address_brings_its_own_rest_api() -> None:
    async with open_venue(Choice(url="ws://127.0.0.1:4100/ws-api/v3")) as venue:
        assert venue.endpoints.rest_url == "http://127.0.0.1:4100"
        assert not venue.may_trade


def test_flags_exclude_each_other() -> None:
    assert parse_choice("usage", []) == Choice()
    assert parse_choice("usage", ["--url", "ws://x", "--orders"]) == Choice(url="ws://x", orders=True)
    with pytest.raises(SystemExit):
        parse_choice("usage", ["--live", "--testnet"])


def test_a_request_that_a_venue_does_not_know_is_told_from_one_that_it_refuses() -> None:
    assert is_unsupported(VenueRejected("This operation is not supported.", venue_code=-1020))
    assert is_unsupported(VenueRejected("OCO orders are not supported for this symbol", venue_code=-2010))
    assert not is_unsupported(VenueRejected("Account has insufficient balance.", venue_code=-2010))
