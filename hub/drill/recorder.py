"""From the hub's decisions and from what reaches people to the moments of a timeline.

In a drill the outside tells what reaches people; of a running hub the journal does (hub/drill/past.py).
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from hub.connector import Outgoing
from hub.drill.timeline import REPORT, Moment, Timeline, What
from hub.engine.state import State
from hub.model import events as e
from hub.model import records as r
from hub.model.message import Outcome
from hub.model.people import Language
from hub.people.directory import Directory
from hub.playbook.match import Match

_ARRIVES = (Outcome.SENT, Outcome.DELIVERED)

Worded = Callable[[e.Ordered, str], tuple[Language, str]]
"""What a delivery of an order said to a person, and in which language."""


class Recorder:
    """`follow` is told of each decision once it is durable, `arrived` of each message that reaches somebody. `state`:
    the hub's, as it is at that moment. `worded`: nobody tells `arrived`; what decisions say was sent has arrived."""

    def __init__(
        self, start: datetime, state: Callable[[], State], directory: Directory, worded: Worded | None = None
    ) -> None:
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
        self._orders: dict[str, e.Ordered] = {}
        self._asks: dict[str, e.Asked] = {}
        self._worded = worded
        self._sent: set[tuple[str, int]] = set()

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
        recipients = self._order(outgoing.order).recipients
        return recipients[outgoing.index] if recipients else self._directory.find(outgoing.to)

    def _order(self, order: str) -> e.Ordered:
        """Also one that was decided on just before the hub went down."""
        return self._orders.get(order) or self._state().orders[order].event

    def _asked(self, ask: str) -> tuple[str, tuple[str, ...]]:
        """Who is asked, and on behalf of which runs."""
        if ask in self._asks:
            return self._asks[ask].person, self._asks[ask].runs
        known = self._state().asks.get(ask)
        return (known.person, tuple(known.runs)) if known is not None else ("", ())

    def arrived(self, at: datetime, channel: str, outgoing: Outgoing) -> None:
        text = outgoing.voice if channel == "voice" and outgoing.voice else outgoing.text
        self._got(at, channel, self._order(outgoing.order), self.person_of(outgoing), outgoing.language, text)

    def _got(self, at: datetime, channel: str, ordered: e.Ordered, person: str, language: Language, text: str) -> None:
        self._of(
            at,
            What.GOT,
            ordered.incidents[0] if ordered.incidents else "",
            step=ordered.step or self._step_of(ordered.ask),
            person=person,
            channel=channel,
            message=ordered.message,
            language=language,
            order=ordered.order,
            ask=ordered.ask,
            outcome="asked" if ordered.ask else "",
            nth=int(dict(ordered.values).get("number", 0)) if ordered.message == REPORT else 0,
            detail=text,
        )

    def _step_of(self, ask: str) -> str:
        _, runs = self._asked(ask)
        run = self._runs.get(runs[0]) if runs else None
        return run.step if run is not None else ""

    def known(self, incident: str, sheet: str) -> None:
        """An incident, of the time before or just opened, has its number from here on."""
        self._numbers.setdefault(incident, len(self._numbers) + 1)
        self._sheets[incident] = sheet

    def follow(self, decision: r.Decision) -> None:
        for event in decision.events:
            self._event(decision.at, event)

    def _event(self, at: datetime, event: e.Event) -> None:
        match event:
            case e.Opened():
                self.known(event.incident, event.playbook)
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
            case e.Asked():
                self._asks[event.ask] = event
            case e.Ordered():
                self._orders[event.order] = event
            case e.Answered() if event.person:
                self.note(at, What.ANSWERED, person=event.person, outcome=event.verb.value, ask=event.ask)
            case e.AskClosed():
                person, runs = self._asked(event.ask)
                run = self._runs.get(runs[0]) if runs else None
                incident, step = (run.incident, run.step) if run is not None else ("", "")
                self._of(at, What.ASK_OVER, incident, step=step, person=person, outcome=event.outcome, ask=event.ask)
            case e.TaskOpened() | e.TaskLate() | e.TaskClosed():
                self._task(at, event)
            case e.Delivered():
                self._delivered(at, event)
            case e.AccessChanged() | e.AccessWithdrawn():
                held = sum(len(access.held()) for access in self._state().access.values())
                self._of(at, What.ACCESS, event.incident, outcome=str(held))
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
        people = tuple(person for ask in event.asks if (person := self._asked(ask)[0]))
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
        ordered = self._orders.get(event.order) or (known.event if known is not None else None)
        if ordered is None:
            return
        for index, outcome, reason in event.moves:
            person = ordered.recipients[index] if ordered.recipients else ""
            if outcome is Outcome.FAILED:
                self._of(
                    at,
                    What.MISSED,
                    ordered.incidents[0] if ordered.incidents else "",
                    step=ordered.step or self._step_of(ordered.ask),
                    person=person,
                    channel=ordered.channel,
                    message=ordered.message,
                    ask=ordered.ask,
                    detail=reason,
                )
            elif self._worded is not None and outcome in _ARRIVES and (event.order, index) not in self._sent:
                self._sent.add((event.order, index))
                self._got(at, ordered.channel, ordered, person, *self._worded(ordered, person))
