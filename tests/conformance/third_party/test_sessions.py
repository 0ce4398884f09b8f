"""binance-sdk-spot with Ed25519 and RSA keys, which the sample account has not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cryptotrader.exchange.accounts import ApiKey, KeyKind, PaperAccount
from tests.conformance.third_party.conftest import run_driver
from tests.support.paper import paper_venue, running_exchange

KEY_ID = "k" * 64


async def drive(kind: KeyKind, folder: Path) -> dict[str, Any]:
    """The report of a driver with a new key of this kind, before an exchange that knows the key."""
    private = Ed25519PrivateKey.generate() if kind is KeyKind.ED25519 else generate_private_key(65_537, 2_048)
    file = folder / "key.pem"
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = ApiKey(id=KEY_ID, account=PaperAccount().id, kind=kind, secret=public)
    async with running_exchange(paper_venue(keys=[key])) as server:
        host = f"127.0.0.1:{server.port}"
        return await asyncio.to_thread(run_driver, "binance-sdk-spot", host, KEY_ID, str(file), driver="sessions")


async def test_an_ed25519_key_opens_a_session_that_survives_a_shutdown_notice(tmp_path: Path) -> None:
    """C-23: after ``serverShutdown`` the client connects anew, logs on again and subscribes again by itself."""
    report = await drive(KeyKind.ED25519, tmp_path)
    steps = report["steps"]
    assert not report["failures"]
    assert steps["rest.order"] == "FILLED"
    assert steps["signed"]["status"] == "FILLED"
    assert steps["logon"]["result"]["apiKey"] == steps["status"]["result"]["apiKey"] == KEY_ID
    assert steps["session.event"] == steps["session.order"]["id"]
    assert steps["announced"] == {"connections": 1}
    assert steps["logged_on_again"]["result"]["apiKey"] == KEY_ID
    assert steps["session.event_after"] == steps["session.order_after"]["id"]
    assert [row["subscriptionId"] for row in steps["subscriptions_after"]["result"]] == [0]
    assert steps["logout"]["result"].get("apiKey") is None


async def test_an_rsa_key_signs_but_cannot_log_on(tmp_path: Path) -> None:
    """``session.logon`` takes Ed25519 keys only."""
    report = await drive(KeyKind.RSA, tmp_path)
    steps = report["steps"]
    assert not report["failures"]
    assert steps["rest.account"] == "SPOT"
    assert steps["rest.order"] == "FILLED"
    assert steps["signed"]["status"] == "FILLED"
    assert steps["logon"]["error"]["code"] == -4056
