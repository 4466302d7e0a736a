"""What is made of Bluesky's posts, from a Jetstream or an author's feed."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.bluesky.config import BlueskyConfig
from connectors.bluesky.read import Reading, Seen, page, read_posts, seen
from connectors.bluesky.state import State
from hub.connector import BadItem, ReadError, SignalItem
from tests.edge.bluesky_server import ANN, BOB

CONFIG = BlueskyConfig(words=("feu",))
AT = datetime(2026, 7, 14, 18, 0, tzinfo=UTC)


def record(**more: Any) -> bytes:
    made = {"$type": "app.bsky.feed.post", "text": "un feu", "createdAt": "2026-07-14T17:59:58.123Z", "langs": ["fr"]}
    return json.dumps(made | more).encode()


def post(raw: bytes, reading: Reading | None = None, **more: Any) -> Seen:
    given: dict[str, Any] = {"did": ANN, "rkey": "3k2", "cid": "bafy1", "at": AT, "original": b"raw"} | more
    return seen(record=raw, reading=reading or Reading(CONFIG), **given)


def test_the_recorded_feed(samples: Path) -> None:
    data = (samples / "json" / "bluesky_getAuthorFeed_anonymised.json").read_bytes()
    found = read_posts(data, BlueskyConfig(hashtags=("x",)))
    signals = [item.signal for item in found if isinstance(item, SignalItem)]
    assert len(found) == len(signals) == 3
    first = signals[0]
    assert first.identifier == "at://did:plc:aaaaaaaaaaaaaaaaaaaa0002/app.bsky.feed.post/3aaaaaaaa0021"
    assert {signal.sender for signal in signals} == {"did:plc:aaaaaaaaaaaaaaaaaaaa0002"}
    assert first.sent == datetime(2026, 8, 15, 21, 39, 2, tzinfo=UTC)
    assert (first.infos[0].language, first.infos[0].headline) == ("en", "Sample post text 0014")
    assert [p.name for p in first.infos[0].parameters] == ["reply to"]
    assert first.infos[0].web == "https://bsky.app/profile/did:plc:aaaaaaaaaaaaaaaaaaaa0002/post/3aaaaaaaa0021"
    assert len({item.key for item in found}) == 3


def test_what_a_post_says() -> None:
    facets = [{"features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "Bruxelles"}]},
              {"features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://press.example/1"}]}]  # fmt: skip
    images = [{"alt": "une rue", "image": {"ref": {"$link": "bafkimg"}, "mimeType": "image/jpeg"}}]
    embed = {"$type": "app.bsky.embed.recordWithMedia", "media": {"images": images},
             "record": {"record": {"uri": "at://did:plc:x/app.bsky.feed.post/1"}}}  # fmt: skip
    raw = record(facets=facets, embed=embed, tags=["feu"], labels={"values": [{"val": "graphic-media"}]})
    item = post(raw, Reading(CONFIG, names=((ANN, "ann.example"),))).item
    assert item is not None
    (info,) = item.signal.infos
    assert (info.language, info.sender_name, info.web) == (
        "fr", "ann.example", "https://bsky.app/profile/ann.example/post/3k2",
    )  # fmt: skip
    assert {p.name: p.value for p in info.parameters} == {
        "quotes": "at://did:plc:x/app.bsky.feed.post/1", "link": "https://press.example/1", "sensitive": "yes",
        "tags": "Bruxelles feu",
    }  # fmt: skip
    assert [(one.uri, one.description) for one in info.resources] == [
        (f"https://cdn.bsky.app/img/feed_fullsize/plain/{ANN}/bafkimg@jpeg", "une rue")
    ]


def test_the_author_s_clock_counts_where_it_can_be_right() -> None:
    for said in ("2031-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "yesterday", ""):
        item = post(record(createdAt=said)).item
        assert item is not None
        assert item.signal.sent == AT
        assert any("clock is wrong" in note for note in item.signal.notes)
    right = post(record()).item
    assert right is not None
    assert (right.signal.sent, right.signal.notes) == (datetime(2026, 7, 14, 17, 59, 58, tzinfo=UTC), ())


def test_accounts_or_hashtags_are_followed_and_words_narrow_both() -> None:
    reading = Reading(CONFIG, dids=frozenset({ANN}), tags=frozenset({"gand"}))
    assert post(record(), reading).wanted
    assert not post(record(text="calme"), reading).wanted
    assert not post(record(), reading, did=BOB).wanted
    assert post(record(tags=["GAND"]), reading, did=BOB).wanted
    edited = post(record(text="calme"), reading, did=BOB, anyway=True)
    assert not edited.wanted
    assert edited.item is not None


@pytest.mark.parametrize(
    "more", [{"did": "x"}, {"did": "did:plc:a b"}, {"rkey": "a/b"}, {"rkey": ""}, {"cid": ""}, {"cid": "../x"}]
)
def test_what_has_no_address_is_no_post(more: dict[str, str]) -> None:
    with pytest.raises(ReadError):
        post(record(), **more)


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"text": 1}', b'{"langs": "fr"}', b"\xff", b"[" * 5000])
def test_what_is_no_record_is_told(raw: bytes) -> None:
    with pytest.raises(ReadError):
        post(raw)


@pytest.mark.parametrize(
    "embed", [1, [], {"images": [1, {"image": 2}]}, {"external": {"uri": 3}}, {"media": {"video": []}}]
)
def test_an_embed_that_is_odd_does_not_keep_the_words_back(embed: Any) -> None:
    item = post(record(embed=embed, labels=[1], reply={"parent": {}})).item
    assert item is not None
    assert item.signal.infos[0].headline == "un feu"


def test_of_a_feed_what_was_passed_on_is_left_out_and_what_is_broken_is_apart() -> None:
    view = {"uri": f"at://{ANN}/app.bsky.feed.post/1", "cid": "c", "record": json.loads(record()), "indexedAt": "x"}
    feed = [
        {"post": view}, {"post": view, "reason": {"$type": "app.bsky.feed.defs#reasonRepost"}}, {"post": {}},
        {"post": view | {"uri": "https://x"}}, 3,
    ]  # fmt: skip
    found = page(json.dumps({"feed": feed, "cursor": "n"}).encode(), Reading(CONFIG))
    assert found.cursor == "n"
    assert [isinstance(one, BadItem) for one in found.posts] == [False, True, True, True]


def test_events_in_a_file_are_read_line_by_line() -> None:
    commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": "1", "cid": "c"}
    commits = [
        commit | {"record": json.loads(record())},
        commit | {"operation": "delete"},
        commit | {"collection": "x"},
    ]
    event = {"did": ANN, "time_us": 1784052000000000}
    lines = [event | {"kind": "commit", "commit": one} for one in commits]
    lines.append(event | {"kind": "identity", "identity": {"handle": "ann.example"}})
    found = read_posts(b"\n".join(json.dumps(line).encode() for line in lines) + b"\nrubbish\n", CONFIG)
    assert [type(item) for item in found] == [SignalItem, BadItem]


def test_what_is_known_is_no_news_and_another_version_is_an_edit() -> None:
    state = State()
    first, second = post(record()), post(record(text="un grand feu"), cid="bafy2")
    assert state.news(first, edited=False) is first.item
    state.offered(first)
    assert state.news(first, edited=False) is None
    assert state.news(first, edited=True) is None
    edit = state.news(second, edited=False)
    assert edit is not None
    assert edit.signal.references[0].identifier == edit.signal.identifier
    assert state.of(ANN) == [first.name]
    assert state.of(BOB) == []
    assert State.load(state.dump()) == state
    assert State.load("rubbish") == State.load(None) == State()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "nothing is followed"),
        ({"accounts": ["ann"]}, "is no account"),
        ({"hashtags": ["a b"]}, "is no hashtag"),
        ({"words": ["x"], "servers": ["https://x.example"]}, "regex"),
        ({"words": ["x"], "servers": []}, "length"),
    ],
)
def test_a_mistake_in_the_config_is_told_when_it_is_read(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(wrong, BlueskyConfig)
