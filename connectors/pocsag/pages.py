"""From printed lines to pages: the best reading of each, and each once however often it was sent. Pure.

A decoder that does not know what a page holds prints it as several kinds, one line after the other. A network sends
each page several times, and each time other characters of it may be lost.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from connectors.pocsag.config import PocsagConfig
from connectors.pocsag.line import BAD, Printed
from connectors.text import digest

KNOWN_MAX = 500  # pages that are known again
_DIGITS = frozenset("0123456789 ")
_PLAIN = frozenset(" \n.,:;/-'()+\"!?&@#%*=")


class New(StrEnum):
    """What a page is to those before it."""

    FIRST = "first"
    BETTER = "better"  # the same, with more of it received
    AGAIN = "again"


class Page(Struct, frozen=True, kw_only=True):
    """A page as read best; `lines` as printed."""

    printed: Printed
    lines: tuple[str, ...]


class Told(Struct, frozen=True):
    """A page that was told: when it first was, a digest of its words, and in memory its identifier and itself."""

    at: datetime
    words: str
    identifier: str = ""
    printed: Printed | None = None


class _Pending(NamedTuple):
    readings: list[Printed]
    since: datetime


class Gathering:
    """Puts together what was printed of one page."""

    def __init__(self, config: PocsagConfig) -> None:
        self._config = config
        self._pending: _Pending | None = None

    @property
    def holds(self) -> bool:
        return self._pending is not None

    def add(self, printed: Printed, now: datetime) -> list[Page]:
        """The pages that are complete now."""
        held = self._pending
        if held is not None:
            first = held.readings[0]
            same = (first.baud, first.address, first.function) == (printed.baud, printed.address, printed.function)
            if same and printed.kind not in {reading.kind for reading in held.readings}:
                held.readings.append(printed)
                return []
        done = self.flush()
        self._pending = _Pending([printed], now)
        return done

    def due(self, now: datetime) -> list[Page]:
        """The page of which no more readings are to be expected."""
        held = self._pending
        settled = held is not None and now - held.since >= timedelta(seconds=self._config.settle_s)
        return self.flush() if settled else []

    def flush(self) -> list[Page]:
        """Whatever is held."""
        if self._pending is None:
            return []
        readings, self._pending = self._pending.readings, None
        ric = self._config.ric_of(readings[0].address, readings[0].function)
        return [Page(printed=best_of(readings, ric.kind if ric else ""), lines=tuple(one.line for one in readings))]


def best_of(readings: list[Printed], kind: str) -> Printed:
    """The reading of the kind that is sent there, else the one that looks most like words or figures."""
    wanted = [reading for reading in readings if reading.kind == kind]
    return max(wanted or readings, key=likely)


def likely(printed: Printed) -> float:
    """How much a reading looks like what people send, up to 1. Figures read as letters are mostly control characters;
    letters read as figures are full of U, [ and ]."""
    text = printed.text
    if not text:
        return 0.0
    if printed.kind == "numeric":
        return 0.9 * sum(c in _DIGITS for c in text) / len(text)
    good = sum(c.isalnum() or c == " " for c in text) + 0.5 * sum(c in _PLAIN and c != " " for c in text)
    return (good - 2 * text.count(BAD)) / len(text)


class Repeats:
    """Which pages were told already. A cursor keeps when, and a digest, and nothing of what they said: after a restart
    only what is exactly the same is known again."""

    def __init__(self, config: PocsagConfig, kept: Sequence[tuple[datetime, str]] = ()) -> None:
        self._span = timedelta(seconds=config.repeat_s)
        self._told = [Told(at, words) for at, words in kept]

    def kept(self) -> list[tuple[datetime, str]]:
        return [(told.at, told.words) for told in self._told]

    def look(self, printed: Printed, now: datetime) -> tuple[New, Told | None]:
        """What a page is to those within the span; with the one it repeats."""
        self._told = [told for told in self._told if now - told.at < self._span]
        words = _words(printed)
        for told in reversed(self._told):
            if told.words == words:
                return New.AGAIN, told
            if told.printed is not None and (new := compared(printed, told.printed)) is not New.FIRST:
                return new, told
        return New.FIRST, None

    def remember(self, printed: Printed, identifier: str, now: datetime, repeats: Told | None) -> None:
        """A page that is told. One that betters another counts from when that was first told."""
        self._told = [told for told in self._told if told is not repeats]
        self._told.append(Told(repeats.at if repeats else now, _words(printed), identifier, printed))
        del self._told[:-KNOWN_MAX]


def compared(printed: Printed, before: Printed) -> New:
    """What a page is to an earlier one: the same where they are alike wherever both were received. A decoder that loses
    a page in the middle prints its beginning, and may not say so."""
    if (printed.address, printed.function) != (before.address, before.function):
        return New.FIRST
    length = min(len(printed.text), len(before.text))
    alike = list(_alike(printed.text[:length], before.text[:length]))
    # Of two of which little was received nobody can say it.
    if any(a is False for a in alike) or sum(a is True for a in alike) * 2 < len(alike):
        return New.FIRST
    if len(printed.text) > length:
        return New.FIRST if before.ended and before.text else New.BETTER
    if len(before.text) > length and not (before.ended and not printed.ended and printed.text):
        return New.FIRST
    return New.BETTER if _received(printed) > _received(before) else New.AGAIN


def _alike(one: str, other: str) -> Iterator[bool | None]:
    """For each place whether they are alike; None where one was not received."""
    for a, b in zip(one, other, strict=True):
        yield None if BAD in (a, b) else a == b


def _received(printed: Printed) -> int:
    return len(printed.text) - printed.text.count(BAD)


def _words(printed: Printed) -> str:
    return digest(str(printed.address), str(printed.function), printed.text)
