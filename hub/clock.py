"""Hub time: UTC, derived from trio's clock, so that tests drive it.

This is the one module of `hub/` that may look at the wall clock: once at the start, and then to notice that it was
stepped or the machine suspended. Security (signatures, tokens, sessions) uses real time and never this.
"""

import time
from datetime import UTC, datetime, timedelta

import trio


def wall() -> datetime:
    """The wall clock, in UTC."""
    return datetime.fromtimestamp(time.time(), UTC)


class Clock:
    """`now()` runs with trio's clock from `origin`; `offset_s` is how far it is from the wall clock on purpose (a
    playback has its own date). Safe to read from any thread."""

    def __init__(self, origin: datetime, *, follows_wall: bool = False) -> None:
        self._clock = trio.lowlevel.current_clock()
        self._zero = self._clock.current_time()
        self._origin = origin
        self.follows_wall = follows_wall
        self._ahead = origin - wall() if follows_wall else timedelta()

    def now(self) -> datetime:
        return self._origin + timedelta(seconds=self._clock.current_time() - self._zero)

    def trio_time(self, at: datetime) -> float:
        """The reading of trio's clock at the instant `at`, for deadlines."""
        return self._zero + (at - self._origin).total_seconds()

    def drift_s(self) -> float:
        """By how many seconds the wall clock has moved against hub time: a step, or a suspended machine (during which
        trio's clock stands still)."""
        if not self.follows_wall:
            return 0.0
        return (wall() + self._ahead - self.now()).total_seconds()

    def step(self, by_s: float, *, ours: bool = False) -> None:
        """Hub time jumps; the caller writes it down (ClockStepped). `ours`: a playback goes on at another date, so hub
        time is to be that much farther from the wall clock."""
        self._origin += timedelta(seconds=by_s)
        if ours:
            self._ahead += timedelta(seconds=by_s)
