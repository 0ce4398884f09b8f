"""Every protocol that is spoken; a new one adds its line."""

from __future__ import annotations

from cryptotrader.dialects import gateway_description, undecided
from cryptotrader.dialects.channels import description as channels
from cryptotrader.dialects.description import ProtocolDoc

PROTOCOLS: tuple[ProtocolDoc, ...] = (gateway_description.PROTOCOL, channels.PROTOCOL, undecided.PROTOCOL)
