"""Which alerts are to be made, given what became of the broadcasts and what is published already. Pure, and the same
after a restart: what is due follows from the state and the journal alone.

A broadcast that begins is published. One that is stopped before it is done is withdrawn, unless a correction or an
all-clear has taken its place, or waits for people to release it: an alert in force is better than none until they have.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from hub.cap.alert import Follows
from hub.engine.state import Broadcast
from hub.model.broadcast import Kind, Proposal
from hub.model.records import CapPublished
from hub.model.signal import MsgType, Reference

_NEVER = ("lapsed", "discarded", "stopped")


class Due(Struct, frozen=True):
    """A broadcast that is to be published, or `withdraws`."""

    broadcast: Broadcast
    withdraws: bool = False


def due(
    broadcasts: Mapping[str, Broadcast],
    proposals: Iterable[Proposal],
    published: Collection[CapPublished],
    never: Collection[str],
) -> Iterator[Due]:
    """What is to be done next, in order; each depends on what came before, so only the first counts. `never`: those
    that are not for the feed."""
    stands = {one.broadcast: one for one in published if one.msg_type is not MsgType.CANCEL}
    replaced = {name for one in published for name in one.references}
    proposed = {proposal.follows for proposal in proposals}
    for broadcast in broadcasts.values():
        if broadcast.id in never or not broadcast.cap:
            continue
        own = stands.get(broadcast.id)
        if own is None:
            follows_one = broadcast.kind is Kind.ALERT or broadcast.follows in stands
            if follows_one and broadcast.began_at is not None and not broadcast.held and broadcast.outcome != "stopped":
                yield Due(broadcast)
        elif broadcast.outcome == "stopped" and own.identifier not in replaced:
            waits = broadcast.id in proposed or any(_waits(other, broadcast) for other in broadcasts.values())
            if not waits:
                yield Due(broadcast, withdraws=True)


def _waits(other: Broadcast, broadcast: Broadcast) -> bool:
    """Whether another is on its way to take a broadcast's place."""
    return other.follows == broadcast.id and other.outcome not in _NEVER


def follows(one: Due, published: Collection[CapPublished]) -> Follows:
    """What an alert that is due replaces or withdraws. A correction and an all-clear replace all that was said of it,
    for whoever has missed one of them; the Cancel of an all-clear withdraws that alone."""
    broadcast = one.broadcast
    stands = {other.broadcast: other for other in published if other.msg_type is not MsgType.CANCEL}
    begins = stands.get(broadcast.id if one.withdraws else broadcast.follows)
    if begins is None:
        return Follows()
    together = {begins.identifier}
    if not (one.withdraws and broadcast.kind is Kind.ALL_CLEAR):
        grown = 0
        while grown != len(together):
            grown = len(together)
            for other in stands.values():
                if other.identifier in together or together & set(other.references):
                    together |= {other.identifier, *other.references}
    known = sorted((o for o in stands.values() if o.identifier in together), key=lambda o: (o.sent, o.identifier))
    return Follows(
        references=tuple(Reference(o.sender, o.identifier, o.sent) for o in known),
        until=max((o.expires for o in known if o.expires is not None), default=None),
    )


def listed(published: Collection[CapPublished], now: datetime, entries: int) -> list[CapPublished]:
    """What stands in the feed: the newest so many, and all that is in force, the newest first."""
    replaced = {name for one in published for name in one.references}
    newest = sorted(published, key=lambda one: (one.sent, one.identifier), reverse=True)
    return [
        one
        for place, one in enumerate(newest)
        if place < entries or (one.identifier not in replaced and one.expires is not None and one.expires > now)
    ]
