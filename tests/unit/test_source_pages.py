"""The pages on mailboxes, planned events and crisis logs are walked as a reader would: what they configure and promise
holds."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from connectors.crisislog.ours import is_ours
from hub.config import load
from hub.connector import SignalItem
from hub.model.signal import Hazard, Info, MsgType, Severity, Signal
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


PARAGON = """Id;Timestamp;Titel;Titre;Message;Location;Priority;Action;Corrects;Discipline;Vigie
7;2026-07-14T02:10:00+02:00;Gaslek;Fuite de gaz;"Rue de la Tulipe; 12";Ixelles;high;created;;D1;
8;14/07/2026 02:31;Gaslek;Fuite de gaz;Rue de la Tulipe 12;Ixelles;medium;modified;7;D1;
9;14/07/2026 02:32;;Incident ouvert;;;;created;;;01KXH3E0G0DHW93DTR98H6BCFN/0
"""


def test_the_crisis_logs_of_the_page_work(tmp_path: Path) -> None:
    """Every block is a configuration that loads; the ready ones read an export as they say."""
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    (tmp_path / "playbooks").mkdir()
    sources: dict[str, Any] = {}
    followers: dict[str, Any] = {}
    for text in blocks("crisis-log.md", "yaml"):
        name = text.partition("\n")[0].removeprefix("# config/")
        assert name in ("sources.yaml", "followers.yaml")
        (folder / name).write_text(text)
        config, findings = load(folder)
        assert [str(f) for f in findings if f.file.endswith(name)] == []
        sources |= config.sources
        followers |= config.followers
    assert {"paragon", "icms"} <= set(sources)
    assert {"paragon-out", "icms-out"} <= set(followers)
    known = sources["paragon"]
    first, second, ours = known.make.read(PARAGON.encode(), "export.csv", known.settings)
    assert (first.signal.identifier, first.signal.sender) == ("7", "nccn")
    assert [(i.language, i.headline) for i in first.signal.infos] == [("nl", "Gaslek"), ("fr", "Fuite de gaz")]
    assert {i.severity for i in first.signal.infos} == {Severity.SEVERE}
    assert {i.hazard for i in first.signal.infos} == {Hazard.GAS_LEAK}
    assert (second.signal.msg_type, second.signal.references[0].identifier) == (MsgType.UPDATE, "7")
    assert f"{second.signal.sent:%H:%M}" == "00:31"
    assert [is_ours(one.signal) for one in (first, second, ours)] == [False, False, True]
    assert first.signal.notes == ()


def test_the_crisis_log_in_the_shipped_configuration_can_be_taken_in(tmp_path: Path) -> None:
    """It stands there as a comment: without its marks it is a source."""
    text = (ROOT / "config" / "sources.yaml").read_text()
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    (tmp_path / "playbooks").mkdir()
    (folder / "sources.yaml").write_text(re.sub(r"^# (paragon:|  \w.*)$", r"\1", text, flags=re.MULTILINE))
    config, findings = load(folder)
    assert [str(f) for f in findings if f.file.endswith("sources.yaml")] == []
    assert config.sources["paragon"].type == "crisislog"


@pytest.mark.parametrize("page", ["mailboxes.md", "planned-events.md", "crisis-log.md"])
def test_contents_lead_to_headings(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^## (.+)$", text, re.M)
    }
    assert set(re.findall(r"\]\(#([a-z-]+)\)", text)) <= headings
