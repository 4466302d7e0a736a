"""What sources share that hold a line open: offering in batches behind what is read, health, remembering what was
offered.

Reading goes on while the hub makes earlier things durable, but no further than a bounded number of things ahead: then
it waits, and so, by TCP, does the sender. The cursor moves behind the offers, never before: what is read again after a
fall is known by its key.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from connectors.http import FetchFailed
from connectors.polling import Pace, Sleep, offer
from hub.connector import BadItem, Intake, Item, SignalItem, Unavailable

V = TypeVar("V")

_log = structlog.get_logger()

BATCH = 200  # items offered together
AHEAD_MAX = 1_000  # things read and not yet durable
AHEAD_BYTES = 16 << 20  # their originals together
KEEP_S = 30.0  # how old the cursor may be where something was offered since
KEEP_QUIET_S = 300.0  # where nothing was
LONGEST_S = 120.0  # between two tries to have a line again
_STOOD_S = 60.0  # a line that stood so long counts as one that works


def remember(known: dict[str, V], name: str, value: V, most: int) -> None:
    """Puts it last, and forgets the first beyond `most`."""
    known.pop(name, None)
    known[name] = value
    while len(known) > most:
        del known[next(iter(known))]


class Health:
    """The health of a source that has several lines: it fails where one does, and is well once all of them have been.
    `news`: a post came in."""

    def __init__(self, intake: Intake, silent_after_s: float, lines: int) -> None:
        self._intake = intake
        self._count = lines
        self._silent_after_s = silent_after_s
        self._wrong: dict[str, str] = {}
        self._lines: set[str] = set()
        self._last = intake.now()

    def news(self) -> None:
        self._last = self._intake.now()

    async def fine(self, line: str) -> None:
        self._wrong.pop(line, None)
        self._lines.add(line)
        await self.tell()

    async def failed(self, line: str, reason: str) -> None:
        self._wrong[line] = reason
        await self.tell()

    async def tell(self) -> None:
        """Says how it stands; nothing while that is not known."""
        quiet_s = (self._intake.now() - self._last).total_seconds()
        with suppress(Unavailable):
            if self._wrong:
                more = f" (and {len(self._wrong) - 1} more)" if len(self._wrong) > 1 else ""
                await self._intake.health("failing", next(iter(self._wrong.values())) + more)
            elif self._silent_after_s and quiet_s >= self._silent_after_s:
                await self._intake.health("silent", f"no post for {quiet_s:.0f} s")
            elif len(self._lines) >= self._count:
                await self._intake.health("ok")


class Line:
    """One thing that a source does again and again: listening that breaks off, looking now and then."""

    def __init__(self, source: str, name: str, health: Health, sleep: Sleep, chance: random.Random) -> None:
        self._source = source
        self._name = name
        self._health = health
        self._sleep = sleep
        self._chance = chance
        self.failures = 0  # in a row

    async def hold(self, work: Callable[[], Awaitable[None]], every_s: float = 1.0) -> None:
        """Does it until cancelled, less often while it fails (FetchFailed; anything else is a fault of ours). That it
        broke off after having worked for a while is told only where the next try fails, too: servers do that."""
        pace, clock = Pace(every_s, self._chance, LONGEST_S), asyncio.get_running_loop()
        while True:
            began = clock.time()
            try:
                await work()
            except FetchFailed as error:
                worked = clock.time() - began > _STOOD_S
                if worked:
                    pace, self.failures = Pace(every_s, self._chance, LONGEST_S), 0
                self.failures += 1
                if not worked or error.lasting:
                    await self._health.failed(self._name, f"{self._name}: {error.reason}")
                wait_s = pace.failed(error.retry_after_s, gone=error.gone)
                _log.warning("line.broken", source=self._source, line=self._name, error=error.reason)
            else:
                self.failures = 0
                await self._health.fine(self._name)
                wait_s = pace.succeeded()
            await self._sleep(wait_s)


class Funnel:
    """Through which everything that was read goes to the hub, in its order. `cursor` says where the source stands;
    only what is handed in as `moved` may change that."""

    def __init__(
        self, intake: Intake, health: Health, cursor: Callable[[], str], sleep: Sleep, *, keep_s: float = KEEP_S
    ) -> None:
        self._intake = intake
        self._health = health
        self._cursor = cursor
        self._sleep = sleep
        self._keep_s = keep_s
        self._read: asyncio.Queue[tuple[Sequence[Item], Callable[[], object]]] = asyncio.Queue(AHEAD_MAX)
        self._ahead_bytes = 0
        self._kept_at = float("-inf")
        self._kept = ""
        self._dirty = False  # something was offered since the cursor was kept

    async def put(self, items: Sequence[Item], moved: Callable[[], object]) -> None:
        """Hands in items, and what to do to the cursor once they are offered. Waits where too much is ahead."""
        await self._read.put((items, moved))
        self._ahead_bytes += _bytes(items)
        if self._ahead_bytes > AHEAD_BYTES:
            await self._read.join()

    async def keep(self) -> None:
        """Waits until everything handed in has been offered, and the cursor is kept."""
        self._kept_at = float("-inf")
        self._dirty = True
        await self.put((), lambda: None)
        await self._read.join()

    async def run(self) -> None:
        """Offers until cancelled."""
        while True:
            read = await self._next()
            items: list[Item] = []
            for some, moved in read:
                items += some
                moved()
            await self._offer(items)
            self._ahead_bytes -= _bytes(items)
            for _ in read:
                self._read.task_done()
            if not read:
                await self._health.tell()

    async def _next(self) -> list[tuple[Sequence[Item], Callable[[], object]]]:
        """What has been read meanwhile, a batch at most; nothing when it is time to look at the cursor."""
        try:
            async with asyncio.timeout(max(self._keep_s, 0.01) if self._dirty else KEEP_S):
                read = [await self._read.get()]
        except TimeoutError:
            return []
        count = len(read[0][0])
        while count < BATCH and len(read) < AHEAD_MAX and not self._read.empty():
            read.append(self._read.get_nowait())
            count += len(read[-1][0])
        return read

    async def _offer(self, items: Sequence[Item]) -> None:
        now = asyncio.get_running_loop().time()
        self._dirty = self._dirty or bool(items)
        due = now - self._kept_at >= (self._keep_s if self._dirty else KEEP_QUIET_S)
        cursor = self._cursor() if due else None
        if cursor == self._kept:
            cursor, self._kept_at, self._dirty = None, now, bool(items)
        if not items and cursor is None:
            return
        await offer(self._intake, items, cursor, self._sleep)
        if cursor is not None:
            self._kept, self._kept_at, self._dirty = cursor, now, False


def _bytes(items: Sequence[Item]) -> int:
    return sum(len(item.original) for item in items if isinstance(item, SignalItem | BadItem))


async def together(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Runs them all until one fails, whose error it raises, or until cancelled."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
