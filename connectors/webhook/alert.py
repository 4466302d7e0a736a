"""`PartnerAlert`: the JSON a partner sends, and the signal it becomes. Pure.

The fields are CAP 1.2's (section 3.2) under the same names where they have one, flattened to what a partner's own
system can fill in an afternoon. The schema is published in /openapi.json.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from connectors.webhook.communes import nis_of
from hub.model.area import Area, Circle, Geocode
from hub.model.signal import (
    Category,
    Certainty,
    Hazard,
    Info,
    MsgType,
    Named,
    Reference,
    Scope,
    Severity,
    Signal,
    Status,
    Urgency,
)

_END = r"(?![\s\S])"  # of the text: Python's `$` also matches before a last line end
Identifier = Annotated[
    str,
    Meta(
        min_length=1, max_length=200, pattern=rf"^[^\s,<&]+{_END}", description="No space, comma, < or & (CAP 3.2.1)."
    ),
]
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with its offset: 2026-07-14T02:10:00+02:00")]
LanguageTag = Annotated[str, Meta(pattern=rf"^[a-z]{{2}}(-[A-Z]{{2}})?{_END}")]
Text = Annotated[
    str | dict[LanguageTag, str],
    Meta(description='One text, or one for each language: {"fr": "...", "nl": "..."}'),
]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Corner = tuple[Latitude, Longitude]
Ring = Annotated[tuple[Corner, ...], Meta(min_length=3, max_length=5000)]
Link = Annotated[str, Meta(pattern=rf"^https?://\S+{_END}", max_length=2000)]


class PartnerPoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place and how far around it. WGS 84, degrees."""

    lat: Latitude
    lon: Longitude
    radius_km: Annotated[float, Meta(ge=0, le=2000)] = 0.0


class PartnerArea(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where: any of these; together they are the union."""

    description: str = ""
    communes: Annotated[
        tuple[str, ...], Meta(description='Names (FR or NL) or NIS codes: ["Ixelles", "21004"]', max_length=600)
    ] = ()
    polygons: Annotated[tuple[Ring, ...], Meta(description="Rings of [latitude, longitude]", max_length=200)] = ()
    points: Annotated[tuple[PartnerPoint, ...], Meta(max_length=1000)] = ()


class PartnerAlert(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One alert, update or cancellation by a partner."""

    id: Identifier
    sent: Moment
    event: Text
    headline: Text = ""
    description: Text = ""
    instruction: Text = ""
    category: Category | tuple[Category, ...] = ()
    hazard: Hazard | None = None
    severity: Severity = Severity.UNKNOWN
    urgency: Urgency = Urgency.UNKNOWN
    certainty: Certainty = Certainty.UNKNOWN
    area: PartnerArea | tuple[PartnerArea, ...] = ()
    onset: Moment | None = None
    expires: Moment | None = None
    contact: str = ""
    links: Annotated[tuple[Link, ...], Meta(max_length=50)] = ()
    status: Status = Status.ACTUAL
    msg_type: MsgType = MsgType.ALERT
    references: Annotated[
        tuple[Identifier, ...],
        Meta(description="Ids of the earlier alerts an Update replaces or a Cancel withdraws", max_length=100),
    ] = ()
    parameters: Annotated[
        dict[str, str], Meta(description="Whatever else your system knows, by name; playbooks can use it")
    ] = {}


class Fault(Exception):
    """An alert that cannot be taken. `place` names the field (`area.polygons[0][2]`) or `line:column`."""

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        super().__init__(place, problem, remedy)
        self.place, self.problem, self.remedy = place, problem, remedy

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.problem, self.remedy) if part)


_decoder = msgspec.json.Decoder(PartnerAlert)


def decode(body: bytes) -> PartnerAlert:
    """Reads and checks an alert's JSON. Raises Fault, naming the field and the remedy."""
    try:
        alert = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed(str(error), body) from None
    except RecursionError:
        raise Fault("", "the JSON is nested too deeply", "an alert needs four levels") from None
    if alert.msg_type is not MsgType.ALERT or alert.expires is not None or alert.area:
        _check(alert)
    return alert


def to_signal(alert: PartnerAlert, sender: str, language: str) -> Signal:
    """The signal: one info block for each language used. `language` is that of texts given without one."""
    areas, notes = _areas(alert.area)
    categories = (alert.category,) if isinstance(alert.category, Category) else alert.category
    onset, expires = alert.onset and alert.onset.astimezone(UTC), alert.expires and alert.expires.astimezone(UTC)
    parameters = tuple([Named(name, value) for name, value in alert.parameters.items()]) if alert.parameters else ()
    infos = tuple(
        [
            Info(
                language=_CAP_TAG.get(tag, tag) if tag else language,
                categories=categories,
                event=_text(alert.event, tag),
                hazard=alert.hazard,
                urgency=alert.urgency,
                severity=alert.severity,
                certainty=alert.certainty,
                onset=onset,
                expires=expires,
                headline=_text(alert.headline, tag),
                description=_text(alert.description, tag),
                instruction=_text(alert.instruction, tag),
                contact=alert.contact,
                parameters=parameters,
                areas=areas,
            )
            for tag in _languages(alert)
        ]
    )
    return Signal(
        identifier=alert.id,
        sender=sender,
        sent=alert.sent.astimezone(UTC),
        status=alert.status,
        msg_type=alert.msg_type,
        scope=Scope.RESTRICTED,
        references=tuple([Reference(sender, earlier) for earlier in alert.references]) if alert.references else (),
        infos=infos,
        links=alert.links,
        notes=notes,
    )


# --- languages ---------------------------------------------------------------------------------------------

_CAP_TAG = {"fr": "fr-BE", "nl": "nl-BE", "de": "de-DE", "en": "en-GB"}  # as KMI-IRM writes them


def _languages(alert: PartnerAlert) -> tuple[str, ...]:
    """The languages its texts are in, `""` (the sender's own) where none is named."""
    tags: dict[str, None] = {}
    for text in (alert.event, alert.headline, alert.description, alert.instruction):
        if isinstance(text, dict):
            tags.update(dict.fromkeys(text))
    return tuple(tags) or ("",)


def _text(text: str | dict[str, str], tag: str) -> str:
    """A text given without language stands in every block; one missing in a language is empty there."""
    return text if isinstance(text, str) else text.get(tag, "")


# --- places ------------------------------------------------------------------------------------------------


def _areas(given: PartnerArea | tuple[PartnerArea, ...]) -> tuple[tuple[Area, ...], tuple[str, ...]]:
    if not given:
        return (), ()
    notes: list[str] = []
    areas = tuple(_area(area, notes) for area in (given if isinstance(given, tuple) else (given,)))
    return areas, tuple(notes)


def _area(area: PartnerArea, notes: list[str]) -> Area:
    codes = []
    for commune in area.communes:
        nis = nis_of(commune)
        if not nis:  # a real alert is not refused for a name we do not know: intake may, and the room reads it
            notes.append(f"commune not known by name: {commune}")
        codes.append(Geocode("NIS", nis) if nis else Geocode("commune", commune))
    return Area(
        description=area.description or ", ".join(area.communes),
        polygons=tuple([ring if ring[0] == ring[-1] else (*ring, ring[0]) for ring in area.polygons]),
        circles=tuple([Circle(point.lat, point.lon, point.radius_km) for point in area.points]),
        geocodes=tuple(codes),
    )


def _swapped(lat: float, lon: float) -> bool:
    """Whether a pair that lies off Somalia is Belgium with its coordinates swapped."""
    return 2.4 <= lat <= 6.5 and 49.4 <= lon <= 51.6


# --- what is wrong, where, and what would be right -----------------------------------------------------------


def _check(alert: PartnerAlert) -> None:
    if alert.msg_type in (MsgType.UPDATE, MsgType.CANCEL) and not alert.references:
        raise Fault(
            "references", f"is empty in {_an(alert.msg_type)}", "name the ids of the earlier alerts it is about"
        )
    if alert.msg_type in (MsgType.ACK, MsgType.ERROR):
        raise Fault("msg_type", f"{alert.msg_type} says nothing to act on", "one of Alert, Update, Cancel")
    if alert.id in alert.references:
        raise Fault("references", "names the alert itself", "give each message an id of its own")
    if alert.onset and alert.expires and alert.expires <= alert.onset:
        raise Fault("expires", "is not after onset", "the end must come after the beginning")
    areas = alert.area if isinstance(alert.area, tuple) else (alert.area,)
    for a, area in enumerate(areas):
        where = f"area[{a}]" if isinstance(alert.area, tuple) else "area"
        for p, ring in enumerate(area.polygons):
            if len(set(ring)) < 3:
                raise Fault(f"{where}.polygons[{p}]", "encloses nothing", "at least three different corners")
            for c, (lat, lon) in enumerate(ring):
                if _swapped(lat, lon):
                    raise Fault(f"{where}.polygons[{p}][{c}]", f"[{lat}, {lon}] lies in the Indian Ocean", _ORDER)
        for p, point in enumerate(area.points):
            if _swapped(point.lat, point.lon):
                raise Fault(f"{where}.points[{p}]", f"lat {point.lat}, lon {point.lon} is in the Indian Ocean", _ORDER)


_ORDER = "latitude comes first: Brussels is [50.85, 4.35]"


def _an(word: MsgType) -> str:
    return f"{'an' if word[0] in 'AEIOU' else 'a'} {word}"


_AT = re.compile(r"^(?P<problem>.*?)(?: - at (?:`key` in )?`\$?\.?(?P<place>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"missing required field `([^`]+)`")
_UNKNOWN = re.compile(r"contains unknown field `([^`]+)`")
_MOMENT = "RFC 3339 with its offset, as in 2026-07-14T02:10:00+02:00"
_REMEDIES = {
    "severity": "one of " + ", ".join(Severity),
    "urgency": "one of " + ", ".join(Urgency),
    "certainty": "one of " + ", ".join(Certainty),
    "status": "one of " + ", ".join(Status),
    "msg_type": "one of Alert, Update, Cancel",
    "category": "one or several of " + ", ".join(Category),
    "hazard": "one of " + ", ".join(Hazard),
    "sent": _MOMENT,
    "onset": _MOMENT,
    "expires": _MOMENT,
    "id": "1 to 200 characters without space, comma, < and &",
    "references": "ids of earlier alerts",
    "links": "addresses that begin with https:// or http://",
    "polygons": f"rings of at least three [latitude, longitude]; {_ORDER}",
    "points": '{"lat": 50.85, "lon": 4.35, "radius_km": 1}: latitude within 90, longitude within 180 degrees',
    "communes": 'names or NIS codes: ["Ixelles", "21004"]',
    "parameters": "names with texts",
    **dict.fromkeys(("event", "headline", "description", "instruction"), 'a text, or {"fr": "...", "nl": "..."}'),
}
_ITS_FIELDS = {"area": PartnerArea, "points": PartnerPoint, "": PartnerAlert}


def _invalid(message: str) -> Fault:
    found = _AT.match(message)
    assert found is not None  # every part of the pattern is optional
    problem, place = found["problem"], found["place"] or ""
    head = re.sub(r"\[[^\]]*\]", "", place)
    last = next((part for part in reversed(head.split(".")) if part in _REMEDIES), head.split(".")[-1])
    if missing := _MISSING.search(problem):
        field = missing[1]
        return Fault(_join(place, field), "is missing", _REMEDIES.get(field, "give it"))
    if unknown := _UNKNOWN.search(problem):
        kind = _ITS_FIELDS.get(head.split(".")[-1], PartnerAlert)
        known = ", ".join(kind.__struct_fields__)
        return Fault(_join(place, unknown[1]), "is no field of an alert", f"one of {known}; the rest in `parameters`")
    return Fault(place, problem[:1].lower() + problem[1:], _REMEDIES.get(last, "see PartnerAlert in /openapi.json"))


def _join(place: str, field: str) -> str:
    return f"{place}.{field}" if place else field


_BYTE = re.compile(r"\(byte (\d+)\)")


def _malformed(message: str, body: bytes) -> Fault:
    if "utf-8" in message.lower() or "unicode" in message.lower():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            return Fault(
                _line_column(body, error.start), "the text is not UTF-8 there", "send JSON as UTF-8 (RFC 8259)"
            )
    at = _BYTE.search(message)
    place = _line_column(body, int(at[1])) if at else _line_column(body, len(body))
    problem = _BYTE.sub("", message).replace("JSON is malformed:", "").strip()
    return Fault(place, f"the JSON is malformed: {problem}", "one JSON object, as PartnerAlert in /openapi.json")


def _line_column(body: bytes, at: int) -> str:
    before = body[:at]
    return f"{before.count(10) + 1}:{at - before.rfind(10)}"
