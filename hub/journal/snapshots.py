"""Snapshots of a SQLite journal: files beside it, the last two kept.

Files, because a state of some megabytes written through the journal's own log would hold every acknowledgement up.
A file is a line of hex SHA-256 over the rest, then the snapshot in MessagePack; it gets its name only once it is
synced. It is named after the place of its decision in the journal.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import structlog

from hub.journal import Snapshot
from hub.journal.codec import Row

log = structlog.get_logger(__name__)

_KEPT = 2
_decode = msgspec.msgpack.Decoder(Snapshot).decode


def save(journal: Path, place: int, snapshot: Snapshot) -> None:
    """Writes a snapshot durably, then removes all but the newest two. Raises OSError."""
    body = msgspec.msgpack.encode(snapshot)
    path = journal.with_name(f"{journal.name}.snapshot-{place:016d}")
    draft = path.with_name(path.name + ".draft")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "wb") as file:
        file.write(sha256(body).hexdigest().encode() + b"\n" + body)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    _sync_folder(journal.parent)
    for old in _files(journal)[_KEPT:]:
        old.unlink(missing_ok=True)


def load(journal: Path, find: Callable[[str], Row | None]) -> Snapshot | None:
    """The newest snapshot that can be read and whose decision the journal holds at its place (a journal restored
    from a copy may be older than the snapshots beside it)."""
    for path in _files(journal):
        snapshot = _read(path)
        if snapshot is None:
            log.warning("snapshot cannot be read, taking the one before", file=path.name)
            continue
        row = find(snapshot.decision)
        if row is not None and row.seq == _place(path):
            return snapshot
        log.warning("snapshot of a decision that is not in the journal, taking the one before", file=path.name)
    return None


def newest_decision(journal: Path) -> str:
    """The decision of the newest snapshot that can be read, "" without one. Verification holds it against the
    journal: decisions cut off at the end break no chain."""
    for path in _files(journal):
        snapshot = _read(path)
        if snapshot is not None:
            return snapshot.decision
    return ""


def _read(path: Path) -> Snapshot | None:
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
        return _decode(body) if sha256(body).hexdigest().encode() == digest else None
    except (OSError, msgspec.MsgspecError):
        return None


def _files(journal: Path) -> list[Path]:
    """Newest first."""
    found = journal.parent.glob(f"{journal.name}.snapshot-*")
    return sorted((path for path in found if path.suffix != ".draft"), reverse=True)


def _place(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
