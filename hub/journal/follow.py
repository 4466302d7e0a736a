"""Following the facts: first from what is stored, then from the hand of the writer, without gap or repeat."""

import weakref
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import trio

from hub.model.records import Entry

Placed = tuple[int, Entry]
"""A fact and its place in the journal. Places only grow; decisions and attempts have places too."""

Stored = Callable[[int, int], Awaitable[Sequence[Placed]]]
"""(after, limit) → the facts stored past place `after`, in order, at most `limit`."""

BATCH_MAX = 1_000
BUFFER_MAX = 10_000  # facts waiting for one follower; a slower one goes back to reading from what is stored


class Followers:
    """All who follow one journal. `last` is the place up to which followers have something to read, or have read.

    A follower that nobody holds any more drops out by itself: who breaks out of `async for` need not close it.
    """

    def __init__(self, last: int) -> None:
        self.last = last
        self._all: weakref.WeakSet[Follower] = weakref.WeakSet()

    def follow(self, stored: Stored, start: Callable[[], Awaitable[int]]) -> "Follower":
        """A new follower. `start` finds the place after which it begins."""
        follower = Follower(self, stored, start)
        self._all.add(follower)
        return follower

    def offer(self, facts: Sequence[Placed]) -> None:
        """These facts have become durable, the next after all offered so far."""
        if not facts:
            return
        before, self.last = self.last, facts[-1][0]
        for follower in self._all:
            follower.offer(before, facts)

    def catch_up(self, place: int) -> None:
        """Facts up to `place` may be stored that were never offered."""
        self.last = max(self.last, place)
        for follower in self._all:
            follower.wake()


class Follower:
    """One reader of `facts()`. It holds at most BUFFER_MAX entries, whatever its pace. For one task at a time."""

    def __init__(self, followers: Followers, stored: Stored, start: Callable[[], Awaitable[int]]) -> None:
        self._followers = followers
        self._stored = stored
        self._start = start
        self._given = -1  # the place of the last fact given out; -1: not begun
        self._tail = -1  # the place of the last fact given out or buffered
        self._buffer: deque[Placed] = deque()
        self._wake = trio.Event()

    def __aiter__(self) -> AsyncIterator[Sequence[Entry]]:
        return self

    async def __anext__(self) -> Sequence[Entry]:
        if self._given < 0:
            self._given = self._tail = await self._start()
        waited = False  # a wait is a checkpoint, and one is enough
        while True:
            if self._buffer:
                if not waited:
                    await trio.lowlevel.checkpoint()
                return self._give([self._buffer.popleft() for _ in range(min(len(self._buffer), BATCH_MAX))])
            if self._tail < self._followers.last:
                last = self._followers.last
                read = await self._stored(self._tail, BATCH_MAX)
                if read:
                    self._tail = read[-1][0]
                    return self._give(read)
                self._given = self._tail = last  # up to there, no fact
                continue
            self._wake, waited = trio.Event(), True
            await self._wake.wait()

    def _give(self, batch: Sequence[Placed]) -> Sequence[Entry]:
        self._given = batch[-1][0]
        return [entry for _, entry in batch]

    def offer(self, before: int, facts: Sequence[Placed]) -> None:
        """`before` is the place of the fact before these: who has not got there yet reads them from what is stored."""
        if self._tail >= before:
            if len(self._buffer) + len(facts) > BUFFER_MAX:
                self._buffer.clear()
                self._tail = self._given
            else:
                # A read may have seen some of them already: they are stored before they are offered.
                fresh = [placed for placed in facts if placed[0] > self._tail]
                self._buffer.extend(fresh)
                self._tail = max(self._tail, facts[-1][0])
        self._wake.set()

    def wake(self) -> None:
        self._wake.set()
