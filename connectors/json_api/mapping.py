"""From the items of a JSON answer to signals, by what the config says. Pure."""

import hashlib
import json
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.expression import find, instant_of, text_of
from connectors.json_api.config import ENUMS, TEXTS, JsonConfig
from connectors.text import digest, one_line, place_of, plain_text, web_address
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.area import Area, Circle, Point
from hub.model.signal import Info, Named, Severity, Signal

MEDIA_TYPE = "application/json"
ITEMS_MAX = 5_000
IDENTIFIER_MAX = 200  # longer ones (a text that has to serve as one) become a digest
_SHAPES = frozenset({"Point", "Polygon", "MultiPolygon"})


def answer_of(data: bytes) -> Any:
    """The JSON of an answer. Raises ReadError with the place."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError("not UTF-8: JSON is (RFC 8259)", f"byte {error.start}") from error
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        at = re.search(r"byte (\d+)", str(error))
        offset = len(text.encode()[: int(at[1])].decode("utf-8", "ignore")) if at else 0
        raise ReadError("not well-formed JSON: send a complete, valid document", place_of(text, offset)) from error


def items_of(data: bytes, config: JsonConfig, sender: str, now: datetime | None) -> list[SignalItem | BadItem]:
    """Every item of one answer. `now` stands in for a missing time. Raises ReadError where there is no list."""
    answer = answer_of(data)
    found = find(config.items, answer)
    if found is None:
        return []
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise ReadError(f"{config.items} is no list: correct items", config.items)
    return [_item(one, n, config, sender, now) for n, one in enumerate(found[:ITEMS_MAX]) if _wanted(one, config)]


def next_page(data: bytes, config: JsonConfig) -> str:
    """The address of the next page, "" where there is none."""
    found = find(config.next, answer_of(data)) if config.next else None
    return found if isinstance(found, str) else ""


def _wanted(item: Any, config: JsonConfig) -> bool:
    return find(config.only, item) is True if config.only else True


def _item(item: Any, n: int, config: JsonConfig, sender: str, now: datetime | None) -> SignalItem | BadItem:
    place = f"{config.items}[{n}]"
    original = json.dumps(item, ensure_ascii=False, sort_keys=True).encode()
    content = hashlib.sha256(original).hexdigest()
    try:
        signal = _signal(item, config, sender, now)
    except ReadError as error:
        return BadItem(
            reason=error.reason, place=place, original=original, key=f"json:{content}", media_type=MEDIA_TYPE
        )
    key = "json:" + digest(signal.sender, signal.identifier, _said(signal))
    return SignalItem(signal=signal, key=key, original=original, media_type=MEDIA_TYPE)


def _said(signal: Signal) -> str:
    """What counts as new: not when it was looked at."""
    return msgspec.json.encode(signal.infos).decode() + signal.status.value


def _signal(item: Any, config: JsonConfig, sender: str, now: datetime | None) -> Signal:
    notes: list[str] = []
    found = {field: find(expression, item) for field, expression in config.fields.items()}
    values = {**{field: value for field, value in found.items() if value not in (None, "", [])}}
    for field, value in config.always.items():
        values.setdefault(field, value)
    identifier = text_of(values.get("identifier"))
    if not identifier:
        raise ReadError("the item has no identifier: correct identifier under fields")
    sent = _time(values.get("sent"), config, notes, "sent")
    if sent is None:
        notes.append("the item has no time: " + ("when it was first seen is taken" if now else "none is known"))
        sent = now or datetime(1970, 1, 1, tzinfo=UTC)
    return Signal(
        identifier=identifier if len(identifier) <= IDENTIFIER_MAX else digest(identifier),
        sender=text_of(values.get("sender"))[:200] or sender,
        sent=sent,
        infos=_infos(item, values, config, sent, notes),
        notes=tuple(notes),
        **_enum(values, config, "status", notes),
    )


def _infos(item: Any, values: dict[str, Any], config: JsonConfig, sent: datetime, notes: list[str]) -> tuple[Info, ...]:
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


def _info(language: str, values: dict[str, Any], config: JsonConfig, shared: dict[str, Any]) -> Info:
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


def _parameters(item: Any, config: JsonConfig) -> tuple[Named, ...]:
    found = ((name, text_of(find(expression, item))) for name, expression in config.parameters.items())
    return tuple(Named(name, value[:400]) for name, value in found if value)


def _enum(values: dict[str, Any], config: JsonConfig, field: str, notes: list[str]) -> dict[str, Any]:
    """The field as one of its words; none, with a note, where what was found is none of them."""
    if field not in values:
        return {}
    written = text_of(values[field])
    meant = config.words.get(field, {}).get(written, written)
    for member in ENUMS[field]:
        if member.value.casefold() == meant.casefold():
            return {field: member}
    notes.append(f"{field} {written[:60]!r} means nothing here: add it to words")
    return {}


def _level(value: Any, config: JsonConfig) -> Severity:
    """The gravest level that a measured value reaches."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return Severity.UNKNOWN
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return Severity.UNKNOWN
    reached = [Severity(name) for name, least in config.levels.items() if value >= least]
    order = list(Severity)
    return max(reached, key=order.index, default=Severity.MINOR)


def _time(value: Any, config: JsonConfig, notes: list[str], what: str) -> datetime | None:
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
    if isinstance(geometry, dict) and geometry.get("type") in _SHAPES:
        more, polygons = _shape(geometry, notes)
        circles = (*circles, *more)
    names = [name for name in names if name]
    if not (names or circles or polygons):
        return ()
    first = Area(description=names[0] if names else "", circles=circles, polygons=polygons)
    return (first, *(Area(description=name) for name in names[1:]))


def _point(values: dict[str, Any]) -> tuple[Circle, ...]:
    numbers = []
    for field in ("lat", "lon", "radius_km"):
        try:
            numbers.append(float(values.get(field) or 0))
        except (TypeError, ValueError):
            return ()
    lat, lon, radius = numbers
    given = "lat" in values and "lon" in values and -90 <= lat <= 90 and -180 <= lon <= 180
    return (Circle(lat, lon, max(radius, 0.0)),) if given and math.isfinite(radius) else ()


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


def _degrees(value: float, most: float) -> float:
    if not -most <= value <= most:
        raise ValueError(value)
    return value


def read_items(data: bytes, config: JsonConfig, sender: str) -> Sequence[SignalItem | BadItem]:
    """What an answer's bytes hold, with nothing fetched. Never raises."""
    try:
        return items_of(data, config, sender, None)
    except ReadError as error:
        return [bad_answer(error, data)]
    except Exception as error:  # foreign input: whatever it does to a library is a dead letter, never a crash
        return [bad_answer(ReadError(f"cannot be read ({type(error).__name__})"), data)]


def bad_answer(error: ReadError, data: bytes) -> BadItem:
    return BadItem(
        reason=error.reason,
        place=error.place,
        original=data,
        key=f"json:{hashlib.sha256(data).hexdigest()}",
        media_type=MEDIA_TYPE,
    )
