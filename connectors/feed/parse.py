"""Feed bytes → entries, read as far as they can be (feedparser), with what only the XML tree shows (lxml).

feedparser forgives what feeds do wrong but flattens what it does not know; so the tree, where the feed is well
formed, adds the CAP and GDACS fields an entry carries, its geometry and the alerts that stand inline.
"""

import io
import re
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import feedparser
from lxml import etree
from msgspec import Struct, field

from connectors.cap.alert import signal_of
from connectors.cap.node import Node
from connectors.cap.read import XML_TYPE, bad_item
from connectors.cap.xml import CAP_NAMESPACES, alert_node, alerts_in, local, namespace
from connectors.feed.bounds import bounded
from connectors.text import (
    BYTES_MAX,
    decode_xml,
    digest,
    doctype,
    one_line,
    parse_xml,
    place_of,
    plain_text,
    web_address,
)
from hub.connector import BadItem, ReadError, SignalItem

_GEORSS = "http://www.georss.org/georss"
_GEO = "http://www.w3.org/2003/01/geo/wgs84_pos#"
_GDACS = "http://www.gdacs.org"
_CAP_TYPES = frozenset({"application/cap+xml", "application/common-alerting-protocol+xml"})
_CAP_FILE = re.compile(r"(?:\.cap|[_./-]cap\.xml)(?:\?|$)", re.IGNORECASE)
_TEXT_MAX = 20_000  # characters of a description: more is an article, and lies in the original
_NAME_MAX = 1000
_LABELLED = re.compile(r"^(status|msgType|scope|category|severity|urgency|certainty|event|language)=(.{1,200})$")
_YEAR_FIRST, _YEAR_LAST = 2000, 2090


class Entry(Struct, frozen=True, kw_only=True):
    """One entry, as plain text. `flat`: the alert its CAP-like elements describe (children: identifier, sent, event …),
    empty where it has none. `cap_link`: where the full CAP file is, `""` where it names none. `inline`: the alerts it
    holds itself (their original is the feed). `content` is a digest of all that a reader would call new."""

    identifier: str
    title: str = ""
    description: str = ""
    links: tuple[str, ...] = ()
    language: str = ""
    sent: datetime | None = None
    flat: Node = field(default_factory=Node)
    area: Node = field(default_factory=Node)
    cap_link: str = ""
    inline: tuple[SignalItem | BadItem, ...] = ()
    content: str = ""
    notes: tuple[str, ...] = ()


class Feed(Struct, frozen=True, kw_only=True):
    title: str = ""
    link: str = ""
    language: str = ""
    updated: datetime | None = None
    entries: tuple[Entry, ...] = ()


def parse_feed(data: bytes, url: str = "", charset: str = "") -> Feed:
    """The entries of a feed. `url` resolves relative links; `charset` is the transport's. Raises ReadError for what is
    no feed, holds nothing readable, or declares entities."""
    if len(data) > BYTES_MAX:
        raise ReadError(f"{len(data)} bytes: at most {BYTES_MAX} are read", "1:1")
    text, notes = decode_xml(data, charset)
    within = bounded(_without_doctype(text))
    text, notes = within.text, (*notes, *within.notes)
    try:
        parsed = feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")),  # never a string: feedparser would open it as a file or URL
            # No address is given: feedparser would make relative ids absolute too, and an id must not depend on it.
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,  # only plain text is kept
            resolve_relative_uris=False,
        )
    except Exception as error:  # a parser's own fault on foreign input is a dead letter
        raise ReadError(f"cannot be read as a feed ({type(error).__name__}): expected RSS or Atom", "1:1") from error
    fault = _fault(parsed)
    if not parsed.entries and within.left_out:
        raise ReadError(within.left_out, "1:1")
    if not parsed.entries and (fault or not parsed.version):
        if re.match(r"\s*(?:<!--.*?-->\s*)*<(?:\w+:)?(alert|alerts|EDXLDistribution)\b", text, re.DOTALL):
            raise ReadError("this is CAP: read it as `cap`", "1:1")
        raise ReadError(f"no feed that can be read{fault and f' ({fault})'}: expected RSS or Atom", "1:1")
    if fault:
        notes = (*notes, f"malformed feed, read as far as it can be: {fault}")
    elements = _elements(text, len(parsed.entries), bool(fault))
    entries = [
        _entry(raw, element, _language(_get(parsed.feed, "language")), url, notes)
        for raw, element in zip(parsed.entries, elements, strict=True)
    ]
    return Feed(
        title=one_line(_get(parsed.feed, "title")),
        link=web_address(_get(parsed.feed, "link")),
        language=_language(_get(parsed.feed, "language")),
        updated=_time(parsed.feed, []),
        entries=(*entries, *_loose(text, notes), *_left_out(within.left_out)),
    )


def _left_out(why: str) -> tuple[Entry, ...]:
    """That entries are missing, as a dead letter among those that are there."""
    if not why:
        return ()
    letter = bad_item(ReadError(why), why, XML_TYPE)
    return (Entry(identifier=letter.key, inline=(letter,), content=digest(why)),)


def _without_doctype(text: str) -> str:
    """A plain document type (RSS 0.91 names one) is cut out; one that defines entities is refused: no parser may
    see it (XML bombs, files and addresses read by the reader)."""
    found = doctype(text)
    if found is None:
        return text
    declaration = text[found[0] : found[1]]
    if "<!entity" in declaration.lower():
        raise ReadError(
            "declares XML entities, which can read files and blow up: remove them", place_of(text, found[0])
        )
    return text[: found[0]] + "\n" * declaration.count("\n") + text[found[1] :]


def _fault(parsed: Any) -> str:
    """Where and why the feed is malformed; `""` when it is not (a doubt about its encoding is none)."""
    error = parsed.get("bozo_exception") if parsed.get("bozo") else None
    if error is None or isinstance(error, feedparser.CharacterEncodingOverride | feedparser.NonXMLContentType):
        return ""
    line = getattr(error, "getLineNumber", lambda: None)()
    message = one_line(getattr(error, "getMessage", lambda: str(error))())[:120]
    return f"line {line}: {message}" if line else message or type(error).__name__


def _elements(text: str, count: int, malformed: bool) -> list[etree._Element | None]:
    """The XML elements of the entries, in order; Nones where the tree does not agree with feedparser."""
    nothing: list[etree._Element | None] = [None] * count
    if malformed:
        return nothing
    try:
        root = parse_xml(text)
    except ReadError:
        return nothing
    found: list[etree._Element | None] = [e for e in root.iter("{*}entry", "{*}item") if not _inside_alert(e)]
    return found if len(found) == count else nothing


def _loose(text: str, notes: tuple[str, ...]) -> Iterator[Entry]:
    """Alerts that stand in the feed beside its entries: no feed is to be written so, and no alert to be lost for it."""
    if not any(uri in text for uri in CAP_NAMESPACES):
        return
    try:
        root = parse_xml(text)
    except ReadError:
        return
    for alert in alerts_in(root):
        if any(local(above) in ("entry", "item") for above in alert.iterancestors()):
            continue
        (item,) = _read_alert(alert)
        yield Entry(identifier=item.key, inline=(item,), content=digest(item.key), notes=notes)


def _inside_alert(element: etree._Element) -> bool:
    return any(local(ancestor) == "alert" for ancestor in element.iterancestors())


def _entry(raw: Any, element: etree._Element | None, language: str, base: str, notes: tuple[str, ...]) -> Entry:
    remarks = list(notes)
    title = one_line(_get(raw, "title"))
    description = plain_text(_description(raw))
    if len(description) > _TEXT_MAX:
        description = description[:_TEXT_MAX]
        remarks.append(f"description cut at {_TEXT_MAX} characters")
    links = tuple(dict.fromkeys(filter(None, (web_address(href) for href, _, _ in _links(raw, base)))))
    guid = " ".join(_get(raw, "id").split())
    identifier = guid or (links[0] if links else "") or "hash:" + digest(title, description)
    if len(identifier) > _NAME_MAX:
        identifier = "hash:" + digest(identifier)
    flat = _flat(element, raw) if element is not None else Node()
    area = _area(element) if element is not None else Node()
    if "polygon" not in area.children and "circle" not in area.children:
        area = _where(raw, area)
    alerts = list(alerts_in(element)) if element is not None else []
    for bare in (alert for alert in alerts if _is_bare(alert)):
        _add_bare(flat, bare)
    inline = tuple(item for alert in alerts if not _is_bare(alert) for item in _read_alert(alert))
    cap_link = _cap_link(raw, element, flat, base)
    return Entry(
        identifier=identifier,
        title=title,
        description=description,
        links=links,
        language=_language((raw.get("title_detail") or {}).get("language") or "") or language,
        sent=_time(raw, remarks),
        flat=flat,
        area=area,
        cap_link=cap_link,
        inline=inline,
        content=digest(title, description, flat.fingerprint(), cap_link, *(item.key for item in inline)),
        notes=tuple(remarks),
    )


def _get(raw: Any, name: str) -> str:
    """A text field; `""` where it is missing or no text."""
    value = raw.get(name) if dict.__contains__(raw, name) or name in ("title", "link", "id", "language") else None
    return value if isinstance(value, str) else ""


def _language(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}", text) else ""


def _description(raw: Any) -> str:
    """The summary, or the full content where there is no summary. Markup of an inline alert is no description."""
    summary = _get(raw, "summary")
    if summary:
        return summary
    for content in raw.get("content") or ():
        kind = str(content.get("type", "")) if isinstance(content, dict) else ""
        if kind.startswith(("text/html", "text/plain", "application/xhtml")):
            return str(content.get("value") or "")
    return ""


def _absolute(base: str, href: str) -> str:
    try:
        return urljoin(base, href.strip())
    except ValueError:
        return ""


def _links(raw: Any, base: str) -> Iterator[tuple[str, str, str]]:
    """(absolute address, type, relation) of every link, the main one first. feedparser says text/html where nothing
    is said."""
    main = _get(raw, "link")
    if main:
        yield _absolute(base, main), "", "alternate"
    for link in raw.get("links") or ():
        href = link.get("href")
        if isinstance(href, str):
            yield (
                _absolute(base, href),
                str(link.get("type") or "").lower(),
                str(link.get("rel") or "alternate").lower(),
            )


def _time(raw: Any, remarks: list[str]) -> datetime | None:
    """When the entry was last changed, or published. A time that cannot be read is noted."""
    for name in ("updated", "published", "created"):
        if not dict.__contains__(raw, name) or not dict.get(raw, name):
            continue
        parsed = dict.get(raw, f"{name}_parsed")
        try:
            value = datetime.fromtimestamp(timegm(parsed or ()), UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            remarks.append(f"{name} {str(dict.get(raw, name))[:40]!r} is no time that can be read")
            continue
        if not _YEAR_FIRST <= value.year < _YEAR_LAST:
            remarks.append(f"{name} {value:%Y-%m-%d} is not credible: the sender's clock may be wrong")
        return value
    return None


# --- what only the tree shows ------------------------------------------------------------------------------


def _flat(element: etree._Element, raw: Any) -> Node:
    """The alert that an index entry's flat elements describe, under CAP's names (`message_type` is msgType); also
    Pelmorex' categories (`severity=Minor`) and what GDACS says under its own names, as parameters."""
    node = Node()
    for child in element:
        name, uri = local(child), namespace(child)
        if uri in CAP_NAMESPACES and name and name != "alert":
            node.children.setdefault("msgType" if name == "message_type" else name, []).append(_copy(child))
        elif uri == _GDACS and name in ("eventtype", "alertlevel", "eventid", "episodeid", "iscurrent", "country"):
            pair = Node("", {"valueName": [Node(name)], "value": [Node((child.text or "").strip())]})
            node.children.setdefault("parameter", []).append(pair)
    for tag in raw.get("tags") or ():
        labelled = _LABELLED.match(str(tag.get("term") or ""))
        if labelled:
            node.children.setdefault(labelled.group(1), []).append(Node(labelled.group(2)))
    return node


def _copy(element: etree._Element) -> Node:
    node = Node((element.text or "").strip())
    for child in element:
        if local(child):
            node.children.setdefault(local(child), []).append(_copy(child))
    return node


def _area(element: etree._Element) -> Node:
    """The geometry an entry carries (GeoRSS simple, W3C geo), as CAP writes it."""
    node = Node()
    for child in element:
        name, uri = local(child), namespace(child)
        numbers = (child.text or "").replace(",", " ").split()
        if uri == _GEORSS and name == "polygon" and len(numbers) >= 6 and len(numbers) % 2 == 0:
            pairs = " ".join(f"{lat},{lon}" for lat, lon in zip(numbers[::2], numbers[1::2], strict=True))
            node.children.setdefault("polygon", []).append(Node(pairs))
        elif uri == _GEORSS and name == "point" and len(numbers) == 2:
            node.children.setdefault("circle", []).append(Node(f"{numbers[0]},{numbers[1]} 0"))
    lat, lon = element.findtext(f".//{{{_GEO}}}lat"), element.findtext(f".//{{{_GEO}}}long")
    if lat and lon and not node.children:
        node.children["circle"] = [Node(f"{lat.strip()},{lon.strip()} 0")]
    return node


def _where(raw: Any, area: Node) -> Node:
    """What feedparser made of other geometry (GML), which it gives as lon, lat."""
    where = raw.get("where")
    try:
        if where and where["type"] == "Point":
            lon, lat = where["coordinates"][:2]
            area.children["circle"] = [Node(f"{lat},{lon} 0")]
        elif where and where["type"] == "Polygon":
            area.children["polygon"] = [Node(" ".join(f"{p[1]},{p[0]}" for p in where["coordinates"][0]))]
    except (KeyError, TypeError, ValueError, IndexError):
        return area
    return area


def _read_alert(alert: etree._Element) -> Iterator[SignalItem | BadItem]:
    node, notes = alert_node(alert)
    try:
        signal, key = signal_of(node, notes)
    except ReadError as error:
        yield bad_item(error, node.fingerprint(), XML_TYPE)
    else:
        yield SignalItem(signal=signal, key=key, media_type=XML_TYPE)


_SAID_IN_INFO = frozenset({"event", "urgency", "severity", "certainty", "category", "areaDesc"})


def _is_bare(alert: etree._Element) -> bool:
    """An alert that has no info and says itself what belongs there (an early form of the US weather service's index):
    read as it stands, nothing would be left of it."""
    names = {local(child) for child in alert}
    return "info" not in names and bool(names & _SAID_IN_INFO)


def _add_bare(flat: Node, alert: etree._Element) -> None:
    """Its fields, as if the entry itself had them. A name of signs only ("!") is none: all its alerts would be one."""
    for child in alert:
        name = local(child)
        if not name or (name in ("identifier", "sender") and not re.search(r"\w", child.text or "")):
            continue
        flat.children.setdefault(name, []).append(_copy(child))


def _cap_link(raw: Any, element: etree._Element | None, flat: Node, base: str) -> str:
    """Where the full CAP file is: a link of that type, GDACS' own element, an address that ends like one, or, where
    the entry repeats CAP fields and names nothing better, the link that is not a page (US weather service, Canada,
    Sweden)."""
    links = list(_links(raw, base))
    for href, kind, _ in links:
        if kind in _CAP_TYPES and web_address(href):
            return href.strip()
    named = element.findtext(f"{{{_GDACS}}}cap") if element is not None else None
    if named and web_address(named):
        return named.strip()
    for href, _, _ in links:
        if _CAP_FILE.search(href) and web_address(href):
            return href.strip()
    if flat.children.keys() & {"event", "severity", "msgType", "status"} and element is not None:
        typed = {_absolute(base, e.get("href") or ""): (e.get("type") or "").lower() for e in element.iter("{*}link")}
        for href, _, relation in links:
            if relation == "alternate" and typed.get(href.strip(), "text/html") != "text/html":
                return web_address(href)
    return ""
