"""Followers in virtual time: slow, dead, back after days, killed between hand-over and cursor; each event at least once
and in its order, and nobody waits for them."""

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import trio
from msgspec import Struct
from trio.testing import MockClock

from hub.bridge import ConnectorError, ConnectorTimeout
from hub.connector import Followed
from hub.engine.state import Incident, State
from hub.followers import runner
from hub.followers.followers import FollowerConfig, Followers
from hub.followers.place import subject
from hub.followers.telling import Told
from hub.followers.wanted import From, Wanted
from hub.journal import JournalUnavailable
from hub.journal.memory import MemoryJournal
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.occurrences import IncidentEvent
from hub.model.signal import Status

pytestmark = pytest.mark.trio

BEGIN = datetime(2026, 7, 14, 20, 0, tzinfo=UTC)


class Settings(Struct, frozen=True):
    """Of a follower of these tests: it has none."""

    nth: int = 0


def follower(nth: int = 0, **wanted: object) -> FollowerConfig:
    return FollowerConfig(type="fake", make=None, settings=Settings(nth), wanted=Wanted(**wanted))  # type: ignore[arg-type]


class Other:
    """The other side: takes `width` events at a time, `takes_s` seconds each time; nothing while it is `down`."""

    def __init__(self) -> None:
        self.width = 1_000
        self.takes_s = 0.0
        self.down: str | BaseException | None = None
        self.after_s: float | None = None
        self.got: list[IncidentEvent] = []
        self.tries: list[float] = []
        self.loses_answers = False
        self.refuses_step = ""

    async def __call__(self, name: str, events: Sequence[IncidentEvent], deadline_s: float) -> Followed:
        self.tries.append(trio.current_time())
        if isinstance(self.down, BaseException):
            raise self.down
        if self.down is not None:
            return Followed(taken=0, reason=self.down, after_s=self.after_s)
        with trio.move_on_after(deadline_s) as scope:
            await trio.sleep(self.takes_s)
        if scope.cancelled_caught:
            raise ConnectorTimeout(name, "follow", f"not done after {deadline_s:g} s")
        part = events[: self.width]
        if self.refuses_step in [getattr(event.what, "step", None) for event in part]:
            return Followed(taken=0, reason="the receiver answered 422")
        self.got += part
        if self.loses_answers:
            raise ConnectorError(name, "follow", "the answer was lost")
        return Followed(taken=len(part))

    def steps(self) -> list[str]:
        """The steps it has heard of, each once, in the order in which they first came."""
        return list(dict.fromkeys(str(getattr(event.what, "step", event.name)) for event in self.got))


class House:
    """A hub of which there is only the journal, and its followers. `life` is one of its lives."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.journal = MemoryJournal()
        self.other = Other()
        self.ids = Ids(random.Random(1))
        self.state = State()
        self.written = 0
        self.followers: Followers
        self._nursery = nursery
        self._life = trio.CancelScope()
        self._zero = trio.current_time()
        self.refuses = False  # the journal, for now

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=trio.current_time() - self._zero)

    async def record(self, body: r.FactBody, journal: MemoryJournal | None = None) -> str:
        if self.refuses:
            raise JournalUnavailable("the disk is full")
        fact = r.Fact(id=self.ids.new(self.now()), at=self.now(), body=body)
        (held,) = await (journal or self.journal).put_facts([fact])
        return held

    def comes_up(self, **configured: FollowerConfig) -> None:
        self.followers = Followers(
            journal=self.journal,
            now=self.now,
            record=partial(self.record, journal=self.journal),
            hand_over=self.other,
            fill=bare,
        )
        self.followers.enforce(configured, self.state)
        self._life = trio.CancelScope()
        self._nursery.start_soon(self._run, self._life, self.followers)

    async def _run(self, life: trio.CancelScope, followers: Followers) -> None:
        with life:
            await followers.run()

    def killed(self) -> None:
        """As by kill -9: what is not in the journal is gone, and nothing is written any more."""
        self.journal = self.journal.survivor()
        self._life.cancel()

    async def decide(self, *events: e.Event) -> str:
        decision = r.Decision(id=self.ids.new(self.now()), at=self.now(), events=events)
        await self.journal.put_decision(decision)
        self.state.decision = decision.id
        self.followers.decided(decision)
        return decision.id

    async def opens(self, incident: str = "i1", status: Status = Status.ACTUAL, playbook: str = "p") -> None:
        await self.decide(e.Opened(incident=incident, playbook=playbook, version="v", key=(), status=status, by="s1"))

    async def steps(self, count: int, incident: str = "i1") -> None:
        for _ in range(count):
            self.written += 1
            await self.decide(e.StepBegan(incident=incident, step=str(self.written)))

    def expected(self) -> list[str]:
        return ["opened", *map(str, range(1, self.written + 1))]

    async def cursor(self) -> str | None:
        fact = await self.journal.latest("cursor", subject("log"))
        return fact.body.cursor if fact is not None and isinstance(fact.body, r.CursorMoved) else None

    async def alarms(self) -> list[tuple[str, str]]:
        facts = await self.journal.facts_since(("follower",), BEGIN, 100)
        return [(f.body.health, f.body.follower) for f in facts if isinstance(f.body, r.FollowerChanged)]


async def bare(told: Sequence[Told]) -> list[IncidentEvent]:
    await trio.lowlevel.checkpoint()
    return [one.event for one in told]


@pytest.fixture
async def house(nursery: trio.Nursery) -> House:
    return House(nursery)


async def test_it_is_told_what_happens_soon_and_in_order(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower())
    await house.opens()
    await house.steps(250)
    await trio.sleep(1)
    assert house.other.steps() == house.expected()
    assert len(house.other.got) == 251
    (shown,) = house.followers.picture()
    assert (shown["health"], shown["behind_s"], shown["taken"]) == ("ok", 0.0, 251)


async def test_one_that_is_slow_falls_behind_alone(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower(), quick=follower(nth=1))
    house.other.takes_s, house.other.width = 5.0, 1
    began = trio.current_time()
    await house.opens()
    await house.steps(20)
    assert trio.current_time() == began  # whoever decides does not wait
    await trio.sleep(30)
    assert 20.0 < house.followers.picture()[0]["behind_s"] <= 30.0
    await trio.sleep(200)
    assert house.other.steps() == house.expected()
    assert house.followers.picture()[0]["behind_s"] == 0.0


async def test_one_that_was_dead_for_days_finds_what_it_missed(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower())
    house.other.down = "503"
    await house.opens()
    for _ in range(4 * 24):
        await house.steps(10)
        await trio.sleep(3600)
    assert house.other.got == []
    house.other.down = None
    await trio.sleep(90)
    assert house.other.steps() == house.expected()
    assert len(house.other.got) == len(house.expected())


async def test_it_is_tried_with_longer_and_longer_pauses(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower())
    house.other.down = "503"
    await house.opens()
    await trio.sleep(600)
    pauses = [round(b - a, 3) for a, b in zip(house.other.tries, house.other.tries[1:], strict=False)]
    assert pauses[:6] == [1, 2, 4, 8, 16, 32]
    assert set(pauses[6:]) == {runner.PAUSE_S_MAX}


async def test_not_before_the_other_side_asked_for(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower())
    house.other.down, house.other.after_s = "429", 120.0
    await house.opens()
    await trio.sleep(300)
    pauses = [round(b - a, 3) for a, b in zip(house.other.tries, house.other.tries[1:], strict=False)]
    assert set(pauses) == {120.0}


async def test_one_that_hangs_is_broken_off_and_tried_again(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower())
    house.other.takes_s = 1e9
    await house.opens()
    await trio.sleep(100)
    assert len(house.other.tries) > 2
    house.other.takes_s = 0.0
    await trio.sleep(100)
    assert house.other.steps() == ["opened"]


async def test_what_was_handed_over_before_a_kill_comes_again_with_the_same_ids(
    autojump_clock: MockClock, house: House
) -> None:
    house.comes_up(log=follower())
    await house.opens()
    await trio.sleep(5)
    await house.steps(1)
    await trio.sleep(0.2)
    before = await house.cursor()
    await house.steps(2)
    await trio.sleep(0.5)  # handed over; the cursor is not durable yet
    assert len(house.other.got) == 4
    assert await house.cursor() == before
    house.killed()
    await house.steps(3)
    house.comes_up(log=follower())
    await trio.sleep(5)
    assert house.other.steps() == house.expected()
    ids = [event.id for event in house.other.got]
    assert len(ids) == 9
    assert len(set(ids)) == 7


async def test_a_lost_answer_loses_nothing(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower())
    house.other.loses_answers = True
    await house.opens()
    await house.steps(3)
    await trio.sleep(10)
    house.other.loses_answers = False
    await trio.sleep(100)
    assert house.other.steps() == house.expected()
    assert len({event.id for event in house.other.got}) == 4
    assert len(house.other.got) > 4


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_nothing_is_lost_and_the_order_is_kept(
    autojump_clock: MockClock, house: House, seed: int
) -> None:
    """Kills, outages, lost answers, halves of batches, a journal in trouble, reloads; by the seed's choice."""
    chance = random.Random(seed)
    house.comes_up(log=follower())
    await trio.sleep(0.1)
    await house.opens()
    for nth in range(150):
        match chance.randrange(8):
            case 0:
                house.killed()
                house.comes_up(log=follower(nth))
            case 1:
                house.other.down = chance.choice(["503", ConnectorError("log", "follow", "the edge ended"), None])
            case 2:
                house.other.loses_answers = chance.random() < 0.5
            case 3:
                house.other.width = chance.choice([1, 3, 1_000])
                house.other.takes_s = chance.choice([0.0, 0.3, 40.0])
            case 4:
                house.refuses = chance.random() < 0.3
            case 5:
                house.followers.enforce({"log": follower(nth)}, house.state)
            case _:
                await house.steps(chance.randrange(30))
        await trio.sleep(chance.choice([0.0, 0.02, 0.2, 1.5, 20.0]))
    house.other.down, house.other.loses_answers, house.refuses = None, False, False
    house.other.width, house.other.takes_s = 1_000, 0.0
    await trio.sleep(1000)
    assert house.other.steps() == house.expected()
    assert await house.cursor() == house.state.decision
    told = {event.id: event for event in house.other.got}
    assert all(told[event.id] == event for event in house.other.got)  # a repeat is the same
    # Order: whatever comes for the first time comes after all that came before it.
    firsts = [event.id for event in told.values()]
    assert firsts == sorted(firsts, key=lambda id_: id_.partition("/")[0])


async def test_a_new_one_begins_now_and_one_from_the_beginning_has_all(autojump_clock: MockClock, house: House) -> None:
    house.comes_up()
    await trio.sleep(1)
    await house.opens()
    await house.steps(2)
    house.state.incidents["i1"] = the_incident()
    house.followers.enforce({"log": follower()}, house.state)
    await trio.sleep(1)
    await house.steps(2)
    await trio.sleep(1)
    assert house.other.steps() == ["3", "4"]
    house.other.got.clear()
    house.followers.enforce({"log": follower(), "whole": follower(start=From.BEGINNING)}, house.state)
    await trio.sleep(1)
    assert house.other.steps() == house.expected()


async def test_one_that_begins_now_has_begun_even_when_the_hub_is_killed_at_once(
    autojump_clock: MockClock, house: House
) -> None:
    house.comes_up()
    await house.opens()
    house.state.incidents["i1"] = the_incident()
    house.followers.enforce({"log": follower()}, house.state)
    await trio.sleep(0.01)
    house.killed()
    await house.steps(2)
    house.comes_up(log=follower())
    await trio.sleep(1)
    assert house.other.steps() == ["1", "2"]


async def test_what_was_open_is_known_after_a_restart_without_reading_it_all(
    autojump_clock: MockClock, house: House
) -> None:
    house.comes_up(log=follower())
    await house.opens()
    await house.steps(300)
    await trio.sleep(5)
    await house.followers.finish()
    read: list[str] = []
    real = house.journal.decisions

    async def decisions(after: str = "", limit: int = 1000) -> Sequence[r.Decision]:
        read.append(after)
        return await real(after, limit)

    house.journal.decisions = decisions  # type: ignore[method-assign]
    house.comes_up(log=follower())
    await house.steps(1)
    await trio.sleep(1)
    assert house.other.steps() == house.expected()
    assert "" not in read


async def test_what_was_remembered_may_be_gone(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower())
    await house.opens()
    await house.steps(3)
    await trio.sleep(5)
    await house.followers.finish()
    for spoilt in ("", "{", '{"after": "01NOBODY"}'):
        await house.journal.note(subject("log"), spoilt)
        house.comes_up(log=follower())
        await house.steps(1)
        await trio.sleep(1)
        await house.followers.finish()
        await house.journal.note(subject("log"), spoilt)
    assert house.other.steps() == house.expected()
    assert len(house.other.got) == len(house.expected())


async def test_what_it_does_not_want_moves_its_cursor_now_and_then(
    autojump_clock: MockClock, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SKIPPED_MAX", 100)
    house.comes_up(log=follower(events=frozenset({"ended"})))
    await house.opens()
    before = await house.cursor()
    await house.steps(250)
    await trio.sleep(5)
    assert house.other.got == []
    assert await house.cursor() != before
    facts = await house.journal.facts_since(("cursor",), BEGIN, 100)
    assert len(facts) < 6  # and does not write one for each


async def test_its_own_cursor_wakes_nobody_for_ever(autojump_clock: MockClock, house: House) -> None:
    """Each cursor is a fact, of which the engine makes a decision that says nothing."""
    house.comes_up(log=follower())
    await house.opens()
    for _ in range(100):
        await trio.sleep(2)
        await house.decide()
    facts = await house.journal.facts_since(("cursor",), BEGIN, 1_000)
    assert len(facts) <= 3


async def test_the_room_is_told_of_one_that_fails_for_long_and_when_it_is_over(
    autojump_clock: MockClock, house: House
) -> None:
    house.comes_up(log=follower(alarm_s=300))
    house.other.down = "the receiver answered 503"
    await house.opens()
    await trio.sleep(200)
    assert await house.alarms() == []
    await trio.sleep(200)
    assert await house.alarms() == [("failing", "log")]
    house.killed()  # it is not told twice
    house.comes_up(log=follower(alarm_s=300))
    await trio.sleep(1000)
    assert await house.alarms() == [("failing", "log")]
    (shown,) = house.followers.picture()
    assert shown["health"] == "failing"
    assert "503" in shown["reason"]
    assert shown["behind_s"] > 1000
    house.other.down = None
    await trio.sleep(100)
    assert await house.alarms() == [("failing", "log"), ("ok", "log")]


async def test_the_room_is_told_of_one_that_takes_less_than_there_comes(
    autojump_clock: MockClock, house: House
) -> None:
    house.comes_up(log=follower(alarm_s=300))
    house.other.takes_s, house.other.width = 10.0, 1
    await house.opens()
    for _ in range(300):
        await house.steps(1)
        await trio.sleep(5)
    assert await house.alarms() == [("behind", "log")]
    await trio.sleep(5000)
    assert await house.alarms() == [("behind", "log"), ("ok", "log")]
    assert house.other.steps() == house.expected()


async def test_who_catches_up_raises_no_alarm_on_the_way(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower(alarm_s=300))
    house.other.down = "503"
    await house.opens()
    await house.steps(200)
    await trio.sleep(3 * 86_400)
    house.other.down, house.other.takes_s, house.other.width = None, 10.0, 1
    await trio.sleep(4_000)
    assert house.other.steps() == house.expected()
    assert await house.alarms() == [("failing", "log"), ("ok", "log")]


async def test_a_failing_one_that_is_taken_out_fails_no_more(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower(alarm_s=60))
    house.other.down = "503"
    await house.opens()
    await trio.sleep(200)
    house.followers.enforce({}, house.state)
    await trio.sleep(5)
    assert await house.alarms() == [("failing", "log"), ("ok", "log")]
    assert house.followers.picture() == []


async def test_back_under_its_name_it_goes_on_where_it_was(autojump_clock: MockClock, house: House) -> None:
    house.comes_up(log=follower())
    await house.opens()
    await trio.sleep(5)
    house.followers.enforce({}, house.state)
    await trio.sleep(5)
    await house.steps(3)
    house.followers.enforce({"log": follower(1)}, house.state)
    await trio.sleep(5)
    assert house.other.steps() == house.expected()


async def test_an_event_that_is_never_taken_holds_up_what_follows_until_it_is_skipped(
    autojump_clock: MockClock, house: House
) -> None:
    house.comes_up(log=follower())
    house.other.width = 1
    house.other.refuses_step = "1"
    await house.opens()
    await house.steps(3)
    await trio.sleep(1000)
    assert house.other.steps() == ["opened"]
    reason = house.followers.picture()[0]["reason"]
    (bad,) = re.findall(r"event (\S+)\)", reason)  # whoever mends it can copy the id
    house.followers.enforce({"log": follower(skip=frozenset({bad}))}, house.state)
    await trio.sleep(5)
    assert house.other.steps() == ["opened", "2", "3"]


async def test_a_journal_that_it_does_not_know_is_said_and_asked_again(autojump_clock: MockClock, house: House) -> None:
    await house.record(r.CursorMoved(source=subject("log"), cursor="01OFANOTHERJOURNAL"))
    house.comes_up(log=follower(alarm_s=60))
    await house.opens()
    await trio.sleep(200)
    assert house.other.got == []
    assert await house.alarms() == [("failing", "log")]
    assert "not in this journal" in house.followers.picture()[0]["reason"]


def the_incident() -> Incident:
    return Incident(
        id="i1", playbook="p", version="v", key=(), status=Status.ACTUAL, shadow=False, opened_at=BEGIN, by="s1"
    )
