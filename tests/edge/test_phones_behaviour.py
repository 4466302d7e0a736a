"""What phones do by themselves, as Twilio tells of it: no coverage, receipts late and out of order, machines, STOP."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.edge.phones_room import ACCOUNT, ANNE, BART, HUB, TOKEN, Room, play, refusal, thanks
from tools.phones import Behaviour, BehaviourError, PeopleError, PhoneError, Phones, load_people
from tools.phones.optout import OptOuts, kind_of


async def sms(room: Room, to: str = ANNE, body: str = "x") -> None:
    await room.client.messages.create_async(to=to, from_=HUB, body=body, status_callback=room.hub.base + "/status")


def statuses(room: Room) -> list[tuple[str, str | None]]:
    return [(form["MessageStatus"], form.get("ErrorCode")) for form in room.hub.of("/status")]


def texts(room: Room, number: str = ANNE) -> list[str]:
    return [message.body for message in room.phones.network.phone(number).thread]


# No coverage


def test_without_coverage_sms_wait_and_come_in_a_batch_when_it_is_back() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, coverage=False)
        phone = room.phones.network.phone(ANNE)
        for body in ("first", "second", "third"):
            await sms(room, body=body)
        await room.advance(600)
        await room.heard("/status", 3)
        assert statuses(room) == [("sent", None)] * 3
        assert (texts(room), len(phone.waiting)) == ([], 3)
        room.phones.script(ANNE, coverage=True)
        await room.advance(2)
        await room.heard("/status", 6)
        assert statuses(room)[3:] == [("delivered", None)] * 3
        assert (texts(room), phone.waiting) == (["first", "second", "third"], [])

    play(story)


def test_without_coverage_for_too_long_an_sms_is_undelivered() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, coverage=False, kept_s=300)
        await sms(room)
        await room.advance(310)
        await room.heard("/status", 2)
        assert statuses(room) == [("sent", None), ("undelivered", "30003")]
        room.phones.script(ANNE, coverage=True)
        await room.advance(10)
        assert texts(room) == [], "the carrier has thrown it away"

    play(story)


def test_without_coverage_nothing_can_be_sent_or_answered() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, coverage=False)
        with pytest.raises(PhoneError, match="no coverage"):
            room.phones.network.text(ANNE, "hello", to=HUB)
        await room.client.calls.create_async(to=ANNE, from_=HUB, twiml=str(thanks()))
        await room.status("failed")
        assert "ringing" not in room.phones.calls[0].statuses

    play(story)


def test_without_coverage_the_voicemail_takes_a_call_at_once() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, coverage=False, call="machine", answers_after_s=20)
        await room.client.calls.create_async(to=ANNE, from_=HUB, twiml=str(thanks()))
        await room.status("in-progress")
        assert room.clock.now() < 5
        assert room.phones.calls[0].machine
        with pytest.raises(PhoneError, match="it is in no call"):
            room.phones.network.hang_up(ANNE)
        await room.status("completed")

    play(story)


def test_a_scripted_reply_waits_for_coverage() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, reply="OK", reply_after_s=30)
        await sms(room)
        await room.advance(10)
        room.phones.script(ANNE, coverage=False)
        await room.advance(100)
        assert room.hub.of("/inbound") == []
        room.phones.script(ANNE, coverage=True)
        await room.heard("/inbound", 1)

    play(story)


# Receipts


def test_a_late_receipt_comes_long_after_the_sms() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, receipt_after_s=240)
        await sms(room)
        await room.advance(10)
        await room.heard("/status", 1)
        assert (texts(room), statuses(room)) == (["x"], [("sent", None)])
        await room.advance(240)
        forms = await room.heard("/status", 2)
        assert forms[1]["MessageStatus"] == "delivered"

    play(story)


def test_a_carrier_without_receipts_leaves_it_at_sent() -> None:
    async def story(room: Room) -> None:
        room.phones.script(BART, receipt_after_s=None)
        await sms(room, BART)
        await room.advance(100)
        await room.heard("/status", 1)
        assert (texts(room, BART), statuses(room)) == (["x"], [("sent", None)])
        assert room.phones.messages[-1].statuses == ["queued", "sent"]

    play(story)


def test_receipts_out_of_order() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, out_of_order=True, call="busy")
        await sms(room)
        await room.advance(10)
        await room.heard("/status", 2)
        assert statuses(room) == [("delivered", None), ("sent", None)]
        await room.client.calls.create_async(
            to=ANNE,
            from_=HUB,
            twiml=str(thanks()),
            status_callback=room.hub.base + "/call",
            status_callback_event=["initiated", "completed"],
        )
        await room.status("busy")
        forms = await room.heard("/call", 2)
        assert [(form["CallStatus"], form["SequenceNumber"]) for form in forms] == [("busy", "1"), ("initiated", "0")]

    play(story)


@pytest.mark.parametrize("code", [30003, 30005, 30006, 30007])
def test_undelivered_with_its_error_code(code: int) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, sms_error=code)
        await sms(room)
        await room.advance(10)
        await room.heard("/status", 2)
        assert statuses(room) == [("sent", None), ("undelivered", str(code))]
        fetched = await room.client.messages(room.phones.messages[0].sid).fetch_async()
        assert (fetched.status, fetched.error_code) == ("undelivered", code)

    play(story)


def test_a_number_that_is_none_is_refused_for_calls_too() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, sms_error=21211)
        for refused in (
            room.client.messages.create_async(to=ANNE, from_=HUB, body="x"),
            room.client.calls.create_async(to=ANNE, from_=HUB, twiml=str(thanks())),
        ):
            error = await refusal(refused)
            assert (error.status, error.code) == (400, 21211)

    play(story)


# Answering machines


@pytest.mark.parametrize(
    ("mode", "ends", "expected"),
    [
        (None, "beep", None),
        ("Enable", "beep", "machine_start"),
        ("DetectMessageEnd", "beep", "machine_end_beep"),
        ("DetectMessageEnd", "silence", "machine_end_silence"),
        ("DetectMessageEnd", "other", "machine_end_other"),
    ],
)
def test_a_machine_is_named_only_where_twilio_would(mode: str | None, ends: str, expected: str | None) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="machine", greeting_ends=ends)
        detection = {"machine_detection": mode} if mode else {}
        await room.client.calls.create_async(
            to=ANNE, from_=HUB, twiml=str(thanks()), status_callback=room.hub.base + "/call", **detection
        )
        await room.status("completed")
        (form,) = await room.heard("/call", 1)
        assert (form["CallStatus"], form.get("AnsweredBy")) == ("completed", expected)
        assert (await room.client.calls(form["CallSid"]).fetch_async()).answered_by == expected

    play(story)


def test_who_takes_the_call_before_the_machine_does_is_a_person() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="machine", answers_after_s=20)
        url = room.hub.says("/voice", thanks())
        await room.client.calls.create_async(to=ANNE, from_=HUB, url=url, machine_detection="Enable")
        await room.status("ringing")
        room.phones.network.answer(ANNE)
        await room.status("completed")
        assert [form["AnsweredBy"] for form in room.hub.of("/voice")] == ["human"]
        assert not room.phones.calls[0].machine

    play(story)


# STOP


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("stop", "STOP"),
        (" Stop ", "STOP"),
        ("ARRÊT", "STOP"),
        ("arrêté", "STOP"),
        ("Unsubscribe", "STOP"),
        ("optout", "STOP"),
        ("unstop", "START"),
        ("Yes", "START"),
        ("info", "HELP"),
        ("stop please", None),
        ("K stop", None),
        ("", None),
    ],
)
def test_words_that_twilio_acts_on(body: str, kind: str | None) -> None:
    assert kind_of(body) == kind


def test_who_is_blocked_for_whom() -> None:
    outs = OptOuts(stopped=[BART])
    assert outs.blocks(BART, HUB)
    assert not outs.any(ANNE)
    outs.heard(ANNE, HUB, "STOP")
    assert outs.blocks(ANNE, HUB)
    assert not outs.blocks(ANNE, "+3228080113"), "of this sender only"
    for number in (ANNE, BART):
        kind, answer = outs.heard(number, HUB, "start")
        assert (kind, "resubscribed" in answer) == ("START", True)
    assert not outs.any(ANNE)
    assert not outs.any(BART)
    assert outs.heard(ANNE, HUB, "yes") == ("START", ""), "an answer, not a subscription: nothing is said"


def test_stop_blocks_the_number_until_start_and_the_hub_hears_of_both() -> None:
    async def story(room: Room) -> None:
        room.phones.network.text(ANNE, "Stop", to=HUB)
        error = await refusal(room.client.messages.create_async(to=ANNE, from_=HUB, body="x"))
        assert (error.status, error.code) == (400, 21610)
        room.phones.network.text(ANNE, "START", to=HUB)
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="welcome")
        await room.advance(10)
        forms = await room.heard("/inbound", 2)
        assert [(form["Body"], form["OptOutType"]) for form in forms] == [("Stop", "STOP"), ("START", "START")]
        said = texts(room)
        assert [said[0], said[1], said[-1]] == ["Stop", "START", "welcome"]
        assert "unsubscribed" in said[2]
        assert "resubscribed" in said[3]
        assert {message.status for message in room.phones.messages} == {"received", "delivered"}

    play(story)


# By hand: HTTP and the people file


def test_every_behaviour_can_be_set_from_outside() -> None:
    async def story(room: Room) -> None:
        at = f"{room.phones.base_url}/control/phones"
        async with aiohttp.ClientSession() as session:

            async def ask(method: str, path: str = "", body: Any = None) -> tuple[int, Any]:
                async with session.request(method, at + path, json=body) as response:
                    return response.status, await response.json()

            assert [phone["name"] for phone in (await ask("GET"))[1]] == ["Anne", "Bart"]
            status, view = await ask("PATCH", f"/{ANNE}", {"call": "machine", "coverage": False})
            assert (status, view["behaviour"]["call"], view["behaviour"]["coverage"]) == (200, "machine", False)
            await sms(room)
            await room.advance(5)
            status, view = await ask("PATCH", f"/{ANNE}", {"receipt_after_s": 60})
            assert (view["waiting"], view["behaviour"]["coverage"]) == (1, False), "what is not named stays"
            assert (await ask("GET", f"/{ANNE}"))[1] == view
            status, view = await ask("PUT", f"/{ANNE}", {"call": "busy"})
            assert (view["behaviour"]["call"], view["behaviour"]["coverage"]) == ("busy", True)
            await room.advance(5)
            assert [m["text"] for m in (await ask("GET", f"/{ANNE}"))[1]["thread"]] == ["x"]
            for body, why in (
                ({"call": "buzy"}, "must be one of hand, answer, decline, busy, no-answer, machine, unknown"),
                ({"cal": "busy"}, "the fields are call, answers_after_s"),
                ({"sms_error": 404}, "must be one of 21211, 21606, 21610"),
                ({"kept_s": -1}, "must not be negative"),
                ({"reply_to": "("}, "not a regular expression"),
                ({"coverage": "no"}, "Expected `bool`"),
                ([], "Expected `object`"),
            ):
                status, said = await ask("PATCH", f"/{ANNE}", body)
                assert status == 400, body
                assert why in said["error"]
            assert (await ask("GET", f"/{ANNE}"))[1]["behaviour"]["call"] == "busy", "nothing of it was taken"
            assert (await ask("GET", "/+32470999999"))[0] == 404

    play(story)


def test_behaviours_in_the_people_file(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(
        "- {name: Anne, number: +32470000001, behaviour: {coverage: false, kept_s: 600, receipt_after_s: null}}\n"
        "- {name: Bart, number: +32470000002, opted_out: true, behaviour: {sms_error: 30007, out_of_order: true}}\n"
    )
    anne, bart = load_people(path)
    assert anne.behaviour == Behaviour(coverage=False, kept_s=600.0, receipt_after_s=None)
    assert bart.behaviour == Behaviour(sms_error=30007, out_of_order=True)
    path.write_text("- {name: Anne, number: +32470000001, behaviour: {call: off}}\n")
    with pytest.raises(PeopleError, match=r"person 1: Invalid enum value 'off'.*must be one of hand, answer"):
        load_people(path)

    async def opted_out() -> None:
        async with Phones(ACCOUNT, TOKEN, people=[anne, bart]) as phones:
            assert phones.network.opt_outs.blocks(BART, HUB)

    asyncio.run(opted_out())
    with pytest.raises(BehaviourError, match="the fields are"):
        Behaviour().changed({"nonsense": 1})
