"""An alert as CAP 1.2 XML: elements in the standard's order (section 3.4), times with an offset and without fractions
(3.3.2), no character that XML forbids. Pure."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from hub.model.area import Area, Point
from hub.model.signal import Info, Reference, Signal

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"

_NSMAP: Any = {None: NAMESPACE}  # the default namespace, which lxml-stubs do not know of

# What XML 1.0 forbids, control characters besides, and the overrides that make a line read backwards.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """The text without characters that may not stand in the XML; lines end with a line feed."""
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def when(at: datetime, zone: ZoneInfo) -> str:
    """`2026-07-14T04:10:00+02:00`; UTC is `-00:00`."""
    here = at.astimezone(zone).replace(microsecond=0)
    offset = here.utcoffset() or timedelta()
    if offset.total_seconds() % 60:  # local mean time of long ago: no such offset can be written
        here, offset = at.astimezone(ZoneInfo("UTC")).replace(microsecond=0), timedelta()
    said = here.isoformat()
    return f"{said[:-6]}-00:00" if not offset else said


def referring(reference: Reference, zone: ZoneInfo) -> str:
    """`sender,identifier,sent` (3.2.1)."""
    assert reference.sent is not None, "we refer to our own alerts only"
    return f"{reference.sender},{reference.identifier},{when(reference.sent, zone)}"


def tree(signal: Signal, zone: ZoneInfo) -> etree._Element:
    """The whole alert, unsigned."""
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap=_NSMAP)
    _add(root, "identifier", signal.identifier)
    _add(root, "sender", signal.sender)
    _add(root, "sent", when(signal.sent, zone))
    _add(root, "status", signal.status)
    _add(root, "msgType", signal.msg_type)
    _add(root, "scope", signal.scope)
    for code in signal.codes:
        _add(root, "code", code)
    _add(root, "note", signal.note)
    _add(root, "references", " ".join(referring(reference, zone) for reference in signal.references))
    for info in signal.infos:
        _info(etree.SubElement(root, f"{{{NAMESPACE}}}info"), info, zone)
    return root


def xml_of(element: etree._Element) -> bytes:
    """The bytes of a document, as they are signed and served."""
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8")


def _info(element: etree._Element, info: Info, zone: ZoneInfo) -> None:
    _add(element, "language", info.language)
    for category in info.categories:
        _add(element, "category", category)
    _add(element, "event", info.event)
    for response in info.response_types:
        _add(element, "responseType", response)
    _add(element, "urgency", info.urgency)
    _add(element, "severity", info.severity)
    _add(element, "certainty", info.certainty)
    for name, at in (("effective", info.effective), ("onset", info.onset), ("expires", info.expires)):
        _add(element, name, "" if at is None else when(at, zone))
    _add(element, "senderName", info.sender_name)
    _add(element, "headline", info.headline)
    _add(element, "description", info.description)
    _add(element, "instruction", info.instruction)
    _add(element, "web", info.web)
    _add(element, "contact", info.contact)
    for parameter in info.parameters:
        _pair(element, "parameter", parameter.name, parameter.value)
    for area in info.areas:
        _area(etree.SubElement(element, f"{{{NAMESPACE}}}area"), area)


def _area(element: etree._Element, area: Area) -> None:
    _add(element, "areaDesc", area.description)
    for ring in area.polygons:
        _add(element, "polygon", polygon(ring))
    for circle in area.circles:
        _add(element, "circle", f"{_degrees(circle.lat)},{_degrees(circle.lon)} {_degrees(circle.radius_km)}")
    for code in area.geocodes:
        _pair(element, "geocode", code.system, code.code)


def polygon(ring: tuple[Point, ...]) -> str:
    """`lat,lon lat,lon …`; the last repeats the first."""
    return " ".join(f"{_degrees(lat)},{_degrees(lon)}" for lat, lon in ring)


def _degrees(figure: float) -> str:
    """Six decimals are a tenth of a metre; no exponent, no `-0`."""
    return f"{round(figure, 6) + 0.0:.6f}".rstrip("0").rstrip(".")


def _pair(element: etree._Element, name: str, value_name: str, value: str) -> None:
    pair = etree.SubElement(element, f"{{{NAMESPACE}}}{name}")
    _add(pair, "valueName", value_name)
    _add(pair, "value", value)


def _add(element: etree._Element, name: str, text: str) -> None:
    """A child, where there is something to say."""
    if text := clean(text):
        etree.SubElement(element, f"{{{NAMESPACE}}}{name}").text = text
