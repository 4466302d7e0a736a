"""How fast something is played: as many times faster than it was, or all at once."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

AT_ONCE = math.inf


class Pace:
    """The playback's time: it is `begin` when `start` is called, and runs at `speed` times real time (AT_ONCE: all is
    due). `clock` (seconds, only differences count) and `sleep` are arguments so that tests need not wait."""

    def __init__(
        self,
        begin: datetime,
        speed: float = 1.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed {speed}: is to be more than 0")
        self.begin = begin
        self.speed = speed
        self._clock = clock
        self._sleep = sleep
        self._began: float | None = None
        self.started = asyncio.Event()

    def start(self) -> None:
        self._began = self._clock()
        self.started.set()

    def due(self, at: datetime) -> bool:
        return self.left_s(at) <= 0.0

    def left_s(self, at: datetime) -> float:
        """Real seconds until then; endless before the start."""
        if self._began is None:
            return math.inf
        if self.speed == AT_ONCE:
            return 0.0
        return (at - self.begin).total_seconds() / self.speed - (self._clock() - self._began)

    def now(self) -> datetime:
        """The playback's time; the beginning while it has none of its own."""
        if self._began is None or self.speed == AT_ONCE:
            return self.begin
        return self.begin + timedelta(seconds=(self._clock() - self._began) * self.speed)

    async def until(self, at: datetime) -> None:
        """Waits for the start, too."""
        await self.started.wait()
        while (left_s := self.left_s(at)) > 0.0:
            await self._sleep(min(left_s, 3600.0))
