"""From decisions to what other systems are told: pure.

    for told in tell(known, decision): ...

Whatever a decision says of incidents in earnest, in its order. What sheets in shadow would have done is not told:
nothing follows from it. Of an old or damaged journal, what cannot be placed is left out; nothing here raises.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from hub.followers.known import Known, KnownAlarm, KnownAsk, KnownIncident, KnownOrder, KnownRun, KnownTask, few
from hub.model import events as e
from hub.model import occurrences as o
from hub.model.records import Decision
from hub.playbook.language import SIGNAL


class Told(Struct, frozen=True, gc=False):
    """An event, and the records in whose vault entries the words lie that belong to it (`facts`)."""

    event: o.IncidentEvent
    facts: tuple[str, ...] = ()


class _Said(Struct, frozen=True, gc=False):
    """Of some incidents, one occurrence. `why`: an officer's words that stand in the event itself."""

    incidents: tuple[str, ...]
    what: o.Occurrence
    facts: tuple[str, ...] = ()
    why: str = ""


def tell(known: Known, decision: Decision) -> Iterator[Told]:
    """What a decision tells. Folds it into `known` on the way: whoever stops in between has to begin with another."""
    for index, event in enumerate(decision.events):
        told = _TELL.get(type(event))
        if told is None:
            continue
        for said in told(known, event, decision):
            id_ = f"{decision.id}/{index}"
            for nth, incident_id in enumerate(said.incidents):
                incident = known.incidents.get(incident_id)
                if incident is None:
                    continue
                words = (o.Words(of="why", text=said.why),) if said.why else ()
                yield Told(
                    o.IncidentEvent(
                        id=f"{id_}/{nth}" if nth else id_,
                        at=decision.at,
                        incident=incident_id,
                        playbook=incident.playbook,
                        version=incident.version,
                        status=incident.status,
                        what=said.what,
                        words=words,
                    ),
                    said.facts,
                )
        if type(event) is e.Forgotten:
            known.forget(event.incident)
    known.after = decision.id


# --- the incident ------------------------------------------------------------------------------------------


def _opened(k: Known, ev: e.Opened, d: Decision) -> Iterable[_Said]:
    if ev.shadow:
        return
    k.incidents[ev.incident] = KnownIncident(playbook=ev.playbook, version=ev.version, status=ev.status)
    yield _Said((ev.incident,), o.Opened(signal=ev.by, by_hand=ev.by_hand), (ev.by,))


def _ended(k: Known, ev: e.Ended, d: Decision) -> Iterable[_Said]:
    # An officer's reason stands in the act's own record.
    yield _Said((ev.incident,), o.Ended(why=ev.why, by=ev.by), d.took if ev.why == "officer" else ())


def _reopened(k: Known, ev: e.Reopened, d: Decision) -> Iterable[_Said]:
    yield _Said((ev.incident,), o.Reopened())


def _lapsed(k: Known, ev: e.Lapsed, d: Decision) -> Iterable[_Said]:
    yield _Said((ev.incident,), o.Lapsed())


def _forgotten(k: Known, ev: e.Forgotten, d: Decision) -> Iterable[_Said]:
    yield _Said((ev.incident,), o.Closed())


def _held_back(k: Known, ev: e.HeldBack, d: Decision) -> Iterable[_Said]:
    yield _Said((ev.incident,), o.HeldBack(by=ev.silence))


def _released(k: Known, ev: e.Released, d: Decision) -> Iterable[_Said]:
    yield _Said((ev.incident,), o.Released())


# --- what is known and believed ----------------------------------------------------------------------------


def _joined(k: Known, ev: e.Joined, d: Decision) -> Iterable[_Said]:
    joined = o.SignalJoined(
        signal=ev.signal,
        source=ev.source,
        update=ev.update,
        until=ev.until,
        places=ev.places,
        story=ev.story,
        credibility=ev.credibility,
    )
    yield _Said((ev.incident,), joined, (ev.signal,))


def _attached(k: Known, ev: e.Attached, d: Decision) -> Iterable[_Said]:
    yield _Said((ev.incident,), o.SignalAttached(signal=ev.signal, story=ev.story), (ev.signal,))


def _withdrawn(k: Known, ev: e.SignalWithdrawn, d: Decision) -> Iterable[_Said]:
    yield _Said((ev.incident,), o.SignalWithdrawn(signal=ev.signal, why=ev.why))


def _trust(k: Known, ev: e.TrustMoved, d: Decision) -> Iterable[_Said]:
    graded = o.Graded(story=ev.story, signal=ev.signal, reliability=ev.reliability, credibility=ev.credibility)
    yield _Said((ev.incident,), graded, (ev.signal, *(fact for fact in d.took if fact != ev.signal)))


# --- steps and tasks ---------------------------------------------------------------------------------------


def _step(k: Known, ev: e.StepBegan, d: Decision) -> Iterable[_Said]:
    yield _Said((ev.incident,), o.StepBegan(step=ev.step, nth=ev.nth))


def _step_ended(k: Known, ev: e.StepEnded, d: Decision) -> Iterable[_Said]:
    """What becomes of the signal itself is no step: `graded` and `answered` tell of that."""
    if ev.step == SIGNAL:
        return
    yield _Said((ev.incident,), o.StepEnded(step=ev.step, outcome=ev.outcome))


def _task(k: Known, ev: e.TaskOpened, d: Decision) -> Iterable[_Said]:
    k.tasks[ev.task] = KnownTask(incident=ev.incident, step=ev.step, index=ev.index)
    k.belongs(ev.task, ev.incident)
    yield _Said((ev.incident,), o.TaskOpened(task=ev.task, step=ev.step, index=ev.index, who=ev.who, due=ev.due))


def _task_closed(k: Known, ev: e.TaskClosed, d: Decision) -> Iterable[_Said]:
    if task := k.tasks.pop(ev.task, None):
        closed = o.TaskClosed(task=ev.task, step=task.step, index=task.index, outcome=ev.outcome, by=ev.by)
        yield _Said((task.incident,), closed)


def _task_late(k: Known, ev: e.TaskLate, d: Decision) -> Iterable[_Said]:
    if task := k.tasks.get(ev.task):
        yield _Said((task.incident,), o.TaskLate(task=ev.task, step=task.step, index=task.index))


# --- chains ------------------------------------------------------------------------------------------------


def _run(k: Known, ev: e.RunBegan, d: Decision) -> Iterable[_Said]:
    k.runs[ev.run] = KnownRun(incident=ev.incident, step=ev.step, chain=ev.chain.id)
    k.belongs(ev.run, ev.incident)
    began = o.ChainBegan(run=ev.run, chain=ev.chain.id, step=ev.step, need=ev.chain.need, by=ev.officer)
    yield _Said((ev.incident,), began, why=ev.why)


def _tier(k: Known, ev: e.TierBegan, d: Decision) -> Iterable[_Said]:
    run = k.runs.get(ev.run)
    # It is decided again with each ask that is opened in it.
    if run is not None and (run.tier, run.round) != (ev.tier, ev.round):
        run.tier, run.round = ev.tier, ev.round
        tier = o.ChainTier(run=ev.run, chain=run.chain, step=run.step, tier=ev.tier + 1, round=ev.round)
        yield _Said((run.incident,), tier)


def _run_ended(k: Known, ev: e.RunEnded, d: Decision) -> Iterable[_Said]:
    if run := k.runs.get(ev.run):
        ended = o.ChainEnded(
            run=ev.run, chain=run.chain, step=run.step, outcome=ev.outcome, people=ev.by, by=ev.officer
        )
        yield _Said((run.incident,), ended, why=ev.why)


def _run_held(k: Known, ev: e.RunHeld, d: Decision) -> Iterable[_Said]:
    if run := k.runs.get(ev.run):
        yield _Said((run.incident,), o.ChainHeld(run=ev.run, chain=run.chain, step=run.step, by=ev.by), why=ev.why)


def _run_resumed(k: Known, ev: e.RunResumed, d: Decision) -> Iterable[_Said]:
    if run := k.runs.get(ev.run):
        yield _Said((run.incident,), o.ChainResumed(run=ev.run, chain=run.chain, step=run.step, by=ev.by))


def _run_taken(k: Known, ev: e.RunTaken, d: Decision) -> Iterable[_Said]:
    if run := k.runs.get(ev.run):
        taken = o.ChainTaken(run=ev.run, chain=run.chain, step=run.step, person=ev.person, by=ev.by)
        yield _Said((run.incident,), taken, why=ev.why)


# --- asks and answers --------------------------------------------------------------------------------------


def _asked(k: Known, ev: e.Asked, d: Decision) -> Iterable[_Said]:
    incidents = tuple(dict.fromkeys(k.runs[run].incident for run in ev.runs if run in k.runs))
    k.asks[ev.ask] = KnownAsk(person=ev.person, incidents=incidents)
    k.belongs(ev.ask, *incidents)
    # Without its code: whoever knows that could answer in the person's place.
    yield _Said(
        incidents, o.AskOpened(ask=ev.ask, person=ev.person, runs=ev.runs, channels=ev.by, answer_s=ev.answer_s)
    )


def _ask_sent(k: Known, ev: e.AskSent, d: Decision) -> Iterable[_Said]:
    if ask := k.asks.get(ev.ask):
        yield _Said(ask.incidents, o.AskSent(ask=ev.ask, person=ask.person, sent=ev.at))


def _ask_closed(k: Known, ev: e.AskClosed, d: Decision) -> Iterable[_Said]:
    if ask := k.asks.get(ev.ask):
        closed = o.AskClosed(ask=ev.ask, person=ask.person, outcome=ev.outcome, eta_min=ev.eta_min)
        yield _Said(ask.incidents, closed)


def _answered(k: Known, ev: e.Answered, d: Decision) -> Iterable[_Said]:
    if ask := k.asks.get(ev.ask):
        answered = o.Answered(ask=ev.ask, person=ev.person, verb=ev.verb, reply=ev.fact)
        yield _Said(ask.incidents, answered, (ev.fact,) if ev.fact else ())


# --- messages ----------------------------------------------------------------------------------------------


def _ordered(k: Known, ev: e.Ordered, d: Decision) -> Iterable[_Said]:
    incidents = tuple(i for i in dict.fromkeys(ev.incidents) if i in k.incidents)
    if not incidents:
        return
    k.orders[ev.order] = KnownOrder(
        incidents=incidents,
        channel=ev.channel,
        message=ev.message,
        step=ev.step,
        ask=ev.ask,
        broadcast=ev.broadcast,
        to=few(ev.recipients),
    )
    k.belongs(ev.order, *incidents)
    ordered = o.MessageOrdered(
        order=ev.order,
        channel=ev.channel,
        message=ev.message,
        lane=ev.lane,
        people=len(ev.only) or ev.size or len(ev.recipients),
        to=few(ev.recipients),
        step=ev.step,
        ask=ev.ask,
        broadcast=ev.broadcast,
        clears=ev.clears,
    )
    yield _Said(incidents, ordered)


def _delivered(k: Known, ev: e.Delivered, d: Decision) -> Iterable[_Said]:
    order = k.orders.get(ev.order)
    if order is None:
        return
    outcomes: dict[str, int] = {}
    for _, outcome, _ in ev.moves:
        outcomes[outcome.value] = outcomes.get(outcome.value, 0) + 1
    named = [move for move in ev.moves if move[0] < len(order.to)]
    deliveries = tuple(
        o.Delivery(index=index, outcome=outcome.value, person=order.to[index], reason=reason)
        for index, outcome, reason in named
    )
    delivered = o.MessageDelivered(
        order=ev.order,
        channel=order.channel,
        message=order.message,
        outcomes=outcomes,
        deliveries=deliveries,
        step=order.step,
        ask=order.ask,
        broadcast=order.broadcast,
    )
    yield _Said(order.incidents, delivered)


def _order_withdrawn(k: Known, ev: e.OrderWithdrawn, d: Decision) -> Iterable[_Said]:
    if order := k.orders.get(ev.order):
        yield _Said(order.incidents, o.MessageWithdrawn(order=ev.order, why=ev.why))


def _order_held(k: Known, ev: e.OrderHeld, d: Decision) -> Iterable[_Said]:
    if order := k.orders.get(ev.order):
        yield _Said(order.incidents, o.MessageHeld(order=ev.order))


def _order_resumed(k: Known, ev: e.OrderResumed, d: Decision) -> Iterable[_Said]:
    if order := k.orders.get(ev.order):
        yield _Said(order.incidents, o.MessageResumed(order=ev.order))


def _digested(k: Known, ev: e.Digested, d: Decision) -> Iterable[_Said]:
    yield _Said((ev.incident,), o.MessageKept(person=ev.person, channel=ev.channel, clears=ev.clears))


# --- broadcasts --------------------------------------------------------------------------------------------


def _proposed(k: Known, ev: e.BroadcastProposed, d: Decision) -> Iterable[_Said]:
    of = ev.proposal
    if of.incident in k.incidents:
        k.broadcasts[ev.proposed] = of.incident
        k.belongs(ev.proposed, of.incident)
        yield _Said((of.incident,), o.BroadcastProposed(proposed=ev.proposed, step=of.step, group=of.group))


def _proposal_dropped(k: Known, ev: e.ProposalDropped, d: Decision) -> Iterable[_Said]:
    if ev.proposed in k.broadcasts:
        dropped = o.BroadcastDropped(proposed=ev.proposed, failed=bool(ev.problem))
        yield _Said((k.broadcasts.pop(ev.proposed),), dropped, why=ev.problem)


def _broadcast(k: Known, ev: e.BroadcastDrafted, d: Decision) -> Iterable[_Said]:
    k.broadcasts.pop(ev.proposed, None)
    if ev.incident in k.incidents:
        k.broadcasts[ev.broadcast] = ev.incident
        k.belongs(ev.broadcast, ev.incident)
        drafted = o.BroadcastDrafted(
            broadcast=ev.broadcast,
            step=ev.step,
            kind=ev.kind.value,
            group=ev.group,
            sizes=ev.sizes,
            follows=ev.follows,
            proposed=ev.proposed,
        )
        yield _Said((ev.incident,), drafted)


def _of_broadcast(k: Known, broadcast: str, what: Callable[[], o.Occurrence], why: str = "") -> Iterable[_Said]:
    if broadcast in k.broadcasts:
        yield _Said((k.broadcasts[broadcast],), what(), why=why)


def _broadcast_released(k: Known, ev: e.BroadcastReleased, d: Decision) -> Iterable[_Said]:
    return _of_broadcast(k, ev.broadcast, lambda: o.BroadcastReleased(broadcast=ev.broadcast, by=ev.by))


def _broadcast_began(k: Known, ev: e.BroadcastBegan, d: Decision) -> Iterable[_Said]:
    return _of_broadcast(k, ev.broadcast, lambda: o.BroadcastBegan(broadcast=ev.broadcast))


def _broadcast_held(k: Known, ev: e.BroadcastHeld, d: Decision) -> Iterable[_Said]:
    return _of_broadcast(k, ev.broadcast, lambda: o.BroadcastHeld(broadcast=ev.broadcast, by=ev.by), ev.why)


def _broadcast_resumed(k: Known, ev: e.BroadcastResumed, d: Decision) -> Iterable[_Said]:
    return _of_broadcast(k, ev.broadcast, lambda: o.BroadcastResumed(broadcast=ev.broadcast, by=ev.by))


def _broadcast_ended(k: Known, ev: e.BroadcastEnded, d: Decision) -> Iterable[_Said]:
    def ended() -> o.Occurrence:
        return o.BroadcastEnded(broadcast=ev.broadcast, outcome=ev.outcome, by=ev.by)

    return _of_broadcast(k, ev.broadcast, ended, ev.why)


def _broadcast_forgotten(k: Known, ev: e.BroadcastForgotten, d: Decision) -> Iterable[_Said]:
    k.broadcasts.pop(ev.broadcast, None)
    return ()


# --- alarms ------------------------------------------------------------------------------------------------


def _alarm(k: Known, ev: e.AlarmRaised, d: Decision) -> Iterable[_Said]:
    if incidents := k.about(ev.about):
        k.alarms[ev.alarm] = KnownAlarm(incidents=incidents, name=ev.what)
        k.belongs(ev.alarm, *incidents)
        yield _Said(incidents, o.AlarmRaised(alarm=ev.alarm, name=ev.what), why=ev.detail)


def _alarm_cleared(k: Known, ev: e.AlarmCleared, d: Decision) -> Iterable[_Said]:
    if alarm := k.alarms.pop(ev.alarm, None):
        yield _Said(alarm.incidents, o.AlarmCleared(alarm=ev.alarm, name=alarm.name, by=ev.by))


_TELL: dict[type, Callable[[Known, Any, Decision], Iterable[_Said]]] = {
    e.Opened: _opened,
    e.Ended: _ended,
    e.Reopened: _reopened,
    e.Lapsed: _lapsed,
    e.Forgotten: _forgotten,
    e.HeldBack: _held_back,
    e.Released: _released,
    e.Joined: _joined,
    e.Attached: _attached,
    e.SignalWithdrawn: _withdrawn,
    e.TrustMoved: _trust,
    e.StepBegan: _step,
    e.StepEnded: _step_ended,
    e.TaskOpened: _task,
    e.TaskClosed: _task_closed,
    e.TaskLate: _task_late,
    e.RunBegan: _run,
    e.TierBegan: _tier,
    e.RunEnded: _run_ended,
    e.RunHeld: _run_held,
    e.RunResumed: _run_resumed,
    e.RunTaken: _run_taken,
    e.Asked: _asked,
    e.AskSent: _ask_sent,
    e.AskClosed: _ask_closed,
    e.Answered: _answered,
    e.Ordered: _ordered,
    e.Delivered: _delivered,
    e.OrderWithdrawn: _order_withdrawn,
    e.OrderHeld: _order_held,
    e.OrderResumed: _order_resumed,
    e.Digested: _digested,
    e.BroadcastProposed: _proposed,
    e.ProposalDropped: _proposal_dropped,
    e.BroadcastDrafted: _broadcast,
    e.BroadcastReleased: _broadcast_released,
    e.BroadcastBegan: _broadcast_began,
    e.BroadcastHeld: _broadcast_held,
    e.BroadcastResumed: _broadcast_resumed,
    e.BroadcastEnded: _broadcast_ended,
    e.BroadcastForgotten: _broadcast_forgotten,
    e.AlarmRaised: _alarm,
    e.AlarmCleared: _alarm_cleared,
}
