"""The picture of a story: swim lanes over a time axis that is cut into strips, as music is into lines. Pure.

Time is not to scale, so that three hours of silence take no more room than a break: what happens at once stands
together, what follows soon stands near, and a longer silence is a gap that says how long it is. Lengths are in units of
the strip, which is `WIDTH` wide.
"""

import math
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from hub.drill.story import Bar, Item, Part, Story

WIDTH = 800.0
LABELS = 165.0  # the lanes' names
MARK = 25.0  # one item
TIME = 34.0  # what a time on the axis takes
LANE, HEAD, AXIS = 21.0, 17.0, 30.0  # heights: of a lane, of a part's name, of the axis
BREAK_S, BREAK = 1200.0, 40.0  # a silence from this on is a break, and so wide
NAMES = 24  # characters of a lane's name


class Placed(Struct, frozen=True, kw_only=True):
    """An item in the picture."""

    x: float
    item: Item


class Stretch(Struct, frozen=True, kw_only=True):
    """A bar, or as much of it as is in a strip. `outage`: something was down."""

    x: float
    width: float
    outage: bool


class Lane(Struct, frozen=True, kw_only=True):
    """`y`: its middle. `name`: as much of it as there is room for; `names`: all who are in it."""

    y: float
    name: str
    names: tuple[str, ...]
    marks: tuple[Placed, ...]
    bars: tuple[Stretch, ...]


class Section(Struct, frozen=True, kw_only=True):
    """The lanes of one part; its name stands at `y`."""

    part: Part
    y: float
    lanes: tuple[Lane, ...]


class Tick(Struct, frozen=True, kw_only=True):
    """A time on the axis (`short`: of the same minute as the one before); or, with `gap_s`, a break."""

    x: float
    at: datetime | None = None
    short: bool = False
    gap_s: float = 0.0


class Strip(Struct, frozen=True, kw_only=True):
    """One line of the picture."""

    height: float
    start: datetime
    end: datetime
    ticks: tuple[Tick, ...]
    sections: tuple[Section, ...]


class _Column(Struct, kw_only=True):
    """What happens in the same second. `x`: of its first item."""

    items: list[Item]
    gap_s: float = 0.0
    x: float = 0.0
    width: float = 0.0


def strips_of(story: Story, others: str = "+ {n}") -> list[Strip]:
    """`others`: how many more are in a lane than its name says."""
    merged = _merged(story)
    lines: list[list[_Column]] = [[]]
    x = LABELS
    for column in _columns(story.items):
        gap = _gap(column.gap_s) if lines[-1] else 4.0
        if lines[-1] and x + gap + column.width > WIDTH:
            lines.append([])
            gap = _gap(column.gap_s) if column.gap_s >= BREAK_S else 4.0
            x, gap = LABELS, min(gap, WIDTH - LABELS - column.width)
        column.x = x + gap
        x = column.x + column.width
        lines[-1].append(column)
    return [_strip(line, story, merged, others) for line in lines if line]


def _columns(items: Sequence[Item]) -> list[_Column]:
    columns: list[_Column] = []
    for item in items:
        if columns and round(item.s) == round(columns[-1].items[0].s):
            columns[-1].items.append(item)
        else:
            gap_s = item.s - columns[-1].items[0].s if columns else 0.0
            columns.append(_Column(items=[item], gap_s=gap_s))
    for column in columns:
        most = max(len(those) for those in _in_lanes(column.items).values())
        column.width = min(max(most * MARK, TIME), WIDTH - LABELS - 6.0)  # ever so many at once still fit
    return columns


def _in_lanes(items: Sequence[Item]) -> dict[tuple[Part, str], list[Item]]:
    found: dict[tuple[Part, str], list[Item]] = {}
    for item in items:
        for lane in item.lanes:
            found.setdefault((item.part, lane), []).append(item)
    return found


def _gap(seconds: float) -> float:
    """Room for a time in which nothing happens."""
    return BREAK if seconds >= BREAK_S else 2.0 + 6.0 * math.log10(1.0 + seconds)


def _merged(story: Story) -> dict[tuple[Part, str], tuple[str, ...]]:
    """Lanes of people to whom the same happened all the time, in one: (part, first name) → names, in order."""
    lanes = _in_lanes(story.items)
    alike: dict[tuple[Part, tuple[int, ...]], list[str]] = {}
    for (part, lane), items in lanes.items():
        same = tuple(item.n for item in items) if part is Part.PEOPLE else (-len(alike) - 1,)
        alike.setdefault((part, same), []).append(lane)
    return {(part, names[0]): tuple(names) for (part, _), names in alike.items()}


def _strip(columns: list[_Column], story: Story, merged: dict[tuple[Part, str], tuple[str, ...]], others: str) -> Strip:
    items = [item for column in columns for item in column.items]
    places = _places(columns)
    here = {(part, lane): those for (part, lane), those in _in_lanes(items).items() if (part, lane) in merged}
    bars = {key: found for key in merged if (found := _stretches(key, story.bars, places, columns))}
    sections: list[Section] = []
    y = AXIS
    for part in Part:
        names = [lane for p, lane in merged if p is part and ((p, lane) in here or (p, lane) in bars)]
        if not names:
            continue
        head, y = y + HEAD - 4.0, y + HEAD
        lanes: list[Lane] = []
        for name in names:
            marks = tuple(Placed(x=places[part, name, item.n], item=item) for item in here.get((part, name), ()))
            label = _label(merged[part, name], others)
            whole, stretches = merged[part, name], tuple(bars.get((part, name), ()))
            lanes.append(Lane(y=y + LANE / 2, name=label, names=whole, marks=marks, bars=stretches))
            y += LANE
        sections.append(Section(part=part, y=head, lanes=tuple(lanes)))
    return Strip(height=y + 4.0, start=items[0].at, end=items[-1].at, ticks=_ticks(columns), sections=tuple(sections))


def _places(columns: Sequence[_Column]) -> dict[tuple[Part, str, int], float]:
    """The middle of each item's mark in each of its lanes."""
    places: dict[tuple[Part, str, int], float] = {}
    for column in columns:
        for (part, lane), items in _in_lanes(column.items).items():
            step = min(MARK, (column.width - MARK) / max(1, len(items) - 1))
            for i, item in enumerate(items):
                places[part, lane, item.n] = column.x + MARK / 2 + i * step
    return places


def _stretches(
    key: tuple[Part, str],
    bars: Sequence[Bar],
    places: dict[tuple[Part, str, int], float],
    columns: Sequence[_Column],
) -> list[Stretch]:
    first, last = columns[0].items[0].n, columns[-1].items[-1].n
    found: list[Stretch] = []
    for bar in bars:
        if (bar.part, bar.lane) != key or bar.start > last or (bar.end and bar.end < first):
            continue
        start = places.get((*key, bar.start), LABELS)
        end = places.get((*key, bar.end), WIDTH) if bar.end else WIDTH
        found.append(Stretch(x=start, width=max(end - start, 1.0), outage=bar.outage))
    return found


def _ticks(columns: Sequence[_Column]) -> tuple[Tick, ...]:
    """A time at each column where there is room for it, and each break."""
    ticks: list[Tick] = []
    free, before = 0.0, None
    for column in columns:
        if column.gap_s >= BREAK_S and column.x - BREAK >= LABELS:
            ticks.append(Tick(x=column.x - BREAK / 2, gap_s=column.gap_s))
        if column.x >= free:
            at = column.items[0].at
            minute = at.replace(second=0, microsecond=0)
            ticks.append(Tick(x=column.x + MARK / 2, at=at, short=minute == before))
            free, before = column.x + TIME + 12.0, minute
    return tuple(ticks)


def _label(names: tuple[str, ...], others: str) -> str:
    more = f" {others.format(n=len(names) - 1)}" if len(names) > 1 else ""
    most = NAMES - len(more)
    return (names[0] if len(names[0]) <= most else names[0][: most - 1].rstrip() + "…") + more
