"""`python -m tools.bench.bare PORT`: an aiohttp server that reads what it is sent and answers 202."""

import asyncio
import sys

import uvloop
from aiohttp import web


async def main(port: int) -> None:
    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=202 if request.method == "POST" else 200)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
