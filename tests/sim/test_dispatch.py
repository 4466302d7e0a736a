"""Dispatch in virtual time: no second thread, no real second waited for. The journal is the one in memory, the channels
are pure trio and refuse to be handed anything whose attempt is not durable."""

import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
import pytest
import trio
from trio.testing import MockClock

from hub.connector import Abilities, Answer, Dead, Intake, Outgoing, Retry, Route, Sent
from hub.dispatch.dispatch import Dispatch
from hub.dispatch.health import PAUSES_S
from hub.dispatch.orders import Pending
from hub.dispatch.policy import Limits
from hub.dispatch.render import Texts
from hub.dispatch.route import Routes
from hub.journal import JournalUnavailable
from hub.journal.memory import MemoryJournal
from hub.model.events import Ordered
from hub.model.ids import Ids
from hub.model.message import Lane, Message, Outcome, Text
from hub.model.people import Address, Language, Person
from hub.model.records import Attempt, ChannelChanged, Fact, Receipt, ReceiptsReceived, VaultEntry
from hub.model.signal import Status
from hub.people.directory import Directory

pytestmark = pytest.mark.trio

EPOCH = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)
ABILITIES = Abilities(answers=True, receipts=True)
UNTOLD = Retry(reason="cannot be told", doubt=True)
Says = Callable[[Outgoing], Answer | Awaitable[Answer]]


def message(id: str, **text: str) -> Message:
    return Message(id=id, texts={lang: Text(**{k: f"{lang} {v}" for k, v in text.items()}) for lang in Language})


TEXTS = Texts(
    messages={
        m.id: m
        for m in (
            message("storm", text="storm is coming", voice="spoken storm"),
            message("hub.repeat", text="(repeat)"),
            message("hub.exercise", text="EXERCISE"),
            message("hub.ask-hint", text="answer {code}"),
        )
    }
)


class FakeChannel:
    """A channel that says what the test wants, after `takes_s`."""

    Config: ClassVar[type[msgspec.Struct]] = msgspec.Struct
    abilities: Abilities  # of the instance: one class stands for several channels here

    def __init__(self, world: "World", name: str, abilities: Abilities) -> None:
        self.abilities = abilities
        self.says: Says = lambda outgoing: Sent(ref=f"ref-{outgoing.order}-{outgoing.index}")
        self.settles: Says | None = None
        self.takes_s = 0.0
        self.got: list[tuple[float, Outgoing]] = []
        self.asked: list[Outgoing] = []
        self.recalled: list[str] = []
        self.under_way = 0
        self.most_under_way = 0
        self._world = world
        self._name = name

    async def open(self, intake: Intake) -> None: ...

    async def close(self) -> None: ...

    async def send(self, outgoing: Outgoing) -> Answer:
        await self._world.must_be_durable(outgoing)
        self.got.append((trio.current_time(), outgoing))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.takes_s:
                await trio.sleep(self.takes_s)
            said = self.says(outgoing)
            return said if isinstance(said, Sent | Retry | Dead) else await said
        finally:
            self.under_way -= 1

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        self.asked.append(outgoing)
        if self.settles is None:
            return None
        said = self.settles(outgoing)
        return said if isinstance(said, Sent | Retry | Dead) else await said

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        self.recalled.append(ref)

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    def check(self, address: str) -> str:
        return ""

    def times(self) -> list[float]:
        return [at for at, _ in self.got]


async def call(
    fn: Callable[..., Coroutine[Any, Any, Any]],
    *args: object,
    connector: str,
    doing: str | None = None,
    deadline_s: float | None = None,
) -> Any:
    with trio.fail_after(float("inf") if deadline_s is None else deadline_s):
        return await fn(*args)


class World:
    """A dispatch with its journal, channels and people p0, p1, ... (every second one reads Dutch)."""

    def __init__(
        self,
        journal: MemoryJournal | None = None,
        *,
        people: int = 20,
        abilities: Abilities = ABILITIES,
        routes: Routes | None = None,
        failing: Collection[str] = (),
        **limits: Limits,
    ) -> None:
        self.journal = journal or MemoryJournal()
        self.start_s = trio.current_time()
        self.directory = Directory(
            Person(
                id=f"p{i}",
                name=f"Invented {i}",
                language=Language.NL if i % 2 else Language.FR,
                addresses=(Address("sms", f"+32450{i:06}"), Address("voice", f"+32450{i:06}")),
            )
            for i in range(people)
        )
        self.sms = FakeChannel(self, "sms", abilities)
        self.call = FakeChannel(self, "voice", Abilities(answers=True, voice=True, recalls=True, settles=True))
        self.second = FakeChannel(self, "sms-second", Abilities(answers=True))
        self.abroad = FakeChannel(self, "sms-abroad", ABILITIES)
        ways = {"sms": self.sms, "voice": self.call, "sms-second": self.second, "sms-abroad": self.abroad}
        self.dispatch = Dispatch(
            journal=self.journal,
            call=call,
            channels=ways,  # type: ignore[arg-type]  # see FakeChannel
            directory=self.directory,
            texts=TEXTS,
            now=self.now,
            ids=Ids(random.Random(1)),
            chance=random.Random(2),
            limits={name.replace("_", "-"): given for name, given in limits.items()},
            routes=routes,
            failing=failing,
        )

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=trio.current_time() - self.start_s)

    async def must_be_durable(self, outgoing: Outgoing) -> None:
        made = await self.journal.attempts_of([outgoing.order])
        covering = [a for a in made if a.start <= outgoing.index < a.stop]
        assert any(a.nth == outgoing.nth and a.repeat == outgoing.repeat for a in covering), "handed over undurably"
        (texts,) = await self.journal.vault([covering[-1].vault])
        assert texts is not None
        assert outgoing.text in msgspec.json.decode(texts.payload)[outgoing.language]["text"]

    async def audience(self, size: int) -> str:
        key = Ids(random.Random(size)).new(EPOCH)
        ids = msgspec.json.encode([f"p{i}" for i in range(size)])
        await self.journal.put_facts([], [VaultEntry(key=key, payload=ids)])
        return key

    async def receipts(self) -> list[Receipt]:
        """All receipts, in the order written down."""
        return [r for fact in await self.facts(ReceiptsReceived) for r in fact.body.receipts]  # type: ignore[union-attr]

    async def facts(self, kind: type) -> list[Fact]:
        found: list[Fact] = []
        with trio.move_on_after(0.001):
            async for batch in self.journal.facts():
                found += [entry.record for entry in batch if isinstance(entry.record.body, kind)]
        return found

    async def outcomes(self, order: str) -> Counter[Outcome]:
        return Counter(r.outcome for r in await self.receipts() if r.order == order)

    async def attempts(self, order: str) -> Sequence[Attempt]:
        return await self.journal.attempts_of([order])

    async def quiet(self) -> None:
        """Until nothing waits and nothing is in flight."""
        while self.busy():  # noqa: ASYNC110 - virtual time: looking again costs nothing
            await trio.sleep(0.05)

    def busy(self) -> bool:
        waiting = self.dispatch.waiting().values()
        return self.dispatch.in_flight > 0 or any(any(lanes.values()) for lanes in waiting)


@asynccontextmanager
async def running(world: World) -> AsyncIterator[World]:
    async with trio.open_nursery() as nursery:
        await nursery.start(world.dispatch.run)
        yield world
        nursery.cancel_scope.cancel()


def ask(order: str = "ask-1", person: str = "p0", channel: str = "sms", **more: Any) -> Ordered:
    given = {"values": (("code", "B"),), "lane": Lane.ASK, "message": "storm", **more}
    return Ordered(order=order, channel=channel, recipients=(person,), ask="a", **given)


def mass(size: int, audience: str, order: str = "mass-1", **more: Any) -> Ordered:
    given = {"lane": Lane.MASS, "message": "storm", "channel": "sms", **more}
    return Ordered(order=order, audience=audience, size=size, **given)


WIDE = Limits(rate=100_000, burst=100_000, burst_asks=100, per_person=1000, width=64, width_asks=8)


# --- the way out -------------------------------------------------------------------------------------------


async def test_an_ask_goes_out_in_the_persons_language_with_its_code_and_is_written_down(
    autojump_clock: MockClock,
) -> None:
    async with running(World()) as world:
        world.dispatch.submit(ask(person="p1"))
        await world.quiet()
        ((at, outgoing),) = world.sms.got
        assert at == world.start_s
        assert outgoing.text == "nl storm is coming\nnl answer B"
        assert (outgoing.to, outgoing.nth, outgoing.repeat) == ("+32450000001", 1, False)
        assert outgoing.ask is not None
        assert outgoing.ask.code == "B"
        (attempt,) = await world.attempts("ask-1")
        assert (attempt.start, attempt.stop, attempt.id) == (0, 1, outgoing.attempt)
        (fact,) = await world.facts(ReceiptsReceived)
        assert fact.body == ReceiptsReceived(
            channel="sms", attempt=attempt.id, receipts=(Receipt("ask-1", 0, Outcome.SENT, "", "ref-ask-1-0"),)
        )
        assert await world.journal.receipts_of([attempt.id]) == [attempt.id]


async def test_a_call_is_spoken_and_carries_no_hint_of_its_own(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.dispatch.submit(ask(channel="voice"))
        await world.quiet()
        ((_, outgoing),) = world.call.got
        assert outgoing.voice == "fr spoken storm"
        assert "answer" not in outgoing.text


async def test_who_answers_by_buttons_is_told_no_code(autojump_clock: MockClock) -> None:
    async with running(World(abilities=Abilities(answers=True, words=False))) as world:
        world.dispatch.submit(ask())
        await world.quiet()
        ((_, outgoing),) = world.sms.got
        assert "answer" not in outgoing.text
        assert outgoing.ask is not None


async def test_a_confirmation_names_the_code_and_asks_for_no_answer(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.dispatch.submit(ask(lane=Lane.CONFIRM))
        await world.quiet()
        ((_, outgoing),) = world.sms.got
        assert "answer" not in outgoing.text
        assert outgoing.ask is None


async def test_an_order_is_taken_once(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.sms.takes_s = 1
        world.dispatch.submit(ask())
        await trio.sleep(0.5)
        world.dispatch.submit(ask())
        await world.quiet()
        assert len(world.sms.got) == 1


async def test_nobody_is_tried_where_there_is_no_address(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.dispatch.submit(ask(person="ghost"))
        world.dispatch.submit(ask("pigeon", channel="pigeon"))
        world.dispatch.submit(ask("wordless", message="not there"))
        await trio.sleep(1)
        assert not world.sms.got
        assert not await world.attempts("ask-1")
        assert {(r.order, r.outcome, r.reason) for r in await world.receipts()} == {
            ("ask-1", Outcome.FAILED, "no address for sms"),
            ("pigeon", Outcome.FAILED, "no channel pigeon"),
            ("wordless", Outcome.FAILED, 'no message "not there" is in force'),
        }


@pytest.mark.parametrize("status", list(Status))
async def test_only_what_is_actual_reaches_an_address_kept_for_it(autojump_clock: MockClock, status: Status) -> None:
    kept = Address("sms", "+32450999999", live_only=True)
    async with running(World()) as world:
        person = Person(id="p0", name="Invented", addresses=(kept, Address("sms", "+32450000001")))
        world.dispatch.directory = Directory([person])
        for nth in range(2):  # whichever of the addresses is ordered
            world.dispatch.submit(msgspec.structs.replace(ask(f"ask-{nth}", person="p0"), status=status, address=nth))
        await world.quiet()
        reached = {outgoing.to for _, outgoing in world.sms.got}
    assert reached == ({"+32450999999", "+32450000001"} if status is Status.ACTUAL else {"+32450000001"})


async def test_a_large_audience_goes_out_in_chunks_each_with_one_attempt_and_one_fact(
    autojump_clock: MockClock,
) -> None:
    async with running(World(people=250, sms=WIDE)) as world:
        world.dispatch.submit(mass(250, await world.audience(250)))
        await world.quiet()
        assert await world.outcomes("mass-1") == {Outcome.SENT: 250}
        made = await world.attempts("mass-1")
        assert sorted((a.start, a.stop) for a in made)[:2] == [(0, 84), (84, 140)]
        assert len({a.vault for a in made}) == 1, "the texts are kept once"
        assert len(await world.facts(ReceiptsReceived)) == len(made) < 20
        assert sorted(o.index for _, o in world.sms.got) == list(range(250))
        assert world.dispatch.counters.sent == 250


async def test_only_those_meant_get_it(autojump_clock: MockClock) -> None:
    async with running(World(people=300, sms=WIDE)) as world:
        meant = (3, 4, 7, 150, 299)
        world.dispatch.submit(mass(300, await world.audience(300), only=meant))
        await world.quiet()
        assert sorted(o.index for _, o in world.sms.got) == list(meant)
        assert await world.outcomes("mass-1") == {Outcome.SENT: 5}


async def test_an_erased_audience_is_said(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.dispatch.submit(mass(3, "no-such-key"))
        await world.quiet()
        await trio.sleep(1)
        assert await world.outcomes("mass-1") == {Outcome.FAILED: 3}


# --- what the channel says ---------------------------------------------------------------------------------


async def test_retry_after_is_honoured(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        answers: Iterator[Answer] = iter([Retry(reason="429", after_s=30), Sent()])
        world.sms.says = lambda _: next(answers)
        world.dispatch.submit(ask())
        await trio.sleep(60)
        first, second = world.sms.times()
        assert second - first == pytest.approx(30, abs=0.01)
        assert [r.outcome for r in await world.receipts()] == [Outcome.RETRY, Outcome.SENT]
        assert [a.nth for a in await world.attempts("ask-1")] == [1, 2]
        assert not any(o.repeat for _, o in world.sms.got)


async def test_an_ask_is_given_up_soon_so_that_the_next_channel_is_used(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.sms.says = lambda _: Retry(reason="503")
        world.dispatch.submit(ask())
        await trio.sleep(600)
        assert len(world.sms.got) == 4
        assert world.sms.times()[-1] - world.start_s < 20
        last = (await world.receipts())[-1]
        assert (last.outcome, last.reason) == (Outcome.FAILED, "given up after 4 tries: 503")


async def test_a_provider_that_asks_for_more_time_than_an_ask_has_is_given_up_at_once(
    autojump_clock: MockClock,
) -> None:
    async with running(World()) as world:
        world.sms.says = lambda _: Retry(reason="429", after_s=120)
        world.dispatch.submit(ask())
        await trio.sleep(1)
        assert [r.outcome for r in await world.receipts()] == [Outcome.FAILED]


async def test_a_mass_message_is_tried_for_hours(autojump_clock: MockClock) -> None:
    async with running(World(sms=WIDE)) as world:
        down_until = trio.current_time() + 2 * 3600
        world.sms.says = lambda _: Sent() if trio.current_time() > down_until else Retry(reason="503")
        world.dispatch.submit(mass(20, await world.audience(20)))
        await trio.sleep(3 * 3600)
        assert (await world.outcomes("mass-1"))[Outcome.SENT] == 20
        made = await world.attempts("mass-1")
        assert len(made) < 2 * 60 + 2 + 20 + 5, "while the provider is out, one delivery a minute tries it"


async def test_a_dead_address_fails_at_once_and_nobody_else(autojump_clock: MockClock) -> None:
    async with running(World(sms=WIDE)) as world:
        world.sms.says = lambda o: Dead(reason="21211 invalid number", bad_address=True) if o.index == 3 else Sent()
        world.dispatch.submit(mass(20, await world.audience(20)))
        await world.quiet()
        assert await world.outcomes("mass-1") == {Outcome.SENT: 19, Outcome.FAILED: 1}
        assert len(world.sms.got) == 20


async def test_a_channel_that_refuses_everything_is_told_the_room_once_and_again_when_it_works(
    autojump_clock: MockClock,
) -> None:
    async with running(World()) as world:
        world.sms.says = lambda _: Dead(reason="401 wrong token", alarm=True)
        world.dispatch.submit(ask("one"))
        world.dispatch.submit(ask("two", "p2"))
        await trio.sleep(PAUSES_S[0])
        world.sms.says = lambda _: Sent()
        world.dispatch.submit(ask("three", "p3"))
        await trio.sleep(1)
        assert [fact.body for fact in await world.facts(ChannelChanged)] == [
            ChannelChanged(channel="sms", health="failing", reason="401 wrong token", since=EPOCH, people=1),
            ChannelChanged(channel="sms", health="ok"),
        ]


async def test_a_channel_that_raises_or_hangs_harms_nobody_else(autojump_clock: MockClock) -> None:
    async def hang(_: Outgoing) -> Answer:
        await trio.sleep_forever()
        raise AssertionError

    def says(outgoing: Outgoing) -> Answer | Awaitable[Answer]:
        if outgoing.order == "raises":
            raise RuntimeError("boom")
        return hang(outgoing) if outgoing.order == "hangs" else Sent()

    async with running(World()) as world:
        world.sms.says = says
        for order, person in (("raises", "p1"), ("hangs", "p2"), ("fine", "p3")):
            world.dispatch.submit(ask(order, person))
        await trio.sleep(0.1)
        assert await world.outcomes("fine") == {Outcome.SENT: 1}
        await trio.sleep(300)
        assert (await world.outcomes("raises"))[Outcome.FAILED] == 1
        assert (await world.outcomes("hangs"))[Outcome.FAILED] == 1


async def test_what_may_have_been_taken_is_settled_before_it_is_tried_again(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.call.says = lambda _: Retry(reason="timeout", doubt=True)
        world.call.settles = lambda _: Sent(ref="CA1")
        world.dispatch.submit(ask(channel="voice"))
        await trio.sleep(60)
        assert len(world.call.got) == 1
        assert [(r.outcome, r.ref) for r in await world.receipts()] == [(Outcome.SENT, "CA1")]
        assert world.dispatch.counters.settled == 1


async def test_what_cannot_be_settled_is_sent_again_marked_and_counted(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        answers: Iterator[Answer] = iter([Retry(reason="timeout", doubt=True), Sent()])
        world.sms.says = lambda _: next(answers)
        world.dispatch.submit(ask())
        await trio.sleep(60)
        first, second = (o for _, o in world.sms.got)
        assert (first.repeat, second.repeat) == (False, True)
        assert second.text.startswith("fr (repeat) fr storm")
        assert [a.repeat for a in await world.attempts("ask-1")] == [False, True]
        assert world.dispatch.counters.repeats == 1


async def test_what_the_provider_told_of_meanwhile_is_not_tried_again(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.sms.says = lambda _: Retry(reason="timeout", doubt=True)
        world.dispatch.submit(ask())
        await trio.sleep(0.5)
        world.dispatch.heard("ask-1", [(0, Outcome.DELIVERED, "")])
        await trio.sleep(60)
        assert len(world.sms.got) == 1
        assert not any(any(lanes.values()) for lanes in world.dispatch.waiting().values())


async def test_a_mass_message_goes_on_past_what_was_told_of_meanwhile(autojump_clock: MockClock) -> None:
    async with running(World(sms=WIDE)) as world:
        world.dispatch.pause("hub", "coming back")
        world.dispatch.submit(mass(20, await world.audience(20)))
        world.dispatch.heard("mass-1", [(i, Outcome.DELIVERED, "") for i in (3, 4, 11)])
        world.dispatch.resume()
        await world.quiet()
        assert sorted(o.index for _, o in world.sms.got) == [i for i in range(20) if i not in (3, 4, 11)]
        covered = {i for a in await world.attempts("mass-1") for i in range(a.start, a.stop)}
        assert not covered & {3, 4, 11}, "no attempt is written down of what was not made"


async def test_an_idempotent_channel_sees_the_same_identity_and_no_mark(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.sms.abilities = Abilities(idempotent=True)
        answers: Iterator[Answer] = iter([Retry(reason="timeout", doubt=True), Retry(reason="503"), Sent()])
        world.sms.says = lambda _: next(answers)
        world.dispatch.submit(ask())
        await trio.sleep(60)
        assert len({o.attempt for _, o in world.sms.got}) == 1
        assert not any(o.repeat for _, o in world.sms.got)
        assert len(await world.attempts("ask-1")) == 3


# --- who goes first, and how fast --------------------------------------------------------------------------


async def test_an_ask_overtakes_twelve_thousand(autojump_clock: MockClock) -> None:
    size = 12_000
    async with running(World(people=size, sms=Limits(rate=500, burst=500, burst_asks=20, width=64))) as world:
        world.sms.takes_s = 0.05
        world.dispatch.submit(mass(size, await world.audience(size)))
        for n in range(20):
            await trio.sleep(1)
            asked_s = trio.current_time()
            world.dispatch.submit(ask(f"ask-{n}", f"p{n}"))
            await trio.sleep(0.5)
            (went_s,) = (at for at, o in world.sms.got if o.order == f"ask-{n}")
            assert went_s - asked_s < 0.01
        await world.quiet()
        assert (await world.outcomes("mass-1"))[Outcome.SENT] == size
        assert world.sms.most_under_way <= 64


async def test_lanes_go_in_order(autojump_clock: MockClock) -> None:
    narrow = Limits(rate=1, burst=1, burst_asks=0, width=2, width_asks=1)
    async with running(World(sms=narrow)) as world:
        world.dispatch.pause("test", "all at once")
        audience = await world.audience(3)
        world.dispatch.submit(mass(3, audience))
        for n, lane in enumerate((Lane.NOTIFY, Lane.CONFIRM, Lane.ASK)):
            world.dispatch.submit(ask(lane.value, f"p{n + 4}", lane=lane, values=()))
        world.dispatch.resume()
        await world.quiet()
        assert [o.order for _, o in world.sms.got] == ["ask", "confirm", "notify", "mass-1", "mass-1", "mass-1"]


async def test_the_rate_of_a_channel_is_kept(autojump_clock: MockClock) -> None:
    async with running(World(people=500, sms=Limits(rate=50, burst=100, burst_asks=10, width=64))) as world:
        world.dispatch.submit(mass(500, await world.audience(500)))
        await world.quiet()
        times = world.sms.times()
        for start in times:
            assert sum(start <= at < start + 1 for at in times) <= 100 + 50
        assert times[-1] - times[0] == pytest.approx((500 - 90) / 50, abs=0.3)


async def test_no_more_go_at_once_than_there_are_places(autojump_clock: MockClock) -> None:
    limits = Limits(rate=10_000, burst=10_000, width=10, width_asks=2, per_person=100)
    async with running(World(people=100, sms=limits)) as world:
        world.sms.takes_s = 1
        world.dispatch.submit(mass(100, await world.audience(100)))
        await world.quiet()
        assert world.sms.most_under_way == 8
        assert len(world.sms.got) == 100


async def test_one_person_gets_no_flood_and_asks_have_places_kept(autojump_clock: MockClock) -> None:
    limits = Limits(rate=1000, burst=1000, per_person=5, person_s=600, person_asks=2)
    async with running(World(sms=limits)) as world:
        for n in range(6):
            world.dispatch.submit(ask(f"note-{n}", lane=Lane.NOTIFY, values=()))
        await trio.sleep(1)
        assert len(world.sms.got) == 3
        world.dispatch.submit(ask("ask-1"))
        world.dispatch.submit(ask("ask-2"))
        world.dispatch.submit(ask("ask-3"))
        await trio.sleep(1)
        asked = {o.order for _, o in world.sms.got[3:]}
        assert len(asked) == 2
        (refused,) = {"ask-1", "ask-2", "ask-3"} - asked
        assert await world.outcomes(refused) == {Outcome.FAILED: 1}, "too late this way: another channel"
        await trio.sleep(1800)
        assert len(world.sms.got) == 8
        assert world.dispatch.counters.held >= 3


async def test_a_further_try_is_no_further_message_to_the_person(autojump_clock: MockClock) -> None:
    async with running(World(sms=Limits(per_person=3, person_s=86_400, person_asks=1))) as world:
        answers: Iterator[Answer] = iter([*[Retry(reason="503")] * 6, Sent()])
        world.sms.says = lambda _: next(answers)
        world.dispatch.submit(ask(lane=Lane.NOTIFY, values=()))
        await trio.sleep(1800)
        assert (await world.outcomes("ask-1"))[Outcome.SENT] == 1
        assert world.dispatch.counters.held == 0


# --- taking back, standing still ---------------------------------------------------------------------------


async def test_what_is_withdrawn_before_it_went_does_not_go(autojump_clock: MockClock) -> None:
    async with running(World(people=300, sms=Limits(rate=100, burst=100, width=64))) as world:
        world.dispatch.submit(mass(300, await world.audience(300)))
        await trio.sleep(0.5)
        world.dispatch.withdraw("mass-1", "cancelled")
        await trio.sleep(60)
        outcomes = await world.outcomes("mass-1")
        assert outcomes[Outcome.SENT] == len(world.sms.got) < 300
        assert outcomes[Outcome.WITHDRAWN] == 300 - len(world.sms.got)


async def test_what_waits_for_its_next_try_is_withdrawn_too(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.sms.says = lambda _: Retry(reason="503")
        world.dispatch.submit(ask())
        await trio.sleep(1)
        world.dispatch.withdraw("ask-1", "answered")
        await trio.sleep(60)
        assert [r.outcome for r in await world.receipts()] == [Outcome.RETRY, Outcome.WITHDRAWN]
        assert len(world.sms.got) == 1


async def test_what_may_have_arrived_and_is_withdrawn_counts_as_sent(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.sms.says = lambda _: Retry(reason="timeout", doubt=True)
        world.dispatch.submit(ask())
        await trio.sleep(1)
        world.dispatch.withdraw("ask-1", "ended")
        await trio.sleep(60)
        assert [r.outcome for r in await world.receipts()] == [Outcome.RETRY, Outcome.SENT]
        assert len(world.sms.got) == 1


async def test_a_ringing_call_is_hung_up(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.dispatch.submit(ask(channel="voice"))
        await trio.sleep(5)
        world.dispatch.withdraw("ask-1", "somebody else answered")
        await trio.sleep(1)
        assert world.call.recalled == ["ref-ask-1-0"]


async def test_a_call_withdrawn_while_it_is_being_placed_is_hung_up(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.call.takes_s = 3
        world.dispatch.submit(ask(channel="voice"))
        await trio.sleep(1)
        world.dispatch.withdraw("ask-1", "somebody else answered")
        await trio.sleep(5)
        assert world.call.recalled == ["ref-ask-1-0"]
        assert await world.outcomes("ask-1") == {Outcome.SENT: 1}


async def test_an_order_that_is_held_waits_and_the_others_do_not(autojump_clock: MockClock) -> None:
    async with running(World(people=400, sms=Limits(rate=100, burst=100, width=10, width_asks=2))) as world:
        world.sms.takes_s = 0.2
        world.dispatch.submit(mass(400, await world.audience(400)))
        await trio.sleep(1.05)
        world.dispatch.hold("mass-1")
        world.dispatch.hold("mass-1")
        await trio.sleep(0.25)
        stood = len(world.sms.got)
        assert 8 <= stood < 100
        assert world.dispatch.waiting()["sms"][Lane.MASS] == 400 - stood
        world.dispatch.submit(ask("other"))
        await trio.sleep(8 * 3600)
        assert await world.outcomes("other") == {Outcome.SENT: 1}
        assert len(world.sms.got) == stood + 1
        world.dispatch.let_go("mass-1")
        await world.quiet()
        assert (await world.outcomes("mass-1"))[Outcome.SENT] == 400, "the time it stood does not count"
        assert not any(o.repeat for _, o in world.sms.got)


async def test_what_has_to_be_tried_again_while_its_order_is_held_waits_too(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.sms.says = lambda outgoing: Retry(reason="busy")
        world.dispatch.submit(ask())
        await trio.sleep(0.1)
        world.dispatch.hold("ask-1")
        await trio.sleep(3600)
        tried = len(world.sms.got)
        world.sms.says = lambda outgoing: Sent(ref="x")
        world.dispatch.let_go("ask-1")
        await world.quiet()
        assert len(world.sms.got) == tried + 1
        assert (await world.outcomes("ask-1"))[Outcome.SENT] == 1


async def test_held_and_then_withdrawn_nothing_of_it_goes_out(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.dispatch.hold("ask-1")
        world.dispatch.submit(ask())
        await trio.sleep(1)
        world.dispatch.withdraw("ask-1", "stopped")
        await world.quiet()
        assert world.sms.got == []
        assert await world.outcomes("ask-1") == {Outcome.WITHDRAWN: 1}


async def test_stop_all_stops_all_and_what_waited_keeps_its_order(autojump_clock: MockClock) -> None:
    async with running(World(people=400, sms=Limits(rate=100, burst=100, width=10, width_asks=2))) as world:
        world.sms.takes_s = 0.2
        world.dispatch.submit(mass(400, await world.audience(400)))
        await trio.sleep(1.05)
        world.dispatch.pause("sitcen", "wrong text")
        await trio.sleep(0.25)
        stood = len(world.sms.got)
        assert 8 <= stood < 100, "also the rest of a chunk under way stays"
        world.dispatch.submit(ask("late"))
        await trio.sleep(8 * 3600)
        assert len(world.sms.got) == stood
        world.dispatch.resume()
        await world.quiet()
        assert (await world.outcomes("mass-1"))[Outcome.SENT] == 400, "the time it stood does not count"
        assert await world.outcomes("late") == {Outcome.SENT: 1}
        assert not any(o.repeat for _, o in world.sms.got)
        resumed = world.now() - timedelta(seconds=60)
        starts: dict[datetime, list[int]] = {}
        for attempt in await world.attempts("mass-1"):
            if attempt.at > resumed:
                starts.setdefault(attempt.at, []).append(attempt.start)
        turns = [starts[at] for at in sorted(starts)]
        assert len(turns) > 2
        assert all(max(before) < min(after) for before, after in itertools.pairwise(turns))


async def test_what_cannot_get_its_turn_is_given_up(autojump_clock: MockClock) -> None:
    limits = Limits(rate=0.001, burst=1, burst_asks=0, width=4, width_asks=1)
    async with running(World(sms=limits)) as world:
        world.dispatch.submit(ask("one", "p1"))
        world.dispatch.submit(ask("two", "p2"))
        await trio.sleep(120)
        assert [o.order for _, o in world.sms.got] == ["one"]
        (failed,) = (r for r in await world.receipts() if r.order == "two")
        assert failed.outcome is Outcome.FAILED
        assert failed.reason.startswith("given up: it could not go out within 6")


async def test_nothing_goes_after_it_is_of_no_more_use(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.dispatch.submit(ask(until=world.now() - timedelta(seconds=1)))
        await trio.sleep(1)
        assert [r.reason for r in await world.receipts()] == ["too late to be of use"]


# --- the journal in trouble --------------------------------------------------------------------------------


async def test_nothing_goes_out_while_the_journal_cannot_write_and_nothing_is_lost(
    autojump_clock: MockClock,
) -> None:
    trouble = [True]

    async def before_commit(records: int) -> None:
        if trouble:
            raise JournalUnavailable("disk full: make room")

    def over(world: World) -> None:
        trouble.clear()
        world.journal.trouble = None  # the one in memory does not look by itself whether it can write again

    world = World(MemoryJournal(before_commit=before_commit))
    async with running(world):
        world.dispatch.submit(ask())
        await trio.sleep(10)
        assert not world.sms.got
        over(world)
        await trio.sleep(3)
        assert len(world.sms.got) == 1
        trouble.append(True)
        world.dispatch.submit(ask("two", "p2"))
        await trio.sleep(5)
        over(world)
        await trio.sleep(5)
        assert await world.outcomes("ask-1") == await world.outcomes("two") == {Outcome.SENT: 1}


# --- coming back -------------------------------------------------------------------------------------------


async def crash(world: World) -> World:
    """Kills the hub at this instant and starts another on what was durable."""
    after = World(world.journal.survivor(), people=len(world.directory.people), sms=WIDE)
    after.start_s = world.start_s
    return after


async def test_what_was_merely_queued_is_simply_sent(autojump_clock: MockClock) -> None:
    before = World()
    before.dispatch.submit(ask())
    world = await crash(before)
    async with running(world):
        await world.dispatch.recover([Pending(ordered=ask())])
        await world.quiet()
        ((_, outgoing),) = world.sms.got
        assert not outgoing.repeat
        assert world.dispatch.counters.in_doubt == 0


async def killed_between_hand_over_and_outcome(
    order: Ordered, abilities: Abilities | None = None
) -> tuple[World, World]:
    before = World(sms=WIDE)
    if abilities is not None:
        before.sms.abilities = abilities
    before.sms.takes_s = before.call.takes_s = 5
    async with running(before):
        if order.audience:
            await before.audience(order.size)
        before.dispatch.submit(order)
        await trio.sleep(1)
        after = await crash(before)
    if abilities is not None:
        after.sms.abilities = abilities
    return before, after


async def test_an_attempt_in_doubt_that_the_channel_knows_is_not_repeated(autojump_clock: MockClock) -> None:
    before, world = await killed_between_hand_over_and_outcome(ask(channel="voice"))
    world.call.settles = lambda o: Sent(ref="CA7", final=o.voice == "")
    async with running(world):
        await world.dispatch.recover([Pending(ordered=ask(channel="voice"))])
        await trio.sleep(30)
        assert len(before.call.got) == 1
        assert not world.call.got
        (asked,) = world.call.asked
        assert (asked.attempt, asked.to, asked.voice) == (
            before.call.got[0][1].attempt,
            "+32450000000",
            "fr spoken storm",
        )
        assert [(r.outcome, r.ref) for r in await world.receipts()] == [(Outcome.SENT, "CA7")]


async def test_an_attempt_the_channel_surely_never_saw_is_sent_unmarked(autojump_clock: MockClock) -> None:
    _, world = await killed_between_hand_over_and_outcome(ask(channel="voice"))
    world.call.settles = lambda _: Retry(reason="never taken")
    async with running(world):
        await world.dispatch.recover([Pending(ordered=ask(channel="voice"))])
        await trio.sleep(1)
        ((_, outgoing),) = world.call.got
        assert (outgoing.repeat, outgoing.nth) == (False, 2)


async def test_what_was_left_on_a_machine_went_out_before_it_failed(autojump_clock: MockClock) -> None:
    _, world = await killed_between_hand_over_and_outcome(ask(channel="voice"))
    world.call.settles = lambda _: Dead(reason="answering machine", heard=True)
    async with running(world):
        await world.dispatch.recover([Pending(ordered=ask(channel="voice"))])
        await trio.sleep(30)
        assert [r.outcome for r in await world.receipts()] == [Outcome.SENT, Outcome.FAILED]
        assert not world.call.got


async def test_an_ask_not_settled_in_ten_seconds_is_sent_again_marked(autojump_clock: MockClock) -> None:
    _, world = await killed_between_hand_over_and_outcome(ask(channel="voice"))

    async def slow(_: Outgoing) -> Answer:
        await trio.sleep(300)
        return Sent()

    world.call.settles = slow
    async with running(world):
        back_s = trio.current_time()
        await world.dispatch.recover([Pending(ordered=ask(channel="voice"))])
        await trio.sleep(60)
        ((at, outgoing),) = world.call.got
        assert at - back_s == pytest.approx(10, abs=0.1)
        assert outgoing.repeat
        assert outgoing.voice.startswith("fr (repeat)")
        assert world.dispatch.counters.repeats == 1


async def test_a_channel_that_cannot_be_asked_repeats_at_once_marked(autojump_clock: MockClock) -> None:
    _, world = await killed_between_hand_over_and_outcome(ask())
    async with running(world):
        back_s = trio.current_time()
        await world.dispatch.recover([Pending(ordered=ask())])
        await trio.sleep(60)
        ((at, outgoing),) = world.sms.got
        assert at == back_s
        assert outgoing.repeat


async def test_a_call_in_doubt_that_a_callback_told_of_while_the_hub_listened_is_not_made_again(
    autojump_clock: MockClock,
) -> None:
    _, world = await killed_between_hand_over_and_outcome(ask(channel="voice"))
    async with running(world):
        world.dispatch.pause("hub", "coming back: listening first")
        await world.dispatch.recover([Pending(ordered=ask(channel="voice"))])
        await trio.sleep(1)
        world.dispatch.heard("ask-1", [(0, Outcome.DELIVERED, "")])  # the answering machine, say
        await trio.sleep(2)
        world.dispatch.resume()
        await trio.sleep(60)
        assert not world.call.got


async def test_an_idempotent_channel_gets_the_same_attempt_again_unmarked(autojump_clock: MockClock) -> None:
    before, world = await killed_between_hand_over_and_outcome(ask(), Abilities(idempotent=True))
    async with running(world):
        await world.dispatch.recover([Pending(ordered=ask())])
        await trio.sleep(60)
        ((_, outgoing),) = world.sms.got
        assert outgoing.attempt == before.sms.got[0][1].attempt
        assert not outgoing.repeat


async def test_a_second_crash_does_not_forget_the_doubt(autojump_clock: MockClock) -> None:
    before = World()
    before.sms.says = lambda _: Retry(reason="timeout", doubt=True)
    async with running(before):
        before.dispatch.submit(ask())
        await trio.sleep(1)  # the outcome "in doubt" is written down, the next try has not begun
        world = await crash(before)
    async with running(world):
        await world.dispatch.recover([Pending(ordered=ask())])
        await trio.sleep(1)
        ((_, outgoing),) = world.sms.got
        assert outgoing.repeat


async def test_what_was_withdrawn_while_in_doubt_is_asked_about_and_hung_up(autojump_clock: MockClock) -> None:
    _, world = await killed_between_hand_over_and_outcome(ask(channel="voice"))
    world.call.settles = lambda _: Sent(ref="CA7")
    async with running(world):
        await world.dispatch.recover([Pending(ordered=ask(channel="voice"), withdrawn="accepted")])
        await trio.sleep(30)
        assert not world.call.got
        assert [(r.outcome, r.ref) for r in await world.receipts()] == [(Outcome.SENT, "CA7")]
        assert world.call.recalled == ["CA7"]


async def test_who_may_have_been_reached_by_what_was_withdrawn_counts_as_reached(autojump_clock: MockClock) -> None:
    """The all-clear has to find them; and nobody gets what was withdrawn."""
    for abilities in (ABILITIES, Abilities(idempotent=True)):
        _, world = await killed_between_hand_over_and_outcome(ask(), abilities)
        async with running(world):
            await world.dispatch.recover([Pending(ordered=ask(), withdrawn="ended")])
            await trio.sleep(60)
            assert not world.sms.got
            (receipt,) = await world.receipts()
            assert (receipt.outcome, "may have arrived" in receipt.reason) == (Outcome.SENT, True)


async def test_what_is_withdrawn_while_the_hub_comes_back_is_not_sent(autojump_clock: MockClock) -> None:
    before = World()
    before.dispatch.submit(ask())
    world = await crash(before)
    async with running(world), trio.open_nursery() as nursery:
        attempts_of = world.journal.attempts_of

        async def slowly(orders: Sequence[str]) -> Sequence[Attempt]:
            await trio.sleep(1)
            return await attempts_of(orders)

        world.journal.attempts_of = slowly  # type: ignore[method-assign] # somebody answers in that second
        nursery.start_soon(world.dispatch.recover, [Pending(ordered=ask())])
        await trio.sleep(0.5)
        world.dispatch.withdraw("ask-1", "answered")
        await trio.sleep(60)
        assert not world.sms.got
        assert await world.outcomes("ask-1") == {Outcome.WITHDRAWN: 1}


async def test_what_was_withdrawn_and_never_tried_is_withdrawn(autojump_clock: MockClock) -> None:
    before = World()
    before.dispatch.submit(ask())
    world = await crash(before)
    async with running(world):
        await world.dispatch.recover([Pending(ordered=ask(), withdrawn="ended")])
        await trio.sleep(60)
        assert await world.outcomes("ask-1") == {Outcome.WITHDRAWN: 1}


async def test_two_that_look_the_same_in_the_list_are_not_taken_for_one_another(autojump_clock: MockClock) -> None:
    """A call has no text in the provider's list: of two to one number, which one it shows cannot be told."""
    before = World()
    before.call.takes_s = 5
    one, two = ask("one", channel="voice"), ask("two", channel="voice")
    async with running(before):
        before.dispatch.submit(one)
        before.dispatch.submit(two)
        await trio.sleep(1)
        assert len(before.call.got) == 1, "not both at once"
        world = await crash(before)
    world.call.settles = lambda _: Sent(ref="CA7")
    async with running(world):
        await world.dispatch.recover([Pending(ordered=one), Pending(ordered=two)])
        await trio.sleep(60)
        assert sorted((o.order, o.repeat) for _, o in world.call.got) == [("one", True), ("two", True)]
        assert not world.call.asked


async def test_what_the_journal_knows_to_be_anothers_is_passed_over(autojump_clock: MockClock) -> None:
    before = World()
    async with running(before):
        before.dispatch.submit(ask("one", channel="voice"))
        await trio.sleep(1)
        before.call.takes_s = 5
        before.dispatch.submit(ask("two", channel="voice"))
        await trio.sleep(1)
        world = await crash(before)
    world.call.settles = lambda o: UNTOLD if "ref-one-0" in o.others else Sent(ref="ref-one-0")
    async with running(world):
        await world.dispatch.recover([Pending(ordered=ask("two", channel="voice"))])
        await trio.sleep(60)
        assert [(o.order, o.repeat) for _, o in world.call.got] == [("two", True)]


async def test_a_doubt_of_an_earlier_life_is_not_forgotten(autojump_clock: MockClock) -> None:
    """`one` was withdrawn in doubt, and what may have come of it may still stand in the provider's list."""
    _, second = await killed_between_hand_over_and_outcome(ask("one", channel="voice"))
    one, two = ask("one", channel="voice"), ask("two", channel="voice")
    async with running(second):
        await second.dispatch.recover([Pending(ordered=one, withdrawn="ended")])
        await trio.sleep(1)
        assert await second.outcomes("one") == {Outcome.SENT: 1}
        second.call.takes_s = 5
        second.dispatch.submit(two)
        await trio.sleep(1)
        third = await crash(second)
    third.call.settles = lambda _: Sent(ref="CA-one")
    async with running(third):
        await third.dispatch.recover([Pending(ordered=two)], [one, two])
        await trio.sleep(60)
        assert [(o.order, o.repeat) for _, o in third.call.got] == [("two", True)]


async def test_what_was_found_out_is_written_down_before_all_is(autojump_clock: MockClock) -> None:
    before = World(people=300, sms=WIDE)
    before.sms.abilities = Abilities(settles=True)
    before.sms.takes_s = 5
    async with running(before):
        order = mass(300, await before.audience(300))
        before.dispatch.submit(order)
        await trio.sleep(1)
        world = await crash(before)
    world.sms.abilities = Abilities(settles=True)

    async def slowly(_: Outgoing) -> Answer:
        await trio.sleep(2)
        return Sent(ref="SM1")

    world.sms.settles = slowly
    async with running(world):
        await world.dispatch.recover([Pending(ordered=order)])
        await trio.sleep(7)
        assert 0 < (await world.outcomes("mass-1"))[Outcome.SENT] < 300


async def test_a_doubt_never_cleared_up_is_not_settled_by_anothers_message(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.call.says = lambda o: Retry(reason="timeout", doubt=True) if o.nth == 1 else Sent(ref=f"CA-{o.order}")
        world.call.settles = lambda o: Sent(ref="CA-one") if o.order == "two" else UNTOLD
        world.dispatch.submit(ask("one", channel="voice"))
        await trio.sleep(0.5)
        world.dispatch.submit(ask("two", channel="voice"))
        await trio.sleep(60)
        assert sorted((o.order, o.repeat) for _, o in world.call.got if o.nth == 2) == [("one", True), ("two", True)]
        assert {r.ref for r in await world.receipts() if r.outcome is Outcome.SENT} == {"CA-one", "CA-two"}


async def test_what_was_taken_in_this_life_is_known_to_be_anothers(autojump_clock: MockClock) -> None:
    """A channel that was started again with its edge remembers nothing: the hub tells it."""
    async with running(World()) as world:
        world.dispatch.submit(ask("one", channel="voice"))
        await trio.sleep(1)
        world.call.says = lambda o: Retry(reason="the edge ended", doubt=True) if o.nth == 1 else Sent(ref="ref-two")
        world.call.settles = lambda o: UNTOLD if "ref-one-0" in o.others else Sent(ref="ref-one-0")
        world.dispatch.submit(ask("two", channel="voice"))
        await trio.sleep(60)
        assert [(o.order, o.repeat) for _, o in world.call.got] == [("one", False), ("two", False), ("two", True)]


async def test_a_mass_message_goes_on_where_it_was(autojump_clock: MockClock) -> None:
    before = World(people=1000, sms=Limits(rate=1000, burst=300, burst_asks=0, width=64))
    async with running(before):
        order = mass(1000, await before.audience(1000))
        before.sms.takes_s = 0.03
        before.dispatch.submit(order)
        await trio.sleep(0.25)
        world = await crash(before)
    known = {r.index for r in await world.receipts() if r.outcome is Outcome.SENT}
    handed = {o.index for _, o in before.sms.got}
    assert 0 < len(known) < len(handed) < 1000
    open_ = tuple(i for i in range(1000) if i not in known)
    async with running(world):
        await world.dispatch.recover([Pending(ordered=order, open=open_)])
        await world.quiet()
    sent = Counter(o.index for _, o in before.sms.got) + Counter(o.index for _, o in world.sms.got)
    assert set(sent) == set(range(1000)), "nobody is forgotten"
    assert not {o.index for _, o in world.sms.got} & known, "what is known to have gone is not sent again"
    again = {o.index for _, o in world.sms.got if o.index in handed}
    marked = {o.index for _, o in world.sms.got if o.repeat}
    assert again <= marked, "every repeat is marked"
    assert world.dispatch.counters.repeats == len(marked)
    assert not {
        i for i in marked if not any(a.start <= i < a.stop for a in await before.journal.attempts_of(["mass-1"]))
    }


async def test_finishing_waits_for_what_is_in_flight_and_starts_nothing_more(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.sms.takes_s = 2
        world.dispatch.submit(ask("one", "p1"))
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.dispatch.finish, 5)
            await trio.sleep(0.1)
            world.dispatch.submit(ask("two", "p2"))
        assert await world.outcomes("one") == {Outcome.SENT: 1}
        assert [o.order for _, o in world.sms.got] == ["one"]


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_the_channel_does_every_delivery_ends_once_and_repeats_are_marked(
    seed: int, autojump_clock: MockClock
) -> None:
    """A channel that takes, loses answers, refuses, is slow; a hub that crashes now and then."""
    chance = random.Random(seed)
    arrived: Counter[tuple[str, int]] = Counter()
    unmarked: Counter[tuple[str, int]] = Counter()

    async def says(outgoing: Outgoing) -> Answer:
        await trio.sleep(chance.random() * 2)
        what = chance.random()
        if what < 0.5 or 0.6 <= what < 0.7:
            arrived[outgoing.order, outgoing.index] += 1
            unmarked[outgoing.order, outgoing.index] += not outgoing.repeat
        if what < 0.5:
            return Sent()
        if what < 0.7:
            return Retry(reason="timeout", doubt=True)
        return Retry(reason="503") if what < 0.95 else Dead(reason="unknown")

    world = World(people=150, sms=WIDE)
    audience = await world.audience(150)
    orders = [mass(150, audience), *(ask(f"ask-{n}", f"p{n}") for n in range(10))]
    fresh = True
    for _ in range(6):
        world.sms.says = says
        async with running(world):
            if fresh:
                for order in orders:
                    world.dispatch.submit(order)
            else:
                ended = {(r.order, r.index) for r in await world.receipts() if r.outcome is not Outcome.RETRY}
                pending = [
                    Pending(ordered=o, open=tuple(i for i in range(o.size or 1) if (o.order, i) not in ended))
                    for o in orders
                ]
                await world.dispatch.recover(p for p in pending if p.open)
            fresh = False
            await trio.sleep(chance.random() * 20)
            world = await crash(world)
    world.sms.says = says
    async with running(world):
        ended = {(r.order, r.index) for r in await world.receipts() if r.outcome is not Outcome.RETRY}
        for o in orders:
            open_ = tuple(i for i in range(o.size or 1) if (o.order, i) not in ended)
            await world.dispatch.recover([Pending(ordered=o, open=open_)] if open_ else [])
        await trio.sleep(8 * 3600)
    ends = Counter((r.order, r.index) for r in await world.receipts() if r.outcome is not Outcome.RETRY)
    assert set(ends) == {(o.order, i) for o in orders for i in range(o.size or 1)}
    assert set(ends.values()) == {1}
    assert max(unmarked.values()) == 1, "what may arrive twice says so the second time"
