"""What the tests of sources that hold a line open share: a journal that outlives the source, and falls at an offer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from hub.connector import Item, Source, Taken
from tests.edge.polling import PolledIntake


class Journal(PolledIntake):
    """Outlives the source, as the journal does."""

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self.set_clock(now)
        self.left: int | None = None  # so many offers are answered, then the hub falls
        self.keeps_last = False  # it falls after it has kept the last one
        self.fallen = asyncio.Event()

    async def offer(self, items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        if self.left is None:
            return await super().offer(items, cursor=cursor)
        self.left -= 1
        taken = await super().offer(items, cursor=cursor) if self.left >= 0 or self.keeps_last else ()
        if self.left < 0:
            self.fallen.set()
            await asyncio.Event().wait()
        return taken

    async def health(self, health: str, reason: str = "") -> None:
        await super().health(health, reason)
        async with self.arrived:
            self.arrived.notify_all()

    async def said(self, *wanted: str) -> None:
        """Waits until so much is recorded: this, and no more."""
        await self.until(lambda: len(self.items) >= len(wanted))
        assert told(self) == list(wanted)

    async def healthy(self, health: str) -> str:
        await self.until(lambda: bool(self.healths) and self.healths[-1][0] == health)
        return self.healths[-1][1]


def told(intake: Journal) -> list[str]:
    """What kind of message each signal is, and its headline; of a withdrawal, what is withdrawn."""
    return [
        f"{item.signal.msg_type.value}: {item.signal.infos[0].headline}"
        if item.signal.infos
        else f"{item.signal.msg_type.value} {item.signal.references[0].identifier.rpartition('/')[2]}"
        for item in intake.signals
    ]


@asynccontextmanager
async def running(source: Source, intake: Journal) -> AsyncIterator[None]:
    task = asyncio.ensure_future(source.run(intake))
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def nearly_at_once(_: float) -> None:
    """Stands in for sleeping."""
    await asyncio.sleep(0)
