"""An exercise is one from birth to archive: seen and heard as one, and kept from what is for earnest only."""

import pytest
from msgspec.structs import replace
from trio.testing import MockClock

from hub.dispatch.render import EVERYWHERE
from hub.model.events import Opened, Ordered
from hub.model.people import Address, Steer
from hub.model.signal import Status
from tests.promises.night import night
from tests.promises.rules import PEOPLE, asking, chain, rules, sheet, tier

pytestmark = pytest.mark.trio

MARKS = {"anna": "EXERCICE", "bea": "OEFENING", "carl": "ÜBUNG", "dirk": "EXERCISE"}


@pytest.mark.parametrize("officer", MARKS)
async def test_all_that_goes_out_in_an_exercise_says_so_first_in_every_language_and_channel(
    autojump_clock: MockClock, officer: str
) -> None:
    weather = sheet(partners="weather-partners")
    everywhere = rules(chain(tier(officer, by=("sms", "voice", "email"), minutes=6)), sheets=(weather,))
    async with night(everywhere) as n:
        person, police = n.people(officer, "police")
        await n.warning(status=Status.EXERCISE)
        seen = [await person.is_asked()]
        await n.after(seconds=90)
        seen.append(await person.is_rung())
        await n.after(seconds=90)
        seen.append(await person.is_asked(by="email"))
        assert MARKS[officer] in seen[-1].outgoing.subject
        seen.append(await person.accepts("A"))
        await n.all_clear(status=Status.EXERCISE)
        seen.append(await person.receives("weather-over"))
        for delivery in seen:
            assert delivery.words.upper().startswith((MARKS[officer], EVERYWHERE)), delivery.words
            assert delivery.outgoing.status is Status.EXERCISE
        for message in ("weather-partners", "weather-over"):
            assert (await police.receives(message)).words.startswith("OEFENING")
        assert {event.status for event in await n.events(Ordered)} == {Status.EXERCISE}
        assert {event.status for event in await n.events(Opened)} == {Status.EXERCISE}


async def test_what_is_in_earnest_never_says_exercise(autojump_clock: MockClock) -> None:
    async with night(asking(*MARKS)) as n:
        await n.warning()
        for officer in n.people(*MARKS):
            asked = await officer.is_asked()
            assert not any(mark in asked.words.upper() for mark in MARKS.values())
        (anna, *others) = n.people(*MARKS)
        await anna.accepts()
        for officer in others:
            await officer.is_let_off()


async def test_an_exercise_never_reaches_an_address_that_is_live_only_nor_who_is_left_out(
    autojump_clock: MockClock,
) -> None:
    private = Address("voice", "+32470000091", live_only=True)
    anna = replace(PEOPLE["anna"], addresses=(PEOPLE["anna"].addresses[0], private))
    bea = replace(PEOPLE["bea"], exercises=False)
    async with night(rules(chain(tier("anna", "bea")), people=(anna, bea))) as n:
        first, second = n.people("anna", "bea")
        await n.warning("w1", status=Status.EXERCISE)
        await first.is_asked()
        await n.nobody_is_disturbed(minutes=5)  # no call to the private telephone, nothing to bea
        assert n.alarms == ["chain-exhausted"]
        await n.warning("w2")
        for officer in (first, second):
            asked = await officer.is_asked()
            assert asked.outgoing.status is Status.ACTUAL
        await n.after(seconds=90)
        await first.is_rung()
        await second.is_rung()
        await first.accepts("B")
        await second.is_let_off()
        await n.steers(Steer.AGAIN)  # of the exercise or of the real thing: of the newest, which is real
        await second.accepts((await second.is_asked()).code)


async def test_an_exercise_and_the_real_thing_share_nothing(autojump_clock: MockClock) -> None:
    """Neither an incident nor an ask nor an end: an exercise that is over gives no all-clear to the real one."""
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning("w1", status=Status.EXERCISE)
        exercise = await anna.is_asked()
        await n.warning("w2")
        actual = await anna.is_asked()
        assert exercise.code != actual.code
        confirmed = await anna.accepts(actual.code)
        assert not confirmed.words.startswith("EXERCICE")
        assert {run.outcome for run in n.state.runs.values()} == {"", "accepted"}
        await n.all_clear("w1", status=Status.EXERCISE)
        over = await anna.receives("weather-over")
        assert over.words.startswith("EXERCICE")
        await n.nobody_is_disturbed(hours=5)
        assert [i.status for i in n.state.incidents.values() if not i.ended] == [Status.ACTUAL]
