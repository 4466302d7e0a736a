"""The journal on a cluster, trio's side: what is written goes to streams that all nodes share; what is read comes from
this node's own copy, which follows the streams. So reading code is the same embedded and clustered.

- Facts: any node publishes. All copies apply the stream in its order, and there a fact whose key is held already is
  dropped: the same one on every node. The server's own recognition of repeats only saves the way.
- Decisions: one leader per shard, fenced by the stream's last number. Each copy chains them; the bodies and the order
  are the same everywhere, so are the hashes.
- The vault is the cluster's; copies hold none of it, so erasing is done once, for all.

What is acknowledged is in the stream on a majority of its replicas (`Worth.REPLICAS`), which is not an fsync: see
docs/decisions/journal.md.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec
import structlog
import trio

from hub.journal import Fenced, Found, Journal, JournalError, JournalUnavailable, Snapshot, Worth
from hub.journal.codec import (
    Kind,
    VaultRow,
    decode_attempt,
    decode_decision,
    decode_fact,
    key_digest,
    unseal,
    vault_keys,
)
from hub.journal.puts import Put, Sealer, unavailable
from hub.model.records import Attempt, Decision, Entry, Fact, Receipt, Record, VaultEntry

log = structlog.get_logger(__name__)

T = TypeVar("T")

_PAUSE_S_FIRST = 0.1
_PAUSE_S_MAX = 2.0
_NOTE_EVERY = 500  # messages: after a restart at most so many are applied again, which changes nothing


class Failed(msgspec.Struct, frozen=True):
    """The network or the cluster did not do it; whether it took effect is not known."""

    why: str


class Ack(msgspec.Struct, frozen=True):
    """A stream holds the message under this number; `duplicate`: it did so already."""

    seq: int
    duplicate: bool


class WrongSequence(msgspec.Struct, frozen=True):
    """The stream has gone on: the message was not taken."""


Published = Ack | WrongSequence | Failed


class Caller(Protocol):
    """Runs coroutines on an asyncio loop: `hub.bridge.Loop`."""

    async def call(self, fn: Callable[..., Coroutine[Any, Any, T]], *args: object, connector: str) -> T: ...


class Shared(Protocol):
    """The cluster as asyncio's side gives it (hub.journal.jetstream.Streams)."""

    facts: str
    decisions: str
    attempts: str

    async def connect(self) -> Failed | None: ...
    async def close(self) -> None: ...
    def longest(self) -> int: ...
    async def publish_facts(self, source: str, body: bytes, msg_id: str) -> Published: ...
    async def publish_attempts(self, body: bytes, msg_id: str) -> Published: ...
    async def publish_decision(self, body: bytes, msg_id: str, after: int) -> Published: ...
    async def last(self, stream: str) -> int | Failed: ...
    async def message(self, stream: str, seq: int) -> bytes | Failed | None: ...
    async def follow(self, stream: str, start: int) -> None: ...
    async def more(self, stream: str) -> list[tuple[int, bytes]] | Failed: ...
    async def keep(self, row: VaultRow) -> str | Failed: ...
    async def blobs(self, keys: Sequence[str]) -> list[VaultRow | None] | Failed: ...
    async def find(self, words: Sequence[bytes], about: str) -> list[str] | Failed: ...
    async def erase(self, keys: Sequence[str]) -> Failed | None: ...
    async def save(self, name: str, data: bytes) -> Failed | None: ...
    async def saved(self) -> list[bytes] | Failed: ...


Copy = Journal
"""A journal that is a node's copy: it notes how far each stream has been applied."""


def replicas_worth(replicas: int) -> Worth:
    """JetStream acknowledges before it syncs: with one replica a power cut loses what was acknowledged last."""
    return Worth.REPLICAS if replicas > 1 else Worth.PROCESS


class _Progress:
    """How far one stream has been applied to the copy."""

    def __init__(self) -> None:
        self.seq = 0
        self._moved = trio.Event()

    def advance(self, seq: int) -> None:
        self.seq = seq
        moved, self._moved = self._moved, trio.Event()
        moved.set()

    async def moved(self) -> None:
        await self._moved.wait()

    async def reach(self, seq: int) -> None:
        while self.seq < seq:
            await self._moved.wait()


class ClusterJournal:
    """A Journal on a cluster. Made by `hub.journal.jetstream.open_jetstream`."""

    def __init__(
        self,
        caller: Caller,
        shared: Shared,
        copy: Copy,
        *,
        worth: Worth,
        entropy: Callable[[int], bytes] | None = None,
    ) -> None:
        self.worth = worth
        self._troubles: dict[str, str] = {}
        self._caller = caller
        self._shared = shared
        self._copy = copy
        self._sealer = Sealer(entropy or os.urandom)
        self._progress = {name: _Progress() for name in (shared.facts, shared.decisions, shared.attempts)}
        self._flying: dict[str, Put] = {}  # first fact's id → its put, until the copy has applied it
        self._send, self._pending = trio.open_memory_channel[Put](10_000)
        self._after = 0  # the decision stream's last message as this leader knows it
        self._deposed: JournalError | None = None
        self._nursery: trio.Nursery | None = None

    @property
    def trouble(self) -> str | None:
        """Why nothing can be made durable now: the cluster's reason, or the copy's."""
        return next(iter(self._troubles.values()), None) or self._copy.trouble

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connects, catches up, and keeps the copy up to date until the end."""
        if isinstance(failed := await self._call(self._shared.connect), Failed):
            raise JournalUnavailable(
                f"the cluster cannot be reached: {failed.why}: start its servers, or name the right ones"
            )
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                appliers = {
                    self._shared.facts: self._apply_facts,
                    self._shared.decisions: self._apply_decisions,
                    self._shared.attempts: self._apply_attempts,
                }
                for stream, apply in appliers.items():
                    nursery.start_soon(self._follow, stream, apply)
                nursery.start_soon(self._send_in_order, nursery)
                await self.lead()
                for stream in appliers:
                    await self._progress[stream].reach(await self._last(stream))
                yield
                self._nursery = None
                nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await self._note_progress()
                await self._call(self._shared.close)

    async def _note_progress(self) -> None:
        try:
            for stream, progress in self._progress.items():
                if progress.seq:
                    await self._copy.note(stream, str(progress.seq))
        except JournalUnavailable as error:
            log.warning("how far the copy goes is not noted: it will apply the end again", error=str(error))

    async def lead(self) -> None:
        """From here on this node's decisions follow what the stream holds now. Whoever calls it has all of it in the
        copy when this returns, and must fold it before deciding."""
        last = await self._last(self._shared.decisions)
        await self._progress[self._shared.decisions].reach(last)
        self._after = last
        self._deposed = None

    # -- facts and attempts --

    async def put_facts(
        self, facts: Sequence[Fact], vault: Sequence[VaultEntry] = (), live: Sequence[Any] | None = None
    ) -> Sequence[str]:
        await trio.lowlevel.checkpoint_if_cancelled()
        return await self._put(self._sealer.facts(facts, vault, live), self._publish_facts)

    async def put_attempts(self, attempts: Sequence[Attempt], vault: Sequence[VaultEntry] = ()) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        put = self._sealer.attempts(attempts, vault)
        self._check()
        self._send.send_nowait(put)  # in its turn among the decisions
        await put.wait()

    async def _put(self, put: Put, publish: Callable[[Put], Awaitable[None]]) -> Sequence[str]:
        # In a task of its own: cancelling the wait does not take the put back.
        self._check().start_soon(self._carry_out, put, publish)
        return await put.wait()

    def _check(self) -> trio.Nursery:
        if self._nursery is None:
            raise unavailable("it is closed")
        if self.trouble is not None:
            raise unavailable(self.trouble)
        return self._nursery

    async def _carry_out(self, put: Put, publish: Callable[[Put], Awaitable[None]]) -> None:
        try:
            await self._keep(put)
            if put.rows:
                await publish(put)
        except JournalError as error:
            put.refuse(error)
        except BaseException:
            put.refuse(unavailable("it was closed"))
            raise
        finally:
            put.settle()

    async def _publish_facts(self, put: Put) -> None:
        first = put.records[0]
        # Of a put of one fact the server recognises the key, of a longer one its repetition by the same node.
        key = key_digest(first.key) if len(put.records) == 1 else None
        source = str(getattr(first.body, "source", "") or "hub")
        self._flying[first.id] = put
        try:
            published = await self._call(
                self._shared.publish_facts, source, self._message(put), key.hex() if key else first.id
            )
            ack = self._acknowledged(published)
            await self._progress[self._shared.facts].reach(ack.seq)
        finally:
            del self._flying[first.id]
        if ack.duplicate:
            # Ours is not in the stream, its elder is, and in the copy: asking again finds that one's id.
            put.held = list(await self._copy.put_facts(put.records))
        dropped = [record for record, held in zip(put.records, put.held, strict=True) if record.id != held]
        if dropped and (keys := await self._orphans(put, dropped)):
            await self._call(self._shared.erase, keys)

    async def _orphans(self, put: Put, dropped: Sequence[Fact]) -> list[str]:
        """The vault entries that came with repeated facts only."""
        elders = await self._copy.get(put.held)
        named = {key for record in elders if isinstance(record, Fact) for key in vault_keys(record)}
        if len(dropped) == len(put.records):
            return [row.key for row in put.vault if row.key not in named]
        return list({key for fact in dropped for key in vault_keys(fact) if key and key not in named})

    async def _publish_attempts(self, put: Put) -> None:
        published = await self._call(self._shared.publish_attempts, self._message(put), put.rows[0].id)
        await self._progress[self._shared.attempts].reach(self._acknowledged(published).seq)
        put.held = [row.id for row in put.rows]

    def _message(self, put: Put) -> bytes:
        """A put is one message, so it is there whole or not at all: records one per line."""
        body = b"\n".join(row.body for row in put.rows)
        if len(body) > self._shared.longest():
            raise JournalError(
                f"{put.rows[0].type} {put.rows[0].id}: {len(body)} bytes in one append, the cluster takes "
                f"{self._shared.longest()}: put less at once, or keep the large part in the vault"
            )
        return body

    def _acknowledged(self, published: Published) -> Ack:
        if isinstance(published, Ack):
            self._troubles.pop("publishing", None)
            return published
        why = published.why if isinstance(published, Failed) else "the stream has gone on"
        self._troubles["publishing"] = why
        raise unavailable(why)

    async def _keep(self, put: Put) -> None:
        """Keeps the vault entries of a put, and gives its records the digests of those that are kept."""
        digests: dict[str, str] = {}
        for row in put.vault:
            kept = await self._call(self._shared.keep, row)
            if isinstance(kept, Failed):
                self._troubles["publishing"] = kept.why
                raise unavailable(kept.why)
            digests[row.key] = kept
        if put.seal:
            named = [record.vault for record in put.records if record.vault and record.vault not in digests]
            digests |= {row.key: row.digest for row in await self._blobs(named) if row is not None}
        put.reseal(digests)

    # -- decisions --

    def put_decision(self, decision: Decision, vault: Sequence[VaultEntry] = ()) -> Awaitable[object]:
        put = self._sealer.decision(decision, vault)
        if self._nursery is None:
            raise unavailable("it is closed")
        self._send.send_nowait(put)
        return put

    async def _send_in_order(self, nursery: trio.Nursery) -> None:
        """Decisions one after the other, in the order of the calls, each when the one before is acknowledged; attempts
        when all decisions put before them are."""
        put: Put | None = None
        try:
            async for put in self._pending:
                if put.kind is Kind.ATTEMPT:
                    nursery.start_soon(self._carry_out, put, self._publish_attempts)
                    continue
                try:
                    if self._deposed is not None:
                        raise self._deposed
                    await self._send_decision(put)
                except JournalError as error:
                    self._deposed = self._deposed or error
                    self._refuse([put, *self._left()], error)
                else:
                    put.settle()
        finally:
            under_way = [put] if put is not None and put.kind is Kind.DECISION and not put.over else []
            self._refuse([*under_way, *self._left()], unavailable("it was closed"))

    def _refuse(self, puts: Sequence[Put], error: JournalError) -> None:
        for put in puts:
            put.refuse(error)
            put.settle()

    def _left(self) -> list[Put]:
        left = []
        try:
            while True:
                left.append(self._pending.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            return left

    async def _send_decision(self, put: Put) -> None:
        decision: Decision = put.records[0]
        held, *took = await self._copy.get([decision.id, *decision.took])
        put.held = [decision.id]
        if held is not None:
            return
        missing = next((fact for fact, record in zip(decision.took, took, strict=True) if record is None), None)
        if missing is not None:
            raise JournalError(
                f"decision {decision.id} takes fact {missing}, which is not in the journal: "
                "no decision is taken any more until the hub is started again"
            )
        body = self._message(put)
        pause_s = _PAUSE_S_FIRST
        while True:
            try:
                await self._keep(put)
                seq = await self._publish_decision(decision, body)
                break
            except JournalUnavailable:  # decisions wait for as long as it takes
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, _PAUSE_S_MAX)
        self._after = max(self._after, seq)
        await self._progress[self._shared.decisions].reach(seq)

    async def _publish_decision(self, decision: Decision, body: bytes) -> int:
        """The number under which the stream holds it. Raises Fenced; JournalUnavailable to be tried again."""
        shared, after = self._shared, self._after
        published = await self._call(shared.publish_decision, body, decision.id, after)
        if not isinstance(published, WrongSequence):
            return self._acknowledged(published).seq
        # It may be our own: an earlier try that was taken and whose answer was lost.
        other = await self._call(shared.message, shared.decisions, after + 1)
        if isinstance(other, Failed):
            raise unavailable(other.why)
        if other is None:  # the replica that answered has not got it yet
            raise unavailable("the stream has gone on")
        found = decode_decision(other)
        if found.id == decision.id:
            return after + 1
        raise Fenced(
            f"decision {decision.id}: another leader has decided since ({found.id}): this one acts no more; "
            "it follows, and may lead again once it has folded what the other decided"
        )

    # -- keeping the copy --

    async def _follow(self, stream: str, apply: Callable[[bytes], Awaitable[None]]) -> None:
        """Applies a stream to the copy, message by message, for ever."""
        progress = self._progress[stream]
        noted = await self._copy.noted(stream)
        progress.advance(int(noted or 0))
        last_note = progress.seq
        await self._call(self._shared.follow, stream, progress.seq + 1)
        while True:
            batch = await self._call(self._shared.more, stream)
            if isinstance(batch, Failed):
                self._troubles[stream] = batch.why
                log.error("the cluster cannot be read", stream=stream, reason=batch.why)
                await trio.sleep(_PAUSE_S_MAX)
                continue
            self._troubles.pop(stream, None)
            if stream == self._shared.facts:
                self._troubles.pop("publishing", None)
            for seq, message in batch:
                await self._insist(apply, message)
                progress.advance(seq)
            if progress.seq - last_note >= _NOTE_EVERY:
                last_note = progress.seq
                await self._copy.note(stream, str(last_note))

    async def _insist(self, apply: Callable[[bytes], Awaitable[None]], message: bytes) -> None:
        """The copy's disk may be full for a while; it says so itself."""
        pause_s = _PAUSE_S_FIRST
        while True:
            try:
                return await apply(message)
            except JournalUnavailable:
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, _PAUSE_S_MAX)

    async def _apply_facts(self, message: bytes) -> None:
        facts = [decode_fact(line) for line in message.split(b"\n")]
        put = self._flying.get(facts[0].id)
        held = await self._copy.put_facts(facts, live=put.live if put else None)
        if put is not None:
            put.held = list(held)

    async def _apply_decisions(self, message: bytes) -> None:
        decision = decode_decision(message)
        facts = self._progress[self._shared.facts]
        while None in await self._copy.get(decision.took):
            await facts.moved()
        await self._copy.put_decision(decision)

    async def _apply_attempts(self, message: bytes) -> None:
        await self._copy.put_attempts([decode_attempt(line) for line in message.split(b"\n")])

    # -- reading: the copy --

    def facts(self, after: str = "") -> AsyncIterator[Sequence[Entry]]:
        return self._copy.facts(after)

    async def decisions(self, after: str = "", limit: int = 1000) -> Sequence[Decision]:
        return await self._copy.decisions(after, limit)

    async def attempts_of(self, orders: Sequence[str]) -> Sequence[Attempt]:
        return await self._copy.attempts_of(orders)

    async def receipts_of(self, attempts: Sequence[str]) -> Sequence[str]:
        return await self._copy.receipts_of(attempts)

    async def receipts_since(self, at: datetime) -> Sequence[Sequence[Receipt]]:
        return await self._copy.receipts_since(at)

    async def facts_since(self, types: Collection[str], at: datetime, most: int) -> Sequence[Fact]:
        return await self._copy.facts_since(types, at, most)

    async def get(self, ids: Sequence[str]) -> Sequence[Record | None]:
        return await self._copy.get(ids)

    async def latest(self, kind: str, subject: str) -> Fact | None:
        return await self._copy.latest(kind, subject)

    async def verify(self) -> int:
        return await self._copy.verify()

    # -- the vault and snapshots --

    async def vault(self, keys: Sequence[str]) -> Sequence[VaultEntry | None]:
        return [None if row is None else unseal(row) for row in await self._blobs(keys)]

    async def _blobs(self, keys: Sequence[str]) -> Sequence[VaultRow | None]:
        found = await self._call(self._shared.blobs, list(keys))
        if isinstance(found, Failed):
            raise unavailable(found.why)
        return found

    async def find(self, words: Sequence[bytes], about: str = "") -> Found:
        own = await self._copy.find(words)
        keys = await self._call(self._shared.find, list(words), about)
        if isinstance(keys, Failed):
            raise unavailable(keys.why)
        return Found(own.records, tuple(keys))

    async def erase(self, keys: Sequence[str]) -> None:
        if isinstance(failed := await self._call(self._shared.erase, list(keys)), Failed):
            raise unavailable(failed.why)

    async def note(self, name: str, value: str) -> None:
        """In this node's copy."""
        await self._copy.note(name, value)

    async def noted(self, name: str) -> str:
        return await self._copy.noted(name)

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """In the copy, and in the cluster for a node that comes new."""
        await self._copy.save_snapshot(snapshot)
        data = msgspec.msgpack.encode(snapshot)
        if isinstance(failed := await self._call(self._shared.save, snapshot.decision, data), Failed):
            raise unavailable(failed.why)

    async def load_snapshot(self) -> Snapshot | None:
        own = await self._copy.load_snapshot()
        if own is not None:
            return own
        found = await self._call(self._shared.saved)
        if isinstance(found, Failed):
            raise unavailable(found.why)
        for data in found:
            snapshot = msgspec.msgpack.decode(data, type=Snapshot)
            if (await self._copy.get([snapshot.decision]))[0] is not None:
                return snapshot
        return None

    # -- the cluster --

    async def _last(self, stream: str) -> int:
        last = await self._call(self._shared.last, stream)
        if isinstance(last, Failed):
            raise unavailable(last.why)
        return last

    async def _call(self, fn: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
        return await self._caller.call(fn, *args, connector="journal")
