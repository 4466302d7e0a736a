"""`vigie backup` and `vigie restore`: the journal with its vault, and the files it ran on, in a folder of its own.

A backup is made beside a running hub, looked at record by record, and only then has its name: what has the name is
whole. What is restored sends nothing until a person lifts that: whatever the journal says is still to be done may have
been done after the backup was made.
"""

import hashlib
import os
import random
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import trio
from msgspec import Struct

from hub.cli import say
from hub.clock import wall
from hub.config import Config
from hub.journal import JournalError
from hub.journal.backup import copy_journal, sync
from hub.journal.sqlite import open_sqlite
from hub.journal.verify import Report
from hub.model import records as r
from hub.model.ids import Ids
from hub.version import VERSION

MANIFEST, JOURNAL = "manifest.json", "journal.db"
_NAME = re.compile(r"vigie-\d{8}T\d{6}Z")


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup holds. `files`: path within it → SHA-256, hex."""

    version: str
    hub: str
    made: datetime
    facts: int
    decisions: int
    files: dict[str, str]


def backup(config: Config, journal: Path, folder: Path, keep: int, as_json: bool) -> None:
    """Exits 1 where the copy shows a fault of the journal's: it is kept all the same, for there may be no better."""
    made = wall()
    place = folder / _name(made)
    partial = place.with_name(place.name + ".partial")
    if place.exists():
        say.could_not(f"{place}: is there already: a second later it has another name")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        report = copy_journal(journal, partial / JOURNAL)
        for name, source in (("config", config.folder), ("playbooks", config.path(config.hub.playbooks))):
            _copy_files(source, partial / name, leave=config.path(config.hub.secrets))
        manifest = _manifest(partial, config.hub.name, made, report)
        (partial / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        for path in [*_files(partial), partial / MANIFEST]:
            path.chmod(0o600)
            sync(path)
        sync(partial)
        partial.rename(place)
        sync(folder)
        gone = _tidy(folder, keep, made) if keep else []
    except (JournalError, OSError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        say.could_not(f"no backup was made: {error}")
    _tell(place, manifest, report, gone, as_json)
    say.done(bool(report.faults))


def restore(backup: Path, journal: Path, by: str, why: str, as_json: bool) -> None:
    """Exits 1 where the backup is not as it was made: nothing is restored then."""
    if journal.exists():
        say.could_not(f"{journal}: there is a journal already: move it away first, it may be the better one")
    manifest = _read(backup)
    if wrong := list(_changed(backup, manifest)):
        for text in wrong:
            say.error(text)
        say.error(f"{backup}: not as it was made: nothing is restored")
        say.done(True)
    try:
        journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        report = copy_journal(backup / JOURNAL, journal)
        for fault in report.faults:
            say.error(fault)
        trio.run(_hold, journal, manifest, by, why)
    except (JournalError, OSError) as error:
        say.could_not(f"it is not restored: {error}")
    if as_json:
        say.json_line({"journal": str(journal), "facts": report.facts, "decisions": report.decisions})
        return
    say.line(f"{journal}: as of {manifest.made:%Y-%m-%d %H:%M:%S}Z, {report.facts} facts, {report.decisions} decisions")
    say.line(f"the files it ran on are in {backup / 'config'} and {backup / 'playbooks'}; secrets are in no backup")
    say.line("start the hub, look at `vigie status`, end what is over: nothing goes out until `vigie lift`")


async def _hold(path: Path, manifest: Manifest, by: str, why: str) -> None:
    """Nothing goes out until somebody has looked: since then it may have been sent already."""
    async with open_sqlite(path) as journal:
        at, made = wall(), f"{manifest.made:%Y-%m-%d %H:%M:%S}Z"
        body = r.StopAll(by=by, why=f"restored from the backup of {made}: {why}")
        await journal.put_facts([r.Fact(id=Ids(random.SystemRandom()).new(at), at=at, body=body)])


# --- the folder --------------------------------------------------------------------------------------------


def _name(made: datetime) -> str:
    return f"vigie-{made.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _copy_files(source: Path, target: Path, leave: Path) -> None:
    """All regular files below a folder but those under `leave` (secrets); links are not followed."""
    target.mkdir(mode=0o700)
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.resolve().is_relative_to(leave.resolve()):
            continue
        to = target / path.relative_to(source)
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(path, to)


def _manifest(place: Path, hub: str, made: datetime, report: Report) -> Manifest:
    files = {str(path.relative_to(place)): _digest(path) for path in _files(place)}
    return Manifest(version=VERSION, hub=hub, made=made, facts=report.facts, decisions=report.decisions, files=files)


def _files(place: Path) -> Iterator[Path]:
    return (path for path in sorted(place.rglob("*")) if path.is_file() and path != place / MANIFEST)


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read(backup: Path) -> Manifest:
    try:
        return msgspec.json.decode((backup / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        say.could_not(f"{backup}: no backup: its {MANIFEST} cannot be read ({error}): name the folder vigie-…Z")


def _changed(backup: Path, manifest: Manifest) -> Iterator[str]:
    for name, digest in manifest.files.items():
        path = backup / name
        if not path.is_file():
            yield f"{path}: is missing"
        elif _digest(path) != digest:
            yield f"{path}: was changed since the backup was made"


def _tidy(folder: Path, keep: int, now: datetime) -> list[str]:
    """Deletes the oldest backups beyond so many, and what was broken off more than a day ago; nothing else."""
    there = sorted(p for p in folder.iterdir() if _NAME.fullmatch(p.name) and (p / MANIFEST).is_file())
    for path in there[:-keep]:
        shutil.rmtree(path)
    old = _name(now - timedelta(days=1))
    for left in folder.glob("vigie-*Z.partial"):
        if _NAME.fullmatch(left.name.removesuffix(".partial")) and left.name < old:
            shutil.rmtree(left)
    return [path.name for path in there[:-keep]]


def _tell(place: Path, manifest: Manifest, report: Report, gone: list[str], as_json: bool) -> None:
    size = sum(os.path.getsize(path) for path in _files(place))
    if as_json:
        say.json_line({"backup": str(place), "bytes": size, "facts": manifest.facts, "faults": report.faults,
                       "deleted": gone})  # fmt: skip
        return
    for fault in report.faults:
        say.error(fault)
    say.line(f"{place}: {manifest.facts} facts, {manifest.decisions} decisions, {len(manifest.files)} files, "
             f"{size / 1e6:.1f} MB, each record looked at")  # fmt: skip
    for name in gone:
        say.line(f"deleted: {name}")
