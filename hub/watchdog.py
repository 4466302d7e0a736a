"""Notices what holds the hub up, and names it: an asyncio loop that does not turn, or trio itself that runs late.

Each loop is sent round once per `every_s` and has to come back. While it has not, the watchdog looks at what its
thread is doing, at most once per `every_s`: two small crossings twenty times a second when all is well. Code that
keeps the interpreter lock (a pattern in C) stops the watchdog too: it then reports that trio was late, and what each
loop was doing when it could look again.
"""

import sysconfig
from collections.abc import Callable
from types import FrameType

import structlog
import trio
from msgspec import Struct

from hub import bridge
from hub.bridge import Bridge, Loop, place_of

# Not to blame: what Python and its packages were asked to do, and the loop that ran it.
_NOT_TO_BLAME = (*(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")), "<frozen ", bridge.__file__)

log = structlog.get_logger(__name__)


class Stall(Struct, frozen=True, kw_only=True):
    """`where` (`out`, `in` or `trio`) has been held up for `seconds`: so far, or in all once it is `over`.
    `connector`: on whose behalf the thread was working, empty if that is not known. `place`: `file:line function`, in
    our own code where there is any on the stack."""

    where: str
    seconds: float
    over: bool
    connector: str = ""
    place: str = ""


def log_stall(stall: Stall) -> None:
    log.warning(
        "held up" if not stall.over else "no longer held up",
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
    every_s: float = 0.05,
) -> None:
    """Watches until cancelled. Reports a loop that does not turn for `loop_blocked_s` twice, when noticed and when it
    is over; and trio once, whenever its own timer was `trio_late_s` late."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch_trio, report, trio_late_s, every_s)
        for loop in door.loops:
            nursery.start_soon(_watch_loop, loop, report, loop_blocked_s, every_s)


async def _watch_trio(report: Callable[[Stall], None], late_s: float, every_s: float) -> None:
    while True:
        due = trio.current_time() + every_s
        await trio.sleep_until(due)
        late = trio.current_time() - due
        if late >= late_s:
            report(Stall(where="trio", seconds=late, over=True))


async def _watch_loop(loop: Loop, report: Callable[[Stall], None], blocked_s: float, every_s: float) -> None:
    while True:
        back = trio.Event()
        sent = trio.current_time()
        loop.beat(back.set)
        with trio.move_on_after(blocked_s):
            await back.wait()
        if not back.is_set():
            connector, frame = loop.busy_with()
            place = place_of(_ours(frame))
            blocked = trio.current_time() - sent
            report(Stall(where=loop.name, seconds=blocked, over=False, connector=connector, place=place))
            await back.wait()
            blocked = trio.current_time() - sent
            report(Stall(where=loop.name, seconds=blocked, over=True, connector=connector, place=place))
        await trio.sleep(every_s)


def _ours(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that is not a library's nor the bridge's own; the innermost of all if there is none."""
    innermost = frame
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_NOT_TO_BLAME):
            return frame
        frame = frame.f_back
    return innermost
