"""How bad a sensor's readings are: marks, hysteresis, dwell, rate of change. Pure; time is an argument.

A mark is a Schmitt trigger: it goes on once the readings have been at it for `holds` (at once where that is 0), and off
once they have been beyond its lower mark (`off`) for `dwell`. Between the two nothing ever changes. A sensor's level is
the gravest of its marks that are on.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from hub.model.signal import SEVERITIES, Severity

RATE_KEEPS = 0.8  # a rate's mark goes off below this part of it
SAMPLES = 60  # of a rate's window: so many earlier readings are kept of it at most, and one from before it


class Measure(StrEnum):
    """What of the readings a mark looks at."""

    ABOVE = "above"
    BELOW = "below"
    RISE = "rise"
    FALL = "fall"
    STATE = "state"


RATES = (Measure.RISE, Measure.FALL)
_DOWNWARD = (Measure.BELOW, Measure.FALL)


class Mark(Struct, frozen=True):
    """On at `on`, off beyond `off`; for `below` and `fall` smaller values are worse. A state's mark has no numbers. A
    rate is change per `Rules.rate_per_s`, negative where it falls."""

    measure: Measure
    severity: Severity
    on: float = 0.0
    off: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.measure} {self.severity}"


class Rules(Struct, frozen=True, kw_only=True):
    """`holds_s`, `dwell_s`: see above. A rate is looked at over the last `rate_over_s`. All in seconds."""

    marks: tuple[Mark, ...]
    holds_s: float = 0.0
    dwell_s: float = 0.0
    rate_per_s: float = 3600.0
    rate_over_s: float = 3600.0


class Trigger(Struct, frozen=True, array_like=True):
    """Where one mark stands. `since`: from when on the readings have spoken for the other state."""

    on: bool = False
    since: datetime | None = None


IDLE = Trigger()


class State(Struct, frozen=True, array_like=True):
    """Where one sensor stands: those of its marks that are not idle, by name; earlier readings (time, value), the
    oldest first; the last reading's time, and the rate that was found then, where that is known."""

    triggers: dict[str, Trigger] = {}
    samples: tuple[tuple[datetime, float], ...] = ()
    last: datetime | None = None
    rate: float | None = None


def marks_on(rules: Rules, state: State) -> tuple[Mark, ...]:
    return tuple(mark for mark in rules.marks if state.triggers.get(mark.name, IDLE).on)


def level_of(rules: Rules, state: State) -> Severity | None:
    """The gravest mark that is on; None where all is normal."""
    return max((mark.severity for mark in marks_on(rules, state)), key=SEVERITIES.index, default=None)


def due(rules: Rules, state: State) -> datetime | None:
    """When a mark changes if nothing is read until then."""
    waits = [t.since + timedelta(seconds=_wait_s(rules, t)) for t in state.triggers.values() if t.since is not None]
    return min(waits, default=None)


def read_number(rules: Rules, state: State, value: float, at: datetime, *, aged: bool = False) -> State:
    """The state after a reading. A time before the last reading's counts as that. `aged`: nobody knows when it was
    taken (a retained message), so that it says nothing of a rate."""
    at = at if state.last is None else max(at, state.last)
    earlier = _window(state.samples, at, rules.rate_over_s)
    rate = None if aged else _rate(rules, earlier, value, at)

    def passes(mark: Mark) -> bool | None:
        measured = rate if mark.measure in RATES else value
        return None if measured is None else _passes(mark, measured)

    samples = earlier if aged else _with_sample(rules, earlier, value, at)
    return State(_stepped(rules, state, at, passes), samples, at, rate)


def read_state(rules: Rules, state: State, severity: Severity | None, at: datetime) -> State:
    """The state after a word. `severity`: how bad it is; None: normal."""
    at = at if state.last is None else max(at, state.last)
    rank = -1 if severity is None else SEVERITIES.index(severity)
    return State(_stepped(rules, state, at, lambda mark: rank >= SEVERITIES.index(mark.severity)), (), at)


def pass_time(rules: Rules, state: State, at: datetime) -> State:
    """The state at a later time at which nothing was read: what has held, or been over, for long enough."""
    return replace(state, triggers=_stepped(rules, state, at, lambda mark: None, lapses=True))


def begin_again(state: State, at: datetime) -> State:
    """The state as listening begins again: time in which nobody listened counts for nothing."""
    triggers = {name: replace(t, since=at if t.since is not None else None) for name, t in state.triggers.items()}
    return State(triggers, (), state.last)


# --- one mark ----------------------------------------------------------------------------------------------


def _passes(mark: Mark, value: float) -> bool | None:
    """Whether a value is at the mark (True), beyond its lower mark (False), or between."""
    sign = -1.0 if mark.measure in _DOWNWARD else 1.0
    if sign * value >= sign * mark.on:
        return True
    return False if sign * value < sign * mark.off else None


def _stepped(
    rules: Rules, state: State, at: datetime, passes: Callable[[Mark], bool | None], *, lapses: bool = False
) -> dict[str, Trigger]:
    """The triggers that are not idle at a time. Whatever lapsed before is first settled as of then."""
    out = {}
    for mark in rules.marks:
        trigger = _settled(rules, state.triggers.get(mark.name, IDLE), at)
        if not lapses:
            trigger = _settled(rules, _told(trigger, passes(mark), at), at)
        if trigger != IDLE:
            out[mark.name] = trigger
    return out


def _told(trigger: Trigger, passes: bool | None, at: datetime) -> Trigger:
    """A trigger that hears a reading: only one that speaks for the other state lets time run."""
    speaks_against = passes is not None and passes is not trigger.on
    if not speaks_against:
        return Trigger(trigger.on)
    return trigger if trigger.since is not None else Trigger(trigger.on, at)


def _settled(rules: Rules, trigger: Trigger, at: datetime) -> Trigger:
    if trigger.since is None or at - trigger.since < timedelta(seconds=_wait_s(rules, trigger)):
        return trigger
    return Trigger(not trigger.on)


def _wait_s(rules: Rules, trigger: Trigger) -> float:
    return rules.dwell_s if trigger.on else rules.holds_s


# --- rates -------------------------------------------------------------------------------------------------


def _window(
    samples: tuple[tuple[datetime, float], ...], at: datetime, over_s: float
) -> tuple[tuple[datetime, float], ...]:
    """What is needed of earlier readings: those of the window, and the last one before it."""
    begins = at - timedelta(seconds=over_s)
    first = 0
    while first + 1 < len(samples) and samples[first + 1][0] <= begins:
        first += 1
    return samples[first:]


def _rate(rules: Rules, earlier: tuple[tuple[datetime, float], ...], value: float, at: datetime) -> float | None:
    """Change per `rate_per_s` since the window began; None until half of it has been seen."""
    if not earlier:
        return None
    began, then = earlier[0]
    span_s = (at - began).total_seconds()
    if span_s <= 0 or span_s < rules.rate_over_s / 2:
        return None
    return (value - then) / span_s * rules.rate_per_s


def _with_sample(
    rules: Rules, earlier: tuple[tuple[datetime, float], ...], value: float, at: datetime
) -> tuple[tuple[datetime, float], ...]:
    if not any(mark.measure in RATES for mark in rules.marks):
        return ()
    if earlier and (at - earlier[-1][0]).total_seconds() < rules.rate_over_s / SAMPLES:
        return earlier
    return (*earlier, (at, value))
