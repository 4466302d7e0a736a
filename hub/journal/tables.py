"""The SQLite file: its tables and how a connection to it is made.

The vault is a table of its own in the journal's file, so that a record and the text it needs are one transaction and
cost one sync (docs/decisions/journal.md). Nothing but ids and salted digests of it stands in the other tables.

SQLite comes with apsw, pinned, not from the system: every SQLite before 3.51.3 can corrupt a WAL file when two
connections checkpoint and write at the same moment (the "WAL-reset" fault; Debian 12 ships 3.40.1), and reading
commands do work beside the hub.
"""

import os
from collections.abc import Callable
from pathlib import Path

import apsw

from hub.journal import JournalError

SCHEMA = 3  # 1: the vault lay in a file beside; 2: keys had an index on records
_APPLICATION = 0x56494A31  # PRAGMA application_id: "VIJ1"

Connect = Callable[[str], apsw.Connection]

_TABLES = """
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

_KEYS = """
CREATE TABLE keys (key BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
# keys: of the facts up to the place that `keyed` in meta names (hub/journal/keys.py).

_VAULT = """
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


def connect_file(path: str) -> apsw.Connection:
    """A connection to a file on the system's own file system, made if missing, readable by its owner only."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return apsw.Connection(path)


def writing(connection: apsw.Connection) -> None:
    """Sets a connection up for writing: a commit is synced before it returns, and what is deleted is overwritten."""
    connection.set_busy_timeout(1_000)  # ms; readers hold locks for moments only
    mode = connection.pragma("journal_mode", "wal")
    if mode != "wal":
        raise JournalError(f"{connection.filename}: cannot use a write-ahead log here (journal mode stays {mode!r})")
    connection.pragma("synchronous", "full")
    connection.pragma("cache_size", -32_000)  # KiB
    connection.pragma("journal_size_limit", 64 << 20)  # bytes the log may keep after a burst
    connection.pragma("secure_delete", "on")
    connection.pragma("temp_store", "memory")  # none of the vault in temporary files that nobody overwrites


def prepare(connection: apsw.Connection) -> None:
    """Checks, or in an empty file creates, the tables.

    Only the header is looked at. `PRAGMA quick_check` would read the whole file, minutes of it at every start for
    the one start in a thousand where something is wrong; damage shows when a page is read, and `verify` looks at
    every record when somebody asks for it.
    """
    if not connection.execute("SELECT count(*) FROM sqlite_schema").get:
        with connection:
            connection.execute(_TABLES + _KEYS + _VAULT)
            connection.execute("INSERT INTO meta VALUES ('probe', ''), ('keyed', '0')")
            connection.pragma("application_id", _APPLICATION)
            connection.pragma("user_version", SCHEMA)
        return
    check(connection)
    if connection.pragma("user_version") < 2:
        _take_vault_in(connection)
    if connection.pragma("user_version") < 3:
        _take_keys_in(connection)


def _take_vault_in(connection: apsw.Connection) -> None:
    """Schema 1 kept the vault in a file beside: its rows move in and the file goes, so that erasing reaches all
    there is."""
    beside = _vault_of(Path(connection.filename))
    if not beside.exists():
        raise JournalError(f"{beside}: the vault of {connection.filename} is missing: put it back from its copy")
    connection.execute("ATTACH ? AS beside", (str(beside),))
    pairs = "SELECT value FROM main.meta WHERE name = 'pair' UNION SELECT value FROM beside.meta WHERE name = 'pair'"
    if len(connection.execute(pairs).fetchall()) != 1:
        raise JournalError(f"{beside}: is the vault of another journal: put the one beside that belongs to it")
    with connection:
        connection.execute(_VAULT)
        connection.execute("INSERT INTO main.vault SELECT * FROM beside.vault")
        connection.pragma("user_version", 2)
    connection.execute("DETACH beside")
    for path in (beside, *(beside.with_name(beside.name + end) for end in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)


def _take_keys_in(connection: apsw.Connection) -> None:
    """Schema 2 had an index on the records instead."""
    with connection:
        connection.execute(_KEYS)
        connection.execute("INSERT INTO keys SELECT key, seq FROM records WHERE key IS NOT NULL ORDER BY key")
        connection.execute("INSERT INTO meta SELECT 'keyed', ifnull(max(seq), 0) FROM records")
        connection.execute("DROP INDEX records_key")
        connection.pragma("user_version", 3)


def _vault_of(path: Path) -> Path:
    return path.with_name(path.name.replace("journal", "vault") if "journal" in path.name else "vault-" + path.name)


def check(connection: apsw.Connection) -> None:
    """Raises JournalError where this is not a file of ours or of a later Vigie."""
    if connection.pragma("application_id") != _APPLICATION:
        raise JournalError(f"{connection.filename}: this is not a Vigie journal: name another file, or move this away")
    version = connection.pragma("user_version")
    if version > SCHEMA:
        raise JournalError(
            f"{connection.filename}: written by a later Vigie (schema {version}, this one knows {SCHEMA}): "
            "run that version, or restore the copy made before the upgrade"
        )
