"""The whole hub in virtual time: intake, engine, journal (in memory), dispatch, the texts and people of config/.

Only the outside is played. `perform` plays one play from its beginning to its end in milliseconds.
"""

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import trio
import trio.testing
from msgspec.structs import replace

from hub.access.keeper import Keeper
from hub.acts import Refused
from hub.broadcasts import Broadcasts
from hub.broadcasts.making import Maker
from hub.broadcasts.proposing import Proposer
from hub.clock import Clock
from hub.config import Config
from hub.config.groups import Areas
from hub.connector import Item, Outgoing, SignalItem, Unavailable
from hub.core import Core, health, restore
from hub.desk import Desk
from hub.drill.behaviour import Manners, Reaction
from hub.drill.outside import Outside, PlayedChannel, call
from hub.drill.play import Given, Play
from hub.drill.recorder import Recorder
from hub.drill.signals import BY_HAND, CannotPlay, Sending, believed, trust_of
from hub.drill.timeline import Timeline, What
from hub.grader import Grader
from hub.install import Understanding
from hub.intake.intake import Intake
from hub.intake.port import Offered
from hub.journal.memory import MemoryJournal
from hub.model import records as r
from hub.model.enclosure import Enclosure
from hub.model.ids import Ids
from hub.model.people import Language, Roster, Shift
from hub.model.signal import Signal, Status
from hub.operators import Operators
from hub.picture import Recent, picture
from hub.playbook.form import contact_of
from hub.playbook.language import Mode
from hub.reporting.acts import ReportDesk
from hub.reporting.keeping import Reports
from hub.rules import InForce

BEGIN = datetime(2026, 1, 14, 10, 0)  # noqa: DTZ001 # local time, on an ordinary Wednesday, where a play names none
AFTER_S = 3600.0  # how long a play goes on after the last thing that is given
SEED = 5
ROOM = "the-room"

EVERYONE = "everyone"


def rules_of(config: Config, play: Play) -> InForce:
    """What is in force: the sheets that are played, as if they were live, with the rosters that the play names."""
    named = play.sheets
    sheets = [s for s in config.playbooks if (s.name in named if named is not None else s.mode is Mode.LIVE)]
    rosters = dict(config.rosters)
    for name, people in play.on_duty.items():
        rosters[name] = Roster(id=name, shifts=(Shift(people=people),), zone=config.hub.zone)
    return InForce(
        sheets=[replace(sheet, mode=Mode.LIVE) for sheet in sheets],
        chains=config.chains,
        directory=config.directory(),
        rosters=rosters,
        voices=config.voices(),
        status=Status.EXERCISE if play.exercise else Status.ACTUAL,
        carriers=config.carriers(),
        storms=config.storms(),
        reception=config.reception(),
    )


def perform(config: Config, play: Play, until_s: float = 0.0) -> Timeline:
    """What happens. `until_s`: it lasts so long at least, where the play does not say. Raises CannotPlay."""
    stage = Stage(config, play, until_s)
    # Who is first of those who do something in the same instant is left to chance by trio, so that nobody counts on it:
    # to the same chance each time, or a test would come out now this way, now that.
    trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc] # trio's own switch for this
    trio._core._run._r.seed(SEED)
    trio.run(stage.run, clock=trio.testing.MockClock(autojump_threshold=0))
    if stage.problem is not None:
        raise stage.problem
    return stage.timeline


class Stage:
    """One play. `timeline`: what happened, once `run` has ended; `problem`: why it cannot be played to its end."""

    def __init__(self, config: Config, play: Play, until_s: float = 0.0) -> None:
        self._config = config
        self._play = play
        self._rules = rules_of(config, play)
        self._trust = trust_of(config)
        self._sending = Sending(config, play)
        first = next((signals[0].sent for signals in self._sending.files.values()), None)
        zone = ZoneInfo(config.hub.zone)
        at = play.at.replace(tzinfo=zone) if play.at else first or BEGIN.replace(tzinfo=zone)
        self.start = at.astimezone(UTC)
        last = max((one.after_s for one in play.given), default=0.0)
        self._lasts_s = play.lasts_s if play.lasts_s is not None else max(last + AFTER_S, until_s)
        self._seeds = itertools.count()
        self._journal = MemoryJournal(entropy=random.Random(3).randbytes)  # noqa: S311 # no secret: nothing leaves
        self._kept: list[tuple[str, Item]] = []  # what came while the hub was down
        self._up = False
        self._core: Core
        self._recorder = Recorder(self.start, lambda: self._core.state, self._rules.directory)
        self._outside = Outside(
            self._manners(),
            play.channels,
            voices=config.voices(),
            now_s=lambda: (self.now() - self.start).total_seconds(),
            person_of=self._recorder.person_of,
            asked_by=self._asked_by,
            arrived=lambda channel, outgoing: self._recorder.arrived(self.now(), channel, outgoing),
            comes_in=self._comes_in,
        )
        self._channels = {
            name: PlayedChannel(name, channel.abilities, self._outside.handed)
            for name, channel in config.channels.items()
        }
        self.timeline: Timeline
        self.problem: CannotPlay | None = None

    def now(self) -> datetime:
        return self.start + timedelta(seconds=trio.current_time() - self._zero)

    def _manners(self) -> Manners:
        """Groups and rosters taken apart; who is named alone goes before them, and `everyone` comes last."""
        directory, rules = self._rules.directory, self._rules
        people: dict[str, tuple[Reaction, ...]] = {}
        for name, reactions in sorted(self._play.people.items(), key=lambda entry: entry[0] != EVERYONE):
            if name == EVERYONE:
                people.update(dict.fromkeys(directory.people, reactions))
            elif name.startswith("roster ") and name.removeprefix("roster ") in rules.rosters:
                people.update(dict.fromkeys(rules.people((contact_of(name),), self.start), reactions))
            elif name in directory.groups:
                people.update(dict.fromkeys(directory.members(name), reactions))
        people.update({name: how for name, how in self._play.people.items() if name in directory.people})
        return Manners(people=people, steps=self._play.steps)

    def _asked_by(self, outgoing: Outgoing) -> tuple[str, str]:
        state = self._core.state
        ask = state.orders[outgoing.order].event.ask
        known = state.asks.get(ask)
        run = state.runs.get(known.runs[0]) if known is not None and known.runs else None
        return ask, run.step if run is not None else ""

    # -- the play --

    async def run(self) -> None:
        self._zero = trio.current_time()
        async with trio.open_nursery() as nursery:
            self._nursery = self._outside.nursery = nursery
            await self._comes_up()
            nursery.start_soon(self._given)
            if self._play.hub is not None:
                nursery.start_soon(self._goes_down, self._play.hub.from_s, self._play.hub.to_s)
            for name, outage in self._play.channels.items():
                nursery.start_soon(self._outage, name, outage.from_s, outage.to_s)
            await trio.sleep(self._lasts_s)
            nursery.cancel_scope.cancel()
        self.timeline = self._recorder.timeline(self._lasts_s)

    async def _outage(self, name: str, from_s: float, to_s: float) -> None:
        await trio.sleep(from_s)
        self._recorder.note(self.now(), What.OUTAGE, channel=name, outcome="down", detail=f"{name} goes down")
        await trio.sleep(to_s - from_s)
        self._recorder.note(self.now(), What.OUTAGE, channel=name, outcome="back", detail=f"{name} is back")

    async def _goes_down(self, from_s: float, to_s: float) -> None:
        """As by kill -9: what is not in the journal is gone."""
        await trio.sleep(from_s)
        self._life.cancel()
        self._journal = self._journal.survivor()
        self._up = False
        self._recorder.note(self.now(), What.OUTAGE, channel="hub", outcome="down", detail="the hub goes down")
        await trio.sleep(to_s - from_s)
        self._recorder.note(self.now(), What.OUTAGE, channel="hub", outcome="back", detail="the hub is back")
        await self._comes_up()

    # -- the hub --

    async def _comes_up(self) -> None:
        config = self._config
        self._core = Core(
            journal=self._journal,
            clock=Clock(self.now()),
            state=await restore(self._journal),
            rules=self._rules,
            texts=config.texts_in_force(),
            channels=self._channels,
            call=call,
            limits=config.limits(),
            routes=config.routes,
            make_ids=self._ids,
            chance=random.Random(4),  # noqa: S311 # spreads retries: no secret
            enclose=_enclose,
            snapshots=False,  # coming back, the few decisions of a play are folded sooner than states are saved
        )
        self._core.decider.followers.append(self._recorder.follow)
        self._intake = Intake(
            self._journal,
            self.now,
            self._ids(),
            locate=self._locate,
            understanding=lambda: Understanding(self._rules.directory, config.routes),
            trust={**self._trust, "operators": BY_HAND},
            exercise=self._play.exercise,
            areas=config.geography,
        )
        await self._intake.beliefs.recall(self._journal, self.now())
        core = self._core
        desk = Desk(self._intake, lambda: core.state, lambda: self._rules, self.now)
        maker = Maker(
            journal=self._journal,
            desk=desk,
            form=config.hub.broadcasts,
            channels=config.channels,
            texts=config.texts_in_force,
            areas=lambda: Areas(config.geography),
            playback=False,
        )
        self._proposer = Proposer(maker, desk.state, desk.act)
        self._keeper = Keeper(
            desk=desk,
            journal=self._journal,
            rooms=lambda: config.rooms,
            zone=config.hub.zone,
            ids=self._ids(),
            decided=core.decider.moved,
        )
        self._grader = Grader(desk, self._journal, self._intake.beliefs, desk.state)
        self._reports = Reports(desk=desk, journal=self._journal, sheet=self._rules.playbook)
        core.decider.followers += [
            self._proposer.follow,
            self._grader.follow,
            self._keeper.follow,
            self._reports.follow,
        ]
        self._operators = Operators(
            desk=desk,
            ids=self._ids(),
            status=lambda: picture(core.state, self.now(), Recent()),
            health=lambda: health(core, None),
            sources=config.sources,
            geography=lambda: config.geography,
            zone=config.hub.zone,
            others={**Broadcasts(desk, maker).done, **ReportDesk(desk, self._reports, config.carriers).done},
        )
        ids, at = self._ids(), self.now()
        bodies: list[r.FactBody] = [r.HubStarted(node="drill", version="")]
        if not core.state.decision:
            bodies += [r.Installed(what="playbook", name=s.name, version=s.version) for s in self._rules.sheets]
        started, *_ = await self._journal.put_facts([r.Fact(id=ids.new(at), at=at, body=body) for body in bodies])
        await self._nursery.start(self._live, started)
        self._up = True
        for connector, item in self._kept:
            await self._comes_in(connector, item)
        self._kept = []

    async def _live(self, started: str, *, task_status: trio.TaskStatus[None]) -> None:
        with trio.CancelScope() as self._life:
            async with trio.open_nursery() as nursery:
                left, judged = list(self._core.state.proposals), list(self._core.state.verdicts.values())
                lists, reports = list(self._core.state.access_wanted), list(self._core.state.reports_wanted)
                await nursery.start(self._core.run, started)
                nursery.start_soon(self._proposer.run, left)
                nursery.start_soon(self._grader.run, judged)
                nursery.start_soon(self._keeper.run, lists)
                nursery.start_soon(self._reports.run, reports)
                task_status.started()
                await trio.sleep_forever()

    def _ids(self) -> Ids:
        return Ids(random.Random(next(self._seeds)))  # noqa: S311 # unique, not secret

    def _locate(self, signal: Signal) -> Signal:
        geography = self._config.geography
        return signal if geography is None else geography.locate(signal, f"{self.now():%Y-%m-%d}")

    async def _comes_in(self, connector: str, item: Item) -> None:
        if not self._up:
            self._kept.append((connector, item))
            return
        (answer,) = await self._intake.take(connector, [Offered((item,))])
        if isinstance(answer, Unavailable):
            self._kept.append((connector, item))

    # -- what happens --

    async def _given(self) -> None:
        """What is given, each in its time and in the order in which it stands."""
        for nth, given in sorted(enumerate(self._play.given), key=lambda entry: entry[1].after_s):
            await trio.sleep_until(self._zero + given.after_s)
            await self._happens(nth, given)

    async def _happens(self, nth: int, given: Given) -> None:
        try:
            await self._do(nth, given)
        except CannotPlay as problem:
            self.problem = CannotPlay(f"given {nth + 1}: {problem}")
            self._nursery.cancel_scope.cancel()

    async def _do(self, nth: int, given: Given) -> None:
        form = given.form
        if form.start is not None:
            sheets = self._play.sheets or ()
            sheet = form.sheet or (sheets[0] if sheets else "")
            await self._acts("start", {}, sheet=sheet, answers=form.start, by=form.by or ROOM)
        elif form.done is not None:
            step, _, number = form.done.rpartition(" ")
            await self._acts("task", {"task": self._task(step, number)}, by=form.by or ROOM)
        elif form.ends is not None:
            incident = self._incident(form.ends)
            await self._acts("end", {"incident": incident}, by=form.by or ROOM, why="drill")
        elif form.stops is not None or form.lifts is not None:
            verb = "stop-all" if form.stops is not None else "lift"
            await self._acts(verb, {}, by=form.by or ROOM, why="drill")
        elif form.releases is not None:
            await self._acts("release", {"broadcast": self._draft(form.releases)}, by=form.by or ROOM)
        elif form.approves is not None:
            await self._acts("report-approve", self._report(form.approves), by=form.by or ROOM)
        elif form.discards is not None:
            about = {"broadcast": self._draft(form.discards)}
            await self._acts("broadcast-stop", about, by=form.by or ROOM, why="drill")
        else:
            await self._signals(nth)

    async def _signals(self, nth: int) -> None:
        source, signals = self._sending.signals(nth, self.now())
        for i, signal in enumerate(signals):
            self._saw(source, signal, nth + 1, i + 1)
            await self._comes_in(source, SignalItem(signal=signal, key=f"{nth} {i}"))

    def _saw(self, source: str, signal: Signal, nth: int, i: int) -> None:
        """Notes it, and by which of a sheet's conditions it is met."""
        now = self.now()
        headline = next((i.headline or i.event for i in signal.infos), "")
        kind = signal.msg_type.value.lower()
        self._recorder.note(now, What.SIGNAL, channel=source, outcome=kind, detail=headline, nth=nth, round=i)
        known = believed(self._config, signal, source, now, self._trust)
        self._recorder.matched(now, nth, i, self._rules.match(known, now))

    async def _acts(self, verb: str, about: dict[str, str], **sent: Any) -> None:
        detail = " ".join([verb, *about.values()])
        what = What.SIGNAL if verb == "start" else What.ACT
        sheet, by = sent.get("sheet", ""), sent.get("by", "")
        self._recorder.note(self.now(), what, person=by, sheet=sheet, outcome=verb, detail=detail)
        try:
            await self._operators.answer(verb, (about, sent))
        except Refused as refused:
            raise CannotPlay(str(refused)) from refused

    def _task(self, step: str, number: str) -> str:
        for task in self._core.state.tasks.values():
            if task.step == step and str(task.index + 1) == number:
                return task.id
        raise CannotPlay(f'"{step} {number}" is no task that is open then: write a step and a number, "checklist 2"')

    def _draft(self, step: str) -> str:
        """The newest broadcast of a step, or of what follows it (its all-clear), that waits for people."""
        known = self._core.state.broadcasts
        for broadcast in reversed(list(known.values())):
            waits = broadcast.began_at is None and not broadcast.outcome
            of = known.get(broadcast.follows, broadcast)
            if waits and step in (broadcast.step, of.step):
                return broadcast.id
        raise CannotPlay(f"{step} has drafted nothing that waits to be released then")

    def _report(self, step: str) -> dict[str, str]:
        """The newest report of a step that waits to be approved: its incident and its number."""
        for incident, report in reversed(list(self._core.state.reports.items())):
            if report.step == step and report.waits:
                return {"incident": incident, "number": str(report.number)}
        raise CannotPlay(f"{step} has written no report that waits to be approved then")

    def _incident(self, words: str) -> str:
        number = words.rpartition(" ")[2]
        known = [i.id for i in self._core.state.incidents.values() if not i.ended]
        at = int(number) - 1 if number.isdigit() else 0
        if at >= len(known):
            raise CannotPlay(f'"{words}": there is no such open incident then')
        return known[at]


async def _enclose(
    enclosed: Enclosure, language: Language, status: Status, attach: bool
) -> tuple[tuple[tuple[str, str], ...], tuple[()]]:
    """Documents are not made here: what they would hold is not what a drill is about."""
    await trio.lowlevel.checkpoint()
    return (("contacts", "…"), ("until", "…"), ("number", "…"), ("report", "SITREP …")), ()
