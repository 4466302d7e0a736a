"""Bytes → signals and dead letters: every alert a document holds, each on its own. Pure; never raises."""

from collections.abc import Iterable

from lxml import etree
from msgspec.structs import replace

from connectors.cap import json as cap_json
from connectors.cap import xml as cap_xml
from connectors.cap.alert import signal_of
from connectors.cap.node import Node
from connectors.text import BYTES_MAX, decode_xml, digest, parse_xml
from hub.connector import BadItem, ReadError, SignalItem

XML_TYPE = "application/cap+xml"
JSON_TYPE = "application/json"


def read_cap(data: bytes) -> list[SignalItem | BadItem]:
    """What a CAP document (XML or JSON) holds, in its order, each item with the whole document as its original. A
    document that says "no warnings" gives nothing."""
    return with_original(parse_cap(data), data)


def with_original(items: Iterable[SignalItem | BadItem], original: bytes) -> list[SignalItem | BadItem]:
    """The items; those without an original of their own get this one (one object for all of them)."""
    return [item if item.original else replace(item, original=original) for item in items]


def parse_cap(data: bytes, charset: str = "") -> list[SignalItem | BadItem]:
    """`read_cap` without the originals, so that a worker process does not send them back. `charset` is the
    transport's."""
    media_type = XML_TYPE
    try:
        if len(data) > BYTES_MAX:
            raise ReadError(f"{len(data)} bytes: at most {BYTES_MAX} are read, send fewer alerts at a time", "1:1")
        if data.lstrip()[:1] in (b"{", b"["):
            media_type = JSON_TYPE
            return [_item(node, (), media_type) for node in cap_json.alerts_in(_utf8(data))]
        text, notes = decode_xml(data, charset)
        return _read_xml(text, notes)
    except ReadError as error:
        return [bad_item(error, data, media_type)]
    except Exception as error:  # foreign input: whatever a library makes of it is a dead letter, never a crash
        return [bad_item(ReadError(f"cannot be read ({type(error).__name__}): expected a CAP alert"), data, media_type)]


def _read_xml(text: str, notes: tuple[str, ...]) -> list[SignalItem | BadItem]:
    root = parse_xml(text)
    found = list(cap_xml.alerts_in(root))
    if not found and not cap_xml.is_empty_wrapper(root):
        what = cap_xml.local(root)
        hint = " (this is a feed: read it as `feed`)" if what in ("feed", "rss", "RDF") else ""
        raise ReadError(f"<{what[:40]}> holds no CAP alert: expected an <alert>{hint}", f"{root.sourceline}:1")
    return [item_of(alert, notes) for alert in found]


def item_of(alert: etree._Element, notes: tuple[str, ...] = ()) -> SignalItem | BadItem:
    """What an `alert` element says (see `cap_xml.alerts_in`), or why it cannot be read."""
    node, more = cap_xml.alert_node(alert)
    return _item(node, notes + more, XML_TYPE)


def _item(node: Node, notes: tuple[str, ...], media_type: str) -> SignalItem | BadItem:
    try:
        signal, key = signal_of(node, notes)
    except ReadError as error:
        return bad_item(error, node.fingerprint(), media_type)
    return SignalItem(signal=signal, key=key, media_type=media_type)


def bad_item(error: ReadError, content: bytes | str, media_type: str) -> BadItem:
    """A dead letter, still without its original. `content` is what is bad: the whole document, or the fingerprint of
    a part, so that the same broken alert in a document that changes around it is kept once."""
    return BadItem(
        reason=error.reason,
        original=b"",
        key="bad:" + digest(content, error.reason),
        place=error.place,
        media_type=media_type,
    )


def _utf8(data: bytes) -> str:
    """JSON is UTF-8 (RFC 8259); a mark at its start is dropped, what is not UTF-8 is replaced."""
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
