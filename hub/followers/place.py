"""How far a follower has been told, and what was open there: kept in the journal, found again when the hub comes back.

The cursor is a fact (`CursorMoved`, as a source's is) and moves only after the other side has taken what it covers.
What was open there is remembered beside the records now and then: without that, or with one that cannot be read, the
journal is folded from its beginning, and it is the same.
"""

from collections.abc import Awaitable, Callable

import msgspec
import structlog
import trio

from hub.followers.health import OK
from hub.followers.known import Known
from hub.followers.telling import tell
from hub.followers.wanted import From
from hub.journal import Journal, JournalError, JournalUnavailable
from hub.model import records as r

log = structlog.get_logger(__name__)

PAGE = 200  # decisions read at a time: short, so that nothing else waits for them

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Known).decode


def subject(name: str) -> str:
    """What a follower's cursor stands under: no source has a space in its name."""
    return f"follower {name}"


class Place:
    """Of one follower. `record` makes a fact durable."""

    def __init__(self, name: str, journal: Journal, record: Callable[[r.FactBody], Awaitable[object]]) -> None:
        self._name = name
        self._subject = subject(name)
        self._journal = journal
        self._record = record
        self.cursor: str | None = None

    async def find(self, start: From, now: Known) -> Known:
        """What was open where the follower is. A new one begins at `now`, or at the beginning, and that is made durable
        at once. Raises JournalError where the journal is another one than that which the follower knows."""
        fact = await self._journal.latest("cursor", self._subject)
        if fact is None or not isinstance(fact.body, r.CursorMoved):
            known = now if start is From.NOW else Known()
            await self.move(known.after)
            return known
        self.cursor = cursor = fact.body.cursor
        known = await self._remembered()
        if not await self._fold(known, cursor):
            known = Known()
            if not await self._fold(known, cursor):
                raise JournalError(f"decision {cursor} is not in this journal: under a new name it begins anew")
        return known

    async def told(self) -> str:
        """What of it stands in the room, from an earlier life."""
        last = await self._journal.latest("follower", self._name)
        return last.body.health if last is not None and isinstance(last.body, r.FollowerChanged) else OK

    async def move(self, cursor: str) -> None:
        """Everything up to there is with the other side. Raises JournalUnavailable."""
        if cursor != self.cursor:
            await self._record(r.CursorMoved(source=self._subject, cursor=cursor))
            self.cursor = cursor

    async def remember(self, known: Known) -> None:
        """Saves the time to fold the journal again; `known` is not ahead of the cursor."""
        try:
            await self._journal.note(self._subject, _encode(known).decode())
        except JournalUnavailable as error:
            log.warning("a follower will take longer to come back", follower=self._subject, error=str(error))

    async def _remembered(self) -> Known:
        text = await self._journal.noted(self._subject)
        try:
            return _decode(text) if text else Known()
        except msgspec.MsgspecError:
            return Known()

    async def _fold(self, known: Known, cursor: str) -> bool:
        """Folds what lies between; whether the cursor was found."""
        try:
            while known.after != cursor:
                page = await self._journal.decisions(after=known.after, limit=PAGE)
                if not page:
                    return False
                for decision in page:
                    for _ in tell(known, decision):
                        pass
                    if known.after == cursor:
                        break
                await trio.lowlevel.checkpoint()
        except JournalUnavailable:
            raise
        except JournalError:  # what was remembered is of another journal
            return False
        return True
