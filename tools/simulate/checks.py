"""What must hold of a simulated night: safety at any time, liveness once faults have ended and time has passed."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from hub.engine.fold import SHADOW, fold_decision
from hub.engine.state import State
from hub.model import events as e
from hub.model import records as r
from hub.model.message import OUTCOME_RANK, Lane


class Fault(AssertionError):
    """Something that must never happen did, or something that must did not."""


def safe(decisions: Sequence[r.Decision], facts: Sequence[r.Fact], attempts: Collection[r.Attempt]) -> None:
    """Holds whatever went wrong, at any time."""
    in_shadow = {
        ev.event.order
        for d in decisions
        for ev in d.events
        if isinstance(ev, e.InShadow) and isinstance(ev.event, e.Ordered)
    }
    if sent := in_shadow & {attempt.order for attempt in attempts}:
        raise Fault(f"orders in shadow went out: {sent}")
    accepted: set[tuple[str, str]] = set()
    asks: dict[str, e.Asked] = {}
    armed: dict[str, datetime] = {}
    fired: set[tuple[str, datetime]] = set()
    taken: set[str] = set()
    for decision in decisions:
        for fact in decision.took:
            if fact in taken:
                raise Fault(f"fact {fact} was decided on twice")
            taken.add(fact)
        for name in decision.fired:
            if name.startswith(SHADOW):
                continue
            if name not in armed:
                raise Fault(f"deadline {name} fired and was not set, or fired twice")
            if armed[name] > decision.at:
                raise Fault(f"deadline {name} fired before its time")
            fired.add((name, armed.pop(name)))
        for event in decision.events:
            match event:
                case e.DeadlineSet():
                    armed[event.deadline] = event.at
                case e.DeadlineDropped():
                    armed.pop(event.deadline, None)
                case e.Asked():
                    asks[event.ask] = event
                    if any((run, event.person) in accepted for run in event.runs):
                        raise Fault(f"{event.person} accepted and is asked again")
                case e.AskClosed(outcome="accepted"):
                    accepted |= {(run, asks[event.ask].person) for run in asks[event.ask].runs}
                case e.Ordered(lane=Lane.ASK):
                    if all((run, event.recipients[0]) in accepted for run in asks[event.ask].runs):
                        raise Fault(f"{event.recipients[0]} accepted and is rung again")
                case _:
                    pass
    for fact in facts:
        for receipt in fact.body.receipts if isinstance(fact.body, r.ReceiptsReceived) else ():
            if "erased" in receipt.reason:  # nobody erases in these nights
                raise Fault(f"order {receipt.order} lost its audience")


def fold_is_state(decisions: Sequence[r.Decision], live: State) -> None:
    """The state a hub has is the fold of what its journal has, where it has all that."""
    again = State()
    for decision in decisions:
        fold_decision(again, decision)
    if live.decision == again.decision and msgspec.to_builtins(live) != msgspec.to_builtins(again):
        raise Fault("the live state is not the fold of the journal")


def alive(state: State, decisions: Sequence[r.Decision], facts: Sequence[r.Fact]) -> None:
    """Holds once faults have ended and time has passed."""
    took = {fact for d in decisions for fact in d.took}
    for fact in facts:
        if fact.id not in took:
            raise Fault(f"fact {fact.id} was accepted and never decided on")
    if state.silences or any(incident.held_by for incident in state.incidents.values()):
        raise Fault("a silence has no end")
    if state.digests:
        raise Fault(f"messages were kept for a digest that was never sent: {list(state.digests)}")
    for run in state.runs.values():
        if not run.outcome:
            raise Fault(f"chain {run.chain.id} of {run.incident} neither filled nor exhausted")
    for order in state.orders.values():
        if not order.over:
            raise Fault(f"order {order.event.order} was never sent")
    began = {ev.run for d in decisions for ev in d.events if isinstance(ev, e.RunBegan)}
    ended = {ev.run: ev.outcome for d in decisions for ev in d.events if isinstance(ev, e.RunEnded)}
    if began - set(ended):
        raise Fault(f"chains that never ended: {began - set(ended)}")
    _reached_are_told(decisions)
    _counted_once(state, decisions)


def _counted_once(state: State, decisions: Sequence[r.Decision]) -> None:
    """What a dossier counts are the stories that were filed in it, each once."""
    filed = [ev for d in decisions for ev in d.events if isinstance(ev, e.Filed) and not ev.apart]
    if len({(ev.dossier, ev.story) for ev in filed}) != len(filed):
        raise Fault("a story counts twice in a dossier")
    for name, dossier in state.dossiers.items():
        if sum(dossier.days.values()) != sum(ev.dossier == name for ev in filed):
            raise Fault(f"the dossier {name} counts {dossier.days}, and was filed something else")


def _reached_are_told(decisions: Sequence[r.Decision]) -> None:
    """Whoever was reached by an incident that ended has been sent the all-clear, and nobody else."""
    reached: dict[str, set[str]] = {}
    told: dict[str, set[str]] = {}
    ended: set[str] = set()
    orders: dict[str, e.Ordered] = {}
    for decision in decisions:
        for event in decision.events:
            match event:
                case e.Reopened():
                    ended.discard(event.incident)
                    reached.pop(event.incident, None)
                    told.pop(event.incident, None)
                case e.Ended():
                    ended.add(event.incident)
                case e.Ordered():
                    orders[event.order] = event
                    if event.clears and event.recipients:
                        for incident in event.incidents:
                            told.setdefault(incident, set()).update(event.recipients)
                case e.Digested(clears=True):  # that every digest is sent is checked as well
                    told.setdefault(event.incident, set()).add(event.person)
                case e.Delivered():
                    order = orders[event.order]
                    if order.lane == Lane.CONFIRM or order.clears or not order.recipients:
                        continue
                    for index, outcome, _ in event.moves:
                        if OUTCOME_RANK[outcome] in (1, 2):
                            for incident in order.incidents:
                                reached.setdefault(incident, set()).add(order.recipients[index])
                case _:
                    pass
    for incident in ended:
        if reached.get(incident, set()) != told.get(incident, set()):
            raise Fault(f"incident {incident}: reached {reached.get(incident)}, told {told.get(incident)}")
