"""An `Intake` that keeps what it is offered in memory, and can be made to fail."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from hub.connector import (
    BadItem,
    Environment,
    Item,
    ReceiptItem,
    ReplyItem,
    SignalItem,
    Taken,
    Unavailable,
    WorkerLimit,
)

T = TypeVar("T")


class MemoryIntake:
    """Records once for each key, as the journal does. `down`: nothing can be made durable. `gate`: offers wait for
    it, so that a test can see what happens before something is durable."""

    def __init__(self, now: datetime | None = None) -> None:
        self.items: list[Item] = []
        self.offers = 0
        self.keys: dict[str, str] = {}
        self.down = ""
        self.worker_limit = ""
        self.in_workers: list[str] = []
        self.gate: asyncio.Event | None = None
        self.arrived = asyncio.Condition()
        self.healths: list[tuple[str, str]] = []
        self._now = now

    async def offer(self, items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        self.offers += 1
        async with self.arrived:
            self.arrived.notify_all()
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise Unavailable(self.down)
        taken = []
        for item in items:
            held = self.keys.get(item.key)
            if held is None:
                held = self.keys[item.key] = f"FACT{len(self.keys):06d}"
                self.items.append(item)
                taken.append(Taken(held))
            else:
                taken.append(Taken(held, True))
        async with self.arrived:
            self.arrived.notify_all()
        return taken

    async def cursor(self) -> str | None:
        return None

    def now(self) -> datetime:
        return self._now or datetime.now(UTC)

    async def health(self, health: str, reason: str = "") -> None:
        self.healths.append((health, reason))

    async def in_worker(self, fn: Callable[..., T], *args: Any, label: str) -> T:
        self.in_workers.append(label)
        if self.worker_limit:
            raise WorkerLimit(self.worker_limit)
        return fn(*args)

    async def until(self, met: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Waits for something offered; fails by TimeoutError."""
        async with asyncio.timeout(timeout_s), self.arrived:
            await self.arrived.wait_for(met)

    @property
    def signals(self) -> list[SignalItem]:
        return [item for item in self.items if isinstance(item, SignalItem)]

    @property
    def bad(self) -> list[BadItem]:
        return [item for item in self.items if isinstance(item, BadItem)]

    @property
    def replies(self) -> list[ReplyItem]:
        return [item for item in self.items if isinstance(item, ReplyItem)]

    @property
    def receipts(self) -> list[ReceiptItem]:
        return [item for item in self.items if isinstance(item, ReceiptItem)]


def environment(name: str, public_url: str = "", **secrets: str) -> Environment:
    """An environment whose secrets are given; a missing one raises KeyError, as the hub's does."""

    def secret(wanted: str) -> str:
        try:
            return secrets[wanted]
        except KeyError:
            raise KeyError(f"secret {wanted} is not set") from None

    return Environment(name=name, secret=secret, public_url=public_url, allow_internal=True)
