"""Nights in which somebody is replaced, changed or taken out while a chain runs, with the whole core in virtual time:
whose telephone rings, and what a hub that comes back still knows."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from trio.testing import MockClock

from hub.clock import Clock
from hub.config import Config
from hub.config.forms import HubForm
from hub.connector import Abilities
from hub.core import Core, restore
from hub.drill.outside import call
from hub.install import Installation
from hub.journal.memory import MemoryJournal
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.people import (
    Address,
    Asked,
    Chain,
    Contact,
    Edited,
    EditedPart,
    Override,
    Part,
    Person,
    Roster,
    Shift,
    Tier,
)
from hub.model.signal import Certainty, Hazard, Info, Severity, Signal
from hub.people.rosters import on_duty
from tools.simulate.world import SimChannel, rules, texts

pytestmark = pytest.mark.trio

BEGIN = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)  # the night in which the clocks go back
OFFICERS = {name: f"+3245000000{n}" for n, name in enumerate(("officer-a", "officer-b", "officer-c"), 1)}


def officer(id_: str, number: str = "") -> Person:
    return Person(id=id_, name=id_, addresses=(Address("sms", number or OFFICERS[id_]),))


def config_of(*people: Person) -> Config:
    tier = Tier(ask=(Contact(Asked.ROSTER, "on-call"),), by=("sms",), answer_s=600, times=2)
    last = msgspec.structs.replace(tier, ask=(Contact(Asked.PERSON, "officer-c"),), times=1)
    return Config(
        folder=Path(),
        hub=HubForm(),
        people=people or tuple(map(officer, OFFICERS)),
        rosters={"on-call": Roster(id="on-call", shifts=(Shift(("officer-a",)),), zone="Europe/Brussels")},
        chains={"duty": Chain(id="duty", tiers=(tier, last))},
        playbooks=rules().sheets,
    )


class Night:
    """A running core. `rang`: minutes since it came up, and the number."""

    def __init__(self, journal: MemoryJournal, core: Core, installation: Installation) -> None:
        self.journal, self.core, self.installation = journal, core, installation
        self.rang: list[tuple[int, str]] = []
        self.ids = Ids(random.Random(core.clock.now().timestamp()))

    async def fact(self, body: Any, live: Any = None, about: str = "") -> str:
        at = self.core.clock.now()
        id_ = self.ids.new(at)
        vault = [] if live is None else [r.VaultEntry(key=id_, payload=msgspec.json.encode(live), about=about)]
        await self.journal.put_facts([r.Fact(id=id_, at=at, body=body, vault=id_ if vault else "")], vault, [live])
        return id_

    async def storm(self) -> None:
        info = Info(hazard=Hazard.THUNDERSTORM, severity=Severity.SEVERE, certainty=Certainty.LIKELY)
        signal = Signal(source="x", identifier="w1", sender="kmi", sent=self.core.clock.now(), infos=(info,))
        await self.fact(r.SignalReceived(source="x"), signal)

    async def changes(self, id_: str, person: Person | None) -> str:
        body = r.PersonChanged(person=id_, by="z", why="y", removed=person is None)
        return await self.fact(body, Edited(person=person), about=r.about_person(id_))

    async def turns(self, roster: str, who: str) -> str:
        body = r.PartChanged(part=Part.ROSTER, name=roster, by="z", why="holidays")
        return await self.fact(
            body, EditedPart(roster=Roster(id=roster, shifts=(Shift((who,)),), zone="Europe/Brussels"))
        )

    async def replaces(self, who: str, start: datetime, end: datetime) -> str:
        override = Override(people=(who,), start=start.isoformat(), end=end.isoformat())
        return await self.fact(r.RosterChanged(roster="on-call", overrides=(override,), by="z", why="ill"))


@asynccontextmanager
async def night(journal: MemoryJournal, config: Config, at: datetime = BEGIN, seed: int = 1) -> AsyncIterator[Night]:
    clock = Clock(at)
    installation = Installation(config, journal, clock.now, Ids(random.Random(seed)))
    state = await restore(journal)
    begun = trio.current_time()
    found: list[Night] = []
    channel = SimChannel(
        "sms",
        random.Random(seed),
        Abilities(answers=True),
        lambda _, outgoing: found[0].rang.append((round((trio.current_time() - begun) / 60), outgoing.to)),
        lambda *_: None,
    )
    core = Core(
        journal=journal,
        clock=clock,
        state=state,
        rules=await installation.rules(state),
        texts=texts(),
        channels={"sms": channel},
        call=call,
        limits={},
        make_ids=lambda: Ids(random.Random(seed + clock.now().timestamp())),
        chance=random.Random(seed),
    )
    core.decider.changing = lambda entry: core.enforce(installation.change(entry, core.state))
    found.append(Night(journal, core, installation))
    started = r.Fact(id=Ids(random.Random(seed + 50)).new(at), at=at, body=r.HubStarted(node="n", version="0"))
    await journal.put_facts([started])
    await installation.install(core.state)
    async with trio.open_nursery() as nursery:
        await nursery.start(core.run, started.id)
        yield found[0]
        nursery.cancel_scope.cancel()


async def test_tonights_officer_is_replaced_while_the_chain_runs(autojump_clock: MockClock) -> None:
    async with night(MemoryJournal(), config_of()) as here:
        await here.storm()
        await trio.sleep(300)
        await here.replaces("officer-b", BEGIN, BEGIN + timedelta(hours=12))
        await trio.sleep(900)
        # Who was asked may still answer; the tier's second round asks whoever is on duty by then.
        assert here.rang[:2] == [(0, OFFICERS["officer-a"]), (10, OFFICERS["officer-b"])]


async def test_who_is_taken_out_while_being_asked_is_let_go_at_once(autojump_clock: MockClock) -> None:
    async with night(MemoryJournal(), config_of()) as here:
        await here.storm()
        await trio.sleep(120)
        await here.changes("officer-a", None)
        await trio.sleep(60)
        assert here.rang == [(0, OFFICERS["officer-a"]), (2, OFFICERS["officer-c"])], "nobody else is on duty"
        (first, second) = here.core.state.asks.values()
        assert (first.outcome, second.outcome) == ("stood-down", "")


async def test_a_new_number_counts_for_whoever_is_asked_next(autojump_clock: MockClock) -> None:
    async with night(MemoryJournal(), config_of()) as here:
        await here.storm()
        await trio.sleep(60)
        await here.changes("officer-a", officer("officer-a", "+32450000091"))
        await trio.sleep(900)
        assert here.rang[:2] == [(0, OFFICERS["officer-a"]), (10, "+32450000091")]
        assert here.installation.understanding.person_at("sms", "0450 00 00 91") == "officer-a"
        assert here.installation.understanding.person_at("sms", OFFICERS["officer-a"]) == ""


async def test_a_change_and_the_signal_behind_it_in_one_burst(autojump_clock: MockClock) -> None:
    """Taken in one batch, the signal is already decided on with the new number."""
    async with night(MemoryJournal(), config_of()) as here:
        at = here.core.clock.now()
        ids = [here.ids.new(at) for _ in range(2)]
        info = Info(hazard=Hazard.THUNDERSTORM, severity=Severity.SEVERE, certainty=Certainty.LIKELY)
        signal = Signal(source="x", identifier="w1", sender="kmi", sent=at, infos=(info,))
        changed = Edited(person=officer("officer-a", "+32450000091"))
        bodies: list[Any] = [r.PersonChanged(person="officer-a", by="z", why="y"), r.SignalReceived(source="x")]
        facts = [r.Fact(id=i, at=at, body=body, vault=i) for i, body in zip(ids, bodies, strict=True)]
        payloads = [msgspec.json.encode(live) for live in (changed, signal)]
        vault = [r.VaultEntry(key=i, payload=payload) for i, payload in zip(ids, payloads, strict=True)]
        await here.journal.put_facts(facts, vault, [changed, signal])
        await trio.sleep(60)
        assert here.rang == [(0, "+32450000091")]


@pytest.mark.parametrize("snapshot", [False, True])
async def test_a_hub_that_comes_back_knows_the_changes(autojump_clock: MockClock, snapshot: bool) -> None:
    journal = MemoryJournal()
    async with night(journal, config_of()) as here:
        first = await here.changes("officer-b", officer("officer-b", "+32450000092"))
        await here.changes("officer-c", None)
        tonight = await here.replaces("officer-b", BEGIN, BEGIN + timedelta(hours=12))
        await trio.sleep(1)
        if snapshot:
            await here.core.snapshot()
    journal = journal.survivor()
    assert (await journal.load_snapshot() is not None) is snapshot
    later = BEGIN + timedelta(hours=1)
    async with night(journal, config_of(), later, seed=2) as here:
        assert {p: c.change for p, c in here.core.state.edited.items()}["officer-b"] == first
        assert list(here.core.state.rosters) == [tonight]
        await here.storm()
        await trio.sleep(60)
        assert here.rang == [(0, "+32450000092")]
        assert here.installation.in_force.directory.person("officer-c") is None
        assert await here.journal.verify() > 0
    # The files now say the same of officer-b, something else of officer-c, and nothing of tonight.
    people = (officer("officer-a"), officer("officer-b", "+32450000092"), officer("officer-c", "+32450000093"))
    async with night(journal.survivor(), config_of(*people), later, seed=3) as here:
        await trio.sleep(10)
        assert list(here.core.state.edited) == ["officer-c"], "the newer act wins until the files say the same"
        assert list(here.core.state.rosters) == [tonight]


async def test_turns_changed_while_the_chain_runs_count_from_the_next_round_and_after_a_restart(
    autojump_clock: MockClock,
) -> None:
    journal = MemoryJournal()
    async with night(journal, config_of()) as here:
        await here.storm()
        await trio.sleep(300)
        changed = await here.turns("on-call", "officer-b")
        await trio.sleep(900)
        assert here.rang[:2] == [(0, OFFICERS["officer-a"]), (10, OFFICERS["officer-b"])]
        assert here.core.state.parts["roster/on-call"].change == changed
        await here.core.snapshot()
    later = BEGIN + timedelta(hours=1)
    async with night(journal.survivor(), config_of(), later, seed=2) as here:
        assert on_duty(here.installation.in_force.rosters["on-call"], later) == ("officer-b",)
        await here.fact(r.ChangeReverted(change=changed, by="z", why="y"))
        await trio.sleep(1)
        assert on_duty(here.installation.in_force.rosters["on-call"], later) == ("officer-a",)
        assert here.core.state.parts == {}
        await here.journal.verify()


async def test_a_roster_that_the_files_know_by_now_is_no_change_any_more(autojump_clock: MockClock) -> None:
    journal = MemoryJournal()
    async with night(journal, config_of()) as here:
        await here.turns("nights", "officer-b")
        await here.turns("on-call", "officer-c")
        await trio.sleep(1)
    config = config_of()
    nights = {"nights": Roster(id="nights", shifts=(Shift(("officer-b",)),), zone="Europe/Brussels")}
    config = msgspec.structs.replace(config, rosters=config.rosters | nights)
    async with night(journal.survivor(), config, BEGIN + timedelta(hours=1), seed=2) as here:
        await trio.sleep(10)
        assert list(here.core.state.parts) == ["roster/on-call"]
        assert list(here.installation.in_force.rosters) == ["on-call", "nights"]


async def test_a_change_not_yet_decided_on_when_the_hub_died_counts(autojump_clock: MockClock) -> None:
    journal = MemoryJournal()
    async with night(journal, config_of()) as here:
        await trio.sleep(1)
    edited = Edited(person=officer("officer-a", "+32450000091"))
    fact = r.Fact(
        id=Ids(random.Random(9)).new(BEGIN), at=BEGIN, body=r.PersonChanged(person="officer-a", by="z", why="y")
    )
    fact = msgspec.structs.replace(fact, vault=fact.id)
    await journal.put_facts([fact], [r.VaultEntry(key=fact.id, payload=msgspec.json.encode(edited))])
    async with night(journal.survivor(), config_of(), BEGIN + timedelta(hours=1), seed=2) as here:
        await here.storm()
        await trio.sleep(60)
        assert here.rang == [(0, "+32450000091")]


async def test_a_replacement_across_the_clock_change_ends_at_its_instant(autojump_clock: MockClock) -> None:
    async with night(MemoryJournal(), config_of()) as here:
        end = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # the second half past two
        await here.replaces("officer-b", BEGIN, end)
        await trio.sleep((end - BEGIN).total_seconds() - 30)
        roster = here.installation.in_force.rosters["on-call"]
        assert on_duty(roster, end - timedelta(hours=1)) == ("officer-b",), "the first half past two"
        await here.storm()
        await trio.sleep(700)
        assert [number for _, number in here.rang[:2]] == [OFFICERS["officer-b"], OFFICERS["officer-a"]]
