"""Reading a SQLite journal: by the hub that writes it, and by other processes beside it.

`Reader` is plain and synchronous: the hub calls it in worker threads, commands and the auditor directly. Every read
is a short query of its own, so that no reader holds the write-ahead log up.
"""

from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw
import msgspec

from hub.journal import Found, JournalError, JournalUnavailable, Position, Snapshot, snapshots
from hub.journal.chain import GENESIS
from hub.journal.codec import Row, VaultRow, decode, decode_attempt, decode_decision, decode_fact, unseal
from hub.journal.tables import SCHEMA, Connect, check
from hub.journal.verify import Checkpoint, Report, examine
from hub.model.records import (
    Attempt,
    Decision,
    Entry,
    Fact,
    Receipt,
    ReceiptsReceived,
    Record,
    SignalReceived,
    VaultEntry,
)
from hub.model.signal import Signal

_PAGE = 2_000  # records per query when all are walked through


def open_reader(path: Path) -> "Reader":
    """Opens a journal for reading only, whether or not a hub writes to it. Raises JournalError with the remedy."""
    if not path.exists():
        raise JournalError(f"{path}: there is no journal: name its file, or start the hub once to make one")
    return Reader(path, _connect_read_only)


def _connect_read_only(path: str) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return apsw.Connection(f"file:{quote(path)}?mode=ro", flags=flags)


class Reader:
    """A reading connection to a journal. One thread at a time."""

    def __init__(self, path: Path, connect: Connect = _connect_read_only) -> None:
        self.path = path
        with ExitStack() as opened:
            try:
                self._journal = connect(str(path))
                opened.callback(self._journal.close)
                self._journal.set_busy_timeout(2_000)  # ms
                check(self._journal)
                if self._journal.pragma("user_version") < SCHEMA:
                    raise JournalError(f"{path}: written by an earlier Vigie: start the hub once, which brings it on")
            except apsw.Error as error:
                raise JournalUnavailable(f"{path}: cannot be read: {error}") from error
            opened.pop_all()

    @property
    def connection(self) -> apsw.Connection:
        """For a copy of all of it (hub/journal/backup.py)."""
        return self._journal

    def close(self) -> None:
        self._journal.close()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- by place --

    def place_of(self, id_: str) -> int:
        """The place of a record; 0 for "". Raises JournalError where it is not in the journal."""
        if not id_:
            return 0
        found = self._one("SELECT seq FROM records WHERE id = ?", (id_,))
        if found is None:
            raise JournalError(f"{self.path}: record {id_} is not in this journal")
        return int(found[0])

    def last(self) -> int:
        """The place of the newest record, 0 where there is none."""
        found = self._one("SELECT max(seq) FROM records")
        return int(found[0] or 0) if found else 0

    def last_fact(self) -> int:
        """The place of the newest fact, 0 where there is none."""
        # From the end, it is found within as many records as were made since.
        found = self._one("SELECT seq FROM records WHERE kind = 1 ORDER BY seq DESC LIMIT 1")
        return int(found[0]) if found else 0

    def facts_after(self, place: int, limit: int) -> list[tuple[int, Entry]]:
        found = self._all(
            "SELECT seq, body FROM records WHERE seq > ? AND kind = 1 ORDER BY seq LIMIT ?", (place, limit)
        )
        return [(seq, Entry(decode_fact(body))) for seq, body in found]

    def rows(self, after: int = 0, since: float | None = None, type_: str | None = None) -> Iterator[Row]:
        """All records in order, past place `after`; only those from `since` (seconds since 1970), of a type."""
        while True:
            found = self._all(
                "SELECT seq, kind, id, type, subject, key, at, digest, prev, hash, body FROM records "
                "WHERE seq > ? AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR type = ?3) ORDER BY seq LIMIT ?4",
                (after, since, type_, _PAGE),
            )
            yield from map(Row._make, found)
            if len(found) < _PAGE:
                return
            after = found[-1][0]

    # -- by what they are about --

    def decisions(self, after: str, limit: int) -> list[Decision]:
        found = self._all(
            "SELECT body FROM records WHERE type = 'decision' AND subject = '' AND seq > ? ORDER BY seq LIMIT ?",
            (self.place_of(after), limit),
        )
        return [decode_decision(body) for (body,) in found]

    def attempts_of(self, orders: Sequence[str]) -> list[Attempt]:
        found = self._each(
            "SELECT r.seq, r.body FROM carray(?) a CROSS JOIN records r "
            "ON r.type = 'attempt' AND r.subject = a.value ORDER BY r.seq",
            orders,
        )
        return [decode_attempt(body) for _, body in found]

    def receipts_of(self, attempts: Sequence[str]) -> list[str]:
        found = self._each(
            "SELECT DISTINCT r.subject FROM carray(?) a CROSS JOIN records r "
            "ON r.type = 'receipts' AND r.subject = a.value",
            attempts,
        )
        return [subject for (subject,) in found]

    def receipts_since(self, at: datetime) -> list[Sequence[Receipt]]:
        """From the end, as records are not found by their time: as many are read as were made since."""
        found: list[Sequence[Receipt]] = []
        before = self.last() + 1
        while page := self._all(
            "SELECT seq, type, at, body FROM records WHERE seq < ? ORDER BY seq DESC LIMIT ?", (before, _PAGE)
        ):
            for seq, type_, recorded, body in page:
                if recorded < at.timestamp():
                    return found
                before = seq
                if type_ == "receipts" and isinstance(receipts := decode_fact(body).body, ReceiptsReceived):
                    found.append(receipts.receipts)
        return found

    def facts_since(self, types: Collection[str], at: datetime, most: int) -> list[Fact]:
        """Facts of some types, from the oldest; of more than `most` the newest. From the end, like receipts."""
        facts: list[Fact] = []
        before = self.last() + 1
        while before > 0 and len(facts) < most:
            page = self._all(
                "SELECT seq, at, CASE WHEN type IN (SELECT value FROM carray(?)) THEN body END FROM records "
                "WHERE seq < ? ORDER BY seq DESC LIMIT ?",
                (apsw.carray(tuple(types)), before, _PAGE),
            )
            recent = [body for _, recorded, body in page if body is not None and recorded >= at.timestamp()]
            facts += [decode_fact(body) for body in recent]
            before = page[-1][0] if page and page[-1][1] >= at.timestamp() else 0
        return facts[:most][::-1]

    def signals_since(self, at: datetime, most: int) -> list[tuple[datetime, Signal]]:
        """When each was recorded and the signal, from the oldest; of more than `most` the newest. A new source's
        backlog is left out, and what was erased."""
        facts = self.facts_since(("signal",), at, most)
        kept = [f for f in facts if isinstance(f.body, SignalReceived) and not f.body.baseline]
        found: list[tuple[datetime, Signal]] = []
        for start in range(0, len(kept), _PAGE):
            part = kept[start : start + _PAGE]
            for fact, entry in zip(part, self.vault([f.vault for f in part]), strict=True):
                if entry is not None:
                    found.append((fact.at, msgspec.json.decode(entry.payload, type=Signal)))
        return found

    def latest(self, kind: str, subject: str) -> Fact | None:
        found = self._one(
            "SELECT body FROM records WHERE type = ? AND subject = ? AND kind = 1 ORDER BY seq DESC LIMIT 1",
            (kind, subject),
        )
        return decode_fact(found[0]) if found else None

    def about(self, types: Sequence[str], subject: str) -> list[Fact]:
        """All facts of some types about one thing, in order."""
        found = self._all(
            "SELECT r.seq, r.body FROM carray(?1) a CROSS JOIN records r "
            "ON r.type = a.value AND r.subject = ?2 AND r.kind = 1 ORDER BY r.seq",
            (apsw.carray(tuple(types)), subject),
        )
        return [decode_fact(body) for _, body in found]

    def changes(self) -> list[Fact]:
        """All that was changed in the directory and the rosters while the hub ran, in order (hub.people.layers)."""
        types = ("person-changed", "roster-changed", "part-changed", "change-reverted", "person-erased")
        found = self._each(
            "SELECT r.seq, r.body FROM carray(?) a CROSS JOIN records r "
            "ON r.type = a.value AND r.subject IS NOT NULL AND r.kind = 1 ORDER BY r.seq",
            types,
        )
        return [decode_fact(body) for _, body in found]

    def get(self, ids: Sequence[str]) -> list[Record | None]:
        found = self._each("SELECT r.id, r.body FROM carray(?) a CROSS JOIN records r ON r.id = a.value", ids)
        bodies = dict(found)
        return [decode(bodies[id_]) if id_ in bodies else None for id_ in ids]

    def row(self, id_: str) -> Row | None:
        found = self._one(
            "SELECT seq, kind, id, type, subject, key, at, digest, prev, hash, body FROM records WHERE id = ?", (id_,)
        )
        return Row._make(found) if found else None

    # -- the vault --

    def vault(self, keys: Sequence[str]) -> list[VaultEntry | None]:
        rows = {row.key: row for row in self.vault_rows(keys)}
        return [unseal(rows[key]) if key in rows else None for key in keys]

    def vault_rows(self, keys: Sequence[str]) -> list[VaultRow]:
        if not keys:
            return []
        found = self._all(
            "SELECT v.key, v.about, v.media_type, v.salt, v.digest, v.payload "
            "FROM carray(?) a CROSS JOIN vault v ON v.key = a.value",
            (apsw.carray(tuple(keys)),),
        )
        return [VaultRow._make(row) for row in found]

    def vault_keys(self, about: str) -> list[str]:
        """The keys of all that is kept about a person or source (for erasing)."""
        if not about:
            return []
        sql = "SELECT key FROM vault WHERE about = ? AND about <> ''"
        return [key for (key,) in self._all(sql, (about,))]

    def find(self, words: Sequence[bytes], about: str) -> Found:
        """Where any of these bytes stand, page by page, and all that is kept about a person or source."""
        records, vault = self._with("records", "seq", "body", words), self._with("vault", "rowid", "payload", words)
        named = self._of("SELECT r.id FROM carray(?) a CROSS JOIN records r ON r.seq = a.value", records)
        keys = self._of("SELECT v.key FROM carray(?) a CROSS JOIN vault v ON v.rowid = a.value", vault)
        return Found(tuple(named), tuple(dict.fromkeys((*self.vault_keys(about), *keys))))

    def _with(self, table: str, place: str, column: str, words: Sequence[bytes]) -> list[int]:
        """The places of a table's rows in which any of these bytes stand."""
        found: list[int] = []
        after = 0
        hit = " OR ".join([f"instr({column}, ?)"] * len(words)) or "0"
        # Bounded by place, not by hits: a read that goes through everything would hold the write-ahead log up.
        last = self._all(f"SELECT max({place}) FROM {table}")[0][0] or 0  # noqa: S608 # names of ours
        while after < last:
            sql = f"SELECT {place} FROM {table} WHERE {place} > ? AND {place} <= ? AND ({hit})"  # noqa: S608 # likewise
            found += [at for (at,) in self._all(sql, (after, after + _PAGE, *words))]
            after += _PAGE
        return found

    def _of(self, sql: str, places: Sequence[int]) -> list[str]:
        return [name for (name,) in self._all(sql, (apsw.carray(array("q", places)),))] if places else []

    # -- the whole --

    def position(self) -> Position:
        ends = self._one("SELECT (SELECT min(seq) FROM records), (SELECT max(seq) FROM records)")
        if ends is None or ends[0] is None:
            return Position(facts=0, decisions=0, attempts=0, newest=None)
        first, last = ends
        # From the index; the facts are what is left, as places have no gaps.
        counts = dict(
            self._all(
                "SELECT type, count(*) FROM records "
                "WHERE subject IS NOT NULL AND type IN ('decision', 'attempt') GROUP BY type"
            )
        )
        decisions, attempts = counts.get("decision", 0), counts.get("attempt", 0)
        newest = self._all("SELECT at FROM records WHERE seq = ?", (last,))[0][0]
        return Position(
            facts=last - first + 1 - decisions - attempts,
            decisions=decisions,
            attempts=attempts,
            newest=datetime.fromtimestamp(newest, UTC),
        )

    def load_snapshot(self) -> Snapshot | None:
        return snapshots.load(self.path, self.row)

    def noted(self, name: str) -> str:
        """A value remembered under a name, "" where there is none."""
        found = self._one("SELECT value FROM meta WHERE name = ?", ("note " + name,))
        return str(found[0]) if found else ""

    def checkpoint(self) -> Checkpoint:
        """Where verification starts."""
        found = self._one("SELECT seq, hash FROM checkpoints ORDER BY seq DESC LIMIT 1")
        return Checkpoint(*found) if found else Checkpoint(0, GENESIS)

    def examine(self) -> Report:
        """Looks at every record and every vault entry that records name."""
        start = self.checkpoint()
        report = examine(self.rows(start.seq), start, self.row, self.vault_rows, snapshots.newest_decision(self.path))
        report.faults += self._twice()
        return report

    def _twice(self) -> list[str]:
        """Facts that share a key: no index of the file itself keeps them apart (hub/journal/keys.py)."""
        found = self._all(
            "SELECT min(id), max(id) FROM records WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1 LIMIT 100"
        )
        return [f"fact {later} has the key of fact {first}: it was recorded twice" for first, later in found]

    # -- queries --

    def _one(self, sql: str, bindings: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        found = self._all(sql, bindings)
        return found[0] if found else None

    def _each(self, sql: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        return self._all(sql, (apsw.carray(tuple(values)),)) if values else []

    def _all(self, sql: str, bindings: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._journal.execute(sql, bindings).fetchall()
        except apsw.Error as error:
            raise JournalUnavailable(f"{self.path}: cannot be read: {error}") from error
