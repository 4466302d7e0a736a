"""Coming back: what was durable and not yet decided on counts before anything goes out."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from hub.clock import Clock
from hub.connector import Abilities, Outgoing
from hub.core import LISTEN_S, Core, restore
from hub.drill.outside import call
from hub.engine.state import State
from hub.journal.memory import MemoryJournal
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.message import Lane, Outcome
from tools.simulate.world import SimChannel, rules, texts

pytestmark = pytest.mark.trio

BEGIN = datetime(2026, 7, 14, 20, 0, tzinfo=UTC)
IDS = Ids(random.Random(1))


def fact(body: Any, at: datetime = BEGIN) -> r.Fact:
    return r.Fact(id=IDS.new(at), at=at, body=body)


async def went_down(*after: r.Fact | r.Attempt) -> MemoryJournal:
    """A journal with one decided order (o1: a message to partner-0), and what was durable besides when the hub died."""
    journal = MemoryJournal()
    first = fact(r.HubStarted(node="test", version=""))
    await journal.put_facts([first])
    ordered = e.Ordered(
        order="o1", channel="sms", lane=Lane.NOTIFY, message="partners", recipients=("partner-0",), incidents=("i1",)
    )
    await journal.put_decision(r.Decision(id=IDS.new(BEGIN), at=BEGIN, took=(first.id,), events=(ordered,)))
    for record in after:
        if isinstance(record, r.Attempt):
            await journal.put_attempts([record])
        else:
            await journal.put_facts([record])
    return journal.survivor()


async def core_on(journal: MemoryJournal, channel: SimChannel) -> Core:
    return Core(
        journal=journal,
        clock=Clock(BEGIN),
        state=await restore(journal),
        rules=rules(),
        texts=texts(),
        channels={"sms": channel},
        call=call,
        limits={},
        make_ids=lambda: Ids(random.Random(2)),
        chance=random.Random(3),
    )


async def come_back(journal: MemoryJournal) -> list[Outgoing]:
    """Runs the core for a minute; what reached a phone."""
    arrived: list[Outgoing] = []
    abilities = Abilities(answers=True)  # cannot be asked what became of an attempt
    channel = SimChannel(
        "sms", random.Random(1), abilities, lambda _, outgoing: arrived.append(outgoing), lambda *_: None
    )
    core = await core_on(journal, channel)
    started = fact(r.HubStarted(node="test", version=""))
    await journal.put_facts([started])
    with trio.move_on_after(60):
        await core.run(started.id)
    return arrived


ATTEMPT = r.Attempt(id="01ATTEMPT", at=BEGIN, order="o1", start=0, stop=1)


async def test_what_was_only_queued_is_sent(autojump_clock: MockClock) -> None:
    (outgoing,) = await come_back(await went_down())
    assert not outgoing.repeat


async def test_nothing_goes_out_while_the_hub_listens(autojump_clock: MockClock) -> None:
    journal = await went_down()
    begun = trio.current_time()
    arrived: list[float] = []
    channel = SimChannel(
        "sms", random.Random(1), Abilities(), lambda *_: arrived.append(trio.current_time() - begun), lambda *_: None
    )
    core = await core_on(journal, channel)
    with trio.move_on_after(60):
        await core.run()
    assert len(arrived) == 1
    assert arrived[0] >= LISTEN_S


async def test_an_attempt_without_an_outcome_is_sent_again_and_says_so(autojump_clock: MockClock) -> None:
    (outgoing,) = await come_back(await went_down(ATTEMPT))
    assert outgoing.repeat


async def test_a_receipt_that_was_not_decided_on_counts(autojump_clock: MockClock) -> None:
    receipt = r.ReceiptsReceived(channel="sms", receipts=(r.Receipt("o1", 0, Outcome.SENT),), attempt=ATTEMPT.id)
    assert await come_back(await went_down(ATTEMPT, fact(receipt))) == []


async def test_the_state_is_restored_from_a_snapshot_and_the_decisions_since(autojump_clock: MockClock) -> None:
    journal = await went_down()
    whole = await restore(journal)
    assert whole.orders["o1"].event.channel == "sms"
    assert whole != State()
