"""The simulator's time: how long a phone rings and a voice speaks, in seconds as the phones live them."""

import asyncio
import heapq
import itertools
import time
from typing import Protocol


class Clock(Protocol):
    """Simulated seconds."""

    pace: float | None
    """Real seconds per simulated second; None where time only moves by hand."""

    def now(self) -> float:
        """Simulated seconds since the clock was made."""

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` simulated seconds have gone by."""


class PacedClock:
    """Simulated time follows real time, `pace` real seconds to the simulated second (0.1: ten times as fast)."""

    def __init__(self, pace: float = 1.0) -> None:
        if pace <= 0:
            raise ValueError(f"pace {pace}: must be above 0, for example 0.01 (a hundred times as fast)")
        self.pace: float | None = pace
        self._ratio = pace
        self._start = time.monotonic()

    def now(self) -> float:
        return (time.monotonic() - self._start) / self._ratio

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._ratio)


class ManualClock:
    """Simulated time moves only when a test advances it: no test waits for the real clock."""

    pace: float | None = None

    def __init__(self) -> None:
        self._now = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move on by `seconds`, waking each sleeper at its moment and letting it act before the next.

        What a woken task does over the network takes real time: wait for its effect before going on.
        """
        end = self._now + seconds
        await _let_others_run()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, future = heapq.heappop(self._sleepers)
            if future.done():  # its sleeper was cancelled
                continue
            self._now = max(self._now, at)
            future.set_result(None)
            await _let_others_run()
        self._now = end


async def _let_others_run() -> None:
    # A woken task may pass its result through a few others (a race, a task group) before it sleeps again.
    for _ in range(10):
        await asyncio.sleep(0)
