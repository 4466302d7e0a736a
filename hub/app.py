"""The whole hub, in order: read this first.

    sources ──► intake ──► journal ──► engine ──► journal ──► dispatch ──► channels
                              ▲                                               │
                              └──────── receipts, replies, acts ◄─────────────┘

Starting: the journal, the state as its fold, the bridge, the channels, the web, the core (which listens before it
calls anybody), the sources. Stopping, the other way round: sources stop, intake drains, the engine settles,
dispatch finishes what is in flight or leaves it in doubt, the journal closes, the loops end.
"""

import gc
import random
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
import trio
from msgspec import Struct

from hub import watchdog
from hub.auditor.touch import auditor_gone
from hub.bridge import Bridge, ConnectorError, Stream, open_bridge
from hub.clock import Clock, wall
from hub.config import ChannelConfig, Config, SourceConfig
from hub.config.secrets import secrets_from
from hub.connector import Channel, Environment, SignalItem, Source, Unavailable
from hub.core import Core, health, restore
from hub.cores import on_one_core
from hub.install import Installation
from hub.intake.intake import Intake, Trusted
from hub.intake.port import IntakePort, Offered
from hub.journal import Journal
from hub.journal.sqlite import open_sqlite
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.signal import Signal
from hub.model.trust import Credibility, Reliability
from hub.operators import NAME as OPERATORS
from hub.operators import Operators, OperatorsPort
from hub.picture import Recent, picture
from hub.version import VERSION
from hub.web.server import Mount, WebConfig, WebServer
from hub.workers import Workers, in_worker, open_workers

log = structlog.get_logger(__name__)

CREDITS = 4096  # items of one connector that may await their facts at once
SOURCE_PAUSE_S = 5.0  # before a source that fell over is started again
FINISH_S = 5.0  # how long what is in flight may take when stopping
PRELOAD = ("lxml.etree", "feedparser")  # what most documents are read with
BY_HAND = Trusted(reliability=Reliability.A, credibility=Credibility.PROBABLY_TRUE)  # what operators say themselves
CLOCK_EVERY_S = 1.0
CLOCK_STEP_S = 2.0  # a drift of the wall clock beyond this is a step
GC_THRESHOLD = (20_000, 20, 50)  # objects, and so on: Python's own 700 took a sixth of the processor at saturation


def new_ids() -> Ids:
    # Seeded by the system: ids have to be unique, not secret, and asking the system each time lets go of the
    # interpreter lock, which costs more than all the rest of an id.
    return Ids(random.Random())  # noqa: S311 # no secret


class CannotStart(Exception):
    """The hub cannot run as it is set up; the text says what is wrong and what would be right."""


class Plugged(Struct, frozen=True):
    """A connector with its intake on both sides of the bridge."""

    name: str
    connector: Any
    stream: Stream[Offered, Any]
    port: IntakePort


class Hub:
    """A running hub: what `run_hub` puts together. `at`: a playback; the hub's clock starts there."""

    def __init__(self, config: Config, bridge: Bridge, workers: Workers, journal: Journal, at: datetime | None) -> None:
        self.config = config
        self.bridge = bridge
        self.journal = journal
        self.playback = at is not None
        self.clock = Clock(at or wall(), follows_wall=True)
        self.recent = Recent()
        self._ids = new_ids()
        self._workers = workers
        self._secret = secrets_from(config.path(config.hub.secrets))
        self._jobs = bridge.in_.stream(connector="workers", credits=64, overflow="wait")
        self._jobs_out = bridge.out.stream(connector="workers", credits=64, overflow="wait")

    # -- starting and stopping, in order --

    async def run(self, *, task_status: trio.TaskStatus["Hub"] = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until told to stop (SIGINT, SIGTERM) or cancelled."""
        async with trio.open_nursery() as nursery:
            told = await nursery.start(self._listen_for_signals)
            nursery.start_soon(watchdog.watch, self.bridge)
            nursery.start_soon(self._workers.serve, self._jobs)
            nursery.start_soon(self._workers.serve, self._jobs_out)
            config = self.config
            self.channels = {name: self._make(name, c, "callback") for name, c in config.channels.items()}
            made = {name: self._make(name, s, "in") for name, s in config.sources.items()}
            first = await self._make_core()
            outward = [self._plug(name, channel, self.bridge.out) for name, channel in self.channels.items()]
            inward = [self._plug(name, source, self.bridge.in_) for name, source in made.items()]
            try:
                for plug in outward:
                    nursery.start_soon(self._take_in, plug)
                    await self.bridge.out.call(plug.connector.open, plug.port, connector=plug.name, deadline_s=30)
                started = await self._started(first)
                for plug in inward:
                    nursery.start_soon(self._take_in, plug)
                # Before anybody is called: a hub that cannot hear an answer asks nothing.
                web, operators = await self._serve_web(nursery, inward, outward)
                core = await nursery.start(self._run_core, started)
                listening = await nursery.start(self._listen, inward)
                nursery.start_soon(self._watch_clock)
                nursery.start_soon(self._watch_auditor)
                # What is loaded by now stays: full collections look only at what came since (measured at saturation,
                # p99 of an acceptance: 58 to 27 ms).
                gc.collect()
                gc.freeze()
                gc.set_threshold(*GC_THRESHOLD)
                task_status.started(self)
                await told.wait()

                listening.cancel()
                await self.bridge.in_.call(web.stop, connector="web", deadline_s=10)
                operators.finish()
                for plug in (*inward, *outward):
                    plug.stream.finish()
                await self.core.dispatch.finish(FINISH_S)
                await self._settled()
                core.cancel()
                await self.core.snapshot()
            finally:
                with trio.CancelScope(shield=True):
                    for plug in outward:
                        await self._quietly(plug.connector.close, plug.name)
            nursery.cancel_scope.cancel()

    async def _make_core(self) -> bool:
        """The core on the state as the journal has it. Returns whether this journal is new."""
        state = await restore(self.journal)
        self.installation = Installation(self.config, self.journal, self.clock.now, new_ids())
        self.core = Core(
            journal=self.journal,
            clock=self.clock,
            state=state,
            rules=await self.installation.rules(state),
            texts=self.config.texts_in_force(),
            channels=self.channels,
            call=self.bridge.out.call,
            limits=self.config.limits(),
            make_ids=new_ids,
            chance=random.Random(),  # noqa: S311 # spreads retries: no secret
        )
        self.core.decider.followers.append(self.recent.decided)
        self.intake = self._intake()
        return state.decision == ""

    async def _run_core(self, started: str, *, task_status: trio.TaskStatus[trio.CancelScope]) -> None:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.core.run, started)
                task_status.started(scope)

    async def _started(self, first: bool) -> str:
        """Writes down that the hub is up, and what is in force now and was not before. Returns the first's record."""
        at = self.clock.now()
        ahead_s = (at - wall()).total_seconds() if self.playback else 0.0
        node = self.config.hub.name
        started = await self._record(r.HubStarted(node=node, version=VERSION, playback=self.playback, ahead_s=ahead_s))
        installed = await self.installation.install(self.core.state)
        log.info("hub started", node=node, playback=self.playback, first=first, installed=installed)
        return started

    async def _settled(self) -> None:
        """The engine has taken everything that is in the journal, or a second has passed."""
        with trio.move_on_after(1.0):
            while self.core.decider.settling:  # noqa: ASYNC110 # bounded above; there is nothing to be told by
                await trio.sleep(0.01)

    async def _listen_for_signals(self, *, task_status: trio.TaskStatus[trio.Event]) -> None:
        """Stands before anything else does: who tells a hub that is still starting to stop is heard, and it stops in
        its order once it has started."""
        told = trio.Event()
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started(told)
            async for number in signals:
                log.info("told to stop", signal=signal.Signals(number).name)
                told.set()

    async def _quietly(self, fn: Any, connector: str) -> None:
        try:
            await self.bridge.out.call(fn, connector=connector, deadline_s=5)
        except ConnectorError as error:
            log.warning("a connector did not close", error=str(error))

    # -- connectors --

    def _make(self, name: str, chosen: SourceConfig | ChannelConfig, prefix: str) -> Any:
        """A connector from its configuration."""
        environment = Environment(
            name=name,
            secret=self._secret,
            public_url=f"{self.config.hub.web.public}/{prefix}/{name}",
            user_agent=f"Vigie/{VERSION}",
            allow_internal=self.playback,
        )
        try:
            return chosen.make(chosen.settings, environment)
        except (KeyError, ValueError) as error:  # a secret that is not there, or is none
            raise CannotStart(f"{name}: {error.args[0]}") from error

    def _plug(self, name: str, connector: Source | Channel, loop: Any) -> Plugged:
        stream: Stream[Offered, Any] = loop.stream(connector=name, credits=CREDITS, overflow="wait")
        jobs = self._jobs if loop is self.bridge.in_ else self._jobs_out
        return Plugged(name, connector, stream, IntakePort(name, stream.port, in_worker(jobs.port), self.clock.now))

    async def _take_in(self, plug: Plugged) -> None:
        """Makes facts of what a connector offers, burst by burst."""
        async with trio.open_nursery() as nursery:
            async for batch in plug.stream:
                nursery.start_soon(self._take_batch, plug, batch)

    async def _take_batch(self, plug: Plugged, batch: Any) -> None:
        try:
            batch.answer(await self.intake.take(plug.name, batch.items))
        except Exception as error:
            log.exception("intake", connector=plug.name)
            batch.fail(Unavailable(f"the hub could not take this in: {type(error).__name__}"))
            return
        now, signals = self.clock.now(), 0
        for offered in batch.items:
            # A channel's replies and receipts are no signals.
            signals += sum(isinstance(item, SignalItem) for item in offered.items)
            if offered.health:
                self.recent.took(plug.name, now, offered.health.health, offered.health.reason)
                if offered.health.health != "ok":
                    log.warning(f"source {offered.health.health}", source=plug.name, reason=offered.health.reason)
        if signals:
            self.recent.took(plug.name, now, signals=signals)

    async def _listen(self, sources: Sequence[Plugged], *, task_status: trio.TaskStatus[trio.CancelScope]) -> None:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                for plug in sources:
                    self.recent.took(plug.name, self.clock.now())
                    nursery.start_soon(self._listen_to, plug)
                task_status.started(scope)

    async def _listen_to(self, plug: Plugged) -> None:
        """Runs a source; one that falls over is shown in the room and started again."""
        while True:
            try:
                await self.bridge.in_.call(plug.connector.run, plug.port, connector=plug.name, doing="listening")
                return  # a source with nothing to run (its routes are served)
            except ConnectorError as error:
                log.error("a source fell over; it is started again", connector=plug.name, error=str(error))
                changed = r.SourceChanged(source=plug.name, health="failing", reason=str(error)[:300])
                await self.intake.take(plug.name, [Offered((), health=changed)])
                self.recent.took(plug.name, self.clock.now(), "failing", str(error)[:300])
                await trio.sleep(SOURCE_PAUSE_S)

    def _intake(self) -> Intake:
        trust = {name: source.trusted for name, source in self.config.sources.items()}
        trust[OPERATORS] = BY_HAND
        return Intake(
            self.journal,
            self.clock.now,
            new_ids(),
            locate=self._locate,
            understanding=lambda: self.installation.understanding,
            trust=trust,
            exercise=self.playback,
        )

    def _locate(self, signal: Signal) -> Signal:
        geography = self.config.geography
        return signal if geography is None else geography.locate(signal, f"{self.clock.now():%Y-%m-%d}")

    # -- the web --

    async def _serve_web(
        self, nursery: trio.Nursery, sources: Sequence[Plugged], channels: Sequence[Plugged]
    ) -> tuple[WebServer, Stream[Any, Any]]:
        mounts = [Mount(prefix=f"/in/{p.name}", routes=p.connector.routes(p.port)) for p in sources]
        # A channel's callbacks arrive on the loop for what comes in: they get a stream of that loop.
        for plug in channels:
            inward = self._plug(plug.name, plug.connector, self.bridge.in_)
            nursery.start_soon(self._take_in, inward)
            mounts.append(Mount(prefix=f"/callback/{plug.name}", routes=plug.connector.routes(inward.port)))
        stream: Stream[Any, Any] = self.bridge.in_.stream(connector="operators", credits=64, overflow="wait")
        operators = Operators(
            intake=self.intake,
            state=lambda: self.core.state,
            rules=lambda: self.installation.in_force,
            now=self.clock.now,
            ids=new_ids(),
            status=self.status,
            step_clock=self._step_clock if self.playback else None,
        )
        nursery.start_soon(operators.serve, stream)
        host, port = self.config.hub.web.listen
        try:
            server = WebServer(
                WebConfig(host=host, port=port, public_url=self.config.hub.web.public),
                mounts,
                health=lambda: health(self.core, getattr(self.journal, "trouble", None)),
                api=OperatorsPort(stream.port),
                tokens=[self._secret("API_TOKEN")],
                version=VERSION,
            )
            self.port = await self.bridge.in_.call(server.start, connector="web", doing="listening", deadline_s=10)
        except (KeyError, ValueError) as error:
            raise CannotStart(str(error.args[0])) from error
        except ConnectorError as error:
            raise CannotStart(str(error.__cause__ or error)) from error
        log.info("web server listens", host=host, port=self.port)
        return server, stream

    def status(self) -> Mapping[str, Any]:
        """The picture of the moment."""
        return {
            **picture(self.core.state, self.clock.now(), self.recent),
            "playback": self.playback,
            "trouble": getattr(self.journal, "trouble", None),
            "node": self.config.hub.name,
            "counters": {"decisions": self.core.decider.decided, "repeats": self.core.dispatch.counters.repeats},
        }

    # -- the clock, the auditor --

    async def _watch_clock(self) -> None:
        """A step of the wall clock, or a machine that slept, becomes a record; deadlines then follow it."""
        while True:
            await trio.sleep(CLOCK_EVERY_S)
            by_s = self.clock.drift_s()
            if abs(by_s) > CLOCK_STEP_S:
                log.warning("the clock was stepped", by_s=by_s)
                await self._step_clock(by_s, ours=False)

    async def _step_clock(self, by_s: float, ours: bool = True) -> str:
        """Hub time jumps. `ours`: on purpose, in a playback; the wall clock did not."""
        self.clock.step(by_s, ours=ours)
        return await self._record(r.ClockStepped(by_s=by_s))

    async def _watch_auditor(self) -> None:
        await auditor_gone()
        log.error("the auditor is gone: nobody watches over this hub")
        await self._record(
            r.AuditorFound(what="auditor-gone", detail="the auditor's process has ended: start it again")
        )

    async def _record(self, body: r.FactBody) -> str:
        at = self.clock.now()
        (held,) = await self.journal.put_facts([r.Fact(id=self._ids.new(at), at=at, body=body)])
        return held


@asynccontextmanager
async def open_hub(config: Config, journal: Path, at: datetime | None = None) -> AsyncIterator[Hub]:
    """A hub on the journal at that path, ready to `run`. Raises JournalLocked when another one writes to it."""
    async with AsyncExitStack() as stack:
        await trio.Path(journal.parent).mkdir(parents=True, exist_ok=True)
        opened = await stack.enter_async_context(open_sqlite(journal))
        bridge = await stack.enter_async_context(open_bridge())
        workers = await stack.enter_async_context(open_workers(preload=PRELOAD))
        yield Hub(config, bridge, workers, opened, at)


async def run_hub(config: Config, journal: Path, at: datetime | None = None) -> None:
    """Opens a hub and runs it until it is told to stop."""
    on_one_core()
    async with open_hub(config, journal, at) as hub:
        await hub.run()
