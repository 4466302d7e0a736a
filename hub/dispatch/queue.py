"""What waits to go out, and which of it may go now: lanes, token buckets, places, retry times. Pure: time (seconds, of
any steady clock) is an argument everywhere.

A mass message is one `Work` until its chunks are taken off it, so that twelve thousand deliveries cost what one costs.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from hub.dispatch.policy import CHUNK, LANES, PERSISTENCE, Limits
from hub.model.message import Lane

OVERDUE_EVERY_S = 1.0


class Work(Struct, kw_only=True, gc=False):
    """Deliveries `start` (included) to `stop` (excluded) of an order, or of these `only` some, `tries` times tried
    already. `channel`: the provider whose turn they wait for.

    `since_s`: when they were first wanted. `doubt`: an earlier attempt may have arrived; `repeat`: and the text has to
    say so. `identity`: the first attempt's id, which a channel that is idempotent sees again. `counted`: their people's
    limits have counted them; a further try is no further message. `here`: tries with this provider; `passed`: those
    that have failed them before it.
    """

    order: str
    channel: str
    lane: Lane
    start: int
    stop: int
    since_s: float
    tries: int = 0
    doubt: bool = False
    repeat: bool = False
    identity: str = ""
    counted: bool = False
    not_before_s: float = 0.0
    only: tuple[int, ...] = ()
    here: int = 0
    passed: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.only) or self.stop - self.start

    def indexes(self) -> Sequence[int]:
        return self.only or range(self.start, self.stop)

    def part(self, start: int, stop: int) -> "Work":
        """A copy for some of its deliveries."""
        return Work(
            order=self.order,
            channel=self.channel,
            lane=self.lane,
            start=start,
            stop=stop,
            since_s=self.since_s,
            tries=self.tries,
            doubt=self.doubt,
            repeat=self.repeat,
            identity=self.identity,
            counted=self.counted,
            only=tuple(i for i in self.only if start <= i < stop),
            here=self.here,
            passed=self.passed,
        )

    def of(self, indexes: Sequence[int]) -> "Work":
        """A copy for these of its deliveries, in their order."""
        part = self.part(indexes[0], indexes[-1] + 1)
        part.only = tuple(indexes) if len(indexes) < part.stop - part.start else ()
        return part

    def cut(self, size: int) -> tuple["Work", "Work"]:
        """Its first deliveries, and the rest."""
        if self.only:
            return self.of(self.only[:size]), self.of(self.only[size:])
        return self.part(self.start, self.start + size), self.part(self.start + size, self.stop)

    def go_to(self, provider: str) -> None:
        """Waits for another provider's turn from now on. What may have arrived by this one is sent as a repeat: the
        other knows nothing of it."""
        self.repeat, self.identity = self.repeat or self.doubt, ""
        self.channel, self.here, self.not_before_s = provider, 0, 0.0


class Bucket:
    """A token bucket: `rate` tokens a second, at most `burst`, of which the last `kept` are for asks only."""

    __slots__ = ("_at_s", "_tokens", "burst", "kept", "rate")

    def __init__(self, rate: float, burst: float, kept: float, now_s: float) -> None:
        self.rate = rate
        self.burst = burst
        self.kept = kept
        self._tokens = burst
        self._at_s = now_s

    def room(self, now_s: float, ask: bool) -> int:
        """How many may go now."""
        self._fill(now_s)
        return max(0, int(self._tokens + 1e-9 - (0.0 if ask else self.kept)))

    def take(self, count: int) -> None:
        """Takes what `room` said there was."""
        self._tokens -= count

    def give_back(self, count: int) -> None:
        """What was taken and not used."""
        self._tokens = min(self.burst, self._tokens + count)

    def ready_s(self, count: int, ask: bool) -> float:
        """When `count` may go, if nothing else does first. At most what the bucket can ever hold."""
        most = self.burst - (0.0 if ask else self.kept)
        missing = min(count, most) + (0.0 if ask else self.kept) - self._tokens
        return self._at_s + max(0.0, missing) / self.rate

    def full(self, now_s: float) -> bool:
        self._fill(now_s)
        return self._tokens >= self.burst

    def _fill(self, now_s: float) -> None:
        if now_s > self._at_s:
            self._tokens = min(self.burst, self._tokens + (now_s - self._at_s) * self.rate)
            self._at_s = now_s


class People:
    """A bucket for each person on one channel, forgotten when it is full again."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buckets: dict[str, Bucket] = {}
        self._sweep_at = 4096

    def __len__(self) -> int:
        return len(self._buckets)

    def admit(self, person: str, now_s: float, ask: bool) -> float:
        """Counts one delivery to this person and returns `now_s`, or counts nothing and returns when to come again."""
        bucket = self._buckets.get(person)
        if bucket is None:
            limits = self._limits
            kept = min(limits.person_asks, limits.per_person - 1)
            bucket = Bucket(limits.per_person / limits.person_s, limits.per_person, kept, now_s)
            self._buckets[person] = bucket
            if len(self._buckets) >= self._sweep_at:
                self._sweep(now_s)
        if bucket.room(now_s, ask) < 1:
            return bucket.ready_s(1, ask) + 1e-6
        bucket.take(1)
        return now_s

    def _sweep(self, now_s: float) -> None:
        self._buckets = {p: b for p, b in self._buckets.items() if not b.full(now_s)}
        self._sweep_at = max(4096, 2 * len(self._buckets))


class Lanes:
    """What waits for one provider. `out`: it is not to be waited for; what waits is taken at once, to be sent another
    way."""

    def __init__(self, limits: Limits, now_s: float) -> None:
        self.limits = limits
        self.out = False
        self.people = People(limits)
        self._bucket = Bucket(limits.rate, limits.burst, min(limits.burst_asks, limits.burst - 1), now_s)
        self._ready: dict[Lane, deque[Work]] = {lane: deque() for lane in LANES}
        self._later: list[tuple[float, int, Work]] = []
        self._sequence = 0
        self._places = 0  # in use by all lanes but ask
        self._places_asks = 0

    def __iter__(self) -> Iterator[Work]:
        for lane in LANES:
            yield from self._ready[lane]
        for _, _, work in self._later:
            yield work

    @property
    def empty(self) -> bool:
        """Nothing waits."""
        return not self._later and not any(self._ready.values())

    def waiting(self, lane: Lane) -> int:
        """Deliveries that wait in a lane, those between two tries included."""
        return sum(len(w) for w in self if w.lane is lane)

    def put(self, work: Work, now_s: float) -> None:
        """At the end of its lane, or, with `not_before_s` in the future, aside until then."""
        if work.not_before_s > now_s:
            self._sequence += 1
            heapq.heappush(self._later, (work.not_before_s, self._sequence, work))
        else:
            self._ready[work.lane].append(work)

    def put_back(self, works: Sequence[Work]) -> None:
        """What was taken and did not go takes its old turn again: lanes are in the order things were wanted."""
        for lane, ready in self._ready.items():
            back = [w for w in works if w.lane is lane]
            if back:
                self._ready[lane] = deque(sorted((*ready, *back), key=lambda w: (w.since_s, w.order, w.start)))

    def remove(self, wanted: Callable[[Work], bool]) -> list[Work]:
        """Takes out whatever is wanted."""
        gone = [w for w in self if wanted(w)]
        if gone:
            for lane, ready in self._ready.items():
                self._ready[lane] = deque(w for w in ready if not wanted(w))
            self._later = [entry for entry in self._later if not wanted(entry[2])]
            heapq.heapify(self._later)
        return gone

    def take(self, now_s: float) -> list[tuple[Work, int]]:
        """What may go now, with the places it was given: at most `CHUNK` deliveries each, asks one by one. Tokens and
        places are taken; `leave` gives the places back. What has to wait lets nothing less pressing past. Where the
        provider is out, all of it without places."""
        self._wake(now_s)
        if self.out:
            return self._take_all()
        taken: list[tuple[Work, int]] = []
        for lane in LANES:
            ready = self._ready[lane]
            while ready:
                size, places = self._fits(ready[0], now_s)
                if not size:
                    return taken
                work = ready[0]
                if size == len(work):
                    ready.popleft()
                else:
                    work, ready[0] = work.cut(size)
                self._bucket.take(size)
                self._occupy(lane, places)
                taken.append((work, places))
        return taken

    def _take_all(self) -> list[tuple[Work, int]]:
        taken: list[tuple[Work, int]] = []
        for ready in self._ready.values():
            while ready:
                work = ready.popleft()
                if len(work) > CHUNK:
                    work, rest = work.cut(CHUNK)
                    ready.appendleft(rest)
                taken.append((work, 0))
        return taken

    def hurry(self, now_s: float) -> None:
        """What waits for its next try need not wait any more."""
        self._later = [(now_s, n, work) for _, n, work in self._later]
        for _, _, work in self._later:
            work.not_before_s = now_s

    def leave(self, lane: Lane, places: int) -> None:
        """Gives places back."""
        self._occupy(lane, -places)

    def give_back(self, count: int) -> None:
        """So many of what was taken were not for this provider: they do not count."""
        self._bucket.give_back(count)

    def next_s(self, now_s: float) -> float:
        """When to look again although nothing is put or left meanwhile; infinity if never."""
        soonest = self._later[0][0] if self._later else float("inf")
        for lane in LANES:
            ready = self._ready[lane]
            if ready:
                size = self._worthwhile(ready[0])
                if self._places_for(ready[0], size):
                    soonest = min(soonest, self._bucket.ready_s(size, lane is Lane.ASK))
                break  # nothing less pressing goes before it
        # Never at once: what could go at once was just taken, and a rounding error must not make a busy loop.
        return max(soonest, now_s + 1e-3)

    def overdue_s(self) -> float:
        """When the first of what waits has waited too long."""
        asks = (w.since_s + PERSISTENCE[Lane.ASK].seconds for w in self._ready[Lane.ASK])
        heads = (ready[0].since_s + PERSISTENCE[lane].seconds for lane, ready in self._ready.items() if ready)
        return min((*asks, *heads), default=float("inf"))

    def _wake(self, now_s: float) -> None:
        while self._later and self._later[0][0] <= now_s:
            work = heapq.heappop(self._later)[2]
            self._ready[work.lane].append(work)

    def _fits(self, work: Work, now_s: float) -> tuple[int, int]:
        """How many deliveries of a work may go now, and with how many places; (0, 0): none."""
        room = self._bucket.room(now_s, work.lane is Lane.ASK)
        if room < self._worthwhile(work):
            return 0, 0
        size = min(self._chunk(work), room)
        places = self._places_for(work, size)
        return (size, places) if places else (0, 0)

    def _chunk(self, work: Work) -> int:
        """How many deliveries share an attempt. Three chunks share a channel's places, so that while one is being
        written down the others are being sent: a small audience is cut in three as well."""
        if work.lane is Lane.ASK:
            return 1
        return min(len(work), CHUNK, max(self._third(), -(-len(work) // 3)))

    def _third(self) -> int:
        return max(1, -(-(self.limits.width - self.limits.width_asks) // 3))

    def _places_for(self, work: Work, size: int) -> int:
        """The places so many deliveries get; 0: not now."""
        free = self._free(work.lane is Lane.ASK)
        wanted = min(size, self._third())
        return min(wanted, free) if free * 2 >= wanted and free > 0 else 0

    def _worthwhile(self, work: Work) -> int:
        """A record for each single delivery of a mass message would cost more than the message: wait for a tenth of
        a second's worth."""
        share = min(self.limits.rate / 10, self._bucket.burst - self._bucket.kept)
        return int(max(1, min(self._chunk(work), share)))

    def _free(self, ask: bool) -> int:
        """Places free for a lane. Asks may use every place, the others all but those kept for asks."""
        if ask:
            return self.limits.width - self._places - self._places_asks
        asks_beyond = max(0, self._places_asks - self.limits.width_asks)
        return self.limits.width - self.limits.width_asks - self._places - asks_beyond

    def _occupy(self, lane: Lane, places: int) -> None:
        if lane is Lane.ASK:
            self._places_asks += places
        else:
            self._places += places


class Queue:
    """All channels. Paused, it hands nothing out, and the time does not count; the same for an order that is held."""

    def __init__(self, limits: Mapping[str, Limits], now_s: float) -> None:
        self._channels = {name: Lanes(given, now_s) for name, given in limits.items()}
        self._paused_s: float | None = None
        self._looked_s = now_s
        self._held: dict[str, list[tuple[float, Work]]] = {}  # order → what waits of it, and since when it stands

    def channel(self, name: str) -> Lanes:
        """Raises KeyError for a channel that is not configured."""
        return self._channels[name]

    def __contains__(self, name: str) -> bool:
        return name in self._channels

    @property
    def empty(self) -> bool:
        """Nothing waits on any channel."""
        return all(lanes.empty for lanes in self._channels.values())

    def holds(self, order: str) -> bool:
        """Whether an order is held, or all are."""
        return self.paused or order in self._held

    def hold(self, order: str, now_s: float) -> None:
        """What waits of an order, and what comes back of it, stands aside until it is let go."""
        if order not in self._held:
            self._held[order] = [(now_s, work) for work in self.remove(order)]

    def let_go(self, order: str, now_s: float) -> None:
        """What stood aside takes its old turn again."""
        aside = self._held.pop(order, [])
        for since_s, work in aside:
            work.since_s += now_s - since_s
        self.put_back([work for _, work in aside], now_s)

    @property
    def paused(self) -> bool:
        return self._paused_s is not None

    def pause(self, now_s: float) -> None:
        if self._paused_s is None:
            self._paused_s = now_s

    def resume(self, now_s: float) -> None:
        if self._paused_s is not None:
            stood_s = now_s - self._paused_s
            for lanes in self._channels.values():
                for work in lanes:
                    work.since_s += stood_s
            self._paused_s = None

    def put(self, work: Work, now_s: float) -> None:
        if work.order in self._held:
            self._held[work.order].append((now_s, work))
        else:
            self._channels[work.channel].put(work, now_s)

    def put_back(self, works: Sequence[Work], now_s: float) -> None:
        """What was taken and did not go takes its old turn again."""
        for name, lanes in self._channels.items():
            lanes.put_back([w for w in works if w.channel == name and w.order not in self._held])
        for work in works:
            if work.order in self._held:
                self._held[work.order].append((now_s, work))

    def remove(self, order: str) -> list[Work]:
        """Takes out whatever waits of an order, also aside."""
        aside = [work for _, work in self._held.pop(order, [])]
        return aside + [w for lanes in self._channels.values() for w in lanes.remove(lambda w: w.order == order)]

    def overdue(self, now_s: float) -> list[Work]:
        """Takes out what has waited longer than its lane goes on trying. Looks once a second at most."""
        if self.paused or now_s < self._looked_s + OVERDUE_EVERY_S:
            return []
        self._looked_s = now_s
        return [
            work
            for lanes in self._channels.values()
            for work in lanes.remove(lambda w: now_s - w.since_s > PERSISTENCE[w.lane].seconds)
        ]

    def take(self, now_s: float) -> list[tuple[Work, int]]:
        """What may go now, the most pressing lane first."""
        if self.paused:
            return []
        taken = [entry for lanes in self._channels.values() for entry in lanes.take(now_s)]
        taken.sort(key=lambda entry: LANES.index(entry[0].lane))
        return taken

    def next_s(self, now_s: float) -> float:
        if self.paused:
            return float("inf")
        every = self._channels.values()
        overdue_s = min((lanes.overdue_s() for lanes in every), default=float("inf")) + 1e-3
        next_s = min((lanes.next_s(now_s) for lanes in every), default=float("inf"))
        return min(next_s, max(overdue_s, self._looked_s + OVERDUE_EVERY_S))

    def waiting(self) -> dict[str, dict[Lane, int]]:
        """Deliveries that wait, by channel and lane."""
        found = {name: {lane: lanes.waiting(lane) for lane in LANES} for name, lanes in self._channels.items()}
        for aside in self._held.values():
            for _, work in aside:
                found[work.channel][work.lane] += len(work)
        return found
