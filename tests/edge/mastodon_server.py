"""A stand-in for a Mastodon server on loopback: timelines with Link paging, streams of server-sent events, accounts and
statuses, as docs.joinmastodon.org describes them and its streaming server writes them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

START = datetime(2026, 7, 14, 18, 0, tzinfo=UTC)


class MastodonServer:
    """`token`: what must be shown, where set. `failing`: status that REST answers with. `streams`: open ones by path
    and query."""

    def __init__(self, token: str = "") -> None:
        self.url = ""
        self.token = token
        self.failing = 0
        self.headers: dict[str, str] = {}
        self.hanging = False  # streams are opened, and nothing is ever said there, not even a heartbeat
        self.batches = True  # whether several statuses can be asked for together (since 4.3)
        self.asked: list[str] = []
        self.statuses: dict[int, dict[str, Any]] = {}
        self.streaming = ""  # where it says that its streams are
        self._streams: list[tuple[str, asyncio.Queue[bytes | None]]] = []
        self._opened = asyncio.Condition()
        self._minutes = 0

    # --- what people do ------------------------------------------------------------------------------------

    def write(self, text: str, *, author: str = "ann", minutes_ago: float = 0, **more: Any) -> int:
        """A status, not yet told to streams. Its id is made of its time, as Mastodon's are."""
        self._minutes += 1
        at = START + timedelta(minutes=self._minutes - minutes_ago)
        status_id = (int(at.timestamp() * 1000) << 16) + len(self.statuses)
        tags = [{"name": word[1:]} for word in text.split() if word.startswith("#")]
        name = author.partition("@")[0]
        self.statuses[status_id] = {
            "id": str(status_id),
            "uri": f"https://social.example/users/{name}/statuses/{status_id}",
            "url": f"https://social.example/@{name}/{status_id}",
            "created_at": at.isoformat().replace("+00:00", "Z"),
            "edited_at": None,
            "visibility": "public",
            "language": "fr",
            "sensitive": False,
            "spoiler_text": "",
            "in_reply_to_account_id": None,
            "content": f"<p>{text}</p>",
            "reblog": None,
            "account": {
                "id": str(sum(map(ord, author))),
                "acct": author,
                "url": f"https://social.example/@{name}",
                "display_name": name.title(),
            },
            "media_attachments": [],
            "tags": tags,
            "poll": None,
            "card": None,
            **more,
        }
        return status_id

    def post(self, text: str, **more: Any) -> int:
        status_id = self.write(text, **more)
        self.tell("update", self.statuses[status_id])
        return status_id

    def boost(self, status_id: int, author: str) -> int:
        return self.post("", author=author, reblog=self.statuses[status_id])

    def edit(self, status_id: int, text: str, *, told: bool = True) -> None:
        self._minutes += 1
        at = (START + timedelta(minutes=self._minutes)).isoformat().replace("+00:00", "Z")
        self.statuses[status_id] |= {"content": f"<p>{text}</p>", "edited_at": at}
        if told:
            self.tell("status.update", self.statuses[status_id])

    def delete(self, status_id: int, *, told: bool = True) -> None:
        gone = self.statuses.pop(status_id)
        if told:
            self.tell("delete", str(status_id), of=gone)

    def tell(self, event: str, payload: Any, of: dict[str, Any] | None = None) -> None:
        data = payload if isinstance(payload, str) else json.dumps(payload)
        tags = {tag["name"].casefold() for tag in (of or payload)["tags"]}
        for stream, queue in self._streams:
            tag = stream.partition("tag=")[2]
            if not tag or tag in tags:
                queue.put_nowait(f"event: {event}\ndata: {data}\n\n".encode())

    def say(self, raw: bytes) -> None:
        """Something on every stream, as it stands."""
        for _, queue in self._streams:
            queue.put_nowait(raw)

    def end_streams(self) -> None:
        for _, queue in self._streams:
            queue.put_nowait(None)

    async def streamed(self, count: int = 1) -> None:
        """Waits until so many streams are open."""
        async with asyncio.timeout(10), self._opened:
            await self._opened.wait_for(lambda: len(self._streams) >= count)

    # --- what it answers -----------------------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v2/instance", self._instance),
            web.get("/api/v1/timelines/tag/{tag}", self._timeline),
            web.get("/api/v1/timelines/{name}", self._timeline),
            web.get("/api/v1/accounts/lookup", self._lookup),
            web.get("/api/v1/accounts/{id}/statuses", self._timeline),
            web.get("/api/v1/statuses", self._several),
            web.get("/api/v1/statuses/{id}", self._one),
            web.get("/api/v1/streaming/{name:.+}", self._stream),
        ]

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"error": "The access token is invalid"}, status=401)
        if self.failing and "/streaming" not in request.path:
            return web.json_response({"error": "busy"}, status=self.failing, headers=self.headers)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _instance(self, _: web.Request) -> web.Response:
        return web.json_response({"configuration": {"urls": {"streaming": self.streaming}}})

    async def _timeline(self, request: web.Request) -> web.Response:
        tag, account, query = request.match_info.get("tag"), request.match_info.get("id"), request.query
        found = [
            status
            for status in self.statuses.values()
            if (not tag or tag.casefold() in {one["name"].casefold() for one in status["tags"]})
            and (not account or status["account"]["id"] == account)
        ]
        ids = sorted(int(status["id"]) for status in found)
        limit = min(int(query.get("limit", "20")), 40)
        if "max_id" in query:
            ids = [one for one in ids if one < int(query["max_id"])]
        if "since_id" in query:
            ids = [one for one in ids if one > int(query["since_id"])]
        if "min_id" in query:
            ids = [one for one in ids if one > int(query["min_id"])][:limit]
        page = ids[-limit:][::-1]
        url = request.url.with_query([(k, v) for k, v in query.items() if not k.endswith("_id")])
        link = "".join(
            f"<{url.update_query({name: str(which)})}>; rel={rel!r}, ".replace("'", '"')
            for name, which, rel in ([("max_id", page[-1], "next"), ("min_id", page[0], "prev")] if page else [])
        ).rstrip(", ")
        headers = {"Link": link} if link else {}
        return web.json_response([self.statuses[one] for one in page], headers=headers)

    async def _lookup(self, request: web.Request) -> web.Response:
        for status in self.statuses.values():
            if status["account"]["acct"] == request.query["acct"]:
                return web.json_response(status["account"])
        return web.json_response({"error": "Record not found"}, status=404)

    async def _several(self, request: web.Request) -> web.Response:
        if not self.batches:
            return web.json_response({"error": "Not found"}, status=404)
        wanted = [int(one) for one in request.query.getall("id[]", [])]
        return web.json_response([self.statuses[one] for one in wanted if one in self.statuses])

    async def _one(self, request: web.Request) -> web.Response:
        status = self.statuses.get(int(request.match_info["id"]))
        if status is None:
            return web.json_response({"error": "Record not found"}, status=404)
        return web.json_response(status)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        if not self.hanging:
            await response.write(b":)\n")
        line: tuple[str, asyncio.Queue[bytes | None]] = (request.path_qs, asyncio.Queue())
        async with self._opened:
            self._streams.append(line)
            self._opened.notify_all()
        try:
            while (said := await line[1].get()) is not None:
                if not self.hanging:
                    await response.write(said)
        finally:
            self._streams.remove(line)
        return response


@asynccontextmanager
async def mastodon(token: str = "") -> AsyncIterator[MastodonServer]:
    made = MastodonServer(token)
    app = web.Application(middlewares=[made.middleware])
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
