"""What operators ask of the hub, on the web's side: every method crosses to `hub.operators`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from hub.model.people import Steer
from hub.web.api import Done, Duty, SilenceBody

T = TypeVar("T")


class OperatorsPort:
    """hub.web.api.Api on the asyncio side: every method crosses to the hub. `ask` takes a verb and words that JSON can
    hold, and gives the hub's answer in JSON."""

    def __init__(self, ask: Callable[[str, Sequence[Any]], Awaitable[bytes]]) -> None:
        self._put = ask

    async def _ask(self, kind: type[T], verb: str, *words: Any) -> T:
        return msgspec.json.decode(await self._put(verb, words), type=kind)

    async def start(self, sheet: str, by: str, answers: Mapping[str, str]) -> Done:
        return await self._ask(Done, "start", sheet, by, dict(answers))

    async def stop_all(self, by: str, why: str) -> Done:
        return await self._ask(Done, "stop", by, why)

    async def lift(self, by: str, why: str) -> Done:
        return await self._ask(Done, "lift", by, why)

    async def end(self, incident: str, by: str, why: str) -> Done:
        return await self._ask(Done, "end", incident, by, why)

    async def steer(self, run: str, act: Steer, by: str, why: str, to: str) -> Done:
        return await self._ask(Done, "steer", run, act, by, why, to)

    async def silence(self, wanted: SilenceBody) -> Done:
        return await self._ask(Done, "silence", msgspec.to_builtins(wanted))

    async def lift_silence(self, silence: str, by: str, why: str) -> Done:
        return await self._ask(Done, "lift-silence", silence, by, why)

    async def take_watch(self, person: str, by: str) -> Done:
        return await self._ask(Done, "watch", person, by)

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
