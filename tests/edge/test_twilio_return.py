"""Coming back: what was texted while nobody listened is asked for at Twilio, also where it is out of reach at first."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from connectors.twilio import sms
from hub.connector import Item, Taken
from tests.contracts.channel import Provider
from tests.edge.twilio_room import ANNE, BART, HUB, Room, play


async def came_up_before(room: Room, ago: timedelta) -> list[str]:
    """Gives the room an intake that keeps its cursor, as of a hub that came up so long ago; the cursors it held."""
    await room.channel._missed  # what it does on coming up first is over
    cursors = [(datetime.now(UTC) - ago).isoformat()]
    offer = room.intake.offer

    async def cursor() -> str | None:
        return cursors[-1]

    async def offer_with(items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        taken = await offer(items)
        if cursor:
            cursors.append(cursor)
        return taken

    room.intake.cursor, room.intake.offer = cursor, offer_with  # type: ignore[method-assign]
    return cursors


async def come_back(room: Room) -> None:
    await room.channel.close()
    await room.channel.open(room.intake)


def test_what_the_webhook_told_already_is_not_told_twice() -> None:
    async def story(room: Room) -> None:
        cursors = await came_up_before(room, timedelta(minutes=1))
        room.phones.network.text(ANNE, "A oui", to=HUB)
        await room.intake.until(lambda: len(room.intake.replies) == 1)
        room.phones.network.inbound = None  # the hub is away
        room.phones.network.text(BART, "B nee", to=HUB)
        await come_back(room)
        await room.channel._missed
        sids = [message.sid for message in room.phones.messages]
        assert [(reply.address, reply.key) for reply in room.intake.replies] == [(ANNE, sids[0]), (BART, sids[1])]
        assert len(cursors) == 2
        assert cursors[1] > cursors[0]

    play("sms", story)


def test_what_is_older_than_a_day_is_left() -> None:
    async def story(room: Room) -> None:
        await came_up_before(room, timedelta(days=3))
        room.phones.network.inbound = None
        room.phones.network.text(ANNE, "long ago", to=HUB)
        room.phones.network.text(ANNE, "today", to=HUB)
        for message, hours in zip(room.phones.messages, (25, 23), strict=True):
            message.sent = datetime.now(UTC) - timedelta(hours=hours)
        await come_back(room)
        await room.channel._missed
        assert [reply.text for reply in room.intake.replies] == ["today"]

    play("sms", story)


def test_a_clock_that_differs_a_little_loses_nothing() -> None:
    async def story(room: Room) -> None:
        await came_up_before(room, timedelta(seconds=-2))  # ours is ahead of Twilio's
        room.phones.network.inbound = None
        room.phones.network.text(ANNE, "A oui", to=HUB)
        await come_back(room)
        await room.channel._missed
        assert [reply.text for reply in room.intake.replies] == ["A oui"]

    play("sms", story)


def test_a_twilio_that_cannot_be_reached_is_asked_until_it_can_and_the_room_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sms, "_ASK_AGAIN_S", (0.0, 0.0))
    monkeypatch.setattr(sms, "_TOLD_FROM_S", 0.0)

    async def story(room: Room) -> None:
        cursors = await came_up_before(room, timedelta(minutes=1))
        room.phones.network.inbound = None
        room.phones.network.text(ANNE, "A oui", to=HUB)
        await room.behave(Provider.BUSY)
        await come_back(room)  # returns although nothing answers
        await room.phones.until(lambda: room.phones.dice.counts["too_many"] >= 8)
        assert room.intake.replies == []
        assert [health for health, _ in room.intake.healths] == ["failing"]
        assert len(cursors) == 1, "what was missed is still to be asked for, should it go down now"
        await room.behave(Provider.WORKING)
        await room.channel._missed
        assert [reply.text for reply in room.intake.replies] == ["A oui"]
        assert [health for health, _ in room.intake.healths] == ["failing", "ok"]
        assert len(cursors) == 2

    play("sms", story)


def test_closing_while_twilio_does_not_answer() -> None:
    async def story(room: Room) -> None:
        await came_up_before(room, timedelta(minutes=1))
        await room.behave(Provider.HANGING)
        await come_back(room)
        await room.phones.until(lambda: room.phones.dice.counts["hangs"] > 0)
        await room.channel.close()
        assert room.channel._missed.cancelled()

    play("sms", story)
