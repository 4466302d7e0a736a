"""Situation reports: which are to be written, which wait for an officer, and that they go out.

The engine knows numbers and versions, not what a report says: it is written by hub/reporting from the journal, and lies
in the vault.
"""

from hub.engine.notify import Telling, tell
from hub.engine.state import Incident
from hub.engine.work import Work
from hub.model import events as e
from hub.model import records as r
from hub.model.enclosure import Report
from hub.model.people import Classification, Contact
from hub.model.signal import Status
from hub.playbook.language import Outcome, WriteReport

MESSAGE = "hub.report"
WAITS, NOT_WRITTEN = "report-waits", "report-not-written"  # alarms


def want(w: Work, incident: Incident, step: str, action: WriteReport) -> None:
    """A step wants a report. One that is not written yet is enough, however often the step repeats."""
    if w is not w.real:
        w.came_to(incident.id, step, Outcome.DRAFTED)  # in shadow nothing is written and nothing goes out
        return
    if any(one.incident == incident.id and one.step == step for one in w.state.reports_wanted.values()):
        return
    w.emit(e.ReportWanted(wanted=w.id(), report=action.report, incident=incident.id, step=step))


def written(w: Work, fact: r.Fact, body: r.ReportWritten) -> None:
    if body.wanted and body.wanted not in w.state.reports_wanted:
        return  # it was written already before the hub went down, or its incident is forgotten
    incident = w.state.incidents.get(body.incident)
    w.emit(
        e.ReportWritten(
            written=fact.id,
            incident=body.incident,
            number=body.number,
            version=body.version,
            by=body.by,
            step=body.step,
            approval=body.approval,
            wanted=body.wanted,
            problem=body.problem,
        )
    )
    about = f"{body.incident} {body.step}".strip()
    if body.problem:
        w.alarm(NOT_WRITTEN, about, body.problem)
        if incident is not None and body.step:
            w.came_to(incident.id, body.step, Outcome.FAILED)
        return
    w.clear(NOT_WRITTEN, about)
    w.clear(WAITS, body.incident)
    if incident is not None and body.step and body.version == 1:
        w.came_to(incident.id, body.step, Outcome.DRAFTED)
    if body.approval:
        w.alarm(WAITS, body.incident, f"SITREP {body.number}, version {body.version}: an officer has to approve it")
        if incident is not None and body.version == 1:
            _tell_waiting(w, incident, body.number)
    elif incident is not None and body.step:
        _send_of_step(w, incident, body.incident)


def approved(w: Work, body: r.ReportApproved) -> None:
    """An officer stands behind the newest version; a step's goes out now."""
    known = w.state.reports.get(body.incident)
    if known is None:
        w.clear(WAITS, body.incident)  # its incident is forgotten: nothing goes out by itself
        return
    if known.written != body.written or known.approved_by:
        return  # another version took its place meanwhile
    w.emit(e.ReportApproved(written=body.written, incident=body.incident, by=body.by))
    w.clear(WAITS, body.incident)
    incident = w.state.incidents.get(body.incident)
    if incident is not None and known.step:
        _send_of_step(w, incident, body.incident)


def sent(w: Work, body: r.ReportSent) -> None:
    """An officer sends one."""
    about = f"{body.incident} sitrep-{body.number}"
    incident = w.state.incidents.get(body.incident)
    _send(w, incident, "", about, body.number, body.written, body.to, body.channels, body.status)


def _send_of_step(w: Work, incident: Incident, of: str) -> None:
    known = w.state.reports[of]
    playbook = w.rules.playbook(incident.playbook, incident.version)
    action = next((s.action for s in playbook.steps if s.name == known.step), None) if playbook is not None else None
    if not isinstance(action, WriteReport):
        return
    about = f"{incident.id} {known.step}"
    if not _send(w, incident, known.step, about, known.number, known.written, action.to, action.by, incident.status):
        w.came_to(incident.id, known.step, Outcome.FAILED)


def _send(
    w: Work,
    incident: Incident | None,
    step: str,
    about: str,
    number: int,
    written: str,
    to: tuple[Contact, ...],
    by: tuple[str, ...],
    status: Status,
) -> bool:
    telling = Telling(
        message=MESSAGE,
        to=to,
        by=by,
        about=about,
        incident=incident,
        step=step,
        status=status,
        encloses=Report(report=written, sees=Classification.PUBLIC),
        values=(("number", str(number)),),
    )
    return tell(w, telling)


def _tell_waiting(w: Work, incident: Incident, number: int) -> None:
    """Whoever has taken the incident on hears that a report waits for them."""
    runs = [w.state.runs[run] for run in incident.runs if run in w.state.runs]
    for person in dict.fromkeys(person for run in runs for person in run.accepted):
        channel = w.quiet_channel(person, incident.reached.get(person, ["sms"]), incident.status)
        w.say("hub.report-waits", person, channel, incidents=(incident.id,), values=(("number", str(number)),))
