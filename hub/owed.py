"""What decisions leave for the hub to do itself: done one after the other, each until it is.

Each is decided before anything of it is done, and stays open in the state until then: a hub that goes down in between
does it when it comes back. So doing one must look at the state first, and doing it twice must come to the same.
"""

import math
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import structlog
import trio

from hub.connector import Unavailable
from hub.journal import JournalError

log = structlog.get_logger(__name__)

T = TypeVar("T")

RETRY_S = 1.0


class Owed(Generic[T]):
    """`do`: does one, and may raise JournalError or Unavailable: it is done again then. `what`: for the log."""

    def __init__(self, what: str, do: Callable[[T], Awaitable[None]]) -> None:
        self._what = what
        self._do = do
        self._send, self._owed = trio.open_memory_channel[T](math.inf)

    def add(self, one: T) -> None:
        self._send.send_nowait(one)

    async def run(self, left: Iterable[T]) -> None:
        """Does what is owed, for ever. `left`: what was owed when the hub went down."""
        for one in left:
            await self._until_done(one)
        async for one in self._owed:
            await self._until_done(one)

    async def _until_done(self, one: T) -> None:
        while True:
            try:
                await self._do(one)
                return
            except (JournalError, Unavailable) as error:
                log.error("what is owed waits for the journal", what=self._what, error=str(error))
                await trio.sleep(RETRY_S)
