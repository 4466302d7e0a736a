"""The sources that are ready for Brussels work, and read what their publishers were recorded to send."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.config import Config
from hub.connector import BadItem, SignalItem
from hub.model.signal import Hazard, Severity, Signal
from tests.conftest import ROOT, shipped


@pytest.fixture(scope="module")
def configured() -> Config:
    config, findings = shipped()
    assert [str(finding) for finding in findings if finding.file.endswith("sources.yaml")] == []
    return config


def test_the_page_names_what_is_ready(configured: Config) -> None:
    text = (ROOT / "docs" / "sources.md").read_text("utf-8")
    named = re.findall(r"^\| `([a-z0-9-]+)` \| .* \|$", text.partition("## Ready for Brussels")[2], re.MULTILINE)
    assert len(named) == 8
    assert set(named) <= set(configured.sources)


def read(config: Config, name: str, file: Path) -> Sequence[SignalItem]:
    source: Any = config.sources[name]
    items = source.make.read(file.read_bytes(), file.name, source.settings)
    assert not [item.reason for item in items if isinstance(item, BadItem)]
    return [item for item in items if isinstance(item, SignalItem)]


def test_all_types_that_are_installed_are_on_the_page() -> None:
    from importlib.metadata import entry_points

    text = (ROOT / "docs" / "sources.md").read_text("utf-8").partition("## Ready for Brussels")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)) == {
        point.name for point in entry_points(group="vigie.sources")
    }


def test_none_asks_for_a_secret(configured: Config) -> None:
    assert not [name for name, source in configured.sources.items() if getattr(source.settings, "authorization", "")]


def test_earthquakes_around_belgium(configured: Config, samples: Path) -> None:
    found = [item.signal for item in read(configured, "earthquakes-emsc", samples / "json" / "emsc_fdsn_query.geojson")]
    assert len(found) == 6
    first = found[0]
    (info,) = first.infos
    assert (first.identifier, first.sender, f"{first.sent:%H:%M:%S}") == (
        "20260828_0000112",
        "emsc-csem.org",
        "09:56:20",
    )
    assert info.onset is not None
    assert f"{info.onset:%Y-%m-%d %H:%M:%S}" == "2026-08-28 09:10:11"
    assert (info.hazard, info.severity) == (Hazard.EARTHQUAKE, Severity.MINOR), "magnitude 2.1"
    assert info.headline.startswith("M 2.1 ")
    (circle,) = info.areas[0].circles
    assert (circle.lat, circle.lon) == (49.4809, 6.8778)
    assert info.expires is not None
    assert info.expires - first.sent == timedelta(hours=6)


def test_earthquakes_of_the_world(configured: Config, samples: Path) -> None:
    found = [
        item.signal
        for item in read(configured, "earthquakes-usgs", samples / "json" / "usgs_all_hour_2019-02-23.geojson")
    ]
    assert len(found) == 5
    assert (found[0].identifier, f"{found[0].sent:%Y-%m-%d %H:%M:%S}") == ("ak0192hkl1ft", "2019-02-23 16:09:15")
    assert {info.severity for signal in found for info in signal.infos} == {Severity.MINOR}
    assert all(info.areas[0].circles for signal in found for info in signal.infos)


def test_disasters(configured: Config, samples: Path) -> None:
    found = [item.signal for item in read(configured, "disasters-gdacs", samples / "feed" / "gdacs_rss_24h.xml")]
    assert [(s.identifier, s.infos[0].hazard, s.infos[0].severity) for s in found][:2] == [
        ("TC1001297", Hazard.CYCLONE, Severity.SEVERE),
        ("EQ1556844", Hazard.EARTHQUAKE, Severity.MINOR),
    ]


def test_rail_and_air(configured: Config, samples: Path) -> None:
    (rail,) = read(configured, "rail", samples / "json" / "irail_disturbances_2018-03-16.json")
    assert (rail.signal.sender, rail.signal.infos[0].hazard) == ("sncb-nmbs", Hazard.RAIL)
    assert read(configured, "air-no2", samples / "json" / "irceline_no2_hmean_station.geojson") == [], "a clean day"


# --- not recorded: in the shape that others read ------------------------------------------------------------


def written(config: Config, name: str, answer: Any, tmp_path: Path) -> list[Signal]:
    file = tmp_path / "answer.json"
    file.write_bytes(msgspec.json.encode(answer))
    return [item.signal for item in read(config, name, file)]


def test_roads(configured: Config, tmp_path: Path) -> None:
    def event(number: int, active: bool, importance: str) -> dict[str, Any]:
        return {
            "type": "Feature",
            "id": f"events.{number}",
            "geometry": {"type": "Point", "coordinates": [4.36, 50.85]},
            "properties": {
                "fid": number,
                "is_active": active,
                "importance": importance,
                "type_fr": "Accident ",
                "type_nl": "Ongeval",
                "location_fr": "Tunnel Léopold II",
                "location_nl": "Leopold II-tunnel",
                "consequences_fr": "Les deux directions fermées",
                "consequences_nl": None,
                "start_time": "2026-07-14T02:10:00Z",
                "end_time": None,
            },
        }

    (road,) = written(configured, "mobility", {"features": [event(7, True, "3"), event(8, False, "3")]}, tmp_path)
    assert (road.identifier, road.sender) == ("events.7", "mobility.brussels")
    assert [(info.language, info.headline) for info in road.infos] == [
        ("fr-BE", "Accident · Tunnel Léopold II"),
        ("nl-BE", "Ongeval · Leopold II-tunnel"),
    ]
    for info in road.infos:
        assert (info.hazard, info.severity) == (Hazard.TRAFFIC, Severity.SEVERE)
        assert [(c.lat, c.lon) for area in info.areas for c in area.circles] == [(50.85, 4.36)]
    assert road.notes == ("the item has no time: none is known",), "the publisher says none"


def test_water_levels(configured: Config, tmp_path: Path) -> None:
    def level(name: str, value: Any) -> dict[str, Any]:
        return {
            "ts_id": f"{len(name)}042",
            "station_name": name,
            "station_latitude": "50.72",
            "station_longitude": "4.2",
            "timestamp": "2026-07-14T02:00:00.000Z",
            "ts_value": value,
        }

    answer = [
        level("Lot/Zenne", 2.61),
        level("Eppegem/Zenne", 1.2),
        level("Wilsele/Dijle", 9.0),
        level("x/Zenne", None),
    ]
    (water,) = written(configured, "river-senne", answer, tmp_path)
    (info,) = water.infos
    assert (info.headline, info.severity, info.hazard) == ("Lot/Zenne 2.61 m", Severity.SEVERE, Hazard.FLOOD)
    assert f"{water.sent:%H:%M}" == "02:00"
    assert info.areas[0].circles[0].lat == 50.72


def test_mapping_from_space(configured: Config, tmp_path: Path) -> None:
    def activation(code: str, closed: bool, countries: Any) -> dict[str, Any]:
        return {
            "code": code,
            "name": "Flood in the Vesdre valley",
            "category": "Flood",
            "countries": countries,
            "centroid": "POINT (5.86 50.59)",
            "eventTime": "2026-07-14T00:00:00",
            "activationTime": "2026-07-14T09:30:00",
            "closed": closed,
        }

    answer = {"results": [activation("EMSR900", False, ["Belgium"]), activation("EMSR899", True, ["Chile"])]}
    (flood,) = written(configured, "mapping-copernicus", answer, tmp_path)
    (info,) = flood.infos
    assert (flood.identifier, info.hazard, info.event) == ("EMSR900", Hazard.FLOOD, "Flood")
    assert (info.areas[0].description, info.areas[0].circles[0].lon) == ("Belgium", 5.86)
    (named,) = written(
        configured, "mapping-copernicus", {"results": [activation("EMSR901", False, [{"name": "Belgium"}])]}, tmp_path
    )
    assert named.infos[0].areas[0].description == "Belgium"
