"""Who may come in: on behalf of which open incident, from when to when, and that the reception hears of each change.

The engine knows places on the list, not who has them: what an approved request says is read by hub/access, and names
lie in the vault. All is withdrawn at once when the incident ends, its time is over, or its sender takes it back.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from hub.engine.notify import Telling, tell
from hub.engine.state import Access, Incident
from hub.engine.work import Work
from hub.model import events as e
from hub.model import records as r
from hub.model.enclosure import AccessSheet
from hub.model.people import Classification
from hub.model.signal import Status
from hub.playbook.language import SIGNAL, After, Call, Condition, Outcome, Playbook

MESSAGE = "hub.access-list"
ABOUT = "access-list"
PROBLEM, CHANGED, ENDS = "access-problem", "access-changed", "access-ends"  # alarms
WITHDRAWN_S = 20.0  # who may not come in any more is told of sooner than who may
AHEAD = timedelta(minutes=30)  # the room hears that the time is nearly over


def want(w: Work, incident: Incident, step: str) -> None:
    """A step lets the people of its request in: their list has to be read."""
    if w is not w.real:
        w.came_to(incident.id, step, Outcome.GRANTED)  # in shadow nobody is let in
        return
    w.emit(e.AccessWanted(wanted=w.id(), incident=incident.id, step=step, signal=incident.last))


def said_anew(w: Work, incident: Incident) -> None:
    """The request was updated: what it says of people, rooms and times counts from here on."""
    access = w.state.access.get(incident.id)
    asked = {wanted.step: None for wanted in w.state.access_wanted.values() if wanted.incident == incident.id}
    if access is not None and access.over in ("", "over"):
        asked[access.step] = None
    for step in asked:
        w.emit(e.AccessWanted(wanted=w.id(), incident=incident.id, step=step, signal=incident.last))


def changed(w: Work, fact: r.Fact, body: r.AccessChanged) -> None:
    """The list is changed: as a request says, or by an officer."""
    if body.wanted:
        wanted = w.state.access_wanted.get(body.wanted)
        if wanted is not None:  # else its incident is over meanwhile: nobody is let in
            _granted(w, fact, body, wanted)
        return
    for incident, removed in _by_incident(w.state.access, body):
        access, known = w.state.access.get(incident), w.state.incidents.get(incident)
        own = incident == body.incident and known is not None and not known.ended  # else it has ended meanwhile
        if access is None or not (removed or (own and (not access.over or body.until or body.rooms))):
            continue
        before = set(access.held())
        w.emit(
            e.AccessChanged(
                change=fact.id,
                incident=incident,
                by=body.by,
                why=body.why,
                added=body.added if own else (),
                removed=removed,
                rooms=body.rooms if own else (),
                until=body.until if own else None,
            )
        )
        if body.until is not None and own:
            _until(w, access)
        if access.held() and known is not None:
            _came_to(w, known, access.step, granted=True)
        if before != set(access.held()) or body.until is not None or (body.rooms and access.held()):
            _tell_soon(w, access.status, urgent=bool(before - set(access.held())))


def _granted(w: Work, fact: r.Fact, body: r.AccessChanged, wanted: e.AccessWanted) -> None:
    incident = w.state.incidents[wanted.incident]
    known = w.state.access.get(incident.id)
    before = set(known.held()) if known is not None else set()
    playbook = w.rules.playbook(incident.playbook, incident.version)
    asked = known.word if known is not None and known.word is not None and not known.over else body.until
    until = asked if asked is not None and asked > w.now else None
    stands = until is None and bool(before)  # what cannot be made out changes nothing for who is on it
    w.emit(
        e.AccessChanged(
            change=fact.id,
            incident=incident.id,
            wanted=body.wanted,
            added=() if stands else body.added,
            removed=() if stands else body.removed,
            rooms=body.rooms or (known.rooms if known is not None else ()),
            start=body.start,
            until=None if stands else until or w.now,  # nobody, until an officer says until when
            approved=() if playbook is None else _approved(w, incident, playbook, wanted.step),
        )
    )
    access = w.state.access.get(incident.id)
    w.clear(PROBLEM, incident.id)
    if body.problem:
        w.alarm(PROBLEM, incident.id, body.problem)
    if access is not None and until is not None:
        _until(w, access)
    held = set() if access is None else set(access.held())
    if not incident.outcomes.get(wanted.step) or held:
        first = _came_to(w, incident, wanted.step, granted=bool(held))
    else:
        first = False
    if not first and held != before:
        w.clear(CHANGED, incident.id)
        detail = f"by what the request says anew: {len(held - before)} more, {len(before - held)} fewer"
        w.alarm(CHANGED, incident.id, detail)
    if access is not None and (held or before):
        _tell_soon(w, access.status, urgent=bool(before - held))


def _came_to(w: Work, incident: Incident, step: str, *, granted: bool) -> bool:
    """Whether it is the first time that anybody is let in, or that nobody can be."""
    outcome = Outcome.GRANTED if granted else Outcome.FAILED
    if incident.ended or outcome in incident.outcomes.get(step, ()):
        return False
    w.came_to(incident.id, step, outcome)
    return True


def withdraw(w: Work, incident: Incident, why: str) -> None:
    """Nobody comes in on its behalf any more."""
    access = w.state.access.get(incident.id)
    asked = [one.step for one in w.state.access_wanted.values() if one.incident == incident.id]
    if not asked and (access is None or access.over not in ("", "over") or access.over == why):
        return
    held = {} if access is None else access.held()
    w.emit(e.AccessWithdrawn(incident=incident.id, why=why))
    for deadline in (f"access {incident.id}", f"access-ends {incident.id}"):
        w.drop(deadline)
    for alarm in (PROBLEM, ENDS):
        w.clear(alarm, incident.id)
    if not incident.ended and (asked or held):
        for step in dict.fromkeys((*asked, *([access.step] if access is not None else []))):
            w.came_to(incident.id, step, Outcome.WITHDRAWN)
    if access is not None and held:
        _tell_soon(w, access.status, urgent=True)


def over(w: Work, incident: str) -> None:
    """Its time is over."""
    if incident in w.state.incidents:
        withdraw(w, w.state.incidents[incident], "over")


def nearly_over(w: Work, incident: str) -> None:
    access = w.state.access.get(incident)
    if access is not None and access.held():
        w.alarm(ENDS, incident, f"{len(access.held())} on the list until {access.until:%Y-%m-%d %H:%M}Z")


def tell_now(w: Work, status: Status) -> None:
    """The reception gets the list as it is now."""
    reception = w.rules.reception()
    if reception is None:
        return
    telling = Telling(
        message=MESSAGE,
        to=reception.to,
        by=reception.by,
        about=ABOUT,
        status=status,
        encloses=AccessSheet(sees=Classification.PUBLIC),
    )
    tell(w, telling)


def _until(w: Work, access: Access) -> None:
    w.clear(ENDS, access.incident)
    w.deadline_at(f"access {access.incident}", access.until)
    if access.until - AHEAD > w.now:
        w.deadline_at(f"access-ends {access.incident}", access.until - AHEAD)
    else:
        w.drop(f"access-ends {access.incident}")


def _tell_soon(w: Work, status: Status, *, urgent: bool) -> None:
    """Several changes within a few minutes make one message, which goes out no later than the first of them wants."""
    reception = w.rules.reception()
    if reception is None:
        return
    name = f"access-list {status}"
    at = w.now + timedelta(seconds=min(WITHDRAWN_S, reception.gather_s) if urgent else reception.gather_s)
    standing = w.state.deadlines.get(name)
    if standing is None or at < standing:
        w.deadline_at(name, at)


def _by_incident(known: Mapping[str, Access], body: r.AccessChanged) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each incident that is concerned, with who is taken out of it."""
    places = {place: access.incident for access in known.values() for place in access.places}
    removed: dict[str, list[str]] = {body.incident: []} if body.incident else {}
    for place in body.removed:
        if place in places:
            removed.setdefault(places[place], []).append(place)
    for incident, those in removed.items():
        yield incident, tuple(those)


def _approved(w: Work, incident: Incident, playbook: Playbook, step: str) -> tuple[str, ...]:
    """Who said yes: those who accepted the nearest call that the step waited for."""
    steps = {one.name: one for one in playbook.steps}
    nearest, seen = [step], set[str]()
    while nearest:
        before = [a for name in nearest for a in waits_for(steps[name].after) if a.step != SIGNAL]
        calls = [a.step for a in before if a.outcome is Outcome.ACCEPTED and isinstance(steps[a.step].action, Call)]
        runs = [w.state.runs[run] for run in incident.runs if run in w.state.runs]
        accepted = [person for run in runs if run.step in calls for person in run.accepted]
        if accepted:
            return tuple(dict.fromkeys(accepted))
        seen.update(nearest)
        nearest = [name for name in dict.fromkeys(a.step for a in before) if name not in seen]
    return ()


def waits_for(condition: Condition | None) -> Sequence[After]:
    return () if condition is None else (*condition.any, *condition.all)
