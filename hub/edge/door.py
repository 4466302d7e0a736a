"""The hub's side of its edge: starts the process, asks its channels, takes in what its sources offer, and starts it
again when it ends or hangs.

A call that was under way when the edge ended is broken off: whether it took effect is not known, and dispatch settles
that as it does after a crash of its own.
"""

import itertools
import pickle
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar, cast

import msgspec
import structlog
import trio
from msgspec.structs import replace

from hub.acts import Refused
from hub.bridge import ConnectorError, ConnectorTimeout
from hub.connector import Followed, Unavailable
from hub.edge import wire
from hub.edge.setup import LINKS, CannotStart, Made, Setup
from hub.intake.port import Answered, Offered
from hub.logs import level_of_log
from hub.model.occurrences import IncidentEvent

log = structlog.get_logger(__name__)

T = TypeVar("T")

START_S = 60.0  # how long the edge may take to be ready
RESTART_PAUSE_S = 0.25  # doubled each time it ends again within STEADY_S
PAUSE_S_MAX, STEADY_S = 10.0, 30.0
PING_EVERY_S = 5.0
HANGS_S = 30.0  # without a sign of life for so long, it is ended and started again
SWEEP_EVERY_S = 0.5
CANCEL_GRACE_S = 3.0  # how long a cancelled or late call may take to wind up over there
FINISH_S = 12.0  # how long what comes in may take to stop
CLOSE_S = 15.0
PLUG_S = 15.0  # and a follower's connector to be changed
BUFFER_BYTES = 1 << 20


class Take(Protocol):
    """Makes a burst of one connector's offers durable."""

    async def __call__(self, connector: str, offers: Sequence[Offered]) -> Sequence[Answered | Unavailable]: ...


class _Pending:
    """A call that awaits what came of it; past `late_s` (trio's clock) it no longer does."""

    __slots__ = ("late_s", "over", "said")

    def __init__(self, late_s: float) -> None:
        self.late_s = late_s
        self.over = trio.Event()
        self.said: wire.Said | None = None

    def finish(self, said: wire.Said | None) -> None:
        self.said = said
        self.over.set()


ToEdge = wire.Link[wire.ToHub]


class Edge:
    """`run()` it in a nursery; `port` is where the web listens then. `now_s` gives hub time, seconds since 1970; `take`
    takes offers in; `answer` answers the web's questions (raising Refused or Unavailable); `report` is told
    how it ended when it did so by itself, `gap` why a recording lacks something."""

    def __init__(
        self,
        setup: Setup,
        *,
        now_s: Callable[[], float],
        take: Take,
        answer: Callable[[str, Sequence[Any]], Awaitable[Any]],
        report: Callable[[str], Awaitable[object]],
        gap: Callable[[str], Awaitable[object]],
    ) -> None:
        self.port = 0
        self._setup = setup
        self._now_s = now_s
        self._take = take
        self._answer = answer
        self._report = report
        self._gap, self._gap_told = gap, ""
        self._numbers = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._links: dict[str, ToEdge] = {}
        self._up = trio.Event()
        self._heard = False
        self._was_up = False
        self._listens = False
        self._closing = False
        self._finished = trio.Event()
        self.ended = trio.Event()
        self._process: trio.Process | None = None

    # -- its life --

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keeps it running until `close`. Raises CannotStart where it cannot be set up the first time."""
        try:
            began_s, pause_s = trio.current_time(), RESTART_PAUSE_S
            await self._live(task_status)
            while not self._closing:
                how = await self._end()
                log.error("the edge has ended: it is started again", how=how)
                if self._was_up:  # once an outage
                    self._was_up = False
                    await self._report(how)
                pause_s = RESTART_PAUSE_S if trio.current_time() - began_s > STEADY_S else min(2 * pause_s, PAUSE_S_MAX)
                await trio.sleep(pause_s)
                began_s = trio.current_time()
                try:
                    await self._live(trio.TASK_STATUS_IGNORED)
                except (CannotStart, OSError) as error:
                    log.error("the edge cannot be started; trying again", error=str(error))
        finally:
            with trio.CancelScope(shield=True):
                await self._end()
            self.ended.set()

    async def _live(self, task_status: trio.TaskStatus[None]) -> None:
        """One life of the process: returns when it has ended."""
        links = self._links = await self._start()
        self._finished = trio.Event()
        failed = ""
        try:
            async with trio.open_nursery() as nursery:
                for link in links.values():
                    nursery.start_soon(link.send)
                for name in ("in", "out"):
                    nursery.start_soon(self._receive, links[name], nursery)
                ready: wire.Ready | wire.Failed = wire.Failed(f"the edge was not ready after {START_S:g} s")
                with trio.move_on_after(START_S):
                    ready = await nursery.start(self._receive, links["whole"], nursery)
                if isinstance(ready, wire.Failed):
                    failed = ready.why
                    nursery.cancel_scope.cancel()
                else:
                    self.port = ready.port
                    self._was_up = True
                    self._up.set()
                    if self._listens:
                        self._say(wire.Listen())
                    if self._closing:  # the hub was told to stop meanwhile
                        self._say(wire.Close())
                    nursery.start_soon(self._watch)
                    nursery.start_soon(self._sweep)
                    task_status.started()
        finally:
            self._links, self._up = {}, trio.Event()
            for n in tuple(self._pending):
                self._pending.pop(n).finish(wire.Said(n, error="the edge ended meanwhile"))
            for link in links.values():
                link.close()
        if failed:
            raise CannotStart(failed)

    async def _start(self) -> dict[str, ToEdge]:
        """Starts the process and tells it what it is to be."""
        pairs = {name: socket.socketpair() for name in LINKS}
        for end in (end for pair in pairs.values() for end in pair):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        theirs = [pairs[name][1] for name in LINKS]
        numbers = [end.fileno() for end in theirs]
        command = [sys.executable, "-m", "hub.edge.process", *map(str, numbers)]
        process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, pass_fds=numbers)
        self._process = process
        for end in theirs:
            end.close()
        assert process.stdin is not None
        setup = replace(self._setup, now_s=self._now_s(), level=level_of_log())
        with suppress(trio.BrokenResourceError):  # it has ended already; whoever receives finds out
            await process.stdin.send_all(pickle.dumps(setup))
            await process.stdin.aclose()
        return {name: wire.Link(pairs[name][0], wire.ToHub) for name in LINKS}

    def _say(self, message: Any) -> None:
        """To the edge as a whole, where there is one."""
        if link := self._links.get("whole"):
            link.post(message)

    async def _receive(
        self,
        link: ToEdge,
        nursery: trio.Nursery,
        *,
        task_status: trio.TaskStatus[wire.Ready | wire.Failed] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Takes what comes by a link until the edge has gone; that for the whole says first whether it is ready."""
        is_ready = False
        async for messages in link.received():
            self._heard = True
            offers: dict[str, list[wire.Offer]] = {}
            for message in messages:
                match message:
                    case wire.Offer():
                        offers.setdefault(message.connector, []).append(message)
                    case wire.Said():
                        if pending := self._pending.pop(message.n, None):
                            pending.finish(message)
                    case wire.Question():
                        nursery.start_soon(self._ask, link, message)
                    case wire.Unread():
                        self._refuse(link, message)
                    case wire.Finished():
                        self._finished.set()
                    case wire.Ready() | wire.Failed():
                        is_ready = True
                        task_status.started(message)
                    case wire.Pong(gap=why) if why and why != self._gap_told:
                        self._gap_told = why
                        nursery.start_soon(self._gap, why)
                    case wire.Pong():
                        pass
            for connector, burst in offers.items():
                nursery.start_soon(self._take_in, link, connector, burst)
        if not is_ready:
            task_status.started(wire.Failed("the edge ended before it was ready; its own words are on standard error"))
        self._finished.set()
        nursery.cancel_scope.cancel()

    async def _watch(self) -> None:
        """Ends an edge that gives no sign of life."""
        silent_s = 0.0
        while silent_s < HANGS_S:
            self._heard = False
            self._say(wire.Ping())
            await trio.sleep(PING_EVERY_S)
            silent_s = 0.0 if self._heard else silent_s + PING_EVERY_S
        log.error("the edge hangs: it is ended", silent_s=silent_s)
        assert self._process is not None
        self._process.kill()

    async def _sweep(self) -> None:
        """Gives up calls of which no word comes. (One task for all: a deadline for each costs more than the call.)"""
        while True:
            await trio.sleep(SWEEP_EVERY_S)
            now_s = trio.current_time()
            for n in [n for n, pending in self._pending.items() if pending.late_s <= now_s]:
                self._pending.pop(n).finish(None)

    async def _end(self) -> str:
        """Sees the process off: it has closed its link, or is to. Says how it ended."""
        process, self._process = self._process, None
        if process is None:
            return "it was not started"
        with trio.move_on_after(CLOSE_S):
            await process.wait()
        if process.returncode is None:
            log.error("the edge does not end: it is killed")
            process.kill()
        code = await process.wait()
        return f"signal {-code}" if code < 0 else f"exit status {code}"

    def listen(self) -> None:
        """Sources may begin."""
        self._listens = True
        self._say(wire.Listen())

    async def finish(self) -> None:
        """Sources and the web stop: returns when nothing more comes in. Channels go on."""
        self._listens = False
        if self._up.is_set():
            self._say(wire.Finish())
            with trio.move_on_after(FINISH_S):
                await self._finished.wait()

    def close(self) -> None:
        """Channels close, and `run` ends."""
        self._closing = True
        self._say(wire.Close())

    def step(self, by_s: float) -> None:
        """Hub time has jumped."""
        self._say(wire.Step(by_s))

    # -- what comes in --

    async def _take_in(self, link: ToEdge, connector: str, burst: Sequence[wire.Offer]) -> None:
        """Makes facts of what a connector offered and says so."""
        try:
            results = await self._take(connector, [wire.offered_of(offer) for offer in burst])
        except Exception as error:
            log.exception("intake", connector=connector)
            results = [Unavailable(f"the hub could not take this in: {type(error).__name__}")] * len(burst)
        for offer, result in zip(burst, results, strict=True):
            if isinstance(result, Unavailable):
                link.post(wire.Kept(offer.n, refused=str(result)))
            else:
                link.post(wire.Kept(offer.n, result.taken, result.cursor))
        link.push()  # before anything is decided on them: whoever offered can go on

    def _refuse(self, link: ToEdge, unread: wire.Unread) -> None:
        """What one connector said cannot be read: that is said to it alone."""
        log.error("what the edge said could not be read", type=unread.type, why=unread.why)
        match unread.type:
            case "Offer":
                link.post(wire.Kept(unread.n, refused=f"the hub could not read this: {unread.why}"))
            case "Question":
                link.post(wire.Answer(unread.n, unavailable=f"the hub could not read this: {unread.why}"))
            case "Said":
                if pending := self._pending.pop(unread.n, None):
                    pending.finish(wire.Said(unread.n, error=f"the answer could not be read: {unread.why}"))

    async def _ask(self, link: ToEdge, question: wire.Question) -> None:
        n = question.n
        try:
            value = msgspec.Raw(msgspec.json.encode(await self._answer(question.verb, question.words)))
        except Unavailable as error:
            link.post(wire.Answer(n, unavailable=str(error)))
        except Refused as error:
            link.post(wire.Answer(n, refused=error.reason, missing=error.missing, conflict=error.conflict))
        except Exception as error:
            log.exception("a question could not be answered", verb=question.verb)
            link.post(wire.Answer(n, unavailable=f"a fault of ours: {type(error).__name__}"))
        else:
            link.post(wire.Answer(n, value))

    # -- what goes out --

    async def call(
        self,
        fn: Callable[..., Coroutine[Any, Any, T]],
        *args: Any,
        connector: str,
        doing: str | None = None,
        deadline_s: float | None = None,
    ) -> T:
        """Has the edge's channel of that name do what `fn`, the method of its likeness on this side, stands for; as
        `hub.bridge.Loop.call`. While the edge is being started again, it waits: nothing has been sent yet.

        Errors: ConnectorTimeout past `deadline_s`; ConnectorError where it broke off, or there was no edge to ask. If
        the caller is cancelled and the call turns out to be done, its result is returned: a send that went out must not
        look as if it had not.
        """
        what = doing or fn.__name__
        outgoing, ref = (*args, "")[:2]
        method = cast(Any, fn.__name__)
        said = await self._said(
            connector, what, deadline_s, lambda n: wire.Call(n, connector, method, outgoing, ref, deadline_s)
        )
        return cast(T, said.answer)

    async def follow(self, name: str, events: Sequence[IncidentEvent], deadline_s: float) -> Followed:
        """Hands a follower events. Raises ConnectorError as `call` does."""
        said = await self._said(name, "following", deadline_s, lambda n: wire.Follow(n, name, events, deadline_s))
        return said.answer if isinstance(said.answer, Followed) else Followed(taken=0)

    async def plug(self, followers: Mapping[str, Made]) -> None:
        """These followers' connectors are made, and no others; where there is no edge, its next life makes them."""
        before = self._setup.followers
        self._setup = replace(self._setup, followers=dict(followers))
        changed = [name for name in {**before, **followers} if before.get(name) != followers.get(name)]
        for name in changed if self._up.is_set() else ():
            made = pickle.dumps(followers[name]) if name in followers else b""
            try:
                await self._said(name, "plugging", PLUG_S, partial(_plug, name=name, made=made))
            except ConnectorError as error:
                log.error("a follower could not be changed", follower=name, error=str(error))

    async def _said(
        self, connector: str, what: str, deadline_s: float | None, message: Callable[[int], Any]
    ) -> wire.Said:
        """What the edge's loop for what goes out said to a message that was posted under a number of its own."""
        if not self._up.is_set():
            with trio.move_on_after(float("inf") if deadline_s is None else deadline_s):
                await self._up.wait()
        link = self._links.get("out")
        if link is None or not self._up.is_set():
            raise ConnectorError(connector, what, "the edge is not running")
        # The deadline is kept over there; here only in case that fails.
        late_s = float("inf") if deadline_s is None else trio.current_time() + deadline_s + CANCEL_GRACE_S
        n, pending = next(self._numbers), _Pending(late_s)
        self._pending[n] = pending
        try:
            link.post(message(n))
            await pending.over.wait()
        except trio.Cancelled:
            link.post(wire.Cancel(n))
            with trio.move_on_after(CANCEL_GRACE_S, shield=True):
                await pending.over.wait()
            if pending.said is None or pending.said.error:
                raise
        finally:
            self._pending.pop(n, None)
        said = pending.said
        if said is None:
            raise ConnectorTimeout(connector, what, f"not done after {deadline_s:g} s, and no word of it")
        if said.late:
            raise ConnectorTimeout(connector, what, said.error)
        if said.error:
            raise ConnectorError(connector, what, said.error)
        return said


def _plug(n: int, name: str, made: bytes) -> wire.Plug:
    return wire.Plug(n, name, made)
