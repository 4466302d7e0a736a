"""Reading feeds: plain entries, CAP indexes, inline alerts, and what must never be believed."""

import pickle
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.feed.parse import parse_feed
from connectors.feed.read import Reading, groups_of, items_of, read_feed
from connectors.feed.source import FeedSource
from connectors.hazards import hazard_in
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.area import Circle, Geocode
from hub.model.signal import Category, Hazard, MsgType, Severity, Signal, Status, Urgency

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)


def rss(
    *items: str, head: str = "<title>Réseau</title><link>https://rail.example/x</link><language>fr-be</language>"
) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'


def item(inner: str = "") -> str:
    return (
        "<item><title>Quai 3 : panne d'aiguillage</title><guid>d-1</guid><link>https://rail.example/1</link>"
        f"<pubDate>Tue, 14 Jul 2026 10:00:00 +0200</pubDate>{inner}</item>"
    )


def atom(*entries: str) -> str:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2" '
        'xmlns:georss="http://www.georss.org/georss"><title>Index</title><id>i</id>'
        f'<link href="https://met.example/"/>{"".join(entries)}</feed>'
    )


def indexed(area: str, alert: str = "w-1", severity: str = "Severe", more: str = "") -> str:
    """One entry of an index such as MeteoAlarm's: flat CAP fields, one area each."""
    return (
        f"<entry><id>https://met.example/{alert}?area={area}</id><title>Orange warning - {area}</title>"
        "<updated>2026-07-14T08:00:00Z</updated>"
        f'<link href="https://met.example/cap/{alert}" type="application/cap+xml"/>'
        f"<cap:geocode><valueName>EMMA_ID</valueName><value>{area}</value></cap:geocode>"
        f"<cap:areaDesc>Area {area}</cap:areaDesc><cap:event>Orange wind warning</cap:event>"
        "<cap:sent>2026-07-14T08:00:00+00:00</cap:sent><cap:expires>2026-07-14T18:00:00+00:00</cap:expires>"
        f"<cap:severity>{severity}</cap:severity><cap:urgency>Expected</cap:urgency><cap:certainty>Likely</cap:certainty>"
        "<cap:scope>Public</cap:scope><cap:message_type>Update</cap:message_type><cap:status>Actual</cap:status>"
        f"<cap:identifier>{alert}</cap:identifier>{more}</entry>"
    )


def read(text: str | bytes) -> Sequence[SignalItem | BadItem]:
    return read_feed(text.encode() if isinstance(text, str) else text, "test")


def signals(text: str | bytes) -> list[Signal]:
    return [found.signal for found in read(text) if isinstance(found, SignalItem)]


def signal(text: str | bytes) -> Signal:
    (found,) = signals(text)
    return found


# --- plain entries -----------------------------------------------------------------------------------------


def test_an_entry_becomes_a_signal() -> None:
    found = signal(rss(item("<description><![CDATA[Retards.<br/>Bus &amp; tram]]></description>")))
    assert found.identifier == "d-1"
    assert found.sender == "rail.example"
    assert found.sent == datetime(2026, 7, 14, 8, tzinfo=UTC)
    assert found.status is Status.ACTUAL
    assert found.links == ("https://rail.example/1",)
    (info,) = found.infos
    assert info.headline == "Quai 3 : panne d'aiguillage"
    assert info.description == "Retards.\nBus & tram"
    assert info.language == "fr-be"
    assert info.sender_name == "Réseau"
    assert info.hazard is Hazard.RAIL
    assert info.categories == (Category.OTHER,)


def test_the_operators_knowledge_fills_what_the_feed_does_not_say() -> None:
    feed = parse_feed(rss("<item><title>Works</title><guid>1</guid></item>", head="<title>t</title>").encode())
    reading = Reading(sender="sncb-nmbs", category=Category.TRANSPORT, hazard=Hazard.RAIL, language="en-BE")
    (found,) = items_of(groups_of(feed)[0], feed, reading, NOW)
    assert isinstance(found, SignalItem)
    info = found.signal.infos[0]
    assert (found.signal.sender, info.categories, info.hazard, info.language) == (
        "sncb-nmbs",
        (Category.TRANSPORT,),
        Hazard.RAIL,
        "en-BE",
    )
    assert found.signal.sent == NOW
    assert any("no time" in note for note in found.signal.notes)


def test_a_guid_is_stripped_and_a_missing_one_replaced() -> None:
    base = "<item><title>x</title>{}</item>"
    assert signal(rss(base.format("<guid>d-9\n</guid>"))).identifier == "d-9"
    assert signal(rss(base.format("<link>https://rail.example/7</link>"))).identifier == "https://rail.example/7"
    assert signal(rss(base.format(""))).identifier.startswith("hash:")


def test_the_key_follows_the_words_not_the_clock() -> None:
    one = read(rss(item("<description>a</description>")))[0].key
    later = read(rss(item("<description>a</description>").replace("10:00:00", "11:30:00")))[0].key
    resolved = read(rss(item("<description>running normally again</description>")))[0].key
    assert one == later
    assert one != resolved


def test_two_texts_under_one_guid_are_both_kept_apart() -> None:
    feed = parse_feed(rss(item("<description>a</description>"), item("<description>b</description>")).encode())
    groups = groups_of(feed)
    assert len(groups) == 2
    assert len({group.name for group in groups}) == 2


def test_an_entry_that_says_nothing_is_a_dead_letter() -> None:
    (letter,) = read(rss("<item/>"))
    assert isinstance(letter, BadItem)
    assert "nothing to tell" in letter.reason


def test_only_web_links_are_kept() -> None:
    found = signal(
        atom('<entry><id>1</id><title>t</title><link href="javascript:alert(1)"/><link href="file:///x"/></entry>')
    )
    assert found.links == ()


def test_scripts_never_reach_a_text() -> None:
    found = signal(rss(item("<description>&lt;script&gt;alert(1)&lt;/script&gt;&lt;p&gt;safe</description>")))
    assert found.infos[0].description == "safe"


def test_clocks_that_cannot_be_are_noted() -> None:
    assert signal(rss(item().replace("2026", "1970"))).notes
    assert signal(rss(item().replace("2026", "2099"))).notes


def test_positions_are_read() -> None:
    found = signal(atom("<entry><id>1</id><title>t</title><georss:point>50.85 4.35</georss:point></entry>"))
    assert found.infos[0].areas[0].circles == (Circle(50.85, 4.35, 0.0),)
    ring = "<georss:polygon>50.8 4.3 50.9 4.3 50.9 4.4 50.8 4.3</georss:polygon>"
    found = signal(atom(f"<entry><id>1</id><title>t</title>{ring}{ring}</entry>"))
    assert len(found.infos[0].areas[0].polygons) == 2


# --- CAP indexes -------------------------------------------------------------------------------------------


def test_the_entries_of_one_alert_are_one_signal_with_all_areas() -> None:
    feed = atom(indexed("BE001"), indexed("BE004"), indexed("BE001"), indexed("BE007", alert="w-2"))
    groups = groups_of(parse_feed(feed.encode()))
    assert [group.cap_link for group in groups] == ["https://met.example/cap/w-1", "https://met.example/cap/w-2"]
    both = signals(feed)
    assert [found.identifier for found in both] == ["w-1", "w-2"]
    first = both[0]
    assert first.msg_type is MsgType.UPDATE
    assert any("was not read" in note for note in first.notes)
    (info,) = first.infos
    assert (info.severity, info.urgency, info.hazard) == (Severity.SEVERE, Urgency.EXPECTED, Hazard.WIND)
    assert info.expires == datetime(2026, 7, 14, 18, tzinfo=UTC)
    assert [area.geocodes for area in info.areas] == [(Geocode("EMMA_ID", "BE001"),), (Geocode("EMMA_ID", "BE004"),)]
    assert info.headline == "Orange wind warning"


def test_parts_that_differ_in_more_than_the_area_are_blocks_of_their_own() -> None:
    found = signal(atom(indexed("BE001"), indexed("BE004", severity="Extreme")))
    assert [info.severity for info in found.infos] == [Severity.SEVERE, Severity.EXTREME]


def test_a_group_is_new_when_an_area_is_added() -> None:
    before = groups_of(parse_feed(atom(indexed("BE001")).encode()))[0]
    after = groups_of(parse_feed(atom(indexed("BE001"), indexed("BE004")).encode()))[0]
    again = groups_of(parse_feed(atom(indexed("BE004"), indexed("BE001")).encode()))[0]
    assert before.name == after.name
    assert before.content != after.content
    assert after.content == again.content


def test_links_can_be_left_alone() -> None:
    groups = groups_of(parse_feed(atom(indexed("BE001")).encode()), follow=False)
    assert [group.cap_link for group in groups] == [""]


@pytest.mark.parametrize(
    ("links", "found"),
    [
        ('<link href="https://a.example/1.cap"/>', "https://a.example/1.cap"),
        ('<link href="https://a.example/x_cap.xml?y=1"/>', "https://a.example/x_cap.xml?y=1"),
        ('<link href="https://a.example/page"/>', ""),
        ('<link href="ftp://a.example/1.cap"/>', ""),
        ('<cap:event>e</cap:event><link href="https://a.example/get?x=1"/>', "https://a.example/get?x=1"),
        ('<cap:event>e</cap:event><link href="https://a.example/page" type="text/html"/>', ""),
    ],
)
def test_where_the_cap_file_is(links: str, found: str) -> None:
    (group,) = groups_of(parse_feed(atom(f"<entry><id>1</id><title>t</title>{links}</entry>").encode()))
    assert group.cap_link == found


def test_inline_alerts_are_read_as_cap_beside_plain_entries() -> None:
    alert = (
        '<content type="text/xml"><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>in-1</identifier>'
        "<sender>met.example</sender><sent>2026-07-14T02:10:00+02:00</sent><status>Exercise</status>"
        "<msgType>Alert</msgType><scope>Public</scope></alert></content>"
    )
    found = signals(
        atom(f"<entry><id>1</id><title>t</title>{alert}</entry>", "<entry><id>2</id><title>u</title></entry>")
    )
    assert [(s.identifier, s.status) for s in found] == [("in-1", Status.EXERCISE), ("2", Status.ACTUAL)]


# --- damage and attacks ------------------------------------------------------------------------------------


def test_a_malformed_feed_is_read_as_far_as_it_can_be() -> None:
    text = rss(item(), "<item><title>A & B</title><guid>2</guid></item>", "<item><title>cut")
    found = signals(text)
    assert [s.identifier for s in found[:2]] == ["d-1", "2"]
    assert any("malformed feed" in note for note in found[0].notes)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-16"])
def test_encodings_are_honoured(encoding: str) -> None:
    text = rss(item()).replace("utf-8", encoding)
    assert signal(text.encode(encoding)).infos[0].sender_name == "Réseau"


@pytest.mark.parametrize(
    "trick",
    [
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss [<!ENTITY x "' + "a" * 10_000 + '">]>',
        '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY x "&a;&a;&a;">]>',
        '<!doctype rss [<!entity % p SYSTEM "http://127.0.0.1:9/"> %p;]>',
        '<?p?><!-- x --> <!DOCTYPE rss PUBLIC "-//a" "http://127.0.0.1:9/x" [ <!ENTITY x "y"> ]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_feeds_that_declare_entities_are_refused(trick: str, encoding: str) -> None:
    body = '<rss version="2.0"><channel><item><title>&x;</title></item></channel></rss>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>{trick}{body}'
    (letter,) = read(text.encode(encoding))
    assert isinstance(letter, BadItem)
    assert "declares XML entities" in letter.reason
    assert letter.place.startswith("1:")


def test_an_innocent_document_type_is_cut_out() -> None:
    text = rss(item()).replace(
        "<rss", '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://n.example/d">\n<rss'
    )
    assert signal(text).identifier == "d-1"


@pytest.mark.parametrize("data", [b"", b"hello", b"<html><p>404</p></html>", b'{"a": 1}', b"\xff\xfe\x00", b"<rss"])
def test_what_is_no_feed_is_one_dead_letter(data: bytes) -> None:
    (letter,) = read(data)
    assert isinstance(letter, BadItem)
    assert "expected RSS or Atom" in letter.reason
    assert letter.original == data


def test_cap_given_as_a_feed_says_so() -> None:
    with pytest.raises(ReadError, match="read it as `cap`"):
        parse_feed(b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>')


def test_a_hundred_megabytes_are_refused() -> None:
    (letter,) = read(b"<rss>" + b" " * 100_000_000)
    assert isinstance(letter, BadItem)
    assert "at most" in letter.reason


@settings(max_examples=300, deadline=2000)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for found in FeedSource.read(data, "noise"):
        assert isinstance(found, SignalItem | BadItem)


@settings(max_examples=200, deadline=3000)
@given(
    st.lists(st.tuples(st.integers(0, 1500), st.binary(max_size=8)), max_size=8),
    st.sampled_from([rss(item("<description>a</description>")), atom(indexed("BE001"))]),
)
def test_a_damaged_feed_is_read_or_refused(cuts: list[tuple[int, bytes]], text: str) -> None:
    data = bytearray(text.encode())
    for at, what in cuts:
        data[at : at + len(what)] = what
    for found in FeedSource.read(bytes(data), "damaged"):
        assert isinstance(found, SignalItem | BadItem)


def test_what_a_worker_reads_comes_back_whole() -> None:
    feed = parse_feed(atom(indexed("BE001"), indexed("BE004")).encode())
    assert pickle.loads(pickle.dumps(feed)) == feed
    with pytest.raises(ReadError) as caught:
        parse_feed(b"<rss")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.reason, again.place) == (caught.value.reason, caught.value.place)


# --- alerts that are written where they do not belong ------------------------------------------------------


ALERT = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{name}</identifier>
<sender>met.example</sender><sent>2026-07-14T10:00:00+02:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info>
<category>Met</category><event>Storm</event><urgency>Immediate</urgency><severity>Severe</severity>
<certainty>Likely</certainty></info></alert>"""


def test_an_alert_beside_the_entries_is_not_lost() -> None:
    inside = f"<entry><id>e</id><title>t</title><content type='text/xml'>{ALERT.format(name='in')}</content></entry>"
    for entries in ((), (inside,)):
        found = read_feed(atom(ALERT.format(name="beside"), *entries).encode())
        assert {one.signal.identifier for one in found if isinstance(one, SignalItem)} == (
            {"in", "beside"} if entries else {"beside"}
        )
        assert all(one.signal.infos[0].severity is Severity.SEVERE for one in found if isinstance(one, SignalItem))


def bare(name: str, id_: str, event: str) -> str:
    """An entry whose alert has no info and says itself what belongs there."""
    return (
        f"<entry><id>{id_}</id><title>{event} for the coast</title><updated>2026-07-14T10:00:00Z</updated>"
        f"<summary>Stay inside.</summary><alert xmlns='urn:oasis:names:tc:emergency:cap:1.1'><identifier>{name}"
        f"</identifier><sender>{name}</sender><sent>2026-07-14T09:00:00+02:00</sent><event>{event}</event>"
        "<cap:status>Actual</cap:status><cap:msgType>Alert</cap:msgType><cap:severity>Severe</cap:severity>"
        "<cap:areaDesc>Coast; Dunes</cap:areaDesc></alert></entry>"
    )


def test_an_inline_alert_without_info_is_read_as_its_entry() -> None:
    found = read_feed(
        atom(bare("!", "https://met.example/1", "Storm"), bare("!", "https://met.example/2", "Fog")).encode()
    )
    first, second = (one.signal for one in found if isinstance(one, SignalItem))
    assert (first.identifier, second.identifier) == ("https://met.example/1", "https://met.example/2")
    assert first.sender == "met.example"
    assert first.sent == datetime(2026, 7, 14, 7, tzinfo=UTC)
    (info,) = first.infos
    assert (info.event, info.headline, info.severity) == ("Storm", "Storm for the coast", Severity.SEVERE)
    assert (info.hazard, info.areas[0].description) == (Hazard.WIND, "Coast; Dunes")


def test_words_of_a_feed_without_a_language_may_be_any() -> None:
    text = rss("<item><title>Brand in een loods</title></item>", head="<title>t</title>")
    (found,) = read_feed(text.encode())
    assert isinstance(found, SignalItem)
    assert found.signal.infos[0].hazard is Hazard.FIRE


# --- what a text is about ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "hazard"),
    [
        ("Yellow warning for fog", "en", Hazard.FOG),
        ("Avertissement orange vent", "fr", Hazard.WIND),
        ("Gelbe Warnung für Gewitter", "de", Hazard.THUNDERSTORM),
        ("Code oranje: sneeuwstorm", "nl", Hazard.SNOW_ICE),
        ("Tempête de neige sur le pays", "fr", Hazard.SNOW_ICE),
        ("Überschwemmung in Anderlecht", "de", Hazard.FLOOD),
        ("Brand in Schaarbeek", "nl-BE", Hazard.FIRE),
        ("Company presents a brand", "en", None),
        ("Vorst-Zuid: personen op de sporen", "nl", Hazard.RAIL),
        ("Fuite de gaz à Forest", "fr", Hazard.GAS_LEAK),
        ("Panne du 112 en cours", "fr", Hazard.EMERGENCY_CALLS),
        ("Storing 112", "nl", Hazard.EMERGENCY_CALLS),
        ("Stromausfall in Eupen", "de", Hazard.POWER_OUTAGE),
        ("Manifestation rue de la Loi", "fr", Hazard.DEMONSTRATION),
        ("Regeneration of the park", "en", None),
        ("Ceasefire talks", "en", None),
        ("M 6.0, 11 km W of Galeana", "en", None),
        ("Northerly gales this evening", "en", Hazard.WIND),
        ("Sprengsatz explodiert vor einem Haus, Feuer gelöscht", "de", Hazard.EXPLOSION),
        ("Une bonbonne explose à Jette", "fr", Hazard.EXPLOSION),
        ("Gasfles ontploft in Jette", "nl", Hazard.EXPLOSION),
        ("Tropical depression brings rain", "en", Hazard.CYCLONE),
        ("", "", None),
    ],
)
def test_words_name_the_hazard(text: str, language: str, hazard: Hazard | None) -> None:
    assert hazard_in(text, language) is hazard
