"""The hub as a process: started by this auditor, or taken over from one that died."""

import fcntl
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import trio

from hub.auditor.touch import VARIABLE

LOCK_POLL_S = 0.5
GONE = -1000  # the exit code of a process that was not our child, which nobody tells us


class HubProcess(Protocol):
    """A hub that runs. `pid`; `pulsed_s`: when the last pulse came (trio's clock), None before the first."""

    pid: int
    pulsed_s: float | None

    async def wait(self) -> int:
        """Its exit code, negative for a signal."""
        ...

    def signal(self, number: int) -> None: ...


class Child:
    """A hub that this auditor started, in a session of its own: neither the terminal's Ctrl-C nor the auditor's death
    reaches it, and it is stopped only by being told."""

    def __init__(self, process: trio.Process, ours: socket.socket) -> None:
        self.pid = process.pid
        self.pulsed_s: float | None = None
        self._process = process
        self._ours = trio.socket.from_stdlib_socket(ours)

    @classmethod
    async def start(cls, command: Sequence[str]) -> "Child":
        """Raises OSError where the command cannot be run."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                number = theirs.fileno()
                process = await trio.lowlevel.open_process(
                    list(command),
                    start_new_session=True,
                    pass_fds=[number],
                    env={**os.environ, VARIABLE: str(number)},
                )
        except BaseException:
            ours.close()
            raise
        ours.setblocking(False)
        return cls(process, ours)

    async def wait(self) -> int:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._feel_pulse)
            code = await self._process.wait()
            nursery.cancel_scope.cancel()
        self._ours.close()
        return code

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def _feel_pulse(self) -> None:
        with suppress(OSError):
            while await self._ours.recv(256):
                self.pulsed_s = trio.current_time()
        # The hub has closed its end and lives: from here on its pulse is missing.


class Adopted:
    """A hub whose auditor died. It is known by the journal's lock, which it holds as long as it lives; it gives its
    pulse to nobody any more."""

    pulsed_s: float | None = None

    def __init__(self, pid: int, journal: Path) -> None:
        self.pid = pid
        self._journal = journal

    async def wait(self) -> int:
        while writer(self._journal) == self.pid:  # noqa: ASYNC110 # another's lock tells nobody
            await trio.sleep(LOCK_POLL_S)
        return GONE

    def signal(self, number: int) -> None:
        if writer(self._journal) == self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def writer(journal: Path) -> int | None:
    """The process that holds the journal's writer lock (hub/journal/lock.py); None where nobody does, 0 where it has
    not said who it is."""
    try:
        descriptor = os.open(journal.with_name(journal.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _number(os.pread(descriptor, 64, 0))
    else:
        return None
    finally:
        os.close(descriptor)


class AuditorLock:
    """One auditor per journal. The file names the auditor's process and the hub's, so that the next auditor knows
    which hub was left behind."""

    def __init__(self, journal: Path) -> None:
        """Raises BlockingIOError where another auditor holds it."""
        journal.parent.mkdir(parents=True, exist_ok=True)
        path = journal.with_name(journal.name + ".auditor")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        said = os.pread(self._descriptor, 64, 0).split()
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            holder = _number(said[0]) if said else 0
            raise BlockingIOError(
                f"{journal}: another auditor watches this journal (process {holder or 'unknown'}): stop that one first"
            ) from None
        self.left_behind = _number(said[1]) if len(said) > 1 else 0

    def names(self, hub: int) -> None:
        """The hub that runs now; 0 for none."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()} {hub}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._descriptor)


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        return 0
