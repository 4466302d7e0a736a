"""Reading the journal beside the hub that writes it: short queries, and only what is new."""

import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import msgspec
import structlog

from hub.auditor.sight import Sight
from hub.engine.state import State
from hub.journal import JournalError
from hub.journal.codec import Kind, Row, decode_attempt, decode_decision, decode_fact
from hub.journal.reader import Reader, open_reader

log = structlog.get_logger(__name__)

ROWS_MAX = 10_000  # in one look
ROOM_BYTES_MIN = 4 << 20  # with less than this the hub cannot be expected to write

_decode_state = msgspec.msgpack.Decoder(State).decode


class Unreadable(Exception):
    """The journal cannot be read, or what stands in it cannot be followed."""


def end_of(path: Path) -> int:
    """The place of a journal's last record; 0 where there is none or it cannot be read."""
    try:
        with open_reader(path) as reader:
            return reader.last()
    except JournalError:
        return 0


class Reading:
    """A place in the journal and what has been seen up to there. Plain and synchronous: called in a worker thread."""

    def __init__(self, path: Path, statvfs: Callable[[Path], os.statvfs_result] = os.statvfs) -> None:
        self.path = path
        self.unwritable = ""  # why the hub cannot write there either
        self._statvfs = statvfs
        self.sight = Sight()
        self.started_place = 0  # of the newest HubStarted
        self._reader: Reader | None = None
        self._file = (0, 0)
        self._place = 0
        self._taken_to = 0  # no fact up to this place is untaken

    def look(self) -> bool:
        """Reads on; returns whether that was all there is. Raises Unreadable."""
        try:
            self.unwritable = self._why_unwritable()
            self._reopen_if_replaced()
            reader = self._reader or self._open()
            rows = list(islice(reader.rows(self._place), ROWS_MAX))
            for row in rows:
                self._take(row)
            whole = len(rows) < ROWS_MAX
            if whole:
                self._find_untaken(reader)
            return whole
        except (JournalError, OSError) as error:
            self.close()
            raise Unreadable(str(error)) from error

    def _why_unwritable(self) -> str:
        disk = self._statvfs(self.path.parent)
        if disk.f_flag & os.ST_RDONLY:
            return f"{self.path.parent}: mounted read-only: make it writable again"
        if disk.f_bavail * disk.f_frsize < ROOM_BYTES_MIN:
            return f"{self.path.parent}: {disk.f_bavail * disk.f_frsize >> 10} KiB left on the disk: make room"
        return ""

    def close(self) -> None:
        """Closes the files; what was seen is kept, and the next look opens them again."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _open(self) -> Reader:
        reader = self._reader = open_reader(self.path)
        self._file = self._identity()
        if not self._place:
            self._begin(reader)
        return reader

    def _begin(self, reader: Reader) -> None:
        """Begins at the newest snapshot, where there is one that can be read."""
        snapshot = reader.load_snapshot()
        if snapshot is None:
            return
        try:
            state = _decode_state(snapshot.state)
        except msgspec.MsgspecError as error:
            log.warning("the snapshot is of another version: reading the journal from its beginning", error=str(error))
            return
        self._place = reader.place_of(snapshot.decision)
        self.sight = Sight(state)

    def _identity(self) -> tuple[int, int]:
        about = os.stat(self.path)
        return about.st_dev, about.st_ino

    def _reopen_if_replaced(self) -> None:
        if self._reader is not None and self._identity() != self._file:
            log.warning("the journal is another file than before: reading it from its beginning", file=str(self.path))
            self.close()
            self._forget()

    def _forget(self) -> None:
        self.sight, self.started_place, self._place, self._taken_to = Sight(), 0, 0, 0

    def _take(self, row: Row) -> None:
        try:
            match row.kind:
                case Kind.DECISION:
                    self.sight.take(decode_decision(row.body))
                case Kind.ATTEMPT:
                    self.sight.take(decode_attempt(row.body))
                case _ if row.type in Sight.FACTS:
                    self.sight.take(decode_fact(row.body))
        except (msgspec.MsgspecError, LookupError, AttributeError, ValueError) as error:
            self.close()
            self._forget()
            raise Unreadable(
                f"{self.path}: record {row.id} cannot be followed ({error!r}): run `vigie journal verify`"
            ) from error
        if row.type == "started":
            self.started_place = row.seq
        self._place = row.seq

    def _find_untaken(self, reader: Reader) -> None:
        """The oldest fact past the newest decision's cursor."""
        after = max(reader.place_of(self.sight.state.cursor), self._taken_to)
        found = reader.facts_after(after, 1)
        if found:
            self.sight.untaken = found[0][1].record
        else:
            self.sight.untaken = None
            self._taken_to = max(after, self._place)
