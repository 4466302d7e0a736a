"""What must hold after a campaign. Pure: `check` compares what the journal says with what is known outside."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from hub.engine.fold import SHADOW
from hub.engine.state import counts_as_reached
from hub.model import events as e
from hub.model.message import Lane, Outcome
from hub.model.records import Attempt, Decision
from tools.crash.evidence import Arrival, Delivery, Inside, Outside
from tools.crash.world import sheets_of

IDEMPOTENT = frozenset({"webhook"})  # the receiver knows a repetition by its id
CLOCKS = timedelta(milliseconds=50)  # what two processes on one machine may differ by
UNCONFIRMED = "may have arrived"  # withdrawn while in doubt: counts as reached (hub/dispatch/attempt.py)
SHOWN = 20  # faults of one kind that are told one by one
# Why a delivery may rightly have failed: the world has people who cannot be reached.
_RIGHTLY = ("given up", "30003", "21610", "busy", "no-answer", "answering machine", "failed", "13224", "undelivered")


class Found(Struct, kw_only=True):
    """`faults` by kind, and the figures."""

    faults: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)

    def fault(self, kind: str, text: str) -> None:
        self.faults.setdefault(kind, []).append(text)


class _Order(Struct, kw_only=True):
    event: e.Ordered
    at: datetime
    people: list[str]
    withdrawn: str = ""
    outcomes: dict[int, tuple[Outcome, str]] = field(default_factory=dict)
    reasons: dict[int, list[str]] = field(default_factory=dict)

    @property
    def meant(self) -> Iterable[int]:
        return self.event.only or range(len(self.people))

    def reason(self, index: int) -> str:
        """What was said of it, first to last."""
        return " ".join(self.reasons.get(index, ()))


class _Chains(Struct, kw_only=True):
    began: dict[str, e.RunBegan] = field(default_factory=dict)
    ended: dict[str, list[str]] = field(default_factory=dict)
    tiers: dict[str, list[str]] = field(default_factory=dict)
    asks: dict[str, e.Asked] = field(default_factory=dict)
    closed: dict[str, list[str]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)


def check(inside: Inside, outside: Outside, *, languages: Mapping[str, str], marks: Mapping[str, str]) -> Found:
    """`languages`: who (id, or number) is spoken to in which language; `marks`: how each says "possible repeat"."""
    found = Found()
    for text in inside.broken:
        found.fault("journal", text)
    for text in outside.unknown:
        found.fault("arrival", f"names no delivery: {text}")
    orders, chains = _collect(inside)
    by_delivery: dict[Delivery, list[Arrival]] = {}
    for arrival in outside.arrivals:
        by_delivery.setdefault(arrival.delivery, []).append(arrival)
    _signals(found, inside, outside)
    _taken(found, inside)
    _deadlines(found, inside.decisions)
    _incidents(found, inside, outside)
    _chains(found, orders, chains, by_delivery)
    _deliveries(found, orders, by_delivery)
    _causes(found, orders, inside.attempts, outside.arrivals)
    _repeats(found, by_delivery, languages, marks)
    _all_clear(found, inside, orders, by_delivery)
    _followed(found, inside, outside)
    return found


def _collect(inside: Inside) -> tuple[dict[str, _Order], _Chains]:
    orders: dict[str, _Order] = {}
    chains = _Chains()
    for decision in inside.decisions:
        for event in decision.events:
            match event:
                case e.Ordered():
                    people = inside.audiences[event.audience] if event.audience else list(event.recipients)
                    orders[event.order] = _Order(event=event, at=decision.at, people=people)
                case e.OrderWithdrawn():
                    orders[event.order].withdrawn = event.why
                case e.Delivered():
                    for index, outcome, reason in event.moves:
                        orders[event.order].outcomes[index] = (outcome, reason)
                        orders[event.order].reasons.setdefault(index, []).append(reason)
                case e.RunBegan():
                    chains.began[event.run] = event
                case e.RunEnded():
                    chains.ended.setdefault(event.run, []).append(event.outcome)
                case e.TierBegan():
                    chains.tiers.setdefault(event.run, []).extend(event.asks)
                case e.Asked():
                    chains.asks[event.ask] = event
                case e.AskSent():
                    chains.sent.add(event.ask)
                case e.AskClosed():
                    chains.closed.setdefault(event.ask, []).append(event.outcome)
                case _:
                    pass
    return orders, chains


# --- what came in ------------------------------------------------------------------------------------------


def _signals(found: Found, inside: Inside, outside: Outside) -> None:
    """Every acknowledged signal is in the journal, once, under the id that was told; so is every answer: each SMS, also
    one that came while the hub was down, and each key press that was acknowledged."""
    for sending in outside.sent:
        facts = inside.signals.get(sending.id, [])
        if sending.refused:
            found.fault("signal", f"{sending.id}: {sending.refused}")
        elif not sending.accepted:
            found.fault("signal", f"{sending.id}: was never acknowledged in {sending.tries} tries")
        elif facts != [sending.accepted]:
            found.fault("signal", f"{sending.id}: acknowledged as {sending.accepted}, in the journal as {facts}")
    for strange in inside.signals.keys() - {sending.id for sending in outside.sent}:
        found.fault("signal", f"{strange}: nobody sent it")
    for key in outside.replies:
        if key not in inside.keys:
            found.fault("reply", f"{key!r}: is not in the journal")
    found.figures |= {
        "signals": len(outside.sent),
        "acknowledged": sum(bool(s.accepted) for s in outside.sent),
        "posts": sum(s.tries for s in outside.sent),
        "answers": len(outside.replies),
    }


def _taken(found: Found, inside: Inside) -> None:
    """Every fact is decided on once, in the journal's order."""
    taken = [fact for decision in inside.decisions for fact in decision.took]
    for fact, times in Counter(taken).items():
        if times > 1:
            found.fault("decision", f"fact {fact} was decided on {times} times")
    for fact in set(inside.facts) - set(taken):
        found.fault("decision", f"fact {fact} was never decided on")
    if not found.faults.get("decision") and taken != inside.facts:
        found.fault("decision", "facts were not decided on in the journal's order")
    found.figures |= {"facts": len(inside.facts), "decisions": len(inside.decisions)}


def _deadlines(found: Found, decisions: Iterable[Decision]) -> None:
    """A deadline fires only while it is set and due, and none is left overdue."""
    standing: dict[str, datetime] = {}
    fired, last = 0, None
    for decision in decisions:
        last = decision.at
        for name in [name for name in decision.fired if not name.startswith(SHADOW)]:
            at = standing.pop(name, None)
            fired += 1
            if at is None:
                found.fault("deadline", f"{name} fired in {decision.id} and was not set: twice?")
            elif at > decision.at:
                found.fault("deadline", f"{name} fired {(at - decision.at).total_seconds()} s early")
        for event in decision.events:
            match event:
                case e.DeadlineSet():
                    standing[event.deadline] = event.at
                case e.DeadlineDropped():
                    standing.pop(event.deadline, None)
                case _:
                    pass
    for name, at in standing.items():
        if last is not None and at < last - timedelta(seconds=5):
            found.fault("deadline", f"{name} was due at {at} and never fired")
    found.figures["deadlines fired"] = fired


# --- incidents and chains ----------------------------------------------------------------------------------


def _incidents(found: Found, inside: Inside, outside: Outside) -> None:
    """Each signal that opens has opened exactly one incident on each sheet it meets, and each has ended."""
    opened: dict[tuple[str, str], list[str]] = {}
    ended: Counter[str] = Counter()
    for decision in inside.decisions:
        for event in decision.events:
            if isinstance(event, e.Opened):
                opened.setdefault((event.playbook, *event.key), []).append(event.incident)  # type: ignore[arg-type] # one per event
            elif isinstance(event, e.Ended):
                ended[event.incident] += 1
    wanted = {(sheet, s.event) for s in outside.sent if s.event and s.kind == "Alert" for sheet in sheets_of(s.chain)}
    for key in wanted:
        count = len(opened.get(key, ()))
        if count != 1:
            found.fault("incident", f"{key}: opened {count} times")
    for key in opened.keys() - wanted:
        found.fault("incident", f"{key}: opened by nothing that was sent")
    for key, incidents in opened.items():
        for incident in incidents:
            if ended[incident] != 1:
                found.fault("incident", f"{incident} {key}: ended {ended[incident]} times")
    found.figures["incidents"] = sum(len(i) for i in opened.values())


def _chains(
    found: Found, orders: Mapping[str, _Order], chains: _Chains, arrived: Mapping[Delivery, list[Arrival]]
) -> None:
    """Every chain that was set in motion has ended, and every ask of it rang, or it is known why not."""
    outcomes: Counter[str] = Counter()
    for run, began in chains.began.items():
        ended = chains.ended.get(run, [])
        if len(ended) != 1:
            found.fault("chain", f"{run} ({began.chain.id}) ended {len(ended)} times")
            continue
        outcomes[ended[0]] += 1
        if ended[0] != "cancelled" and not chains.tiers.get(run):
            found.fault("chain", f"{run} ({began.chain.id}) is {ended[0]}, and nobody was ever asked")
    of_ask: dict[str, list[_Order]] = {}
    for order in orders.values():
        if order.event.ask and order.event.lane == Lane.ASK:
            of_ask.setdefault(order.event.ask, []).append(order)
    for ask, asked in chains.asks.items():
        closed = chains.closed.get(ask, [])
        # Who answers too late, while the chain still runs, closes their ask once more: that is no fault.
        if not closed or any(again != "accepted" for again in closed[1:]):
            found.fault("ask", f"{ask} of {asked.person} was closed as {closed}")
            continue
        mine = of_ask.get(ask, [])
        rang = any(arrived.get((order.event.order, 0)) for order in mine)
        failed = [order for order in mine if order.outcomes.get(0, (None, ""))[0] is Outcome.FAILED]
        if not mine:
            found.fault("ask", f"{ask} of {asked.person} was never ordered")
        elif closed[0] == "expired" and not rang:
            found.fault("ask", f"{ask} of {asked.person} expired, and no phone ever rang")
        elif closed[0] == "unreachable" and (len(mine) < len(asked.by) or len(failed) < len(mine)):
            found.fault("ask", f"{ask} of {asked.person} is unreachable, but not every channel had failed")
    found.figures |= {"chains": len(chains.began), "asks": len(chains.asks)}
    found.figures |= {f"chains {outcome}": count for outcome, count in sorted(outcomes.items())}


# --- deliveries --------------------------------------------------------------------------------------------


def _deliveries(found: Found, orders: Mapping[str, _Order], arrived: Mapping[Delivery, list[Arrival]]) -> None:
    """What was ordered and not withdrawn has an outcome; what is said to be sent is there."""
    count: Counter[str] = Counter()
    for order_id, order in orders.items():
        for index in order.meant:
            name = f"{order_id}/{index} ({order.event.message} over {order.event.channel} to {order.people[index]})"
            outcome, reason = order.outcomes.get(index, (None, ""))
            there = bool(arrived.get((order_id, index)))
            count[outcome or ("withdrawn" if order.withdrawn else "open")] += 1
            if outcome is None and not order.withdrawn:
                found.fault("delivery", f"{name}: nothing ever came of it")
            elif outcome in (Outcome.SENT, Outcome.DELIVERED) and not there and UNCONFIRMED not in reason:
                found.fault("delivery", f"{name}: {outcome}, but nobody outside ever had it")
            elif outcome == Outcome.FAILED and not any(why in reason for why in _RIGHTLY):
                found.fault("delivery", f"{name}: failed for no good reason: {reason}")
            elif outcome == Outcome.WITHDRAWN and not order.withdrawn:
                found.fault("delivery", f"{name}: withdrawn, and nobody had withdrawn it")
    found.figures["deliveries"] = sum(count.values())
    found.figures |= {f"deliveries {what}": many for what, many in sorted(count.items())}


def _causes(
    found: Found, orders: Mapping[str, _Order], attempts: Iterable[Attempt], arrived: Iterable[Arrival]
) -> None:
    """Nothing goes out without a durable order and a durable attempt before it."""
    first: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        first.setdefault(attempt.order, []).append(attempt)
    count = 0
    for arrival in arrived:
        count += 1
        order, index = arrival.delivery
        name = f"{arrival.channel} {order}/{index} to {arrival.to}"
        if order not in orders or index not in orders[order].meant:
            found.fault("cause", f"{name}: nobody ordered it")
            continue
        made = [a for a in first.get(order, ()) if a.start <= index < a.stop]
        if not made:
            found.fault("cause", f"{name}: no attempt was recorded")
        elif arrival.at and min(a.at for a in made).timestamp() > arrival.at + CLOCKS.total_seconds():
            found.fault("cause", f"{name}: arrived before its first attempt")
    found.figures |= {"arrivals": count, "attempts": sum(len(a) for a in first.values())}


def _repeats(
    found: Found, arrived: Mapping[Delivery, list[Arrival]], languages: Mapping[str, str], marks: Mapping[str, str]
) -> None:
    """Whatever arrives again says that it may be a repetition, unless its receiver knows by itself."""
    repeats = idempotent = needless = 0
    for (order, index), several in arrived.items():
        first, *again = several
        if first.channel in IDEMPOTENT:
            idempotent += len(again)
            continue
        mark = marks[languages[first.to]]
        repeats += len(again)
        needless += mark in first.text
        for arrival in again:
            if mark not in arrival.text:
                found.fault(
                    "repeat", f"{arrival.channel} {order}/{index} to {arrival.to} came again unmarked: {arrival.text!r}"
                )
    found.figures |= {
        "repeats": repeats,
        "repeats known by their id": idempotent,
        "marked though it was the first": needless,
    }


def _all_clear(
    found: Found, inside: Inside, orders: Mapping[str, _Order], arrived: Mapping[Delivery, list[Arrival]]
) -> None:
    """Exactly those who were reached hear that it is over."""
    surely: dict[str, set[str]] = {}
    perhaps: dict[str, set[str]] = {}
    told: dict[str, set[str]] = {}
    for order_id, order in orders.items():
        for index in order.meant:
            person = order.people[index]
            came = arrived.get((order_id, index), ())
            for incident in order.event.incidents:
                if order.event.clears:
                    told.setdefault(incident, set()).add(person)
                elif counts_as_reached(order.event) and (came or UNCONFIRMED in order.reason(index)):
                    perhaps.setdefault(incident, set()).add(person)
                    if any(arrival.arrived for arrival in came):
                        surely.setdefault(incident, set()).add(person)
    for decision in inside.decisions:
        for event in decision.events:
            if isinstance(event, e.Ended):
                incident = event.incident
                for person in surely.get(incident, set()) - told.get(incident, set()):
                    found.fault("all-clear", f"{incident}: {person} was reached and never heard that it is over")
                for person in told.get(incident, set()) - perhaps.get(incident, set()):
                    found.fault("all-clear", f"{incident}: {person} heard that it is over and had never been reached")
    found.figures["people told it is over"] = sum(len(people) for people in told.values())


# --- who follows -------------------------------------------------------------------------------------------

_TOLD = (e.Opened, e.Ended, e.RunBegan, e.RunEnded, e.Asked, e.AskClosed)


def _followed(found: Found, inside: Inside, outside: Outside) -> None:
    """A follower has had everything that happened to incidents, chains and asks, in the journal's order, and nothing
    that is not in the journal. What came again had the same id."""
    first = list(dict.fromkeys(outside.followed))
    place = {id_: at for at, id_ in enumerate(first)}
    last = -1
    for decision in inside.decisions:
        for index, event in enumerate(decision.events):
            if not isinstance(event, _TOLD):
                continue
            at = place.get(f"{decision.id}/{index}")
            if at is None:
                found.fault("follower", f"{type(event).__name__} {decision.id}/{index}: it never came")
                continue
            if at < last:
                found.fault("follower", f"{type(event).__name__} {decision.id}/{index}: it came before what was before")
            last = at
    known = {decision.id for decision in inside.decisions}
    for id_ in first:
        if id_.partition("/")[0] not in known:
            found.fault("follower", f"{id_}: is not in the journal")
    found.figures |= {"events followed": len(first), "events followed again": len(outside.followed) - len(first)}
