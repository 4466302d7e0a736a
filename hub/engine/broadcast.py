"""Broadcasts: one message to very many, at a person's word.

Drafted, it waits until enough different people stand behind it; released, its audience is frozen and goes out in
parts. It can be held, resumed and stopped, and be followed by an all-clear or a correction to exactly those it reached.
What sheets want drafted: hub/engine/proposals.py.
"""

from collections.abc import Iterable

import msgspec

from hub.engine import onward
from hub.engine.reach import REACHED
from hub.engine.state import Broadcast
from hub.engine.work import Work
from hub.model import events as e
from hub.model.broadcast import Content, Control, Kind, Proposal, bit
from hub.model.message import Lane
from hub.model.records import BroadcastControlled, BroadcastDrafted, BroadcastReleased, Fact, VaultEntry
from hub.playbook.language import Outcome as StepOutcome

DRAFT_S = 24 * 3600.0  # a draft that nobody releases lapses
FOLLOWED_S = 7 * 24 * 3600.0  # how long after its end a broadcast can still be followed by another
PART = 5_000  # of an audience in one order: no record grows with the town
MESSAGE = "broadcast"  # what its orders call their message; the words are its own
WAITS = "broadcast-waits"


def drafted(w: Work, fact: Fact, body: BroadcastDrafted) -> None:
    proposal = w.state.proposals.get(body.proposed)
    if body.proposed and proposal is None:
        return  # it was drafted already before the hub went down, or its incident is over meanwhile
    w.emit(
        e.BroadcastDrafted(
            broadcast=fact.id,
            kind=body.kind,
            group=body.group,
            by=body.by,
            people=body.people,
            sizes=body.sizes,
            texts=fact.vault,
            follows=body.follows,
            status=body.status,
            proposed=body.proposed,
            incident=proposal.incident if proposal is not None else "",
            sheet=proposal.sheet if proposal is not None else "",
            step=proposal.step if proposal is not None else "",
            cap=body.cap,
        )
    )
    w.deadline(f"draft {fact.id}", DRAFT_S)
    if body.kind is Kind.CORRECTION and body.follows in w.state.broadcasts:
        stop(w, w.state.broadcasts[body.follows], body.by, body.why)
    if proposal is not None:
        _wait_for_people(w, w.state.broadcasts[fact.id], proposal)
    elif body.people > 1:
        w.alarm(WAITS, fact.id, f"drafted by {body.by}: somebody else has to release it")


def _wait_for_people(w: Work, broadcast: Broadcast, proposal: Proposal) -> None:
    """The room hears that a sheet's draft waits, and so does whoever has taken its incident on."""
    who = "somebody has" if broadcast.people == 1 else f"{broadcast.people} people have"
    w.alarm(WAITS, broadcast.id, f"drafted by the sheet {proposal.sheet} ({broadcast.kind}): {who} to release it")
    _came_to(w, broadcast, StepOutcome.DRAFTED)
    incident = w.state.incidents.get(broadcast.incident)
    runs = incident.runs if incident is not None else ()
    for person in dict.fromkeys(person for run in runs for person in w.state.runs[run].accepted):
        _tell_waiting(w, broadcast, person)


def tell_waiting(w: Work, person: str, incidents: Iterable[str]) -> None:
    """Somebody takes incidents on: which drafts of theirs wait."""
    for broadcast in list(w.state.broadcasts.values()):
        if broadcast.incident in incidents and broadcast.began_at is None and not broadcast.outcome:
            _tell_waiting(w, broadcast, person)


def _tell_waiting(w: Work, broadcast: Broadcast, person: str) -> None:
    incident = w.state.incidents.get(broadcast.incident)
    if incident is not None:
        channel = w.quiet_channel(person, incident.reached.get(person, ["sms"]), incident.status)
        count = (("count", str(broadcast.lacking)),)
        w.say("hub.broadcast-waits", person, channel, incidents=(incident.id,), values=count)


def _came_to(w: Work, broadcast: Broadcast, outcome: StepOutcome) -> None:
    """What it means for the sheet's step that wanted it."""
    if broadcast.step and broadcast.incident in w.state.incidents:
        w.came_to(broadcast.incident, broadcast.step, outcome)


def impossible(broadcast: Broadcast | None, act: Control) -> str:
    """Why an act cannot be done, and what can; `""` when it can."""
    if broadcast is None:
        return "there is no such broadcast: see `broadcasts` in the status"
    if broadcast.outcome:
        return f"it is over ({broadcast.outcome}): draft an all-clear or a correction that follows it"
    if act is not Control.STOP and broadcast.began_at is None:
        return "it has not begun: release it, or stop it"
    if act is Control.HOLD and broadcast.held:
        return "it is held already: resume or stop it"
    if act is Control.RESUME and not broadcast.held:
        return "it is not held"
    return ""


def released(w: Work, body: BroadcastReleased, content: Content | None) -> None:
    """One more stands behind it; with the last that is needed it begins."""
    broadcast = w.state.broadcasts.get(body.broadcast)
    if broadcast is None or broadcast.outcome or broadcast.began_at is not None:
        return
    if body.by in (broadcast.by, *broadcast.released) and broadcast.people > 1:
        return  # the same person twice is one person; whoever asks is told so before it becomes a fact
    w.emit(e.BroadcastReleased(broadcast=broadcast.id, by=body.by))
    if broadcast.lacking:
        return
    w.drop(f"draft {broadcast.id}")
    _clear_alarm(w, broadcast.id)
    w.emit(e.BroadcastBegan(broadcast=broadcast.id))
    if content is None:
        w.alarm("broadcast-erased", broadcast.id, "its words or its audience were erased before it was released")
    else:
        _came_to(w, broadcast, StepOutcome.RELEASED)
        _order(w, broadcast, content)
        _catch_up(w, broadcast, content)
    _end_if_over(w, broadcast)


def _order(w: Work, broadcast: Broadcast, content: Content) -> None:
    for channel, people in content.audience.items():
        at, by_address = content.at.get(channel, {}), dict[int, list[str]]()
        for person in people:
            by_address.setdefault(at.get(person, 0), []).append(person)
        for address, those in by_address.items():
            for start in range(0, len(those), PART):
                part = tuple(those[start : start + PART])
                _order_part(w, broadcast, channel, address, content.ways.get(channel, 1), part)


def _order_part(
    w: Work, broadcast: Broadcast, channel: str, address: int, addresses: int, part: tuple[str, ...]
) -> None:
    order = w.id()
    w.vault.append(VaultEntry(key=order, payload=msgspec.json.encode(part), about=broadcast.id))
    w.emit(
        e.Ordered(
            order=order,
            channel=channel,
            lane=Lane.MASS,
            message=MESSAGE,
            address=address,
            addresses=addresses,
            audience=order,
            size=len(part),
            status=broadcast.status,
            broadcast=broadcast.id,
            texts=broadcast.texts,
        )
    )


def _catch_up(w: Work, broadcast: Broadcast, content: Content) -> None:
    """Whom the broadcast it follows reached after its audience was made."""
    followed = w.state.broadcasts.get(broadcast.follows)
    for order_id in followed.orders if followed is not None else ():
        order = w.state.orders.get(order_id)
        if order is None:
            continue
        seen = content.seen.get(order_id, b"")
        late = tuple(i for i, state in enumerate(order.states) if state in REACHED and not bit(seen, i))
        _tell(w, broadcast, order.event, late)


def _tell(w: Work, broadcast: Broadcast, order: e.Ordered, indexes: tuple[int, ...]) -> None:
    """What a broadcast says, to some of whom an order of the one it follows reached."""
    if not indexes:
        return
    w.emit(
        e.Ordered(
            order=w.id(),
            channel=order.channel,
            lane=Lane.MASS,
            message=MESSAGE,
            address=order.address,
            addresses=order.addresses,
            audience=order.audience,
            size=order.size,
            only=() if len(indexes) == order.size else indexes,
            status=broadcast.status,
            broadcast=broadcast.id,
            texts=broadcast.texts,
        )
    )


def moved(w: Work, order: e.Ordered, reached: tuple[int, ...]) -> None:
    """Deliveries of a broadcast moved on; `reached`: those that have only now reached somebody. Who hears it late
    hears late, too, what followed it."""
    broadcast = w.state.broadcasts.get(order.broadcast)
    if broadcast is None:
        return
    if reached:
        for follower in list(w.state.broadcasts.values()):
            if follower.follows == broadcast.id and follower.began_at is not None and follower.outcome != "stopped":
                _tell(w, follower, order, reached)
        incident = w.state.incidents.get(broadcast.incident)
        if incident and not broadcast.outcome and StepOutcome.SENT not in incident.outcomes.get(broadcast.step, ()):
            _came_to(w, broadcast, StepOutcome.SENT)
    _end_if_over(w, broadcast)


def gathered(w: Work, order: e.Ordered) -> None:
    """What failed of an order has gone on to next addresses, or has none."""
    broadcast = w.state.broadcasts.get(order.broadcast)
    if broadcast is None:
        return
    for order_id in _unfinished(w, broadcast) if broadcast.held else ():
        if not w.state.orders[order_id].held:
            w.emit(e.OrderHeld(order=order_id))
    _end_if_over(w, broadcast)


def controlled(w: Work, body: BroadcastControlled) -> None:
    broadcast = w.state.broadcasts.get(body.broadcast)
    if broadcast is None or impossible(broadcast, body.act):
        return
    if body.act is Control.STOP:
        stop(w, broadcast, body.by, body.why)
    elif body.act is Control.HOLD:
        w.emit(e.BroadcastHeld(broadcast=broadcast.id, by=body.by, why=body.why))
        for order_id in _unfinished(w, broadcast):
            w.emit(e.OrderHeld(order=order_id))
    else:
        w.emit(e.BroadcastResumed(broadcast=broadcast.id, by=body.by))
        for order_id in _unfinished(w, broadcast):
            w.emit(e.OrderResumed(order=order_id))


def lapsed(w: Work, broadcast_id: str) -> None:
    """Nobody released a draft in time."""
    broadcast = w.state.broadcasts.get(broadcast_id)
    if broadcast is not None and broadcast.began_at is None and not broadcast.outcome:
        _clear_alarm(w, broadcast_id)
        _end(w, broadcast, "lapsed")
        _came_to(w, broadcast, StepOutcome.LAPSED)


def stop(w: Work, broadcast: Broadcast, by: str, why: str, comes_to: StepOutcome = StepOutcome.WITHDRAWN) -> None:
    """Nothing more of it goes out. `comes_to`: what the step that wanted it comes to."""
    if broadcast.outcome:
        return
    for order_id in _unfinished(w, broadcast):
        w.emit(e.OrderWithdrawn(order=order_id, why="stopped"))
    w.drop(f"draft {broadcast.id}")
    _clear_alarm(w, broadcast.id)
    _end(w, broadcast, "stopped" if broadcast.began_at is not None else "discarded", by, why)
    _came_to(w, broadcast, comes_to)


def _end_if_over(w: Work, broadcast: Broadcast) -> None:
    if broadcast.outcome or broadcast.began_at is None or _unfinished(w, broadcast):
        return
    _end(w, broadcast, "done")
    if not any(state in REACHED for order in broadcast.orders for state in w.state.orders[order].states):
        _came_to(w, broadcast, StepOutcome.FAILED)


def forget(w: Work, broadcast_id: str) -> None:
    """Nothing can follow it any more; what belongs to an open incident is kept, for its all-clear."""
    broadcast = w.state.broadcasts.get(broadcast_id)
    if broadcast is None:
        return
    incident = w.state.incidents.get(broadcast.incident)
    if incident is not None and not incident.ended:
        w.deadline(f"forget-broadcast {broadcast_id}", FOLLOWED_S)
    else:
        w.emit(e.BroadcastForgotten(broadcast=broadcast_id))


def _end(w: Work, broadcast: Broadcast, outcome: str, by: str = "", why: str = "") -> None:
    w.emit(e.BroadcastEnded(broadcast=broadcast.id, outcome=outcome, by=by, why=why))
    w.deadline(f"forget-broadcast {broadcast.id}", FOLLOWED_S)


def _unfinished(w: Work, broadcast: Broadcast) -> list[str]:
    """Orders of which something is still to go out, be it to the next address of who was not reached."""
    known = [w.state.orders[o] for o in broadcast.orders if o in w.state.orders]
    return [one.event.order for one in known if not one.over or (not one.withdrawn and onward.waits(w, one))]


def _clear_alarm(w: Work, broadcast: str) -> None:
    for alarm_id, alarm in list(w.state.alarms.items()):
        if alarm.what == WAITS and alarm.about == broadcast:
            w.emit(e.AlarmCleared(alarm=alarm_id))
