"""The watch over the sources of a running hub: each finding of hub.sourcewatch becomes a fact, and by that an alarm."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import structlog
import trio

from hub.config import SourceConfig
from hub.connector import BadItem, SignalItem, Unavailable
from hub.intake.port import Answered, Offered
from hub.journal import Journal, JournalUnavailable
from hub.model import records as r
from hub.sourcewatch import FINDINGS, SourceWatch

log = structlog.get_logger(__name__)

EVERY_S = 5.0


async def source_watch(sources: Mapping[str, SourceConfig], journal: Journal, now: datetime) -> SourceWatch:
    """Knows what the room was told before a restart, and does not tell it again."""
    told = set()
    for source in sources:
        for what in FINDINGS:
            last = await journal.latest("source-watched", f"{what}/{source}")
            if last is not None and isinstance(last.body, r.SourceWatched) and not last.body.over:
                told.add((what, source))
    return SourceWatch({name: source.expect_s for name, source in sources.items()}, now, told)


class SourceDuty:
    """`record` makes a fact durable; raises JournalUnavailable."""

    def __init__(
        self, watch: SourceWatch, now: Callable[[], datetime], record: Callable[[r.FactBody], Awaitable[str]]
    ) -> None:
        self._watch, self._now, self._record = watch, now, record

    def took(
        self, source: str, offers: Sequence[Offered], answers: Sequence[Answered | Unavailable], now: datetime
    ) -> None:
        """What came of a source, and what the journal made of it."""
        for offered, answer in zip(offers, answers, strict=True):
            if isinstance(answer, Answered):
                self._took(source, offered, answer, now)

    def _took(self, source: str, offered: Offered, answer: Answered, now: datetime) -> None:
        failing = offered.health is not None and offered.health.health == "failing"
        unreadable = bool(offered.items) and all(isinstance(item, BadItem) for item in offered.items)
        if not (failing or unreadable or offered.asks_cursor):
            self._watch.heard(source, now)
        for item, taken in zip(offered.items, answer.taken, strict=True):
            if taken.repeated or not isinstance(item, SignalItem | BadItem):
                continue
            self._watch.took(source, isinstance(item, BadItem))
            if isinstance(item, SignalItem) and not item.baseline:
                self._watch.arrived(source, item.signal.sent, now)

    def stepped(self, now: datetime) -> None:
        """The clock jumped."""
        self._watch.stepped(now)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await trio.sleep(EVERY_S)
            for found in list(self._watch.findings(self._now())):
                try:
                    await self._record(found)
                except JournalUnavailable as error:
                    log.error("the room cannot be told", error=str(error))
                    break
                self._watch.tell(found)
