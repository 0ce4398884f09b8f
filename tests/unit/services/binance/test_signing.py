"""Signatures, against the examples of Binance's documents and of RFC 8032."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from shutil import which

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cryptotrader.core.errors import ConfigError
from cryptotrader.services.binance.key_pairs import Ed25519Signer, RsaSigner
from cryptotrader.services.binance.signing import (
    Credentials,
    HmacSigner,
    encode_query,
    signer_of,
    signing_payload_rest,
    signing_payload_ws,
    verify,
)

API_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
WIDE = "１２３４５６"

REST_ORDER = {
    "symbol": "LTCBTC",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "1",
    "price": "0.1",
    "recvWindow": "5000",
    "timestamp": "1499827319559",
}
WS_ORDER = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01000000",
    "price": "52000.00",
    "recvWindow": "100",
    "timestamp": "1645423376532",
    "apiKey": API_KEY,
}
WS_WIDE_ORDER = WS_ORDER | {
    "symbol": WIDE,
    "side": "BUY",
    "quantity": "1.00000000",
    "price": "0.10000000",
    "recvWindow": "5000",
}

VECTORS = [
    (signing_payload_rest(REST_ORDER), "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
    (
        signing_payload_rest(REST_ORDER | {"symbol": WIDE}),
        "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
    ),
    (signing_payload_ws(WS_ORDER), "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"),
    (signing_payload_ws(WS_WIDE_ORDER), "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"),
]


@pytest.fixture(scope="module")
def rsa_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: RSAPrivateKey | Ed25519PrivateKey, *, password: str | None = None) -> str:
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def public_pem_of(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(("payload", "signature"), VECTORS)
def test_hmac_signatures_equal_those_of_the_documents(payload: str, signature: str) -> None:
    """``rest-api.md`` and ``web-socket-api.md``, both with an ASCII and a non-ASCII symbol."""
    assert HmacSigner(SECRET).sign(payload) == signature
    assert verify("hmac", SECRET, payload, signature=signature)
    assert verify("hmac", SECRET, payload.encode(), signature=signature.upper())
    assert not verify("hmac", SECRET, payload + "0", signature=signature)
    assert not verify("hmac", SECRET, payload, signature="höher")


def test_rest_is_percent_encoded_in_the_order_of_sending_and_ws_is_sorted_and_raw() -> None:
    """The rule since 2026-01-15: encode, then sign."""
    params = {"symbol": WIDE, "note": 'a b&["c"]', "signature": "left out"}
    encoded = "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&note=a%20b%26%5B%22c%22%5D"
    assert signing_payload_rest(params) == encoded
    assert signing_payload_ws(params) == f'note=a b&["c"]&symbol={WIDE}'
    assert encode_query([("a", "~-_.")]) == "a=~-_."


def test_the_lexeme_of_a_number_is_signed_as_it_was_written() -> None:
    assert signing_payload_ws({"quantity": "100.0", "price": "1e-05"}) == "price=1e-05&quantity=100.0"


def test_ed25519_signature_equals_the_one_of_rfc_8032() -> None:
    """RFC 8032, 7.1, test 2: the message is the letter r."""
    key = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    )
    expected = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    signature = Ed25519Signer(pem_of(key)).sign("r")
    assert base64.b64decode(signature) == expected
    assert verify("ed25519", public_pem_of(key), "r", signature=signature)
    assert not verify("ed25519", public_pem_of(key), "R", signature=signature)


def test_rsa_signs_what_its_public_key_confirms(rsa_key: RSAPrivateKey) -> None:
    signature = RsaSigner(pem_of(rsa_key)).sign(signing_payload_ws(WS_WIDE_ORDER))
    public = public_pem_of(rsa_key)
    assert len(base64.b64decode(signature)) == 256
    assert verify("rsa", public, signing_payload_ws(WS_WIDE_ORDER), signature=signature)
    assert not verify("rsa", public, signing_payload_ws(WS_ORDER), signature=signature)
    assert not verify("rsa", public, signing_payload_ws(WS_WIDE_ORDER), signature=signature.swapcase())
    assert not verify("rsa", public, "x", signature="no base64!")
    with pytest.raises(ConfigError):
        verify("ed25519", public, "x", signature=signature)
    with pytest.raises(ConfigError):
        verify("rsa", "no key", "x", signature=signature)


@pytest.mark.skipif(which("openssl") is None, reason="openssl is missing; get it with: apt-get install openssl")
def test_rsa_signature_equals_the_one_of_the_documents_own_recipe(rsa_key: RSAPrivateKey, tmp_path: Path) -> None:
    """``rest-api.md``, "RSA Keys", step 2: ``openssl dgst -sha256 -sign``."""
    file = tmp_path / "key.pem"
    file.write_text(pem_of(rsa_key))
    payload = signing_payload_rest(REST_ORDER | {"symbol": WIDE})
    command = ["openssl", "dgst", "-sha256", "-sign", str(file)]
    made = subprocess.run(command, input=payload.encode(), capture_output=True, check=True, timeout=30).stdout
    assert RsaSigner(file.read_text()).sign(payload) == base64.b64encode(made).decode()


def test_the_secret_tells_which_signer_fits(rsa_key: RSAPrivateKey) -> None:
    edwards = Ed25519PrivateKey.generate()
    assert signer_of(f" {SECRET}\n").sign(VECTORS[2][0]) == VECTORS[2][1]
    assert signer_of(pem_of(rsa_key)).kind == "rsa"
    assert signer_of("\n" + pem_of(edwards)).kind == "ed25519"
    assert signer_of(pem_of(edwards, password="hush"), password="hush").kind == "ed25519"
    for bad in (pem_of(edwards, password="hush"), "-----BEGIN PRIVATE KEY-----\nrubbish\n-----END PRIVATE KEY-----"):
        with pytest.raises(ConfigError):
            signer_of(bad)
    with pytest.raises(ConfigError):
        signer_of(pem_of(edwards, password="hush"), password="wrong")
    with pytest.raises(ConfigError):
        RsaSigner(pem_of(edwards))
    with pytest.raises(ConfigError):
        Ed25519Signer(pem_of(rsa_key))


def test_no_repr_shows_a_secret(rsa_key: RSAPrivateKey) -> None:
    edwards = Ed25519PrivateKey.generate()
    for secret in (SECRET, pem_of(edwards), pem_of(rsa_key)):
        credentials = Credentials.of(API_KEY, secret)
        shown = f"{credentials!r} {credentials} {credentials.signer!r} {credentials.signer}"
        assert API_KEY not in shown
        assert SECRET not in shown
        assert "PRIVATE" not in shown
