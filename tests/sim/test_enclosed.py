"""Documents that go along with messages, in virtual time: made for each language and for what each may see, in the
vault before the attempt, never where no file can go."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import pytest
import trio
from trio.testing import MockClock

from hub.clock import Clock
from hub.connector import Abilities, Outgoing
from hub.core import Core, restore
from hub.dispatch.render import Texts
from hub.drill.outside import call
from hub.journal.memory import MemoryJournal
from hub.model import events as e
from hub.model import records as r
from hub.model.enclosure import CallListRhythm, ContactSheet, Enclosure
from hub.model.ids import Ids
from hub.model.message import Lane, Message, Outcome, Text
from hub.model.people import Address, Asked, Classification, Contact, Group, Language, Person, Roster, Shift
from hub.people.directory import Directory
from hub.report.document import Document
from hub.report.known import Known
from hub.report.making import Maker
from hub.report.pdf import CannotTypeset
from hub.rules import InForce
from tools.simulate.world import SimChannel

T = TypeVar("T")
pytestmark = pytest.mark.trio

BEGIN = datetime(2026, 11, 27, 4, 30, tzinfo=UTC)  # half past five in Brussels
IDS = Ids(random.Random(1))
INTERNAL, PARTNERS = Classification.INTERNAL, Classification.PARTNERS


def person(name: str, language: Language, sees: Classification, seen_by: Classification = INTERNAL) -> Person:
    number = f"+32450000{len(name):03}"
    ways = (Address("sms", number, False, seen_by), Address("email", f"{name}@example.org", False, seen_by))
    return Person(id=name, name=name.title(), language=language, addresses=ways, sees=sees, seen_by=seen_by)


PEOPLE = (
    person("anna", Language.FR, INTERNAL),
    person("berta", Language.NL, INTERNAL),
    person("police", Language.FR, PARTNERS, PARTNERS),
)


class World:
    """A hub with two officers and a partner; what reached whom."""

    def __init__(self, journal: MemoryJournal, people: tuple[Person, ...] = PEOPLE, rhythm: bool = True) -> None:
        self.journal = journal
        self.clock = Clock(BEGIN)
        self.arrived: list[tuple[str, Outgoing]] = []
        self.directory = Directory(people, [Group(id="all", members=tuple(p.id for p in people))])
        self.rosters = {"duty": Roster(id="duty", shifts=(Shift(("anna",)),))}
        everybody = (Contact(Asked.GROUP, "all"),)
        self.rhythm = CallListRhythm(
            at=("06:00",), zone="Europe/Brussels", hours=72, languages=(), to=everybody, by=("email",)
        )
        self.rules = InForce(
            sheets=(),
            chains={},
            directory=self.directory,
            rosters=self.rosters,
            voices=frozenset(),
            carriers=frozenset({"email"}),
            call_list=self.rhythm if rhythm else None,
        )

    def known(self, status: object) -> Known:
        return Known(
            directory=self.directory,
            rosters=self.rosters,
            chains={},
            phones=frozenset({"sms"}),
            mails=frozenset({"email"}),
            zone="Europe/Brussels",
            region="BE",
            hub="test",
        )

    async def run(self, seconds: float, typeset: Callable[[Document], Awaitable[bytes]] | None = None) -> None:
        async def plainly(document: Document) -> bytes:
            await trio.sleep(0.3)
            return b"%PDF " + msgspec.json.encode(document)

        async def aside(work: Callable[[], T]) -> T:
            return work()  # in virtual time there is no second thread

        def arrive(channel: str, outgoing: Outgoing) -> None:
            self.arrived.append((channel, outgoing))

        abilities = {"email": Abilities(attachments=True), "sms": Abilities(answers=True)}
        maker = Maker(self.known, self.clock.now, typeset or plainly, aside)
        core = Core(
            journal=self.journal,
            clock=self.clock,
            state=await restore(self.journal),
            rules=self.rules,
            texts=Texts(
                messages={
                    name: Message(id=name, texts={lang: Text(text=text) for lang in Language})
                    for name, text in {"hub.call-list": "list until {until}", "hub.contacts": "who: {contacts}"}.items()
                }
            ),
            channels={
                name: SimChannel(name, random.Random(1), able, arrive, lambda *_: None)
                for name, able in abilities.items()
            },
            call=call,
            limits={},
            make_ids=lambda: Ids(random.Random(IDS.new(BEGIN))),
            chance=random.Random(3),
            enclose=maker.enclose,
        )
        at = self.clock.now()
        started = r.Fact(id=IDS.new(at), at=at, body=r.HubStarted(node="test", version=""))
        await self.journal.put_facts([started])
        with trio.move_on_after(seconds):
            await core.run(started.id)

    async def order(self, channel: str, recipients: tuple[str, ...], enclosed: Enclosure) -> None:
        fact = r.Fact(id=IDS.new(BEGIN), at=BEGIN, body=r.HubStarted(node="test", version=""))
        await self.journal.put_facts([fact])
        ordered = e.Ordered(
            order="o1",
            channel=channel,
            lane=Lane.NOTIFY,
            message="hub.contacts",
            recipients=recipients,
            enclosed=enclosed,
        )
        await self.journal.put_decision(r.Decision(id=IDS.new(BEGIN), at=BEGIN, took=(fact.id,), events=(ordered,)))


async def test_at_six_everybody_gets_it_in_their_language_with_what_they_may_see(autojump_clock: MockClock) -> None:
    world = World(MemoryJournal())
    await world.run(2 * 3600)
    got = {outgoing.to: outgoing for _, outgoing in world.arrived}
    assert sorted(got) == ["anna@example.org", "berta@example.org", "police@example.org"]
    (french,), (dutch,), (partner,) = (got[f"{n}@example.org"].attachments for n in ("anna", "berta", "police"))
    assert french.name == "call-list-2026-11-27-0600-FR.pdf"
    assert dutch.name == "call-list-2026-11-27-0600-NL.pdf"
    assert french.media_type == "application/pdf"
    assert b"Oproeplijst" in dutch.content
    assert b"Anna" in french.content
    assert b"Anna" not in partner.content
    assert b"Police" in partner.content
    assert got["anna@example.org"].text == "list until lundi 30 novembre 2026, 06:00"


async def test_the_file_lies_in_the_vault_and_the_attempt_names_it(autojump_clock: MockClock) -> None:
    world = World(MemoryJournal())
    await world.run(2 * 3600)
    attempts = [a for order in _orders(await _decisions(world)) for a in await world.journal.attempts_of([order.order])]
    assert len(attempts) == 2, "one for the officers, one for the partner"
    for attempt in attempts:
        kept = await world.journal.vault(attempt.documents)
        assert all(entry is not None and entry.media_type == "application/pdf" for entry in kept)
        sent = {file.content for _, o in world.arrived if o.attempt == attempt.id for file in o.attachments}
        assert sent == {entry.payload for entry in kept if entry is not None}
    assert not any("Anna" in repr(record) for record in (*await _decisions(world), *attempts)), "names are personal"


async def test_a_list_that_fell_due_while_the_hub_was_down_goes_out_once(autojump_clock: MockClock) -> None:
    world = World(MemoryJournal())
    await world.run(60)
    again = World(world.journal.survivor())
    again.clock.step(3 * 86_400)
    await again.run(60)
    assert sorted(outgoing.to for _, outgoing in again.arrived) == [
        "anna@example.org",
        "berta@example.org",
        "police@example.org",
    ]
    assert again.arrived[0][1].attachments[0].name.startswith("call-list-2026-11-30-0530-")


SHEET = ContactSheet(contacts=(Contact(Asked.ROSTER, "duty"),), sees=INTERNAL)


async def test_where_no_file_can_go_the_words_say_it(autojump_clock: MockClock) -> None:
    world = World(MemoryJournal(), rhythm=False)
    await world.order("sms", ("anna", "berta"), SHEET)
    await world.run(60)
    assert [outgoing.attachments for _, outgoing in world.arrived] == [(), ()]
    assert [outgoing.text for _, outgoing in world.arrived] == [
        "who: Garde duty: Anna +32450000004",
        "who: Wacht duty: Anna +32450000004",
    ]


async def test_who_may_see_less_since_it_was_ordered_gets_nothing(autojump_clock: MockClock) -> None:
    world = World(MemoryJournal(), rhythm=False)
    await world.order("email", ("anna", "police"), SHEET)
    await world.run(60)
    assert [outgoing.to for _, outgoing in world.arrived] == ["anna@example.org"]
    moves = [m for d in await _decisions(world) for ev in d.events if isinstance(ev, e.Delivered) for m in ev.moves]
    assert (1, Outcome.FAILED, "this person may not see the document any more") in moves


async def test_where_no_pdf_can_be_made_the_same_goes_out_as_a_page(autojump_clock: MockClock) -> None:
    async def broken(document: Document) -> bytes:
        raise CannotTypeset("no font")

    world = World(MemoryJournal(), rhythm=False)
    await world.order("email", ("anna",), SHEET)
    await world.run(60, broken)
    ((_, outgoing),) = world.arrived
    (file,) = outgoing.attachments
    assert file.name == "contacts-2026-11-27-0530-FR.html"
    assert "Anna" in file.content.decode()
    assert "Le PDF n’a pas pu être établi" in file.content.decode()


async def _decisions(world: World) -> list[r.Decision]:
    return list(await world.journal.decisions(after="", limit=1000))


def _orders(decisions: list[r.Decision]) -> list[e.Ordered]:
    return [event for d in decisions for event in d.events if isinstance(event, e.Ordered)]
