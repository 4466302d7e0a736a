"""A signal as a CAP 1.2 alert (OASIS CAP 1.2, section 3.2; its elements in the order of its schema). Pure.

What CAP requires and a signal may lack is said as unknown: category Other, event and area "-". Characters that XML
cannot carry are left out. The one way in which Vigie writes CAP: its own alerts, and entries for other systems.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from lxml import etree

from hub.model.area import Area, Point
from hub.model.signal import Category, Info, Reference, Signal

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
UNSAID = "-"
# What XML 1.0 forbids, control characters besides, and the overrides that make a line read backwards.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufffe\uffff]")


def element_of(signal: Signal, zone: tzinfo = UTC) -> etree._Element:
    """The `alert` element, unsigned, with its times as they are in `zone`."""
    spaces: Any = {None: NAMESPACE}
    alert = etree.Element(f"{{{NAMESPACE}}}alert", nsmap=spaces)
    _add(alert, "identifier", _name(signal.identifier))
    _add(alert, "sender", _name(signal.sender))
    _add(alert, "sent", time_of(signal.sent, zone))
    _add(alert, "status", signal.status)
    _add(alert, "msgType", signal.msg_type)
    _add(alert, "source", signal.origin)
    _add(alert, "scope", signal.scope)
    _add(alert, "restriction", signal.restriction or (UNSAID if signal.scope == "Restricted" else ""))
    _add(alert, "addresses", _listed(signal.addresses) or (UNSAID if signal.scope == "Private" else ""))
    for code in signal.codes:
        _add(alert, "code", code)
    _add(alert, "note", signal.note)
    _add(alert, "references", " ".join(_reference(one, signal.sent, zone) for one in signal.references))
    _add(alert, "incidents", _listed(signal.incidents))
    for info in signal.infos:
        _info(etree.SubElement(alert, f"{{{NAMESPACE}}}info"), info, zone)
    return alert


def xml_of(element: etree._Element) -> bytes:
    """The bytes of a document."""
    written: bytes = etree.tostring(element, xml_declaration=True, encoding="UTF-8")
    return written


def time_of(at: datetime, zone: tzinfo = UTC) -> str:
    """As CAP and EDXL write a time (3.3.2), `2026-07-14T04:10:00+02:00`: no fraction, and UTC is `-00:00`."""
    here = at.astimezone(zone).replace(microsecond=0)
    offset = here.utcoffset() or timedelta()
    if offset.total_seconds() % 60:  # local mean time of long ago: no such offset can be written
        here, offset = here.astimezone(UTC), timedelta()
    said = here.isoformat()
    return said if offset else f"{said[:-6]}-00:00"


def clean(text: str) -> str:
    """The text without characters that may not stand in the XML; lines end with a line feed."""
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _add(parent: etree._Element, name: str, text: str) -> None:
    """An element, where there is something to say."""
    if said := clean(text):
        etree.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = said


def _name(text: str) -> str:
    """CAP 3.2.1: no blanks, commas, `<` and `&`."""
    return re.sub(r"[\s,<&]+", "_", clean(text)) or UNSAID


def _listed(items: tuple[str, ...]) -> str:
    """Separated by blanks; items with blanks in double quotes, which they cannot hold themselves."""
    bare = (item.replace('"', "'") for item in items if item)
    return " ".join(f'"{item}"' if re.search(r"\s", item) else item for item in bare)


def _reference(reference: Reference, otherwise: datetime, zone: tzinfo) -> str:
    """A triple; a time that is not known is that of the message itself, for CAP wants one."""
    return f"{_name(reference.sender)},{_name(reference.identifier)},{time_of(reference.sent or otherwise, zone)}"


def _info(parent: etree._Element, info: Info, zone: tzinfo) -> None:
    _add(parent, "language", info.language)
    for category in info.categories or (Category.OTHER,):
        _add(parent, "category", category)
    _add(parent, "event", info.event or info.headline or UNSAID)
    for response in info.response_types:
        _add(parent, "responseType", response)
    for name in ("urgency", "severity", "certainty", "audience"):
        _add(parent, name, getattr(info, name))
    for code in info.event_codes:
        _pair(parent, "eventCode", code.name, code.value)
    for name in ("effective", "onset", "expires"):
        at = getattr(info, name)
        _add(parent, name, time_of(at, zone) if at else "")
    _add(parent, "senderName", info.sender_name)
    for name in ("headline", "description", "instruction", "web", "contact"):
        _add(parent, name, getattr(info, name))
    for parameter in info.parameters:
        _pair(parent, "parameter", parameter.name, parameter.value)
    for resource in info.resources:
        one = etree.SubElement(parent, f"{{{NAMESPACE}}}resource")
        _add(one, "resourceDesc", resource.description or UNSAID)
        _add(one, "mimeType", resource.mime_type or "application/octet-stream")
        _add(one, "size", "" if resource.size is None else str(resource.size))
        _add(one, "uri", resource.uri)
        _add(one, "digest", resource.digest)
    for area in info.areas:
        _area(etree.SubElement(parent, f"{{{NAMESPACE}}}area"), area)


def _pair(parent: etree._Element, name: str, value_name: str, value: str) -> None:
    """CAP's `valueName` and `value`; both are there, empty or not."""
    pair = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    etree.SubElement(pair, f"{{{NAMESPACE}}}valueName").text = clean(value_name)
    etree.SubElement(pair, f"{{{NAMESPACE}}}value").text = clean(value)


def _area(parent: etree._Element, area: Area) -> None:
    _add(parent, "areaDesc", area.description or UNSAID)
    for polygon in area.polygons:
        _add(parent, "polygon", " ".join(_point(point) for point in polygon))
    for circle in area.circles:
        _add(parent, "circle", f"{_point((circle.lat, circle.lon))} {_figure(circle.radius_km)}")
    for code in area.geocodes:
        _pair(parent, "geocode", code.system, code.code)
    _add(parent, "altitude", "" if area.altitude_ft is None else _figure(area.altitude_ft))
    _add(parent, "ceiling", "" if area.ceiling_ft is None else _figure(area.ceiling_ft))


def _point(point: Point) -> str:
    return f"{_figure(point[0])},{_figure(point[1])}"


def _figure(number: float) -> str:
    """Six decimals are a tenth of a metre; no `-0`, and never an exponent, which schema and old readers do not know."""
    return f"{round(number, 6) + 0.0:.6f}".rstrip("0").rstrip(".")
