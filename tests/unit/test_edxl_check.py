"""The structural check of EDXL-SitRep: what is well built passes, and each fault is named."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from lxml import etree

from hub.model.edxl import COMMON_TYPES, SITREP, XSI, Report, sitrep_of
from hub.model.edxl_check import ORDER, problems
from hub.model.signal import Certainty, Severity

AT = datetime(2026, 7, 14, 2, 10, tzinfo=UTC)
REPORT = Report(
    identifier="s-1",
    by="vigie",
    at=AT,
    purpose="Gas leak",
    text="It leaks & hisses",
    incident="i-1",
    severity=Severity.SEVERE,
    certainty=Certainty.LIKELY,
    places=("ixelles", "uccle"),
    needs="Close the street",
)


def tag(name: str, space: str = SITREP) -> str:
    return f"{{{space}}}{name}"


def one(root: etree._Element, path: str) -> etree._Element:
    found = root.find(path)
    assert found is not None
    return found


def test_what_we_write_is_well_built_and_in_order() -> None:
    root = sitrep_of(REPORT)
    assert problems(root) == []
    assert [etree.QName(child).localname for child in root] == list(ORDER)
    codes = root.iterfind(f".//{tag('geoCode', COMMON_TYPES)}/{tag('value', COMMON_TYPES)}")
    assert [code.text for code in codes] == ["ixelles", "uccle"]


def _without(name: str) -> Callable[[etree._Element], None]:
    return lambda root: root.remove(one(root, tag(name)))


def _says(name: str, text: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        one(root, tag(name)).text = text

    return change


def _first_last(root: etree._Element) -> None:
    root.append(root[0])


def _twice(root: etree._Element) -> None:
    etree.SubElement(root, tag("severity")).text = "Severe"


def _zulu(root: etree._Element) -> None:
    one(root, f".//{tag('toDateTime', COMMON_TYPES)}").text = "2026-07-14T02:10:00Z"


def _no_prefix(root: etree._Element) -> None:
    one(root, tag("report")).set(f"{{{XSI}}}type", "FieldObservationType")


def _unknown_type(root: etree._Element) -> None:
    one(root, tag("report")).set(f"{{{XSI}}}type", "sr:WeatherType")


def _stranger(root: etree._Element) -> None:
    etree.SubElement(root, tag("mood"))


def _nobody(root: etree._Element) -> None:
    for name in list(one(root, tag("preparedBy")).iter()):
        if not len(name):
            name.text = None if "nameElement" in str(name.tag) else name.text


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (_without("messageID"), "messageID: is missing"),
        (_without("reportConfidence"), "reportConfidence: is missing"),
        (_without("report"), "report: is missing"),
        (_first_last, "messageID: stands after report, and belongs before it"),
        (_twice, "severity: stands there 2 times, once is right"),
        (_says("reportVersion", "Second"), "reportVersion: 'Second' is not one of Initial, Update, Final"),
        (_says("reportConfidence", "Sure"), "reportConfidence: 'Sure' is not one of HighlyConfident"),
        (_says("severity", "orange"), "severity: 'orange' is not one of"),
        (_says("reportNumber", "0"), "reportNumber: '0' is no number from 1"),
        (_says("messageID", " "), "messageID: says nothing"),
        (_zulu, "forTimePeriod: toDateTime is '2026-07-14T02:10:00Z'"),
        (_no_prefix, "does not carry the prefix"),
        (_unknown_type, "'sr:WeatherType' is not one of FieldObservationType"),
        (_stranger, "mood: not known here"),
        (_nobody, "preparedBy: names nobody"),
    ],
)
def test_each_fault_is_named(fault: Callable[[etree._Element], None], said: str) -> None:
    root = sitrep_of(REPORT)
    fault(root)
    assert any(said in problem for problem in problems(root)), problems(root)


def test_an_incident_need_not_be_named() -> None:
    root = sitrep_of(REPORT)
    root.remove(one(root, tag("incidentID")))
    assert problems(root) == []


def test_something_else_is_no_report() -> None:
    assert problems(etree.Element("alert"))
