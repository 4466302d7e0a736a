"""When the core saves its state."""

import random
from datetime import UTC, datetime

import pytest
import trio
from trio.testing import MockClock

from hub.clock import Clock
from hub.core import LISTEN_S, Core, restore
from hub.journal.memory import MemoryJournal
from hub.model.ids import Ids
from hub.model.records import Fact, HubStarted
from tools.simulate.world import rules, texts

pytestmark = pytest.mark.trio

BEGIN = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)


async def _live(journal: MemoryJournal, seconds: float, seed: int) -> None:
    """A hub comes up, learns of a fact, and goes down after so many seconds."""
    with trio.move_on_after(seconds):
        core = Core(
            journal=journal,
            clock=Clock(BEGIN),
            state=await restore(journal),
            rules=rules(),
            texts=texts(),
            channels={},
            call=None,  # type: ignore[arg-type] # nothing is sent
            limits={},
            make_ids=lambda: Ids(random.Random(seed)),
            chance=random.Random(seed),
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(core.run)
            ids = Ids(random.Random(seed + 100))
            await journal.put_facts([Fact(id=ids.new(BEGIN), at=BEGIN, body=HubStarted(node="n", version="0"))])
            await trio.sleep_forever()


async def test_a_hub_that_keeps_going_down_saves_its_state_all_the_same(autojump_clock: MockClock) -> None:
    journal = MemoryJournal()
    await _live(journal, 10, 1)
    assert await journal.load_snapshot() is None
    await _live(journal, LISTEN_S + 2, 2)
    snapshot = await journal.load_snapshot()
    assert snapshot is not None
    assert snapshot.decision == (await restore(journal)).decision
