"""The other side of a channel that posts over HTTP: an aiohttp server on loopback that comes and goes, and what of a
contract's world is the same whatever it serves."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from aiohttp import web

from tests.contracts.channel import Provider


class Counterpart:
    """Serves `PATH`. `status` and `headers`: what it answers with; `hanging`: set once it has taken a request that it
    does not answer before `released`."""

    PATH = "/"

    def __init__(self, status: int) -> None:
        self.provider = Provider.WORKING
        self.status = status
        self.headers: dict[str, str] = {}
        self.hanging = asyncio.Event()
        self.released = asyncio.Event()
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def receive(self, request: web.Request) -> web.Response:
        """One request."""
        raise AssertionError("the subclass answers")

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", self.PATH, self.receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def hangs(self) -> web.Response:
        self.hanging.set()
        await self.released.wait()
        return web.Response(status=500)


class CounterpartWorld:
    """Behaves as the counterpart is told to; awaits under asyncio."""

    def __init__(self, counterpart: Counterpart) -> None:
        self._counterpart = counterpart

    async def behave(self, provider: Provider) -> None:
        self._counterpart.provider = provider
        await self._counterpart.stop()
        if provider is not Provider.DOWN:
            await self._counterpart.start()

    async def together(self, work: Sequence[Awaitable[Any]]) -> Sequence[Any]:
        return await asyncio.gather(*work)

    async def given_up(self, work: Awaitable[Any]) -> bool:
        task = asyncio.ensure_future(work)
        await self._counterpart.hanging.wait()
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        self._counterpart.released.set()
        return bool(done) and task.cancelled()
