"""The one port that clients talk to: HTTP routes, tokens, limits, the OpenAPI document."""

from cryptotrader.gateway.app import create_gateway_app
from cryptotrader.gateway.listen_keys import ListenKeys
from cryptotrader.gateway.ports import AccountServices, GatewayServices

__all__ = ["AccountServices", "GatewayServices", "ListenKeys", "create_gateway_app"]
