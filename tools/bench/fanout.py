"""One message to 12,000 people through the real Twilio SDK, against the bare SDK to the same sink in the same run.

    python -m tools.bench.fanout [--recipients N] [--runs N] [--folder DIR]

The sink (tools/phones/sink.py) is a process of its own on loopback that accepts everything at once. The hub is `vigie
run`, and does all it does in earnest: an alert of a partner opens an incident whose sheet tells everybody, the audience
lies in the journal's vault, every chunk's attempt is durable (SQLite, fsync) before it goes out, every outcome is
written down. In its midst a second alert has an officer called.

Its rate is from the first alert's POST to the last message's arrival at the sink; the call's way from the second
alert's POST to the call's arrival there.

To reach (issue 2): at least half the bare SDK's rate, and the call within a second.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from hub.journal.reader import open_reader
from hub.model.message import Outcome
from hub.model.records import ReceiptsReceived
from tools.bench import world
from tools.bench.services import Hub
from tools.phones.sink import Sink

WIDTH = 64
TEXT = "Orange thunderstorm warning for the Brussels-Capital Region tonight. Stay inside, avoid the parks."
SHARE_TO_REACH, CALL_S_TO_REACH = 0.5, 1.0
PATIENCE_S = 120.0

_spawn = multiprocessing.get_context("spawn")


def sink_process(parent: Connection) -> None:
    """Runs the sink until the parent says so."""

    async def serve() -> None:
        sink = Sink(world.ACCOUNT, world.TOKEN)
        await sink.start()
        parent.send(sink.base_url)
        await asyncio.get_running_loop().run_in_executor(None, parent.recv)
        await sink.stop()

    uvloop.run(serve())


def start_sink() -> tuple[str, Connection, Any]:
    """Its address, what ends it, and its process."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=sink_process, args=(theirs,), daemon=True)
    process.start()
    return ours.recv(), ours, process


def ask_sink(base: str, path: str, method: str = "GET") -> Any:
    with urllib.request.urlopen(urllib.request.Request(base + path, method=method), timeout=30) as answer:
        return json.load(answer)


# --- the bare SDK ------------------------------------------------------------------------------------------


async def bare(base: str, recipients: int) -> float:
    """Messages per second as the SDK's own documentation sends them, `WIDTH` at a time."""
    http = AsyncTwilioHttpClient(pool_connections=True)
    client: Any = Client(world.ACCOUNT, world.TOKEN, http_client=http)
    client.api.base_url = base
    left = iter(range(recipients))

    async def send_in_turn() -> None:
        for number in left:
            await client.messages.create_async(to=f"+32450{number:06}", from_="+32450000000", body=TEXT)

    began = time.perf_counter()
    await asyncio.gather(*(send_in_turn() for _ in range(WIDTH)))
    took_s = time.perf_counter() - began
    await http.close()
    return recipients / took_s


# --- the hub -----------------------------------------------------------------------------------------------


def post_alert(hub: Hub, word: str) -> int:
    """A partner's alert that meets the sheet which asks for this word; when it was posted, by the sink's clock (ns)."""
    known = world.alert_id(hub.run, len(word))
    content = world.alert(known, event=word, headline=TEXT, description=word)
    raw = world.signed(content, known, hub.port, world.SOURCES[0])
    head, _, body = raw.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    request = urllib.request.Request(f"http://127.0.0.1:{hub.port}/in/{world.SOURCES[0]}", body, headers)
    at_ns = time.perf_counter_ns()
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 202, answer.status
    return at_ns


def until(done: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > end:
            sys.exit(f"after {PATIENCE_S:g} s {what}: nothing is measured")
        time.sleep(0.02)


def through_hub(base: str, recipients: int, folder: Path) -> tuple[float, float]:
    """Messages per second; the call's way in seconds."""
    hub = Hub(folder, sheets=10, twilio=base, audience=recipients)
    hub.start("http://127.0.0.1:9")
    try:
        began_ns = post_alert(hub, "evacuation")
        until(lambda: ask_sink(base, "/sink/count")["count"] > recipients // 3, "not a third of the messages has come")
        called_ns = post_alert(hub, "officier")
        until(lambda: ask_sink(base, "/sink/count")["count"] > recipients, "not all messages have come")
        until(lambda: sum(outcomes(folder).values()) > recipients, "not every outcome is in the journal")
    finally:
        hub.stop()
    if outcomes(folder) != {Outcome.SENT: recipients + 1}:
        sys.exit(f"outcomes in the journal: {outcomes(folder)}: nothing is measured")
    arrivals = ask_sink(base, "/sink")
    calls = [a["at_ns"] for a in arrivals if a["kind"] == "call"]
    messages = {a["to"]: a["at_ns"] for a in arrivals if a["kind"] == "message"}
    if len(calls) != 1 or len(messages) != recipients or len(arrivals) != recipients + 1:
        sys.exit(f"the sink got {len(messages)} of {recipients} messages and {len(calls)} calls: nothing is measured")
    return recipients / (max(messages.values()) - began_ns) * 1e9, (calls[0] - called_ns) / 1e9


def outcomes(folder: Path) -> dict[Outcome, int]:
    """What became of the deliveries, by the journal, once each."""
    known: dict[tuple[str, int], Outcome] = {}
    with open_reader(next((folder / "data").glob("*.db"))) as reader:
        place = 0
        while facts := reader.facts_after(place, 1_000):
            place = facts[-1][0]
            for _, entry in facts:
                if isinstance(entry.record.body, ReceiptsReceived):
                    known |= {(r.order, r.index): r.outcome for r in entry.record.body.receipts}
    return dict(Counter(known.values()))


# --- the run -----------------------------------------------------------------------------------------------


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--recipients", type=int, default=12_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--folder", type=Path, help="where the journal lies (the disk matters)")
    given = arguments.parse_args()
    base, ours, process = start_sink()
    bares: list[float] = []
    hubs: list[tuple[float, float]] = []
    try:
        for _ in range(given.runs):
            ask_sink(base, "/sink/reset", "POST")
            bares.append(uvloop.run(bare(base, given.recipients)))
            ask_sink(base, "/sink/reset", "POST")
            with tempfile.TemporaryDirectory(dir=given.folder) as folder:
                hubs.append(through_hub(base, given.recipients, Path(folder)))
    finally:
        ours.send("stop")
        process.join(10)
    rate, bare_rate = statistics.median(h[0] for h in hubs), statistics.median(bares)
    call_s = max(h[1] for h in hubs)
    print(f"{given.recipients} recipients, median of {given.runs} runs, {os.cpu_count()} cores")
    print(f"  bare SDK            {bare_rate:8.0f}/s   {WIDTH} at a time")
    print(f"  hub, all durable    {rate:8.0f}/s   {rate / bare_rate:.2f} of the bare SDK (to reach {SHARE_TO_REACH})")
    print(f"  an officer's call   {call_s * 1000:8.0f} ms   slowest of {given.runs} (to reach {CALL_S_TO_REACH:g} s)")
    if rate < SHARE_TO_REACH * bare_rate or call_s > CALL_S_TO_REACH:
        sys.exit("  NOT REACHED")


if __name__ == "__main__":
    main()
