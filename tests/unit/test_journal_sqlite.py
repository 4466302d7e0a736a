"""The SQLite journal: the contract."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import apsw
import pytest

from hub.journal import Journal
from hub.journal.sqlite import open_sqlite
from tests.contracts.journal import JournalContract


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
