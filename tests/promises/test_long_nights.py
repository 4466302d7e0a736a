"""Long nights and odd days: five tiers over three hours, two incidents at once, 29 February."""

import pytest
from trio.testing import MockClock

from hub.model.people import Layer, Roster
from tests.promises.night import local, night
from tests.promises.rules import OUTAGE, WEATHER, asking, chain, rules, sheet, tier

pytestmark = pytest.mark.trio


async def test_a_chain_of_five_tiers_over_three_hours(autojump_clock: MockClock) -> None:
    names = ("anna", "bea", "carl", "dirk", "emma")
    async with night(
        rules(chain(*(tier(name, minutes=36, between_s=600) for name in names), exhausted="directors"))
    ) as n:
        began = n.now
        await n.warning()
        for officer in n.people(*names):
            await officer.is_asked()
            await n.nobody_is_disturbed(minutes=9)
            await n.after(minutes=1)
            rung = await officer.is_rung()
            await n.nobody_is_disturbed(minutes=25)
            await n.after(minutes=1)
            assert officer.stops_ringing(rung)
        (director,) = n.people("director")
        asked = await director.is_asked()
        assert 0 <= (asked.at - began).total_seconds() - 3 * 3600 < 10
        assert n.alarms == ["chain-exhausted"]
        assert n.alarm("chain-exhausted").endswith("no answer: anna, bea, carl, dirk, emma; lacking: 1 more")
        await director.accepts("oui, 30 min", there_in=30)
        assert n.alarms == []


async def test_two_incidents_ask_the_same_officer_at_once(autojump_clock: MockClock) -> None:
    """Each with its code; an answer that could mean either is asked about; one for both is taken for both."""
    async with night(rules(chain(tier("anna", "bea")), sheets=(WEATHER, OUTAGE))) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning("w1")
        await n.warning("w2", hazard="flood")
        for officer in (anna, bea):
            storm, outage = await officer.is_asked(), await officer.is_asked("calls-ask")
            assert (storm.code, outage.code) == ("A", "B")
        await anna.replies("oui")
        assert "A, B" in (await anna.receives("hub.which")).words
        await anna.accepts("B")
        await bea.is_let_off()
        assert [run.outcome for run in n.state.runs.values()] == ["", "accepted"]
        await bea.replies("ja")  # to the outage, from which she has just been let off, or to the storm?
        await bea.receives("hub.which")
        await bea.accepts("A")
        await anna.is_let_off()
        assert [run.outcome for run in n.state.runs.values()] == ["accepted", "accepted"]
        await n.nobody_is_disturbed(hours=9)


async def test_two_sheets_on_one_warning_ask_once_and_one_answer_is_for_both(autojump_clock: MockClock) -> None:
    other = sheet("emergency-calls-outage", ask="calls-ask", over="calls-over")
    both = rules(chain(tier("dirk")), sheets=(WEATHER, other))
    async with night(both) as n:
        (dirk,) = n.people("dirk")
        await n.warning()
        asked = await dirk.is_asked("hub.merged-ask")
        assert "Extreme weather" in asked.words
        await dirk.accepts(asked.code)
        assert [run.outcome for run in n.state.runs.values()] == ["accepted", "accepted"]


@pytest.mark.parametrize(("year", "leap"), [("2028", True), ("2027", False)], ids=["a leap year", "the year before"])
async def test_the_29th_of_february_has_its_turn(autojump_clock: MockClock, year: str, leap: bool) -> None:
    """Turns of a day go on over it, a warning of that night is told with its date, and time to answer crosses it."""
    daily = Layer(turns=(("anna",), ("bea",), ("carl",)), first=f"{year}-02-27", days=1, at="08:00")
    roster = Roster(id="duty", layers=(daily,), zone="Europe/Brussels")
    on_duty = rules(chain(tier("roster duty"), tier("dirk")), rosters=[roster])
    async with night(on_duty, at=local(f"{year}-02-28 23:59")) as n:
        bea, carl, anna = n.people("bea", "carl", "anna")
        await n.warning("w1")
        await bea.is_asked()
        await bea.declines("nee")
        after_midnight = await n.person("dirk").is_asked()
        assert "28 Feb" in after_midnight.words
        await n.after(minutes=2)
        await n.person("dirk").is_rung()
        await n.person("dirk").accepts("yes")
        await n.all_clear("w1")
        await bea.receives("weather-over")
        await n.person("dirk").receives("weather-over")
        day = f"{year}-02-29" if leap else f"{year}-03-01"
        await n.until(local(f"{day} 08:00"))
        await n.warning("w2")
        asked = await carl.is_asked()
        assert ("29. Feb." if leap else "1. März") in asked.words
        await carl.accepts("ja")
        if leap:
            await n.until(local(f"{year}-03-01 08:00"))
            await n.all_clear("w2")
            await carl.receives("weather-over")
            await n.warning("w3")
            await anna.is_asked()
            await anna.accepts("oui")


async def test_a_warning_that_holds_until_the_29th_of_february_ends_on_it(autojump_clock: MockClock) -> None:
    async with night(asking("anna"), at=local("2028-02-28 22:00")) as n:
        (anna,) = n.people("anna")
        await n.warning(hours=26)
        await anna.is_asked()
        await anna.accepts()
        await n.until(local("2028-02-29 23:59"))
        await n.nobody_is_disturbed(seconds=55)
        over = await anna.receives("weather-over")
        assert over.at == local("2028-03-01 00:00")
