"""Quiet by intent: silences, maintenance windows, and calls that stop when an officer says so."""

import pytest
from msgspec.structs import replace
from trio.testing import MockClock

from hub.model.events import Silenced
from hub.model.people import Steer
from hub.model.signal import MsgType, Severity
from hub.playbook.language import Cause
from tests.promises.night import OFFICER, night
from tests.promises.rules import OUTAGE, WEATHER, asking, chain, rules, tier

pytestmark = pytest.mark.trio


async def test_a_silence_has_an_owner_a_reason_and_an_end_and_is_seen_in_the_room(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.silence(hours=2, hazards=("thunderstorm",))
        await n.warning()
        await n.nobody_is_disturbed(hours=1, minutes=59)
        (seen,) = (await n.acts("status"))["silences"]
        assert (seen["by"], seen["why"], seen["holds"], len(seen["held_back"])) == (OFFICER, "works", True, 1)
        await n.after(minutes=1)
        asked = await anna.is_asked()
        (incident,) = n.state.incidents
        assert n.alarm("silence-over") == f"the silence of {OFFICER} (works) held back: {incident}"
        assert (await n.acts("status"))["silences"] == []
        await anna.accepts(asked.code)


async def test_a_silence_outlives_a_restart_and_ends_while_the_hub_is_down(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.silence(hours=1)
        await n.warning()
        await n.is_down_for(minutes=40)
        await n.nobody_is_disturbed(minutes=19)
        await n.is_down_for(minutes=40)
        await anna.is_asked()
        assert n.alarms == ["silence-over"]
        await anna.accepts("oui")


async def test_a_maintenance_window_holds_between_its_times(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.silence(hours=2, begins_h=1)
        await n.warning("w1")
        await anna.is_asked()
        await anna.accepts()
        await n.all_clear("w1")
        await anna.receives("weather-over")
        await n.after(hours=1, minutes=1)
        await n.warning("w2", hours=1)
        await n.nobody_is_disturbed(hours=3)  # over before the window is
        await n.warning("w3")
        await anna.is_asked()
        await anna.accepts()


async def test_nothing_of_the_gravest_severity_is_silenced_by_a_rule_alone(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.silence(hours=4)
        await n.warning("w1")
        await n.nobody_is_disturbed(minutes=10)
        await n.warning("w2", severity=Severity.EXTREME, kind=MsgType.UPDATE, of="w1")
        await anna.is_asked()
        await anna.accepts()
        assert len(await n.events(Silenced)) == 1


async def test_what_is_not_meant_by_a_silence_wakes(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna")), sheets=(WEATHER, OUTAGE))) as n:
        (anna,) = n.people("anna")
        await n.silence(hours=4, hazards=("thunderstorm",))
        await n.warning("w1")
        await n.nobody_is_disturbed(minutes=1)
        await n.warning("w2", hazard="flood")
        await anna.is_asked("calls-ask")
        await anna.accepts()
        await n.all_clear("w1")
        await n.nobody_is_disturbed(hours=5)  # held back, over: nobody hears an end of what they never heard of


async def test_the_cause_silences_its_symptoms_until_it_is_over(autojump_clock: MockClock) -> None:
    """Also across a restart; and never what is of the gravest severity."""
    symptom = replace(OUTAGE, quiet_while=(Cause(WEATHER.name),))
    async with night(rules(chain(tier("anna")), sheets=(WEATHER, symptom))) as n:
        (anna,) = n.people("anna")
        await n.warning("storm")
        await anna.is_asked()
        await anna.accepts()
        await n.warning("outage", hazard="flood")
        await n.is_down_for(minutes=40)
        await n.nobody_is_disturbed(hours=1)
        await n.all_clear("storm")
        await anna.receives("weather-over")
        await anna.is_asked("calls-ask")
        assert n.alarm("cause-over").startswith("extreme-weather is over, and had held back: ")
        await anna.accepts("B")
        await n.all_clear("outage")
        await anna.receives("calls-over")
        await n.after(minutes=10)  # nobody gets more than ten texts in so long
        await n.warning("storm-2")
        await anna.is_asked()
        await anna.accepts("C")
        await n.warning("outage-2", hazard="flood", severity=Severity.EXTREME)
        await anna.is_asked("calls-ask")
        await anna.accepts("D")


async def test_calls_under_way_stop_when_an_officer_says_so(autojump_clock: MockClock) -> None:
    """A silence keeps from waking; who is being rung already is let off by cancelling the chain."""
    async with night(asking("anna", "bea", by=("voice", "sms"))) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        rung = [await officer.is_rung() for officer in (anna, bea)]
        await n.silence(hours=2)
        await n.steers(Steer.CANCEL)
        for officer, call in zip((anna, bea), rung, strict=True):
            await officer.is_let_off()
            assert officer.stops_ringing(call)
        await n.nobody_is_disturbed(hours=5)


async def test_stop_all_holds_everything_and_lifting_it_skips_nobody(autojump_clock: MockClock) -> None:
    """Each in the chain has been texted and rung before it is exhausted, however long it was stopped, and wherever."""
    async with night(rules(chain(tier("anna"), tier("bea"), exhausted="directors"))) as n:
        anna, bea, director = n.people("anna", "bea", "director")
        await n.warning()
        await anna.is_asked()
        await n.after(seconds=30)
        await n.acts("stop-all", why="the sirens are tested")
        await n.nobody_is_disturbed(hours=2)
        await n.is_down_for(minutes=10)
        await n.nobody_is_disturbed(hours=2)
        await n.acts("lift", why="over")
        await anna.is_rung()
        await bea.is_asked(within_s=300)
        await n.after(seconds=90)
        await bea.is_rung()
        await director.is_asked(within_s=300)
        await director.accepts("oui")
