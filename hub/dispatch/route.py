"""By which provider a channel's deliveries go. Authors and the engine know the channel (`sms`) only. Pure."""

from collections.abc import Mapping
from typing import NewType

from msgspec import Struct, field

from hub.model.signal import Status

Entry = NewType("Entry", str)
"""An entry of channels.yaml by which something of a known status goes. Only `Routes.entry` makes one: whoever has not
said whether it is in earnest has none, so no exercise is sent with the credentials of the real thing, nor the other way
round, for want of a thought."""


class Routes(Struct, frozen=True, kw_only=True):
    """`by_prefix`: channel → prefix of numbers → provider. `fall_back`: provider → the one that follows it.
    `exercises`: channel → the provider of what is not Actual, which nothing Actual ever goes by. A channel is a
    provider too: its own. Nothing in any: every channel has itself alone."""

    by_prefix: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fall_back: Mapping[str, str] = field(default_factory=dict)
    exercises: Mapping[str, str] = field(default_factory=dict)

    def entry(self, channel: str, status: Status) -> Entry:
        """The entry by which something of that status goes over a channel. Raises ValueError where what is Actual
        would go by a provider of exercises."""
        if status is not Status.ACTUAL:
            return Entry(self.exercises.get(channel, channel))
        if channel in self.exercises.values():
            raise ValueError(f"{channel} is for exercises: nothing Actual goes by it")
        return Entry(channel)

    def providers(self, channel: str, number: str = "") -> tuple[str, ...]:
        """The providers for a number, in the order they are to be tried: the one its longest prefix names with its
        fall-backs, then the channel's own with its fall-backs. Each once."""
        if channel not in self.by_prefix and channel not in self.fall_back:
            return (channel,)
        prefixes = self.by_prefix.get(channel, {})
        named = max((prefix for prefix in prefixes if number.startswith(prefix)), key=len, default="")
        found: dict[str, None] = {}
        for first in (prefixes[named], channel) if named else (channel,):
            following = first
            while following and following not in found:
                found[following] = None
                following = self.fall_back.get(following, "")
        return tuple(found)

    def every(self, channel: str) -> tuple[str, ...]:
        """All providers some number of this channel may go by, its own first."""
        found = dict.fromkeys(self.providers(channel))
        for prefix in self.by_prefix.get(channel, {}):
            found |= dict.fromkeys(self.providers(channel, prefix))
        if channel in self.exercises:
            found |= dict.fromkeys(self.every(self.exercises[channel]))
        return tuple(found)

    def following(self, provider: str) -> tuple[str, ...]:
        """All providers that come after it for some number of some channel."""
        found: dict[str, None] = {}
        for channel in (provider, *self.used_by(provider)):
            for prefix in ("", *self.by_prefix.get(channel, {})):
                route = self.providers(channel, prefix)
                if provider in route:
                    found |= dict.fromkeys(route[route.index(provider) + 1 :])
        return tuple(found)

    def used_by(self, provider: str) -> tuple[str, ...]:
        """The channels that have it as a provider besides itself."""
        named = dict.fromkeys((*self.by_prefix, *self.fall_back, *self.exercises))
        return tuple(channel for channel in named if channel != provider and provider in self.every(channel))
