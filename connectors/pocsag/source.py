"""The `pocsag` source: radio pages, as multimon-ng or a supplier's decoder prints them."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
import structlog
from msgspec import Struct
from prometheus_client import Counter

from connectors.again import Again
from connectors.http import Lookup, system_lookup
from connectors.letters import Letters
from connectors.pocsag.config import PocsagConfig
from connectors.pocsag.inputs import Lost, open_input
from connectors.pocsag.line import read_line
from connectors.pocsag.pages import Gathering, New, Page, Repeats
from connectors.pocsag.signals import MEDIA_TYPE, item_of
from connectors.polling import Sleep, offer
from connectors.text import digest
from hub.connector import BadItem, Environment, Intake, ReadError, Route, SignalItem, Unavailable
from hub.model.recording import Line, raw

_log = structlog.get_logger()
_pages = Counter("vigie_pocsag_pages_total", "Pages, by what became of them", ["source", "became"])

TICK_S = 1.0
WORKS_S = 5.0  # a program that lives so long has started
LINES_MAX = 200_000  # of a file that is read whole
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class Cursor(Struct, frozen=True):
    """Where in the file what follows begins; digests of the pages within the span of repetitions."""

    mark: str = ""
    told: list[tuple[datetime, str]] = []


class PocsagSource:
    """Offers a signal for each page to an address it knows; see connectors/pocsag/README.md."""

    Config: ClassVar[type[Struct]] = PocsagConfig

    def __init__(
        self,
        config: PocsagConfig,
        environment: Environment,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
        lookup: Lookup = system_lookup,
    ) -> None:
        self._config = config
        self._name = environment.name
        self._tape = environment.tape
        self._anywhere = config.internal or environment.allow_internal
        self._sleep = sleep
        self._chance = chance or random.SystemRandom()
        self._lookup = lookup

    async def run(self, intake: Intake) -> None:
        line = _Line(self._config, self._name, intake, self._sleep, _load(await intake.cursor()))
        async with asyncio.TaskGroup() as group:
            group.create_task(line.watch())
            group.create_task(self._read_on(line))

    async def _read_on(self, line: "_Line") -> None:
        again = Again(self._chance)
        while True:
            began = line.now()
            pieces = open_input(self._config, line.mark, self._sleep, self._lookup, self._anywhere, self._heard)
            line.opened()
            reason = "there is no more"
            try:
                async with aclosing(pieces):  # type: ignore[type-var] # each is an async generator
                    async for piece in pieces:
                        await line.take(piece.lines, piece.mark)
            except (Lost, OSError) as error:
                reason = str(error) or type(error).__name__
            await line.closed(reason)
            await self._sleep(again.wait_s((line.now() - began).total_seconds()))

    def _heard(self, data: bytes) -> None:
        if self._tape.runs:
            self._tape.heard(Line(**raw(data)))

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """Lines in a file; without a config, pages to whatever address."""
        made = config if isinstance(config, PocsagConfig) else PocsagConfig(file=name or "-", others=True)
        desk = Desk(made, made.sender or "pocsag", Cursor(), Letters(LINES_MAX), by_stamp=True)
        items: list[SignalItem | BadItem] = []
        for line in data.decode("utf-8", "replace").splitlines()[:LINES_MAX]:
            items += desk.read(line, _NO_TIME)
        return [*items, *desk.flush(_NO_TIME)]


class Desk:
    """Makes items of lines. Pure; time is an argument. `by_stamp`: the decoder's time stamps are the time, where it
    gives any."""

    def __init__(
        self, config: PocsagConfig, name: str, cursor: Cursor, letters: Letters, *, by_stamp: bool = False
    ) -> None:
        self._config = config
        self._name = name
        self._letters = letters
        self._by_stamp = by_stamp
        self._gathering = Gathering(config)
        self._repeats = Repeats(config, cursor.told)
        self.heard = False  # whether a page was decoded, to whomever: the receiver is alive

    def read(self, line: str, now: datetime) -> list[SignalItem | BadItem]:
        """What a line brings about: pages that are complete, or a dead letter."""
        try:
            printed = read_line(line, self._config.zone)
        except ReadError as error:
            _pages.labels(self._name, "unread").inc()
            return self._bad(error, line, now)
        if printed is None:
            return []
        self.heard = True
        if not self._config.others and self._config.ric_of(printed.address, printed.function) is None:
            _pages.labels(self._name, "others").inc()
            return self._items(self._gathering.flush(), now)
        return self._items(self._gathering.add(printed, now), now)

    def tick(self, now: datetime) -> list[SignalItem | BadItem]:
        return self._items(self._gathering.due(now), now)

    def flush(self, now: datetime) -> list[SignalItem | BadItem]:
        return self._items(self._gathering.flush(), now)

    @property
    def waits(self) -> bool:
        """Whether a page is held of which more may be printed."""
        return self._gathering.holds

    def told(self) -> list[tuple[datetime, str]]:
        return self._repeats.kept()

    def _items(self, pages: Sequence[Page], now: datetime) -> list[SignalItem | BadItem]:
        items: list[SignalItem | BadItem] = []
        for page in pages:
            at = (page.printed.at or now) if self._by_stamp else now
            new, repeats = self._repeats.look(page.printed, at)
            _pages.labels(self._name, new.value).inc()
            if new is not New.AGAIN:
                item = item_of(page, self._config, self._name, now, repeats)
                self._repeats.remember(page.printed, item.signal.identifier, at, repeats)
                items.append(item)
        return items

    def _bad(self, error: ReadError, line: str, now: datetime) -> list[SignalItem | BadItem]:
        """Each line that was meant to be a page is kept; of what comes besides, one a day."""
        which = digest(line) if "POCSAG" in line else ""
        letter = self._letters.first(f"{error.reason} {which}", now)
        if letter is None:
            return []
        reason = error.reason
        if letter.more:
            reason = "there is more that cannot be read, which is only counted today: look at vigie_pocsag_pages_total"
        _log.warning("pocsag.unread", source=self._name, reason=reason)
        key = "pocsag-bad:" + digest(self._name, letter.key)
        return [BadItem(reason=f"the line {reason}", original=line.encode(), key=key, media_type=MEDIA_TYPE)]


class _Line:
    """What is done with lines as they come, and with time as it passes; they take turns."""

    def __init__(self, config: PocsagConfig, name: str, intake: Intake, sleep: Sleep, cursor: Cursor) -> None:
        self._config = config
        self._intake = intake
        self._sleep = sleep
        self._desk = Desk(config, name, cursor, Letters())
        self._turn = asyncio.Lock()
        self.mark = self._safe = self._kept = cursor.mark
        self._opened: datetime | None = None
        self._news = intake.now()

    def now(self) -> datetime:
        return self._intake.now()

    def opened(self) -> None:
        self._opened = self.now()

    async def take(self, lines: Sequence[str], mark: str) -> None:
        async with self._turn:
            now = self.now()
            items = [item for line in lines for item in self._desk.read(line, now)]
            if self._desk.heard:
                self._desk.heard, self._news = False, now
            self.mark = mark
            await self._offer(items)

    async def closed(self, reason: str) -> None:
        async with self._turn:
            await self._offer(self._desk.flush(self.now()))
            self._opened = None
            await self._tell("failing", reason)

    async def watch(self) -> None:
        """Pages of which no more is printed, and health."""
        while True:
            await self._sleep(min(TICK_S, self._config.settle_s))
            async with self._turn:
                now = self.now()
                await self._offer(self._desk.tick(now))
                if self._opened is not None and (now - self._opened).total_seconds() >= WORKS_S:
                    await self._standing(now)

    async def _standing(self, now: datetime) -> None:
        quiet_s = (now - self._news).total_seconds()
        if self._config.silent_after_s and quiet_s >= self._config.silent_after_s:
            await self._tell("silent", f"no page for {quiet_s:.0f} s")
        else:
            await self._tell("ok", "")

    async def _tell(self, health: str, reason: str) -> None:
        with suppress(Unavailable):
            await self._intake.health(health, reason)

    async def _offer(self, items: Sequence[SignalItem | BadItem]) -> None:
        """The first mark of a file is kept without a page, too: what was written before is no news. A mark never goes
        beyond a page that is still held."""
        self._safe = self._safe if self._desk.waits else self.mark
        if items or (self._safe and not self._kept):
            cursor = msgspec.json.encode(Cursor(self._safe, self._desk.told())).decode()
            await offer(self._intake, items, cursor, self._sleep)
            self._kept = self._safe


def _load(cursor: str | None) -> Cursor:
    """One that cannot be read is none."""
    try:
        return msgspec.json.decode(cursor, type=Cursor) if cursor is not None else Cursor()
    except (msgspec.DecodeError, ValueError):
        return Cursor()
