"""The embedded journal: a SQLite file, one writer thread, as many readers as there are.

An acknowledgement is worth an fsync (rule 10). Writing is in `writer` and `commit`, reading in `reader`, following in
`follow`; here they are one journal.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import apsw
import trio

from hub.journal import Corrupt, Found, JournalError, JournalUnavailable, Position, Snapshot, Worth, snapshots, tables
from hub.journal.codec import Kind
from hub.journal.commit import Committer
from hub.journal.follow import Follower, Followers, Placed
from hub.journal.lock import WriterLock
from hub.journal.puts import Put, Sealer, unavailable
from hub.journal.reader import Reader
from hub.journal.writer import Chore, Writer
from hub.model.records import Attempt, Decision, Fact, Receipt, Record, VaultEntry

T = TypeVar("T")


@asynccontextmanager
async def open_sqlite(
    path: Path,
    *,
    entropy: Callable[[int], bytes] = os.urandom,
    connect: tables.Connect = tables.connect_file,
    patience_s: float = 5.0,
) -> AsyncIterator["SqliteJournal"]:
    """Opens the journal at `path` for writing, making it if there is none.

    `entropy` gives the salts' bytes. `patience_s`: how long facts and attempts wait for a disk in trouble before
    they are refused. On leaving, what is queued is committed. Raises JournalLocked where another writer holds it,
    JournalError where the file is not a journal of ours.
    """
    lock = await trio.to_thread.run_sync(_claim, path)
    journal = None
    try:
        journal = SqliteJournal(path, entropy, connect, patience_s)
        await journal._start()
        yield journal
    finally:
        with trio.CancelScope(shield=True):
            if journal is not None:
                await journal._stop()
        lock.release()


def _claim(path: Path) -> WriterLock:
    """The lock on a journal that may be opened for writing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return WriterLock(path)


def open_committer(path: Path, connect: tables.Connect) -> Committer:
    """The writing side of the file at `path`."""
    with ExitStack() as opened:
        journal = connect(str(path))
        opened.callback(journal.close)
        tables.writing(journal)
        tables.prepare(journal)
        committer = Committer(journal)
        opened.pop_all()
    return committer


class SqliteJournal:
    """A Journal in a SQLite file. Made by `open_sqlite`."""

    worth = Worth.FSYNC

    def __init__(self, path: Path, entropy: Callable[[int], bytes], connect: tables.Connect, patience_s: float) -> None:
        self.path = path
        self.trouble: str | None = None
        self._sealer = Sealer(entropy)
        self._connect = connect
        self._followers = Followers(0)
        self._place = 0
        self._open = False
        self._writer = Writer(self._open_committer, self._settle, self._report, self._resume, patience_s)
        self._reader: Reader | None = None
        self._reading = trio.CapacityLimiter(1)

    # -- writing --

    async def put_facts(
        self, facts: Sequence[Fact], vault: Sequence[VaultEntry] = (), live: Sequence[Any] | None = None
    ) -> Sequence[str]:
        await trio.lowlevel.checkpoint_if_cancelled()
        return await self._submit(self._sealer.facts(facts, vault, live))

    def put_decision(self, decision: Decision, vault: Sequence[VaultEntry] = ()) -> Awaitable[object]:
        put = self._sealer.decision(decision, vault)
        if not self._open:
            raise unavailable("it is closed")
        self._writer.submit(put)
        return put

    async def put_attempts(self, attempts: Sequence[Attempt], vault: Sequence[VaultEntry] = ()) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._submit(self._sealer.attempts(attempts, vault))

    async def erase(self, keys: Sequence[str]) -> None:
        """Deletes vault entries and overwrites their bytes. Raises JournalUnavailable, also where a reading command
        held the log at that moment: the entries are gone then, but not yet overwritten."""
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._have_done(lambda committer: committer.erase(keys))

    async def note(self, name: str, value: str) -> None:
        """Remembers a value under a name, beside the records."""
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._have_done(lambda committer: committer.note(name, value))

    async def noted(self, name: str) -> str:
        return await self._read(lambda reader: reader.noted(name))

    async def _have_done(self, do: Callable[[Committer], None]) -> None:
        chore = Chore(do)
        self._check()
        self._writer.submit(chore)
        await chore.put.wait()

    async def _submit(self, put: Put) -> Sequence[str]:
        self._check()
        self._writer.submit(put)
        return await put.wait()

    def _check(self) -> None:
        if not self._open:
            raise unavailable("it is closed")
        if self.trouble is not None:
            raise unavailable(self.trouble)

    # -- reading --

    def facts(self, after: str = "") -> Follower:
        async def start() -> int:
            return await self._read(lambda reader: reader.place_of(after))

        return self._followers.follow(self._stored, start)

    async def _stored(self, after: int, limit: int) -> Sequence[Placed]:
        return await self._read(lambda reader: reader.facts_after(after, limit))

    async def decisions(self, after: str = "", limit: int = 1000) -> Sequence[Decision]:
        return await self._read(lambda reader: reader.decisions(after, limit))

    async def attempts_of(self, orders: Sequence[str]) -> Sequence[Attempt]:
        return await self._read(lambda reader: reader.attempts_of(orders))

    async def receipts_of(self, attempts: Sequence[str]) -> Sequence[str]:
        return await self._read(lambda reader: reader.receipts_of(attempts))

    async def receipts_since(self, at: datetime) -> Sequence[Sequence[Receipt]]:
        return await self._read(lambda reader: reader.receipts_since(at))

    async def facts_since(self, types: Collection[str], at: datetime, most: int) -> Sequence[Fact]:
        return await self._read(lambda reader: reader.facts_since(types, at, most))

    async def get(self, ids: Sequence[str]) -> Sequence[Record | None]:
        return await self._read(lambda reader: reader.get(ids))

    async def latest(self, kind: str, subject: str) -> Fact | None:
        return await self._read(lambda reader: reader.latest(kind, subject))

    async def vault(self, keys: Sequence[str]) -> Sequence[VaultEntry | None]:
        return await self._read(lambda reader: reader.vault(keys))

    async def find(self, words: Sequence[bytes], about: str = "") -> Found:
        def find() -> Found:
            # A connection of its own: it takes a while, and other reads go on meanwhile.
            with Reader(self.path) as reader:
                return reader.find(words, about)

        return await trio.to_thread.run_sync(find)

    async def _read(self, query: Callable[[Reader], T]) -> T:
        """Runs a query in a worker thread; one at a time, as they share one connection. Once begun it is finished:
        an abandoned query would still hold the connection."""

        def run() -> T:
            if self._reader is None:
                self._reader = Reader(self.path)
            return query(self._reader)

        if not self._open:
            raise unavailable("it is closed")
        return await trio.to_thread.run_sync(run, limiter=self._reading)

    # -- the whole --

    @property
    def commits(self) -> int:
        """How many commits were made since it was opened."""
        return self._writer.commits

    async def position(self) -> Position:
        return await self._read(Reader.position)

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        def save(reader: Reader) -> None:
            place = reader.place_of(snapshot.decision)
            try:
                snapshots.save(self.path, place, snapshot)
            except OSError as error:
                raise JournalUnavailable(f"{self.path}: the snapshot cannot be written: {error}") from error

        await self._read(save)

    async def load_snapshot(self) -> Snapshot | None:
        return await self._read(Reader.load_snapshot)

    async def verify(self) -> int:
        def verify() -> int:
            # A connection of its own: verification takes seconds, and other reads go on meanwhile.
            reader = Reader(self.path)
            try:
                report = reader.examine()
            finally:
                reader.close()
            if report.faults:
                raise Corrupt(f"{self.path}: " + "; ".join(report.faults[:10]))
            return report.decisions

        return await trio.to_thread.run_sync(verify)

    # -- trio's side of the writer --

    def _open_committer(self) -> Committer:
        committer = open_committer(self.path, self._connect)
        if self._place and committer.seq < self._place:
            committer.close()
            raise JournalError(f"{self.path}: records are gone from it: stop the hub and restore the file")
        return committer

    def _settle(self, puts: list[Put]) -> None:
        """These puts are over, in the order in which they were made durable."""
        placed: list[Placed] = []
        for put in puts:
            if put.new:
                if put.kind is Kind.FACT:
                    placed.extend(
                        zip(range(self._place + 1, self._place + 1 + len(put.new)), put.entries(), strict=True)
                    )
                self._place += len(put.new)
        self._followers.offer(placed)
        for put in puts:
            put.settle()

    def _report(self, trouble: str) -> None:
        self.trouble = trouble

    def _resume(self, place: int) -> None:
        """The files were opened anew and go up to `place`: perhaps further than we were told, for a commit that was
        reported as failed may be there all the same."""
        self.trouble = None
        if place > self._place:
            self._place = place
            self._followers.catch_up(place)

    async def _start(self) -> None:
        try:
            await self._writer.start()
        except apsw.Error as error:
            raise JournalUnavailable(f"{self.path}: cannot be opened for writing: {error}") from error
        self._open = True
        self._place, self._followers.last = await self._read(lambda reader: (reader.last(), reader.last_fact()))

    async def _stop(self) -> None:
        was_open, self._open = self._open, False
        # The writer closes last: the last one to close empties the logs into the files, and a reader cannot.
        async with self._reading:
            if self._reader is not None:
                self._reader.close()
        if was_open:
            await self._writer.stop()
