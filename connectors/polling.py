"""What every source that polls an address shares: its config, its pace, its durable cursor, offering until durable."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from connectors.certificate import Certificate
from connectors.http import Fetcher, FetchFailed
from connectors.text import BYTES_MAX
from hub.connector import Environment, Intake, Item, Route, Taken, Unavailable

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[object]]

BACKOFF_FIRST_S = 30.0
BACKOFF_MAX_S = 900.0
GONE_S = 86_400.0
WORKER_FROM_BYTES = 16 * 1024  # smaller bodies are read in place: the way to a worker costs more than reading
_SEEN_MAX = 4000
_BATCH = 200


class PollConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to poll and how. Durations are seconds."""

    url: Annotated[
        str,
        Meta(
            pattern="^https?://[^ ]+$",
            description="Address to poll, http or https.",
            examples=["https://feeds.example.org/warnings"],
        ),
    ]
    every: Annotated[float, Meta(ge=1, le=86_400, description="Seconds between polls, e.g. 60 (1 min).")] = 60.0
    timeout: Annotated[float, Meta(gt=0, le=600, description="Seconds a whole answer may take, e.g. 30.")] = 30.0
    max_bytes: Annotated[
        int, Meta(ge=1024, le=BYTES_MAX, description="Largest answer read, in bytes after decompression, e.g. 1048576.")
    ] = BYTES_MAX
    internal: Annotated[
        bool, Meta(description="The address is one of our own network (loopback, private): allow it, and it alone.")
    ] = False
    authorization: Annotated[
        str,
        Meta(
            description="Name of the secret whose value is sent as the Authorization header; empty for none.",
            examples=["FEED_AUTHORIZATION"],
        ),
    ] = ""
    silent_after: Annotated[
        float, Meta(ge=0, description="Seconds without anything new after which the source counts as silent; 0: never.")
    ] = 0.0


C = TypeVar("C", bound=PollConfig)


class Cursor(Struct, kw_only=True, omit_defaults=True):
    """Where a source stands, as kept by the journal. `seen` maps an identifier's digest to its content's, the
    longest unseen first; it is bounded, but holds at least all that the last answer held."""

    etag: str = ""
    last_modified: str = ""
    seen: dict[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def load(cls, text: str | None) -> "tuple[Cursor, bool]":
        """The cursor, and whether this is the very first poll (what it finds is the backlog, not news). A cursor that
        cannot be read is no first poll: what comes again is recognised by its key."""
        if text is None:
            return cls(), True
        try:
            return msgspec.json.decode(text, type=cls), False
        except (msgspec.DecodeError, ValueError):
            return cls(), False

    def dump(self) -> str:
        return msgspec.json.encode(self).decode()

    def mark(self, name: str, content: str) -> None:
        self.seen.pop(name, None)
        self.seen[name] = content

    def trim(self, present: int) -> None:
        """Forgets the oldest beyond the bound; `present`: how many the last answer held."""
        for name in list(self.seen)[: max(0, len(self.seen) - max(_SEEN_MAX, present))]:
            del self.seen[name]


class PollFailed(Exception):
    """What came back is of no use; shown in the room as the reason the source fails."""


class Pace:
    """How long to wait: `every` after success; after failures doubling from 30 s (or `every`, where shorter) to
    `longest` (or `every`, where longer), never less than the server asked for. All with up to 10 % of jitter, so that
    a hundred hubs do not come at once."""

    def __init__(self, every_s: float, chance: random.Random, longest_s: float = BACKOFF_MAX_S) -> None:
        self._every_s = every_s
        self._longest_s = longest_s
        self._chance = chance
        self._failures = 0

    def succeeded(self) -> float:
        self._failures = 0
        return self._jitter(self._every_s)

    def failed(self, retry_after_s: float | None = None, *, gone: bool = False) -> float:
        self._failures += 1
        first = min(self._every_s, BACKOFF_FIRST_S)
        wait = min(first * 2.0 ** min(self._failures - 1, 20), max(self._every_s, self._longest_s))
        if gone:
            wait = GONE_S
        # No server may silence a source for longer than a day.
        return max(self._jitter(wait), min(retry_after_s or 0.0, GONE_S))

    def _jitter(self, wait_s: float) -> float:
        return wait_s * (1.0 + 0.1 * self._chance.random())


async def _nothing_to_say() -> str:
    return ""


async def poll_forever(
    poll: Callable[[], Awaitable[int]],
    intake: Intake,
    config: PollConfig,
    sleep: Sleep,
    chance: random.Random,
    expiring: Callable[[], Awaitable[str]] = _nothing_to_say,
) -> None:
    """Polls until cancelled, reporting health. `poll` answers how many new items it offered; it raises FetchFailed or
    PollFailed. Anything else is a fault of ours and goes up. `expiring`: what is to be said of its certificate."""
    pace = Pace(config.every, chance)
    last_news = intake.now()
    while True:
        try:
            if await poll():
                last_news = intake.now()
        except FetchFailed as error:
            health, reason = "failing", error.reason
            wait_s = pace.failed(error.retry_after_s, gone=error.gone)
        except PollFailed as error:
            health, reason = "failing", str(error)
            wait_s = pace.failed()
        else:
            health, reason = "ok", ""
            quiet_s = (intake.now() - last_news).total_seconds()
            if config.silent_after and quiet_s >= config.silent_after:
                health, reason = "silent", f"nothing new for {quiet_s:.0f} s"
            elif ends := await expiring():
                health, reason = "expiring", ends
            wait_s = pace.succeeded()
        with suppress(Unavailable):
            await intake.health(health, reason)
        await sleep(wait_s)


class PollingSource(ABC, Generic[C]):
    """A source that polls one address. Each kind gives its `poll`."""

    def __init__(
        self,
        config: C,
        environment: Environment,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._config = config
        self._environment = environment
        self._sleep = sleep
        self._chance = chance or random.SystemRandom()
        # Read now, so that one that is missing is named before the hub starts.
        self._secret = environment.secret(config.authorization) if config.authorization else ""

    @abstractmethod
    def poll(self, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool) -> Callable[[], Awaitable[int]]:
        """What is done at each poll (see `poll_forever`). `first`: what it finds is the backlog, not news."""

    async def run(self, intake: Intake) -> None:
        config = self._config
        cursor, first = Cursor.load(await intake.cursor())
        async with Fetcher(
            self._environment.user_agent,
            timeout_s=config.timeout,
            bytes_max=config.max_bytes,
            configured=config.url,
            internal=config.internal,
            allow_internal=self._environment.allow_internal,
            authorization=self._secret,
            tape=self._environment.tape,
            through=self._environment.through,
        ) as fetcher:
            poll = self.poll(fetcher, intake, cursor, first)
            guarded = "" if self._environment.through else config.url
            certificate = Certificate(guarded, anywhere=config.internal or self._environment.allow_internal)
            await poll_forever(poll, intake, config, self._sleep, self._chance, certificate.expiring)

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()


async def offer(intake: Intake, items: Sequence[Item], cursor: str | None, sleep: Sleep) -> Sequence[Taken]:
    """Offers the same items again and again until the hub can keep them; only then may the cursor count."""
    wait_s = 1.0
    while True:
        try:
            return await intake.offer(items, cursor=cursor)
        except Unavailable:
            await sleep(wait_s)
            wait_s = min(wait_s * 2.0, 30.0)


def batches(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[n : n + _BATCH] for n in range(0, len(items), _BATCH)]


async def read_aside(intake: Intake, fn: Callable[..., T], body: bytes, *args: object) -> T:
    """Reads a body in a worker process where it is large. Raises WorkerLimit."""
    if len(body) < WORKER_FROM_BYTES:
        return fn(body, *args)
    return await intake.in_worker(fn, body, *args, label=fn.__name__)
