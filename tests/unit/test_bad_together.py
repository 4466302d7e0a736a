"""The gallery of what is wrong only with several files together, or with the coming month, or by what was recorded: a
folder is named by its fault and laid over the example configuration without its sheets. `recorded.yaml`: what the
journal of the last month holds.

To renew the expected findings and read what changed: `UPDATE_GALLERY=1 pytest ...`.
"""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hub.config import load
from hub.config.month import coming_month
from hub.config.recorded import Recorded, askers, check_incidents, check_words, opened, words_met
from hub.model.signal import Info, Signal
from hub.waivers import settle
from tests.conftest import ROOT

GALLERY = ROOT / "tests" / "bad" / "together"
NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)


def found(folder: Path) -> str:
    """What is told of the files of a fault."""
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    config, findings = load(folder.parent / "whole" / "config", today=f"{NOW:%Y-%m-%d}")
    signals = recorded(folder / "recorded.yaml")
    more = coming_month(config, config.directory(), config.rosters, NOW)
    more += check_words(config, words_met(askers(config), signals)) + check_incidents(config, opened(config, signals))
    texts = {document.file: config.texts[name] for name, document in config.documents.items()}
    told = [*findings, *settle(more, texts, lambda rule: False)]
    told = sorted(dict.fromkeys(told), key=lambda f: (f.file, f.line, f.column))
    return "".join(f"{finding.render()}\n" for finding in told if finding.file in names)


def recorded(file: Path) -> Recorded:
    """The signals of a file: each entry so many times, the last one now."""
    if not file.is_file():
        return []
    entries: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
    signals = [
        (
            NOW - timedelta(minutes=entry["every_min"] * n),
            Signal(
                identifier=f"{kind}-{n}",
                sender="press",
                sent=NOW,
                source=entry["source"],
                infos=(Info(event=f"item {n}", headline=entry["headline"]),),
            ),
        )
        for kind, entry in enumerate(entries)
        for n in range(entry["times"])
    ]
    return sorted(signals, key=lambda one: one[0])


def laid_out(fault: Path, tmp_path: Path) -> Path:
    whole = tmp_path / "whole"
    shutil.copytree(ROOT / "config", whole / "config")
    for path in (whole / "config" / "messages").glob("*.yaml"):
        if path.stem != "extreme-weather":  # the others' sheets are not there
            path.unlink()
    (whole / "playbooks").mkdir()
    shutil.copytree(fault, whole, dirs_exist_ok=True)
    return Path(shutil.copytree(fault, tmp_path / fault.name))


@pytest.mark.parametrize("fault", sorted(p for p in GALLERY.iterdir() if p.is_dir()), ids=lambda p: p.name)
def test_what_is_wrong_together_gives_exactly_its_findings(fault: Path, tmp_path: Path) -> None:
    told = found(laid_out(fault, tmp_path))
    if os.environ.get("UPDATE_GALLERY"):
        (fault / "expected").write_text(told, "utf-8")
    assert told, "a folder of the gallery has to be bad"
    assert told == (fault / "expected").read_text("utf-8")
