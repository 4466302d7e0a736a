"""A stand-in for Bluesky on loopback: a Jetstream (its v1 websocket: filters, replay from a cursor in microseconds) and
the two methods of the public API that are used."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import WSMsgType, web

START = datetime(2026, 7, 14, 18, 0, tzinfo=UTC)
POST = "app.bsky.feed.post"
ANN, BOB = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"


class BlueskyServer:
    """`handles`: those there are. `down`: the stream is refused with 503; `api_down`: the API."""

    def __init__(self) -> None:
        self.url = ""
        self.handles = {"ann.example": ANN, "bob.example": BOB}
        self.down = self.api_down = False
        self.asked: list[str] = []
        self.history: list[dict[str, Any]] = []
        self.feeds: dict[str, list[dict[str, Any]]] = {}
        self._lines: list[asyncio.Queue[str | bytes | None]] = []
        self._opened = asyncio.Condition()
        self._at = START
        self._count = 0

    @property
    def stream(self) -> str:
        return self.url.replace("http", "ws", 1) + "/subscribe"

    # --- what people do ------------------------------------------------------------------------------------

    def post(self, text: str, *, did: str = ANN, told: bool = True, **more: Any) -> str:
        """Writes a post, and answers its rkey."""
        self._count += 1
        rkey = f"3k{self._count:011d}"
        self._put("create", did, rkey, text, more, told)
        return rkey

    def edit(self, rkey: str, text: str, *, did: str = ANN) -> None:
        self._put("update", did, rkey, text, {}, True)

    def _put(self, operation: str, did: str, rkey: str, text: str, more: dict[str, Any], told: bool) -> None:
        self._at += timedelta(seconds=1)
        facets = [
            {
                "index": {"byteStart": 0, "byteEnd": 1},
                "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": w[1:]}],
            }
            for w in text.split()
            if w.startswith("#")
        ]
        record = {"$type": POST, "text": text, "createdAt": f"{self._at:%Y-%m-%dT%H:%M:%S}.123Z", "langs": ["fr"]}
        record |= ({"facets": facets} if facets else {}) | more
        cid = f"bafyrei{self._count:06d}{abs(hash(text)) % 10**9}"
        uri = f"at://{did}/{POST}/{rkey}"
        feed = self.feeds.setdefault(did, [])
        feed[:] = [one for one in feed if one["post"]["uri"] != uri]
        feed.insert(
            0, {"post": {"uri": uri, "cid": cid, "record": record, "indexedAt": f"{self._at:%Y-%m-%dT%H:%M:%S}.5Z"}}
        )
        commit = {"rev": rkey, "operation": operation, "collection": POST, "rkey": rkey, "cid": cid, "record": record}
        self.event({"did": did, "kind": "commit", "commit": commit}, told=told)

    def delete(self, rkey: str, did: str = ANN) -> None:
        self.feeds[did] = [one for one in self.feeds[did] if not one["post"]["uri"].endswith(rkey)]
        commit = {"rev": "9", "operation": "delete", "collection": POST, "rkey": rkey}
        self.event({"did": did, "kind": "commit", "commit": commit})

    def event(self, event: dict[str, Any], *, told: bool = True) -> None:
        self._at += timedelta(microseconds=1)
        event["time_us"] = int(self._at.timestamp() * 1e6)
        if told:
            self.history.append(event)
            self.say(json.dumps(event))

    def say(self, frame: str | bytes) -> None:
        """A frame on every line, as it stands."""
        for line in self._lines:
            line.put_nowait(frame)

    def pass_time(self, **more: float) -> None:
        self._at += timedelta(**more)

    def started_at(self, count: int) -> None:
        """So many posts there were before."""
        self._count = count

    def now(self) -> datetime:
        return self._at

    def end_streams(self) -> None:
        for line in self._lines:
            line.put_nowait(None)

    async def streamed(self) -> None:
        """Waits until the stream is open."""
        async with asyncio.timeout(10), self._opened:
            await self._opened.wait_for(lambda: bool(self._lines))

    # --- what it answers -----------------------------------------------------------------------------------

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if self.down:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        dids = request.query.getall("wantedDids", [])
        most = int(request.query.get("maxMessageSizeBytes", "0"))
        line: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        cursor = int(request.query.get("cursor", "0")) or int(self._at.timestamp() * 1e6) + 1
        for event in self.history:
            if event["time_us"] >= cursor:
                line.put_nowait(json.dumps(event))
        async with self._opened:
            self._lines.append(line)
            self._opened.notify_all()
        reading = asyncio.ensure_future(self._read(socket, line))
        try:
            while (frame := await line.get()) is not None:
                if isinstance(frame, bytes):
                    await socket.send_bytes(frame)
                elif not _filtered(frame, dids, most):
                    await socket.send_str(frame)
            await socket.close()
        finally:
            reading.cancel()
            self._lines.remove(line)
        return socket

    async def _read(self, socket: web.WebSocketResponse, line: asyncio.Queue[str | bytes | None]) -> None:
        async for message in socket:
            assert message.type is not WSMsgType.TEXT, "nothing is to be said to a Jetstream"
        line.put_nowait(None)

    async def _moved(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"/subscribe?{request.query_string}")

    async def _resolve(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        did = self.handles.get(request.query["handle"])
        if self.api_down:
            return web.Response(status=502)
        if did is None:
            return web.json_response({"error": "InvalidRequest", "message": "Unable to resolve handle"}, status=400)
        return web.json_response({"did": did})

    async def _feed(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        if self.api_down:
            return web.Response(status=502)
        feed = self.feeds.get(request.query["actor"], [])
        start, limit = int(request.query.get("cursor", "0")), int(request.query["limit"])
        answer: dict[str, Any] = {"feed": feed[start : start + limit]}
        if start + limit < len(feed):
            answer["cursor"] = str(start + limit)
        return web.json_response(answer)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/subscribe", self._subscribe),
            web.get("/moved", self._moved),
            web.get("/xrpc/com.atproto.identity.resolveHandle", self._resolve),
            web.get("/xrpc/app.bsky.feed.getAuthorFeed", self._feed),
        ]


def _filtered(frame: str, dids: list[str], most: int) -> bool:
    """What a Jetstream would not send. What is no event is sent: a test wants it so."""
    if frame.startswith("garbage") or "lies about its size" in frame:
        return False
    return (bool(dids) and json.loads(frame)["did"] not in dids) or 0 < most < len(frame)


@asynccontextmanager
async def bluesky() -> AsyncIterator[BlueskyServer]:
    made = BlueskyServer()
    app = web.Application()
    app.add_routes(made.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = site.name
    try:
        yield made
    finally:
        await runner.cleanup()
