"""A channel with nothing behind it, in pure trio: what virtual time needs in place of the real ones."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

import trio
from msgspec import Struct

from hub.connector import Abilities, Answer, Dead, Intake, Outgoing, Retry, Route, Sent
from tests.contracts.channel import Arrival, Provider
from tests.contracts.intake import MemoryIntake


class FakeConfig(Struct, frozen=True, kw_only=True):
    """Nothing to configure."""


# What each of the channels that a whole hub is told about in stories can do.
ABILITIES = {
    "any": Abilities(answers=True, settles=True, idempotent=True, receipts=True, recalls=True),
    "sms": Abilities(answers=True, longest=1600, settles=True, receipts=True),
    "voice": Abilities(answers=True, voice=True, settles=True, receipts=True, recalls=True),
    "email": Abilities(answers=True, settles=True, idempotent=True),
}


class FakeChannel:
    """Takes, refuses, loses or withholds as `provider` says; keeps what arrived, and shows it to `arrive` first."""

    Config: ClassVar[type[Struct]] = FakeConfig

    def __init__(self, kind: str = "any", arrive: Callable[[Outgoing], Awaitable[None]] | None = None) -> None:
        self.abilities = ABILITIES[kind]
        self.provider = Provider.WORKING
        self.refused: set[str] = set()  # addresses
        self.arrivals: list[Arrival] = []
        self.recalled: list[str] = []
        self.hanging = trio.Event()
        self._arrive = arrive
        self._refs: dict[str, str] = {}

    async def open(self, intake: Intake) -> None:
        await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        await trio.lowlevel.checkpoint()

    async def send(self, outgoing: Outgoing) -> Answer:
        await trio.lowlevel.checkpoint()
        match self.provider:
            case Provider.DOWN | Provider.BUSY:
                return Retry(reason=f"fake: {self.provider}")
            case Provider.REFUSING:
                return Dead(reason="fake: refused", bad_address=True)
            case Provider.HANGING:
                self.hanging.set()
                await trio.sleep_forever()
        if outgoing.to in self.refused:
            return Dead(reason="fake: nobody has this number", bad_address=True)
        if self._arrive is not None:
            await self._arrive(outgoing)
        name = f"{outgoing.order}/{outgoing.index}"
        self.arrivals.append(Arrival(outgoing.to, outgoing.text, name))
        ref = self._refs.setdefault(name, f"FAKE{len(self._refs)}")
        return Retry(reason="fake: answer lost", doubt=True) if self.provider is Provider.LOSING else Sent(ref=ref)

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        await trio.lowlevel.checkpoint()
        if self.provider is Provider.DOWN:
            return None
        ref = self._refs.get(f"{outgoing.order}/{outgoing.index}")
        return Sent(ref=ref) if ref else Retry(reason="fake: never came")

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        await trio.lowlevel.checkpoint()
        self.recalled.append(ref)

    def ref_of(self, outgoing: Outgoing) -> str:
        """Its name for what it was handed."""
        return self._refs.get(f"{outgoing.order}/{outgoing.index}", "")

    def routes(self, intake: Intake) -> Sequence[Route]:
        return []

    def check(self, address: str) -> str:
        return (
            "" if address.startswith("+") or "@" in address else f"{address!r}: begins with + and digits, or has an @"
        )


class FakeWorld:
    """The fake and its other side, which are one."""

    def __init__(self, kind: str = "any") -> None:
        self.channel = FakeChannel(kind)
        self.intake = MemoryIntake()
        self.good = self.wrong = "+32470000001"

    async def behave(self, provider: Provider) -> None:
        await trio.lowlevel.checkpoint()
        self.channel.provider = provider

    def arrivals(self) -> Sequence[Arrival]:
        return self.channel.arrivals

    async def together(self, work: Sequence[Awaitable[Any]]) -> Sequence[Any]:
        results: list[Any] = [None] * len(work)

        async def one(number: int, waited: Awaitable[Any]) -> None:
            results[number] = await waited

        async with trio.open_nursery() as nursery:
            for number, waited in enumerate(work):
                nursery.start_soon(one, number, waited)
        return results

    async def given_up(self, work: Awaitable[Any]) -> bool:
        ended = False

        async def wait() -> None:
            nonlocal ended
            try:
                await work
            finally:
                ended = True

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await self.channel.hanging.wait()
            nursery.cancel_scope.cancel()
        return ended
