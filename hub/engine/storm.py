"""Storms: when much happens at once, nobody drowns in messages, and somebody hears that it is a storm.

Nothing is dropped. What tells a person something (no ask, no answer to an answer) goes through as long as they had
fewer than so many messages over that channel in the span, and always where it is the first that they get of an
incident; the rest they get as one digest, as soon as there is room for it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from hub.engine import chain
from hub.engine.state import Incident
from hub.engine.work import Work
from hub.model import events as e
from hub.model.message import Lane
from hub.model.signal import Status

DIGEST = "hub.digest"
STORM = "hub.storm"  # what whoever reinforces the room is asked
ALARM = "storm"


def admits(w: Work, person: str, channel: str, incident: Incident) -> bool:
    """Whether a message about an incident goes out by itself."""
    limits = w.rules.storms()
    recent = _recent(w, person, channel, limits.messages_s)
    return len(recent) < limits.messages or not _heard_of(w, person, channel, incident)


def digest(w: Work, person: str, channel: str, incident: Incident, *, clears: bool = False) -> None:
    """Keeps a message for the person's next digest."""
    w.emit(e.Digested(person=person, channel=channel, incident=incident.id, status=incident.status, clears=clears))
    name = f"digest {person} {channel} {incident.status}"
    if name not in w.state.deadlines:
        span_s = w.rules.storms().messages_s
        recent = _recent(w, person, channel, span_s)
        w.deadline(name, span_s, recent[0] if recent else None)


def due(w: Work, person: str, channel: str, status: Status) -> None:
    """There is room for a digest."""
    kept = w.state.digests.get(f"{person} {channel} {status}")
    if kept is None:
        return
    w.emit(e.DigestSent(person=person, channel=channel, status=status))
    incidents = [w.state.incidents[i] for i in kept.counts if i in w.state.incidents]
    values = (
        ("count", str(sum(kept.counts.values()))),
        ("sheets", ",".join(dict.fromkeys(kept.sheets.values()))),
        ("over", str(len(kept.over))),
    )
    w.emit(
        e.Ordered(
            order=w.id(),
            channel=channel,
            lane=Lane.NOTIFY,
            message=DIGEST,
            recipients=(person,),
            incidents=tuple(i.id for i in incidents),
            values=values,
            status=status,
        )
    )


def opened(w: Work, incident: Incident) -> None:
    """An incident was opened: when that makes very many in a short time, the room hears of it, and a chain asks for
    more hands."""
    limits = w.rules.storms()
    w.opened.add(w.state, incident, w.now - timedelta(seconds=limits.incidents_s))
    if incident.held_by:
        return  # what is to wake nobody is no storm
    standing = [alarm_id for alarm_id, alarm in w.state.alarms.items() if alarm.what == ALARM]
    # Who counts all of them each time has no time left when they are many.
    newest = list(islice(_alike(w, incident), limits.incidents + 1)) if len(w.opened.ids) > limits.incidents else ()
    if len(newest) <= limits.incidents:
        for alarm_id in standing:
            w.emit(e.AlarmCleared(alarm=alarm_id))
        return
    if standing:
        return
    recent = list(_alike(w, incident))[::-1]
    by_sheet: dict[str, int] = {}
    for one in recent:
        by_sheet[one.playbook] = by_sheet.get(one.playbook, 0) + 1
    told = ", ".join(f"{sheet} {count}" for sheet, count in by_sheet.items())
    w.alarm(ALARM, incident.id, f"{len(recent)} incidents in {limits.incidents_s / 60:g} min: {told}")
    if limits.call and w.rules.chain(limits.call) is not None and not incident.shadow:
        chain.start(w, incident, ALARM, limits.call, STORM)


def _alike(w: Work, incident: Incident) -> Iterator[Incident]:
    """Those opened lately that make a storm with it, the newest first."""
    for id_ in reversed(w.opened.ids):
        one = w.state.incidents.get(id_)
        if one is not None and one.status is incident.status and not one.held_by:
            yield one


def _recent(w: Work, person: str, channel: str, span_s: float) -> list[datetime]:
    known = w.state.people.get(person)
    since = w.now - timedelta(seconds=span_s)
    return [at for at in known.told.get(channel, ()) if at > since] if known is not None else []


def _heard_of(w: Work, person: str, channel: str, incident: Incident) -> bool:
    orders = (w.state.orders[o].event for o in incident.orders[incident.since :] if o in w.state.orders)
    return any(person in order.recipients and order.channel == channel for order in orders)
