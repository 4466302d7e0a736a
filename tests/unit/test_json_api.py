"""What is made of JSON answers, by what the config says of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.json_api.config import JsonConfig
from connectors.json_api.mapping import answer_of, items_of, next_page, read_items
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.area import Circle
from hub.model.signal import Category, Hazard, MsgType, Severity, Signal

README = Path(__file__).resolve().parents[2] / "connectors" / "json_api" / "README.md"
NOW = datetime(2026, 7, 14, tzinfo=UTC)


def config(**more: Any) -> JsonConfig:
    made: JsonConfig = msgspec.convert({"url": "https://x.example/", "fields": {"identifier": "id"}} | more, JsonConfig)
    return made


def signals(answer: Any, made: JsonConfig) -> list[Signal]:
    found = items_of(json.dumps(answer).encode(), made, "x.example", NOW)
    return [item.signal for item in found if isinstance(item, SignalItem)]


def of_readme(name: str) -> JsonConfig:
    """As the README shows it, read as config/sources.yaml is."""
    from hub.config.foreign import bind_foreign
    from hub.yaml import Mapping, read

    block = README.read_text().partition("```yaml")[2].partition("```")[0]
    document = read(block, "README.md")
    node = document.at(name)
    assert isinstance(node, Mapping)
    made = bind_foreign(document, node, JsonConfig, name, {"type", "reliability", "credibility"})
    assert isinstance(made, JsonConfig), document.findings
    return made


def test_a_disturbance_on_the_railways(samples: Path) -> None:
    data = (samples / "json" / "irail_disturbances_2018-03-16.json").read_bytes()
    (item,) = read_items(data, of_readme("irail"), "api.irail.be")
    assert isinstance(item, SignalItem)
    signal = item.signal
    assert signal.identifier == "Ath - Leuze: Collision with a road vehicle. 1521230603"
    assert signal.sender == "sncb-nmbs"
    assert signal.sent == datetime(2018, 3, 16, 20, 3, 23, tzinfo=UTC)
    (info,) = signal.infos
    assert (info.language, info.hazard, info.categories) == ("fr-BE", Hazard.RAIL, (Category.TRANSPORT,))
    assert info.headline == "Ath - Leuze: Collision with a road vehicle."
    assert info.description.startswith("Train traffic interrupted between Ath and Leuze.")


def test_traveller_information_with_json_inside_json(samples: Path) -> None:
    data = (samples / "json" / "stib_travellers_information_2024-05-10.json").read_bytes()
    found = [item.signal for item in read_items(data, of_readme("stib"), "stib") if isinstance(item, SignalItem)]
    first = found[0]
    assert [info.language for info in first.infos] == ["fr-BE", "nl-BE", "en"]
    assert first.infos[1].headline == "Interventie hulpdiensten: T81 rijdt niet tussen MEIR en ZUIDSTATION"
    assert first.infos[0].parameters == (("lines", "81"), ("priority", "2")) or [
        (p.name, p.value) for p in first.infos[0].parameters
    ] == [("lines", "81"), ("priority", "2")]
    assert len(first.identifier) == 32, "a text that has to serve as an identifier becomes a digest"
    priorities = {p.value for s in found for p in s.infos[0].parameters if p.name == "priority"}
    assert priorities <= {"0", "1", "2", "3", "4"}


def test_air_quality_by_its_levels_and_place(samples: Path) -> None:
    data = (samples / "json" / "irceline_no2_hmean_station.geojson").read_bytes()
    shown = of_readme("irceline-no2")
    assert not read_items(data, shown, "irceline"), "nothing there is above 100"
    low = msgspec.structs.replace(shown, only="properties.value > `0`", levels={"Moderate": 10})
    found = [item.signal for item in read_items(data, low, "irceline") if isinstance(item, SignalItem)]
    assert len(found) == 10, "what is -9999 was not measured"
    by_name = {s.infos[0].headline: s.infos[0] for s in found}
    assert by_name["42N035 - Aarschot"].severity is Severity.MINOR
    assert by_name["42N047 - Hasselt"].severity is Severity.MODERATE
    (circle,) = by_name["42N035 - Aarschot"].areas[0].circles
    assert (round(circle.lat, 2), round(circle.lon, 2)) == (50.98, 4.84)


def test_earthquakes_in_milliseconds_and_by_figures(samples: Path) -> None:
    usgs = config(
        items="features", fields={"identifier": "id", "sent": "properties.time", "headline": "properties.title"}
    )
    data = (samples / "json" / "usgs_all_hour_2019-02-23.geojson").read_bytes()
    first = read_items(data, usgs, "usgs")[0]
    assert isinstance(first, SignalItem)
    assert first.signal.sent == datetime(2019, 2, 23, 16, 6, 36, 252000, tzinfo=UTC)
    emsc = config(items="features", fields={"identifier": "id", "lat": "properties.lat", "lon": "properties.lon"})
    data = (samples / "json" / "emsc_fdsn_query.geojson").read_bytes()
    assert len(read_items(data, emsc, "emsc")) == 6


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-07-14T02:10:00+02:00", datetime(2026, 7, 14, 0, 10, tzinfo=UTC)),
        ("2026-07-14 02:10", datetime(2026, 7, 14, 0, 10, tzinfo=UTC)),
        ("2026-07-14", datetime(2026, 7, 13, 22, 0, tzinfo=UTC)),
        (1521230603, datetime(2018, 3, 16, 20, 3, 23, tzinfo=UTC)),
        ("1521230603000", datetime(2018, 3, 16, 20, 3, 23, tzinfo=UTC)),
        ("Tue, 14 Jul 2026 02:10:00 +0200", datetime(2026, 7, 14, 0, 10, tzinfo=UTC)),
        ("soon", NOW),
        (1e300, NOW),
        ([], NOW),
    ],
)
def test_times_in_the_forms_apis_use(written: Any, read: datetime) -> None:
    made = config(fields={"identifier": "id", "sent": "at"}, zone="Europe/Brussels")
    (signal,) = signals([{"id": 1, "at": written}], made)
    assert signal.sent == read


def test_words_mean_what_the_config_says_and_what_means_nothing_is_noted() -> None:
    made = config(
        fields={"identifier": "id", "severity": "level"}, words={"severity": {"3": "Severe", "rouge": "Extreme"}}
    )
    found = signals([{"id": n, "level": level} for n, level in enumerate((3, "rouge", "minor", "purple"))], made)
    assert [s.infos[0].severity.value for s in found] == ["Severe", "Extreme", "Minor", "Unknown"]
    assert found[3].notes[-1] == "severity 'purple' means nothing here: add it to words"


def test_an_end_names_areas_and_shapes() -> None:
    square = [[4.3, 50.8], [4.4, 50.8], [4.4, 50.9], [4.3, 50.8]]
    made = config(fields={"identifier": "id", "area": "where", "geometry": "g"}, lasts=3600.0)
    (signal,) = signals(
        [{"id": 1, "where": ["Ixelles", "Uccle"], "g": {"type": "Polygon", "coordinates": [square]}}], made
    )
    (info,) = signal.infos
    assert info.expires is not None
    assert (info.expires - signal.sent).total_seconds() == 3600
    assert [area.description for area in info.areas] == ["Ixelles", "Uccle"]
    assert info.areas[0].polygons[0][0] == (50.8, 4.3)
    (signal,) = signals([{"id": 1, "g": {"type": "Polygon", "coordinates": [[[999, 50.8]]]}}], made)
    assert "its geometry cannot be read" in signal.notes


@pytest.mark.parametrize(
    ("text", "circles", "polygons"),
    [
        ("POINT (4.35 50.85)", (Circle(50.85, 4.35, 0.0),), 0),
        ("SRID=4326;POINT Z (4.35 50.85 12)", (Circle(50.85, 4.35, 0.0),), 0),
        ("POLYGON ((4.3 50.8, 4.4 50.8, 4.4 50.9, 4.3 50.8))", (), 1),
        ("MULTIPOLYGON (((4.3 50.8, 4.4 50.8, 4.4 50.9, 4.3 50.8)), ((5 51, 6 51, 6 52, 5 51)))", (), 2),
        ("POINT EMPTY", (), 0),
        ("LINESTRING (4.3 50.8, 4.4 50.8)", (), 0),
    ],
)
def test_shapes_as_well_known_text(text: str, circles: tuple[Circle, ...], polygons: int) -> None:
    made = config(fields={"identifier": "id", "area": "where", "geometry": "g"})
    (signal,) = signals([{"id": 1, "where": "Ixelles", "g": text}], made)
    (area,) = signal.infos[0].areas
    assert (area.circles, len(area.polygons)) == (circles, polygons)
    assert "its geometry cannot be read" not in signal.notes


@pytest.mark.parametrize("text", ["POINT (4.35)", "somewhere", "POINT (435 50.85)", "POINT (4.35 50.85", "\0"])
def test_what_is_no_shape_is_noted(text: str) -> None:
    (signal,) = signals([{"id": 1, "g": text}], config(fields={"identifier": "id", "geometry": "g"}))
    assert "its geometry cannot be read" in signal.notes
    assert signal.infos[0].areas == ()


def test_an_item_without_an_identifier_spoils_none_of_the_others() -> None:
    found = items_of(b'[{"id": 1}, {"x": 2}, {"id": 3}, 4]', config(), "x", NOW)
    assert [isinstance(item, BadItem) for item in found] == [False, True, False, True]
    bad = found[1]
    assert isinstance(bad, BadItem)
    assert bad.place == "@[1]"
    assert "correct identifier" in bad.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>", "not well-formed JSON"),
        (b"\xff", "not UTF-8"),
        (b"[" * 100_000, "not well-formed JSON"),
        (b'{"items": 3}', "is no list"),
    ],
)
def test_what_is_no_answer_is_said(data: bytes, reason: str) -> None:
    (bad,) = read_items(data, config(items="items"), "x")
    assert isinstance(bad, BadItem)
    assert reason in bad.reason


def test_no_list_is_an_empty_one() -> None:
    assert items_of(b"{}", config(items="disturbance"), "x", NOW) == []


def test_the_next_page() -> None:
    made = config(next="links.next")
    assert next_page(b'{"links": {"next": "/p2"}}', made) == "/p2"
    assert next_page(b'{"links": {"next": null}}', made) == ""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fields": {"headline": "t"}}, "identifier is missing"),
        ({"fields": {"identifier": "id", "colour": "c"}}, "a signal has no 'colour'"),
        ({"fields": {"identifier": "id", "headline.xx1": "c"}}, "no text in a language"),
        ({"fields": {"identifier": "id["}}, "is no JMESPath expression"),
        ({"fields": {"identifier": "uuid(id)"}}, "there is no function uuid"),
        ({"items": "["}, "is no JMESPath expression"),
        ({"always": {"hazard": "fires"}}, "hazard is never 'fires'"),
        ({"words": {"severity": {"3": "Bad"}}}, "severity is never 'Bad'"),
        ({"levels": {"Severe": 3}}, "what is measured?"),
        ({"evry": 3}, "unknown field"),
    ],
)
def test_a_mistake_in_the_config_is_told_when_it_is_read(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=None) as told:
        config(**wrong)
    assert said in str(told.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "g", "at", "type", "x"]), inner),
    max_leaves=15,
)


@given(JSON)
def test_no_answer_makes_reading_fail(value: Any) -> None:
    made = config(
        fields={"identifier": "id", "sent": "at", "geometry": "g", "value": "x", "lat": "x", "lon": "at", "area": "g"},
        levels={"Severe": 3},
        parameters={"x": "x"},
    )
    for item in read_items(json.dumps(value).encode(), made, "noise"):
        assert isinstance(item, SignalItem | BadItem)
        assert item.key


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_fail(data: bytes) -> None:
    for item in read_items(data, config(), "noise"):
        assert item.key


def test_a_place_is_told_in_characters() -> None:
    with pytest.raises(ReadError) as told:
        answer_of('{"é": }'.encode())
    assert told.value.place.startswith("1:")


def test_an_item_may_say_what_it_updates_and_withdraws() -> None:
    fields = {"identifier": "id", "headline": "t", "msg type": "kind", "references": "of"}
    made = config(fields=fields, words={"msg type": {"gone": "Cancel"}}, always={"sender": "them"})
    items = [
        {"id": "2", "t": "a", "of": "1"},
        {"id": "3", "t": "b", "kind": "gone", "of": ["1", "2", "2"]},
        {"id": "4", "t": "c", "kind": "new"},
    ]
    update, cancel, alert = signals(items, made)
    assert (update.msg_type, [r.identifier for r in update.references]) == (MsgType.UPDATE, ["1"])
    assert (cancel.msg_type, [r.identifier for r in cancel.references]) == (MsgType.CANCEL, ["1", "2"])
    assert {r.sender for r in cancel.references} == {"them"}
    assert (alert.msg_type, alert.notes[-1]) == (MsgType.ALERT, "msg_type 'new' means nothing here: add it to words")


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("14/07/2026 02:10", "2026-07-14T00:10:00"),
        ("14-07-2026, 02u10", "2026-07-14T00:10:00"),
        ("14.07.2026 02:10:05", "2026-07-14T00:10:05"),
        ("14/01/2026", "2026-01-13T23:00:00"),
        ("07/14/2026 02:10", None),
    ],
)
def test_the_day_may_come_first_and_is_of_the_zone(written: str, utc: str | None) -> None:
    made = config(fields={"identifier": "id", "headline": "id", "sent": "at"}, zone="Europe/Brussels")
    (signal,) = signals([{"id": "1", "at": written}], made)
    assert signal.sent == (datetime.fromisoformat(utc + "+00:00") if utc else NOW)


def test_figures_may_have_a_decimal_comma() -> None:
    fields = {"identifier": "id", "headline": "id", "lat": "y", "lon": "x", "radius km": "r", "value": "v"}
    made = config(fields=fields, levels={"Severe": 2.5})
    (signal,) = signals([{"id": "1", "y": "50,83", "x": " 4,36", "r": "1,5", "v": "2,7"}], made)
    (circle,) = signal.infos[0].areas[0].circles
    assert (circle.lat, circle.lon, circle.radius_km, signal.infos[0].severity) == (50.83, 4.36, 1.5, Severity.SEVERE)
