"""The page of sources: each block is a configuration that works, and reads what its publisher was recorded to send."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.config import Config, load
from hub.connector import BadItem, SignalItem
from hub.model.signal import Hazard, Severity
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Config:
    text = (ROOT / "docs" / "sources.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(# config/sources.yaml\n.*?)```", text, re.DOTALL)
    folder = tmp_path_factory.mktemp("sources")
    for name in ("hub.yaml", "messages.yaml", "areas.yaml"):
        (folder / name).write_text((ROOT / "config" / name).read_text("utf-8"), "utf-8")
    (folder / "sources.yaml").write_text(block, "utf-8")
    config, findings = load(folder)
    assert [str(finding) for finding in findings if finding.file.endswith("sources.yaml")] == []
    return config


def read(config: Config, name: str, file: Path) -> Sequence[SignalItem]:
    source: Any = config.sources[name]
    items = source.make.read(file.read_bytes(), file.name, source.settings)
    assert not [item.reason for item in items if isinstance(item, BadItem)]
    return [item for item in items if isinstance(item, SignalItem)]


def test_all_types_that_are_installed_are_on_the_page() -> None:
    from importlib.metadata import entry_points

    text = (ROOT / "docs" / "sources.md").read_text("utf-8")
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
