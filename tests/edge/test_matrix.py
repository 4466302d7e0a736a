"""The Matrix channel against a real Synapse: every channel's promises, and the stories of those who answer on it."""

import asyncio

import pytest

from hub.connector import AskDetails, Dead, Retry, Sent
from hub.model.people import Language
from tests.contracts.channel import PROMISES, Provider, outgoing
from tests.edge.matrix_room import PATIENCE_S, Room, no_time, play
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
