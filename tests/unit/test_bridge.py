"""The door's first verb, and its end."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from hub.bridge import Bridge, ConnectorError, ConnectorTask, ConnectorTimeout, Loop, open_bridge, working_for

SOON_S = 0.02  # upper bound of a wait that is meant to run out


async def echo(value: object) -> object:
    return value


async def fail() -> None:
    raise ValueError("no such number")


async def forever() -> None:
    await asyncio.Event().wait()


class Held:
    """A loop that does not turn until `release`."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._holding = threading.Event()
        self._go = threading.Event()

    async def __aenter__(self) -> "Held":
        self._loop._loop.call_soon_threadsafe(self._hold)
        await trio.to_thread.run_sync(self._holding.wait)
        return self

    def _hold(self) -> None:
        self._holding.set()
        self._go.wait()

    def release(self) -> None:
        self._go.set()

    async def __aexit__(self, *_: object) -> None:
        self.release()


def in_trio(bridge: Bridge, event: trio.Event) -> Callable[[], None]:
    """Something asyncio code can call to set a trio event."""
    return lambda: bridge.out._token.run_sync_soon(event.set)


@pytest.mark.trio
async def test_a_result_comes_back() -> None:
    async with open_bridge() as bridge:
        assert await bridge.out.call(echo, 42, connector="sms") == 42
        assert await bridge.in_.call(echo, "x", connector="feed") == "x"


@pytest.mark.trio
async def test_each_loop_is_a_thread_of_its_own() -> None:
    async def where() -> str:
        return threading.current_thread().name

    async with open_bridge() as bridge:
        names = [await loop.call(where, connector="any") for loop in bridge.loops]
    assert names == ["asyncio-out", "asyncio-in"]


@pytest.mark.trio
async def test_an_error_names_connector_and_act_and_keeps_its_cause() -> None:
    async with open_bridge() as bridge:
        with pytest.raises(ConnectorError, match=r"^sms: sending 7: ValueError: no such number$") as caught:
            await bridge.out.call(fail, connector="sms", doing="sending 7")
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.trio
async def test_an_error_before_the_coroutine_is_the_same() -> None:
    def not_a_coroutine() -> Any:
        return 3

    async with open_bridge() as bridge:
        with pytest.raises(ConnectorError, match=r"sms: .*not_a_coroutine: TypeError: "):
            await bridge.out.call(not_a_coroutine, connector="sms")


@pytest.mark.trio
async def test_a_connector_cannot_end_the_process() -> None:
    async def leave() -> None:
        sys.exit(3)

    with capture_logs() as logs:
        async with open_bridge() as bridge:
            with pytest.raises(ConnectorError, match="SystemExit"):
                await bridge.out.call(leave, connector="sms")
            assert await bridge.out.call(echo, 1, connector="sms") == 1
    assert [entry["event"] for entry in logs] == ["a connector tried to end the process"]


@pytest.mark.trio
async def test_a_connector_that_cancels_itself_is_an_error_not_a_cancellation() -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    async with open_bridge() as bridge:
        with pytest.raises(ConnectorError, match="cancelled by the connector itself"):
            await bridge.out.call(give_up, connector="sms")


@pytest.mark.trio
async def test_past_its_deadline_a_call_is_cancelled_over_there() -> None:
    stopped = threading.Event()

    async def slow() -> None:
        try:
            await forever()
        finally:
            stopped.set()

    async with open_bridge() as bridge:
        with pytest.raises(ConnectorTimeout, match=rf"sms: .*slow: not done after {SOON_S} s$"):
            await bridge.out.call(slow, connector="sms", deadline_s=SOON_S)
        assert stopped.is_set()
        assert bridge.out.abandoned == 0


@pytest.mark.trio
async def test_cancelling_in_trio_cancels_over_there_and_waits_for_it() -> None:
    stopped = threading.Event()
    started = trio.Event()

    async def listen(begun: Callable[[], None]) -> None:
        try:
            begun()
            await forever()
        finally:
            await asyncio.sleep(0)
            stopped.set()

    async with open_bridge() as bridge:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run_named, bridge.in_, listen, in_trio(bridge, started))
                await started.wait()
                scope.cancel()
        assert scope.cancelled_caught
        assert stopped.is_set()


async def run_named(loop: Loop, fn: Any, *args: object) -> None:
    await loop.call(fn, *args, connector="feed")


@pytest.mark.trio
async def test_a_send_that_went_out_although_cancelled_is_not_hidden() -> None:
    async def sends_anyway() -> str:
        try:
            await forever()
        except asyncio.CancelledError:
            return "sent"
        return "never"

    async with open_bridge() as bridge:
        assert await bridge.out.call(sends_anyway, connector="sms", deadline_s=SOON_S) == "sent"


@pytest.mark.trio
async def test_an_error_while_being_cancelled_is_not_hidden() -> None:
    async def breaks() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            raise ValueError("broke") from None

    async with open_bridge() as bridge:
        with pytest.raises(ConnectorError, match="ValueError: broke"):
            await bridge.out.call(breaks, connector="sms", deadline_s=SOON_S)


async def stubborn(released: asyncio.Event) -> None:
    while not released.is_set():
        try:
            await released.wait()
        except asyncio.CancelledError:
            continue


@pytest.mark.trio
async def test_a_call_that_does_not_stop_is_abandoned_counted_and_logged() -> None:
    released = asyncio.Event()
    with capture_logs() as logs:
        async with open_bridge(cancel_grace_s=SOON_S) as bridge:
            with pytest.raises(ConnectorTimeout, match="and does not stop"):
                await bridge.out.call(stubborn, released, connector="sms", deadline_s=SOON_S)
            assert bridge.out.abandoned == 1
            bridge.out._loop.call_soon_threadsafe(released.set)
    assert [(entry["event"], entry["connector"]) for entry in logs] == [
        ("call abandoned: it did not stop when cancelled", "sms")
    ]


@pytest.mark.trio
async def test_closing_leaves_behind_a_task_that_does_not_stop() -> None:
    released = asyncio.Event()
    with capture_logs() as logs:
        async with open_bridge(cancel_grace_s=SOON_S, close_grace_s=SOON_S) as bridge:
            with trio.move_on_after(SOON_S):
                await bridge.out.call(stubborn, released, connector="sms")
        assert not bridge.out._thread.is_alive() or await joined(bridge.out)
    assert [(entry["event"], entry["connector"]) for entry in logs] == [
        ("call abandoned: it did not stop when cancelled", "sms"),
        ("task left behind: it did not stop when cancelled", "sms"),
    ]
    assert "stubborn" in logs[1]["place"]


async def joined(loop: Loop) -> bool:
    await trio.to_thread.run_sync(loop._thread.join)
    return True


@pytest.mark.trio
async def test_closing_leaves_behind_a_thread_that_is_stuck_and_says_where() -> None:
    release = threading.Event()
    stuck = trio.Event()

    async def blocks(begun: Callable[[], None]) -> None:
        begun()
        release.wait()

    with capture_logs() as logs:
        async with (
            open_bridge(cancel_grace_s=SOON_S, close_grace_s=SOON_S) as bridge,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(run_named, bridge.in_, blocks, in_trio(bridge, stuck))
            await stuck.wait()
            nursery.cancel_scope.cancel()
    assert [(entry["event"], entry["connector"]) for entry in logs] == [
        ("call abandoned: it did not stop when cancelled", "feed"),
        ("loop left behind: its thread is stuck", "feed"),
    ]
    release.set()
    await joined(bridge.in_)


@pytest.mark.trio
async def test_closing_cancels_what_connectors_left_running() -> None:
    ended: list[str] = []

    async def background(name: str) -> None:
        try:
            await forever()
        finally:
            ended.append(name)

    async def leaves_a_task() -> None:
        left.append(asyncio.create_task(background("task")))
        await asyncio.sleep(0)

    left: list[asyncio.Task[None]] = []
    with capture_logs() as logs:
        async with open_bridge() as bridge:
            await bridge.out.call(leaves_a_task, connector="sms")
    assert ended == ["task"]
    assert logs == []


@pytest.mark.trio
async def test_a_blocking_call_in_a_thread_cannot_hold_the_end_up() -> None:
    release = threading.Event()
    begun = trio.Event()

    async def polls(begun: Callable[[], None]) -> None:
        begun()
        await asyncio.to_thread(release.wait)

    with capture_logs() as logs:
        async with open_bridge(close_grace_s=SOON_S) as bridge, trio.open_nursery() as nursery:
            nursery.start_soon(run_named, bridge.in_, polls, in_trio(bridge, begun))
            await begun.wait()
            nursery.cancel_scope.cancel()
    release.set()
    assert [entry["event"] for entry in logs] == ["threads left behind: a connector's blocking call did not return"]


@pytest.mark.trio
async def test_after_the_end_a_call_is_refused() -> None:
    async with open_bridge() as bridge:
        pass
    with pytest.raises(ConnectorError, match=r"sms: .*echo: the bridge is closed"):
        await bridge.out.call(echo, 1, connector="sms")


@pytest.mark.trio
async def test_the_switch_interval_is_lowered_while_open() -> None:
    before_s = sys.getswitchinterval()
    async with open_bridge(switch_interval_s=0.001):
        assert sys.getswitchinterval() == pytest.approx(0.001)
    assert sys.getswitchinterval() == pytest.approx(before_s)


@pytest.mark.trio
async def test_calls_of_one_moment_cross_together_both_ways() -> None:
    results: list[object] = []

    async def call(n: int) -> None:
        results.append(await bridge.out.call(echo, n, connector="sms"))

    async with open_bridge() as bridge:
        async with Held(bridge.out) as held, trio.open_nursery() as nursery:
            for n in range(100):
                nursery.start_soon(call, n)
            await trio.testing.wait_all_tasks_blocked()
            held.release()
        assert sorted(results, key=str) == sorted(range(100), key=str)
        assert bridge.out.bursts_out == 1
        assert bridge.out.bursts_in == 1


@pytest.mark.trio
async def test_tasks_know_their_connector_and_hand_it_on() -> None:
    async def name() -> str:
        task = asyncio.current_task()
        assert isinstance(task, ConnectorTask)
        return task.connector

    async def outer() -> tuple[str, str, str]:
        own, child = await name(), await asyncio.create_task(name(), name="a library's own name")
        working_for("partner")
        return own, child, await asyncio.create_task(name())

    async with open_bridge() as bridge:
        assert await bridge.in_.call(outer, connector="web") == ("web", "web", "partner")


@pytest.mark.trio
async def test_a_fault_nobody_awaits_is_logged_with_its_connector() -> None:
    logged = trio.Event()

    async def breaks_in_a_callback() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)

    with capture_logs() as logs:
        async with open_bridge() as bridge:
            await bridge.out.call(breaks_in_a_callback, connector="sms")
            bridge.out.beat(logged.set)
            await logged.wait()
    (entry,) = logs
    assert entry["connector"] == "sms"
    assert "ZeroDivisionError" in entry["error"]


STOPS_ON_SIGTERM = """
import asyncio, signal, trio
from hub.bridge import ConnectorError, open_bridge

async def listen():
    print("listening\\n", end="", flush=True)  # in one piece: two threads print
    try:
        await asyncio.Event().wait()
    finally:
        print("source stopped\\n", end="", flush=True)

async def main():
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with open_bridge() as bridge, trio.open_nursery() as nursery:
            for loop in bridge.loops:
                nursery.start_soon(lambda loop=loop: loop.call(listen, connector="feed"))
            async for number in signals:
                print(signal.Signals(number).name, flush=True)
                nursery.cancel_scope.cancel()
                break
    print("ended", flush=True)

trio.run(main)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_hub_without_a_word_on_standard_error(number: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", STOPS_ON_SIGTERM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["listening\n", "listening\n"]
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert sorted(out.splitlines()) == sorted([number.name, "source stopped", "source stopped", "ended"])
    assert (process.returncode, err) == (0, "")
