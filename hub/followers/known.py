"""What a follower's reading of the journal has to know, so that each event says what it is about: a fold of decisions,
much smaller than the engine's state. Pure.

It is a fold like any other: made anew from the journal it is the same, and what is saved of it (hub/followers/place.py)
only saves time.
"""

from msgspec import Struct, field

from hub.engine.state import State
from hub.model.signal import Status

TOLD_MAX = 100  # recipients, or deliveries, that are told one by one


def few(people: tuple[str, ...]) -> tuple[str, ...]:
    """Those whom something goes to, where they are not too many to be told one by one."""
    return people if len(people) <= TOLD_MAX else ()


class KnownIncident(Struct, kw_only=True, gc=False):
    """`parts`: ids of all that is known of it besides, to be forgotten with it."""

    playbook: str
    version: str
    status: Status
    parts: list[str] = field(default_factory=list)


class KnownRun(Struct, kw_only=True, gc=False):
    incident: str
    step: str
    chain: str
    tier: int = -1
    round: int = 0


class KnownAsk(Struct, kw_only=True, gc=False):
    person: str
    incidents: tuple[str, ...]


class KnownOrder(Struct, kw_only=True, gc=False):
    """`to`: empty where it goes to many."""

    incidents: tuple[str, ...]
    channel: str
    message: str
    step: str = ""
    ask: str = ""
    broadcast: str = ""
    to: tuple[str, ...] = ()


class KnownTask(Struct, kw_only=True, gc=False):
    incident: str
    step: str
    index: int


class KnownAlarm(Struct, kw_only=True, gc=False):
    incidents: tuple[str, ...]
    name: str


class Known(Struct, kw_only=True, gc=False):
    """All that is open, as decision `after` left it. `broadcasts`: those of incidents, also what is only proposed."""

    after: str = ""
    incidents: dict[str, KnownIncident] = field(default_factory=dict)
    runs: dict[str, KnownRun] = field(default_factory=dict)
    asks: dict[str, KnownAsk] = field(default_factory=dict)
    orders: dict[str, KnownOrder] = field(default_factory=dict)
    tasks: dict[str, KnownTask] = field(default_factory=dict)
    broadcasts: dict[str, str] = field(default_factory=dict)
    alarms: dict[str, KnownAlarm] = field(default_factory=dict)

    def belongs(self, part: str, *incidents: str) -> None:
        """A run, an ask, an order, a task, a broadcast or an alarm is part of incidents."""
        for incident in incidents:
            if known := self.incidents.get(incident):
                known.parts.append(part)

    def about(self, what: str) -> tuple[str, ...]:
        """The incidents that an alarm is about, by its words: an incident, a task, an order or a broadcast comes first
        in them."""
        first = what.partition(" ")[0]
        if first in self.incidents:
            return (first,)
        if task := self.tasks.get(first):
            return (task.incident,)
        if order := self.orders.get(first):
            return order.incidents
        return (self.broadcasts[first],) if first in self.broadcasts else ()

    def forget(self, incident: str) -> None:
        """Nothing more will be told of an incident. What it shares with others goes with the last of them."""
        gone = self.incidents.pop(incident, None)
        for part in gone.parts if gone is not None else ():
            for kind in (self.runs, self.tasks, self.broadcasts):
                kind.pop(part, None)
            for shared in (self.asks, self.orders, self.alarms):
                one = shared.get(part)
                if one is not None and not any(i in self.incidents for i in one.incidents):
                    del shared[part]


def known_of(state: State) -> Known:
    """As the engine's state has it, for a follower that begins now."""
    known = Known(after=state.decision)
    for i in state.incidents.values():
        if not i.shadow:
            known.incidents[i.id] = KnownIncident(playbook=i.playbook, version=i.version, status=i.status)
    for run in state.runs.values():
        known.runs[run.id] = KnownRun(
            incident=run.incident, step=run.step, chain=run.chain.id, tier=run.tier, round=run.round
        )
        known.belongs(run.id, run.incident)
    for ask in state.asks.values():
        of = tuple(dict.fromkeys(state.runs[r].incident for r in ask.runs if r in state.runs))
        known.asks[ask.id] = KnownAsk(person=ask.person, incidents=of)
        known.belongs(ask.id, *of)
    for order in state.orders.values():
        event = order.event
        if not any(i in known.incidents for i in event.incidents):
            continue
        known.orders[event.order] = KnownOrder(
            incidents=event.incidents,
            channel=event.channel,
            message=event.message,
            step=event.step,
            ask=event.ask,
            broadcast=event.broadcast,
            to=few(event.recipients),
        )
        known.belongs(event.order, *event.incidents)
    for task in state.tasks.values():
        known.tasks[task.id] = KnownTask(incident=task.incident, step=task.step, index=task.index)
        known.belongs(task.id, task.incident)
    of_incidents = {b.id: b.incident for b in state.broadcasts.values()}
    of_incidents |= {proposed: p.incident for proposed, p in state.proposals.items()}
    for broadcast, incident in of_incidents.items():
        if incident in known.incidents:
            known.broadcasts[broadcast] = incident
            known.belongs(broadcast, incident)
    for alarm_id, alarm in state.alarms.items():
        if about := known.about(alarm.about):
            known.alarms[alarm_id] = KnownAlarm(incidents=about, name=alarm.what)
            known.belongs(alarm_id, *about)
    return known
