"""What is listened to in a benchmark, in a process of its own: feeds to poll, and a Jetstream of social posts.

/feed/N      RSS of twenty items, with an ETag; every tenth poll of a feed finds one more
/subscribe   a websocket; posts flow once `POST /flow?posts=N&seconds=S` was asked for
/count       how many polls there were, and how many posts were sent
"""

import asyncio
import json
import multiprocessing
import random
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from multiprocessing.connection import Connection
from typing import Any

import uvloop
from aiohttp import web

from tools.bench.stories import SYLLABLES

ITEMS, NEWS_EVERY = 20, 10
_USUAL = ("police", "politie", "pompiers", "brandweer", "incendie", "brand", "rue", "straat", "de", "het", "à", "in")

_spawn = multiprocessing.get_context("spawn")


class Publishers:
    """The server. `seed`: the same words each time."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._feeds: dict[int, list[tuple[int, str, str]]] = {}  # newest first: number, when, words
        self._polls: dict[int, int] = {}
        self._streams: list[asyncio.Queue[str]] = []
        self.polls = self.posts = 0

    def words(self, count: int) -> str:
        return " ".join(
            self._chance.choice(_USUAL)
            if self._chance.random() < 0.4
            else "".join(self._chance.choices(SYLLABLES, k=self._chance.randint(2, 4)))
            for _ in range(count)
        )

    async def feed(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        self.polls += 1
        polls = self._polls[number] = self._polls.get(number, number) + 1
        items = self._feeds.setdefault(number, [self._item(n) for n in range(ITEMS, 0, -1)])
        if polls % NEWS_EVERY == 0:
            items.insert(0, self._item(items[0][0] + 1))
            del items[ITEMS:]
        etag = f'"{items[0][0]}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        body = "".join(
            f"<item><guid isPermaLink='false'>f{number}-{n}</guid><title>{words[:60]}</title>"
            f"<link>http://f{number}.example.org/{n}</link><pubDate>{at}</pubDate>"
            f"<description>{words}</description></item>"
            for n, at, words in items
        )
        text = f"<rss version='2.0'><channel><title>Feed {number}</title>{body}</channel></rss>"
        return web.Response(text=text, content_type="application/rss+xml", headers={"ETag": etag})

    def _item(self, n: int) -> tuple[int, str, str]:
        return n, format_datetime(datetime.now(UTC)), self.words(60)

    async def subscribe(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line: asyncio.Queue[str] = asyncio.Queue()
        self._streams.append(line)
        reading = asyncio.ensure_future(socket.receive())  # answers pings
        try:
            while not reading.done():
                await socket.send_str(await line.get())
        finally:
            reading.cancel()
            self._streams.remove(line)
        return socket

    async def flow(self, request: web.Request) -> web.Response:
        posts, seconds = int(request.query["posts"]), float(request.query["seconds"])
        frames = [self._post(n) for n in range(posts)]
        self._flowing = asyncio.ensure_future(self._flow(frames, seconds))
        return web.json_response({"streams": len(self._streams)})

    async def _flow(self, frames: list[dict[str, Any]], seconds: float) -> None:
        began = time.monotonic()
        for n, frame in enumerate(frames):
            due = began + n * seconds / len(frames)
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            now = datetime.now(UTC)
            frame["time_us"] = int(now.timestamp() * 1e6) + n % 7
            frame["commit"]["record"]["createdAt"] = now.isoformat().replace("+00:00", "Z")
            for line in self._streams:
                line.put_nowait(json.dumps(frame))
            self.posts += 1

    def _post(self, n: int) -> dict[str, Any]:
        text = f"Bruxelles {self.words(25)}"
        record = {"$type": "app.bsky.feed.post", "text": text, "langs": ["fr"]}
        commit = {
            "rev": f"r{n}",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": f"3k{n:011d}",
            "cid": f"bafyrei{n:09d}",
            "record": record,
        }
        return {"did": f"did:plc:{n % 5000:024d}", "kind": "commit", "commit": commit}

    async def count(self, request: web.Request) -> web.Response:
        return web.json_response({"polls": self.polls, "posts": self.posts, "streams": len(self._streams)})

    async def start(self) -> str:
        app = web.Application()
        app.add_routes(
            [
                web.get("/feed/{number}", self.feed),
                web.get("/subscribe", self.subscribe),
                web.post("/flow", self.flow),
                web.get("/count", self.count),
            ]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        return f"127.0.0.1:{runner.addresses[0][1]}"


def _serve(parent: Connection) -> None:
    async def run() -> None:
        parent.send(await Publishers().start())
        await asyncio.get_running_loop().run_in_executor(None, parent.recv)

    uvloop.run(run())


def start_publishers() -> tuple[str, Connection, Any]:
    """Its host and port, what ends it, and its process."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    return ours.recv(), ours, process
