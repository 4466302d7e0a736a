"""What listening costs: many feeds polled each minute, and a burst of social posts in whose midst an officer is called.

    python -m tools.bench.listening [--feeds N] [--minutes M] [--posts N] [--folder DIR]

Feeds: a hub polls each feed once a minute; of each ten polls one finds a new item (of twenty), the others are answered
304. Measured once all were polled for the first time: processor time and memory of all the hub's processes, against
a bare aiohttp client that makes as many conditional requests to the same server and throws the answers away.

Burst: posts come over one Jetstream, evenly within a minute; every one is wanted and becomes a durable signal. Every
five seconds a partner's alert has an officer called, through the real Twilio SDK: from the alert's POST to the call's
arrival at the sink.

To reach (issue 5): every post in the journal, and each call within a second.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import aiohttp
import uvloop

from hub.journal.reader import open_reader
from hub.model.records import SignalReceived
from tools.bench import world
from tools.bench.fanout import ask_sink, start_sink, until
from tools.bench.figures import quantile, say
from tools.bench.publishers import start_publishers
from tools.bench.services import Hub

CALL_EVERY_S, CALL_S_TO_REACH = 5.0, 1.0


class Listening(Hub):
    """A hub with these sources besides the partners."""

    more = ""

    def prepare(self, gateway: str) -> None:
        super().prepare(gateway)
        with (self.config / "sources.yaml").open("a") as file:
            file.write(self.more)


def ask(place: str, path: str, method: str = "GET") -> dict[str, int]:
    with urllib.request.urlopen(urllib.request.Request(f"http://{place}{path}", method=method), timeout=60) as answer:
        found: dict[str, int] = json.load(answer)
        return found


def signals(folder: Path, source: str) -> int:
    """How many of a source are in the journal."""
    count = place = 0
    with open_reader(next((folder / "data").glob("*.db"))) as reader:
        while facts := reader.facts_after(place, 1_000):
            place = facts[-1][0]
            bodies = [entry.record.body for _, entry in facts]
            count += sum(isinstance(body, SignalReceived) and body.source.startswith(source) for body in bodies)
    return count


# --- feeds ---------------------------------------------------------------------------------------------------


async def bare(place: str, feeds: int) -> float:
    """Processor seconds of this process for one conditional request of each feed."""
    async with aiohttp.ClientSession() as session:

        async def get(number: int, etag: str) -> str:
            async with session.get(f"http://{place}/feed/{number}", headers={"If-None-Match": etag}) as answer:
                await answer.read()
                return answer.headers.get("ETag", etag)

        known = [await get(number, "") for number in range(feeds)]
        began = time.process_time()
        for number in range(feeds):
            await get(number, known[number])
        return time.process_time() - began


def feeds(place: str, folder: Path, count: int, minutes: float) -> None:
    hub = Listening(folder, sheets=100)
    hub.start("http://127.0.0.1:9")
    empty_mb = hub.memory_mb()
    hub.stop()
    hub.more = "".join(
        f"feed-{n}:\n  type: feed\n  url: http://{place}/feed/{n}\n  internal: yes\n  every: 1 min\n"
        f"  reliability: C\n  credibility: 3\n"
        for n in range(count)
    )
    hub.port = 0
    before = ask(place, "/count")["polls"]
    hub.start("http://127.0.0.1:9")
    try:
        until(lambda: ask(place, "/count")["polls"] - before >= count, "not every feed was polled")
        time.sleep(20)  # what they held at first is in the journal
        polls, cpu_s, at = ask(place, "/count")["polls"], hub.cpu_s(), time.monotonic()
        time.sleep(minutes * 60)
        took_s, used_s = time.monotonic() - at, hub.cpu_s() - cpu_s
        polled = ask(place, "/count")["polls"] - polls
        full_mb = hub.memory_mb()
    finally:
        hub.stop()
    bare_s = uvloop.run(bare(place, count))
    say(f"{count} feeds, each once a minute, for {took_s / 60:.1f} min: {polled} polls")
    say(f"  processor       {used_s / took_s * 100:6.1f} % of one core   {used_s / polled * 1000:.2f} ms a poll")
    times = used_s / polled * count / bare_s
    say(f"  bare client     {bare_s / count * 1000:6.2f} ms a poll        the hub takes {times:.1f} times as much")
    say(f"  memory          {full_mb:6.0f} MB                {(full_mb - empty_mb) * 1024 / count:.0f} KiB a feed")
    say(f"  in the journal  {signals(folder, 'feed-'):6d} signals of them")
    if polled < 0.95 * count * took_s / 66:  # a poll is up to a tenth later than a minute, so that not all come at once
        sys.exit("  NOT REACHED: they were not polled each minute")


# --- posts ---------------------------------------------------------------------------------------------------


def call(hub: Hub, number: int) -> int:
    """An alert that has an officer called; when it was posted (ns)."""
    known = world.alert_id(hub.run, number)
    content = world.alert(known, event=f"officier {number}", headline=known, description="officier")
    head, _, body = world.signed(content, known, hub.port, world.SOURCES[0]).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    request = urllib.request.Request(f"http://127.0.0.1:{hub.port}/in/{world.SOURCES[0]}", body, headers)
    at_ns = time.perf_counter_ns()
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 202, answer.status
    return at_ns


def burst(place: str, base: str, folder: Path, posts: int, seconds: float) -> None:
    hub = Listening(folder, sheets=100, twilio=base, audience=1)
    hub.more = (
        f"posts:\n  type: bluesky\n  servers: [ws://{place}/subscribe]\n  api: http://{place}\n  internal: yes\n"
        "  words: [bruxelles, brussel]\n  origin: each sender\n"
    )
    hub.start("http://127.0.0.1:9")
    try:
        until(lambda: ask(place, "/count")["streams"] > 0, "the stream was not opened")
        cpu_s, began = hub.cpu_s(), time.monotonic()
        ask(place, f"/flow?posts={posts}&seconds={seconds}", "POST")
        posted = []
        while time.monotonic() - began < seconds:
            time.sleep(CALL_EVERY_S)
            posted.append(call(hub, len(posted)))
        until(lambda: ask(place, "/count")["posts"] >= posts, "not every post was sent")
        until(lambda: signals(folder, "posts") >= posts, "not every post is in the journal")
        took_s, used_s, full_mb = time.monotonic() - began, hub.cpu_s() - cpu_s, hub.memory_mb()
        until(lambda: ask_sink(base, "/sink/count")["count"] >= len(posted), "not every call was made")
    finally:
        hub.stop()
    arrived = sorted(arrival["at_ns"] for arrival in ask_sink(base, "/sink") if arrival["kind"] == "call")
    ms = sorted((at - due) / 1e6 for due, at in zip(posted, arrived, strict=True))
    say(f"{posts} posts in {seconds:g} s, all in the journal {took_s - seconds:.1f} s after the last one")
    say(f"  an officer's call  p50 {quantile(ms, 0.5):.0f} ms, worst {ms[-1]:.0f} ms, of {len(ms)} meanwhile")
    say(f"  processor          {used_s:.1f} s, {used_s / posts * 1e6:.0f} us a post; {full_mb:.0f} MB")
    if ms[-1] > CALL_S_TO_REACH * 1000:
        sys.exit("  NOT REACHED: a call took more than a second")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--feeds", type=int, default=500)
    arguments.add_argument("--minutes", type=float, default=3.0)
    arguments.add_argument("--posts", type=int, default=20_000)
    arguments.add_argument("--seconds", type=float, default=60.0, help="within which the posts come")
    arguments.add_argument("--folder", type=Path, help="where the journal lies (the disk matters)")
    given = arguments.parse_args()
    place, ours, process = start_publishers()
    base, sinks, sink = start_sink()
    try:
        say(f"{os.cpu_count()} cores")
        if given.feeds:
            with tempfile.TemporaryDirectory(dir=given.folder) as folder:
                feeds(place, Path(folder), given.feeds, given.minutes)
        if given.posts:
            with tempfile.TemporaryDirectory(dir=given.folder) as folder:
                burst(place, base, Path(folder), given.posts, given.seconds)
    finally:
        for end, its in ((ours, process), (sinks, sink)):
            end.send("stop")
            its.join(10)


if __name__ == "__main__":
    main()
