"""Worker processes for what is large and foreign: a feed, a mail, an XML file, a pattern tried on a text.

Threads share one interpreter lock, so a decoder or a pattern that runs for seconds in C holds up every timer of the
hub; a process of its own holds up nothing, and can be killed. Each worker is a fresh interpreter (never a fork of the
hub, which has threads) with a limit on its memory; the hub limits its time. These are limits against accidents and
hostile documents, not a sandbox against hostile code.

From asyncio the same pool is used through a bridge stream (`Workers.serve`, `in_worker`): one pool, one queue and one
place that kills and replaces; the price is two crossings of the bridge, about a quarter of a millisecond.
"""

import pickle
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import structlog
import trio
from msgspec import Struct

from hub import worker_process
from hub.connector import WorkerLimit
from hub.stream import Offer, Port, Stream
from hub.worker_process import COUNT, DONE, NO_MEMORY, RAISED, SIZE, TOO_LARGE

log = structlog.get_logger(__name__)

T = TypeVar("T")

RESTART_PAUSE_S = 1.0
END_GRACE_S = 1.0
RECEIVE_BYTES = 1 << 18


class WorkerDied(WorkerLimit):
    """The worker process ended in the middle of the job (a crash in a library, the system short of memory)."""


class WorkerError(Exception):
    """The job raised an error that cannot travel between processes; this carries its words."""


class Job(Struct, frozen=True):
    """`fn(*args)` to be run in a worker, as it crosses the bridge."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    limit_s: float
    label: str


class InWorker(Protocol):
    async def __call__(self, fn: Callable[..., T], *args: Any, limit_s: float, label: str) -> T: ...


@asynccontextmanager
async def open_workers(
    *,
    count: int = 2,
    memory_bytes: int = 512 << 20,
    result_bytes_max: int = 32 << 20,
    preload: Sequence[str] = (),
) -> AsyncIterator["Workers"]:
    """Starts `count` workers (it returns when the first is ready) and ends them at exit.

    `memory_bytes`: writable memory per worker, the interpreter's own included. `result_bytes_max`: the largest
    pickled result; reading it back holds the hub up (about 10 ms per megabyte of small objects), so jobs should
    return little. `preload`: modules a worker imports before it takes its first job.

    WorkerDied if the first cannot start (a module that cannot be imported, too little memory).
    """
    workers = Workers(count, memory_bytes, result_bytes_max, preload)
    try:
        await workers.start_first()
        async with trio.open_nursery() as nursery:
            workers.start_others(nursery)
            yield workers
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await workers.close()


class Workers:
    """The pool. Made by `open_workers`."""

    def __init__(self, count: int, memory_bytes: int, result_bytes_max: int, preload: Sequence[str]) -> None:
        settings = (list(sys.path), list(preload), memory_bytes, result_bytes_max)
        self._memory_bytes = memory_bytes
        self._workers = [_Worker(settings) for _ in range(count)]
        self._put_back, self._idle = trio.open_memory_channel["_Worker"](count)
        self.replaced = 0

    async def start_first(self) -> None:
        await self._workers[0].start()
        self._put_back.send_nowait(self._workers[0])

    def start_others(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        for worker in self._workers[1:]:
            nursery.start_soon(self._start, worker)

    async def close(self) -> None:
        async with trio.open_nursery() as nursery:
            for worker in self._workers:
                nursery.start_soon(worker.end)

    async def run(self, fn: Callable[..., T], *args: Any, limit_s: float, label: str) -> T:
        """`fn(*args)` in a worker process. `fn` is a module-level function of an importable module (so not of
        `__main__`); arguments and result can be pickled.

        `limit_s` counts from when a worker takes the job. `label` says what is being read, in errors.

        Raises what `fn` raises (WorkerError if that cannot be pickled); WorkerLimit past the time, the memory or the
        size of the result; WorkerDied. If the caller is cancelled the worker is killed: nothing else stops it.
        """
        pieces = worker_process.pack((limit_s, fn, *args))
        if sum(map(len, pieces)) > self._memory_bytes / 2:
            raise WorkerLimit(f"{label}: is larger than half the memory a worker is given")
        worker = await self._idle.receive()
        answer = None
        try:
            with trio.move_on_after(limit_s):
                answer = await worker.ask(pieces)
        except trio.BrokenResourceError:
            how = await worker.death()
            raise WorkerDied(f"{label}: its worker process died ({how})") from None
        finally:
            if answer is None or answer[0] == NO_MEMORY or answer[2]:
                worker.kill()
                self.replaced += 1
                self._nursery.start_soon(self._start, worker)
            else:
                self._put_back.send_nowait(worker)
        if answer is None:
            raise WorkerLimit(f"{label}: needed more than its limit of {limit_s:g} s and was stopped")
        return cast(T, _result(answer, label))

    async def _start(self, worker: "_Worker") -> None:
        while True:
            try:
                await worker.start()
            except (OSError, WorkerDied) as error:  # no memory or no process to be had just now
                log.error("worker process cannot be started; trying again", error=str(error))
                await trio.sleep(RESTART_PAUSE_S)
            else:
                self._put_back.send_nowait(worker)
                return

    async def serve(self, stream: Stream[Job, Any]) -> None:
        """Runs the jobs that asyncio code offers (see `in_worker`), until the stream ends."""
        async with trio.open_nursery() as nursery:
            async for batch in stream:
                for offer in batch.offers:
                    nursery.start_soon(self._serve_one, offer)

    async def _serve_one(self, offer: Offer[Job, Any]) -> None:
        job = offer.item
        try:
            result = await self.run(job.fn, *job.args, limit_s=job.limit_s, label=job.label)
        except Exception as error:  # whatever it is, it is the offerer's
            offer.answer(error)
        else:
            offer.answer(result)


def in_worker(port: Port[Job, Any]) -> InWorker:
    """`Workers.run` for asyncio code on the port's loop."""

    async def run(fn: Callable[..., T], *args: Any, limit_s: float, label: str) -> T:
        return cast(T, await port.offer(Job(fn, args, limit_s, label)))

    return run


def _result(answer: tuple[str, bytes, bool], label: str) -> Any:
    outcome, data, _ = answer
    if outcome == DONE:
        return pickle.loads(data)  # noqa: S301 (the worker runs our code)
    if outcome == NO_MEMORY:
        raise WorkerLimit(f"{label}: needed more memory than a worker is given")
    if outcome == TOO_LARGE:
        raise WorkerLimit(f"{label}: its result of {data.decode()} bytes is larger than allowed")
    assert outcome == RAISED
    raised, note = pickle.loads(data)  # noqa: S301 (the worker runs our code)
    error = raised if isinstance(raised, Exception) else WorkerError(f"{label}: {raised}")
    error.add_note(note)
    raise error


class _Worker:
    """One place in the pool: a process, replaced when it is killed or dies."""

    def __init__(self, settings: tuple[Any, ...]) -> None:
        self._settings = settings
        self._process: trio.Process | None = None
        self._link: trio.SocketStream | None = None

    async def start(self) -> None:
        await self.end()
        ours, theirs = socket.socketpair()
        self._link = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        try:
            with theirs:
                self._process = await trio.lowlevel.open_process(
                    [sys.executable, "-P", str(Path(worker_process.__file__))],
                    stdin=theirs,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,  # out of reach of the terminal's Ctrl-C
                )
            await self.ask(worker_process.pack(self._settings))
        except trio.BrokenResourceError:
            how = await self.death()
            raise WorkerDied(f"a worker process cannot start ({how}); its own words are on standard error") from None
        except BaseException:
            self.kill()
            raise

    async def ask(self, pieces: Sequence[bytes | memoryview]) -> tuple[Any, ...]:
        """Sends a message and returns the answer. BrokenResourceError if the process ends meanwhile."""
        assert self._link is not None
        for piece in pieces:
            await self._link.send_all(piece)
        (count,) = COUNT.unpack(await self._exactly(COUNT.size))
        sizes = [SIZE.unpack(await self._exactly(SIZE.size))[0] for _ in range(count)]
        return worker_process.unpack([await self._exactly(size) for size in sizes])

    async def _exactly(self, size: int) -> bytes:
        assert self._link is not None
        chunks = []
        while size:
            chunk = await self._link.receive_some(min(size, RECEIVE_BYTES))
            if not chunk:
                raise trio.BrokenResourceError
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    async def death(self) -> str:
        """How the process ended. It has closed its link, so it is about to."""
        assert self._process is not None
        with trio.move_on_after(END_GRACE_S, shield=True):
            code = await self._process.wait()
            return f"signal {-code}" if code < 0 else f"exit status {code}"
        return "it closed its link"

    async def end(self) -> None:
        """Ends the process, if there is one: by closing the link, then by force."""
        if self._link is not None:
            await trio.aclose_forcefully(self._link)
            self._link = None
        if self._process is not None:
            with trio.move_on_after(END_GRACE_S, shield=True):
                await self._process.wait()
            self._process.kill()
            with trio.CancelScope(shield=True):
                await self._process.wait()
            self._process = None
