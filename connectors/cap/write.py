"""A signal → a CAP 1.2 alert (OASIS CAP 1.2, section 3.2; its elements in the order of its schema). Pure.

What CAP requires and a signal may lack is said as unknown: category Other, event and area "-". Words that XML cannot
carry are left out.
"""

import re
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from hub.model.area import Area, Point
from hub.model.signal import Category, Info, Reference, Signal

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
UNSAID = "-"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def alert_of(signal: Signal) -> etree._Element:
    """The `alert` element."""
    spaces: Any = {None: NAMESPACE}
    alert = etree.Element(f"{{{NAMESPACE}}}alert", nsmap=spaces)
    _add(alert, "identifier", _name(signal.identifier))
    _add(alert, "sender", _name(signal.sender))
    _add(alert, "sent", time_of(signal.sent))
    _add(alert, "status", signal.status)
    _add(alert, "msgType", signal.msg_type)
    _add(alert, "source", signal.origin)
    _add(alert, "scope", signal.scope)
    _add(alert, "restriction", signal.restriction or (UNSAID if signal.scope == "Restricted" else ""))
    _add(alert, "addresses", _listed(signal.addresses) or (UNSAID if signal.scope == "Private" else ""))
    for code in signal.codes:
        _add(alert, "code", code)
    _add(alert, "note", signal.note)
    _add(alert, "references", " ".join(_reference(one, signal.sent) for one in signal.references))
    _add(alert, "incidents", _listed(signal.incidents))
    for info in signal.infos:
        _info(etree.SubElement(alert, f"{{{NAMESPACE}}}info"), info)
    return alert


def time_of(at: datetime) -> str:
    """As CAP and EDXL write a time (3.3.2): no fraction, no `Z`."""
    text = at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()
    return f"{text}-00:00"


def clean(text: str) -> str:
    """The text without what XML 1.0 forbids."""
    return _FORBIDDEN.sub("", text)


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


def _reference(reference: Reference, otherwise: datetime) -> str:
    """A triple; a time that is not known is that of the message itself, for CAP wants one."""
    return f"{_name(reference.sender)},{_name(reference.identifier)},{time_of(reference.sent or otherwise)}"


def _info(parent: etree._Element, info: Info) -> None:
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
        _add(parent, name, time_of(at) if at else "")
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
    """Never with an exponent, which schema and old readers do not know."""
    return f"{number:.6f}".rstrip("0").rstrip(".")
