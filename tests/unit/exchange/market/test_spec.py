"""Market specifications (DESIGN 8, ``--market SPEC``)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.market.profiles import PROFILES
from cryptotrader.exchange.market.recordings import compact
from cryptotrader.exchange.market.spec import (
    DEFAULT_MARKET_SPEC,
    PACKAGED_TAPE,
    SyntheticSpec,
    TapeSpec,
    open_market,
    parse_market,
)
from tests.support.recordings import small_recording


def test_the_default_plays_the_shipped_tape_and_moves_the_other_symbols() -> None:
    assert parse_market(DEFAULT_MARKET_SPEC) == (TapeSpec((PACKAGED_TAPE,), loop=True), SyntheticSpec())
    tape, synthetic = open_market()
    assert tape.symbols == ("BTCUSDT",)
    assert synthetic.symbols == tuple(symbol for symbol in PROFILES if symbol != "BTCUSDT")
    assert len(synthetic.symbols) == 59


def test_every_option_is_read() -> None:
    assert parse_market("tape:a.gz,b.gz?speed=2.5&loop=true&hold=yes&seed=4+synthetic?seed=9") == (
        TapeSpec((Path("a.gz"), Path("b.gz")), speed=Fraction(5, 2), loop=True, hold=True, seed=4),
        SyntheticSpec(9),
    )
    assert parse_market("tape:a?speed=max") == (TapeSpec((Path("a"),), speed=None),)
    assert parse_market("synthetic") == (SyntheticSpec(),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected default, synthetic, tape:FILE or mirror:VENUE"),
        ("tape:", "no file"),
        ("tape", "no file"),
        ("tapes:x", "expected default"),
        ("synthetic:x", "expected default"),
        ("mirror:", "no venue"),
        ("synthetic?speed=2", "unknown option 'speed=2'; known: seed="),
        ("default?loop=true", "known: none"),
        ("synthetic?seed", "unknown option"),
        ("synthetic?seed=-1", "seed must be a whole number"),
        ("synthetic?seed=99999999999999999999", "seed must be"),
        ("tape:x?speed=0", "speed must be max or a number"),
        ("tape:x?speed=nan", "speed must be"),
        ("tape:x?speed=fast", "speed must be"),
        ("tape:x?speed=1e9", "speed must be"),
        ("tape:x?loop=maybe", "loop must be true or false"),
        ("tape:x?loop=true&loop=true", "given twice"),
        ("synthetic+synthetic?seed=2", "more than one synthetic"),
    ],
)
def test_a_wrong_specification_says_which_part_is_wrong_and_why(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_market(text)
    assert message in caught.value.message
    assert "market '" in caught.value.message


def test_two_tapes_of_one_symbol_and_compact_tapes_in_a_row_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    path.write_bytes(compact.dump(small_recording()))
    with pytest.raises(ConfigError, match="two tapes of BTCUSDT"):
        open_market(f"tape:{path}+default")
    with pytest.raises(ConfigError, match="cannot be joined"):
        open_market(f"tape:{path},{path}")
    assert open_market(f"tape:{path}")[0].symbols == ("BTCUSDT",)
