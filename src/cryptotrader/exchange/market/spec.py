"""Reads market specifications, the words that choose what moves the paper exchange.

::

    default                                        the shipped BTCUSDT recording, looped; all other symbols synthetic
    synthetic[?seed=N&symbols=A,B]                 all sixty symbols, made up
    tape:FILE[,FILE...][?speed=N&loop=true]        a recording: raw (several consecutive files) or ``.tape``
    tape:...?speed=max&hold=true                   as fast as it can be taken, from when somebody watches
    mirror:VENUE[?symbols=A,B&stream=URL]          live books of ``binance``, ``binance-us`` or a base URL
    tape:FILE+synthetic                            several, for different symbols: synthetic leaves out what tapes serve
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import msgspec

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.market.control import MAX_SEED, read_speed
from cryptotrader.exchange.market.profiles import PROFILES
from cryptotrader.exchange.market.recordings.columns import Recording
from cryptotrader.exchange.market.recordings.compact import is_compact, load
from cryptotrader.exchange.market.recordings.raw import read_raw
from cryptotrader.exchange.market.source import MarketSource
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.market.tape import TapeSource

PACKAGED_TAPE = Path(__file__).with_name("data") / "btcusdt.tape"
"""Five minutes of BTCUSDT as recorded on 2024-08-08; see the NOTICE beside it."""

DEFAULT_MARKET_SPEC = "default"

DEFAULT_SEED = 1

MIRRORED_SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT")
"""What a mirror shows where nothing is said."""

MAX_MIRRORED = 20
"""Most symbols of a mirror. Unit: symbols. Reason: each costs the venue's request weight 300 when it is opened, and
6,000 a minute are allowed."""

_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class TapeSpec(msgspec.Struct, frozen=True):
    """A recording to play."""

    files: tuple[Path, ...]
    speed: Fraction | None = Fraction(1)
    """None: as fast as events are asked for."""
    loop: bool = False
    hold: bool = False
    seed: int = DEFAULT_SEED


class SyntheticSpec(msgspec.Struct, frozen=True):
    """A made-up market."""

    seed: int = DEFAULT_SEED
    symbols: tuple[str, ...] | None = None
    """All that no other part serves where None."""


class MirrorSpec(msgspec.Struct, frozen=True):
    """Another venue to follow."""

    venue: str
    """A name (``binance``), or the base URL of its REST API."""
    symbols: tuple[str, ...] = MIRRORED_SYMBOLS
    stream_url: str | None = None
    """Base URL of its streams where it is not that of the venue named, or the REST API's with ``ws`` for ``http``."""


Part = TapeSpec | SyntheticSpec | MirrorSpec


def parse_market(text: str) -> tuple[Part, ...]:
    """Read a specification without opening any file.

    Raises:
        ConfigError: It is not one; the message names the part and what is wrong with it.
    """
    parts: list[Part] = []
    for part in text.split("+"):
        word, _, query = part.strip().partition("?")
        kind, colon, argument = word.partition(":")
        match kind:
            case "default" if not colon:
                _options(part, query, ())
                parts += [TapeSpec((PACKAGED_TAPE,), loop=True), SyntheticSpec()]
            case "synthetic" if not colon:
                options = _options(part, query, ("seed", "symbols"))
                parts.append(SyntheticSpec(_seed(part, options), _symbols(options) or None))
            case "tape":
                parts.append(_tape(part, argument, query))
            case "mirror":
                parts.append(_mirror(part, argument, query))
            case _:
                raise ConfigError(f"market {part!r}: expected default, synthetic, tape:FILE or mirror:VENUE")
    if sum(isinstance(part, SyntheticSpec) for part in parts) > 1:
        raise ConfigError(f"market {text!r}: more than one synthetic part")
    return tuple(parts)


def open_market(
    text: str = DEFAULT_MARKET_SPEC, mirrors: Mapping[MirrorSpec, MarketSource] | None = None
) -> list[MarketSource]:
    """The sources that a specification asks for; recordings are read here.

    Args:
        text: The specification.
        mirrors: Those of its parts that follow another venue, opened already: that takes a network.

    Raises:
        ConfigError: The specification is wrong, a file cannot be read, or two parts serve the same symbol.
    """
    parts = parse_market(text)
    sources: list[MarketSource] = []
    taken: set[str] = set()
    for part in parts:
        if isinstance(part, TapeSpec):
            recording = read_recording(part.files)
            if recording.symbol in taken:
                raise ConfigError(f"market {text!r}: two tapes of {recording.symbol}")
            taken.add(recording.symbol)
            sources.append(TapeSource(recording, speed=part.speed, loop=part.loop, hold=part.hold, seed=part.seed))
        elif isinstance(part, MirrorSpec):
            source = (mirrors or {}).get(part)
            if source is None or taken.intersection(part.symbols):
                raise ConfigError(f"market {text!r}: two parts serve a symbol, or a mirror is not open")
            taken.update(part.symbols)
            sources.append(source)
    for part in parts:
        if isinstance(part, SyntheticSpec):
            left = [symbol for symbol in part.symbols or PROFILES if symbol not in taken]
            sources.append(SyntheticSource(seed=part.seed, symbols=left))
    return sources


def read_recording(files: Iterable[Path]) -> Recording:
    """A recording in either format, told apart by its first bytes.

    Raises:
        ConfigError: A file cannot be read, or a compact tape comes with other files.
    """
    paths = list(files)
    if any(is_compact(path) for path in paths):
        if len(paths) > 1:
            raise ConfigError(f"tape {paths[0]}: a compact tape cannot be joined with other files")
        return load(paths[0])
    return read_raw(paths)


def _tape(part: str, argument: str, query: str) -> TapeSpec:
    files = tuple(Path(name).expanduser() for name in argument.split(",") if name)
    if not files:
        raise ConfigError(f"market {part!r}: no file; expected tape:FILE[,FILE...]")
    options = _options(part, query, ("speed", "loop", "hold", "seed"))
    return TapeSpec(
        files=files,
        speed=_speed(part, options.get("speed", "1")),
        loop=_truth(part, options, "loop"),
        hold=_truth(part, options, "hold"),
        seed=_seed(part, options),
    )


def _mirror(part: str, argument: str, query: str) -> MirrorSpec:
    if not argument:
        raise ConfigError(f"market {part!r}: no venue; expected mirror:binance, mirror:binance-us or mirror:URL")
    options = _options(part, query, ("symbols", "stream"))
    symbols = _symbols(options)
    if len(symbols) > MAX_MIRRORED or len(set(symbols)) < len(symbols):
        raise ConfigError(f"market {part!r}: at most {MAX_MIRRORED} symbols, each once")
    return MirrorSpec(argument, symbols or MIRRORED_SYMBOLS, options.get("stream"))


def _symbols(options: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name.strip().upper() for name in options.get("symbols", "").split(",") if name.strip())


def _options(part: str, query: str, known: tuple[str, ...]) -> dict[str, str]:
    options: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        if name not in known or not equals:
            allowed = ", ".join(f"{option}=" for option in known) or "none"
            raise ConfigError(f"market {part!r}: unknown option {pair!r}; known: {allowed}")
        if name in options:
            raise ConfigError(f"market {part!r}: {name} is given twice")
        options[name] = value
    return options


def _speed(part: str, text: str) -> Fraction | None:
    try:
        return read_speed(text)
    except ValueError as error:
        raise ConfigError(f"market {part!r}: {error}") from None


def _truth(part: str, options: Mapping[str, str], name: str) -> bool:
    text = options.get(name, "false").lower()
    if text not in _TRUTHS:
        raise ConfigError(f"market {part!r}: {name} must be true or false")
    return _TRUTHS[text]


def _seed(part: str, options: Mapping[str, str]) -> int:
    text = options.get("seed", str(DEFAULT_SEED))
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MAX_SEED)) or int(text) > MAX_SEED:
        raise ConfigError(f"market {part!r}: seed must be a whole number from 0 to {MAX_SEED}")
    return int(text)
