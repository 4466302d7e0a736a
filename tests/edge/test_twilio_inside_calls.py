"""Calls at a site nobody can reach from outside: they carry all their words, and their fate is asked for."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from connectors.twilio.twiml import PHRASES
from hub.connector import Sent
from hub.model.message import Outcome
from hub.model.people import Language
from tests.contracts.channel import Provider, outgoing
from tests.edge.test_twilio_inside import inside, requests_of
from tests.edge.twilio_room import ANNE, NOBODY_REACHED, Room, call_is_recalled_while_it_rings, call_reaches_nobody


@pytest.mark.parametrize("language", list(Language))
def test_a_call_says_all_it_has_to_say_and_how_to_answer(language: Language) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer")
        await room.channel.send(outgoing(ANNE, "Storm over Ixelles.", language=language))
        [call] = room.phones.calls
        await room.outcomes("delivered")
        how = PHRASES[language].otherwise.format(code="A, B")
        assert [caption.text for caption in call.captions] == ["Storm over Ixelles.", how] * 2
        assert call.log in ([], ["21262: no AMD status callback URL provided"])
        assert call.digits == []
        assert call.request.status_callback is None
        assert not room.phones.webhooks.sent
        assert room.intake.replies == []

    inside("voice", story)


@pytest.mark.parametrize("ask", [True, False])
def test_a_machine_is_told_apart_where_twilio_says_so(ask: bool) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="machine")
        await room.channel.send(outgoing(ANNE) if ask else outgoing(ANNE, ask=None))
        await room.outcomes("failed" if ask else "delivered")
        last = Outcome.FAILED if ask else Outcome.DELIVERED
        told = [(receipt.outcome, receipt.reason) for receipt in room.intake.receipts]
        assert told == [(Outcome.SENT, "answering machine"), (last, "answering machine")]

    inside("voice", story)


@pytest.mark.parametrize(("behaviour", "reason"), NOBODY_REACHED)
def test_a_call_that_reaches_nobody_says_why(behaviour: dict[str, Any], reason: str) -> None:
    async def story(room: Room) -> None:
        assert await call_reaches_nobody(room, behaviour) == [reason]

    inside("voice", story)


def test_a_call_that_is_recalled_is_said_to_be_withdrawn() -> None:
    inside("voice", call_is_recalled_while_it_rings)


def test_a_call_in_doubt_is_found_and_asked_for() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="busy")
        await room.behave(Provider.LOSING)
        lost = outgoing(ANNE, since=room.intake.now() - timedelta(seconds=1))
        await room.channel.send(lost)
        await room.behave(Provider.WORKING)
        assert await room.channel.settle(lost) == Sent(ref=room.phones.calls[0].sid)
        await room.outcomes("failed")
        assert [receipt.reason for receipt in room.intake.receipts] == ["busy"]

    inside("voice", story)


def test_who_never_confirms_is_asked_for_less_and_less() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="hand")
        await room.channel.send(outgoing(ANNE))
        call = room.phones.calls[0]
        await room.until(lambda: call.status == "ringing")
        asked = requests_of(room)
        await room.until(lambda: not call.alive or len(asked) > 6)
        assert all(b - a >= 1.9 for a, b in pairwise(asked))

    inside("voice", story)
