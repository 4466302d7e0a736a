"""Settling tells what became of a message or a call, where Twilio's list says it: its statuses may have been told while
nobody listened."""

from datetime import timedelta
from typing import Any

import pytest

from hub.connector import Answer, Dead, Outgoing, Retry, Sent
from tests.contracts.channel import Provider, outgoing
from tests.edge.twilio_room import ANNE, Room, play


async def lost(room: Room, **fields: Any) -> Outgoing:
    """A delivery that Twilio takes, and of which the channel hears nothing: neither an answer nor a status."""
    given = outgoing(ANNE, since=room.intake.now() - timedelta(seconds=1), **fields)
    room.channel._account._public_url = ""  # as if the hub were away when the statuses come
    await room.behave(Provider.LOSING)
    await room.channel.send(given)
    await room.behave(Provider.WORKING)
    return given


@pytest.mark.parametrize(
    ("behaviour", "status", "answer"),
    [
        ({}, "queued", Sent()),
        ({"receipt_after_s": None}, "sent", Sent()),
        ({}, "delivered", Sent(final=True)),
        ({"sms_error": 30005}, "undelivered", Dead(reason="30005 unknown number")),
        ({"coverage": False, "kept_s": 60.0}, "undelivered", Dead(reason="30003 unreachable")),
    ],
)
def test_what_became_of_a_message(behaviour: dict[str, object], status: str, answer: Answer) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, **behaviour)
        message = await lost(room)
        [sent] = room.phones.messages
        await room.until(lambda: sent.status == status)
        assert await room.channel.settle(message) == named(answer, sent.sid)

    play("sms", story)


@pytest.mark.parametrize(("status", "code"), [("failed", 30007), ("canceled", None)])
def test_a_message_that_ended_otherwise(status: str, code: int | None) -> None:
    async def story(room: Room) -> None:
        message = await lost(room)
        [sent] = room.phones.messages
        sent.status, sent.error_code = status, code
        reason = "30007 filtered by the carrier" if code else status
        assert await room.channel.settle(message) == Dead(reason=reason)

    play("sms", story)


@pytest.mark.parametrize(
    ("behaviour", "status", "answer"),
    [
        ({"call": "hand"}, "ringing", Sent()),
        ({"call": "answer"}, "in-progress", Sent()),
        ({"call": "answer"}, "completed", Sent(final=True)),
        ({"call": "busy"}, "busy", Dead(reason="busy")),
        ({"call": "no-answer"}, "no-answer", Dead(reason="no-answer")),
        ({"coverage": False}, "failed", Dead(reason="failed")),
    ],
)
def test_what_became_of_a_call(behaviour: dict[str, object], status: str, answer: Answer) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, **behaviour)
        message = await lost(room)
        [call] = room.phones.calls
        await room.until(lambda: call.status == status)
        assert await room.channel.settle(message) == named(answer, call.sid)

    play("voice", story)


def test_a_call_that_was_stood_down() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="hand")
        message = await lost(room)
        [call] = room.phones.calls
        await room.until(lambda: call.status == "ringing")
        await room.channel.recall(message, call.sid)
        # It reached nobody: withdrawn, not failed.
        assert await room.channel.settle(message) == Retry(reason="canceled", address=True)

    play("voice", story)


@pytest.mark.parametrize(
    ("asked", "answer"), [(True, Dead(reason="answering machine", heard=True)), (False, Sent(final=True))]
)
def test_an_answering_machine_answers_nothing(asked: bool, answer: Answer) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="machine")
        message = await lost(room) if asked else await lost(room, ask=None)
        [call] = room.phones.calls
        await room.until(lambda: call.status == "completed")
        call.answered_by = "machine_start"  # detection is asked for with the callbacks only
        assert await room.channel.settle(message) == named(answer, call.sid)

    play("voice", story)


def named(answer: Answer, sid: str) -> Answer:
    return Sent(ref=sid, final=answer.final) if isinstance(answer, Sent) else answer
