"""The `cap` source: polls one address that holds CAP alerts (an XML file, a wrapper of many, or MeteoAlarm's JSON)."""

from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from connectors.cap.read import bad_item, parse_cap, read_cap, with_original
from connectors.http import Fetched, Fetcher
from connectors.polling import (
    Cursor,
    PollConfig,
    PollFailed,
    PollingSource,
    Sleep,
    batches,
    offer,
    read_aside,
)
from hub.connector import BadItem, Intake, Item, ReadError, SignalItem, WorkerLimit


class CapConfig(PollConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CAP address to poll.

    Example: `{url: "https://feeds.meteoalarm.org/api/v1/warnings/feeds-belgium", every: 60}`.
    """


class CapSource(PollingSource[CapConfig]):
    """Offers every alert once for each content it has; see connectors/cap/README.md."""

    Config: ClassVar[type[Struct]] = CapConfig

    def poll(self, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool) -> "_Poll":
        return _Poll(self._config, fetcher, intake, cursor, first, self._sleep)

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        return read_cap(data)


class _Poll:
    """One poll after another: fetch, read, offer what is new, remember."""

    def __init__(
        self, config: CapConfig, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool, sleep: Sleep
    ) -> None:
        self._config = config
        self._fetcher = fetcher
        self._intake = intake
        self._cursor = cursor
        self._first = first
        self._sleep = sleep

    async def __call__(self) -> int:
        """Answers how many new signals were offered. Raises FetchFailed, PollFailed."""
        cursor = self._cursor
        got = await self._fetcher.get(self._config.url, etag=cursor.etag, last_modified=cursor.last_modified)
        if got.unchanged:
            return 0
        items = await self._read(got)
        signals = [item for item in items if isinstance(item, SignalItem)]
        new = [item for item in items if item.key not in cursor.seen]
        await self._offer(new, items, got)
        if items and not signals:
            bad = next(item for item in items if isinstance(item, BadItem))
            raise PollFailed(f"{self._config.url}: {bad.place}: {bad.reason}")
        return sum(isinstance(item, SignalItem) for item in new)

    async def _read(self, got: Fetched) -> Sequence[SignalItem | BadItem]:
        try:
            items = await read_aside(self._intake, parse_cap, got.body, got.charset)
        except WorkerLimit as error:
            reason = f"needs more time or memory than foreign input is given ({error}): send fewer alerts at a time"
            items = [bad_item(ReadError(reason), got.body, got.media_type)]
        return with_original(items, got.body)

    async def _offer(
        self, new: Sequence[SignalItem | BadItem], items: Sequence[SignalItem | BadItem], got: Fetched
    ) -> None:
        """Offers in batches; the validators of the answer count only with the last, so that nothing is skipped when
        it ends in between."""
        cursor = self._cursor
        marked: list[Item] = [_as_baseline(item) if self._first else item for item in new]
        parts = batches(marked)
        for part in parts[:-1]:
            for item in part:
                cursor.mark(item.key, "")
            await offer(self._intake, part, cursor.dump(), self._sleep)
        for item in items:
            cursor.mark(item.key, "")
        cursor.trim(len(items))
        if not items or any(isinstance(item, SignalItem) for item in items):
            # Of what is all bad nothing is remembered: it stays a failure, not "unchanged", until it is mended.
            cursor.etag, cursor.last_modified = got.etag, got.last_modified
        if parts or self._first:
            await offer(self._intake, parts[-1] if parts else (), cursor.dump(), self._sleep)
        self._first = False


def _as_baseline(item: SignalItem | BadItem) -> SignalItem | BadItem:
    return replace(item, baseline=True) if isinstance(item, SignalItem) else item
