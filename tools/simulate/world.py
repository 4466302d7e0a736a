"""The world of a simulated night: sheets, people, chains; and how people and channels behave in it."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

import trio
from msgspec import Struct
from msgspec.structs import replace

from hub.connector import Abilities, Answer, Dead, Intake, Outgoing, Retry, Route, Sent
from hub.dispatch.render import Texts
from hub.dispatch.route import Routes
from hub.model.message import Message, Text
from hub.model.people import Address, Asked, Chain, Contact, Group, Language, Person, Plays, Role, Tier
from hub.model.signal import Hazard, Severity
from hub.people.directory import Directory
from hub.playbook.dossiers import Dossier, Rise
from hub.playbook.language import (
    After,
    Call,
    Condition,
    Joining,
    Mode,
    Notify,
    Outcome,
    Playbook,
    Step,
    Task,
    Tasks,
    When,
)
from hub.rules import InForce

OFFICERS = ("officer-a", "officer-b", "officer-c", "director")
PARTNERS = tuple(f"partner-{n}" for n in range(4))
CROWD = tuple(f"member-{n}" for n in range(104))  # more than a chunk: a mass message
HAZARDS = (Hazard.THUNDERSTORM, Hazard.FLOOD, Hazard.WIND)
CHANNELS = ("sms", "voice", "email")
PROVIDERS = (*CHANNELS, "sms-second", "sms-abroad")
ROUTES = Routes(
    fall_back={"sms": "sms-second"}, by_prefix={"sms": {"officer-c": "sms-abroad", "member-1": "sms-abroad"}}
)

_WORDS = ("wake", "partners", "crowd", "over")
_OWN = (
    *("accepted", "accepted-eta", "declined", "too-late", "stood-down", "which", "not-understood", "nothing-open"),
    *("merged-ask", "delegated", "delegate-unknown", "verify-hint", "verify", "verdict", "verdict-and"),
    *("ask-hint", "repeat", "exercise", "test", "update", "all-clear"),
    *("duty-begins", "duty-ends", "duty-now"),
)


def _sheet(
    name: str, hazards: tuple[Hazard, ...], chain: str, *, crowd: bool = False, verify: bool = False
) -> Playbook:
    accepted = Condition(any=(After("wake", Outcome.ACCEPTED),))
    steps = [
        Step(name="wake", action=Call(chain=chain, say="wake", verify=verify)),
        Step(
            name="partners",
            action=Notify(say="partners", to=(Contact(Asked.GROUP, "partners"),), by=("sms", "email")),
            after=accepted,
        ),
        Step(
            name="check",
            action=Tasks(tasks=(Task(do={}, who="x", due_s=1800),)),
            after=Condition(any=(After("wake", Outcome.ACCEPTED), After("wake", Outcome.EXHAUSTED))),
        ),
        Step(name="over", action=Notify(say="over", everyone_reached=True), at_end=True),
    ]
    if crowd:
        to = (Contact(Asked.GROUP, "crowd"),)
        steps.insert(2, Step(name="crowd", action=Notify(say="crowd", to=to, by=("email", "sms"))))
    return Playbook(
        name=name,
        title={},
        version=f"{name}-1",
        owner="simulation",
        mode=Mode.LIVE,
        when=(When(hazards=hazards, severity=(Severity.SEVERE, Severity.EXTREME)),),
        incident=Joining(one_per=("hazard",), within_s=7200),
        steps=tuple(steps),
    )


def rules() -> InForce:
    """Three sheets, one in shadow, and a dossier; one signal may meet several. Everybody has every address, some two,
    but one partner has no phone."""
    people = [
        Person(
            id=name,
            name=name,
            language=list(Language)[n % 4],
            addresses=tuple(
                Address(channel, f"{name}@{channel}{nth}.example")
                for channel in CHANNELS
                for nth in range(2 if name in ("partner-1", "member-7") else 1)
                if not (name == "partner-3" and channel == "sms")
            ),
        )
        for n, name in enumerate((*OFFICERS, *PARTNERS, *CROWD))
    ]
    groups = [Group(id="partners", members=PARTNERS), Group(id="crowd", members=CROWD)]
    first = Tier(ask=(Contact(Asked.PERSON, "officer-a"),), by=("sms", "voice"), between_s=90, answer_s=240)
    both = tuple(Contact(Asked.PERSON, p) for p in ("officer-b", "officer-c"))
    second = Tier(ask=both, by=("voice", "sms"), between_s=60, answer_s=180, times=2)
    turns = Tier(ask=both, by=("voice", "sms"), between_s=60, answer_s=180, times=2, in_turn=True)
    director = Tier(ask=(Contact(Asked.PERSON, "director"),), by=("voice", "sms"))
    dutch = Role(Plays.SPEAKS, "nl")
    chains = {
        "duty": Chain(id="duty", tiers=(first, turns), exhausted="directors"),
        "pair": Chain(id="pair", tiers=(first, second), need=2, roles=(dutch,), exhausted="directors"),
        "directors": Chain(id="directors", tiers=(director,)),
    }
    dossier = Dossier(
        name="wind",
        title=dict.fromkeys(Language, "Wind"),
        owner="simulation",
        version="1",
        when=(When(hazards=(Hazard.WIND,)),),
        rise=Rise(days=1, times=2, at_least=2),
    )
    return InForce(
        sheets=(
            _sheet("storm", (Hazard.THUNDERSTORM, Hazard.WIND), "duty"),
            _sheet("parks", (Hazard.WIND,), "duty", crowd=True),
            _sheet("flood", (Hazard.FLOOD,), "pair", verify=True),
            replace(_sheet("draught", (Hazard.WIND, Hazard.FLOOD), "pair"), mode=Mode.SHADOW),
        ),
        chains=chains,
        directory=Directory(people, groups),
        rosters={},
        voices=frozenset({"voice"}),
        dossiers={"wind": dossier},
        zone="Europe/Brussels",
    )


def texts() -> Texts:
    ids = [*_WORDS, *(f"hub.{word}" for word in _OWN)]
    return Texts(
        messages={i: Message(id=i, texts={lang: Text(text=f"{i} {{code}}") for lang in Language}) for i in ids}
    )


class Weather(Struct):
    """How bad the outside is just now: chances per send. All zero: everything works."""

    refused: float = 0.0
    dead: float = 0.0
    answer_lost: float = 0.0
    slow: float = 0.0
    hangs: float = 0.0
    late_receipt: float = 0.0
    undelivered: float = 0.0


FINE = Weather()


def bad_weather(chance: random.Random) -> Weather:
    def some(most: float) -> float:
        return chance.choice((0.0, chance.random() * most))

    return Weather(
        refused=some(0.6),
        dead=some(0.3),
        answer_lost=some(0.4),
        slow=some(0.4),
        hangs=some(0.2),
        late_receipt=some(0.8),
        undelivered=some(0.3),
    )


class Phone:
    """Where deliveries arrive: what each person got, and what they will answer."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.got: list[tuple[datetime, Outgoing, str]] = []  # when, what, over which channel


class SimChannel:
    """A channel in virtual time. `arrive` is told of each message that reaches a phone (whatever the hub then hears),
    `receipt` of what the provider says later."""

    Config: ClassVar[type[Struct]] = Weather
    abilities: ClassVar[Abilities] = Abilities(answers=True)

    def __init__(
        self,
        name: str,
        chance: random.Random,
        abilities: Abilities,
        arrive: Callable[[str, Outgoing], None],
        later: Callable[[Outgoing, float, bool], None],
    ) -> None:
        self.name = name
        self.weather = FINE
        self.abilities = abilities  # type: ignore[misc] # each simulated channel has its own
        self._chance = chance
        self._arrive = arrive
        self._later = later
        self._taken: set[tuple[str, int, str]] = set()

    async def open(self, intake: Intake) -> None:
        await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        await trio.lowlevel.checkpoint()

    async def send(self, outgoing: Outgoing) -> Answer:
        w, chance = self.weather, self._chance
        await trio.sleep(0.05 + chance.random() * 0.2)
        if chance.random() < w.slow:
            await trio.sleep(chance.uniform(1, 40))
        if chance.random() < w.hangs:
            await trio.sleep(3600)
        if chance.random() < w.refused:
            return Retry(reason="refused", after_s=chance.choice((None, 5.0)))
        if chance.random() < w.dead:
            return Dead(reason="unknown number")
        self._taken.add((outgoing.order, outgoing.index, outgoing.attempt))
        self._arrive(self.name, outgoing)
        if chance.random() < w.late_receipt:
            self._later(outgoing, chance.uniform(0.1, 400), chance.random() < w.undelivered)
        if chance.random() < w.answer_lost:
            return Retry(reason="answer lost", doubt=True)
        return Sent(ref=f"ref-{len(self._taken)}", final=chance.random() < 0.2)

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        await trio.sleep(0.1)
        if self._chance.random() < self.weather.refused:
            return None
        if (outgoing.order, outgoing.index, outgoing.attempt) in self._taken:
            return Sent(ref="found")
        return Retry(reason="not there")

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        await trio.sleep(0.05)

    def routes(self, intake: Intake) -> tuple[Route, ...]:
        return ()

    def check(self, address: str) -> str:
        return ""


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)
