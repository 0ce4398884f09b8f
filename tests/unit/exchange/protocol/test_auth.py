"""Keys, timestamps, windows and signatures, against the examples of Binance's documents."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.accounts import ApiKey, KeyKind, KeyRing, Permission, sample_key
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.auth import RequestAuthenticator, rest_payload, ws_payload
from cryptotrader.services.binance.request import SecurityType
from tests.support.paper import START_MS, TestClock

DOC_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
DOC_QUERY = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
)
DOC_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
WIDE_QUERY = (
    "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1"
    "&price=0.1&recvWindow=5000&timestamp=1499827319559"
)
WIDE_SIGNATURE = "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"


def _key(secret: str, kind: KeyKind = KeyKind.HMAC) -> ApiKey:
    return ApiKey(id="k", account="default", kind=kind, secret=secret)


def _checker(key: ApiKey | None = None, clock: TestClock | None = None) -> RequestAuthenticator:
    return RequestAuthenticator(KeyRing([key or sample_key()]), clock or TestClock())


def _refusal(**params: str) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        _checker().check(SecurityType.USER_DATA, key_id="your_binance_api_key", params=params, payload=b"x")
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("query", "signature"),
    [(DOC_QUERY, DOC_SIGNATURE), (DOC_QUERY, DOC_SIGNATURE.upper()), (WIDE_QUERY, WIDE_SIGNATURE)],
)
def test_hmac_signatures_of_the_documents_are_accepted_in_any_case(query: str, signature: str) -> None:
    """``rest-api.md``, "HMAC Keys"; "Signature Case Sensitivity"."""
    assert _key(DOC_SECRET).verify(rest_payload(f"{query}&signature={signature}", ""), signature)


def test_query_string_and_body_are_signed_as_one_text_without_anything_between() -> None:
    query, body = DOC_QUERY.split("&quantity=1")
    body = "quantity=1" + body
    payload = rest_payload(query, f"{body}&signature=abc")
    assert payload == (query + body).encode()
    assert rest_payload("signature=1&a=2", "") == b"a=2"


def test_the_websocket_api_signs_parameters_by_name_and_as_they_were_written() -> None:
    lexemes = {"timestamp": "1", "price": "100.0", "apiKey": "k", "symbol": "１２", "signature": "gone"}
    assert ws_payload(lexemes) == "apiKey=k&price=100.0&symbol=１２&timestamp=1".encode()


def test_ed25519_and_rsa_signatures_are_checked() -> None:
    payload = DOC_QUERY.encode()
    edwards = Ed25519PrivateKey.generate()
    pem = edwards.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = _key(pem, KeyKind.ED25519)
    signature = b64encode(edwards.sign(payload)).decode()
    assert key.verify(payload, signature)
    assert not key.verify(payload + b"x", signature)
    assert not key.verify(payload, signature.lower())
    assert not key.verify(payload, quote(signature) + "%")
    rsa = generate_private_key(65_537, 2_048)
    pem = rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signature = b64encode(rsa.sign(payload, PKCS1v15(), SHA256())).decode()
    assert _key(pem, KeyKind.RSA).verify(payload, signature)
    assert not _key(pem, KeyKind.RSA).verify(payload, DOC_SIGNATURE)


def test_a_key_that_cannot_be_one_and_a_key_that_nobody_has_are_told_apart() -> None:
    """S0-54: both become 403 at the gateway."""
    checker = _checker()
    for key_id in (None, "", "with space", "x" * 200):
        with pytest.raises(Refusal) as caught:
            checker.key(key_id, SecurityType.USER_DATA)
        assert (caught.value.code, caught.value.message) == (-2014, "API-key format invalid.")
    with pytest.raises(Refusal) as caught:
        checker.key("unknown", SecurityType.USER_DATA)
    assert caught.value.code == -2015
    assert caught.value.message == "Invalid API-key, IP, or permissions for action."


def test_a_key_without_the_permission_to_trade_cannot_trade() -> None:
    key = ApiKey(id="reader", account="a", kind=KeyKind.HMAC, secret="s", permissions=frozenset({Permission.USER_DATA}))
    checker = _checker(key)
    assert checker.key("reader", SecurityType.USER_DATA) is key
    with pytest.raises(Refusal, match="-2015"):
        checker.key("reader", SecurityType.TRADE)


def test_what_is_missing_is_named() -> None:
    text = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
    assert _refusal(timestamp=str(START_MS)) == (-1102, text.format("signature"))
    assert _refusal(signature="x") == (-1102, text.format("timestamp"))
    assert _refusal(signature="x", timestamp="soon")[0] == -1100


@pytest.mark.parametrize(
    ("offset_ms", "window", "text"),
    [
        (1_000, None, "Timestamp for this request was 1000ms ahead of the server's time."),
        (-5_001, None, "Timestamp for this request is outside of the recvWindow."),
        (-11, "10.999", "Timestamp for this request is outside of the recvWindow."),
    ],
)
def test_a_request_too_early_or_too_late_is_refused(offset_ms: int, window: str | None, text: str) -> None:
    params = {"signature": "x", "timestamp": str(START_MS + offset_ms)} | ({"recvWindow": window} if window else {})
    assert _refusal(**params) == (-1021, text)


@pytest.mark.parametrize(
    ("stamp", "window"),
    [
        (str(START_MS + 999), None),
        (str(START_MS - 5_000), None),
        (str(START_MS * 1_000 - 4_999_999), "5000"),
        (str(START_MS - 60_000), "60000"),
        (str(START_MS * 1_000 - 10_999), "10.999"),
    ],
)
def test_a_request_within_its_window_reaches_the_signature_check(stamp: str, window: str | None) -> None:
    params = {"signature": "x", "timestamp": stamp} | ({"recvWindow": window} if window else {})
    assert _refusal(**params) == (-1022, "Signature for this request is not valid.")


@pytest.mark.parametrize(("window", "code"), [("60000.001", -1102), ("1.0001", -1111), ("-1", -1100), ("", -1105)])
def test_a_window_must_be_a_number_of_at_most_sixty_seconds_with_three_places(window: str, code: int) -> None:
    assert _refusal(signature="x", timestamp=str(START_MS), recvWindow=window)[0] == code


def test_public_requests_need_nobody() -> None:
    assert _checker().check(SecurityType.NONE, key_id=None, params={}, payload=b"") is None


def test_secrets_do_not_show() -> None:
    assert "your_binance_secret_key" not in repr(sample_key())


def test_a_key_ring_takes_each_key_once_and_only_keys_it_can_read() -> None:
    ring = KeyRing([sample_key()])
    with pytest.raises(ConfigError):
        ring.add(sample_key())
    with pytest.raises(ConfigError):
        ring.add(_key("no PEM", KeyKind.ED25519))
    assert ring.remove("your_binance_api_key")
    assert not ring.remove("your_binance_api_key")
