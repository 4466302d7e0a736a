"""What of all that happens a follower is told. Pure."""

from enum import StrEnum

from msgspec import Struct

from hub.model.occurrences import NAMES, IncidentEvent
from hub.model.signal import Status

GROUPS = tuple(dict.fromkeys(name.partition(".")[0] for name in NAMES if "." in name))
"""`step` stands for `step.began` and `step.ended`."""


class From(StrEnum):
    """Where a follower that is new begins."""

    NOW = "now"
    BEGINNING = "beginning"


class Wanted(Struct, frozen=True, kw_only=True):
    """`events`: names or groups of names, empty for all; `playbooks`: empty for all. `texts`: words go along. `start`:
    where it begins when the journal does not know it yet. `skip`: ids of events that the other side will never take.
    `alarm_s`: for how long it may fail, or fall behind, before the room is told."""

    events: frozenset[str] = frozenset()
    playbooks: frozenset[str] = frozenset()
    statuses: frozenset[Status] = frozenset({Status.ACTUAL})
    texts: bool = False
    start: From = From.NOW
    skip: frozenset[str] = frozenset()
    alarm_s: float = 300.0

    def wants(self, event: IncidentEvent) -> bool:
        """Whether it is told."""
        if event.status not in self.statuses or event.id in self.skip:
            return False
        if self.playbooks and event.playbook not in self.playbooks:
            return False
        return not self.events or event.name in self.events or event.name.partition(".")[0] in self.events
