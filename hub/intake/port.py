"""What a connector is given on the asyncio side: `hub.connector.Intake`, over one stream of the bridge."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from hub.connector import Item, Taken
from hub.model.records import SourceChanged

T = TypeVar("T")

WORKER_LIMIT_S = 20.0  # how long one document may be read
BEAT_S = 30.0  # a poll that succeeds is told at most that often


class Offered(Struct, frozen=True, gc=False):
    """What crosses the bridge: items, the cursor that covers them, and a change of health."""

    items: Sequence[Item]
    cursor: str | None = None
    health: SourceChanged | None = None
    asks_cursor: bool = False


class Answered(Struct, frozen=True, gc=False):
    taken: Sequence[Taken]
    cursor: str | None = None


class StreamPort(Protocol):
    async def offer(self, item: Offered) -> Answered: ...


class InWorker(Protocol):
    async def __call__(self, fn: Callable[..., T], *args: Any, limit_s: float, label: str) -> T: ...


class IntakePort:
    """One per source and channel. Fulfils hub.connector.Intake."""

    def __init__(self, name: str, port: StreamPort, in_worker: InWorker, now: Callable[[], datetime]) -> None:
        self._name = name
        self._port = port
        self._in_worker = in_worker
        self._now = now
        self._health = ("", "")
        self._beaten = now()

    async def offer(self, items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        return (await self._port.offer(Offered(items, cursor))).taken

    async def cursor(self) -> str | None:
        return (await self._port.offer(Offered((), asks_cursor=True))).cursor

    def now(self) -> datetime:
        return self._now()

    async def health(self, health: str, reason: str = "") -> None:
        if (health, reason) == self._health:
            await self._beat(health)
            return
        changed = health != self._health[0]
        self._health = (health, reason)
        if changed:
            fact = SourceChanged(source=self._name, health=health, reason=reason)
            await self._port.offer(Offered((), health=fact))

    async def _beat(self, health: str) -> None:
        """An offer of nothing: the source was asked and answered. It writes nothing down."""
        now = self._now()
        if health != "failing" and abs((now - self._beaten).total_seconds()) >= BEAT_S:
            self._beaten = now
            await self._port.offer(Offered(()))

    async def in_worker(self, fn: Callable[..., T], *args: Any, label: str) -> T:
        return await self._in_worker(fn, *args, limit_s=WORKER_LIMIT_S, label=f"{self._name}: {label}")
