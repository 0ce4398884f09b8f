"""Keys of this server's clients: what they are, where they lie, and how a client proves that it has one."""

from cryptotrader.config.accounts import DEFAULT_ACCOUNT
from cryptotrader.sessions.keys.file import KeyFile
from cryptotrader.sessions.keys.login import LOGIN_WINDOW_MS, ReplayGuard, login_text
from cryptotrader.sessions.keys.model import (
    NO_LIMITS,
    KeyKind,
    KeyLimits,
    KeyTerms,
    NewKey,
    Principal,
    Scope,
    StoredKey,
)
from cryptotrader.sessions.keys.vault import Vault

__all__ = [
    "DEFAULT_ACCOUNT",
    "LOGIN_WINDOW_MS",
    "NO_LIMITS",
    "KeyFile",
    "KeyKind",
    "KeyLimits",
    "KeyTerms",
    "NewKey",
    "Principal",
    "ReplayGuard",
    "Scope",
    "StoredKey",
    "Vault",
    "login_text",
]
