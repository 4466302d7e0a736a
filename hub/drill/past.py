"""What an exercise has come to, from the journal of a running hub: its decisions, but for those of anything else.

An exercise is known by the facts that it handed in; an incident is its own where one of its signals opened or joined
it; runs, asks, orders and tasks are its own where their incident is.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from hub.dispatch.render import Rendered
from hub.drill.recorder import Recorder
from hub.engine.state import State
from hub.journal.codec import decode_decision
from hub.journal.reader import Reader
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import made_at
from hub.model.people import Language
from hub.people.directory import Directory

_texts = msgspec.json.Decoder(dict[Language, Rendered])


class Past:
    """`facts`: ids of what the exercise handed in; more may be added. `follow` reads on; `recorder` has the moments.
    `voices`: the channels that ring."""

    def __init__(self, reader: Reader, start: datetime, directory: Directory, voices: frozenset[str]) -> None:
        self.facts: set[str] = set()
        self.incidents: dict[str, bool] = {}  # ours → whether they are over
        self._running: set[str] = set()
        self._waiting: dict[str, set[int]] = {}  # orders → deliveries of which nothing is known
        self._ours: set[str] = set()  # ids of incidents, runs, asks, orders, tasks
        self._reader = reader
        self._directory = directory
        self._voices = voices
        self._place = reader.last()
        state = State()
        self.recorder = Recorder(start, lambda: state, directory, self._worded)

    @property
    def busy(self) -> bool:
        """Whether a chain of the exercise runs, or something of it is still to go out."""
        return bool(self._running or self._waiting)

    def follow(self) -> int:
        """Reads what was decided since. Returns how many moments are new."""
        before = len(self.recorder.moments)
        for row in self._reader.rows(after=self._place, type_="decision"):
            self._place = row.seq
            decision = decode_decision(row.body)
            mine = self._mine(decision.events)
            if mine:
                self.recorder.follow(r.Decision(id=decision.id, at=decision.at, events=mine))
        return len(self.recorder.moments) - before

    def _mine(self, events: Sequence[e.Event]) -> tuple[e.Event, ...]:
        for event in events:
            if isinstance(event, e.Joined) and event.signal in self.facts and event.incident not in self._ours:
                self._ours.add(event.incident)
                self.incidents.setdefault(event.incident, False)
                if not any(isinstance(other, e.Opened) and other.incident == event.incident for other in events):
                    self.recorder.known(event.incident, self._sheet(event.incident))
        return tuple(event for event in events if self._keeps(event))

    def _sheet(self, incident: str) -> str:
        """The sheet of an incident of the time before: the exercise was held already, an hour ago, say."""
        for row in self._reader.rows(since=made_at(incident) - 1.0, type_="decision"):
            for event in decode_decision(row.body).events:
                if isinstance(event, e.Opened) and event.incident == incident:
                    return event.playbook
        return ""

    def _keeps(self, event: e.Event) -> bool:
        """Whether it is the exercise's; what comes of it is from then on, too."""
        ours = self._ours
        match event:
            case e.Opened() | e.Reopened() | e.Ended():
                if event.incident in ours:
                    self.incidents[event.incident] = isinstance(event, e.Ended)
            case e.RunBegan():
                if event.incident in ours:
                    ours.add(event.run)
                    self._running.add(event.run)
            case e.RunEnded():
                self._running.discard(event.run)
            case e.Asked():
                if not ours.isdisjoint(event.runs):
                    ours.add(event.ask)
            case e.TaskOpened():
                if event.incident in ours:
                    ours.add(event.task)
            case e.Ordered():
                if event.ask in ours or not ours.isdisjoint(event.incidents):
                    ours.add(event.order)
                    self._waiting[event.order] = set(range(event.size or len(event.recipients)))
            case e.OrderWithdrawn():
                self._waiting.pop(event.order, None)
            case e.Delivered():
                self._moved(event)
            case e.AlarmRaised():
                return not ours.isdisjoint(event.about.split())
            case _:
                pass
        subjects = (getattr(event, name, "") for name in _SUBJECTS)
        return any(subject in ours for subject in subjects if subject)

    def _moved(self, event: e.Delivered) -> None:
        left = self._waiting.get(event.order)
        if left is not None:
            left.difference_update(index for index, _, _ in event.moves)
            if not left:
                del self._waiting[event.order]

    def _worded(self, ordered: e.Ordered, person: str) -> tuple[Language, str]:
        """As it went out. Nothing where it was erased since."""
        language = self._directory.language(person)
        attempts = self._reader.attempts_of([ordered.order])
        (entry,) = self._reader.vault([attempts[-1].vault]) if attempts and attempts[-1].vault else (None,)
        text = _texts.decode(entry.payload).get(language) if entry is not None else None
        if text is None:
            return language, ""
        return language, (text.voice if ordered.channel in self._voices else "") or text.text


_SUBJECTS = ("incident", "run", "ask", "order", "task")
