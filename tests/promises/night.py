"""Nights of the whole hub, told as stories: `async with night(...) as n`, then what comes in, who receives what, what
they answer, how time goes by.

Everything is the hub's own but the outside: intake, engine, journal (in memory), dispatch, the texts of `config/`. The
channels are fakes that pass the contract suite. Time is trio's, and virtual. Nothing reaches anybody whose attempt is
not in the journal. When a story is over, no delivery is left that it did not expect, the journal verifies, and folding
its decisions again gives the state that the hub has.
"""

import itertools
import random
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import trio
import trio.testing

from hub.broadcasts import Broadcasts
from hub.broadcasts.making import Maker
from hub.broadcasts.proposing import Proposer
from hub.cap.publishing import Publisher
from hub.cap.signing import Signer
from hub.clock import Clock
from hub.config.cap import CapForm
from hub.config.forms import BroadcastsForm
from hub.config.groups import Areas
from hub.connector import Item, Outgoing, ReceiptItem, ReplyItem, SignalItem, Unavailable
from hub.core import Core, health, restore
from hub.desk import Desk
from hub.dispatch.policy import limits_of
from hub.dossiers.keeping import Keeping
from hub.dossiers.rises import OWN, RiseTeller, untold
from hub.drill.outside import BY_KEY, call
from hub.engine.fold import fold_decision
from hub.engine.state import Run, State
from hub.install import Understanding
from hub.intake.intake import Intake
from hub.intake.port import Offered
from hub.journal.memory import MemoryJournal
from hub.model import records as r
from hub.model.area import Area
from hub.model.ids import Ids
from hub.model.message import Outcome
from hub.model.people import Language, Steer
from hub.model.signal import VIGIE, Certainty, Hazard, Info, MsgType, Reference, Severity, Signal, Status
from hub.operators import Operators
from hub.picture import Recent, picture
from hub.rules import InForce
from tests.conftest import shipped
from tests.contracts.fake_channel import FakeChannel

CONFIG = shipped()[0]
TEXTS = CONFIG.texts_in_force()
CHANNELS = ("sms", "voice", "email")
SOON_S = 5.0  # how long a story waits for what it expects to have come
BRUSSELS = ZoneInfo("Europe/Brussels")
OFFICER = "officer-z"  # who acts in the room
HEADLINES = {
    Language.FR: "Orages violents",
    Language.NL: "Hevig onweer",
    Language.DE: "Schwere Gewitter",
    Language.EN: "Severe thunderstorms",
}

E = TypeVar("E")
F = TypeVar("F")
_HOLE = re.compile(r"\{[a-z-]+\}")


def local(text: str, fold: int = 0) -> datetime:
    """`2026-10-25 02:30` in Brussels; `fold` 1: the second time that clocks show it."""
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS, fold=fold).astimezone(UTC)


NIGHT = local("2026-07-14 02:10")


class Delivery(msgspec.Struct):
    """What reached somebody. `at`: hub time."""

    at: datetime
    channel: str
    outgoing: Outgoing

    @property
    def words(self) -> str:
        """What is read, or heard."""
        return self.outgoing.voice if self.channel == "voice" else self.outgoing.text

    @property
    def code(self) -> str:
        assert self.outgoing.ask is not None
        return self.outgoing.ask.code

    def says(self, message: str) -> bool:
        """Whether these are the words of a message, in its reader's language."""
        text = TEXTS.messages[message].texts[self.outgoing.language]
        at = 0
        for fragment in _HOLE.split((text.voice or text.text) if self.channel == "voice" else text.text):
            at = self.words.find(fragment, at)
            if at < 0:
                return False
        return True


class Night:
    """Made by `night`. `up`: the hub runs; else what is sent to it is kept by the providers until it is back.
    `drafting`, `telling`: whether a hub that comes up drafts what sheets propose, and tells what rises in a dossier.
    `feed`: the CAP feed, with the classes that stand on it and what it is signed with."""

    def __init__(
        self,
        rules: InForce,
        at: datetime,
        nursery: trio.Nursery,
        channels: Sequence[str],
        feed: tuple[CapForm, BroadcastsForm, Signer] | None = None,
    ) -> None:
        self.rules = rules
        self.feed = feed
        self.publisher: Publisher | None = None
        self.up = False
        self.drafting = self.telling = True
        self.core: Core
        self.journal = MemoryJournal(entropy=random.Random(3).randbytes)
        self.channels = {name: FakeChannel(name, partial(self._arrives, name)) for name in channels}
        self.left: list[Delivery] = []  # what arrived, and the story has not expected yet
        self._nursery = nursery
        self._at, self._zero = at, trio.current_time()
        self._seeds = itertools.count()
        self._keys = itertools.count()
        self._kept: list[tuple[str, Item]] = []

    # -- the hub --

    @property
    def now(self) -> datetime:
        return self._at + timedelta(seconds=trio.current_time() - self._zero)

    @property
    def state(self) -> State:
        return self.core.state

    async def comes_up(self) -> None:
        """A hub on the journal as it is: its state is what the decisions there fold to."""
        self.core = Core(
            journal=self.journal,
            clock=Clock(self.now),
            state=await restore(self.journal),
            rules=self.rules,
            texts=TEXTS,
            channels=self.channels,
            call=call,
            limits={name: limits_of(name) for name in self.channels},
            make_ids=self._ids,
            chance=random.Random(4),
        )
        self.intake = Intake(
            self.journal,
            lambda: self.now,
            self._ids(),
            locate=lambda signal: signal,
            understanding=lambda: Understanding(self.rules.directory),
            trust={VIGIE: OWN},
        )
        desk = Desk(self.intake, lambda: self.state, lambda: self.rules, lambda: self.now)
        maker = Maker(
            journal=self.journal,
            desk=desk,
            form=CONFIG.hub.broadcasts if self.feed is None else self.feed[1],
            channels=CONFIG.channels,
            texts=lambda: TEXTS,
            areas=lambda: Areas(CONFIG.geography),
            playback=False,
            feed=None if self.feed is None else self.feed[0],
        )
        others = Broadcasts(desk, maker).done
        if self.feed is not None:
            self.publisher = await self._publisher(*self.feed)
            self.core.decider.followers.append(self.publisher.follow)
            others |= self.publisher.done
        self.proposer = Proposer(maker, desk.state, desk.act)
        self.rises = RiseTeller(self.intake.take, desk.state, lambda: self.rules.dossiers, "night")
        self.core.decider.followers += [self.proposer.follow, self.rises.follow]
        self.operators = Operators(
            desk=desk,
            ids=self._ids(),
            status=lambda: picture(self.state, self.now, Recent()),
            health=lambda: health(self.core, None),
            sources=("meteo",),
            others={**others, **Keeping(desk, self.journal).done},
        )
        ids, at = self._ids(), self.now
        bodies: list[r.FactBody] = [
            r.HubStarted(node="night", version=""),
            *(r.Installed(what="playbook", name=s.name, version=s.version) for s in self.rules.sheets),
        ]
        started, *_ = await self.journal.put_facts([r.Fact(id=ids.new(at), at=at, body=body) for body in bodies])
        await self._nursery.start(self._live, started)
        self.up = True
        for connector, item in self._kept:
            await self.comes_in(connector, item)
        self._kept = []

    async def _publisher(self, form: CapForm, broadcasts: BroadcastsForm, signer: Signer) -> Publisher:
        async def aside(fn: Callable[..., Any], /, *args: Any) -> Any:
            await trio.lowlevel.checkpoint()
            return fn(*args)

        async def report(what: str, detail: str) -> None:
            at = self.now
            fact = r.Fact(id=self._ids().new(at), at=at, body=r.AuditorFound(what=what, detail=detail))
            await self.journal.put_facts([fact])

        publisher = Publisher(
            journal=self.journal,
            state=lambda: self.state,
            settled=lambda: not self.core.decider.settling,
            form=form,
            broadcasts=broadcasts,
            signer=signer,
            texts=lambda: TEXTS,
            areas=lambda: Areas(CONFIG.geography),
            now=lambda: self.now,
            ids=self._ids(),
            zone="Europe/Brussels",
            public_url="https://vigie.example.org",
            report=report,
            aside=aside,
        )
        await publisher.load()
        return publisher

    async def goes_down(self) -> None:
        """As by kill -9: what is not in the journal is gone."""
        self._life.cancel()
        self.journal = self.journal.survivor()
        self.up = False

    async def is_down_for(self, minutes: float) -> None:
        await self.goes_down()
        await trio.sleep(minutes * 60)
        await self.comes_up()

    async def _live(self, started: str, *, task_status: trio.TaskStatus[None]) -> None:
        with trio.CancelScope() as self._life:
            async with trio.open_nursery() as nursery:
                left, risen = list(self.state.proposals), untold(self.state)
                await nursery.start(self.core.run, started)
                if self.drafting:
                    nursery.start_soon(self.proposer.run, left)
                if self.telling:
                    nursery.start_soon(self.rises.run, risen)
                if self.publisher is not None:
                    nursery.start_soon(self.publisher.run)
                task_status.started()
                await trio.sleep_forever()

    def _ids(self) -> Ids:
        return Ids(random.Random(next(self._seeds)))

    # -- what comes in --

    async def comes_in(self, connector: str, item: Item) -> str:
        """Through intake, as whatever a connector hands in. Returns the id of its fact."""
        if not self.up:
            self._kept.append((connector, item))
            return ""
        (answer,) = await self.intake.take(connector, [Offered((item,))])
        assert not isinstance(answer, Unavailable)
        await trio.testing.wait_all_tasks_blocked()
        return answer.taken[0].fact

    async def warning(
        self,
        name: str = "w1",
        hazard: str = "thunderstorm",
        *,
        severity: Severity = Severity.SEVERE,
        status: Status = Status.ACTUAL,
        kind: MsgType = MsgType.ALERT,
        of: str = "",
        hours: float = 12,
    ) -> None:
        """A warning, with a block in each language."""
        infos = tuple(
            Info(
                language=f"{language}-BE",
                event=headline,
                headline=headline,
                hazard=Hazard(hazard),
                severity=severity,
                certainty=Certainty.LIKELY,
                onset=self.now,
                expires=self.now + timedelta(hours=hours),
                areas=(Area(description="Ixelles"),),
            )
            for language, headline in HEADLINES.items()
        )
        signal = Signal(
            source="meteo",
            identifier=name,
            sender="kmi",
            sent=self.now,
            msg_type=kind,
            status=status,
            infos=infos,
            references=(Reference("kmi", of, None),) if of else (),
        )
        await self.comes_in("meteo", SignalItem(signal=signal, key=name))

    async def all_clear(self, of: str = "w1", **more: Any) -> None:
        await self.warning(f"cancel-{of}", kind=MsgType.CANCEL, of=of, **more)

    async def told(self, delivery: Delivery, outcome: Outcome, reason: str = "") -> None:
        """What the provider says later of a delivery."""
        outgoing = delivery.outgoing
        receipt = ReceiptItem(
            order=outgoing.order,
            index=outgoing.index,
            outcome=outcome,
            key=f"receipt-{next(self._keys)}",
            reason=reason,
        )
        await self.comes_in(delivery.channel, receipt)

    async def acts(self, verb: str, about: Mapping[str, str] | None = None, **sent: Any) -> Any:
        """An officer in the room, through what may be asked of the hub (hub/acts.py)."""
        said = await self.operators.answer(verb, (about or {}, {"by": OFFICER} | sent))
        await trio.testing.wait_all_tasks_blocked()
        return said

    async def steers(self, act: Steer, *, to: str = "", why: str = "the mayor asked for it") -> None:
        """An officer acts on the newest chain."""
        await self.acts(act, {"run": self.run.id}, why=why, **({"to": to} if to else {}))

    async def silence(self, *, hours: float, begins_h: float = 0, **what: Any) -> None:
        """An officer wants something quiet (all that is given: hazards, sheets, sources, areas)."""
        start = self.now + timedelta(hours=begins_h)
        await self.acts("silence", why="works", until=start + timedelta(hours=hours), start=start, **what)

    # -- time --

    async def after(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        await trio.sleep(seconds + 60 * minutes + 3600 * hours)

    async def until(self, at: datetime) -> None:
        await trio.sleep((at - self.now).total_seconds())

    async def nobody_is_disturbed(self, **time: float) -> None:
        """Time passes in which nothing reaches anybody."""
        assert not self.left, f"not expected: {self._unexpected()}"
        await self.after(**time)
        assert not self.left, f"not expected: {self._unexpected()}"

    # -- what is to be seen --

    def person(self, name: str) -> "Person":
        return Person(self, name)

    def people(self, *names: str) -> list["Person"]:
        return [Person(self, name) for name in names]

    async def _arrives(self, channel: str, outgoing: Outgoing) -> None:
        (attempt,) = await self.journal.get([outgoing.attempt])
        assert isinstance(attempt, r.Attempt), f"{outgoing.text!r} went out before its attempt was durable"
        self.left.append(Delivery(self.now, channel, outgoing))

    def _unexpected(self) -> list[str]:
        return [f"{d.at.astimezone(BRUSSELS):%H:%M:%S} {d.channel} to {d.outgoing.to}: {d.words}" for d in self.left]

    @property
    def run(self) -> Run:
        """The newest chain."""
        return list(self.state.runs.values())[-1]

    @property
    def alarms(self) -> list[str]:
        return [alarm.what for alarm in self.state.alarms.values()]

    def alarm(self, what: str) -> str:
        """What an alarm in the room says."""
        return next(alarm.detail for alarm in self.state.alarms.values() if alarm.what == what)

    async def events(self, kind: type[E]) -> list[E]:
        """Those in the journal, in order."""
        found = await self.journal.decisions(limit=100_000)
        return [event for decision in found for event in decision.events if isinstance(event, kind)]

    async def facts(self, kind: type[F]) -> list[F]:
        """Those of a kind that the engine has taken, in order."""
        taken = [fact for decision in await self.journal.decisions(limit=100_000) for fact in decision.took]
        bodies = [fact.body for fact in await self.journal.get(taken) if isinstance(fact, r.Fact)]
        return [body for body in bodies if isinstance(body, kind)]

    async def over(self) -> None:
        """The story's end."""
        await trio.sleep(SOON_S)
        assert not self.left, f"not expected: {self._unexpected()}"
        await self.journal.verify()
        again = State()
        for decision in await self.journal.decisions(limit=100_000):
            fold_decision(again, decision)
        assert msgspec.to_builtins(again) == msgspec.to_builtins(self.state), "the state is not the fold of the journal"


class Person:
    """`await anna.receives("weather-ask")`, `await anna.replies("oui")`."""

    def __init__(self, night: Night, name: str) -> None:
        self.name = name
        self._night = night

    def address(self, channel: str) -> str:
        return self._night.rules.directory.addresses(self.name, channel, Status.ACTUAL)[0]

    async def receives(self, message: str, by: str = "sms", *, at: str = "", within_s: float = SOON_S) -> Delivery:
        """Waits for a message (its id in config/messages.yaml); `at`: on this of their addresses."""
        night, give_up = self._night, trio.current_time() + within_s
        mine = {at} if at else set(night.rules.directory.addresses(self.name, by, Status.ACTUAL))
        while True:
            for delivery in night.left:
                if delivery.channel == by and delivery.outgoing.to in mine and delivery.says(message):
                    night.left.remove(delivery)
                    await trio.testing.wait_all_tasks_blocked()
                    return delivery
            seen = night._unexpected()
            assert trio.current_time() < give_up, f"{self.name} did not receive {message} by {by}; there is {seen}"
            await trio.sleep(0.05)

    async def is_asked(self, message: str = "weather-ask", **more: Any) -> Delivery:
        return await self.receives(message, **more)

    async def is_rung(self, message: str = "weather-ask") -> Delivery:
        return await self.receives(message, by="voice")

    async def is_let_off(self) -> Delivery:
        return await self.receives("hub.stood-down")

    async def replies(self, text: str, by: str = "sms", *, from_: str = "") -> None:
        """`from_`: another address than theirs."""
        key = f"reply-{next(self._night._keys)}"
        await self._night.comes_in(by, ReplyItem(channel=by, address=from_ or self.address(by), key=key, text=text))

    async def accepts(self, text: str = "ok", *, there_in: int = 0) -> Delivery:
        """By SMS; and is told that they were heard, and in how many minutes they are expected."""
        await self.replies(text)
        if not there_in:
            return await self.receives("hub.accepted")
        confirmed = await self.receives("hub.accepted-eta")
        assert f" {there_in} min" in confirmed.words
        return confirmed

    async def declines(self, text: str = "non") -> Delivery:
        await self.replies(text)
        return await self.receives("hub.declined")

    async def presses(self, key: str, on: Delivery) -> None:
        """A key on the telephone, or a button of a mail's page or a message: it answers the very delivery."""
        outgoing = on.outgoing
        reply = ReplyItem(
            channel=on.channel,
            address=outgoing.to,
            key=f"key-{next(self._night._keys)}",
            verb=BY_KEY[key],
            order=outgoing.order,
            index=outgoing.index,
        )
        await self._night.comes_in(on.channel, reply)

    def stops_ringing(self, rung: Delivery) -> bool:
        """Whether that call was taken back."""
        channel = self._night.channels[rung.channel]
        return channel.ref_of(rung.outgoing) in channel.recalled


@asynccontextmanager
async def night(
    rules: InForce,
    at: datetime = NIGHT,
    channels: Sequence[str] = CHANNELS,
    feed: tuple[CapForm, BroadcastsForm, Signer] | None = None,
) -> AsyncIterator[Night]:
    async with trio.open_nursery() as nursery:
        told = Night(rules, at, nursery, channels, feed)
        await told.comes_up()
        yield told
        await told.over()
        nursery.cancel_scope.cancel()
