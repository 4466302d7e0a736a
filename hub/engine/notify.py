"""Telling people something that wants no answer: for a step, for an officer, on a rhythm."""

from collections.abc import Sequence

import msgspec

from hub.engine import storm
from hub.engine.state import Incident
from hub.engine.work import Work
from hub.model import events as e
from hub.model.enclosure import AccessSheet, CallList, ContactSheet, Enclosure, Report
from hub.model.message import Lane
from hub.model.people import Classification, Contact
from hub.model.records import VaultEntry
from hub.model.signal import Status
from hub.playbook.language import Outcome

CHUNK = 100  # an audience larger than this is frozen in the vault and goes out in chunks of this size


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """What is told, to whom, over which channels (all of them). `about`: for alarms, `INCIDENT STEP` or `call-list`.
    `incident` and `step`: on whose behalf. `encloses`: a document goes along, made for what each may see; `sees` of it
    is filled in. `values` fill the message."""

    message: str
    to: tuple[Contact, ...]
    by: tuple[str, ...]
    about: str
    incident: Incident | None = None
    step: str = ""
    status: Status = Status.ACTUAL
    encloses: Enclosure | None = None
    values: tuple[tuple[str, str], ...] = ()


def tell(w: Work, telling: Telling) -> bool:
    """Orders it. Whom it cannot reach, the room hears of; False where that is everybody."""
    people, sent, ordered = w.rules.people(telling.to, w.now), False, False
    channels = [channel for channel in telling.by if _carries(w, channel, telling.encloses)]
    for channel in channels:
        reachable = tuple(p for p in people if w.rules.ways(p, channel, telling.status))
        for enclosed, those in _by_enclosure(w, reachable, telling.encloses):
            if at_once := _without_digests(w, telling, channel, those):
                _order(w, telling, channel, at_once, enclosed)
                ordered = True
            sent = True
    if sent and not ordered and telling.incident is not None and telling.step:
        w.came_to(telling.incident.id, telling.step, Outcome.SENT)  # in digests, all of it: no receipt will say so
    unreached = [p for p in people if not any(w.rules.ways(p, c, telling.status) for c in channels)]
    if unreached:
        w.alarm("no-address", telling.about, " ".join(unreached[:20]))
    if not sent:
        w.alarm("nobody-to-notify", telling.about, " ".join(f"{c.kind} {c.id}" for c in telling.to))
    return sent


def _without_digests(w: Work, telling: Telling, channel: str, people: tuple[str, ...]) -> tuple[str, ...]:
    """Those who are told at once; who has had enough for now gets it in a digest."""
    incident = telling.incident
    if incident is None or telling.encloses is not None or len(people) > CHUNK:
        return people
    at_once = tuple(p for p in people if storm.admits(w, p, channel, incident))
    for person in people:
        if person not in at_once:
            storm.digest(w, person, channel, incident)
    return at_once


def _carries(w: Work, channel: str, enclosed: Enclosure | None) -> bool:
    """A contact sheet goes as words where no file can; lists and reports are files; none is read out."""
    if enclosed is None:
        return True
    if isinstance(enclosed, CallList | AccessSheet | Report):
        return w.rules.carries(channel)
    return not w.rules.speaks(channel)


def _by_enclosure(
    w: Work, people: tuple[str, ...], wanted: Enclosure | None
) -> Sequence[tuple[Enclosure | None, tuple[str, ...]]]:
    """Nobody gets more than they may see: an order for each classification."""
    if not people:
        return ()
    if wanted is None:
        return ((None, people),)
    groups: dict[Classification, list[str]] = {}
    for person in people:
        groups.setdefault(w.rules.sees(person), []).append(person)
    return [(_for(wanted, sees), tuple(those)) for sees, those in groups.items()]


def _for(wanted: Enclosure, sees: Classification) -> Enclosure:
    if isinstance(wanted, CallList):
        return CallList(hours=wanted.hours, sees=sees)
    if isinstance(wanted, AccessSheet):
        return AccessSheet(sees=sees)
    if isinstance(wanted, Report):
        return Report(report=wanted.report, sees=sees)
    return ContactSheet(contacts=wanted.contacts, sees=sees)


def _order(w: Work, telling: Telling, channel: str, people: tuple[str, ...], enclosed: Enclosure | None) -> None:
    order, incident = w.id(), telling.incident
    large = len(people) > CHUNK
    if large:
        about = incident.id if incident is not None else ""
        w.vault.append(VaultEntry(key=order, payload=msgspec.json.encode(people), about=about))
    w.emit(
        e.Ordered(
            order=order,
            channel=channel,
            lane=Lane.MASS if large else Lane.NOTIFY,
            message=telling.message,
            recipients=() if large else people,
            audience=order if large else "",
            size=len(people) if large else 0,
            addresses=max(w.rules.ways(p, channel, telling.status) for p in people) if large else 1,
            incidents=(incident.id,) if incident is not None else (),
            signal=incident.last if incident is not None else "",
            values=(*((("sheet", incident.playbook),) if incident is not None else ()), *telling.values),
            status=telling.status,
            step=telling.step,
            enclosed=enclosed,
        )
    )
