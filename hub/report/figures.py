"""Drawings for documents, as SVG: what happened when, who was reached, where it is. Black and white, so that any
printer will do; every text in them is escaped; nothing in them is loaded from anywhere. Pure.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.report.document import Figure

WIDTH = 720
_FONT = "Libertinus Serif, DejaVu Serif, serif"
_LEFT, _RIGHT = 190, 20
_LANE = 34
_MAP = 250
_STEPS = tuple(
    timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 10080, 20160, 43200)
)
_TICKS_MOST = 8
_NAMED_MOST = 6  # areas: more are not named in the map

Ring = tuple[tuple[float, float], ...]
"""Longitude and latitude in degrees, closed."""


class Ground(Struct, frozen=True, kw_only=True):
    """An area: its outline, where it has one, and the areas it lies in, directly or not. `names`: by language."""

    id: str
    names: Mapping[str, str]
    within: frozenset[str] = frozenset()
    rings: tuple[Ring, ...] = ()


class Mark(Struct, frozen=True, kw_only=True):
    """Something at an instant. `open`: drawn hollow."""

    at: datetime
    open: bool = False


class Lane(Struct, frozen=True, kw_only=True):
    name: str
    marks: tuple[Mark, ...]
    shape: str = "circle"  # or square, triangle


class Part(Struct, frozen=True, kw_only=True):
    """A part of a bar. `shade`: from 0 (white) to 1 (black)."""

    name: str
    count: int
    shade: float


def timeline(
    lanes: Sequence[Lane], start: datetime, end: datetime, zone: str, alt: str, records: Iterable[str] = ()
) -> Figure:
    """Marks in lanes, over an axis of hours of `zone`."""
    end = max(end, start + timedelta(minutes=1))
    height = 30 + _LANE * len(lanes) + 26
    span = (end - start).total_seconds()

    def x(at: datetime) -> float:
        share = min(max((at - start).total_seconds() / span, 0.0), 1.0)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    out = []
    bottom = 12 + _LANE * len(lanes)
    for at, text in _ticks(start, end, zone):
        out.append(_line(x(at), 6, x(at), bottom, "#bbb"))
        out.append(_text(x(at), bottom + 18, text, 12, "middle"))
    for nth, lane in enumerate(lanes):
        y = 12 + _LANE * nth + _LANE / 2
        out.append(_line(_LEFT, y, WIDTH - _RIGHT, y, "#000"))
        out.append(_text(_LEFT - 10, y + 4, f"{lane.name} ({len(lane.marks)})", 13, "end"))
        out += [_shape(lane.shape, x(mark.at), y, mark.open) for mark in lane.marks]
    return _figure(out, height, alt, records)


def bars(parts: Sequence[Part], alt: str, records: Iterable[str] = ()) -> Figure:
    """One bar, shared out; each part with its count and its name beneath."""
    total = sum(part.count for part in parts)
    shown = [part for part in parts if part.count]
    wide = WIDTH - 2
    out, at = [], 1.0
    for part in shown:
        width = wide * part.count / total
        fill = round(255 * (1 - part.shade))
        out.append(
            f'<rect x="{at:.1f}" y="4" width="{width:.1f}" height="30" fill="rgb({fill},{fill},{fill})" stroke="#000"/>'
        )
        if width > 26:
            out.append(_text(at + width / 2, 25, str(part.count), 16, "middle", "#fff" if part.shade > 0.5 else "#000"))
        at += width
    at = 1.0
    for part in parts:
        fill = round(255 * (1 - part.shade))
        out.append(f'<rect x="{at:.1f}" y="46" width="12" height="12" fill="rgb({fill},{fill},{fill})" stroke="#000"/>')
        said = f"{part.name}: {part.count}"
        out.append(_text(at + 18, 57, said, 14))
        at += 40 + 7.4 * len(said)
    return _figure(out, 64, alt, records)


def area_map(
    ground: Mapping[str, Ground], marked: Iterable[str], language: str, alt: str, records: Iterable[str] = ()
) -> Figure | None:
    """The outlines of all areas that have one; those that are marked shaded and named. None where there are none."""
    shown = [one for one in ground.values() if one.rings]
    if not shown:
        return None
    points = [point for one in shown for ring in one.rings for point in ring]
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    squeeze = math.cos(math.radians((south + north) / 2))  # a degree of longitude is shorter than one of latitude
    scale = min((WIDTH - 20) / ((east - west) * squeeze or 1), _MAP / ((north - south) or 1))
    left = (WIDTH - (east - west) * squeeze * scale) / 2

    def placed(ring: Ring) -> list[tuple[float, float]]:
        return [(left + (lon - west) * squeeze * scale, 8 + (north - lat) * scale) for lon, lat in ring]

    named = set(marked)
    out, labels = [], []
    for one in sorted(shown, key=lambda area: area.id in named):
        rings = [placed(ring) for ring in one.rings]
        path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z" for ring in rings)
        fill, edge = ("#b9b9b9", 1.4) if one.id in named else ("#fff", 0.6)
        out.append(f'<path d="{path}" fill="{fill}" fill-rule="evenodd" stroke="#000" stroke-width="{edge}"/>')
        if one.id in named and len(named) <= _NAMED_MOST:
            cx, cy = _middle(max(rings, key=len))
            labels.append(_text(cx, cy, one.names.get(language, one.id), 11, "middle", halo=True))
    return _figure(out + labels, round(16 + (north - south) * scale), alt, records)


def _middle(ring: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The centroid of a ring; of one that encloses nothing, the mean of its corners."""
    area = cx = cy = 0.0
    for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = x0 * y1 - x1 * y0
        area, cx, cy = area + cross, cx + (x0 + x1) * cross, cy + (y0 + y1) * cross
    if abs(area) < 1e-9:
        return sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring)
    return cx / (3 * area), cy / (3 * area)


def _ticks(start: datetime, end: datetime, zone: str) -> Iterable[tuple[datetime, str]]:
    """Round times between two instants; the day stands where it begins, and at the first."""
    step = next((one for one in _STEPS if (end - start) / one <= _TICKS_MOST), _STEPS[-1])
    local = start.astimezone(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    at = start + (step - (local - midnight) % step) % step
    day = None
    while at <= end:
        here = at.astimezone(ZoneInfo(zone))
        text = f"{here:%H:%M}" if here.date() == day else f"{here.day}/{here.month} {here:%H:%M}"
        yield at, text
        day, at = here.date(), at + step


def _shape(shape: str, x: float, y: float, hollow: bool) -> str:
    fill = "#fff" if hollow else "#000"
    if shape == "triangle":
        corners = f"M{x - 6:.1f} {y + 5:.1f}L{x + 6:.1f} {y + 5:.1f}L{x:.1f} {y - 7:.1f}Z"
        return f'<path d="{corners}" fill="{fill}" stroke="#000"/>'
    if shape == "square":
        return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{fill}" stroke="#000"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{fill}" stroke="#000"/>'


def _line(x0: float, y0: float, x1: float, y1: float, stroke: str) -> str:
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{stroke}"/>'


def _text(
    x: float, y: float, text: str, size: int, anchor: str = "start", fill: str = "#000", halo: bool = False
) -> str:
    around = ' stroke="#fff" stroke-width="3" stroke-linejoin="round"' if halo else ""
    said = escape(text)
    attributes = f'x="{x:.1f}" y="{y:.1f}" font-family="{_FONT}" font-size="{size}" text-anchor="{anchor}"'
    behind = f'<text {attributes} fill="#fff"{around}>{said}</text>' if halo else ""
    return f'{behind}<text {attributes} fill="{fill}">{said}</text>'


def _figure(parts: Iterable[str], height: float, alt: str, records: Iterable[str]) -> Figure:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'role="img"><title>{escape(alt)}</title>{"".join(parts)}</svg>'
    )
    return Figure(svg=svg, alt=alt, records=tuple(dict.fromkeys(records)))
