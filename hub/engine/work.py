"""One decision in the making: every event is folded as it is decided, so the state is its fold by construction."""

import heapq
from collections import deque
from datetime import UTC, datetime, timedelta

from hub.engine.fold import fold
from hub.engine.rules import Rules
from hub.engine.state import Incident, State
from hub.model import events as e
from hub.model.ids import Ids
from hub.model.message import Lane
from hub.model.records import VaultEntry
from hub.model.signal import Status
from hub.playbook.language import Outcome

_NEVER = datetime.min.replace(tzinfo=UTC)


class OpenedLately:
    """The incidents in earnest that were opened in a span up to now, the oldest first: kept beside the state, from
    which it is made where it is not known."""

    def __init__(self) -> None:
        self.ids: deque[str] = deque()
        self._times: deque[datetime] = deque()
        self._since: datetime | None = None

    def add(self, state: State, incident: Incident, since: datetime) -> None:
        """`since`: from when on; earlier than at the last call, all of it is made anew."""
        if self._since is None or since < self._since:
            known = sorted((i for i in state.incidents.values() if not i.shadow), key=lambda i: i.opened_at)
            self.ids, self._times = deque(i.id for i in known), deque(i.opened_at for i in known)
        else:
            self.ids.append(incident.id)
            self._times.append(incident.opened_at)
        self._since = since
        while self._times and self._times[0] <= since:
            self._times.popleft()
            self.ids.popleft()


class Work:
    """What the parts of the engine (incidents, steps, chain, replies) are handed: the state to read, the rules in
    force, the time, and the verbs by which they decide."""

    def __init__(self, state: State, rules: Rules, ids: Ids) -> None:
        self.rules = rules
        self.ids = ids
        self.real = self  # the work in earnest
        self.shadow = self  # the work of sheets in shadow (hub/engine/shadow.py)
        self.now = _NEVER
        self.events: list[e.Event] = []
        self.vault: list[VaultEntry] = []
        self.wanted: list[tuple[str, str]] = []  # (run, person) to be asked: merged at the end of each input
        self.moved: dict[str, None] = {}  # incidents whose steps have come to something: what follows begins
        self.exhausted: list[str] = []  # runs whose chain's fallback is to go on
        self.look = False  # the rosters in force may be others: looked at when all facts have been taken
        self.as_sent: list[str] = []  # in shadow: orders that are taken for sent
        self.opened = OpenedLately()
        self.due: list[tuple[datetime, str]] = []  # a heap of the deadlines, also of those that were moved or dropped
        self._state = state

    @property
    def state(self) -> State:
        return self._state

    def begin(self, now: datetime) -> None:
        self.now = now
        self.events, self.vault = [], []

    def emit(self, event: e.Event) -> None:
        self.events.append(event)
        fold(self.state, event, self.now)

    def came_to(self, incident: str, step: str, outcome: Outcome) -> None:
        """A step came to something. What waits for that begins once this input has been worked off."""
        self.emit(e.StepEnded(incident=incident, step=step, outcome=outcome))
        self.moved[incident] = None

    def id(self) -> str:
        return self.ids.new(self.now)

    def deadline(self, name: str, after_s: float, since: datetime | None = None) -> None:
        self.deadline_at(name, (since or self.now) + timedelta(seconds=after_s))

    def deadline_at(self, name: str, at: datetime) -> None:
        self.emit(e.DeadlineSet(deadline=name, at=at))
        heapq.heappush(self.due, (at, name))

    def next_deadline(self) -> datetime | None:
        """When the next deadline falls due."""
        while self.due and self.state.deadlines.get(self.due[0][1]) != self.due[0][0]:
            heapq.heappop(self.due)  # moved or dropped since
        return self.due[0][0] if self.due else None

    def drop(self, name: str) -> None:
        if name in self.state.deadlines:
            self.emit(e.DeadlineDropped(deadline=name))

    def alarm(self, what: str, about: str = "", detail: str = "") -> None:
        """Raises an alarm in the room, once per (what, about) as long as it stands."""
        for standing in self.state.alarms.values():
            if standing.what == what and standing.about == about:
                return
        self.emit(e.AlarmRaised(alarm=self.id(), what=what, about=about, detail=detail))

    def clear(self, what: str, about: str) -> None:
        """An alarm is over, where it stands."""
        for alarm_id, alarm in list(self.state.alarms.items()):
            if alarm.what == what and alarm.about == about:
                self.emit(e.AlarmCleared(alarm=alarm_id))

    def say(
        self,
        message: str,
        person: str,
        channel: str,
        *,
        incidents: tuple[str, ...] = (),
        ask: str = "",
        values: tuple[tuple[str, str], ...] = (),
        status: Status = Status.ACTUAL,
        until: datetime | None = None,
    ) -> None:
        """Sends one person one of the hub's own messages (a confirmation, a stand-down), if the channel reaches them;
        where it speaks, by a text channel that does, because nobody is rung up to be told that nothing is needed.
        `status`: where it is about no incident. `until`: no use sending it after that."""
        first = self.state.incidents.get(incidents[0]) if incidents else None
        status = first.status if first else status
        channel = self.quiet_channel(person, [channel], status)
        if not channel:
            return
        self.emit(
            e.Ordered(
                order=self.id(),
                channel=channel,
                lane=Lane.CONFIRM,
                message=message,
                recipients=(person,),
                incidents=incidents,
                ask=ask,
                signal=first.last if first else "",
                values=(*values, ("sheet", first.playbook)) if first else values,
                status=status,
                until=until,
            )
        )

    def quiet_channel(self, person: str, used: list[str], status: Status) -> str:
        """A channel that reaches the person without ringing: one of those used, else SMS, else whatever was used."""
        for channel in used:
            if not self.rules.speaks(channel) and self.rules.ways(person, channel, status):
                return channel
        if self.rules.ways(person, "sms", status):
            return "sms"
        for channel in used:
            if self.rules.ways(person, channel, status):
                return channel
        return ""
