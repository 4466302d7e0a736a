"""What officers do with a chain under way: hold, resume, cancel, begin again, hand over. Each with who and why."""

from hub.engine import chain
from hub.engine.state import Incident, Run
from hub.engine.work import Work
from hub.model import events as e
from hub.model.message import OUTCOME_RANK, Outcome
from hub.model.people import Chain, Steer
from hub.model.records import ChainSteered
from hub.people import quorum
from hub.playbook.language import Outcome as StepOutcome


def impossible(run: Run | None, incident: Incident | None, act: Steer) -> str:
    """Why an act cannot be done to a run as it stands, and what could be; `""` where it can."""
    if run is None or incident is None:
        return "there is no such chain under way: see `chains` in the status"
    if incident.ended:
        return "its incident has ended: nobody is called for it any more"
    if act is Steer.AGAIN:
        return "" if run.outcome else "it is still running: hold it, cancel it or hand it over"
    if run.outcome:
        return f"it has ended ({run.outcome}): begin it again"
    if act is Steer.HOLD and run.held:
        return "it is held already"
    if act is Steer.RESUME and not run.held:
        return "it is not held"
    return ""


def steered(w: Work, body: ChainSteered) -> None:
    run = w.state.runs.get(body.run)
    incident = w.state.incidents.get(run.incident) if run is not None else None
    if run is None or incident is None or impossible(run, incident, body.act):
        return  # whoever asked was told so, unless it changed in that very moment
    match body.act:
        case Steer.HOLD:
            _hold(w, run, body)
        case Steer.RESUME:
            w.emit(e.RunResumed(run=run.id, by=body.by))
            _resume(w, run)
        case Steer.CANCEL:
            _end(w, run, body, "cancelled")
            w.came_to(incident.id, run.step, StepOutcome.CANCELLED)
        case Steer.AGAIN:
            _again(w, run, body)
        case Steer.HAND_OVER:
            _hand_over(w, run, body)


def _hold(w: Work, run: Run, body: ChainSteered) -> None:
    w.emit(e.RunHeld(run=run.id, by=body.by, why=body.why))
    _let_be(w, run)


def _end(w: Work, run: Run, body: ChainSteered, outcome: str) -> None:
    w.emit(e.RunEnded(run=run.id, outcome=outcome, by=tuple(run.accepted), officer=body.by, why=body.why))
    chain.stand_down(w, run, tell=True)


def _again(w: Work, run: Run, body: ChainSteered) -> None:
    """Whoever accepted still counts, if the chain was not filled; if it was, others are wanted now."""
    current = w.rules.chain(run.chain.id) or run.chain
    if run.outcome == "accepted":
        _begin(w, run, body, current, (), (*run.passed, *run.accepted))
    else:
        _begin(w, run, body, current, tuple(run.accepted), tuple(run.passed))


def _hand_over(w: Work, run: Run, body: ChainSteered) -> None:
    other = w.rules.chain(body.to)
    if other is not None:
        _end(w, run, body, "handed-over")
        _begin(w, run, body, other, tuple(run.accepted), tuple(run.passed))
        return
    w.emit(e.RunTaken(run=run.id, person=body.to, by=body.by, why=body.why))
    _taken(w, run, body.to)


def _begin(
    w: Work, run: Run, body: ChainSteered, chain_now: Chain, accepted: tuple[str, ...], passed: tuple[str, ...]
) -> None:
    chain.begin(
        w,
        e.RunBegan(
            run=w.id(),
            incident=run.incident,
            step=run.step,
            chain=chain_now,
            message=run.message,
            accepted=accepted,
            passed=passed,
            officer=body.by,
            why=body.why,
            verify=run.verify,
        ),
    )


def _let_be(w: Work, run: Run) -> None:
    """Nothing more happens by itself to those who are being asked for held runs only."""
    for ask in [w.state.asks[a] for a in run.asks]:
        if not ask.outcome and chain.held(w, ask):
            w.drop(f"answer {ask.id}")
            w.drop(f"channel {ask.id}")


def _resume(w: Work, run: Run) -> None:
    """Who is still being asked has the whole time to answer again."""
    for ask in [w.state.asks[a] for a in run.asks]:
        if ask.outcome or f"channel {ask.id}" in w.state.deadlines or f"answer {ask.id}" in w.state.deadlines:
            continue  # another run went on with it
        latest = w.state.orders.get(ask.orders[-1])
        if latest is not None and latest.states[0] >= OUTCOME_RANK[Outcome.FAILED]:
            chain.fail_over(w, ask)
        elif ask.sent_at is None:
            w.deadline(f"channel {ask.id}", chain.GUARD_S)
        else:
            if len(ask.orders) < len(ask.by):
                w.deadline(f"channel {ask.id}", ask.between_s)
        if ask.sent_at is not None and not ask.outcome:
            w.deadline(f"answer {ask.id}", ask.answer_s)
    if not run.outcome:
        chain.look_on(w, run)


def _taken(w: Work, run: Run, person: str) -> None:
    """Somebody has accepted, an officer says: as if they had answered."""
    for ask in [w.state.asks[a] for a in run.asks]:
        if ask.person == person and not ask.outcome:
            chain.close(w, ask, "accepted")
            return
    if quorum.reached(run.chain, run.accepted, w.rules.plays):
        chain.filled(w, run)
        return
    chain.let_off(w, run)
    if not run.held:
        chain.look_on(w, run)
