"""The newest decisions, at hand: who keeps up need not read them back from the journal."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

import trio

from hub.journal import Journal
from hub.model.records import Decision

RECENT = 500


class Recent:
    """For all followers together."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._decisions: deque[Decision] = deque(maxlen=RECENT)
        self._places: dict[str, int] = {}  # by id: the how-many-eth that came by
        self.count = 0  # of all that went by
        self._moved = trio.Event()

    def decided(self, decision: Decision) -> None:
        """A decision is durable."""
        if len(self._decisions) == RECENT:
            del self._places[self._decisions[0].id]
        self._decisions.append(decision)
        self._places[decision.id] = self.count
        self.count += 1
        moved, self._moved = self._moved, trio.Event()
        moved.set()

    def clear(self) -> None:
        """Decisions go by unseen from here on."""
        self._decisions.clear()
        self._places.clear()

    def moved(self) -> trio.Event:
        """Set with the next decision. To be had before looking whether there is one."""
        return self._moved

    async def after(self, id_: str, most: int) -> Sequence[Decision]:
        """The decisions after one. Raises JournalError."""
        place = self._places.get(id_)
        if place is None:
            return await self._journal.decisions(after=id_, limit=most)
        await trio.lowlevel.checkpoint()
        first = place + 1 - (self.count - len(self._decisions))
        return list(islice(self._decisions, first, first + most))
