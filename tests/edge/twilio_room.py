"""The phone simulator, the hub's web server and the Twilio channels, together: the room the stories play in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.twilio.channel import SmsChannel, VoiceChannel
from connectors.twilio.sms import SmsConfig
from connectors.twilio.voice import VoiceConfig
from hub.connector import Item, Route, Taken, WebRequest, WebResponse
from hub.model.message import Outcome
from hub.web.server import Mount, WebConfig, WebServer
from tests.contracts.channel import Arrival, Provider, outgoing
from tests.contracts.intake import MemoryIntake, environment
from tools.phones import Faults, ManualClock, Person, Phones

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "s3cret-token-of-twilio"
HUB, ANNE, BART = "+3228080112", "+32470000001", "+32470000002"

FAULTS = {
    Provider.WORKING: Faults(),
    Provider.BUSY: Faults(too_many=1),
    Provider.REFUSING: Faults(),
    Provider.LOSING: Faults(answer_lost=1),
    Provider.HANGING: Faults(hangs=1),
}


class KeepingIntake(MemoryIntake):
    """Keeps the cursor too, as the journal does."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: str | None = None

    async def offer(self, items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        taken = await super().offer(items)
        self.kept = cursor or self.kept
        return taken

    async def cursor(self) -> str | None:
        return self.kept


class Room:
    """One channel of the hub against the simulator. `net` is the web server callbacks come to."""

    def __init__(self, phones: Phones, channel: Any, intake: MemoryIntake, server: WebServer) -> None:
        self.phones, self.channel, self.intake, self.server = phones, channel, intake, server
        self.good, self.wrong = ANNE, "+3"

    async def behave(self, provider: Provider) -> None:
        if provider is Provider.DOWN:
            await self.phones.down()
            return
        await self.phones.up()
        self.phones.set_faults(FAULTS[provider])

    def arrivals(self) -> Sequence[Arrival]:
        messages = [Arrival(message.to, message.body) for message in self.phones.messages]
        calls = [Arrival(call.request.to, call.request.twiml or "") for call in self.phones.calls]
        return messages + calls

    async def together(self, work: Sequence[Awaitable[Any]]) -> Sequence[Any]:
        return await asyncio.gather(*work)

    async def given_up(self, work: Awaitable[Any]) -> bool:
        before = self.phones.dice.counts["hangs"]
        task = asyncio.ensure_future(work)
        await self.phones.until(lambda: self.phones.dice.counts["hangs"] > before or task.done())
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        return bool(done) and task.cancelled()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Lets simulated time pass in small steps, and the network do its work in between, until it holds."""
        clock = self.phones.exchange.clock
        assert isinstance(clock, ManualClock)
        for _ in range(3000):
            if condition():
                return
            await clock.advance(0.1)
        raise AssertionError(f"it did not come about in 300 simulated seconds: {self.intake.items}")

    async def outcomes(self, *expected: str) -> None:
        """Lets time pass until these outcomes have all been reported, in any order."""
        await self.until(lambda: set(expected) <= {receipt.outcome.value for receipt in self.intake.receipts})


async def ready() -> dict[str, bool]:
    return {"ready": True}


@asynccontextmanager
async def room(kind: str, **config: Any) -> AsyncIterator[Room]:
    """An open channel (`sms` or `voice`) with its callbacks served and the simulator behind it, on a manual clock. With
    `public=False` nobody calls back: the channel asks, by the same clock and date as the simulator's."""
    public_site = config.get("public", True)
    intake = MemoryIntake() if public_site else KeepingIntake()
    clock, began = ManualClock(), datetime.now(UTC)

    def today() -> datetime:
        return began + timedelta(seconds=clock.now())

    phones = Phones(
        ACCOUNT,
        TOKEN,
        people=[Person(name="Anne", number=ANNE, language="fr"), Person(name="Bart", number=BART)],
        clock=clock,
        now=None if public_site else today,
    )
    async with phones:
        settings = {"account": ACCOUNT, "tokens": ("token", "old"), "sender": HUB, "api": phones.base_url, **config}

        def make(public: str) -> Any:
            given = environment(kind, public, token=TOKEN, old="s3cret-old")
            if kind == "sms":
                return SmsChannel(SmsConfig(**settings), given)
            return VoiceChannel(VoiceConfig(**settings), given)

        # A channel's public address holds the port, which is known once the server listens: its routes are mounted
        # by their paths first, and lead to the channel made after.
        channel: Any = None

        def late(path: str) -> Callable[[WebRequest], Awaitable[WebResponse]]:
            async def handler(request: WebRequest) -> WebResponse:
                [route] = [route for route in channel.routes(intake) if route.path == path]
                response: WebResponse = await route.handler(request)
                return response

            return handler

        paths = [route.path for route in make("").routes(intake)]
        routes = [Route(method="POST", path=path, handler=late(path)) for path in paths]
        server = WebServer(
            WebConfig(port=0, shutdown_s=0.5),
            [Mount(prefix=f"/callback/{kind}", routes=routes)],
            health=ready,
        )
        public = f"http://127.0.0.1:{await server.start()}"
        channel = make(f"{public}/callback/{kind}")
        channel.settle_pause_s = channel.missed_pause_s = 0.0
        if public_site:
            phones.network.inbound = f"{public}/callback/{kind}/reply"
        else:
            channel.poller.sleep, channel.poller.now_s, channel.poller.now = clock.sleep, clock.now, today
        await channel.open(intake)
        place = Room(phones, channel, intake, server)
        try:
            yield place
        finally:
            await place.channel.close()
            await phones.exchange.stop()
            await server.stop()


def play(kind: str, story: Callable[[Room], Awaitable[None]], **config: Any) -> None:
    """Runs a story in a fresh room."""

    async def run() -> None:
        async with room(kind, **config) as place:
            await story(place)

    asyncio.run(run())


# How a phone that is called and not answered behaves, and the reason that is to be told.
NOBODY_REACHED: list[tuple[dict[str, Any], str]] = [
    ({"call": "busy"}, "busy"),
    ({"call": "decline"}, "busy"),
    ({"call": "no-answer"}, "no-answer"),
    ({"call": "unknown"}, "failed"),
    ({"coverage": False}, "failed"),
]


async def call_reaches_nobody(room: Room, behaviour: dict[str, Any]) -> list[str]:
    """Calls a phone that behaves so; the reasons of what failed."""
    room.phones.script(ANNE, **behaviour)
    await room.channel.send(outgoing(ANNE))
    await room.outcomes("failed")
    return [receipt.reason for receipt in room.intake.receipts if receipt.outcome is Outcome.FAILED]


async def call_is_recalled_while_it_rings(room: Room) -> None:
    """A call is taken back before anybody answers, and is told to be withdrawn."""
    room.phones.script(ANNE, call="hand")
    message = outgoing(ANNE)
    answer = await room.channel.send(message)
    await room.until(lambda: room.phones.calls[0].status == "ringing")
    await room.channel.recall(message, answer.ref)
    await room.outcomes("withdrawn")
    assert room.phones.calls[0].status == "canceled"
    await room.channel.recall(message, answer.ref)  # once more does no harm
