"""The fold of reports: part of hub/engine/fold.py."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hub.engine.state import ReportKept, State
from hub.model import events as e


def _wanted(s: State, ev: e.ReportWanted, at: datetime) -> None:
    s.reports_wanted[ev.wanted] = ev


def _written(s: State, ev: e.ReportWritten, at: datetime) -> None:
    s.reports_wanted.pop(ev.wanted, None)
    if not ev.problem:
        s.reports[ev.incident] = ReportKept(
            written=ev.written,
            number=ev.number,
            version=ev.version,
            by=ev.by,
            step=ev.step,
            approval=ev.approval,
            at=at,
        )


def _approved(s: State, ev: e.ReportApproved, at: datetime) -> None:
    known = s.reports.get(ev.incident)
    if known is not None and known.written == ev.written:
        known.approved_by = ev.by


def forget(s: State, incident: str) -> None:
    """Nothing more is known of an incident: what is kept of its reports lies in the journal."""
    s.reports.pop(incident, None)
    for wanted, one in list(s.reports_wanted.items()):
        if one.incident == incident:
            del s.reports_wanted[wanted]


FOLDS: dict[type, Callable[[State, Any, datetime], None]] = {
    e.ReportWanted: _wanted,
    e.ReportWritten: _written,
    e.ReportApproved: _approved,
}
