"""Bytes → signals and dead letters: every alert a document holds, each on its own. Pure; never raises."""

from collections.abc import Sequence

from connectors.cap import json as cap_json
from connectors.cap import xml as cap_xml
from connectors.cap.alert import signal_of
from connectors.cap.node import Node
from connectors.text import BYTES_MAX, decode_xml, digest, parse_xml
from hub.connector import BadItem, ReadError, SignalItem

XML_TYPE = "application/cap+xml"
JSON_TYPE = "application/json"


def read_cap(data: bytes, name: str = "", charset: str = "") -> Sequence[SignalItem | BadItem]:
    """What a CAP document (XML or JSON) holds, in its order. `name` (a file or address) only serves the reasons of
    what cannot be read; `charset` is the transport's. A document that says "no warnings" gives nothing."""
    media_type = XML_TYPE
    try:
        if len(data) > BYTES_MAX:
            raise ReadError(f"{len(data)} bytes: at most {BYTES_MAX} are read, send fewer alerts at a time", "1:1")
        if data.lstrip()[:1] in (b"{", b"["):
            media_type = JSON_TYPE
            return [_item(node, (), data, media_type) for node in cap_json.alerts_in(_utf8(data))]
        text, notes = decode_xml(data, charset)
        return _read_xml(text, notes, data)
    except ReadError as error:
        return [bad_item(error, data, media_type)]
    except Exception as error:  # foreign input: whatever a library makes of it is a dead letter, never a crash
        return [bad_item(ReadError(f"cannot be read ({type(error).__name__}): expected a CAP alert"), data, media_type)]


def _read_xml(text: str, notes: tuple[str, ...], data: bytes) -> Sequence[SignalItem | BadItem]:
    root = parse_xml(text)
    found = list(cap_xml.alerts_in(root))
    if not found and not cap_xml.is_empty_wrapper(root):
        what = cap_xml.local(root)
        hint = " (this is a feed: read it as `feed`)" if what in ("feed", "rss", "RDF") else ""
        raise ReadError(f"<{what[:40]}> holds no CAP alert: expected an <alert>{hint}", f"{root.sourceline}:1")
    out: list[SignalItem | BadItem] = []
    for alert in found:
        node, more = cap_xml.alert_node(alert)
        out.append(_item(node, notes + more, data, XML_TYPE))
    return out


def _item(node: Node, notes: tuple[str, ...], data: bytes, media_type: str) -> SignalItem | BadItem:
    try:
        signal, key = signal_of(node, notes)
    except ReadError as error:
        return bad_item(error, data, media_type, node.fingerprint())
    return SignalItem(signal=signal, key=key, original=data, media_type=media_type)


def bad_item(error: ReadError, data: bytes, media_type: str, content: str = "") -> BadItem:
    """A dead letter. `content`: the fingerprint of the part that is bad, so that the same broken alert in a document
    that changes around it is kept once."""
    return BadItem(
        reason=error.reason,
        original=data,
        key="bad:" + digest(content or data, error.reason),
        place=error.place,
        media_type=media_type,
    )


def _utf8(data: bytes) -> str:
    """JSON is UTF-8 (RFC 8259); a mark at its start is dropped, what is not UTF-8 is replaced."""
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
