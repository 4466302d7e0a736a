"""Alert chains under way: tiers, asks, their channels in order, and what each answer or silence leads to.

Time to answer runs from the attempt that really went out (`AskSent`). Until then only a guard runs, which moves on to
the next channel should dispatch never say anything.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from hub.engine.state import Ask, Incident, Order, Run
from hub.engine.work import Work
from hub.model import events as e
from hub.model.message import OUTCOME_RANK, Lane, Outcome
from hub.model.people import Tier
from hub.model.signal import Status
from hub.people import quorum
from hub.people.answers import CODES
from hub.playbook.language import Outcome as StepOutcome

GUARD_S = 180.0  # how long dispatch may say nothing of an ask's delivery before the next channel is used
LATE = timedelta(seconds=30)  # a guard that fires later than this after its time ran while the hub was down


def start(w: Work, incident: Incident, step: str, chain_id: str, message: str, verify: bool = False) -> None:
    """Sets a chain in motion for a step."""
    chain = w.rules.chain(chain_id)
    if chain is None:
        w.alarm("chain-unknown", chain_id, f"step {step} of {incident.playbook}")
        w.came_to(incident.id, step, StepOutcome.EXHAUSTED)
        return
    began = e.RunBegan(run=w.id(), incident=incident.id, step=step, chain=chain, message=message, verify=verify)
    begin(w, began)


def begin(w: Work, began: e.RunBegan) -> None:
    w.emit(began)
    run = w.state.runs[began.run]
    if quorum.reached(run.chain, run.accepted, w.rules.plays):
        filled(w, run)
    else:
        _next_round(w, run)


def _next_round(w: Work, run: Run) -> None:
    """Goes on to the tier's next round or the next tier that has somebody to ask; exhausted when there is none."""
    tier_no, round_no = run.tier, run.round
    while True:
        if tier_no < 0 or round_no >= run.chain.tiers[tier_no].times:
            tier_no, round_no = tier_no + 1, 1
            if tier_no >= len(run.chain.tiers):
                _exhausted(w, run)
                return
        else:
            round_no += 1
        tier = run.chain.tiers[tier_no]
        people = w.rules.people(tier.ask, w.now)
        askable = [p for p in people if _to_ask(w, run, tier, p)]
        if not askable:
            if not people or any(_wanted(w, run, p) for p in people):  # else all have answered, or would not help
                w.alarm("nobody-to-ask", f"{run.incident} {run.chain.id} {tier_no + 1}", "the tier is skipped")
            continue
        w.emit(e.TierBegan(run=run.id, tier=tier_no, round=round_no, asks=()))
        w.wanted.extend((run.id, p) for p in (askable[:1] if tier.in_turn else askable))
        return


def _to_ask(w: Work, run: Run, tier: Tier, person: str) -> bool:
    status = w.state.incidents[run.incident].status
    return _wanted(w, run, person) and any(w.rules.ways(person, channel, status) for channel in tier.by)


def _wanted(w: Work, run: Run, person: str) -> bool:
    """Whether a run wants a person's answer: nobody's who has answered, or whose acceptance would not help."""
    if person in run.accepted or person in run.declined or person in run.passed:
        return False
    return quorum.useful(run.chain, person, run.accepted, w.rules.plays)


def _next_in_turn(w: Work, run: Run) -> bool:
    """In a tier that asks one after the other: asks the next person of this round; False when there is none."""
    tier = run.chain.tiers[run.tier]
    if not tier.in_turn:
        return False
    asked = {w.state.asks[ask].person for ask in run.asks if ask in w.state.asks}
    for person in w.rules.people(tier.ask, w.now):
        if person not in asked and _to_ask(w, run, tier, person):
            w.wanted.append((run.id, person))
            return True
    return False


def ask_wanted(w: Work) -> None:
    """Opens the asks that this input led to: a person whom several runs want is asked once, for all of them; but what
    is an exercise never together with what is not, and whether something is true of each incident by itself."""
    by_person: dict[tuple[str, Status, str], list[Run]] = {}
    for run_id, person in w.wanted:
        run = w.state.runs[run_id]
        if not run.outcome:
            alone = run_id if run.verify else ""
            by_person.setdefault((person, w.state.incidents[run.incident].status, alone), []).append(run)
    w.wanted = []
    opened: dict[str, list[str]] = {}
    for (person, status, _), runs in by_person.items():
        tiers = [run.chain.tiers[run.tier] for run in runs]
        by = _ways(w, person, dict.fromkeys(c for tier in tiers for c in tier.by), status)
        ask = w.id()
        w.emit(
            e.Asked(
                ask=ask,
                person=person,
                runs=tuple(run.id for run in runs),
                code=_code(w, person),
                by=by,
                between_s=min(tier.between_s for tier in tiers),
                answer_s=max(tier.answer_s for tier in tiers),
            )
        )
        for run in runs:
            opened.setdefault(run.id, []).append(ask)
    for run_id, asks in opened.items():
        run = w.state.runs[run_id]
        w.emit(e.TierBegan(run=run_id, tier=run.tier, round=run.round, asks=(*run.asks, *asks)))
    for ask_id in dict.fromkeys(a for asks in opened.values() for a in asks):
        use_channel(w, w.state.asks[ask_id], 0)


def _ways(w: Work, person: str, channels: Iterable[str], status: Status) -> tuple[str, ...]:
    """The channels by which somebody is asked, in order: each by its first address, then those that have a second by
    that, and so on. A channel that stands there for the n-th time means its n-th address."""
    ways = {channel: w.rules.ways(person, channel, status) for channel in channels}
    return tuple(channel for nth in range(max(ways.values())) for channel, there in ways.items() if nth < there)


def _code(w: Work, person: str) -> str:
    """A letter (two when those run out) that this person has not been given in the last 24 h."""
    known = w.state.people.get(person)
    used = (
        {c.code for c in known.codes if w.now - c.at < timedelta(hours=24) or not _closed(w, c.ask)} if known else set()
    )
    for code in CODES:
        if code not in used:
            return code
    return CODES[0]  # more asks to one person in a day than there are codes: answered by context


def _closed(w: Work, ask: str) -> bool:
    known = w.state.asks.get(ask)
    return known is None or bool(known.outcome)


def use_channel(w: Work, ask: Ask, index: int) -> None:
    """Orders the ask over its index-th channel."""
    runs = [w.state.runs[r] for r in ask.runs]
    first = w.state.incidents[runs[0].incident]
    sheets = tuple(dict.fromkeys(w.state.incidents[r.incident].playbook for r in runs))
    messages = tuple(dict.fromkeys(r.message for r in runs))
    values = [("code", ask.code), ("sheet", sheets[0]), ("answer_s", f"{ask.answer_s:g}")]
    if len(messages) > 1:
        values += [("sheets", ",".join(sheets)), ("messages", ",".join(messages))]
    if runs[0].verify:
        values.append(("verify", "yes"))
    w.emit(
        e.Ordered(
            order=w.id(),
            channel=ask.by[index],
            address=ask.by[:index].count(ask.by[index]),
            lane=Lane.ASK,
            message="hub.merged-ask" if len(messages) > 1 else messages[0],
            recipients=(ask.person,),
            ask=ask.id,
            step=runs[0].step,
            incidents=tuple(dict.fromkeys(r.incident for r in runs)),
            signal=first.last,
            values=tuple(values),
            status=first.status,
        )
    )
    w.deadline(f"channel {ask.id}", GUARD_S)


# --- what deliveries lead to -------------------------------------------------------------------------------


def delivery_moved(w: Work, order: Order, outcome: Outcome, unheard: bool, at: datetime) -> None:
    """Something was heard of an ask's delivery, for the first time (`unheard`) or again. `at`: when it was heard."""
    ask = w.state.asks.get(order.event.ask)
    if ask is None:
        return
    if ask.outcome:
        _arrived_late(w, ask, order, outcome, unheard)
        return
    latest = ask.orders[-1] == order.event.order
    if outcome in (Outcome.SENT, Outcome.DELIVERED):
        if ask.sent_at is None:
            w.emit(e.AskSent(ask=ask.id, at=at))
            if not held(w, ask):
                w.deadline(f"answer {ask.id}", ask.answer_s, at)
        if held(w, ask):
            return
        if latest and unheard and len(ask.orders) < len(ask.by):
            w.deadline(f"channel {ask.id}", ask.between_s, at)
        elif latest and unheard:
            w.drop(f"channel {ask.id}")
    elif latest and not held(w, ask):
        fail_over(w, ask)


def _arrived_late(w: Work, ask: Ask, order: Order, outcome: Outcome, unheard: bool) -> None:
    """An ask reaches somebody who was not waited for any longer (their phone is back in coverage). Where others have
    answered meanwhile they are told, once; where not, an answer still helps; an incident's end brings the all-clear."""
    runs = [w.state.runs[r] for r in ask.runs if r in w.state.runs]
    if ask.outcome not in ("expired", "unreachable", "stood-down") or any(r.outcome != "accepted" for r in runs):
        return
    if not runs or all(w.state.incidents[r.incident].ended for r in runs):
        return
    if any(ask.person in (*r.accepted, *r.declined) for r in runs):  # they answered when asked again
        return
    if ask.sent_at is None:  # nothing was known to be on its way, so nobody was stood down
        news, least = unheard and outcome in (Outcome.SENT, Outcome.DELIVERED), OUTCOME_RANK[Outcome.SENT]
    else:
        news = outcome is Outcome.DELIVERED and ask.outcome != "stood-down"
        least = OUTCOME_RANK[Outcome.DELIVERED]
    others = [w.state.orders[o] for o in ask.orders if o in w.state.orders and o != order.event.order]
    if news and not any(least <= other.states[0] <= OUTCOME_RANK[Outcome.DELIVERED] for other in others):
        w.say("hub.stood-down", ask.person, order.event.channel, incidents=(runs[0].incident,), ask=ask.id)


def held(w: Work, ask: Ask) -> bool:
    """Whether every run that still wants an ask is held."""
    running = [w.state.runs[r] for r in ask.runs if r in w.state.runs and not w.state.runs[r].outcome]
    return bool(running) and all(run.held for run in running)


def fail_over(w: Work, ask: Ask) -> None:
    """The newest delivery will not arrive: the next channel at once; with none left, somebody whom nothing reached
    is not waited for."""
    if len(ask.orders) < len(ask.by):
        use_channel(w, ask, len(ask.orders))
        return
    failed = OUTCOME_RANK[Outcome.FAILED]
    if all(w.state.orders[o].states[0] >= failed for o in ask.orders if o in w.state.orders):
        close(w, ask, "unreachable")
    elif ask.sent_at is None:  # of an earlier channel nothing was heard at all yet: not for ever
        w.deadline(f"channel {ask.id}", GUARD_S)
    else:
        w.drop(f"channel {ask.id}")


def channel_due(w: Work, ask: Ask, due: datetime) -> None:
    """Time for the next channel; or, where nothing was heard of the newest delivery, the guard."""
    if ask.outcome:
        return
    if _kept_waiting(w, ask, due):
        w.deadline(f"channel {ask.id}", GUARD_S)
        return
    if len(ask.orders) < len(ask.by):
        use_channel(w, ask, len(ask.orders))
    elif ask.sent_at is None:
        close(w, ask, "unreachable")


def answer_due(w: Work, ask: Ask, due: datetime) -> None:
    if ask.outcome:
        return
    if _kept_waiting(w, ask, due):  # they have the time that a channel has; the next in line have waited, too
        w.deadline(f"answer {ask.id}", ask.between_s)
        return
    close(w, ask, "expired")


def _kept_waiting(w: Work, ask: Ask, due: datetime) -> bool:
    """Whether the newest delivery has not gone out because the hub was down, or stopped: nobody is skipped unrung."""
    newest = w.state.orders.get(ask.orders[-1])
    return newest is not None and not any(newest.states) and (bool(w.state.stopped) or w.now - due > LATE)


# --- how asks and runs end ---------------------------------------------------------------------------------


def close(w: Work, ask: Ask, outcome: str, eta_min: int | None = None) -> None:
    """Closes an ask and goes on with the runs it served."""
    close_only(w, ask, outcome, eta_min)
    if outcome in ("accepted", "declined"):
        close_twins(w, ask, outcome)
    _go_on(w, ask)


def take_back(w: Work, ask: Ask) -> None:
    """Somebody who accepted declines after all: as long as their chain still looks for others, they do not count."""
    w.emit(e.AskClosed(ask=ask.id, outcome="declined"))
    _go_on(w, ask)


def _go_on(w: Work, ask: Ask) -> None:
    """The runs an ask served go on, now that it is closed."""
    for run_id in ask.runs:
        run = w.state.runs.get(run_id)
        if run is None or run.outcome:
            continue
        if quorum.reached(run.chain, run.accepted, w.rules.plays):
            filled(w, run)
            continue
        if ask.outcome == "accepted":
            let_off(w, run)
        if not run.held:
            look_on(w, run)


def look_on(w: Work, run: Run) -> None:
    """Nobody answers any more of those asked: the next are."""
    if all(_closed(w, a) for a in run.asks) and not _next_in_turn(w, run):
        _next_round(w, run)


def let_off(w: Work, run: Run) -> None:
    """Those still being asked whose answer would not help any more: the places left are for others."""
    if not run.chain.roles:
        return  # as long as heads are lacking, anybody's is
    for ask in [w.state.asks[a] for a in run.asks if a in w.state.asks]:
        wanted = [w.state.runs[r] for r in ask.runs if r in w.state.runs and not w.state.runs[r].outcome]
        if not ask.outcome and not any(quorum.useful(r.chain, ask.person, r.accepted, w.rules.plays) for r in wanted):
            _stand_down_one(w, ask, run, tell=True)


def close_twins(w: Work, answered: Ask, outcome: str) -> None:
    """Somebody who answers an earlier round's ask has answered the later round's too."""
    for run_id in answered.runs:
        run = w.state.runs.get(run_id)
        for twin in [w.state.asks[a] for a in run.asks] if run is not None else ():
            if twin.person == answered.person and not twin.outcome and set(twin.runs) <= set(answered.runs):
                close_only(w, twin, outcome)


def close_only(w: Work, ask: Ask, outcome: str, eta_min: int | None = None) -> None:
    w.drop(f"answer {ask.id}")
    w.drop(f"channel {ask.id}")
    w.emit(e.AskClosed(ask=ask.id, outcome=outcome, eta_min=eta_min))
    for order_id in ask.orders:
        order = w.state.orders.get(order_id)
        if order is not None and not order.withdrawn and order.states[0] < OUTCOME_RANK[Outcome.FAILED]:
            w.emit(e.OrderWithdrawn(order=order_id, why=outcome))


def filled(w: Work, run: Run) -> None:
    w.emit(e.RunEnded(run=run.id, outcome="accepted", by=tuple(run.accepted)))
    stand_down(w, run, tell=True)
    for alarm_id, alarm in list(w.state.alarms.items()):
        if alarm.what == "chain-exhausted" and alarm.about == f"{run.incident} {run.step}":
            w.emit(e.AlarmCleared(alarm=alarm_id))
    w.came_to(run.incident, run.step, StepOutcome.ACCEPTED)


def _exhausted(w: Work, run: Run) -> None:
    w.emit(e.RunEnded(run=run.id, outcome="exhausted", by=tuple(run.accepted)))
    incident = w.state.incidents[run.incident]
    w.alarm("chain-exhausted", f"{incident.id} {run.step}", f"{run.chain.id} of {incident.playbook}{_came_to(w, run)}")
    w.came_to(incident.id, run.step, StepOutcome.EXHAUSTED)
    if run.chain.exhausted:
        w.exhausted.append(run.id)


def _came_to(w: Work, run: Run) -> str:
    """What each person asked came to, and what is lacking, for the room. Unreachable is not the same as unwilling."""
    last: dict[str, str] = {}
    for ask in [w.state.asks[a] for a in run.asked if a in w.state.asks]:
        last[ask.person] = "no answer" if ask.outcome == "expired" else ask.outcome
    last |= dict.fromkeys(run.declined, "declined") | dict.fromkeys(run.accepted, "accepted")
    people = "; ".join(
        f"{outcome}: {', '.join(p for p in last if last[p] == outcome)}" for outcome in dict.fromkeys(last.values())
    )
    lacking = quorum.in_words(*quorum.lacking(run.chain, run.accepted, w.rules.plays))
    return "".join(f"; {part}" for part in (people, lacking and f"lacking: {lacking}") if part)


def fall_back(w: Work, run: Run) -> None:
    """The chain's fallback goes on, unless that chain has been called for this incident (since an officer last began
    one anew)."""
    incident = w.state.incidents[run.incident]
    begun: set[str] = set()
    for earlier in [w.state.runs[r] for r in incident.runs]:
        begun = {earlier.chain.id} if earlier.by_hand else begun | {earlier.chain.id}
    if run.chain.exhausted not in begun and not incident.ended:
        start(w, incident, run.step, run.chain.exhausted, run.message)


def cancel(w: Work, run: Run) -> None:
    """The incident is over: nobody is asked any more. Those who were reached hear the all-clear instead of a
    stand-down."""
    if run.outcome:
        return
    w.emit(e.RunEnded(run=run.id, outcome="cancelled", by=tuple(run.accepted)))
    stand_down(w, run, tell=False)
    w.emit(e.StepEnded(incident=run.incident, step=run.step, outcome=StepOutcome.CANCELLED))


def stand_down(w: Work, run: Run, tell: bool) -> None:
    """Those still being asked for nobody but ended runs are let off; who was disturbed is told so."""
    for ask_id in run.asks:
        ask = w.state.asks[ask_id]
        if ask.outcome or any(not w.state.runs[r].outcome for r in ask.runs if r in w.state.runs):
            continue
        _stand_down_one(w, ask, run, tell)


def _stand_down_one(w: Work, ask: Ask, run: Run, tell: bool) -> None:
    disturbed = ask.sent_at is not None
    close_only(w, ask, "stood-down")
    if tell and disturbed:
        w.say("hub.stood-down", ask.person, ask.by[0], incidents=(run.incident,), ask=ask.id)
