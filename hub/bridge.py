"""The only door between trio (the hub) and asyncio (connectors, web).

Two asyncio loops run in worker threads: `out` for what goes out (channels, cluster), `in_` for what comes in
(sources, web). The door has two verbs:

- `Loop.call`: trio awaits a coroutine that runs over there; result, error and cancellation travel.
- `Loop.stream`: things come in batch by batch, bounded by credits; each offer is answered when the hub is done
  (hub/stream.py).

How things cross: either side puts what it has to say in its outbox and, if the other side has not been woken
already, wakes it. What waits in the outbox when the other side comes to look goes over in that one waking. Towards
trio an outbox is closed at the end of the asyncio loop's current turn, so everything that arrived in one turn is one
burst and one `run_sync_soon`. The outboxes are deques because appending and popping are atomic on those.

Python has one interpreter lock for all threads, and a thread that computes gives it up only after the switch
interval (5 ms by default). From a trio deadline to bytes on a socket the lock changes hands several times, so while a
source computes, each of those handovers may wait that long; `SWITCH_INTERVAL_S` is shorter.
"""

import asyncio
import math
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar, copy_context
from types import FrameType
from typing import Any, TypeVar, cast

import structlog
import trio

from hub.stream import Overflow, Stream

try:
    import uvloop
except ImportError:  # it does not exist for Windows; asyncio's own loop does the same, more slowly
    uvloop = None  # type: ignore[assignment] # stands for the module

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")

# Measured by tools/bench (Python 3.11, two cores with other work on them). Deadline → gateway while the `in` loop
# computes, p50/p99: 5 ms: 6.1/16.6 ms; 1 ms: 2.2/6.4; 0.5 ms: 1.9/4.6 to 12; 0.1 ms: 1.3/6.3. Requests/s of a handler
# answered by trio, 64 connections: 5 ms: 29,100; 0.5 ms: 30,200; 0.05 ms: 28,400: no cost that shows.
SWITCH_INTERVAL_S = 0.0005


class ConnectorError(Exception):
    """A call into a connector did not succeed: `connector: what was being done: why`. `__cause__` is the
    connector's own error where there was one."""

    def __init__(self, connector: str, doing: str, why: str) -> None:
        super().__init__(f"{connector}: {doing}: {why}")
        self.connector = connector
        self.doing = doing


class ConnectorTimeout(ConnectorError, TimeoutError):
    """The call was not done by its deadline. Whether it took effect over there is not known."""


class Bridge:
    """Both loops. Made by `open_bridge`."""

    def __init__(self, out: "Loop", in_: "Loop") -> None:
        self.out = out
        self.in_ = in_

    @property
    def loops(self) -> tuple["Loop", "Loop"]:
        return self.out, self.in_


@asynccontextmanager
async def open_bridge(
    *, cancel_grace_s: float = 2.0, close_grace_s: float = 5.0, switch_interval_s: float = SWITCH_INTERVAL_S
) -> AsyncIterator[Bridge]:
    """Starts both loops and ends them at exit, also when cancelled.

    `cancel_grace_s`: how long a cancelled call may take to wind up over there before it is abandoned.
    `close_grace_s`: at exit, how long each loop gets to wind up whatever still runs on it; after that what is left
    is logged and left behind, so exit takes at most about twice that, whatever a connector does.
    """
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(switch_interval_s)
    bridge = Bridge(Loop("out", cancel_grace_s=cancel_grace_s), Loop("in", cancel_grace_s=cancel_grace_s))
    try:
        yield bridge
    finally:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                for loop in bridge.loops:
                    nursery.start_soon(loop.close, close_grace_s)
        sys.setswitchinterval(before_s)


# --- on whose behalf asyncio code runs ---------------------------------------------------------------------

_connector: ContextVar[str] = ContextVar("connector", default="")


class ConnectorTask(asyncio.Task[T]):
    """A task that knows on which connector's behalf it runs; the tasks it makes inherit that. Asyncio's own task
    name cannot serve: libraries set it to names of theirs."""

    connector = ""


def _make_task(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, T], **options: Any) -> ConnectorTask[T]:
    task = ConnectorTask(coro, loop=loop, **options)
    context = options.get("context")
    task.connector = context.get(_connector, "") if context is not None else _connector.get()
    return task


def working_for(connector: str) -> None:
    """Says that the running asyncio task now works for `connector` (a web server handing a request on)."""
    _connector.set(connector)
    task = asyncio.current_task()
    if isinstance(task, ConnectorTask):
        task.connector = connector


# --- the loop ----------------------------------------------------------------------------------------------


class Loop:
    """One asyncio loop in a thread of its own. All public methods are trio's side.

    Counters, for metrics and tests: `bursts_in` (times trio was woken), `bursts_out` (times the loop was woken),
    `abandoned` (calls that did not stop when asked).
    """

    def __init__(self, name: str, *, cancel_grace_s: float = 2.0) -> None:
        self.name = name
        self.bursts_in = 0
        self.bursts_out = 0
        self.abandoned = 0
        self._cancel_grace_s = cancel_grace_s
        self._token = trio.lowlevel.current_trio_token()
        self._outbox: deque[tuple[Callable[[Any], None], Any]] = deque()  # trio → asyncio
        self._woken = False
        self._inbox: list[tuple[Callable[[Any], None], Any]] = []  # asyncio → trio
        self._jobs: set[_Job] = set()
        self._streams: set[Stream[Any, Any]] = set()
        self._closed = False
        self._ended = trio.Event()
        self._stopping = False
        self._given_up: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop = (uvloop or asyncio).new_event_loop()
        self._loop.set_task_factory(_make_task)
        self._executor = ThreadPoolExecutor(thread_name_prefix=f"asyncio-{name}")
        self._loop.set_default_executor(self._executor)
        self._loop.set_exception_handler(self._log_fault)
        # A daemon, so that a connector stuck in a blocking call cannot keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=f"asyncio-{name}", daemon=True)
        self._thread.start()

    # -- verbs --

    async def call(
        self,
        fn: Callable[..., Coroutine[Any, Any, T]],
        *args: object,
        connector: str,
        doing: str | None = None,
        deadline_s: float | None = None,
    ) -> T:
        """Runs `await fn(*args)` on the loop and returns its result.

        A source that listens until it is cancelled is a call without a deadline. When the deadline passes or the
        caller is cancelled, the coroutine is cancelled and has the bridge's `cancel_grace_s` to wind up. If it
        finishes all the same, its result is returned or its error raised, because a send that went out must not
        look as if it had not; if it does not stop, it is abandoned: left running, logged and counted.

        Errors: ConnectorTimeout past `deadline_s`; ConnectorError (with `__cause__`) for whatever `fn` raises.
        `doing` words what is being done in those ("sending 01J…"); by default the function's name.
        """
        job = _Job(self, fn, args, connector, doing or str(getattr(fn, "__qualname__", fn)))
        if self._closed:
            raise job.error("the bridge is closed")
        self._jobs.add(job)
        self.post(job.start, None)
        try:
            with trio.move_on_after(math.inf if deadline_s is None else deadline_s):
                await job.over.wait()
            if not job.over.is_set():
                await self._cancel(job)
        except trio.Cancelled:
            await self._cancel(job)
            if not job.completed:
                raise
        finally:
            self._jobs.discard(job)
        if not job.completed:
            why = f"not done after {deadline_s:g} s" + ("" if job.over.is_set() else ", and does not stop")
            raise ConnectorTimeout(job.connector, job.doing, why)
        return cast(T, job.value())

    async def _cancel(self, job: "_Job") -> None:
        job.cancelled = True
        self.post(job.cancel, None)
        with trio.move_on_after(self._cancel_grace_s, shield=True):
            await job.over.wait()
        if not job.over.is_set():
            self.abandoned += 1
            log.error(
                "call abandoned: it did not stop when cancelled",
                loop=self.name,
                connector=job.connector,
                doing=job.doing,
                grace_s=self._cancel_grace_s,
            )

    def stream(self, *, connector: str, credits: int, overflow: Overflow) -> Stream[Any, Any]:
        """A stream of items from the loop's side. `credits`: how many may be unanswered at once; past that,
        `overflow` says whether an offer waits for its turn or is refused with Overloaded."""
        stream: Stream[Any, Any] = Stream(self, connector, credits, overflow)
        if self._closed:
            raise ConnectorError(connector, "opening a stream", "the bridge is closed")
        self._streams.add(stream)
        return stream

    # -- for the watchdog --

    @property
    def thread_id(self) -> int:
        return self._thread.ident or 0

    def beat(self, done: Callable[[], None]) -> None:
        """Goes round the loop once and calls `done` in trio; at once if the loop is closed."""
        if self._closed:
            done()
        else:
            self.post(self._echo, done)

    def _echo(self, done: Callable[[], None]) -> None:
        self.tell(lambda _: done(), None)

    def busy_with(self) -> tuple[str, FrameType | None]:
        """What the thread does right now: the connector it works for (empty if none is known) and the innermost
        frame. Called while the loop does not turn; if it does turn, the answer is merely stale."""
        task = asyncio.current_task(self._loop)
        frame = sys._current_frames().get(self.thread_id)
        return getattr(task, "connector", ""), frame

    # -- for streams and calls --

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def forget(self, stream: Stream[Any, Any]) -> None:
        self._streams.discard(stream)

    # -- crossing: trio → asyncio --

    def post(self, receive: Callable[[Any], None], payload: Any) -> None:
        self._outbox.append((receive, payload))
        if not self._woken:
            self._woken = True
            self.bursts_out += 1
            with suppress(RuntimeError):  # the loop has ended; close() has said what was left on it
                self._loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        self._woken = False  # before looking: whoever appends from here on wakes the loop again
        outbox = self._outbox
        while outbox:
            receive, payload = outbox.popleft()
            receive(payload)

    # -- crossing: asyncio → trio --

    def tell(self, receive: Callable[[Any], None], payload: Any) -> None:
        if not self._inbox:
            self._loop.call_soon(self._hand_over)
        self._inbox.append((receive, payload))

    def _hand_over(self) -> None:
        burst, self._inbox = self._inbox, []
        self.bursts_in += 1
        with suppress(trio.RunFinishedError):  # nobody is left to hear it
            self._token.run_sync_soon(self._arrive, burst)

    def _arrive(self, burst: list[tuple[Callable[[Any], None], Any]]) -> None:
        for receive, payload in burst:
            receive(payload)

    # -- the thread --

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while not self._stopping:
            try:
                self._loop.run_forever()
            except BaseException as fault:
                # SystemExit and KeyboardInterrupt leave run_forever: a connector does not end the hub.
                log.error("a connector tried to end the process", loop=self.name, error=repr(fault))
        if self._inbox:
            self._hand_over()
        try:
            self._loop.close()
        except Exception as fault:  # a connector's socket that was left open, say; the thread ends all the same
            log.error("a loop did not close cleanly", loop=self.name, error=repr(fault))
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._ended.set)

    def _log_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        connector = getattr(context.get("task") or context.get("future"), "connector", "") or _connector.get()
        if not connector and (handle := context.get("handle")) is not None:
            # uvloop, and asyncio from Python 3.12 on, call this in the context of the callback; before that:
            connector = handle._context.get(_connector, "")
        log.error(
            "unhandled fault in a connector",
            loop=self.name,
            connector=connector,
            what=context.get("message"),
            error=repr(fault) if fault else None,
            exc_info=fault,
        )

    # -- the end --

    async def close(self, grace_s: float) -> None:
        """Ends the loop: streams are closed, what still runs is cancelled and gets `grace_s`. What does not end is
        logged by name and left behind."""
        if self._closed:
            return
        self._closed = True
        for stream in tuple(self._streams):
            stream.close()
        self.post(self._begin_end, None)
        with trio.move_on_after(grace_s):
            await self._ended.wait()
        if not self._ended.is_set():
            self.post(self._give_up, None)
            with trio.move_on_after(grace_s):
                await self._ended.wait()
        if not self._ended.is_set():
            connector, frame = self.busy_with()
            log.error(
                "loop left behind: its thread is stuck",
                loop=self.name,
                connector=connector,
                place=place_of(frame),
            )
        for job in tuple(self._jobs):
            job.finish(job.error("the bridge was closed"))
        # Not loop.shutdown_default_executor: that cannot be given up on without blocking whoever collects it.
        with trio.move_on_after(grace_s) as limit:
            await trio.to_thread.run_sync(self._executor.shutdown, abandon_on_cancel=True)
        if limit.cancelled_caught:
            log.error("threads left behind: a connector's blocking call did not return", loop=self.name)

    def _begin_end(self, _: None) -> None:
        self._ender = self._loop.create_task(self._end())

    async def _end(self) -> None:
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in left:
                task.cancel()
            await asyncio.wait(left)
        await self._loop.shutdown_asyncgens()
        self._stop()

    def _give_up(self, _: None) -> None:
        self._loop.call_soon(self._leave_behind)  # after whatever is due: a task must have begun to be left behind

    def _leave_behind(self) -> None:
        for task in asyncio.all_tasks(self._loop) - {self._ender}:
            log.error(
                "task left behind: it did not stop when cancelled",
                loop=self.name,
                connector=getattr(task, "connector", ""),
                task=task.get_name(),
                place=place_of(next(iter(task.get_stack(limit=1)), None)),
            )
            self._given_up.add(task)
        self._given_up.add(self._ender)
        for task in self._given_up:
            task._log_destroy_pending = False  # type: ignore[attr-defined] # just logged, better
        self._stop()

    def _stop(self) -> None:
        self._stopping = True
        self._loop.stop()


def place_of(frame: FrameType | None) -> str:
    """`file:line function` of a frame."""
    if frame is None:
        return "unknown"
    return f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"


class _Job:
    """One call. `start` and `cancel` run on the asyncio side, `finish` and what follows on trio's; `over` is set by
    trio's side only."""

    def __init__(
        self,
        loop: Loop,
        fn: Callable[..., Coroutine[Any, Any, Any]],
        args: tuple[object, ...],
        connector: str,
        doing: str,
    ) -> None:
        self.connector = connector
        self.doing = doing
        self.over = trio.Event()
        self.cancelled = False
        self._bridge_loop = loop
        self._fn = fn
        self._args = args
        self._context = copy_context()
        self._context.run(_connector.set, connector)
        self._task: asyncio.Task[Any] | None = None
        self._result: Any = None
        self._error: BaseException | None = None

    def start(self, _: None) -> None:
        try:
            coro = self._fn(*self._args)
            self._task = self._bridge_loop._loop.create_task(coro, context=self._context)
        except Exception as error:  # fn itself raised, or did not return a coroutine
            self._bridge_loop.tell(self.finish, error)
        else:
            self._task.add_done_callback(self._done)

    def cancel(self, _: None) -> None:
        if self._task is not None:
            self._task.cancel()

    def _done(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self._bridge_loop.tell(self.finish, asyncio.CancelledError())
        elif error := task.exception():
            self._bridge_loop.tell(self.finish, error)
        else:
            self._result = task.result()
            self._bridge_loop.tell(self.finish, None)

    def finish(self, error: BaseException | None) -> None:
        if not self.over.is_set():
            self._error = error
            self.over.set()

    @property
    def completed(self) -> bool:
        """It is over, and not merely because it was asked to stop."""
        return self.over.is_set() and not (self.cancelled and isinstance(self._error, asyncio.CancelledError))

    def value(self) -> Any:
        error = self._error
        if error is None:
            return self._result
        if isinstance(error, ConnectorError):
            raise error
        if isinstance(error, asyncio.CancelledError):
            raise self.error("cancelled by the connector itself") from error
        raise self.error(f"{type(error).__name__}: {error}") from error

    def error(self, why: str) -> ConnectorError:
        return ConnectorError(self.connector, self.doing, why)
