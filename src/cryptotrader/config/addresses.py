"""What an address says about the money behind it. Pure.

A venue's name alone does not say it: ``--binance-rest-url https://api.binance.com`` makes an exchange of paper real.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

TEST_DOMAINS = ("binance.vision",)
"""Domains of exchanges without real money. Source: ``testnet`` in Binance's documents."""

PRIVATE_SUFFIXES = (".local", ".localhost", ".internal", ".lan", ".test", ".home.arpa")
"""Endings of names that only a private network knows (RFC 6761, 6762, 8375)."""


def may_be_real_money(url: str) -> bool:
    """Whether orders sent to this address may cost real money: any public host that is no known test exchange.

    A host on this machine or in a private network is taken for what the venue's name says it is.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    if "." not in host or host.endswith(PRIVATE_SUFFIXES):
        return False
    return not any(host == domain or host.endswith(f".{domain}") for domain in TEST_DOMAINS)
