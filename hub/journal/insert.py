"""Rows into a table, in as few steps as it can be done: see hub/journal/commit.py for why."""

from collections.abc import Sequence
from typing import Any

import apsw

CHUNK = 512  # rows; apsw caches statements of up to 16 KiB of text, and these stay under it


def insert(journal: apsw.Connection, table: str, columns: int, rows: Sequence[Any], tail: str = "") -> None:
    """Inserts rows whose first column is never null. `tail`: what of SQL follows (ON CONFLICT)."""
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        size = 1 << (len(chunk) - 1).bit_length()
        sql = _statements.get((table, size))
        if sql is None:
            values = ",".join(["(" + ",".join("?" * columns) + ")"] * size)
            chosen = f"(VALUES{values}) WHERE column1 NOTNULL{tail}"
            sql = f"INSERT OR ROLLBACK INTO {table} SELECT * FROM {chosen}"  # noqa: S608 # all of it ours
            _statements[table, size] = sql
        bound = [value for row in chunk for value in row]
        bound.extend([None] * (columns * (size - len(chunk))))
        journal.execute(sql, bound)


_statements: dict[tuple[str, int], str] = {}
