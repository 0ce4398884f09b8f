"""Source 1's channel protocol on live connections (S1-1 to S1-20): sessions, and the channels that they share."""

from cryptotrader.sessions.channel_protocol.hub import ChannelHub, ChannelSettings
from cryptotrader.sessions.channel_protocol.session import ChannelSession
from cryptotrader.sessions.channel_protocol.system import SystemJournal

__all__ = ["ChannelHub", "ChannelSession", "ChannelSettings", "SystemJournal"]
