"""One channel, several providers, in virtual time: to whom each delivery goes, what happens when one is out, what the
room hears."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock

from hub.connector import Abilities, Answer, Dead, Outgoing, Retry, Sent
from hub.dispatch.health import PAUSES_S
from hub.dispatch.orders import Pending
from hub.dispatch.route import Routes
from hub.model.events import Ordered
from hub.model.message import Lane, Outcome
from hub.model.people import Address, Person
from hub.model.records import ChannelChanged
from hub.model.signal import Status
from hub.people.directory import Directory
from tests.sim.test_dispatch import EPOCH, WIDE, World, ask, mass, running

pytestmark = pytest.mark.trio

SECOND = Routes(fall_back={"sms": "sms-second"})
ABROAD = Routes(fall_back={"sms": "sms-second"}, by_prefix={"sms": {"+49": "sms-abroad", "+4930": "sms"}})
SETTLES = Abilities(answers=True, receipts=True, settles=True)


def down(_: Outgoing) -> Answer:
    return Retry(reason="503")


async def hangs(_: Outgoing) -> Answer:
    await trio.sleep_forever()
    raise AssertionError


async def changes(world: World) -> list[ChannelChanged]:
    return [fact.body for fact in await world.facts(ChannelChanged)]  # type: ignore[misc] # of that kind


def people(*numbers: str) -> Directory:
    return Directory(
        Person(id=f"p{i}", name=f"Invented {i}", addresses=(Address("sms", number),))
        for i, number in enumerate(numbers)
    )


# --- an ask ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(down, id="503"),
        pytest.param(lambda _: Retry(reason="500", doubt=True), id="500"),
        pytest.param(lambda _: Retry(reason="429", after_s=45.0), id="throttled"),
        pytest.param(lambda _: Dead(reason="401", alarm=True), id="credentials"),
        pytest.param(lambda _: Dead(reason="402 no credit", alarm=True), id="no credit"),
        pytest.param(lambda _: Dead(reason="not served", elsewhere=True), id="not served"),
        pytest.param(hangs, id="hangs"),
    ],
)
async def test_what_one_provider_does_not_take_goes_by_the_next_at_once(
    autojump_clock: MockClock, says: Callable[[Outgoing], Answer | Awaitable[Answer]]
) -> None:
    async with running(World(routes=SECOND, abilities=SETTLES)) as world:
        world.sms.says = says
        world.sms.settles = hangs if says is hangs else None
        world.dispatch.submit(ask())
        await world.quiet()
        ((at, outgoing),) = world.second.got
        assert at - world.start_s <= 10.0
        assert (outgoing.nth, outgoing.to) == (2, "+32450000000")
        assert await world.outcomes("ask-1") == {Outcome.RETRY: 1, Outcome.SENT: 1}
        first, second = await world.attempts("ask-1")
        assert (first.provider, second.provider) == ("", "sms-second")
        in_doubt = says is hangs or (isinstance(said := says(outgoing), Retry) and said.doubt)
        assert (outgoing.repeat, outgoing.text.startswith("fr (repeat)")) == (in_doubt, in_doubt)


@pytest.mark.parametrize("reason", ["unknown number", "blocked", "opted out"])
async def test_what_is_wrong_with_the_address_is_not_tried_by_another_provider(
    autojump_clock: MockClock, reason: str
) -> None:
    async with running(World(routes=SECOND)) as world:
        world.sms.says = lambda _: Dead(reason=reason)
        world.dispatch.submit(ask())
        await world.quiet()
        assert not world.second.got
        assert await world.outcomes("ask-1") == {Outcome.FAILED: 1}


async def test_a_phone_that_is_off_is_tried_again_by_the_same_provider(autojump_clock: MockClock) -> None:
    async with running(World(routes=SECOND)) as world:
        said = iter([Retry(reason="30003", after_s=30.0, address=True), Sent()])
        world.sms.says = lambda _: next(said)
        world.dispatch.submit(ask())
        await world.quiet()
        assert (len(world.sms.got), world.second.got) == (2, [])


async def test_what_the_first_has_taken_after_all_is_not_sent_by_the_second(autojump_clock: MockClock) -> None:
    async with running(World(routes=SECOND, abilities=SETTLES)) as world:
        world.sms.says = hangs
        world.sms.settles = lambda _: Sent(ref="found")
        world.dispatch.submit(ask())
        await world.quiet()
        assert not world.second.got
        assert [(r.outcome, r.ref) for r in await world.receipts()] == [(Outcome.SENT, "found")]


async def test_where_no_provider_takes_it_both_are_tried_again_and_it_is_given_up(autojump_clock: MockClock) -> None:
    async with running(World(routes=SECOND)) as world:
        world.sms.says = world.second.says = down
        world.dispatch.submit(ask())
        await world.quiet()
        assert [len(world.sms.got), len(world.second.got)] == [2, 2]
        last = (await world.receipts())[-1]
        assert (last.outcome, last.reason) == (Outcome.FAILED, "given up after 4 tries: 503")
        assert trio.current_time() - world.start_s < 10


async def test_other_lanes_give_a_provider_a_few_tries(autojump_clock: MockClock) -> None:
    async with running(World(routes=SECOND)) as world:
        world.sms.says = down
        world.dispatch.submit(ask(lane=Lane.NOTIFY, values=()))
        await world.quiet()
        assert [len(world.sms.got), len(world.second.got)] == [3, 1]


# --- by prefix ---------------------------------------------------------------------------------------------


async def test_each_number_goes_by_the_provider_its_longest_prefix_names(autojump_clock: MockClock) -> None:
    async with running(World(routes=ABROAD)) as world:
        world.dispatch.directory = people("+32450000001", "+4915100000001", "+4930000001")
        for i in range(3):
            world.dispatch.submit(ask(f"ask-{i}", f"p{i}"))
        await world.quiet()
        assert {o.to for _, o in world.sms.got} == {"+32450000001", "+4930000001"}
        assert [o.to for _, o in world.abroad.got] == ["+4915100000001"]
        assert world.abroad.times() == [world.start_s]


async def test_a_mass_message_is_split_by_prefix_and_each_delivery_goes_once(autojump_clock: MockClock) -> None:
    async with running(World(routes=ABROAD, sms=WIDE, sms_abroad=WIDE)) as world:
        numbers = [f"+4915{i:08}" if i % 3 == 0 else f"+32450{i:06}" for i in range(300)]
        world.dispatch.directory = people(*numbers)
        world.dispatch.submit(mass(300, await world.audience(300)))
        await world.quiet()
        assert sorted(o.to for _, o in world.sms.got) == sorted(n for n in numbers if n.startswith("+32"))
        assert sorted(o.to for _, o in world.abroad.got) == sorted(n for n in numbers if n.startswith("+49"))
        assert await world.outcomes("mass-1") == {Outcome.SENT: 300}
        made = await world.attempts("mass-1")
        covered = [i for a in made for i in (a.only or range(a.start, a.stop))]
        assert sorted(covered) == list(range(300)), "each delivery is in one attempt, and no attempt names another's"
        assert len(made) < 20
        assert {a.provider for a in made} == {"", "sms-abroad"}


async def test_a_number_abroad_falls_back_to_the_channels_own_providers(autojump_clock: MockClock) -> None:
    async with running(World(routes=ABROAD)) as world:
        world.dispatch.directory = people("+4915100000001")
        world.abroad.says = world.sms.says = down
        world.dispatch.submit(ask())
        await world.quiet()
        assert [len(c.got) for c in (world.abroad, world.sms, world.second)] == [1, 1, 1]


# --- out ---------------------------------------------------------------------------------------------------


async def test_an_outage_is_seen_across_people_told_once_and_ends_with_the_first_that_goes(
    autojump_clock: MockClock,
) -> None:
    async with running(World(routes=SECOND)) as world:
        world.sms.says = down
        for i in range(8):
            world.dispatch.submit(ask(f"ask-{i}", f"p{i}"))
            await trio.sleep(1)
        assert len(world.sms.got) == 5, "from then on nobody waits for it"
        assert len(world.second.got) == 8
        since = EPOCH
        (told,) = await changes(world)
        assert told == ChannelChanged(
            channel="sms", health="failing", reason="503", since=since, people=5, meanwhile="sms-second"
        )
        shown = {one["name"]: one for one in world.dispatch.channels()}
        assert (shown["sms"]["health"], shown["sms"]["since"], shown["sms"]["meanwhile"]) == (
            "failing",
            since,
            "sms-second",
        )
        world.sms.says = lambda _: Sent()
        await trio.sleep(PAUSES_S[0])
        world.dispatch.submit(ask("probe", "p9"))
        world.dispatch.submit(ask("after", "p10"))
        await trio.sleep(1)
        assert len(world.sms.got) == 6, "one at a time"
        assert len(world.second.got) == 9
        assert (await changes(world))[1:] == [ChannelChanged(channel="sms", health="ok")]
        world.dispatch.submit(ask("well", "p11"))
        await world.quiet()
        assert len(world.sms.got) == 7


async def test_one_person_who_cannot_be_reached_is_no_outage(autojump_clock: MockClock) -> None:
    async with running(World(routes=SECOND)) as world:
        world.sms.says = lambda o: Retry(reason="500") if o.to.endswith("0") else Sent()
        for i in range(10):
            world.dispatch.submit(ask(f"ask-{i}", "p0"))
            await trio.sleep(1)
        assert not await changes(world)


async def test_addresses_that_do_not_answer_are_no_outage(autojump_clock: MockClock) -> None:
    async with running(World()) as world:
        world.sms.says = lambda _: Retry(reason="mailbox full", address=True)
        world.dispatch.submit(mass(20, await world.audience(20)))
        await trio.sleep(600)
        assert not await changes(world)


async def test_without_fall_back_asks_fail_at_once_and_the_rest_waits_until_it_works(
    autojump_clock: MockClock,
) -> None:
    async with running(World(people=40, sms=WIDE)) as world:
        world.sms.says = down
        world.dispatch.submit(mass(20, await world.audience(20)))
        await trio.sleep(0.5)
        world.dispatch.submit(ask("one", "p30"))
        await trio.sleep(1)
        (told,) = [r for r in await world.receipts() if r.order == "one"]
        assert (told.outcome, told.reason) == (Outcome.FAILED, "sms is out: 503")
        (change,) = await changes(world)
        assert change.meanwhile == ""
        tried = len(world.sms.got)
        await trio.sleep(600)
        assert len(world.sms.got) - tried <= 12, "one at a time, at most one a minute after the first"
        world.sms.says = lambda _: Sent()
        await world.quiet()
        assert (await world.outcomes("mass-1"))[Outcome.SENT] == 20
        assert (await changes(world))[-1] == ChannelChanged(channel="sms", health="ok")


async def test_refused_by_the_only_provider_a_mass_message_waits_for_the_operator(autojump_clock: MockClock) -> None:
    async with running(World(sms=WIDE)) as world:
        world.sms.says = lambda _: Dead(reason="402 no credit", alarm=True)
        world.dispatch.submit(mass(20, await world.audience(20)))
        await trio.sleep(1800)
        assert Outcome.FAILED not in await world.outcomes("mass-1")
        world.sms.says = lambda _: Sent()
        await world.quiet()
        assert (await world.outcomes("mass-1"))[Outcome.SENT] == 20


async def test_what_waits_when_a_provider_goes_out_goes_by_the_other_at_once(autojump_clock: MockClock) -> None:
    async with running(World(people=300, routes=SECOND, sms=WIDE, sms_second=WIDE)) as world:
        world.sms.says = hangs
        world.dispatch.submit(mass(300, await world.audience(300)))
        await trio.sleep(1)
        asked = trio.current_time()
        for i in range(20):  # more than have places
            world.dispatch.submit(ask(f"ask-{i}", f"p{i}"))
        await world.quiet()
        asks = [at for at, o in world.second.got if o.order.startswith("ask")]
        assert len(asks) == 20
        assert max(asks) - asked <= 11
        assert {o.index for _, o in world.second.got if o.order == "mass-1"} == set(range(300))
        assert (await changes(world))[0].health == "failing"


async def test_an_outage_of_an_earlier_life_ends_with_the_first_that_goes(autojump_clock: MockClock) -> None:
    async with running(World(routes=SECOND, failing=("sms",))) as world:
        world.dispatch.submit(ask())
        await world.quiet()
        assert len(world.sms.got) == 1
        assert await changes(world) == [ChannelChanged(channel="sms", health="ok")]


# --- silent ------------------------------------------------------------------------------------------------


async def test_a_provider_that_says_nothing_any_more_is_told(autojump_clock: MockClock) -> None:
    async with running(World(people=60)) as world:
        for i in range(25):
            world.dispatch.submit(ask(f"ask-{i}", f"p{i}"))
            await trio.sleep(4)
            world.dispatch.heard(f"ask-{i}", [(0, Outcome.DELIVERED, "")])
        for i in range(30, 36):
            world.dispatch.submit(ask(f"ask-{i}", f"p{i}"))
        since = world.now()
        await trio.sleep(50)
        assert not await changes(world)
        await trio.sleep(15)
        (told,) = await changes(world)
        assert (told.health, told.people) == ("silent", 6)
        assert told.since is not None
        assert abs(told.since - since) < timedelta(seconds=1)
        world.dispatch.submit(ask("goes", "p40"))
        await world.quiet()
        assert len(world.sms.got) == 32, "it is used all the same"
        world.dispatch.heard("ask-30", [(0, Outcome.DELIVERED, "")])
        await trio.sleep(1)
        assert (await changes(world))[-1] == ChannelChanged(channel="sms", health="ok")


# --- coming back -------------------------------------------------------------------------------------------


async def test_the_provider_that_may_have_taken_it_is_asked(autojump_clock: MockClock) -> None:
    """The first failed it, the second has it when the hub goes down."""
    world = World(routes=SECOND)
    world.second.abilities = SETTLES
    async with running(world):
        world.sms.says = down
        world.second.says = hangs
        world.dispatch.submit(ask())
        await trio.sleep(1)
    after = World(world.journal.survivor(), routes=SECOND)
    after.start_s, after.second.abilities = world.start_s, SETTLES
    after.second.settles = lambda _: Sent(ref="found")
    async with running(after):
        await after.dispatch.recover([Pending(ordered=ask())])
        await trio.sleep(20)
        assert (after.sms.asked, len(after.second.asked)) == ([], 1)
        assert not after.sms.got
        assert not after.second.got
        assert (await after.outcomes("ask-1"))[Outcome.SENT] == 1


async def test_parts_of_a_mass_message_in_doubt_are_each_asked_of_their_provider(autojump_clock: MockClock) -> None:
    numbers = [f"+4915{i:08}" if i % 3 == 0 else f"+32450{i:06}" for i in range(30)]
    world = World(routes=ABROAD, abilities=SETTLES, sms=WIDE, sms_abroad=WIDE)
    world.abroad.abilities = SETTLES
    world.dispatch.directory = people(*numbers)
    order: Ordered
    async with running(world):
        world.sms.says = world.abroad.says = hangs
        order = mass(30, await world.audience(30))
        world.dispatch.submit(order)
        await trio.sleep(1)
    after = World(world.journal.survivor(), routes=ABROAD, abilities=SETTLES, sms=WIDE, sms_abroad=WIDE)
    after.start_s, after.abroad.abilities = world.start_s, SETTLES
    after.dispatch.directory = people(*numbers)
    after.sms.settles = lambda _: Sent(ref="found")
    after.abroad.settles = lambda _: Retry(reason="not there")
    async with running(after):
        await after.dispatch.recover([Pending(ordered=order)])
        await trio.sleep(20)
        assert {o.to for o in after.sms.asked} == {n for n in numbers if n.startswith("+32")}
        assert {o.to for o in after.abroad.asked} == {n for n in numbers if n.startswith("+49")}
        assert not after.sms.got
        assert sorted(o.to for _, o in after.abroad.got) == sorted(n for n in numbers if n.startswith("+49"))
        assert not any(o.repeat for _, o in after.abroad.got)


async def test_a_provider_that_is_configured_no_more_is_replaced_and_says_so(autojump_clock: MockClock) -> None:
    world = World(routes=Routes(fall_back={"sms": "sms-gone"}))
    async with running(world):
        world.sms.says = hangs
        world.dispatch.submit(ask())
        await trio.sleep(1)
    (made,) = await world.attempts("ask-1")
    assert made.provider == "", "a provider that is none is none to go on to"


# --- exercises apart ---------------------------------------------------------------------------------------

TRIAL = Routes(fall_back={"sms": "sms-abroad"}, exercises={"sms": "sms-second"})


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
async def test_an_exercise_goes_by_the_provider_of_exercises_and_what_is_actual_never(
    autojump_clock: MockClock, status: Status
) -> None:
    async with running(World(routes=TRIAL)) as world:
        world.dispatch.submit(ask("drill", status=status))
        world.dispatch.submit(ask("real", person="p1"))
        await world.quiet()
        assert [o.order for _, o in world.second.got] == ["drill"]
        assert [o.order for _, o in world.sms.got] == ["real"]
        (attempt,) = await world.attempts("drill")
        assert attempt.provider == "sms-second"


async def test_when_all_its_providers_are_out_what_is_actual_still_does_not_go_by_that_of_exercises(
    autojump_clock: MockClock,
) -> None:
    async with running(World(routes=TRIAL)) as world:
        world.sms.says = world.abroad.says = lambda _: Dead(reason="401", alarm=True)
        world.dispatch.submit(ask("real"))
        world.dispatch.submit(ask("more", person="p1"))
        await world.quiet()
        assert world.second.got == []
        assert (await world.outcomes("real"))[Outcome.FAILED] == 1


async def test_and_an_exercise_whose_provider_is_out_is_not_sent_in_earnest(autojump_clock: MockClock) -> None:
    async with running(World(routes=TRIAL)) as world:
        world.second.says = lambda _: Dead(reason="401", alarm=True)
        world.dispatch.submit(ask("drill", status=Status.EXERCISE))
        await world.quiet()
        assert (world.sms.got, world.abroad.got) == ([], [])
        assert (await world.outcomes("drill"))[Outcome.FAILED] == 1


async def test_what_is_actual_on_a_channel_of_exercises_goes_nowhere(autojump_clock: MockClock) -> None:
    async with running(World(routes=Routes(exercises={"voice": "sms"}))) as world:
        world.dispatch.submit(ask("real"))
        await world.quiet()
        assert world.sms.got == []
        assert (await world.outcomes("real"))[Outcome.FAILED] == 1
