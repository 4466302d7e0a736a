"""One follower's task: reads on from its cursor, tells, hands over until it is taken, moves the cursor."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import structlog
import trio
from msgspec import Struct
from msgspec.structs import replace

from hub.bridge import ConnectorError
from hub.connector import Followed
from hub.followers.health import Health
from hub.followers.known import Known
from hub.followers.place import PAGE, Place
from hub.followers.recent import Recent
from hub.followers.telling import Told, tell
from hub.followers.wanted import Wanted
from hub.journal import JournalError, JournalUnavailable
from hub.model import records as r
from hub.model.occurrences import IncidentEvent

log = structlog.get_logger(__name__)

BATCH, BATCH_WORDS = 100, 20  # events handed over at a time; with words
HAND_OVER_S = 30.0  # how long that may take
TURN = 20  # decisions looked at before others get their turn
LINGER_S = 0.05  # how long what comes waits for company
PAUSE_S, PAUSE_S_MAX = 1.0, 60.0  # before it is tried again; doubled each time
ASKED_S_MAX = 900.0  # and no longer than that, whatever the other side asks for
CURSOR_EVERY_S = 1.0  # the cursor is made durable so often at most: what is repeated after a crash is what came since
REMEMBER_EVERY_S = 60.0
SKIPPED_MAX = 5_000  # decisions that told it nothing, before its cursor moves all the same
REASON_MAX = 300  # characters of what the room is told
FINISH_S = 2.0  # how long saving its place may take when it is stopped


class HandOver(Protocol):
    """Gives a follower's connector a batch. Raises ConnectorError where that breaks off."""

    async def __call__(self, name: str, events: Sequence[IncidentEvent], deadline_s: float) -> Followed: ...


class Fill(Protocol):
    """Gives events the words that belong to them."""

    async def __call__(self, told: Sequence[Told]) -> list[IncidentEvent]: ...


class Parts(Struct, frozen=True, kw_only=True):
    """What all runners share. `record` makes a fact durable (raising JournalUnavailable)."""

    recent: Recent
    hand_over: HandOver
    fill: Fill
    now: Callable[[], datetime]
    record: Callable[[r.FactBody], Any]


class Runner:
    """`run()` it in a nursery. `begins`: where a new follower does. `health` is what is known of the other side."""

    def __init__(self, name: str, wanted: Wanted, place: Place, begins: Known, parts: Parts) -> None:
        self.name = name
        self.wanted = wanted
        self.health = Health(name, wanted.alarm_s)
        self.taken = 0
        self._place = place
        self._begins = begins
        self._parts = parts
        self._known = Known()  # as the last decision left it that was read
        self._done = ""  # the last decision of which all is with the other side
        self._passed = 0  # decisions it is done with, in this life
        self._skipped = 0  # decisions since the cursor moved that told it nothing
        self._moved_s = self._remembered_s = -math.inf
        self._dirty = False  # the other side has more than the cursor says
        self._whole = False  # all that `_known` knows is with the other side

    async def run(self) -> None:
        """Until it is cancelled: its place is saved then."""
        try:
            await self._find_place()
            while True:
                await self._tell(await self._next())
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + FINISH_S):
                await self._save(last=True)

    async def _find_place(self) -> None:
        pause_s = PAUSE_S
        while True:
            try:
                self.health.told = await self._place.told()
                self._known = await self._place.find(self.wanted.start, self._begins)
            except JournalError as error:
                log.error("a follower cannot find its place", follower=self.name, error=str(error))
                if not isinstance(error, JournalUnavailable):
                    self.health.failed(str(error), self._parts.now())
                    await self._report()
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, PAUSE_S_MAX)
            else:
                self._done, self._whole = self._known.after, True
                if self.health.since is not None:
                    self.health.worked()
                return

    # -- reading --

    async def _next(self) -> list[tuple[str, list[Told]]]:
        """What the next decisions tell, for each that tells something."""
        while True:
            moved = self._parts.recent.moved()
            try:
                decisions = await self._parts.recent.after(self._known.after, PAGE)
            except JournalError as error:
                log.error("a follower cannot read on", follower=self.name, error=str(error))
                await trio.sleep(PAUSE_S)
                continue
            if not decisions:
                await self._idle(moved)
                continue
            found: list[tuple[str, list[Told]]] = []
            for nth, decision in enumerate(decisions):
                if nth % TURN == TURN - 1:
                    await trio.lowlevel.checkpoint()
                told = [one for one in tell(self._known, decision) if self.wanted.wants(one.event)]
                if told:
                    found.append((decision.id, told))
            if found:
                self._whole = False
                self._passed += len(decisions) - len(found)
                return found
            self._done = self._known.after
            self._passed += len(decisions)
            self._skipped += len(decisions)
            if self._skipped >= SKIPPED_MAX:
                self._dirty = True
                await self._save()

    async def _idle(self, moved: trio.Event) -> None:
        """Until there is another decision; meanwhile what is to be saved is saved."""
        self._waits(None)
        await self._report()
        with trio.move_on_after(max(0.0, self._moved_s + CURSOR_EVERY_S - trio.current_time()) if self._dirty else 0.0):
            await moved.wait()
        if not moved.is_set():
            await self._save()
            await moved.wait()
        await trio.sleep(LINGER_S)

    # -- handing over --

    async def _tell(self, found: list[tuple[str, list[Told]]]) -> None:
        """Hands everything over, however long it takes. The cursor follows decision by decision."""
        queue = [(one, id_ if one is told[-1] else "") for id_, told in found for one in told]
        at = 0
        while at < len(queue):
            part = queue[at : at + (BATCH_WORDS if self.wanted.texts else BATCH)]
            self._waits(part[0][0].event.at)
            events = await self._words([one for one, _ in part])
            taken = await self._hand_over(events)
            for _, ended in part[:taken]:
                if ended:
                    self._done, self._dirty = ended, True
                    self._passed += 1
            self.taken += taken
            at += taken
            if at < len(queue):
                self._waits(queue[at][0].event.at)
                await self._report()
                if self._due(self._moved_s, CURSOR_EVERY_S):
                    await self._save()
        self._done, self._whole = self._known.after, True
        if self._due(self._moved_s, CURSOR_EVERY_S):
            await self._save()

    def _waits(self, oldest: datetime | None) -> None:
        self.health.waits(oldest, self._parts.recent.count - self._passed)

    async def _words(self, told: Sequence[Told]) -> list[IncidentEvent]:
        if not self.wanted.texts:
            return [replace(one.event, words=()) if one.event.words else one.event for one in told]
        while True:
            try:
                return await self._parts.fill(told)
            except JournalError as error:
                log.error("a follower waits for the journal", follower=self.name, error=str(error))
                await trio.sleep(PAUSE_S)

    async def _hand_over(self, events: Sequence[IncidentEvent]) -> int:
        """Until the other side has taken some. Returns how many."""
        pause_s = PAUSE_S
        while True:
            after_s: float | None = None
            try:
                followed = await self._parts.hand_over(self.name, events, HAND_OVER_S)
            except ConnectorError as error:
                taken, reason = 0, str(error)
            else:
                taken, reason, after_s = min(max(followed.taken, 0), len(events)), followed.reason, followed.after_s
            pause = min(max(pause_s, after_s or 0.0), max(pause_s, ASKED_S_MAX))
            if taken:
                if self.health.since is not None:
                    log.info("a follower takes events again", follower=self.name)
                self.health.worked()
                if reason and taken < len(events):
                    await trio.sleep(pause)
                return taken
            if self.health.since is None:  # once an outage
                log.warning("a follower takes nothing", follower=self.name, reason=reason, first=events[0].id)
            reason = " ".join(reason.split())[:REASON_MAX] or "it took nothing"
            self.health.failed(f"{reason} (event {events[0].id})", self._parts.now())
            await self._report()
            if self._dirty:
                await self._save()
            await trio.sleep(pause)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)

    # -- its place, its health --

    def _due(self, since_s: float, every_s: float) -> bool:
        return trio.current_time() - since_s >= every_s

    async def _save(self, last: bool = False) -> None:
        """The cursor; and now and then what is open there."""
        try:
            if self._dirty or (last and self._done):
                await self._place.move(self._done)
                self._moved_s, self._dirty, self._skipped = trio.current_time(), False, 0
        except JournalUnavailable as error:
            log.error("a follower's place waits for the journal", follower=self.name, error=str(error))
            self._moved_s = trio.current_time()
            return
        # Only where the cursor is: what is remembered must not be ahead of it.
        at_cursor = self._whole and self._known.after == self._place.cursor
        if at_cursor and (last or self._due(self._remembered_s, REMEMBER_EVERY_S)):
            self._remembered_s = trio.current_time()
            await self._place.remember(self._known)

    async def _report(self) -> None:
        """Tells the room what has changed."""
        if news := self.health.news(self._parts.now()):
            try:
                await self._parts.record(news)
            except JournalUnavailable as error:
                log.error("the room cannot be told", error=str(error))
            else:
                self.health.tell(news)

    def picture(self, now: datetime) -> dict[str, Any]:
        """For the picture of the moment."""
        health = self.health
        return {
            "name": self.name,
            "health": health.state,
            "reason": health.reason,
            "since": health.since,
            "behind_s": health.behind_s(now),
            "taken": self.taken,
        }
