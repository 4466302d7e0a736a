"""The memory journal: the contract, in virtual time, and what a crash leaves of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from hub.journal import Journal, JournalUnavailable
from hub.journal.memory import MemoryJournal
from tests.contracts.journal import JournalContract, Maker, ids_of, take


class MemoryJournals:
    """Opening again is what survives a crash."""

    def __init__(self, slow: bool) -> None:
        self._slow = slow
        self._last: MemoryJournal | None = None

    async def _disk(self, records: int) -> None:
        await trio.sleep(0.001 if self._slow else 0)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Journal]:
        hook = self._disk if self._slow else None
        if self._last is None:
            self._last = MemoryJournal(before_commit=hook)
        else:
            self._last = self._last.survivor(before_commit=hook)
        yield self._last

    async def change(self, id_: str) -> None:
        assert self._last is not None
        row = self._last._by_id[id_]
        body = row.body.replace(b'"v"', b'"w"') if b'"v"' in row.body else row.body.replace(b"2024-", b"2023-", 1)
        assert body != row.body
        self._last._rows[row.seq - 1] = self._last._by_id[id_] = row._replace(body=body)

    async def remove(self, id_: str) -> None:
        assert self._last is not None
        self._last._rows.remove(self._last._by_id.pop(id_))

    async def spoil_snapshot(self) -> None:
        assert self._last is not None
        self._last._snapshots.pop()


class TestMemory(JournalContract):
    @pytest.fixture
    def journals(self, autojump_clock: trio.testing.MockClock) -> MemoryJournals:
        return MemoryJournals(slow=False)


class TestSlowMemory(JournalContract):
    @pytest.fixture
    def journals(self, autojump_clock: trio.testing.MockClock) -> MemoryJournals:
        return MemoryJournals(slow=True)


@pytest.mark.trio
async def test_a_crash_leaves_what_was_durable_and_nothing_else(autojump_clock: trio.testing.MockClock) -> None:
    make = Maker()
    open_ = trio.Event()

    async def disk(records: int) -> None:
        await open_.wait()

    first, second = make.fact(), make.fact()
    journal = MemoryJournal(before_commit=disk)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.put_facts, [first])
        await trio.testing.wait_all_tasks_blocked()
        open_.set()
        await trio.testing.wait_all_tasks_blocked()
        open_ = trio.Event()
        nursery.start_soon(journal.put_facts, [second])
        await trio.testing.wait_all_tasks_blocked()
        after = journal.survivor()
        open_.set()
        nursery.cancel_scope.cancel()
    await trio.testing.wait_all_tasks_blocked()
    assert ids_of(await take(after, 1)) == [first.id]
    assert await after.get([second.id]) == [None]
    with pytest.raises(JournalUnavailable, match="closed"):
        await journal.put_facts([make.fact()])


def trouble(journal: Journal) -> str:
    """Read anew each time: the type checker takes an attribute not to change by itself."""
    return journal.trouble or ""


@pytest.mark.trio
async def test_in_trouble_facts_are_refused_and_decisions_wait(autojump_clock: trio.testing.MockClock) -> None:
    make = Maker()
    full = True

    async def disk(records: int) -> None:
        await trio.sleep(0.001)
        if full:
            raise JournalUnavailable("the disk is full")

    journal = MemoryJournal(before_commit=disk)
    waiting = journal.put_decision(make.decision())
    with pytest.raises(JournalUnavailable, match="full"):
        await journal.put_facts([make.fact()])
    assert "full" in trouble(journal)
    with pytest.raises(JournalUnavailable, match="full"):
        await journal.put_facts([make.fact()])
    full = False
    await waiting
    assert not trouble(journal)
    assert await journal.verify() == 1
    await journal.put_facts([make.fact()])
