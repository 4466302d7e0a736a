"""What people answer over Matrix, against a real Synapse: reactions, replies, words, and what was said while nobody
listened."""

import asyncio

import pytest

from connectors.matrix.events import Event, Said
from hub.connector import Item, ReplyItem
from hub.model.message import Verb
from tests.contracts.channel import outgoing
from tests.edge.matrix_room import PATIENCE_S, Room, no_time, play
from tests.edge.synapse import DOMAIN, Synapse


@pytest.mark.parametrize("thumb", ["👍", "👎🏽", "✅", "❌"])
def test_a_reaction_is_bound_to_the_ask_it_is_on(homeserver: Synapse, thumb: str) -> None:
    async def story(room: Room) -> None:
        first = await room.sent(outgoing(room.good, order="FIRST", index=3))
        await room.sent(outgoing(room.good, order="SECOND"))
        event = await room.officer.react(room.chat, first, thumb)
        [reply] = await room.intake.replied(1)
        assert (reply.order, reply.index, reply.text, reply.verb) == ("FIRST", 3, thumb, None)
        assert (reply.address, reply.channel, reply.key) == (room.officer.id, "matrix", event)

    play(homeserver, story)


def test_words_in_the_chat_are_their_persons_and_a_reply_is_bound_to_what_it_replies_to(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        ask = await room.sent(outgoing(room.good, order="FIRST", index=1))
        await room.officer.say(room.chat, "AB ja, 20 min")
        await room.officer.reply(room.chat, ask, f"> <{room.bot.user_id}> Storm over Ixelles.\n\nAB nee")
        thread = {"rel_type": "m.thread", "event_id": ask, "is_falling_back": True, "m.in_reply_to": {"event_id": "$x"}}
        await room.officer.say(room.chat, "oui", **{"m.relates_to": thread})
        said = [(r.text, r.order, r.index, r.address) for r in await room.intake.replied(3)]
        officer = room.officer.id
        assert said == [
            ("AB ja, 20 min", "", 0, officer),
            ("AB nee", "FIRST", 1, officer),
            ("oui", "FIRST", 1, officer),
        ]

    play(homeserver, story)


def test_in_a_room_only_what_answers_an_ask_counts(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        place = await room.officer.create(preset="public_chat")
        ask = await room.sent(outgoing(place, order="FIRST"))
        told = await room.sent(outgoing(place, order="TOLD", ask=None))
        talk = await room.officer.say(place, "ja, dat dacht ik ook")
        await room.officer.react(place, talk, "👍")
        await room.officer.react(place, told, "👍")  # "thanks for telling": not a yes to anything
        await room.officer.reply(place, told, "ok")
        other = room.new_officer("other")
        await other.join(place)
        await other.react(place, ask, "👍")
        [reply] = await room.intake.replied(1)
        assert (reply.order, reply.address) == ("FIRST", other.id)

    play(homeserver, story)


def test_a_reply_sent_while_the_hub_was_down_is_read_when_it_comes_back(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        await room.officer.say(room.chat, "before")
        ask = await room.sent(outgoing(room.good, order="FIRST", index=4))
        await room.intake.replied(1)
        await room.hub_down()
        await room.officer.react(room.chat, ask, "👍")
        await room.officer.say(room.chat, "20 min")
        await room.hub_back()
        before, thumb, words = await room.intake.replied(3)
        assert (before.text, words.text) == ("before", "20 min")
        assert (thumb.order, thumb.index, thumb.text) == ("FIRST", 4, "👍")

    play(homeserver, story)


def test_more_replies_than_one_sync_holds_are_all_read_in_their_order(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        await room.hub_down()
        for number in range(130):
            await room.officer.say(room.chat, f"reply {number}")
        await room.hub_back()
        assert [reply.text for reply in await room.intake.replied(130)] == [f"reply {n}" for n in range(130)]

    play(homeserver, story)


def test_what_was_said_before_the_very_first_start_is_no_answer(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        await room.officer.say(room.chat, "ja")
        await room.intake.replied(1)
        await room.hub_down()
        room.intake = type(room.intake)()
        await room.officer.say(room.chat, "nee")
        await room.hub_back()
        await room.officer.say(room.chat, "oui")
        [reply] = await room.intake.replied(1)
        assert reply.text == "oui"

    play(homeserver, story)


def test_nothing_is_given_up_before_it_is_durable(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        kept = room.intake.kept
        room.intake.gate = asyncio.Event()
        await room.officer.say(room.chat, "ja")
        await room.intake.offered(lambda items: any(isinstance(item, ReplyItem) for item in items))
        assert room.intake.kept == kept
        await room.hub_down()  # before the journal has it
        room.intake.gate = None
        await room.hub_back()
        [reply] = await room.intake.replied(1)
        assert reply.text == "ja"

    play(homeserver, story)


def test_a_hub_that_can_keep_nothing_reads_on_when_it_can(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        room.channel.listener._sleep = no_time
        room.intake.down = "disk full"
        offers = room.intake.offers
        await room.officer.say(room.chat, "ja")
        await room.intake.offered(lambda items: room.intake.offers > offers + 3 and bool(items))
        assert room.intake.replies == []
        room.intake.down = ""
        [reply] = await room.intake.replied(1)
        assert reply.text == "ja"

    play(homeserver, story)


def test_a_fault_over_one_event_leaves_nobody_else_unheard(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        listener, answer = room.channel.listener, room.channel.listener._answer

        async def faulty(place: str, heard: Event, said: Said) -> list[Item]:
            if said.text == "one":
                raise RuntimeError("a fault of ours")
            return await answer(place, heard, said)

        listener._answer = faulty  # type: ignore[method-assign]  # no event that makes it fail is known
        await room.officer.say(room.chat, "one")
        await room.officer.say(room.chat, "two")
        [reply] = await room.intake.replied(1)
        assert reply.text == "two"
        [lost] = room.intake.bad
        assert "a fault of the hub's" in lost.reason
        assert b'"one"' in lost.original

    play(homeserver, story)


def test_what_the_homeserver_cannot_give_is_told_and_those_behind_it_are_heard(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        ask = await room.sent(outgoing(room.good))
        await room.hub_down()
        await room.hub_back()  # which event is which delivery has to be asked for now
        room.channel.listener._sleep = no_time
        room.wire.broken.add("/event/")
        await room.officer.react(room.chat, ask, "👍")
        await room.officer.say(room.chat, "ja")
        [reply] = await room.intake.replied(1)
        assert reply.text == "ja"
        [lost] = room.intake.bad
        assert lost.reason.endswith("ask them again")

    play(homeserver, story)


def test_what_was_said_before_a_gap_that_cannot_be_read_is_told(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        await room.hub_down()
        for number in range(60):
            await room.officer.say(room.chat, f"reply {number}")
        room.wire.broken.add("/messages")
        await room.hub_back(patience=no_time)
        replies = await room.intake.replied(50)
        assert [reply.text for reply in replies] == [f"reply {number}" for number in range(10, 60)]
        [lost] = room.intake.bad
        assert lost.reason.endswith("look there")

    play(homeserver, story)


def test_an_invitation_that_cannot_be_accepted_keeps_nobody_from_being_heard(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        room.wire.broken.add("/join/")
        await room.officer.create(preset="private_chat", is_direct=True, invite=[room.bot.user_id])
        await room.officer.say(room.chat, "ja")
        await room.intake.replied(1)
        [lost] = room.intake.bad
        assert lost.reason.endswith("let them invite the hub again")

    play(homeserver, story, invites_from=(DOMAIN,))


def test_an_edit_counts_as_a_new_answer_to_the_same_ask(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        ask = await room.sent(outgoing(room.good, order="FIRST"))
        reply = await room.officer.reply(room.chat, ask, "nein")
        await room.intake.replied(1)
        new = {"m.new_content": {"msgtype": "m.text", "body": "ja"}}
        await room.officer.say(
            room.chat, "* ja", **{"m.relates_to": {"rel_type": "m.replace", "event_id": reply}}, **new
        )
        first, second = await room.intake.replied(2)
        assert [(r.text, r.order) for r in (first, second)] == [("nein", "FIRST"), ("ja", "FIRST")]

    play(homeserver, story)


def test_an_answer_taken_back_is_a_no_unless_another_has_replaced_it(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        ask = await room.sent(outgoing(room.good, order="FIRST"))
        cross = await room.officer.react(room.chat, ask, "❌")
        thumb = await room.officer.react(room.chat, ask, "👍")
        await room.officer.redact(room.chat, cross)  # tidied up: they come all the same
        no = await room.officer.redact(room.chat, thumb)
        replies = await room.intake.replied(3)
        assert replies[2].key == no
        assert [(r.text, r.verb, r.order) for r in replies] == [
            ("❌", None, "FIRST"),
            ("👍", None, "FIRST"),
            ("👍", Verb.DECLINE, "FIRST"),
        ]

    play(homeserver, story)


def test_invitations_are_accepted_from_whom_the_configuration_names_and_others_told_once(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        stranger = room.new_officer("stranger")
        ignored = await stranger.create(preset="private_chat", invite=[room.bot.user_id])
        await room.intake.until(lambda: len(room.intake.bad) == 1, PATIENCE_S)
        [told] = room.intake.bad
        assert told.reason.startswith(f"an invitation from {DOMAIN} is not accepted: name the person or the server")
        assert stranger.id not in told.reason
        await room.hub_down()
        await room.hub_back(invites_from=(room.officer.id,))
        chat = await room.officer.create(preset="private_chat", is_direct=True, invite=[room.bot.user_id])
        await room.officer.say(chat, "ja")  # at once, before anybody has come in
        [reply] = await room.intake.replied(1)
        assert (reply.text, reply.address) == ("ja", room.officer.id)
        joined = homeserver.ask("GET", "/_matrix/client/v3/joined_rooms", None, room.bot)["joined_rooms"]
        assert ignored not in joined
        assert chat in joined
        assert len(room.intake.bad) == 1

    play(homeserver, story)


def test_who_writes_encrypted_is_told_that_it_cannot_be_read(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        chat = await room.officer.create(
            preset="trusted_private_chat", is_direct=True, invite=[room.bot.user_id], initial_state=[encryption]
        )
        sealed = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x", "sender_key": "x", "session_id": "x"}
        for _ in range(2):
            await room.officer.send(chat, "m.room.encrypted", sealed)
        await room.intake.until(lambda: len(room.intake.bad) == 1, PATIENCE_S)
        assert "end-to-end encrypted" in room.intake.bad[0].reason
        notices = [e for e in await room.officer.messages(chat) if e["content"].get("msgtype") == "m.notice"]
        assert len(notices) == 1
        assert "Antwoord waar ik u geschreven heb" in notices[0]["content"]["body"]
        await room.sent(outgoing(room.good))  # by the chat that can be read

    play(homeserver, story, invites_from=(DOMAIN,))
