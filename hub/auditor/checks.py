"""What must not be: deadlines that did not fire, facts that nobody took, queues that stand still.

Pure: what the auditor has seen, the time and the limits go in, findings come out.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from hub.auditor.config import AuditorConfig
from hub.auditor.sight import Sight
from hub.model.message import Lane


class Finding(Struct, frozen=True, kw_only=True):
    """Something stands still. `what` is one of hub.auditor.words' and names it while it lasts; `detail` says in plain
    English which and since when; `since_s`: for how long by now; `hung`: setting the hub going again would help."""

    what: str
    detail: str
    since_s: float
    hung: bool = False


def check(sight: Sight, now: datetime, config: AuditorConfig) -> list[Finding]:
    """All that stands still at hub time `now`. Nothing is said of a hub that has not come up yet."""
    if sight.started_at is None:
        return []
    from_ = sight.started_at + timedelta(seconds=config.listening)
    if sight.began is not None:
        from_ = max(from_, sight.began)
    jumped = max(from_, sight.jumped_at) if sight.jumped_at is not None else from_
    found = (
        _deadlines(sight, now, jumped, config.overdue),
        _facts(sight, now, jumped, config.untaken),
        *_queues(sight, now, from_, config),
        _attempts(sight, now, from_, config.unsettled),
    )
    return [finding for finding in found if finding is not None]


def _deadlines(sight: Sight, now: datetime, from_: datetime, limit_s: float) -> Finding | None:
    state = sight.state
    overdue = []
    for name, at in state.deadlines.items():
        if at >= now or (state.stopped and name.startswith("channel ")):
            continue
        late_s = _since_s(now, at, sight.late.get(name, at), from_)
        if late_s > limit_s:
            overdue.append((late_s, name, at))
    if not overdue:
        return None
    late_s, name, at = max(overdue)
    detail = f"{_count(overdue, 'deadline')} overdue; the longest: {name}, due {_time(at)}, by {late_s:.0f} s"
    return Finding(what="deadline-overdue", detail=detail, since_s=late_s, hung=True)


def _facts(sight: Sight, now: datetime, from_: datetime, limit_s: float) -> Finding | None:
    fact = sight.untaken
    if fact is None:
        return None
    waits_s = _since_s(now, fact.at, from_)
    if waits_s <= limit_s:
        return None
    decided = sight.state.at or fact.at
    hung = _since_s(now, decided, fact.at, from_) > limit_s
    manner = "no decision since" if hung else "decisions go on, but behind"
    detail = f"the fact {fact.id} of {_time(fact.at)} has not been taken for {waits_s:.0f} s; {manner} {_time(decided)}"
    return Finding(what="fact-not-taken", detail=detail, since_s=waits_s, hung=hung)


def _queues(sight: Sight, now: datetime, from_: datetime, config: AuditorConfig) -> Iterator[Finding]:
    if sight.state.stopped:
        return
    if sight.lifted_at is not None:
        from_ = max(from_, sight.lifted_at)
    limits = {
        Lane.ASK: config.asks,
        Lane.CONFIRM: config.confirmations,
        Lane.NOTIFY: config.notifications,
        Lane.MASS: config.mass,
    }
    standing: dict[Lane, list[tuple[float, str, bool]]] = {}
    for order, sign in sight.waiting.items():
        lane = sight.state.orders[order].event.lane
        still_s = _since_s(now, sign.at, from_)
        if still_s > limits[lane]:
            standing.setdefault(lane, []).append((still_s, order, sign.retrying))
    for lane, orders in standing.items():
        still_s, order, _ = max(orders)
        idle_s = _since_s(now, sight.moved or from_, from_)
        # One that dispatch was told to try later does wait; and while others go out, dispatch does not hang.
        hung = idle_s > limits[lane] and not all(retrying for _, _, retrying in orders)
        channel = sight.state.orders[order].event.channel
        detail = (
            f"{_count(orders, 'order')} in the lane {lane} not moving; the longest: {order} by {channel}, "
            f"for {still_s:.0f} s; dispatch did something last {idle_s:.0f} s ago"
        )
        yield Finding(what=f"queue-{lane}", detail=detail, since_s=still_s, hung=hung)


def _attempts(sight: Sight, now: datetime, from_: datetime, limit_s: float) -> Finding | None:
    late = [
        (still_s, name) for name, known in sight.open.items() if (still_s := _since_s(now, known.at, from_)) > limit_s
    ]
    if not late:
        return None
    still_s, name = max(late)
    idle_s = _since_s(now, sight.moved or from_, from_)
    order = sight.open[name].order
    detail = f"{_count(late, 'attempt')} without an outcome; the longest: {name} of {order}, for {still_s:.0f} s"
    return Finding(what="attempt-unsettled", detail=detail, since_s=still_s, hung=idle_s > limit_s)


def _since_s(now: datetime, *instants: datetime) -> float:
    """Seconds since the latest of these."""
    return (now - max(instants)).total_seconds()


def _count(of: Iterable[object], noun: str) -> str:
    count = len(list(of))
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
