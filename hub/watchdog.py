"""Notices what holds the hub up, and names it: an asyncio loop that does not turn, or trio itself that runs late.

Each loop is sent round once per `every_s` and has to come back; while it has not, its thread is looked at from trio.
That costs two small crossings seven times a second; what holds a loop up for 300 ms is still always noticed.

Trio is late when hub code computes for too long, or when any thread keeps the interpreter lock (a pattern or a
decoder in C); then no Python code can look at anything. When the lock is given up, trio looks at once at what each
loop's thread is in the middle of: it is usually still where it was. (faulthandler could look while the lock is held,
but it walks frames that change under it, and once ended a hub: what watches must never harm.)
"""

import re
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import FrameType
from typing import NamedTuple

import structlog
import trio
from msgspec import Struct

from hub import bridge, stream
from hub.bridge import Bridge, Loop

log = structlog.get_logger(__name__)

# Not to blame: what Python and its packages were asked to do, and the loop that ran it.
_NOT_TO_BLAME = (
    *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
    "<frozen ",
    bridge.__file__,
    stream.__file__,
)


class Stall(Struct, frozen=True, kw_only=True):
    """`where` (`out`, `in` or `trio`) has been held up for `seconds`: so far, or in all once it is `over`.
    `connector`: on whose behalf the thread was working, or whose code it was in; empty if neither is known. `place`:
    `file:line function`, in our own code where there is any on the stack."""

    where: str
    seconds: float
    over: bool
    connector: str = ""
    place: str = ""


def log_stall(stall: Stall) -> None:
    log.warning(
        "no longer held up" if stall.over else "held up",
        where=stall.where,
        connector=stall.connector or None,
        place=stall.place or None,
        seconds=round(stall.seconds, 3),
    )


async def watch(
    door: Bridge,
    *,
    report: Callable[[Stall], None] = log_stall,
    loop_blocked_s: float = 0.1,
    trio_late_s: float = 0.1,
    every_s: float = 0.15,
) -> None:
    """Watches until cancelled. Reports a loop that does not turn for `loop_blocked_s` twice, when noticed and when it
    is over; and trio once, whenever its own timer was `trio_late_s` late."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch_trio, door.loops, report, trio_late_s, every_s)
        for loop in door.loops:
            nursery.start_soon(_watch_loop, loop, report, loop_blocked_s, every_s)


async def watch_trio(
    *, report: Callable[[Stall], None] = log_stall, late_s: float = 0.1, every_s: float = 0.15
) -> None:
    """The same where there are no loops to watch."""
    await _watch_trio((), report, late_s, every_s)


async def _watch_loop(loop: Loop, report: Callable[[Stall], None], blocked_s: float, every_s: float) -> None:
    while True:
        back = trio.Event()
        sent = trio.current_time()
        loop.beat(back.set)
        with trio.move_on_after(blocked_s):
            await back.wait()
        if not back.is_set():
            connector, frame = loop.busy_with()
            call = _to_blame(list(_calls(frame)))
            connector = connector or call.connector
            seconds = trio.current_time() - sent
            report(Stall(where=loop.name, seconds=seconds, over=False, connector=connector, place=str(call)))
            await back.wait()
            seconds = trio.current_time() - sent
            report(Stall(where=loop.name, seconds=seconds, over=True, connector=connector, place=str(call)))
        await trio.sleep(every_s)


async def _watch_trio(loops: Sequence[Loop], report: Callable[[Stall], None], late_s: float, every_s: float) -> None:
    while True:
        due = trio.current_time() + every_s
        await trio.sleep_until(due)
        late = trio.current_time() - due
        if late >= late_s:
            connector, place = _at_work(loops)
            report(Stall(where="trio", seconds=late, over=True, connector=connector, place=place))


# --- who is to blame ---------------------------------------------------------------------------------------


class Call(NamedTuple):
    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}" if self.file else ""

    @property
    def connector(self) -> str:
        """Whose code it is, by its folder."""
        found = re.search(r"[/\\]connectors[/\\](\w+)", self.file)
        return found[1] if found else ""


def _to_blame(calls: Sequence[Call]) -> Call:
    """Of a stack, innermost first: the innermost that is our own code; the innermost of all if none is."""
    for call in calls:
        if not call.file.startswith(_NOT_TO_BLAME):
            return call
    return calls[0] if calls else Call("", 0, "")


def _calls(frame: FrameType | None) -> Iterator[Call]:
    while frame is not None:
        yield Call(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname)
        frame = frame.f_back


# Where a thread is found that has nothing to do: in the loop's own waiting.
_WAITING = {"get_events", "select", "_run"}


def _at_work(loops: Iterable[Loop]) -> tuple[str, str]:
    """On whose behalf loops are in the middle of something, and where."""
    connectors, places = [], []
    for loop in loops:
        connector, frame = loop.busy_with()
        calls = list(_calls(frame))
        if calls and calls[0].function.rpartition(".")[2] not in _WAITING:
            call = _to_blame(calls)
            connectors.append(connector or call.connector)
            places.append(str(call))
    return next(filter(None, connectors), ""), " or ".join(places)
