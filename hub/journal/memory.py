"""The journal in memory, for tests, drills and the simulation: pure trio, so it lives in virtual time.

It keeps records as their stored bytes and chains them, as the real ones do; `survivor` is the journal a crash would
have left. Its acknowledgement is worth nothing.
"""

import os
from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import trio

from hub.journal import Corrupt, Found, JournalError, JournalUnavailable, Snapshot, Worth
from hub.journal.chain import GENESIS, link
from hub.journal.codec import Kind, Row, VaultRow, decode, unseal, vault_keys
from hub.journal.follow import Follower, Followers, Placed
from hub.journal.puts import Put, Sealer, unavailable
from hub.journal.verify import Checkpoint, examine
from hub.model.records import Attempt, Decision, Entry, Fact, Receipt, ReceiptsReceived, Record, VaultEntry

BeforeCommit = Callable[[int], Awaitable[None]]
"""Awaited before each commit with the number of records in it: sleep for a slow disk, raise JournalUnavailable for one
in trouble."""

_PAUSE_S = 0.05


class MemoryJournal:
    """A Journal in memory.

    Without `before_commit` a record is held as soon as it is put. With it, what is put while a commit is under way
    goes into the next, as on a disk. `entropy` gives the salts' bytes.
    """

    worth = Worth.NOTHING

    def __init__(
        self, *, entropy: Callable[[int], bytes] = os.urandom, before_commit: BeforeCommit | None = None
    ) -> None:
        self.trouble: str | None = None
        self._entropy = entropy
        self._before_commit = before_commit
        self._sealer = Sealer(entropy)
        self._followers = Followers(0)
        self._rows: list[Row] = []
        self._records: dict[str, Record] = {}
        self._by_id: dict[str, Row] = {}
        self._by_key: dict[bytes, str] = {}
        self._by_subject: dict[tuple[str, str], list[Row]] = {}
        self._vault: dict[str, VaultRow] = {}
        self._snapshots: deque[Snapshot] = deque(maxlen=2)
        self._notes: dict[str, str] = {}
        self._tip = GENESIS
        self._refused: JournalError | None = None
        self._queue: list[Put] = []
        self._draining = False
        self._crashed = False

    def survivor(self, *, before_commit: BeforeCommit | None = None) -> "MemoryJournal":
        """A new journal with what was durable, as read back from its bytes; this one takes nothing any more, and what
        was on its way to it is refused."""
        self._crashed = True
        self._forsake(self._queue)
        after = MemoryJournal(entropy=self._entropy, before_commit=before_commit)
        for row in self._rows:
            after._index(row, decode(row.body))
        after._vault = dict(self._vault)
        after._snapshots = self._snapshots.copy()
        after._tip = self._tip
        after._notes = dict(self._notes)
        after._followers.last = len(self._rows)
        return after

    # -- writing --

    async def put_facts(
        self, facts: Sequence[Fact], vault: Sequence[VaultEntry] = (), live: Sequence[Any] | None = None
    ) -> Sequence[str]:
        await trio.lowlevel.checkpoint_if_cancelled()
        return await self._submit(self._sealer.facts(facts, vault, live), patient=False)

    def put_decision(self, decision: Decision, vault: Sequence[VaultEntry] = ()) -> Awaitable[object]:
        return self._submit(self._sealer.decision(decision, vault), patient=True)

    async def put_attempts(self, attempts: Sequence[Attempt], vault: Sequence[VaultEntry] = ()) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._submit(self._sealer.attempts(attempts, vault), patient=False)

    async def find(self, words: Sequence[bytes], about: str = "") -> Found:
        await trio.lowlevel.checkpoint()
        records = tuple(row.id for row in self._rows if any(word in row.body for word in words))
        mine = [key for key, row in self._vault.items() if about and row.about == about]
        hits = [key for key, row in self._vault.items() if any(word in row.payload for word in words)]
        return Found(records, tuple(dict.fromkeys((*mine, *hits))))

    async def erase(self, keys: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        for key in keys:
            self._vault.pop(key, None)

    def _submit(self, put: Put, patient: bool) -> Put:
        if self._crashed:
            raise unavailable("it is closed")
        if self.trouble is not None and not patient:
            raise unavailable(self.trouble)
        if self._before_commit is None:
            self._commit([put])
        else:
            self._queue.append(put)
            if not self._draining:
                self._draining = True
                trio.lowlevel.spawn_system_task(self._drain, self._before_commit)
        return put

    async def _drain(self, before_commit: BeforeCommit) -> None:
        # In trouble it goes on trying, also with nothing to write.
        while (self._queue or self.trouble is not None) and not self._crashed:
            batch, self._queue = self._queue, []
            try:
                await before_commit(sum(len(put.rows) for put in batch))
            except JournalUnavailable as error:
                self.trouble = str(error)
                self._queue = [put for put in batch if put.kind is Kind.DECISION] + self._queue
                for put in batch:
                    if put.kind is not Kind.DECISION:
                        put.refuse(unavailable(str(error)))
                        put.settle()
                await trio.sleep(_PAUSE_S)
                continue
            self.trouble = None
            (self._forsake if self._crashed else self._commit)(batch)
        self._draining = False

    def _forsake(self, puts: Iterable[Put]) -> None:
        for put in puts:
            put.refuse(unavailable("it is closed"))
            put.settle()

    def _commit(self, puts: Iterable[Put]) -> None:
        for put in puts:
            before = len(self._rows)
            self._keep(put)
            if put.kind is Kind.FACT:
                places = range(before + 1, len(self._rows) + 1)
                self._followers.offer(list(zip(places, put.entries(), strict=True)))
            put.settle()

    def _keep(self, put: Put) -> None:
        """Records what is new of a put."""
        dropped: set[str] = set()
        keys: dict[bytes, str] = {}
        ids: set[str] = set()
        for i, row in enumerate(put.rows):
            holder = row.id if row.id in self._by_id or row.id in ids else None
            if holder is None and row.key is not None:
                holder = self._by_key.get(row.key) or keys.get(row.key)
            put.held.append(holder or row.id)
            if holder is None:
                put.new.append(i)
                ids.add(row.id)
                if row.key is not None:
                    keys[row.key] = row.id
            elif put.kind is not Kind.DECISION:
                dropped.update(vault_keys(put.records[i]))
        if not put.new and put.rows:
            return
        if put.kind is Kind.DECISION and not self._may_decide(put):
            return
        if put.kind is Kind.ATTEMPT and self._refused is not None:
            put.refuse(self._refused)
            return
        if put.kind is not Kind.DECISION:
            dropped.difference_update(*(vault_keys(put.records[i]) for i in put.new))
        for entry in put.vault:
            if entry.key not in dropped:
                self._vault.setdefault(entry.key, entry)
        put.reseal({key: row.digest for key, row in self._vault_named(put).items()})
        for i in put.new:
            row = put.rows[i]._replace(seq=len(self._rows) + 1)
            if put.kind is Kind.DECISION:
                facts = [self._by_id[fact].digest for fact in put.records[i].took]
                previous, self._tip = self._tip, link(self._tip, row.digest, facts)
                row = row._replace(prev=previous, hash=self._tip)
            self._index(row, put.records[i])

    def _may_decide(self, put: Put) -> bool:
        decision: Decision = put.records[0]
        missing = next((fact for fact in decision.took if fact not in self._by_id), None)
        if missing is not None and self._refused is None:
            self._refused = JournalError(
                f"decision {decision.id} takes fact {missing}, which is not in the journal: "
                "no decision is taken any more until the hub is started again"
            )
        if self._refused is not None:
            put.refuse(self._refused)
        return self._refused is None

    def _vault_named(self, put: Put) -> dict[str, VaultRow]:
        if put.kind is Kind.DECISION:
            return {}
        named = {record.vault for record in put.records if record.vault and (put.vault or put.seal)}
        return {key: self._vault[key] for key in named if key in self._vault}

    def _index(self, row: Row, record: Record) -> None:
        self._rows.append(row)
        self._records[row.id] = record
        self._by_id[row.id] = row
        if row.key is not None:
            self._by_key[row.key] = row.id
        if row.subject is not None:
            self._by_subject.setdefault((row.type, row.subject), []).append(row)

    # -- reading --

    def facts(self, after: str = "") -> Follower:
        async def start() -> int:
            return self._place_of(after)

        return self._followers.follow(self._stored, start)

    async def _stored(self, after: int, limit: int) -> Sequence[Placed]:
        await trio.lowlevel.checkpoint()
        found: list[Placed] = []
        for row in map(self._rows.__getitem__, range(after, len(self._rows))):
            if row.kind == Kind.FACT:
                record = self._records[row.id]
                assert isinstance(record, Fact)
                found.append((row.seq, Entry(record)))
                if len(found) == limit:
                    break
        return found

    async def decisions(self, after: str = "", limit: int = 1000) -> Sequence[Decision]:
        await trio.lowlevel.checkpoint()
        place = self._place_of(after)
        rows = self._by_subject.get(("decision", ""), [])
        first = bisect_right(rows, place, key=lambda row: row.seq)
        return [record for row in rows[first : first + limit] if isinstance(record := self._records[row.id], Decision)]

    async def attempts_of(self, orders: Sequence[str]) -> Sequence[Attempt]:
        await trio.lowlevel.checkpoint()
        rows = [row for order in set(orders) for row in self._by_subject.get(("attempt", order), ())]
        rows.sort(key=lambda row: row.seq)
        return [record for row in rows if isinstance(record := self._records[row.id], Attempt)]

    async def receipts_of(self, attempts: Sequence[str]) -> Sequence[str]:
        await trio.lowlevel.checkpoint()
        return [attempt for attempt in dict.fromkeys(attempts) if ("receipts", attempt) in self._by_subject]

    async def receipts_since(self, at: datetime) -> Sequence[Sequence[Receipt]]:
        await trio.lowlevel.checkpoint()
        found: list[Sequence[Receipt]] = []
        for row in reversed(self._rows):
            if row.at < at.timestamp():
                break
            record = self._records[row.id]
            if isinstance(record, Fact) and isinstance(record.body, ReceiptsReceived):
                found.append(record.body.receipts)
        return found

    async def facts_since(self, types: Collection[str], at: datetime, most: int) -> Sequence[Fact]:
        await trio.lowlevel.checkpoint()
        found: list[Fact] = []
        for row in reversed(self._rows):
            if row.at < at.timestamp() or len(found) == most:
                break
            record = self._records[row.id]
            if isinstance(record, Fact) and row.type in types:
                found.append(record)
        return found[::-1]

    async def get(self, ids: Sequence[str]) -> Sequence[Record | None]:
        await trio.lowlevel.checkpoint()
        return [self._records.get(id_) for id_ in ids]

    async def latest(self, kind: str, subject: str) -> Fact | None:
        await trio.lowlevel.checkpoint()
        rows = self._by_subject.get((kind, subject))
        record = self._records[rows[-1].id] if rows else None
        return record if isinstance(record, Fact) else None

    async def vault(self, keys: Sequence[str]) -> Sequence[VaultEntry | None]:
        await trio.lowlevel.checkpoint()
        return [unseal(row) if (row := self._vault.get(key)) else None for key in keys]

    def _place_of(self, id_: str) -> int:
        if not id_:
            return 0
        row = self._by_id.get(id_)
        if row is None:
            raise JournalError(f"record {id_} is not in this journal")
        return row.seq

    # -- the whole --

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        await trio.lowlevel.checkpoint()
        self._place_of(snapshot.decision)
        self._snapshots.append(snapshot)

    async def load_snapshot(self) -> Snapshot | None:
        await trio.lowlevel.checkpoint()
        return self._snapshots[-1] if self._snapshots else None

    async def note(self, name: str, value: str) -> None:
        await trio.lowlevel.checkpoint()
        self._notes[name] = value

    async def noted(self, name: str) -> str:
        await trio.lowlevel.checkpoint()
        return self._notes.get(name, "")

    async def verify(self) -> int:
        await trio.lowlevel.checkpoint()
        anchor = self._snapshots[-1].decision if self._snapshots else ""
        report = examine(self._rows, Checkpoint(0, GENESIS), self._by_id.get, self._vault_rows, anchor)
        if report.faults:
            raise Corrupt("; ".join(report.faults[:10]))
        return report.decisions

    def _vault_rows(self, keys: Sequence[str]) -> list[VaultRow]:
        return [row for key in keys if (row := self._vault.get(key))]
