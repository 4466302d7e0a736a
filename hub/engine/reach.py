"""Those whom an incident reached: who hears updates and the all-clear, also where delivery was never confirmed."""

from hub.engine import storm
from hub.engine.state import Incident, counts_as_reached
from hub.engine.work import Work
from hub.model import events as e
from hub.model.message import OUTCOME_RANK, Lane, Outcome
from hub.playbook.language import ALL_CLEAR, Notify, Playbook

REACHED = (OUTCOME_RANK[Outcome.SENT], OUTCOME_RANK[Outcome.DELIVERED])


def all_clear_message(playbook: Playbook | None) -> str:
    """The message of the sheet's own all-clear, or the hub's where the sheet has none."""
    for step in playbook.steps if playbook else ():
        if step.at_end and isinstance(step.action, Notify) and step.action.everyone_reached:
            return step.action.say
    return ALL_CLEAR


def tell_reached(
    w: Work, incident: Incident, message: str, by: tuple[str, ...] = (), step: str = "", *, clears: bool = True
) -> int:
    """A message for exactly those who were reached, also where delivery was never confirmed; as the all-clear
    (`clears`) it goes to each once. Returns how many people it goes to (an audience counts once)."""
    told = _to_reached(w, incident, message, by, step, clears=clears)
    return told + _to_audiences(w, incident, message, clears=clears, step=step)


def _to_reached(
    w: Work, incident: Incident, message: str, by: tuple[str, ...] = (), step: str = "", *, clears: bool
) -> int:
    told = 0
    for person, channels in list(incident.reached.items()):
        if clears and person in incident.told:
            continue
        channel = w.quiet_channel(person, [*by, *channels], incident.status)
        if not channel:
            continue
        if storm.admits(w, person, channel, incident):
            _to_person(w, incident, message, channel, person, clears=clears, step=step)
        else:
            storm.digest(w, person, channel, incident, clears=clears)
        told += 1
    return told


def reached_late(w: Work, incident: Incident, order: e.Ordered, indexes: tuple[int, ...]) -> None:
    """Deliveries turned out to have reached somebody after the incident's end: the all-clear follows them."""
    message = all_clear_message(w.rules.playbook(incident.playbook, incident.version))
    if order.audience:
        _to_audience(w, incident, message, order, indexes, clears=True, step="")
    else:
        _to_reached(w, incident, message, clears=True)


def _to_person(
    w: Work, incident: Incident, message: str, channel: str, person: str, *, clears: bool, step: str
) -> None:
    w.emit(
        e.Ordered(
            order=w.id(),
            channel=channel,
            lane=Lane.CONFIRM if clears else Lane.NOTIFY,
            message=message,
            recipients=(person,),
            incidents=(incident.id,),
            signal=incident.last,
            values=(("sheet", incident.playbook),),
            status=incident.status,
            step=step,
            clears=clears,
        )
    )


def _to_audiences(w: Work, incident: Incident, message: str, *, clears: bool, step: str) -> int:
    """The same for large audiences, whose people are known by their index only."""
    told = 0
    for order_id in incident.orders[incident.since :]:
        order = w.state.orders.get(order_id)
        if order is None or not order.event.audience or not counts_as_reached(order.event):
            continue
        reached = tuple(i for i, s in enumerate(order.states) if s in REACHED)
        if reached:
            _to_audience(w, incident, message, order.event, reached, clears=clears, step=step)
            told += 1
    return told


def _to_audience(
    w: Work, incident: Incident, message: str, order: e.Ordered, indexes: tuple[int, ...], *, clears: bool, step: str
) -> None:
    w.emit(
        e.Ordered(
            order=w.id(),
            channel=order.channel,
            lane=Lane.MASS,
            message=message,
            address=order.address,
            addresses=order.addresses,
            audience=order.audience,
            size=order.size,
            only=() if len(indexes) == order.size else indexes,
            incidents=(incident.id,),
            signal=incident.last,
            values=(("sheet", incident.playbook),),
            status=incident.status,
            step=step,
            clears=clears,
        )
    )
