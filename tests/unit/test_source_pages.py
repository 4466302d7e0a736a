"""The pages on mailboxes and planned events are walked as a reader would: what they configure and promise holds."""

import re
import shutil
from pathlib import Path

import pytest

from hub.config import load
from hub.connector import SignalItem
from hub.model.signal import Hazard, Info, Severity, Signal
from tests.conftest import ROOT


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def read(page: str, source: str, file: str, tmp_path: Path) -> Signal:
    """The page's example, read as its last configuration of the source reads it."""
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    (tmp_path / "playbooks").mkdir()
    for text in blocks(page, "yaml"):
        (folder / "sources.yaml").write_text(text)
        config, findings = load(folder)
        assert [str(f) for f in findings if f.file.endswith("sources.yaml")] == []
    known = config.sources[source]
    data = blocks(page, "text")[0].replace("\n", "\r\n").encode()
    [item] = known.make.read(data, file, known.settings)
    assert isinstance(item, SignalItem)
    assert item.reliability is None, "as far as its source"
    return item.signal


def named(info: Info) -> dict[str, str]:
    return {one.name: one.value for one in info.parameters}


def test_the_mail_of_the_page_is_the_signal_it_promises(tmp_path: Path) -> None:
    signal = read("mailboxes.md", "permanence", "mail.eml", tmp_path)
    [info] = signal.infos
    assert (info.hazard, info.severity, info.headline) == (Hazard.GAS_LEAK, Severity.SEVERE, "fuite de gaz, Ixelles")
    assert info.areas[0].description == "Ixelles"
    assert info.expires is not None
    assert (info.expires - signal.sent).total_seconds() == 6 * 3600
    assert (named(info)["people"], named(info)["mail_rule"], info.contact) == ("40", "fire service", "02 208 81 11")


def test_the_event_of_the_page_is_the_signal_it_promises(tmp_path: Path) -> None:
    [info] = read("planned-events.md", "city-agenda", "events.ics", tmp_path).infos
    assert (info.hazard, info.severity) == (Hazard.DEMONSTRATION, Severity.MODERATE)
    assert [code.code for code in info.areas[0].geocodes] == ["21015"]
    said = named(info)
    assert (said["attendance"], said["risk"], said["organiser"]) == ("12 000", "moyen", "Coalition Climat")


@pytest.mark.parametrize("page", ["mailboxes.md", "planned-events.md"])
def test_contents_lead_to_headings(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^## (.+)$", text, re.M)
    }
    assert set(re.findall(r"\]\(#([a-z-]+)\)", text)) <= headings
