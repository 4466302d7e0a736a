"""Whether files of the configuration have changed, by their times and sizes: also on disks of the network, which tell
nobody of changes, and with editors that save by renaming."""

import os
from collections.abc import Iterable
from pathlib import Path

from hub.config.last_good import FIXED
from hub.config.whole import Config

Stamps = dict[str, tuple[int, int, int]]
"""By path: when it was written (ns), its size, its inode."""

_KINDS = (".yaml", ".csv", ".geojson", ".json")


def folders_of(config: Config) -> list[Path]:
    """Where files of a configuration lie, or may come to lie."""
    folder = config.folder
    beside = [folder / name for name in ("people", "messages", "registered")]
    named = [(folder / name).parent for name in config.texts if not name.startswith("playbooks/")]
    return list(dict.fromkeys((folder, *beside, *named, config.path(config.hub.playbooks))))


def stamps(folders: Iterable[Path]) -> Stamps:
    """Of all files in these folders that can belong to a configuration. Tests beside sheets do not."""
    found: Stamps = {}
    for folder in folders:
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name.endswith(".test.yaml") or not entry.name.endswith(_KINDS):
                continue
            try:
                about = entry.stat()
            except OSError:
                continue
            found[entry.path] = (about.st_mtime_ns, about.st_size, about.st_ino)
    return found


def need_restart(config: Config) -> tuple[str, ...]:
    """Of the files that a hub is started with, those that say something else by now."""
    return tuple(name for name in FIXED if _text(config.folder / name) not in (None, config.texts.get(name)))


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None
