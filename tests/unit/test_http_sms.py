"""SMS by HTTP without a network: descriptions that cannot work, and what a channel can do by its description."""

from typing import Any

import msgspec
import pytest

from connectors.http_sms.answer import code_of
from connectors.http_sms.channel import HttpSmsChannel
from connectors.http_sms.config import HttpSmsConfig
from connectors.http_sms.template import at, filled, word_at
from connectors.number import e164
from tests.contracts.intake import MemoryIntake, environment

GOOD: dict[str, Any] = {"url": "https://sms.example/send", "json": '{"to": "{to}", "text": "{text}"}'}
HOOKS: dict[str, Any] = {"proof": "hmac", "proof_name": "X-Signature", "proof_secrets": ["HOOK"]}


def config(**changes: Any) -> HttpSmsConfig:
    return msgspec.convert({**GOOD, **changes}, HttpSmsConfig)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://sms.example/send"}, "url: http:// would carry"),
        ({"url": "ftp://sms.example"}, r"url"),
        ({"url": "https://sms.example/{to}"}, r"url"),
        ({"form": {"to": "{to}", "text": "{text}"}}, "form: there is json as well"),
        ({"method": "GET"}, "method: GET carries no body"),
        ({"json": '{"to": {to}, "text": "{text}"}'}, "json: is no JSON"),
        ({"json": '"{to} {text}"'}, "json: is a single value"),
        ({"json": '{"to": "{to}"}'}, r"json: \{text\} stands nowhere"),
        ({"json": "", "query": {"text": "{text}"}}, r"query: \{to\} or \{digits\} stands nowhere"),
        ({"json": '{"to": "{to}", "text": "{txt} {text}"}'}, r"json: \{txt\} is filled by nobody: there are \{to\}"),
        ({"json": '{"to": "{to}", "text": "{text}", "from": "{from}"}'}, "sender: is missing"),
        ({"json": '{"to": "{to}", "text": "{text}", "e": "{encoding}"}'}, "encodings: "),
        ({"idempotent": True}, r"idempotent: \{id\} stands nowhere"),
        ({"headers": {"X-Text": "{text}"}}, r"headers: \{text\} is filled by nobody"),
        ({"headers": {"X-Id": "a\r\nX-Other: b"}}, "headers: 'X-Id' is no header"),
        ({"headers": {"X Id": "a"}}, "headers: 'X Id' is no header"),
        ({"headers": {"Host": "elsewhere"}}, "headers: Host is written by us"),
        ({"auth": "bearer"}, "auth: auth secret goes with"),
        ({"auth_secret": "KEY"}, "auth: auth secret goes with"),
        ({"auth": "basic", "auth_secret": "KEY"}, "auth_name: goes with basic"),
        ({"auth": "header", "auth_secret": "KEY", "auth_name": "X Key"}, "auth_name: 'X Key' is no header"),
        ({"sender": "TwelveLetters"}, "sender: 'TwelveLetters' can send no SMS"),
        ({"prefixes": ["32"]}, "prefixes: '32' begins no number"),
        ({"region": "XX"}, "region: XX is no country"),
        ({"report_id_at": "id", "report_status_at": "status"}, "proof: is missing"),
        ({"proof": "hmac"}, "proof: lacks"),
        ({"report_id_at": "id", **HOOKS}, "report_id_at: goes with"),
        ({"reply_id_at": "id", **HOOKS}, "reply_id_at: goes with"),
        ({"token": "KEY"}, "token"),
    ],
)
def test_a_description_that_cannot_work_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        config(**changes)


REPLIES = {"reply_id_at": "id", "reply_from_at": "from", "reply_text_at": "text", **HOOKS}


@pytest.mark.parametrize(
    ("changes", "answers", "receipts", "routes"),
    [
        ({}, False, False, []),
        ({"report_id_at": "id", "report_status_at": "s", **HOOKS}, False, True, [("POST", "/report")]),
        (REPLIES, True, False, [("POST", "/reply")]),
        ({**REPLIES, "sender": "SITCEN"}, False, False, [("POST", "/reply")]),
        ({**REPLIES, "proof": "query"}, True, False, [("POST", "/reply"), ("GET", "/reply")]),
    ],
)
def test_what_it_can_do_follows_from_its_description(
    changes: dict[str, Any], answers: bool, receipts: bool, routes: list[tuple[str, str]]
) -> None:
    channel = HttpSmsChannel(config(**changes), environment("sms-backup", HOOK="s3cret"))
    assert (channel.abilities.answers, channel.abilities.receipts) == (answers, receipts)
    assert [(route.method, route.path) for route in channel.routes(MemoryIntake())] == routes


def test_what_is_filled_in_is_no_template() -> None:
    template = {"a": ["{text}", {"b": "{to}{to}"}], "n": 1, "yes": True}
    assert filled(template, {"text": "{to}", "to": "x"}) == {"a": ["{to}", {"b": "xx"}], "n": 1, "yes": True}


@pytest.mark.parametrize(
    ("path", "word"),
    [("a.0.b", "1"), ("a.1", ""), ("a.x", ""), ("a", ""), ("c", "true"), ("d", ""), ("", ""), ("a.0.b.c", "")],
)
def test_what_stands_at_a_path(path: str, word: str) -> None:
    assert word_at({"a": [{"b": 1}], "c": True, "d": None}, path) == word


def test_the_empty_path_is_the_whole() -> None:
    assert at([1], "") == [1]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("INVALID_NUMBER", "INVALID_NUMBER"),
        ("-12", "-12"),
        ("32450000001", "another code"),
        ("number_32450000001", "another code"),
        ("no such person: Anne", "another code"),
    ],
)
def test_a_code_in_a_record_holds_nothing_personal(word: str, shown: str) -> None:
    assert code_of(word) == shown


@pytest.mark.parametrize(
    "written", ["+32450000001", "32450000001", "0032450000001", "0450 00 00 01", " +32 450 000 001 "]
)
def test_a_number_as_providers_write_it(written: str) -> None:
    assert e164(written, "BE") == "+32450000001"


@pytest.mark.parametrize("written", ["8686", "SITCEN", "", "+", "\x00"])
def test_what_is_no_number_stays_as_it_is(written: str) -> None:
    assert e164(written, "BE") == written
