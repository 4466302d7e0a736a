"""A sheet in shadow runs on real signals, shows what it would have done, and reaches nobody."""

import pytest
from msgspec.structs import replace
from trio.testing import MockClock

from hub.acts import Refused
from hub.model import events as e
from hub.playbook.language import ByHand, Mode
from tests.promises.night import Night, night
from tests.promises.rules import OUTAGE, WEATHER, chain, rules, tier

pytestmark = pytest.mark.trio
SHADOW = replace(WEATHER, mode=Mode.SHADOW, by_hand=ByHand(who="the room"))


async def would_have_been_asked(n: Night) -> list[tuple[str, str]]:
    """By whom dispatch is handed nothing: the decisions of the journal."""
    events = [ev for d in await n.journal.decisions(after="", limit=1000) for ev in d.events]
    orders = [ev.event for ev in events if isinstance(ev, e.InShadow) and isinstance(ev.event, e.Ordered)]
    return [(order.recipients[0], order.channel) for order in orders if order.ask]


async def test_nothing_of_it_leaves_the_hub_also_after_restarts_and_all_of_it_is_seen(
    autojump_clock: MockClock,
) -> None:
    async with night(rules(chain(tier("anna"), tier("bea")), sheets=(SHADOW, OUTAGE))) as n:
        await n.warning()
        (chain_shown,) = (await n.acts("status"))["chains"]
        assert chain_shown["shadow"]
        await n.nobody_is_disturbed(minutes=2)
        await n.is_down_for(minutes=5)
        await n.nobody_is_disturbed(minutes=20)
        people = ["anna", "anna", "bea", "bea"]
        assert await would_have_been_asked(n) == list(zip(people, ["sms", "voice"] * 2, strict=True))
        assert n.alarms == []
        # What is in earnest goes its way beside it, and its answers are its own.
        await n.warning("w2", "flood")
        (anna,) = n.people("anna")
        asked = await anna.is_asked("calls-ask")
        assert asked.code == "A"
        await anna.accepts()
        await n.all_clear("w1")
        await n.all_clear("w2")
        await anna.receives("calls-over")


async def test_it_is_started_and_ended_by_hand_and_says_that_nobody_is_called(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna")), sheets=(SHADOW, replace(SHADOW, name="draft", mode=Mode.DRAFT)))) as n:
        said = await n.acts("start", sheet="extreme-weather")
        assert said.said == "extreme-weather is started in shadow: nobody is called or told"
        (incident,) = (await n.acts("status"))["incidents"]
        assert incident["shadow"]
        await n.acts("end", {"incident": incident["id"]}, why="seen")
        await n.nobody_is_disturbed(minutes=20)
        with pytest.raises(Refused, match="draft is a draft, which never runs"):
            await n.acts("start", sheet="draft")
