"""One simulated night: faults for some hours, then none; crashes in between. Checks safety as it goes and at the end,
then liveness. Everything random comes from the seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import trio
import trio.testing

from hub.clock import Clock
from hub.connector import Abilities, Outgoing
from hub.core import Core, restore
from hub.dispatch.policy import Limits
from hub.drill.outside import call
from hub.engine.state import State
from hub.journal import JournalUnavailable
from hub.journal.memory import MemoryJournal
from hub.journal.puts import unavailable
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.message import Outcome, Verb
from hub.model.people import Steer
from hub.model.quiet import Quiet, Silence
from hub.model.signal import Certainty, Info, MsgType, Reference, Severity, Signal, Status
from tools.simulate import checks
from tools.simulate.checks import Fault
from tools.simulate.world import (
    FINE,
    HAZARDS,
    OFFICERS,
    PROVIDERS,
    ROUTES,
    SimChannel,
    bad_weather,
    rules,
    texts,
)

BEGIN = datetime(2026, 7, 14, 20, 0, tzinfo=UTC)
FAULTS_S = 4 * 3600.0  # how long things go wrong
CALM_S = 60 * 3600.0  # how long after that everything must have come to an end

_RULES, _TEXTS = rules(), texts()
_LIMITS = {name: Limits(rate=50, burst=100, per_person=1000) for name in PROVIDERS}


@dataclass
class Told:
    """What a night came to, for the report."""

    seed: int
    crashes: int = 0
    facts: int = 0
    decisions: int = 0
    arrived: int = 0
    repeats: int = 0
    incidents: int = 0
    accepted: int = 0
    exhausted: int = 0


class Crash(Exception):
    """The power goes."""


@dataclass
class Night:
    """State that outlives a crash: the outside world. `arrivals[(order, index)]`: each time it reached a phone."""

    seed: int
    chance: random.Random
    told: Told
    arrivals: dict[tuple[str, int], list[Outgoing]] = field(default_factory=dict)
    reached: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = Ids(random.Random(self.seed + 1))
        self.disk = random.Random(self.seed + 3)
        self.sound = False  # the disk gives no trouble any more
        self.journal = MemoryJournal(entropy=random.Random(self.seed + 2).randbytes, before_commit=self.commit)
        self.acknowledged: set[str] = set()  # facts that the outside was told are kept
        self.faults: list[str] = []  # seen where raising would be taken for a channel's own error
        self.ordered: set[str] = set()
        self.attempts: dict[str, r.Attempt] = {}
        self._looked = 0
        self.core: Core | None = None
        self.came_up = trio.Event()
        self.clock: Clock | None = None
        self.offset = timedelta()
        self.nursery: trio.Nursery | None = None
        abilities = {
            "sms": Abilities(answers=True, settles=True, receipts=True),
            "voice": Abilities(answers=True, voice=True, settles=True, recalls=True),
            "email": Abilities(idempotent=True),
            "sms-second": Abilities(answers=True, receipts=True),
            "sms-abroad": Abilities(answers=True, settles=True),
        }
        self.channels = {
            name: SimChannel(name, self.chance, abilities[name], self.arrive, self.receipt_later) for name in PROVIDERS
        }

    # -- the outside --

    def arrive(self, channel: str, outgoing: Outgoing) -> None:
        """A message reached a phone: it must have been decided and attempted, durably."""
        self._look()
        if outgoing.order not in self.ordered:
            self.faults.append(f"{outgoing.order} arrived without a durable decision")
        made = self.attempts.get(outgoing.attempt)
        if made is None or not made.start <= outgoing.index < made.stop:
            self.faults.append(f"{outgoing.order}/{outgoing.index} arrived without a durable attempt")
        before = self.arrivals.setdefault((outgoing.order, outgoing.index), [])
        if before and not outgoing.repeat and not self.channels[channel].abilities.idempotent:
            self.faults.append(f"{outgoing.order}/{outgoing.index} arrived again and does not say that it may")
        if before:
            self.told.repeats += 1
        before.append(outgoing)
        self.told.arrived += 1
        if outgoing.ask is not None and self.nursery is not None:
            self.nursery.start_soon(self.answer, channel, outgoing)

    async def answer(self, channel: str, outgoing: Outgoing) -> None:
        """What a person does on being asked: nothing, or an answer, perhaps late, perhaps twice."""
        chance = self.chance
        person = outgoing.to.split("@")[0]
        mood = chance.random()
        if mood < 0.45:
            return
        await trio.sleep(chance.choice((5, 30, 100, 200, 400, 2000)) * chance.random())
        verb = Verb.ACCEPT if mood < 0.75 else Verb.DECLINE if mood < 0.88 else Verb.DELEGATE
        if mood >= 0.95:
            verb = Verb.UNCLEAR
        elif mood < 0.5:
            verb = chance.choice((Verb.TRUE, Verb.FALSE, Verb.UNSURE))
        code = outgoing.ask.code if outgoing.ask and chance.random() < 0.6 else ""
        for _ in range(2 if chance.random() < 0.1 else 1):
            await self.put(
                r.ReplyReceived(
                    channel="sms" if channel.startswith("sms") else channel,
                    person=person,
                    verb=verb,
                    code=code,
                    order=outgoing.order if channel == "voice" else "",
                    to=chance.choice((*OFFICERS, "")) if verb is Verb.DELEGATE else "",
                )
            )

    def receipt_later(self, outgoing: Outgoing, after_s: float, failed: bool) -> None:
        async def tell() -> None:
            await trio.sleep(after_s)
            outcome = Outcome.FAILED if failed else Outcome.DELIVERED
            receipt = r.Receipt(outgoing.order, outgoing.index, outcome, "later")
            await self.put(r.ReceiptsReceived(channel="sms", receipts=(receipt,)))

        if self.nursery is not None:
            self.nursery.start_soon(tell)

    async def commit(self, records: int) -> None:
        """The disk: some milliseconds, now and then half a second, and rarely it takes nothing at all."""
        chance = self.disk.random()
        if chance < 0.002 and not self.sound:
            raise unavailable("the disk is full")
        await trio.sleep(0.5 if chance < 0.02 else 0.02 * chance)

    async def put(self, body: r.FactBody, live: Any = None) -> None:
        """The outside says something; while the hub is down it says it again until it is taken."""
        await self.up()
        assert self.clock is not None
        at = self.clock.now()
        fact = r.Fact(id=self.ids.new(at), at=at, body=body)
        vault = []
        if live is not None:
            fact = msgspec.structs.replace(fact, vault=fact.id)
            vault = [r.VaultEntry(key=fact.id, payload=msgspec.json.encode(live))]
        while True:
            try:
                await self.journal.put_facts([fact], vault, [live])
                break
            except JournalUnavailable:
                await trio.sleep(1)
                await self.up()
        self.told.facts += 1
        self.acknowledged.add(fact.id)

    async def keep(self, journal: MemoryJournal, fact: r.Fact) -> None:
        """As whoever starts the hub does: again, until it starts."""
        while True:
            try:
                await journal.put_facts([fact])
                return
            except JournalUnavailable:
                await trio.sleep(1)

    def gone_down(self) -> None:
        self.core = None
        if self.came_up.is_set():  # else it went down again before it was up, and who waits goes on waiting
            self.came_up = trio.Event()

    async def up(self) -> None:
        """Returns when the hub is up."""
        while self.core is None:
            await self.came_up.wait()
            await trio.sleep(self.chance.uniform(0, 5))  # whoever waited does not try again at the same instant

    async def signals(self) -> None:
        """Warnings, updates, cancels, repetitions."""
        chance = self.chance
        sent: list[Signal] = []
        for n in range(chance.randint(2, 9)):
            await trio.sleep(chance.expovariate(1 / 900))
            refs: tuple[Reference, ...] = ()
            kind = MsgType.ALERT
            if sent and chance.random() < 0.5:
                old = chance.choice(sent)
                refs = (Reference(old.sender, old.identifier, old.sent),)
                kind = chance.choice((MsgType.UPDATE, MsgType.CANCEL))
            await self.put(r.SignalReceived(source="meteo"), self.signal(n, kind, refs, sent))

    def signal(self, n: int, kind: MsgType, refs: tuple[Reference, ...], sent: list[Signal]) -> Signal:
        chance = self.chance
        assert self.clock is not None
        now = self.clock.now()
        hazard = (sent and refs and sent[-1].infos[0].hazard) or chance.choice(HAZARDS)
        info = Info(
            hazard=hazard,
            severity=chance.choice((Severity.MODERATE, Severity.SEVERE, Severity.EXTREME)),
            certainty=Certainty.LIKELY,
            headline="w",
            expires=now + timedelta(minutes=chance.choice((3, 20, 90, 600))),
        )
        signal = Signal(
            source="meteo",
            identifier=f"w{n}",
            sender="kmi",
            sent=now,
            msg_type=kind,
            status=chance.choice((Status.ACTUAL, Status.ACTUAL, Status.EXERCISE, Status.TEST)),
            infos=(info,),
            references=refs,
        )
        sent.append(signal)
        return signal

    async def operator(self) -> None:
        await trio.sleep(self.chance.expovariate(1 / 7200))
        await self.put(r.StopAll(by="op", why="look"))
        await trio.sleep(self.chance.uniform(1, 900))
        await self.put(r.StopLifted(by="op", why="fine"))

    async def steering(self) -> None:
        """An officer acts on chains, sensibly or not; what is held is resumed some time."""
        chance = self.chance
        while trio.current_time() < self.zero + FAULTS_S:
            await trio.sleep(chance.expovariate(1 / 3600))
            runs = list(self.core.state.runs) if self.core is not None else []
            if runs:
                run, act = chance.choice(runs), chance.choice(list(Steer))
                to = chance.choice((*OFFICERS, "directors", "pair"))
                await self.put(r.ChainSteered(run=run, act=act, by="op", why="look", to=to))
                if act is Steer.HOLD:
                    await trio.sleep(chance.uniform(1, 3600))
                    await self.put(r.ChainSteered(run=run, act=Steer.RESUME, by="op", why="go on"))

    async def quiet(self) -> None:
        """An officer wants something quiet for a while, and may think better of it."""
        chance = self.chance
        while trio.current_time() < self.zero + FAULTS_S:
            await trio.sleep(chance.expovariate(1 / 7200))
            if self.clock is not None:
                start = self.clock.now() + timedelta(seconds=chance.choice((0, 0, 900)))
                until = start + timedelta(seconds=chance.uniform(60, 7200))
                sheets = chance.choice(((), ("storm",), ("parks", "flood")))
                what = Quiet(sheets=sheets, gravest=chance.random() < 0.3)
                silence = Silence(what=what, by="op", why="look", start=start, until=until)
                await self.put(r.SilenceSet(silence=silence))
            if self.core is not None and self.core.state.silences and chance.random() < 0.5:
                await trio.sleep(chance.uniform(1, 1800))
                known = list(self.core.state.silences) if self.core is not None else []
                if known:
                    await self.put(r.SilenceLifted(silence=chance.choice(known), by="op", why="enough"))

    async def clock_steps(self) -> None:
        while True:
            await trio.sleep(self.chance.expovariate(1 / 7200))
            by_s = self.chance.choice((-30.0, -1.0, 5.0, 120.0, 1800.0))
            await self.put(r.ClockStepped(by_s=by_s))
            if self.clock is not None:
                self.clock.step(by_s)
                self.offset += timedelta(seconds=by_s)

    async def weather(self) -> None:
        while True:
            for channel in self.channels.values():
                channel.weather = bad_weather(self.chance) if self.chance.random() < 0.7 else FINE
            await trio.sleep(self.chance.expovariate(1 / 1200))

    # -- the hub, and its crashes --

    async def hub(self, until_s: float) -> None:
        """Runs the hub until `until_s` of trio's clock, crashing it now and then."""
        while trio.current_time() < until_s:
            crash = self.chance.random() < 0.6
            for_s = self.chance.expovariate(1 / 2400) if crash else until_s - trio.current_time()
            after = self.chance.randint(1, 60) if crash and self.chance.random() < 0.5 else None
            await self.run_once(min(until_s, trio.current_time() + for_s), after)
            if trio.current_time() < until_s:
                self.told.crashes += 1
                self.gone_down()
                self.journal = self.journal.survivor(before_commit=self.commit)
                await trio.sleep(min(self.chance.choice((1, 20, 300, 3600)), until_s - trio.current_time()))

    async def run_once(self, until_s: float, crash_after: int | None) -> None:
        """One life of the hub: until a time, or until so many records are durable."""
        gone = trio.CancelScope(deadline=until_s)
        if crash_after is not None:
            watch_commits(self.journal, crash_after, gone.cancel)
        with gone:
            clock = Clock(BEGIN + self.offset + timedelta(seconds=trio.current_time() - self.zero))
            state = await restore(self.journal)
            core = Core(
                journal=self.journal,
                clock=clock,
                state=state,
                rules=_RULES,
                texts=_TEXTS,
                channels=self.channels,
                call=call,
                limits=_LIMITS,
                routes=ROUTES,
                make_ids=lambda: Ids(random.Random(self.chance.getrandbits(64))),
                chance=self.chance,
            )
            self.clock, self.core = clock, core
            self.came_up.set()
            at = clock.now()
            started = r.Fact(id=self.ids.new(at), at=at, body=r.HubStarted(node="simulation", version=""))
            await self.keep(core.journal, started)
            await core.run(started.id)

    async def run(self) -> Told:
        self.zero = trio.current_time()
        async with trio.open_nursery() as outside:
            self.nursery = outside
            with trio.CancelScope() as faults:
                async with trio.open_nursery() as bad:
                    for task in (self.signals, self.operator, self.steering, self.quiet):
                        outside.start_soon(task)
                    bad.start_soon(self.weather)
                    bad.start_soon(self.clock_steps)
                    await self.hub(self.zero + FAULTS_S)
                    faults.cancel()
            for channel in self.channels.values():
                channel.weather = FINE
            self.sound = True
            self.gone_down()
            self.journal = self.journal.survivor(before_commit=self.commit)
            self.safe()
            await self.run_once(self.zero + FAULTS_S + CALM_S, None)
            live = self.core
            outside.cancel_scope.cancel()
        assert live is not None
        self.safe()
        self.alive(live.state)
        return self.told

    # -- what must hold --

    def rows(self, kind: type) -> list[Any]:
        return [record for record in self.journal._records.values() if type(record) is kind]

    def _look(self) -> None:
        """Takes note of what has become durable since it last looked."""
        for row in self.journal._rows[self._looked :]:
            record = self.journal._records[row.id]
            if isinstance(record, r.Attempt):
                self.attempts[record.id] = record
            elif isinstance(record, r.Decision):
                self.ordered |= {ev.order for ev in record.events if isinstance(ev, e.Ordered)}
        self._looked = len(self.journal._rows)

    def safe(self) -> None:
        """Holds whatever went wrong, at any time."""
        if self.faults:
            raise Fault(self.faults[0])
        decisions = self.rows(r.Decision)
        checks.safe(decisions, self.rows(r.Fact), self.attempts.values())
        if self.core is not None and not self.core.decider.settling:
            checks.fold_is_state(decisions, self.core.state)

    def alive(self, state: State) -> None:
        """Holds once faults have ended and time has passed."""
        decisions, facts = self.rows(r.Decision), self.rows(r.Fact)
        if lost := self.acknowledged - {fact.id for fact in facts}:
            raise Fault(f"facts {lost} were acknowledged and are gone")
        checks.alive(state, decisions, facts)
        events = [event for decision in decisions for event in decision.events]
        ended = {event.run: event.outcome for event in events if isinstance(event, e.RunEnded)}
        self.told.decisions = len(decisions)
        self.told.incidents = sum(isinstance(event, e.Opened) for event in events)
        self.told.accepted = sum(outcome == "accepted" for outcome in ended.values())
        self.told.exhausted = sum(outcome == "exhausted" for outcome in ended.values())


def watch_commits(journal: MemoryJournal, after: int, crash: Callable[[], None]) -> None:
    """Lets the power go after so many records from now."""
    left = after
    keep = journal._keep

    def counted(put: Any) -> None:
        nonlocal left
        if left <= 0:
            put.refuse(unavailable("the power is gone"))
            return
        keep(put)
        left -= max(1, len(put.new))
        if left <= 0:
            crash()

    journal._keep = counted  # type: ignore[method-assign] # the one place where the simulation looks inside


def simulate(seed: int) -> Told:
    """One night. Raises Fault. Replays exactly within one process; across processes where PYTHONHASHSEED is the same
    (`python -m tools.simulate` sees to it), as sets are walked in an order that depends on it."""
    chance = random.Random(seed)
    night = Night(seed, chance, Told(seed))
    # trio wakes tasks in an order of chance on purpose; here that chance is the seed's.
    trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[attr-defined] # trio's own switch for this
    trio._core._run._r.seed(seed)  # type: ignore[attr-defined] # likewise
    return trio.run(night.run, clock=trio.testing.MockClock(autojump_threshold=0))


__all__ = ["OFFICERS", "Fault", "Told", "simulate"]
