"""Signals and incidents: what opens, joins, updates, withdraws and ends them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from hub.engine import access, chain, proposals, quiet, steps, storm, trust
from hub.engine.names import signal_name
from hub.engine.reach import all_clear_message, tell_reached
from hub.engine.state import Incident, counts_as_reached, incident_key
from hub.engine.work import Work
from hub.model import events as e
from hub.model.people import Asked, Contact
from hub.model.quiet import seen
from hub.model.records import Fact, SheetStarted, SignalReceived, TaskTicked
from hub.model.signal import MsgType, ResponseType, Signal, Urgency
from hub.playbook.language import Joining, Mode, Notify, Playbook, Step
from hub.playbook.match import Match

KEPT_FOR_TASKS = timedelta(days=30)  # after the last of them was due: who still does them will do so elsewhere


def received(w: Work, fact: Fact, body: SignalReceived, signal: Signal, matches: Sequence[Match]) -> None:
    """A signal came in. `matches`: the sheets it meets."""
    if body.baseline or signal.msg_type in (MsgType.ACK, MsgType.ERROR):
        return
    if body.shadow:
        _received(w.shadow, fact.id, signal, matches, frozenset(), trial=True)
        return
    begun = _received(w.real, fact.id, signal, matches, frozenset())
    _received(w.shadow, fact.id, signal, matches, begun)
    trust.heard(w, fact.id, signal)


def regraded(w: Work, signal: Signal, matches: Sequence[Match]) -> None:
    """An officer has said how far a signal is to be believed: sheets that waited for that begin."""
    if signal.msg_type in (MsgType.CANCEL, MsgType.ACK, MsgType.ERROR):
        return
    name = signal_name(signal.source, signal.sender, signal.identifier)
    begun: set[str] = set()
    for work in (w.real, w.shadow):
        held = {work.state.incidents[incident].playbook for incident in work.state.signals.get(name, {})}
        _begin_new(work, signal.id, name, signal, matches, held, begun)
        begun |= held
    trust.heard(w, signal.id, signal, name)


def _received(
    w: Work,
    signal_id: str,
    signal: Signal,
    matches: Sequence[Match],
    elsewhere: Collection[str],
    trial: bool = False,
) -> set[str]:
    """What a signal means to the incidents in earnest, or to those in shadow. `elsewhere`: sheets that have taken it in
    earnest. `trial`: its source is on trial, and all sheets are in shadow for it. Returns the sheets that have taken it
    here."""
    name = signal_name(signal.source, signal.sender, signal.identifier)
    # Only the sender's own messages: a reference to somebody else's alert withdraws and replaces nothing.
    earlier = [
        signal_name(signal.source, r.sender, r.identifier) for r in signal.references if r.sender == signal.sender
    ]
    earlier = [n for n in (*earlier, name) if n in w.state.signals]
    if signal.msg_type == MsgType.CANCEL or (earlier and is_all_clear(signal)):
        for known in earlier:
            for incident, old in list(w.state.signals.get(known, {}).items()):
                withdraw(w, incident, old, "cancelled")
        return set()
    if not matches and not earlier:
        return set()
    taken = _replace(w, signal_id, name, signal, matches, earlier)
    _begin_new(w, signal_id, name, signal, matches, taken, elsewhere, trial)
    return taken


def _begin_new(
    w: Work,
    signal_id: str,
    name: str,
    signal: Signal,
    matches: Sequence[Match],
    taken: set[str],
    elsewhere: Collection[str],
    trial: bool = False,
) -> None:
    """Joins or opens incidents of the sheets that are met and have not taken the signal yet, and adds these."""
    for met in matches:
        playbook = w.rules.playbook(met.playbook, met.version)
        if playbook is None or met.playbook in taken or met.playbook in elsewhere:
            continue
        if trial:
            playbook = replace(playbook, mode=Mode.SHADOW)
        until = _until(signal, met)
        if until is not None and until <= w.now:
            continue  # not in force any more: recorded, nobody is called for it
        if _join_or_open(w, signal_id, name, signal, met, playbook, until):
            taken.add(met.playbook)


def is_all_clear(signal: Signal) -> bool:
    """An Update that says the danger is over: AllClear in each block, or urgency Past (domain practice of
    Météo-France, met.no and Environment Canada)."""
    return (
        signal.msg_type == MsgType.UPDATE
        and bool(signal.infos)
        and all(ResponseType.ALL_CLEAR in info.response_types or info.urgency == Urgency.PAST for info in signal.infos)
    )


def _until(signal: Signal, met: Match) -> datetime | None:
    """When the signal stops being in force: the latest end of the blocks in the language that matched."""
    language = signal.infos[met.info].language
    ends = [info.expires for info in signal.infos if info.language == language]
    return None if None in ends else max(end for end in ends if end is not None)


def _replace(
    w: Work,
    signal_id: str,
    name: str,
    signal: Signal,
    matches: Sequence[Match],
    earlier: list[str],
) -> set[str]:
    """An update takes the place of what it refers to. Returns the sheets whose incidents it has updated."""
    by_sheet = {met.playbook: met for met in matches}
    updated: set[str] = set()
    for known in earlier:
        for incident_id, old in list(w.state.signals.get(known, {}).items()):
            incident = w.state.incidents[incident_id]
            met = by_sheet.get(incident.playbook)
            if met is None or met.version != incident.version:  # it runs to its end on the version that opened it
                met = w.rules.meets(incident.playbook, incident.version, trust.whole(signal), w.now)
            until = _until(signal, met) if met else None
            if met is None or (until is not None and until <= w.now):
                withdraw(w, incident_id, old, "replaced")
                continue
            w.drop(f"expiry {incident_id} {old}")
            w.emit(e.SignalWithdrawn(incident=incident_id, signal=old, why="replaced"))
            _join(w, incident, signal_id, name, signal, until, update=True)
            updated.add(incident.playbook)
            access.said_anew(w, incident)
            if incident.held_by:
                _begin_unless_quiet(w, incident, signal)
            if signal.msg_type == MsgType.UPDATE:  # an item edited under its own id informs nobody at night
                tell_reached(w, incident, "hub.update", clears=False)
    return updated


def _join(
    w: Work, incident: Incident, signal_id: str, name: str, signal: Signal, until: datetime | None, update: bool = False
) -> None:
    places: tuple[str, ...] = ()
    if w.rules.causes(incident.playbook):
        sure = [area for info in signal.infos for area in info.areas if not area.from_text]
        places = tuple(dict.fromkeys(place for area in sure for place in area.places))
    w.emit(
        e.Joined(
            incident=incident.id,
            signal=signal_id,
            source=signal.source,
            name=name,
            until=until,
            update=update,
            places=places,
            story=signal.backing.story if signal.backing is not None else "",
            credibility=signal.credibility,
            organisation=_organisation(w, incident, signal),
        )
    )
    trust.joined(w, incident, signal)
    if until is not None:
        w.deadline_at(f"expiry {incident.id} {signal_id}", until)


def _organisation(w: Work, incident: Incident, signal: Signal) -> str:
    """The sender, where the sheet answers them and the directory has people of theirs."""
    playbook = w.rules.playbook(incident.playbook, incident.version)
    actions = [step.action for step in playbook.steps] if playbook is not None else []
    if not any(isinstance(action, Notify) and action.the_sender for action in actions):
        return ""
    return signal.sender if w.rules.people((Contact(Asked.ORGANISATION, signal.sender),), w.now) else ""


def _join_or_open(
    w: Work, signal_id: str, name: str, signal: Signal, met: Match, playbook: Playbook, until: datetime | None
) -> bool:
    """Joins the signal to the sheet's incident, or opens one; False where it is none of these: what is in shadow opens
    nothing in earnest, nor the other way round. An incident that is open takes what joins it to its end, whatever has
    become of its sheet."""
    key = joining_key(playbook, met, signal)
    known = w.state.by_key.get(incident_key(playbook.name, signal.status, key))
    incident = w.state.incidents[known] if known is not None and steps.run(w, w.state.incidents[known]) else None
    if (playbook.mode is Mode.SHADOW) is (w is w.real) and (w is not w.real or incident is None or incident.ended):
        return False
    if incident is None:
        open_incident(w, playbook, key, signal, signal_id, name, until)
        return True
    again = incident.ended
    if again:
        w.drop(f"forget {incident.id}")
        _cancel_tasks(w, incident)  # of the end: it was none
        w.emit(e.Reopened(incident=incident.id))
        proposals.opened_again(w, incident)
    _join(w, incident, signal_id, name, signal, until)
    access.said_anew(w, incident)
    if again or incident.held_by:
        _begin_unless_quiet(w, incident, signal)
    return True


def open_incident(
    w: Work,
    playbook: Playbook,
    key: tuple[str, ...],
    signal: Signal,
    signal_id: str,
    name: str,
    until: datetime | None,
    by_hand: bool = False,
) -> None:
    incident_id = w.id()
    w.emit(
        e.Opened(
            incident=incident_id,
            playbook=playbook.name,
            version=playbook.version,
            key=key,
            status=signal.status,
            by=signal_id,
            shadow=w is not w.real,
        )
    )
    incident = w.state.incidents[incident_id]
    _join(w, incident, signal_id, name, signal, until)
    if by_hand:
        steps.begin_sheet(w, incident)
    else:
        _begin_unless_quiet(w, incident, signal)
    if w is w.real:
        storm.opened(w, incident)


def _begin_unless_quiet(w: Work, incident: Incident, signal: Signal) -> None:
    """Begins, unless a silence holds for the signal, or its cause is known. What is held back goes its way with the
    first signal that is not."""
    meant = seen(signal)
    if holding := quiet.holding(w, incident, meant):
        w.emit(e.HeldBack(incident=incident.id, silence=holding, seen=meant))
        return
    if incident.held_by:
        w.emit(e.Released(incident=incident.id))
    steps.begin_sheet(w, incident)


def joining_key(playbook: Playbook, met: Match, signal: Signal) -> tuple[str, ...]:
    """What signals of a sheet must agree on to join one incident: the values of its `one per`."""
    info = signal.infos[met.info]
    asked = playbook.when[met.when].areas if met.when >= 0 else ()
    places = [place for area in info.areas for place in area.places]  # the widest first

    def value(what: str) -> str:
        if what == "hazard":
            return info.hazard or info.event
        if what == "area":
            return next((a for a in (*asked, *places) if a in places), "")
        if what == "source":
            return signal.source
        if what == "sender":
            return signal_name(signal.source, signal.sender, "")
        if what == "event":
            return info.event
        if what == "category":
            return info.categories[0] if info.categories else ""
        return " ".join(signal.incidents) or signal.identifier  # who names no incident speaks of one of its own

    return tuple(value(what) for what in playbook.incident.one_per)


def started(w: Work, fact: Fact, body: SheetStarted, signal: Signal | None) -> None:
    """A person starts a sheet by hand; what they said stands in place of a signal. Starting a sheet again while its
    incident is open opens another one: a person's act is never swallowed."""
    known = w.state.in_force.get(f"playbook/{body.playbook}")
    playbook = w.rules.playbook(body.playbook, known.version) if known else None
    if playbook is None or signal is None or playbook.mode is Mode.DRAFT:
        w.alarm("sheet-unknown", body.playbook, f"started by {body.by}, but no such sheet is in force")
        return
    name = signal_name(signal.source, signal.sender, signal.identifier)
    w = w.shadow if playbook.mode is Mode.SHADOW else w.real
    open_incident(w, playbook, (e.BY_HAND, fact.id), signal, fact.id, name, None, by_hand=True)


# --- ending ------------------------------------------------------------------------------------------------


def withdraw(w: Work, incident_id: str, signal_id: str, why: str) -> None:
    """A signal is no longer in force in an incident; with the last one the incident ends."""
    incident = w.state.incidents[incident_id]
    w.drop(f"expiry {incident_id} {signal_id}")
    w.emit(e.SignalWithdrawn(incident=incident_id, signal=signal_id, why=why))
    playbook = w.rules.playbook(incident.playbook, incident.version)
    joining = playbook.incident if playbook else Joining()
    if not incident.signals and not incident.ended and not joining.by_officer:
        end(w, incident, "no-signal")
    elif not incident.signals and not incident.ended and why != "expired":  # the list has a time of its own
        access.withdraw(w, incident, "cancelled")


def end(w: Work, incident: Incident, why: str, by: str = "") -> None:
    """Ends an incident: its chains stop, what has not gone out stays, and those who were reached hear the all-clear."""
    for signal in list(incident.signals):
        w.drop(f"expiry {incident.id} {signal}")
    w.emit(e.Ended(incident=incident.id, why=why, by=by))
    for run in incident.runs:
        chain.cancel(w, w.state.runs[run])
    for order_id in list(incident.orders):
        order = w.state.orders.get(order_id)
        if order is None or order.withdrawn or order.event.ask or not counts_as_reached(order.event):
            continue
        if not all(order.states) and not _others_want(w, order.event, incident.id):
            w.emit(e.OrderWithdrawn(order=order_id, why="ended"))
    _cancel_tasks(w, incident)
    access.withdraw(w, incident, "ended")
    proposals.incident_over(w, incident)
    playbook = w.rules.playbook(incident.playbook, incident.version)
    for step in playbook.steps if playbook else ():
        w.drop(f"repeat {incident.id} {step.name}")
        w.drop(f"step {incident.id} {step.name}")
    if playbook is not None:
        for step in playbook.steps:
            if step.at_end and (not incident.held_by or _tells_whom_it_reached(incident, step)):
                steps.begin(w, incident, step)
    if all_clear_message(playbook) == "hub.all-clear":  # the sheet has none of its own
        tell_reached(w, incident, "hub.all-clear")
    quiet.cause_over(w, incident)
    w.deadline(f"forget {incident.id}", playbook.incident.within_s if playbook else 0.0)


def _cancel_tasks(w: Work, incident: Incident) -> None:
    for task in incident.tasks:
        if task in w.state.tasks:
            steps.over(w, task)
            w.emit(e.TaskClosed(task=task, outcome="cancelled"))


def forget(w: Work, incident: Incident) -> None:
    """The joining window is over. What the end left to do (lessons, a decision to pass on) often takes longer: the
    incident is kept for it, but not for ever."""
    due = [w.state.tasks[task].due or w.now for task in incident.tasks if task in w.state.tasks]
    if due and not incident.lapsed:
        w.emit(e.Lapsed(incident=incident.id))
        w.deadline_at(f"forget {incident.id}", max(w.now, *due) + KEPT_FOR_TASKS)
        return
    gone = {incident.id, *incident.tasks}
    for alarm_id, alarm in list(w.state.alarms.items()):
        if alarm.about.split(" ")[0] in gone:  # nothing can be done about it any more
            w.emit(e.AlarmCleared(alarm=alarm_id))
    w.emit(e.Forgotten(incident=incident.id))


def task_ticked(w: Work, body: TaskTicked) -> None:
    """Somebody has done a task; with the last one an incident that was only kept for them is forgotten."""
    task = w.state.tasks.get(body.task)
    steps.task_done(w, body.task, body.by)
    incident = w.state.incidents[task.incident] if task is not None else None
    if incident is not None and incident.lapsed and not any(t in w.state.tasks for t in incident.tasks):
        w.drop(f"forget {incident.id}")
        forget(w, incident)


def _tells_whom_it_reached(incident: Incident, step: Step) -> bool:
    """What was held back may have reached people all the same: an officer began a chain by hand."""
    return bool(incident.reached) and isinstance(step.action, Notify) and step.action.everyone_reached


def _others_want(w: Work, order: e.Ordered, incident: str) -> bool:
    return any(i != incident and i in w.state.incidents and not w.state.incidents[i].ended for i in order.incidents)
