"""Takes secrets out of text before it is logged, printed or sent."""

from __future__ import annotations

import re
from bisect import insort

MASK = "***"

_QUERY = re.compile(
    r"(?i)\b(api_?key|access_token|token|key|signature|secret|listenKey|password|authorization)=([^&\s\"']+)"
)
_BEARER = re.compile(r"(?i)\bbearer\s+[^\s\"',}]+")
_JSON = re.compile(
    r"(?i)([\"'](?:api_?key|access_token|token|signature|secret|listenKey|password|authorization|x-mbx-apikey)[\"']\s*:\s*[\"'])"
    r"[^\"']*"
)


class Redactor:
    """Masks named fields and every known secret, wherever it stands.

    ``known`` grows as secrets are learnt (tokens, keys); values shorter than eight characters are ignored, because
    masking a common word would make the log useless.
    """

    MIN_SECRET_CHARS = 8

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._longest_first: list[str] = []

    def learn(self, *secrets: str | None) -> None:
        """Remember values that must never appear."""
        for value in secrets:
            if value and len(value) >= self.MIN_SECRET_CHARS and value not in self._known:
                self._known.add(value)
                # Where one is the beginning of another, masking it first would leave the other's end.
                insort(self._longest_first, value, key=lambda each: -len(each))

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._longest_first:
            if secret in text:
                text = text.replace(secret, MASK)
        text = _QUERY.sub(rf"\1={MASK}", text)
        text = _BEARER.sub(f"Bearer {MASK}", text)
        return _JSON.sub(rf"\1{MASK}", text)


REDACTOR = Redactor()
"""The process-wide instance that the log formatter uses."""
