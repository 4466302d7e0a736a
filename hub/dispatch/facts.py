"""The facts dispatch writes: however long the journal takes, and as few appends as there can be."""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
import trio

from hub.dispatch.orders import Counters
from hub.dispatch.policy import JOURNAL_PAUSE_S
from hub.journal import Journal, JournalUnavailable
from hub.model.ids import Ids
from hub.model.records import ChannelChanged, Fact, ReceiptsReceived

log = structlog.get_logger(__name__)


class _Burst:
    """Facts that are made durable together."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.durable = False
        self.over = trio.Event()


class Facts:
    """`put` makes a fact durable."""

    def __init__(self, journal: Journal, now: Callable[[], datetime], ids: Ids, counters: Counters) -> None:
        self._journal = journal
        self._now = now
        self._ids = ids
        self._counters = counters
        self._burst = _Burst()
        self._writing = trio.Lock()

    async def put(self, body: ReceiptsReceived | ChannelChanged, key: str = "") -> None:
        """Returns once it is durable, however long that takes. What comes while one append is under way goes into the
        next together: whoever is first writes for all."""
        at = self._now()
        burst = self._burst
        burst.facts.append(Fact(id=self._ids.new(at), at=at, body=body, key=key))
        if len(burst.facts) > 1:
            await burst.over.wait()
            if not burst.durable:  # who was to write it was cancelled
                await self.put(body, key)
            return
        try:
            if self._writing.locked():
                await self._writing.acquire()
            else:
                self._writing.acquire_nowait()  # saves a turn of trio's loop where nobody else writes
            try:
                self._burst = _Burst()
                await self._put_all(burst.facts)
            finally:
                self._writing.release()
            burst.durable = True
        finally:
            if self._burst is burst:
                self._burst = _Burst()
            burst.over.set()

    async def _put_all(self, facts: Sequence[Fact]) -> None:
        while True:
            try:
                await self._journal.put_facts(facts)
                return
            except JournalUnavailable as error:
                log.error("outcomes wait for the journal", facts=len(facts), error=str(error))
                self._counters.journal_waits += 1
                await trio.sleep(JOURNAL_PAUSE_S)
