"""The `calendar` source: planned events from iCalendar files, at an address or in a folder."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from connectors.calendar.changes import MEDIA_TYPE, Change, Known, Setting, changes, in_order
from connectors.calendar.config import CalendarConfig
from connectors.calendar.occurrences import Fault, Found, Span, find_occurrences, looks, written
from connectors.feed.read import host_of
from connectors.http import Fetcher
from connectors.polling import Cursor, PollFailed, PollingSource, Sleep, offer
from connectors.text import digest
from hub.connector import BadItem, Intake, SignalItem, Tape, WorkerLimit
from hub.model.recording import File, raw

_BATCH = 100  # changes offered together
_FILES_MAX = 200
BAD = "calendar-bad:"
_NOWHERE = CalendarConfig(url="https://calendar.invalid/")

Files = tuple[tuple[str, bytes], ...]


class CalendarSource(PollingSource[CalendarConfig]):
    """Offers a signal for each planned event that comes within the horizon, and for what becomes of it; see
    docs/planned-events.md."""

    Config: ClassVar[type[Struct]] = CalendarConfig

    def poll(self, fetcher: Fetcher, intake: Intake, cursor: Cursor, first: bool) -> "_Poll":
        sender = self._config.sender or host_of(self._config.url) or self._environment.name
        return _Poll(self._config, sender, fetcher, intake, cursor, first, self._sleep, self._environment.tape)

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """A calendar in a file, as it would be told when it was written; where nothing is ahead of that, from its first
        event on."""
        made = config if isinstance(config, CalendarConfig) else _NOWHERE
        sender = made.sender or host_of(made.url) or name
        found, told = Found(), list[Change]()
        try:
            times = [at for at in written(data) if at is not None] or [datetime(1970, 1, 1, tzinfo=UTC)]
            for now, found in zip(times, looks(((name, data),), [_span(made, at) for at in times]), strict=True):
                told = in_order(changes({}, found, made, _setting(made, sender, now)))
                if told:
                    break
        except Exception as error:  # foreign input: whatever it does to a library is a dead letter, never a crash
            return [_letter(Fault(reason=f"cannot be read ({type(error).__name__})", place=name), data)]
        items = [one.item for one in told if one.item is not None]
        return [*items, *(_letter(fault, data) for fault in found.faults)]


class _Poll:
    """One look after another: fetch or list, read, compare with what was told, tell, remember.

    The cursor's `seen` holds what was told (Known) by the occurrence's name, and the faults that were. An address is
    asked whether it has changed; the answer of before is kept in memory, for time brings new events within the horizon
    where nothing changes.
    """

    def __init__(
        self,
        config: CalendarConfig,
        sender: str,
        fetcher: Fetcher,
        intake: Intake,
        cursor: Cursor,
        first: bool,
        sleep: Sleep,
        tape: Tape,
    ) -> None:
        self._tape = tape
        self._config = config
        self._sender = sender
        self._fetcher = fetcher
        self._intake = intake
        self._cursor = cursor
        self._first = first
        self._sleep = sleep
        self._files: Files = ()
        self._validators = ("", "")
        self._recorded: dict[str, str] = {}  # a file's name → its content

    async def __call__(self) -> int:
        """Answers how many signals were offered. Raises FetchFailed, PollFailed."""
        await (self._fetch() if self._config.url else self._list())
        now = self._intake.now()
        span = _span(self._config, now)
        known = {name: one for name, text in self._cursor.seen.items() if (one := _known(text)) is not None}
        try:
            found = await self._intake.in_worker(
                find_occurrences, self._files, span, frozenset(known), label="calendar"
            )
        except WorkerLimit as limit:
            reason = f"takes more time or memory to read than is given ({limit}): take out what repeats in an odd way"
            found = Found(faults=(Fault(reason=reason, place=self._place()),), whole=False)
        told = in_order(changes(known, found, self._config, _setting(self._config, self._sender, now)))
        await self._offer(told, found.faults)
        if not found.whole:
            fault = next(fault for fault in found.faults if not fault.series)
            raise PollFailed(f"{fault.place or self._place()}: {fault.reason}")
        return sum(one.item is not None for one in told)

    async def _fetch(self) -> None:
        etag, last_modified = self._validators
        got = await self._fetcher.get(self._config.url, etag=etag, last_modified=last_modified)
        if not got.unchanged:
            self._files = ((host_of(got.url) or "calendar", got.body),)
            self._validators = (got.etag, got.last_modified)

    async def _list(self) -> None:
        try:
            self._files = await asyncio.to_thread(_read_folder, self._config.folder, self._config.max_bytes)
        except OSError as error:
            raise PollFailed(f"{self._config.folder}: {error.strerror or error}") from error
        self._record()
        if not self._files:
            raise PollFailed(f"{self._config.folder}: no .ics file is there: nothing is withdrawn for that")

    def _record(self) -> None:
        """What lies in the folder otherwise than before."""
        if self._tape.runs:
            now = dict(self._files)
            for name, data in now.items():
                if self._recorded.get(name) != digest(data) or self._tape.lacks(name):
                    self._tape.heard(File(name=name, **raw(data)))
            for name in self._recorded.keys() - now.keys():
                self._tape.heard(File(name=name, gone=True))
            self._recorded = {name: digest(data) for name, data in now.items()}

    async def _offer(self, told: Sequence[Change], faults: Sequence[Fault]) -> None:
        """Offers in batches, each with the cursor that knows it."""
        cursor = self._cursor
        letters = {letter.key: letter for fault in faults if (letter := self._letter(fault))}
        for key in [key for key in cursor.seen if key.startswith(BAD) and key not in letters]:
            del cursor.seen[key]  # mended
        new = [letter for key, letter in letters.items() if key not in cursor.seen]
        parts = [told[n : n + _BATCH] for n in range(0, len(told), _BATCH)]
        for part in parts:
            for change in part:
                if change.known is None:
                    cursor.seen.pop(change.name, None)
                else:
                    cursor.mark(change.name, msgspec.json.encode(change.known).decode())
            items = [change.item for change in part if change.item is not None]
            if self._first:
                items = [replace(item, baseline=True) for item in items]
            await offer(self._intake, items, cursor.dump(), self._sleep)
        if new or (self._first and not parts):
            for letter in new:
                cursor.mark(letter.key, "")
            await offer(self._intake, new, cursor.dump(), self._sleep)
        self._first = False

    def _letter(self, fault: Fault) -> BadItem:
        return _letter(fault, next((data for name, data in self._files if fault.place.startswith(name)), b""))

    def _place(self) -> str:
        return self._config.url or self._config.folder


def _span(config: CalendarConfig, now: datetime) -> Span:
    end = now + timedelta(seconds=config.horizon)
    return Span(start=now, end=end, zone=config.zone, lasts_s=config.lasts)


def _setting(config: CalendarConfig, sender: str, now: datetime) -> Setting:
    return Setting(sender=sender, now=now, horizon=now + timedelta(seconds=config.horizon))


def _letter(fault: Fault, whole: bytes) -> BadItem:
    original = fault.original or whole
    return BadItem(
        reason=fault.reason,
        original=original,
        key=BAD + digest(original, fault.reason)[:16],
        place=fault.place,
        media_type=MEDIA_TYPE,
    )


def _read_folder(folder: str, bytes_max: int) -> Files:
    """The .ics files in a folder, by name. One that is too large, or too many of them, is an error: what is not read
    would seem to be missing."""
    paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() == ".ics" and path.is_file())
    if len(paths) > _FILES_MAX:
        raise OSError(f"{len(paths)} .ics files: at most {_FILES_MAX}")
    out = []
    for path in paths:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > bytes_max:
                raise OSError(f"{path.name} is larger than {bytes_max} bytes")
            out.append((path.name, file.read(bytes_max)))
    return tuple(out)


def _known(text: str) -> Known | None:
    try:
        return msgspec.json.decode(text, type=Known) if text else None
    except msgspec.MsgspecError:
        return None
