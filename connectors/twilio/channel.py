"""The channels of this connector: SMS and voice."""

from connectors.twilio.sms import SmsChannel
from connectors.twilio.voice import VoiceChannel

__all__ = ["SmsChannel", "VoiceChannel"]
