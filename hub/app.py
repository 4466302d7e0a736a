"""The whole hub, in order: read this first.

    sources ──► intake ──► journal ──► engine ──► journal ──► dispatch ──► channels
                              ▲                                               │
                              └──────── receipts, replies, acts ◄─────────────┘

Sources, channels and the web are in a process of their own, the edge (hub/edge): nothing they do holds a timer up.

Starting: the journal, the state as its fold, the edge with its channels and the web, the core (which listens before it
calls anybody), the sources. Stopping, the other way round: sources stop, intake drains, the engine settles,
dispatch finishes what is in flight or leaves it in doubt, the edge ends, the journal closes.
"""

import random
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
import trio

from hub import watchdog
from hub.access.acts import AccessDesk
from hub.access.keeper import Keeper
from hub.access.listing import access_list
from hub.auditor.touch import auditor_gone
from hub.bridge import SWITCH_INTERVAL_S
from hub.broadcasts import Broadcasts
from hub.broadcasts.making import Maker as BroadcastMaker
from hub.broadcasts.proposing import Proposer
from hub.calendar_link import SECRET as CALENDAR_SECRET
from hub.calendar_link import Links
from hub.cap.certificate import watch_certificate
from hub.cap.publishing import OFF, Publisher
from hub.cap.signing import CannotSign, Signer, signer_of
from hub.clock import Clock, wall
from hub.config import Config
from hub.config.cap import CapForm
from hub.config.groups import Areas
from hub.connector import SignalItem, Unavailable
from hub.core import Core, health, restore
from hub.cores import on_one_core
from hub.desk import NAME as OPERATORS
from hub.desk import Desk
from hub.dossiers.keeping import Keeping
from hub.dossiers.rises import OWN, RiseTeller, untold
from hub.edge.door import Edge
from hub.edge.setup import CannotStart, Made, Recording, Setup, make
from hub.editor import Editor
from hub.editor.bench import Bench
from hub.engine.files import RESTART, WRONG
from hub.followers.followers import FollowerConfig, Followers
from hub.followers.words import Words
from hub.garbage import collect_rarely
from hub.grader import Grader
from hub.install import Installation
from hub.intake.beliefs import Trusted
from hub.intake.intake import Intake
from hub.intake.port import Answered, Offered
from hub.journal import Journal, JournalUnavailable
from hub.journal.sqlite import open_sqlite
from hub.letters import Letters
from hub.model import records as r
from hub.model.access import AccessList
from hub.model.ids import Ids
from hub.model.signal import VIGIE, Signal, Status
from hub.model.trust import Credibility, Reliability
from hub.operators import Operators
from hub.papers import Papers, Wanted
from hub.picture import Recent, picture
from hub.reload import Reloader
from hub.report.making import Maker
from hub.report.typeset import typeset_apart
from hub.reporting.acts import ReportDesk
from hub.reporting.keeping import Reports
from hub.secrets import secrets_from
from hub.sourceduty import SourceDuty, source_watch
from hub.version import VERSION

log = structlog.get_logger(__name__)

FINISH_S = 5.0  # how long what is in flight may take when stopping
EDGE_CLOSE_S = 20.0  # and the edge to end
BY_HAND = Trusted(reliability=Reliability.A, credibility=Credibility.PROBABLY_TRUE)  # what operators say themselves
CLOCK_EVERY_S = 1.0
CLOCK_STEP_S = 2.0  # a drift of the wall clock beyond this is a step


def new_ids() -> Ids:
    # Seeded by the system: ids have to be unique, not secret, and asking the system each time lets go of the
    # interpreter lock, which costs more than all the rest of an id.
    return Ids(random.Random())  # noqa: S311 # no secret


class Hub:
    """A running hub: what `run_hub` puts together. `config`: what it is started with; what may be put in force later is
    the installation's. `at`: a playback; the hub's clock starts there. `files_read`: what is wrong with the files.
    `through`: the address of a playback that stands in for all web servers."""

    def __init__(
        self,
        config: Config,
        journal: Journal,
        at: datetime | None,
        files_read: r.FilesRead | None = None,
        through: str = "",
    ) -> None:
        self.config = config
        self.through = through
        self.files_read = files_read or r.FilesRead()
        self.journal = journal
        self.playback = at is not None
        self.clock = Clock(at or wall(), follows_wall=True)
        self.recent = Recent({name for name, source in self.config.sources.items() if source.trusted.shadow})
        self._ids = new_ids()

    # -- starting and stopping, in order --

    async def run(self, *, task_status: trio.TaskStatus["Hub"] = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until told to stop (SIGINT, SIGTERM) or cancelled."""
        async with trio.open_nursery() as nursery:
            told = await nursery.start(self._listen_for_signals)
            nursery.start_soon(watchdog.watch_trio)
            self.edge = self._make_edge()
            first = await self._make_core()
            started = await self._started(first)
            for name in self.config.sources:
                self.recent.took(name, self.clock.now())
            # Before anybody is called: a hub that cannot hear an answer asks nothing.
            await nursery.start(self.edge.run)
            papers, proposals = list(self.core.state.papers), list(self.core.state.proposals)
            verdicts, rises = list(self.core.state.verdicts.values()), untold(self.core.state)
            lists, reports = list(self.core.state.access_wanted), list(self.core.state.reports_wanted)
            core = await nursery.start(self._run_core, started)
            nursery.start_soon(self.papers.run, papers)
            nursery.start_soon(self.proposer.run, proposals)
            nursery.start_soon(self.grader.run, verdicts)
            nursery.start_soon(self.rises.run, rises)
            nursery.start_soon(self.access_keeper.run, lists)
            nursery.start_soon(self.reports.run, reports)
            nursery.start_soon(self.followers.run)
            if self.publisher is not None:
                nursery.start_soon(self.publisher.run)
                nursery.start_soon(self._watch_certificate)
            self.edge.listen()
            nursery.start_soon(self._watch_clock)
            nursery.start_soon(self.source_duty.run)
            nursery.start_soon(self._watch_auditor)
            if self.config.hub.reload_on_save:
                nursery.start_soon(self.reloader.watch)
            collect_rarely()
            task_status.started(self)
            await told.wait()

            await self.edge.finish()
            await self.core.dispatch.finish(FINISH_S)
            await self._settled()
            await self.followers.finish()
            core.cancel()
            await self.core.snapshot()
            self.edge.close()
            nursery.cancel_scope.deadline = trio.current_time() + EDGE_CLOSE_S
            await self.edge.ended.wait()
            nursery.cancel_scope.cancel()

    async def _make_core(self) -> bool:
        """The core on the state as the journal has it. Returns whether this journal is new."""
        state = await restore(self.journal)
        status = Status.EXERCISE if self.playback else Status.ACTUAL
        self.installation = Installation(self.config, self.journal, self.clock.now, new_ids(), status)
        maker = Maker(
            self.installation.known,
            self.clock.now,
            typeset_apart,
            trio.to_thread.run_sync,
            self._access,
            lambda written: self.reports.report(written),
        )
        self.papers = Papers(
            wanted=self._wanted_on_paper(status),
            maker=maker,
            record=self._record,
        )
        self.core = Core(
            journal=self.journal,
            clock=self.clock,
            state=state,
            rules=await self.installation.rules(state),
            texts=self.config.texts_in_force(),
            channels=self.channels,
            call=self.edge.call,
            limits=self.config.limits(),
            routes=self.config.routes,
            make_ids=new_ids,
            chance=random.Random(),  # noqa: S311 # spreads retries: no secret
            enclose=maker.enclose,
        )
        self.core.decider.changing = self._changing
        self.intake = self._intake()
        await self.intake.beliefs.recall(self.journal, self.clock.now())
        watch = await source_watch(self.config.sources, self.journal, self.clock.now())
        self.source_duty = SourceDuty(watch, self.clock.now, self._record)
        self._operators = self._make_operators()
        self.followers = Followers(
            journal=self.journal,
            now=self.clock.now,
            record=self._record,
            hand_over=self.edge.follow,
            fill=Words(self.journal, lambda name, version: self.installation.in_force.playbook(name, version)),
            plug=self._plug_followers,
        )
        self.followers.enforce(self.config.followers, state)
        self.core.decider.followers += [
            self.recent.decided,
            self.papers.follow,
            self.proposer.follow,
            self.grader.follow,
            self.rises.follow,
            self.access_keeper.follow,
            self.reports.follow,
            self.followers.decided,
        ]
        if self.publisher is not None:
            await self.publisher.load()
            self.core.decider.followers.append(self.publisher.follow)
        return state.decision == ""

    async def _access(self, status: Status) -> AccessList:
        return await access_list(self.journal, self.core.state, status, self.clock.now())

    def _changing(self, entry: r.Entry) -> None:
        rules = self.installation.change(entry, self.core.state)
        self.core.enforce(rules, self.installation.config.texts_in_force())
        self.followers.enforce(self.installation.config.followers, self.core.state)

    def _wanted_on_paper(self, status: Status) -> Wanted | None:
        form = self.config.hub.call_list
        if form is None or not (form.write_to or form.print):
            return None
        folder = self.config.path(form.write_to) if form.write_to else None
        return Wanted(
            languages=form.languages,
            hours=form.hours,
            folder=folder,
            keep=form.keep,
            command=form.print,
            status=status,
        )

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
        standing = any(alarm.what in (WRONG, RESTART) for alarm in self.core.state.alarms.values())
        read = self.files_read if self.files_read != r.FilesRead() or standing else None
        installed = await self.installation.install(self.core.state, read)
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

    # -- the edge --

    def _make_edge(self) -> Edge:
        """The edge as the configuration has it, and the likeness of its channels that dispatch plans by."""
        config = self.config
        host, port = config.hub.web.listen
        setup = Setup(
            sources={name: Made(source.make, source.settings) for name, source in config.sources.items()},
            channels={name: Made(channel.make, channel.settings) for name, channel in config.channels.items()},
            followers=_made(config.followers),
            hub=config.hub.name,
            host=host,
            port=port,
            public_url=config.hub.web.public,
            secrets=config.path(config.hub.secrets),
            playback=self.playback,
            cap=config.hub.cap is not None,
            through=self.through,
            record=_recording(config),
        )
        secret = secrets_from(setup.secrets)
        self.signer = None if config.hub.cap is None else self._signer(config.hub.cap, secret)
        self.channels = {name: make(setup, name, made, "callback", secret) for name, made in setup.channels.items()}
        for name, made in setup.sources.items():
            make(setup, name, made, "in", secret)  # only to hear now of a secret that is missing, before the hub starts
        return Edge(
            setup,
            now_s=lambda: self.clock.now().timestamp(),
            take=self._take,
            answer=lambda verb, words: self._operators.answer(verb, words),
            report=self._edge_ended,
            gap=self._recording_lacks,
        )

    async def _plug_followers(self, followers: Mapping[str, FollowerConfig]) -> None:
        await self.edge.plug(_made(followers))

    def _signer(self, form: CapForm, secret: Callable[[str], str]) -> Signer:
        """What our own alerts are signed with. Raises CannotStart."""
        try:
            return signer_of(form, self.config.folder, secret)
        except CannotSign as error:
            raise CannotStart(str(error)) from error

    async def _edge_ended(self, how: str) -> None:
        detail = f"connectors and the web ended ({how}) and are started again: look at the hub's log"
        try:
            await self._record(r.AuditorFound(what="edge-ended", detail=detail))
        except JournalUnavailable as error:
            log.error("the room cannot be told", error=str(error))

    async def _recording_lacks(self, why: str) -> None:
        detail = f"what comes in is heard, and not recorded: {why}"
        try:
            await self._record(r.AuditorFound(what="recording-gap", detail=detail))
        except JournalUnavailable as error:
            log.error("the room cannot be told", error=str(error))

    async def _take(self, connector: str, offers: Sequence[Offered]) -> Sequence[Answered | Unavailable]:
        """Makes facts of what a connector offers."""
        answers = await self.intake.take(connector, offers)
        now, signals = self.clock.now(), 0
        for offered in offers:
            # A channel's replies and receipts are no signals.
            signals += sum(isinstance(item, SignalItem) for item in offered.items)
            if offered.health:
                self.recent.took(connector, now, offered.health.health, offered.health.reason)
                if offered.health.health != "ok":
                    log.warning(f"source {offered.health.health}", source=connector, reason=offered.health.reason)
        if signals:
            self.recent.took(connector, now, signals=signals)
        self.source_duty.took(connector, offers, answers, now)
        return answers

    async def _watch_certificate(self) -> None:
        assert self.signer is not None
        await watch_certificate(self.signer.not_after, self.journal, self._record)

    def _intake(self) -> Intake:
        trust = {name: source.trusted for name, source in self.config.sources.items()}
        trust[OPERATORS], trust[VIGIE] = BY_HAND, OWN
        return Intake(
            self.journal,
            self.clock.now,
            new_ids(),
            locate=self._locate,
            understanding=lambda: self.installation.understanding,
            trust=trust,
            exercise=self.playback,
            areas=self.installation.config.geography,
        )

    def _locate(self, signal: Signal) -> Signal:
        geography = self.installation.config.geography
        return signal if geography is None else geography.locate(signal, f"{self.clock.now():%Y-%m-%d}")

    # -- what operators ask --

    def _make_operators(self) -> Operators:
        desk = Desk(self.intake, lambda: self.core.state, lambda: self.installation.in_force, self.clock.now)
        bench = Bench(
            installation=self.installation,
            intake=self.intake,
            journal=self.journal,
            state=lambda: self.core.state,
            now=self.clock.now,
            decided=self.core.decider.moved,
            channels=self.channels,
            ids=new_ids(),
        )
        self.reloader = Reloader(
            installation=self.installation,
            desk=desk,
            record=self._record,
            decided=self.core.decider.moved,
            today=lambda: f"{self.clock.now():%Y-%m-%d}",
            said=self.files_read,
        )
        maker = BroadcastMaker(
            journal=self.journal,
            desk=desk,
            form=self.config.hub.broadcasts,
            channels=self.config.channels,
            texts=lambda: self.installation.config.texts_in_force(),
            areas=lambda: Areas(self.installation.config.geography),
            playback=self.playback,
            feed=self.config.hub.cap,
        )
        self.proposer = Proposer(maker, desk.state, desk.act)
        self.access_keeper = Keeper(
            desk=desk,
            journal=self.journal,
            rooms=lambda: self.installation.config.rooms,
            zone=self.config.hub.zone,
            ids=new_ids(),
            decided=self.core.decider.moved,
        )
        self.reports = Reports(
            desk=desk,
            journal=self.journal,
            sheet=lambda name, version: self.installation.in_force.playbook(name, version),
        )
        self.grader = Grader(desk, self.journal, self.intake.beliefs, desk.state)
        self.rises = RiseTeller(
            self.intake.take, desk.state, lambda: self.installation.in_force.dossiers, self.config.hub.name
        )
        self.publisher = self._make_publisher()
        return Operators(
            desk=desk,
            ids=new_ids(),
            status=self.status,
            health=lambda: {
                **health(self.core, getattr(self.journal, "trouble", None)),
                "sources": {name: one["health"] for name, one in self.recent.sources.items()},
                "followers": {one["name"]: one for one in self.followers.picture()},
            },
            step_clock=self._step_clock if self.playback else None,
            sources=self.config.sources,
            geography=lambda: self.installation.config.geography,
            links=self._links(),
            zone=self.config.hub.zone,
            others={
                **Editor(bench).done,
                **Broadcasts(desk, maker).done,
                **(OFF if self.publisher is None else self.publisher.done),
                **AccessDesk(desk, self.journal, new_ids(), lambda: self.installation.config.rooms).done,
                **ReportDesk(desk, self.reports, self.config.carriers).done,
                **self.reloader.done,
                **self.grader.done,
                **Keeping(desk, self.journal).done,
                **Letters(desk, self.intake, self.journal, lambda: self.config.sources).done,
            },
        )

    def _make_publisher(self) -> Publisher | None:
        """None where no alert of ours is published."""
        form = self.config.hub.cap
        if form is None or self.signer is None:
            return None
        return Publisher(
            journal=self.journal,
            state=lambda: self.core.state,
            settled=lambda: not self.core.decider.settling,
            form=form,
            broadcasts=self.config.hub.broadcasts,
            signer=self.signer,
            texts=lambda: self.installation.config.texts_in_force(),
            areas=lambda: Areas(self.installation.config.geography),
            now=self.clock.now,
            ids=new_ids(),
            zone=self.config.hub.zone,
            public_url=self.config.hub.web.public,
            report=lambda what, detail: self._record(r.AuditorFound(what=what, detail=detail)),
        )

    def _links(self) -> Links | None:
        """None where no secret says that calendars are given out. Raises CannotStart."""
        secret = secrets_from(self.config.path(self.config.hub.secrets))
        try:
            held = secret(CALENDAR_SECRET)
        except KeyError:
            return None
        try:
            return Links(held, self.config.hub.calendar_links)
        except ValueError as error:
            raise CannotStart(str(error)) from error

    def status(self) -> Mapping[str, Any]:
        """The picture of the moment."""
        return {
            **picture(self.core.state, self.clock.now(), self.recent),
            "channels": self.core.dispatch.channels(),
            "followers": self.followers.picture(),
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
        self.edge.step(by_s)
        self.source_duty.stepped(self.clock.now())
        self.followers.stepped()
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


def _recording(config: Config) -> Recording | None:
    form = config.hub.record
    if form is None:
        return None
    return Recording(
        folder=config.path(form.folder),
        sources=frozenset(form.sources),
        keep_days=form.keep_days,
        bytes_max=form.max_megabytes * 1_000_000,
    )


def _made(followers: Mapping[str, FollowerConfig]) -> dict[str, Made]:
    return {name: Made(follower.make, follower.settings) for name, follower in followers.items()}


@asynccontextmanager
async def open_hub(
    config: Config,
    journal: Path,
    at: datetime | None = None,
    files_read: r.FilesRead | None = None,
    through: str = "",
) -> AsyncIterator[Hub]:
    """A hub on the journal at that path, ready to `run`. Raises JournalLocked when another one writes to it."""
    async with AsyncExitStack() as stack:
        await trio.Path(journal.parent).mkdir(parents=True, exist_ok=True)
        opened = await stack.enter_async_context(open_sqlite(journal))
        yield Hub(config, opened, at, files_read, through)


async def run_hub(
    config: Config,
    journal: Path,
    at: datetime | None = None,
    files_read: r.FilesRead | None = None,
    through: str = "",
) -> None:
    """Opens a hub and runs it until it is told to stop."""
    on_one_core()
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # the journal's writer, a thread, must not wait long for its turn
    async with open_hub(config, journal, at, files_read, through) as hub:
        await hub.run()
