"""The index of the CAP feed: Atom 1.0 (RFC 4287), an entry for each alert with CAP's own elements, as alert hubs expect
them, and a link to the signed document. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from msgspec import Struct

from hub.cap_link import ALERT_PATH, FEED_PATH
from hub.model.cap import NAMESPACE, clean

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
_NSMAP: Any = {None: ATOM, "cap": NAMESPACE}
_REPEATED = ("identifier", "sender", "sent", "status", "msgType", "scope", "note", "references")
_OF_INFO = ("category", "event", "responseType", "urgency", "severity", "certainty", "effective", "onset", "expires")
_EMPTY = datetime(2026, 1, 1, tzinfo=UTC)  # when a feed was last changed that never had an entry


class Listed(Struct, frozen=True):
    """An alert in the feed: what it is called, when it was made, the signed document."""

    identifier: str
    sent: datetime
    document: bytes


def feed_of(alerts: Sequence[Listed], base: str, name: str) -> bytes:
    """`base`: the hub's address as seen from outside; `name`: whose alerts they are, in all languages."""
    root = etree.Element(f"{{{ATOM}}}feed", nsmap=_NSMAP)
    updated = max((alert.sent for alert in alerts), default=_EMPTY)
    _add(root, "id", base + FEED_PATH)
    _add(root, "title", name)
    _add(root, "updated", _when(updated))
    etree.SubElement(root, f"{{{ATOM}}}link", rel="self", type=MEDIA_TYPE, href=base + FEED_PATH)
    author = etree.SubElement(root, f"{{{ATOM}}}author")
    _add(author, "name", name)
    _add(root, "generator", "Vigie")
    for alert in alerts:
        root.append(_entry(alert, base + ALERT_PATH.format(identifier=alert.identifier)))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _entry(alert: Listed, address: str) -> etree._Element:
    entry = etree.Element(f"{{{ATOM}}}entry")
    source = etree.fromstring(alert.document, etree.XMLParser(resolve_entities=False, no_network=True))
    infos = source.findall(f"{{{NAMESPACE}}}info")
    _add(entry, "id", address)
    _add(entry, "title", " / ".join(dict.fromkeys(_text(info, "headline") for info in infos)))
    for name in ("updated", "published"):
        _add(entry, name, _when(alert.sent))
    etree.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", type="application/cap+xml", href=address)
    _add(entry, "summary", "\n\n".join(dict.fromkeys(_text(info, "description") for info in infos)))
    for name in _REPEATED:
        _cap(entry, name, _text(source, name))
    for info in infos[:1]:  # what is not words is the same in each language
        for name in _OF_INFO:
            for child in info.findall(f"{{{NAMESPACE}}}{name}"):
                _cap(entry, name, child.text or "")
        for area in info.findall(f"{{{NAMESPACE}}}area"):
            for child in area:
                _copy(entry, child)
    return entry


def _copy(entry: etree._Element, child: etree._Element) -> None:
    name = etree.QName(child).localname
    if not len(child):
        _cap(entry, name, child.text or "")
        return
    pair = etree.SubElement(entry, f"{{{NAMESPACE}}}{name}")
    for part in child:
        etree.SubElement(pair, f"{{{NAMESPACE}}}{etree.QName(part).localname}").text = part.text


def _text(element: etree._Element, name: str) -> str:
    return element.findtext(f"{{{NAMESPACE}}}{name}") or ""


def _add(element: etree._Element, name: str, text: str) -> None:
    etree.SubElement(element, f"{{{ATOM}}}{name}").text = clean(text)


def _cap(element: etree._Element, name: str, text: str) -> None:
    if text:
        etree.SubElement(element, f"{{{NAMESPACE}}}{name}").text = text


def _when(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
