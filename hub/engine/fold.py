"""The fold: what each event does to the state.

`fold(state, event)` is the only thing that changes a state; it looks at no playbook, chain or directory.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hub.engine import dossier_state, fold_access, fold_report
from hub.engine.state import (
    CODE_REST,
    TOLD_MAX,
    Alarm,
    Ask,
    Asked,
    Broadcast,
    Code,
    Digest,
    Duty,
    Edit,
    Incident,
    InForce,
    InIncident,
    ModeChange,
    Order,
    RosterChange,
    Run,
    State,
    Task,
    counts_as_reached,
    incident_key,
    part_key,
)
from hub.model import events as e
from hub.model.message import OUTCOME_RANK, Lane, Outcome, Verb
from hub.model.records import Decision

SHADOW = "shadow "  # before the name of a deadline that fires in shadow


def fold_decision(state: State, decision: Decision) -> None:
    """Folds one durable decision."""
    for fired in decision.fired:  # first: what fires may set itself again
        drop_fired(state, fired)
    for event in decision.events:
        fold(state, event, decision.at)
    if decision.took:
        state.cursor = decision.took[-1]
    state.decision = decision.id
    state.at = decision.at


def drop_fired(state: State, fired: str) -> None:
    """A deadline that fires stands no longer."""
    name = fired.removeprefix(SHADOW)
    of = state if name == fired else state.shadow
    if of is not None:
        of.deadlines.pop(name, None)


def fold(state: State, event: e.Event, at: datetime) -> None:
    """Folds one event that was decided at `at`."""
    _FOLDS[type(event)](state, event, at)


# --- what is in force --------------------------------------------------------------------------------------


def _enforced(s: State, ev: e.Enforced, at: datetime) -> None:
    s.in_force[f"{ev.what}/{ev.name}"] = InForce(version=ev.version, mode=ev.mode, fact=ev.fact)
    if ev.what == "playbook":
        s.versions[f"{ev.name}/{ev.version}"] = ev.fact


def _unenforced(s: State, ev: e.Unenforced, at: datetime) -> None:
    s.in_force.pop(f"{ev.what}/{ev.name}", None)


def _person_edited(s: State, ev: e.PersonEdited, at: datetime) -> None:
    s.edited[ev.person] = Edit(change=ev.change, by=ev.by, why=ev.why, at=at, removed=ev.removed)


def _roster_edited(s: State, ev: e.RosterEdited, at: datetime) -> None:
    s.rosters[ev.change] = RosterChange(roster=ev.roster, overrides=ev.overrides, by=ev.by, why=ev.why, at=at)


def _mode_changed(s: State, ev: e.ModeChanged, at: datetime) -> None:
    s.modes[ev.sheet] = ModeChange(change=ev.change, mode=ev.mode, by=ev.by, why=ev.why, at=at)


def _part_edited(s: State, ev: e.PartEdited, at: datetime) -> None:
    edit = Edit(change=ev.change, by=ev.by, why=ev.why, at=at, removed=ev.removed)
    s.parts[part_key(ev.part, ev.name)] = edit


def _reverted(s: State, ev: e.Reverted, at: datetime) -> None:
    s.rosters.pop(ev.change, None)
    for sheet in [sheet for sheet, known in s.modes.items() if known.change == ev.change]:
        del s.modes[sheet]
    for key in [k for k, known in s.parts.items() if known.change == ev.change]:
        del s.parts[key]
    for person in [p for p, known in s.edited.items() if known.change == ev.change]:
        del s.edited[person]


# --- incidents ---------------------------------------------------------------------------------------------


def _opened(s: State, ev: e.Opened, at: datetime) -> None:
    s.incidents[ev.incident] = Incident(
        id=ev.incident,
        playbook=ev.playbook,
        version=ev.version,
        key=ev.key,
        status=ev.status,
        shadow=ev.shadow,
        opened_at=at,
        by=ev.by,
    )
    s.by_key[incident_key(ev.playbook, ev.status, ev.key)] = ev.incident


def _joined(s: State, ev: e.Joined, at: datetime) -> None:
    incident = s.incidents[ev.incident]
    incident.signals[ev.signal] = InIncident(name=ev.name, until=ev.until)
    incident.last = ev.signal
    incident.places = ev.places
    incident.organisation = ev.organisation or incident.organisation
    s.signals.setdefault(ev.name, {})[ev.incident] = ev.signal
    if ev.story:
        s.stories.setdefault(ev.story, {}).setdefault(ev.incident, ev.credibility)


def _attached(s: State, ev: e.Attached, at: datetime) -> None:
    s.incidents[ev.incident].attached += 1


def _trust_moved(s: State, ev: e.TrustMoved, at: datetime) -> None:
    s.stories.setdefault(ev.story, {})[ev.incident] = ev.credibility


def _withdrawn(s: State, ev: e.SignalWithdrawn, at: datetime) -> None:
    gone = s.incidents[ev.incident].signals.pop(ev.signal, None)
    if gone is not None:
        _forget_signal(s, gone.name, ev.incident, ev.signal)


def _forget_signal(s: State, name: str, incident: str, signal: str) -> None:
    where = s.signals.get(name)
    if where is not None and where.get(incident) == signal:
        del where[incident]
        if not where:
            del s.signals[name]


def _ended(s: State, ev: e.Ended, at: datetime) -> None:
    incident = s.incidents[ev.incident]
    incident.ended = True
    for signal, known in incident.signals.items():
        _forget_signal(s, known.name, ev.incident, signal)
    incident.signals.clear()


def _reopened(s: State, ev: e.Reopened, at: datetime) -> None:
    incident = s.incidents[ev.incident]
    incident.ended = False
    incident.told.clear()
    incident.reached.clear()
    incident.outcomes.clear()
    incident.since = len(incident.orders)
    incident.before = dict(incident.steps)


def _held_back(s: State, ev: e.HeldBack, at: datetime) -> None:
    incident = s.incidents[ev.incident]
    incident.held_by, incident.held_for = ev.silence, ev.seen


def _released(s: State, ev: e.Released, at: datetime) -> None:
    incident = s.incidents[ev.incident]
    incident.held_by, incident.held_for = "", None


def _lapsed(s: State, ev: e.Lapsed, at: datetime) -> None:
    incident = s.incidents[ev.incident]
    incident.lapsed = True
    _no_longer_joined(s, incident)


def _no_longer_joined(s: State, incident: Incident) -> None:
    key = incident_key(incident.playbook, incident.status, incident.key)
    if s.by_key.get(key) == incident.id:
        del s.by_key[key]


def _forgotten(s: State, ev: e.Forgotten, at: datetime) -> None:
    incident = s.incidents.pop(ev.incident)
    fold_report.forget(s, ev.incident)
    _no_longer_joined(s, incident)
    for story in [story for story, told in s.stories.items() if ev.incident in told]:
        del s.stories[story][ev.incident]
        if not s.stories[story]:
            del s.stories[story]
    asks = [ask for run in incident.runs for ask in s.runs.pop(run).asked]
    for ask in asks:
        if ask in s.asks and not any(r in s.runs for r in s.asks[ask].runs):
            del s.asks[ask]
    for task in incident.tasks:
        s.tasks.pop(task, None)
    for order_id in incident.orders:
        order = s.orders.get(order_id)
        # A merged order lives as long as one of its incidents; and whatever has not gone out yet still has to.
        if order is not None and order.over and not any(i in s.incidents for i in order.event.incidents):
            del s.orders[order_id]


def _step(s: State, ev: e.StepBegan, at: datetime) -> None:
    s.incidents[ev.incident].steps[ev.step] = ev.nth


def _step_ended(s: State, ev: e.StepEnded, at: datetime) -> None:
    s.incidents[ev.incident].outcomes.setdefault(ev.step, []).append(ev.outcome)


# --- chains ------------------------------------------------------------------------------------------------


def _run(s: State, ev: e.RunBegan, at: datetime) -> None:
    run = Run(id=ev.run, incident=ev.incident, step=ev.step, chain=ev.chain, message=ev.message)
    run.accepted, run.passed, run.by_hand = list(ev.accepted), list(ev.passed), bool(ev.officer)
    run.verify = ev.verify
    s.runs[ev.run] = run
    s.incidents[ev.incident].runs.append(ev.run)


def _tier(s: State, ev: e.TierBegan, at: datetime) -> None:
    run = s.runs[ev.run]
    run.tier, run.round, run.asks = ev.tier, ev.round, list(ev.asks)
    run.asked = list(dict.fromkeys((*run.asked, *ev.asks)))


def _run_ended(s: State, ev: e.RunEnded, at: datetime) -> None:
    s.runs[ev.run].outcome = ev.outcome


def _run_held(s: State, ev: e.RunHeld, at: datetime) -> None:
    s.runs[ev.run].held = True


def _run_resumed(s: State, ev: e.RunResumed, at: datetime) -> None:
    s.runs[ev.run].held = False


def _run_taken(s: State, ev: e.RunTaken, at: datetime) -> None:
    run = s.runs[ev.run]
    if ev.person in run.declined:
        run.declined.remove(ev.person)
    if ev.person not in run.accepted:
        run.accepted.append(ev.person)


def _asked(s: State, ev: e.Asked, at: datetime) -> None:
    s.asks[ev.ask] = Ask(
        id=ev.ask,
        person=ev.person,
        runs=ev.runs,
        code=ev.code,
        by=ev.by,
        between_s=ev.between_s,
        answer_s=ev.answer_s,
        opened_at=at,
    )
    person = s.people.setdefault(ev.person, Asked())
    person.codes = [c for c in person.codes if at - c.at < CODE_REST or _open(s, c.ask)]
    person.codes.append(Code(code=ev.code, ask=ev.ask, at=at))


def _open(s: State, ask: str) -> bool:
    known = s.asks.get(ask)
    return known is not None and not known.outcome


def _ask_sent(s: State, ev: e.AskSent, at: datetime) -> None:
    s.asks[ev.ask].sent_at = ev.at


def _ask_closed(s: State, ev: e.AskClosed, at: datetime) -> None:
    ask = s.asks[ev.ask]
    ask.outcome, ask.closed_at = ev.outcome, at
    for code in s.people[ask.person].codes:
        if code.ask == ev.ask:
            code.at = at
    for run_id in ask.runs:
        run = s.runs.get(run_id)
        if run is None:
            continue
        if ev.outcome == "accepted":
            if ask.person not in run.accepted:
                run.accepted.append(ask.person)
            if ev.eta_min is not None:
                run.promised[ask.person] = at + timedelta(minutes=ev.eta_min)
        if ev.outcome in ("declined", "delegated"):
            if ask.person not in run.declined:
                run.declined.append(ask.person)
            if ask.person in run.accepted:
                run.accepted.remove(ask.person)
            run.promised.pop(ask.person, None)


def _answered(s: State, ev: e.Answered, at: datetime) -> None:
    if ev.verb == Verb.UNCLEAR and ev.person:
        person = s.people.setdefault(ev.person, Asked())
        person.unclear = [t for t in person.unclear if at - t < timedelta(hours=1)]
        person.unclear.append(at)


def _judged(s: State, ev: e.Judged, at: datetime) -> None:
    if ev.verb is not Verb.UNSURE:
        s.verdicts[ev.verdict] = ev


def _verdict_taken(s: State, ev: e.VerdictTaken, at: datetime) -> None:
    s.verdicts.pop(ev.verdict, None)


# --- sending -----------------------------------------------------------------------------------------------


def _ordered(s: State, ev: e.Ordered, at: datetime) -> None:
    s.orders[ev.order] = order = Order(event=ev, states=bytearray(ev.size or len(ev.recipients)), at=at)
    if ev.after in s.orders:
        s.orders[ev.after].followed.update(order.meant())
    for incident in ev.incidents:
        if incident in s.incidents:
            s.incidents[incident].orders.append(ev.order)
            if ev.clears:
                s.incidents[incident].told.update(ev.recipients)
    if ev.ask and ev.lane == Lane.ASK:
        s.asks[ev.ask].orders.append(ev.order)
    if ev.broadcast in s.broadcasts:
        s.broadcasts[ev.broadcast].orders.append(ev.order)
    if (ev.lane == Lane.NOTIFY or ev.clears) and ev.incidents:
        for person in ev.recipients:
            told = s.people.setdefault(person, Asked()).told.setdefault(ev.channel, [])
            told.append(at)
            del told[:-TOLD_MAX]


def _order_withdrawn(s: State, ev: e.OrderWithdrawn, at: datetime) -> None:
    if ev.order in s.orders:
        s.orders[ev.order].withdrawn = True


def _order_held(s: State, ev: e.OrderHeld, at: datetime) -> None:
    if ev.order in s.orders:
        s.orders[ev.order].held = True


def _order_resumed(s: State, ev: e.OrderResumed, at: datetime) -> None:
    if ev.order in s.orders:
        s.orders[ev.order].held = False


def _delivered(s: State, ev: e.Delivered, at: datetime) -> None:
    order = s.orders[ev.order]
    for index, outcome, _ in ev.moves:
        order.states[index] = OUTCOME_RANK[outcome]
        if counts_as_reached(order.event) and outcome in (Outcome.SENT, Outcome.DELIVERED) and order.event.recipients:
            for incident_id in order.event.incidents:
                incident = s.incidents.get(incident_id)
                if incident is not None:
                    channels = incident.reached.setdefault(order.event.recipients[index], [])
                    if order.event.channel not in channels:
                        channels.append(order.event.channel)
    wanted = order.event.broadcast in s.broadcasts or any(i in s.incidents for i in order.event.incidents)
    if order.over and not wanted:
        del s.orders[ev.order]


def _digested(s: State, ev: e.Digested, at: datetime) -> None:
    digest = s.digests.setdefault(f"{ev.person} {ev.channel} {ev.status}", Digest())
    incident = s.incidents[ev.incident]
    digest.counts[ev.incident] = digest.counts.get(ev.incident, 0) + 1
    digest.sheets[ev.incident] = incident.playbook
    if ev.clears:
        digest.over.append(ev.incident)
        incident.told.add(ev.person)


def _digest_sent(s: State, ev: e.DigestSent, at: datetime) -> None:
    s.digests.pop(f"{ev.person} {ev.channel} {ev.status}", None)


# --- broadcasts --------------------------------------------------------------------------------------------


def _proposed(s: State, ev: e.BroadcastProposed, at: datetime) -> None:
    s.proposals[ev.proposed] = ev.proposal


def _proposal_dropped(s: State, ev: e.ProposalDropped, at: datetime) -> None:
    s.proposals.pop(ev.proposed, None)


def _broadcast(s: State, ev: e.BroadcastDrafted, at: datetime) -> None:
    s.proposals.pop(ev.proposed, None)
    s.broadcasts[ev.broadcast] = Broadcast(
        id=ev.broadcast,
        kind=ev.kind,
        group=ev.group,
        by=ev.by,
        people=ev.people,
        sizes=ev.sizes,
        texts=ev.texts,
        follows=ev.follows,
        status=ev.status,
        at=at,
        incident=ev.incident,
        sheet=ev.sheet,
        step=ev.step,
        cap=ev.cap,
    )


def _broadcast_released(s: State, ev: e.BroadcastReleased, at: datetime) -> None:
    s.broadcasts[ev.broadcast].released.append(ev.by)


def _broadcast_began(s: State, ev: e.BroadcastBegan, at: datetime) -> None:
    s.broadcasts[ev.broadcast].began_at = at


def _broadcast_held(s: State, ev: e.BroadcastHeld, at: datetime) -> None:
    s.broadcasts[ev.broadcast].held = True


def _broadcast_resumed(s: State, ev: e.BroadcastResumed, at: datetime) -> None:
    s.broadcasts[ev.broadcast].held = False


def _broadcast_ended(s: State, ev: e.BroadcastEnded, at: datetime) -> None:
    broadcast = s.broadcasts[ev.broadcast]
    broadcast.outcome, broadcast.held = ev.outcome, False


def _broadcast_forgotten(s: State, ev: e.BroadcastForgotten, at: datetime) -> None:
    for order_id in s.broadcasts.pop(ev.broadcast).orders:
        if order_id in s.orders and s.orders[order_id].over:
            del s.orders[order_id]


def _opted_out(s: State, ev: e.OptedOut, at: datetime) -> None:
    channels = s.opted_out.setdefault(ev.person, [])
    if ev.channel not in channels:
        channels.append(ev.channel)


def _opted_in(s: State, ev: e.OptedIn, at: datetime) -> None:
    channels = [channel for channel in s.opted_out.pop(ev.person, []) if channel != ev.channel]
    if channels:
        s.opted_out[ev.person] = channels


# --- time, tasks, alarms, the big switch -------------------------------------------------------------------


def _deadline(s: State, ev: e.DeadlineSet, at: datetime) -> None:
    s.deadlines[ev.deadline] = ev.at


def _deadline_dropped(s: State, ev: e.DeadlineDropped, at: datetime) -> None:
    s.deadlines.pop(ev.deadline, None)


def _task(s: State, ev: e.TaskOpened, at: datetime) -> None:
    s.tasks[ev.task] = Task(id=ev.task, incident=ev.incident, step=ev.step, index=ev.index, who=ev.who, due=ev.due)
    s.incidents[ev.incident].tasks.append(ev.task)


def _task_closed(s: State, ev: e.TaskClosed, at: datetime) -> None:
    s.tasks.pop(ev.task, None)


def _task_late(s: State, ev: e.TaskLate, at: datetime) -> None:
    s.tasks[ev.task].late = True


def _silenced(s: State, ev: e.Silenced, at: datetime) -> None:
    s.silences[ev.id] = ev.silence


def _silence_ended(s: State, ev: e.SilenceEnded, at: datetime) -> None:
    s.silences.pop(ev.id, None)


def _duty_told(s: State, ev: e.DutyTold, at: datetime) -> None:
    s.duties[ev.roster] = Duty(until=ev.until, people=ev.people, told=ev.told)


def _duty_forgotten(s: State, ev: e.DutyForgotten, at: datetime) -> None:
    s.duties.pop(ev.roster, None)


def _rosters_looked(s: State, ev: e.RostersLooked, at: datetime) -> None:
    s.rosters_told = ev.told


def _paper_due(s: State, ev: e.PaperDue, at: datetime) -> None:
    s.papers[ev.paper] = at


def _paper_done(s: State, ev: e.PaperDone, at: datetime) -> None:
    s.papers.pop(ev.paper, None)


def _on_watch(s: State, ev: e.OnWatch, at: datetime) -> None:
    s.watch = (ev.person, at)


def _alarm(s: State, ev: e.AlarmRaised, at: datetime) -> None:
    s.alarms[ev.alarm] = Alarm(what=ev.what, about=ev.about, detail=ev.detail, at=at)


def _alarm_cleared(s: State, ev: e.AlarmCleared, at: datetime) -> None:
    s.alarms.pop(ev.alarm, None)


def _stopped(s: State, ev: e.Stopped, at: datetime) -> None:
    s.stopped = (ev.by, ev.why)


def _lifted(s: State, ev: e.Lifted, at: datetime) -> None:
    s.stopped = None


def _dossier(s: State, ev: Any, at: datetime) -> None:
    dossier_state.fold_dossier(s.dossiers, ev, at)


def _in_shadow(s: State, ev: e.InShadow, at: datetime) -> None:
    """Into a state of its own, which goes with its last incident."""
    if s.shadow is None:
        s.shadow = State()
    fold(s.shadow, ev.event, at)
    if isinstance(ev.event, e.Forgotten) and not s.shadow.incidents:
        s.shadow = None


_FOLDS: dict[type, Callable[[State, Any, datetime], None]] = {
    e.Attached: _attached,
    e.TrustMoved: _trust_moved,
    e.Enforced: _enforced,
    e.Unenforced: _unenforced,
    e.PersonEdited: _person_edited,
    e.RosterEdited: _roster_edited,
    e.ModeChanged: _mode_changed,
    e.PartEdited: _part_edited,
    e.Reverted: _reverted,
    e.Opened: _opened,
    e.Joined: _joined,
    e.SignalWithdrawn: _withdrawn,
    e.Ended: _ended,
    e.Reopened: _reopened,
    e.HeldBack: _held_back,
    e.Released: _released,
    e.Lapsed: _lapsed,
    e.Forgotten: _forgotten,
    e.StepBegan: _step,
    e.StepEnded: _step_ended,
    e.RunBegan: _run,
    e.TierBegan: _tier,
    e.RunEnded: _run_ended,
    e.RunHeld: _run_held,
    e.RunResumed: _run_resumed,
    e.RunTaken: _run_taken,
    e.Asked: _asked,
    e.AskSent: _ask_sent,
    e.AskClosed: _ask_closed,
    e.Answered: _answered,
    e.Judged: _judged,
    e.VerdictTaken: _verdict_taken,
    e.Ordered: _ordered,
    e.OrderWithdrawn: _order_withdrawn,
    e.OrderHeld: _order_held,
    e.OrderResumed: _order_resumed,
    e.Delivered: _delivered,
    e.Digested: _digested,
    e.DigestSent: _digest_sent,
    e.BroadcastProposed: _proposed,
    e.ProposalDropped: _proposal_dropped,
    e.BroadcastDrafted: _broadcast,
    e.BroadcastReleased: _broadcast_released,
    e.BroadcastBegan: _broadcast_began,
    e.BroadcastHeld: _broadcast_held,
    e.BroadcastResumed: _broadcast_resumed,
    e.BroadcastEnded: _broadcast_ended,
    e.BroadcastForgotten: _broadcast_forgotten,
    e.OptedOut: _opted_out,
    e.OptedIn: _opted_in,
    **fold_access.FOLDS,
    **fold_report.FOLDS,
    e.DeadlineSet: _deadline,
    e.DeadlineDropped: _deadline_dropped,
    e.TaskOpened: _task,
    e.TaskClosed: _task_closed,
    e.TaskLate: _task_late,
    e.Silenced: _silenced,
    e.SilenceEnded: _silence_ended,
    e.DutyTold: _duty_told,
    e.DutyForgotten: _duty_forgotten,
    e.RostersLooked: _rosters_looked,
    e.PaperDue: _paper_due,
    e.PaperDone: _paper_done,
    e.OnWatch: _on_watch,
    e.AlarmRaised: _alarm,
    e.AlarmCleared: _alarm_cleared,
    e.Stopped: _stopped,
    e.Lifted: _lifted,
    e.InShadow: _in_shadow,
    **dict.fromkeys(dossier_state.EVENTS, _dossier),
}
