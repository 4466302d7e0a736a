"""The writer thread of a SQLite journal: group commit, and patience with a disk that will not take any more.

What trio's tasks put is gathered until none of them has anything left to do, at most for `_TURNS_MAX` turns of its
loop, and then handed to the thread at once: a decision and the attempts that follow from it share a commit, and the
thread does not ask for the interpreter lock in the midst of it. What is handed over while a commit runs goes into the
next one, and trio is woken once per commit. The thread reads no clock: its pauses are `threading.Event.wait`, and
what it has waited in sum is its measure of time.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import apsw
import structlog
import trio

from hub.journal import JournalError, JournalUnavailable
from hub.journal.codec import Kind
from hub.journal.commit import Committer
from hub.journal.puts import Put, unavailable

log = structlog.get_logger(__name__)

_RECORDS_MAX = 4_000  # per commit, so that one commit stays short
_BYTES_MAX = 16 << 20
_TURNS_MAX = 4
_PAUSE_S_FIRST = 0.05
_PAUSE_S_MAX = 2.0


class _GivenUp(Exception):
    """The journal is being closed while nothing can be written."""


class Chore:
    """Something else for the writer to do (erasing, noting), in its place among the puts. `put` is over when it is
    done."""

    def __init__(self, do: Callable[[Committer], None]) -> None:
        self.put = Put(Kind.FACT, [], [], [])
        self.do = do


_Item = Put | Chore | None  # None: the end


class _Gathered(trio.abc.Instrument):
    """Puts on trio's side, until it would wait."""

    def __init__(self, queue: "SimpleQueue[_Item]") -> None:
        self._queue = queue
        self._items: list[_Item] = []
        self._turns = 0

    def add(self, item: _Item) -> None:
        self._items.append(item)

    def before_io_wait(self, timeout: float) -> None:
        """Called once a turn, with how long trio is about to wait (seconds): 0 when a task is ready to run."""
        if self._items:
            self._turns += 1
            if timeout > 0 or self._turns >= _TURNS_MAX:
                self.hand_over()

    def hand_over(self) -> None:
        items, self._items, self._turns = self._items, [], 0
        for item in items:
            self._queue.put(item)


class Writer:
    """Owns the thread. `open_committer` is called in it, again after each error; `deliver` is called in trio with the
    puts that are over, in the order they were made durable; `report` is called in trio with what troubles the
    writer, and `resume`, when it is over, with the place up to which the reopened journal goes.

    `patience_s`: how long facts and attempts wait for a troubled disk before they are refused. Decisions wait for as
    long as it takes: they have been drawn from durable facts, and raising would invite the engine to decide again.
    """

    def __init__(
        self,
        open_committer: Callable[[], Committer],
        deliver: Callable[[list[Put]], None],
        report: Callable[[str], None],
        resume: Callable[[int], None],
        patience_s: float,
    ) -> None:
        self._open_committer = open_committer
        self._deliver = deliver
        self._report = report
        self._resume = resume
        self._patience_s = patience_s
        self._token = trio.lowlevel.current_trio_token()
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._gathered = _Gathered(self._queue)
        self._closing = threading.Event()
        self._opened = trio.Event()
        self._ended = trio.Event()
        self._fault: BaseException | None = None
        self._in_hand: list[Put] = []
        self._ending = False
        self._committer: Committer | None = None
        self.commits = 0
        # A daemon: a disk that hangs in a sync must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    # -- trio's side --

    async def start(self) -> None:
        """Opens the files. Raises JournalError or apsw.Error."""
        self._thread.start()
        await self._opened.wait()
        if self._fault is not None:
            raise self._fault
        trio.lowlevel.add_instrument(self._gathered)

    def submit(self, item: Put | Chore) -> None:
        self._gathered.add(item)

    async def stop(self) -> None:
        """Commits what is queued, closes the files. While the disk is in trouble, what waits is refused."""
        trio.lowlevel.remove_instrument(self._gathered)
        self._gathered.hand_over()
        self._closing.set()
        self._queue.put(None)
        await self._ended.wait()
        self._thread.join()

    # -- the thread --

    def _run(self) -> None:
        try:
            self._committer = self._open_committer()
        except BaseException as fault:
            self._fault = fault
            self._tell(self._opened.set)
            return
        self._tell(self._opened.set)
        try:
            self._serve()
        except _GivenUp:
            self._refuse_rest(unavailable("it was closed while the disk was in trouble"))
        except BaseException as fault:  # a fault of ours: nothing is acknowledged any more, loudly
            log.exception("the journal's writer has failed")
            self._tell(self._report, f"a fault in the writer: {fault!r}")
            self._refuse_rest(unavailable(f"a fault in the writer: {fault!r}"))
        finally:
            self._close()
            self._tell(self._ended.set)

    def _serve(self) -> None:
        while not self._ending:
            self._do(self._take())

    def _take(self) -> list[Put | Chore]:
        """Waits for something to do, then takes what is queued by now, up to what one commit should hold."""
        batch: list[Put | Chore] = []
        records = size = 0
        item = self._queue.get()
        get, left = self._queue.get_nowait, self._queue.qsize()
        while item is not None:
            batch.append(item)
            if isinstance(item, Put):
                records += len(item.rows)
                for entry in item.vault:
                    size += len(entry.payload)
            if left <= 0 or records >= _RECORDS_MAX or size >= _BYTES_MAX:
                return batch
            left -= 1
            item = get()
        self._ending = True
        return batch

    def _do(self, batch: list[Put | Chore]) -> None:
        """One batch: runs of puts are one commit each; a chore stands between them."""
        run: list[Put] = []
        for item in batch:
            if isinstance(item, Put):
                run.append(item)
                continue
            if run:
                self._commit(run)
                run = []
            self._see_to(item)
        if run:
            self._commit(run)

    def _see_to(self, chore: Chore) -> None:
        assert self._committer is not None
        try:
            chore.do(self._committer)
        except apsw.Error as error:
            chore.put.refuse(unavailable(_words(error)))
        except JournalError as error:
            chore.put.refuse(error)
        self._tell(self._deliver, [chore.put])

    def _commit(self, puts: list[Put]) -> None:
        self._in_hand = puts
        try:
            assert self._committer is not None
            self._committer.commit(puts)
        except apsw.ConstraintError:
            raise  # the tables contradict us: trying again would not help
        except apsw.Error as error:
            puts = self._endure(puts, error)
        self._in_hand = []
        self.commits += 1
        if puts:
            self._tell(self._deliver, puts)

    # -- trouble --

    def _endure(self, puts: list[Put], error: Exception) -> list[Put]:
        """Tries again with growing pauses until a commit succeeds; returns the puts it made durable.

        The files are opened anew before each try: after an I/O error nothing that a connection remembers can be
        trusted, and a file system that was mounted read-only may be writable by now. A commit tried again writes all
        its pages again, so a sync that failed and forgot its pages (as Linux does) loses nothing.
        """
        pause_s, waited_s = _PAUSE_S_FIRST, 0.0
        while True:
            reason = _words(error)
            log.error("the journal cannot write", reason=reason, waiting=len(puts), waited_s=round(waited_s, 2))
            self._tell(self._report, reason)
            closing = self._closing.wait(pause_s)
            waited_s += pause_s
            pause_s = min(2 * pause_s, _PAUSE_S_MAX)
            puts += self._queued_puts()
            if closing or waited_s >= self._patience_s:
                puts = self._refuse(puts, reason, everything=closing)
            self._in_hand = puts
            if closing and not puts:
                raise _GivenUp
            try:
                self._reopen()
                assert self._committer is not None
                place = self._committer.seq
                if puts:
                    self._committer.commit(puts)
                else:
                    self._committer.probe()
            except (apsw.Error, OSError, JournalError) as again:
                error = again
                continue
            log.warning("the journal writes again", waiting=len(puts), waited_s=round(waited_s, 2))
            self._tell(self._resume, place)
            return puts

    def _queued_puts(self) -> list[Put]:
        """The puts queued meanwhile; a chore is refused."""
        puts: list[Put] = []
        for item in () if self._queue.empty() else self._take():
            if isinstance(item, Put):
                puts.append(item)
            else:
                item.put.refuse(unavailable("the disk is in trouble"))
                self._tell(self._deliver, [item.put])
        return puts

    def _refuse(self, puts: list[Put], reason: str, everything: bool) -> list[Put]:
        kept, refused = [], []
        for put in puts:
            if put.kind is Kind.DECISION and not everything:
                kept.append(put)
            else:
                put.refuse(unavailable(reason))
                refused.append(put)
        if refused:
            self._tell(self._deliver, refused)
        return kept

    def _refuse_rest(self, error: JournalUnavailable) -> None:
        """Refuses what is in hand and whatever still comes until the journal is closed."""
        for put in self._in_hand:
            put.refuse(error)
        self._tell(self._deliver, self._in_hand)
        while not self._ending and (item := self._queue.get()) is not None:
            put = item if isinstance(item, Put) else item.put
            put.refuse(error)
            self._tell(self._deliver, [put])

    def _reopen(self) -> None:
        self._close()
        self._committer = self._open_committer()

    def _close(self) -> None:
        if self._committer is not None:
            try:
                self._committer.close()
            except apsw.Error as error:
                log.warning("closing the journal's files", error=_words(error))
            self._committer = None

    def _tell(self, fn: Callable[..., Any], *args: Any) -> None:
        try:
            self._token.run_sync_soon(fn, *args)
        except trio.RunFinishedError:  # nobody is left to hear it
            return


def _words(error: Exception) -> str:
    """An error in words with what to do about it."""
    text = str(error) or type(error).__name__
    remedy = {
        "FullError": "make room on the disk",
        "ReadOnlyError": "make the file and its folder writable again",
        "CantOpenError": "put the file and its folder back, writable",
        "IOError": "look at the disk",
        "BusyError": "another program writes to the file: stop it",
        "CorruptError": "restore the file from its copy",
        "NotADBError": "restore the file from its copy",
    }.get(type(error).__name__)
    return f"{text}: {remedy}" if remedy else text
