"""NATS JetStream, asyncio's side: streams, publishing with a fence, following, blobs. No trio in here.

Everything runs on the bridge's outgoing loop, called through `hub.journal.cluster`. What may go wrong with a network
comes back as a value (`Failed`), never as an exception.

The streams: VIGIE_FACTS (`vigie.fact.<source>`), VIGIE_DECISIONS_<shard> (`vigie.decision.<shard>`), VIGIE_ATTEMPTS
(`vigie.attempt.<node>`), VIGIE_VAULT (`vigie.vault.<key>.<part>`), and an object store for snapshots. Nobody may
delete from or purge the first three. A message is at most 1 MB (the server's max_payload), so a decision is, too.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError, ObjectNotFoundError, ServiceUnavailableError
from nats.js.errors import Error as JetStreamError
from nats.js.object_store import ObjectStore

from hub.journal.cluster import Ack, Caller, ClusterJournal, Copy, Failed, WrongSequence, replicas_worth
from hub.journal.codec import VaultRow

log = structlog.get_logger(__name__)

T = TypeVar("T")

FACTS = "VIGIE_FACTS"
ATTEMPTS = "VIGIE_ATTEMPTS"
VAULT = "VIGIE_VAULT"
_WINDOW_S = 120.0  # how long the server itself recognises a repeated message; beyond it the copies' keys decide
_TIMEOUT_S = 3.0
_ELECTION_PAUSE_S = 0.5
_WAIT_S = 1.0  # how long `more` waits before it looks whether the stream has gone on without us
_BATCH_MAX = 1_000
_AHEAD_MAX = 20_000
_PART_BYTES = 512 << 10
_WRONG_LAST_SEQUENCE = 10071  # the server's code, for the stream and for a subject alike


@asynccontextmanager
async def open_jetstream(
    caller: Caller,
    servers: Sequence[str],
    copy: Copy,
    *,
    node: str,
    shard: str = "main",
    replicas: int = 3,
    entropy: Callable[[int], bytes] | None = None,
    connect_s: float = 20.0,
) -> AsyncIterator[ClusterJournal]:
    """The journal on a cluster, read through this node's `copy` (a SQLite journal, say), which it keeps up to date.

    `caller` runs coroutines on an asyncio loop (the bridge's outgoing one). Ready once the copy has caught up.
    Raises JournalUnavailable where the cluster cannot be reached within `connect_s`.
    """
    streams = Streams(servers, shard=shard, node=node, replicas=replicas, connect_s=connect_s)
    journal = ClusterJournal(caller, streams, copy, worth=replicas_worth(replicas), entropy=entropy)
    async with journal.running():
        yield journal


def token(key: str) -> str:
    """A key as one token of a subject: as it is where it may be one, in hex otherwise."""
    return "k-" + key if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", key) else "x-" + key.encode().hex()


def _key_of(subject: str) -> str:
    """The key of a blob's part, from its subject: `token` the other way round."""
    made = subject.split(".")[2]
    return made[2:] if made.startswith("k-") else bytes.fromhex(made[2:]).decode()


class _Part(msgspec.Struct, array_like=True):
    """The head of a blob, before its first bytes."""

    about: str
    media_type: str
    salt: bytes
    digest: str
    parts: int


class Streams:
    """One node's connection to the cluster. Made anywhere, used on the asyncio loop only."""

    def __init__(self, servers: Sequence[str], *, shard: str, node: str, replicas: int, connect_s: float) -> None:
        self.facts = FACTS
        self.attempts = ATTEMPTS
        self.decisions = f"VIGIE_DECISIONS_{shard}"
        self.shard = shard
        self.node = node
        self._servers = list(servers)
        self._replicas = replicas
        self._connect_s = connect_s
        self._nc = Client()
        self._js: JetStreamContext
        self._tails: dict[str, _Tail] = {}

    async def connect(self) -> Failed | None:
        """Connects, and makes the streams that are not there."""
        failed = await _known(self._connect())
        if failed is not None:
            await _known(self._nc.close())  # what it has opened must not outlive the loop
        return failed

    async def _connect(self) -> None:
        async def heard(error: Exception) -> None:
            log.warning("the cluster's connection", error=str(error) or type(error).__name__)

        connecting = self._nc.connect(
            self._servers, max_reconnect_attempts=-1, reconnect_time_wait=1, error_cb=heard, name=f"vigie {self.node}"
        )
        try:
            async with asyncio.timeout(self._connect_s):
                await connecting
                self._js = self._nc.jetstream(timeout=_TIMEOUT_S)
                await self._ensure(self.facts, ["vigie.fact.>"])
                await self._ensure(self.decisions, [f"vigie.decision.{token(self.shard)}"])
                await self._ensure(self.attempts, ["vigie.attempt.>"])
                await self._ensure(VAULT, ["vigie.vault.>"], erasable=True)
        except TimeoutError:
            raise TimeoutError(f"no answer from {', '.join(self._servers)} in {self._connect_s:g} s") from None

    async def _ensure(self, name: str, subjects: list[str], erasable: bool = False) -> None:
        config = api.StreamConfig(
            name=name,
            subjects=subjects,
            num_replicas=self._replicas,
            storage=api.StorageType.FILE,
            duplicate_window=_WINDOW_S,
            deny_delete=not erasable,
            deny_purge=True,
            max_msgs_per_subject=1 if erasable else -1,
        )
        while True:
            try:
                await self._js.stream_info(name)
                return
            except NotFoundError:
                await self._js.add_stream(config)
                return
            except (nats.errors.TimeoutError, ServiceUnavailableError) as error:
                # A stream without a leader: one is elected within seconds where most of its replicas are up.
                log.warning("waiting for a stream of the cluster", stream=name, error=str(error))
                await asyncio.sleep(_ELECTION_PAUSE_S)

    async def close(self) -> None:
        for tail in self._tails.values():
            await tail.stop()
        await _known(self._nc.close())

    # -- writing --

    async def publish_facts(self, source: str, body: bytes, msg_id: str) -> Ack | WrongSequence | Failed:
        return await self._publish(f"vigie.fact.{token(source)}", body, msg_id)

    async def publish_attempts(self, body: bytes, msg_id: str) -> Ack | WrongSequence | Failed:
        return await self._publish(f"vigie.attempt.{token(self.node)}", body, msg_id)

    async def publish_decision(self, body: bytes, msg_id: str, after: int) -> Ack | WrongSequence | Failed:
        """Publishes a decision if the stream's last message is still number `after`. The fence is the stream's: one
        by subject let both of two leaders win (measured on 2.9: in 411 of 500 races)."""
        return await self._publish(f"vigie.decision.{token(self.shard)}", body, msg_id, after)

    async def _publish(
        self, subject: str, body: bytes, msg_id: str, after: int | None = None
    ) -> Ack | WrongSequence | Failed:
        headers = {"Nats-Msg-Id": msg_id}
        if after is not None:
            headers["Nats-Expected-Last-Sequence"] = str(after)
        try:
            ack = await self._js.publish(subject, body, headers=headers)
        except APIError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                return WrongSequence()
            return Failed(f"the cluster refused a message: {error.description}")
        except _NETWORK as error:
            return _failed(error)
        return Ack(ack.seq, bool(ack.duplicate))

    def longest(self) -> int:
        """The longest message, bytes; headers take a little of it."""
        return int(self._nc.max_payload) - 1024

    # -- reading --

    async def last(self, stream: str) -> int | Failed:
        """The number of a stream's last message, 0 where there is none."""

        async def ask() -> int:
            return int((await self._js.stream_info(stream)).state.last_seq)

        return await _known(ask())

    async def message(self, stream: str, seq: int) -> bytes | Failed | None:
        """One message, None where there is none of that number."""
        try:
            return (await self._js.get_msg(stream, seq)).data or b""
        except NotFoundError:
            return None
        except _NETWORK as error:
            return _failed(error)

    async def follow(self, stream: str, start: int) -> None:
        """From now on `more` gives this stream's messages from number `start`."""
        self._tails[stream] = _Tail(self._js, stream, start)

    async def more(self, stream: str) -> list[tuple[int, bytes]] | Failed:
        """The next messages, in order and without a gap; an empty list where none came for a while."""
        return await _known(self._tails[stream].more())

    # -- blobs --

    async def keep(self, row: VaultRow) -> str | Failed:
        """Keeps a vault entry unless its key is taken; returns the digest of the one that is kept.

        In a race of two nodes for one key both may be told theirs is kept; then they hold the same original (a key
        that two nodes may share is the digest of its content) and differ in the salt only.
        """
        return await _known(self._keep(row))

    async def _keep(self, row: VaultRow) -> str:
        subject = f"vigie.vault.{token(row.key)}"
        parts = [row.payload[i : i + _PART_BYTES] for i in range(0, len(row.payload), _PART_BYTES)] or [b""]
        head = msgspec.msgpack.encode(_Part(row.about, row.media_type, row.salt, row.digest, len(parts)))
        # The head goes last: an entry is there when it is there whole.
        for number in range(len(parts) - 1, 0, -1):
            await self._js.publish(f"{subject}.{number}", parts[number])
        first = len(head).to_bytes(4, "big") + head + parts[0]
        try:
            await self._js.publish(f"{subject}.0", first, headers={"Nats-Expected-Last-Subject-Sequence": "0"})
        except APIError as error:
            if error.err_code != _WRONG_LAST_SEQUENCE:
                raise
            held = await self._blob(row.key)
            return held.digest if held else row.digest
        return row.digest

    async def blobs(self, keys: Sequence[str]) -> list[VaultRow | None] | Failed:
        async def fetch() -> list[VaultRow | None]:
            return list(await asyncio.gather(*(self._blob(key) for key in keys)))

        return await _known(fetch())

    async def _blob(self, key: str) -> VaultRow | None:
        subject = f"vigie.vault.{token(key)}"
        try:
            first = (await self._js.get_last_msg(VAULT, f"{subject}.0")).data or b""
            size = int.from_bytes(first[:4], "big")
            head = msgspec.msgpack.decode(first[4 : 4 + size], type=_Part)
            payload = [first[4 + size :]]
            for number in range(1, head.parts):
                payload.append((await self._js.get_last_msg(VAULT, f"{subject}.{number}")).data or b"")
        except NotFoundError:
            return None
        return VaultRow(key, head.about, head.media_type, head.salt, head.digest, b"".join(payload))

    async def find(self, words: Sequence[bytes], about: str) -> list[str] | Failed:
        """The keys of blobs that are about this, or in which any of these bytes stand. Reads all, one by one."""

        async def find() -> list[str]:
            found: list[str] = []
            state = (await self._js.stream_info(VAULT)).state
            for seq in range(state.first_seq, state.last_seq + 1):
                try:
                    subject = (await self._js.get_msg(VAULT, seq)).subject or ""
                except NotFoundError:  # erased
                    continue
                key = _key_of(subject)
                row = await self._blob(key) if subject.endswith(".0") else None
                if row is not None and ((about and row.about == about) or any(word in row.payload for word in words)):
                    found.append(key)
            return found

        return await _known(find())

    async def erase(self, keys: Sequence[str]) -> Failed | None:
        """Erases blobs: the server overwrites each message in its file (what it has in older copies, or on a replica
        that is down, is that machine's)."""

        async def erase() -> None:
            for key in keys:
                number = 0
                while await self._erase_part(f"vigie.vault.{token(key)}.{number}"):
                    number += 1

        return await _known(erase())

    async def _erase_part(self, subject: str) -> bool:
        try:
            message = await self._js.get_last_msg(VAULT, subject)
            await self._js.delete_msg(VAULT, message.seq or 0)
        except NotFoundError:
            return False
        return True

    # -- snapshots --

    async def save(self, name: str, data: bytes) -> Failed | None:
        """Keeps a snapshot for nodes that have none of their own; the last two are kept."""

        async def save() -> None:
            store = await self._js.create_object_store(
                f"VIGIE_SNAPSHOTS_{self.shard}", config=api.ObjectStoreConfig(replicas=self._replicas)
            )
            await store.put(name, data)
            for old in (await _names(store))[2:]:
                await store.delete(old)

        return await _known(save())

    async def saved(self) -> list[bytes] | Failed:
        """Kept snapshots, newest first, those that can be read."""

        async def read() -> list[bytes]:
            try:
                store = await self._js.object_store(f"VIGIE_SNAPSHOTS_{self.shard}")
                names = await _names(store)
            except NotFoundError:  # no bucket, or an empty one
                return []
            found = []
            for name in names:
                try:
                    found.append((await store.get(name)).data or b"")
                except (ObjectNotFoundError, JetStreamError):
                    log.warning("a snapshot in the cluster cannot be read, taking the one before", name=name)
            return found

        return await _known(read())


async def _names(store: ObjectStore) -> list[str]:
    """The names of a store's objects, last first; deleted ones are listed too, and left out here."""
    return sorted((info.name for info in await store.list() if info.name and not info.deleted), reverse=True)


class _Tail:
    """Follows one stream through an ordered consumer. Its numbers have no gaps (nobody may delete), so a gap means
    that something went wrong on the way, and the consumer is made anew from where we are."""

    def __init__(self, js: JetStreamContext, stream: str, start: int) -> None:
        self._js = js
        self._stream = stream
        self._next = start  # the number to come
        self._ready: deque[tuple[int, bytes]] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._sub: JetStreamContext.PushSubscription | None = None

    async def more(self) -> list[tuple[int, bytes]]:
        if self._sub is None:
            await self._start()
        if not self._ready:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), _WAIT_S)
            except TimeoutError:
                last = (await self._js.stream_info(self._stream)).state.last_seq
                if last >= self._next and not self._ready:
                    await self.stop()
        batch = [self._ready.popleft() for _ in range(min(len(self._ready), _BATCH_MAX))]
        self._room.set()
        if not batch and self._sub is None:
            await self._start()
        return batch

    async def _start(self) -> None:
        config = api.ConsumerConfig(deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self._next)
        self._sub = await self._js.subscribe(
            ">", stream=self._stream, ordered_consumer=True, config=config, cb=self._heard, idle_heartbeat=2
        )

    async def _heard(self, msg: Msg) -> None:
        seq = msg.metadata.sequence.stream
        if seq != self._next:  # already had, or after a gap: `more` will notice that we stand still
            return
        self._next = seq + 1
        self._ready.append((seq, msg.data))
        self._news.set()
        if len(self._ready) >= _AHEAD_MAX:
            self._room.clear()
            await self._room.wait()

    async def stop(self) -> None:
        if self._sub is not None:
            sub, self._sub = self._sub, None
            await _known(sub.unsubscribe())


_NETWORK = (nats.errors.Error, JetStreamError, TimeoutError, asyncio.TimeoutError, OSError, ConnectionError)


def _failed(error: BaseException) -> Failed:
    return Failed(str(error) or type(error).__name__)


async def _known(work: Awaitable[T]) -> T | Failed:
    """Awaits; what a network does comes back as a value."""
    try:
        return await work
    except _NETWORK as error:
        return _failed(error)
