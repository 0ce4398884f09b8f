"""One price of many sources (source 2's consensus, C-13)."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.scaled import SCALE
from cryptotrader.market.consensus import Quote, Rule, Standing, consensus, median, weighted_median

NOW_MS = 1_700_000_000_000
NAMES = ("binance", "bitstamp", "coinbase", "kraken", "okx", "paper")

honest_prices = st.lists(st.integers(99_900 * SCALE, 100_100 * SCALE), min_size=3, max_size=5)


def quotes(prices: list[int], *, age_ms: int = 0) -> list[Quote]:
    return [
        Quote(source=name, price=price, time_ms=NOW_MS - age_ms) for name, price in zip(NAMES, prices, strict=False)
    ]


@given(honest_prices, st.integers(1, 10_000_000 * SCALE))
def test_one_wrong_source_never_carries_the_price_out_of_the_range_of_the_right_ones(
    prices: list[int], wrong: int
) -> None:
    liar = Quote(source="liar", price=wrong, time_ms=NOW_MS)
    found = consensus([*quotes(prices), liar], now_ms=NOW_MS)
    assert found is not None
    assert min(prices) <= found.price <= max(prices)
    standing = {verdict.quote.source: verdict.standing for verdict in found.verdicts}
    assert all(standing[name] is Standing.USED for name in NAMES[: len(prices)])
    if wrong > 102_000 * SCALE or wrong < 98_000 * SCALE:
        assert standing["liar"] is Standing.OUTLIER
        for price in (found.median, found.mean, found.volume_weighted, found.time_weighted):
            assert min(prices) - 1 <= price <= max(prices)


@given(honest_prices)
def test_a_silent_source_is_named_stale_and_comes_back(prices: list[int]) -> None:
    old = Quote(source="quiet", price=1, time_ms=NOW_MS - 120_001)
    found = consensus([*quotes(prices), old], now_ms=NOW_MS)
    assert found is not None
    [verdict] = [verdict for verdict in found.verdicts if verdict.quote.source == "quiet"]
    assert (verdict.standing, verdict.age_ms) == (Standing.STALE, 120_001)
    back = Quote(source="quiet", price=prices[0], time_ms=NOW_MS)
    again = consensus([*quotes(prices), back], now_ms=NOW_MS)
    assert again is not None
    assert "quiet" in again.used
    assert again.confidence >= found.confidence


@given(st.lists(st.tuples(st.integers(1, 10**15), st.integers(1, 20)), min_size=1, max_size=12))
def test_a_weighted_median_is_the_median_of_as_many_copies(pairs: list[tuple[int, int]]) -> None:
    copies = [price for price, weight in pairs for _ in range(weight)]
    assert weighted_median(pairs) == median(copies)


@given(st.lists(st.integers(1, 10**15), min_size=1, max_size=6))
def test_means_and_spread_equal_exact_fractions(prices: list[int]) -> None:
    found = consensus(quotes(prices), now_ms=NOW_MS, rule=Rule(min_deviation_ppm=10**24))
    assert found is not None
    mean = Fraction(sum(prices), len(prices))
    assert found.mean == mean // 1
    variance = sum((price - mean) ** 2 for price in prices) / len(prices)
    assert found.std_dev**2 <= variance < (found.std_dev + 1) ** 2


def test_with_two_sources_nobody_can_say_who_is_wrong() -> None:
    found = consensus(quotes([100 * SCALE, 200 * SCALE]), now_ms=NOW_MS)
    assert found is not None
    assert found.used == ("binance", "bitstamp")
    assert found.confidence == 0.0


def test_without_a_fresh_source_there_is_no_price() -> None:
    assert consensus(quotes([SCALE], age_ms=120_001), now_ms=NOW_MS) is None
    assert consensus([], now_ms=NOW_MS) is None
