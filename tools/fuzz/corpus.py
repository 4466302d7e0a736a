"""What each kind of source is fed with: seeds of the project's own, recorded samples where there are any, and the
settings that its README shows."""

import importlib
import inspect
import os
import re
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from hub.config import SOURCES
from hub.config.foreign import bind_foreign
from hub.config.forms import SourceForm
from hub.connector import BadItem, SignalItem
from hub.yaml import Mapping, read

ROOT = Path(__file__).resolve().parents[2]
SEEDS = Path(__file__).resolve().parent / "seeds"
LARGEST_SEED = 64 << 10

# Kind → files by which it is fed: of the project's own day, and of recorded samples.
_DAY = {
    "cap": ("kmi/*", "partners/*.xml"),
    "feed": ("press/*.xml", "sncb/*.xml", "kmi/*.atom.xml"),
    "json_api": ("stib/*.json",),
    "page": ("press/*.html", "stib/*.html"),
    "webhook": ("partners/*.json", "partners/*.xml"),
}
_RECORDED = {
    "cap": ("cap/*.xml", "json/meteoalarm*.json"),
    "feed": ("feed/*.xml",),
    "json_api": ("json/irail*.json", "json/stib*.json", "json/*.geojson", "json/kmi*.json"),
    "alertmanager": ("json/goalert*.json", "json/oncall*.json"),
    "mail": ("misc/*.eml",),
    "pocsag": ("misc/multimon*.txt",),
    "tetra": ("misc/tetra*.txt",),
    "crisislog": ("cap/*.edxlde.xml", "misc/emsi*.xml"),
    "mastodon": ("json/mastodon*.json",),
    "bluesky": ("json/bluesky*.json",),
}


def kinds() -> list[EntryPoint]:
    """All sources that are installed."""
    return sorted(entry_points(group=SOURCES), key=lambda point: point.name)


def seeds(kind: str, samples: Path | None) -> list[bytes]:
    """Real inputs of a kind, the small ones first; one empty where there is none."""
    files = sorted((SEEDS / kind).glob("*"))
    for folder, globs in ((ROOT / "samples" / "day", _DAY), (samples, _RECORDED)):
        files += [f for glob in globs.get(kind, ()) if folder is not None for f in sorted(folder.glob(glob))]
    found = [data for file in files if len(data := file.read_bytes()) <= LARGEST_SEED]
    return sorted(found, key=len) or [b""]


def samples_folder() -> Path | None:
    """Where recorded input lies: `VIGIE_SAMPLES`."""
    place = os.environ.get("VIGIE_SAMPLES")
    return Path(place) if place and Path(place).is_dir() else None


def reader(point: EntryPoint) -> Callable[[bytes], Sequence[SignalItem | BadItem]]:
    """Reads as the source does, in turn with each of the settings that its README shows."""
    made = point.load()
    settings = _shown(point, made.Config) or [None]
    turn = 0

    def reading(data: bytes) -> Sequence[SignalItem | BadItem]:
        nonlocal turn
        turn += 1
        found: Sequence[SignalItem | BadItem] = made.read(data, f"fuzz.{point.name}", settings[turn % len(settings)])
        return found

    return reading


def _shown(point: EntryPoint, kind: type[Any]) -> list[Any]:
    source = inspect.getsourcefile(importlib.import_module(point.module))
    assert source is not None
    readme = Path(source).parent / "README.md"
    text = readme.read_text("utf-8") if readme.exists() else ""
    hubs_own = {name.replace("_", " ") for name in SourceForm.__struct_fields__}
    found = []
    for block in re.findall(r"```yaml\n# config/sources.yaml\n(.*?)```", text, re.DOTALL):
        document = read(block, readme.name)
        for _, node in document.root.entries if isinstance(document.root, Mapping) else ():
            said = node.get("type") if isinstance(node, Mapping) else None
            if isinstance(node, Mapping) and getattr(said, "text", "") == point.name:
                settings = bind_foreign(document, node, kind, point.name, hubs_own)
                assert settings is not None, document.findings
                found.append(settings)
    return found
