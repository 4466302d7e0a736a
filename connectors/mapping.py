"""From one item of foreign data (JSON, a row of a table) to a signal, by what the config says. Pure."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.expression import find, instant_of, text_of
from connectors.mapping_config import ENUMS, TEXTS, Mapped, plain
from connectors.text import digest, one_line, plain_text, web_address
from hub.connector import ReadError
from hub.model.area import Area, Circle, Point
from hub.model.signal import Info, MsgType, Named, Reference, Severity, Signal

IDENTIFIER_MAX = 200  # longer ones (a text that has to serve as one) become a digest
REFERENCES_MAX = 100
_SHAPES = frozenset({"Point", "Polygon", "MultiPolygon"})


def wanted(item: Any, config: Mapped) -> bool:
    """Whether an item counts."""
    return find(config.only, item) is True if config.only else True


def said(signal: Signal) -> str:
    """What counts as new: not when it was looked at."""
    return msgspec.json.encode(signal.infos).decode() + signal.status.value


def found_in(item: Any, expression: str) -> Any:
    """What an expression finds in an item; a value that has just this name goes before it (`Date / heure`)."""
    if isinstance(item, Mapping) and expression in item:
        return item[expression]
    return find(expression, item)


def signal_of(item: Any, config: Mapped, sender: str, now: datetime | None, otherwise: str = "") -> Signal:
    """The signal of an item. `now` stands in for a missing time, `otherwise` for a missing identifier. Raises ReadError
    where it has none."""
    notes: list[str] = []
    found = {plain(field): found_in(item, expression) for field, expression in config.fields.items()}
    values = {field: value for field, value in found.items() if value not in (None, "", [])}
    for field, value in config.always.items():
        values.setdefault(plain(field), value)
    identifier = text_of(values.get("identifier"))
    if not identifier and otherwise:
        identifier = otherwise
        notes.append("the item has no number of its own: its content names it")
    if not identifier:
        raise ReadError("the item has no identifier: correct identifier under fields")
    sent = _time(values.get("sent"), config, notes, "sent")
    if sent is None:
        notes.append("the item has no time: " + ("when it was first seen is taken" if now else "none is known"))
        sent = now or datetime(1970, 1, 1, tzinfo=UTC)
    sender = text_of(values.get("sender"))[:200] or sender
    rest = _enum(values, config, "status", notes) | _enum(values, config, "msg_type", notes)
    references = _references(values.get("references"), sender)
    if references and "msg_type" not in rest:
        rest["msg_type"] = MsgType.UPDATE
    return Signal(
        identifier=_short(identifier),
        sender=sender,
        sent=sent,
        references=references,
        infos=_infos(item, values, config, sent, notes),
        notes=tuple(notes),
        **rest,
    )


def _short(identifier: str) -> str:
    return identifier if len(identifier) <= IDENTIFIER_MAX else digest(identifier)


def _references(value: Any, sender: str) -> tuple[Reference, ...]:
    """Earlier items of the same sender that this one replaces or withdraws."""
    named = value if isinstance(value, list) else [value]
    earlier = dict.fromkeys(text for one in named if (text := text_of(one).strip()))
    return tuple(Reference(sender, _short(one)) for one in list(earlier)[:REFERENCES_MAX])


def _infos(item: Any, values: dict[str, Any], config: Mapped, sent: datetime, notes: list[str]) -> tuple[Info, ...]:
    """A block for each language there is a text in."""
    languages = dict.fromkeys(field.partition(".")[2] for field in values if field.partition(".")[0] in TEXTS)
    named = [language for language in languages if language] or [""]
    expires = _time(values.get("expires"), config, notes, "expires")
    if expires is None and config.lasts:
        expires = sent + timedelta(seconds=config.lasts)
    rest: dict[str, Any] = {}
    for field in ("hazard", "severity", "certainty", "urgency"):
        rest |= _enum(values, config, field, notes)
    category = _enum(values, config, "category", notes).get("category")
    if "severity" not in rest and config.levels:
        rest["severity"] = _level(values.get("value"), config)
    shared = {
        "categories": (category,) if category else (),
        "onset": _time(values.get("onset"), config, notes, "onset"),
        "expires": expires,
        "web": web_address(text_of(values.get("web"))),
        "contact": one_line(text_of(values.get("contact"))),
        "sender_name": one_line(text_of(values.get("sender_name"))),
        "parameters": _parameters(item, config),
        "areas": _areas(values, notes),
        **rest,
    }
    return tuple(_info(language, values, config, shared) for language in named)


def _info(language: str, values: dict[str, Any], config: Mapped, shared: dict[str, Any]) -> Info:
    texts = {field: text_of(values.get(f"{field}.{language}") or values.get(field)) for field in TEXTS}
    headline = one_line(texts["headline"]) or one_line(texts["event"]) or one_line(texts["description"])[:160]
    return Info(
        language=language or config.language,
        headline=headline,
        event=one_line(texts["event"]),
        description=plain_text(texts["description"]),
        instruction=plain_text(texts["instruction"]),
        **shared,
    )


def _parameters(item: Any, config: Mapped) -> tuple[Named, ...]:
    found = ((name, text_of(found_in(item, expression))) for name, expression in config.parameters.items())
    return tuple(Named(name, value[:400]) for name, value in found if value)


def _enum(values: dict[str, Any], config: Mapped, field: str, notes: list[str]) -> dict[str, Any]:
    """The field as one of its words; none, with a note, where what was found is none of them."""
    if field not in values:
        return {}
    written = text_of(values[field])
    meant = _words(config, field).get(written, written)
    for member in ENUMS[field]:
        if member.value.casefold() == meant.casefold():
            return {field: member}
    notes.append(f"{field} {written[:60]!r} means nothing here: add it to words")
    return {}


def _words(config: Mapped, field: str) -> Mapping[str, str]:
    return config.words.get(field) or config.words.get(field.replace("_", " "), {})


def _level(value: Any, config: Mapped) -> Severity:
    """The gravest level that a measured value reaches."""
    value = _number(value)
    if value is None:
        return Severity.UNKNOWN
    reached = [Severity(name) for name, least in config.levels.items() if value >= least]
    order = list(Severity)
    return max(reached, key=order.index, default=Severity.MINOR)


def _number(value: Any) -> float | None:
    """A number, also as text and with a decimal comma."""
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", "."))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _time(value: Any, config: Mapped, notes: list[str], what: str) -> datetime | None:
    if value is None:
        return None
    try:
        return instant_of(value, config.zone)
    except ValueError as error:
        notes.append(f"{what} {error}")
        return None


def _areas(values: dict[str, Any], notes: list[str]) -> tuple[Area, ...]:
    """One area: its names, and where it is."""
    named = values.get("area")
    names = [one_line(text_of(one)) for one in (named if isinstance(named, list) else [named])]
    circles = _point(values)
    polygons: tuple[tuple[Point, ...], ...] = ()
    geometry = values.get("geometry")
    if isinstance(geometry, str):
        geometry = _well_known(geometry, notes)
    if isinstance(geometry, dict) and geometry.get("type") in _SHAPES:
        more, polygons = _shape(geometry, notes)
        circles = (*circles, *more)
    names = [name for name in names if name]
    if not (names or circles or polygons):
        return ()
    first = Area(description=names[0] if names else "", circles=circles, polygons=polygons)
    return (first, *(Area(description=name) for name in names[1:]))


def _point(values: dict[str, Any]) -> tuple[Circle, ...]:
    lat, lon = _number(values.get("lat")), _number(values.get("lon"))
    radius = _number(values.get("radius_km") or 0)
    if lat is None or lon is None or radius is None or not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return ()
    return (Circle(lat, lon, max(radius, 0.0)),)


def _shape(geometry: dict[str, Any], notes: list[str]) -> tuple[tuple[Circle, ...], tuple[tuple[Point, ...], ...]]:
    """GeoJSON (RFC 7946: longitude first). Outer rings only."""
    coordinates = geometry.get("coordinates")
    try:
        if geometry["type"] == "Point":
            lon, lat = (float(c) for c in coordinates[:2])  # type: ignore[index] # whatever it is not is caught below
            return (Circle(_degrees(lat, 90), _degrees(lon, 180), 0.0),), ()
        rings = [coordinates[0]] if geometry["type"] == "Polygon" else [p[0] for p in coordinates]  # type: ignore[index,union-attr] # likewise
        return (), tuple(tuple((_degrees(float(p[1]), 90), _degrees(float(p[0]), 180)) for p in ring) for ring in rings)
    except (TypeError, ValueError, IndexError, KeyError):
        notes.append("its geometry cannot be read")
        return (), ()


def _well_known(text: str, notes: list[str]) -> dict[str, Any] | None:
    """Well-known text (OGC 06-103r4, longitude first; `SRID=4326;` may stand before it) as GeoJSON."""
    import shapely  # only where somebody writes so: it is large

    try:
        shape = shapely.from_wkt(re.sub(r"^\s*SRID=4326;", "", text))
    except (shapely.errors.ShapelyError, ValueError):
        notes.append("its geometry cannot be read")
        return None
    return None if shape.is_empty else dict(shapely.geometry.mapping(shape))


def _degrees(value: float, most: float) -> float:
    if not -most <= value <= most:
        raise ValueError(value)
    return value
