"""What today's systems are blamed for, and must be impossible here: each complaint is a story by its name."""

import pytest
from trio.testing import MockClock

from connectors.twilio.twiml import Speech, script
from hub.model.people import Language, Layer, Roster
from tests.promises.night import local, night
from tests.promises.rules import OUTAGE, WEATHER, asking, chain, rules, tier
from tools.phones.twiml import Gather, Say, parse

pytestmark = pytest.mark.trio


# --- "paging goes on after an acknowledgement" -------------------------------------------------------------


async def test_paging_does_not_go_on_after_an_acknowledgement(autojump_clock: MockClock) -> None:
    """By nobody, over no channel, in no tier, in no further round; and who was disturbed is told."""
    many = rules(chain(tier("anna", "bea", "carl", times=3), tier("dirk")))
    async with night(many) as n:
        anna, bea, carl = n.people("anna", "bea", "carl")
        await n.warning()
        for officer in (anna, bea, carl):
            await officer.is_asked()
        await n.after(seconds=90)
        rung = {officer: await officer.is_rung() for officer in (anna, bea, carl)}
        await anna.accepts("oui")
        for officer in (bea, carl):
            await officer.is_let_off()
        assert all(officer.stops_ringing(call) for officer, call in rung.items())
        await n.nobody_is_disturbed(hours=10)


async def test_paging_stops_when_the_answer_comes_by_another_channel_than_the_last(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        await n.after(seconds=90)
        await anna.presses("1", on=await anna.is_rung())
        await n.nobody_is_disturbed(hours=10)
        assert n.run.outcome == "accepted"


async def test_an_acknowledgement_while_the_call_is_being_placed_stops_it(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        await n.after(seconds=89.9)
        await anna.replies("oui")
        await anna.receives("hub.accepted")
        await n.nobody_is_disturbed(hours=10)


# --- "the roster is off by an hour at the change of clocks" ------------------------------------------------

DAILY = Layer(turns=(("anna",), ("bea",)), first="2026-01-01", days=1, at="08:00")


@pytest.mark.parametrize("day", ["2026-10-25", "2027-03-28"], ids=["an hour twice", "an hour never"])
async def test_the_roster_is_not_off_by_an_hour_on_either_night_the_clocks_change(
    autojump_clock: MockClock, day: str
) -> None:
    """Who takes over at eight is called from eight on by the clock on the wall, and not a minute before."""
    on_duty = rules(chain(tier("roster duty")), rosters=[Roster(id="duty", layers=(DAILY,), zone="Europe/Brussels")])
    async with night(on_duty, at=local(f"{day} 01:30")) as n:
        anna, bea = n.people("anna", "bea")
        await n.until(local(f"{day} 07:59"))
        await n.warning("w1")
        await anna.is_asked()
        await anna.accepts()
        await n.all_clear("w1")
        await anna.receives("weather-over")
        await n.until(local(f"{day} 08:00"))
        await n.warning("w2")
        await bea.is_asked()
        await bea.accepts()


async def test_the_hour_that_comes_twice_is_counted_twice(autojump_clock: MockClock) -> None:
    """A chain under way goes by minutes that pass, not by what clocks show; nobody's time to answer is an hour off."""
    async with night(rules(chain(tier("anna", minutes=90), tier("bea"))), at=local("2026-10-25 02:10")) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        await anna.is_asked()
        await n.after(seconds=90)
        await anna.is_rung()
        await n.until(local("2026-10-25 02:39", fold=1))
        await n.nobody_is_disturbed(seconds=55)
        asked = await bea.is_asked()
        assert asked.at >= local("2026-10-25 02:40", fold=1)
        assert "02.10 uur" in asked.words, "the beginning of the warning, as clocks showed it"
        await bea.accepts()


async def test_a_night_shift_has_nine_hours_when_the_clocks_go_back(autojump_clock: MockClock) -> None:
    nights = Layer(turns=(("bea",),), first="2026-01-01", days=1, at="08:00", hours=("22:00", "06:00"))
    by_day = Layer(turns=(("anna",),), first="2026-01-01")
    roster = Roster(id="duty", layers=(by_day, nights), zone="Europe/Brussels")
    async with night(rules(chain(tier("roster duty")), rosters=[roster]), at=local("2026-10-24 21:59")) as n:
        for at, who in (
            (local("2026-10-24 22:00"), "bea"),
            (local("2026-10-25 02:30"), "bea"),
            (local("2026-10-25 02:30", fold=1), "bea"),
            (local("2026-10-25 05:59"), "bea"),
            (local("2026-10-25 06:00"), "anna"),
        ):
            await n.until(at)
            await n.warning(f"w{at}")
            officer = n.person(who)
            asked = await officer.is_asked()
            await officer.accepts(asked.code)
            await n.all_clear(f"w{at}")
            await officer.receives("weather-over")


# --- "digits are ignored while the voice speaks" -----------------------------------------------------------


async def test_no_digit_is_ignored_while_the_voice_speaks(autojump_clock: MockClock) -> None:
    """Every word of a call that asks is spoken while a key is listened for; the first key is the answer, and the call
    confirms it. (tests/edge/test_twilio_voice.py presses it in mid-sentence, on a real call to the phone simulator.)"""
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        await n.after(seconds=90)
        rung = await anna.is_rung()
        verbs = parse(script(rung.words, Speech(language=Language.FR, ask=True, action="https://hub.example/key")))
        listening = [verb for verb in verbs if isinstance(verb, Gather)]
        spoken = [verb.text for gather in listening for verb in gather.prompt if isinstance(verb, Say)]
        assert rung.words in spoken, "the message is said while the phone listens"
        assert {gather.num_digits for gather in listening} == {1}, "one key is the answer, nothing more is waited for"
        assert len([verb for verb in verbs if isinstance(verb, Say)]) == 1, "but for the goodbye, nothing is said deaf"
        await anna.presses("1", on=rung)
        await n.nobody_is_disturbed(hours=10)
        assert n.run.outcome == "accepted"


# --- "no reply to my SMS" ----------------------------------------------------------------------------------


@pytest.mark.parametrize("officer", ["anna", "bea", "carl", "dirk"], ids=["fr", "nl", "de", "en"])
async def test_every_sms_of_an_officer_is_answered_in_their_language(autojump_clock: MockClock, officer: str) -> None:
    async with night(rules(chain(tier(officer), tier("emma")))) as n:
        person, emma = n.people(officer, "emma")
        await person.replies("bonjour?")
        await person.receives("hub.nothing-open")
        await n.warning()
        asked = await person.is_asked()
        await person.replies("qwertz uiop")
        assert asked.code in (await person.receives("hub.not-understood")).words
        await person.replies("ok?")
        await person.receives("hub.not-understood")
        await person.declines(f"{asked.code} no")
        await emma.is_asked()
        await person.accepts(f"{asked.code} ok")  # changed their mind while somebody is still sought
        await emma.is_let_off()
        await emma.replies("oui")
        await emma.receives("hub.too-late")


# --- "the escalation stops when the system is restarted" ---------------------------------------------------


async def test_an_escalation_does_not_stop_at_a_restart_of_forty_minutes(autojump_clock: MockClock) -> None:
    """Nobody is skipped unrung: whose time ran while the hub was down is rung, and has as long as a telephone has
    before something else is tried; then the next is called."""
    async with night(rules(chain(tier("anna"), tier("bea"), tier("carl")))) as n:
        anna, bea, carl = n.people("anna", "bea", "carl")
        await n.warning()
        await anna.is_asked()
        await n.after(seconds=30)
        await n.is_down_for(minutes=40)
        await anna.is_rung()
        await n.nobody_is_disturbed(seconds=85)
        await bea.is_asked(within_s=10)
        await n.after(seconds=90)
        await bea.is_rung()
        await n.after(seconds=150)
        await carl.is_asked()
        await carl.accepts("ja")
        await n.nobody_is_disturbed(hours=10)


@pytest.mark.parametrize("after_s", [0.0, 1.0, 60.0, 91.0, 239.0, 241.0, 300.0, 331.0])
async def test_wherever_in_an_escalation_the_hub_dies_somebody_is_found(
    autojump_clock: MockClock, after_s: float
) -> None:
    """And before the fallback is called, each of the chain has been texted and rung."""
    async with night(rules(chain(tier("anna"), tier("bea"), exhausted="directors"))) as n:
        anna, bea, director = n.people("anna", "bea", "director")
        await n.warning()
        await n.after(seconds=after_s)
        await n.is_down_for(minutes=40)
        asked = await director.is_asked(within_s=1200)
        tried = {(d.outgoing.to, d.channel) for d in n.left}
        assert tried == {(person.address(by), by) for person in (anna, bea) for by in ("sms", "voice")}
        n.left.clear()
        await director.accepts(f"{asked.code} 20", there_in=20)
        await n.nobody_is_disturbed(hours=9)


async def test_an_answer_given_while_the_hub_was_down_counts_before_anybody_is_called(
    autojump_clock: MockClock,
) -> None:
    async with night(rules(chain(tier("anna"), tier("bea")))) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        await n.goes_down()
        await n.after(minutes=20)
        await anna.replies("oui, 20 min")
        await n.after(minutes=20)
        await n.comes_up()
        await anna.receives("hub.accepted-eta")
        await n.nobody_is_disturbed(hours=10)


# --- "never acknowledge, or you stop everyone else" --------------------------------------------------------


async def test_who_acknowledges_stops_nobody_else_who_is_needed(autojump_clock: MockClock) -> None:
    """Three are wanted: the first yes changes nothing for the others, who are rung on, and after them the next."""
    async with night(rules(chain(tier("anna", "bea"), tier("carl"), need=3))) as n:
        anna, bea, carl = n.people("anna", "bea", "carl")
        await n.warning()
        for officer in (anna, bea):
            await officer.is_asked()
        await anna.accepts("oui")
        await n.after(seconds=90)
        rung = await bea.is_rung()
        assert not bea.stops_ringing(rung)
        await bea.presses("1", on=rung)
        await carl.is_asked()
        await carl.accepts("ja")
        await n.nobody_is_disturbed(hours=10)
        assert n.run.accepted == ["anna", "bea", "carl"]


async def test_who_acknowledges_one_incident_stops_nobody_in_another(autojump_clock: MockClock) -> None:
    both = rules(chain(tier("anna", "bea")), sheets=(WEATHER, OUTAGE))
    async with night(both) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning("w1")
        await n.warning("w2", hazard="flood")
        codes = {}
        for officer in (anna, bea):
            codes[officer] = (await officer.is_asked()).code, (await officer.is_asked("calls-ask")).code
        await anna.accepts(codes[anna][0])
        await bea.is_let_off()
        await n.after(seconds=90)
        for officer in (anna, bea):
            await officer.is_rung("calls-ask")
        await bea.accepts(codes[bea][1])
        await anna.is_let_off()


async def test_who_declines_stops_nobody(autojump_clock: MockClock) -> None:
    async with night(asking("anna", "bea")) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        for officer in (anna, bea):
            await officer.is_asked()
        await anna.declines("non")
        await n.after(seconds=90)
        await bea.presses("1", on=await bea.is_rung())
