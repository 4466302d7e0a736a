"""Who was called, by what and when: what a run of decisions says of its incidents and of the people in them. Pure.

The same for what happened (decisions of the journal) and for what would have (decisions of a replay), so that the two
can be laid side by side.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field

from hub.engine.state import State
from hub.model import events as e
from hub.model import records as r
from hub.model.message import Lane
from hub.model.signal import Status

NEAR = timedelta(hours=12)  # incidents of one sheet and key that share no signal: as far apart they are two matters


# What is noted of an incident in shadow.
_SEEN = (e.Opened, e.Joined, e.Ended, e.Reopened, e.HeldBack)


class Kind(StrEnum):
    """What somebody got."""

    ASKED = "asked"  # wants an answer
    TOLD = "told"
    OVER = "over"  # the all-clear


class Call(Struct, frozen=True, kw_only=True, gc=False):
    """One order to one person (`person` is "" for a large audience of `size`, whose people lie in the vault)."""

    at: datetime
    order: str
    kind: Kind
    person: str
    channel: str
    message: str
    step: str
    size: int = 1


class Incident(Struct, kw_only=True, gc=False):
    """An incident and all that went out for it. `began`: under way before the time looked at. `asked`: person → when
    they were first asked; `tiers`: how often a chain began a round."""

    id: str
    playbook: str
    version: str
    key: tuple[str, ...]
    status: Status
    opened_at: datetime
    shadow: bool = False
    began: bool = False
    ended_at: datetime | None = None
    reopened: int = 0
    held: bool = False
    signals: dict[str, None] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    asked: dict[str, datetime] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    exhausted: list[str] = field(default_factory=list)  # chains

    def may_be(self, other: "Incident") -> bool:
        """Whether two incidents of one sheet and key are near enough in time to be the same matter."""
        if (self.playbook, self.key, self.status) != (other.playbook, other.key, other.status):
            return False
        earlier, later = sorted((self, other), key=lambda i: i.opened_at)
        return later.opened_at - (earlier.ended_at or later.opened_at) <= NEAR


class Answer(Struct, frozen=True, gc=False):
    """The fact of a reply, and the ask that it answered."""

    fact: str
    ask: str
    person: str


class Run(Struct, frozen=True, gc=False):
    incident: str
    step: str
    chain: str


class Task(Struct, frozen=True, gc=False):
    incident: str
    step: str
    index: int


class Calls:
    """Folds events into incidents and calls. `incidents` in the order in which they were opened."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.runs: dict[str, Run] = {}
        self.tasks: dict[str, Task] = {}
        self.asks: dict[str, tuple[str, tuple[str, ...]]] = {}  # ask → person, incidents
        self.answers: dict[str, list[Answer]] = {}  # fact of the reply → what it answered
        self.sheets: dict[str, str] = {}  # playbook → version in force
        self._by_signal: dict[str, list[Incident]] = {}
        self._by_key: dict[tuple[str, tuple[str, ...], Status], list[Incident]] = {}

    def begin(self, state: State) -> None:
        """What was under way when the time looked at begins."""
        self.sheets = {n[9:]: known.version for n, known in state.in_force.items() if n.startswith("playbook/")}
        shadow = () if state.shadow is None else state.shadow.incidents.values()
        for known in (*state.incidents.values(), *shadow):
            self._open(
                Incident(
                    id=known.id,
                    playbook=known.playbook,
                    version=known.version,
                    key=known.key,
                    status=known.status,
                    opened_at=known.opened_at,
                    shadow=known.shadow,
                    began=True,
                    ended_at=known.opened_at if known.ended else None,
                    accepted=[p for run in known.runs if run in state.runs for p in state.runs[run].accepted],
                )
            )
            for signal in known.signals:
                self._join(known.id, signal)
        for run in state.runs.values():
            self.runs[run.id] = Run(run.incident, run.step, run.chain.id)
        for ask in state.asks.values():
            self._ask(ask.id, ask.person, ask.runs, ask.opened_at)
        for task in state.tasks.values():
            self.tasks[task.id] = Task(task.incident, task.step, task.index)

    def add(self, decision: r.Decision) -> None:
        for event in decision.events:
            self._note(event, decision.at)

    def alike(self, incident: Incident) -> list[Incident]:
        """The incidents here that are the same matter as one of another run: those that share a signal, of the same
        sheet if any is; else the one of the same sheet and key that was opened nearest to it."""
        sharing = {i.id: i for signal in incident.signals for i in self._by_signal.get(signal, ())}
        same = [i for i in sharing.values() if i.playbook == incident.playbook]
        if same or sharing:
            return same or list(sharing.values())
        near = [
            i
            for i in self._by_key.get((incident.playbook, incident.key, incident.status), ())
            if any(i.key) and i.may_be(incident)
        ]
        return sorted(near, key=lambda i: abs(i.opened_at - incident.opened_at))[:1]

    def asked_in(self, incident: str, person: str) -> datetime | None:
        """When somebody was first asked for an incident."""
        known = self.incidents.get(incident)
        return known.asked.get(person) if known is not None else None

    # --- events --------------------------------------------------------------------------------------------

    def _note(self, event: e.Event, at: datetime) -> None:
        if isinstance(event, e.InShadow):  # the incident is seen; nobody was called
            if isinstance(event.event, _SEEN):
                self._note(event.event, at)
            return
        match event:
            case e.Opened():
                self._open(
                    Incident(
                        id=event.incident,
                        playbook=event.playbook,
                        version=event.version,
                        key=event.key,
                        status=event.status,
                        opened_at=at,
                        shadow=event.shadow,
                    )
                )
            case e.Joined():
                self._join(event.incident, event.signal)
            case e.Ended():
                self.incidents[event.incident].ended_at = at
            case e.Reopened():
                self.incidents[event.incident].ended_at = None
                self.incidents[event.incident].reopened += 1
            case e.HeldBack():
                self.incidents[event.incident].held = True
            case e.RunBegan():
                self.runs[event.run] = Run(event.incident, event.step, event.chain.id)
            case e.RunEnded():
                self._run_ended(event)
            case e.Asked():
                self._ask(event.ask, event.person, event.runs, at)
            case e.Answered() if event.ask:
                self.answers.setdefault(event.fact, []).append(Answer(event.fact, event.ask, event.person))
            case e.Ordered():
                self._ordered(event, at)
            case e.TaskOpened():
                self.tasks[event.task] = Task(event.incident, event.step, event.index)
            case e.Enforced(what="playbook"):
                self.sheets[event.name] = event.version
            case e.Unenforced(what="playbook"):
                self.sheets.pop(event.name, None)
            case _:
                pass

    def _open(self, incident: Incident) -> None:
        self.incidents[incident.id] = incident
        self._by_key.setdefault((incident.playbook, incident.key, incident.status), []).append(incident)

    def _join(self, incident: str, signal: str) -> None:
        known = self.incidents[incident]
        if signal not in known.signals:
            known.signals[signal] = None
            self._by_signal.setdefault(signal, []).append(known)

    def _ask(self, ask: str, person: str, runs: Iterable[str], at: datetime) -> None:
        incidents = tuple(dict.fromkeys(self.runs[run].incident for run in runs if run in self.runs))
        self.asks[ask] = (person, incidents)
        for incident in incidents:
            if incident in self.incidents:
                self.incidents[incident].asked.setdefault(person, at)

    def _run_ended(self, event: e.RunEnded) -> None:
        run = self.runs.get(event.run)
        if run is None or run.incident not in self.incidents:
            return
        incident = self.incidents[run.incident]
        if event.outcome == "exhausted":
            incident.exhausted.append(run.chain)
        elif event.outcome == "accepted":
            incident.accepted += [p for p in event.by if p not in incident.accepted]

    def _ordered(self, event: e.Ordered, at: datetime) -> None:
        """The first address on a channel counts; answers to answers do not."""
        if event.after or event.broadcast or (event.lane is Lane.CONFIRM and not event.clears):
            return
        kind = Kind.OVER if event.clears else Kind.ASKED if event.lane is Lane.ASK else Kind.TOLD
        step = self._step(event)
        for incident in event.incidents:
            if incident not in self.incidents:
                continue
            self.incidents[incident].calls += [
                Call(
                    at=at,
                    order=event.order,
                    kind=kind,
                    person=person,
                    channel=event.channel,
                    message=event.message,
                    step=step,
                    size=event.size or 1,
                )
                for person in event.recipients or ("",)
            ]

    def _step(self, event: e.Ordered) -> str:
        return event.step or ("update" if event.message == "hub.update" else "")
