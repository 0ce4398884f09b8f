"""Rules files and bodies of the admin API: text in, faults out, or an error that names the field. Pure.

A rules file is TOML::

    seed = 7                    # for everything that happens by chance

    [market_latency]            # how late market data is told
    fixed_ms = 20
    jitter_ms = 5

    [[fault]]
    kind = "error"
    operation = "order.place"
    code = -1013
    probability = 0.1
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import msgspec

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.latency import NO_LATENCY, Latency
from cryptotrader.exchange.protocol.faults.book import DEFAULT_SEED, MAX_FAULTS
from cryptotrader.exchange.protocol.faults.model import FaultSpec, problem_of
from cryptotrader.services.binance.registry import by_method

_PLACE = re.compile(r"^(?P<what>.*?) - at `\$\.?(?P<where>.*)`$", re.S)


class FaultRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rules file."""

    seed: int = DEFAULT_SEED
    market_latency: Latency = NO_LATENCY
    fault: tuple[FaultSpec, ...] = ()


class BadFault(ValueError):
    """What is wrong, beginning with the field."""


def decode_fault(body: bytes) -> FaultSpec:
    """The fault in the body of a request.

    Raises:
        BadFault: It is none.
    """
    try:
        spec = msgspec.json.decode(body, type=FaultSpec)
    except msgspec.ValidationError as error:
        raise BadFault(_readable(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFault(str(error)) from None
    if (problem := _problem(spec)) is not None:
        raise BadFault(problem)
    return spec


def read_rules(text: str, name: str) -> FaultRules:
    """The rules in a file.

    Args:
        text: What it holds.
        name: What to call it in an error.

    Raises:
        ConfigError: It is no TOML, or a field is wrong; the text names it.
    """
    try:
        content: dict[str, Any] = tomllib.loads(text)
        rules = msgspec.convert(content, FaultRules)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is no TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {_readable(error)}") from None
    if len(rules.fault) > MAX_FAULTS:
        raise ConfigError(f"{name}: fault: more than {MAX_FAULTS}")
    for number, spec in enumerate(rules.fault, 1):
        if (problem := _problem(spec)) is not None:
            raise ConfigError(f"{name}: fault {number}: {problem}")
    return rules


def _problem(spec: FaultSpec) -> str | None:
    if spec.operation not in (None, "*") and by_method(str(spec.operation)) is None:
        return "operation: no such operation; name it as the WebSocket API does, or * for all"
    return problem_of(spec)


def _readable(error: msgspec.ValidationError) -> str:
    """``fault 2: probability: Expected `float` <= 1.0``."""
    found = _PLACE.match(str(error))
    if found is None:
        return str(error)
    where = re.sub(r"^fault\[(\d+)\]\.?", lambda place: f"fault {int(place[1]) + 1}: ", found["where"])
    return f"{where.removesuffix(': ')}: {found['what']}" if where else found["what"]
