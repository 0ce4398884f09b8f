"""``/ws/<listenKey>``: clients of before 2026 get the user stream with the key alone (C-23)."""

from __future__ import annotations

import asyncio

import pytest

from cryptotrader.gateway.listen_keys import ListenKeys
from cryptotrader.net import SystemClock
from cryptotrader.sessions.keys import Principal, Scope
from cryptotrader.sessions.streams import StreamLimits, StreamSessions
from cryptotrader.transport.types import Accept, Refuse, UpgradeRequest
from tests.support.streams import (
    FakeAuthenticator,
    FakeCatalogue,
    FakeConnection,
    FakeLive,
    FakeUserEvent,
    FakeUserFeed,
    accounts_of,
)


async def test_a_listen_key_opens_the_user_stream_until_it_is_closed(capsys: pytest.CaptureFixture[str]) -> None:
    """S0-45, S0-63, C-23."""
    user = FakeUserFeed()
    keys = ListenKeys(SystemClock(), lambda size: bytes(range(size)))
    sessions = StreamSessions(
        FakeLive(),
        accounts_of(user),
        FakeAuthenticator(),
        catalogue=FakeCatalogue(),
        limits=StreamLimits(),
        clock=SystemClock(),
    )
    sessions.serve_listen_keys(keys)
    key = keys.issue(Principal("env-1", "", frozenset({Scope.READ})))

    async def ask(path: str) -> Accept | Refuse:
        return await sessions.route(UpgradeRequest(path, "", {}, "127.0.0.1"))

    refused = await ask(f"/ws/{key[:-1]}")
    accepted = await ask(f"/ws/{key}")
    assert isinstance(refused, Refuse)
    assert refused.status == 401
    assert isinstance(accepted, Accept)
    connection = FakeConnection()
    accepted.handler.on_open(connection)
    user.topic.publish(FakeUserEvent(b'{"e":"executionReport"}'))
    await _settle()
    assert connection.messages() == [{"e": "executionReport"}]
    keys.close_of("env-1")
    assert connection.closed == (1000, "listen key closed")
    assert key not in capsys.readouterr().err
    accepted.handler.on_close(1000, "")
    await sessions.close()


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
