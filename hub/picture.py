"""The picture of the moment for whoever looks at it (the live view, `/api/status`): made of the state, never kept."""

from collections import deque
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from hub.engine.shadow import LANGUAGES
from hub.engine.state import Ask, Broadcast, Incident, Order, Run, State
from hub.model import events as e
from hub.model import records as r
from hub.model.message import OUTCOME_RANK, Lane, Outcome
from hub.model.quiet import Silence

RECENT = 60
SHOWN = 20  # asks of a chain that are shown one by one; of more, only how many

NOT_SENT = "not sent"  # what becomes of an order in shadow

_WORDS = {OUTCOME_RANK[o]: str(o) for o in Outcome} | {0: "waiting"}


_UNHEARD: dict[str, Any] = {"health": "?", "reason": "", "signals": 0, "at": None}


class Recent:
    """The last deliveries and signals, as decisions and facts go by."""

    def __init__(self, shadow: Collection[str] = ()) -> None:
        """`shadow`: the sources on trial."""
        self._shadow = frozenset(shadow)
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=RECENT)
        self.sources: dict[str, dict[str, Any]] = {}
        self._by_order: dict[str, dict[str, Any]] = {}

    def decided(self, decision: r.Decision) -> None:
        for event in decision.events:
            if isinstance(event, e.InShadow):
                if isinstance(event.event, e.Ordered):
                    self._ordered(event.event, decision.at, outcome=NOT_SENT)
            elif isinstance(event, e.Ordered):
                self._ordered(event, decision.at)
            elif isinstance(event, e.Delivered) and event.order in self._by_order:
                shown = self._by_order[event.order]
                shown["outcome"] = str(event.moves[-1][1])
                shown["reason"] = event.moves[-1][2]
                shown["at"] = decision.at

    def _ordered(self, event: e.Ordered, at: datetime, outcome: str = "waiting") -> None:
        if len(self.deliveries) == self.deliveries.maxlen:
            self._by_order.pop(self.deliveries[0]["order"], None)
        to = event.recipients[0] if len(event.recipients) == 1 else f"{event.size or len(event.recipients)} people"
        shown = {
            "order": event.order,
            "at": at,
            "to": to,
            "channel": event.channel,
            "message": event.message,
            "outcome": outcome,
            "reason": "",
            "status": str(event.status),
            "shadow": outcome == NOT_SENT,
            "language": dict(event.values).get(LANGUAGES, ""),
        }
        self.deliveries.append(shown)
        self._by_order[event.order] = shown

    def took(self, source: str, at: datetime, health: str = "", reason: str = "", signals: int = 0) -> None:
        shown = self.sources.setdefault(source, {**_UNHEARD, "name": source, "shadow": source in self._shadow})
        if health:
            shown["health"], shown["reason"] = health, reason
        if signals:
            shown["signals"] += signals
            shown["at"] = at


def picture(state: State, now: datetime, recent: Recent) -> dict[str, Any]:
    """Everything the live view shows, as JSON-ready values. Holds ids of people, never names or addresses. What is
    marked `shadow` would have been; whatever is counted counts what is."""
    states = (state,) if state.shadow is None else (state, state.shadow)
    return {
        "now": now,
        "stopped": None if state.stopped is None else {"by": state.stopped[0], "why": state.stopped[1]},
        "watch": None if state.watch is None else {"person": state.watch[0], "since": state.watch[1]},
        "sources": sorted(recent.sources.values(), key=lambda s: str(s["name"])),
        "incidents": [_incident(s, i) for s in states for i in s.incidents.values()],
        "chains": [_chain(s, run) for s in states for run in s.runs.values() if not run.outcome],
        "broadcasts": [_broadcast(state, b) for b in state.broadcasts.values()],
        "access": [
            {
                "incident": one.incident,
                "sheet": one.sheet,
                "status": str(one.status),
                "people": len(one.held()),
                "rooms": list(one.rooms),
                "start": one.start,
                "until": one.until,
                "over": one.over,
            }
            for one in state.access.values()
        ],
        "reports": [
            {
                "incident": incident,
                "number": one.number,
                "version": one.version,
                "by": one.by,
                "step": one.step,
                "at": one.at,
                "waits": one.waits,
            }
            for incident, one in state.reports.items()
        ],
        "tasks": [
            {"id": t.id, "incident": t.incident, "step": t.step, "who": t.who, "due": t.due, "late": t.late}
            for t in state.tasks.values()
        ],
        "alarms": [
            {"id": key, "what": a.what, "about": a.about, "detail": a.detail, "at": a.at}
            for key, a in state.alarms.items()
        ],
        "silences": [_silence(state, key, silence, now) for key, silence in state.silences.items()],
        "changes": _changes(state, now),
        "deliveries": list(recent.deliveries),
        "next_deadline": min(state.deadlines.values(), default=None),
    }


def _changes(state: State, now: datetime) -> list[dict[str, Any]]:
    """What is otherwise than the files say: people, groups, organisations, who takes turns, modes of sheets and, as
    long as it matters, who is on duty."""
    people = [
        {"id": c.change, "person": person, "removed": c.removed, "by": c.by, "why": c.why, "at": c.at}
        for person, c in state.edited.items()
    ]
    parts = [
        {"id": c.change, "part": key.partition("/")[0], "name": key.partition("/")[2], "removed": c.removed, "by": c.by,
         "why": c.why, "at": c.at}
        for key, c in state.parts.items()
    ]  # fmt: skip
    sheets = [
        {"id": c.change, "sheet": sheet, "mode": c.mode, "by": c.by, "why": c.why, "at": c.at}
        for sheet, c in state.modes.items()
    ]
    return (
        people
        + parts
        + sheets
        + [
            {"id": key, "roster": c.roster, "by": c.by, "why": c.why, "at": c.at, "overrides": c.overrides}
            for key, c in state.rosters.items()
            if any(datetime.fromisoformat(override.end) > now for override in c.overrides)
        ]
    )


def _silence(state: State, key: str, silence: Silence, now: datetime) -> dict[str, Any]:
    what = silence.what
    return {
        "id": key,
        "by": silence.by,
        "why": silence.why,
        "start": silence.start,
        "until": silence.until,
        "holds": silence.start <= now < silence.until,
        "what": [*what.sheets, *what.hazards, *what.sources, *what.areas],
        "gravest": what.gravest,
        "held_back": [i.id for i in state.incidents.values() if i.held_by == key],
    }


def _broadcast(state: State, broadcast: Broadcast) -> dict[str, Any]:
    channels: dict[str, dict[str, int]] = {}
    for order in [state.orders[o] for o in broadcast.orders if o in state.orders]:
        counts = channels.setdefault(order.event.channel, dict.fromkeys(_WORDS.values(), 0))
        if not order.event.only and not order.followed:
            for rank, word in _WORDS.items():
                counts[word] += order.states.count(rank)
        else:
            for index in order.meant():
                if index not in order.followed:  # who went on to their next address counts there
                    counts[_WORDS[order.states[index]]] += 1
    return {
        "id": broadcast.id,
        "kind": str(broadcast.kind),
        "group": broadcast.group,
        "status": str(broadcast.status),
        "by": broadcast.author,
        "incident": broadcast.incident,
        "released": list(broadcast.released),
        "needs": broadcast.lacking if broadcast.began_at is None else 0,
        "follows": broadcast.follows,
        "people": dict(broadcast.sizes),
        "drafted_at": broadcast.at,
        "began_at": broadcast.began_at,
        "held": broadcast.held,
        "outcome": broadcast.outcome,
        "channels": channels,
    }


def _incident(state: State, incident: Incident) -> dict[str, Any]:
    runs = [state.runs[run] for run in incident.runs if run in state.runs]
    return {
        "id": incident.id,
        "playbook": incident.playbook,
        "status": str(incident.status),
        "key": [k for k in incident.key if k],
        "opened_at": incident.opened_at,
        "ended": incident.ended,
        "shadow": incident.shadow,
        "held_back": bool(incident.held_by),
        "held_by": incident.held_by,
        "accepted": [
            {"step": run.step, "person": person, "at": run.promised.get(person)}
            for run in runs
            for person in run.accepted
        ],
        "signals": len(incident.signals),
        "reached": len(incident.reached),
        "steps": {step: (incident.outcomes.get(step) or ["under way"])[-1] for step in incident.steps},
    }


def _chain(state: State, run: Run) -> dict[str, Any]:
    shadow = state.incidents[run.incident].shadow
    asks = [state.asks[a] for a in run.asks]
    shown = asks if len(asks) <= SHOWN else sorted(asks, key=lambda ask: bool(ask.outcome))[:SHOWN]
    return {
        "id": run.id,
        "chain": run.chain.id,
        "incident": run.incident,
        "step": run.step,
        "tier": run.tier + 1,
        "tiers": len(run.chain.tiers),
        "round": run.round,
        "need": run.chain.need,
        "roles": [f"{role.count} {role}" for role in run.chain.roles],
        "held": run.held,
        "shadow": shadow,
        "accepted": list(run.accepted),
        "promised": run.promised,
        "asking": [
            {
                "person": ask.person,
                "code": "" if shadow else ask.code,
                "outcome": ask.outcome or ("would be asked" if shadow else "asked" if ask.sent_at else "being sent"),
                "by": [
                    {"channel": ask.by[i], "state": "" if shadow or o not in state.orders else _state(state.orders[o])}
                    for i, o in enumerate(ask.orders)
                ],
                "until": state.deadlines.get(f"answer {ask.id}"),
                "next_channel": state.deadlines.get(f"channel {ask.id}"),
            }
            for ask in shown
        ],
        "more": {"open": _open(asks) - _open(shown), "closed": _closed(asks) - _closed(shown)},
    }


def _state(order: Order) -> str:
    return _WORDS[order.states[0]]


def _open(asks: Sequence[Ask]) -> int:
    return sum(not ask.outcome for ask in asks)


def _closed(asks: Sequence[Ask]) -> int:
    return len(asks) - _open(asks)


def waiting(state: State) -> dict[str, int]:
    """How many orders wait for dispatch, by lane."""
    counts = dict.fromkeys((str(lane) for lane in Lane), 0)
    for order in state.orders.values():
        if not order.withdrawn and not all(order.states):
            counts[str(order.event.lane)] += 1
    return counts
