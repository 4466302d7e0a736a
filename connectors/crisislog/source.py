"""The `crisislog` source: another system's log, as files that it exports into a folder.

A file is moved away only when all that is in it is durable. A hub that is killed at any instant reads it again, and
what is known counts once: by its key.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace
from prometheus_client import Counter

from connectors.crisislog import folder
from connectors.crisislog.config import CrisislogConfig, LogFormat
from connectors.crisislog.folder import BAD, DONE, Changed, Seen, shown
from connectors.crisislog.ours import is_ours
from connectors.crisislog.read import KEY, Slice, bad_file, read_slice
from connectors.edxl.read import with_original
from connectors.feed.read import as_update
from connectors.polling import WORKER_FROM_BYTES, Sleep, batches, offer
from connectors.text import digest
from hub.connector import BadItem, Environment, Intake, ReadError, Route, SignalItem, Tape, Unavailable, WorkerLimit
from hub.model.recording import File, raw
from hub.model.signal import MsgType

_log = structlog.get_logger()
_files = Counter("vigie_crisislog_files_total", "Files of crisis logs, by what became of them", ["source", "became"])

_ours = Counter("vigie_crisislog_ours_total", "Entries that Vigie wrote itself and that came back", ["source"])

T = TypeVar("T")

KNOWN_MAX = 2_000  # entries of which a new version is recognised as one
AT_ONCE_FILES = 50  # offered together
AT_ONCE_ITEMS = 200
AT_ONCE_BYTES = 4 << 20
HANGS_S = 30.0  # a folder that answers no sooner is told
WATCHED_MAX = 1_000  # files that were put away, looked at again
_SHOWN_BYTES = 4096  # of a file that is too large
_PLAIN = LogFormat()


class Cursor(Struct, omit_defaults=True):
    """`upto`: files that had not been changed after this when the source was new (ns of the folder's own clock) are its
    backlog; 0 once that is read. `known`: an entry's name → its content, the longest unseen first."""

    upto: int = 0
    known: dict[str, str] = {}

    def dump(self) -> str:
        return msgspec.json.encode(self).decode()


class CrisislogSource:
    """Offers each entry once for each content it has; see docs/crisis-log.md."""

    Config: ClassVar[type[Struct]] = CrisislogConfig

    def __init__(
        self,
        config: CrisislogConfig,
        environment: Environment,
        *,
        sleep: Sleep = asyncio.sleep,
        hangs_s: float = HANGS_S,
    ) -> None:
        self._config = config
        self._name = environment.name
        self._tape = environment.tape
        self._sleep = sleep
        self._hangs_s = hangs_s

    async def run(self, intake: Intake) -> None:
        watch = _Watch(self._config, self._name, intake, self._sleep, self._hangs_s, self._tape)
        await watch.begin()
        while True:
            await watch.once()
            await self._sleep(self._config.every)

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """A file; without a config, columns and names that are called as fields are."""
        made = config if isinstance(config, LogFormat) else _PLAIN
        found = read_slice(data, made, made.sender or "crisislog")
        items = with_original(list(found.items), data)
        if found.next:
            reason = (
                f"has more than {found.next} entries: they are read in a folder, here only the first ones are shown"
            )
            items.append(bad_file(ReadError(reason), data, "text/plain"))
        return items


class _Watch:
    """One look after another at the folder."""

    def __init__(
        self, config: CrisislogConfig, name: str, intake: Intake, sleep: Sleep, hangs_s: float, tape: Tape
    ) -> None:
        self._tape = tape
        self._config = config
        self._name = name
        self._intake = intake
        self._sleep = sleep
        self._hangs_s = hangs_s
        self._sender = config.sender or name
        self._cursor: Cursor | None = None
        self._before: dict[str, Seen] = {}
        self._unfit: dict[str, tuple[Seen, int]] = {}  # looks since it was found that it cannot be read as it is
        self._read: dict[str, tuple[Seen, str, str]] = {}  # durable, and not moved yet: where to, and its mark
        self._away: list[tuple[Seen, str, str, int]] = []  # moved: where to, under which name, looks to go
        self._patience = max(1, round(config.patience / config.every))
        self._stuck: set[str] = set()  # files that cannot be opened
        self._kept: tuple[int, dict[str, str]] | None = None
        self._problems: list[str] = []

    async def begin(self) -> None:
        while True:
            try:
                text = await self._intake.cursor()
                break
            except Unavailable:
                await self._sleep(1.0)
        if text is not None:
            try:
                self._cursor = msgspec.json.decode(text, type=Cursor)
                self._kept = (self._cursor.upto, dict(self._cursor.known))
            except (msgspec.DecodeError, ValueError):
                self._cursor = Cursor()  # what comes again is known by its key

    async def once(self) -> None:
        """One look, and all that follows from it. Raises nothing for what the folder does."""
        self._problems = []
        try:
            await self._look()
        except OSError as error:
            self._before = {}
            self._problems.append(f"{self._config.folder}: {error.strerror or error}")
        reason = self._problems[0] if self._problems else ""
        if len(self._problems) > 1:
            reason += f" (and {len(self._problems) - 1} more)"
        await self._tell("failing" if reason else "ok", reason)

    async def _look(self) -> None:
        config = self._config
        await self._again()
        found = await self._in_thread(folder.look, config.folder, config.files)
        self._problems += found.problems
        whole = [seen for seen in found.files if self._before.get(seen.name) == seen]
        self._before = {seen.name: seen for seen in found.files}
        for known in (self._unfit, self._read):
            for name in [name for name, one in known.items() if self._before.get(name) != one[0]]:
                del known[name]
        if self._cursor is None:
            self._cursor = Cursor(upto=max((seen.changed_ns for seen in found.files), default=0))
            await self._keep([])
        await self._take(whole)
        if self._cursor.upto and not self._backlog(found.files):
            self._cursor.upto = 0
            await self._keep([])

    def _backlog(self, files: Sequence[Seen]) -> bool:
        """Whether any of it is left; what cannot be opened or moved does not count: what comes later is news."""
        assert self._cursor is not None
        upto, gone = self._cursor.upto, self._stuck | self._read.keys()
        return any(
            seen.changed_ns <= upto and self._before.get(seen.name) == seen for seen in files if seen.name not in gone
        )

    async def _take(self, whole: Sequence[Seen]) -> None:
        """Reads files, offers what is in them, and moves them away, some at a time."""
        items: list[SignalItem | BadItem] = []
        done: list[tuple[Seen, str, str]] = []
        for seen in whole:
            if seen.name in self._read:
                done.append(self._read[seen.name])
                continue
            if not self._ready(seen):
                continue
            try:
                data = await self._in_thread(folder.read, self._config.folder, seen, self._bytes_of(seen))
            except Changed:
                continue
            except OSError as error:
                self._problems.append(f"{shown(seen.name)}: {error.strerror or error}")
                self._stuck.add(seen.name)
                continue
            self._stuck.discard(seen.name)
            if self._tape.runs:
                self._tape.heard(File(name=shown(seen.name), **raw(data)))
            into = await self._items(seen, data, items)
            if into:
                done.append((seen, into, hashlib.sha256(data).hexdigest()[:12]))
            sizes = sum(one[0].size for one in done)
            if len(items) >= AT_ONCE_ITEMS or len(done) >= AT_ONCE_FILES or sizes >= AT_ONCE_BYTES:
                await self._finish(items, done)
                items, done = [], []
        await self._finish(items, done)

    def _ready(self, seen: Seen) -> bool:
        """A file that could not be read as it is has to lie there for a while: perhaps it is still being written."""
        if seen.name in self._unfit:
            looks = self._unfit[seen.name][1] + 1
            self._unfit[seen.name] = (seen, looks)
            return looks >= self._patience
        if not seen.size:
            self._unfit[seen.name] = (seen, 0)
            return self._patience <= 1
        return True

    def _bytes_of(self, seen: Seen) -> int:
        return seen.size if seen.size <= self._config.max_bytes else _SHOWN_BYTES

    async def _items(self, seen: Seen, data: bytes, into: list[SignalItem | BadItem]) -> str:
        """Adds what a file holds; answers where the file belongs, "" where it is to be waited for."""
        if seen.size > self._config.max_bytes:
            reason = f"has {seen.size} bytes: at most {self._config.max_bytes} are read: split it, or raise max bytes"
            into.append(self._named(seen, bad_file(ReadError(reason), data, "application/octet-stream")))
            return BAD
        found: list[SignalItem | BadItem] = []
        first = 0
        while True:
            part = await self._slice(data, first)
            if part.cut and seen.name not in self._unfit:
                self._unfit[seen.name] = (seen, 0)
                return ""
            found += with_original(list(part.items), data)
            first = part.next
            if not first:
                break
        baseline = self._cursor is not None and seen.changed_ns <= self._cursor.upto
        for item in found:
            if isinstance(item, BadItem):
                into.append(self._named(seen, item))
            elif is_ours(item.signal) and not self._config.ours:
                _ours.labels(self._name).inc()
            else:
                into.append(replace(self._as_version(item), baseline=baseline))
        return BAD if any(isinstance(item, BadItem) for item in found) else DONE

    async def _slice(self, data: bytes, first: int) -> Slice:
        arguments = (data, self._config, self._sender, self._intake.now(), first)
        if len(data) < WORKER_FROM_BYTES:
            return read_slice(*arguments)
        try:
            return await self._intake.in_worker(read_slice, *arguments, label="crisis log")
        except WorkerLimit as limit:
            error = ReadError(f"needs more time or memory than foreign input is given ({limit}): split it")
            return Slice((bad_file(error, data, "application/octet-stream"),))

    def _named(self, seen: Seen, item: BadItem) -> BadItem:
        return replace(item, place=f"{shown(seen.name)}:{item.place}" if item.place else shown(seen.name))

    def _as_version(self, item: SignalItem) -> SignalItem:
        """An entry that is known with other words is an Update of itself."""
        if not item.key.startswith(KEY) or self._cursor is None:
            return item  # a message that says itself what it is about
        signal = item.signal
        name, content = digest(signal.sender, signal.identifier)[:10], item.key.removeprefix(KEY)[:10]
        before = self._cursor.known.pop(name, "")
        self._cursor.known[name] = content
        if not before or before == content or signal.msg_type is not MsgType.ALERT:
            return item
        return as_update(item, signal.sender, signal.identifier, None, "the same entry with other words")

    async def _finish(self, items: Sequence[SignalItem | BadItem], done: Sequence[tuple[Seen, str, str]]) -> None:
        """Durable first; then away."""
        if items:
            await self._keep(items)
        for seen, into, mark in done:
            self._read[seen.name] = (seen, into, mark)
            try:
                target = await self._in_thread(folder.put_away, self._config.folder, seen, into, mark)
            except Changed:
                self._forget(seen)
                continue
            except OSError as error:
                # It is recorded, and is only moved from now on.
                self._problems.append(f"{shown(seen.name)} cannot be moved to {into}: {error.strerror or error}")
                continue
            self._forget(seen)
            _files.labels(self._name, into).inc()
            if target:
                self._away.append((seen, into, target, self._patience))
                _log.info("crisislog.read", source=self._name, file=shown(seen.name), into=f"{into}/{shown(target)}")
        del self._away[:-WATCHED_MAX]

    def _forget(self, seen: Seen) -> None:
        for known in (self._read, self._unfit, self._before):
            known.pop(seen.name, None)

    async def _again(self) -> None:
        """Files that were put away and grew since come back, and are read whole."""
        if not self._away:
            return
        away = [(seen, into, target) for seen, into, target, _ in self._away]
        grown = await self._in_thread(folder.grown, self._config.folder, away)
        for name in grown:
            _log.warning("crisislog.grown", source=self._name, file=shown(name))
        self._away = [(*one[:3], one[3] - 1) for one in self._away if one[3] > 1 and one[0].name not in grown]

    async def _keep(self, items: Sequence[SignalItem | BadItem]) -> None:
        """Makes items and the cursor durable, however long that takes."""
        assert self._cursor is not None
        for name in list(self._cursor.known)[: max(0, len(self._cursor.known) - KNOWN_MAX)]:
            del self._cursor.known[name]
        parts = batches(items) or [()]
        for part in parts[:-1]:
            await offer(self._intake, part, None, self._sleep)
        now = (self._cursor.upto, dict(self._cursor.known))
        await offer(self._intake, parts[-1], self._cursor.dump() if now != self._kept else None, self._sleep)
        self._kept = now

    async def _in_thread(self, fn: Callable[..., T], *args: Any) -> T:
        """What blocks, in a thread; a folder that hangs (a network that is gone) is told, and waited for."""
        task = asyncio.ensure_future(asyncio.to_thread(fn, *args))
        done, _ = await asyncio.wait({task}, timeout=self._hangs_s)
        if not done:
            await self._tell("failing", f"{self._config.folder}: does not answer")
        return await task

    async def _tell(self, health: str, reason: str) -> None:
        with suppress(Unavailable):
            await self._intake.health(health, reason)
