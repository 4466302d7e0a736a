"""Whether a follower keeps up, and when the room is told that it does not. Pure: time is an argument.

failing  it has taken nothing for `alarm_s`, although there is something for it.
behind   what waits for it is older than `alarm_s`, and within `alarm_s` has not become less: more comes than it takes.
         Who catches up after days is late, and on the way.

What is told stands until it is over: what is taken ends `failing`; that it becomes less ends `behind`.
"""

from datetime import datetime

from hub.model.records import FollowerChanged

OK, FAILING, BEHIND = "ok", "failing", "behind"


class Health:
    """Of one follower. `told`: what of it stands in the room, also since an earlier life of the hub (`ok`: nothing)."""

    def __init__(self, name: str, alarm_s: float) -> None:
        self.name = name
        self.told = OK
        self.reason = ""
        self.since: datetime | None = None  # the first failure after the last success
        self.oldest: datetime | None = None  # when what waits longest for it happened; None: nothing waits
        self._alarm_s = alarm_s
        self._lead = 0  # decisions that wait for it, counted from anywhere
        self._mark: tuple[datetime, int] | None = None  # how many they were, and when

    @property
    def state(self) -> str:
        """`ok`, `failing` (now, told or not), `behind`."""
        return FAILING if self.since is not None else self.told if self.told == BEHIND else OK

    def behind_s(self, now: datetime) -> float:
        """How long ago happened what waits longest for it."""
        return 0.0 if self.oldest is None else max(0.0, (now - self.oldest).total_seconds())

    def waits(self, oldest: datetime | None, lead: int) -> None:
        """The oldest of what waits for it; and how many decisions do, counted from anywhere, but always the same."""
        self.oldest, self._lead = oldest, lead

    def failed(self, reason: str, now: datetime) -> None:
        self.reason = reason
        self.since = self.since or now

    def worked(self) -> None:
        self.since, self.reason = None, ""

    def stepped(self, now: datetime) -> None:
        """The clock jumped: what it did meanwhile cannot be said."""
        self.since = now if self.since is not None else None
        self._mark = None

    def news(self, now: datetime) -> FollowerChanged | None:
        """What the room is to be told, until `tell` has it."""
        standing = self._standing(now)
        if standing == self.told:
            return None
        return FollowerChanged(
            follower=self.name,
            health=standing,
            reason=self.reason if standing == FAILING else "",
            since=self.since if standing == FAILING else None,
            behind_s=round(self.behind_s(now), 1) if standing != OK else 0.0,
        )

    def tell(self, told: FollowerChanged) -> None:
        """It is in the journal."""
        self.told = told.health

    def _standing(self, now: datetime) -> str:
        if self.since is not None:
            failing = (now - self.since).total_seconds() >= self._alarm_s
            return FAILING if failing else self.told
        if self.behind_s(now) <= self._alarm_s:
            self._mark = None
            return OK
        if self._mark is None:
            self._mark = (now, self._lead)
        elif (now - self._mark[0]).total_seconds() >= self._alarm_s:
            before, self._mark = self._mark[1], (now, self._lead)
            return BEHIND if self._lead >= before else OK
        return BEHIND if self.told == BEHIND else OK
