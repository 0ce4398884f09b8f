"""Keys as users have them: a secret, PEM text, or a file, encrypted or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from cryptotrader.config import REDACTOR
from cryptotrader.core.errors import ConfigError
from cryptotrader.services.binance.credentials import load_credentials

KEYS: dict[str, Ed25519PrivateKey | RSAPrivateKey] = {
    "ed25519": Ed25519PrivateKey.generate(),
    "rsa": generate_private_key(65_537, 2_048),
}


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
@pytest.mark.parametrize("password", [None, "a long password"])
@pytest.mark.parametrize("form", ["text", "path", "path as text"])
def test_s4_9_a_private_key_may_be_text_or_file_and_encrypted(
    tmp_path: Path, kind: str, password: str | None, form: str
) -> None:
    lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    pem = KEYS[kind].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()
    file = tmp_path / "mine.pem"
    file.write_text(pem)
    forms: dict[str, str | Path] = {"text": pem, "path": file, "path as text": str(file)}
    assert load_credentials("an-api-key", forms[form], password=password).signer.kind == kind


def test_a_shared_secret_is_no_path_and_shows_in_no_log() -> None:
    credentials = load_credentials(" an-api-key ", "a-shared-secret-of-hmac")
    assert (credentials.api_key, credentials.signer.kind) == ("an-api-key", "hmac")
    assert REDACTOR.clean("x a-shared-secret-of-hmac y") == "x *** y"


def test_what_cannot_be_read_is_told_without_the_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_credentials("an-api-key", tmp_path / "none.pem")
    large = tmp_path / "large.pem"
    large.write_bytes(b"x" * 70_000)
    with pytest.raises(ConfigError, match="too large"):
        load_credentials("an-api-key", large)
    binary = tmp_path / "binary.pem"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="no PEM"):
        load_credentials("an-api-key", binary)
