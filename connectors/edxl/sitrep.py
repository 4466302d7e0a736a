"""A situation report (EDXL-SitRep 1.0) → a signal. Pure.

Required is a messageID. What a report says is its description, leaf by leaf, whatever its type; the types are
FieldObservation, SituationInformation, ResponseResourcesTotals, CasualtyAndIllnessSummary, ManagementReportingSummary.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from lxml import etree

from connectors.cap.alert import status_of
from connectors.cap.area import polygon_of
from connectors.cap.node import Node
from connectors.cap.xml import distribution_status, local, node_of
from connectors.hazards import hazard_in
from connectors.text import digest, instant, one_line, plain_text
from hub.connector import ReadError
from hub.model.area import Area, Circle, Geocode, Point
from hub.model.cap import UNSAID
from hub.model.edxl import CONFIDENCE
from hub.model.signal import Certainty, Info, MsgType, Named, Reference, Scope, Severity, Signal

MEDIA_TYPE = "application/edxl-sitrep+xml"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_WORDS = ("text", "description", "summary", "remarks", "comments", "needs", "purpose")  # names of what is a sentence
_PLACES = frozenset({"pos", "posList", "geoCode", "EDXLGeoLocation", "EDXLGeoPoliticalLocation"})
_NAME_MAX = 1000
_HEADLINE_MAX = 160
_TEXT_MAX = 20_000
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def reports_in(root: etree._Element) -> Iterator[etree._Element]:
    """The situation reports of a tree, in order."""
    for element in root.iter():
        if local(element).lower() == "sitrep":
            yield element


def signal_of(report: etree._Element, language: str, now: datetime | None) -> tuple[Signal, str]:
    """The signal of a report, and the key that makes it idempotent (sender, messageID, content). `language`: of its
    texts, where its envelope does not say. `now` stands in for a missing time. Raises ReadError without a messageID."""
    node = node_of(report, local(report))
    notes: list[str] = []
    identifier = " ".join(node.first("messageID").split())
    if not identifier:
        raise ReadError("messageID is missing: without it nothing can be updated", node.place)
    if len(identifier) > _NAME_MAX:
        raise ReadError(f"messageID has {len(identifier)} characters: at most {_NAME_MAX} are taken", node.place)
    prepared = next(iter(node.all("preparedBy")), Node())
    who = one_line(" ".join(text for name, text in _leaves(prepared) if name != "timeValue"))[:200]
    sender = one_line(_outside(report, "senderid"))[:200] or who or "sitrep"
    sent = _sent(report, prepared, notes, now)
    infos = (_info(report, node, who, _outside(report, "language") or language, notes),)
    signal = Signal(
        identifier=identifier,
        sender=sender,
        sent=sent,
        status=status_of(distribution_status(report) or "Actual", "", notes),
        msg_type=MsgType.ALERT if node.first("reportVersion") in ("", "Initial") else MsgType.UPDATE,
        scope=Scope.RESTRICTED,
        references=tuple(
            Reference(sender, one_line(text)) for text in node.texts("originatingMessageID") if text != identifier
        ),
        incidents=tuple(dict.fromkeys(one_line(text) for text in node.texts("incidentID"))),
        infos=infos,
        notes=tuple(dict.fromkeys(notes))[:40],
    )
    return signal, "sitrep:" + digest(sender, identifier, node.fingerprint())


def _sent(report: etree._Element, prepared: Node, notes: list[str], now: datetime | None) -> datetime:
    for name, text in (
        ("preparedBy", prepared.first("timeValue")),
        ("dateTimeSent", _outside(report, "datetimesent")),
    ):
        if text and (at := instant(text, notes, name)) is not None:
            return at
    notes.append("it has no time: " + ("when it was first seen is taken" if now else "none is known"))
    return now or _NO_TIME


def _info(report: etree._Element, node: Node, who: str, language: str, notes: list[str]) -> Info:
    told = [
        (name, text)
        for one in node.all("report")
        for name, text in _leaves(one)
        if name not in _PLACES and not name.startswith("value")
    ]
    sentences = [plain_text(text) for name, text in told if name.lower().endswith(_WORDS)]
    purpose = one_line(node.first("reportPurpose"))
    title = one_line(node.first("reportTitle")) or one_line(node.first("incidentName"))
    description = "\n\n".join(dict.fromkeys(filter(None, (*sentences, purpose))))[:_TEXT_MAX]
    period = next(iter(node.all("forTimePeriod")), Node())
    confidence = node.first("reportConfidence")
    if confidence and confidence not in CONFIDENCE:
        notes.append(f"reportConfidence {confidence[:40]!r} is not known")
    return Info(
        language=language,
        event=title or purpose,
        hazard=hazard_in(f"{title} {description}", language),
        severity=_severity(node, notes),
        certainty=CONFIDENCE.get(confidence, Certainty.UNKNOWN),
        onset=instant(period.first("fromDateTime"), notes, "fromDateTime"),
        sender_name=who,
        headline=(title or purpose or one_line(description))[:_HEADLINE_MAX],
        description=description,
        parameters=_parameters(report, node, told),
        areas=_areas(report, notes),
    )


def _severity(node: Node, notes: list[str]) -> Severity:
    written = node.first("severity")
    found = next((one for one in Severity if one.casefold() == written.casefold()), None)
    if found is None and written:
        notes.append(f"severity {written[:40]!r} is not one of CAP's values")
    return found or Severity.UNKNOWN


def _parameters(report: etree._Element, node: Node, told: list[tuple[str, str]]) -> tuple[Named, ...]:
    kinds = [child.get(_TYPE, "").rpartition(":")[2] for child in report if local(child) == "report"]
    found = {"report_type": ", ".join(kind.removesuffix("Type") for kind in kinds if kind)}
    found |= {f"report_{name}": node.first(f"report{name.capitalize()}") for name in ("number", "version")}
    for name, text in told:
        if not name.lower().endswith(_WORDS):
            found[name] = f"{found[name]}, {text}" if name in found else text
    return tuple(Named(name, one_line(text)[:400]) for name, text in list(found.items())[:100] if text)


def _leaves(node: Node) -> Iterator[tuple[str, str]]:
    """Names and texts of all elements inside that have one."""
    for name, children in node.children.items():
        if name in _PLACES:
            continue
        for child in children:
            if child.text and child.text != UNSAID:
                yield name, child.text
            yield from _leaves(child)


def _areas(report: etree._Element, notes: list[str]) -> tuple[Area, ...]:
    """Positions (GML: latitude first, as in EPSG:4326) and codes, wherever in the report."""
    circles: list[Circle] = []
    polygons: list[tuple[Point, ...]] = []
    codes: list[Geocode] = []
    for element in report.iter():
        name, text = local(element), (element.text or "").split()
        if name == "pos" and len(text) >= 2:
            pair = polygon_point(" ".join(text[:2]))
            circles += [Circle(*pair, 0.0)] if pair else []
        elif name == "posList":
            polygon = polygon_of(" ".join(",".join(text[n : n + 2]) for n in range(0, len(text) - 1, 2)), notes)
            polygons += [polygon] if polygon else []
        elif name == "geoCode":
            inner = {local(child): (child.text or "").strip() for child in element}
            codes += (
                [Geocode(inner.get("valueListURI", ""), inner["value"])]
                if inner.get("value", UNSAID) not in ("", UNSAID)
                else []
            )
    if not (circles or polygons or codes):
        return ()
    description = ", ".join(one_line(code.code) for code in codes)[:400]
    return (Area(description=description, circles=tuple(circles), polygons=tuple(polygons), geocodes=tuple(codes)),)


def polygon_point(text: str) -> Point | None:
    """`lat lon` in degrees."""
    try:
        lat, lon = (float(part) for part in text.split())
    except ValueError:
        return None
    return (lat, lon) if abs(lat) <= 90 and abs(lon) <= 180 else None


def _outside(report: etree._Element, name: str) -> str:
    """What the envelope says."""
    for ancestor in report.iterancestors():
        for child in (*ancestor, *(one for part in ancestor if local(part) == "descriptor" for one in part)):
            if local(child).lower() == name and (child.text or "").strip():
                return (child.text or "").strip()
    return ""
