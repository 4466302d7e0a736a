"""A document that systems of crisis management exchange → signals and dead letters: CAP alerts, situation reports
(EDXL-SitRep 1.0) and EMSI messages (ISO/TR 22351), alone or in any number in an envelope (EDXL-DE 1.0 or 2.0, in either
spelling). Each stands on its own. Pure; never raises.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from lxml import etree

from connectors.cap import read as cap
from connectors.cap import xml as cap_xml
from connectors.cap.xml import local
from connectors.edxl import sitrep
from connectors.emsi import read as emsi
from connectors.text import BYTES_MAX, decode_xml, digest, parse_xml
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.signal import Signal

MEDIA_TYPE = "application/xml"
MESSAGES_MAX = 5_000
NESTED_MAX = 100  # texts inside that are XML again

Reader = Callable[[etree._Element, str, datetime | None], tuple[Signal, str]]


def parse_exchange(
    data: bytes, language: str = "fr-BE", now: datetime | None = None, charset: str = ""
) -> list[SignalItem | BadItem]:
    """What a document holds, kind by kind in its order, the items still without an original. `language`: of texts that
    name none. `now` stands in for a missing time. `charset` is the transport's."""
    try:
        if len(data) > BYTES_MAX:
            raise ReadError(f"{len(data)} bytes: at most {BYTES_MAX} are read, send fewer messages at a time", "1:1")
        text, notes = decode_xml(data, charset)
        return _read(parse_xml(text), notes, language, now)
    except ReadError as error:
        return [cap.bad_item(error, data, MEDIA_TYPE)]
    except Exception as error:  # foreign input: whatever a library makes of it is a dead letter, never a crash
        return [cap.bad_item(ReadError(f"cannot be read ({type(error).__name__}): expected XML"), data, MEDIA_TYPE)]


def _read(
    root: etree._Element, notes: tuple[str, ...], language: str, now: datetime | None
) -> list[SignalItem | BadItem]:
    _unfold(root)
    items: list[SignalItem | BadItem] = [cap.item_of(alert, notes) for alert in cap_xml.alerts_in(root)]
    for found, read, media_type in (
        (sitrep.reports_in(root), sitrep.signal_of, sitrep.MEDIA_TYPE),
        (emsi.messages_in(root), emsi.signal_of, emsi.MEDIA_TYPE),
    ):
        items += [_item(one, read, media_type, language, now) for one in found]
    if not items and not cap_xml.is_empty_wrapper(root):
        what = f"<{local(root)[:40]}> holds no CAP alert, situation report or EMSI message"
        raise ReadError(f"{what}: send one, or an EDXL-DE envelope with some", f"{root.sourceline}:1")
    if len(items) > MESSAGES_MAX:
        raise ReadError(f"holds {len(items)} messages: at most {MESSAGES_MAX} are read, send fewer at a time", "1:1")
    return items


def _item(
    element: etree._Element, read: Reader, media_type: str, language: str, now: datetime | None
) -> SignalItem | BadItem:
    try:
        signal, key = read(element, language, now)
    except ReadError as error:
        return cap.bad_item(error, digest(etree.tostring(element, with_tail=False)), media_type)
    return SignalItem(signal=signal, key=key, media_type=media_type)


def _unfold(root: etree._Element) -> None:
    """Some senders put the XML that an envelope carries into it as text: it is read as what it was meant to be."""
    for nth, element in enumerate(list(_folded(root))):
        if nth >= NESTED_MAX:
            raise ReadError(f"holds more than {NESTED_MAX} texts that are XML again: send fewer at a time", "1:1")
        try:
            inner = parse_xml(decode_xml((element.text or "").strip().encode("utf-8", "replace"))[0])
        except ReadError as error:
            raise ReadError(f"the XML it carries as text: {error.reason}", f"{element.sourceline}:1") from None
        element.text = None
        element.append(inner)


def _folded(root: etree._Element) -> Iterator[etree._Element]:
    for element in root.iter():
        bare = local(element).lower() == "embeddedxmlcontent" and not len(element)
        if bare and (element.text or "").lstrip().startswith("<"):
            yield element


def with_original(items: list[SignalItem | BadItem], data: bytes) -> list[SignalItem | BadItem]:
    """Each with the document it was read from (one object for all of them)."""
    return cap.with_original(items, data)
