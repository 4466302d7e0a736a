"""Worker processes and their limits, on real processes. The jobs are functions of the standard library, since a worker
imports what it runs by name."""

import json
import operator
import os
import re
import select
import signal
import subprocess
import sys
from functools import partial

import pytest
import trio

from hub.bridge import open_bridge
from hub.connector import WorkerLimit
from hub.stream import Stream
from hub.workers import InWorker, Job, WorkerDied, WorkerError, Workers, in_worker, open_workers

AMPLE_S = 60.0
SHORT_S = 0.05
MB = 1 << 20


@pytest.mark.trio
async def test_a_result_comes_back() -> None:
    async with open_workers(count=1) as workers:
        assert await workers.run(operator.add, 1, 2, limit_s=AMPLE_S, label="sum") == 3
        assert await workers.run(json.loads, b'{"a": [1]}', limit_s=AMPLE_S, label="json") == {"a": [1]}
        assert workers.replaced == 0


@pytest.mark.trio
async def test_it_runs_elsewhere() -> None:
    async with open_workers(count=1) as workers:
        assert await workers.run(os.getpid, limit_s=AMPLE_S, label="pid") != os.getpid()


@pytest.mark.trio
async def test_large_bytes_arrive_whole() -> None:
    large = bytes(range(256)) * 4 * 4096
    async with open_workers(count=1) as workers:
        assert await workers.run(bytes.count, large, b"\x07", limit_s=AMPLE_S, label="count") == 4 * 4096
        assert await workers.run(operator.add, large, b"end", limit_s=AMPLE_S, label="add") == large + b"end"


@pytest.mark.trio
async def test_what_the_function_raises_is_raised_with_where_it_happened() -> None:
    async with open_workers(count=1) as workers:
        with pytest.raises(json.JSONDecodeError) as caught:
            await workers.run(json.loads, "{", limit_s=AMPLE_S, label="json")
        assert caught.value.pos == 1
        assert "json/decoder.py" in caught.value.__notes__[0]
        assert workers.replaced == 0


@pytest.mark.trio
async def test_an_error_that_cannot_travel_says_its_words() -> None:
    from lxml import etree

    async with open_workers(count=1, preload=["lxml.etree"]) as workers:
        with pytest.raises((WorkerError, etree.XMLSyntaxError), match="Premature end"):
            await workers.run(etree.fromstring, b"<a>", limit_s=AMPLE_S, label="cap")


@pytest.mark.trio
async def test_a_function_the_worker_cannot_find_is_an_error_of_that_job_only() -> None:
    async with open_workers(count=1) as workers:
        with pytest.raises(Exception, match=r"cannot pickle|Can't pickle"):
            await workers.run(lambda: 1, limit_s=AMPLE_S, label="lambda")
        assert await workers.run(operator.add, 1, 2, limit_s=AMPLE_S, label="sum") == 3


@pytest.mark.trio
async def test_past_its_time_a_worker_is_killed_and_replaced() -> None:
    async with open_workers(count=1) as workers:
        before = await workers.run(os.getpid, limit_s=AMPLE_S, label="pid")
        with pytest.raises(
            WorkerLimit, match=rf"^feed kmi: needed more than its limit of {SHORT_S} s and was stopped$"
        ):
            await workers.run(re.fullmatch, "(a+)+b", "a" * 60, limit_s=SHORT_S, label="feed kmi")
        assert await workers.run(os.getpid, limit_s=AMPLE_S, label="pid") != before
        assert workers.replaced == 1


@pytest.mark.trio
async def test_past_its_memory_a_job_fails_and_the_worker_is_replaced() -> None:
    async with open_workers(count=1, memory_bytes=200 * MB) as workers:
        with pytest.raises(WorkerLimit, match=r"^feed kmi: needed more memory than a worker is given$"):
            await workers.run(bytearray, 300 * MB, limit_s=AMPLE_S, label="feed kmi")
        assert await workers.run(len, bytearray(10), limit_s=AMPLE_S, label="x") == 10
        assert workers.replaced == 1


@pytest.mark.trio
async def test_input_that_cannot_fit_is_refused_before_it_is_sent() -> None:
    async with open_workers(count=1, memory_bytes=100 * MB) as workers:
        with pytest.raises(WorkerLimit, match="larger than half the memory"):
            await workers.run(len, bytes(60 * MB), limit_s=AMPLE_S, label="feed kmi")
        assert workers.replaced == 0


@pytest.mark.trio
async def test_a_result_that_is_too_large_is_refused() -> None:
    async with open_workers(count=1, result_bytes_max=MB) as workers:
        with pytest.raises(WorkerLimit, match=r"^feed kmi: its result of \d+ bytes is larger than allowed$"):
            await workers.run(bytes, 2 * MB, limit_s=AMPLE_S, label="feed kmi")


@pytest.mark.trio
@pytest.mark.parametrize(
    ("ending", "how"), [(partial(os._exit, 3), "exit status 3"), (os.abort, "signal 6")], ids=["exit", "abort"]
)
async def test_a_worker_that_dies_is_named_and_replaced(ending: "partial[None]", how: str) -> None:
    async with open_workers(count=1) as workers:
        with pytest.raises(WorkerDied, match=f"^mail 7: its worker process died \\({how}\\)$"):
            await workers.run(ending, limit_s=AMPLE_S, label="mail 7")
        assert await workers.run(operator.add, 1, 2, limit_s=AMPLE_S, label="sum") == 3


@pytest.mark.trio
async def test_a_bad_job_does_not_disturb_the_others() -> None:
    results: list[int] = []

    async def good(workers: Workers, n: int) -> None:
        results.append(await workers.run(operator.mul, n, 2, limit_s=AMPLE_S, label="good"))

    async def bad(workers: Workers) -> None:
        with pytest.raises(WorkerLimit):
            await workers.run(re.fullmatch, "(a+)+b", "a" * 60, limit_s=SHORT_S, label="bad")

    async with open_workers(count=2) as workers, trio.open_nursery() as nursery:
        for n in range(20):
            nursery.start_soon(good, workers, n)
            if n % 5 == 0:
                nursery.start_soon(bad, workers)
    assert sorted(results) == [n * 2 for n in range(20)]


@pytest.mark.trio
async def test_a_cancelled_job_is_killed_and_the_pool_stays_whole() -> None:
    async with open_workers(count=1) as workers:
        with trio.move_on_after(SHORT_S) as scope:
            await workers.run(signal.pause, limit_s=AMPLE_S, label="waits")
        assert scope.cancelled_caught
        assert await workers.run(operator.add, 1, 2, limit_s=AMPLE_S, label="sum") == 3


@pytest.mark.trio
async def test_workers_take_the_terminals_ctrl_c_and_a_stop_of_the_service_for_the_hubs_business() -> None:
    async with open_workers(count=1) as workers:
        pid = await workers.run(os.getpid, limit_s=AMPLE_S, label="pid")
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
        assert await workers.run(os.getpid, limit_s=AMPLE_S, label="pid") == pid


@pytest.mark.trio
async def test_a_module_that_cannot_be_preloaded_is_said_at_the_start(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WorkerDied, match="cannot start"):
        async with open_workers(count=1, preload=["no_such_module"]):
            pass
    assert "no_such_module" in capfd.readouterr().err


@pytest.mark.trio
async def test_asyncio_code_uses_the_same_pool() -> None:
    async def connector(run: InWorker) -> tuple[int, str]:
        total = await run(operator.add, 1, 2, limit_s=AMPLE_S, label="sum")
        try:
            await run(re.fullmatch, "(a+)+b", "a" * 60, limit_s=SHORT_S, label="feed kmi")
        except WorkerLimit as error:
            return total, str(error)
        return total, ""

    async with open_bridge() as bridge, open_workers(count=1) as workers:
        jobs: Stream[Job, object] = bridge.in_.stream(connector="workers", credits=4, overflow="wait")
        async with jobs, trio.open_nursery() as nursery:
            nursery.start_soon(workers.serve, jobs)
            total, words = await bridge.in_.call(connector, in_worker(jobs.port), connector="feed")
            jobs.finish()
    assert total == 3
    assert words == f"feed kmi: needed more than its limit of {SHORT_S} s and was stopped"


HUB = """
import os, trio
from hub.workers import open_workers

async def main():
    async with open_workers(count=1) as workers:
        print(await workers.run(os.getpid, limit_s=60, label="pid"), flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watches a process that is not its child (Linux)")
def test_workers_end_when_the_hub_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", HUB], stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        worker = os.pidfd_open(int(hub.stdout.readline()))
        try:
            hub.kill()
            ended, _, _ = select.select([worker], [], [], 30)
        finally:
            os.close(worker)
    assert ended
