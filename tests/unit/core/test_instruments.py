"""Spellings of symbols."""

from __future__ import annotations

import pytest

from cryptotrader.core.errors import UnknownSymbol
from cryptotrader.core.instruments import Instrument, compact_symbol


@pytest.mark.parametrize("text", ["BTCUSDT", "btcusdt", "BTC/USDT", "btc-usdt", "Btc_Usdt", "BTC:USDT"])
def test_c_12_every_spelling_of_a_pair_means_the_same(text: str) -> None:
    assert compact_symbol(text) == "BTCUSDT" == Instrument("BTC", "USDT").symbol


def test_letters_need_not_be_ascii() -> None:
    assert compact_symbol("币安人生usdt") == "币安人生USDT"


@pytest.mark.parametrize("text", ["", " ", "BTC USDT", "BTC//USDT", "A" * 21, "BTC\n", "../etc", "BTC/USDT/X", "%00"])
def test_what_cannot_be_a_symbol_is_refused(text: str) -> None:
    with pytest.raises(UnknownSymbol):
        compact_symbol(text)
