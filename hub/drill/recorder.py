"""From the hub's decisions and from what reaches people to the moments of a timeline."""

from collections.abc import Callable, Sequence
from datetime import datetime

from hub.connector import Outgoing
from hub.drill.timeline import Moment, Timeline, What
from hub.engine.state import State
from hub.model import events as e
from hub.model import records as r
from hub.model.message import Outcome
from hub.people.directory import Directory
from hub.playbook.match import Match


class Recorder:
    """`follow` is told of each decision once it is durable, `arrived` of each message that reaches somebody. `state`:
    the hub's, as it is at that moment."""

    def __init__(self, start: datetime, state: Callable[[], State], directory: Directory) -> None:
        self.start = start
        self.moments: list[Moment] = []
        self.met: set[tuple[str, int]] = set()
        self._state = state
        self._directory = directory
        self._numbers: dict[str, int] = {}  # incident → its number
        self._sheets: dict[str, str] = {}  # incident → its sheet
        self._runs: dict[str, e.RunBegan] = {}
        self._ends: dict[tuple[str, str], tuple[str, ...]] = {}  # (incident, step) → who accepted, or not
        self._tasks: dict[str, e.TaskOpened] = {}

    def timeline(self, lasted_s: float) -> Timeline:
        moments = tuple(sorted(self.moments, key=lambda m: m.s))
        return Timeline(start=self.start, lasted_s=lasted_s, moments=moments, met=frozenset(self.met))

    def matched(self, at: datetime, nth: int, i: int, matches: Sequence[Match]) -> None:
        """Of the nth thing given the i-th signal, both from 1."""
        for met in matches:
            self.met.add((met.playbook, met.when))
            self.note(at, What.MET, nth=nth, round=i, sheet=met.playbook)

    def note(self, at: datetime, what: What, **more: object) -> None:
        self.moments.append(Moment(s=(at - self.start).total_seconds(), what=what, **more))  # type: ignore[arg-type] # each caller gives what its kind has

    def person_of(self, outgoing: Outgoing) -> str:
        """Whom a message is for."""
        recipients = self._state().orders[outgoing.order].event.recipients
        return recipients[outgoing.index] if recipients else self._directory.find(outgoing.to)

    def arrived(self, at: datetime, channel: str, outgoing: Outgoing) -> None:
        ordered = self._state().orders[outgoing.order].event
        incident = ordered.incidents[0] if ordered.incidents else ""
        voice = bool(outgoing.voice) and channel != "email"
        self.note(
            at,
            What.GOT,
            incident=self._numbers.get(incident, 0),
            sheet=self._sheets.get(incident, ""),
            step=ordered.step or self._step_of(ordered.ask),
            person=self.person_of(outgoing),
            channel=channel,
            message=ordered.message,
            language=outgoing.language,
            order=ordered.order,
            outcome="asked" if ordered.ask else "",
            detail=outgoing.voice if voice and channel == "voice" else outgoing.text,
        )

    def _step_of(self, ask: str) -> str:
        known = self._state().asks.get(ask)
        run = self._runs.get(known.runs[0]) if known is not None and known.runs else None
        return run.step if run is not None else ""

    def follow(self, decision: r.Decision) -> None:
        for event in decision.events:
            self._event(decision.at, event)

    def _event(self, at: datetime, event: e.Event) -> None:
        match event:
            case e.Opened():
                self._numbers[event.incident] = len(self._numbers) + 1
                self._sheets[event.incident] = event.playbook
                self._of(at, What.OPENED, event.incident, detail=event.status.value)
            case e.Reopened():
                self._of(at, What.REOPENED, event.incident)
            case e.HeldBack():
                self._of(at, What.HELD_BACK, event.incident)
            case e.Ended():
                self._of(at, What.ENDED, event.incident, outcome=event.why)
            case e.StepBegan():
                self._of(at, What.BEGAN, event.incident, step=event.step, nth=event.nth)
            case e.StepEnded():
                people = self._ends.get((event.incident, event.step), ())
                self._of(at, What.CAME_TO, event.incident, step=event.step, outcome=event.outcome, people=people)
            case e.RunBegan() | e.TierBegan() | e.RunEnded():
                self._chain(at, event)
            case e.Answered() if event.person:
                self.note(at, What.ANSWERED, person=event.person, outcome=event.verb.value)
            case e.TaskOpened() | e.TaskLate() | e.TaskClosed():
                self._task(at, event)
            case e.Delivered():
                self._delivered(at, event)
            case e.AlarmRaised():
                self.note(at, What.ALARM, outcome=event.what, detail=event.detail)
            case _:
                pass

    def _of(self, at: datetime, what: What, incident: str, **more: object) -> None:
        self.note(at, what, incident=self._numbers.get(incident, 0), sheet=self._sheets.get(incident, ""), **more)

    def _chain(self, at: datetime, event: e.RunBegan | e.TierBegan | e.RunEnded) -> None:
        if isinstance(event, e.RunBegan):
            self._runs[event.run] = event
            self._of(at, What.CALLED, event.incident, step=event.step, chain=event.chain.id, message=event.message)
            return
        run = self._runs[event.run]
        if isinstance(event, e.RunEnded):
            self._ends[run.incident, run.step] = event.by
            return
        asks = self._state().asks
        people = tuple(asks[ask].person for ask in event.asks if ask in asks)
        self._of(
            at,
            What.TIER,
            run.incident,
            step=run.step,
            chain=run.chain.id,
            nth=event.tier + 1,
            round=event.round,
            people=people,
        )

    def _task(self, at: datetime, event: e.TaskOpened | e.TaskLate | e.TaskClosed) -> None:
        if isinstance(event, e.TaskOpened):
            self._tasks[event.task] = event
        task = self._tasks[event.task]
        what = {e.TaskOpened: What.TASK_OPEN, e.TaskLate: What.TASK_LATE, e.TaskClosed: What.TASK_DONE}[type(event)]
        if isinstance(event, e.TaskClosed) and event.outcome != "done":
            return
        self._of(at, what, task.incident, step=task.step, nth=task.index + 1, detail=task.who)

    def _delivered(self, at: datetime, event: e.Delivered) -> None:
        known = self._state().orders.get(event.order)
        if known is None:
            return
        ordered = known.event
        incident = ordered.incidents[0] if ordered.incidents else ""
        for index, outcome, reason in event.moves:
            if outcome is Outcome.FAILED:
                person = ordered.recipients[index] if ordered.recipients else ""
                self._of(
                    at,
                    What.MISSED,
                    incident,
                    step=ordered.step or self._step_of(ordered.ask),
                    person=person,
                    channel=ordered.channel,
                    message=ordered.message,
                    detail=reason,
                )
