"""The `feed` source: polls an RSS, Atom or RDF feed, and fetches the CAP files its entries announce."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from connectors.cap.read import bad_item, parse_cap, with_original
from connectors.feed.parse import Feed, parse_feed
from connectors.feed.read import FEED_TYPE, Group, Reading, as_update, groups_of, host_of, items_of, read_feed
from connectors.http import Fetched, Fetcher, FetchFailed
from connectors.polling import (
    Cursor,
    PollConfig,
    PollFailed,
    PollingSource,
    Sleep,
    offer,
    read_aside,
)
from hub.connector import BadItem, Intake, ReadError, SignalItem, WorkerLimit
from hub.model.signal import Category, Hazard

_AT_ONCE = 4  # CAP files fetched at the same time from one publisher
_BATCH = 20  # groups offered together
_FETCHES_MAX = 200  # CAP files a poll: the rest of a large index comes with the next
_TRIES = 5  # polls that try again for a CAP file that could not be had


class FeedConfig(PollConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feed to poll.

    Example: `{url: "https://www.bruzz.be/rss.xml", every: 120, category: Other, language: nl}`.
    """

    category: Annotated[
        Category, Meta(description="CAP category of entries that name none, e.g. Transport for a rail operator.")
    ] = Category.OTHER
    hazard: Annotated[
        Hazard | None, Meta(description="Hazard of entries in which no known word says one, e.g. rail.")
    ] = None
    language: Annotated[
        str, Meta(description="Language of the entries, e.g. nl-BE; empty: what the feed says.", pattern="^[A-Za-z-]*$")
    ] = ""
    sender: Annotated[
        str,
        Meta(
            description="Name of the sender in signals, e.g. sncb-nmbs; empty: the host of the address.",
            examples=["siamu"],
        ),
    ] = ""
    cap: Annotated[
        Literal["follow", "ignore"],
        Meta(description="Whether CAP files that entries announce are fetched (follow) or only the entries read."),
    ] = "follow"


class FeedSource(PollingSource[FeedConfig]):
    """Offers every entry once for each content it has; see connectors/feed/README.md."""

    Config: ClassVar[type[Struct]] = FeedConfig

    def poll(self, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool) -> "_Poll":
        return _Poll(self._config, fetcher, intake, cursor, first, self._sleep)

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        return read_feed(data, name)


class _Poll:
    """One poll after another: fetch, read, offer what is new, remember.

    The cursor holds for each group its content; a `~n` after it says that only the feed's own fields were offered
    and the CAP file is still to be had, n tries made.
    """

    def __init__(
        self, config: FeedConfig, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool, sleep: Sleep
    ) -> None:
        self._config = config
        self._fetcher = fetcher
        self._intake = intake
        self._cursor = cursor
        self._first = first
        self._sleep = sleep
        self._complaint = ""
        self._reading = Reading(
            sender=config.sender or host_of(config.url),
            category=config.category,
            hazard=config.hazard,
            language=config.language,
        )

    async def __call__(self) -> int:
        """Answers how many new signals were offered. Raises FetchFailed, PollFailed."""
        cursor = self._cursor
        got = await self._fetcher.get(self._config.url, etag=cursor.etag, last_modified=cursor.last_modified)
        if got.unchanged:
            return 0
        feed = await self._parse(got)
        groups = groups_of(feed, follow=self._config.cap == "follow")
        new = [group for group in groups if cursor.seen.get(group.name) != group.content]
        due, left = _first_fetches(new)
        offered = 0
        for n in range(0, len(due), _BATCH):
            offered += await self._take(due[n : n + _BATCH], feed, got)
        for group in groups:
            if group.name in cursor.seen:
                cursor.mark(group.name, cursor.seen[group.name])
        cursor.trim(len(groups))
        unfinished = left or any("~" in cursor.seen.get(group.name, "") for group in groups)
        # Without validators the next poll gets the whole feed again, and with it what is still to be done.
        cursor.etag, cursor.last_modified = ("", "") if unfinished else (got.etag, got.last_modified)
        if due or self._first:
            await offer(self._intake, (), cursor.dump(), self._sleep)
        self._first = bool(self._first and left)
        return offered

    async def _parse(self, got: Fetched) -> Feed:
        """The feed, or a dead letter (one for each kind of fault in a row) and PollFailed."""
        try:
            feed = await read_aside(self._intake, parse_feed, got.body, got.url, got.charset)
        except (ReadError, WorkerLimit) as error:
            if isinstance(error, WorkerLimit):
                error = ReadError(f"needs more time or memory than foreign input is given ({error})")
            if error.reason != self._complaint:
                letter = with_original([bad_item(error, got.body, FEED_TYPE)], got.body)
                await offer(self._intake, letter, None, self._sleep)
                self._complaint = error.reason
            raise PollFailed(f"{self._config.url}: {error}") from error
        self._complaint = ""
        return feed

    async def _take(self, groups: Sequence[Group], feed: Feed, got: Fetched) -> int:
        """Offers a batch of new groups with the cursor that knows them; answers how many signals it had."""
        gate = asyncio.Semaphore(_AT_ONCE)
        answers = await asyncio.gather(*(self._items(group, feed, gate) for group in groups))
        items: list[SignalItem | BadItem] = []
        for group, (found, state) in zip(groups, answers, strict=True):
            items += with_original(found, got.body)
            self._cursor.mark(group.name, state)
        if self._first:
            items = [replace(item, baseline=True) if isinstance(item, SignalItem) else item for item in items]
        await offer(self._intake, items, self._cursor.dump(), self._sleep)
        return sum(isinstance(item, SignalItem) for item in items)

    async def _items(self, group: Group, feed: Feed, gate: asyncio.Semaphore) -> tuple[list[SignalItem | BadItem], str]:
        """A group's items, and what the cursor is to hold for it."""
        before = self._cursor.seen.get(group.name, "")
        now = self._intake.now()
        if not group.cap_link:
            found = items_of(group, feed, self._reading, now)
            if before and not group.entries[0].inline:
                found = [self._again(item, group) for item in found]
            return found, group.content
        async with gate:
            found, why, lasting = await self._fetch(group.cap_link)
        if found:
            if "~" in before:
                flat = items_of(group, feed, self._reading, now)[0]
                found = [_in_place_of(item, flat) for item in found]
            return found, group.content
        tries = int(before.partition("~")[2] or 0) + 1 if before.startswith(f"{group.content}~") else 1
        state = group.content if lasting or tries >= _TRIES else f"{group.content}~{tries}"
        if tries > 1:
            return [], state  # the entry's own fields were offered at the first try
        note = f"the CAP file {group.cap_link} could not be had ({why}): only what the feed says of it"
        return items_of(group, feed, self._reading, now, note), state

    def _again(self, item: SignalItem | BadItem, group: Group) -> SignalItem | BadItem:
        """The same identifier with other words (a rail disruption resolved under its old guid) is an Update."""
        if not isinstance(item, SignalItem):
            return item
        signal = item.signal
        return as_update(item, signal.sender, signal.identifier, None, "the same entry with new content")

    async def _fetch(self, url: str) -> tuple[list[SignalItem | BadItem], str, bool]:
        """The items of a CAP file; none, why, and whether that will last, where it could not be had."""
        try:
            got = await self._fetcher.get(url)
            items = await read_aside(self._intake, parse_cap, got.body, got.charset)
        except FetchFailed as error:
            return [], error.reason, error.lasting
        except WorkerLimit as error:
            return [], f"it needs more time or memory than foreign input is given ({error})", True
        if not any(isinstance(item, SignalItem) for item in items):
            reason = items[0].reason if items and isinstance(items[0], BadItem) else "it holds no alert"
            return [], reason, True
        return with_original(items, got.body), "", False


def _first_fetches(groups: list[Group]) -> tuple[list[Group], bool]:
    """As many of the groups as may be fetched in one poll, and whether some are left for the next."""
    links = 0
    for n, group in enumerate(groups):
        links += bool(group.cap_link)
        if links > _FETCHES_MAX:
            return groups[:n], True
    return groups, False


def _in_place_of(item: SignalItem | BadItem, flat: SignalItem | BadItem) -> SignalItem | BadItem:
    """The full alert replaces the signal made of the entry's own fields while its file could not be had."""
    if not isinstance(item, SignalItem) or not isinstance(flat, SignalItem):
        return item
    early = flat.signal
    why = "replaces what the feed said of it before its CAP file could be had"
    return as_update(item, early.sender, early.identifier, early.sent, why)
