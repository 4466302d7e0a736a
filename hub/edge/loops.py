"""The asyncio side of what passes between the edge and the hub: each loop has a link of its own, so that nothing on its
way has to wait for another thread.

What is posted goes over at the end of the loop's turn, or as soon as there are `wire.MANY`, so that the hub can begin
while the loop still works.
"""

import asyncio
import itertools
import pickle
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import structlog

from hub.acts import Refused
from hub.bridge import working_for
from hub.connector import Channel, Follower, Unavailable
from hub.edge import wire
from hub.intake.port import Answered, Offered

log = structlog.get_logger(__name__)

PLUG_S = 5.0  # how long a follower may take to open or close
CREDITS = 4096  # offers of one connector that may await their facts at once


class LoopLink(asyncio.Protocol):
    """One loop's link to the hub. `channels`, `followers`: whom the hub may call here; `make_follower` makes one, under
    its name, from its configuration (`hub.edge.setup.Made`). `lost`: called when the hub is gone."""

    def __init__(self, lost: Callable[[], object]) -> None:
        self.channels: dict[str, Channel] = {}
        self.followers: dict[str, Follower] = {}
        self.make_follower: Callable[[str, Any], Follower]
        self._unmade: dict[str, tuple[Any, str]] = {}  # followers that cannot be made, their configuration, and why
        self._lost = lost
        self._frames: wire.Frames[wire.ToEdge] = wire.Frames(wire.ToEdge)
        self._outbox: list[bytes] = []
        self._numbers = itertools.count(1)
        self._awaited: dict[int, asyncio.Future[Any]] = {}
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._closed = False
        self._drained: asyncio.Event | None = None

    async def open(self, link: socket.socket) -> None:
        """On the loop that is to have it."""
        self._loop = asyncio.get_running_loop()
        await self._loop.create_connection(lambda: self, sock=link)

    def port(self, connector: str) -> "OfferPort":
        """By which a connector on this loop offers."""
        return OfferPort(self, connector)

    async def finish(self) -> None:
        """Takes no more offers; returns when all have been answered."""
        self._closed = True
        if self._awaited:
            self._drained = asyncio.Event()
            await self._drained.wait()

    async def close(self) -> None:
        """The edge is about to end."""
        self._lost = lambda: None
        self._flush()
        self._transport.close()

    async def question(self, verb: str, words: Sequence[Any]) -> bytes:
        """What the web asks: the hub's answer in JSON. Raises Refused and Unavailable."""
        answer: bytes = await self.ask(lambda n: wire.Question(n, verb, words))
        return answer

    async def ask(self, message: Callable[[int], Any]) -> Any:
        """Posts a message under a number of its own and returns the answer to it."""
        if self._closed:
            raise Unavailable("the hub takes nothing more: it is stopping")
        n = next(self._numbers)
        self.post(message(n))
        answer = self._awaited[n] = self._loop.create_future()
        return await answer

    def post(self, message: Any) -> None:
        if isinstance(message, wire.Offer) and message.originals:
            parts = wire.framed_raw(message)
            self._flush()
            for part in parts:
                self._transport.write(part)
            return
        encoded = wire.encode(message)
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox.append(encoded)
        if len(self._outbox) >= wire.MANY:
            self._flush()

    def _flush(self) -> None:
        if self._outbox:
            outbox, self._outbox = self._outbox, []
            self._transport.write(wire.framed(outbox))

    # -- asyncio.Protocol --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._lost()

    def data_received(self, data: bytes) -> None:
        for message in self._frames.whole(data):
            match message:
                case wire.Kept(n=n, refused=refused):
                    self._settle(n, Unavailable(refused) if refused else Answered(message.taken, message.cursor))
                case wire.Call():
                    self._calls[message.n] = self._loop.create_task(self._call(message))
                case wire.Follow():
                    self._calls[message.n] = self._loop.create_task(self._follow(message))
                case wire.Plug():
                    self._calls[message.n] = self._loop.create_task(self._plug(message))
                case wire.Unread(type="Call" | "Follow" | "Plug", n=n, why=why):
                    self.post(wire.Said(n, error=f"the edge could not read it: {why}"))
                case wire.Answer(n=n):
                    self._settle(n, _answered(message))
                case wire.Cancel(n=n):
                    if task := self._calls.get(n):
                        task.cancel()
                case _:
                    pass

    def _settle(self, n: int, result: Any) -> None:
        answer = self._awaited.pop(n)
        if not answer.done():  # else whoever asked has gone away
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
        if self._drained is not None and not self._awaited:
            self._drained.set()

    async def _call(self, call: wire.Call) -> None:
        """Every call is answered, also one that is cancelled or late: it may have taken effect."""
        args = (call.outgoing, call.ref) if call.method == "recall" else (call.outgoing,)
        await self._say(call, getattr(self.channels[call.connector], call.method), *args)

    async def _follow(self, follow: wire.Follow) -> None:
        name = follow.connector
        if name in self._unmade:  # a secret may be there by now
            await self.plug(name, self._unmade[name][0])
        if name in self.followers:
            await self._say(follow, self.followers[name].follow, follow.events)
        else:
            del self._calls[follow.n]
            _, why = self._unmade.get(name, (None, "it is not configured"))
            self.post(wire.Said(follow.n, error=why))

    async def _say(self, call: wire.Call | wire.Follow, do: Callable[..., Awaitable[Any]], *args: Any) -> None:
        working_for(call.connector)
        answer, error = None, ""
        limit = asyncio.timeout(call.deadline_s)
        try:
            async with limit:
                answer = await do(*args)
        except asyncio.CancelledError:
            error = "it was cancelled"
        except Exception as fault:
            error = f"not done after {call.deadline_s:g} s" if limit.expired() else f"{type(fault).__name__}: {fault}"
        del self._calls[call.n]
        self.post(wire.Said(call.n, answer, error, limit.expired() and bool(error)))

    # -- followers --

    async def _plug(self, plug: wire.Plug) -> None:
        await self.unplug(plug.connector)
        if plug.made:
            await self.plug(plug.connector, pickle.loads(plug.made))  # noqa: S301 # the hub's own
        self._calls.pop(plug.n, None)
        self.post(wire.Said(plug.n))

    async def plug(self, name: str, made: Any) -> None:
        """Makes and opens a follower. One that cannot be made fails alone, and says why whenever it is called."""
        working_for(name)
        try:
            follower = self.make_follower(name, made)
            async with asyncio.timeout(PLUG_S):
                await follower.open()
        except Exception as error:
            why = f"it cannot be made: {error or type(error).__name__}"
            if self._unmade.get(name, (None, ""))[1] != why:
                log.error("a follower cannot be made", follower=name, error=str(error) or type(error).__name__)
            self._unmade[name] = (made, why)
        else:
            self._unmade.pop(name, None)
            self.followers[name] = follower

    async def unplug(self, name: str) -> None:
        """Closes a follower, where there is one."""
        self._unmade.pop(name, None)
        if follower := self.followers.pop(name, None):
            try:
                async with asyncio.timeout(PLUG_S):
                    await follower.close()
            except Exception as error:
                log.warning("a follower did not close", follower=name, error=str(error) or type(error).__name__)


class OfferPort:
    """What `hub.intake.port.IntakePort` offers by: at most `CREDITS` at once, the rest wait for their turn."""

    def __init__(self, link: LoopLink, connector: str) -> None:
        self._link = link
        self._connector = connector
        self._credits = asyncio.Semaphore(CREDITS)

    async def offer(self, item: Offered) -> Answered:
        """Returns when the hub has made it durable. Raises Unavailable."""
        async with self._credits:
            kept: Answered = await self._link.ask(lambda n: wire.offer_of(n, self._connector, item))
            return kept


def _answered(answer: wire.Answer) -> Any:
    if answer.refused:
        return Refused(answer.refused, missing=answer.missing, conflict=answer.conflict)
    return Unavailable(answer.unavailable) if answer.unavailable else answer.value
