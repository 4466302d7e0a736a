"""Call stories: spoken in four languages, answered by keypad, by a machine, or not at all."""

from typing import Any

import pytest

from connectors.twilio.twiml import PHRASES
from hub.connector import Dead, Sent
from hub.model.message import Outcome, Verb
from hub.model.people import Language
from tests.contracts.channel import Provider, outgoing
from tests.edge.twilio_room import (
    ANNE,
    NOBODY_REACHED,
    Room,
    call_is_recalled_while_it_rings,
    call_reaches_nobody,
    play,
)
from tools.phones import Faults


def spoken(room: Room) -> list[str]:
    return [caption.text for caption in room.phones.calls[-1].captions]


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(("key", "verb"), [("1", Verb.ACCEPT), ("2", Verb.DECLINE)])
def test_a_key_answers_for_the_very_delivery_and_is_confirmed(language: Language, key: str, verb: Verb) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer", digits=(key,))
        answer = await room.channel.send(outgoing(ANNE, order="ORDER3", index=4, language=language))
        assert isinstance(answer, Sent)
        await room.until(lambda: bool(room.intake.replies) and not room.phones.calls[0].alive)
        [reply] = room.intake.replies
        assert (reply.verb, reply.order, reply.index, reply.address) == (verb, "ORDER3", 4, ANNE)
        phrases = PHRASES[language]
        assert spoken(room)[-1] == (phrases.accepted if verb is Verb.ACCEPT else phrases.declined)
        tags = {caption.language for caption in room.phones.calls[0].captions}
        assert tags == {{"fr": "fr-BE", "nl": "nl-BE", "de": "de-DE", "en": "en-GB"}[language]}
        await room.outcomes("delivered")
        assert not [receipt for receipt in room.intake.receipts if receipt.outcome is Outcome.FAILED]

    play("voice", story)


def test_a_key_is_taken_while_the_voice_still_speaks() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer", digits=("1",), digits_after_s=1.5)
        await room.channel.send(outgoing(ANNE, "A long message. " * 30))
        await room.until(lambda: bool(room.intake.replies))
        assert PHRASES[Language.EN].ask not in spoken(room)

    play("voice", story)


def test_nine_says_it_again_and_another_key_is_explained() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer", digits=("9", "5", "1"))
        message = outgoing(ANNE, "Storm over Ixelles.")
        await room.channel.send(message)
        await room.until(lambda: bool(room.intake.replies))
        assert spoken(room).count("Storm over Ixelles.") == 2
        assert PHRASES[Language.EN].unknown_key in spoken(room)
        assert len(room.intake.replies) == 1

    play("voice", story)


def test_nine_after_a_restart_says_where_the_message_is() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer", digits=("9", "2"))
        await room.channel.send(outgoing(ANNE))
        room.channel._spoken.clear()
        await room.until(lambda: bool(room.intake.replies))
        assert PHRASES[Language.EN].lost in spoken(room)

    play("voice", story)


def test_no_key_hears_the_prompt_twice_more_then_goodbye() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer")
        await room.channel.send(outgoing(ANNE))
        await room.until(lambda: not room.phones.calls[0].alive)
        assert spoken(room).count(PHRASES[Language.EN].ask) == 3
        assert spoken(room)[-1] == PHRASES[Language.EN].goodbye
        await room.outcomes("delivered")
        assert room.intake.replies == []

    play("voice", story)


def test_an_answer_that_cannot_be_recorded_is_not_confirmed() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer", digits=("1", "1"))
        room.intake.down = "disk full"
        await room.channel.send(outgoing(ANNE))
        await room.until(lambda: PHRASES[Language.EN].not_recorded in spoken(room))
        assert PHRASES[Language.EN].accepted not in spoken(room)
        room.intake.down = ""
        await room.until(lambda: bool(room.intake.replies))
        await room.until(lambda: PHRASES[Language.EN].accepted in spoken(room))

    play("voice", story)


def test_an_answering_machine_acknowledges_nothing() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="machine")
        await room.channel.send(outgoing(ANNE))
        await room.outcomes("failed")
        [failed] = [receipt for receipt in room.intake.receipts if receipt.outcome is Outcome.FAILED]
        assert failed.reason == "answering machine"
        said = [receipt.outcome for receipt in room.intake.receipts if receipt.reason == "answering machine"]
        assert said[:2] == [Outcome.SENT, Outcome.FAILED], "it may be heard: who owns the machine counts as reached"
        await room.until(lambda: not room.phones.calls[0].alive)
        assert Outcome.DELIVERED not in {receipt.outcome for receipt in room.intake.receipts}
        assert room.intake.replies == []

    play("voice", story)


def test_a_message_that_wants_no_answer_may_be_left_on_a_machine() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="machine")
        await room.channel.send(outgoing(ANNE, ask=None))
        await room.outcomes("delivered")
        assert PHRASES[Language.EN].ask not in spoken(room)
        assert "answering machine" in {receipt.reason for receipt in room.intake.receipts}

    play("voice", story)


@pytest.mark.parametrize(("behaviour", "reason"), NOBODY_REACHED)
def test_a_call_that_reaches_nobody_says_why(behaviour: dict[str, Any], reason: str) -> None:
    async def story(room: Room) -> None:
        assert await call_reaches_nobody(room, behaviour) == [reason]

    play("voice", story)


def test_a_ringing_call_is_recalled() -> None:
    play("voice", call_is_recalled_while_it_rings)


def test_who_has_answered_already_is_not_cut_off() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer")
        message = outgoing(ANNE)
        answer = await room.channel.send(message)
        await room.until(lambda: room.phones.calls[0].status == "in-progress")
        await room.channel.recall(message, answer.ref)
        assert room.phones.calls[0].alive

    play("voice", story)


def test_a_call_in_doubt_is_found_and_can_be_recalled() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="hand")
        await room.behave(Provider.LOSING)
        lost = outgoing(ANNE, since=room.intake.now())
        await room.channel.send(lost)
        await room.behave(Provider.WORKING)
        found = await room.channel.settle(lost)
        assert found == Sent(ref=room.phones.calls[0].sid)
        await room.until(lambda: room.phones.calls[0].status == "ringing")
        await room.channel.recall(lost, "")
        assert room.phones.calls[0].status == "canceled"

    play("voice", story)


def test_callbacks_lost_twice_and_out_of_order_change_nothing() -> None:
    async def story(room: Room) -> None:
        room.phones.set_faults(Faults(callback_twice=0.5, callback_held=0.5, callback_unknown=0.5, seed=3))
        room.phones.script(ANNE, call="answer", digits=("1",))
        await room.channel.send(outgoing(ANNE))
        await room.outcomes("delivered")
        await room.until(lambda: not room.phones.calls[0].alive)
        keys = [receipt.key for receipt in room.intake.receipts]
        assert len(keys) == len(set(keys)) <= 2

    play("voice", story)


def test_a_number_that_is_none_is_refused_by_twilio_too() -> None:
    async def story(room: Room) -> None:
        answer = await room.channel.send(outgoing("+3"))
        assert isinstance(answer, Dead)
        assert answer.bad_address

    play("voice", story)
