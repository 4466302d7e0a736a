"""What operators ask of the hub, on the web's side: every method crosses to `hub.operators`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from hub.web.api import Done, Duty

T = TypeVar("T")


class Question(Struct, frozen=True):
    """As it crosses to the hub: `words` are what JSON can hold."""

    verb: str
    words: tuple[Any, ...]


class Port(Protocol):
    async def offer(self, item: Question) -> bytes: ...


class OperatorsPort:
    """hub.web.api.Api on the asyncio side: every method crosses to the hub, whose answers are JSON."""

    def __init__(self, port: Port) -> None:
        self._port = port

    async def _ask(self, kind: type[T], verb: str, *words: Any) -> T:
        return msgspec.json.decode(await self._port.offer(Question(verb, words)), type=kind)

    async def start(self, sheet: str, by: str, answers: Mapping[str, str]) -> Done:
        return await self._ask(Done, "start", sheet, by, dict(answers))

    async def stop_all(self, by: str, why: str) -> Done:
        return await self._ask(Done, "stop", by, why)

    async def lift(self, by: str, why: str) -> Done:
        return await self._ask(Done, "lift", by, why)

    async def end(self, incident: str, by: str, why: str) -> Done:
        return await self._ask(Done, "end", incident, by, why)

    async def task_done(self, task: str, by: str) -> Done:
        return await self._ask(Done, "task", task, by)

    async def acknowledge(self, alarm: str, by: str) -> Done:
        return await self._ask(Done, "acknowledge", alarm, by)

    async def auditor(self, what: str, detail: str) -> Done:
        return await self._ask(Done, "auditor", what, detail)

    async def step_clock(self, at: datetime) -> Done:
        return await self._ask(Done, "clock", at)

    async def who(self, chain: str, at: datetime | None) -> list[Duty]:
        return await self._ask(list[Duty], "who", chain, at)

    async def status(self) -> Mapping[str, Any]:
        return await self._ask(dict[str, Any], "status")

    async def health(self) -> Mapping[str, Any]:
        return await self._ask(dict[str, Any], "health")
