"""What holds the hub up is noticed and named."""

import re
import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing

from hub.bridge import Loop, open_bridge
from hub.watchdog import Stall, log_stall, watch

BLOCKED_S = 0.02


class Reports:
    def __init__(self) -> None:
        self.send, self.receive = trio.open_memory_channel[Stall](100)

    def __call__(self, stall: Stall) -> None:
        self.send.send_nowait(stall)


@pytest.mark.trio
async def test_a_blocked_loop_is_reported_with_its_culprit_and_when_it_is_over() -> None:
    release = threading.Event()

    async def blocks() -> None:
        release.wait()

    reports = Reports()
    async with open_bridge() as bridge, trio.open_nursery() as nursery:
        nursery.start_soon(
            partial(watch, bridge, report=reports, loop_blocked_s=BLOCKED_S, trio_late_s=60, every_s=0.001)
        )
        nursery.start_soon(partial(bridge.in_.call, blocks, connector="kmi"))
        noticed = await blamed(reports, "in", over=False)
        release.set()
        ended = await blamed(reports, "in", over=True)
        nursery.cancel_scope.cancel()
    assert noticed.connector == ended.connector == "kmi"
    assert noticed.place.startswith(f"{__file__}:")
    assert noticed.place.endswith(
        " test_a_blocked_loop_is_reported_with_its_culprit_and_when_it_is_over.<locals>.blocks"
    )
    assert BLOCKED_S <= noticed.seconds <= ended.seconds


async def blamed(reports: Reports, where: str, *, over: bool, place: str = "") -> Stall:
    """The first such stall; one of this `place`, whatever else a busy machine was late with."""
    async for stall in reports.receive:
        if (stall.where, stall.over) == (where, over) and stall.place.endswith(place):
            return stall
    raise AssertionError


@pytest.mark.trio
async def test_a_callback_without_a_task_is_named_by_its_place() -> None:
    release = threading.Event()

    def in_a_callback() -> None:
        release.wait()

    def schedule(loop: Loop) -> None:
        loop._loop.call_soon_threadsafe(in_a_callback)

    reports = Reports()
    async with open_bridge() as bridge, trio.open_nursery() as nursery:
        nursery.start_soon(
            partial(watch, bridge, report=reports, loop_blocked_s=BLOCKED_S, trio_late_s=60, every_s=0.001)
        )
        schedule(bridge.out)
        noticed = await blamed(reports, "out", over=False)
        release.set()
        nursery.cancel_scope.cancel()
    assert noticed.place.endswith("in_a_callback")


@pytest.mark.trio
async def test_trio_running_late_is_reported(mock_clock: trio.testing.MockClock) -> None:
    stalls: list[Stall] = []
    no_loops: Any = SimpleNamespace(loops=())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(watch, no_loops, report=stalls.append, trio_late_s=0.1, every_s=0.05))
        for step_s in (0.05, 0.05, 0.35, 0.05):
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(step_s)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    (stall,) = stalls
    assert (stall.where, stall.over) == ("trio", True)
    assert stall.seconds == pytest.approx(0.30)


@pytest.mark.trio
async def test_who_keeps_the_interpreter_lock_is_named_afterwards() -> None:
    seen = threading.Event()

    async def backtracks() -> None:
        re.fullmatch("(a+)+b", "a" * 25)  # about a second in C
        seen.wait()  # whoever is done by then is not found any more

    reports = Reports()
    async with open_bridge() as bridge, trio.open_nursery() as nursery:
        nursery.start_soon(partial(watch, bridge, report=reports, loop_blocked_s=60, trio_late_s=0.05, every_s=0.01))
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(partial(bridge.in_.call, backtracks, connector="kmi"))
        try:
            with trio.fail_after(60):
                stall = await blamed(reports, "trio", over=True, place=".backtracks")
        finally:
            seen.set()
        nursery.cancel_scope.cancel()
    assert stall.place.startswith(f"{__file__}:")
    assert stall.connector == "kmi"


def test_reports_go_to_the_log() -> None:
    from structlog.testing import capture_logs

    with capture_logs() as logs:
        log_stall(Stall(where="in", seconds=0.3, over=False, connector="kmi", place="a.py:1 f"))
        log_stall(Stall(where="trio", seconds=0.5, over=True))
    assert [(entry["event"], entry["connector"], entry["seconds"]) for entry in logs] == [
        ("held up", "kmi", 0.3),
        ("no longer held up", None, 0.5),
    ]
