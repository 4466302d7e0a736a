"""Shift handover: what is open, who is being called, what was promised; one answer takes it over."""

from collections.abc import Sequence

import pytest
from trio.testing import MockClock

from hub.cli.watch import handover
from hub.model.events import OnWatch
from hub.model.people import Layer, Roster, Steer
from tests.promises.night import BRUSSELS, OFFICER, Night, local, night
from tests.promises.rules import OUTAGE, WEATHER, asking, chain, rules, tier

pytestmark = pytest.mark.trio


async def told(n: Night) -> Sequence[str]:
    """What `vigie watch show` says."""
    return [line.strip() for line in handover(await n.acts("status"), BRUSSELS)]


async def test_the_next_officer_reads_what_is_open_who_is_called_and_what_was_promised(
    autojump_clock: MockClock,
) -> None:
    both = rules(chain(tier("anna", minutes=30)), sheets=(WEATHER, OUTAGE))
    async with night(both) as n:
        (anna,) = n.people("anna")
        assert await told(n) == ["nobody has taken the watch yet"]
        await n.acts("watch", person="emma", by="emma")
        await n.warning("w1")
        asked = await anna.is_asked()
        await anna.accepts(f"{asked.code} 20", there_in=20)
        await n.warning("w2", hazard="flood")
        await anna.is_asked("calls-ask")
        await n.after(seconds=1)
        assert await told(n) == [
            "emma has the watch since Tue 02:10",
            "incidents:",
            "extreme-weather (thunderstorm) since Tue 02:10: wake accepted",
            "emergency-calls-outage (flood) since Tue 02:10: wake under way",
            "chains:",
            "duty, step wake, tier 1 of 1: 0 of 1 accepted",
            "anna: asked until Tue 02:40",
            "promised:",
            "extreme-weather, step wake: anna has accepted, there at Tue 02:30",
        ]
        await anna.accepts("B")


async def test_one_answer_takes_over_and_the_journal_knows_who_has_the_watch(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        await n.acts("watch", person="emma", by="emma")
        await n.after(hours=8)
        await n.acts("watch", person="bea", by="emma")
        await n.is_down_for(minutes=40)
        assert (await told(n))[0] == "bea has the watch since Tue 10:10"
        assert [(event.person, event.by) for event in await n.events(OnWatch)] == [("emma", "emma"), ("bea", "emma")]


async def test_what_is_held_stopped_or_silent_is_not_forgotten_at_the_handover(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        await n.steers(Steer.HOLD)
        await n.silence(hours=2, hazards=("wind",))
        await n.acts("stop-all", why="a test of the sirens")
        lines = await told(n)
        assert f"STOPPED by {OFFICER} (a test of the sirens): nothing goes out until it is lifted" in lines
        assert "duty, step wake, tier 1 of 1, HELD: 0 of 1 accepted" in lines
        assert f"wind until Tue 04:10, by {OFFICER} (works), 0 held back" in lines
        await n.acts("lift", why="over")
        await n.steers(Steer.RESUME)
        await anna.accepts("oui")


@pytest.mark.parametrize("day", ["2026-10-25", "2027-03-28"], ids=["an hour twice", "an hour never"])
async def test_who_goes_and_who_comes_are_told_an_hour_ahead_also_when_the_clocks_change(
    autojump_clock: MockClock, day: str
) -> None:
    """Once each, though the hub was down when the notice was due; at the hour that clocks show."""
    daily = Layer(turns=(("anna",), ("bea",)), first="2026-01-01", days=1, at="08:00")
    roster = Roster(id="duty", layers=(daily,), zone="Europe/Brussels", notice_s=3600)
    async with night(rules(chain(tier("roster duty")), rosters=[roster]), at=local(f"{day} 01:30")) as n:
        anna, bea = n.people("anna", "bea")
        await n.until(local(f"{day} 06:50"))
        await n.is_down_for(minutes=20)
        begins, ends = await bea.receives("hub.duty-begins"), await anna.receives("hub.duty-ends")
        assert begins.at == ends.at
        assert begins.at < local(f"{day} 07:11")
        assert "08.00 uur. Vorige wacht: Anna Example" in begins.words
        assert "08h00" in ends.words
        await n.nobody_is_disturbed(hours=20)
