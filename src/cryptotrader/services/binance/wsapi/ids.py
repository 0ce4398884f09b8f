"""Names of requests and of orders. Pure: randomness and time are handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAG_SPACE = 36**6


def base36(number: int) -> str:
    """A number of 0 or more in lower-case letters and digits."""
    digits = []
    while True:
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
        if not number:
            return "".join(reversed(digits))


class MessageIds:
    """Ids of requests, different on every connection and for every transmission.

    Args:
        draw: Random numbers of [0, 1); drawn once.
    """

    def __init__(self, draw: Callable[[], float]) -> None:
        self._prefix = base36(int(draw() * _TAG_SPACE)) + "-"
        self._count = 0

    def next(self) -> str:
        """One more id."""
        self._count += 1
        return f"{self._prefix}{self._count}"


class ClientOrderIds:
    """Names of orders that do not collide and sort by time.

    ``ct`` + milliseconds (11 digits, hexadecimal) + a tag of this object (6) + a count (hexadecimal): far below the 36
    characters that Binance takes, and only of characters that it takes.

    Args:
        draw: Random numbers of [0, 1); drawn once.
    """

    def __init__(self, draw: Callable[[], float]) -> None:
        self._tag = base36(int(draw() * _TAG_SPACE)).rjust(6, "0")
        self._count = 0
        self._head_ms = -1
        self._head = ""

    def next(self, now_ms: int) -> str:
        """One more name."""
        self._count += 1
        if now_ms != self._head_ms:
            self._head_ms, self._head = now_ms, f"ct{max(0, now_ms):011x}{self._tag}"
        return f"{self._head}{self._count:04x}"

    def fill(self, params: dict[str, object], names: Iterable[str], now_ms: int) -> None:
        """Give a name wherever the caller gave none."""
        for name in names:
            if not params.get(name):
                params[name] = self.next(now_ms)
