"""What is made of Mastodon's statuses and events, and what is followed."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mastodon.config import MastodonConfig
from connectors.mastodon.follow import State, things_of
from connectors.mastodon.read import Reading, Seen, before, newer, one, order, page, read_statuses
from connectors.mastodon.sse import Event, Events
from hub.connector import SignalItem
from hub.model.trust import Reliability

CONFIG = MastodonConfig(server="https://social.example", timeline="local")
READING = Reading(CONFIG, "social.example")


def status(**more: Any) -> bytes:
    made = {
        "id": "103270115826048975",
        "uri": "https://social.example/users/ann/statuses/1",
        "url": "https://social.example/@ann/1",
        "created_at": "2026-07-14T18:00:00.901Z",
        "visibility": "public",
        "content": "<p>Une fumée <a href='https://x.example'>ici</a></p>",
        "account": {"id": "7", "acct": "ann", "url": "https://social.example/@ann", "display_name": "Ann"},
    }
    return json.dumps(made | more).encode()


def test_the_recorded_status(samples: Path) -> None:
    data = (samples / "json" / "mastodon_status_list.json").read_bytes()
    (item,) = read_statuses(data, CONFIG, "mastodon.social")
    assert isinstance(item, SignalItem)
    signal, (info,) = item.signal, item.signal.infos
    assert signal.identifier == "https://mastodon.social/users/Gargron/statuses/103270115826048975"
    assert signal.sender == "Gargron@mastodon.social"
    assert signal.sent == datetime(2019, 12, 8, 3, 48, 33, 901000, tzinfo=UTC)
    assert (info.language, info.sender_name) == ("en", "Eugen")
    assert info.web == "https://mastodon.social/@Gargron/103270115826048975"
    assert info.headline.startswith('"I lost my inheritance')
    assert "<" not in info.description
    assert [p.name for p in info.parameters] == ["link"]


def test_what_a_status_says() -> None:
    found = one(
        status(
            spoiler_text="Attention",
            sensitive=True,
            language="fr",
            tags=[{"name": "bruxelles"}],
            media_attachments=[{"type": "image", "url": "https://f.example/a.jpg?1", "description": "une rue"}],
            poll={"options": [{"title": "oui"}, {"title": "non"}]},
            card={"url": "https://press.example/1", "title": "Titre"},
            in_reply_to_id="5",
            in_reply_to_account_id="9",
        ),
        READING,
    )
    assert found.item is not None
    (info,) = found.item.signal.infos
    assert info.headline == "Attention"
    assert info.description == "Attention\n\nUne fumée ici\n- oui\n- non"
    assert {p.name: p.value for p in info.parameters} == {
        "reply to": "5", "link": "https://press.example/1", "sensitive": "yes", "tags": "bruxelles",
    }  # fmt: skip
    assert info.resources[0].mime_type == "image/jpeg"


@pytest.mark.parametrize("visibility", ["unlisted", "private", "direct", "", "new-kind"])
def test_nothing_is_kept_of_what_is_not_for_everybody(visibility: str) -> None:
    found = one(status(visibility=visibility, edited_at="2026-07-14T18:01:00Z"), READING)
    assert (found.wanted, found.item) == (False, None)
    passed_on = one(status(id="2", reblog=json.loads(status(visibility=visibility))), READING)
    assert (passed_on.wanted, passed_on.item) == (False, None)


def test_a_boost_is_its_author_s_where_boosts_count() -> None:
    origin = json.loads(status(account={"id": "8", "acct": "bob@other.example"}))
    boost = status(id="103270115826049999", content="", reblog=origin)
    plain, counting = one(boost, READING), one(boost, Reading(CONFIG, "social.example", boosts=True))
    assert not plain.wanted
    assert counting.wanted
    assert counting.item is not None
    assert counting.item.signal.sender == "bob@other.example"
    assert counting.item.reliability is Reliability.F
    own = one(boost, Reading(CONFIG, "social.example", boosts=True, followed=frozenset({"bob@other.example"})))
    assert own.item is not None
    assert own.item.reliability is None
    assert (counting.id, counting.origin) == ("103270115826049999", "103270115826048975")
    assert counting.item.key == one(json.dumps(origin).encode(), READING).item.key  # type: ignore[union-attr] # wanted


@pytest.mark.parametrize(
    "wrong", [b"{}", b"[]", b"1", b"\xff", b'{"id": 1}', b"[" * 5000, status(id="../x"), status(uri=" ")]
)
def test_what_is_no_status_is_a_dead_letter(wrong: bytes) -> None:
    found = read_statuses(b"[" + wrong + b"]", CONFIG, "x")
    assert all(not isinstance(item, SignalItem) for item in found)
    assert found


def test_a_page_is_read_the_oldest_first_and_bad_ones_are_apart() -> None:
    raw = b"[" + b",".join([status(id="30"), status(id="4"), b'{"id": 3}', status(id="200")]) + b"]"
    found = page(raw, READING)
    assert [one.id for one in found if isinstance(one, Seen)] == ["4", "30", "200"]
    assert len(found) == 4


def test_ids_in_order_and_back_in_time() -> None:
    assert sorted(["100", "99", "0100", "01J2"], key=order)[0] == "99"
    now = (int(datetime(2026, 7, 14, tzinfo=UTC).timestamp() * 1000) << 16) + 5
    assert int(before(str(now), 60)) >> 16 == (now >> 16) - 60_000
    assert before("01J2ABCDEFGHJKMNPQRSTVWXYZ", 60) == "01J2ABCDEFGHJKMNPQRSTVWXYZ"
    assert before("12345", 60) == "12345"


def test_the_link_to_what_is_newer() -> None:
    link = (
        '<https://a/api/v1/timelines/tag/x?limit=40&max_id=1>; rel="next", <https://a/x?limit=40&min_id=9>; rel="prev"'
    )
    assert newer(link) == "9"
    assert newer("") == newer('<https://a/x?max_id=1>; rel="next"') == newer('<http://[>; rel="prev"') == ""
    assert newer('<https://a/x?min_id=1%20OR%201>; rel="prev"') == ""


def test_what_is_known_is_no_news_and_its_older_versions_neither() -> None:
    state = State()
    first = one(status(), READING)
    edited = one(status(edited_at="2026-07-14T18:05:00.1Z"), READING)
    assert state.news(first, edited=False) is first.item
    state.offered(first)
    assert state.news(first, edited=False) is None
    update = state.news(edited, edited=True)
    assert update is not None
    state.offered(edited)
    assert state.news(first, edited=False) is None
    assert State.load(state.dump()) == state
    assert State.load("rubbish") == State.load(None) == State()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "nothing is followed"),
        ({"hashtags": ["a b"]}, "is no hashtag"),
        ({"hashtags": ["123"]}, "is no hashtag"),
        ({"accounts": ["a@b"]}, "is no account"),
        ({"timeline": "home"}, "add token"),
        ({"timeline": "public"}, "add words"),
        ({"timeline": "mine"}, "Invalid enum value"),
    ],
)
def test_a_mistake_in_the_config_is_told_when_it_is_read(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"server": "https://a.example"} | wrong, MastodonConfig)


def test_what_is_followed() -> None:
    made = MastodonConfig(
        server="https://a.example",
        hashtags=("#Été", "été", "gand"),
        accounts=("@a@b.example",),
        timeline="remote",
        words=("x",),
    )
    assert [(thing.name, thing.path, thing.stream) for thing in things_of(made)] == [
        ("#été", "/api/v1/timelines/tag/%C3%A9t%C3%A9", "/api/v1/streaming/hashtag?tag=%C3%A9t%C3%A9"),
        ("#gand", "/api/v1/timelines/tag/gand", "/api/v1/streaming/hashtag?tag=gand"),
        ("@a@b.example", "", ""),
        ("remote", "/api/v1/timelines/public", "/api/v1/streaming/public/remote"),
    ]


# --- server-sent events --------------------------------------------------------------------------------------

STREAM = (
    b"\xef\xbb\xbf:)\n\nevent: update\ndata: {\"a\":1}\n\n:thump\n\r\nevent:delete\r\ndata:12\r\n\r\n"
    b"event: x\n\ndata: one\rdata:  two\r\rid: 7\nretry: 9\ndata\n\nevent: never\ndata: ended"
)  # fmt: skip
EVENTS = [("", b""), ("update", b'{"a":1}'), ("", b""), ("delete", b"12"), ("message", b"one\n two"), ("message", b"")]


def heard(pieces: list[bytes], bytes_max: int = 1000) -> list[Event]:
    events = Events(bytes_max)
    return [event for piece in pieces for event in events.feed(piece)]


def test_events_are_the_same_however_they_are_cut() -> None:
    whole = [(event.name, event.data) for event in heard([STREAM])]
    assert whole == EVENTS
    assert [(e.name, e.data) for e in heard([STREAM[n : n + 1] for n in range(len(STREAM))])] == EVENTS
    chance = random.Random(3)
    for _ in range(200):
        cuts = sorted(chance.sample(range(len(STREAM)), 6))
        pieces = [STREAM[a:b] for a, b in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
        assert [(event.name, event.data) for event in heard(pieces)] == EVENTS


def test_an_event_that_is_too_large_is_not_held_and_the_next_is_read() -> None:
    events = Events(1000)
    for _ in range(1000):
        assert list(events.feed(b"event: update\ndata: " if _ == 0 else b"x" * 1000)) == []
        assert len(events._line) < 2000
    (large,) = events.feed(b"\n\n")
    assert (large.name, large.too_large, len(large.data)) == ("update", True, 1064 - 6)
    many = heard([b"event: update\n" + b"data: yyyyyyyyyy\n" * 500 + b"\nevent: update\ndata: ok\n\n"])
    assert [(event.too_large, event.data) for event in many][1] == (False, b"ok")
    assert many[0].too_large


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_make_reading_events_fail(pieces: list[bytes]) -> None:
    for event in heard(pieces, 50):
        assert len(event.data) <= 4096
