"""SMS stories: the real SDK, the phone simulator, signed callbacks over a real server."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from connectors.twilio.sms import SmsConfig
from hub.connector import Dead, Item, Retry, Sent, Taken
from hub.model.message import Outcome
from tests.contracts.channel import Provider, outgoing
from tests.edge.twilio_room import ACCOUNT, ANNE, BART, HUB, Room, play
from tools.phones import Faults
from tools.phones.webhooks import signature


def test_an_sms_arrives_and_its_delivery_is_reported_by_name() -> None:
    async def story(room: Room) -> None:
        answer = await room.channel.send(outgoing(ANNE, order="ORDER9", index=7))
        assert isinstance(answer, Sent)
        assert answer.ref.startswith("SM")
        assert not answer.final
        await room.outcomes("delivered")
        for receipt in room.intake.receipts:
            assert (receipt.order, receipt.index, receipt.ref) == ("ORDER9", 7, answer.ref)
        assert {receipt.outcome for receipt in room.intake.receipts} == {Outcome.SENT, Outcome.DELIVERED}

    play("sms", story)


def test_typography_is_made_plain_so_that_one_sms_is_enough() -> None:
    async def story(room: Room) -> None:
        await room.channel.send(outgoing(ANNE, "Restez à l’abri… « SITCEN »"))
        [message] = room.phones.messages
        assert message.body == 'Restez à l\'abri... " SITCEN "'
        assert message.segments == 1

    play("sms", story)


def test_a_text_too_long_is_cut_not_refused() -> None:
    async def story(room: Room) -> None:
        assert isinstance(await room.channel.send(outgoing(ANNE, "België is groot. " * 300)), Sent)
        [message] = room.phones.messages
        assert message.segments == 8
        assert message.body.endswith("...")

    play("sms", story)


@pytest.mark.parametrize("code", [21211, 21614])
def test_a_number_that_is_wrong_is_said_to_be(code: int) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, sms_error=code)
        answer = await room.channel.send(outgoing(ANNE))
        assert isinstance(answer, Dead)
        assert answer.bad_address
        assert not answer.alarm
        assert str(code) in answer.reason

    play("sms", story)


def test_who_has_opted_out_is_reached_by_another_channel_and_the_number_is_right() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, sms_error=21610)
        answer = await room.channel.send(outgoing(ANNE))
        assert answer == Dead(reason="Twilio: 21610 opted out (STOP)")

    play("sms", story)


@pytest.mark.parametrize(("code", "words"), [(30003, "unreachable"), (30005, "unknown number"), (30007, "filtered")])
def test_an_undelivered_sms_is_reported_with_its_reason(code: int, words: str) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, sms_error=code)
        assert isinstance(await room.channel.send(outgoing(ANNE)), Sent)
        await room.outcomes("failed")
        [failed] = [receipt for receipt in room.intake.receipts if receipt.outcome is Outcome.FAILED]
        assert failed.reason.startswith(f"{code} {words}")

    play("sms", story)


def test_wrong_credentials_alarm_the_room() -> None:
    async def story(room: Room) -> None:
        answer = await room.channel.send(outgoing(ANNE))
        assert isinstance(answer, Dead)
        assert answer.alarm
        assert "20003" in answer.reason

    play("sms", story, tokens=("old",))


def test_when_busy_twilio_says_how_long_to_wait() -> None:
    async def story(room: Room) -> None:
        await room.behave(Provider.BUSY)
        answer = await room.channel.send(outgoing(ANNE))
        assert isinstance(answer, Retry)
        assert "429" in answer.reason

    play("sms", story)


def test_an_error_of_twilios_leaves_doubt_that_its_list_settles() -> None:
    async def story(room: Room) -> None:
        room.phones.set_faults(Faults(error_500=1))
        message = outgoing(ANNE, since=room.intake.now())
        answer = await room.channel.send(message)
        assert isinstance(answer, Retry)
        assert answer.doubt
        room.phones.set_faults(Faults())
        assert await room.channel.settle(message) == Retry(reason="Twilio: not in its list of messages")

    play("sms", story)


def test_settling_finds_the_very_message_among_others() -> None:
    async def story(room: Room) -> None:
        now = room.intake.now()
        await room.channel.send(outgoing(ANNE, "The storm is over. You may go out.", order="OTHER"))
        await room.behave(Provider.LOSING)
        lost = outgoing(ANNE, "A storm is coming. Reply AB to accept.", since=now)
        await room.channel.send(lost)
        await room.behave(Provider.WORKING)
        await room.channel.send(outgoing(BART, "A storm is coming. Reply AB to accept.", order="BARTS"))
        found = await room.channel.settle(lost)
        assert isinstance(found, Sent)
        [message] = [m for m in room.phones.messages if m.body.startswith("A storm") and m.to == ANNE]
        assert found.ref == message.sid

    play("sms", story)


def test_settling_does_not_take_another_deliverys_message_for_its_own() -> None:
    async def story(room: Room) -> None:
        # The same text to the same person for another order, which this process sent itself.
        await room.channel.send(outgoing(ANNE, order="OTHER"))
        never = outgoing(ANNE, order="MINE", since=room.intake.now())
        assert isinstance(await room.channel.settle(never), Retry)

    play("sms", story)


def test_settling_passes_over_what_is_known_to_be_anothers() -> None:
    async def story(room: Room) -> None:
        room.phones.network.send(to=ANNE, sender=HUB, body=outgoing(ANNE).text, service_sid=None, status_callback=None)
        others = frozenset({room.phones.messages[0].sid})
        now = room.intake.now()
        assert isinstance(await room.channel.settle(outgoing(ANNE, since=now, others=others)), Retry)
        assert isinstance(await room.channel.settle(outgoing(ANNE, since=now)), Sent)

    play("sms", story)


def test_settling_does_not_go_back_before_the_first_attempt() -> None:
    async def story(room: Room) -> None:
        room.phones.network.send(to=ANNE, sender=HUB, body=outgoing(ANNE).text, service_sid=None, status_callback=None)
        room.phones.messages[0].created = datetime.now(UTC) - timedelta(minutes=10)
        recent = outgoing(ANNE, since=room.intake.now() - timedelta(minutes=5))
        assert isinstance(await room.channel.settle(recent), Retry)
        older = outgoing(ANNE, since=room.intake.now() - timedelta(minutes=15))
        assert isinstance(await room.channel.settle(older), Sent)

    play("sms", story)


def test_settling_works_in_a_playback_on_another_date() -> None:
    async def story(room: Room) -> None:
        playback = datetime(2018, 3, 16, 12, tzinfo=UTC)
        room.intake._now = playback
        await room.behave(Provider.LOSING)
        lost = outgoing(ANNE, since=playback)
        await room.channel.send(lost)
        await room.behave(Provider.WORKING)
        assert isinstance(await room.channel.settle(lost), Sent)

    play("sms", story)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_request_that_may_still_be_under_way_is_asked_for_again(fresh: bool) -> None:
    async def story(room: Room) -> None:
        lost = outgoing(ANNE, since=room.intake.now() - timedelta(minutes=5))
        if fresh:  # this process has just lost the answer; else it was lost long ago, before a restart
            room.phones.set_faults(Faults(error_500=1))
            await room.channel.send(lost)
            room.phones.set_faults(Faults())
        messages = room.channel._account.client.messages
        listed = messages.list_async
        asked: list[dict[str, object]] = []

        async def list_then_arrive(**query: object) -> object:
            found = await listed(**query)
            if not asked:
                room.phones.network.send(to=ANNE, sender=HUB, body=lost.text, service_sid=None, status_callback=None)
            asked.append(query)
            return found

        messages.list_async = list_then_arrive
        assert isinstance(await room.channel.settle(lost), Sent if fresh else Retry)
        assert len(asked) == (2 if fresh else 1)

    play("sms", story)


def test_without_a_public_address_no_callback_is_asked_for() -> None:
    from connectors.twilio.sms import SmsChannel
    from tests.contracts.intake import environment

    for public in ("", "/callback/sms"):
        given = environment("sms", public, token="t")
        channel = SmsChannel(SmsConfig(account=ACCOUNT, tokens=("token",), sender=HUB), given)
        assert channel._account.callback("status", outgoing(ANNE)) is None


def test_a_reply_is_recorded_with_its_words_before_twilio_is_answered() -> None:
    async def story(room: Room) -> None:
        await room.channel._missed  # what it does on coming up is over
        offers_before = room.intake.offers
        room.intake.gate = asyncio.Event()
        sent_before = len(room.phones.webhooks.sent)
        room.phones.network.text(ANNE, "AB ja, 20 min", to=HUB)
        await room.until(lambda: room.intake.offers == offers_before + 1)
        assert len(room.phones.webhooks.sent) == sent_before
        room.intake.gate.set()
        await room.phones.until(lambda: len(room.phones.webhooks.sent) > sent_before)
        [reply] = room.intake.replies
        assert (reply.channel, reply.address, reply.text, reply.verb) == ("sms", ANNE, "AB ja, 20 min", None)
        assert room.phones.webhooks.sent[-1].status == 200

    play("sms", story)


async def post(room: Room, path: str, form: dict[str, str], *, token: str | None = None) -> tuple[int, str]:
    """A request as Twilio would make it, signed with `token` (not at all when None)."""
    base = room.phones.network.inbound
    assert base is not None
    url = base.removesuffix("/reply") + path
    headers = {"X-Twilio-Signature": signature(token, url, form)} if token else {}
    async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as response:
        return response.status, await response.text()


REPLY = {"MessageSid": "SM1", "From": ANNE, "To": HUB, "Body": "1", "AccountSid": ACCOUNT}


def test_replies_nobody_signed_are_refused() -> None:
    async def story(room: Room) -> None:
        assert (await post(room, "/reply", REPLY))[0] == 403
        assert (await post(room, "/reply", REPLY, token="someone else's"))[0] == 403
        assert room.intake.items == []
        assert (await post(room, "/reply", REPLY, token="s3cret-old"))[0] == 200  # the token being replaced

    play("sms", story)


def test_a_reply_twice_is_one_and_nothing_durable_means_try_again() -> None:
    from tests.edge.twilio_room import TOKEN

    async def story(room: Room) -> None:
        room.intake.down = "disk full"
        assert (await post(room, "/reply", REPLY, token=TOKEN))[0] == 503
        room.intake.down = ""
        for _ in range(2):
            status, text = await post(room, "/reply", REPLY, token=TOKEN)
            assert status == 200
            assert "<Response" in text
        assert len(room.intake.replies) == 1
        assert (await post(room, "/reply", {"Body": "who?"}, token=TOKEN))[0] == 400

    play("sms", story)


def test_statuses_nobody_knows_are_passed_over() -> None:
    from tests.edge.twilio_room import TOKEN

    async def story(room: Room) -> None:
        huh = {"MessageSid": "SM1", "MessageStatus": "huh", "New": "field"}
        assert (await post(room, "/status/O/0", huh, token=TOKEN))[0] == 204
        assert room.intake.items == []
        # Out of order: both are told, and rank is the journal's affair.
        for word in ("delivered", "sent"):
            assert (await post(room, "/status/O/0", {**huh, "MessageStatus": word}, token=TOKEN))[0] == 204
        assert [receipt.outcome for receipt in room.intake.receipts] == [Outcome.DELIVERED, Outcome.SENT]
        room.intake.down = "full"
        assert (await post(room, "/status/O/1", {**huh, "MessageStatus": "sent"}, token=TOKEN))[0] == 503

    play("sms", story)


def test_a_recorded_callback_and_recorded_messages_are_read(samples: object) -> None:
    from pathlib import Path
    from urllib.parse import parse_qsl

    from tests.edge.twilio_room import TOKEN

    folder = Path(str(samples)) / "json"

    async def story(room: Room) -> None:
        for name in ("twilio_inbound_sms.form", "twilio_inbound_mms.form"):
            form = dict(parse_qsl((folder / name).read_text(), keep_blank_values=True))
            assert urlencode(form)
            assert (await post(room, "/reply", form, token=TOKEN))[0] == 200
        unknown = dict(parse_qsl((folder / "twilio_status_callback_unknown_status.form").read_text()))
        assert (await post(room, "/status/O/0", unknown, token=TOKEN))[0] == 204
        # Both samples carry one MessageSid: the second is a repetition.
        [reply] = room.intake.replies
        assert (reply.address, reply.text) == ("+14133881111", "Msg")
        assert room.intake.receipts == []

    play("sms", story)


@pytest.mark.parametrize(
    "wrong", [{"sender": ""}, {"sender": "+32 460"}, {"sender": "TwelveLetters"}, {"sender": "Ünfall"}]
)
def test_a_sender_that_can_send_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="sender"):
        SmsConfig(account=ACCOUNT, tokens=("token",), **wrong)


def test_replies_that_came_while_nobody_listened_are_taken_on_coming_back() -> None:
    """Those that were heard are offered again under the same key; before it first came up, it missed nothing."""

    async def story(room: Room) -> None:
        await room.channel._missed  # what it does on coming up is over
        network = room.phones.network
        network.inbound = None  # the hub is away
        network.text(ANNE, "A oui", to=HUB)
        network.text(BART, "B nee", to=HUB)
        network.text(BART, "to somebody else", to="+3228080999")
        for message in room.phones.messages:
            message.sent = datetime.now(UTC) - timedelta(minutes=1)
        cursors: list[str | None] = [None]
        offer = room.intake.offer

        async def cursor() -> str | None:  # the fake keeps none
            return cursors[-1]

        async def offer_with(items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
            cursors.append(cursor or cursors[-1])
            return await offer(items)

        room.intake.cursor, room.intake.offer = cursor, offer_with  # type: ignore[method-assign]
        await room.channel._take_missed(room.intake)
        assert room.intake.replies == []
        assert cursors[1] is not None, "however soon it goes down again, it is known since when it listens"
        cursors.append((datetime.now(UTC) - timedelta(minutes=5)).isoformat())
        room.phones.set_faults(Faults(refused=0.5, seed=3))
        await room.channel._take_missed(room.intake)
        sids = [m.sid for m in room.phones.messages if m.to == HUB]
        assert [(r.address, r.text, r.key) for r in room.intake.replies] == [
            (ANNE, "A oui", sids[0]),
            (BART, "B nee", sids[1]),
        ]

    play("sms", story)
