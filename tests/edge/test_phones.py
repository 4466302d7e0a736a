"""The phone simulator, driven by the real twilio SDK; its webhooks checked by the SDK's own validator."""

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import VoiceResponse

from tests.edge.phones_room import ACCOUNT, ANNE, BART, HUB, TOKEN, Room, menu, play, refusal, thanks
from tools.phones import (
    Faults,
    PacedClock,
    PeopleError,
    PhoneError,
    Phones,
    PhonesInThread,
    Sink,
    load_people,
)
from tools.phones.__main__ import arguments, build
from tools.phones.gsm import segments
from tools.phones.page import choose_language
from tools.phones.texts import TEXTS
from tools.phones.twiml import TwimlError, parse
from tools.phones.webhooks import signature

ROOT = Path(__file__).resolve().parents[2]

# The pure parts


def test_signature_of_the_recorded_vectors(samples: Path) -> None:
    recorded = json.loads((samples / "json/twilio_signature_vectors.json").read_text())
    assert len(recorded["vectors"]) == 6
    for vector in recorded["vectors"]:
        url, params = vector["url"], vector.get("params", {})
        variants = {url, url.replace(":443/", "/"), url.replace(":80/", "/"), url.replace(":1234/", "/")}
        found = {signature(recorded["auth_token"], variant, params) for variant in variants}
        assert vector["signature"] in found, url


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 153 septets hold 76 pairs and one septet left over: a pair is never cut.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("ê" * 134, 2),
        ("ê" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("België", 1),
    ],
)
def test_segments(text: str, parts: int) -> None:
    assert segments(text) == parts


def test_twiml_that_is_none() -> None:
    with pytest.raises(TwimlError, match="12100"):
        parse("<Response><Say>")
    with pytest.raises(TwimlError, match="12101"):
        parse("<html/>")
    with pytest.raises(TwimlError, match="13314"):
        parse('<Response><Gather numDigits="one"/></Response>')
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Response><Say>&b;</Say></Response>'
    assert "aaaa" not in str(parse(bomb))


def test_people_file(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(
        "- {name: Anne, number: +32470000001, language: fr}\n"
        '- name: Bart\n  number: "+32470000002"\n  behaviour: {call: no-answer, digits: ["12#"]}\n'
    )
    anne, bart = load_people(path)
    assert (anne.number, anne.language, anne.behaviour.call) == (ANNE, "fr", "hand")
    assert (bart.behaviour.call, bart.behaviour.digits) == ("no-answer", ("12#",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {name: Anne, number: 0470}", "person 1: number '0470': must be E.164"),
        ("- {name: Anne, phone: +32470000001}", "person 1: "),
        ("name: Anne", ":1:1: not a list"),
        ("- {name: [}", ":1:"),
    ],
)
def test_people_file_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(text)
    with pytest.raises(PeopleError, match=r"people\.yaml") as caught:
        load_people(path)
    assert message in str(caught.value)


def test_faults_that_are_no_probabilities() -> None:
    with pytest.raises(ValueError, match="refused 2"):
        Faults(refused=2)
    with pytest.raises(ValueError, match="together"):
        Faults(refused=0.6, hangs=0.6)


def test_every_language_says_everything() -> None:
    for code, texts in TEXTS.items():
        assert texts.keys() == TEXTS["en"].keys(), code
        assert all(texts.values()), code


def test_language_of_the_page() -> None:
    assert choose_language("nl", "fr") == "nl"
    assert choose_language("", "es, de-BE;q=0.8, fr;q=0.9") == "fr"
    assert choose_language("xx", "es;q=oops") == "en"


def test_command_line(tmp_path: Path) -> None:
    options = arguments().parse_args(["--port", "0", "--account", ACCOUNT, "--token", TOKEN, "--pace", "0.1"])
    assert isinstance(build(options), Phones)
    options.sink = True
    assert isinstance(build(options), Sink)
    options.token = None
    with pytest.raises(ValueError, match="TWILIO_AUTH_TOKEN"):
        build(options)


def test_as_a_process_of_its_own(tmp_path: Path) -> None:
    people = tmp_path / "people.json"
    people.write_text(json.dumps([{"name": "Anne", "number": ANNE, "language": "fr"}]))
    command = [sys.executable, "-m", "tools.phones", "--port", "0", "--account", ACCOUNT]
    environment = {**os.environ, "TWILIO_AUTH_TOKEN": TOKEN}
    options = ["--people", str(people), "--pace", "0.01", "--at", "2021-07-14T09:30:00"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        assert process.stdout is not None
        base = process.stdout.readline().removeprefix("phones: ").strip()

        async def send() -> datetime:
            async with AsyncTwilioHttpClient() as http:
                client = Client(ACCOUNT, TOKEN, http_client=http)
                client.api.base_url = base
                sent = await client.messages.create_async(to=ANNE, from_=HUB, body="x")
                created: datetime = sent.date_created
                return created

        assert asyncio.run(send()).date().isoformat() == "2021-07-14"
        process.terminate()
        assert process.wait(20) == 0
    people.write_text("[{}]")
    refused = subprocess.run(
        [*command, *options], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )
    assert refused.returncode == 1
    assert "people.json: person 1: " in refused.stderr


# SMS


def test_message_is_accepted_and_delivered() -> None:
    async def story(room: Room) -> None:
        sent = await room.client.messages.create_async(
            to=ANNE, from_=HUB, body="Bruxelles €", status_callback=room.hub.base + "/status"
        )
        assert sent.sid.startswith("SM")
        assert len(sent.sid) == 34
        assert (sent.status, sent.direction, sent.num_segments) == ("queued", "outbound-api", "1")
        assert sent.date_sent is None
        assert abs((datetime.now(UTC) - sent.date_created).total_seconds()) < 60
        await room.advance(10)
        forms = await room.heard("/status", 2)
        assert [form["MessageStatus"] for form in forms] == ["sent", "delivered"], "none for the status it is made with"
        assert {form["MessageSid"] for form in forms} == {sent.sid}
        assert forms[1].keys() >= {"AccountSid", "From", "To", "ApiVersion", "RawDlrDate", "SmsSid"}
        fetched = await room.client.messages(sent.sid).fetch_async()
        assert (fetched.status, fetched.body, fetched.to) == ("delivered", "Bruxelles €", ANNE)
        assert fetched.date_sent is not None
        assert [message.body for message in room.phones.network.phone(ANNE).thread] == ["Bruxelles €"]

    play(story)


def test_messaging_service_picks_the_sender() -> None:
    async def story(room: Room) -> None:
        sent = await room.client.messages.create_async(to=ANNE, messaging_service_sid="MG" + "1" * 32, body="x")
        assert (sent.status, sent.num_segments, sent.from_) == ("accepted", "0", None)
        await room.advance(10)
        fetched = await room.client.messages(sent.sid).fetch_async()
        assert (fetched.status, fetched.from_) == ("delivered", HUB)

    play(story)


def test_refusals_in_the_form_of_twilio() -> None:
    async def story(room: Room) -> None:
        create = room.client.messages.create_async
        for to, body, code in (("112", "x", 21211), (ANNE, "", 21602), (ANNE, "x" * 1601, 21617)):
            error = await refusal(create(to=to, from_=HUB, body=body))
            assert (error.status, error.code) == (400, code)
        assert (await refusal(create(to=ANNE, body="x"))).code == 21603
        room.phones.script(BART, sms_error=21610)
        assert (await refusal(create(to=BART, from_=HUB, body="x"))).code == 21610
        missing = await refusal(room.client.messages("SM" + "0" * 32).fetch_async())
        assert (missing.status, missing.code) == (404, 20404)
        assert (await refusal(room.client.calls.create_async(to=ANNE, from_=HUB))).code == 21205
        stranger = Client(ACCOUNT, "wrong", http_client=room.http)
        stranger.api.base_url = room.phones.base_url
        error = await refusal(stranger.messages.create_async(to=ANNE, from_=HUB, body="x"))
        assert (error.status, error.code) == (401, 20003)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{room.phones.base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json") as response,
        ):
            form = await response.json()
        assert form.keys() == {"code", "message", "more_info", "status"}
        assert form["more_info"].endswith("/20003")
        assert room.phones.messages == []

    play(story)


def test_lists_for_settling_what_is_in_doubt() -> None:
    async def story(room: Room) -> None:
        for number in range(7):
            await room.client.messages.create_async(
                to=ANNE if number % 2 else BART, from_=HUB, body=f"message {number}"
            )
        await room.advance(10)
        listed = await room.client.messages.list_async(page_size=2)
        assert [message.body for message in listed] == [f"message {number}" for number in range(6, -1, -1)]
        to_anne = await room.client.messages.list_async(to=ANNE, from_=HUB)
        assert [message.body for message in to_anne] == ["message 5", "message 3", "message 1"]
        now = datetime.now(UTC)
        just_now, later = now - timedelta(minutes=5), now + timedelta(minutes=5)
        assert len(await room.client.messages.list_async(to=ANNE, date_sent_after=just_now)) == 3
        assert await room.client.messages.list_async(to=ANNE, date_sent_after=later) == []
        assert await room.client.messages.list_async(to=ANNE, date_sent_before=just_now) == []
        assert await room.client.messages.list_async(from_=ANNE) == []
        assert len(await room.client.messages.list_async(limit=3)) == 3
        # A page asked for by its token is not shifted by what arrives in between.
        page = await room.client.messages.page_async(page_size=3)
        first = [message.body for message in page]
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="late")
        following = await page.next_page_async()
        assert following is not None
        assert first + [message.body for message in following] == [f"message {n}" for n in range(6, 0, -1)]

    play(story)


def test_message_withdrawn_redacted_deleted() -> None:
    async def story(room: Room) -> None:
        first = await room.client.messages.create_async(to=ANNE, from_=HUB, body="secret")
        assert (await first.update_async(status="canceled")).status == "canceled"
        await room.advance(10)
        assert room.phones.network.phone(ANNE).thread == []
        second = await room.client.messages.create_async(to=ANNE, from_=HUB, body="secret")
        await room.advance(10)
        assert (await refusal(second.update_async(status="canceled"))).code == 30409
        assert (await second.update_async(body="")).body == ""
        assert await second.delete_async()
        assert (await refusal(second.fetch_async())).status == 404

    play(story)


def test_reply_reaches_the_hub_and_its_answer_the_phone() -> None:
    async def story(room: Room) -> None:
        answer = MessagingResponse()
        answer.message("Merci, c’est noté")
        room.hub.says("/inbound", answer)
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="Répondez A")
        await room.advance(10)
        room.phones.network.text(ANNE, "A & B=é+")
        (form,) = await room.heard("/inbound", 1)
        assert (form["From"], form["To"], form["Body"]) == (ANNE, HUB, "A & B=é+")
        assert (form["NumMedia"], form["SmsStatus"], form["MessageSid"][:2]) == ("0", "received", "SM")
        await room.advance_until(lambda: len(room.phones.network.phone(ANNE).thread) == 3)
        assert room.phones.messages[-1].direction == "outbound-reply"
        (listed,) = await room.client.messages.list_async(to=HUB)
        assert (listed.direction, listed.status, listed.body) == ("inbound", "received", "A & B=é+")

    play(story)


def test_plain_text_answer_is_sent_back_and_an_empty_one_is_not() -> None:
    async def story(room: Room) -> None:
        room.hub.says("/inbound", "<Response/>")
        room.phones.network.text(ANNE, "eins", to=HUB)
        await room.heard("/inbound", 1)
        room.hub.says("/inbound", "OK", "text/plain")
        room.phones.network.text(ANNE, "zwei", to=HUB)
        await room.heard("/inbound", 2)
        await room.advance_until(lambda: len(room.phones.messages) == 3)
        assert [message.body for message in room.phones.messages] == ["eins", "zwei", "OK"]

    play(story)


def test_scripted_reply_takes_the_code_from_the_message() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, reply=r"\1 oui", reply_to=r"code ([A-Z]{2})", reply_after_s=30)
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="no such thing")
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="code QF svp")
        await room.advance(20)
        assert room.hub.of("/inbound") == []
        await room.advance(20)
        (form,) = await room.heard("/inbound", 1)
        assert form["Body"] == "QF oui"

    play(story)


def test_a_name_cannot_be_answered() -> None:
    async def story(room: Room) -> None:
        await room.client.messages.create_async(to=ANNE, from_="BE-Alert", body="x")
        await room.advance(10)
        with pytest.raises(PhoneError, match="BE-Alert is a name"):
            room.phones.network.text(ANNE, "reply")

    play(story)


# Calls


EVENTS = ["initiated", "ringing", "answered", "completed"]


def test_call_is_answered_and_a_key_pressed_while_the_voice_speaks() -> None:
    async def story(room: Room) -> None:
        url = room.hub.says("/voice", menu("/digits?ask=7"))
        room.hub.says("/digits", thanks())
        call = await room.client.calls.create_async(
            to=ANNE, from_=HUB, url=url, status_callback=room.hub.base + "/call", status_callback_event=EVENTS
        )
        assert (call.status, call.sid[:2], len(call.sid)) == ("queued", "CA", 34)
        await room.status("ringing")
        assert (await call.fetch_async()).status == "ringing"
        room.phones.network.answer(ANNE)
        await room.phones.until(lambda: bool(room.phones.calls[0].captions))
        caption = room.phones.calls[0].captions[0]
        assert (caption.language, caption.text[:13]) == ("fr-BE", "Alerte pluie.")
        await room.advance(1)  # the voice needs almost three seconds: this is in the midst of it
        room.phones.network.press(ANNE, "1")
        (form,) = await room.heard("/digits", 1)
        assert (form["Digits"], form["CallSid"], form["CallStatus"]) == ("1", call.sid, "in-progress")
        await room.status("completed")
        forms = await room.heard("/call", 4)
        statuses = [form["CallStatus"] for form in forms]
        assert statuses == ["initiated", "ringing", "in-progress", "completed"]
        assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
        assert 1 <= int(forms[3]["CallDuration"]) <= 3
        assert {form["CallbackSource"] for form in forms} == {"call-progress-events"}
        ended = await call.fetch_async()
        assert (ended.status, ended.duration) == ("completed", forms[3]["CallDuration"])
        assert ended.start_time is not None
        assert ended.end_time is not None
        assert [c.text for c in room.phones.calls[0].captions][1:] == ["Merci."]

    play(story)


def test_no_key_falls_through() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer")
        await room.client.calls.create_async(to=ANNE, from_=HUB, twiml=str(menu(room.hub.base + "/digits")))
        await room.status("completed")
        assert room.hub.of("/digits") == []
        assert [c.text for c in room.phones.calls[0].captions][-1] == "Aucune réponse."

    play(story)


def test_no_key_is_reported_where_asked() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer")
        url = room.hub.says("/voice", menu("/digits", action_on_empty_result=True))
        room.hub.says("/digits", thanks())
        await room.client.calls.create_async(to=ANNE, from_=HUB, url=url)
        await room.status("completed")
        assert [form["Digits"] for form in room.hub.of("/digits")] == [""]

    play(story)


def test_keys_up_to_the_finishing_one_and_a_second_gather() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer", digits=("45#", "9"))
        first, second = VoiceResponse(), VoiceResponse()
        first.gather(action="second", finish_on_key="#", timeout=5)
        second.gather(action="/third", finish_on_key="", timeout=3)
        url = room.hub.says("/voice/first", first)
        room.hub.says("/voice/second", second)
        await room.client.calls.create_async(to=ANNE, from_=HUB, url=url)
        await room.status("completed")
        (form,) = room.hub.of("/voice/second")
        assert (form["Digits"], form["FinishedOnKey"]) == ("45", "#")
        assert [form["Digits"] for form in room.hub.of("/third")] == ["9"]

    play(story)


def test_redirect_pause_play_and_get() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer")
        response = VoiceResponse()
        response.pause(length=7)
        response.play("https://example.com/gong.wav")
        response.redirect("/next?x=1", method="GET")
        url = room.hub.says("/voice", response)
        room.hub.says("/next", thanks())
        await room.client.calls.create_async(
            to=ANNE,
            from_=HUB,
            url=url,
            status_callback=room.hub.base + "/call",
            status_callback_method="GET",
        )
        await room.status("completed")
        (form,) = room.hub.of("/next")
        assert (form["x"], form["CallStatus"]) == ("1", "in-progress")
        (form,) = await room.heard("/call", 1)
        assert form["CallStatus"] == "completed"
        assert room.phones.calls[0].duration_s >= 7  # type: ignore[operator]  # completed: it has one
        assert any("gong.wav" in note for note in room.phones.calls[0].log)

    play(story)


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        ({"call": "busy"}, "busy"),
        ({"call": "no-answer"}, "no-answer"),
        ({"call": "decline"}, "busy"),
        ({"call": "hand"}, "no-answer"),
        ({"call": "unknown"}, "failed"),
        ({"coverage": False}, "failed"),
    ],
)
def test_call_that_is_not_taken(behaviour: dict[str, object], status: str) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, **behaviour)
        call = await room.client.calls.create_async(
            to=ANNE, from_=HUB, twiml=str(thanks()), timeout=20, status_callback=room.hub.base + "/call"
        )
        await room.status("completed", "busy", "no-answer", "failed")
        (form,) = await room.heard("/call", 1)
        assert form["CallStatus"] == status
        ended = await call.fetch_async()
        assert (ended.status, ended.duration, ended.start_time) == (status, None, None)
        assert room.phones.calls[0].captions == []
        if status == "no-answer":
            assert 20 <= room.clock.now() <= 22

    play(story)


def test_ringing_call_is_stood_down() -> None:
    async def story(room: Room) -> None:
        call = await room.client.calls.create_async(
            to=ANNE, from_=HUB, twiml=str(thanks()), status_callback=room.hub.base + "/call"
        )
        await room.status("ringing")
        assert (await call.update_async(status="canceled")).status == "canceled"
        (form,) = await room.heard("/call", 1)
        assert form["CallStatus"] == "canceled"
        with pytest.raises(PhoneError, match="no call is ringing"):
            room.phones.network.answer(ANNE)
        assert (await refusal(call.update_async(status="completed"))).code == 21220

    play(story)


def test_call_in_progress_is_ended_or_redirected_by_the_hub() -> None:
    async def story(room: Room) -> None:
        long = VoiceResponse()
        long.pause(length=300)
        call = await room.client.calls.create_async(to=ANNE, from_=HUB, twiml=str(long))
        await room.status("ringing")
        room.phones.network.answer(ANNE)
        await room.status("in-progress")
        # "canceled" leaves an answered call alone.
        assert (await call.update_async(status="canceled")).status == "in-progress"
        await call.update_async(twiml="<Response><Say>Neu</Say><Pause length='60'/></Response>")
        await room.advance_until(lambda: [c.text for c in room.phones.calls[0].captions] == ["Neu"])
        assert (await call.update_async(status="completed")).status == "completed"
        assert room.phones.calls[0].ended_by == "caller"

    play(story)


def test_owner_hangs_up_and_a_second_call_finds_the_line_busy() -> None:
    async def story(room: Room) -> None:
        url = room.hub.says("/voice", menu("/digits"))
        await room.client.calls.create_async(to=ANNE, from_=HUB, url=url)
        await room.status("ringing")
        room.phones.network.answer(ANNE)
        await room.phones.until(lambda: room.phones.calls[0].gathering)
        second = await room.client.calls.create_async(to=ANNE, from_=HUB, url=url)
        await room.status("busy")
        assert (await second.fetch_async()).status == "busy"
        room.phones.network.hang_up(ANNE)
        await room.phones.until(lambda: room.phones.calls[0].status == "completed")
        assert room.phones.calls[0].ended_by == "callee"
        assert room.hub.of("/digits") == []

    play(story)


@pytest.mark.parametrize(
    ("behaviour", "mode", "expected"),
    [
        ("answer", "Enable", "human"),
        ("machine", "Enable", "machine_start"),
        ("machine", "DetectMessageEnd", "machine_end_beep"),
    ],
)
def test_answering_machine_detection(behaviour: str, mode: str, expected: str) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call=behaviour)
        url = room.hub.says("/voice", thanks())
        await room.client.calls.create_async(to=ANNE, from_=HUB, url=url, machine_detection=mode)
        await room.status("completed")
        assert [form["AnsweredBy"] for form in room.hub.of("/voice")] == [expected]
        assert [call.answered_by for call in await room.client.calls.list_async()] == [expected]

    play(story)


def test_answering_machine_detection_beside_the_call() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="machine")
        response = VoiceResponse()
        response.pause(length=30)
        url = room.hub.says("/voice", response)
        await room.client.calls.create_async(
            to=ANNE,
            from_=HUB,
            url=url,
            machine_detection="Enable",
            async_amd="true",
            async_amd_status_callback=room.hub.base + "/amd",
        )
        await room.advance_until(lambda: bool(room.hub.of("/amd")))
        assert "AnsweredBy" not in room.hub.of("/voice")[0]
        assert room.hub.of("/amd")[0]["AnsweredBy"] == "machine_start"

    play(story)


def test_script_that_fails_is_apologised_for_unless_there_is_another() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer")
        await room.client.calls.create_async(to=ANNE, from_=HUB, url=room.hub.base + "/broken")
        await room.status("completed")
        assert "application error" in room.phones.calls[0].captions[0].text
        assert any("11200" in problem for problem in room.phones.exchange.problems)
        await room.client.calls.create_async(
            to=ANNE,
            from_=HUB,
            url=room.hub.base + "/broken",
            fallback_url=room.hub.says("/voice", thanks()),
        )
        await room.status("completed")
        assert [c.text for c in room.phones.calls[1].captions] == ["Merci."]
        assert room.hub.of("/voice")[0]["ErrorCode"] == "11200"

    play(story)


def test_owner_hangs_up_by_script() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer", hangs_up_after_s=1.0)
        await room.client.calls.create_async(to=ANNE, from_=HUB, twiml=str(menu(room.hub.base + "/digits")))
        await room.status("completed")
        assert (room.phones.calls[0].ended_by, room.phones.calls[0].duration_s) == ("callee", 1)

    play(story)


def test_calls_are_listed_by_number_and_status() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="busy")
        await room.client.calls.create_async(to=ANNE, from_=HUB, twiml=str(thanks()))
        await room.client.calls.create_async(to=BART, from_=HUB, twiml=str(thanks()))
        await room.status("ringing")
        assert [call.to for call in await room.client.calls.list_async(page_size=1)] == [BART, ANNE]
        assert [call.to for call in await room.client.calls.list_async(status="busy")] == [ANNE]
        assert [call.to for call in await room.client.calls.list_async(to=BART)] == [BART]

    play(story)


# Faults


def test_faults_are_thrown_as_asked_and_reproducibly() -> None:
    async def story(room: Room) -> None:
        create = room.client.messages.create_async
        room.phones.set_faults(Faults(error_500=1))
        assert (await refusal(create(to=ANNE, from_=HUB, body="x"))).status == 500
        room.phones.set_faults(Faults(too_many=1))
        error = await refusal(create(to=ANNE, from_=HUB, body="x"))
        assert (error.status, error.code) == (429, 20429)
        room.phones.set_faults(Faults(refused=1))
        with pytest.raises(aiohttp.ClientConnectionError):
            await create(to=ANNE, from_=HUB, body="x")
        assert room.phones.messages == []

        room.phones.set_faults(Faults(answer_lost=1))
        with pytest.raises(aiohttp.ClientConnectionError):
            await create(to=ANNE, from_=HUB, body="lost answer")
        assert [message.body for message in room.phones.messages] == ["lost answer"]
        room.phones.set_faults(Faults())
        await room.advance(10)
        assert len(await room.client.messages.list_async(to=ANNE)) == 1

        struck = []
        for _ in range(2):
            room.phones.set_faults(Faults(error_500=0.3, too_many=0.3, seed=7))
            outcomes = []
            for _ in range(20):
                try:
                    await create(to=ANNE, from_=HUB, body="x")
                    outcomes.append(201)
                except TwilioRestException as error:
                    outcomes.append(error.status)
            assert room.phones.dice.counts["error_500"] == outcomes.count(500)
            struck.append(outcomes)
        assert struck[0] == struck[1]
        assert set(struck[0]) == {201, 429, 500}

    play(story)


@pytest.mark.parametrize(("fault", "kept"), [("hangs", 0), ("answer_stalled", 1)])
def test_no_answer_until_the_client_gives_up(fault: str, kept: int) -> None:
    async def story(room: Room) -> None:
        room.phones.set_faults(msgspec.convert({fault: 1.0}, Faults))
        url = f"{room.phones.base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
        form = {"To": ANNE, "From": HUB, "Body": "x"}
        async with aiohttp.ClientSession(headers=headers) as session:
            request = asyncio.ensure_future(session.post(url, data=form))
            # A second, healthy request shows that the first has been taken up before it is given up.
            await room.phones.until(lambda: room.phones.dice.counts[fault] == 1)
            room.phones.set_faults(Faults())
            async with session.get(url) as listed:
                assert listed.status == 200
            assert not request.done()
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)
        assert len(room.phones.messages) == kept

    play(story)


def test_gateway_goes_down_and_comes_up_again() -> None:
    async def story(room: Room) -> None:
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="before")
        address = room.phones.base_url
        await room.phones.down()
        with pytest.raises(aiohttp.ClientConnectionError):
            await room.client.messages.create_async(to=ANNE, from_=HUB, body="meanwhile")
        await room.phones.up()
        assert room.phones.base_url == address
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="after")
        assert [message.body for message in room.phones.messages] == ["before", "after"]

    play(story)


def test_rate_limit() -> None:
    async def story(room: Room) -> None:
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="x")
        error = await refusal(room.client.messages.create_async(to=ANNE, from_=HUB, body="x"))
        assert error.code == 20429

    play(story, max_rate=0.001)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (Faults(callback_twice=1), ["sent", "sent", "delivered", "delivered"]),
        (Faults(callback_held=1), ["delivered", "sent"]),
        (Faults(callback_unknown=1), ["?", "sent", "?", "delivered"]),
    ],
)
def test_callbacks_out_of_order_twice_or_unknown(faults: Faults, expected: list[str]) -> None:
    async def story(room: Room) -> None:
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="x", status_callback=room.hub.base + "/status")
        await room.advance(10)
        forms = await room.heard("/status", len(expected))
        found = [form["MessageStatus"].replace("simulated-unknown", "?") for form in forms]
        assert found == expected

    play(story, faults=faults)


def test_callbacks_that_are_lost_or_refused_hold_nothing_up() -> None:
    async def story(room: Room) -> None:
        broken = room.hub.base + "/broken"
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="x", status_callback=broken)
        await room.advance(10)
        await room.heard("/broken", 2)
        assert room.phones.messages[0].status == "delivered"
        room.phones.set_faults(Faults(callback_lost=1))
        await room.client.messages.create_async(to=ANNE, from_=HUB, body="x", status_callback=broken)
        await room.advance(10)
        assert room.phones.messages[1].status == "delivered"
        assert len(room.hub.of("/broken")) == 2

    play(story)


# Clock, sink, thread, control


def test_paced_clock_keeps_the_simulated_seconds() -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, call="answer", digits=("1",))
        url = room.hub.says("/voice", menu("/digits"))
        room.hub.says("/digits", thanks())
        await room.client.calls.create_async(to=ANNE, from_=HUB, url=url)
        await room.phones.until(lambda: room.phones.calls[0].status == "completed")
        assert room.phones.calls[0].digits == ["1"]
        assert room.phones.calls[0].duration_s >= 2  # type: ignore[operator]  # completed: it has one

    play(story, clock=PacedClock(0.01))
    with pytest.raises(ValueError, match="above 0"):
        PacedClock(0)


def test_dates_follow_the_clock_given() -> None:
    then = datetime(2021, 7, 14, 9, 30, tzinfo=UTC)

    async def story(room: Room) -> None:
        sent = await room.client.messages.create_async(to=ANNE, from_=HUB, body="x")
        assert sent.date_created == then

    play(story, now=lambda: then)


def test_sink_notes_arrivals() -> None:
    async def story() -> None:
        sink = Sink(ACCOUNT, TOKEN)
        await sink.start()
        async with AsyncTwilioHttpClient() as http:
            client = Client(ACCOUNT, TOKEN, http_client=http)
            client.api.base_url = sink.base_url
            before = time.perf_counter_ns()
            sent = [
                await client.messages.create_async(to=ANNE, from_=HUB, body=f"no {number} é&") for number in range(3)
            ]
            call = await client.calls.create_async(to=BART, from_=HUB, url="http://127.0.0.1/voice")
            after = time.perf_counter_ns()
            assert len({message.sid for message in sent}) == 3
            assert {(len(message.sid), message.status) for message in sent} == {(34, "queued")}
            assert (call.sid[:2], call.status) == ("CA", "queued")
            assert [(a.kind, a.to, a.body) for a in sink.arrivals] == [
                *(("message", ANNE, f"no {number} é&") for number in range(3)),
                ("call", BART, "http://127.0.0.1/voice"),
            ]
            assert all(before <= arrival.at_ns <= after for arrival in sink.arrivals)
            wrong = Client(ACCOUNT, "wrong", http_client=http)
            wrong.api.base_url = sink.base_url
            assert (await refusal(wrong.messages.create_async(to=ANNE, from_=HUB, body="x"))).code == 20003
            async with aiohttp.ClientSession() as session:
                async with session.get(sink.base_url + "/sink") as response:
                    assert [entry["to"] for entry in await response.json()] == [ANNE] * 3 + [BART]
                async with session.post(sink.base_url + "/sink/reset"):
                    pass
            assert sink.count == 0
        await sink.stop()

    asyncio.run(story())


def test_in_a_thread_for_callers_without_a_loop() -> None:
    with PhonesInThread(lambda: Phones(ACCOUNT, TOKEN, clock=PacedClock(0.01))) as phones:

        async def send() -> None:
            async with AsyncTwilioHttpClient() as http:
                client = Client(ACCOUNT, TOKEN, http_client=http)
                client.api.base_url = phones.base_url
                await client.messages.create_async(to=ANNE, from_=HUB, body="x")

        asyncio.run(send())
        phones.wait(lambda p: p.messages[0].status == "delivered")
        assert phones.do(lambda p: len(p.network.phone(ANNE).thread)) == 1
        phones.run(lambda p: p.down())
        with pytest.raises(aiohttp.ClientConnectionError):
            asyncio.run(send())


def test_control_from_another_process() -> None:
    async def story(room: Room) -> None:
        base = room.phones.base_url
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{base}/control/faults", json={"error_500": 1.0}) as response:
                assert (await response.json())["refused"] == 0
            assert (await refusal(room.client.messages.create_async(to=ANNE, from_=HUB, body="x"))).status == 500
            async with session.post(f"{base}/control/faults", json={"nonsense": 1.0}) as response:
                assert response.status == 400
            async with session.post(f"{base}/control/faults", json={}) as response:
                assert (await response.json())["error_500"] == 1
            async with session.patch(f"{base}/control/phones/{ANNE}", json={"call": "busy"}) as response:
                assert response.status == 200
            await room.client.calls.create_async(to=ANNE, from_=HUB, twiml=str(thanks()))
            await room.status("busy")
            async with session.post(f"{base}/control/faults", data="{}") as response:
                assert response.status == 415
            async with session.get(f"{base}/control/deliveries") as response:
                assert [call["statuses"][-1] for call in (await response.json())["calls"]] == ["busy"]

    play(story)
