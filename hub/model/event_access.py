"""Events of the access list (hub/engine/access.py): part of hub/model/events.py."""

from datetime import datetime

from hub.model.event import EventBase


class AccessWanted(EventBase, frozen=True, tag="access-wanted"):
    """An approved request's list of people has to be read, as `signal` has it. `step`: the one that asks for it."""

    wanted: str
    incident: str
    step: str
    signal: str


class AccessChanged(EventBase, frozen=True, tag="access-changed"):
    """Who may come in on behalf of an incident. `change`: the fact in whose vault entry the names lie of those `added`
    (ids of places on the list). With `wanted` the whole of it is said anew: `rooms`, times, who `approved` it. `by`:
    the officer who changed it, `""` where the request did; whom an officer takes out the request does not bring back.
    """

    change: str
    incident: str
    wanted: str = ""
    by: str = ""
    why: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    start: datetime | None = None
    until: datetime | None = None
    approved: tuple[str, ...] = ()


class AccessWithdrawn(EventBase, frozen=True, tag="access-withdrawn"):
    """Nobody may come in on behalf of an incident any more. `why`: ended, over (its time), cancelled (the request)."""

    incident: str
    why: str
