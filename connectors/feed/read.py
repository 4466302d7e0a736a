"""Entries → signals: a plain entry as it reads, the entries of one CAP alert together, inline alerts as they are. Pure.

An index such as MeteoAlarm's has one entry per info block, area and geocode (381 for 21 alerts in one recorded feed):
entries that name the same alert are one Group, fetched once, or read together from their own fields.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from connectors.cap.alert import signal_of
from connectors.cap.area import area_of, pairs
from connectors.cap.node import Node
from connectors.cap.read import bad_item, with_original
from connectors.feed.parse import Entry, Feed, parse_feed
from connectors.hazards import hazard_in, hazard_of, severity_of
from connectors.text import digest, one_line
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.area import Area
from hub.model.signal import Category, Hazard, Info, MsgType, Named, Reference, Severity, Signal

FEED_TYPE = "application/xml"
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_HEADLINE_MAX = 160
_LONG_LISTS = frozenset({"FIPS6", "UGC", "SAME"})  # written as one geocode with blanks in US indexes


class Reading(Struct, frozen=True, kw_only=True):
    """What the operator knows of a feed that it does not say itself. `sender`: its name as a sender."""

    sender: str
    category: Category = Category.OTHER
    hazard: Hazard | None = None
    language: str = ""


class Group(Struct, frozen=True, kw_only=True):
    """The entries that are one thing. `name` recognises it from poll to poll, `content` changes when it says something
    new. `identifier` is the alert's where an index names it, otherwise the entry's."""

    name: str
    identifier: str
    content: str
    entries: tuple[Entry, ...]
    cap_link: str = ""


def groups_of(feed: Feed, *, follow: bool = True) -> list[Group]:
    """The feed's entries as Groups, in the order of their first entry. With `follow` false no CAP link counts."""
    together: dict[str, list[Entry]] = {}
    for entry in feed.entries:
        link = entry.cap_link if follow else ""
        alert = entry.flat.first("identifier") or link
        together.setdefault(f"cap {alert}" if alert else f"entry {entry.identifier}", []).append(entry)
    out: list[Group] = []
    for name, entries in together.items():
        distinct = list({entry.content: entry for entry in entries}.values())
        if name.startswith("cap "):
            link = next((entry.cap_link for entry in distinct if entry.cap_link), "") if follow else ""
            content = digest(*sorted(entry.content for entry in distinct))
            identifier = distinct[0].flat.first("identifier") or distinct[0].identifier
            out.append(
                Group(
                    name=_short(name),
                    identifier=identifier,
                    content=content[:16],
                    entries=tuple(distinct),
                    cap_link=link,
                )
            )
            continue
        for entry in distinct:
            # Several texts under one identifier in one feed are different things, or they would replace each other.
            own = name if len(distinct) == 1 else f"{name} {entry.content}"
            out.append(
                Group(name=_short(own), identifier=entry.identifier, content=entry.content[:16], entries=(entry,))
            )
    return out


def _short(name: str) -> str:
    return digest(name)[:16]


def items_of(
    group: Group, feed: Feed, reading: Reading, now: datetime | None, note: str = ""
) -> list[SignalItem | BadItem]:
    """The items of a group from what the feed itself says (no CAP file). `now` stands in for a missing time; `note`
    is added (why the CAP file was not read)."""
    first = group.entries[0]
    if first.inline:
        return [item for entry in group.entries for item in entry.inline]
    notes = tuple(dict.fromkeys(n for entry in group.entries for n in entry.notes)) + ((note,) if note else ())
    if first.flat.children.keys() & {"event", "severity", "status", "msgType"}:
        try:
            return [_from_flat(group, feed, reading, now, notes)]
        except ReadError:
            notes = (*notes, "its CAP fields cannot be read: taken as a plain entry")
    if not (first.title or first.description or first.links):
        reason = f"entry {first.identifier[:60]} has no title, no text and no link: nothing to tell anyone"
        return [bad_item(ReadError(reason), first.content, FEED_TYPE)]
    return [_plain(first, feed, reading, now, notes)]


def _sent(entry: Entry, feed: Feed, now: datetime | None, notes: list[str]) -> datetime:
    if entry.sent:
        return entry.sent
    notes.append("the entry has no time: " + ("when it was first seen is taken" if now else "none is known"))
    return now or feed.updated or _NO_TIME


def _plain(entry: Entry, feed: Feed, reading: Reading, now: datetime | None, notes: tuple[str, ...]) -> SignalItem:
    remarks = list(notes)
    language = reading.language or entry.language or feed.language or "en-US"
    headline = entry.title or one_line(entry.description)[:_HEADLINE_MAX] or entry.links[0]
    parameters = tuple(Named(name, value) for name, value in pairs(entry.flat, "parameter"))
    said = reading.language or entry.language or feed.language  # where nothing says it, words of any language count
    hazard = hazard_of("", (), parameters, entry.title, said) or hazard_in(entry.description, said)
    area = area_of(entry.area, remarks)
    info = Info(
        language=language,
        categories=(reading.category,),
        hazard=hazard or reading.hazard,
        severity=severity_of(parameters) or Severity.UNKNOWN,
        parameters=parameters,
        headline=headline,
        description=entry.description,
        sender_name=feed.title,
        web=entry.links[0] if entry.links else "",
        areas=() if area == Area() else (area,),
    )
    signal = Signal(
        identifier=entry.identifier,
        sender=reading.sender,
        sent=_sent(entry, feed, now, remarks),
        infos=(info,),
        links=entry.links,
        notes=tuple(remarks),
    )
    return SignalItem(signal=signal, key=_key(signal, entry.content), media_type=FEED_TYPE)


def _from_flat(group: Group, feed: Feed, reading: Reading, now: datetime | None, notes: tuple[str, ...]) -> SignalItem:
    """One signal from the flat CAP fields of all the group's entries: what agrees in all but the area is one block."""
    remarks = list(notes)
    first = group.entries[0]
    blocks: dict[str, tuple[Entry, Node]] = {}
    for entry in group.entries:
        apart = Node("", {name: kids for name, kids in entry.flat.children.items() if name not in _AREA_NAMES})
        _, block = blocks.setdefault(apart.fingerprint(), (entry, Node("", dict(apart.children))))
        block.children.setdefault("area", []).extend(_areas(entry))
    alert = Node("", dict(first.flat.children), first.identifier)
    alert.children["identifier"] = [Node(group.identifier)]
    alert.children["sender"] = alert.children.get("sender") or [Node(reading.sender)]
    alert.children["sent"] = alert.children.get("sent") or [Node(_sent(first, feed, now, remarks).isoformat())]
    alert.children["info"] = [
        _block(entry, block, feed, reading, len(group.entries) > 1) for entry, block in blocks.values()
    ]
    signal, _ = signal_of(alert, tuple(remarks))
    links = tuple(dict.fromkeys(link for entry in group.entries[:10] for link in entry.links))
    return SignalItem(
        signal=replace(signal, links=links or signal.links), key=_key(signal, group.content), media_type=FEED_TYPE
    )


_AREA_NAMES = frozenset({"area", "areaDesc", "polygon", "circle", "geocode"})


def _areas(entry: Entry) -> list[Node]:
    """The areas of a flat entry: nested ones as they are, and the one its own elements describe."""
    own = {name: kids for name, kids in entry.flat.children.items() if name in _AREA_NAMES - {"area"}}
    for name, kids in entry.area.children.items():
        own.setdefault(name, kids)
    if "geocode" in own:
        own["geocode"] = [split for code in own["geocode"] for split in _codes(code)]
    return entry.flat.all("area") + ([Node("", own)] if own else [])


def _codes(code: Node) -> list[Node]:
    """One Node for each valueName/value pair: an index may list several pairs in one geocode, or several codes in
    one value."""
    names, values = code.texts("valueName"), code.texts("value")
    out: list[Node] = []
    for name, value in zip(names, values, strict=False):
        for part in value.split() if name in _LONG_LISTS else [value]:
            out.append(Node("", {"valueName": [Node(name)], "value": [Node(part)]}))
    return out


def _block(entry: Entry, block: Node, feed: Feed, reading: Reading, several: bool) -> Node:
    """An info block: the flat fields, with what the entry itself says where they do not."""
    kids = block.children
    language = reading.language or entry.language or feed.language
    if language and "language" not in kids:
        kids["language"] = [Node(language)]
    if "category" not in kids:
        kids["category"] = [Node(reading.category.value)]
    if "headline" not in kids:
        # A title names the one area of its entry; for several the event says what they have in common.
        event = block.first("event")
        kids["headline"] = [Node(event if several and event else entry.title)]
    if "description" not in kids and entry.description:
        kids["description"] = [Node(entry.description)]
    if "senderName" not in kids and feed.title:
        kids["senderName"] = [Node(feed.title)]
    if "web" not in kids and entry.links:
        kids["web"] = [Node(entry.links[0])]
    return block


def _key(signal: Signal, content: str) -> str:
    return "feed:" + digest(signal.sender, signal.identifier, content)


def as_update(item: SignalItem, sender: str, identifier: str, sent: datetime | None, why: str) -> SignalItem:
    """The item as an Update of an earlier signal (`why` is noted): a first message becomes an Update, one that
    already replaces or withdraws others names this one too."""
    signal = item.signal
    msg_type = MsgType.UPDATE if signal.msg_type is MsgType.ALERT else signal.msg_type
    references = (*signal.references, Reference(sender, identifier, sent))
    return replace(item, signal=replace(signal, msg_type=msg_type, references=references, notes=(*signal.notes, why)))


def host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def read_feed(data: bytes, name: str = "") -> Sequence[SignalItem | BadItem]:
    """What a feed's bytes hold, with nothing fetched. Never raises."""
    try:
        feed = parse_feed(data)
        sender = host_of(feed.link) or feed.title[:200] or name or "feed"
        reading = Reading(sender=sender)
        out: list[SignalItem | BadItem] = []
        for group in groups_of(feed):
            note = (
                f"the CAP file {group.cap_link} was not read: only what the feed says of it" if group.cap_link else ""
            )
            out += items_of(group, feed, reading, None, note)
        return with_original(out, data)
    except ReadError as error:
        return with_original([bad_item(error, data, FEED_TYPE)], data)
    except Exception as error:  # foreign input: whatever a library makes of it is a dead letter, never a crash
        fault = ReadError(f"cannot be read ({type(error).__name__}): expected RSS or Atom")
        return with_original([bad_item(fault, data, FEED_TYPE)], data)
