"""Listening to one Mastodon server: streams for what comes, REST for what was missed, one funnel for both."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace
from yarl import URL

from connectors.http import Fetcher, FetchFailed
from connectors.live import Funnel, Health, Line
from connectors.mastodon.config import MastodonConfig
from connectors.mastodon.follow import State, Thing, host_of, things_of
from connectors.mastodon.read import KIND, Account, Reading, Seen, bad, before, newer, one, order, page
from connectors.mastodon.sse import Event, Events
from connectors.polling import Sleep, read_aside
from connectors.post import deletion
from hub.connector import BadItem, Environment, Intake, Item, ReadError, WorkerLimit

T = TypeVar("T")

_log = structlog.get_logger()

PAGE = 40  # statuses of a page: the most that servers give
CHECK_S = 600.0  # between two looks at whether what was offered still stands
_CHECKED_FOR = timedelta(hours=24)
_CHECKED_MAX = 100
_CHECKED_TOGETHER = 20  # the most that Mastodon gives at once
_BAD_MAX = 20  # events in a row that cannot be read: then it is no Mastodon that speaks there
_OFFERED = Thing("what was offered")


class _Urls(Struct, frozen=True):
    streaming: str = ""


class _Configuration(Struct, frozen=True):
    urls: _Urls = _Urls()


class _Instance(Struct, frozen=True):
    configuration: _Configuration = _Configuration()


class Listener:
    """Everything that goes on for one source. An async context manager; all on one loop."""

    def __init__(
        self,
        config: MastodonConfig,
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
        self._sleep = sleep
        self._chance = chance
        self._server = config.server.rstrip("/")
        host = host_of(config.server)
        followed = (account.removeprefix("@").casefold() for account in config.accounts)
        full = frozenset(account if "@" in account else f"{account}@{host}" for account in followed)
        self._reading = Reading(config, host, config.boosts, full)
        self._kept = state  # as of what was offered
        self._ahead = state.copy()  # as of what was read
        self._things = things_of(config)
        self._health = Health(intake, config.silent_after, len(self._things) + 1)
        self._funnel = Funnel(intake, self._health, state.dump, sleep, keep_s=keep_s)
        self._authorization = f"Bearer {environment.secret(config.token).strip()}" if config.token else ""
        self._fetchers: dict[str, Fetcher] = {}
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> "Listener":
        self._api = await self._fetcher(self._server)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def _fetcher(self, origin: str) -> Fetcher:
        if origin not in self._fetchers:
            made = Fetcher(
                self._environment.user_agent,
                timeout_s=self._config.timeout,
                bytes_max=max(PAGE * self._config.max_bytes, 1 << 20),
                configured=origin,
                internal=self._config.internal,
                allow_internal=self._environment.allow_internal,
                tape=self._environment.tape,
                through=self._environment.through,
                authorization=self._authorization,
            )
            self._fetchers[origin] = await self._opened.enter_async_context(made)
        return self._fetchers[origin]

    def work(self, check_s: float) -> list[Coroutine[Any, Any, None]]:
        """What goes on until cancelled, each by itself."""
        return [
            self._funnel.run(),
            *(self._held(thing, self._listen) for thing in self._things if thing.stream),
            *(self._held(thing, self._look, self._config.every) for thing in self._things if not thing.stream),
            self._held(_OFFERED, self._check, check_s),
        ]

    async def _held(self, thing: Thing, work: Callable[[Thing], Awaitable[None]], every_s: float = 1.0) -> None:
        line = Line(self._environment.name, thing.name, self._health, self._sleep, self._chance)
        await line.hold(lambda: work(thing), every_s)

    # --- as it comes ---------------------------------------------------------------------------------------

    async def _listen(self, thing: Thing) -> None:
        """Opens the stream first, then reads what was missed, then what comes: between the two nothing is lost."""
        at = await self._streams_at()
        fetcher = await self._fetcher(at)
        async with fetcher.stream(
            at + thing.stream, accept="text/event-stream", quiet_s=self._config.dead_after
        ) as pieces:
            await self._look(thing)
            await self._health.fine(thing.name)
            await self._hear(thing, pieces)
        raise FetchFailed(f"{at} ended the stream")

    async def _streams_at(self) -> str:
        """The streams may be on a server of their own; the server says which."""
        try:
            got = await self._api.get(self._server + "/api/v2/instance")
            named = msgspec.json.decode(got.body, type=_Instance).configuration.urls.streaming
        except (FetchFailed, msgspec.MsgspecError):
            return self._server
        for scheme, plain in (("wss://", "https://"), ("ws://", "http://")):
            if named.startswith(scheme):
                named = plain + named.removeprefix(scheme)
        try:
            origin = str(URL(named).origin())
        except ValueError:
            return self._server
        # A token never goes out in the clear where the server itself is spoken to safely.
        return self._server if self._server.startswith("https") and not origin.startswith("https") else origin

    async def _hear(self, thing: Thing, pieces: AsyncIterator[bytes]) -> None:
        events, unread = Events(self._config.max_bytes), 0
        async for piece in pieces:
            for event in events.feed(piece):
                if not event.name:
                    continue
                try:
                    await self._take(thing, event)
                    unread = 0
                except (ReadError, WorkerLimit) as error:
                    unread += 1
                    fault = error if isinstance(error, ReadError) else ReadError(f"too much to read ({error})")
                    await self._put([bad(fault, event.data)], lambda _: None)
                    if unread > _BAD_MAX:
                        raise FetchFailed(f"{unread} events in a row cannot be read: {fault.reason}") from error

    async def _take(self, thing: Thing, event: Event) -> None:
        if event.name == "delete":
            await self._deleted(event.data.decode("utf-8", "replace").strip(' "'))
        elif event.name in ("update", "status.update"):
            if event.too_large:
                raise ReadError(f"larger than {self._config.max_bytes} bytes: not read")
            status = await read_aside(self._intake, one, event.data, self._reading)
            await self._seen(thing, status, edited=event.name == "status.update")

    async def _seen(self, thing: Thing, status: Seen, *, edited: bool = False, baseline: bool = False) -> None:
        """A status that came. An edited one stands where it stood, and says nothing of how far was read."""
        self._health.news()
        item = self._ahead.news(status, edited)
        if item is not None and baseline:
            item = replace(item, baseline=True)

        def moved(state: State) -> None:
            if item is not None:
                state.offered(status)
            if thing.path and not edited:
                state.had(thing.name, status.id)

        await self._put([item] if item is not None else [], moved)

    async def _deleted(self, status_id: str) -> None:
        known = self._ahead.known.get(status_id)
        if known is not None:
            item = deletion(KIND, known.author, known.identifier, self._intake.now())
            await self._put([item], lambda state: state.known.pop(status_id, None))

    async def _put(self, items: Sequence[Item], moved: Callable[[State], object]) -> None:
        moved(self._ahead)
        await self._funnel.put(items, lambda: moved(self._kept))

    # --- what was missed -----------------------------------------------------------------------------------

    async def _look(self, thing: Thing) -> None:
        """Everything of a thing that is newer than what is known, page by page, the oldest first. At the very first
        look the newest page, as what was there before."""
        if thing.name.startswith("@"):
            thing = replace(thing, path=f"/api/v1/accounts/{await self._account(thing.name[1:])}/statuses")
        last = self._ahead.last.get(thing.name)
        if last is None:
            if not await self._page(thing, "", baseline=True):
                await self._put([], lambda state: state.last.setdefault(thing.name, "0"))
            await self._funnel.keep()  # from here on what comes is news
            return
        after = before(last, thing.overlap_s)
        while after and (following := await self._page(thing, after)) and order(following) > order(after):
            after = following

    async def _page(self, thing: Thing, after: str, *, baseline: bool = False) -> str:
        """Reads a page of what is newer than an id, and answers after which id the next one begins; "" where there is
        nothing."""
        query = [*thing.query, ("limit", str(PAGE)), *((("min_id", after),) if after else ())]
        got = await self._api.get(f"{self._server}{thing.path}?{urlencode(query)}")
        found = await self._read(got.body)
        for status in found:
            if isinstance(status, BadItem):
                await self._put([status], lambda _: None)
            else:
                await self._seen(thing, status, baseline=baseline)
        ids = [status.id for status in found if isinstance(status, Seen)]
        return newer(got.link) or max(ids, key=order, default="")

    async def _read(self, body: bytes) -> list[Seen | BadItem]:
        try:
            return await read_aside(self._intake, page, body, self._reading)
        except (ReadError, WorkerLimit) as error:
            fault = error if isinstance(error, ReadError) else ReadError(f"too much to read ({error})")
            await self._put([bad(fault, body)], lambda _: None)
            raise FetchFailed(f"{self._server}: {fault.reason}") from error

    async def _account(self, name: str) -> str:
        """The id of an account on this server."""
        if name not in self._ahead.accounts:
            try:
                got = await self._api.get(f"{self._server}/api/v1/accounts/lookup?{urlencode({'acct': name})}")
            except FetchFailed as error:
                if error.status == 404:
                    raise FetchFailed(f"{self._server} knows no account {name}", lasting=True, status=404) from error
                raise
            try:
                found = msgspec.json.decode(got.body, type=Account).id
            except msgspec.MsgspecError as error:
                raise FetchFailed(f"{self._server} answers with no account for {name}") from error
            await self._put([], lambda state: state.accounts.update({name: found}))
        return self._ahead.accounts[name]

    # --- whether what was offered still stands -------------------------------------------------------------

    async def _check(self, _: Thing) -> None:
        """Looks at what was offered lately: what was edited or deleted while nobody listened is not in any timeline."""
        since = (self._intake.now() - _CHECKED_FOR).timestamp()
        recent = self._ahead.recent(since, _CHECKED_MAX)
        for n in range(0, len(recent), _CHECKED_TOGETHER):
            asked = recent[n : n + _CHECKED_TOGETHER]
            try:
                got = await self._api.get(
                    f"{self._server}/api/v1/statuses?{urlencode([('id[]', status_id) for status_id in asked])}"
                )
            except FetchFailed as error:
                if not error.lasting:
                    raise
                _log.info("mastodon.not_checked", source=self._environment.name, error=error.reason)
                return  # before Mastodon 4.3 several cannot be asked for
            found = [status for status in await self._read(got.body) if isinstance(status, Seen)]
            for status in found:
                await self._seen(_OFFERED, status)
            for status_id in set(asked) - {status.id for status in found}:
                await self._confirm(status_id)

    async def _confirm(self, status_id: str) -> None:
        """Withdraws what is gone: only where the server says so of that very status."""
        try:
            await self._api.get(f"{self._server}/api/v1/statuses/{status_id}")
        except FetchFailed as error:
            if error.status in (404, 410):
                await self._deleted(status_id)
            elif not error.lasting:
                raise
