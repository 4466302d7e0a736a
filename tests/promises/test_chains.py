"""Alert chains in full: who is asked, when it is enough, who is let off, and what officers do with a chain."""

import pytest
from trio.testing import MockClock

from hub.model import records as r
from hub.model.events import RunEnded
from hub.model.message import Outcome
from hub.model.people import Plays, Role, Roster, Shift, Steer
from tests.promises.night import OFFICER, night
from tests.promises.rules import asking, chain, rules, sheet, tier

pytestmark = pytest.mark.trio


async def test_a_tier_asks_a_person_a_roster_a_group_and_whoever_has_a_competence(autojump_clock: MockClock) -> None:
    everyone = rules(
        chain(tier("anna", "roster duty", "group cell", "competence director")),
        rosters=[Roster(id="duty", shifts=(Shift(people=("bea",)),))],
        groups={"cell": ("carl", "anna")},
    )
    async with night(everyone) as n:
        await n.warning()
        asked = n.people("anna", "bea", "carl", "director")
        for officer in asked:
            await officer.is_asked()  # anna too once only
        await asked[0].accepts()
        for officer in asked[1:]:
            await officer.is_let_off()


async def test_one_after_the_other_nobody_is_woken_before_their_turn(autojump_clock: MockClock) -> None:
    async with night(asking("anna", "bea", in_turn=True)) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        await anna.is_asked()
        await n.nobody_is_disturbed(seconds=85)
        await n.after(seconds=5)
        await anna.is_rung()
        await n.nobody_is_disturbed(seconds=145)
        await n.after(seconds=5)
        await bea.is_asked()
        await bea.accepts("ja")
        await n.nobody_is_disturbed(hours=9)


async def test_two_officers_one_of_them_dutch_speaking_and_one_of_d3(autojump_clock: MockClock) -> None:
    roles = (Role(Plays.SPEAKS, "nl"), Role(Plays.DISCIPLINE, "D3"))
    async with night(rules(chain(tier("anna", "bea", "carl", "dirk"), need=2, roles=roles))) as n:
        anna, bea, carl, dirk = n.people("anna", "bea", "carl", "dirk")
        await n.warning()
        for officer in (anna, bea, carl, dirk):
            await officer.is_asked()
        await bea.accepts("ja")
        await anna.is_let_off()  # the place that is left is for D3
        assert n.run.outcome == ""
        await carl.accepts("ja")
        await dirk.is_let_off()
        assert n.run.outcome == "accepted"


async def test_the_partners_hear_of_it_once_enough_have_accepted(autojump_clock: MockClock) -> None:
    weather = sheet(partners="weather-partners")
    async with night(rules(chain(tier("anna", "bea"), need=2), sheets=(weather,))) as n:
        anna, bea, police = n.people("anna", "bea", "police")
        await n.warning()
        for officer in (anna, bea):
            await officer.is_asked()
        await anna.accepts()
        await n.nobody_is_disturbed(seconds=60)
        await bea.accepts()
        await police.receives("weather-partners")
        await n.all_clear()
        for person in (anna, bea, police):
            await person.receives("weather-over")


async def test_whoever_is_on_the_way_has_said_when_they_are_there(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        await anna.accepts("j'arrive, 20 minutes", there_in=20)
        assert (n.run.promised["anna"] - n.now).total_seconds() == pytest.approx(1200, abs=1)
        await anna.accepts("45 min", there_in=45)  # later after all
        assert (n.run.promised["anna"] - n.now).total_seconds() == pytest.approx(2700, abs=1)


async def test_not_me_call_x(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna"), tier("carl")))) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        await anna.is_asked()
        await anna.replies("pas moi, appelez Bea")
        assert "Bea Example" in (await anna.receives("hub.delegated")).words
        asked = await bea.is_asked()
        await bea.accepts(asked.code)
        await n.nobody_is_disturbed(hours=9)
        assert n.run.accepted == ["bea"]


async def test_a_later_tier_is_told_that_it_is_not_needed_only_if_it_was_disturbed(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna"), tier("bea"), tier("carl")))) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        await anna.is_asked()
        await n.after(seconds=90)
        await anna.is_rung()
        await n.after(seconds=150)
        await bea.is_asked()
        await anna.accepts("oui")  # late, and still welcome: nobody else has answered
        await bea.is_let_off()
        await n.nobody_is_disturbed(hours=9)  # carl never heard of it


async def test_nobody_who_accepted_is_asked_again(autojump_clock: MockClock) -> None:
    """Not in a further round, not in another tier that has them too, not when an officer begins it again."""
    twice = tier("anna", "bea", times=2, by=("sms",))
    async with night(rules(chain(twice, tier("anna", "carl", by=("sms",)), need=3))) as n:
        anna, bea, carl = n.people("anna", "bea", "carl")
        await n.warning()
        for officer in (anna, bea):
            await officer.is_asked()
        await anna.accepts()
        await n.after(minutes=4)
        await bea.is_asked()
        await n.after(minutes=4)
        await carl.is_asked()
        await n.after(minutes=4)
        assert n.alarms == ["chain-exhausted"]
        await n.steers(Steer.AGAIN)
        asked = await bea.is_asked()
        await bea.accepts(asked.code)
        asked = await carl.is_asked()
        await carl.accepts(asked.code)
        assert n.run.accepted == ["anna", "bea", "carl"]


async def test_unreachable_is_not_unwilling(autojump_clock: MockClock) -> None:
    async with night(asking("anna", "bea", "carl")) as n:
        anna, bea, carl = n.people("anna", "bea", "carl")
        for channel in n.channels.values():
            channel.refused = {anna.address("sms")}
        await n.warning()
        await bea.is_asked()
        await carl.is_asked()
        await bea.declines("nee")
        await n.after(seconds=90)
        await carl.is_rung()
        await n.after(seconds=160)
        assert n.alarm("chain-exhausted") == (
            "duty of extreme-weather; unreachable: anna; declined: bea; no answer: carl; lacking: 1 more"
        )


async def test_an_exhausted_chain_goes_to_its_fallback_and_raises_an_alarm_in_the_room(
    autojump_clock: MockClock,
) -> None:
    async with night(rules(chain(tier("anna", by=("sms",)), exhausted="directors"))) as n:
        anna, director = n.people("anna", "director")
        await n.warning()
        await anna.is_asked()
        await n.after(minutes=4)
        await director.is_asked()
        assert n.alarms == ["chain-exhausted"]
        await director.accepts()
        assert n.alarms == []


# --- by an officer's hand ----------------------------------------------------------------------------------


async def test_held_nobody_more_is_called_and_it_goes_on_where_it_was(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna"), tier("bea")))) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        await anna.is_asked()
        await n.steers(Steer.HOLD)
        await n.nobody_is_disturbed(hours=2)
        await n.is_down_for(minutes=10)
        await n.nobody_is_disturbed(hours=2)
        await n.steers(Steer.RESUME)
        await n.after(seconds=90)
        await anna.is_rung()
        await n.after(seconds=150)
        await bea.is_asked()
        await bea.accepts("ja")


async def test_cancelled_the_phones_stop_ringing_and_who_was_disturbed_is_told(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna", by=("voice",)), tier("bea")))) as n:
        (anna,) = n.people("anna")
        await n.warning()
        rung = await anna.is_rung()
        await n.steers(Steer.CANCEL)
        await anna.is_let_off()
        assert anna.stops_ringing(rung)
        await n.nobody_is_disturbed(hours=9)


async def test_handed_over_to_whoever_agreed_by_telephone_the_others_are_let_off(autojump_clock: MockClock) -> None:
    async with night(asking("anna", "bea")) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        for officer in (anna, bea):
            await officer.is_asked()
        await n.steers(Steer.HAND_OVER, to="carl")
        for officer in (anna, bea):
            await officer.is_let_off()
        await n.nobody_is_disturbed(hours=9)
        assert n.run.accepted == ["carl"]


async def test_handed_over_to_another_chain(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        anna, director = n.people("anna", "director")
        await n.warning()
        await anna.is_asked()
        await n.steers(Steer.HAND_OVER, to="directors")
        await anna.is_let_off()
        asked = await director.is_asked()
        await director.accepts(asked.code)


@pytest.mark.parametrize("act", [Steer.HOLD, Steer.CANCEL, Steer.HAND_OVER])
async def test_who_steered_a_chain_and_why_is_kept(autojump_clock: MockClock, act: Steer) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        await n.steers(act, to="bea" if act is Steer.HAND_OVER else "", why="the mayor rang")
        if act is not Steer.HOLD:
            await anna.is_let_off()
        (steered,) = await n.facts(r.ChainSteered)
        assert (steered.act, steered.by, steered.why) == (act, OFFICER, "the mayor rang")


# --- what the provider says ---------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["busy", "no answer", "unknown number", "blocked", "out of credit"])
async def test_what_will_not_arrive_moves_on_to_the_next_channel_at_once(
    autojump_clock: MockClock, reason: str
) -> None:
    async with night(asking("anna", by=("voice", "sms"))) as n:
        (anna,) = n.people("anna")
        await n.warning()
        rung = await anna.is_rung()
        await n.after(seconds=20)
        await n.told(rung, Outcome.FAILED, reason)
        asked = await anna.is_asked()
        assert (asked.at - rung.at).total_seconds() < 21
        await anna.accepts("oui")


async def test_receipts_out_of_order_and_long_after_change_nothing_that_was_answered(
    autojump_clock: MockClock,
) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        asked = await anna.is_asked()
        await n.told(asked, Outcome.DELIVERED)
        await n.told(asked, Outcome.SENT)
        await anna.accepts("oui")
        await n.told(asked, Outcome.FAILED, "expired")
        await n.nobody_is_disturbed(hours=9)
        (ended,) = await n.events(RunEnded)
        assert ended.outcome == "accepted"
