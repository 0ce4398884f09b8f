"""One price out of many sources', and why each was used or not (source 2, ``/aggregates/consensus``; S3-4; C-13).

The rule, step by step, so that anyone can check it by hand:

1. A source whose last price is older than ``stale_ms`` is left out as ``stale``.
2. The median of the others is taken, each counting once.
3. A source further from that median than the allowed deviation is left out as ``outlier``. Allowed is three times the
   median of all distances, times 1.4826 (which makes it a standard deviation where prices are spread normally), and
   never less than ``min_deviation_ppm`` of the median: calm markets must not reject a source for a tick. With fewer
   than three sources nobody can say who is wrong, so none is rejected.
4. Of those left the price is the weighted median: sort by price, add up the weights, take the first price at which half
   of the whole weight is reached (where exactly half is reached, the mean of that price and the next). So one wrong
   source can never carry the price out of the range of the right ones while it has less than half of the weight.
5. Confidence is the product of three parts, each between 0 and 1: how many sources were used (``1 - 0.5 ** n``), what
   share of the known sources that is, and how near they lie together (1 at no spread, 0 at ``max_spread_ppm``).

Prices are scaled integers; the means are cut to eight places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from math import isqrt

import msgspec

PPM = 1_000_000

MAD_NUMERATOR, MAD_DENOMINATOR = 44_478, 10_000
"""3 * 1.4826, exactly."""

MIN_JUDGES = 3
"""Sources that are needed to tell who is wrong."""


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What one source says."""

    source: str
    price: int
    volume: int = 0
    """Of its last 24 hours, in the base asset, scaled; 0 where it does not tell. Weight of the volume-weighted mean."""
    time_ms: int
    """When it said so, by its own account or by ours, epoch milliseconds."""
    weight: int = 1
    """How much it counts in the weighted median."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of the rule."""

    stale_ms: int = 120_000
    min_deviation_ppm: int = 5_000
    """0.5 percent. Reason: venues that are right differ by less, one that is wrong by more."""
    max_spread_ppm: int = 20_000
    """2 percent: a spread at which nobody should believe the price."""


class Standing(StrEnum):
    """What became of a source."""

    USED = "used"
    STALE = "stale"
    OUTLIER = "outlier"


class Verdict(msgspec.Struct, frozen=True):
    """One source in a consensus."""

    quote: Quote
    standing: Standing
    age_ms: int
    deviation_ppm: int
    """How far from the median of step 2, in millionths; 0 for who was stale."""


class Consensus(msgspec.Struct, frozen=True, kw_only=True):
    """One price."""

    price: int
    """The weighted median."""
    median: int
    mean: int
    volume_weighted: int
    """Mean by volume; the plain mean where no source tells its volume."""
    time_weighted: int
    """Mean in which a source counts the less the older it is: by ``stale_ms - age``."""
    std_dev: int
    confidence: float
    time_ms: int
    verdicts: tuple[Verdict, ...]
    """Every source, used or not, in order of their names."""

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the sources that were used."""
        return tuple(verdict.quote.source for verdict in self.verdicts if verdict.standing is Standing.USED)


DEFAULT_RULE = Rule()


def consensus(quotes: Iterable[Quote], *, now_ms: int, rule: Rule = DEFAULT_RULE) -> Consensus | None:
    """What the sources say together; None where none of them has anything fresh to say."""
    known = sorted(quotes, key=lambda quote: quote.source)
    fresh = [quote for quote in known if now_ms - quote.time_ms <= rule.stale_ms and quote.price > 0]
    if not fresh:
        return None
    middle = median([quote.price for quote in fresh])
    allowed = _allowed(fresh, middle, rule)
    used = [quote for quote in fresh if abs(quote.price - middle) <= allowed]
    return Consensus(
        price=weighted_median([(quote.price, quote.weight) for quote in used]),
        median=median([quote.price for quote in used]),
        mean=_mean([(quote.price, 1) for quote in used]),
        volume_weighted=_mean([(quote.price, quote.volume) for quote in used]),
        time_weighted=_mean([(quote.price, rule.stale_ms - max(now_ms - quote.time_ms, 0) + 1) for quote in used]),
        std_dev=_std_dev([quote.price for quote in used]),
        confidence=_confidence(used, len(known), rule),
        time_ms=now_ms,
        verdicts=tuple(_verdict(quote, fresh, used, middle=middle, now_ms=now_ms) for quote in known),
    )


def median(values: Sequence[int]) -> int:
    """The middle one; of an even number the mean of the two in the middle, cut.

    Raises:
        IndexError: There is none.
    """
    ordered = sorted(values)
    half, odd = divmod(len(ordered), 2)
    return ordered[half] if odd else (ordered[half - 1] + ordered[half]) // 2


def weighted_median(pairs: Sequence[tuple[int, int]]) -> int:
    """Step 4 of the rule over (price, weight).

    Raises:
        ValueError: No pair has a weight.
    """
    ordered = sorted(pair for pair in pairs if pair[1] > 0)
    total = sum(weight for _, weight in ordered)
    reached = 0
    for index, (price, weight) in enumerate(ordered):
        reached += weight
        if 2 * reached == total:
            return (price + ordered[index + 1][0]) // 2
        if 2 * reached > total:
            return price
    raise ValueError("nothing has a weight")


def _allowed(fresh: Sequence[Quote], middle: int, rule: Rule) -> int:
    """The largest distance from the median that is believed; more than any where too few can judge."""
    distances = [abs(quote.price - middle) for quote in fresh]
    if len(fresh) < MIN_JUDGES:
        return max(distances)
    return max(median(distances) * MAD_NUMERATOR // MAD_DENOMINATOR, middle * rule.min_deviation_ppm // PPM)


def _mean(pairs: Sequence[tuple[int, int]]) -> int:
    total = sum(weight for _, weight in pairs)
    if not total:
        return sum(price for price, _ in pairs) // len(pairs)
    return sum(price * weight for price, weight in pairs) // total


def _std_dev(prices: Sequence[int]) -> int:
    """Of the population, cut."""
    count, total = len(prices), sum(prices)
    return isqrt(sum(count * price * price for price in prices) - total * total) // count


def _confidence(used: Sequence[Quote], known: int, rule: Rule) -> float:
    prices = [quote.price for quote in used]
    spread_ppm = (max(prices) - min(prices)) * PPM // median(prices)
    nearness = max(0.0, 1 - spread_ppm / rule.max_spread_ppm)
    return round((1 - 0.5 ** len(used)) * len(used) / known * nearness, 4)


def _verdict(quote: Quote, fresh: Sequence[Quote], used: Sequence[Quote], *, middle: int, now_ms: int) -> Verdict:
    age_ms = now_ms - quote.time_ms
    if quote not in fresh:
        return Verdict(quote, Standing.STALE, age_ms, 0)
    deviation_ppm = (quote.price - middle) * PPM // middle
    return Verdict(quote, Standing.USED if quote in used else Standing.OUTLIER, age_ms, deviation_ppm)
