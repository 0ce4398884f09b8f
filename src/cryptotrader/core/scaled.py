"""Exact prices and quantities as integers of 10**-8, the precision that Binance's spot market uses everywhere.

A price of ``61837.63`` is the integer ``6183763000000``. Sums and comparisons are exact and fast; a product of two
scaled numbers is scaled twice and must go through ``mul_scaled``.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

SCALE_DIGITS = 8
"""Decimal places kept. Unit: digits. Reason: Binance states eight for every spot asset's precision."""

SCALE: int = 10**SCALE_DIGITS

MAX_TEXT_CHARS = 40
"""Longest accepted number. Unit: characters. Reason: 20 digits each side of the point exceed any real amount."""

_PADDING = ("00000000", "0000000", "000000", "00000", "0000", "000", "00", "0", "")


def parse_scaled(text: str) -> int:
    """Read a plain decimal (``"61837.63"``, ``"-0.5"``) exactly.

    Raises:
        ValueError: The text is no plain decimal number, has more than eight places that are not zero, or is longer
            than ``MAX_TEXT_CHARS``.
    """
    whole, point, fraction = text.partition(".")
    if point and len(fraction) <= SCALE_DIGITS and fraction.isdecimal() and whole.isdecimal() and text.isascii():
        if len(text) > MAX_TEXT_CHARS:
            raise ValueError(f"number of more than {MAX_TEXT_CHARS} characters")
        return int(whole + fraction + _PADDING[len(fraction)])
    return _parse_slowly(text)


def _parse_slowly(text: str) -> int:
    """Everything that is not ``digits.digits``: signs, whole numbers, exponents, surplus zeros."""
    if len(text) > MAX_TEXT_CHARS:
        raise ValueError(f"number of more than {MAX_TEXT_CHARS} characters")
    if not text.isascii() or "_" in text:
        # Decimal would take both, but no protocol of ours writes numbers like that.
        raise ValueError(f"not a decimal number: {text!r}")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"not a decimal number: {text!r}") from None
    return from_decimal(value)


def from_decimal(value: Decimal) -> int:
    """Scale a Decimal.

    Raises:
        ValueError: It is not finite, has more than eight decimal places that are not zero, or is 10**20 or more.
    """
    if not value.is_finite() or value.adjusted() > 20:
        raise ValueError(f"not a usable number: {value}")
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    shift = exponent + SCALE_DIGITS
    number = int("".join(map(str, digits)) or "0")
    if shift >= 0:
        scaled = number * int(10**shift)
    else:
        # A number so small that its shift is huge can only be zero or too precise.
        if -shift > len(digits):
            if number:
                raise ValueError(f"more than {SCALE_DIGITS} decimal places: {value}")
            return 0
        scaled, rest = divmod(number, int(10**-shift))
        if rest:
            raise ValueError(f"more than {SCALE_DIGITS} decimal places: {value}")
    return -scaled if sign else scaled


def to_decimal(value: int) -> Decimal:
    """The same number as a Decimal."""
    return Decimal(value).scaleb(-SCALE_DIGITS)


def format_scaled(value: int) -> str:
    """Eight places, always, as Binance prints prices and quantities: ``"61837.63000000"``."""
    if value < 0:
        return "-" + format_scaled(-value)
    text = str(value)
    if len(text) <= SCALE_DIGITS:
        text = text.zfill(SCALE_DIGITS + 1)
    return f"{text[:-SCALE_DIGITS]}.{text[-SCALE_DIGITS:]}"


def mul_scaled(left: int, right: int) -> int:
    """Product of two scaled numbers, cut (towards zero) to eight places: price times quantity gives quote."""
    product = left * right
    return product // SCALE if product >= 0 else -(-product // SCALE)


def div_scaled(left: int, right: int) -> int:
    """Quotient of two scaled numbers, cut (towards zero) to eight places.

    Raises:
        ZeroDivisionError: ``right`` is zero.
    """
    quotient = abs(left) * SCALE // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient
