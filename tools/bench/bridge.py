"""Measures the door between the hub and what is asyncio: `python -m tools.bench.bridge [latency|throughput]`.

latency: from a trio deadline to the request's arrival at a gateway (an aiohttp server in a process of its own), through
the edge as `vigie run` starts it, while nothing else happens and while a source does each of the things a source must
not do to the rest (tools/bench/misbehaving.py). What sources offer is made durable by the hub's own intake and journal.
throughput: an aiohttp handler at the edge offers each request to the hub and answers when it has been taken, which
here it is at once; against the same handler without a hub behind it.

Every server and disturbance is on loopback, in processes that end with the run.
"""

import argparse
import asyncio
import collections
import json
import math
import multiprocessing
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import trio
import uvloop
from aiohttp import web

from hub.connector import Environment, Outgoing, Taken, Unavailable
from hub.edge.door import Edge, Take
from hub.edge.setup import Made, Setup
from hub.intake.intake import Intake
from hub.intake.port import Answered, Offered
from hub.journal.sqlite import open_sqlite
from hub.model.ids import Ids
from hub.model.people import Language
from hub.model.signal import Status
from tools.bench.misbehaving import DISTURBANCES, Asks, Config, Posts, Undisturbed

REQUIRED_P99_MS = 50.0
LARGE_JSON_BYTES = 50_000_000
TOKEN = "token-of-the-benchmarks-only-0123456789"

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


def start(server: Callable[[Connection], None]) -> tuple[str, Connection, Any]:
    """A server in a process of its own: its address, what it says, and the process, which ends when it is told to."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=server, args=(theirs,))
    process.start()
    theirs.close()
    return f"http://127.0.0.1:{ours.recv()}", ours, process


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


# --- the edge ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def edge(source: type[Undisturbed], url: str, feed: str, folder: Path, take: Take) -> AsyncIterator[Edge]:
    """An edge with a source, listened to, that may read from `feed`, and a channel that posts to `url`."""
    os.environ["VIGIE_API_TOKEN"] = TOKEN
    setup = Setup(
        sources={"source": Made(source, Config(feed))},
        channels={"gateway": Made(Posts, Config(url))},
        host="127.0.0.1",
        port=0,
        public_url="http://127.0.0.1",
        secrets=folder,
        playback=False,
    )

    async def answer(verb: str, words: Sequence[Any]) -> Any:
        return {}

    async def report(how: str) -> None:
        sys.exit(f"the edge ended: {how}")

    made = Edge(setup, now_s=time.time, take=take, answer=answer, report=report, gap=report)
    async with trio.open_nursery() as nursery:
        await nursery.start(made.run)
        made.listen()
        yield made
        with trio.move_on_after(5):  # a source that computes need not be heard out
            await made.finish()
        made.close()
        await made.ended.wait()


@contextmanager
def standard_error() -> Iterator[Any]:
    """What this process and those it starts write to standard error goes to a file, which is given."""
    kept = os.dup(2)
    with tempfile.TemporaryFile("w+") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def reports(said: str) -> dict[str, int]:
    """Whom the watchdog named, by the log, and how often."""
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    held_up = [line for line in lines if line["event"] == "held up"]
    return dict(collections.Counter(f"{line['where']}: {line['connector'] or '?'}" for line in held_up))


# --- latency -----------------------------------------------------------------------------------------------


async def measure_latency(source: type[Undisturbed], rate: float, seconds: float) -> tuple[list[float], list[float]]:
    """Lateness in milliseconds, sorted, of every request and of an idle process's timer."""
    count = int(rate * seconds)
    due: list[float] = []
    # What serves the source is not what notes arrivals: to serve 50 MB takes a while.
    feed, beside, serving_feed = await trio.to_thread.run_sync(start, gateway)
    url, ours, process = await trio.to_thread.run_sync(start, gateway)
    with tempfile.TemporaryDirectory() as folder:
        async with open_sqlite(Path(folder) / "journal.db") as journal:
            intake = Intake(
                journal,
                now,
                Ids(random.Random(1)),
                locate=lambda signal: signal,
                understanding=cast(Any, None),  # nobody answers here
                trust={},
            )
            async with edge(source, url, feed, Path(folder), intake.take) as door:
                await send_at(trio.current_time(), door, count)  # connects
                offset = time.perf_counter() - trio.current_time()
                first = trio.current_time() + 0.5
                async with trio.open_nursery() as senders:
                    for n in range(count):
                        deadline = first + n / rate
                        due.append(deadline + offset)
                        senders.start_soon(send_at, deadline, door, n)
    for told, ending in ((beside, serving_feed), (ours, process)):
        told.send(None)
        arrivals, noise = await trio.to_thread.run_sync(told.recv)
        await trio.to_thread.run_sync(ending.join)
    return (
        sorted((arrivals[n] - due[n]) * 1000 for n in range(count)),
        sorted(late * 1000 for late in noise),
    )


def now() -> datetime:
    return datetime.now(UTC)


LIKENESS = Posts(Config(""), Environment(name="gateway", secret=str))  # the channel on the hub's side


async def send_at(deadline: float, door: Edge, n: int) -> None:
    outgoing = Outgoing(
        order="o", index=n, attempt="a", nth=1, repeat=False, to=f"/send/{n}", language=Language.FR, subject="",
        text="x" * 160, voice="", status=Status.ACTUAL, since=now(), others=frozenset(),
    )  # fmt: skip
    await trio.sleep_until(deadline)
    await door.call(LIKENESS.send, outgoing, connector="gateway", deadline_s=10)


def latency(args: argparse.Namespace) -> bool:
    print(f"deadline → request at the gateway, {args.rate:g}/s for {args.seconds:g} s, required p99 < 50 ms")
    fine = True
    for source in (one for one in DISTURBANCES if one.__name__ in args.cases or not args.cases):
        with standard_error() as said:
            late, noise = trio.run(partial(measure_latency, source, args.rate, args.seconds))
            said.seek(0)
            named = reports(said.read())
        p50, p99 = percentile(late, 0.5), percentile(late, 0.99)
        fine &= p99 < REQUIRED_P99_MS
        print(
            f"  {source.name:31} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   max {late[-1]:6.2f} ms   "
            f"{'ok' if p99 < REQUIRED_P99_MS else 'TOO LATE'}"
        )
        print(
            f"  {'':31} (an idle process's timer: p99 {percentile(noise, 0.99):.2f} ms; held up, said the watchdog: "
            f"{', '.join(f'{who} {times} times' for who, times in named.items()) or 'nothing'})"
        )
    return fine


# --- throughput --------------------------------------------------------------------------------------------


def plain_server(parent: Connection) -> None:
    """aiohttp on uvloop, the handler answers at once."""

    async def main() -> None:
        async def handle(request: web.Request) -> web.Response:
            await request.read()
            return web.Response(status=202)

        app = web.Application()
        app.add_routes([web.post("/in/source", handle)])
        async with serving(app) as port:
            parent.send(port)
            await asyncio.to_thread(parent.recv)

    uvloop.run(main())


def hub_behind_edge(parent: Connection) -> None:
    """The same, but every request is offered to the hub and answered when the hub has answered."""

    async def take(connector: str, offers: Sequence[Offered]) -> Sequence[Answered | Unavailable]:
        return [Answered([Taken("")] * len(offer.items)) for offer in offers]

    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with edge(Asks, "", "", Path(folder), take) as door:
                parent.send(door.port)
                await trio.to_thread.run_sync(parent.recv, abandon_on_cancel=True)

    trio.run(main)


class Poster(asyncio.Protocol):
    """One keep-alive connection that posts again as soon as it is answered; as bare as can be, so that the client
    is not what is measured."""

    REQUEST = b"POST /in/source HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n\r\n" + b"x" * 200

    def __init__(self, took: list[float]) -> None:
        self._took = took

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it
        self._post()

    def _post(self) -> None:
        self._since = time.perf_counter()
        self._transport.write(self.REQUEST)

    def data_received(self, data: bytes) -> None:
        assert data.startswith(b"HTTP/1.1 202"), data[:80]
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
    server: Callable[[Connection], None], connections: int, seconds: float
) -> tuple[float, float, float]:
    """Requests/s, p50 and p99 in milliseconds."""
    url, ours, process = start(server)
    took = sorted(uvloop.run(load(int(url.rpartition(":")[2]), connections, seconds)))
    ours.send(None)
    process.join()
    return len(took) / seconds, percentile(took, 0.5) * 1000, percentile(took, 0.99) * 1000


def throughput(args: argparse.Namespace) -> None:
    for connections in (1, 64):
        print(f"one aiohttp handler, {connections} connections, {args.seconds:g} s each")
        plain, p50, p99 = measure_throughput(plain_server, connections, args.seconds)
        print(f"  plain aiohttp + uvloop  {plain:8,.0f}/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
        with standard_error():
            asked, p50, p99 = measure_throughput(hub_behind_edge, connections, args.seconds)
        print(
            f"  answered by the hub     {asked:8,.0f}/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   "
            f"ratio {asked / plain:.2f}"
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
        choices=[one.__name__ for one in DISTURBANCES],
        help="only this source (may be repeated)",
    )
    parser.add_argument("--rate", type=float, default=50.0, help="deadlines per second (default 50)")
    args = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    fine = args.what == "throughput" or latency(args)
    if args.what != "latency":
        throughput(args)
    return 0 if fine else 1


if __name__ == "__main__":
    # Under its own name, because a worker process cannot import a function from `__main__`.
    sys.exit(import_module("tools.bench.bridge").main())
