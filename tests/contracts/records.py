"""Records to put into a journal, and the facts taken back out of it: what the contract of journals is told with."""

import random
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from hub.journal import Journal
from hub.model.ids import Ids
from hub.model.records import (
    Attempt,
    Decision,
    Entry,
    Fact,
    SignalReceived,
    VaultEntry,
)

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


class Journals(Protocol):
    """Where journals of one kind are opened. Opening again finds what was there before."""

    def open(self) -> AbstractAsyncContextManager[Journal]: ...

    async def change(self, id_: str) -> None:
        """Changes a byte of a stored record, while no journal is open."""
        ...

    async def remove(self, id_: str) -> None:
        """Removes a stored record, while no journal is open."""
        ...

    async def spoil_snapshot(self) -> None:
        """Makes the newest snapshot unreadable, while no journal is open."""
        ...


class Maker:
    """Makes records with ids that sort, one millisecond apart."""

    def __init__(self, seed: int = 1) -> None:
        self._ids = Ids(random.Random(seed))
        self._at = NOON

    def id(self) -> str:
        self._at += timedelta(milliseconds=1)
        return self._ids.new(self._at)

    def fact(self, body: Any = None, **more: Any) -> Fact:
        return Fact(id=self.id(), at=self._at, body=body or SignalReceived(source="kmi"), **more)

    def decision(self, took: Sequence[Fact | str] = (), **more: Any) -> Decision:
        ids = tuple(fact if isinstance(fact, str) else fact.id for fact in took)
        return Decision(id=self.id(), at=self._at, took=ids, **more)

    def attempt(self, order: str, **more: Any) -> Attempt:
        return Attempt(id=self.id(), at=self._at, order=order, start=0, stop=1, **more)

    def sealed(self, text: str = "somebody's words", **more: Any) -> tuple[Fact, VaultEntry]:
        """A fact and the vault entry it names."""
        entry = VaultEntry(key=self.id(), payload=text.encode(), about="kmi")
        return self.fact(vault=entry.key, **more), entry


async def take(journal: Journal, count: int, after: str = "") -> list[Entry]:
    """The first `count` facts after `after`."""
    entries: list[Entry] = []
    async for batch in journal.facts(after):
        assert batch, "an empty batch was given out"
        entries += batch
        if len(entries) >= count:
            break
    assert len(entries) == count
    return entries


def ids_of(entries: Sequence[Entry]) -> list[str]:
    return [entry.record.id for entry in entries]
