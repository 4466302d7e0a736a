"""The SQLite journal: the contract."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import apsw
import pytest
import trio

from hub.journal import Journal
from hub.journal.sqlite import SqliteJournal, open_sqlite
from tests.contracts.journal import JournalContract, Maker


class SqliteJournals:
    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> AbstractAsyncContextManager[Journal]:
        return open_sqlite(self.path)

    async def change(self, id_: str) -> None:
        self._sql(
            "UPDATE records SET body = CAST(replace(CAST(body AS TEXT), '2024-', '2023-') AS BLOB) WHERE id = ?", id_
        )

    async def remove(self, id_: str) -> None:
        self._sql("DELETE FROM records WHERE id = ?", id_)

    def _sql(self, sql: str, id_: str) -> None:
        connection = apsw.Connection(str(self.path))
        connection.execute(sql, (id_,))
        assert connection.changes() == 1
        connection.close()

    async def spoil_snapshot(self) -> None:
        newest = sorted(self.path.parent.glob("journal.db.snapshot-*"))[-1]
        body = bytearray(newest.read_bytes())
        body[-100] ^= 1
        newest.write_bytes(body)


class TestSqlite(JournalContract):
    @pytest.fixture
    def journals(self, tmp_path: Path) -> SqliteJournals:
        return SqliteJournals(tmp_path / "journal.db")


@pytest.mark.trio
async def test_what_tasks_put_before_trio_waits_shares_a_commit(tmp_path: Path) -> None:
    make = Maker()

    async def attempt_in_a_moment(journal: SqliteJournal) -> None:
        await trio.lowlevel.checkpoint()  # as dispatch, which another task wakes
        await journal.put_attempts([make.attempt("o1")])

    async with open_sqlite(tmp_path / "journal.db") as journal:
        await journal.put_facts([make.fact()])
        before = journal.commits
        async with trio.open_nursery() as nursery:
            decided = journal.put_decision(make.decision())
            nursery.start_soon(attempt_in_a_moment, journal)
            await decided
        assert journal.commits == before + 1
        assert len(await journal.attempts_of(["o1"])) == 1


@pytest.mark.trio
async def test_tasks_that_never_rest_do_not_hold_a_commit_up(tmp_path: Path) -> None:
    make, done = Maker(), trio.Event()

    async def restless() -> None:
        while not done.is_set():
            await trio.lowlevel.checkpoint()

    async with open_sqlite(tmp_path / "journal.db") as journal, trio.open_nursery() as nursery:
        nursery.start_soon(restless)
        await journal.put_facts([make.fact()])
        done.set()
