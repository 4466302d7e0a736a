"""The directory, the rosters and the modes of sheets change while chains run. Whoever is asked next is asked as they
are now: the rules in force are swapped before the engine takes the change (hub.decider); here is what follows for those
being asked."""

from datetime import datetime, timedelta

from hub.engine import chain
from hub.engine.work import Work
from hub.model import events as e
from hub.model import records as r

KEPT_S = 90 * 86400.0  # how long who was on duty can still be told, once a change of a roster is over


def person_changed(w: Work, fact: r.Fact, body: r.PersonChanged) -> None:
    w.emit(
        e.PersonEdited(change=fact.id, person=body.person, by=body.by, why=body.why, removed=body.removed),
    )
    w.look = True
    let_go(w, body.person)


def roster_changed(w: Work, fact: r.Fact, body: r.RosterChanged) -> None:
    w.look = True
    w.emit(e.RosterEdited(change=fact.id, roster=body.roster, overrides=body.overrides, by=body.by, why=body.why))
    ends = [datetime.fromisoformat(override.end) for override in body.overrides]
    w.deadline_at(f"change {fact.id}", max(ends, default=w.now) + timedelta(seconds=KEPT_S))


def mode_set(w: Work, fact: r.Fact, body: r.ModeSet) -> None:
    """What is open goes on as it was opened."""
    w.emit(e.ModeChanged(change=fact.id, sheet=body.sheet, mode=body.mode, by=body.by, why=body.why))


def part_changed(w: Work, fact: r.Fact, body: r.PartChanged) -> None:
    """Who is being asked goes on being asked, whatever became of the group or the roster that named them."""
    w.look = True
    edited = e.PartEdited(
        change=fact.id, part=body.part, name=body.name, by=body.by, why=body.why, removed=body.removed
    )
    w.emit(edited)


def reverted(w: Work, change: str, by: str, why: str) -> None:
    people = [person for person, known in w.state.edited.items() if known.change == change]
    if any(known.change == change for known in w.state.modes.values()):
        w.emit(e.Reverted(change=change, by=by, why=why))
        return
    parts = any(known.change == change for known in w.state.parts.values())
    if not people and not parts and change not in w.state.rosters:
        return  # it was reverted, or another one took its place, in that very moment
    w.look = True
    w.drop(f"change {change}")
    w.emit(e.Reverted(change=change, by=by, why=why))
    for person in people:
        let_go(w, person)


def let_go(w: Work, person: str) -> None:
    """Somebody who is not in the directory any more is asked nothing: whoever is next is asked. They are not told:
    there is no address of theirs left, and the one there was may have been a stranger's."""
    if w.rules.knows(person):
        return
    for ask in [a for a in w.state.asks.values() if a.person == person and not a.outcome]:
        chain.close(w, ask, "stood-down")
