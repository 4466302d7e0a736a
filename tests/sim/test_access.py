"""The access list in the whole core, in virtual time: names from the request to the vault to the reception's files, and
nowhere else; officers' acts; a hub that goes down in the middle."""

import csv
import io
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import pytest
import trio
from trio.testing import MockClock

from hub.access.acts import AccessDesk
from hub.access.keeper import Keeper
from hub.access.listing import access_list
from hub.act import Refused
from hub.acts_access import (
    AccessAddBody,
    AccessEraseBody,
    AccessRemoveBody,
    AccessRoomsBody,
    AccessUntilBody,
    GuestBody,
)
from hub.clock import Clock
from hub.config import load
from hub.connector import ActItem, Item, Outgoing, Sent, SignalItem
from hub.core import Core, restore
from hub.desk import Desk
from hub.drill.outside import PlayedChannel, call
from hub.install import Understanding, rules_of
from hub.intake.beliefs import Trusted
from hub.intake.intake import Intake
from hub.intake.port import Offered
from hub.journal.memory import MemoryJournal
from hub.model import events as e
from hub.model import records as r
from hub.model.access import AccessList
from hub.model.ids import Ids
from hub.model.message import Verb
from hub.model.signal import Hazard, Info, Named, Signal, Status, Urgency
from hub.model.trust import Credibility, Reliability
from hub.report.document import Document
from hub.report.making import Maker
from tests.conftest import ROOT

T = TypeVar("T")
pytestmark = pytest.mark.trio

CONFIG = load(ROOT / "config")[0]
BEGIN = datetime(2026, 11, 16, 9, 10, tzinfo=UTC)
IDS = Ids(random.Random(1))
RECEPTION = "reception@example.org"
ZONE = "Jan Janssens, police-5340, officier\nFatima El Verzonnen, police-5340, analist"
GUEST = GuestBody(name="jan janssens", service="police-5340")


class World:
    """The core with the example configuration; everybody who is asked says yes when the story says so."""

    def __init__(self, journal: MemoryJournal | None = None, at: datetime = BEGIN) -> None:
        self.journal = journal or MemoryJournal()
        self.clock = Clock(at)
        self.mails: list[Outgoing] = []
        self.asks: list[Outgoing] = []

    def handed(self, channel: str, outgoing: Outgoing) -> Sent:
        if outgoing.to == RECEPTION:
            self.mails.append(outgoing)
        if outgoing.ask is not None:
            self.asks.append(outgoing)
        return Sent(ref=f"{outgoing.order}/{outgoing.index}")

    async def up(self, nursery: trio.Nursery) -> None:
        async def plainly(document: Document) -> bytes:
            await trio.sleep(0.1)
            return b"%PDF " + msgspec.json.encode(document)

        async def aside(work: Callable[[], T]) -> T:
            return work()

        async def listed(status: Status) -> AccessList:
            return await access_list(self.journal, self.core.state, status, self.clock.now())

        rules = rules_of(CONFIG, Status.ACTUAL)
        now = self.clock.now
        maker = Maker(lambda status: CONFIG.known(status), now, plainly, aside, listed)
        self.core = Core(
            journal=self.journal,
            clock=self.clock,
            state=await restore(self.journal),
            rules=rules,
            texts=CONFIG.texts_in_force(),
            channels={n: PlayedChannel(n, c.abilities, self.handed) for n, c in CONFIG.channels.items()},
            call=call,
            limits=CONFIG.limits(),
            routes=CONFIG.routes,
            make_ids=_ids,
            chance=random.Random(3),
            enclose=maker.enclose,
        )
        trusted = Trusted(reliability=Reliability.B, credibility=Credibility.PROBABLY_TRUE)
        self.intake = Intake(
            self.journal,
            now,
            _ids(),
            locate=lambda signal: signal,
            understanding=lambda: Understanding(rules.directory, CONFIG.routes),
            trust={"crisis-centre": trusted, "operators": trusted},
        )
        desk = Desk(self.intake, lambda: self.core.state, lambda: rules, now)
        self.desk = AccessDesk(desk, self.journal, _ids(), lambda: CONFIG.rooms)
        keeper = Keeper(
            desk=desk,
            journal=self.journal,
            rooms=lambda: CONFIG.rooms,
            zone=CONFIG.hub.zone,
            ids=_ids(),
            decided=self.core.decider.moved,
        )
        self.core.decider.followers.append(keeper.follow)
        bodies: list[r.FactBody] = [r.HubStarted(node="test", version="")]
        if not self.core.state.decision:
            bodies += [r.Installed(what="playbook", name=s.name, version=s.version) for s in rules.sheets]
        facts = [r.Fact(id=IDS.new(now()), at=now(), body=body) for body in bodies]
        started, *_ = await self.journal.put_facts(facts)
        left = list(self.core.state.access_wanted)
        await nursery.start(self.core.run, started)
        nursery.start_soon(keeper.run, left)

    # -- what happens --

    async def takes(self, connector: str, item: Item) -> None:
        await self.intake.take(connector, [Offered((item,))])
        await trio.sleep(1)

    async def request(
        self, people: str, reference: str = "ref-1", sender: str = "police-5340", hours: float = 30, **more: Any
    ) -> None:
        info = Info(
            hazard=Hazard.CRISIS_CENTRE,
            urgency=Urgency.FUTURE,
            headline="Match",
            onset=self.clock.now() + timedelta(hours=1),
            expires=self.clock.now() + timedelta(hours=hours),
            parameters=(Named("people", people), Named("rooms", "crisis-room, press-room")),
        )
        signal = Signal(identifier=reference, sender=sender, sent=self.clock.now(), infos=(info,), **more)
        await self.takes("crisis-centre", SignalItem(signal=signal, key=f"{reference} {hash(people)}"))

    async def acts(self, body: r.FactBody) -> None:
        await self.takes("operators", ActItem(body=body))

    async def granted(self) -> None:
        """The officer and a director say yes, and every task is done."""
        for _ in range(6):
            for ask in [a for a in self.asks if a.ask is not None]:
                self.asks.remove(ask)
                order = self.core.state.orders[ask.order].event
                person = order.recipients[ask.index]
                reply = r.ReplyReceived(
                    channel=order.channel, person=person, verb=Verb.ACCEPT, order=ask.order, index=ask.index
                )
                await self.acts(reply)
            for task in list(self.core.state.tasks):
                await self.acts(r.TaskTicked(task=task, by="officer-a"))

    async def names(self, status: Status = Status.ACTUAL) -> list[str]:
        listed = await access_list(self.journal, self.core.state, status, self.clock.now())
        return [one.guest.name if one.guest is not None else "-" for one in listed.admitted]

    @property
    def incident(self) -> str:
        return next(iter(self.core.state.access))


def _ids() -> Ids:
    return Ids(random.Random(IDS.new(BEGIN)))


def rows(mail: Outgoing) -> list[dict[str, str]]:
    (table,) = [file for file in mail.attachments if file.name.endswith(".csv")]
    return list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")), delimiter=";"))


def told(mail: Outgoing) -> dict[str, str]:
    """Name → whether they may come in, as the reception's table says."""
    return {row["Nom"]: row["État"] for row in rows(mail)}


Story = Callable[[World], Awaitable[None]]


async def play(story: Story, world: World | None = None) -> World:
    world = world or World()
    async with trio.open_nursery() as nursery:
        await world.up(nursery)
        await story(world)
        nursery.cancel_scope.cancel()
    return world


async def approved(here: World) -> None:
    await here.request(ZONE)
    await here.granted()
    await trio.sleep(200)


async def test_from_the_request_to_the_door_and_back(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await approved(here)
        assert await here.names() == ["Fatima El Verzonnen", "Jan Janssens"]
        (mail,) = here.mails
        pdf, table = mail.attachments
        assert (pdf.name, table.name) == ("access-list-2026-11-16-1013-FR.pdf", "access-list-2026-11-16-1013-FR.csv")
        assert mail.subject == "Liste d'accès, état lun. 16/11 à 10h13: 2 admis"
        assert "Jan" not in mail.text + mail.subject
        assert "Salle de crise" in pdf.content.decode()
        first = rows(mail)[0]
        assert first["Nom"] == "Fatima El Verzonnen"
        assert (first["De"], first["À"]) == ("2026-11-16 11:10", "2026-11-17 16:10")
        assert first["Salles"] == "Salle de crise, Salle de presse"
        assert first["Demandé par"] == "Zone de police Bruxelles-Ouest"
        assert first["Accordé par"] in ("Denis Fictif", "Els Denkbeeldig", "Denis Fictif, Els Denkbeeldig")
        assert first["Demande"] == here.incident
        await here.acts(r.IncidentClosed(incident=here.incident, by="officer-a", why="over"))
        assert await here.names() == []
        await trio.sleep(30)
        assert told(here.mails[-1]) == dict.fromkeys(("Fatima El Verzonnen", "Jan Janssens"), "N’EST PLUS ADMIS")
        assert len(here.mails) == 2

    await play(story)


async def test_names_lie_in_the_vault_and_nowhere_else(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await approved(here)
        add = AccessAddBody(
            by="officer-a", why="called back", people=(GuestBody(name="Karim Bedacht", service="siamu"),)
        )
        await here.desk.done["access-add"]({"incident": here.incident}, add)
        await here.desk.done["access-remove"]({}, AccessRemoveBody(by="officer-a", why="asked", who="jan janssens"))
        await trio.sleep(300)

    here = await play(story)
    decisions = await here.journal.decisions(after="", limit=1000)
    facts = await here.journal.get([fact for d in decisions for fact in d.took])
    attempts = await here.journal.attempts_of(
        [ev.order for d in decisions for ev in d.events if isinstance(ev, e.Ordered)]
    )
    said = repr((decisions, facts, attempts))
    for name in ("Janssens", "Verzonnen", "Bedacht", "analist"):
        assert name not in said, name
    changes = [f for f in facts if isinstance(f, r.Fact) and isinstance(f.body, r.AccessChanged) and f.body.added]
    assert len(changes) == 2
    assert all(change.vault and change.digest for change in changes)
    before = await here.journal.verify()
    await here.journal.erase([change.vault for change in changes])
    assert await here.journal.verify() == before, "erasing leaves the chain whole"
    listed = await access_list(here.journal, here.core.state, Status.ACTUAL, here.clock.now())
    assert [one.guest for one in listed.admitted] == [None, None], "a place without a name"


async def test_three_more_names_at_two_in_the_morning(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await approved(here)
        await here.request(
            ZONE.partition("\n")[0] + "\nA Een, police-5340, x\nB Twee, police-5340, x\nC Drie, police-5340, x"
        )
        assert await here.names() == ["A Een", "B Twee", "C Drie", "Jan Janssens"]
        assert len(here.core.state.incidents) == 1
        assert [a.what for a in here.core.state.alarms.values()] == ["access-changed"]
        await trio.sleep(30)
        assert told(here.mails[-1])["Fatima El Verzonnen"] == "N’EST PLUS ADMIS"
        assert told(here.mails[-1])["A Een"] == "admis"

    await play(story)


async def test_another_partner_changes_nothing_by_the_same_reference_before_it_is_approved(
    autojump_clock: MockClock,
) -> None:
    async def story(here: World) -> None:
        await here.request(ZONE)
        await here.request("Mal Intentionné, siamu, x", sender="siamu")
        first = next(iter(here.core.state.incidents))
        await here.granted()
        by_request = {a.incident: len(a.held()) for a in here.core.state.access.values()}
        assert by_request[first] == 2, "a request of their own, which needs a yes of its own"
        assert len(by_request) == 2

    await play(story)


async def test_an_update_after_what_was_prolonged_still_counts(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await here.request(ZONE, hours=2)
        await here.granted()
        longer = AccessUntilBody(by="b", why="it goes on", until=here.clock.now() + timedelta(hours=6))
        await here.desk.done["access-until"]({"incident": here.incident}, longer)
        await trio.sleep(3 * 3600)
        assert await here.names() == ["Fatima El Verzonnen", "Jan Janssens"]
        await here.request("A Een, police-5340, x", hours=5)
        assert await here.names() == ["A Een"]
        assert len(here.core.state.incidents) == 1

    await play(story)


async def test_another_partner_changes_nothing_by_the_same_reference(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await approved(here)
        await here.request("Mal Intentionné, siamu, x", sender="siamu")
        assert await here.names() == ["Fatima El Verzonnen", "Jan Janssens"]

    await play(story)


async def test_whom_an_officer_took_out_the_request_does_not_bring_back(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await approved(here)
        done = await here.desk.done["access-remove"]({}, AccessRemoveBody(by="b", why="asked", who="Janssens Jan"))
        assert done.said == "may not come in any more"
        await here.request(ZONE.replace("police-5340, officier", "Police, officier") + "\nA Een, police-5340, x")
        assert await here.names() == ["A Een", "Fatima El Verzonnen"]
        problems = [a.detail for a in here.core.state.alarms.values() if a.what == "access-problem"]
        assert problems == ["1 whom an officer took out stand on it again, and are not let in: `vigie access add` does"]
        add = AccessAddBody(
            by="b", why="it was another", people=(GuestBody(name="Jan Janssens", service="police-5340"),)
        )
        await here.desk.done["access-add"]({"incident": here.incident}, add)
        await trio.sleep(1)
        assert "Jan Janssens" in await here.names()

    await play(story)


async def test_whom_an_officer_put_on_it_stays_when_the_request_is_sent_anew(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await approved(here)
        add = AccessAddBody(by="b", why="interpreter", people=(GuestBody(name="Karim Bedacht"),))
        await here.desk.done["access-add"]({"incident": here.incident}, add)
        await here.request("A Een, police-5340, x")
        assert await here.names() == ["A Een", "Karim Bedacht"]

    await play(story)


async def test_two_requests_at_once_are_one_list(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await approved(here)
        first = here.incident
        await here.request("jan JANSSENS, Police-5340, officier\nA Een, siamu, x", reference="ref-2", sender="siamu")
        await here.granted()
        await trio.sleep(200)
        assert await here.names() == ["A Een", "Fatima El Verzonnen", "Jan Janssens"]
        assert len([row for row in rows(here.mails[-1]) if row["Nom"].casefold() == "jan janssens"]) == 2
        await here.acts(r.IncidentClosed(incident=first, by="officer-a", why="over"))
        await trio.sleep(30)
        assert await here.names() == ["A Een", "jan JANSSENS"]
        assert told(here.mails[-1]) == {
            "A Een": "admis",
            "jan JANSSENS": "admis",
            "Fatima El Verzonnen": "N’EST PLUS ADMIS",
        }, "who is in both keeps access until both end"
        only = AccessRemoveBody(by="b", why="x", who="A Een", incident=first)
        with pytest.raises(Refused, match="not on the list of"):
            await here.desk.done["access-remove"]({}, only)

    await play(story)


async def test_the_hub_goes_down_before_the_list_is_read(autojump_clock: MockClock) -> None:
    """The step has begun and the names are not read yet: whoever comes up next reads them."""

    async def until_wanted(here: World) -> None:
        await here.request(ZONE)
        stopped = trio.Event()

        def stop(decision: r.Decision) -> None:
            if any(isinstance(event, e.AccessWanted) for event in decision.events):
                stopped.set()
                scope.cancel()

        here.core.decider.followers.insert(0, stop)
        with trio.CancelScope() as scope:
            await here.granted()
        assert stopped.is_set()

    first = World()
    async with trio.open_nursery() as nursery:
        await first.up(nursery)
        await until_wanted(first)
        nursery.cancel_scope.cancel()

    async def afterwards(here: World) -> None:
        await trio.sleep(5)
        assert await here.names() == ["Fatima El Verzonnen", "Jan Janssens"]
        await trio.sleep(600)
        assert len(here.mails) == 1

    second = World(first.journal.survivor(), first.clock.now() + timedelta(minutes=5))
    await play(afterwards, second)


async def test_the_time_is_over_while_the_hub_is_down(autojump_clock: MockClock) -> None:
    first = await play(approved)

    async def afterwards(here: World) -> None:
        listed = await access_list(here.journal, here.core.state, Status.ACTUAL, here.clock.now())
        assert listed.admitted == (), "also before it is decided: whose time is over does not come in"
        await trio.sleep(60)
        assert {a.over for a in here.core.state.access.values()} == {"over"}
        assert told(here.mails[-1]) == dict.fromkeys(("Fatima El Verzonnen", "Jan Janssens"), "N’EST PLUS ADMIS")

    await play(afterwards, World(first.journal.survivor(), BEGIN + timedelta(hours=31)))


async def test_an_exercise_is_a_list_of_its_own_that_says_so(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await approved(here)
        await here.request("Ex Ercice, siamu, x", reference="ex-1", sender="siamu", status=Status.EXERCISE)
        await here.granted()
        await trio.sleep(200)
        assert await here.names() == ["Fatima El Verzonnen", "Jan Janssens"]
        assert await here.names(Status.EXERCISE) == ["Ex Ercice"]
        mail = here.mails[-1]
        assert "EXERCICE" in mail.subject
        assert [(row["Nom"], row["Remarque"]) for row in rows(mail)] == [("Ex Ercice", "EXERCICE")]
        assert '"banner":"EXERCICE"' in mail.attachments[0].content.decode()

    await play(story)


async def test_what_is_typed_is_no_formula_and_no_markup(autojump_clock: MockClock) -> None:
    hostile = (
        "=cmd|' /C calc'!A0 Evil, +1+1, @SUM(A1)\n<script>alert(1)</script>, -2+3, #set page()\nJan \u202eslaV, x, y"
    )

    async def story(here: World) -> None:
        await here.request(hostile)
        await here.granted()
        await trio.sleep(200)
        for row in rows(here.mails[-1]):
            for cell in row.values():
                assert not cell or cell[0] not in "=+-@\t\r", cell
                assert "\u202e" not in cell
        assert {row["Nom"] for row in rows(here.mails[-1])} == {
            "'=cmd|' /C calc'!A0 Evil",
            "<script>alert(1)</script>",
            "Jan slaV",
        }

    await play(story)


async def test_the_clocks_are_put_back_in_the_night_of_the_event(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await here.request(ZONE, hours=3.5)  # until 02:30, which comes twice
        await here.granted()
        await trio.sleep(200)
        assert {row["À"] for row in rows(here.mails[0])} == {"2026-10-25 02:30 (+0100)"}
        assert "heure d’hiver" in here.mails[0].attachments[0].content.decode()
        await trio.sleep(3.5 * 3600)
        assert await here.names() == []

    await play(story, World(at=datetime(2026, 10, 24, 22, 0, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("verb", "about", "sent", "said"),
    [
        ("access-add", {"incident": "none"}, AccessAddBody(by="b", why="x", people=()), "no approved request none"),
        ("access-add", {}, AccessAddBody(by="b", why="x", people=()), "name at least one"),
        ("access-add", {}, AccessAddBody(by="b", why="x", people=(GuestBody(name="\u202e1"),)), "is nobody's name"),
        ("access-add", {}, AccessAddBody(by="b", why="x", people=(GuestBody(name="x" * 300),)), "longer than"),
        ("access-add", {}, AccessAddBody(by="b", why="x", people=(GUEST,)),
         "on the list already"),
        ("access-remove", {}, AccessRemoveBody(by="b", why="x", who="Jan Jansen"), 'Did you mean "Jan Janssens"'),
        ("access-remove", {}, AccessRemoveBody(by="b", why="x", who=""), "nobody of that name"),
        ("access-remove", {}, AccessRemoveBody(by="b", why="x", who="A", incident="none"), "no approved request"),
        ("access-rooms", {}, AccessRoomsBody(by="b", why="x", rooms=("cellar",)), "there is no room cellar"),
        ("access-rooms", {}, AccessRoomsBody(by="b", why="x", rooms=()), "name at least one"),
        ("access-until", {}, AccessUntilBody(by="b", why="x", until=BEGIN), "that is past"),
        ("access-until", {}, AccessUntilBody(by="b", why="x", until=BEGIN + timedelta(days=900)), "at most 92 days"),
        ("access-until", {}, AccessUntilBody(by="b", why="x", until=BEGIN + timedelta(minutes=30)), "it begins at"),
    ],
)  # fmt: skip
async def test_acts_that_are_not_possible_say_why(
    autojump_clock: MockClock, verb: str, about: dict[str, str], sent: Any, said: str
) -> None:
    async def story(here: World) -> None:
        await approved(here)
        before = here.core.state.access[here.incident].held()
        with pytest.raises(Refused, match=said):
            await here.desk.done[verb]({"incident": here.incident, **about}, sent)
        assert here.core.state.access[here.incident].held() == before

    await play(story)


async def test_two_of_one_name_are_asked_about(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await here.request("Jan Janssens, police-5340, x\nJan Janssens, siamu, y")
        await here.granted()
        with pytest.raises(Refused, match="several have that name") as refused:
            await here.desk.done["access-remove"]({}, AccessRemoveBody(by="b", why="x", who="Jan Janssens"))
        place = next(
            word for word in refused.value.reason.split() if word in here.core.state.access[here.incident].places
        )
        await here.desk.done["access-remove"]({}, AccessRemoveBody(by="b", why="x", who=place))
        await trio.sleep(1)
        assert await here.names() == ["Jan Janssens"]

    await play(story)


async def test_a_name_is_erased_and_the_chain_stays_whole(autojump_clock: MockClock) -> None:
    async def story(here: World) -> None:
        await approved(here)
        erase = AccessEraseBody(by="officer-a", why="asked for", who="JANSSENS Jan")
        with pytest.raises(Refused, match="still on the list"):
            await here.desk.done["access-erase"]({}, erase)
        await here.desk.done["access-remove"]({}, AccessRemoveBody(by="b", why="x", who="Jan Janssens"))
        await trio.sleep(30)
        before = await here.journal.verify()
        done = await here.desk.done["access-erase"]({}, erase)
        assert (done.texts, done.entries) == (1, 4), "one change; two messages of two files each"
        found = await here.journal.find([b"Janssens"])
        assert found.records == ()
        requests = [one.what for one in done.left if one.what.startswith("vault entry")]
        assert requests == [f"vault entry {key}" for key in found.vault], "only what the partner wrote, and it is told"
        assert requests
        assert await here.journal.verify() >= before
        assert await here.names() == ["Fatima El Verzonnen"], "whoever else stood there still does"
        with pytest.raises(Refused, match="never held"):
            await here.desk.done["access-erase"]({}, erase)
        await here.request("A Een, police-5340, x\nFatima El Verzonnen, police-5340, analist")
        assert await here.names() == ["A Een", "Fatima El Verzonnen"], "and the list goes on"

    await play(story)
