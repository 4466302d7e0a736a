"""The partners' own systems: they take messages by webhook, one of them follows every incident, and all are as flaky as
the telephone exchange."""

import random
from collections import Counter

import msgspec
from aiohttp import web

from tools.phones.api import cut


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message taken."""

    delivery: str  # ORDER/INDEX
    to: str
    text: str
    repeat: bool


class Sink:
    """A server on a loopback port. `fault`: how likely a request is cut, refused (500, 429), or taken and not
    answered: a quarter each."""

    def __init__(self, chance: random.Random) -> None:
        self.taken: list[Notice] = []
        self.followed: list[str] = []  # ids of events, as they came
        self.fault = 0.0
        self.port = 0
        self.struck: Counter[str] = Counter()
        self._chance = chance
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.add_routes([web.post("/follower/events", self._follow), web.post("/{person}", self._take)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        kind, refused = self._strike(request, self.fault)
        if refused is not None:
            return refused
        data = msgspec.json.decode(await request.read())["data"]
        self.taken.append(
            Notice(
                delivery=request.headers["webhook-id"],
                to=request.match_info["person"],
                text=data["text"],
                repeat=bool(data.get("repeat", False)),
            )
        )
        return cut(request) if kind == "lost" else web.Response(status=204)

    async def _follow(self, request: web.Request) -> web.Response:
        """Struck less often: it gets one after the other, and the hub pauses after each that is not taken."""
        kind, refused = self._strike(request, self.fault / 10)
        if refused is not None:
            return refused
        self.followed.append(msgspec.json.decode(await request.read())["id"])
        return cut(request) if kind == "lost" else web.Response(status=204)

    def _strike(self, request: web.Request, how_likely: float) -> tuple[str, web.Response | None]:
        """What befalls a request, and the answer where it is not taken."""
        kind = self._chance.choice(("cut", "500", "429", "lost")) if self._chance.random() < how_likely else ""
        if kind:
            self.struck[kind] += 1
        if kind == "cut":
            return kind, cut(request)
        return kind, web.Response(status=int(kind)) if kind in ("500", "429") else None
