"""Events of reports (hub/engine/reports.py): part of hub/model/events.py."""

from hub.model.event import EventBase
from hub.model.report import ReportKind


class ReportWanted(EventBase, frozen=True, tag="report-wanted"):
    """A step wants a report on its incident written."""

    wanted: str
    report: ReportKind
    incident: str
    step: str


class ReportWritten(EventBase, frozen=True, tag="report-written"):
    """A version of a report is there (`written`: the fact in whose vault entry it lies), and takes the place of the one
    before; or `problem` says why what was `wanted` could not be written. `approval`: it waits for an officer."""

    written: str
    incident: str
    number: int = 0
    version: int = 1
    by: str = ""
    step: str = ""
    approval: bool = False
    wanted: str = ""
    problem: str = ""


class ReportApproved(EventBase, frozen=True, tag="report-approved"):
    written: str
    incident: str
    by: str
