"""EDXL envelopes (DE 1.0 and 2.0) and situation reports (SitRep 1.0), written. Pure. The one way in which Vigie writes
them: its own SITREPs, and entries for other systems. What is written is checked by hub/model/edxl_check.py.

DE 1.0 is written by its schema. The schema of DE 2.0 could not be had: what is written is its lower camel case, as the
recorded messages of a national hub have it; try it with the other side before relying on it.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from lxml import etree
from msgspec import Struct

from hub.model.cap import UNSAID, clean, time_of
from hub.model.signal import Certainty, Severity, Status

SITREP = "urn:oasis:names:tc:emergency:EDXL:SitRep:1.0"
COMMON_TYPES = "urn:oasis:names:tc:emergency:edxl:ct:1.0"
NAMES = "urn:oasis:names:tc:emergency:edxl:ciq:1.0:xnl"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PLACE_LIST = "urn:vigie:place"  # of what list a place's code is
CONFIDENCE = {
    "HighlyConfident": Certainty.OBSERVED,
    "SomewhatConfident": Certainty.LIKELY,
    "Unsure": Certainty.POSSIBLE,
    "NoConfidence": Certainty.UNLIKELY,
}


class Version(StrEnum):
    DE_1 = "1.0"
    DE_2 = "2.0"


class Envelope(Struct, frozen=True, kw_only=True):
    """Around what is sent. `kind`: DE's distributionType (Report, Update, Cancel). `incident`: its id. `description`:
    one line about what is inside."""

    identifier: str
    sender: str
    sent: datetime
    status: Status
    kind: str = "Report"
    confidentiality: str = "UNCLASSIFIED AND NOT SENSITIVE"
    language: str = ""
    incident: str = ""
    description: str = ""


def envelope_of(envelope: Envelope, contents: Sequence[etree._Element], version: Version) -> etree._Element:
    """The EDXLDistribution element, with one content object for each of the contents."""
    first = version is Version.DE_1
    space = f"urn:oasis:names:tc:emergency:EDXL:DE:{version}"
    spaces: Any = {None: space}
    root = etree.Element(f"{{{space}}}{'EDXLDistribution' if first else 'edxlDistribution'}", nsmap=spaces)

    def add(parent: etree._Element, name: str, text: str) -> None:
        if said := clean(text):
            etree.SubElement(parent, f"{{{space}}}{name}").text = said

    add(root, "distributionID", envelope.identifier)
    add(root, "senderID", envelope.sender)
    add(root, "dateTimeSent", time_of(envelope.sent))
    # DE knows no drafts.
    add(root, "distributionStatus", Status.TEST if envelope.status is Status.DRAFT else envelope.status)
    add(root, "distributionType" if first else "distributionKind", envelope.kind)
    add(root, "combinedConfidentiality", envelope.confidentiality)
    described = root if first or not envelope.language else etree.SubElement(root, f"{{{space}}}descriptor")
    add(described, "language", envelope.language)
    parent = root if first else etree.SubElement(root, f"{{{space}}}content")
    for content in contents:
        one = etree.SubElement(parent, f"{{{space}}}contentObject")
        add(one, "contentDescription", envelope.description)
        if first:
            add(one, "incidentID", envelope.incident)
        xml = etree.SubElement(one, f"{{{space}}}{'xmlContent' if first else 'contentXML'}")
        etree.SubElement(xml, f"{{{space}}}embeddedXMLContent").append(content)
    return root


class Report(Struct, frozen=True, kw_only=True):
    """A situation report. `number` counts from 1; `final`: no other will follow. `authorized`: who stands behind it,
    and since when, where that is not who prepared it. `needs`: what is wanted at once. `places`: ids of the centre's
    own areas, `""`s standing for none."""

    identifier: str
    by: str
    at: datetime
    purpose: str
    text: str
    incident: str = ""
    number: int = 1
    final: bool = False
    begins: datetime | None = None
    severity: Severity = Severity.UNKNOWN
    certainty: Certainty = Certainty.UNKNOWN
    authorized: str = ""
    authorized_at: datetime | None = None
    needs: str = ""
    places: tuple[str, ...] = ()


def sitrep_of(report: Report) -> etree._Element:
    """The `sitRep` element, with a report of the type FieldObservation: what happened, in words."""
    spaces = {"sr": SITREP, "ct": COMMON_TYPES, "n": NAMES, "xsi": XSI}
    root = etree.Element(f"{{{SITREP}}}sitRep", nsmap=spaces)

    def add(parent: etree._Element, name: str, text: str, space: str = SITREP) -> None:
        etree.SubElement(parent, f"{{{space}}}{name}").text = clean(text) or UNSAID

    add(root, "messageID", report.identifier)
    for role, who, at in (
        ("preparedBy", report.by, report.at),
        ("authorizedBy", report.authorized or report.by, report.authorized_at or report.at),
    ):
        pair = etree.SubElement(root, f"{{{SITREP}}}{role}")
        details = etree.SubElement(pair, f"{{{COMMON_TYPES}}}personDetails")
        add(etree.SubElement(details, f"{{{NAMES}}}personName"), "nameElement", who, NAMES)
        add(pair, "timeValue", time_of(at), COMMON_TYPES)
    add(root, "reportPurpose", report.purpose)
    add(root, "reportNumber", str(report.number))
    add(root, "reportVersion", "Final" if report.final else "Initial" if report.number == 1 else "Update")
    period = etree.SubElement(root, f"{{{SITREP}}}forTimePeriod")
    add(period, "fromDateTime", time_of(report.begins or report.at), COMMON_TYPES)
    add(period, "toDateTime", time_of(report.at), COMMON_TYPES)
    if report.incident:
        add(root, "incidentID", report.incident)
    words = {meaning: word for word, meaning in CONFIDENCE.items()}
    add(root, "reportConfidence", words.get(report.certainty, "Unsure"))
    add(root, "severity", report.severity)
    inside = etree.SubElement(root, f"{{{SITREP}}}report")
    inside.set(f"{{{XSI}}}type", "sr:FieldObservationType")
    _where(etree.SubElement(inside, f"{{{SITREP}}}observationLocation"), report.places)
    add(inside, "immediateNeeds", report.needs)
    add(inside, "observationText", report.text)
    return root


def _where(location: etree._Element, places: Sequence[str]) -> None:
    """The type wants a location, and has no word for one that is not known."""
    political = etree.SubElement(location, f"{{{COMMON_TYPES}}}EDXLGeoPoliticalLocation")
    for place in places or (UNSAID,):
        code = etree.SubElement(political, f"{{{COMMON_TYPES}}}geoCode")
        etree.SubElement(code, f"{{{COMMON_TYPES}}}valueListURI").text = PLACE_LIST
        etree.SubElement(code, f"{{{COMMON_TYPES}}}value").text = clean(place) or UNSAID


def bytes_of(root: etree._Element) -> bytes:
    """The document, in UTF-8."""
    out: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return out
