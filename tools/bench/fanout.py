"""One message to 12,000 people through the real Twilio SDK, against the bare SDK to the same sink in the same run.

    python -m tools.bench.fanout [--recipients N] [--runs N] [--folder DIR]

The sink (tools/phones/sink.py) is a process of its own on loopback that accepts everything at once. The hub does all it
does in earnest: the audience lies in the journal's vault, every chunk's attempt is durable (SQLite, fsync) before it
goes out, every outcome is written down. In its midst an officer is called: from the order to the call's arrival at the
sink.

To reach (issue 2): at least half the bare SDK's rate, and the call within a second.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import trio
import uvloop
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from connectors.twilio.channel import SmsChannel, VoiceChannel
from hub.bridge import open_bridge
from hub.connector import Environment
from hub.dispatch.dispatch import Dispatch
from hub.dispatch.policy import Limits
from hub.dispatch.render import Texts
from hub.journal.sqlite import open_sqlite
from hub.model.events import Ordered
from hub.model.ids import Ids
from hub.model.message import Lane, Message, Text
from hub.model.people import Address, Language, Person
from hub.model.records import ReceiptsReceived, VaultEntry
from hub.people.directory import Directory
from tools.phones.sink import Sink

ACCOUNT, TOKEN, SENDER = "AC" + "0" * 32, "bench", "+32450000000"
WIDTH = 64
TEXT = "Orange thunderstorm warning for the Brussels-Capital Region tonight. Stay inside, avoid the parks."
SHARE_TO_REACH, CALL_S_TO_REACH = 0.5, 1.0

_spawn = multiprocessing.get_context("spawn")


def sink_process(parent: Connection) -> None:
    """Runs the sink until the parent says so."""

    async def serve() -> None:
        sink = Sink(ACCOUNT, TOKEN)
        await sink.start()
        parent.send(sink.base_url)
        await asyncio.get_running_loop().run_in_executor(None, parent.recv)
        await sink.stop()

    uvloop.run(serve())


def ask_sink(base: str, path: str, method: str = "GET") -> Any:
    with urllib.request.urlopen(urllib.request.Request(base + path, method=method), timeout=30) as answer:
        return json.load(answer)


def numbers(recipients: int) -> list[str]:
    return [f"+32450{n:06}" for n in range(recipients)]


# --- the bare SDK ------------------------------------------------------------------------------------------


async def bare(base: str, recipients: int) -> tuple[float, float]:
    """Messages per second as the SDK's own documentation sends them, `WIDTH` at a time; CPU seconds."""
    http = AsyncTwilioHttpClient(pool_connections=True)
    client: Any = Client(ACCOUNT, TOKEN, http_client=http)
    client.api.base_url = base
    left = iter(numbers(recipients))

    async def send_in_turn() -> None:
        for number in left:
            await client.messages.create_async(to=number, from_=SENDER, body=TEXT)

    cpu_s, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(send_in_turn() for _ in range(WIDTH)))
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
    await http.close()
    return recipients / took_s, cpu_s


# --- the hub -----------------------------------------------------------------------------------------------


class NoIntake:
    """The sink calls nobody back."""

    def now(self) -> datetime:
        return datetime.now(UTC)


async def hub(base: str, recipients: int, folder: Path) -> tuple[float, float, float]:
    """Messages per second until every outcome is durable; the call's way in seconds; CPU seconds."""
    people = [
        Person(id=f"p{n}", name="", language=list(Language)[n % 4], addresses=(Address("sms", number),))
        for n, number in enumerate(numbers(recipients))
    ]
    officer = Person(id="officer", name="", addresses=(Address("voice", "+32450999999"),))
    texts = {language: Text(text=TEXT) for language in Language}
    ids = Ids(random.Random(1))
    wide = Limits(rate=1e6, burst=1e6, burst_asks=100, width=WIDTH + 8, width_asks=8)
    settings = {"account": ACCOUNT, "tokens": ["TOKEN"], "sender": SENDER, "api": base, "connections": WIDTH + 8}

    async with open_sqlite(folder / "journal.db") as journal, open_bridge() as bridge:
        channels: dict[str, Any] = {}
        kinds: dict[str, Any] = {"sms": SmsChannel, "voice": VoiceChannel}
        for name, kind in kinds.items():
            channels[name] = kind(
                msgspec.convert(settings, kind.Config), Environment(name=name, secret=lambda _: TOKEN)
            )
            await bridge.out.call(channels[name].open, NoIntake(), connector=name)
        audience = ids.new(datetime.now(UTC))
        payload = msgspec.json.encode([p.id for p in people])
        await journal.put_facts([], [VaultEntry(key=audience, payload=payload)])
        dispatch = Dispatch(
            journal=journal,
            call=bridge.out.call,
            channels=channels,
            directory=Directory([*people, officer]),
            texts=Texts(messages={"storm": Message(id="storm", texts=texts)}),
            now=lambda: datetime.now(UTC),
            ids=ids,
            chance=random.Random(2),
            limits={"sms": wide},
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(dispatch.run)
            cpu_s, began = time.process_time(), time.perf_counter()
            dispatch.submit(
                Ordered(
                    order="mass", channel="sms", lane=Lane.MASS, message="storm", audience=audience, size=recipients
                )
            )
            while dispatch.counters.sent < recipients // 3:  # noqa: ASYNC110 - counters are plain data
                await trio.sleep(0.005)
            called_ns = time.perf_counter_ns()
            dispatch.submit(
                Ordered(
                    order="call", channel="voice", lane=Lane.ASK, message="storm", recipients=("officer",),
                    values=(("code", "B"),),
                )
            )  # fmt: skip
            while dispatch.counters.sent < recipients + 1:  # noqa: ASYNC110 - likewise
                await trio.sleep(0.005)
            took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
            nursery.cancel_scope.cancel()
        for name, channel in channels.items():
            await bridge.out.call(channel.close, connector=name)
        await check(journal, recipients)
    arrivals = await trio.to_thread.run_sync(ask_sink, base, "/sink")
    calls = [a["at_ns"] for a in arrivals if a["kind"] == "call"]
    messages = {a["to"] for a in arrivals if a["kind"] == "message"}
    if len(calls) != 1 or len(messages) != recipients or len(arrivals) != recipients + 1:
        sys.exit(f"the sink got {len(messages)} of {recipients} messages and {len(calls)} calls: nothing is measured")
    return recipients / took_s, (calls[0] - called_ns) / 1e9, cpu_s


async def check(journal: Any, recipients: int) -> None:
    """Every outcome is in the journal, once."""
    known: set[tuple[str, int]] = set()
    async for batch in journal.facts():
        for entry in batch:
            if isinstance(entry.record.body, ReceiptsReceived):
                known |= {(r.order, r.index) for r in entry.record.body.receipts}
        if len(known) == recipients + 1:
            return


# --- the run -----------------------------------------------------------------------------------------------


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--recipients", type=int, default=12_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--folder", type=Path, help="where the journal lies (the disk matters)")
    given = arguments.parse_args()
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=sink_process, args=(theirs,), daemon=True)
    process.start()
    base = ours.recv()
    try:
        bares: list[tuple[float, float]] = []
        hubs: list[tuple[float, float, float]] = []
        for _ in range(given.runs):
            ask_sink(base, "/sink/reset", "POST")
            bares.append(uvloop.run(bare(base, given.recipients)))
            ask_sink(base, "/sink/reset", "POST")
            with tempfile.TemporaryDirectory(dir=given.folder) as folder:
                hubs.append(trio.run(hub, base, given.recipients, Path(folder)))
    finally:
        ours.send("stop")
        process.join(10)
    rate, bare_rate = statistics.median(h[0] for h in hubs), statistics.median(b[0] for b in bares)
    call_s = max(h[1] for h in hubs)
    cpu_us = statistics.median(h[2] for h in hubs) / given.recipients * 1e6
    bare_us = statistics.median(b[1] for b in bares) / given.recipients * 1e6
    print(f"{given.recipients} recipients, {WIDTH} at a time, median of {given.runs} runs, {os.cpu_count()} cores")
    print(f"  bare SDK            {bare_rate:8.0f}/s   {bare_us:.0f} us of CPU a message")
    print(f"  hub, all durable    {rate:8.0f}/s   {rate / bare_rate:.2f} of the bare SDK (to reach {SHARE_TO_REACH})")
    print(f"  hub, CPU            {cpu_us:8.0f} us a delivery, the SDK's own share included")
    print(f"  an officer's call   {call_s * 1000:8.0f} ms   slowest of {given.runs} (to reach {CALL_S_TO_REACH:g} s)")
    if rate < SHARE_TO_REACH * bare_rate or call_s > CALL_S_TO_REACH:
        sys.exit("  NOT REACHED")


if __name__ == "__main__":
    main()
