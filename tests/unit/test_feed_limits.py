"""Feeds that are large, or meant to be slow: what is within bounds is read, what is not is told."""

import pytest

from connectors.feed.bounds import DEPTH_MAX, ENTRIES_MAX, TAG_MAX, bounded
from connectors.feed.parse import parse_feed
from connectors.feed.read import read_feed
from hub.connector import BadItem, SignalItem
from tests.costs import cost

MIB = 1 << 20
HEAD = b'<?xml version="1.0"?><rss version="2.0"><channel><title>Press</title>'
END = b"</channel></rss>"
ONE = b"<item><guid>one</guid><title>Fuite de gaz</title></item>"


def feed(*entries: bytes) -> bytes:
    return HEAD + b"".join(entries) + END


def entry(n: int, words: str = "Texte. ") -> bytes:
    return (
        f"<item><guid>g{n}</guid><title>Titre {n}</title><link>https://press.example/{n}</link>"
        f"<description><![CDATA[<p>{words}</p>]]></description>"
        f"<pubDate>Tue, 14 Jul 2026 02:10:00 +0200</pubDate></item>"
    ).encode()


def signals(data: bytes) -> tuple[list[SignalItem], list[BadItem]]:
    items = read_feed(data)
    return [one for one in items if isinstance(one, SignalItem)], [one for one in items if isinstance(one, BadItem)]


def test_a_feed_of_five_hundred_long_entries_is_read() -> None:
    data = feed(*(entry(n, "Un mot et <b>un autre</b>. " * 75) for n in range(500)))
    assert len(data) > MIB
    found, bad = cost(signals, data)
    assert not bad
    assert len(found) == 500
    assert found[499].signal.infos[0].headline == "Titre 499"
    assert not found[0].signal.notes


def test_an_ordinary_feed_is_left_as_it_is() -> None:
    text = feed(entry(1), b"<!-- <item> --><item><a b='>' c=\"<x>\"/></item>").decode()
    assert bounded(text).text == text


def test_entries_beyond_the_bound_are_told_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.feed.bounds.ENTRIES_MAX", 50)
    data = feed(*(entry(n) for n in range(80)))
    found, [bad] = signals(data)
    assert len(found) == 50
    assert bad.reason.startswith("it has more than 50 entries")
    assert "ask its publisher for a shorter feed" in bad.reason
    assert parse_feed(data).entries[-1].identifier == bad.key, "told once, as long as the feed is so"
    assert not any("malformed" in note for one in found for note in one.signal.notes)


def test_an_entry_of_too_many_tags_is_left_out_with_those_behind_it() -> None:
    deep = b"<item><guid>deep</guid>" + b"<a>" * (DEPTH_MAX + 50) + b"</a>" * (DEPTH_MAX + 50) + b"</item>"
    found, [bad] = signals(feed(ONE, deep, entry(3)))
    assert [one.signal.identifier for one in found] == ["one"]
    assert f"more than {DEPTH_MAX} others" in bad.reason
    _, [many] = signals(feed(b"<item>" + b"<alert></alert>" * (ENTRIES_MAX + 1) + b"</item>"))
    assert f"more than {ENTRIES_MAX} alerts" in many.reason
    _, [only] = signals(feed(b"<item>" * (2 * ENTRIES_MAX)))
    assert "tags in more than" in only.reason


def test_long_tags_and_authors_are_left_out_and_noted() -> None:
    tag = b'<thumbnail url="data:' + b"QUJD" * (TAG_MAX // 4) + b'"/>'
    author = b"<author>" + b"a" * 5_000 + b"<b/></author>"
    [one], bad = signals(feed(ONE.replace(b"</item>", tag + author + b"</item>")))
    assert not bad
    assert one.signal.infos[0].headline == "Fuite de gaz"
    assert len(one.signal.notes) == 3, one.signal.notes
    assert not any("malformed" in note for note in one.signal.notes)


def test_what_entries_forget_to_close_does_not_add_up() -> None:
    entries = [b"<item><guid>g%d</guid><title>Gaz <font>ici</title></item>" % n for n in range(DEPTH_MAX * 2)]
    assert not bounded(feed(*entries).decode()).left_out
    text = feed(ONE.replace(b"Fuite", b"plus < " + b"a" * TAG_MAX)).decode()
    assert bounded(text).text == text, "a sign that is no tag"


HOSTILE = {
    "an author of a MiB": feed(b"<item><title>x</title><author>" + b"a." * (MIB // 2) + b"</author></item>"),
    "an author that does not end": feed(b"<item><title>x</title><dc:creator>" + b"a" * MIB + b"</item>"),
    "eighty thousand attributes": feed(b"<item " + b"".join(b'a%d="b" ' % n for n in range(80_000)) + b"/>"),
    "a tag of a MiB": feed(ONE, b"&<a", b" " * MIB),
    "tags without end": feed(ONE, b"<a " * (MIB // 3)),
    "quotes without end": feed(ONE, b'<a b="c' * (MIB // 7)),
    "tags in tags": feed(ONE, b"<a>" * (MIB // 3)),
    "items in items": feed(ONE, b"<item>" * (MIB // 6)),
    "empty items": feed(ONE, b"<item/>" * (MIB // 7)),
    "names of names": feed(ONE, b"& ", b"<a:b:c>" * (MIB // 7)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_feed_of_a_mebibyte_costs_little(name: str) -> None:
    assert len(HOSTILE[name]) < 1.3 * MIB
    cost(signals, HOSTILE[name])
