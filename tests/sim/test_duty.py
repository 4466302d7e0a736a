"""Handing over with the whole core in virtual time: what a phone gets, before and after a restart."""

import random
from datetime import UTC, datetime, timedelta

import pytest
import trio
from trio.testing import MockClock

from hub.clock import Clock
from hub.connector import Abilities, Outgoing
from hub.core import Core, restore
from hub.dispatch.render import Texts
from hub.drill.outside import call
from hub.journal.memory import MemoryJournal
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.people import Address, Language, Layer, Person, Roster
from hub.people.directory import Directory
from hub.rules import InForce
from tests.conftest import shipped
from tools.simulate.world import SimChannel

pytestmark = pytest.mark.trio

BEGIN = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # seven in the evening
ROSTER = Roster(
    id="on-call",
    layers=(Layer(turns=(("anna",), ("bea",)), first="2026-11-23", days=1, at="20:00"),),
    zone="Europe/Brussels",
    notice_s=1800.0,
)
PEOPLE = [
    Person(id="anna", name="Anna Un", language=Language.FR, addresses=(Address("sms", "+32450000091"),)),
    Person(id="bea", name="Bea Twee", language=Language.NL, addresses=(Address("sms", "+32450000092"),)),
]


async def runs(journal: MemoryJournal, begin: datetime, minutes: float) -> list[Outgoing]:
    """A hub on this journal for so long; what reached a phone."""
    arrived: list[Outgoing] = []
    channel = SimChannel(
        "sms", random.Random(1), Abilities(), lambda _, outgoing: arrived.append(outgoing), lambda *_: None
    )
    rules = InForce(
        sheets=(), chains={}, directory=Directory(PEOPLE, ()), rosters={"on-call": ROSTER}, voices=frozenset()
    )
    seed = int(begin.timestamp())
    core = Core(
        journal=journal,
        clock=Clock(begin),
        state=await restore(journal),
        rules=rules,
        texts=Texts(messages=shipped()[0].messages),
        channels={"sms": channel},
        call=call,
        limits={},
        make_ids=lambda: Ids(random.Random(seed)),
        chance=random.Random(3),
    )
    started = r.Fact(id=Ids(random.Random(seed + 1)).new(begin), at=begin, body=r.HubStarted(node="test", version=""))
    await journal.put_facts([started])
    with trio.move_on_after(minutes * 60):
        await core.run(started.id)
    return arrived


async def test_both_are_told_in_their_own_language_by_their_names_and_a_restart_repeats_nothing(
    autojump_clock: MockClock,
) -> None:
    journal = MemoryJournal()
    arrived = await runs(journal, BEGIN, 29)
    assert arrived == []
    journal = journal.survivor()
    arrived = await runs(journal, BEGIN + timedelta(minutes=29, seconds=1), 10)
    assert {a.to: a.text for a in arrived} == {
        "+32450000092": "on-call: uw wachtdienst begint op di 24 nov, 20.00 uur. Vorige wacht: Anna Un.",
        "+32450000091": "on-call: dès le mar. 24/11 à 20h00, la garde n'est plus à vous. Ensuite: Bea Twee.",
    }
    assert len(arrived) == 2
    journal = journal.survivor()
    assert await runs(journal, BEGIN + timedelta(minutes=45), 60) == []


async def test_down_across_the_handover_only_who_has_it_now_is_told(autojump_clock: MockClock) -> None:
    journal = MemoryJournal()
    assert await runs(journal, BEGIN, 10) == []
    (arrived,) = await runs(journal.survivor(), BEGIN + timedelta(hours=3), 60)
    assert (arrived.to, arrived.text) == (
        "+32450000092",
        "on-call: u hebt nu wachtdienst. Vorige wacht: Anna Un.",
    )
