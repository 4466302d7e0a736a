"""The Matrix channel against a real Synapse: every channel's promises, and the stories of those who answer on it."""

import asyncio

import pytest

from connectors.matrix.events import Event, Said
from hub.connector import AskDetails, Dead, Item, ReplyItem, Retry, Sent
from hub.model.message import Verb
from hub.model.people import Language
from tests.contracts.channel import PROMISES, Provider, outgoing
from tests.edge.matrix_room import PATIENCE_S, Room, play
from tests.edge.synapse import DOMAIN, Synapse


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(homeserver: Synapse, promise: object) -> None:
    play(homeserver, promise)  # type: ignore[arg-type]  # a Room is a World


# --- what is sent --------------------------------------------------------------------------------------------


def test_the_first_message_makes_a_direct_chat_and_the_next_goes_there_too(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        event = await room.sent(outgoing(room.officer.id))
        chat = await room.officer.invited()
        await room.officer.join(chat)
        await room.sent(outgoing(room.officer.id, order="SECOND"))
        said = [e for e in await room.officer.messages(chat) if e["type"] == "m.room.message"]
        assert [e["sender"] for e in said] == [room.bot.user_id] * 2
        assert said[0]["event_id"] == event
        directs = homeserver.ask(
            "GET", f"/_matrix/client/v3/user/{room.bot.user_id}/account_data/m.direct", None, room.bot
        )
        assert directs == {room.officer.id: [chat]}

    play(homeserver, story, chat=False)


def test_an_ask_says_how_to_answer_in_the_persons_language(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        for index, language in enumerate(Language):
            await room.sent(outgoing(room.good, "<b>Sturm</b> & Regen\n\nB?", index=index, language=language))
        await room.sent(outgoing(room.good, "Es ist vorbei.", index=9, ask=None))
        *asks, over = [e["content"] for e in await room.officer.messages(room.chat) if e["type"] == "m.room.message"]
        for content, words in zip(asks, ("pour oui", "voor ja", "für Ja", "for yes"), strict=True):
            assert words in content["body"]
            assert content["formatted_body"].startswith("<p>&lt;b&gt;Sturm&lt;/b&gt; &amp; Regen</p><p>B?<br>")
            assert content["m.mentions"] == {"user_ids": [room.good]}
            assert content["msgtype"] == "m.text"  # an m.notice rings nowhere
        assert over["body"] == "Es ist vorbei."

    play(homeserver, story)


def test_messages_to_one_person_at_the_same_time_make_one_chat(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        sent = await asyncio.gather(*(room.channel.send(outgoing(room.good, index=i)) for i in range(5)))
        assert all(isinstance(answer, Sent) for answer in sent)
        directs = homeserver.ask(
            "GET", f"/_matrix/client/v3/user/{room.bot.user_id}/account_data/m.direct", None, room.bot
        )
        assert len(directs[room.good]) == 1

    play(homeserver, story, chat=False)


@pytest.mark.parametrize("lost", ["/createRoom", "/account_data/m.direct"])
def test_a_chat_that_was_made_although_nobody_heard_so_is_found_again(homeserver: Synapse, lost: str) -> None:
    async def story(room: Room) -> None:
        room.wire.lost.add(lost)
        answer = await room.channel.send(outgoing(room.good))
        assert isinstance(answer, Retry)
        assert not answer.doubt
        room.wire.lost.clear()
        await room.channel.close()
        await room.hub_back()
        await room.sent(outgoing(room.good, nth=2))
        joined = homeserver.ask("GET", "/_matrix/client/v3/joined_rooms", None, room.bot)["joined_rooms"]
        assert joined == [await room.officer.invited()]

    play(homeserver, story, chat=False)


def test_the_same_transaction_twice_arrives_once_also_after_a_restart(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        first = await room.sent(outgoing(room.good))
        assert await room.sent(outgoing(room.good, nth=2, attempt="ANOTHER")) == first
        await room.hub_down()
        await room.hub_back()
        assert await room.sent(outgoing(room.good, nth=3, attempt="THIRD")) == first
        assert len(room.arrivals()) == 1

    play(homeserver, story)


def test_rooms_and_aliases_are_written_to_when_the_account_is_invited(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        place = await room.officer.create(
            preset="private_chat", room_alias_name=f"ops-{room.bot.user_id[6:].split(':')[0]}"
        )
        alias = f"#ops-{room.bot.user_id[6:].split(':')[0]}:{DOMAIN}"
        for to in (place, alias):
            answer = await room.channel.send(outgoing(to))
            assert isinstance(answer, Dead)
            assert "invite" in answer.reason
            assert not answer.alarm
        await room.officer.call("POST", "rooms", place, "invite", body={"user_id": room.bot.user_id})
        await room.sent(outgoing(alias, ask=None))
        await room.sent(outgoing(place, index=1, ask=None))
        said = [e["content"] for e in await room.officer.messages(place) if e["type"] == "m.room.message"]
        assert [content["m.mentions"] for content in said] == [{"room": True}] * 2

    play(homeserver, story)


def test_an_alias_nobody_has_is_a_wrong_address(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        answer = await room.channel.send(outgoing(f"#nothing-here:{DOMAIN}"))
        assert isinstance(answer, Dead)
        assert answer.bad_address

    play(homeserver, story)


def test_who_has_left_the_chat_is_invited_again_and_called_by_another_channel(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        await room.sent(outgoing(room.good))
        await room.officer.leave(room.chat)
        await room.heard_so_far()
        answer = await room.channel.send(outgoing(room.good, index=1))
        assert isinstance(answer, Dead)
        assert "has left" in answer.reason
        assert await room.officer.invited() == room.chat
        await room.officer.join(room.chat)
        await room.sent(outgoing(room.good, index=2))

    play(homeserver, story)


def test_a_room_that_threw_the_account_out_says_so(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        place = await room.officer.create(preset="public_chat")
        await room.sent(outgoing(place, ask=None))
        await room.officer.call("POST", "rooms", place, "kick", body={"user_id": room.bot.user_id})
        await room.sent(outgoing(place, ask=None, index=1))  # it is open to everybody: it is entered again
        await room.officer.call("POST", "rooms", place, "ban", body={"user_id": room.bot.user_id})
        answer = await room.channel.send(outgoing(place, ask=None, index=2))
        assert isinstance(answer, Dead)
        assert "not let into the room" in answer.reason

    play(homeserver, story)


def test_an_alias_that_leads_elsewhere_now_is_followed(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        name = f"moving-{room.officer.id[1:].partition(':')[0]}"
        alias = f"#{name}:{DOMAIN}"
        old = await room.officer.create(preset="public_chat", room_alias_name=name)
        await room.sent(outgoing(alias, ask=None))
        new = await room.officer.create(preset="public_chat")
        await room.officer.call("DELETE", "directory", "room", alias)
        await room.officer.call("PUT", "directory", "room", alias, body={"room_id": new})
        await room.officer.call("POST", "rooms", old, "kick", body={"user_id": room.bot.user_id})
        event = await room.sent(outgoing(alias, index=1, ask=None))
        assert event in [e["event_id"] for e in await room.officer.messages(new)]

    play(homeserver, story)


def test_an_encrypted_room_is_refused_and_the_reason_says_what_to_do(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        place = await room.officer.create(preset="public_chat", initial_state=[encryption])
        answer = await room.channel.send(outgoing(place))
        assert isinstance(answer, Dead)
        assert "name a room without encryption" in answer.reason

    play(homeserver, story)


def test_a_room_that_becomes_encrypted_is_noticed(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        place = await room.officer.create(preset="public_chat")
        await room.sent(outgoing(place, ask=None))
        content = {"algorithm": "m.megolm.v1.aes-sha2"}
        await room.officer.call("PUT", "rooms", place, "state", "m.room.encryption", "", body=content)
        await room.heard_so_far()
        assert isinstance(await room.channel.send(outgoing(place, index=1, ask=None)), Dead)

    play(homeserver, story)


def test_how_long_to_wait_is_what_the_homeserver_says(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        await room.behave(Provider.BUSY)
        answer = await room.channel.send(outgoing(room.good))
        assert isinstance(answer, Retry)
        assert answer.after_s is not None
        assert 60 < answer.after_s < 600
        assert not answer.doubt

    play(homeserver, story)


def test_a_wrong_token_alarms_the_room(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        homeserver.ask("POST", "/_matrix/client/v3/logout", {}, room.bot)
        answer = await room.channel.send(outgoing(room.good))
        assert isinstance(answer, Dead)
        assert answer.alarm
        assert "M_UNKNOWN_TOKEN" in answer.reason
        assert room.bot.token not in repr(vars(room.channel))
        # And who listens says so at once: nobody's answer can be read.
        await room.intake.until(lambda: any(health == "failing" for health, _ in room.intake.healths), PATIENCE_S)

    play(homeserver, story)


# --- what is answered ----------------------------------------------------------------------------------------


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


# --- when the homeserver is not there ------------------------------------------------------------------------


def test_the_homeserver_starts_again_in_the_middle(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        ask = await room.sent(outgoing(room.good, order="FIRST"))
        await asyncio.to_thread(homeserver.stop)
        answer = await room.channel.send(outgoing(room.good, order="SECOND"))
        assert isinstance(answer, Retry)
        await asyncio.to_thread(homeserver.start)
        await room.officer.react(room.chat, ask, "👍")
        [reply] = await room.intake.replied(1)
        assert reply.order == "FIRST"
        second = await room.sent(outgoing(room.good, order="SECOND", nth=2))
        assert await room.sent(outgoing(room.good, order="SECOND", nth=3)) == second
        assert len(room.arrivals()) == 2

    play(homeserver, story)


def test_a_homeserver_that_cannot_be_reached_is_told_and_what_was_said_meanwhile_is_read(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        room.channel.listener._sleep = no_time  # type: ignore[assignment]  # its pauses, not ours
        await room.behave(Provider.DOWN)
        assert isinstance(await room.channel.send(outgoing(room.good)), Retry)
        await room.intake.until(lambda: "failing" in [h for h, _ in room.intake.healths], PATIENCE_S)
        assert "cannot be read" in room.intake.healths[-1][1]
        await room.officer.say(room.chat, "ja")
        await room.behave(Provider.WORKING)
        [reply] = await room.intake.replied(1)
        assert reply.text == "ja"
        await room.intake.until(lambda: room.intake.healths[-1][0] == "ok", PATIENCE_S)

    play(homeserver, story)


async def no_time(seconds: float) -> None:
    await asyncio.sleep(0)


def test_settling_tells_what_was_taken_from_what_was_not(homeserver: Synapse) -> None:
    async def story(room: Room) -> None:
        now = room.intake.now()
        await room.sent(outgoing(room.good, order="OTHER", since=now))
        await room.behave(Provider.LOSING)
        lost = outgoing(room.good, order="LOST", index=2, since=now, ask=AskDetails(code="C", answer_s=60))
        answer = await room.channel.send(lost)
        assert isinstance(answer, Retry)
        assert answer.doubt
        await room.hub_down()
        await room.behave(Provider.WORKING)
        await room.hub_back()
        found = await room.channel.settle(lost)
        assert isinstance(found, Sent)
        assert found.ref == room.arrivals()[-1].id
        assert isinstance(await room.channel.settle(outgoing(room.good, order="LOST", index=3, since=now)), Retry)
        assert isinstance(await room.channel.settle(outgoing(room.new_officer("new").id, since=now)), Retry)

    play(homeserver, story)
