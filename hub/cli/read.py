"""`vigie read KIND FILE…`: what a source makes of a file, one JSON line per signal; with `--source`, as one that is
configured reads it."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import trio

from hub.cli import say
from hub.config import Config
from hub.connector import BadItem, WorkerLimit
from hub.letters import read_with
from hub.workers import Workers, open_workers

LIMIT_S = 20.0
BYTES_MAX = 64 << 20


def entry_of(kind: str) -> str:
    """Where a kind of source lives (`module:class`). Ends the command where there is none."""
    known = {e.name: e.value for e in entry_points(group="vigie.sources")}
    if kind not in known:
        say.could_not(f"{kind}: no such kind of source: there are {', '.join(sorted(known))}")
    return known[kind]


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Files, and those in folders, in order."""
    found: list[Path] = []
    for path in paths:
        found.extend(sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path])
    return found


def settings_in(config: Config, name: str, kind: str) -> Any:
    """The settings of a source of that kind. Ends the command where there is none."""
    known = config.sources.get(name)
    if known is None:
        say.could_not(f"{name}: no such source: there are {', '.join(sorted(config.sources))}")
    if known.type != kind:
        say.could_not(f"{name}: is a source of the kind {known.type}: vigie read {known.type} --source {name} FILE")
    return known.settings


def read(kind: str, paths: Sequence[Path], settings: Any = None) -> None:
    """Reads every file, and goes on after a bad one. Exits 1 where one was bad. `settings`: of the source."""
    entry = entry_of(kind)
    if not any(path.exists() for path in paths):
        say.could_not(f"{paths[0]}: no such file")
    faults = trio.run(_read_all, entry, files_of(paths), settings)
    say.done(faults > 0)


async def _read_all(entry: str, files: Sequence[Path], settings: Any) -> int:
    faults = 0
    async with open_workers(count=1, preload=[entry.partition(":")[0]]) as workers:
        for file in files:
            faults += await _read_one(workers, entry, file, settings)
    return faults


async def _read_one(workers: Workers, entry: str, file: Path, settings: Any) -> int:
    try:
        size = (await trio.Path(file).stat()).st_size
        if size > BYTES_MAX:
            say.error(f"{file}: has {size} bytes: at most {BYTES_MAX} are read")
            return 1
        data = await trio.Path(file).read_bytes()
        items: Sequence[Any] = await workers.run(
            read_with, entry, data, file.name, settings, limit_s=LIMIT_S, label=str(file)
        )
    except OSError as error:
        say.error(f"{file}: {error.strerror or error}")
        return 1
    except WorkerLimit as error:
        say.error(str(error))
        return 1
    bad = 0
    for item in items:
        if isinstance(item, BadItem):
            bad += 1
            say.error(f"{file}:{item.place}: {item.reason}" if item.place else f"{file}: {item.reason}")
        else:
            say.json_line(item.signal)
    return bad
