"""Requests as bytes, and what of them is signed."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from cryptotrader.core.errors import InvalidParams
from cryptotrader.core.orders import Side
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.wsapi.frames import request_frame, sign, signing_input, text_of, wire_params
from cryptotrader.services.binance.wsapi.ids import ClientOrderIds, MessageIds, base36

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"


def documents_order() -> dict[str, object]:
    """The sample of ``web-socket-api.md``, "SIGNED request example (HMAC)"."""
    return {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01000000",
        "price": "52000.00",
        "recvWindow": 100,
    }


def test_s4_9_binances_own_sample_gets_the_signature_of_the_document() -> None:
    params = documents_order()
    sign(params, Credentials.of(KEY, SECRET), 1_645_423_376_532)
    assert params["signature"] == "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"


@pytest.mark.parametrize("value", [100, 100.0, 1e-05, 0.1, 123456789.123, True, 10**20, "1.50", ["A", "B"]])
def test_s4_9_every_value_is_signed_by_the_very_characters_that_are_sent(value: object) -> None:
    frame = request_frame("a-1", "order.place", wire_params({"price": value}))
    sent = msgspec.json.decode(frame, type=dict[str, msgspec.Raw])
    lexeme = bytes(msgspec.json.decode(sent["params"], type=dict[str, msgspec.Raw])["price"]).decode()
    assert signing_input({"price": value}) == "price=" + lexeme.strip('"')


def test_s4_9_parameters_are_sorted_by_name_and_not_percent_encoded() -> None:
    """Symbols may have letters that are not ASCII."""
    params: dict[str, object] = {"symbol": "１２３４５６", "apiKey": "k", "side": "BUY", "signature": "old"}
    assert signing_input(params) == "apiKey=k&side=BUY&symbol=１２３４５６"
    assert "１２３４５６".encode() in request_frame("a-1", "order.place", params)


def test_decimals_are_sent_as_plain_digits_and_enums_by_their_values() -> None:
    """Binance refuses exponents (user-pains 10)."""
    sent = wire_params({"price": Decimal("1E-5"), "quantity": Decimal("12"), "side": Side.BUY, "limit": None})
    assert sent == {"price": "0.00001", "quantity": "12", "side": "BUY"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")])
def test_what_is_no_number_is_refused_before_it_is_sent(value: object) -> None:
    with pytest.raises(InvalidParams) as caught:
        wire_params({"price": value})
    assert caught.value.param == "price"


def test_a_request_without_parameters_has_no_params() -> None:
    assert request_frame("a-1", "time", {}) == b'{"id":"a-1","method":"time"}'


def test_text_of_a_text_is_itself() -> None:
    assert (text_of("1.0"), text_of(1.0), text_of(False)) == ("1.0", "1.0", "false")


def test_ids_of_one_client_never_repeat_and_clients_differ() -> None:
    one, other = MessageIds(lambda: 0.1), MessageIds(lambda: 0.7)
    ids = [one.next() for _ in range(1_000)] + [other.next() for _ in range(1_000)]
    assert len(set(ids)) == 2_000


def test_names_of_orders_are_unique_sortable_and_fit_the_venue() -> None:
    """Binance takes 1 to 36 characters of letters, digits and a few signs."""
    names = ClientOrderIds(lambda: 0.999999)
    made = [names.next(1_790_000_000_000 + ms) for ms in range(2_000)]
    assert len(set(made)) == 2_000
    assert made == sorted(made)
    assert all(len(name) <= 36 and name.isalnum() and name.isascii() for name in made)


def test_a_name_given_by_the_caller_stays() -> None:
    params: dict[str, object] = {"newClientOrderId": "mine"}
    ClientOrderIds(lambda: 0.5).fill(params, ("newClientOrderId", "listClientOrderId"), 1)
    assert params["newClientOrderId"] == "mine"
    assert str(params["listClientOrderId"]).startswith("ct")


def test_base36() -> None:
    assert [base36(number) for number in (0, 35, 36, 1295)] == ["0", "z", "10", "zz"]
