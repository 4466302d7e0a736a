"""Where a signal applies, in the centre's own areas: which of them its polygons, circles, codes and names touch.

Areas are data (config/areas.yaml) with dates: a zone that is abolished stops being found, on its day. Only the
smallest areas have shapes; what touches one touches those it lies in, and a code or a name of a larger area stands
for everything in it. A signal that brings no area is read for the names of places (hub/intake/gazetteer.py). Pure,
given the areas: no files, no clock.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field
from shapely import STRtree, make_valid
from shapely.errors import ShapelyError
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry

from hub.binding import Day, Misfit, Reads, Word, bind
from hub.findings import Finding, choice, errors
from hub.intake.gazetteer import Found, Gazetteer
from hub.model.area import Area, Circle, Point
from hub.model.people import Language
from hub.model.signal import Info, Signal
from hub.playbook.words import FIELD_END, fold
from hub.yaml import Document, read

_KM_PER_DEGREE = 111.2  # of latitude, WGS 84, to within half a percent
_TOUCHES = 0.01  # of the smaller of two polygons: neighbours share a border, not a hundredth of their surface
_MEMO_MAX = 2_048
_READ_MAX = 40  # areas read from one text
SWAPPED = "the coordinates look swapped (longitude first)"


def _kilometres(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(m|km)", text)
    if found is None:
        raise Misfit("not-a-distance", f'"{text}" is no distance', 'write "600 m" or "2 km"')
    return float(found[1]) / (1000 if found[2] == "m" else 1)


class AreaForm(Struct, frozen=True, kw_only=True):
    """How an area is written."""

    kind: Annotated[str, Meta(description="region, police zone, commune ... : a word for people", examples=["commune"])]
    fr: Annotated[str, Meta(description="Its name in French", examples=["Ixelles"])]
    nl: Annotated[str, Meta(description="Its name in Dutch", examples=["Elsene"])]
    de: Annotated[str, Meta(description="Its name in German", examples=["Ixelles"])]
    en: Annotated[str, Meta(description="Its name in English", examples=["Ixelles"])]
    within: Annotated[
        tuple[Word, ...], Meta(description="The areas it lies in, directly", examples=["brussels-capital-region"])
    ] = field(default=(), name="in")
    codes: Annotated[
        dict[str, tuple[str, ...]], Meta(description="Codes by which senders name it: EMMA_ID, NUTS, NIS ...")
    ] = {}
    also_named: Annotated[tuple[str, ...], Meta(description="Other names senders use", examples=["Brabant"])] = ()
    first_day: Annotated[Day | None, Meta(description="It exists from this day on", examples=["2028-01-01"])] = field(
        default=None, name="from"
    )
    last_day: Annotated[Day | None, Meta(description="Its last day", examples=["2027-12-31"])] = field(
        default=None, name="until"
    )


class AreasForm(Struct, frozen=True, kw_only=True):
    """Where things happen, as the centre sees it."""

    areas: Annotated[dict[Word, AreaForm], Meta(description="Id → area")]
    shapes: Annotated[
        tuple[str, ...],
        Meta(description="GeoJSON files with the smallest areas' outlines", examples=["areas/communes.geojson"]),
    ] = ()
    margin: Annotated[
        float,
        Reads(_kilometres, {"type": "string", "examples": ["600 m", "2 km"]}),
        Meta(description="Points, and circles smaller than this, count as circles of this radius"),
    ] = 0.0


class Place(Struct, frozen=True, kw_only=True):
    """One of the centre's areas. `within`: the areas it lies in, directly. Days are included, local to the centre;
    "" leaves that side open."""

    id: str
    kind: str
    names: dict[Language, str]
    within: tuple[str, ...] = ()
    codes: tuple[tuple[str, str], ...] = ()
    also_named: tuple[str, ...] = ()
    first_day: str = ""
    last_day: str = ""


@dataclass(frozen=True)
class _Shape:
    place: str
    geometry: BaseGeometry


def shape_files(text: str | bytes, file: str) -> tuple[str, ...]:
    """The files with shapes that config/areas.yaml names, relative to its folder."""
    document = read(text, file)
    form = bind(document, document.root, AreasForm)
    return form.shapes if form is not None else ()


def load_areas(text: str | bytes, file: str, shapes: Mapping[str, str]) -> "tuple[Geography | None, list[Finding]]":
    """The areas of config/areas.yaml; `shapes` are the texts of the GeoJSON files it names, by that name. A
    feature's `id` is the area's."""
    document = read(text, file)
    form = bind(document, document.root, AreasForm)
    if form is None:
        return None, document.findings
    geometries: list[_Shape] = []
    for name in form.shapes:
        geometries += _shapes(document, name, shapes.get(name), form.areas)
    for area_id, area in form.areas.items():
        for above in area.within:
            if above not in form.areas:
                node = document.at("areas", area_id, "in")
                document.add(node, "unknown-area", f'"{above}" is no area', choice(above, form.areas))
    _check_circles(document, form)
    if errors(document.findings):
        return None, document.findings
    return Geography([_place(i, a) for i, a in form.areas.items()], geometries, form.margin), document.findings


def _place(area_id: str, form: AreaForm) -> Place:
    return Place(
        id=area_id,
        kind=form.kind,
        names={Language.FR: form.fr, Language.NL: form.nl, Language.DE: form.de, Language.EN: form.en},
        within=form.within,
        codes=tuple((system, code) for system, codes in form.codes.items() for code in codes),
        also_named=form.also_named,
        first_day=form.first_day.isoformat() if form.first_day else "",
        last_day=form.last_day.isoformat() if form.last_day else "",
    )


def _shapes(document: Document, name: str, text: str | None, known: Iterable[str]) -> list[_Shape]:
    if text is None:
        document.add(document.at("shapes"), "no-file", f'there is no file "{name}"', "beside this file")
        return []
    out: list[_Shape] = []
    try:
        for feature in json.loads(text)["features"]:
            if feature["id"] not in known:
                message = f'{name}: "{feature["id"]}" is no area'
                document.add(document.at("shapes"), "unknown-area", message, choice(str(feature["id"]), known))
                continue
            out.append(_Shape(feature["id"], make_valid(shape(feature["geometry"]))))
    except (ValueError, KeyError, TypeError, AttributeError, ShapelyError) as error:
        document.add(document.at("shapes"), "not-geojson", f"{name} is no GeoJSON with ids: {type(error).__name__}")
    return out


def _check_circles(document: Document, form: AreasForm) -> None:
    for area_id in form.areas:
        seen, todo = set(), list(form.areas[area_id].within)
        while todo:
            above = todo.pop()
            if above == area_id:
                document.add(document.at("areas", area_id, "in"), "cycle", f'"{area_id}" lies in itself', "")
                return
            if above in form.areas and above not in seen:
                seen.add(above)
                todo += form.areas[above].within


class Geography:
    """The centre's areas, ready to be found. Immutable but for its memory of areas met lately."""

    def __init__(
        self,
        places: Iterable[Place],
        shapes: Iterable[_Shape],
        margin_km: float = 0.0,
        gazetteer: Gazetteer | None = None,
    ) -> None:
        self.places = {place.id: place for place in places}
        self._gazetteer = gazetteer
        self._shapes = list(shapes)
        self._tree = STRtree([s.geometry for s in self._shapes])
        self._margin_km = margin_km
        self._above = {i: self._closure(i, lambda p: p.within) for i in self.places}
        below: dict[str, list[str]] = {i: [] for i in self.places}
        for place in self.places.values():
            for above in place.within:
                below[above].append(place.id)
        self._below = {i: self._closure(i, lambda p: below[p.id]) for i in self.places}
        # Widest first, so that the first of a signal's places is the one that says most.
        self._order = {i: n for n, i in enumerate(sorted(self.places, key=lambda i: (-len(self._below[i]), i)))}
        self._by_code: dict[tuple[str, str], list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        for place in self.places.values():
            for system, code in place.codes:
                self._by_code.setdefault((_system(system), _code(code)), []).append(place.id)
            for name in {_name(n) for n in (*place.names.values(), *place.also_named)}:
                self._by_name.setdefault(name, []).append(place.id)
        self._days = sorted({d for p in self.places.values() for d in (p.first_day, p.last_day) if d})
        self._memo: dict[tuple[Area, int], tuple[str, ...]] = {}

    def reading(self, gazetteer: Gazetteer) -> "Geography":
        """The same, which reads a signal without areas for the names of places."""
        return Geography(self.places.values(), self._shapes, self._margin_km, gazetteer)

    def locate(self, signal: Signal, day: str) -> Signal:
        """The signal with the `places` of each of its areas on a day (ISO, local to the centre) filled in, or, where it
        brings none, with those read from its text; with a note where coordinates that touch nothing would, read the
        other way round."""
        if not any(not area.from_text for info in signal.infos for area in info.areas):
            return self._read(signal, day)
        infos = tuple(
            msgspec.structs.replace(
                info,
                areas=tuple(msgspec.structs.replace(a, places=self.touched(a, day)) for a in info.areas),
            )
            for info in signal.infos
        )
        notes = signal.notes
        if SWAPPED not in notes and any(self.looks_swapped(a) for i in infos for a in i.areas if not a.places):
            notes = (*notes, SWAPPED)
        return msgspec.structs.replace(signal, infos=infos, notes=notes)

    def _read(self, signal: Signal, day: str) -> Signal:
        if self._gazetteer is None:
            return signal
        infos = tuple(self._read_info(self._gazetteer, info, day) for info in signal.infos)
        return signal if infos == signal.infos else msgspec.structs.replace(signal, infos=infos)

    def _read_info(self, gazetteer: Gazetteer, info: Info, day: str) -> Info:
        found = gazetteer.find(f"{info.headline} {FIELD_END} {info.description}", info.language)
        if not found and not info.areas:
            return info
        named: dict[str, Found] = {}  # each place once, as precisely as it is named
        for one in found:
            known = named.get(one.place)
            if known is None or len(one.within) < len(known.within):
                named[one.place] = one
        within = {area for one in named.values() for area in one.within}
        wide = {above for area in within for above in self._above.get(area, ())}
        areas = []
        for one in named.values():
            places = {above for area in one.within if area in self._above for above in (area, *self._above[area])}
            in_force = self._ordered(places, day)
            if in_force and not wide.issuperset(one.within):  # Uccle, Brussels: Uccle says it
                areas.append(Area(description=one.text, places=in_force, from_text=True))
        return msgspec.structs.replace(info, areas=tuple(areas[:_READ_MAX]))

    def touched(self, area: Area, day: str) -> tuple[str, ...]:
        """Ids of the areas that are in force on the day and touched by a CAP area, the widest first."""
        period = sum(1 for d in self._days if d <= day) * 2 + (day in self._days)
        key = (msgspec.structs.replace(area, places=()) if area.places else area, period)
        known = self._memo.get(key)
        if known is None:
            known = self._touched(area, day)
            if len(self._memo) >= _MEMO_MAX:
                self._memo.clear()
            self._memo[key] = known
        return known

    def lies_in(self, place: str) -> frozenset[str]:
        """All the areas an area lies in. Raises KeyError for one there is not."""
        return self._above[place]

    def widest_first(self) -> tuple[Place, ...]:
        return tuple(sorted(self.places.values(), key=lambda place: self._order[place.id]))

    def outlines(self) -> dict[str, tuple[tuple[tuple[float, float], ...], ...]]:
        """The outer rings of the areas that have a shape: longitude and latitude, as GeoJSON has them."""
        found: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {}
        for one in self._shapes:
            parts = getattr(one.geometry, "geoms", (one.geometry,))
            rings = [
                tuple((float(x), float(y)) for x, y, *_ in part.exterior.coords)
                for part in parts
                if isinstance(part, Polygon)
            ]
            found[one.place] = (*found.get(one.place, ()), *rings)
        return found

    def around(self, places: Iterable[str]) -> tuple[str, ...]:
        """The areas that lie in some areas, and all that any of these lie in; unknown ones have none."""
        known = {p for p in places if p in self.places}
        within = known | {below for p in known for below in self._below[p]}
        return tuple(sorted((within | {above for p in within for above in self._above[p]}) - known))

    def looks_swapped(self, area: Area) -> bool:
        """Whether its coordinates touch nothing as they stand, and something with longitude first."""
        polygons = [tuple((lon, lat) for lat, lon in p) for p in area.polygons]
        circles = [Circle(c.lon, c.lat, c.radius_km) for c in area.circles]
        if not (polygons or circles) or self._by_shape(area.polygons, area.circles):
            return False
        return bool(self._by_shape(polygons, circles))

    def _touched(self, area: Area, day: str) -> tuple[str, ...]:
        found = self._by_shape(area.polygons, area.circles)
        whole: set[str] = set()
        for geocode in area.geocodes:
            whole.update(self._by_code.get((_system(geocode.system), _code(geocode.code)), ()))
        if not found and not whole and area.description:
            for part in (area.description, *re.split(r"[,;/|\n]| - ", area.description)):
                whole.update(self._by_name.get(_name(part), ()))
        found |= whole
        for place in whole:
            found |= self._below[place]
        for place in tuple(found):
            found |= self._above[place]
        return self._ordered(found, day)

    def _ordered(self, found: Iterable[str], day: str) -> tuple[str, ...]:
        """Those in force on the day, the widest first."""
        return tuple(sorted((p for p in found if self._in_force(self.places[p], day)), key=self._order.__getitem__))

    def _by_shape(self, polygons: Iterable[tuple[Point, ...]], circles: Iterable[Circle]) -> set[str]:
        found: set[str] = set()
        for polygon in polygons:
            geometry = _polygon(polygon)
            if geometry is None:
                continue
            for index in self._tree.query(geometry, predicate="intersects"):
                own = self._shapes[index].geometry
                if own.intersection(geometry).area >= _TOUCHES * min(own.area, geometry.area):
                    found.add(self._shapes[index].place)
        for circle in circles:
            disc = _disc(circle, self._margin_km)
            if disc is not None:
                found.update(self._shapes[i].place for i in self._tree.query(disc, predicate="intersects"))
        return found

    def _closure(self, start: str, step: Any) -> frozenset[str]:
        seen: set[str] = set()
        todo = list(step(self.places[start]))
        while todo:
            place = todo.pop()
            if place not in seen:
                seen.add(place)
                todo += step(self.places[place])
        return frozenset(seen)

    @staticmethod
    def _in_force(place: Place, day: str) -> bool:
        return (not place.first_day or place.first_day <= day) and (not place.last_day or day <= place.last_day)


def _system(system: str) -> str:
    """NUTS1, NUTS2 and NUTS3 are one system; so are the names NIS, INS and REFNIS."""
    folded = re.sub(r"[^A-Z0-9]", "", system.upper())
    if folded.startswith("NUTS"):
        return "NUTS"
    return "NIS" if folded in ("NIS", "INS", "REFNIS", "NIS5", "NISCODE", "INSCODE") else folded


def _code(code: str) -> str:
    return code.strip().upper()


def _name(name: str) -> str:
    return " ".join(fold(name).split())


def _on_globe(lat: float, lon: float) -> bool:
    return math.isfinite(lat) and math.isfinite(lon) and -90 <= lat <= 90 and -180 <= lon <= 180


def _polygon(points: tuple[Point, ...]) -> BaseGeometry | None:
    if len(points) < 4 or not all(_on_globe(lat, lon) for lat, lon in points):
        return None
    # A line that crosses itself is common (drawn by hand); what encloses nothing is left out.
    geometry = make_valid(Polygon([(lon, lat) for lat, lon in points]))
    return geometry if geometry.area > 0 else None


def _disc(circle: Circle, margin_km: float) -> BaseGeometry | None:
    """A circle on the ground, as a polygon in degrees. Radius 0 is a point (USGS, NSW RFS): the margin makes it one."""
    if not _on_globe(circle.lat, circle.lon) or not 0 <= circle.radius_km <= 20_040:
        return None
    radius = max(circle.radius_km, margin_km, 0.001)
    dlat = radius / _KM_PER_DEGREE
    dlon = min(180.0, dlat / max(0.01, math.cos(math.radians(circle.lat))))
    turn = [2 * math.pi * n / 48 for n in range(48)]
    # 48 corners just outside the circle, so that none of it is lost.
    out = 1 / math.cos(math.pi / 48)
    return Polygon([(circle.lon + out * dlon * math.cos(a), circle.lat + out * dlat * math.sin(a)) for a in turn])
