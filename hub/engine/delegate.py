"""Somebody else is asked in one's place: "not me, call X"."""

from hub.engine import chain
from hub.engine.state import Ask, Run
from hub.engine.work import Work


def delegate(w: Work, ask: Ask, to: str) -> bool:
    """Asks somebody in another's place, in the same round. False where that cannot be: nothing reaches them, they have
    declined themselves, or they are who says so."""
    runs = [w.state.runs[r] for r in ask.runs if r in w.state.runs and not w.state.runs[r].outcome]
    able = [run for run in runs if _can_take(w, run, to)]
    if to == ask.person or not able:
        return False
    chain.close_only(w, ask, "delegated")
    chain.close_twins(w, ask, "delegated")
    for run in able:
        being_asked = any(w.state.asks[a].person == to and not w.state.asks[a].outcome for a in run.asks)
        if to not in run.accepted and not being_asked:
            w.wanted.append((run.id, to))
    waiting = {run_id for run_id, _ in w.wanted}
    for run in runs:
        if run.id not in waiting and not run.held:
            chain.look_on(w, run)
    return True


def _can_take(w: Work, run: Run, person: str) -> bool:
    """Whether somebody can be asked in another's place, or has accepted already."""
    if person in run.accepted:
        return True
    tier = run.chain.tiers[run.tier]
    status = w.state.incidents[run.incident].status
    return person not in run.declined and any(w.rules.ways(person, channel, status) for channel in tier.by)
