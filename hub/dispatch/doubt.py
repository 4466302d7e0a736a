"""What keeps one delivery from being taken for another when a channel is asked what became of an attempt.

A provider's list shows a number and a text, for a call not even that. So two deliveries that would look the same in it
never go out at the same time; what the journal knows to be another delivery's is passed over; and where one of two
that look the same was never cleared up, nothing is believed of the other: it is sent again, marked.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime

import trio

from hub.connector import Channel, Outgoing

KEPT = 10_000  # that were never cleared up

Look = tuple[str, str, str]  # channel, address, text: what a delivery looks like in the provider's list
Delivery = tuple[str, int]
_SEVERAL: Delivery = ("", -1)


def look(name: str, channel: Channel, outgoing: Outgoing) -> Look | None:
    """None where the channel cannot be asked."""
    if not channel.abilities.settles:
        return None
    return name, outgoing.to, "" if channel.abilities.voice else outgoing.text


class Doubts:
    """`others`: the provider's ids that the journal knew when the hub came back."""

    def __init__(self) -> None:
        self.others: frozenset[str] = frozenset()
        self._taken: OrderedDict[str, datetime] = OrderedDict()
        self._under_way: dict[Look, trio.Event | None] = {}
        self._unclear: OrderedDict[Look, Delivery] = OrderedDict()

    def taken(self, ref: str, at: datetime) -> None:
        """A channel has taken a delivery under this id. Channels remember that themselves, but not longer than the edge
        lives."""
        self._taken[ref] = at
        if len(self._taken) > KEPT:
            self._taken.popitem(last=False)

    def others_since(self, at: datetime) -> frozenset[str]:
        """Ids that are known to be of other deliveries than one whose attempt was made then."""
        return self.others | {ref for ref, taken_at in self._taken.items() if taken_at >= at}

    async def enter(self, key: Look | None) -> None:
        """Waits until no other delivery that looks the same is under way."""
        while key is not None and key in self._under_way:
            event = self._under_way[key]
            if event is None:
                event = self._under_way[key] = trio.Event()
            await event.wait()
        if key is not None:
            self._under_way[key] = None

    def leave(self, key: Look | None) -> None:
        event = self._under_way.pop(key) if key is not None else None
        if event is not None:
            event.set()

    def unclear(self, key: Look | None, outgoing: Outgoing) -> None:
        """It could not be found out whether this delivery arrived."""
        if key is not None:
            self._note(key, (outgoing.order, outgoing.index))

    def all_in_doubt(self, them: Iterable[tuple[Look, Delivery]]) -> None:
        """These were under way when the hub went down: those that look the same cannot be told apart."""
        seen: dict[Look, Delivery] = {}
        for key, delivery in them:
            if seen.setdefault(key, delivery) != delivery:
                self._note(key, _SEVERAL)

    def can_be_told(self, key: Look, outgoing: Outgoing) -> bool:
        """Whether what the provider's list shows is this delivery, if it shows any."""
        delivery = (outgoing.order, outgoing.index)
        return self._unclear.get(key, delivery) == delivery

    def _note(self, key: Look, delivery: Delivery) -> None:
        before = self._unclear.get(key, delivery)
        self._unclear[key] = delivery if before == delivery else _SEVERAL
        if len(self._unclear) > KEPT:
            self._unclear.popitem(last=False)
