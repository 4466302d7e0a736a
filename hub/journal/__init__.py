"""The journal: the append-only log every other room rests on, and the vault beside it.

`Journal` is the protocol that SQLite (embedded), JetStream (cluster) and memory (tests, drills) fulfil; one contract
suite (tests/contracts/journal.py) runs against all. All verbs are trio. What an acknowledgement is worth is each
implementation's `Worth`.
"""

from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from hub.model.records import Attempt, Decision, Entry, Fact, Receipt, Record, VaultEntry


class JournalError(Exception):
    """The journal cannot do what was asked."""


class JournalUnavailable(JournalError):
    """Nothing can be made durable now (disk full, read-only, server gone). Nothing acknowledged is lost; the writer
    goes on trying, and the message says what to do."""


class JournalLocked(JournalError):
    """Another writer holds this journal."""


class Fenced(JournalError):
    """Another leader has written a decision since ours: this one is deposed and must not act."""


class Corrupt(JournalError):
    """Verification found a changed or missing record; the message names it."""


class Worth(StrEnum):
    """What an acknowledgement of this journal survives."""

    FSYNC = "fsync"  # a power cut of this machine
    REPLICAS = "replicas"  # the loss of a minority of the replicas, not a power cut of all at once
    PROCESS = "process"  # the end of the server's process, not a power cut of its machine
    NOTHING = "nothing"  # memory: not even the end of the process


class Found(Struct, frozen=True):
    """Ids of records and keys of vault entries, each in its order."""

    records: tuple[str, ...]
    vault: tuple[str, ...]


class Snapshot(Struct, frozen=True, kw_only=True):
    """A state as folded up to and including decision `decision`; `cursor` is the last fact it took."""

    decision: str
    cursor: str
    state: bytes


class Journal(Protocol):
    """One append-only log. Facts may be written by any part of the hub; decisions by the engine only; attempts by the
    owner of the delivery. Concurrent appends share one commit (group commit)."""

    worth: Worth

    @property
    def trouble(self) -> str | None:
        """Why nothing can be made durable now, in words; None while all is well."""
        ...

    async def put_facts(
        self, facts: Sequence[Fact], vault: Sequence[VaultEntry] = (), live: Sequence[Any] | None = None
    ) -> Sequence[str]:
        """Makes facts and their vault entries durable, all or none. Returns for each the id under which the journal
        holds it: its own, or, where a fact of the same `key` is held already, that one's. `live[i]` travels to
        `facts()` beside fact i. Cancelling the wait does not take the facts back. Of a repeated fact nothing is
        written, nor of its vault entry. A vault entry whose key is held already stays as it is. Raises
        JournalUnavailable."""
        ...

    def put_decision(self, decision: Decision, vault: Sequence[VaultEntry] = ()) -> Awaitable[object]:
        """Makes a decision durable, chained to the one before. It is queued when this is called, before anything is
        awaited: decisions are recorded in the order of the calls, and the next call may be made before the previous
        is durable. Awaiting the result (by one task) waits until it is, for as long as it takes; not awaiting or
        cancelling takes nothing back. Raises Fenced; JournalUnavailable only when the journal is closed first;
        JournalError for a decision that takes a fact that is not there, and for all after it."""
        ...

    async def put_attempts(self, attempts: Sequence[Attempt], vault: Sequence[VaultEntry] = ()) -> None:
        """Makes attempts durable, none before the decisions that were put before this was called: an attempt may be
        made while the decision that orders it is still on its way. Raises JournalUnavailable; JournalError or Fenced
        where such a decision was not recorded."""
        ...

    def facts(self, after: str = "") -> AsyncIterator[Sequence[Entry]]:
        """All facts after fact `after` ("" for all), in the journal's order, in batches; then, as they become durable,
        the new ones, for ever. One follower at a time may be the engine's; others may follow too."""
        ...

    async def decisions(self, after: str = "", limit: int = 1000) -> Sequence[Decision]:
        """Decisions after `after`, in order."""
        ...

    async def attempts_of(self, orders: Sequence[str]) -> Sequence[Attempt]:
        """All attempts of these orders, oldest first."""
        ...

    async def receipts_of(self, attempts: Sequence[str]) -> Sequence[str]:
        """Which of these attempts have a ReceiptsReceived fact that settles them."""
        ...

    async def receipts_since(self, at: datetime) -> Sequence[Sequence[Receipt]]:
        """What channels have said since, newest fact first."""
        ...

    async def facts_since(self, types: Collection[str], at: datetime, most: int) -> Sequence[Fact]:
        """Facts whose bodies have one of these tags, made since then, from the oldest; of more than `most` the
        newest."""
        ...

    async def get(self, ids: Sequence[str]) -> Sequence[Record | None]:
        """Records by id."""
        ...

    async def latest(self, kind: str, subject: str) -> Fact | None:
        """The newest fact whose body has this tag (`cursor`, `installed`, `source`) and subject (the source's name;
        `WHAT/NAME` of an installed text)."""
        ...

    async def vault(self, keys: Sequence[str]) -> Sequence[VaultEntry | None]:
        """Vault entries; None where there is none (any more)."""
        ...

    async def find(self, words: Sequence[bytes], about: str = "") -> "Found":
        """Where any of these bytes stand, in the vault and in the records, and what the vault holds about a person or
        source. Reads all there is: for erasing."""
        ...

    async def erase(self, keys: Sequence[str]) -> None:
        """Deletes vault entries and their salts; the records that named them stay whole."""
        ...

    async def note(self, name: str, value: str) -> None:
        """Remembers a value under a name, beside the records: for what only saves time, as another node of a cluster
        may not know it. Raises JournalUnavailable."""
        ...

    async def noted(self, name: str) -> str:
        """A value remembered under a name, "" where there is none."""
        ...

    async def save_snapshot(self, snapshot: Snapshot) -> None: ...

    async def load_snapshot(self) -> Snapshot | None:
        """The newest snapshot that can be read."""
        ...

    async def verify(self) -> int:
        """Checks the hash chain from the last checkpoint; returns the number of decisions. Raises Corrupt."""
        ...


class Position(Struct, frozen=True, kw_only=True):
    """How far a journal goes: counts and the newest record's instant (`vigie journal show`)."""

    facts: int
    decisions: int
    attempts: int
    newest: datetime | None
