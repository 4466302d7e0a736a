"""A real homeserver, a wire to it that can be cut, the Matrix channel, and an officer with a client of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

from connectors.matrix.channel import MatrixChannel, MatrixConfig
from connectors.matrix.events import MARK
from connectors.polling import Sleep
from hub.connector import Item, Outgoing, ReplyItem, Sent, Taken
from tests.contracts.channel import Arrival, Provider
from tests.contracts.intake import MemoryIntake, environment
from tests.edge.synapse import DOMAIN, Account, Synapse

PATIENCE_S = 30.0
_GONE = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"}


class KeptIntake(MemoryIntake):
    """Keeps the cursor, as the journal does: it outlives the channel."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: str | None = None
        self._offered: list[Sequence[Item]] = []

    async def offered(self, wanted: Callable[[Sequence[Item]], bool]) -> None:
        """Waits for an offer, before it is durable."""
        async with asyncio.timeout(PATIENCE_S), self.arrived:
            await self.arrived.wait_for(lambda: any(map(wanted, self._offered)))

    async def offer(self, items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        self._offered.append(items)
        async with self.arrived:
            self.arrived.notify_all()
        taken = await super().offer(items, cursor=cursor)
        self.kept = cursor or self.kept
        return taken

    async def cursor(self) -> str | None:
        return self.kept

    async def health(self, health: str, reason: str = "") -> None:
        await super().health(health, reason)
        async with self.arrived:
            self.arrived.notify_all()

    async def replied(self, count: int) -> list[ReplyItem]:
        """The replies, once there are that many."""
        await self.until(lambda: len(self.replies) >= count, PATIENCE_S)
        return self.replies


class Wire:
    """What the channel takes for the homeserver: it passes everything on, and behaves as it is told. What it does to
    deliveries it does not do to the listening."""

    def __init__(self, server: Synapse) -> None:
        self.provider = Provider.WORKING
        self.hanging = asyncio.Event()
        self.released = asyncio.Event()
        self.lost: set[str] = set()  # ends of paths whose answer is lost, besides
        self.broken: set[str] = set()  # parts of paths that are answered by 500
        self.port = 0
        self._server = server
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def up(self) -> None:
        if self._runner is None:
            self._session = aiohttp.ClientSession(auto_decompress=False)
            app = web.Application(client_max_size=1 << 24)
            app.router.add_route("*", "/{path:.*}", self._pass_on)
            self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
            await self._runner.setup()
            await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
            self.port = self._runner.addresses[0][1]

    async def down(self) -> None:
        self.released.set()
        if self._runner is not None and self._session is not None:
            await self._runner.cleanup()
            await self._session.close()
            self._runner = self._session = None

    async def _pass_on(self, request: web.Request) -> web.Response:
        assert self._session is not None
        delivery = request.method == "PUT" and "/send/m.room.message/" in request.rel_url.raw_path
        if delivery and self.provider is Provider.HANGING:
            self.hanging.set()
            await self.released.wait()
        if any(part in request.rel_url.raw_path for part in self.broken):
            return web.json_response({"errcode": "M_UNKNOWN"}, status=500)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _GONE}
        body = await request.read()
        try:
            async with self._session.request(
                request.method, self._server.url + request.raw_path, data=body or None, headers=headers
            ) as answer:
                content = await answer.read()
                passed = {name: value for name, value in answer.headers.items() if name.lower() not in _GONE}
                status = answer.status
        except aiohttp.ClientError:
            return web.json_response({"errcode": "M_UNKNOWN"}, status=502)  # as a reverse proxy in front of it says
        lost = request.rel_url.raw_path.endswith(tuple(self.lost)) if self.lost else False
        if lost or (delivery and self.provider is Provider.LOSING):
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=status, body=content, headers=passed)


class Officer:
    """Somebody with a client of their own."""

    def __init__(self, server: Synapse, account: Account, session: aiohttp.ClientSession) -> None:
        self.id = account.user_id
        self.account = account
        self._base = f"{server.url}/_matrix/client/v3"
        self._session = session
        self._since = ""
        self._said = 0

    async def call(self, method: str, *path: str, body: Any = None, query: str = "") -> dict[str, Any]:
        url = "/".join([self._base, *(quote(part, safe="") for part in path)]) + (f"?{query}" if query else "")
        headers = {"Authorization": f"Bearer {self.account.token}"}
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            content: dict[str, Any] = await answer.json()
            assert answer.status == 200, content
            return content

    async def until(self, found: Callable[[dict[str, Any]], str]) -> str:
        """Syncs until what is wanted is among the news."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                query = f"timeout=10000{'&since=' + self._since if self._since else ''}"
                news = await self.call("GET", "sync", query=query)
                self._since = news["next_batch"]
                if wanted := found(news.get("rooms", {})):
                    return wanted

    async def invited(self) -> str:
        """The room they are invited to."""
        return await self.until(lambda rooms: next(iter(rooms.get("invite", {})), ""))

    async def join(self, room: str) -> None:
        await self.call("POST", "join", room, body={})

    async def leave(self, room: str) -> None:
        await self.call("POST", "rooms", room, "leave", body={})

    async def create(self, **body: Any) -> str:
        return str((await self.call("POST", "createRoom", body=body))["room_id"])

    async def send(self, room: str, kind: str, content: dict[str, Any]) -> str:
        self._said += 1
        made = await self.call("PUT", "rooms", room, "send", kind, f"t{self._said}", body=content)
        return str(made["event_id"])

    async def say(self, room: str, text: str, **content: Any) -> str:
        return await self.send(room, "m.room.message", {"msgtype": "m.text", "body": text, **content})

    async def react(self, room: str, event: str, key: str) -> str:
        related = {"rel_type": "m.annotation", "event_id": event, "key": key}
        return await self.send(room, "m.reaction", {"m.relates_to": related})

    async def reply(self, room: str, event: str, text: str) -> str:
        return await self.say(room, text, **{"m.relates_to": {"m.in_reply_to": {"event_id": event}}})

    async def redact(self, room: str, event: str) -> str:
        self._said += 1
        made = await self.call("PUT", "rooms", room, "redact", event, f"t{self._said}", body={})
        return str(made["event_id"])

    async def messages(self, room: str) -> list[dict[str, Any]]:
        """All events of a room, the oldest first."""
        return list((await self.call("GET", "rooms", room, "messages", query="dir=f&limit=1000"))["chunk"])


class Room:
    """The channel against the homeserver. `bot` is the hub's account; `officer` has joined the chat it made with them,
    `chat`."""

    def __init__(self, server: Synapse, wire: Wire, channel: MatrixChannel, bot: Account, officer: Officer) -> None:
        self.server, self.wire, self.channel, self.bot, self.officer = server, wire, channel, bot, officer
        self.intake = KeptIntake()
        self.good, self.wrong = officer.id, f"@nobody-at-all:{DOMAIN}"
        self.chat = ""

    async def behave(self, provider: Provider) -> None:
        self.wire.provider = provider
        if provider is Provider.BUSY:
            self.server.use_up(self.bot, self.chat)
        else:
            self.server.limited(self.bot, False)
        await (self.wire.down() if provider is Provider.DOWN else self.wire.up())

    def arrivals(self) -> Sequence[Arrival]:
        path = f"/_matrix/client/v3/rooms/{quote(self.chat)}/messages?dir=f&limit=1000"
        found = self.server.ask("GET", path, account=self.officer.account)["chunk"]
        return [Arrival(self.good, e["content"]["body"], e["event_id"]) for e in found if MARK in e["content"]]

    async def together(self, work: Sequence[Awaitable[Any]]) -> Sequence[Any]:
        return await asyncio.gather(*work)

    async def given_up(self, work: Awaitable[Any]) -> bool:
        task = asyncio.ensure_future(work)
        await asyncio.wait_for(self.wire.hanging.wait(), PATIENCE_S)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        self.wire.released.set()
        return bool(done) and task.cancelled()

    async def sent(self, message: Outgoing) -> str:
        """Sends a message: its event."""
        answer = await self.channel.send(message)
        assert isinstance(answer, Sent), answer
        return answer.ref

    async def listening(self) -> None:
        await asyncio.wait_for(self.channel.listener.listening.wait(), PATIENCE_S)

    async def heard_so_far(self) -> None:
        """Returns once the channel has heard all that was said until now: a word in the chat comes after it."""
        count = len(self.intake.replies)
        witness = self.new_officer("witness")
        chat = (await self.channel._rooms.place(witness.id)).room
        await witness.join(chat)
        await witness.say(chat, "heard")
        await self.intake.replied(count + 1)

    async def hub_down(self) -> None:
        await self.channel.close()

    async def hub_back(self, *, patience: Sleep = asyncio.sleep, **config: Any) -> None:
        """A new channel, as after a restart: it knows what the journal has kept, nothing else. `patience`: how its
        pauses pass."""
        self.channel = make(self.wire, self.bot, **config)
        self.channel.listener._sleep = patience
        await self.channel.open(self.intake)
        await self.listening()

    def new_officer(self, name: str) -> Officer:
        return Officer(self.server, self.server.account(name), self.officer._session)


def make(wire: Wire, bot: Account, **config: Any) -> MatrixChannel:
    settings = {"homeserver": wire.url, "token": "token", "unencrypted": True, "timeout_s": 30.0, **config}
    return MatrixChannel(MatrixConfig(**settings), environment("matrix", token=bot.token))


@asynccontextmanager
async def room(server: Synapse, *, chat: bool = True, **config: Any) -> AsyncIterator[Room]:
    """An open channel that listens. `chat`: with the officer in a direct chat already."""
    wire = Wire(server)
    await wire.up()
    bot = server.account("vigie")
    async with aiohttp.ClientSession() as session:
        channel = make(wire, bot, **config)
        place = Room(server, wire, channel, bot, Officer(server, server.account("officer"), session))
        await channel.open(place.intake)
        try:
            await place.listening()
            if chat:
                place.chat = (await channel._rooms.place(place.good)).room
                await place.officer.join(place.chat)
            yield place
        finally:
            await place.channel.close()
            await wire.down()


def play(server: Synapse, story: Callable[[Room], Awaitable[None]], **config: Any) -> None:
    """Runs a story in a fresh room, with fresh accounts."""

    async def run() -> None:
        async with room(server, **config) as place:
            await story(place)

    asyncio.run(run())


async def no_time(seconds: float) -> None:
    """In place of a pause between two tries."""
    await asyncio.sleep(0)
