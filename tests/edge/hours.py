"""Time that tests of sources which hold a line open turn by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from hub.connector import Source
from tests.edge.polling import PolledIntake


class WatchedIntake(PolledIntake):
    """One whose health can be waited for."""

    async def health(self, health: str, reason: str = "") -> None:
        await super().health(health, reason)
        async with self.arrived:
            self.arrived.notify_all()

    async def becomes(self, wanted: str) -> str:
        """Waits for a health; answers its reason."""
        await self.until(lambda: bool(self.healths) and self.healths[-1][0] == wanted, timeout_s=20)
        return self.healths[-1][1]


class Hours:
    """Time that a test turns: it stands in for sleeping, and for the hub's clock. `sleepers`: how many sleep where all
    is done that can be done now."""

    def __init__(self, sleepers: int = 1) -> None:
        self.sleepers = sleepers
        self.now = datetime(2026, 7, 14, 12, tzinfo=UTC)
        self.intakes: list[WatchedIntake] = []
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []
        self._changed = asyncio.Condition()

    def intake(self, kept: str | None = None) -> WatchedIntake:
        made = WatchedIntake(kept=kept)
        made.set_clock(self.now)
        self.intakes.append(made)
        return made

    async def __call__(self, wait_s: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self.now + timedelta(seconds=wait_s), woken)
        self._sleepers.append(entry)
        await self._notify()
        try:
            await woken
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)
            await self._notify()

    async def asleep(self, count: int = 0) -> None:
        """Waits until so many sleep."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self._sleepers) >= (count or self.sleepers))

    async def pass_by(self, seconds: float) -> None:
        """Second by second, each as long as it takes: whoever sleeps is woken in turn and sleeps again."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            await self.asleep()
            self.now = min([end, *(max(self.now, until) for until, _ in self._sleepers)])
            for made in self.intakes:
                made.set_clock(self.now)
            for until, woken in list(self._sleepers):
                if until <= self.now and not woken.done():
                    self._sleepers.remove((until, woken))
                    woken.set_result(None)
        await self.asleep()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def listening(source: Source, intake: WatchedIntake) -> AsyncIterator[None]:
    """Runs a source until it is healthy, and while the test goes on."""
    running = asyncio.ensure_future(source.run(intake))
    healthy = asyncio.ensure_future(intake.becomes("ok"))
    try:
        await asyncio.wait({running, healthy}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        await healthy
        yield
    finally:
        running.cancel()
        healthy.cancel()
        await asyncio.wait({running, healthy})
