"""Nights told as stories: signals come in, people are asked and answer, time passes; silence is asserted.

Pure: the engine alone, with dispatch played by the night itself (every order is handed over at once, unless the
channel is said to fail); the stories of the whole hub are in tests/promises/. `Night.over()` fails on any delivery that
the story did not expect, and checks that folding the decisions again gives the same state.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.engine.engine import Decided, Engine
from hub.engine.fold import fold_decision
from hub.engine.state import State
from hub.model import events as e
from hub.model import records as r
from hub.model.access import Reception
from hub.model.enclosure import CallListRhythm
from hub.model.ids import Ids
from hub.model.message import Lane, Outcome, Verb
from hub.model.people import Asked, Chain, Classification, Contact, Role, Roster, Storms, Tier
from hub.model.signal import Certainty, Hazard, Info, MsgType, Reference, Severity, Signal, Status
from hub.people.answers import understand
from hub.playbook.dossiers import Dossier
from hub.playbook.language import After, Call, Condition, Joining, Mode, Notify, Playbook, Step, Task, Tasks, When
from hub.playbook.language import Outcome as StepOutcome
from hub.playbook.match import Match, Met

START = datetime(2026, 7, 14, 2, 10, tzinfo=UTC)


def sheet(
    name: str = "storm", *steps: Step, chain: str = "duty", hazard: str = "thunderstorm", **more: Any
) -> Playbook:
    """A sheet that calls `chain`, notifies the partners once somebody accepted, and gives the all-clear at the end."""
    return Playbook(
        name=name,
        title={},
        version=f"{name}-v1",
        owner="test",
        mode=more.pop("mode", Mode.LIVE),
        when=(When(hazards=(Hazard(hazard),), severity=(Severity.SEVERE, Severity.EXTREME)),),
        incident=more.pop("incident", Joining(one_per=("hazard",))),
        steps=steps
        or (
            Step(name="wake", action=Call(chain=chain, say=f"{name}-wake")),
            Step(
                name="partners",
                action=Notify(say=f"{name}-partners", to=(Contact(Asked.GROUP, "partners"),), by=("sms", "email")),
                after=Condition(any=(After("wake", StepOutcome.ACCEPTED),)),
            ),
            Step(name="all-clear", action=Notify(say=f"{name}-over", everyone_reached=True), at_end=True),
        ),
        **more,
    )


def tasks(name: str, due_s: float | None = None, after: str = "wake") -> Step:
    return Step(
        name=name,
        action=Tasks(tasks=(Task(do={}, who="duty-officer", due_s=due_s),)),
        after=Condition(any=(After(after, StepOutcome.ACCEPTED),)),
    )


def _met(playbook: Playbook, signal: Signal) -> Match | None:
    for which, when in enumerate(playbook.when):
        for index, info in enumerate(signal.infos):
            if info.hazard in when.hazards and info.severity in when.severity:
                return Match(playbook.name, playbook.version, index, which)
    return None


class World:
    """The rules of a story: sheets, one duty chain (officer-a, then officer-b), directors, two partners."""

    def __init__(self, *sheets: Playbook) -> None:
        self.sheets = list(sheets or (sheet(),))
        self.earlier: list[Playbook] = []  # versions that are in force no more
        self.groups: dict[str, tuple[str, ...]] = {
            "a": ("officer-a",),
            "b": ("officer-b",),
            "directors": ("director",),
            "partners": ("police", "fire"),
        }
        tier = Tier(ask=(Contact(Asked.GROUP, "a"),), by=("sms", "voice"), between_s=90, answer_s=240)
        self.chains = {
            "duty": Chain(
                id="duty", tiers=(tier, msgspec.structs.replace(tier, ask=(Contact(Asked.GROUP, "b"),))), exhausted=""
            ),
            "directors": Chain(
                id="directors", tiers=(msgspec.structs.replace(tier, ask=(Contact(Asked.GROUP, "directors"),)),)
            ),
        }
        self.no_address: set[tuple[str, str]] = set()
        self.roles: set[tuple[str, str]] = set()  # (person, "speaks nl")
        self.several: dict[tuple[str, str], int] = {}  # (person, channel) → addresses, where not one
        self.left_out: set[str] = set()  # of exercises
        self.public: set[str] = set()
        self.storm = Storms(messages=1000, incidents=1000)
        self.rosters: dict[str, Roster] = {}
        self.status = Status.ACTUAL
        self.gone: set[str] = set()  # from the directory
        self.seeing: dict[str, Classification] = {}  # who may see more than what is public
        self.rhythm: CallListRhythm | None = None
        self.dossiers: dict[str, Dossier] = {}
        self.zone = "Europe/Brussels"
        self.desk: Reception | None = None

    def match(self, signal: Signal, now: datetime) -> Sequence[Match]:
        return [met for sheet in self.sheets if sheet.mode is not Mode.DRAFT and (met := _met(sheet, signal))]

    def meet(self, signal: Signal, now: datetime) -> Met:
        said = [info.hazard for info in signal.infos]
        met = [name for name, one in self.dossiers.items() if any(h in when.hazards for when in one.when for h in said)]
        return Met(tuple(self.match(signal, now)), tuple(met))

    def meets(self, name: str, version: str, signal: Signal, now: datetime) -> Match | None:
        known = self.playbook(name, version)
        return None if known is None else _met(known, signal)

    def playbook(self, name: str, version: str) -> Playbook | None:
        return next((s for s in (*self.sheets, *self.earlier) if s.name == name and s.version == version), None)

    def chain(self, chain: str) -> Chain | None:
        return self.chains.get(chain)

    def people(self, contacts: Sequence[Contact], at: datetime) -> Sequence[str]:
        return tuple(dict.fromkeys(p for c in contacts for p in self.groups.get(c.id, ()) if p not in self.gone))

    def knows(self, person: str) -> bool:
        return person not in self.gone

    def channels(self, person: str) -> Sequence[str]:
        return tuple(c for c in ("sms", "email", "voice") if (person, c) not in self.no_address)

    def language(self, person: str) -> str:
        return "nl" if person in ("officer-b", "police") else "fr"

    def plays(self, person: str, role: Role) -> bool:
        return (person, str(role)) in self.roles

    def ways(self, person: str, channel: str, status: Status) -> int:
        if person in self.gone or (status is Status.EXERCISE and person in self.left_out):
            return 0
        return 0 if (person, channel) in self.no_address else self.several.get((person, channel), 1)

    def speaks(self, channel: str) -> bool:
        return channel == "voice"

    def storms(self) -> Storms:
        return self.storm

    def causes(self, sheet: str) -> bool:
        return any(cause.sheet == sheet for known in self.sheets for cause in known.quiet_while)

    def registered(self, person: str) -> bool:
        return person in self.public

    def carries(self, channel: str) -> bool:
        return channel == "email"

    def sees(self, person: str) -> Classification:
        return self.seeing.get(person, Classification.PUBLIC)

    def reception(self) -> Reception | None:
        return self.desk

    def call_list(self) -> CallListRhythm | None:
        return self.rhythm


class Night:
    """One night. `fails`: (person, channel) whose deliveries fail, or (person, channel, n) where only those to the n-th
    address do; `silent`: whose deliveries are never heard of."""

    def __init__(self, world: World | None = None, at: datetime = START, seed: int = 1) -> None:
        self.world = world or World()
        self.now = at
        self.ids = Ids(random.Random(seed))
        self.engine = Engine(State(), self.world, Ids(random.Random(seed + 1)))
        self.decisions: list[r.Decision] = []
        self.entries: list[r.Entry] = []  # every fact, with what it was made from
        self.fails: set[tuple[str, str] | tuple[str, str, int]] = set()
        self.silent: set[tuple[str, str]] = set()
        self.outbox: list[e.Ordered] = []  # what was sent and the story has not expected yet
        self.fired: list[tuple[str, datetime]] = []

    # -- what happens --

    def fact(self, body: r.FactBody, live: Any = None) -> str:
        fact = r.Fact(id=self.ids.new(self.now), at=self.now, body=body)
        self.entries.append(r.Entry(fact, live))
        self._settle(self.engine.take(self.entries[-1:], self.now))
        return fact.id

    def signal(
        self, identifier: str = "w1", hazard: str = "thunderstorm", severity: str = "Severe", **more: Any
    ) -> Signal:
        expires_min = more.pop("expires_min", 300)
        refs = tuple(Reference("kmi", i, None) for i in more.pop("refs", ()))
        info = Info(
            hazard=Hazard(hazard),
            severity=Severity(severity),
            certainty=Certainty.LIKELY,
            expires=None if expires_min is None else self.now + timedelta(minutes=expires_min),
            **more.pop("info", {}),
        )
        signal = Signal(
            source="meteo",
            identifier=identifier,
            sender=more.pop("sender", "kmi"),
            sent=self.now,
            msg_type=MsgType(more.pop("msg_type", "Alert")),
            status=Status(more.pop("status", "Actual")),
            infos=(info,),
            references=refs,
            **more,
        )
        self.fact(r.SignalReceived(source="meteo"), signal)
        return signal

    def update(self, identifier: str, of: str, **more: Any) -> Signal:
        return self.signal(identifier, msg_type="Update", refs=(of,), **more)

    def cancel(self, of: str, **more: Any) -> Signal:
        return self.signal(f"cancel-{of}", msg_type="Cancel", refs=(of,), **more)

    def after(self, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Lets time pass; deadlines fire at their time."""
        end = self.now + timedelta(seconds=seconds, minutes=minutes, hours=hours)
        while (due := self.engine.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            before = dict(self.engine.state.deadlines)
            decided = self.engine.due(self.now)
            assert decided is not None
            for name in decided.decision.fired:
                instant = before.get(name)
                if instant is not None:
                    assert (name, instant) not in self.fired, f"deadline {name} fired twice"
                    self.fired.append((name, instant))
            self._settle(decided)
        self.now = end

    def person(self, person: str) -> "Person":
        return Person(self, person)

    def _settle(self, decided: Decided) -> None:
        self.decisions.append(decided.decision)
        for event in decided.decision.events:
            if isinstance(event, e.Ordered):
                self._dispatch(event)

    def _dispatch(self, order: e.Ordered) -> None:
        meant = {i: p for i, p in enumerate(order.recipients) if not order.only or i in order.only}
        self.outbox.append(msgspec.structs.replace(order, recipients=tuple(meant.values())))
        receipts = []
        for index, person in meant.items():
            if (person, order.channel) in self.silent:
                continue
            failed = bool({(person, order.channel), (person, order.channel, order.address)} & self.fails)
            receipts.append(r.Receipt(order.order, index, Outcome.FAILED if failed else Outcome.SENT))
        if receipts:
            self.fact(r.ReceiptsReceived(channel=order.channel, receipts=tuple(receipts)))

    # -- what is to be seen --

    @property
    def state(self) -> State:
        return self.engine.state

    def alarms(self) -> list[str]:
        return [a.what for a in self.state.alarms.values()]

    def partners_are_told(self, message: str = "storm-partners", by: tuple[str, ...] = ("sms", "email")) -> None:
        """What the sheet does once its chain has found enough people."""
        for partner in ("police", "fire"):
            for channel in by:
                self.person(partner).receives(message, by=channel)

    def over(self) -> None:
        """The story's end: nothing was sent that it did not expect, and the fold of the decisions is the state."""
        left = [(o.message, o.channel, o.recipients) for o in self.outbox]
        assert not left, f"not expected: {left}"
        again = State()
        for decision in self.decisions:
            fold_decision(again, decision)
        assert msgspec.to_builtins(again) == msgspec.to_builtins(self.state)


class Person:
    """`night.person("officer-a").receives("storm-wake", by="sms")`."""

    def __init__(self, night: Night, person: str) -> None:
        self._night = night
        self._person = person

    def receives(self, message: str, by: str) -> e.Ordered:
        for order in self._night.outbox:
            if (
                order.recipients
                and self._person in order.recipients
                and (order.message, order.channel) == (message, by)
            ):
                rest = tuple(p for p in order.recipients if p != self._person)
                at = self._night.outbox.index(order)
                if rest:
                    self._night.outbox[at] = msgspec.structs.replace(order, recipients=rest)
                else:
                    del self._night.outbox[at]
                return order
        seen = [(o.message, o.channel, o.recipients) for o in self._night.outbox]
        raise AssertionError(f"{self._person} did not receive {message} by {by}; unexpected so far: {seen}")

    def receives_nothing(self) -> None:
        mine = [(o.message, o.channel) for o in self._night.outbox if self._person in o.recipients]
        assert not mine, f"{self._person} received {mine}"

    def replies(self, text: str, by: str = "sms") -> None:
        words = understand(text)
        self._night.fact(
            r.ReplyReceived(
                channel=by,
                person=self._person,
                verb=words.verb,
                code=words.code,
                everything=words.everything,
                eta_min=words.eta_min,
            )
        )

    def presses(self, key: str, on: e.Ordered) -> None:
        verb = {"1": Verb.ACCEPT, "2": Verb.DECLINE}[key]
        self._night.fact(r.ReplyReceived(channel="voice", person=self._person, verb=verb, order=on.order))


__all__ = ["START", "Lane", "Night", "Person", "World", "sheet", "tasks"]
