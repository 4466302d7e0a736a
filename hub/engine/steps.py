"""The steps of a sheet: what begins them, what they come to, what that begins."""

from hub.engine import access, chain, proposals, reports
from hub.engine.notify import Telling, tell
from hub.engine.reach import tell_reached
from hub.engine.state import Incident
from hub.engine.work import Work
from hub.model import events as e
from hub.model.enclosure import ContactSheet
from hub.model.people import Asked, Classification, Contact
from hub.playbook.language import (
    Admit,
    Call,
    Condition,
    DraftBroadcast,
    Notify,
    Outcome,
    SendContacts,
    Step,
    Tasks,
    Wait,
    WriteReport,
)

LATE = "task-late"


def begin_sheet(w: Work, incident: Incident) -> None:
    """Begins the steps that wait for nothing."""
    playbook = w.rules.playbook(incident.playbook, incident.version)
    for step in playbook.steps if playbook is not None else ():
        if step.after is None and not step.at_end:
            begin(w, incident, step)


def run(w: Work, incident: Incident) -> bool:
    """Whether an incident's steps begin here. Those in shadow do in shadow; in a journal of a time when they began none
    they lie among those in earnest."""
    return incident.shadow is not (w is w.real)


def begin(w: Work, incident: Incident, step: Step) -> None:
    """Begins a step (again, where it repeats)."""
    if not run(w, incident):
        return
    w.emit(e.StepBegan(incident=incident.id, step=step.name, nth=incident.steps.get(step.name, 0) + 1))
    if step.every_s is not None and not step.at_end:
        w.deadline(f"repeat {incident.id} {step.name}", step.every_s)
    action = step.action
    if isinstance(action, Call):
        chain.start(w, incident, step.name, action.chain, action.say, action.verify)
    elif isinstance(action, Notify):
        _notify(w, incident, step, action)
    elif isinstance(action, SendContacts):
        _send_contacts(w, incident, step, action)
    elif isinstance(action, DraftBroadcast):
        proposals.propose(w, incident, step.name, action)
    elif isinstance(action, Admit):
        access.want(w, incident, step.name)
    elif isinstance(action, WriteReport):
        reports.want(w, incident, step.name, action)
    elif isinstance(action, Wait):
        w.deadline(f"step {incident.id} {step.name}", action.seconds)
    elif isinstance(action, Tasks):
        _tasks(w, incident, step, action)
    w.moved[incident.id] = None  # others may wait for its beginning


def follow(w: Work, incident: Incident) -> None:
    """Begins what waited for what has now happened, while the incident is open."""
    playbook = w.rules.playbook(incident.playbook, incident.version)
    for step in playbook.steps if playbook is not None else ():
        if incident.ended or step.after is None or step.at_end or incident.begun(step.name):
            continue
        if holds(incident, step.after):
            begin(w, incident, step)


def holds(incident: Incident, condition: Condition) -> bool:
    """Whether what a condition waits for has happened since the incident was (last) opened."""

    def happened(step: str, outcome: Outcome) -> bool:
        if outcome == Outcome.BEGUN:
            return incident.begun(step)
        return outcome in incident.outcomes.get(step, ())

    if condition.all:
        return all(happened(a.step, a.outcome) for a in condition.all)
    return any(happened(a.step, a.outcome) for a in condition.any)


def repeat(w: Work, incident: Incident, step_name: str) -> None:
    """The time between two repetitions is over. Repetitions missed while the hub was down have become this one."""
    playbook = w.rules.playbook(incident.playbook, incident.version)
    if playbook is None or incident.ended:
        return
    step = playbook.step(step_name)
    if step.until is None or not holds(incident, step.until):
        begin(w, incident, step)


def _notify(w: Work, incident: Incident, step: Step, action: Notify) -> None:
    if action.everyone_reached:
        if not tell_reached(w, incident, action.say, action.by, step.name, clears=step.at_end):
            w.came_to(incident.id, step.name, Outcome.FAILED)
        return
    about, to = f"{incident.id} {step.name}", action.to
    if action.the_sender and incident.organisation:
        to = (Contact(Asked.ORGANISATION, incident.organisation), *to)
    elif action.the_sender:
        w.alarm("sender-unknown", about, "whose word it is, the directory does not say: tell them by hand")
        if not to:
            w.came_to(incident.id, step.name, Outcome.FAILED)
            return
    telling = Telling(
        message=action.say,
        to=to,
        by=action.by,
        about=about,
        incident=incident,
        step=step.name,
        status=incident.status,
    )
    if not tell(w, telling):
        w.came_to(incident.id, step.name, Outcome.FAILED)


def _send_contacts(w: Work, incident: Incident, step: Step, action: SendContacts) -> None:
    sheet = ContactSheet(contacts=action.contacts, sees=Classification.PUBLIC)
    telling = Telling(
        message=action.say,
        to=action.to,
        by=action.by,
        about=f"{incident.id} {step.name}",
        incident=incident,
        step=step.name,
        status=incident.status,
        encloses=sheet,
    )
    if not tell(w, telling):
        w.came_to(incident.id, step.name, Outcome.FAILED)


def _tasks(w: Work, incident: Incident, step: Step, action: Tasks) -> None:
    for index, task in enumerate(action.tasks):
        task_id = w.id()
        due = None
        if task.due_s is not None:
            w.deadline(f"task {task_id}", task.due_s)
            due = w.state.deadlines[f"task {task_id}"]
        w.emit(e.TaskOpened(task=task_id, incident=incident.id, step=step.name, index=index, who=task.who, due=due))


def task_done(w: Work, task_id: str, by: str) -> None:
    task = w.state.tasks.get(task_id)
    if task is None:
        return
    over(w, task_id)
    w.emit(e.TaskClosed(task=task_id, outcome="done", by=by))
    incident = w.state.incidents[task.incident]
    if not any(t.incident == task.incident and t.step == task.step for t in w.state.tasks.values()):
        w.came_to(incident.id, task.step, Outcome.DONE)


def over(w: Work, task_id: str) -> None:
    """A task is not waited for any more, and nobody is late with it."""
    w.drop(f"task {task_id}")
    w.clear(LATE, task_id)


def task_late(w: Work, task_id: str) -> None:
    task = w.state.tasks.get(task_id)
    if task is None:
        return
    w.emit(e.TaskLate(task=task_id))
    w.alarm(LATE, task_id, f"{task.step} of {task.incident}")
    w.came_to(task.incident, task.step, Outcome.LATE)
