"""The `json_api` source: polls an API that answers in JSON, described by config only."""

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urljoin

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from connectors.feed.read import as_update, host_of
from connectors.http import Fetched, Fetcher
from connectors.json_api.config import JsonConfig
from connectors.json_api.mapping import bad_answer, items_of, next_page, read_items
from connectors.polling import Cursor, PollFailed, PollingSource, Sleep, offer, read_aside
from connectors.text import digest
from hub.connector import BadItem, Intake, ReadError, SignalItem, WorkerLimit
from hub.model.signal import MsgType, Reference, Signal

BATCH = 200  # items offered together


class _Known(Struct, frozen=True, array_like=True):
    """What the cursor keeps of an item: its content ("": it was withdrawn, at `sent`), and what withdraws it."""

    content: str
    identifier: str
    sender: str
    sent: str


class JsonSource(PollingSource[JsonConfig]):
    """Offers every item once for each content it has; see connectors/json_api/README.md."""

    Config: ClassVar[type[Struct]] = JsonConfig

    def poll(self, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool) -> "_Poll":
        return _Poll(self._config, fetcher, intake, cursor, first, self._sleep)

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        if not isinstance(config, JsonConfig):
            reason = "a JSON API is read as its source is configured: name a source of sources.yaml"
            return [bad_answer(ReadError(reason), data)]
        return read_items(data, config, host_of(config.url))


class _Poll:
    """One poll after another: fetch all pages, read, offer what is new, withdraw what is gone, remember."""

    def __init__(
        self, config: JsonConfig, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool, sleep: Sleep
    ) -> None:
        self._config = config
        self._fetcher = fetcher
        self._intake = intake
        self._cursor = cursor
        self._first = first
        self._sleep = sleep
        self._sender = host_of(config.url)

    async def __call__(self) -> int:
        """Answers how many new signals were offered. Raises FetchFailed, PollFailed."""
        cursor = self._cursor
        got = await self._fetcher.get(self._config.url, etag=cursor.etag, last_modified=cursor.last_modified)
        if got.unchanged:
            return 0
        found, whole = await self._pages(got)
        listed = {_name(item): item for item in found if isinstance(item, SignalItem)}
        new: list[SignalItem | BadItem] = [
            item for item in found if isinstance(item, BadItem) and item.key not in cursor.seen
        ]
        marks: dict[str, str] = {item.key: "" for item in found if isinstance(item, BadItem)}
        for name, item in listed.items():
            known = _known(cursor.seen.get(name, ""))
            marks[name] = msgspec.json.encode(_as_known(item)).decode()
            if known is None:
                new.append(item)
            elif not known.content:  # it was over, and is there again: another key, or it would be known already
                new.append(replace(item, key="json-again:" + digest(item.key, known.sent)))
            elif known.content != item.key:
                new.append(as_update(item, known.sender, known.identifier, None, "the same item with new content"))
        gone = self._gone(listed) if whole else []
        await self._offer(new, gone, marks, got)
        return len(new) + len(gone)

    async def _pages(self, got: Fetched) -> tuple[list[SignalItem | BadItem], bool]:
        """The items of all pages, and whether these were all pages there are."""
        found = list(await self._read(got))
        for _ in range(self._config.pages - 1):
            more = await self._next(got)
            if not more:
                return found, True
            got = await self._fetcher.get(more)
            found += await self._read(got)
        return found, not await self._next(got)

    async def _next(self, got: Fetched) -> str:
        try:
            more = await read_aside(self._intake, next_page, got.body, self._config)
        except (ReadError, WorkerLimit):
            return ""
        return urljoin(got.url, more) if more else ""

    async def _read(self, got: Fetched) -> Sequence[SignalItem | BadItem]:
        try:
            return await read_aside(self._intake, items_of, got.body, self._config, self._sender, self._intake.now())
        except (ReadError, WorkerLimit) as error:
            fault = error if isinstance(error, ReadError) else ReadError(f"needs too much time or memory ({error})")
            letter = bad_answer(fault, got.body)
            if letter.key not in self._cursor.seen:
                self._cursor.mark(letter.key, "")
                await offer(self._intake, [letter], self._cursor.dump(), self._sleep)
            raise PollFailed(f"{got.url}: {fault}") from error

    def _gone(self, listed: dict[str, SignalItem]) -> list[SignalItem]:
        """Withdrawals of what was in the list and is no more."""
        if not self._config.gone_is_over:
            return []
        gone = []
        for name, text in self._cursor.seen.items():
            known = _known(text)
            if known is not None and name not in listed and known.content:
                gone.append((name, known))
        return [self._withdrawal(name, known) for name, known in gone]

    def _withdrawal(self, name: str, known: _Known) -> SignalItem:
        now = self._intake.now()
        self._cursor.mark(
            name, msgspec.json.encode(_Known("", known.identifier, known.sender, now.isoformat())).decode()
        )
        signal = Signal(
            identifier=f"{known.identifier} over",
            sender=known.sender,
            sent=now,
            msg_type=MsgType.CANCEL,
            references=(Reference(known.sender, known.identifier, None),),
            notes=("no longer in the list: taken as over",),
        )
        return SignalItem(signal=signal, key="json-over:" + digest(known.content, now.isoformat()))

    async def _offer(
        self, new: list[SignalItem | BadItem], gone: list[SignalItem], marks: dict[str, str], got: Fetched
    ) -> None:
        """Offers in batches; the validators of the answer count only with the last."""
        cursor = self._cursor
        if self._first:
            new = [replace(item, baseline=True) if isinstance(item, SignalItem) else item for item in new]
        offered: list[SignalItem | BadItem] = [*new, *gone]
        parts = [offered[n : n + BATCH] for n in range(0, len(offered), BATCH)]
        for part in parts[:-1]:
            for item in part:
                name = _name(item) if isinstance(item, SignalItem) else item.key
                if name in marks:
                    cursor.mark(name, marks[name])
            await offer(self._intake, part, cursor.dump(), self._sleep)
        for name, content in marks.items():
            cursor.mark(name, content)
        cursor.trim(len(marks))
        cursor.etag, cursor.last_modified = got.etag, got.last_modified
        if parts or self._first:
            await offer(self._intake, parts[-1] if parts else (), cursor.dump(), self._sleep)
        self._first = False


def _name(item: SignalItem) -> str:
    """By what the cursor knows an item again."""
    return digest(item.signal.sender, item.signal.identifier)[:16]


def _as_known(item: SignalItem) -> _Known:
    signal = item.signal
    return _Known(item.key, signal.identifier, signal.sender, signal.sent.isoformat())


def _known(text: str) -> _Known | None:
    try:
        return msgspec.json.decode(text, type=_Known) if text else None
    except msgspec.MsgspecError:
        return None
