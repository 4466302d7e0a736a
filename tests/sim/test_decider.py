"""When the engine's task decides: at once, but for good news."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trio
from trio.testing import MockClock

from hub.clock import Clock
from hub.decider import LINGER_S, Decider
from hub.engine.engine import Engine
from hub.engine.state import State
from hub.journal.memory import MemoryJournal
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.message import Outcome
from tools.simulate.world import rules

BEGIN = datetime(2026, 7, 14, tzinfo=UTC)
IDS = Ids(random.Random(7))

pytestmark = pytest.mark.trio


def fact(body: r.FactBody) -> r.Fact:
    return r.Fact(id=IDS.new(BEGIN), at=BEGIN, body=body)


def receipt(outcome: Outcome = Outcome.SENT) -> r.Fact:
    return fact(r.ReceiptsReceived(channel="sms", receipts=(r.Receipt("o1", 0, outcome),), attempt="a1"))


@asynccontextmanager
async def deciding() -> AsyncIterator[MemoryJournal]:
    journal = MemoryJournal()
    decider = Decider(Engine(State(), rules(), Ids(random.Random(1))), journal, Clock(BEGIN))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(decider.run)
        yield journal
        nursery.cancel_scope.cancel()


async def took(journal: MemoryJournal) -> list[tuple[str, ...]]:
    return [decision.took for decision in await journal.decisions()]


async def test_receipts_that_only_say_it_went_out_are_taken_together(autojump_clock: MockClock) -> None:
    first, second = receipt(), receipt(Outcome.DELIVERED)
    async with deciding() as journal:
        await journal.put_facts([first])
        await trio.sleep(LINGER_S / 2)
        assert await took(journal) == []
        await journal.put_facts([second])
        await trio.sleep(LINGER_S)
        assert await took(journal) == [(first.id, second.id)]


@pytest.mark.parametrize("pressing", [fact(r.StopAll(by="op", why="look")), receipt(Outcome.FAILED)])
async def test_whatever_else_comes_is_decided_on_at_once_and_in_its_order(
    autojump_clock: MockClock, pressing: r.Fact
) -> None:
    first = receipt()
    async with deciding() as journal:
        await journal.put_facts([first])
        await trio.sleep(LINGER_S / 2)
        await journal.put_facts([pressing])
        await trio.sleep(LINGER_S / 100)
        assert [fact for taken in await took(journal) for fact in taken] == [first.id, pressing.id]
