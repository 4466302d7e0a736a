"""The state: what is open, who is being asked, what is due. It is the fold of decisions, and nothing else.

`fold(state, event)` is the only thing that changes a state; it looks at no playbook, chain or directory. Bounded:
an incident and all that belongs to it is dropped when its joining window is over (`Forgotten`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field

from hub.model import events as e
from hub.model.message import OUTCOME_RANK, Lane, Outcome, Verb
from hub.model.people import Chain
from hub.model.quiet import Seen, Silence
from hub.model.records import Decision
from hub.model.signal import Status

CODE_REST = timedelta(hours=24)  # a code is not used again for the same person for this long
RECENT = timedelta(minutes=30)  # an answer without a code binds only if no other ask was open in this time


class InForce(Struct, kw_only=True, gc=False):
    version: str
    mode: str
    fact: str


class InIncident(Struct, kw_only=True, gc=False):
    """A signal in force in an incident."""

    name: str
    until: datetime | None


class Incident(Struct, kw_only=True, gc=False):
    """An open run of a playbook, or one that ended and may still be re-opened.

    `signals`: those in force, by id. `steps`: step → how often it began. `outcomes`: step → what it came to, in
    order. `reached`: person → channels over which something of this incident reached them. `told`: who has heard
    the all-clear. `last`: the newest signal, whose words fill the messages.
    """

    id: str
    playbook: str
    version: str
    key: tuple[str, ...]
    status: Status
    shadow: bool
    opened_at: datetime
    by: str
    last: str = ""
    ended: bool = False
    signals: dict[str, InIncident] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    reached: dict[str, list[str]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    runs: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    since: int = 0  # where the orders since it was last opened begin
    before: dict[str, int] = field(default_factory=dict)  # `steps` when it was last re-opened
    tasks: list[str] = field(default_factory=list)
    held_by: str = ""  # the silence that holds it back
    held_for: Seen | None = None  # the newest signal that it holds for

    def begun(self, step: str) -> bool:
        """Whether a step has begun since the incident was last opened."""
        return self.steps.get(step, 0) > self.before.get(step, 0)


class Run(Struct, kw_only=True, gc=False):
    """An alert chain under way for one step of one incident."""

    id: str
    incident: str
    step: str
    chain: Chain
    message: str
    tier: int = -1
    round: int = 0
    asks: list[str] = field(default_factory=list)  # of the current round
    asked: list[str] = field(default_factory=list)  # all there ever were
    accepted: list[str] = field(default_factory=list)  # people
    declined: list[str] = field(default_factory=list)  # people
    passed: list[str] = field(default_factory=list)  # people who are not asked
    held: bool = False
    by_hand: bool = False  # an officer began it
    outcome: str = ""  # "" while it runs


class Ask(Struct, kw_only=True, gc=False):
    """One request to one person that wants an answer."""

    id: str
    person: str
    runs: tuple[str, ...]
    code: str
    by: tuple[str, ...]
    between_s: float
    answer_s: float
    opened_at: datetime
    orders: list[str] = field(default_factory=list)  # the i-th went over by[i]
    sent_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str = ""  # "" while it is open


class Order(Struct, kw_only=True, gc=False):
    """What dispatch was told to send. `states[i]`: rank of delivery i (OUTCOME_RANK), 0 before anything is known."""

    event: e.Ordered
    states: bytearray
    at: datetime
    withdrawn: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing of it is still to go out."""
        return self.withdrawn or self.settled

    @property
    def settled(self) -> bool:
        """Whether it is known of each delivery what became of it."""
        return all(self.states[i] for i in self.event.only) if self.event.only else all(self.states)


class Task(Struct, kw_only=True, gc=False):
    id: str
    incident: str
    step: str
    index: int
    who: str
    due: datetime | None
    late: bool = False


class Alarm(Struct, kw_only=True, gc=False):
    what: str
    about: str
    detail: str
    at: datetime


class Code(Struct, kw_only=True, gc=False):
    """An answer code a person was given, and when it was last of use."""

    code: str
    ask: str
    at: datetime


class Asked(Struct, kw_only=True, gc=False):
    """What the state knows of a person: codes in use or resting, and how often we said we did not understand."""

    codes: list[Code] = field(default_factory=list)
    unclear: list[datetime] = field(default_factory=list)


class State(Struct, kw_only=True, gc=False):
    """Everything the engine knows. `cursor`: the last fact taken; `decision`: the last decision folded."""

    cursor: str = ""
    decision: str = ""
    at: datetime | None = None
    in_force: dict[str, InForce] = field(default_factory=dict)  # "playbook/extreme-weather"
    versions: dict[str, str] = field(default_factory=dict)  # "extreme-weather/HASH" → the fact that brought it
    incidents: dict[str, Incident] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)  # playbook, status and key → incident
    signals: dict[str, dict[str, str]] = field(default_factory=dict)  # signal name → incident → signal id
    runs: dict[str, Run] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    deadlines: dict[str, datetime] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    people: dict[str, Asked] = field(default_factory=dict)
    stopped: tuple[str, str] | None = None  # by, why
    silences: dict[str, Silence] = field(default_factory=dict)


def incident_key(playbook: str, status: Status, key: tuple[str, ...]) -> str:
    return "\x1f".join((playbook, status, *key))


def fold_decision(state: State, decision: Decision) -> None:
    """Folds one durable decision."""
    for fired in decision.fired:  # first: what fires may set itself again
        state.deadlines.pop(fired, None)
    for event in decision.events:
        fold(state, event, decision.at)
    if decision.took:
        state.cursor = decision.took[-1]
    state.decision = decision.id
    state.at = decision.at


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
    s.signals.setdefault(ev.name, {})[ev.incident] = ev.signal


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


def _forgotten(s: State, ev: e.Forgotten, at: datetime) -> None:
    incident = s.incidents.pop(ev.incident)
    key = incident_key(incident.playbook, incident.status, incident.key)
    if s.by_key.get(key) == incident.id:
        del s.by_key[key]
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
    s.runs[ev.run] = run
    s.incidents[ev.incident].runs.append(ev.run)


def _tier(s: State, ev: e.TierBegan, at: datetime) -> None:
    run = s.runs[ev.run]
    run.tier, run.round, run.asks = ev.tier, ev.round, list(ev.asks)
    run.asked.extend(ask for ask in ev.asks if ask not in run.asked)


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
        if ev.outcome == "accepted" and ask.person not in run.accepted:
            run.accepted.append(ask.person)
        if ev.outcome in ("declined", "delegated"):
            if ask.person not in run.declined:
                run.declined.append(ask.person)
            if ask.person in run.accepted:
                run.accepted.remove(ask.person)


def _answered(s: State, ev: e.Answered, at: datetime) -> None:
    if ev.verb == Verb.UNCLEAR and ev.person:
        person = s.people.setdefault(ev.person, Asked())
        person.unclear = [t for t in person.unclear if at - t < timedelta(hours=1)]
        person.unclear.append(at)


# --- sending -----------------------------------------------------------------------------------------------


def _ordered(s: State, ev: e.Ordered, at: datetime) -> None:
    s.orders[ev.order] = Order(event=ev, states=bytearray(ev.size or len(ev.recipients)), at=at)
    for incident in ev.incidents:
        if incident in s.incidents:
            s.incidents[incident].orders.append(ev.order)
            if ev.clears:
                s.incidents[incident].told.update(ev.recipients)
    if ev.ask and ev.lane == Lane.ASK:
        s.asks[ev.ask].orders.append(ev.order)


def _order_withdrawn(s: State, ev: e.OrderWithdrawn, at: datetime) -> None:
    if ev.order in s.orders:
        s.orders[ev.order].withdrawn = True


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
    if order.over and not any(i in s.incidents for i in order.event.incidents):
        del s.orders[ev.order]


def counts_as_reached(order: e.Ordered) -> bool:
    """Whether a delivery of this order is something the all-clear has to follow: asks, notifications and updates are;
    confirmations and the all-clear itself are not."""
    return order.lane != Lane.CONFIRM and not order.clears


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


def _alarm(s: State, ev: e.AlarmRaised, at: datetime) -> None:
    s.alarms[ev.alarm] = Alarm(what=ev.what, about=ev.about, detail=ev.detail, at=at)


def _alarm_cleared(s: State, ev: e.AlarmCleared, at: datetime) -> None:
    s.alarms.pop(ev.alarm, None)


def _stopped(s: State, ev: e.Stopped, at: datetime) -> None:
    s.stopped = (ev.by, ev.why)


def _lifted(s: State, ev: e.Lifted, at: datetime) -> None:
    s.stopped = None


_FOLDS: dict[type, Callable[[State, Any, datetime], None]] = {
    e.Enforced: _enforced,
    e.Unenforced: _unenforced,
    e.Opened: _opened,
    e.Joined: _joined,
    e.SignalWithdrawn: _withdrawn,
    e.Ended: _ended,
    e.Reopened: _reopened,
    e.HeldBack: _held_back,
    e.Released: _released,
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
    e.Ordered: _ordered,
    e.OrderWithdrawn: _order_withdrawn,
    e.Delivered: _delivered,
    e.DeadlineSet: _deadline,
    e.DeadlineDropped: _deadline_dropped,
    e.TaskOpened: _task,
    e.TaskClosed: _task_closed,
    e.TaskLate: _task_late,
    e.Silenced: _silenced,
    e.SilenceEnded: _silence_ended,
    e.AlarmRaised: _alarm,
    e.AlarmCleared: _alarm_cleared,
    e.Stopped: _stopped,
    e.Lifted: _lifted,
}
