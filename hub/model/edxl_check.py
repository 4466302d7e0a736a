"""Whether a situation report is built as EDXL-SitRep 1.0 has it. A structural check of our own: the schema of the
standard (CS02 of 6 October 2016) could not be had, so its documented order and enumerations are what is held against.
It finds what is missing, out of order, twice, or of no permitted value; it is not the schema's validation. Pure.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from lxml import etree

from hub.model.edxl import COMMON_TYPES, CONFIDENCE, SITREP, XSI
from hub.model.signal import Severity

ORDER = (
    "messageID",
    "preparedBy",
    "authorizedBy",
    "reportPurpose",
    "reportNumber",
    "reportVersion",
    "forTimePeriod",
    "incidentID",
    "reportConfidence",
    "severity",
    "report",
)
TYPES = (
    "FieldObservation",
    "SituationInformation",
    "ResponseResourcesTotals",
    "CasualtyAndIllnessSummary",
    "ManagementReportingSummary",
)
VERSIONS = ("Initial", "Update", "Final")
_OPTIONAL = frozenset({"incidentID"})
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


def problems(sitrep: etree._Element) -> list[str]:
    """All that is wrong with a `sitRep` element, each as a sentence that names the place; none where it is well
    built."""
    if sitrep.tag != f"{{{SITREP}}}sitRep":
        return [f"{sitrep.tag}: not a sitRep of {SITREP}"]
    return [*_order(sitrep), *_people(sitrep), *_period(sitrep), *_values(sitrep), *_reports(sitrep)]


def _order(sitrep: etree._Element) -> Iterator[str]:
    names = [_name(child) for child in sitrep]
    for name in names:
        if name not in ORDER:
            yield f"{name}: not known here: there are {', '.join(ORDER)}"
    known = [name for name in names if name in ORDER]
    for name in ORDER:
        if name not in known and name not in _OPTIONAL:
            yield f"{name}: is missing"
        if known.count(name) > 1 and name != "report":
            yield f"{name}: stands there {known.count(name)} times, once is right"
    places = [ORDER.index(name) for name in known]
    for before, after in pairwise(places):
        if after < before:
            yield f"{ORDER[after]}: stands after {ORDER[before]}, and belongs before it"


def _people(sitrep: etree._Element) -> Iterator[str]:
    for role in ("preparedBy", "authorizedBy"):
        for pair in sitrep.findall(f"{{{SITREP}}}{role}"):
            details = pair.find(f"{{{COMMON_TYPES}}}personDetails")
            if details is None or not "".join(str(text) for text in details.itertext()).strip():
                yield f"{role}: names nobody"
            yield from _instant(pair, "timeValue", role)


def _period(sitrep: etree._Element) -> Iterator[str]:
    for period in sitrep.findall(f"{{{SITREP}}}forTimePeriod"):
        for name in ("fromDateTime", "toDateTime"):
            yield from _instant(period, name, "forTimePeriod")


def _instant(parent: etree._Element, name: str, where: str) -> Iterator[str]:
    said = (parent.findtext(f"{{{COMMON_TYPES}}}{name}") or "").strip()
    if not _INSTANT.fullmatch(said):
        yield f"{where}: {name} is {said!r}: a time with its offset is right (2026-07-14T04:10:00+02:00), never Z"


def _values(sitrep: etree._Element) -> Iterator[str]:
    for name, permitted in (
        ("reportVersion", VERSIONS),
        ("reportConfidence", tuple(CONFIDENCE)),
        ("severity", tuple(Severity)),
    ):
        said = sitrep.findtext(f"{{{SITREP}}}{name}")
        if said is not None and said.strip() not in permitted:
            yield f"{name}: {said!r} is not one of {', '.join(permitted)}"
    for name in ("messageID", "reportPurpose"):
        said = sitrep.findtext(f"{{{SITREP}}}{name}")
        if said is not None and not said.strip():
            yield f"{name}: says nothing"
    number = sitrep.findtext(f"{{{SITREP}}}reportNumber")
    if number is not None and not re.fullmatch(r"[1-9]\d*", number.strip()):
        yield f"reportNumber: {number!r} is no number from 1"


def _reports(sitrep: etree._Element) -> Iterator[str]:
    for report in sitrep.findall(f"{{{SITREP}}}report"):
        said = report.get(f"{{{XSI}}}type", "")
        prefix, _, kind = said.rpartition(":")
        if report.nsmap.get(prefix) != SITREP or not prefix:
            yield f"report: xsi:type {said!r} does not carry the prefix of {SITREP}"
        if kind.removesuffix("Type") not in TYPES or not kind.endswith("Type"):
            yield f"report: xsi:type {said!r} is not one of {', '.join(f'{one}Type' for one in TYPES)}"
        if not len(report):
            yield "report: says nothing"


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else "comment"
