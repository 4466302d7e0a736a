"""Twilio without a network: signatures, error codes, what is said, which numbers are numbers."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from twilio.base.exceptions import TwilioRestException

from connectors.number import bad_number
from connectors.twilio.account import Account, TwilioConfig
from connectors.twilio.codes import meaning, refused
from connectors.twilio.polling import Pending, Poller, Position, Subject
from connectors.twilio.sms import SmsChannel, SmsConfig
from connectors.twilio.twiml import LONGEST, PHRASES, Speech, again, said, script, speakable
from connectors.twilio.voice import VoiceChannel, VoiceConfig
from hub.connector import Answer, Dead, Retry, WebRequest
from hub.model.people import Language
from tests.contracts.channel import outgoing
from tests.contracts.intake import MemoryIntake, environment


def account(*tokens: str) -> Account:
    names = {f"t{i}": token for i, token in enumerate(tokens)}
    return Account(TwilioConfig(account="AC1", tokens=tuple(names)), environment("sms", **names))


def request(url: str, body: bytes, signature: str, media_type: str) -> WebRequest:
    headers = {"x-twilio-signature": signature, "content-type": media_type}
    return WebRequest(method="POST", url=url, path="/", headers=headers, body=body)


def of_vector(vector: dict[str, Any]) -> tuple[bytes, str]:
    if "body" in vector:
        return vector["body"].encode(), "application/json; charset=utf-8"
    return urlencode(vector["params"], doseq=True).encode(), "application/x-www-form-urlencoded"


def test_twilios_own_signatures_are_accepted_and_changed_ones_are_not(samples: Path) -> None:
    recorded = json.loads((samples / "json" / "twilio_signature_vectors.json").read_text())
    ours, rotating = account(recorded["auth_token"]), account("the new one", recorded["auth_token"])
    stranger = account("another token")
    assert len(recorded["vectors"]) == 6
    for vector in recorded["vectors"]:
        body, media_type = of_vector(vector)
        good = request(vector["url"], body, vector["signature"], media_type)
        assert ours.form(good) is not None, vector["url"]
        assert rotating.form(good) is not None
        assert stranger.form(good) is None
        assert ours.form(request(vector["url"] + "&x=1", body, vector["signature"], media_type)) is None
        assert ours.form(request(vector["url"], body + b"&x=1", vector["signature"], media_type)) is None
        assert ours.form(request(vector["url"], body, vector["signature"][:-2] + "A=", media_type)) is None
        assert ours.form(request(vector["url"], body, "", media_type)) is None


def test_the_port_may_be_there_or_not(samples: Path) -> None:
    recorded = json.loads((samples / "json" / "twilio_signature_vectors.json").read_text())
    ours = account(recorded["auth_token"])
    for vector in recorded["vectors"]:
        if ":443" in vector["url"]:
            body, media_type = of_vector(vector)
            without = vector["url"].replace(":443", "")
            assert ours.form(request(without, body, vector["signature"], media_type)) is not None


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"\xff\xfe=1", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % i for i in range(5000)), "application/x-www-form-urlencoded"),
        (b'{"a": 1}', "application/json"),  # no bodySHA256 in the URL
        (b"", ""),
    ],
)
def test_odd_bodies_are_refused_not_stumbled_over(body: bytes, media_type: str) -> None:
    assert account("12345").form(request("https://x/?a=1", body, "x" * 28, media_type)) is None


def error(status: int, code: int | None) -> TwilioRestException:
    return TwilioRestException(status, "/uri", "message with +32470000001", code)


@pytest.mark.parametrize(
    ("status", "code", "nth", "expected"),
    [
        (429, 20429, 1, Retry(reason="Twilio: 20429 too many requests")),
        (400, 30001, 3, Retry(reason="Twilio: 30001 queue overflow")),
        (400, 30003, 1, Retry(reason="Twilio: 30003 unreachable", after_s=30.0, address=True)),
        (400, 30003, 2, Dead(reason="Twilio: 30003 unreachable")),
        (400, 30004, 1, Dead(reason="Twilio: 30004 blocked")),
        (400, 21610, 1, Dead(reason="Twilio: 21610 opted out (STOP)")),
        (400, 21408, 1, Dead(reason="Twilio: 21408 country not enabled for SMS", elsewhere=True)),
        (400, 30005, 1, Dead(reason="Twilio: 30005 unknown number", bad_address=True)),
        (400, 30006, 1, Dead(reason="Twilio: 30006 landline or carrier cannot be reached", bad_address=True)),
        (400, 21211, 1, Dead(reason="Twilio: 21211 number not valid", bad_address=True)),
        (400, 21614, 1, Dead(reason="Twilio: 21614 not a mobile number", bad_address=True)),
        (400, 30007, 1, Dead(reason="Twilio: 30007 filtered by the carrier")),
        (400, 30008, 1, Retry(reason="Twilio: 30008 unknown error of the carrier", address=True)),
        (400, 30008, 2, Dead(reason="Twilio: 30008 unknown error of the carrier")),
        (401, 20003, 1, Dead(reason="Twilio: 20003 authentication failed", alarm=True)),
        (403, None, 1, Dead(reason="Twilio: HTTP 403", alarm=True)),
        (400, 21606, 1, Dead(reason="Twilio: 21606 sender cannot send SMS", alarm=True)),
        (500, None, 1, Retry(reason="Twilio: HTTP 500", doubt=True)),
        (502, 20500, 1, Retry(reason="Twilio: 20500 see twilio.com/docs/api/errors", doubt=True)),
        (400, 99999, 1, Dead(reason="Twilio: 99999 see twilio.com/docs/api/errors")),
    ],
)
def test_what_an_error_means(status: int, code: int | None, nth: int, expected: Answer) -> None:
    assert refused(error(status, code), nth) == expected


@pytest.mark.parametrize(
    ("code", "text"), [(None, ""), ("", ""), ("0", ""), ("abc", ""), ("30003", "30003 unreachable")]
)
def test_a_codes_meaning(code: str | None, text: str) -> None:
    assert meaning(code) == text


SPEECH = Speech(language=Language.NL, ask=True, action="https://hub.example/key/O/1?lang=nl&ask=1#rc=5")


def texts(document: str) -> list[str]:
    return [say.text or "" for say in ElementTree.fromstring(document).iter("Say")]


def test_the_script_of_a_call() -> None:
    root = ElementTree.fromstring(script("Storm boven Elsene", SPEECH))
    assert [child.tag for child in root] == ["Gather", "Gather", "Gather", "Say", "Hangup"]
    first = root[0]
    assert first.attrib == {
        "input": "dtmf",
        "numDigits": "1",
        "timeout": "6",
        "finishOnKey": "",
        "action": SPEECH.action,
        "method": "POST",
    }
    assert [say.attrib for say in root.iter("Say")] == [{"language": "nl-BE"}] * 5
    nl = PHRASES[Language.NL]
    assert texts(script("Storm", SPEECH)) == ["Storm", nl.ask, nl.ask, nl.ask, nl.goodbye]


def test_a_message_that_wants_no_answer_asks_for_none() -> None:
    speech = Speech(language=Language.FR, ask=False, action="https://hub.example/key")
    assert texts(script("Fin de l'alerte", speech)) == ["Fin de l'alerte", PHRASES[Language.FR].tell]
    mute = Speech(language=Language.FR, ask=False, action="")
    assert texts(script("Fin de l'alerte", mute)) == ["Fin de l'alerte", "Fin de l'alerte"]


def test_a_configured_voice_speaks() -> None:
    speech = Speech(language=Language.FR, ask=True, action="/", voices={Language.FR: "Polly.Isabelle-Neural"})
    assert 'voice="Polly.Isabelle-Neural"' in said("Bonjour", speech)
    assert 'voice="Polly.Isabelle-Neural"' in again("Bonjour", speech)


@pytest.mark.parametrize("message", ["mot " * 2000, "x" * 9000, "Une phrase. " * 700, "&<>" * 3000, "é" * 5000])
def test_a_long_message_is_cut_so_that_twilio_takes_it(message: str) -> None:
    document = script(message, SPEECH)
    assert len(document) <= LONGEST
    assert PHRASES[Language.NL].ask in texts(document)
    assert message.startswith(texts(document)[0])


def test_what_xml_cannot_carry_is_left_out() -> None:
    assert speakable("a\x00b\x0bc\ud800d\ne\t f\uffff") == "a b c d e f"
    ElementTree.fromstring(script("<Hangup/>&amp;\x00\x1b", SPEECH))
    assert texts(script("<Hangup/>", SPEECH))[0] == "<Hangup/>"


def test_every_language_says_the_same_things() -> None:
    assert set(PHRASES) == set(Language)
    for phrases in PHRASES.values():
        assert all(digit in phrases.ask for digit in "129")
        assert "9" in phrases.tell
        assert "1" not in phrases.tell


@pytest.mark.parametrize("number", ["+32470123456", "+3228080112", "+33612345678", "+491711234567"])
def test_numbers_that_are(number: str) -> None:
    assert bad_number(number) == ""


@pytest.mark.parametrize(
    "number",
    [
        "",
        "112",
        "0470123456",
        "+32 470 12 34 56",
        "+32470",
        "+3247012345678",
        "+99912345678",
        "+32abc",
        "officer-a",
        "+",
    ],
)
def test_numbers_that_are_none_are_told_what_would_be(number: str) -> None:
    said_of_it = bad_number(number)
    assert ":" in said_of_it


# --- without callbacks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", list(Language))
def test_a_call_without_keypad_says_how_to_answer_each_time(language: Language) -> None:
    speech = Speech(language=language, ask=True, action="", code="KX")
    document = script("Storm", speech)
    how = PHRASES[language].otherwise.format(code="K, X")
    assert texts(document) == ["Storm", how, "Storm", how]
    assert "Gather" not in document
    assert all(digit not in how for digit in "129")


def test_what_wants_no_answer_says_nothing_of_one() -> None:
    assert (
        texts(script("All clear", Speech(language=Language.EN, ask=False, action="", code="KX"))) == ["All clear"] * 2
    )


def test_a_long_message_leaves_room_for_how_to_answer() -> None:
    document = script("Une phrase. " * 700, Speech(language=Language.FR, ask=True, action="", code="KX"))
    assert len(document) <= LONGEST
    assert PHRASES[Language.FR].otherwise.format(code="K, X") in texts(document)


def test_a_position_is_kept_and_read_again() -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    pending = {"SM1": Pending("ORDER", 3, at, True)}
    position = Position(since=at, first=at, not_ours=("SM0",), until=at, pending=pending)
    assert Position.load(position.dump()) == position


def test_the_position_of_a_hub_that_was_called_back_is_read_too() -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert Position.load(at.isoformat()) == Position(since=at)


@pytest.mark.parametrize("cursor", [None, "", "{", '{"since": 1}', "yesterday"])
def test_no_position_begins_anew(cursor: str | None) -> None:
    assert Position.load(cursor) is None


@pytest.mark.parametrize(
    ("config", "answers"),
    [
        ({"sender": "+32450000000"}, True),
        ({"sender": "+32450000000", "public": False}, True),
        ({"sender": "8686", "public": False}, True),
        ({"sender": "SITCEN"}, False),
        ({"service": "MG1"}, True),
        ({"service": "MG1", "public": False}, False),
    ],
)
def test_who_can_answer_by_sms(config: dict[str, Any], answers: bool) -> None:
    channel = SmsChannel(SmsConfig(account="AC1", tokens=("t",), **config), environment("sms", t="token"))
    assert channel.abilities.answers is answers


@pytest.mark.parametrize("public", [True, False])
def test_a_keypad_needs_a_callback(public: bool) -> None:
    config = VoiceConfig(account="AC1", tokens=("t",), sender="+32450000000", public=public)
    assert VoiceChannel(config, environment("voice", t="token")).abilities.answers is public


def test_no_more_requests_a_second_than_agreed() -> None:
    """Whatever is due: here five deliveries at once, each answered in no time."""
    times: list[float] = []

    async def one(sid: str) -> str:
        times.append(clock_s[0])
        return sid

    async def sleep(seconds: float) -> None:
        clock_s[0] += seconds

    async def story() -> None:
        asking = Account(TwilioConfig(account="AC1", tokens=("t",), requests_per_second=4.0), environment("sms", t="t"))
        poller = Poller(asking, Subject(one=one, sent=one, became=lambda *_: ([], False)))
        poller.sleep, poller.now_s = sleep, lambda: clock_s[0]
        for index in range(5):
            poller.add(f"SM{index}", outgoing("+32450000001", index=index))
        clock_s[0] = 100.0
        await poller.round(MemoryIntake())

    clock_s = [0.0]
    asyncio.run(story())
    assert times == [100.0, 100.25, 100.5, 100.75, 101.0]
