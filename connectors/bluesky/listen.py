"""Listening to Bluesky: a Jetstream for what comes and for what was missed; authors' feeds where there is none."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlencode

import aiohttp
import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from connectors.bluesky.config import DID, BlueskyConfig
from connectors.bluesky.read import (
    COLLECTION,
    KIND,
    Commit,
    Event,
    Reading,
    Seen,
    address,
    at_of,
    bad,
    event_of,
    fold_tag,
    name_of,
    page,
    seen,
)
from connectors.bluesky.state import State
from connectors.http import Fetcher, FetchFailed
from connectors.live import Funnel, Health, Line
from connectors.polling import WORKER_FROM_BYTES, Sleep, read_aside
from connectors.post import deletion
from hub.connector import BadItem, Environment, Intake, Item, ReadError, WorkerLimit

_log = structlog.get_logger()

REWIND_US = 5_000_000  # each server has a clock of its own
_CLOCKS_US = 60_000_000  # feeds tell by a clock of their own
REPLAYED_US = 24 * 3600 * 1_000_000  # how far back a Jetstream surely goes (36 h at Bluesky's own)
_SKIP_US, _SKIP_MAX_US = 1_000_000, 3600_000_000  # what is passed over where a frame is too large to be taken
_POLLED_FROM = 2  # failures in a row from which on authors' feeds are read
_PAGES_MAX = 10  # of an author's feed, 100 posts each
_BAD_MAX = 20  # frames in a row that cannot be read: then it is no Jetstream that speaks there
_HEAD = 4096  # bytes of a frame that is too large which are kept
_TOO_BIG = 1009  # RFC 6455, 7.4.1
_AGAIN_S = 600.0  # after which accounts that could not be found are looked for again
_LINE = "the stream"
_GONE = frozenset({"deleted", "takendown", "suspended"})


class _Resolved(Struct, frozen=True):
    did: str


class Listener:
    """Everything that goes on for one source. An async context manager; all on one loop."""

    def __init__(
        self,
        config: BlueskyConfig,
        environment: Environment,
        intake: Intake,
        state: State,
        sleep: Sleep,
        chance: random.Random,
        keep_s: float,
    ) -> None:
        self._config = config
        self._environment = environment
        self._intake = intake
        self._kept = state  # as of what was offered
        self._ahead = state.copy()  # as of what was read
        self._api_at = config.api.rstrip("/")
        self._servers = list(config.servers)
        self._accounts = list(dict.fromkeys(account.removeprefix("@") for account in config.accounts))
        self._health = Health(intake, config.silent_after, 1 + len(self._accounts))
        self._funnel = Funnel(intake, self._health, state.dump, sleep, keep_s=keep_s)
        self._line = Line(environment.name, _LINE, self._health, sleep, chance)
        self._reading = Reading(config, tags=frozenset(map(fold_tag, config.hashtags)))
        self._skip_us = 0  # what is passed over next, where a frame was too large
        self._fetchers: dict[str, Fetcher] = {}
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> "Listener":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def _fetcher(self, server: str) -> Fetcher:
        plain = server.replace("ws", "http", 1) if server.startswith("ws") else server
        if plain not in self._fetchers:
            made = Fetcher(
                self._environment.user_agent,
                timeout_s=self._config.timeout,
                bytes_max=max(100 * self._config.max_bytes, 1 << 20),
                configured=plain,
                internal=self._config.internal,
                allow_internal=self._environment.allow_internal,
                tape=self._environment.tape,
                through=self._environment.through,
            )
            self._fetchers[plain] = await self._opened.enter_async_context(made)
        return self._fetchers[plain]

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on until cancelled, each by itself."""
        return [self._funnel.run(), self._line.hold(self._listen)]

    # --- as it comes ---------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Listens until it breaks off. Where it goes on breaking off, authors' feeds are read meanwhile."""
        missing = await self._find_accounts()
        await self._look_back()
        server = self._servers[0]
        try:
            async with asyncio.timeout(_AGAIN_S if missing else None):
                await self._hear(server)
        except TimeoutError:
            return
        except FetchFailed as error:
            # A position is a time: any server goes on from there.
            self._servers.append(self._servers.pop(0))
            if self._line.failures >= _POLLED_FROM and self._reading.dids:
                await self._look(self._ahead.at - _CLOCKS_US)
                reason = f"{error.reason}; meanwhile the accounts' feeds are read"
                raise FetchFailed(reason, retry_after_s=error.retry_after_s) from error
            raise

    async def _hear(self, server: str) -> None:
        whole = not self._reading.dids or bool(self._reading.tags)
        patience_s = self._config.dead_after
        fetcher = await self._fetcher(server)
        async with fetcher.websocket(
            f"{server}?{urlencode(self._query(whole))}", quiet_s=patience_s, bytes_max=4 * self._config.max_bytes
        ) as socket:
            await self._health.fine(_LINE)
            unread = 0
            while True:
                try:
                    # All posts there are come by the second; those of a few accounts need not. Pongs are no news.
                    async with asyncio.timeout(patience_s if whole else None):
                        message = await socket.receive()
                except TimeoutError as error:
                    raise FetchFailed(f"{server} has sent nothing for {patience_s:g} s") from error
                if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    await self._ended(server, socket.close_code)
                data = message.data.encode() if isinstance(message.data, str) else message.data
                try:
                    await self._take(data)
                    unread, self._skip_us = 0, 0
                except (ReadError, WorkerLimit) as error:
                    unread += 1
                    fault = error if isinstance(error, ReadError) else ReadError(f"too much to read ({error})")
                    await self._put([bad(fault, data[:_HEAD])])
                    if unread > _BAD_MAX:
                        raise FetchFailed(
                            f"{server}: {unread} frames in a row cannot be read: {fault.reason}"
                        ) from error

    def _query(self, whole: bool) -> list[tuple[str, str]]:
        """What is asked for (Jetstream's query parameters), from where on."""
        query = [("wantedCollections", COLLECTION), ("maxMessageSizeBytes", str(self._config.max_bytes))]
        query += [] if whole else [("wantedDids", did) for did in sorted(self._reading.dids)]
        return [*query, ("cursor", str(self._ahead.at + (self._skip_us or -REWIND_US)))]

    async def _ended(self, server: str, code: int | None) -> NoReturn:
        if code != _TOO_BIG:
            raise FetchFailed(f"{server} ended the stream ({code or 'without a word'})")
        # It would come again and again: what follows is passed over, twice as much each time it is not behind us.
        self._skip_us = min(2 * self._skip_us, _SKIP_MAX_US) or _SKIP_US
        behind = at_of(self._ahead.at).isoformat()
        reason = f"a frame of more than {4 * self._config.max_bytes} bytes: {self._skip_us // 10**6} s are passed over"
        await self._put([bad(ReadError(reason, f"after {behind}"), f"{server} {behind} {self._skip_us}".encode())])
        raise FetchFailed(f"{server} sends {reason}")

    async def _take(self, data: bytes) -> None:
        """One event."""
        if len(data) > self._config.max_bytes:
            raise ReadError(f"larger than {self._config.max_bytes} bytes: not read")
        event = event_of(data)
        at = at_of(event.time_us)
        commit = event.commit
        if commit is not None and commit.collection == COLLECTION:
            await self._commit(event, commit, at, data)
        elif event.account is not None and not event.account.active and event.account.status in _GONE:
            why = f"the account is {event.account.status}"
            for name in self._ahead.of(event.did):
                await self._deleted(name, why)
        elif event.identity is not None and event.did in self._reading.dids and event.identity.handle:
            self._named({event.did: event.identity.handle})
        await self._put([], lambda state: state.read_to(event.time_us))

    async def _commit(self, event: Event, commit: Commit, at: datetime, data: bytes) -> None:
        name = name_of(event.did, commit.rkey)
        if commit.operation == "delete":
            await self._deleted(name, "deleted by its author")
            return
        self._health.news()
        anyway = commit.operation == "update" and name in self._ahead.known
        record = bytes(commit.record)
        given = (event.did, commit.rkey, commit.cid, record, at, self._reading, data, anyway)
        if len(data) < WORKER_FROM_BYTES:
            post = seen(*given)
        else:
            post = await self._intake.in_worker(seen, *given, label="post")
        await self._seen(post, edited=commit.operation == "update")

    async def _seen(self, post: Seen, *, edited: bool = False, baseline: bool = False) -> None:
        item = self._ahead.news(post, edited)
        if item is not None:
            item = replace(item, baseline=baseline)
            await self._put([item], lambda state: state.offered(post))

    async def _deleted(self, name: str, why: str) -> None:
        if name in self._ahead.known:
            item = deletion(KIND, name.partition("/")[0], address(name), self._intake.now(), why)
            await self._put([item], lambda state: state.known.pop(name, None))

    async def _put(self, items: Sequence[Item], moved: Callable[[State], object] = lambda _: None) -> None:
        moved(self._ahead)
        await self._funnel.put(items, lambda: moved(self._kept))

    # --- accounts, and their feeds -------------------------------------------------------------------------

    async def _find_accounts(self) -> bool:
        """Looks up the handles whose account is not known, and answers whether some could not be found. Raises
        FetchFailed where nothing is left to be followed: to ask for nobody's posts is to be sent everybody's."""
        dids, missing = {}, False
        for account in self._accounts:
            try:
                dids[await self._did(account)] = "" if DID.fullmatch(account) else account
            except FetchFailed as error:
                missing = True
                await self._health.failed(f"@{account}", error.reason)
            else:
                await self._health.fine(f"@{account}")
        if missing and not dids and not self._reading.tags:
            raise FetchFailed("none of the accounts could be found")
        self._reading = replace(self._reading, dids=frozenset(dids))
        self._named({did: handle for did, handle in dids.items() if handle})
        return missing

    def _named(self, handles: dict[str, str]) -> None:
        names = dict(self._reading.names) | handles
        self._reading = replace(self._reading, names=tuple(names.items()))

    async def _did(self, account: str) -> str:
        if DID.fullmatch(account):
            return account
        known = self._ahead.dids.get(account)
        if known is not None:
            return known
        try:
            got = await self._ask("com.atproto.identity.resolveHandle", handle=account)
            found = msgspec.json.decode(got, type=_Resolved).did
        except FetchFailed as error:
            if error.status in (400, 404):
                raise FetchFailed(f"there is no account {account}: correct accounts", lasting=True) from error
            raise
        except msgspec.MsgspecError:
            found = ""
        if not DID.fullmatch(found):
            raise FetchFailed(f"{self._api_at} answers with no account for {account}")
        await self._put([], lambda state: state.dids.update({account: found}))
        return found

    async def _ask(self, method: str, **query: str) -> bytes:
        fetcher = await self._fetcher(self._api_at)
        return (await fetcher.get(f"{self._api_at}/xrpc/{method}?{urlencode(query)}")).body

    async def _look_back(self) -> None:
        """At the very first start: what the accounts wrote last, as what was there before. After so long a break that
        the stream does not go back to it: what they wrote since."""
        now_us = int(self._intake.now().timestamp() * 1e6)
        if not self._ahead.at:
            try:
                await self._look(0, baseline=True)
            except FetchFailed as error:
                _log.warning("bluesky.no_baseline", source=self._environment.name, error=error.reason)
            await self._put([], lambda state: state.read_to(now_us))
            await self._funnel.keep()  # from here on what comes is news
        elif now_us - self._ahead.at > REPLAYED_US and self._reading.dids:
            await self._look(self._ahead.at - _CLOCKS_US)

    async def _look(self, since_us: int, *, baseline: bool = False) -> None:
        """What the accounts have written since, by their feeds."""
        for did in sorted(self._reading.dids):
            try:
                found = await self._feed(did, since_us, 1 if baseline else _PAGES_MAX)
            except FetchFailed as error:
                if not error.lasting:
                    raise
                _log.warning("bluesky.no_feed", source=self._environment.name, did=did, error=error.reason)
                continue
            for post in reversed(found):
                if isinstance(post, BadItem):
                    await self._put([post])
                else:
                    await self._seen(post, baseline=baseline)

    async def _feed(self, did: str, since_us: int, pages: int) -> list[Seen | BadItem]:
        """An account's posts, the newest first, back to a time."""
        found: list[Seen | BadItem] = []
        cursor: dict[str, str] = {}
        for _ in range(pages):
            got = await self._ask(
                "app.bsky.feed.getAuthorFeed", actor=did, limit="100", filter="posts_with_replies", **cursor
            )
            try:
                part = await read_aside(self._intake, page, got, self._reading)
            except (ReadError, WorkerLimit) as error:
                raise FetchFailed(f"{self._api_at}: {error}") from error
            found += part.posts
            oldest = min((post.at for post in part.posts if isinstance(post, Seen)), default=None)
            if not part.cursor or (oldest is not None and oldest.timestamp() * 1e6 < since_us):
                break
            cursor = {"cursor": part.cursor}
        return [post for post in found if isinstance(post, BadItem) or post.at.timestamp() * 1e6 >= since_us]
