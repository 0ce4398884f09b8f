"""Asks the venue what became of an order, a few times and with growing pauses. Never sends anything that trades."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from cryptotrader.core.errors import CryptotraderError, VenueRejected, VenueTimeout
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.validate import parse_params
from cryptotrader.services.binance.websocketAPI.account_requests.acct_trade_history import SPEC as MY_TRADES
from cryptotrader.services.binance.websocketAPI.trading_requests.query_order import SPEC as QUERY_ORDER
from cryptotrader.trading.outcome import (
    NO_SUCH_ORDER,
    OrderState,
    ResolvePolicy,
    Verdict,
    is_report,
    placed_from_report,
)
from cryptotrader.trading.ports import Upstream


class Finding(msgspec.Struct, frozen=True):
    """What the venue said last."""

    verdict: Verdict
    report: bytes = b""
    """Answer of ``GET /api/v3/order`` where it landed."""

    @property
    def state(self) -> OrderState:
        """The decisive part of the report."""
        return msgspec.json.decode(self.report, type=OrderState)


class Resolver:
    """Finds out the fate of orders.

    Args:
        upstream: The venue.
        clock: Monotonic time, and waiting.
        policy: How long and how often to ask.
    """

    def __init__(self, upstream: Upstream, clock: WaitingClock, policy: ResolvePolicy) -> None:
        self._upstream = upstream
        self._clock = clock
        self._policy = policy

    async def look(self, which: Mapping[str, str]) -> bytes | None:
        """The order's state, or None where it does not exist.

        Args:
            which: ``symbol`` with ``orderId`` or ``origClientOrderId``.

        Raises:
            CryptotraderError: The venue did not say.
        """
        try:
            async with asyncio.timeout(self._policy.question_timeout_s):
                report = (await self._upstream.raw(QUERY_ORDER, parse_params(QUERY_ORDER, which))).body
        except VenueRejected as error:
            if error.venue_code == NO_SUCH_ORDER:
                return None
            raise
        except TimeoutError:
            raise VenueTimeout("no answer to a question about an order") from None
        if not is_report(report):
            raise VenueTimeout("the answer to a question about an order cannot be read")
        return report

    async def _ask(self, which: Mapping[str, str], since_ms: int) -> Finding:
        try:
            report = await self.look(which)
        except CryptotraderError:
            return Finding(Verdict.UNKNOWN)
        if report is None:
            return Finding(Verdict.ABSENT)
        found = Finding(Verdict.LANDED, report)
        return found if found.state.time >= since_ms else Finding(Verdict.ABSENT)

    async def resolve(
        self, which: Mapping[str, str], *, sent_ns: int, since_ms: int = 0, wait_for_end: bool = False
    ) -> Finding:
        """Ask until the fate is known or the policy's limit is reached.

        Args:
            which: As in ``look``.
            sent_ns: Monotonic time at which the order was sent.
            since_ms: An order that was placed before (epoch ms of the venue) is an older one of the same name.
            wait_for_end: An order that still stands is not what was asked for: go on until it is done.
        """
        deadline_ns = self._policy.deadline_ns(sent_ns=sent_ns, failed_ns=self._clock.monotonic_ns())
        asked = absent = 0
        while True:
            finding = await self._ask(which, since_ms)
            asked += 1
            absent = absent + 1 if finding.verdict is Verdict.ABSENT else 0
            if finding.verdict is Verdict.LANDED and not (wait_for_end and finding.state.is_open):
                return finding
            now_ns = self._clock.monotonic_ns()
            if self._policy.is_absent(absent_in_a_row=absent, since_sent_ns=now_ns - sent_ns):
                return Finding(Verdict.ABSENT)
            if now_ns >= deadline_ns:
                return finding if finding.verdict is Verdict.LANDED else Finding(Verdict.UNKNOWN)
            await self._clock.sleep(self._policy.delay_s(asked))

    async def as_placed(self, symbol: str, finding: Finding) -> bytes:
        """The order's state in the shape of the answer to placing it, with its fills where it has any."""
        state = finding.state
        if not state.has_fills:
            return placed_from_report(finding.report, b"[]")
        which = {"symbol": symbol, "orderId": str(state.order_id)}
        try:
            async with asyncio.timeout(self._policy.question_timeout_s):
                trades = await self._upstream.raw(MY_TRADES, parse_params(MY_TRADES, which))
            return placed_from_report(finding.report, trades.body)
        except (CryptotraderError, TimeoutError, ValueError, KeyError):
            return placed_from_report(finding.report, None)
