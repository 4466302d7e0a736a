"""The two SQLite files: their tables and how a connection to them is made.

Two, because personal data lies apart (rule 8): the vault can be erased from, encrypted or kept on another disk
without touching the journal. They are paired by a random name in both, so that the vault of another journal is
noticed.

SQLite comes with apsw, pinned, not from the system: every SQLite before 3.51.3 can corrupt a WAL file when two
connections checkpoint and write at the same moment (the "WAL-reset" fault; Debian 12 ships 3.40.1), and reading
commands do work beside the hub.
"""

import os
from collections.abc import Callable
from pathlib import Path

import apsw

from hub.journal import JournalError

SCHEMA = 1
_APPLICATION = {"journal": 0x56494A31, "vault": 0x56495631}  # PRAGMA application_id: "VIJ1", "VIV1"

Connect = Callable[[str], apsw.Connection]

_JOURNAL = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    subject TEXT,
    key BLOB,
    at REAL NOT NULL,
    digest BLOB NOT NULL,
    prev BLOB,
    hash BLOB,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_key ON records (key) WHERE key IS NOT NULL;
CREATE INDEX records_subject ON records (type, subject, seq) WHERE subject IS NOT NULL;
CREATE TABLE checkpoints (
    seq INTEGER PRIMARY KEY,
    decision TEXT NOT NULL,
    hash BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;
"""
# checkpoints: where retention has cut, and from where verification starts: everything up to `seq` may be gone,
# the chain goes on from `hash`. Cutting itself is yet to come.

_VAULT = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE vault (
    key TEXT NOT NULL UNIQUE,
    about TEXT NOT NULL,
    media_type TEXT NOT NULL,
    salt BLOB NOT NULL,
    digest TEXT NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX vault_about ON vault (about) WHERE about <> '';
"""

_TABLES = {"journal": _JOURNAL, "vault": _VAULT}


def vault_of(path: Path) -> Path:
    """The vault's file beside a journal's: `vault.db` beside `journal.db`."""
    return path.with_name(path.name.replace("journal", "vault") if "journal" in path.name else "vault-" + path.name)


def connect_file(path: str) -> apsw.Connection:
    """A connection to a file on the system's own file system, made if missing, readable by its owner only."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return apsw.Connection(path)


def writing(connection: apsw.Connection, secure_delete: bool) -> None:
    """Sets a connection up for writing: a commit is synced before it returns."""
    connection.set_busy_timeout(1_000)  # ms; readers hold locks for moments only
    mode = connection.pragma("journal_mode", "wal")
    if mode != "wal":
        raise JournalError(f"{connection.filename}: cannot use a write-ahead log here (journal mode stays {mode!r})")
    connection.pragma("synchronous", "full")
    connection.pragma("cache_size", -16_000)  # KiB
    connection.pragma("journal_size_limit", 64 << 20)  # bytes the log may keep after a burst
    if secure_delete:
        connection.pragma("secure_delete", "on")


def prepare(connection: apsw.Connection, what: str, pair: str) -> str:
    """Checks, or in an empty file creates, the tables of `what` (journal, vault); returns the pair's name.

    Only the header is looked at. `PRAGMA quick_check` would read the whole file, minutes of it at every start for
    the one start in a thousand where something is wrong; damage shows when a page is read, and `verify` looks at
    every record when somebody asks for it.
    """
    if not connection.execute("SELECT count(*) FROM sqlite_schema").get:
        with connection:
            connection.execute(_TABLES[what])
            connection.execute("INSERT INTO meta VALUES ('pair', ?), ('probe', '')", (pair,))
            connection.pragma("application_id", _APPLICATION[what])
            connection.pragma("user_version", SCHEMA)
        return pair
    check(connection, what)
    return str(connection.execute("SELECT value FROM meta WHERE name = 'pair'").get)


def check(connection: apsw.Connection, what: str) -> None:
    """Raises JournalError where this is not a file of ours or of a later Vigie."""
    if connection.pragma("application_id") != _APPLICATION[what]:
        raise JournalError(f"{connection.filename}: this is not a Vigie {what}: name another file, or move this away")
    version = connection.pragma("user_version")
    if version > SCHEMA:
        raise JournalError(
            f"{connection.filename}: written by a later Vigie (schema {version}, this one knows {SCHEMA}): "
            "run that version, or restore the copy made before the upgrade"
        )
