"""Measures the bridge: `python -m tools.bench.bridge [latency|throughput]`.

latency: from a trio deadline to the request's arrival at a gateway (an aiohttp server in a process of its own), while
nothing else happens and while a source on the `in` loop does each of the four things a source must not do to the rest.
throughput: an aiohttp handler on the `in` loop offers each request to trio and answers when trio has; against the
same handler without the hub behind it.

Every server and disturbance is on loopback, in processes and threads that end with the run.
"""

import argparse
import asyncio
import json
import math
import multiprocessing
import os
import re
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, cast

import trio
import uvloop
from aiohttp import ClientSession, web

from hub.bridge import Bridge, Loop, Port, Stream, open_bridge
from hub.connector import WorkerLimit
from hub.watchdog import Stall, watch
from hub.workers import InWorker, Job, in_worker, open_workers

REQUIRED_P99_MS = 50.0
LARGE_JSON_BYTES = 50_000_000

_spawn = multiprocessing.get_context("spawn")


def percentile(sorted_values: Sequence[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, math.ceil(share * len(sorted_values)) - 1)]


# --- the gateway, in its own process -----------------------------------------------------------------------


def gateway(parent: Connection) -> None:
    """Notes when each request arrives (the monotonic clock is the same in every process), and serves the large JSON."""
    arrivals: dict[int, float] = {}
    noise: list[float] = []

    async def send(request: web.Request) -> web.Response:
        arrivals[int(request.match_info["n"])] = time.perf_counter()
        await request.read()
        return web.Response(text="ok")

    item = json.dumps({"id": "0123456789", "headline": "x" * 60, "value": 1.5, "tags": ["a", "b"]})
    large = ("[" + ",".join([item] * (LARGE_JSON_BYTES // (len(item) + 1))) + "]").encode()

    async def feed(_: web.Request) -> web.Response:
        return web.Response(body=large, content_type="application/json")

    async def main() -> None:
        app = web.Application()
        app.add_routes([web.post("/send/{n}", send), web.get("/feed", feed)])
        async with serving(app) as port:
            parent.send(port)
            ticking = asyncio.create_task(tick(noise))
            await asyncio.to_thread(parent.recv)  # the word to stop, or the parent's end
            ticking.cancel()
            parent.send((arrivals, noise))

    uvloop.run(main())


async def tick(late: list[float]) -> None:
    """How late a timer is in a process that does nothing else: what the machine itself adds."""
    while True:
        due = time.perf_counter() + 0.02
        await asyncio.sleep(0.02)
        late.append(time.perf_counter() - due)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[int]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        try:
            await web.SockSite(runner, listening, backlog=512).start()
            yield listening.getsockname()[1]
        finally:
            await runner.cleanup()


# --- what the source does meanwhile ------------------------------------------------------------------------


Disturbance = Callable[[str, InWorker], Coroutine[Any, Any, None]]


async def undisturbed(url: str, run: InWorker) -> None:
    await asyncio.sleep(3600)


async def sleeps_in_its_callback(url: str, run: InWorker) -> None:
    while True:
        time.sleep(0.3)  # noqa: ASYNC251 (the fault under test)
        await asyncio.sleep(0.05)


async def computes_for_a_second(url: str, run: InWorker) -> None:
    while True:
        until = time.perf_counter() + 1
        total = 0
        while time.perf_counter() < until:
            total += sum(n * n for n in range(100))
        await asyncio.sleep(0.05)


async def meets_a_backtracking_pattern(url: str, run: InWorker) -> None:
    while True:
        try:
            await run(re.fullmatch, r"(a+)+b", "a" * 60, limit_s=1.0, label="source: pattern")
        except WorkerLimit:
            continue
        raise AssertionError("the pattern was meant to exceed its limit")


async def receives_a_large_json(url: str, run: InWorker) -> None:
    async with ClientSession() as session:
        while True:
            async with session.get(f"{url}/feed") as response:
                body = await response.read()
            await run(count_items, body, limit_s=30.0, label="source: feed")
            del body


def count_items(body: bytes) -> int:
    return len(json.loads(body))


DISTURBANCES = (
    undisturbed,
    sleeps_in_its_callback,
    computes_for_a_second,
    meets_a_backtracking_pattern,
    receives_a_large_json,
)


# --- latency -----------------------------------------------------------------------------------------------


class Client:
    """The sender: an aiohttp session on the `out` loop."""

    async def open(self) -> None:
        self._session = ClientSession()

    async def close(self) -> None:
        await self._session.close()

    async def send(self, url: str) -> None:
        async with self._session.post(url, json={"to": "+32475123456", "text": "x" * 160}) as response:
            await response.read()


async def measure_latency(
    disturb: Callable[[str, InWorker], Coroutine[Any, Any, None]],
    *,
    rate: float,
    seconds: float,
    switch_interval_s: float,
) -> tuple[list[float], list[float], list[Stall]]:
    """Lateness in milliseconds, sorted, of every request and of an idle process's timer; the watchdog's reports."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=gateway, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    port = await trio.to_thread.run_sync(ours.recv)
    url = f"http://127.0.0.1:{port}"
    stalls: list[Stall] = []
    count = int(rate * seconds)
    due: list[float] = []
    async with (
        open_bridge(switch_interval_s=switch_interval_s) as bridge,
        open_workers(memory_bytes=2 << 30) as workers,
        trio.open_nursery() as nursery,
    ):
        client = Client()
        await bridge.out.call(client.open, connector="gateway")
        jobs: Stream[Job, Any] = bridge.in_.stream(connector="workers", credits=16, overflow="wait")
        nursery.start_soon(workers.serve, jobs)
        await bridge.out.call(client.send, f"{url}/send/{count}", connector="gateway")  # connects
        nursery.start_soon(partial(watch, bridge, report=stalls.append))
        nursery.start_soon(partial(bridge.in_.call, disturb, url, in_worker(jobs.port), connector="bad source"))
        offset = time.perf_counter() - trio.current_time()
        start = trio.current_time() + 0.5
        async with trio.open_nursery() as senders:
            for n in range(count):
                deadline = start + n / rate
                due.append(deadline + offset)
                senders.start_soon(send_at, deadline, bridge, client, f"{url}/send/{n}")
        await bridge.out.call(client.close, connector="gateway")
        nursery.cancel_scope.cancel()
    ours.send(None)
    arrivals, noise = await trio.to_thread.run_sync(ours.recv)
    await trio.to_thread.run_sync(process.join)
    return (
        sorted((arrivals[n] - due[n]) * 1000 for n in range(count)),
        sorted(late * 1000 for late in noise),
        stalls,
    )


async def send_at(deadline: float, bridge: Bridge, client: Client, url: str) -> None:
    await trio.sleep_until(deadline)
    await bridge.out.call(client.send, url, connector="gateway", deadline_s=10)


def latency(args: argparse.Namespace) -> bool:
    print(f"deadline → request at the gateway, {args.rate:g}/s for {args.seconds:g} s, required p99 < 50 ms")
    print(f"switch interval {args.switch_interval_ms:g} ms")
    fine = True
    for disturb in (d for d in DISTURBANCES if d.__name__ in args.cases or not args.cases):
        late, noise, stalls = trio.run(
            partial(
                measure_latency,
                disturb,
                rate=args.rate,
                seconds=args.seconds,
                switch_interval_s=args.switch_interval_ms / 1000,
            )
        )
        p50, p99 = percentile(late, 0.5), percentile(late, 0.99)
        fine &= p99 < REQUIRED_P99_MS
        blamed = sorted({f"{stall.where}: {stall.connector or '?'}" for stall in stalls})
        print(
            f"  {disturb.__name__:30} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   max {late[-1]:6.2f} ms   "
            f"{'ok' if p99 < REQUIRED_P99_MS else 'TOO LATE'}"
        )
        print(
            f"  {'':30} (an idle process's timer: p99 {percentile(noise, 0.99):.2f} ms; "
            f"watchdog: {len(stalls)} reports {', '.join(blamed)})"
        )
    return fine


# --- throughput --------------------------------------------------------------------------------------------


def plain_server(parent: Connection) -> None:
    """aiohttp on uvloop, the handler answers at once."""

    async def main() -> None:
        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            return web.Response(text=str(len(body)))

        app = web.Application()
        app.add_routes([web.post("/", handle)])
        async with serving(app) as port:
            parent.send(port)
            await asyncio.to_thread(parent.recv)
            parent.send({})

    uvloop.run(main())


def bridged_server(parent: Connection, switch_interval_s: float) -> None:
    """The same, but every request is offered to trio and answered when trio has answered."""
    trio.run(_bridged_server, parent, switch_interval_s)


async def _bridged_server(parent: Connection, switch_interval_s: float) -> None:
    async with open_bridge(switch_interval_s=switch_interval_s) as bridge, trio.open_nursery() as nursery:
        loop: Loop = bridge.in_
        stream: Stream[bytes, int] = loop.stream(connector="web", credits=1024, overflow="wait")
        ready = trio.Event()
        ports: list[int] = []

        async def run(port: Port[bytes, int]) -> None:
            async def handle(request: web.Request) -> web.Response:
                return web.Response(text=str(await port.offer(await request.read())))

            app = web.Application()
            app.add_routes([web.post("/", handle)])
            async with serving(app) as number:
                ports.append(number)
                bridge.in_._tell(lambda _: ready.set(), None)
                await asyncio.sleep(math.inf)

        batches = 0

        async def answer() -> None:
            nonlocal batches
            async for batch in stream:
                batches += 1
                batch.answer([len(item) for item in batch.items])

        nursery.start_soon(answer)
        nursery.start_soon(partial(loop.call, run, stream.port, connector="web"))
        await ready.wait()
        parent.send(ports[0])
        await trio.to_thread.run_sync(parent.recv, abandon_on_cancel=True)
        parent.send({"batches": batches, "bursts in": loop.bursts_in, "bursts out": loop.bursts_out})
        nursery.cancel_scope.cancel()


class Poster(asyncio.Protocol):
    """One keep-alive connection that posts again as soon as it is answered; as bare as can be, so that the client
    is not what is measured."""

    REQUEST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n\r\n" + b"x" * 200

    def __init__(self, took: list[float]) -> None:
        self._took = took

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it
        self._post()

    def _post(self) -> None:
        self._since = time.perf_counter()
        self._transport.write(self.REQUEST)

    def data_received(self, data: bytes) -> None:
        assert data.startswith(b"HTTP/1.1 200"), data[:80]
        self._took.append(time.perf_counter() - self._since)
        self._post()


async def load(port: int, connections: int, seconds: float) -> list[float]:
    took: list[float] = []
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: Poster(took), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.sleep(0.5)
    took.clear()
    await asyncio.sleep(seconds)
    counted = took.copy()
    for transport, _ in opened:
        transport.abort()
    return counted


def measure_throughput(
    server: Callable[..., None], *server_args: object, connections: int, seconds: float
) -> tuple[float, float, float, dict[str, int]]:
    """Requests/s, p50 and p99 in milliseconds, and the server's own counts."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=server, args=(theirs, *server_args), daemon=True)
    process.start()
    theirs.close()
    took = sorted(uvloop.run(load(ours.recv(), connections, seconds)))
    ours.send(None)
    counts = ours.recv()
    process.join()
    return len(took) / seconds, percentile(took, 0.5) * 1000, percentile(took, 0.99) * 1000, counts


def throughput(args: argparse.Namespace) -> None:
    for connections in (1, 64):
        print(f"one aiohttp handler, {connections} connections, {args.seconds:g} s each")
        options = {"connections": connections, "seconds": args.seconds}
        plain, p50, p99, _ = measure_throughput(plain_server, **options)
        print(f"  plain aiohttp + uvloop  {plain:8,.0f}/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
        bridged, p50, p99, counts = measure_throughput(bridged_server, args.switch_interval_ms / 1000, **options)
        print(
            f"  answered by trio        {bridged:8,.0f}/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   "
            f"ratio {bridged / plain:.2f}   {counts}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["latency", "throughput", "both"], default="both")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each case (default 10)")
    parser.add_argument(
        "--case",
        dest="cases",
        action="append",
        default=[],
        choices=[d.__name__ for d in DISTURBANCES],
        help="only this disturbance (may be repeated)",
    )
    parser.add_argument("--rate", type=float, default=50.0, help="deadlines per second (default 50)")
    parser.add_argument("--switch-interval-ms", type=float, default=0.5)
    args = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    fine = args.what == "throughput" or latency(args)
    if args.what != "latency":
        throughput(args)
    return 0 if fine else 1


if __name__ == "__main__":
    # Under its own name, because a worker process cannot import a function from `__main__`.
    sys.exit(import_module("tools.bench.bridge").main())
