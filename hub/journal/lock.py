"""One writer per journal: a lock held for life on a file beside it."""

import fcntl
import os
from pathlib import Path

from hub.journal import JournalLocked


class WriterLock:
    """Held until `release` or the process's end, however it ends. The file names the process that holds it."""

    def __init__(self, journal: Path) -> None:
        """Takes the lock. Raises JournalLocked where another writer holds it."""
        path = journal.with_name(journal.name + ".lock")
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 64, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise JournalLocked(
                f"{journal}: another hub writes to this journal (process {holder}): "
                "stop that one, or act through its API; reading commands work beside it"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        # The file stays: removing it would let two others lock two files of one name.
        os.close(self._fd)
