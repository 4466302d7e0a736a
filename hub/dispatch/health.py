"""Whether a provider works, seen across recipients. Pure: time (seconds, of any steady clock) is an argument.

out      it refuses everything (credentials, credit): at once. Or FAILURES tries one after the other failed, for
         RECIPIENTS people or more, within SPAN_S, in ways that speak against the provider and not the address
         (no answer in time, cannot be reached, 5xx, throttling). A try counts by when it began: what was not answered
         is known late, and of many under way at a time the slow ones, which failed, come last and together; one that
         began before another was taken says nothing new.
probed   while it is out one delivery at a time goes to it all the same, after each of PAUSES_S; the first it takes
         ends the outage.
silent   it takes messages, but of UNHEARD of them, for RECIPIENTS people or more, no delivery receipt came within
         its usual time (three times what nine of ten took, at least USUAL_S), nor any other. Told, and no more: a
         provider that cannot reach our callbacks looks the same.
"""

from collections import deque

FAILURES = 5
RECIPIENTS = 3
SPAN_S = 300.0
PAUSES_S = (15.0, 30.0, 60.0)
UNHEARD = 5
USUAL_S = 60.0
LEARNT = 20  # receipts from which a usual time is known
KEPT = 50  # of which it is made
PEOPLE_MAX = 100_000  # counted


class Health:
    """Of one provider. `standing`: the room was told of an outage in an earlier life of the hub; what the provider
    takes next ends it. What is told to the room is what changes: `failed`, `worked`, `receipt` and `look` say when."""

    def __init__(self, standing: bool = False) -> None:
        self.reason = ""
        self.out = False
        self.refuses = False  # everything, it says itself
        self.silent = False
        self.since_s = 0.0  # the first failure of those that put it out
        self.unheard_s = 0.0  # from when on no receipt came of what it took
        self.people: set[str] = set()  # whose deliveries it has not taken since (addresses, here alone)
        self._standing = standing
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._worked_s = float("-inf")  # when it last took a delivery
        self._probe_s = 0.0
        self._probes = 0
        self._delays: deque[float] = deque(maxlen=KEPT)
        self.usual_s: float | None = None  # how long its receipts take at most, as a rule; None: too few are known
        self._unheard: deque[tuple[float, str]] = deque(maxlen=1000)

    # --- what it takes -------------------------------------------------------------------------------------

    def failed(self, to: str, reason: str, now_s: float, refuses: bool = False, began_s: float | None = None) -> bool:
        """It has not taken a delivery, of a try that began at `began_s` (None: now). Returns whether it is out."""
        if not refuses and began_s is not None and began_s < self._worked_s:
            return False
        if not self.out and (not self._failures or now_s - self._failures[-1] > SPAN_S):
            self._begin(now_s)
        self._failures.append(now_s)
        if len(self.people) < PEOPLE_MAX:
            self.people.add(to)
        self.reason = reason
        self.refuses = self.refuses or refuses
        if self.out:
            self._probe_s = max(self._probe_s, now_s + PAUSES_S[min(self._probes, len(PAUSES_S) - 1)])
            return False
        enough = len(self._failures) == FAILURES and now_s - self._failures[0] <= SPAN_S
        if not refuses and not (enough and len(self.people) >= RECIPIENTS):
            return False
        self.out, self._probes = True, 0
        self._probe_s = now_s + PAUSES_S[0]
        return True

    def worked(self, now_s: float) -> bool:
        """It has taken a delivery, or refused it for the address's sake. Returns whether that ends an outage."""
        self._worked_s = max(self._worked_s, now_s)
        ended = self.out or self._standing
        self.out = self.refuses = self._standing = False
        self._failures.clear()
        self.people.clear()
        return ended

    def probe(self, now_s: float) -> bool:
        """Whether one delivery may go although it is out; that one is counted."""
        if not self.out or now_s < self._probe_s:
            return False
        self._probes += 1
        self._probe_s = now_s + PAUSES_S[min(self._probes, len(PAUSES_S) - 1)]
        return True

    def again_s(self, now_s: float) -> float:
        """When it may be tried (again)."""
        return max(now_s, self._probe_s) if self.out else now_s

    def _begin(self, now_s: float) -> None:
        self.since_s = now_s
        self._failures.clear()
        self.people.clear()

    # --- what it says later --------------------------------------------------------------------------------

    def taken(self, to: str, now_s: float) -> None:
        """It has taken a delivery of which a receipt is to come."""
        self._unheard.append((now_s, to))

    def receipt(self, delay_s: float) -> bool:
        """One has come. Returns whether that ends a silence."""
        self._delays.append(delay_s)
        if len(self._delays) >= LEARNT:
            self.usual_s = max(USUAL_S, 3.0 * sorted(self._delays)[len(self._delays) * 9 // 10])
        self._unheard.clear()
        ended, self.silent = self.silent, False
        return ended

    def look(self, now_s: float) -> bool:
        """Whether it is silent from here on."""
        if self.silent or now_s < self.look_s():
            return False
        self.silent = True
        self.unheard_s = self._unheard[0][0]
        return True

    def look_s(self) -> float:
        """When to look whether it is silent; infinity if there is nothing to wait for."""
        usual_s = self.usual_s
        if usual_s is None or self.silent or len(self._unheard) < UNHEARD:
            return float("inf")
        people: set[str] = set()
        for nth, (at_s, to) in enumerate(self._unheard, 1):
            people.add(to)
            if nth >= UNHEARD and len(people) >= RECIPIENTS:
                return at_s + usual_s
        return float("inf")

    def unheard(self) -> int:
        """How many people's deliveries no receipt has come of."""
        return len({to for _, to in self._unheard})
