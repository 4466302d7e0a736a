"""Quiet by intent: silences, and causes that are known. What wakes nobody while one holds, and what becomes of it when
it ends.

An incident is opened all the same, signals join it, and it is seen in the room; only its steps do not begin. What a
person starts by hand is never held back, and nothing of severity Extreme, unless its silence says so in so many words.
"""

from hub.engine import steps
from hub.engine.state import Incident
from hub.engine.work import Work
from hub.model import events as e
from hub.model.quiet import Quiet, Seen, Silence
from hub.model.records import Fact, SilenceLifted, SilenceSet


def holding(w: Work, incident: Incident, signal: Seen) -> str:
    """What holds a signal's incident back now: a silence, or another incident that is its cause; `""` for nothing."""
    for silence_id, silence in w.real.state.silences.items():
        if silence.start <= w.now < silence.until and _meets(silence.what, incident.playbook, signal):
            return silence_id
    return _cause(w, incident, signal)


def _cause(w: Work, incident: Incident, signal: Seen) -> str:
    """The open incident that a sheet names as its cause; `""` for none, or for what is of severity Extreme."""
    sheet = w.rules.playbook(incident.playbook, incident.version)
    if sheet is None or not sheet.quiet_while or signal.extreme:
        return ""
    for other in w.real.state.incidents.values():
        if other.id == incident.id or other.ended or other.shadow or other.status is not incident.status:
            continue
        for cause in sheet.quiet_while:
            if other.playbook == cause.sheet and (not cause.same_area or _within(signal, other.places)):
                return other.id
    return ""


def _within(signal: Seen, places: tuple[str, ...]) -> bool:
    """Whether all that a signal touches is touched by the cause, too."""
    return bool(signal.areas) and all(area and set(area) <= set(places) for area in signal.areas)


def _meets(what: Quiet, sheet: str, signal: Seen) -> bool:
    """All of the signal must be meant: one that is also about something else is not silenced."""
    return (
        (not what.sheets or sheet in what.sheets)
        and (not what.sources or signal.source in what.sources)
        and (what.gravest or not signal.extreme)
        and (not what.hazards or all(hazard in what.hazards for hazard in signal.hazards))
        and (not what.areas or (bool(signal.areas) and all(_lies_in(what, places) for places in signal.areas)))
    )


def _lies_in(what: Quiet, places: tuple[str, ...]) -> bool:
    """Whether an area lies in those meant: what it touches besides them is in them, or around them. A warning for the
    whole Region touches every commune, and is not silenced with one of them."""
    meant = set(what.areas)
    return bool(meant & set(places)) and meant | set(what.around) >= set(places)


def silenced(w: Work, fact: Fact, body: SilenceSet) -> None:
    silence = body.silence
    if silence.until <= w.now:
        return
    w.emit(e.Silenced(id=fact.id, silence=silence))
    w.deadline_at(f"silence {fact.id}", silence.until)


def lifted(w: Work, body: SilenceLifted) -> None:
    if body.silence in w.state.silences:
        w.drop(f"silence {body.silence}")
        ended(w, body.silence, body.by, body.why)


def ended(w: Work, silence_id: str, by: str = "", why: str = "") -> None:
    """The room hears what was held back, and what is still open goes its way."""
    silence = w.state.silences[silence_id]
    w.emit(e.SilenceEnded(id=silence_id, by=by, why=why))
    _release(w, silence_id, "silence-over", _said(silence))


def cause_over(w: Work, cause: Incident) -> None:
    """An incident has ended: what was quiet because of it goes its way, where it is still open. (Nothing was quiet
    because of one in shadow: what is held back there waits for those in earnest.)"""
    _release(w, cause.id, "cause-over", f"{cause.playbook} is over, and had")


def _release(w: Work, holding_id: str, alarm: str, said: str) -> None:
    for work in (w.real, w.shadow):
        _release_here(work, holding_id, alarm, said)


def _release_here(w: Work, holding_id: str, alarm: str, said: str) -> None:
    held = [i for i in w.state.incidents.values() if i.held_by == holding_id]
    if held:
        w.alarm(alarm, holding_id, f"{said} held back: {' '.join(i.id for i in held)}")
    for incident in held:
        assert incident.held_for is not None
        if other := holding(w, incident, incident.held_for):
            w.emit(e.HeldBack(incident=incident.id, silence=other, seen=incident.held_for))
            continue
        w.emit(e.Released(incident=incident.id))
        if not incident.ended:
            steps.begin_sheet(w, incident)


def _said(silence: Silence) -> str:
    return f"the silence of {silence.by} ({silence.why})"
