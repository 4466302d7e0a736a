"""What the tests of polling sources share: a publisher to poll, turns instead of waiting, an intake with a cursor."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiohttp import web
from msgspec.structs import replace

from hub.connector import Environment, Item, Source, Taken
from tests.contracts.intake import MemoryIntake, environment

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def outside(**secrets: str) -> Environment:
    """An environment that leads to public addresses only, as in a room."""
    return replace(environment("test", **secrets), allow_internal=False)


class PolledIntake(MemoryIntake):
    """Keeps the cursor as the journal does: only with an offer that succeeded. After `good_offers` (where set) nothing
    can be made durable any more."""

    def __init__(self, kept: str | None = None, good_offers: int | None = None) -> None:
        super().__init__()
        self.kept = kept
        self.good_offers = good_offers

    async def offer(self, items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        if self.good_offers is not None and self.offers >= self.good_offers:
            self.down = "disk full"
        taken = await super().offer(items, cursor=cursor)
        if cursor is not None:
            self.kept = cursor
        return taken

    def set_clock(self, now: datetime) -> None:
        self._now = now

    async def cursor(self) -> str | None:
        return self.kept


class Publisher:
    """A real HTTP server on loopback. `pages` maps a path to its handler or its body; `requests` are those it got."""

    def __init__(self) -> None:
        self.pages: dict[str, Handler | str | bytes] = {}
        self.requests: list[web.Request] = []
        self.url = ""

    def asked(self, path: str) -> list[web.Request]:
        return [request for request in self.requests if request.path == path]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        page = self.pages.get(request.path)
        if page is None:
            return web.Response(status=404)
        if callable(page):
            return await page(request)
        return web.Response(body=page if isinstance(page, bytes) else page.encode(), content_type="application/xml")


@asynccontextmanager
async def publisher() -> AsyncIterator[Publisher]:
    made = Publisher()
    app = web.Application()
    app.router.add_get("/{path:.*}", made._answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = site.name
    try:
        yield made
    finally:
        await runner.cleanup()


def status(code: int, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


class Turns:
    """Stands in for sleeping: a source that wants to wait stops here until the test lets it go on."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[tuple[float, asyncio.Future[None]]] = asyncio.Queue()
        self._current: asyncio.Future[None] | None = None
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, wait_s: float) -> None:
        go = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((wait_s, go))
        await go

    async def polled(self) -> float:
        """Lets the source go on where it waits, and answers how long it wants to wait next."""
        if self._current is not None:
            self._current.set_result(None)
        assert self._running is not None
        turn = asyncio.ensure_future(self._waiting.get())
        await asyncio.wait({turn, self._running}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        if not turn.done():
            turn.cancel()
            if self._running.done():
                self._running.result()
            raise AssertionError("the source neither waits nor ends")
        wait_s, self._current = turn.result()
        return wait_s

    @asynccontextmanager
    async def run(self, source: Source, intake: PolledIntake) -> AsyncIterator[None]:
        self._running = asyncio.ensure_future(source.run(intake))
        try:
            yield
        finally:
            self._running.cancel()
            await asyncio.wait({self._running})


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 30))
