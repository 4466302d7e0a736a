"""What the benchmark of the door plugs into an edge: a channel that posts to a gateway, and sources that do what a
source must not do to the rest. Each disturbs for as long as it is listened to.
"""

import asyncio
import json
import re
import time
from collections.abc import Sequence
from typing import ClassVar

from aiohttp import ClientSession
from msgspec import Struct

from hub.connector import (
    Abilities,
    Answer,
    BadItem,
    Environment,
    Intake,
    Outgoing,
    ReplyItem,
    Route,
    Sent,
    WebRequest,
    WebResponse,
    WorkerLimit,
)

ORIGINAL_BYTES = 10_000_000  # as much as a source that polls reads


class Config(Struct, frozen=True):
    """`url`: of the gateway."""

    url: str


class Posts:
    """A channel: posts a message as JSON to the path its address names."""

    Config: ClassVar[type[Struct]] = Config
    abilities: ClassVar[Abilities] = Abilities()

    def __init__(self, config: Config, environment: Environment) -> None:
        self._url = config.url

    async def open(self, intake: Intake) -> None:
        self._session = ClientSession()

    async def close(self) -> None:
        await self._session.close()

    async def send(self, outgoing: Outgoing) -> Answer:
        async with self._session.post(self._url + outgoing.to, json={"text": outgoing.text}) as response:
            await response.read()
        return Sent(final=True)

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        return None

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        pass

    def routes(self, intake: Intake) -> Sequence[Route]:
        return []

    def check(self, address: str) -> str:
        return ""


class Undisturbed:
    """A source that lets the others be."""

    Config: ClassVar[type[Struct]] = Config
    name: ClassVar[str] = "undisturbed"

    def __init__(self, config: Config, environment: Environment) -> None:
        self.url = config.url

    async def run(self, intake: Intake) -> None:
        while True:
            await self.disturb(intake)
            await asyncio.sleep(0.05)

    async def disturb(self, intake: Intake) -> None:
        await asyncio.sleep(3600)

    def routes(self, intake: Intake) -> Sequence[Route]:
        return []


class Sleeps(Undisturbed):
    name = "sleeps 300 ms in its callback"

    async def disturb(self, intake: Intake) -> None:
        time.sleep(0.3)  # noqa: ASYNC251 (the fault under test)


class Computes(Undisturbed):
    name = "computes for a second"

    async def disturb(self, intake: Intake) -> None:
        until = time.perf_counter() + 1
        while time.perf_counter() < until:
            sum(n * n for n in range(100))


class Backtracks(Undisturbed):
    name = "meets a pattern that backtracks"

    async def disturb(self, intake: Intake) -> None:
        try:
            await intake.in_worker(re.fullmatch, r"(a+)+b", "a" * 60, label="pattern")
        except WorkerLimit:
            return
        raise AssertionError("the pattern was meant to exceed its limit")


class Receives(Undisturbed):
    name = "receives 50 MB of JSON"

    async def disturb(self, intake: Intake) -> None:
        async with ClientSession() as session, session.get(f"{self.url}/feed") as response:
            body = await response.read()
        await intake.in_worker(count_items, body, label="feed")


class Keeps(Undisturbed):
    name = "hands in an original of 10 MB"
    count: ClassVar[int] = 0

    async def disturb(self, intake: Intake) -> None:
        Keeps.count += 1
        original = Keeps.count.to_bytes(8, "big") + bytes(ORIGINAL_BYTES - 8)
        await intake.offer([BadItem(reason="a benchmark's", original=original, key=f"k{Keeps.count}")])
        await asyncio.sleep(0.2)


class Asks(Undisturbed):
    """A source that answers a request once the hub has taken what was in it."""

    def routes(self, intake: Intake) -> Sequence[Route]:
        async def take(request: WebRequest) -> WebResponse:
            await intake.offer([ReplyItem(channel="sms", address="+32450000001", key="k", text=request.body.decode())])
            return WebResponse(status=202)

        return [Route(method="POST", path="", handler=take)]


def count_items(body: bytes) -> int:
    return len(json.loads(body))


DISTURBANCES: Sequence[type[Undisturbed]] = (Undisturbed, Sleeps, Computes, Backtracks, Receives, Keeps)
