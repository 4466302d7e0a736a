"""What keeps two signals apart, whatever they say: status, hazard, area, time, labels of serial alerts. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from hub.intake.gist import NAME, TOPIC
from hub.model.area import Area
from hub.model.signal import Hazard, Named, Signal, Status

_MARGIN = 0.3  # degrees: two seismologists' epicentres lie that far apart
_KM_PER_DEGREE = 111.2
_GAP = timedelta(hours=6)  # bulletins of one storm follow one another

# One event is read as either by different readers. Of the weather none: a warning of wind and one of rain are two.
_KIN = (
    frozenset({Hazard.FIRE, Hazard.EXPLOSION, Hazard.GAS_LEAK, Hazard.CHEMICAL}),
    frozenset({Hazard.FIRE, Hazard.FOREST_FIRE}),
    frozenset({Hazard.TERROR, Hazard.EXPLOSION}),
    frozenset({Hazard.DEMONSTRATION, Hazard.RIOT, Hazard.CROWD, Hazard.PLANNED_EVENT}),
    frozenset({Hazard.VIP, Hazard.PLANNED_EVENT}),
    frozenset({Hazard.RAIL, Hazard.PUBLIC_TRANSPORT, Hazard.TRAFFIC}),
    frozenset({Hazard.TELECOM, Hazard.EMERGENCY_CALLS, Hazard.CYBER}),
    frozenset({Hazard.EARTHQUAKE, Hazard.TSUNAMI}),
)
_SAME: dict[Hazard, frozenset[Hazard]] = {
    hazard: frozenset({hazard}).union(*(kin for kin in _KIN if hazard in kin)) for hazard in Hazard
}

Box = tuple[float, float, float, float]  # south, west, north, east
Codes = tuple[tuple[str, frozenset[str]], ...]  # system → codes


class Frame(Struct, frozen=True, gc=False):
    """What a signal is beside its words. `touched` are the centre's areas that it touches, `places` the narrowest of
    them; `codes` its codes by system, `box` what its outlines lie in, `period` from when to when it holds."""

    teller: tuple[str, str]
    identifier: str
    status: Status
    hazards: frozenset[Hazard]
    touched: frozenset[str]
    places: frozenset[str]
    codes: Codes
    box: Box | None
    period: tuple[datetime, datetime] | None
    labels: tuple[Named, ...]

    @property
    def says_more(self) -> bool:
        """Whether it says anything beside its words that two could have in common."""
        return bool(self.hazards or self.touched or self.codes or self.box or self.period)


def frame(signal: Signal, lies_in: Callable[[str], Iterable[str]]) -> Frame:
    """`lies_in`: the areas that one of the centre's areas lies in."""
    areas = [area for info in signal.infos for area in info.areas]
    touched = {place for area in areas for place in area.places}
    codes: dict[str, set[str]] = {}
    for area in areas:
        for geocode in area.geocodes:
            codes.setdefault(geocode.system, set()).add(geocode.code)
    return Frame(
        teller=(signal.source, signal.sender),
        identifier=signal.identifier,
        status=signal.status,
        hazards=frozenset(i.hazard for i in signal.infos if i.hazard is not None and i.hazard is not Hazard.OTHER),
        touched=frozenset(touched),
        places=frozenset(touched.difference(*(lies_in(place) for place in touched))),
        codes=tuple((system, frozenset(found)) for system, found in sorted(codes.items())),
        box=_box(areas),
        period=_period(signal),
        labels=signal.infos[0].parameters if signal.infos else (),
    )


def apart(a: Frame, b: Frame) -> bool:
    """Whether two signals cannot be one story. (Not asked of updates and cancels: they name what they belong to.)"""
    return (
        a.status is not b.status
        or bool(a.hazards and b.hazards and not any(_SAME[hazard] & b.hazards for hazard in a.hazards))
        or bool(a.touched and b.touched and a.places.isdisjoint(b.touched) and b.places.isdisjoint(a.touched))
        or _elsewhere(a, b)
        or _another_time(a.period, b.period)
        or _serial(a, b)
    )


def together(a: Frame, b: Frame) -> tuple[int, int]:
    """What two signals have in common beside their words, in tenths of a name: where, and what else (hazard, time)."""
    where = NAME if not a.places.isdisjoint(b.places) else 0
    if _mostly_the_same(a.codes, b.codes) or (a.box is not None and b.box is not None and _near(a.box, b.box)):
        where += NAME
    more = TOPIC if not a.hazards.isdisjoint(b.hazards) else 0
    if a.period is not None and a.period == b.period:
        more += NAME
    return where, more


def _mostly_the_same(a: Codes, b: Codes) -> bool:
    """Whether half of the codes of a system that both use are common."""
    others = dict(b)
    return any(
        2 * len(found & others[system]) >= len(found | others[system]) for system, found in a if system in others
    )


def _near(a: Box, b: Box) -> bool:
    """Whether two outlines are of one place: their edges lie near one another."""
    return all(abs(one - other) <= _MARGIN for one, other in zip(a, b, strict=True))


def _elsewhere(a: Frame, b: Frame) -> bool:
    if a.codes and b.codes:
        others = dict(b.codes)
        if any(system in others and found.isdisjoint(others[system]) for system, found in a.codes):
            return True
    if a.box is None or b.box is None:
        return False
    (south, west, north, east), (south_b, west_b, north_b, east_b) = a.box, b.box
    return south > north_b + _MARGIN or south_b > north + _MARGIN or west > east_b + _MARGIN or west_b > east + _MARGIN


def _another_time(a: tuple[datetime, datetime] | None, b: tuple[datetime, datetime] | None) -> bool:
    return a is not None and b is not None and (a[1] + _GAP <= b[0] or b[1] + _GAP <= a[0])


def _serial(a: Frame, b: Frame) -> bool:
    """Whether one teller gives two messages labels that differ: the disk of another host."""
    if a.teller != b.teller or a.identifier == b.identifier or not a.labels or not b.labels:
        return False
    others = {label.name: label.value for label in b.labels}
    return any(others.get(label.name, label.value) != label.value for label in a.labels)


def _box(areas: Iterable[Area]) -> Box | None:
    lats: list[float] = []
    lons: list[float] = []
    for area in areas:
        for polygon in area.polygons:
            lats += (lat for lat, _ in polygon)
            lons += (lon for _, lon in polygon)
        for lat, lon, radius in ((c.lat, c.lon, c.radius_km / _KM_PER_DEGREE) for c in area.circles):
            lats += (lat - radius, lat + radius)
            lons += (lon - 2 * radius, lon + 2 * radius)  # wide enough up to 60 degrees north
    return (min(lats), min(lons), max(lats), max(lons)) if lats else None


def _period(signal: Signal) -> tuple[datetime, datetime] | None:
    """From the first beginning to the last end, where each block says both."""
    begins = [info.onset or info.effective for info in signal.infos]
    ends = [info.expires for info in signal.infos]
    first = min((at for at in begins if at is not None), default=None)
    last = max((at for at in ends if at is not None), default=None)
    if first is None or last is None or None in begins or None in ends or last <= first:
        return None
    return first, last
