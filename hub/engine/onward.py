"""What is no ask and has failed goes on to the person's next address on that channel, and the room hears who was not
reached by any. (An ask's next address is one of its channels: hub/engine/chain.py.)

A large audience is known here by its indexes only. What fails of it is gathered for `GATHER_S` before its next
addresses are used, so that many receipts lead to few orders.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from hub.engine.state import Incident, Order
from hub.engine.work import Work
from hub.model import events as e
from hub.model.broadcast import Kind
from hub.model.message import OUTCOME_RANK, Outcome
from hub.playbook.language import Outcome as StepOutcome

NOT_REACHED = "not-reached"
GATHER_S = 10.0
BROADCAST_S = 6 * 3600.0  # how long after its beginning a broadcast goes on to next addresses: what is old does harm
NAMED_MAX = 20  # people an alarm names

_FAILED = OUTCOME_RANK[Outcome.FAILED]


def moved(w: Work, order: Order, moves: Iterable[tuple[int, Outcome, str]], unheard: bool) -> None:
    """Something became known of deliveries of an order that is no ask; of some for the first time (`unheard`)."""
    failed = [index for index, outcome, _ in moves if outcome is Outcome.FAILED]
    if failed and order.event.audience:
        ev = order.event
        if (ev.step or ev.address + 1 < ev.addresses) and _deadline(order) not in w.state.deadlines:
            w.deadline(_deadline(order), GATHER_S)
        return
    if failed:
        _go_on(w, order, failed)
    if failed or unheard:
        _judge(w, order)


def due(w: Work, order_id: str) -> None:
    """What has failed of a large audience was gathered for long enough."""
    order = w.state.orders.get(order_id)
    if order is not None:
        _go_on(w, order, [i for i in order.meant() if order.states[i] == _FAILED])
        _judge(w, order)


def _go_on(w: Work, order: Order, failed: Sequence[int]) -> None:
    """Orders the next address for those who have one, once."""
    ev = order.event
    following = tuple(i for i in failed if i not in order.followed and has_next(w, ev, i))
    if not following or order.withdrawn or not _wanted(w, ev):
        return
    w.emit(
        replace(
            ev,
            order=w.id(),
            address=ev.address + 1,
            only=() if len(following) == len(order.states) else following,
            after=ev.order,
        )
    )


def has_next(w: Work, ev: e.Ordered, index: int) -> bool:
    """Whether who is meant has (or, in a large audience, may have) another address on that channel."""
    if ev.audience:
        return ev.address + 1 < ev.addresses
    return ev.address + 1 < w.rules.ways(ev.recipients[index], ev.channel, ev.status)


def _wanted(w: Work, ev: e.Ordered) -> bool:
    """Whether it is still of use: not when it is too late, nor, but for the all-clear, when all is over."""
    if ev.until is not None and w.now > ev.until:
        return False
    if ev.broadcast:
        return _broadcast_wanted(w, ev.broadcast)
    known = [w.state.incidents[i] for i in ev.incidents if i in w.state.incidents]
    return ev.clears or not known or not all(incident.ended for incident in known)


def _broadcast_wanted(w: Work, broadcast_id: str) -> bool:
    """Not when somebody has stopped it, nor when what follows it says something else by now."""
    broadcast = w.state.broadcasts.get(broadcast_id)
    if broadcast is None or broadcast.began_at is None or broadcast.outcome == "stopped":
        return False
    if (w.now - broadcast.began_at).total_seconds() > BROADCAST_S:
        return False
    followers = [f for f in w.state.broadcasts.values() if f.follows == broadcast_id]
    return not any(
        f.began_at is not None or (f.kind is Kind.CORRECTION and f.outcome not in ("lapsed", "discarded"))
        for f in followers
    )


def waits(w: Work, order: Order) -> bool:
    """Whether what failed of it is being gathered for its next addresses."""
    return _deadline(order) in w.state.deadlines


# --- what a step comes to ----------------------------------------------------------------------------------


def _judge(w: Work, order: Order) -> None:
    """Whether the order's step has failed for everybody, and whom it did not reach."""
    ev = order.event
    if not ev.step or ev.ask:
        return
    for incident in [w.state.incidents[i] for i in ev.incidents if i in w.state.incidents]:
        mine = _round(w, incident, order)
        if any(not one.settled or waits(w, one) for one in mine):
            continue
        nobody = all(one.states[i] >= _FAILED for one in mine for i in one.meant())
        if nobody and StepOutcome.FAILED not in incident.outcomes.get(ev.step, ()):
            w.came_to(incident.id, ev.step, StepOutcome.FAILED)
        if lost := _lost(mine):
            _tell(w, f"{incident.id} {ev.step}", lost)


def _round(w: Work, incident: Incident, order: Order) -> list[Order]:
    """The orders of one beginning of a step: over all its channels, and the next addresses that followed."""
    began = _first(w, order).at
    orders = [w.state.orders[o] for o in incident.orders if o in w.state.orders]
    return [o for o in orders if o.event.step == order.event.step and _first(w, o).at == began and not o.event.ask]


def _first(w: Work, order: Order) -> Order:
    while order.event.after in w.state.orders:
        order = w.state.orders[order.event.after]
    return order


def _lost(orders: Sequence[Order]) -> str:
    """Who was reached by none of a step's orders, in words; `""` where everybody was."""
    if any(order.event.audience for order in orders):
        return _lost_of_crowds(orders)
    reached: dict[str, bool] = {}
    for order in orders:
        for index in order.meant():
            person = order.event.recipients[index]
            reached[person] = reached.get(person, False) or order.states[index] != _FAILED
    people = [person for person, was in reached.items() if not was]
    more = f" and {len(people) - NAMED_MAX} more" if len(people) > NAMED_MAX else ""
    return " ".join(people[:NAMED_MAX]) + more


def _lost_of_crowds(orders: Sequence[Order]) -> str:
    """The same in numbers, by channel: who is behind an index of several audiences is not known here. Nothing as long
    as one of the channels has reached everybody it went to."""
    lost: dict[str, set[int]] = {}
    sizes: dict[str, int] = {}
    for order in orders:
        channel = order.event.channel
        if channel not in lost:
            lost[channel] = set(order.meant())
            sizes[channel] = len(lost[channel])
        lost[channel].difference_update([i for i in order.meant() if order.states[i] != _FAILED])
    if not all(lost.values()):
        return ""
    return ", ".join(f"{len(lost[channel])} of {sizes[channel]} people by {channel}" for channel in lost)


def _tell(w: Work, about: str, lost: str) -> None:
    """One alarm for a step, whoever else is added to it."""
    detail = f"none of their addresses worked: {lost}"
    for alarm_id, alarm in w.state.alarms.items():
        if alarm.what == NOT_REACHED and alarm.about == about:
            if alarm.detail != detail:
                w.emit(e.AlarmRaised(alarm=alarm_id, what=NOT_REACHED, about=about, detail=detail))
            return
    w.alarm(NOT_REACHED, about, detail)


def _deadline(order: Order) -> str:
    return f"address {order.event.order}"
