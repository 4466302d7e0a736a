"""Handing over: who goes and who comes are told ahead of time, and the room of gaps and double bookings.

What has been told is in the state (`State.duties`, `State.rosters_told`), so that nothing is told twice, and what turns
out otherwise (a replacement entered after the notice went out) is put right with those whom it concerns, and no others.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from hub.engine.state import Duty
from hub.engine.work import Work
from hub.model import events as e
from hub.model.people import Roster
from hub.people.ahead import DOUBLE, GAP, near
from hub.people.rosters import Handover, changes, handovers, next_handover, on_duty

LOOK = "look rosters"
OF_USE = timedelta(hours=1)  # how long after a handover its notice is still worth sending
_MOMENT = timedelta(microseconds=1)
_AGAIN = timedelta(days=30)  # a roster with no handover in sight is looked at again after this long


def looked(w: Work) -> None:
    """The rosters in force may be others than before, or the hub was down: everything is looked at."""
    told = {name: roster for name, roster in w.rules.rosters.items() if roster.notice_s > 0}
    for name in [name for name in w.state.duties if name not in told]:
        w.drop(f"handover {name}")
        w.emit(e.DutyForgotten(roster=name))
    for roster in told.values():
        _look(w, roster)
    look_ahead(w)


def handover_due(w: Work, name: str) -> None:
    """The deadline of a roster's next notice has come."""
    roster = w.rules.rosters.get(name)
    if roster is not None and roster.notice_s > 0:
        _look(w, roster)


def look_ahead(w: Work) -> None:
    """Gaps and double bookings: the room is told of each once, and no longer when it is over or mended."""
    found, again = near(w.rules.rosters, w.now)
    words = tuple(sorted(map(str, found)))
    if words != w.state.rosters_told:
        told = set(w.state.rosters_told)
        about = {(t.what, t.about) for t in found if str(t) in told}
        for alarm_id, alarm in list(w.state.alarms.items()):
            if alarm.what in (GAP, DOUBLE) and (alarm.what, alarm.about) not in about:
                w.emit(e.AlarmCleared(alarm=alarm_id))
        for trouble in found:
            if str(trouble) not in told:
                w.alarm(trouble.what, trouble.about, trouble.detail)
        w.emit(e.RostersLooked(told=words))
    _due_at(w, LOOK, again)


def _look(w: Work, roster: Roster) -> None:
    """Tells what is due of one roster, puts right what has been told wrongly, and sets the next deadline."""
    now, notice = w.now, timedelta(seconds=roster.notice_s)
    known = w.state.duties.get(roster.id)
    ahead = handovers(roster, now, now + notice + _MOMENT)
    passed: tuple[Handover, ...] = ()
    people = on_duty(roster, now)
    told: dict[datetime, Handover] = {}
    if known is not None:
        told = _told(roster.id, known)
        passed = handovers(roster, known.until, now + _MOMENT)
        real = {_essence(handover) for handover in (*passed, *ahead)}
        wrong = [handover for handover in told.values() if _essence(handover) not in real]
        before = told.get(passed[-1].at) if passed else None
        _tell_late(w, roster, _believed(known, now), people, passed[-1] if passed else None, before)
        gone = _tell_gone(w, roster, _believed(known, now), people)
        _put_right(w, roster, wrong, gone)
    for handover in ahead:
        _tell(w, roster, handover, told.get(handover.at))
    said = tuple((h.at, h.off, h.on) for h in ahead)
    if known is None or passed or known.told != said or set(known.people) != set(people):
        w.emit(e.DutyTold(roster=roster.id, until=now, people=people, told=said))
    following = next_handover(roster, now + notice)
    if following is not None:
        _due_at(w, f"handover {roster.id}", following - notice)
    else:
        _due_at(w, f"handover {roster.id}", now + _AGAIN if changes(roster) else None)


def _told(roster: str, known: Duty) -> dict[datetime, Handover]:
    return {at: Handover(roster=roster, at=at, off=off, on=on) for at, off, on in known.told}


def _believed(known: Duty, now: datetime) -> tuple[str, ...]:
    """Who is on duty by what they were told."""
    people = known.people
    for at, off, on in known.told:
        if at <= now:
            people = tuple(dict.fromkeys(person for person in (*people, *on) if person not in off))
    return people


def _essence(handover: Handover) -> tuple[datetime, frozenset[str], frozenset[str]]:
    return handover.at, frozenset(handover.off), frozenset(handover.on)


def _tell_late(
    w: Work,
    roster: Roster,
    believed: tuple[str, ...],
    people: tuple[str, ...],
    latest: Handover | None,
    before: Handover | None,
) -> None:
    """Of handovers that nobody was told of in time only the latest counts, and only for whoever has come. `before`:
    what has been told of the same instant."""
    came = set(latest.on) - set(before.on if before is not None else ()) if latest is not None else set[str]()
    for person in people:
        if person in came or person not in believed:
            others = (latest.off if latest is not None else ()) or tuple(p for p in believed if p not in people)
            _say(w, roster, "hub.duty-now", person, w.now, others or _besides(people, person))


def _tell_gone(w: Work, roster: Roster, believed: tuple[str, ...], people: tuple[str, ...]) -> tuple[str, ...]:
    """Where the roster was changed for this very moment, who has gone hears of it. Not where a handover was missed:
    they have gone at their time. Returns who was told."""
    if w.state.deadlines.get(f"handover {roster.id}", w.now) <= w.now:
        return ()
    gone = tuple(person for person in believed if person not in people)
    for person in gone:
        _say(w, roster, "hub.duty-ends", person, w.now, people)
    return gone


def _put_right(w: Work, roster: Roster, wrong: list[Handover], gone: tuple[str, ...]) -> None:
    """Who was told of a handover that is none any more. `gone`: who has heard just now that they are off duty."""
    for handover in wrong:
        at = max(handover.at, w.now)
        people = on_duty(roster, at)
        for person in handover.on:
            if person not in people and not (at == w.now and person in gone):
                _say(w, roster, "hub.duty-ends", person, at, people)
        if handover.at > w.now:  # else they have been told that it is theirs now
            for person in handover.off:
                if person in people:
                    _say(w, roster, "hub.duty-begins", person, at, on_duty(roster, at - _MOMENT))


def _tell(w: Work, roster: Roster, handover: Handover, before: Handover | None) -> None:
    """Both sides of a handover ahead. `before`: what they have been told of the same instant."""
    came, went = (set(before.on), set(before.off)) if before is not None else (set[str](), set[str]())
    for person in handover.on:
        if person not in came:
            others = handover.off or _besides(on_duty(roster, handover.at - _MOMENT), person)
            _say(w, roster, "hub.duty-begins", person, handover.at, others)
    for person in handover.off:
        if person not in went or came != set(handover.on):
            _say(w, roster, "hub.duty-ends", person, handover.at, on_duty(roster, handover.at))


def _besides(people: Iterable[str], person: str) -> tuple[str, ...]:
    return tuple(other for other in people if other != person)


def _say(w: Work, roster: Roster, message: str, person: str, at: datetime, others: Iterable[str]) -> None:
    status = w.rules.status
    w.say(
        message,
        person,
        w.quiet_channel(person, ["sms", *w.rules.channels(person)], status),
        values=(("roster", roster.id), ("at", at.isoformat()), ("others", ",".join(others))),
        status=status,
        until=at + OF_USE,
    )


def _due_at(w: Work, name: str, at: datetime | None) -> None:
    if at is None:
        w.drop(name)
    elif w.state.deadlines.get(name) != at:
        w.deadline_at(name, at)
