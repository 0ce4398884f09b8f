"""Whatever a client sends as a login, it is let in only where a key signed just that, and never twice (C-3, C-4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from cryptotrader.core.errors import NotAuthenticated
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.keys import LOGIN_WINDOW_MS, KeyFile, KeyTerms
from tests.support.keys import NOW_MS, KeyPair, TurnedClock, signed_with_secret

TOKEN = "made-up-token-for-this-test"

anything = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="0123456789abcdefABCDEF", min_size=60, max_size=70),
    st.text(alphabet="ABCabc012+/=", min_size=80, max_size=95),
    st.just("0" * 100_000),
    st.characters(categories=["Cs"]).map(lambda char: char * 64),
)
whenever = st.one_of(
    st.integers(),
    st.integers(NOW_MS - 2 * LOGIN_WINDOW_MS, NOW_MS + 2 * LOGIN_WINDOW_MS),
    st.sampled_from([10**5000, -(10**5000), 2**64, 0, -1]),
)


@given(api_key=anything, at_ms=whenever, signature=anything, client=st.one_of(st.none(), anything))
@settings(max_examples=400, deadline=None)
def test_a_login_that_nobody_signed_is_refused_in_the_documented_words(
    api_key: str, at_ms: int, signature: str, client: str | None
) -> None:
    """S1-3."""
    authenticator = Authenticator([TOKEN], clock=TurnedClock())
    for name in (api_key, TOKEN):
        with pytest.raises(NotAuthenticated, match=r"^Authentication failed$"):
            authenticator.login(name, at_ms, signature, now_ms=NOW_MS, client=client)


@given(header=st.one_of(st.none(), anything, anything.map("Bearer ".__add__)), query=st.one_of(st.none(), anything))
@settings(max_examples=400, deadline=None)
def test_a_token_that_nobody_has_is_refused_in_the_documented_words(header: str | None, query: str | None) -> None:
    """S0-50, S0-51."""
    with pytest.raises(NotAuthenticated, match=r"^(Missing Authorization header|Invalid or expired token)$"):
        Authenticator([TOKEN], clock=TurnedClock()).authenticate(header, query)


class Logins(RuleBasedStateMachine):
    """Keys come and go, time passes (back as well), logins are made, stolen, changed and tried again."""

    keys = Bundle("keys")
    logins = Bundle("logins")

    def __init__(self) -> None:
        super().__init__()
        self.clock = TurnedClock()
        self.used: set[tuple[str, int]] = set()
        self.valid: dict[str, int | None] = {}
        self.unsure: set[str] = set()
        self.made = 0
        self.went_back = False

    @initialize()
    def begin(self) -> None:
        self.folder = Path(self.make_folder())
        self.file = KeyFile(self.folder / "keys.json")
        self.authenticator = Authenticator([TOKEN], self.file, clock=self.clock)
        self.told: list[str] = []
        self.authenticator.on_revoked.subscribe(self.told.append)

    @staticmethod
    def make_folder() -> str:
        import tempfile

        return tempfile.mkdtemp(prefix="logins-")

    def teardown(self) -> None:
        import shutil

        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @rule(target=keys, paired=st.booleans(), lives_ms=st.one_of(st.none(), st.integers(1, 100_000)))
    def create(self, paired: bool, lives_ms: int | None) -> tuple[str, Any]:
        self.made += 1
        pair = KeyPair(self.made) if paired else None
        expires_ms = None if lives_ms is None else self.clock.now_ms + lives_ms
        terms = KeyTerms(expires_ms=expires_ms, public_key=pair.public if pair else None)
        new = self.file.create(f"bot {self.made}", ["read"], now_ms=self.clock.now_ms, terms=terms)
        self.valid[new.key] = expires_ms
        return new.key, pair.sign if pair else lambda at_ms: signed_with_secret(new.secret, at_ms)

    @rule(target=logins, key=keys, offset_ms=st.integers(-2 * LOGIN_WINDOW_MS, 2 * LOGIN_WINDOW_MS))
    def sign(self, key: tuple[str, Any], offset_ms: int) -> tuple[str, str, int, str]:
        at_ms = self.clock.now_ms + offset_ms
        return key[0], key[0], at_ms, key[1](at_ms)

    @rule(target=logins, key=keys, login=logins)
    def steal(self, key: tuple[str, Any], login: tuple[str, str, int, str]) -> tuple[str, str, int, str]:
        """Somebody else's signature under one's own key."""
        return key[0], login[1], login[2], login[3]

    @rule(target=logins, login=logins, by_ms=st.integers(-5, 5).filter(bool))
    def move(self, login: tuple[str, str, int, str], by_ms: int) -> tuple[str, str, int, str]:
        """A right signature of another time."""
        return login[0], "nobody", login[2] + by_ms, login[3]

    @rule(login=logins, capitals=st.booleans())
    def use(self, login: tuple[str, str, int, str], capitals: bool) -> None:
        api_key, signer, at_ms, signature = login
        now_ms = self.clock.now_ms
        expires_ms = self.valid.get(api_key, 0)
        is_valid = api_key in self.valid and (expires_ms is None or now_ms < expires_ms)
        is_timely = abs(at_ms - now_ms) <= LOGIN_WINDOW_MS
        if capitals and len(signature) == 64:
            signature = signature.upper()
        try:
            who = self.authenticator.login(api_key, at_ms, signature, now_ms=now_ms)
        except NotAuthenticated:
            # A clock that went back may refuse a new login for a while, but never lets an old one in.
            is_new = (api_key, at_ms) not in self.used
            assert not (is_valid and is_timely and signer == api_key and is_new) or self.went_back
        else:
            assert who.key_id == api_key == signer
            assert is_valid or api_key in self.unsure
            assert is_timely
            assert (api_key, at_ms) not in self.used
            self.used.add((api_key, at_ms))

    @rule(by_ms=st.integers(0, 90_000))
    def pass_time(self, by_ms: int) -> None:
        self.clock.now_ms += by_ms

    @rule(by_ms=st.integers(1, 90_000))
    def set_back(self, by_ms: int) -> None:
        self.clock.now_ms -= by_ms
        self.went_back = True
        # What has expired stays so, whatever the clock says now; the model does not follow that.
        self.unsure |= {key for key, end in self.valid.items() if end is not None}

    @rule(key=keys)
    def revoke(self, key: tuple[str, Any]) -> None:
        if any(stored.id == key[0] and stored.revoked_ms is None for stored in self.file.read()):
            self.file.revoke(key[0], now_ms=self.clock.now_ms)
        self.valid.pop(key[0], None)
        self.unsure.discard(key[0])

    @invariant()
    def nobody_is_told_to_go_who_may_stay(self) -> None:
        if hasattr(self, "told"):
            now_ms = self.clock.now_ms
            live = {key for key, end in self.valid.items() if end is None or now_ms < end}
            assert self.went_back or not live & set(self.told)


TestLogins = Logins.TestCase
TestLogins.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
