"""What a commit is: puts in, durable rows out, all of them or none.

Nothing here knows of threads or trio; the writer thread, and the power-cut test, call `Committer.commit`.

While trio is busy, a thread waits up to the interpreter's switch interval each time it wants the interpreter lock
back, and it gives the lock up at every step of a statement. So a commit takes as few steps as it can: all rows of a
table in one INSERT of up to `CHUNK` rows, padded to a power of two so that the statement is found in apsw's cache,
and without BEGIN and COMMIT where one INSERT is the whole transaction. Measured beside a thread that spins: 300 facts
with their vault entries commit in 28 ms this way and in 122 ms row by row (switch interval 0.5 ms; at Python's own 5 ms
in 89 ms and 1,240 ms; vault and records were two files then).

INSERT OR ROLLBACK: a plain INSERT of several rows has to be able to undo itself alone, and for that SQLite keeps the
old pages of all it changes, beyond 64 KiB in a temporary file. Whatever contradicts the tables ends the commit anyway.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apsw

from hub.journal import JournalError, JournalUnavailable
from hub.journal.chain import GENESIS, link
from hub.journal.codec import Kind, Row, VaultRow, vault_keys
from hub.journal.insert import CHUNK, insert
from hub.journal.keys import Keys
from hub.journal.puts import Put

_PROBE_BYTES = 256 << 10
_FRESH_MAX = 100_000  # digests of facts not yet taken that are kept at hand; beyond that they are looked up

Holders = dict[str, str]


class Committer:
    """The writing side of a SQLite journal: a connection and where the log has got to. One thread only."""

    def __init__(self, journal: apsw.Connection) -> None:
        self.journal = journal
        self.seq: int = journal.execute("SELECT max(seq) FROM records").get or 0
        cut = journal.execute("SELECT seq, hash FROM checkpoints ORDER BY seq DESC LIMIT 1").fetchone()
        if cut:
            self.seq = max(self.seq, cut[0])
        last = journal.execute(
            "SELECT hash FROM records WHERE type = 'decision' AND subject = '' ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        self.tip: bytes = last[0] if last else cut[1] if cut else GENESIS
        self._keys = Keys(journal)
        self._fresh: OrderedDict[str, bytes] = OrderedDict()
        # Decisions build on one another, and attempts on decisions: after one that cannot be recorded, none is.
        self._refused: JournalError | None = None

    def close(self) -> None:
        self.journal.close()

    def commit(self, puts: Sequence[Put]) -> None:
        """Makes puts durable, all in one transaction, in order. Sets each put's `held` and `new`, or its `error`
        where it cannot be recorded whatever the disk does. Raises apsw.Error when nothing could be written; then
        nothing of them is in the journal, and the same call may be made again."""
        kept, vault, offered = self._plan(puts)
        sealing = any(put.seal for put in kept)
        settled = None
        if vault or sealing or self._keys.waiting or sum(len(put.new) for put in kept) > CHUNK:
            with self._transaction():
                if vault or sealing:
                    self._keep_in_vault(kept, vault, offered)
                rows, tip, taken = self._chain(kept)
                insert(self.journal, "records", 11, rows)
                if self._keys.waiting:
                    settled = self._keys.settle(len(rows))
        else:  # one statement at most, which is a transaction by itself
            rows, tip, taken = self._chain(kept)
            insert(self.journal, "records", 11, rows)
        if settled is not None:
            settled()
        self._keys.add(rows)
        self.seq += len(rows)
        self.tip = tip
        for row in rows:
            if row.kind == Kind.FACT:
                self._fresh[row.id] = row.digest
        for fact in taken:
            self._fresh.pop(fact, None)
        while len(self._fresh) > _FRESH_MAX:
            self._fresh.popitem(last=False)

    def erase(self, keys: Sequence[str]) -> None:
        """Deletes vault entries and overwrites them, in the file and in its log. Raises apsw.Error."""
        if keys:
            self.journal.execute("DELETE FROM vault WHERE key IN (SELECT value FROM carray(?))", (_array(keys),))
        try:
            self.journal.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.BusyError:
            raise JournalUnavailable(
                "erased, but a reading command still holds the journal's log, where the bytes lie: "
                "erase again when it is done"
            ) from None

    def note(self, name: str, value: str) -> None:
        """Remembers a value under a name. Raises apsw.Error."""
        self.journal.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", ("note " + name, value))

    def probe(self) -> None:
        """Writes and syncs something that needs room, so that a disk with a page to spare is not taken for a sound
        one. Raises apsw.Error while that is not possible."""
        self.journal.execute("UPDATE meta SET value = hex(zeroblob(?)) WHERE name = 'probe'", (_PROBE_BYTES // 2,))
        self.journal.execute("UPDATE meta SET value = '' WHERE name = 'probe'")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.journal.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.journal.execute("COMMIT")
        except BaseException:
            if self.journal.in_transaction:
                self.journal.execute("ROLLBACK")
            raise

    # -- which are new --

    def _plan(self, puts: Sequence[Put]) -> tuple[list[Put], list[VaultRow], int]:
        """Settles what is held already. Returns the puts with something new, the vault rows to be written, and how
        many rows that was before those of the same key were merged."""
        by_id, by_key = self._holders(puts)
        kept: list[Put] = []
        vault: dict[str, VaultRow] = {}
        offered = 0
        for put in puts:
            put.held, put.new = [], []
            dropped: set[str] = set()
            for i, row in enumerate(put.rows):
                holder = by_id.get(row.id) or (by_key.get(row.key) if row.key else None)
                if holder is not None:
                    put.held.append(holder)
                    if put.kind is not Kind.DECISION:
                        dropped.update(vault_keys(put.records[i]))
                    continue
                put.held.append(row.id)
                put.new.append(i)
                by_id[row.id] = row.id
                if row.key:
                    by_key[row.key] = row.id
            if put.new:
                kept.append(put)
            elif put.rows:
                continue
            if dropped:
                # What belongs to a repeated record only is not written; what none names goes with the new ones.
                dropped.difference_update(*(vault_keys(put.records[i]) for i in put.new))
            for entry in put.vault:
                if entry.key not in dropped:
                    offered += 1
                    vault.setdefault(entry.key, entry)
        return kept, list(vault.values()), offered

    def _holders(self, puts: Sequence[Put]) -> tuple[Holders, dict[bytes, str]]:
        """Which of these records are held already, by id and by key."""
        ids = tuple(row.id for put in puts for row in put.rows)
        keys = tuple(row.key for put in puts for row in put.rows if row.key)
        if not ids:
            return {}, {}
        by_id: Holders = {}
        places, unknown = self._keys.places(keys)
        found = self.journal.execute(
            "SELECT r.id, r.seq FROM carray(?) a CROSS JOIN records r ON r.id = a.value "
            "UNION ALL SELECT k.key, k.seq FROM carray(?) a CROSS JOIN keys k ON k.key = a.value",
            (_array(ids), _array(unknown or (b"-",))),
        )
        for held, seq in found:
            if isinstance(held, bytes):
                places[held] = seq
            else:
                by_id[held] = held
        return by_id, self._keys.named(places)

    # -- the vault --

    def _keep_in_vault(self, puts: Sequence[Put], rows: list[VaultRow], offered: int) -> None:
        before = self.journal.total_changes()
        insert(self.journal, "vault", 6, rows, " ON CONFLICT (key) DO NOTHING")
        written = self.journal.total_changes() - before
        lacking = {record.vault for put in puts if put.seal for record in put.records}
        if written == offered and not lacking:
            return
        # Some were there already, under a salt of their own: records that name them take their digest.
        keys = lacking | {row.key for row in rows}
        held = self.journal.execute(
            "SELECT v.key, v.digest FROM carray(?) a CROSS JOIN vault v ON v.key = a.value", (_array(tuple(keys)),)
        )
        digests: dict[str, str] = dict(held)
        for put in puts:
            put.reseal(digests)

    # -- the chain --

    def _chain(self, puts: Sequence[Put]) -> tuple[list[Row], bytes, list[str]]:
        """Numbers the new rows and chains the decisions. Returns them, the chain's new end, and the facts taken."""
        rows: list[Row] = []
        digests: dict[str, bytes] = {}
        taken: list[str] = []
        tip, seq = self.tip, self.seq
        for put in puts:
            for i in put.new:
                row = put.rows[i]
                if self._refused is not None and put.kind is not Kind.FACT:
                    put.refuse(self._refused)
                    break
                if put.kind is Kind.DECISION:
                    took = put.records[i].took
                    found = self._digests(took, digests)
                    missing = next((fact for fact in took if fact not in found), None)
                    if missing is not None:
                        self._refused = JournalError(
                            f"decision {row.id} takes fact {missing}, which is not in the journal: "
                            "no decision is taken any more until the hub is started again"
                        )
                        put.refuse(self._refused)
                        break
                    seq += 1
                    previous, tip = tip, link(tip, row.digest, (found[fact] for fact in took))
                    rows.append(Row(seq, *row[1:8], previous, tip, row.body))
                    taken.extend(took)
                else:
                    seq += 1
                    rows.append(Row(seq, *row[1:]))
                    digests[row.id] = row.digest
        return rows, tip, taken

    def _digests(self, took: Sequence[str], batch: dict[str, bytes]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        unknown = []
        for fact in took:
            digest = self._fresh.get(fact) or batch.get(fact)
            if digest is None:
                unknown.append(fact)
            else:
                found[fact] = digest
        if unknown:
            found.update(
                self.journal.execute(
                    "SELECT r.id, r.digest FROM carray(?) a CROSS JOIN records r ON r.id = a.value AND r.kind = 1",
                    (_array(unknown),),
                )
            )
        return found


def _array(values: Iterable[Any]) -> "apsw.CArrayBinding":
    return apsw.carray(tuple(values))
