"""The examples on the pages about sensors and pagers are configurations that work, and do what the pages say."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from connectors.mqtt.config import MqttConfig
from connectors.mqtt.source import MqttSource
from connectors.pocsag.config import PocsagConfig
from connectors.pocsag.source import PocsagSource
from hub.config import load
from hub.connector import SignalItem
from tests.conftest import ROOT


def shown(page: str, folder: Path) -> dict[str, Any]:
    """The sources of a page's example, read in place of the shipped file."""
    shutil.copytree(ROOT / "config", folder / "config")
    (folder / "playbooks").mkdir()
    (block,) = re.findall(r"```yaml\n(# config/sources.yaml\n.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    (folder / "config" / "sources.yaml").write_text(block)
    config, findings = load(folder / "config")
    assert [str(f) for f in findings if f.file.endswith("sources.yaml")] == []
    return {name: source.settings for name, source in config.sources.items()}


def told(items: Any) -> list[str]:
    return [f"{i.signal.msg_type} {i.signal.infos[-1].headline}" for i in items if isinstance(i, SignalItem)]


def test_the_sensors_of_the_page(tmp_path: Path) -> None:
    basins = shown("sensors.md", tmp_path)["basins"]
    assert isinstance(basins, MqttConfig)
    lines = [
        "basins/flagey/level 3.41",
        "basins/flagey/level 3.9",
        "basins/test/level 9",
        'hospital/rooms {"id": "cold-2", "t": 7.5, "at": 1784025600}',
        'masts/north/state {"power": "off"}',
        'masts/north/state {"power": "MAINS"}',
    ]
    assert told(MqttSource.read("\n".join(lines).encode(), "recorded", basins)) == [
        "Alert Basin level, Bassin de la place Flagey: 3.41 m (threshold 3.2 m)",
        "Update Basin level, Bassin de la place Flagey: 3.9 m (threshold 3.8 m)",
        "Alert Power, masts/north/state: off",
    ]


def test_the_pagers_of_the_page(tmp_path: Path) -> None:
    pagers = shown("paging.md", tmp_path)["pagers"]
    assert isinstance(pagers, PocsagConfig)
    head = "POCSAG1200: Address: {}  Function: {}  Alpha:   {}\n"
    lines = [
        head.format(1000000, 1, "PRIO 1 Feux rue du Test"),
        head.format(1000008, 3, "exercice"),
        head.format(1000008, 2, "somebody else"),
    ]
    items = PocsagSource.read("".join(lines).encode(), "lines", pagers)
    assert told(items) == [
        "Alert Pompiers, garde d'Ixelles: PRIO 1 Feux rue du Test",
        "Alert Plan catastrophe, hôpital: exercice",
    ]
    infos = [item.signal.infos[0] for item in items if isinstance(item, SignalItem)]
    assert [(info.hazard, str(info.severity)) for info in infos] == [("fire", "Severe"), (None, "Severe")]


@pytest.mark.parametrize("page", ["sensors.md", "paging.md"])
def test_each_key_of_the_page_is_in_the_reference(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    anchors = re.findall(r"\(configuration\.md#([a-z-]+)\)", text)
    headings = re.findall(r"^### (.*)$", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE)
    made = {re.sub(r"[^a-z -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert anchors
    assert set(anchors) <= made
