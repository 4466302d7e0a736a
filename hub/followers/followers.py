"""All followers: one runner each, begun, changed and ended as the configuration says."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import structlog
import trio
from msgspec import Struct

from hub.engine.state import State
from hub.followers.health import OK
from hub.followers.known import Known, known_of
from hub.followers.place import Place
from hub.followers.recent import Recent
from hub.followers.runner import Fill, HandOver, Parts, Runner
from hub.followers.wanted import Wanted
from hub.journal import Journal, JournalUnavailable
from hub.model import records as r

log = structlog.get_logger(__name__)

FAULT_PAUSE_S = 5.0


class FollowerConfig(Struct, frozen=True, kw_only=True):
    """`make(settings, environment)` gives the follower's connector."""

    type: str
    make: Any
    settings: Struct
    wanted: Wanted


class _Running(Struct):
    config: FollowerConfig
    runner: Runner
    scope: trio.CancelScope
    over: trio.Event


Plug = Callable[[Mapping[str, FollowerConfig]], Awaitable[None]]
"""Has these followers' connectors made, and no others; returns when that is so, or can be so only later."""


class Followers:
    """`run()` it in a nursery, then `enforce` what is configured. `decided` is called with each durable decision.
    `plug`: has connectors made where they live; None where they are made already, as in tests."""

    def __init__(
        self,
        *,
        journal: Journal,
        now: Callable[[], datetime],
        record: Callable[[r.FactBody], Awaitable[object]],
        hand_over: HandOver,
        fill: Fill,
        plug: Plug | None = None,
    ) -> None:
        self._journal = journal
        self._now = now
        self._recent = Recent(journal)
        self._parts = Parts(recent=self._recent, hand_over=hand_over, fill=fill, now=now, record=record)
        self._plug = plug
        self._running: dict[str, _Running] = {}
        self._wanted: dict[str, FollowerConfig] = {}
        self._begins: dict[str, Known] = {}  # of those that are new: where they begin, should the journal not know them
        self._changed = trio.Event()
        self._finishing = False

    def decided(self, decision: r.Decision) -> None:
        """A decision is durable. Nothing here waits for anybody."""
        if self._wanted:
            self._recent.decided(decision)

    def enforce(self, followers: Mapping[str, FollowerConfig], state: State) -> None:
        """From here on these follow. `state`: as the last durable decision left it, where new ones begin."""
        self._finishing = False
        if followers == self._wanted:
            return
        fresh = [name for name in followers if name not in self._wanted]
        encoded = msgspec.json.encode(known_of(state)) if fresh else b""
        new = {name: msgspec.json.decode(encoded, type=Known) for name in fresh}  # each folds its own
        self._begins = {name: begins for name, begins in self._begins.items() if name in followers} | new
        if not followers:
            self._recent.clear()
        self._wanted = dict(followers)
        self._changed.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._changed.wait()
                self._changed = trio.Event()
                wanted = self._wanted
                left = [name for name, one in self._running.items() if wanted.get(name) != one.config]
                await self._end(left)
                if self._plug is not None:
                    await self._plug(wanted)
                for name, config in wanted.items():
                    if name not in self._running and not self._finishing:
                        self._begin(nursery, name, config)
                for name in left:
                    if name not in wanted:
                        await self._gone(name)

    async def finish(self) -> None:
        """The hub stops: all save their places and end."""
        self._finishing = True
        await self._end(list(self._running))

    def stepped(self) -> None:
        """The clock jumped."""
        for one in self._running.values():
            one.runner.health.stepped(self._now())

    def picture(self) -> list[dict[str, Any]]:
        """Every follower for the picture of the moment."""
        now = self._now()
        return [{**one.runner.picture(now), "type": one.config.type} for one in self._running.values()]

    def _begin(self, nursery: trio.Nursery, name: str, config: FollowerConfig) -> None:
        place = Place(name, self._journal, self._parts.record)
        runner = Runner(name, config.wanted, place, self._begins.get(name, Known()), self._parts)
        running = _Running(config, runner, trio.CancelScope(), trio.Event())
        self._running[name] = running
        nursery.start_soon(self._live, running)

    async def _live(self, running: _Running) -> None:
        try:
            with running.scope:
                while True:
                    try:
                        await running.runner.run()
                    except Exception:  # a fault of ours must not end the hub, nor the follower
                        log.exception("a follower's task fell over; it is begun again", follower=running.runner.name)
                        await trio.sleep(FAULT_PAUSE_S)
        finally:
            running.over.set()

    async def _end(self, names: list[str]) -> None:
        for name in names:
            self._running[name].scope.cancel()
        for name in names:
            await self._running.pop(name).over.wait()

    async def _gone(self, name: str) -> None:
        """One that is not configured any more fails no more."""
        try:
            if await Place(name, self._journal, self._parts.record).told() != OK:
                gone = r.FollowerChanged(follower=name, health=OK, reason="no longer configured")
                await self._parts.record(gone)
        except JournalUnavailable as error:
            log.error("the room cannot be told", error=str(error))
