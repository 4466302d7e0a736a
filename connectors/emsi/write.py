"""An EMSI message (ISO/TR 22351), written in the order of its elements. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lxml import etree
from msgspec import Struct

from connectors.emsi.codes import MODES, URGENCIES
from hub.model.area import Area
from hub.model.cap import clean
from hub.model.signal import MsgType, Status, Urgency

NAMESPACE = "urn:emergency:cisu:2.0:emsi"


class Message(Struct, frozen=True, kw_only=True):
    """What is said. `links`: (message id, role) of others. `event`: its id; `status`: NST, IPR, STOP or COM."""

    identifier: str
    at: datetime
    status: Status
    msg_type: MsgType
    text: str
    organisation: str
    organisation_name: str = ""
    level: str = "OPR"
    classification: str = "RESTRC"
    urgency: Urgency = Urgency.UNKNOWN
    links: Sequence[tuple[str, str]] = ()
    event: str = ""
    event_name: str = ""
    event_code: str = ""
    event_status: str = ""
    declared: datetime | None = None
    scale: int | None = None
    certainty: int | None = None
    areas: Sequence[Area] = ()


def emsi_of(message: Message, namespace: str = NAMESPACE) -> etree._Element:
    """The `emsi` element. `namespace`: that of the other side, for implementations differ in it."""
    spaces: Any = {None: namespace}
    root = etree.Element(f"{{{namespace}}}emsi", nsmap=spaces)
    context = _inside(root, "CONTEXT")
    modes = {status: mode for mode, status in MODES.items()}
    _add(context, "ID", message.identifier)
    _add(context, "MODE", modes.get(message.status, "TEST"))  # EMSI knows no drafts
    _add(context, "MSGTYPE", message.msg_type.upper())
    _add(context, "CREATION", _time(message.at))
    for identifier, role in message.links:
        link = _inside(context, "LINK")
        _add(link, "ID", identifier)
        _add(link, "ROLE", role)
    _add(context, "LEVEL", message.level)
    _add(context, "SECLASS", message.classification)
    _add(context, "FREETEXT", message.text)
    _add(context, "URGENCY", next((code for code, known in URGENCIES.items() if known is message.urgency), ""))
    origin = _inside(context, "ORIGIN")
    _add(origin, "ORG_ID", message.organisation)
    _add(origin, "NAME", message.organisation_name)
    if message.event:
        _event(_inside(root, "EVENT"), message)
    return root


def _event(event: etree._Element, message: Message) -> None:
    _add(event, "ID", message.event)
    _add(event, "NAME", message.event_name)
    if message.event_code:
        _add(_inside(event, "ETYPE"), "CATEGORY", message.event_code)
    _add(event, "SCALE", "" if message.scale is None else str(message.scale))
    _add(event, "CERTAINTY", "" if message.certainty is None else str(message.certainty))
    _add(event, "DECL_DATIME", _time(message.declared) if message.declared else "")
    _add(event, "STATUS", message.event_status)
    for area in message.areas:
        _egeo(_inside(event, "EGEO"), area, message.at)


def _egeo(egeo: etree._Element, area: Area, at: datetime) -> None:
    _add(egeo, "DATIME", _time(at))
    _add(egeo, "TYPE", "GEN")
    shapes: list[tuple[str, Sequence[tuple[float, float]]]] = [("POLYGON", ring) for ring in area.polygons]
    # A circle's radius has no element of its own: the point is what is sure.
    shapes += [("POINT", ((circle.lat, circle.lon),)) for circle in area.circles]
    for kind, points in shapes or [("", ())]:
        position = _inside(egeo, "POSITION")
        _add(position, "NAME", area.description)
        _add(position, "TYPE", kind)
        _add(position, "COORDSYS", "EPSG-4326" if points else "")
        for lat, lon in points:
            coord = _inside(position, "COORD")
            _add(coord, "LAT", f"{lat:.6f}")
            _add(coord, "LONG", f"{lon:.6f}")


def _time(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat()


def _inside(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")


def _add(parent: etree._Element, name: str, text: str) -> None:
    if said := clean(text):
        _inside(parent, name).text = said
