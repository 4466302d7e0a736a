"""What Matrix events say, which addresses there are, and what a homeserver's refusals mean. Pure."""

from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from connectors.matrix import events
from connectors.matrix.api import Refused, meaning
from connectors.matrix.channel import MatrixConfig
from connectors.matrix.events import Event, Mark, Said, said
from connectors.matrix.listen import Position, _entered
from connectors.matrix.rooms import direct_chats, problem
from hub.connector import Dead, Retry
from tests.contracts.channel import outgoing

ME, AN = "@vigie:vigie.test", "@an:vigie.test"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("msgtype", "body", "m.relates_to", "m.new_content", "rel_type", "event_id", "key", "m.in_reply_to")


def message(body: str, related: Any = None, **more: Any) -> Event:
    content = {"msgtype": "m.text", "body": body, **({"m.relates_to": related} if related else {}), **more}
    return Event(type="m.room.message", sender=AN, event_id="$1", content=content)


@pytest.mark.parametrize(
    ("related", "answers"),
    [
        (None, ()),
        ({"m.in_reply_to": {"event_id": "$ask"}}, ("$ask",)),
        ({"rel_type": "m.thread", "event_id": "$root"}, ("$root",)),
        (
            {"rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": {"event_id": "$x"}, "is_falling_back": True},
            ("$root",),
        ),
        ({"rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": {"event_id": "$x"}}, ("$x", "$root")),
        ({"rel_type": "m.reference", "event_id": "$x"}, ()),
    ],
)
def test_words_answer_what_they_reply_to_or_the_thread_they_are_in(related: Any, answers: tuple[str, ...]) -> None:
    assert said(message("ja", related)) == Said(text="ja", answers=answers)


def test_what_a_reply_quotes_is_not_said_by_its_sender() -> None:
    reply = {"m.in_reply_to": {"event_id": "$ask"}}
    heard = said(message("> <@vigie:x> Yes: reply B.\n> No: B NO.\n\nnee", reply))
    assert heard is not None
    assert heard.text == "nee"
    alone = said(message("> ja", reply))  # nothing but a quote: it is what they wrote
    assert alone is not None
    assert alone.text == "> ja"


def test_notices_say_nothing_or_two_programs_could_go_on_for_ever() -> None:
    assert said(Event(type="m.room.message", sender=AN, content={"msgtype": "m.notice", "body": "ja"})) is None


def test_an_edit_says_its_new_words() -> None:
    related = {"rel_type": "m.replace", "event_id": "$1"}
    new = {"m.new_content": {"msgtype": "m.text", "body": "nee"}}
    assert said(message("* nee", related, **new)) == Said(text="nee", edits="$1")
    assert said(message("* nee", related)) == Said(text="nee", edits="$1")


@given(content=st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=6) | ANYTHING)
@pytest.mark.parametrize("kind", ["m.reaction", "m.room.message", "m.room.redaction"])
def test_whatever_a_sender_puts_into_an_event_it_can_be_read(kind: str, content: Any) -> None:
    heard = Event(type=kind, sender=AN, event_id="$1", content=content, unsigned=content)
    found = said(heard)
    assert found is None or isinstance(found.text, str)
    assert isinstance(events.redacted(heard), str)
    assert isinstance(events.membership(heard, AN), str)
    assert events.mark(heard) is None
    assert isinstance(direct_chats(content), dict)


def test_a_delivery_is_known_by_its_mark_and_is_one_transaction() -> None:
    first, again = outgoing(AN, order="O1", index=7), outgoing(AN, order="O1", index=7, nth=2, attempt="OTHER")
    assert events.transaction(first) == events.transaction(again) != events.transaction(outgoing(AN, order="O1"))
    content = msgspec.json.decode(msgspec.json.encode(events.content(first, AN)))
    assert events.mark(Event(type="m.room.message", sender=ME, content=content)) == Mark("O1", 7, True)


def test_nothing_in_a_text_becomes_markup() -> None:
    text = "<img src=x onerror=alert(1)>\nA & \"B\"\n\n'C'"
    expected = "<p>&lt;img src=x onerror=alert(1)&gt;<br>A &amp; &quot;B&quot;</p><p>&#x27;C&#x27;</p>"
    assert events.formatted(text) == expected


def raw(**fields: Any) -> Raw:
    return Raw(msgspec.json.encode({"type": "m.room.message", "sender": AN, **fields}))


def member(now: str, before: str = "") -> Raw:
    unsigned = {"prev_content": {"membership": before}} if before else {}
    return raw(type="m.room.member", sender=AN, state_key=ME, content={"membership": now}, unsigned=unsigned)


def test_what_was_said_before_the_hub_came_in_is_not_for_it() -> None:
    assert _entered([raw(), member("invite"), raw(), member("join", "invite"), raw()], ME) == 1
    assert _entered([raw(), member("join"), raw()], ME) == 1
    assert _entered([raw(), member("join", "join"), raw()], ME) is None  # a new name only
    assert _entered([raw(), Raw(b'{"type": 1}')], ME) is None


def test_a_position_is_of_one_account() -> None:
    kept = Position(ME, "s1_2").dump()
    assert Position.load(kept, ME) == "s1_2"
    assert Position.load(kept, AN) == Position.load(None, ME) == Position.load("s1_2", ME) == ""


@pytest.mark.parametrize(
    "address",
    ["@an:vigie.test", "@an.o'neill=2:matrix.example.org:8448", "#ops:vigie.test", "!abc:vigie.test", "!Xy1m6hPcFY_-"],
)
def test_addresses(address: str) -> None:
    assert problem(address) == ""


@pytest.mark.parametrize(
    "address", ["an:vigie.test", "@an", "#ops", "!", "@an:vi gie", "@a b:x", "@" + "a" * 255 + ":x"]
)
def test_what_is_no_address_is_explained(address: str) -> None:
    assert "write @person:server, #alias:server or !room-id" in problem(address)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (Refused(429, "M_LIMIT_EXCEEDED", 2.5), Retry(reason="Matrix: 429 M_LIMIT_EXCEEDED", after_s=2.5)),
        (Refused(502, "M_UNKNOWN"), Retry(reason="Matrix: 502 M_UNKNOWN", doubt=True)),
        (TimeoutError(), Retry(reason="Matrix: no answer in time", doubt=True)),
    ],
)
def test_what_may_succeed_later_is_tried_again(error: Exception, answer: Retry) -> None:
    assert meaning(error) == answer


@pytest.mark.parametrize(
    ("error", "alarm"),
    [
        (Refused(401, "M_UNKNOWN_TOKEN"), True),
        (Refused(403, "M_USER_DEACTIVATED"), True),
        (Refused(301), True),
        (aiohttp.NonHttpUrlClientError("x"), True),
        (Refused(403, "M_FORBIDDEN"), False),
        (Refused(413, "M_TOO_LARGE"), False),
        (Refused(400, "M_BAD_JSON"), False),
    ],
)
def test_what_is_for_good_says_so_and_the_account_alarms_the_room(error: Exception, alarm: bool) -> None:
    answer = meaning(error)
    assert isinstance(answer, Dead)
    assert answer.alarm is alarm
    assert not answer.bad_address


def test_what_is_no_fault_of_the_outside_is_not_made_an_answer() -> None:
    assert meaning(ValueError("ours")) is None


def test_a_token_in_the_clear_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^homeserver: .*in the clear: write https://"):
        MatrixConfig(homeserver="http://matrix.example.org", token="MATRIX_TOKEN")
    assert MatrixConfig(homeserver="http://127.0.0.1:8008", token="MATRIX_TOKEN", unencrypted=True)
