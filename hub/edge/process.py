"""What runs in the edge: the bridge with its two asyncio loops, connectors, the web, worker processes, the watchdog.

    python -m hub.edge.process WHOLE IN OUT

Each is the number of a socket whose other end is the hub's: for the edge as a whole, for the loop of what comes in, for
the loop of what goes out. What it is to be is read from standard input.

It keeps nothing: what is offered here is answered when the hub has made it durable, and what is to be sent comes with
its attempt made. When the hub is gone, the edge ends at once.
"""

import os
import pickle
import signal
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

import msgspec
import structlog
import trio
from msgspec import Struct

from hub import watchdog
from hub.acts import HEALTH
from hub.bridge import Bridge, ConnectorError, Loop, open_bridge
from hub.clock import Clock
from hub.connector import NO_TAPE, Tape
from hub.cores import on_one_core
from hub.edge import wire
from hub.edge.loops import LoopLink
from hub.edge.recorder import recorder_of, taped
from hub.edge.setup import LINKS, CannotStart, Setup, make
from hub.garbage import collect_rarely
from hub.intake.port import IntakePort, Offered
from hub.logs import configure_log
from hub.model.records import SourceChanged
from hub.secrets import secrets_from
from hub.version import VERSION
from hub.web.server import Mount, WebConfig, WebServer
from hub.workers import in_worker, open_workers

log = structlog.get_logger(__name__)

SOURCE_PAUSE_S = 5.0  # before a source that fell over is started again
PRELOAD = ("lxml.etree", "feedparser")  # what most documents are read with


class Plugged(Struct, frozen=True):
    """A source with its intake."""

    name: str
    source: Any
    port: IntakePort


class Edge:
    """The edge, from when it is set up until the hub has done with it. `ends`: this side of the links, for the edge as
    a whole, for what comes in and for what goes out."""

    def __init__(self, setup: Setup, ends: dict[str, socket.socket], bridge: Bridge) -> None:
        self._setup = setup
        self._ends = ends
        self._bridge = bridge
        self._link: wire.Link[wire.ToEdge] = wire.Link(ends["whole"], wire.ToEdge)
        self._in, self._out = LoopLink(orphaned), LoopLink(orphaned)
        self._clock = Clock(datetime.fromtimestamp(setup.now_s, UTC))
        self._secret = secrets_from(setup.secrets)
        self._recorder = recorder_of(setup, self._clock.now)
        self._jobs = bridge.in_.stream(connector="workers", credits=64, overflow="wait")
        self._jobs_out = bridge.out.stream(connector="workers", credits=64, overflow="wait")
        self._listening = trio.CancelScope()

    async def run(self) -> None:
        """Serves the hub until it is told to close, or the hub has gone."""
        async with open_workers(preload=PRELOAD) as workers, trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._link.send)
            nursery.start_soon(watchdog.watch, self._bridge)
            nursery.start_soon(workers.serve, self._jobs)
            nursery.start_soon(workers.serve, self._jobs_out)
            nursery.start_soon(self._set_up)
            async for messages in self._link.received():
                for message in messages:
                    self._take(message)
            orphaned()

    # -- setting up --

    async def _set_up(self) -> None:
        try:
            port = await self._plug_all()
        except CannotStart as error:
            self._link.post(wire.Failed(str(error)))
        except ConnectorError as error:
            self._link.post(wire.Failed(str(error.__cause__ or error)))
        else:
            collect_rarely()
            self._link.post(wire.Ready(port))

    async def _plug_all(self) -> int:
        bridge, setup, secret = self._bridge, self._setup, self._secret
        await bridge.in_.call(self._in.open, self._ends["in"], connector="edge")
        await bridge.out.call(self._out.open, self._ends["out"], connector="edge")
        self._channels = {name: make(setup, name, made, "callback", secret) for name, made in setup.channels.items()}
        sources = {
            name: make(setup, name, made, "in", secret, self._tape(name)) for name, made in setup.sources.items()
        }
        self._out.channels = self._channels
        self._out.make_follower = lambda name, made: make(setup, name, made, "follow", secret)
        for name, made in setup.followers.items():
            await bridge.out.call(self._out.plug, name, made, connector=name, deadline_s=30)
        for name, channel in self._channels.items():
            await bridge.out.call(channel.open, self._port(name, bridge.out), connector=name, deadline_s=30)
        self._sources = [Plugged(name, source, self._port(name, bridge.in_)) for name, source in sources.items()]
        return await self._serve_web()

    def _tape(self, source: str) -> Tape:
        return NO_TAPE if self._recorder is None else self._recorder.tape(source)

    def _port(self, name: str, loop: Loop) -> IntakePort:
        """A connector's intake on a loop."""
        inward = loop is self._bridge.in_
        offers = (self._in if inward else self._out).port(name)
        jobs = self._jobs if inward else self._jobs_out
        return IntakePort(name, offers, in_worker(jobs.port), self._clock.now)

    async def _serve_web(self) -> int:
        setup = self._setup
        mounts = [
            Mount(prefix=f"/in/{p.name}", routes=taped(p.source.routes(p.port), f"/in/{p.name}", self._tape(p.name)))
            for p in self._sources
        ]
        for name, channel in self._channels.items():
            # A channel's callbacks arrive on the loop for what comes in.
            port = self._port(name, self._bridge.in_)
            mounts.append(Mount(prefix=f"/callback/{name}", routes=channel.routes(port)))

        async def health() -> Mapping[str, Any]:
            return msgspec.json.decode(await self._in.question(HEALTH, ({}, None)), type=dict[str, Any])

        try:
            self._web = WebServer(
                WebConfig(host=setup.host, port=setup.port, public_url=setup.public_url),
                mounts,
                health=health,
                api=self._in.question,
                tokens=[self._secret("API_TOKEN")],
                cap=setup.cap,
                version=VERSION,
            )
        except (KeyError, ValueError) as error:
            raise CannotStart(str(error.args[0])) from error
        listening: int = await self._bridge.in_.call(self._web.start, connector="web", doing="listening", deadline_s=10)
        log.info("web server listens", host=setup.host, port=listening)
        return listening

    # -- what the hub says --

    def _take(self, message: wire.ToEdge | wire.Unread) -> None:
        match message:
            case wire.Listen():
                self._nursery.start_soon(self._listen)
            case wire.Step(by_s=by_s):
                self._clock.step(by_s)
            case wire.Ping():
                self._link.post(wire.Pong("" if self._recorder is None else self._recorder.gap_why))
            case wire.Finish():
                self._nursery.start_soon(self._finish)
            case wire.Close():
                self._nursery.start_soon(self._close)
            case _:
                pass

    async def _finish(self) -> None:
        """What comes in stops; channels may still finish what they are at."""
        self._listening.cancel()
        bridge = self._bridge
        for loop, fn, what in (
            (bridge.in_, self._web.stop, "web"),
            (bridge.in_, self._in.finish, "edge"),
            (bridge.out, self._out.finish, "edge"),
        ):
            try:
                await loop.call(fn, connector=what, deadline_s=10)
            except ConnectorError as error:
                log.warning("what comes in did not stop", error=str(error))
        self._link.post(wire.Finished())

    async def _close(self) -> None:
        bridge = self._bridge
        closing = [(bridge.out, channel.close, name) for name, channel in self._channels.items()]
        closing += [(bridge.out, follower.close, name) for name, follower in self._out.followers.items()]
        for loop, fn, name in (*closing, (bridge.out, self._out.close, "edge"), (bridge.in_, self._in.close, "edge")):
            try:
                await loop.call(fn, connector=name, deadline_s=5)
            except ConnectorError as error:
                log.warning("a connector did not close", error=str(error))
        if self._recorder is not None:
            await trio.to_thread.run_sync(self._recorder.close)
        self._nursery.cancel_scope.cancel()

    # -- sources --

    async def _listen(self) -> None:
        with self._listening:
            async with trio.open_nursery() as nursery:
                for plug in self._sources:
                    nursery.start_soon(self._listen_to, plug)

    async def _listen_to(self, plug: Plugged) -> None:
        """Runs a source; one that falls over is shown in the room and started again."""
        while True:
            try:
                await self._bridge.in_.call(plug.source.run, plug.port, connector=plug.name, doing="listening")
                return  # a source with nothing to run (its routes are served)
            except ConnectorError as error:
                log.error("a source fell over; it is started again", connector=plug.name, error=str(error))
                changed = SourceChanged(source=plug.name, health="failing", reason=str(error)[:300])
                self._link.post(wire.offer_of(0, plug.name, Offered((), health=changed)))
                await trio.sleep(SOURCE_PAUSE_S)


def orphaned() -> NoReturn:
    """The hub has gone: nobody is left to tell, and no request may wait for an answer that cannot come."""
    os._exit(0)


async def serve(setup: Setup, ends: dict[str, socket.socket]) -> None:
    """The whole life of the edge."""
    async with open_bridge() as bridge:
        await Edge(setup, ends, bridge).run()
    os._exit(0)  # nothing is left to do, and a thread that was left behind must not be waited for


def main() -> None:
    # Ctrl-C and a stop of the whole service reach every process of the group at once: the hub says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    on_one_core()
    ends = {name: socket.socket(fileno=int(fd)) for name, fd in zip(LINKS, sys.argv[1:], strict=True)}
    setup: Setup = pickle.load(sys.stdin.buffer)  # noqa: S301 # the hub's own
    configure_log(setup.level)
    trio.run(serve, setup, ends)


if __name__ == "__main__":
    main()
