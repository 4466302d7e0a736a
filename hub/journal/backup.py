"""A copy of a SQLite journal, made while a hub writes to it: one read transaction, which neither waits for the writer
nor keeps it waiting."""

import os
from pathlib import Path

import apsw

from hub.journal import JournalError
from hub.journal.reader import open_reader
from hub.journal.tables import connect_file
from hub.journal.verify import Report


def copy_journal(source: Path, target: Path) -> Report:
    """Writes the journal as it is at this instant to a new file, synced, and looks at every record of the copy. Raises
    JournalError where there is no journal, or the copy cannot be written."""
    with open_reader(source) as reading:
        if target.exists():
            raise JournalError(f"{target}: is there already")
        try:
            made = connect_file(str(target))
            try:
                # All at once: step by step, each commit of the hub's would make it begin anew.
                with made.backup("main", reading.connection, "main") as copying:
                    copying.step(-1)
                made.pragma("journal_mode", "delete")  # one file, with nothing beside it
            finally:
                made.close()
            sync(target)
        except (apsw.Error, OSError) as error:
            raise JournalError(f"{target}: the journal cannot be copied: {error}") from error
    with open_reader(target) as reading:
        return reading.examine()


def sync(path: Path) -> None:
    """What a file or folder holds is on the disk. Raises OSError."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
